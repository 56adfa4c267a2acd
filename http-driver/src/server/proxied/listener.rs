//! Listeners behind proxies.

use core::task::{Context, Poll, ready};
use std::io;
use std::net::{IpAddr, SocketAddr};

use bytes::{Buf, BytesMut};
use http_core::Outbox;

use super::header;
use crate::io::Transport;
use crate::peer::Peer;
use crate::server::Listener;

/// How much is read at once of a header, and of what comes behind it.
const READ: usize = 256;

/// The proxies whose word is taken for whom they speak for. Nobody else's header is read: what a stranger says of its
/// own address is worth nothing.
///
/// ```
/// use http_driver::server::TrustedProxies;
/// let trusted = TrustedProxies::none().network([10, 0, 0, 0].into(), 8).network([127, 0, 0, 1].into(), 32);
/// assert!(trusted.trusts([10, 1, 2, 3].into()) && !trusted.trusts([11, 0, 0, 0].into()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct TrustedProxies {
    networks: Vec<(IpAddr, u8)>,
    unix: bool,
}

impl TrustedProxies {
    /// Nobody.
    pub fn none() -> Self {
        Self::default()
    }

    /// The addresses that share their first `bits` with `address`.
    pub fn network(mut self, address: IpAddr, bits: u8) -> Self {
        self.networks.push((address, bits));
        self
    }

    /// Whoever comes without an address, over a Unix socket.
    pub const fn unix(mut self) -> Self {
        self.unix = true;
        self
    }

    /// Whether a proxy's address is among them.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|(network, bits)| shares(address.to_canonical(), *network, *bits))
    }
}

/// Whether two addresses share their first bits.
fn shares(one: IpAddr, other: IpAddr, bits: u8) -> bool {
    let same = |one: u128, other: u128, width: u32| {
        let rest = width - u32::from(bits).min(width);
        one.checked_shr(rest) == other.checked_shr(rest)
    };
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => same(u32::from(one).into(), u32::from(other).into(), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => same(one.into(), other.into(), 128),
        _ => false,
    }
}

/// A listener whose connections may come through proxies that speak the PROXY protocol. A connection of a trusted proxy
/// begins with a header of version 1 or 2, or is refused; any other one is taken as it is. In front of TLS, wrap this
/// listener in that of TLS.
///
/// ```
/// use http_driver::server::{ProxiedListener, TrustedProxies};
/// fn behind_the_balancer<L>(listener: L) -> ProxiedListener<L> {
///     ProxiedListener::new(listener, TrustedProxies::none().network([192, 0, 2, 7].into(), 32))
/// }
/// ```
#[derive(Debug)]
pub struct ProxiedListener<L> {
    listener: L,
    trusted: TrustedProxies,
}

impl<L> ProxiedListener<L> {
    /// Takes the word of these proxies.
    pub const fn new(listener: L, trusted: TrustedProxies) -> Self {
        Self { listener, trusted }
    }
}

impl<R, L: Listener<R>> Listener<R> for ProxiedListener<L> {
    type Transport = ProxiedTransport<L::Transport>;

    async fn accept(&mut self) -> io::Result<Self::Transport> {
        let transport = self.listener.accept().await?;
        let trusted = transport.peer().address.map_or(self.trusted.unix, |address| self.trusted.trusts(address.ip()));
        Ok(ProxiedTransport { transport, awaits_header: trusted, early: BytesMut::new(), addresses: None })
    }
}

/// A connection that begins with what its proxy says of it, or with the client's bytes.
///
/// ```
/// fn below<T>(transport: &http_driver::server::ProxiedTransport<T>) -> &T {
///     transport.get_ref()
/// }
/// ```
#[derive(Debug)]
pub struct ProxiedTransport<T> {
    transport: T,
    awaits_header: bool,
    /// What was read behind the header.
    early: BytesMut,
    /// The client, and where it thinks it is connected to.
    addresses: Option<(SocketAddr, SocketAddr)>,
}

impl<T> ProxiedTransport<T> {
    /// The transport below.
    pub const fn get_ref(&self) -> &T {
        &self.transport
    }
}

impl<T: Transport> Transport for ProxiedTransport<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        if self.early.is_empty() {
            return self.transport.poll_read(cx, buffer, most);
        }
        let some = self.early.split_to(self.early.len().min(most));
        buffer.extend_from_slice(&some);
        if self.early.is_empty() {
            self.early = BytesMut::new();
        }
        Poll::Ready(Ok(some.len()))
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.early.is_empty() { self.transport.poll_readable(cx) } else { Poll::Ready(()) }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        self.transport.poll_write(cx, outbox)
    }

    fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.transport.poll_reset(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.poll_shutdown(cx)
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.transport.poll_handshake(cx))?;
        while self.awaits_header {
            let bad = |_| io::Error::new(io::ErrorKind::InvalidData, "no header of the PROXY protocol");
            match header::read(&self.early).map_err(bad)? {
                Some(route) => {
                    self.early.advance(route.length);
                    self.addresses = route.addresses;
                    self.awaits_header = false;
                }
                None => {
                    self.early.reserve(READ);
                    if ready!(self.transport.poll_read(cx, &mut self.early, READ))? == 0 {
                        return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                    }
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn has_received(&self) -> bool {
        // The header of a proxy whose client says nothing is no word of that client.
        !self.early.is_empty() || self.transport.has_received()
    }

    fn describe(&self, peer: &mut Peer) {
        self.transport.describe(peer);
        if let Some((client, local)) = self.addresses {
            peer.address = Some(client);
            peer.local = Some(local);
        }
    }

    fn reset_on_drop(&mut self, reset: bool) {
        self.transport.reset_on_drop(reset);
    }
}
