//! How clients reach their origins over sockets: names, addresses, proxies. The same on every runtime.

mod dial;
mod eyeballs;
#[cfg(feature = "proxy")]
mod proxy;
mod resolve;
mod secure;
mod sockets;

use core::fmt;
#[cfg(feature = "proxy")]
use core::future::{Future, poll_fn};
#[cfg(feature = "proxy")]
use core::task::Poll;
use core::time::Duration;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use http_core::Config;
#[cfg(feature = "proxy")]
use http_core::dispatch::ConnectCause;
use http_core::dispatch::RequestPhase;
#[cfg(feature = "tls")]
use rustls::ClientConfig;

pub use dial::{Address, Dial, SocketOptions};
#[cfg(feature = "proxy")]
#[cfg_attr(docsrs, doc(cfg(feature = "proxy")))]
pub use proxy::{BadProxy, Bypass, Proxies, Proxy};
pub use resolve::{Resolve, Resolving};

use super::connect_error::ConnectError;
#[cfg(feature = "proxy")]
use super::origin::Forward;
use super::origin::{Connector, Origin};
use super::stage::Stage;
#[cfg(feature = "proxy")]
use crate::clock;
use crate::io::Runtime;
#[cfg(feature = "proxy")]
use crate::io::Timer;
#[cfg(feature = "proxy")]
use proxy::{Kind, Place};
use secure::{Near, Secure, Stream};
use sockets::Sockets;

/// Connects over sockets that `D` opens. The adapters name it for their runtime.
///
/// A name is resolved, its addresses are raced (RFC 8305), and where a proxy is set, it is asked for the way. How long
/// all of that may take is `Policy::connect_timeout`.
///
/// ```
/// use std::time::Duration;
/// use http_driver::client::{Dial, Network, SocketOptions};
/// use http_driver::Runtime;
///
/// fn network<D: Dial, R: Runtime>(dial: D, runtime: R) -> Network<D, R> {
///     let mut options = SocketOptions::default();
///     options.keepalive = Some(Duration::from_secs(60));
///     Network::new(dial, runtime)
///         .socket(options)
///         .resolve("example.com", [([127, 0, 0, 1], 0).into()])
///         .attempt_delay(Duration::from_millis(100))
/// }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Network<D, R> {
    dial: D,
    runtime: R,
    settings: Arc<Settings>,
}

#[derive(Clone, Default)]
struct Settings {
    sockets: Sockets,
    secure: Secure,
    #[cfg(feature = "proxy")]
    proxies: Proxies,
    /// The client's, for what is spoken to proxies.
    config: Arc<Config>,
}

impl<D: Dial, R: Runtime> Network<D, R> {
    /// With the system's resolver, and without a proxy.
    pub fn new(dial: D, runtime: R) -> Self {
        Self { dial, runtime, settings: Arc::default() }
    }

    /// The options of the sockets: the address and the interface that they are bound to, `TCP_NODELAY`, keep-alive,
    /// buffers. Those that were set before are replaced.
    pub fn socket(mut self, options: SocketOptions) -> Self {
        self.edit().sockets.options = options;
        self
    }

    /// The addresses of a name, whatever the resolver says. A port of 0 is that of the origin.
    pub fn resolve(mut self, host: &str, addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.edit().sockets.overrides.insert(host.to_ascii_lowercase(), addresses.into_iter().collect());
        self
    }

    /// Reaches a name over a Unix socket, and through no proxy; its origins are `http://name`, on any port.
    pub fn unix(mut self, host: &str, path: impl Into<PathBuf>) -> Self {
        self.edit().sockets.paths.insert(host.to_ascii_lowercase(), path.into());
        self
    }

