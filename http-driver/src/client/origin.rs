//! Where requests go, and how to get there.

use core::cmp::Ordering;
use core::fmt;
use core::future::Future;
use std::net::Ipv6Addr;
use std::sync::Arc;

use http::Uri;
use http::uri::{Authority, Scheme};
use http_core::Config;

use super::connect_error::ConnectError;
use super::stage::Stage;
use crate::block::position;
use crate::io::Transport;

/// What connections are made to and shared by: scheme, host and port.
///
/// ```
/// let origin = http_driver::client::Origin::of(&"http://Example.com/a".parse().unwrap()).unwrap();
/// assert_eq!((origin.scheme(), origin.host(), origin.port()), ("http", "example.com", 80));
/// assert_eq!(origin.to_string(), "http://example.com:80");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    scheme: &'static str,
    host: String,
    port: u16,
}

/// The same, as it stands in a URI.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    scheme: &'static str,
    host: &'a str,
    port: u16,
}

impl<'a> Place<'a> {
    pub(super) fn of(uri: &'a Uri) -> Option<Self> {
        let (scheme, usual) = match uri.scheme()? {
            scheme if *scheme == Scheme::HTTP => ("http", 80),
            scheme if *scheme == Scheme::HTTPS => ("https", 443),
            _ => return None,
        };
        let (host, port) = host_and_port(uri.authority()?)?;
        Some(Self { scheme, host, port: port.unwrap_or(usual) })
    }

    /// Where a request goes: the origin of its URI, but for a `CONNECT`, whose URI is the authority that it asks for.
    /// It goes to that itself, in plain, unless a proxy is configured.
    pub(super) fn of_request(method: &http::Method, uri: &'a Uri) -> Option<Self> {
        if *method != http::Method::CONNECT || uri.scheme().is_some() {
            return Self::of(uri);
        }
        let (host, port) = host_and_port(uri.authority()?)?;
        Some(Self { scheme: "http", host, port: port? })
    }

    pub(super) fn to_origin(self) -> Origin {
        Origin { scheme: self.scheme, host: normal(self.host), port: self.port }
    }
}

/// Where in a URI its place stands, so that it is looked for once.
#[derive(Clone, Copy)]
pub(super) struct Spot {
    scheme: &'static str,
    /// Where the host begins in the authority, and where it ends.
    host: (usize, usize),
    port: u16,
}

impl Spot {
    /// Of a place in this URI.
    pub(super) fn of(place: Place<'_>, uri: &Uri) -> Self {
        let authority = uri.authority().map_or("", Authority::as_str);
        let at = position(authority.as_bytes(), place.host.as_bytes());
        Self { scheme: place.scheme, host: (at, at + place.host.len()), port: place.port }
    }

    /// The place again.
    pub(super) fn place(self, uri: &Uri) -> Option<Place<'_>> {
        let host = uri.authority()?.as_str().get(self.host.0..self.host.1)?;
        Some(Place { scheme: self.scheme, host, port: self.port })
    }
}

impl Origin {
    /// The origin of a URI; `None` if its scheme is neither `http` nor `https`, or it has no host, or a port that is
    /// no number up to 65535. Without a port it is that of the scheme (RFC 9110 §4.2.1, §4.2.2).
    ///
    /// ```
    /// use http_driver::client::Origin;
    /// let is_one = |uri: &str| Origin::of(&uri.parse().unwrap()).is_some();
    /// assert!(is_one("https://a:8443?b") && is_one("http://[fe80::1%25eth0]/"));
    /// assert!(!is_one("/a") && !is_one("ws://a/") && !is_one("http://a:99999/"));
    /// ```
    #[must_use]
    pub fn of(uri: &Uri) -> Option<Self> {
        Place::of(uri).map(Place::to_origin)
    }

    /// By host, port and scheme, of which there are two, one longer than the other.
    pub(super) fn cmp_to(&self, place: Place<'_>) -> Ordering {
        // Mostly it is written as it is kept.
        let by_host = match self.host == place.host {
            true => Ordering::Equal,
            false => self.host.bytes().cmp(normal_bytes(place.host)),
        };
        by_host.then_with(|| self.port.cmp(&place.port)).then_with(|| self.scheme.len().cmp(&place.scheme.len()))
    }

