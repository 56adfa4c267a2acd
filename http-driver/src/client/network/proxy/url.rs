//! One proxy.

use core::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use percent_encoding::percent_decode_str;

use crate::client::origin::{Forward, host_and_port, normal};

/// A proxy.
///
/// | URL | what it is asked for | who resolves names | port without one |
/// |---|---|---|---|
/// | `http://` | to forward requests to `http` origins, and for tunnels to `https` ones (RFC 9110 §9.3.6) | it | 80 |
/// | `https://` | the same, and it is spoken to over TLS; with the feature `tls` alone | it | 443 |
/// | `socks5://` | for connections (RFC 1928) | the client | 1080 |
/// | `socks5h://` | for connections | it | 1080 |
///
/// ```
/// use http_driver::client::Proxy;
/// let proxy: Proxy = "http://user:secret@proxy.example:3128".parse().unwrap();
/// assert_eq!((proxy.scheme(), proxy.host(), proxy.port()), ("http", "proxy.example", 3128));
/// assert_eq!(format!("{proxy:?}"), "Proxy(http://proxy.example:3128)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    kind: Kind,
    host: String,
    port: u16,
    credentials: Credentials,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Http,
    Https,
    /// Whether names are the proxy's to resolve.
    Socks5 {
        names: bool,
    },
}

#[derive(Clone, PartialEq, Eq)]
enum Credentials {
    None,
    Login(Login),
    /// A value of `Proxy-Authorization`.
    Value(String),
}

/// Octets, as they stand in a URL: nobody knows their charset.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(super) user: Vec<u8>,
    pub(super) password: Vec<u8>,
}

impl Proxy {
    /// The scheme of its URL.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        match self.kind {
            Kind::Http => "http",
            Kind::Https => "https",
            Kind::Socks5 { names: false } => "socks5",
            Kind::Socks5 { names: true } => "socks5h",
        }
    }

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

    /// With a name and a password (RFC 7617, RFC 1929).
    #[must_use]
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        self.credentials = Credentials::Login(Login { user: user.into(), password: password.into() });
        self
    }

    /// With any other value of `Proxy-Authorization`, which a SOCKS proxy has no place for.
    #[must_use]
    pub fn authorize(mut self, value: impl Into<String>) -> Self {
        self.credentials = Credentials::Value(value.into());
        self
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) const fn login(&self) -> Option<&Login> {
        match &self.credentials {
            Credentials::Login(login) => Some(login),
            _ => None,
        }
    }

    /// The value of `Proxy-Authorization`.
    pub(super) fn authorization(&self) -> Option<String> {
        match &self.credentials {
            Credentials::None => None,
            Credentials::Login(Login { user, password }) => {
                Some(format!("Basic {}", STANDARD.encode([user, &b":"[..], password].concat())))
            }
            Credentials::Value(value) => Some(value.clone()),
        }
    }

    pub(crate) fn forward(&self) -> Forward {
        Forward { authorization: self.authorization() }
    }
}

/// Reads a URL as environments have them: with or without `http://`, with a name and a password or not, which are
/// percent-encoded.
impl core::str::FromStr for Proxy {
    type Err = BadProxy;

    fn from_str(text: &str) -> Result<Self, BadProxy> {
        let bad = |why| BadProxy { variable: None, why };
        let text = text.trim();
        // A password with one of these signs, not encoded, would end the authority, and its rest would be the host.
        if text.contains(['#', '\\']) {
            return Err(bad(Why::Url));
        }
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = full.parse().map_err(|_| bad(Why::Url))?;
        let (kind, usual) = match &*uri.scheme_str().unwrap_or_default().to_ascii_lowercase() {
            "http" => (Kind::Http, 80),
            "https" if !cfg!(feature = "tls") => return Err(bad(Why::Tls)),
            "https" => (Kind::Https, 443),
            "socks5" => (Kind::Socks5 { names: false }, 1080),
            "socks5h" => (Kind::Socks5 { names: true }, 1080),
            _ => return Err(bad(Why::Scheme)),
        };
        let authority = uri.authority().ok_or(bad(Why::Url))?;
        let (host, port) = host_and_port(authority).ok_or(bad(Why::Url))?;
        if !matches!(uri.path_and_query().map_or("", |path| path.as_str()), "" | "/") {
            return Err(bad(Why::Url));
        }
        let credentials = match authority.as_str().rsplit_once('@') {
            None | Some(("", _)) => Credentials::None,
            Some((user, _)) => {
                let (user, password) = user.split_once(':').unwrap_or((user, ""));
                let login = Login {
                    user: percent_decode_str(user).collect(),
                    password: percent_decode_str(password).collect(),
                };
                if !login.is_sayable(kind) {
                    return Err(bad(Why::Login));
                }
                Credentials::Login(login)
            }
        };
        Ok(Self { kind, host: normal(host), port: port.unwrap_or(usual), credentials })
    }
}