    /// What resolves names in place of the system.
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.edit().sockets.resolver = Some(Arc::new(resolver));
        self
    }

    /// The proxies, and what is reached without them. Default: none; [`Proxies::from_env`] has those of the
    /// environment.
    ///
    /// ```
    /// use http_driver::client::{BadProxy, Dial, Network, Proxies};
    /// use http_driver::Runtime;
    ///
    /// fn as_the_environment_says<D: Dial, R: Runtime>(network: Network<D, R>) -> Result<Network<D, R>, BadProxy> {
    ///     Ok(network.proxies(Proxies::from_env()?))
    /// }
    /// ```
    #[cfg(feature = "proxy")]
    #[cfg_attr(docsrs, doc(cfg(feature = "proxy")))]
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.edit().proxies = proxies;
        self
    }

    /// What proxies are spoken to with whose URL says `https`. Default: as [`tls`](Self::tls), the client's own
    /// certificate included.
    #[cfg(all(feature = "proxy", feature = "tls"))]
    #[cfg_attr(docsrs, doc(cfg(all(feature = "proxy", feature = "tls"))))]
    pub fn proxy_tls(mut self, config: ClientConfig) -> Self {
        self.edit().secure.set_for_proxies(config);
        self
    }

    /// What `https` origins are reached with: roots, a certificate of the client's own. HTTP/1.1 is what it asks
    /// for by ALPN, whatever it says. Default: the roots that the features of this crate bring along; without one
    /// of them `https` fails.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, config: ClientConfig) -> Self {
        self.edit().secure.set(config);
        self
    }

    /// How long the handshake of TLS may take. Default 10 s.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls_timeout(mut self, most: Duration) -> Self {
        self.edit().secure.timeout = most;
        self
    }

    /// How long an attempt on one address of a name goes on alone before the next one joins it (RFC 8305 §5). Default
    /// 250 ms.
    pub fn attempt_delay(mut self, delay: Duration) -> Self {
        self.edit().sockets.attempt_delay = delay;
        self
    }

    /// The proxy for an origin, if it has one. A Unix socket is where a host is, so no proxy can find the way to it.
    #[cfg(feature = "proxy")]
    fn proxy_of(&self, origin: &Origin) -> Option<&Proxy> {
        let is_here = self.settings.sockets.paths.contains_key(origin.host());
        self.settings.proxies.proxy_of(origin).filter(|_| !is_here)
    }

    fn edit(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings)
    }
}

impl<D, R> Network<D, R>
where
    D: Dial,
    R: Runtime + Send + Sync,
    R::Timer: Send,
{
    /// A transport to a host, without a proxy and in plain.
    async fn reach(&self, host: &str, port: u16, stage: &Stage) -> Result<D::Transport, ConnectError> {
        self.settings.sockets.reach(&self.dial, &self.runtime, (host, port), stage).await
    }

    /// A transport to an origin, or to the proxy that forwards what is for it.
    #[cfg(not(feature = "proxy"))]
    async fn near(&self, origin: &Origin, stage: &Stage) -> Result<Near<D::Transport>, ConnectError> {
        Ok(secure::near(self.reach(origin.host(), origin.port(), stage).await?))
    }

    /// A transport to an origin, or to the proxy that forwards what is for it.
    #[cfg(feature = "proxy")]
    async fn near(&self, origin: &Origin, stage: &Stage) -> Result<Near<D::Transport>, ConnectError> {
        let Some(proxy) = self.proxy_of(origin) else {
            return Ok(secure::near(self.reach(origin.host(), origin.port(), stage).await?));
        };
        match proxy.kind() {
            Kind::Http | Kind::Https if origin.scheme() == "http" => self.to_proxy(proxy, stage).await,
            Kind::Http | Kind::Https => {
                let (transport, runtime) = (self.to_proxy(proxy, stage).await?, self.runtime.clone());
                stage.enter(RequestPhase::Proxy);
                proxy::tunnel(transport, runtime, origin, proxy, &self.settings.config).await
            }
            Kind::Socks5 { names } => {
                let (host, port) = (origin.host(), origin.port());
                match sockets::said(host, port)? {
                    None if names => self.by_socks(proxy, Place::Name(host, port), stage).await,
                    _ => {
                        let mut failed = ConnectError::from(ConnectCause::NoSuchName);
                        stage.enter(RequestPhase::Resolve);
                        let addresses = self.settings.sockets.addresses(&self.dial, host, port, stage).await?;
                        // One after the other: what the proxy makes of them is not known before it has answered.
                        for address in eyeballs::order(addresses) {
                            match self.by_socks(proxy, Place::Address(address), stage).await {
                                Err(error) if is_of_the_address(error.cause()) => failed = error,
                                done => return done,
                            }
                        }
                        Err(failed)
                    }
                }
            }
        }
    }

    #[cfg(feature = "proxy")]
    async fn to_proxy(&self, proxy: &Proxy, stage: &Stage) -> Result<Near<D::Transport>, ConnectError> {
        let transport = self.reach(proxy.host(), proxy.port(), stage).await?;
        match proxy.kind() {
            Kind::Https => {
                stage.enter(RequestPhase::Tls);
                self.settings.secure.secured_proxy(transport, proxy.host(), &self.runtime).await
            }
            _ => Ok(secure::near(transport)),
        }
    }

    /// What a SOCKS proxy connects to is an origin from then on. Its answers may take as long as a head.
    #[cfg(feature = "proxy")]
    async fn by_socks(
        &self,
        proxy: &Proxy,
        place: Place<'_>,
        stage: &Stage,
    ) -> Result<Near<D::Transport>, ConnectError> {
        let transport = self.to_proxy(proxy, stage).await?;
        stage.enter(RequestPhase::Proxy);
        let mut timer = clock::timer(&self.runtime, self.settings.config.timeouts.head);
        let mut connecting = core::pin::pin!(proxy::connected(transport, place, proxy.login()));
        poll_fn(|cx| match connecting.as_mut().poll(cx) {
            Poll::Pending => timer.poll(cx).map(|()| Err(ConnectError::late(Some(RequestPhase::Proxy)))),
            done => done,
        })
        .await
    }
}

