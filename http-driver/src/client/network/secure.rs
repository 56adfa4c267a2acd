//! TLS on the way to an origin, where the feature `tls` is there.

#[cfg(not(feature = "tls"))]
mod without {
    use crate::client::connect_error::ConnectError;
    use crate::io::{Runtime, Transport};

    const NO_TLS: &str = "this needs TLS, which was not compiled: enable the feature `tls`";

    /// What is spoken through to an origin, or to the proxy before it.
    pub(in crate::client) type Near<T> = T;
    /// What a network makes of a transport.
    pub(in crate::client) type Stream<T> = T;

    #[derive(Clone, Copy, Default)]
    pub(in super::super) struct Secure;

    pub(in super::super) const fn near<T>(transport: T) -> Near<T> {
        transport
    }

    pub(in super::super) const fn plain<T>(transport: Near<T>) -> Stream<T> {
        transport
    }

    impl Secure {
        /// There is no TLS.
        pub(in super::super) fn check(&self, _: &str) -> Result<(), ConnectError> {
            Err(ConnectError::misconfigured(NO_TLS))
        }

        /// There is no TLS.
        #[cfg(feature = "proxy")]
        pub(in super::super) fn check_proxy(&self, _: &str) -> Result<(), ConnectError> {
            Err(ConnectError::misconfigured(NO_TLS))
        }

        /// There is no TLS.
        pub(in super::super) async fn secured<T: Transport, R: Runtime>(
            &self,
            _: Near<T>,
            _: &str,
            _: &R,
        ) -> Result<Stream<T>, ConnectError> {
            Err(ConnectError::misconfigured(NO_TLS))
        }

        /// There is no TLS.
        #[cfg(feature = "proxy")]
        pub(in super::super) async fn secured_proxy<T: Transport, R: Runtime>(
            &self,
            _: T,
            _: &str,
            _: &R,
        ) -> Result<Near<T>, ConnectError> {
            Err(ConnectError::misconfigured(NO_TLS))
        }
    }
}

#[cfg(feature = "tls")]
mod with {
    use core::future::poll_fn;
    use core::task::Poll;
    use core::time::Duration;
    use std::io;
    use std::sync::{Arc, OnceLock};

