//! Proxies, and what is reached without them.

use core::fmt;
use std::net::IpAddr;

use http::Uri;

use crate::client::origin::{Forward, Origin};

/// An HTTP proxy.
///
/// ```
/// use http_driver::client::Proxy;
/// let proxy: Proxy = "http://user:secret@proxy.example:3128".parse().unwrap();
/// assert_eq!((proxy.host(), proxy.port()), ("proxy.example", 3128));
/// assert!(!format!("{proxy:?}").contains("secret"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    host: String,
    port: u16,
    /// The value of `Proxy-Authorization`.
    authorization: Option<String>,
}

impl Proxy {
    /// The host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// With a name and a password (RFC 7617).
    #[must_use]
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        self.authorization = Some(format!("Basic {}", base64(format!("{user}:{password}").as_bytes())));
        self
    }

    /// With any other value of `Proxy-Authorization`.
    #[must_use]
    pub fn authorize(mut self, value: impl Into<String>) -> Self {
        self.authorization = Some(value.into());
        self
    }

    pub(super) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    pub(super) fn forward(&self) -> Forward {
        Forward { authorization: self.authorization.clone() }
    }
}

/// Reads a URL as environments have them: with or without `http://`, with a name and a password or not. Without a port
/// it is 80. Proxies that are reached over TLS, or speak SOCKS, are none of these.
impl core::str::FromStr for Proxy {
    type Err = BadProxy;

    fn from_str(text: &str) -> Result<Self, BadProxy> {
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = full.parse().map_err(|_| BadProxy)?;
        let host = uri.host().filter(|host| !host.is_empty() && uri.scheme_str() == Some("http")).ok_or(BadProxy)?;
        let proxy = Self { host: host.to_ascii_lowercase(), port: uri.port_u16().unwrap_or(80), authorization: None };
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        Ok(match authority.rsplit_once('@').map(|(user, _)| user.split_once(':').unwrap_or((user, ""))) {
            Some((user, password)) => proxy.basic_auth(&decoded(user), &decoded(password)),
            None => proxy,
        })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What authorizes is nobody's business.
        write!(f, "Proxy({}:{})", self.host, self.port)
    }
}

/// What was given is no proxy's URL.
///
/// ```
/// assert!("socks5://a".parse::<http_driver::client::Proxy>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadProxy;

impl fmt::Display for BadProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the URL of an HTTP proxy")
    }
}

impl core::error::Error for BadProxy {}

/// Which origins are reached through which proxy.
///
/// ```
/// use http_driver::client::{Bypass, Origin, Proxies};
/// let proxies = Proxies::all("proxy.example:3128".parse()?).bypass(Bypass::parse("localhost, .internal"));
/// let proxied = |uri: &str| proxies.proxy_of(&Origin::of(&uri.parse().unwrap()).unwrap()).is_some();
/// assert!(proxied("http://example.com") && !proxied("http://a.internal") && !proxied("https://localhost:8443"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    bypass: Bypass,
}

impl Proxies {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// One for everything.
    pub fn all(proxy: Proxy) -> Self {
        Self { http: Some(proxy.clone()), https: Some(proxy), bypass: Bypass::default() }
    }

    /// One for `http` origins.
    pub fn http(mut self, proxy: Proxy) -> Self {
        self.http = Some(proxy);
        self
    }

    /// One for `https` origins, which is asked for tunnels.
    pub fn https(mut self, proxy: Proxy) -> Self {
        self.https = Some(proxy);
        self
    }

    /// What is reached without a proxy.
    pub fn bypass(mut self, bypass: Bypass) -> Self {
        self.bypass = bypass;
        self
    }

    /// Those of the environment: `http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`, and in capitals all but the
    /// first, which a CGI program's client could set as its field `Proxy`. What makes no sense counts as not set.
    pub fn from_env() -> Self {
        Self::from_vars(|name| std::env::var(name).ok())
    }

    fn from_vars(var: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| var(name).filter(|value| !value.is_empty()));
        let proxy = |names: &[&str]| first(names).and_then(|value| value.parse().ok());
        Self {
            http: proxy(&["http_proxy", "all_proxy", "ALL_PROXY"]),
            https: proxy(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]),
            bypass: Bypass::parse(&first(&["no_proxy", "NO_PROXY"]).unwrap_or_default()),
        }
    }

    /// The proxy for an origin, if it has one.
    #[must_use]
    pub fn proxy_of(&self, origin: &Origin) -> Option<&Proxy> {
        let proxy = if origin.scheme() == "https" { &self.https } else { &self.http };
        proxy.as_ref().filter(|_| !self.bypass.matches(origin.host(), origin.port()))
    }
}

/// What is reached without a proxy: the entries of `NO_PROXY`.
///
/// An entry is a name, which covers what is below it as well; an address; a network as `10.0.0.0/8`; each but the last
/// with or without a port; or `*`, which is everything.
///
/// ```
/// let bypass = http_driver::client::Bypass::parse("example.com,10.0.0.0/8,[::1]:8080");
/// assert!(bypass.matches("www.example.com", 80) && bypass.matches("10.1.2.3", 80) && bypass.matches("[::1]", 8080));
/// assert!(!bypass.matches("notexample.com", 80) && !bypass.matches("[::1]", 80));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bypass(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    All,
    Name(String, Option<u16>),
    Address(IpAddr, Option<u16>),
    Network(IpAddr, u8),
}

