//! What a request that is sent is for, and what its head says of that: the form of the target, and `Host`.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use crate::message::head::RequestHead;
use crate::message::method::Method;
use crate::message::misuse::Misuse;
use crate::message::target::{is_host, percent_encoded};
use crate::message::token;

/// The URI that a request is for, in parts, and by which way it goes: what [`RequestHead::to`] makes a head of.
///
/// The parts are as they stand in the URI. What RFC 3986 does not allow in path and query, as in a browser's URL, is
/// percent-encoded; a fragment is no part of a target (RFC 9110 §7.1), so it is taken off before.
///
/// ```
/// let destination = http_core::Destination { authority: Some("example.com"), ..Default::default() };
/// assert!(!destination.via_proxy);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Destination<'a> {
    /// The scheme; without one it is `http`, but a `CONNECT` has no port then that it does not say.
    pub scheme: Option<&'a str>,
    /// Host and port, perhaps with userinfo, which is left out wherever it would go (RFC 9110 §4.2.4).
    pub authority: Option<&'a str>,
    /// Path and query. `*`, or none at all, is the server itself for `OPTIONS`; else none is `/`.
    pub path_and_query: Option<&'a str>,
    /// Whether it goes to a proxy that reads it and sends it on.
    pub via_proxy: bool,
    /// Whether the caller pushes a `Host` of its own.
    pub own_host: bool,
}

/// Target and `Host` of a request in origin-form, which both may be written as they are.
pub(crate) struct OriginForm<'a> {
    pub(crate) target: &'a [u8],
    /// Unless the caller says it.
    pub(crate) host: Option<&'a [u8]>,
}

impl<'a> Destination<'a> {
    /// What [`RequestHead::to`] would write, where that is what nearly every request has: origin-form, with nothing in
    /// its target that has to be mended. The host may be anything yet.
    pub(crate) fn origin_form(&self, method: Method<'_>) -> Option<OriginForm<'a>> {
        let target = self.path_and_query?.as_bytes();
        let usual = !matches!(method, Method::Connect | Method::Other(_)) && !self.via_proxy;
        if !usual || target.first() != Some(&b'/') || u32::try_from(target.len() + 32).is_err() {
            return None;
        }
        let host = if self.own_host { None } else { Some(self.host_as_it_is()?) };
        token::is_target(target).then_some(OriginForm { target, host })
    }

    /// The host where nothing has to be cut out of its middle.
    #[inline]
    fn host_as_it_is(&self) -> Option<&'a [u8]> {
        match self.authority?.as_bytes() {
            // Nearly always it is the whole authority.
            plain @ [first, ..] if *first != b'[' && !token::contains(plain, b'@') => Some(plain),
            _ => match self.host()? {
                Cow::Borrowed(host) => Some(host.as_bytes()),
                Cow::Owned(_) => None,
            },
        }
    }

    /// Host and port, without userinfo, and without the zone of an address, which means something on this node alone
    /// (RFC 6874 §4). Whether they are that is looked at when they are sent as `Host`.
    fn host(&self) -> Option<Cow<'a, str>> {
        let authority = self.authority?;
        // Neither a host nor a port has such a sign.
        let host = match token::contains(authority.as_bytes(), b'@') {
            true => authority.rsplit_once('@').map_or(authority, |(_, host)| host),
            false => authority,
        };
        // RFC 9110 §4.2.1: there is always a host.
        if host.is_empty() {
            return None;
        }
        if !host.starts_with('[') {
            return Some(Cow::Borrowed(host));
        }
        Some(match (host.find('%'), host.find(']')) {
            (Some(zone), Some(end)) if zone < end => Cow::Owned([&host[..zone], &host[end..]].concat()),
            _ => Cow::Borrowed(host),
        })
    }

    /// Host and port for a tunnel, the scheme's where the URI has none: `CONNECT` knows no default.
    fn host_and_port(&self) -> Result<Cow<'a, str>, Misuse> {
        let host = self.host().ok_or(Misuse::Host)?;
        let end = host.rfind(']').map_or(0, |end| end + 1);
        let bare = match host[end..].split_once(':') {
            None => &*host,
            Some((_, "")) => &host[..host.len() - 1],
            Some(_) => return Ok(host),
        };
        let is = |scheme: &str| self.scheme.is_some_and(|own| own.eq_ignore_ascii_case(scheme));
        let port = match (is("http"), is("https")) {
            (true, _) => 80,
            (_, true) => 443,
            _ => return Err(Misuse::Target),
        };
        Ok(Cow::Owned(format!("{bare}:{port}")))
    }

    /// What stands before the path in absolute-form.
    fn scheme_and(&self, host: &str) -> Result<String, Misuse> {
        if !is_host(host.as_bytes()) {
            return Err(Misuse::Host);
        }
        let scheme = self.scheme.unwrap_or("http");
        // The rest of its grammar is looked at in the target, where these signs would end it.
        if scheme.contains([':', '/', '?']) { Err(Misuse::Target) } else { Ok(format!("{scheme}://{host}")) }
    }
}