    use http_core::dispatch::{ConnectCause, RequestPhase};
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, ClientConnection};

    use crate::client::connect_error::ConnectError;
    use crate::clock;
    use crate::either::Either;
    use crate::io::{Runtime, Timer, Transport};
    use crate::tls::{TlsTransport, asking_for_http, usual};

    /// What is spoken through to an origin, or to the proxy before it.
    #[cfg(feature = "proxy")]
    pub(in crate::client) type Near<T> = Either<T, Box<TlsTransport<T>>>;
    /// What is spoken through to an origin.
    #[cfg(not(feature = "proxy"))]
    pub(in crate::client) type Near<T> = T;
    /// What a network makes of a transport.
    pub(in crate::client) type Stream<T> = Either<Near<T>, Box<TlsTransport<Near<T>>>>;

    const NO_ROOTS: &str = "TLS needs roots to trust: give them with `Network::tls`, or enable the feature \
                            `tls-webpki-roots` or `tls-native-roots` (the platform may have none)";
    const NO_NAME: &str = "TLS needs a host that can stand in a certificate: a DNS name or an address";

    #[derive(Clone)]
    pub(in super::super) struct Secure {
        /// What was given; or what is usual, made when it is needed first.
        config: Arc<OnceLock<Option<Arc<ClientConfig>>>>,
        /// The same for proxies, if they have one of their own.
        #[cfg(feature = "proxy")]
        proxy: Option<Arc<ClientConfig>>,
        pub(in super::super) timeout: Duration,
    }

    impl Default for Secure {
        fn default() -> Self {
            Self {
                config: Arc::default(),
                #[cfg(feature = "proxy")]
                proxy: None,
                timeout: Duration::from_secs(10),
            }
        }
    }

    #[cfg(feature = "proxy")]
    pub(in super::super) const fn near<T>(transport: T) -> Near<T> {
        Either::Left(transport)
    }

    #[cfg(not(feature = "proxy"))]
    pub(in super::super) const fn near<T>(transport: T) -> Near<T> {
        transport
    }

    pub(in super::super) const fn plain<T>(transport: Near<T>) -> Stream<T> {
        Either::Left(transport)
    }

    impl Secure {
        pub(in super::super) fn set(&mut self, config: ClientConfig) {
            self.config = Arc::new(OnceLock::from(Some(Arc::new(asking_for_http(config)))));
        }

        #[cfg(feature = "proxy")]
        pub(in super::super) fn set_for_proxies(&mut self, config: ClientConfig) {
            self.proxy = Some(Arc::new(asking_for_http(config)));
        }

        fn config(&self) -> Result<Arc<ClientConfig>, ConnectError> {
            self.config.get_or_init(|| usual().map(Arc::new)).clone().ok_or(ConnectError::misconfigured(NO_ROOTS))
        }

        /// Whether there are roots to trust, and whether a certificate can name this host.
        pub(in super::super) fn check(&self, host: &str) -> Result<(), ConnectError> {
            self.config().and_then(|_| name_of(host)).map(drop)
        }

        /// The same for a proxy.
        #[cfg(feature = "proxy")]
        pub(in super::super) fn check_proxy(&self, host: &str) -> Result<(), ConnectError> {
            self.proxy_config().and_then(|_| name_of(host)).map(drop)
        }

        #[cfg(feature = "proxy")]
        fn proxy_config(&self) -> Result<Arc<ClientConfig>, ConnectError> {
            self.proxy.clone().map_or_else(|| self.config(), Ok)
        }

        pub(in super::super) async fn secured<T: Transport, R: Runtime>(
            &self,
            transport: Near<T>,
            host: &str,
            runtime: &R,
        ) -> Result<Stream<T>, ConnectError> {
            Ok(Either::Right(self.shaken(self.config()?, transport, host, runtime).await?))
        }

        #[cfg(feature = "proxy")]
        pub(in super::super) async fn secured_proxy<T: Transport, R: Runtime>(
            &self,
            transport: T,
            host: &str,
            runtime: &R,
        ) -> Result<Near<T>, ConnectError> {
            Ok(Either::Right(self.shaken(self.proxy_config()?, transport, host, runtime).await?))
        }

        /// A session whose handshake is done.
        async fn shaken<T: Transport, R: Runtime>(
            &self,
            config: Arc<ClientConfig>,
            transport: T,
            host: &str,
            runtime: &R,
        ) -> Result<Box<TlsTransport<T>>, ConnectError> {
            let session = ClientConnection::new(config, name_of(host)?)?;
            let mut transport = Box::new(TlsTransport::new(transport, session.into()));
            let mut timer = clock::timer(runtime, self.timeout);
            poll_fn(|cx| match transport.poll_handshake(cx) {
                Poll::Pending => timer.poll(cx).map(|()| Err(ConnectCause::TimedOut.into())),
                Poll::Ready(done) => Poll::Ready(done.map_err(failed)),
            })
            .await
            .map_err(|error: ConnectError| error.during(RequestPhase::Tls))?;
            Ok(transport)
        }
    }

    /// What a certificate has to say: without the zone of an address (RFC 6874 §4).
    fn name_of(host: &str) -> Result<ServerName<'static>, ConnectError> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let host = host.split('%').next().unwrap_or_default().to_owned();
        ServerName::try_from(host).map_err(|_| ConnectError::misconfigured(NO_NAME))
    }

    fn failed(error: io::Error) -> ConnectError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => ConnectError::new(ConnectCause::Reset, error),
            _ => error.into(),
        }
    }
}

#[cfg(feature = "tls")]
pub(super) use with::{Near, Secure, Stream, near, plain};
#[cfg(not(feature = "tls"))]
pub(super) use without::{Near, Secure, Stream, near, plain};
