//! TLS on the way to an origin, where the feature `tls` is there.

use super::{Dial, Network};
use crate::client::connect_error::ConnectError;
use crate::client::origin::Origin;
use crate::io::Runtime;

#[cfg(not(feature = "tls"))]
mod without {
    use super::*;

    /// What a network makes of a transport.
    pub(in crate::client) type Stream<T> = T;

    #[derive(Clone, Copy, Default)]
    pub(in super::super) struct Secure;

    pub(in super::super) const fn plain<T>(transport: T) -> Stream<T> {
        transport
    }

    impl<D: Dial, R: Runtime> Network<D, R> {
        /// There is no TLS.
        pub(in super::super) async fn secure(
            &self,
            _: D::Transport,
            _: &Origin,
        ) -> Result<Stream<D::Transport>, ConnectError> {
            let Secure = self.settings.secure;
            Err(ConnectError::misconfigured("https needs TLS, which was not compiled: enable the feature `tls`"))
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

    use super::*;
    use crate::clock;
    use crate::either::Either;
    use crate::io::{Timer, Transport};
    use crate::tls::{TlsTransport, asking_for_http, usual};

    /// What a network makes of a transport.
    pub(in crate::client) type Stream<T> = Either<T, Box<TlsTransport<T>>>;

    const NO_ROOTS: &str = "https needs roots to trust: give them with `Network::tls`, or enable the feature \
                            `tls-webpki-roots` or `tls-native-roots` (the platform may have none)";
    const NO_NAME: &str = "https needs a host that can stand in a certificate: a DNS name or an address";

    #[derive(Clone)]
    pub(in super::super) struct Secure {
        /// What was given; or what is usual, made when it is needed first.
        config: Arc<OnceLock<Option<Arc<ClientConfig>>>>,
        timeout: Duration,
    }

    impl Default for Secure {
        fn default() -> Self {
            Self { config: Arc::default(), timeout: Duration::from_secs(10) }
        }
    }

    pub(in super::super) const fn plain<T>(transport: T) -> Stream<T> {
        Either::Left(transport)
    }

    impl<D: Dial, R: Runtime> Network<D, R> {
        /// What `https` origins are reached with: roots, a certificate of the client's own. HTTP/1.1 is what it asks
        /// for by ALPN, whatever it says. Default: the roots that the features of this crate bring along; without one
        /// of them `https` fails.
        #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
        pub fn tls(mut self, config: ClientConfig) -> Self {
            self.edit().secure.config = Arc::new(OnceLock::from(Some(Arc::new(asking_for_http(config)))));
            self
        }

        /// How long the handshake of TLS may take. Default 10 s.
        #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
        pub fn tls_timeout(mut self, most: Duration) -> Self {
            self.edit().secure.timeout = most;
            self
        }

        pub(in super::super) async fn secure(
            &self,
            transport: D::Transport,
            origin: &Origin,
        ) -> Result<Stream<D::Transport>, ConnectError> {
            let secure = &self.settings.secure;
            let config = secure.config.get_or_init(|| usual().map(Arc::new)).clone();
            let config = config.ok_or(ConnectError::misconfigured(NO_ROOTS))?;
            let host = origin.host().trim_start_matches('[').trim_end_matches(']').to_owned();
            let name = ServerName::try_from(host).map_err(|_| ConnectError::misconfigured(NO_NAME))?;
            let session = ClientConnection::new(config, name)?;
            let mut transport = Box::new(TlsTransport::new(transport, session.into()));
            let mut timer = clock::timer(&self.runtime, secure.timeout);
            poll_fn(|cx| match transport.poll_handshake(cx) {
                Poll::Pending => timer.poll(cx).map(|()| Err(ConnectCause::TimedOut.into())),
                Poll::Ready(done) => Poll::Ready(done.map_err(failed)),
            })
            .await
            .map_err(|error: ConnectError| error.during(RequestPhase::Tls))?;
            Ok(Either::Right(transport))
        }
    }

    fn failed(error: io::Error) -> ConnectError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => ConnectError::new(ConnectCause::Reset, error),
            _ => error.into(),
        }
    }
}

#[cfg(feature = "tls")]
pub(super) use with::{Secure, Stream, plain};
#[cfg(not(feature = "tls"))]
pub(super) use without::{Secure, Stream, plain};