impl Bypass {
    /// Reads entries between commas; what makes no sense covers nothing.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).filter_map(Entry::parse).collect())
    }

    /// Whether a host is covered; an IPv6 address may have its brackets.
    #[must_use]
    pub fn matches(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let address = unbracketed(&host).parse::<IpAddr>().ok();
        let on = |at: &Option<u16>| at.is_none_or(|at| at == port);
        self.0.iter().any(|entry| match entry {
            Entry::All => true,
            Entry::Address(one, at) => address == Some(*one) && on(at),
            Entry::Network(network, bits) => address.is_some_and(|address| is_within(address, *network, *bits)),
            Entry::Name(name, at) => {
                let below = host.strip_suffix(name.as_str());
                below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.')) && on(at)
            }
        })
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::All);
        }
        if let Some((network, bits)) = text.split_once('/') {
            let network: IpAddr = unbracketed(network).parse().ok()?;
            let bits = bits.parse().ok().filter(|bits| *bits <= if network.is_ipv4() { 32 } else { 128 })?;
            return Some(Self::Network(network, bits));
        }
        if let Ok(address) = unbracketed(text).parse() {
            return Some(Self::Address(address, None));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (text, None),
        };
        if let Ok(address) = unbracketed(host).parse() {
            return Some(Self::Address(address, port));
        }
        let name = host.trim_start_matches("*.").trim_matches('.').to_ascii_lowercase();
        (!name.is_empty()).then_some(Self::Name(name, port))
    }
}

fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn is_within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let same = |one: u128, other: u128, width: u32| {
        let rest = width - u32::from(bits).min(width);
        one.checked_shr(rest).unwrap_or(0) == other.checked_shr(rest).unwrap_or(0)
    };
    match (address, network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => same(u32::from(one).into(), u32::from(other).into(), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => same(one.into(), other.into(), 128),
        _ => false,
    }
}

/// Percent-decodes the part of a URL before its `@`.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |offset: usize| bytes.get(at + offset).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for piece in bytes.chunks(3) {
        let byte = |at: usize| u32::from(piece.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for sextet in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * sextet) & 63) as usize];
            out.push(if sextet <= piece.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_rfc_4648_has_it() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded, "{plain}");
        }
    }

    #[test]
    fn a_proxys_url() {
        let of = |text: &str| text.parse::<Proxy>().ok().map(|p| (p.host, p.port, p.authorization));
        assert_eq!(of("proxy"), Some(("proxy".into(), 80, None)));
        assert_eq!(of("http://Proxy:3128/"), Some(("proxy".into(), 3128, None)));
        // RFC 7617 §2.
        let aladdin = Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".to_owned());
        assert_eq!(of("http://Aladdin:open%20sesame@p:1"), Some(("p".into(), 1, aladdin)));
        assert_eq!((of("https://proxy"), of("socks5://proxy"), of("")), (None, None, None));
    }

    #[test]
    fn what_is_reached_without_a_proxy() {
        for (entries, host, port, covered) in [
            ("", "a", 80, false),
            ("*", "a", 80, true),
            ("a.b", "a.b", 80, true),
            ("a.b", "c.a.b", 80, true),
            (".a.b", "c.A.B", 80, true),
            ("*.a.b", "c.a.b.", 80, true),
            ("a.b", "ca.b", 80, false),
            ("a.b:81", "a.b", 80, false),
            ("a.b:81", "a.b", 81, true),
            ("127.0.0.1", "127.0.0.1", 80, true),
            ("127.0.0.1:81", "127.0.0.1", 80, false),
            ("::1", "[::1]", 80, true),
            ("[::1]:81", "[::1]", 81, true),
            ("10.0.0.0/8", "10.255.0.1", 80, true),
            ("10.0.0.0/8", "11.0.0.1", 80, false),
            ("10.0.0.0/33", "10.0.0.1", 80, false),
            ("fe80::/10", "[fe80::1]", 80, true),
            ("0.0.0.0/0", "1.2.3.4", 80, true),
            ("0.0.0.0/0", "[::1]", 80, false),
            ("x, y ,z", "y", 80, true),
        ] {
            assert_eq!(Bypass::parse(entries).matches(host, port), covered, "{entries} {host}:{port}");
        }
    }

    #[test]
    fn the_environments_proxies() {
        let of = |vars: &[(&str, &str)], uri: &str| {
            let var = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
            let origin = Origin::of(&uri.parse().unwrap()).unwrap();
            Proxies::from_vars(var).proxy_of(&origin).map(|proxy| proxy.host().to_owned())
        };
        assert_eq!(of(&[("http_proxy", "p")], "http://a").as_deref(), Some("p"));
        assert_eq!(of(&[("HTTP_PROXY", "p")], "http://a"), None, "a CGI program's field");
        assert_eq!(of(&[("http_proxy", "p")], "https://a"), None);
        assert_eq!(of(&[("HTTPS_PROXY", "p")], "https://a").as_deref(), Some("p"));
        assert_eq!(of(&[("ALL_PROXY", "p"), ("NO_PROXY", "a")], "https://a"), None);
        assert_eq!(of(&[("ALL_PROXY", "p"), ("http_proxy", "")], "http://a").as_deref(), Some("p"));
    }
}