impl Login {
    /// RFC 1929 §2 counts both in one octet, from 1 on. In RFC 7617 §2 a colon ends the name.
    fn is_sayable(&self, kind: Kind) -> bool {
        match kind {
            Kind::Socks5 { .. } => matches!((self.user.len(), self.password.len()), (1..=255, 1..=255)),
            Kind::Http | Kind::Https => !self.user.contains(&b':'),
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What authorizes is nobody's business.
        write!(f, "Proxy({}://{}:{})", self.scheme(), self.host, self.port)
    }
}

/// What was given cannot be used as a proxy. Its text tells why, and nothing of the URL, which may hold a password.
///
/// ```
/// use http_driver::client::{BadProxy, Proxy};
/// let error: BadProxy = "ftp://proxy".parse::<Proxy>().unwrap_err();
/// assert_eq!(error.to_string(), "proxies are spoken to by http, https, socks5 or socks5h, and this is none of them");
/// assert_eq!(error.variable(), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadProxy {
    variable: Option<&'static str>,
    why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Url,
    Scheme,
    Tls,
    Login,
}

impl BadProxy {
    /// The variable of the environment that holds it, if it stands there.
    #[must_use]
    pub const fn variable(&self) -> Option<&'static str> {
        self.variable
    }

    pub(super) const fn of(mut self, variable: &'static str) -> Self {
        self.variable = Some(variable);
        self
    }
}

impl fmt::Display for BadProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(variable) = self.variable {
            write!(f, "{variable} in the environment: ")?;
        }
        f.write_str(match self.why {
            Why::Url => "not the URL of a proxy",
            Why::Scheme => "proxies are spoken to by http, https, socks5 or socks5h, and this is none of them",
            Why::Tls => "a proxy over TLS needs the feature `tls`",
            Why::Login => "the proxy has no way to be told this name and password",
        })
    }
}

impl core::error::Error for BadProxy {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxys_url() {
        let of = |text: &str| {
            let proxy = text.parse::<Proxy>();
            proxy.map(|p| (p.scheme(), p.host.clone(), p.port, p.authorization())).map_err(|error| error.why)
        };
        let plain = |scheme, host: &str, port| Ok((scheme, host.to_owned(), port, None));
        // RFC 7617 §2.
        let aladdin = || Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".to_owned());
        let https = if cfg!(feature = "tls") { plain("https", "proxy", 443) } else { Err(Why::Tls) };
        for (text, expected) in [
            ("proxy", plain("http", "proxy", 80)),
            (" proxy:3128 ", plain("http", "proxy", 3128)),
            ("http://Proxy:3128/", plain("http", "proxy", 3128)),
            ("http://[::1]:3128", plain("http", "[::1]", 3128)),
            ("socks5://[FE80::1%25En0]", plain("socks5", "[fe80::1%25En0]", 1080)),
            ("http://@p:1", plain("http", "p", 1)),
            ("http://Aladdin:open%20sesame@p:1", Ok(("http", "p".into(), 1, aladdin()))),
            ("Aladdin:open%20sesame@p", Ok(("http", "p".into(), 80, aladdin()))),
            ("https://proxy", https),
            ("socks5://proxy", plain("socks5", "proxy", 1080)),
            ("SOCKS5H://proxy:9050", plain("socks5h", "proxy", 9050)),
            ("ftp://proxy", Err(Why::Scheme)),
            ("socks4://proxy", Err(Why::Scheme)),
            ("", Err(Why::Url)),
            ("http://", Err(Why::Url)),
            // C17.
            ("h:99999", Err(Why::Url)),
            ("h:12x", Err(Why::Url)),
            ("h:+80", Err(Why::Url)),
            ("http://u:p/w@h:1", Err(Why::Url)),
            ("http://u:8/w@h:1", Err(Why::Url)),
            ("http://u:8?w@h:1", Err(Why::Url)),
            ("http://u:8#w@h:1", Err(Why::Url)),
            ("http://u%3Av:p@h:1", Err(Why::Login)),
            ("socks5://u@h:1", Err(Why::Login)),
            (&format!("socks5://u:{}@h:1", "p".repeat(256)), Err(Why::Login)),
        ] {
            assert_eq!(of(text), expected, "{text}");
        }
    }

    #[test]
    fn octets_of_a_password_are_left_as_they_are() {
        let proxy: Proxy = "socks5://u:%E4%ff@h".parse().unwrap();
        assert_eq!(proxy.login().map(|login| &login.password[..]), Some(&[0xe4, 0xff][..]));
    }
}