/// Without userinfo, path and query, which may be secrets.
impl core::fmt::Debug for Destination<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Destination")
            .field("scheme", &self.scheme)
            .field("host", &self.host())
            .field("via_proxy", &self.via_proxy)
            .field("own_host", &self.own_host)
            .finish_non_exhaustive()
    }
}

impl RequestHead {
    /// The head of a request to be sent to `destination`: its target, in the form that fits, and its `Host`.
    ///
    /// | request | target | section |
    /// |---|---|---|
    /// | `CONNECT`, whatever the way | authority-form: host and port, that of the scheme where none is said | RFC 9112 §3.2.3, RFC 9110 §9.3.6 |
    /// | `OPTIONS` of a server itself | asterisk-form | RFC 9112 §3.2.4 |
    /// | the same by way of a proxy | absolute-form, without a path | RFC 9112 §3.2.4 |
    /// | any other by way of a proxy | absolute-form | RFC 9112 §3.2.2 |
    /// | any other | origin-form; an empty path is `/` | RFC 9112 §3.2.1 |
    ///
    /// `Host` comes first, as it should (RFC 9110 §7.2), and is the authority without userinfo (§4.2.4), unless the
    /// caller pushes one of its own. Without an authority it must, and the target is in origin-form whatever the way.
    ///
    /// ```
    /// use http_core::{Destination, Method, RequestHead};
    /// let mut destination = Destination {
    ///     scheme: Some("http"),
    ///     authority: Some("user@example.com"),
    ///     path_and_query: Some("/a?b[]"),
    ///     ..Default::default()
    /// };
    /// let head = RequestHead::to(Method::Get, &destination)?;
    /// assert_eq!(head.as_wire(), b"GET /a?b%5B%5D HTTP/1.1\r\nHost: example.com\r\n");
    /// destination.via_proxy = true;
    /// let head = RequestHead::to(Method::Get, &destination)?;
    /// assert_eq!(head.target(), b"http://example.com/a?b%5B%5D");
    /// # Ok::<(), http_core::Misuse>(())
    /// ```
    ///
    /// # Errors
    /// [`Misuse::Host`] if nothing says the host, or it is malformed in absolute-form; [`Misuse::Target`] if the scheme
    /// or the host of a `CONNECT` is malformed, its port is not known, or a path begins with anything but a slash;
    /// [`Misuse::Method`]. A malformed `Host` beside a path alone is refused when the head is sent, as any is.
    pub fn to(method: Method<'_>, destination: &Destination<'_>) -> Result<Self, Misuse> {
        if method == Method::Connect {
            let target = destination.host_and_port()?;
            let head = Self::new(method, &*target)?;
            return if destination.own_host { Ok(head) } else { head.with("Host", &*target) };
        }
        let host = destination.host();
        if host.is_none() && !destination.own_host {
            return Err(Misuse::Host);
        }
        let path = destination.path_and_query.unwrap_or_default();
        let is_of_server = method == Method::Options && matches!(path, "" | "*");
        // Anything else would become a part of what stands before it.
        if !(is_of_server || matches!(path.as_bytes(), [] | [b'/' | b'?', ..])) {
            return Err(Misuse::Target);
        }
        let forwarding = host.as_deref().filter(|_| destination.via_proxy);
        let mut before = forwarding.map_or(Ok(String::new()), |host| destination.scheme_and(host))?;
        let mut head = match is_of_server {
            true if before.is_empty() => Self::new(method, "*"),
            true => Self::new(method, before),
            false => {
                // An empty path is the same as a slash (RFC 9110 §4.2.3).
                if !path.starts_with('/') {
                    before.push('/');
                }
                encoded(method, &before, path)
            }
        }?;
        if let (Some(host), false) = (host, destination.own_host) {
            head.fields.push("Host", host.as_bytes())?;
        }
        Ok(head)
    }
}

