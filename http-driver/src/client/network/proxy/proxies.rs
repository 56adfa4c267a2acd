//! Which origins are reached through which proxy.

use super::bypass::Bypass;
use super::url::{BadProxy, Proxy};
use crate::client::origin::Origin;

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

    /// One for `https` origins.
    pub fn https(mut self, proxy: Proxy) -> Self {
        self.https = Some(proxy);
        self
    }

    /// What is reached without a proxy.
    pub fn bypass(mut self, bypass: Bypass) -> Self {
        self.bypass = bypass;
        self
    }

    /// Those of the environment, the first that is there and not empty:
    ///
    /// | for | variables |
    /// |---|---|
    /// | `http` origins | `http_proxy`, `HTTP_PROXY`, `all_proxy`, `ALL_PROXY` |
    /// | `https` origins | `https_proxy`, `HTTPS_PROXY`, `all_proxy`, `ALL_PROXY` |
    /// | what is reached without | `no_proxy`, `NO_PROXY`: see [`Bypass`] |
    ///
    /// Where `REQUEST_METHOD` is set, `HTTP_PROXY` is not looked at: to a CGI program it is the field `Proxy` of
    /// whoever sent the request (RFC 3875 §4.1.18).
    ///
    /// # Errors
    /// One of them cannot be used: see [`BadProxy::variable`]. Without it, what was to go through it would go by
    /// another way, and nobody would know.
    pub fn from_env() -> Result<Self, BadProxy> {
        // What is no Unicode is no URL either, but it is there.
        Self::from_vars(|name| Some(std::env::var_os(name)?.to_string_lossy().into_owned()))
    }

    fn from_vars(var: impl Fn(&str) -> Option<String>) -> Result<Self, BadProxy> {
        let is_cgi = var("REQUEST_METHOD").is_some();
        let first = |names: &[&'static str]| {
            let mut names = names.iter().filter(|name| !(is_cgi && **name == "HTTP_PROXY"));
            names.find_map(|name| Some((*name, var(name).filter(|value| !value.trim().is_empty())?)))
        };
        let proxy = |names: &[&'static str]| {
            let found = first(names).map(|(name, value)| value.parse::<Proxy>().map_err(|error| error.of(name)));
            found.transpose()
        };
        Ok(Self {
            http: proxy(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])?,
            https: proxy(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?,
            bypass: first(&["no_proxy", "NO_PROXY"]).map_or_else(Bypass::default, |(_, text)| Bypass::parse(&text)),
        })
    }

    /// Whether there is none for any origin.
    pub(in crate::client) const fn is_none(&self) -> bool {
        self.http.is_none() && self.https.is_none()
    }

    /// The proxy for an origin, if it has one.
    #[must_use]
    pub fn proxy_of(&self, origin: &Origin) -> Option<&Proxy> {
        let proxy = if origin.scheme() == "https" { &self.https } else { &self.http };
        proxy.as_ref().filter(|_| !self.bypass.matches(origin.host(), origin.port()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environments_proxies() {
        let of = |vars: &[(&str, &str)], uri: &str| {
            let var = |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
            let origin = Origin::of(&uri.parse().unwrap()).unwrap();
            let proxies = Proxies::from_vars(var).map_err(|error| error.variable().unwrap())?;
            Ok(proxies.proxy_of(&origin).map(|proxy| proxy.host().to_owned()))
        };
        let some = |host: &str| Ok(Some(host.to_owned()));
        for (vars, uri, expected) in [
            (&[("http_proxy", "p")][..], "http://a", some("p")),
            (&[("HTTP_PROXY", "p"), ("REQUEST_METHOD", "GET")], "http://a", Ok(None)),
            (&[("HTTP_PROXY", "ftp://p"), ("REQUEST_METHOD", "GET")], "http://a", Ok(None)),
            (&[("HTTP_PROXY", "p"), ("REQUEST_METHOD", "GET"), ("ALL_PROXY", "q")], "http://a", some("q")),
            (&[("HTTP_PROXY", "p")], "http://a", some("p")),
            (&[("HTTP_PROXY", "p"), ("http_proxy", "q")], "http://a", some("q")),
            (&[("http_proxy", "p")], "https://a", Ok(None)),
            (&[("HTTPS_PROXY", "p")], "https://a", some("p")),
            (&[("ALL_PROXY", "p"), ("NO_PROXY", "a")], "https://a", Ok(None)),
            (&[("ALL_PROXY", "p"), ("http_proxy", "")], "http://a", some("p")),
            (&[("ALL_PROXY", "p"), ("http_proxy", "  ")], "http://a", some("p")),
            // C16.
            (&[("https_proxy", " http://p:1")], "https://a", some("p")),
            (&[("https_proxy", "socks5://p")], "https://a", some("p")),
            (&[("https_proxy", "ftp://p")], "https://a", Err("https_proxy")),
            (&[("https_proxy", "ftp://p")], "http://a", Err("https_proxy")),
            (&[("http_proxy", "p:99999"), ("all_proxy", "q")], "http://a", Err("http_proxy")),
            (&[("ALL_PROXY", "http://u:p/w@h:1")], "https://a", Err("ALL_PROXY")),
            (&[("http_proxy", "\u{fffd}")], "http://a", Err("http_proxy")),
        ] {
            assert_eq!(of(vars, uri), expected, "{vars:?} {uri}");
        }
    }
}
