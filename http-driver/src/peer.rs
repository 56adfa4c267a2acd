//! Who is at the other end.

use std::net::SocketAddr;

use http::Extensions;

/// What a transport tells of its peer and of itself.
///
/// ```
/// use http_driver::Peer;
/// let mut peer = Peer::default();
/// peer.address = Some(([192, 0, 2, 1], 50_000).into());
/// assert!(peer.address.unwrap().is_ipv4() && peer.extensions.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Peer {
    /// The peer's address, if it has one: a Unix socket has none. Behind a proxy that is trusted to tell it, the
    /// client's own.
    pub address: Option<SocketAddr>,
    /// The address that the peer connected to.
    pub local: Option<SocketAddr>,
    /// Whatever else a transport knows: what TLS negotiated, say.
    pub extensions: Extensions,
}