    /// The scheme, in lower case.
    #[must_use]
    pub const fn scheme(&self) -> &str {
        self.scheme
    }

    /// The host, in lower case; an IPv6 address has its brackets, and in them its zone, behind `%25` (RFC 6874 §2).
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

/// Host and port, without userinfo. An empty port is none (RFC 3986 §3.2.3); `None` if one of them is malformed.
pub(super) fn host_and_port(authority: &Authority) -> Option<(&str, Option<u16>)> {
    let whole = authority.as_str();
    if let Some((host, port)) = plain(whole) {
        return Some((host, Some(port)));
    }
    // By bytes: each of these signs is one, and the search for a char costs more than the whole of a host.
    let find = |text: &str, sign: u8| text.bytes().position(|byte| byte == sign);
    let place = match whole.as_bytes().contains(&b'@') {
        true => whole.rsplit_once('@').map_or(whole, |(_, place)| place),
        false => whole,
    };
    let end = match place.starts_with('[') {
        true => find(place, b']')? + 1,
        false => find(place, b':').unwrap_or(place.len()),
    };
    let (host, rest) = place.split_at(end);
    let port = match rest.as_bytes() {
        [] | [b':'] => None,
        [b':', digits @ ..] => Some(decimal(digits)?),
        _ => return None,
    };
    let is_host = match host.strip_prefix('[') {
        Some(address) => literal(address.strip_suffix(']')?).is_some(),
        None => !host.is_empty(),
    };
    is_host.then_some((host, port))
}

/// A host with its port, if nothing stands before it or around it, in one pass.
fn plain(whole: &str) -> Option<(&str, u16)> {
    let end = whole.bytes().position(|byte| matches!(byte, b':' | b'@' | b'['))?;
    let (host, rest) = whole.split_at(end);
    // Neither the rest of a userinfo nor that of an address is digits alone.
    let [b':', digits @ ..] = rest.as_bytes() else { return None };
    let port = decimal(digits).filter(|_| !digits.is_empty() && !host.is_empty())?;
    Some((host, port))
}

/// Digits alone, and no more than a port may be; the library's own would take a sign.
fn decimal(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0_u16, |number, digit| {
        let value = digit.wrapping_sub(b'0');
        if value > 9 { None } else { number.checked_mul(10)?.checked_add(value.into()) }
    })
}

/// What stands between the brackets of a host: an IPv6 address, and its zone (RFC 6874 §2). A zone may stand behind a
/// bare `%` as well, as the system writes it.
pub(super) fn literal(text: &str) -> Option<(Ipv6Addr, Option<&str>)> {
    let Some((address, zone)) = text.split_once('%') else { return Some((text.parse().ok()?, None)) };
    let zone = zone.strip_prefix("25").unwrap_or(zone);
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (!zone.is_empty() && zone.bytes().all(is_unreserved)).then_some((address.parse().ok()?, Some(zone)))
}

/// What [`normal`] makes.
fn normal_bytes(host: &str) -> impl Iterator<Item = u8> + '_ {
    let zone = host.find('%').unwrap_or(host.len());
    host.bytes().enumerate().map(move |(at, byte)| if at < zone { byte.to_ascii_lowercase() } else { byte })
}

