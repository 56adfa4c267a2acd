//! Listeners whose connections speak TLS.

use core::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use rustls::{ServerConfig, ServerConnection};

use super::config;
use super::session::TlsTransport;
use crate::io::Transport;
use crate::server::Listener;

/// What new connections of a server are secured with, which can be replaced while it runs. A cheap handle.
///
/// ```
/// use http_driver::tls::{BadPem, TlsAcceptor, server_config};
/// fn renew(acceptor: &TlsAcceptor, certificates: &[u8], key: &[u8]) -> Result<(), BadPem> {
///     acceptor.reload(server_config(certificates, key)?);
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct TlsAcceptor(Arc<RwLock<Arc<ServerConfig>>>);

impl TlsAcceptor {
    /// With this configuration; HTTP/1.1 and 1.0 are what it offers by ALPN, whatever it says.
    #[must_use]
    pub fn new(config: ServerConfig) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(config::offering_http(config)))))
    }

    /// Connections from now on are secured with another configuration, of new certificates say.
    pub fn reload(&self, config: ServerConfig) {
        let config = Arc::new(config::offering_http(config));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// A transport that shakes hands before it is used.
    ///
    /// # Errors
    /// The configuration cannot be used.
    pub fn accept<T: Transport>(&self, transport: T) -> io::Result<TlsTransport<T>> {
        let config = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        let session = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(TlsTransport::new(transport, session.into()))
    }

    /// A listener whose connections are secured.
    #[must_use]
    pub const fn listen<L>(self, listener: L) -> TlsListener<L> {
        TlsListener { listener, acceptor: self }
    }
}

impl fmt::Debug for TlsAcceptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsAcceptor")
    }
}

/// See [`TlsAcceptor::listen`]. What was negotiated is told as [`TlsInfo`](super::TlsInfo) among the extensions of the
/// [`Peer`](crate::Peer).
///
/// ```
/// use http_driver::tls::{TlsAcceptor, TlsListener};
/// fn secured<L>(listener: L, acceptor: TlsAcceptor) -> TlsListener<L> {
///     acceptor.listen(listener)
/// }
/// ```
#[derive(Debug)]
pub struct TlsListener<L> {
    listener: L,
    acceptor: TlsAcceptor,
}

impl<R, L: Listener<R>> Listener<R> for TlsListener<L> {
    type Transport = Box<TlsTransport<L::Transport>>;

    async fn accept(&mut self) -> io::Result<Self::Transport> {
        Ok(Box::new(self.acceptor.accept(self.listener.accept().await?)?))
    }
}
