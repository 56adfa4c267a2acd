//! How clients reach their origins over sockets: names, addresses, proxies. The same on every runtime.

mod dial;
mod eyeballs;
mod forward;
mod proxy;
mod resolve;
mod secure;

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use http_core::dispatch::ConnectCause;

pub use dial::{Address, Dial, SocketOptions};
pub use proxy::{BadProxy, Bypass, Proxies, Proxy};
pub use resolve::{Resolve, Resolving};

use super::connect_error::ConnectError;
use super::origin::{Connector, Forward, Origin};
use crate::io::Runtime;

/// Connects over sockets that `D` opens. The adapters name it for their runtime.
///
/// A name is resolved, its addresses are raced (RFC 8305), and where a proxy is set, it is asked for the way. How long
/// all of that may take is `Policy::connect_timeout`.
///
/// ```
/// use std::time::Duration;
/// use http_driver::client::{Dial, Network, Proxies, SocketOptions};
/// use http_driver::Runtime;
///
/// fn network<D: Dial, R: Runtime>(dial: D, runtime: R) -> Network<D, R> {
///     let mut options = SocketOptions::default();
///     options.keepalive = Some(Duration::from_secs(60));
///     Network::new(dial, runtime)
///         .socket(options)
///         .resolve("example.com", [([127, 0, 0, 1], 0).into()])
///         .attempt_delay(Duration::from_millis(100))
///         .proxies(Proxies::from_env())
/// }
/// ```
#[derive(Clone)]
#[must_use]
pub struct Network<D, R> {
    dial: D,
    runtime: R,
    settings: Arc<Settings>,
}

#[derive(Clone)]
struct Settings {
    options: SocketOptions,
    overrides: BTreeMap<String, Vec<SocketAddr>>,
    paths: BTreeMap<String, PathBuf>,
    resolver: Option<Arc<dyn Resolve>>,
    proxies: Proxies,
    attempt_delay: Duration,
    secure: secure::Secure,
}

impl<D: Dial, R: Runtime> Network<D, R> {
    /// With the system's resolver, and without a proxy.
    pub fn new(dial: D, runtime: R) -> Self {
        let settings = Settings {
            options: SocketOptions::default(),
            overrides: BTreeMap::new(),
            paths: BTreeMap::new(),
            resolver: None,
            proxies: Proxies::none(),
            attempt_delay: Duration::from_millis(250),
            secure: Default::default(),
        };
        Self { dial, runtime, settings: Arc::new(settings) }
    }

    /// The options of the sockets: the address and the interface that they are bound to, `TCP_NODELAY`, keep-alive,
    /// buffers. Those that were set before are replaced.
    pub fn socket(mut self, options: SocketOptions) -> Self {
        self.edit().options = options;
        self
    }

    /// The addresses of a name, whatever the resolver says. A port of 0 is that of the origin.
    pub fn resolve(mut self, host: &str, addresses: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.edit().overrides.insert(host.to_ascii_lowercase(), addresses.into_iter().collect());
        self
    }

    /// Reaches a name over a Unix socket; its origins are `http://name`, on any port.
    pub fn unix(mut self, host: &str, path: impl Into<PathBuf>) -> Self {
        self.edit().paths.insert(host.to_ascii_lowercase(), path.into());
        self
    }

    /// What resolves names in place of the system.
    pub fn resolver(mut self, resolver: impl Resolve) -> Self {
        self.edit().resolver = Some(Arc::new(resolver));
        self
    }

    /// The proxies, and what is reached without them. Default: none; [`Proxies::from_env`] has those of the
    /// environment.
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.edit().proxies = proxies;
        self
    }

    /// How long an attempt on one address of a name goes on alone before the next one joins it (RFC 8305 §5). Default
    /// 250 ms.
    pub fn attempt_delay(mut self, delay: Duration) -> Self {
        self.edit().attempt_delay = delay;
        self
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
    async fn reach(&self, host: &str, port: u16) -> Result<D::Transport, ConnectError> {
        let settings = &self.settings;
        if let Some(path) = settings.paths.get(host) {
            return Ok(self.dial.dial(Address::Unix(path.clone()), &settings.options).await?);
        }
        let addresses = self.addresses(host, port).await?;
        let attempt = |address| self.dial.dial(Address::Tcp(address), &settings.options);
        Ok(eyeballs::race(eyeballs::order(addresses), settings.attempt_delay, &self.runtime, attempt).await?)
    }

    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
        if let Some(addresses) = self.settings.overrides.get(host) {
            let with_port = |address: &SocketAddr| match address.port() {
                0 => SocketAddr::new(address.ip(), port),
                _ => *address,
            };
            if addresses.is_empty() {
                return Err(ConnectError::misconfigured("no address was given for this name: see `Network::resolve`"));
            }
            return Ok(addresses.iter().map(with_port).collect());
        }
        if let Ok(address) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let resolved = match &self.settings.resolver {
            Some(resolver) => resolver.resolve(host).await,
            None => self.dial.resolve(host).await,
        };
        match resolved {
            Ok(addresses) if addresses.is_empty() => Err(ConnectCause::NoSuchName.into()),
            Ok(addresses) => Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect()),
            Err(error) => Err(ConnectError::new(resolve::cause(&error), error)),
        }
    }
}

impl<D, R> Connector for Network<D, R>
where
    D: Dial,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    type Transport = secure::Stream<D::Transport>;

    async fn connect(&self, origin: &Origin) -> Result<Self::Transport, ConnectError> {
        let secure = match origin.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(ConnectError::misconfigured("the scheme is neither http nor https")),
        };
        let transport = match self.settings.proxies.proxy_of(origin) {
            None => self.reach(origin.host(), origin.port()).await?,
            Some(proxy) => {
                let transport = self.reach(proxy.host(), proxy.port()).await?;
                if secure { forward::tunnel(transport, self.runtime.clone(), origin, proxy).await? } else { transport }
            }
        };
        if secure { self.secure(transport, origin).await } else { Ok(secure::plain(transport)) }
    }

    fn forward(&self, origin: &Origin) -> Option<Forward> {
        let plain = origin.scheme() == "http";
        self.settings.proxies.proxy_of(origin).filter(|_| plain).map(Proxy::forward)
    }
}

impl<D, R> fmt::Debug for Network<D, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("options", &self.settings.options)
            .field("overrides", &self.settings.overrides)
            .field("paths", &self.settings.paths)
            .field("proxies", &self.settings.proxies)
            .field("attempt_delay", &self.settings.attempt_delay)
            .finish_non_exhaustive()
    }
}