/// What another address of the same name may be spared.
#[cfg(feature = "proxy")]
const fn is_of_the_address(cause: ConnectCause) -> bool {
    matches!(cause, ConnectCause::Unreachable | ConnectCause::Refused)
}

impl<D, R> Connector for Network<D, R>
where
    D: Dial,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    type Transport = Stream<D::Transport>;

    async fn connect(&self, origin: &Origin) -> Result<Self::Transport, ConnectError> {
        self.connect_in_stages(origin, &Stage::default()).await
    }

    async fn connect_in_stages(&self, origin: &Origin, stage: &Stage) -> Result<Self::Transport, ConnectError> {
        let transport = self.near(origin, stage).await?;
        match origin.scheme() {
            "https" => {
                stage.enter(RequestPhase::Tls);
                self.settings.secure.secured(transport, origin.host(), &self.runtime).await
            }
            _ => Ok(secure::plain(transport)),
        }
    }

    fn check(&self, origin: &Origin) -> Result<(), ConnectError> {
        #[cfg(feature = "proxy")]
        if let Some(proxy) = self.proxy_of(origin).filter(|proxy| proxy.kind() == Kind::Https) {
            self.settings.secure.check_proxy(proxy.host())?;
        }
        match origin.scheme() {
            "https" => self.settings.secure.check(origin.host()),
            _ => Ok(()),
        }
    }

    #[cfg(feature = "proxy")]
    fn forward(&self, origin: &Origin) -> Option<Forward> {
        let proxy = self.proxy_of(origin).filter(|_| origin.scheme() == "http")?;
        matches!(proxy.kind(), Kind::Http | Kind::Https).then(|| proxy.forward())
    }

    #[cfg(feature = "proxy")]
    fn forwards(&self) -> bool {
        !self.settings.proxies.is_none()
    }

    #[cfg(not(feature = "proxy"))]
    fn forwards(&self) -> bool {
        false
    }

    fn configure(&mut self, config: &Arc<Config>) {
        self.edit().config = config.clone();
    }
}

impl<D, R> fmt::Debug for Network<D, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { sockets, .. } = &*self.settings;
        let mut debug = f.debug_struct("Network");
        debug.field("options", &sockets.options).field("overrides", &sockets.overrides).field("paths", &sockets.paths);
        #[cfg(feature = "proxy")]
        debug.field("proxies", &self.settings.proxies);
        debug.field("attempt_delay", &sockets.attempt_delay).finish_non_exhaustive()
    }
}
