//! Where requests go, and how to get there.

use core::cmp::Ordering;
use core::fmt;
use core::future::Future;

use super::connect_error::ConnectError;
use crate::io::Transport;
use http::Uri;

/// What connections are made to and shared by: scheme, host and port.
///
/// ```
/// let origin = http_driver::client::Origin::of(&"http://Example.com/a".parse().unwrap()).unwrap();
/// assert_eq!((origin.scheme(), origin.host(), origin.port()), ("http", "example.com", 80));
/// assert_eq!(origin.to_string(), "http://example.com:80");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

/// The same, as it stands in a URI.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    scheme: &'a str,
    host: &'a str,
    port: u16,
}

impl<'a> Place<'a> {
    /// `None` if a URI has no scheme, no host, or a scheme without a known port and no port.
    pub(super) fn of(uri: &'a Uri) -> Option<Self> {
        let scheme = uri.scheme_str()?;
        let port = match (uri.port_u16(), scheme) {
            (Some(port), _) => port,
            (None, "http") => 80,
            (None, "https") => 443,
            (None, _) => return None,
        };
        let host = uri.host().filter(|host| !host.is_empty())?;
        Some(Self { scheme, host, port })
    }

    /// Where a request goes: the origin of its URI, but for a `CONNECT`, whose URI is the authority that it asks for.
    /// It goes to that itself, in plain, unless a proxy is configured.
    pub(super) fn of_request(method: &http::Method, uri: &'a Uri) -> Option<Self> {
        if *method != http::Method::CONNECT || uri.scheme().is_some() {
            return Self::of(uri);
        }
        let host = uri.host().filter(|host| !host.is_empty())?;
        Some(Self { scheme: "http", host, port: uri.port_u16()? })
    }

    pub(super) fn to_origin(self) -> Origin {
        let Self { scheme, host, port } = self;
        Origin { scheme: scheme.to_ascii_lowercase(), host: host.to_ascii_lowercase(), port }
    }
}

impl Origin {
    /// The origin of a URI; `None` if it has no scheme, no host, or a scheme without a known port and no port.
    #[must_use]
    pub fn of(uri: &Uri) -> Option<Self> {
        Place::of(uri).map(Place::to_origin)
    }

    /// By host, port and scheme, whose letters may be upper or lower ones in `place`.
    pub(super) fn cmp_to(&self, place: Place<'_>) -> Ordering {
        let cmp = |ours: &str, theirs: &str| ours.bytes().cmp(theirs.bytes().map(|byte| byte.to_ascii_lowercase()));
        cmp(&self.host, place.host)
            .then_with(|| self.port.cmp(&place.port))
            .then_with(|| cmp(&self.scheme, place.scheme))
    }

    /// The scheme, in lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The host, in lower case; an IPv6 address has its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme, self.host, self.port)
    }
}

/// Makes transports to origins.
///
/// ```
/// use http_core::dispatch::ConnectCause;
/// use http_driver::client::{ConnectError, Connector, Origin};
/// /// Goes nowhere.
/// #[derive(Clone)]
/// struct Nowhere<T>(std::marker::PhantomData<fn() -> T>);
/// impl<T: http_driver::Transport + Send + 'static> Connector for Nowhere<T> {
///     type Transport = T;
///     async fn connect(&self, _: &Origin) -> Result<T, ConnectError> {
///         Err(ConnectCause::Unreachable.into())
///     }
/// }
/// ```
pub trait Connector: Send + Sync + 'static {
    /// What is made.
    type Transport: Transport + Send + 'static;

    /// Makes a transport. The time that it may take is the dispatcher's concern: the future is dropped then.
    ///
    /// # Errors
    /// Its cause decides whether it is tried again, see [`ConnectCause::is_transient`]; the rest is for who reads the
    /// error of a request.
    ///
    /// [`ConnectCause::is_transient`]: http_core::dispatch::ConnectCause::is_transient
    fn connect(&self, origin: &Origin) -> impl Future<Output = Result<Self::Transport, ConnectError>> + Send;

    /// Whether what is made to an origin ends at a proxy that reads the requests and forwards them: their target is
    /// then in absolute-form (RFC 9112 §3.2.2). Default: no.
    fn forward(&self, origin: &Origin) -> Option<Forward> {
        let _ = origin;
        None
    }
}

/// What requests need that a proxy forwards.
///
/// ```
/// let forward = http_driver::client::Forward { authorization: Some("Basic QTpC".to_owned()) };
/// assert!(!format!("{forward:?}").contains("QTpC"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Forward {
    /// The value of `Proxy-Authorization`.
    pub authorization: Option<String>,
}

impl fmt::Debug for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forward").field("authorization", &self.authorization.is_some()).finish()
    }
}