/// A head whose target is `before` and what follows: as it is where RFC 3986 allows it, percent-encoded otherwise.
fn encoded(method: Method<'_>, before: &str, path_and_query: &str) -> Result<RequestHead, Misuse> {
    let head = match before {
        "" => RequestHead::new(method, path_and_query),
        _ => RequestHead::new(method, format!("{before}{path_and_query}")),
    };
    match head {
        Err(Misuse::Target) => match percent_encoded(path_and_query) {
            Cow::Owned(encoded) => RequestHead::new(method, [before.as_bytes(), &encoded].concat()),
            Cow::Borrowed(_) => head,
        },
        head => head,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Method<'_> = Method::Get;
    const OPTIONS: Method<'_> = Method::Options;
    const CONNECT: Method<'_> = Method::Connect;

    fn line_and_fields(method: Method<'_>, destination: &Destination<'_>) -> Result<String, Misuse> {
        let head = RequestHead::to(method, destination)?;
        assert!(head.target_form().is_some());
        let wire = core::str::from_utf8(head.as_wire()).unwrap();
        Ok(wire.trim_end().replace(" HTTP/1.1", "").replace("\r\n", " | "))
    }

    #[test]
    fn methods_by_forms() {
        let (direct, proxy) = (false, true);
        for (section, method, scheme, authority, path, via_proxy, expected) in [
            // Origin-form.
            ("RFC 9112 §3.2.1", GET, "http", "a", "/b?c", direct, Ok("GET /b?c | Host: a")),
            ("RFC 9112 §3.2.1", Method::Post, "https", "a:8443", "/", direct, Ok("POST / | Host: a:8443")),
            ("RFC 9112 §3.2.1", GET, "http", "a", "", direct, Ok("GET / | Host: a")),
            ("RFC 9112 §3.2.1", GET, "http", "a", "?c", direct, Ok("GET /?c | Host: a")),
            ("RFC 9112 §3.2.1", OPTIONS, "http", "a", "/", direct, Ok("OPTIONS / | Host: a")),
            ("RFC 9112 §3.2.1", OPTIONS, "http", "a", "?c", direct, Ok("OPTIONS /?c | Host: a")),
            ("RFC 9112 §3.2.1", GET, "http", "a", "//b", direct, Ok("GET //b | Host: a")),
            ("RFC 9112 §3.2.1", Method::Other("get"), "http", "a", "/", direct, Ok("get / | Host: a")),
            // Absolute-form.
            ("RFC 9112 §3.2.2", GET, "http", "a", "/b?c", proxy, Ok("GET http://a/b?c | Host: a")),
            (
                "RFC 9112 §3.2.2",
                GET,
                "https",
                "[::1]:8443",
                "/b",
                proxy,
                Ok("GET https://[::1]:8443/b | Host: [::1]:8443"),
            ),
            ("RFC 9112 §3.2.2", GET, "http", "a", "", proxy, Ok("GET http://a/ | Host: a")),
            ("RFC 9112 §3.2.2", GET, "http", "a", "?c", proxy, Ok("GET http://a/?c | Host: a")),
            ("RFC 9112 §3.2.2", GET, "", "a", "/", proxy, Ok("GET http://a/ | Host: a")),
            ("RFC 9112 §3.2.2", OPTIONS, "http", "a", "/", proxy, Ok("OPTIONS http://a/ | Host: a")),
            // Authority-form.
            ("RFC 9112 §3.2.3", CONNECT, "", "a:81", "", direct, Ok("CONNECT a:81 | Host: a:81")),
            ("RFC 9112 §3.2.3", CONNECT, "", "a:81", "/b", proxy, Ok("CONNECT a:81 | Host: a:81")),
            ("RFC 9112 §3.2.3", CONNECT, "https", "a", "/b", proxy, Ok("CONNECT a:443 | Host: a:443")),
            ("RFC 9112 §3.2.3", CONNECT, "HTTP", "a:", "", proxy, Ok("CONNECT a:80 | Host: a:80")),
            ("RFC 9112 §3.2.3", CONNECT, "https", "[::1]", "", proxy, Ok("CONNECT [::1]:443 | Host: [::1]:443")),
            ("RFC 9112 §3.2.3", CONNECT, "https", "[::1]:1", "", proxy, Ok("CONNECT [::1]:1 | Host: [::1]:1")),
            ("RFC 9112 §3.2.3", CONNECT, "", "u:p@a:81", "", proxy, Ok("CONNECT a:81 | Host: a:81")),
            ("RFC 9110 §9.3.6", CONNECT, "", "a", "", proxy, Err(Misuse::Target)),
            ("RFC 9110 §9.3.6", CONNECT, "ftp", "a", "", proxy, Err(Misuse::Target)),
            ("RFC 9110 §9.3.6", CONNECT, "http", "", "/", proxy, Err(Misuse::Host)),
            // Asterisk-form.
            ("RFC 9112 §3.2.4", OPTIONS, "http", "a", "", direct, Ok("OPTIONS * | Host: a")),
            ("RFC 9112 §3.2.4", OPTIONS, "http", "a", "*", direct, Ok("OPTIONS * | Host: a")),
            ("RFC 9112 §3.2.4", OPTIONS, "http", "a", "", proxy, Ok("OPTIONS http://a | Host: a")),
            ("RFC 9112 §3.2.4", OPTIONS, "http", "u@a:1", "*", proxy, Ok("OPTIONS http://a:1 | Host: a:1")),
            ("RFC 9112 §3.2.4", GET, "http", "a", "*", direct, Err(Misuse::Target)),
            ("RFC 9112 §3.2.4", GET, "http", "a", "*", proxy, Err(Misuse::Target)),
            // Userinfo.
            ("RFC 9110 §4.2.4", GET, "http", "u@a", "/", direct, Ok("GET / | Host: a")),
            ("RFC 9110 §4.2.4", GET, "http", "u:p@a:1", "/@", direct, Ok("GET /@ | Host: a:1")),
            ("RFC 9110 §4.2.4", GET, "http", "u:p@a:1", "/@", proxy, Ok("GET http://a:1/@ | Host: a:1")),
            ("RFC 9110 §4.2.4", GET, "http", "u@p@a", "/", direct, Ok("GET / | Host: a")),
            // A zone.
            ("RFC 6874 §4", GET, "http", "[fe80::1%25eth0]", "/", direct, Ok("GET / | Host: [fe80::1]")),
            (
                "RFC 6874 §4",
                GET,
                "http",
                "u@[fe80::1%251]:81",
                "",
                proxy,
                Ok("GET http://[fe80::1]:81/ | Host: [fe80::1]:81"),
            ),
            (
                "RFC 6874 §4",
                CONNECT,
                "https",
                "[fe80::1%25eth0]",
                "",
                proxy,
                Ok("CONNECT [fe80::1]:443 | Host: [fe80::1]:443"),
            ),
            // The host.
            ("RFC 9110 §4.2.1", GET, "http", "u@", "/", direct, Err(Misuse::Host)),
            ("RFC 9110 §7.2", GET, "http", "", "/", direct, Err(Misuse::Host)),
            ("RFC 9110 §7.2", OPTIONS, "", "", "*", proxy, Err(Misuse::Host)),
            ("RFC 9110 §4.2.1", GET, "http", ":80", "/", proxy, Err(Misuse::Host)),
            ("RFC 9110 §4.2.1", GET, "http", "a/b", "/", proxy, Err(Misuse::Host)),
            ("RFC 9110 §4.2.1", CONNECT, "http", "a/b:1", "", proxy, Err(Misuse::Target)),
            ("RFC 9110 §5.5", GET, "http", "a\r\nb: c", "/", direct, Err(Misuse::FieldValue)),
            ("RFC 9112 §3.2.2", GET, "1", "a", "/", proxy, Err(Misuse::Target)),
            ("RFC 9112 §3.2.2", GET, "http://b/", "a", "/", proxy, Err(Misuse::Target)),
            // A path that would go on with the host, or be a URI itself.
            ("RFC 9112 §3.2.2", GET, "http", "a", ".b/c", proxy, Err(Misuse::Target)),
            ("RFC 9112 §3.2.2", GET, "http", "a", ":1/c", proxy, Err(Misuse::Target)),
            ("RFC 9112 §3.2.1", GET, "http", "a", "http://b/", direct, Err(Misuse::Target)),
            // What browsers write.
            ("RFC 3986 §3.4", GET, "http", "a", "/|?b[]=\"\u{e9}", direct, Ok("GET /%7C?b%5B%5D=%22%C3%A9 | Host: a")),
            ("RFC 3986 §3.4", GET, "http", "a", "?[", direct, Ok("GET /?%5B | Host: a")),
            ("RFC 3986 §3.4", GET, "http", "[::1]", "/[%5b", proxy, Ok("GET http://[::1]/%5B%5b | Host: [::1]")),
            ("RFC 9112 §3", GET, "http", "a", "/ HTTP/1.1\r\n", direct, Ok("GET /%20HTTP/1.1%0D%0A | Host: a")),
            ("RFC 9112 §3.2.1", GET, "http", "a", "b", direct, Err(Misuse::Target)),
            ("RFC 9110 §9.1", Method::Other("G T"), "http", "a", "/", direct, Err(Misuse::Method)),
        ] {
            let said = |part| Some(part).filter(|part: &&'static str| !part.is_empty());
            let (scheme, authority, path_and_query) = (said(scheme), said(authority), said(path));
            let mut destination = Destination { scheme, authority, path_and_query, via_proxy, own_host: false };
            let told = line_and_fields(method, &destination);
            assert_eq!(told.as_deref(), expected.as_ref().map(|text| *text), "{section}: {method:?} {destination:?}");
            destination.own_host = true;
            // The target is the same where the caller says Host, and there is no other.
            let own = line_and_fields(method, &destination);
            if let Ok(told) = told {
                assert_eq!(own.as_deref().ok(), told.split(" | ").next(), "{section}: {method:?} {destination:?}");
            }
        }
    }

    #[test]
    fn a_host_of_its_own_suffices_for_origin_form() {
        for via_proxy in [false, true] {
            let destination =
                Destination { path_and_query: Some("/b"), via_proxy, own_host: true, ..Default::default() };
            assert_eq!(line_and_fields(GET, &destination).as_deref(), Ok("GET /b"));
            assert_eq!(line_and_fields(CONNECT, &destination), Err(Misuse::Host));
            let server = Destination { path_and_query: None, ..destination };
            assert_eq!(line_and_fields(OPTIONS, &server).as_deref(), Ok("OPTIONS *"));
        }
    }

    #[test]
    fn what_may_be_secret_is_not_shown() {
        let authority = Some("user:secret@a");
        let shown = format!("{:?}", Destination { authority, path_and_query: Some("/?secret"), ..Default::default() });
        assert!(shown.contains("\"a\"") && !shown.contains("secret"), "{shown}");
    }
}