/// In lower case, but for a zone, which is the name of an interface and may have capitals.
pub(super) fn normal(host: &str) -> String {
    let zone = host.find('%').unwrap_or(host.len());
    let mut host = host.to_owned();
    host[..zone].make_ascii_lowercase();
    host
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not connect a client to its origins",
    note = "it has to be a `Network`, as the adapter's `network()` is, or implement `Connector`"
)]
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

    /// The same, and says on the way how far it is, so that a time-out can name what was being done. This is what the
    /// client calls. Default: nothing is said.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    fn connect_in_stages(
        &self,
        origin: &Origin,
        stage: &Stage,
    ) -> impl Future<Output = Result<Self::Transport, ConnectError>> + Send {
        let _ = stage;
        self.connect(origin)
    }

    /// Whether transports to this origin can be made as far as settings go: what is missing is known without trying,
    /// and no attempt would mend it. Default: nothing is known to be missing.
    ///
    /// # Errors
    /// What [`connect`](Self::connect) would end with.
    fn check(&self, origin: &Origin) -> Result<(), ConnectError> {
        let _ = origin;
        Ok(())
    }

    /// Told once, when the client is built: what it is configured with. For those that speak HTTP on their way, to a
    /// proxy say, so that its answers are read as all others. Default: nothing is made of it.
    fn configure(&mut self, config: &Arc<Config>) {
        let _ = config;
    }

    /// Whether what is made to an origin ends at a proxy that reads the requests and forwards them: their target is
    /// then in absolute-form (RFC 9112 §3.2.2). Default: no.
    fn forward(&self, origin: &Origin) -> Option<Forward> {
        let _ = origin;
        None
    }

    /// Whether [`forward`](Self::forward) may have an answer for any origin: where it has none, it is not asked, and
    /// no origin is made for each request to ask it with. Default: yes.
    fn forwards(&self) -> bool {
        true
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c14_c17_c25_c35_uris_by_the_origin_that_they_name() {
        for (section, uri, expected) in [
            ("RFC 9110 §4.2.1", "http://a", Some("http://a:80")),
            ("RFC 9110 §4.2.2", "HTTPS://A/b", Some("https://a:443")),
            ("RFC 9112 §3.2.1", "http://a?x=1", Some("http://a:80")),
            ("RFC 3986 §3.2.3", "http://a:/", Some("http://a:80")),
            ("RFC 3986 §3.2.3", "http://a:081/", Some("http://a:81")),
            ("RFC 3986 §3.2.3", "http://a:65535/", Some("http://a:65535")),
            ("RFC 3986 §3.2.3", "http://a:65536/", None),
            ("RFC 3986 §3.2.3", "http://a:99999/", None),
            ("RFC 3986 §3.2.3", "http://a:123foo/", None),
            ("RFC 3986 §3.2.3", "http://a:+80/", None),
            ("RFC 3986 §3.2.3", "http://u:p/w@a:1", None),
            ("RFC 3986 §3.2.1", "http://u:p@a:1", Some("http://a:1")),
            ("RFC 3986 §3.2.1", "http://u:1@a", Some("http://a:80")),
            ("RFC 3986 §3.2.2", "http://[::1]", Some("http://[::1]:80")),
            ("RFC 3986 §3.2.2", "http://[::1]:81", Some("http://[::1]:81")),
            ("RFC 3986 §3.2.2", "http://[FE80::A]:81", Some("http://[fe80::a]:81")),
            ("RFC 3986 §3.2.2", "http://[a]/", None),
            ("RFC 6874 §2", "http://[FE80::1%25En0]/", Some("http://[fe80::1%25En0]:80")),
            ("RFC 6874 §2", "http://[fe80::1%25en0]:81/", Some("http://[fe80::1%25en0]:81")),
            ("RFC 6874 §2", "http://[fe80::1%25]/", None),
            ("RFC 9110 §4.2.1", "http://:80/", None),
            ("RFC 9110 §4.2.1", "http://u@/", None),
            ("RFC 9110 §4.2", "ftp://h:21/", None),
            ("RFC 9110 §4.2", "ws://h:80/", None),
            ("RFC 9110 §4.2", "//h:80/", None),
            ("RFC 9110 §4.2", "/a", None),
            ("RFC 9110 §4.2", "h:80", None),
        ] {
            // What is no URI at all does not come as far as that.
            let told = uri.parse().ok().and_then(|uri| Origin::of(&uri)).map(|origin| origin.to_string());
            assert_eq!(told.as_deref(), expected, "{section}: {uri}");
        }
    }

    #[test]
    fn a_tunnel_is_asked_for_by_authority() {
        let of = |uri: &str| {
            Place::of_request(&http::Method::CONNECT, &uri.parse().unwrap()).map(|o| o.to_origin().to_string())
        };
        assert_eq!(of("A:22").as_deref(), Some("http://a:22"));
        assert_eq!(of("https://a").as_deref(), Some("https://a:443"));
        assert_eq!((of("a"), of("a:99999"), of("ftp://a:21")), (None, None, None));
    }
}
