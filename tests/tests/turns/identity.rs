//! A server that its clients trust.

use std::sync::Arc;

use http_driver::tls::{TlsAcceptor, client_config, rustls, server_config};

/// Both sides of TLS for one certificate.
pub(crate) struct Identity {
    pub(crate) acceptor: TlsAcceptor,
    config: Arc<rustls::ClientConfig>,
}

impl Identity {
    pub(crate) fn new() -> Self {
        let names = vec!["localhost".to_owned()];
        let rcgen::CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
        let (certificate, key) = (cert.pem(), signing_key.serialize_pem());
        let acceptor = TlsAcceptor::new(server_config(certificate.as_bytes(), key.as_bytes()).unwrap());
        Self { acceptor, config: Arc::new(client_config(certificate.as_bytes()).unwrap()) }
    }

    /// A session of a client that has not begun.
    pub(crate) fn session(&self) -> rustls::ClientConnection {
        rustls::ClientConnection::new(self.config.clone(), "localhost".try_into().unwrap()).unwrap()
    }
}
