//! The request target: its four forms (RFC 9112 §3.2), and the authority in it and in `Host`.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::message::method::Method;
use crate::message::token;

/// A request target, taken apart into one of the four forms of RFC 9112 §3.2. Percent-encoding is left alone.
///
/// ```
/// use http_core::{Method, Target};
///
/// let target = Target::parse(Method::Get, b"http://example.com:8080/a?b").unwrap();
/// assert_eq!(target.authority(), Some(&b"example.com:8080"[..]));
/// assert_eq!((target.path(), target.query()), (&b"/a"[..], Some(&b"b"[..])));
///
/// assert_eq!(Target::parse(Method::Options, b"*"), Some(Target::Asterisk));
/// assert_eq!(Target::parse(Method::Get, b"*"), None);
/// assert_eq!(Target::parse(Method::Connect, b"example.com"), None); // a port is needed
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target<'a> {
    /// `/path?query`: a request to the origin itself.
    Origin {
        /// The path, from its first slash.
        path: &'a [u8],
        /// What follows the question mark.
        query: Option<&'a [u8]>,
    },
    /// `scheme://authority/path?query`: a request to a proxy, or to an origin that reads it all the same.
    Absolute {
        /// The scheme, in the case it was sent in.
        scheme: &'a [u8],
        /// Host and port; overrides the `Host` field (RFC 9112 §3.2.2).
        authority: &'a [u8],
        /// The path; empty if the target ends with the authority.
        path: &'a [u8],
        /// What follows the question mark.
        query: Option<&'a [u8]>,
    },
    /// `host:port`: `CONNECT` alone.
    Authority {
        /// Host and port.
        authority: &'a [u8],
    },
    /// `*`: `OPTIONS` alone.
    Asterisk,
}

impl<'a> Target<'a> {
    /// Takes a target apart; `None` if its form does not fit the method or a part of it is malformed.
    ///
    /// Characters of path and query are not looked at here: a head that was built has only those that RFC 3986 allows,
    /// and one that was read those that [`Leniency`](crate::Leniency) lets pass.
    #[must_use]
    pub fn parse(method: Method<'_>, target: &'a [u8]) -> Option<Self> {
        match (method, target) {
            (Method::Connect, _) => {
                let (host, port) = split_port(target)?;
                let valid = !host.is_empty() && is_uri_host(host) && port.is_some_and(|p| !p.is_empty() && is_port(p));
                valid.then_some(Self::Authority { authority: target })
            }
            (_, [b'/', ..]) => {
                let (path, query) = split_query(target);
                Some(Self::Origin { path, query })
            }
            (Method::Options, b"*") => Some(Self::Asterisk),
            _ => Self::absolute(target),
        }
    }

    fn absolute(target: &'a [u8]) -> Option<Self> {
        let colon = target.iter().position(|&b| b == b':')?;
        let (scheme, rest) = (&target[..colon], target[colon + 1..].strip_prefix(b"//")?);
        let scheme_holds = scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && scheme.iter().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b));
        let end = rest.iter().position(|b| b"/?".contains(b)).unwrap_or(rest.len());
        let (authority, after) = rest.split_at(end);
        // An http URI has a host (RFC 9110 §4.2.1), and userinfo in it is an error (§4.2.4).
        if !scheme_holds || authority.is_empty() || authority[0] == b':' || !is_host(authority) {
            return None;
        }
        let (path, query) = split_query(after);
        Some(Self::Absolute { scheme, authority, path, query })
    }

    /// Whether RFC 3986 allows every octet; those of scheme and authority were looked at when it was taken apart.
    pub(crate) fn is_rfc3986(self) -> bool {
        let holds = |part: &[u8]| token::span(part, token::TARGET) == part.len();
        holds(self.path()) && self.query().is_none_or(holds)
    }

    /// The authority: in absolute-form and authority-form.
    #[must_use]
    pub const fn authority(self) -> Option<&'a [u8]> {
        match self {
            Self::Absolute { authority, .. } | Self::Authority { authority } => Some(authority),
            _ => None,
        }
    }

    /// The path: in origin-form and absolute-form, otherwise empty.
    #[must_use]
    pub const fn path(self) -> &'a [u8] {
        match self {
            Self::Origin { path, .. } | Self::Absolute { path, .. } => path,
            _ => b"",
        }
    }

    /// The query, without its question mark: in origin-form and absolute-form.
    #[must_use]
    pub const fn query(self) -> Option<&'a [u8]> {
        match self {
            Self::Origin { query, .. } | Self::Absolute { query, .. } => query,
            _ => None,
        }
    }
}

/// `path_and_query` with every octet percent-encoded that RFC 3986 has neither in a path nor in a query (§3.3, §3.4),
/// which leaves its meaning as it is (§2.1). A percent sign is left alone, so nothing is encoded twice.
///
/// ```
/// use http_core::percent_encoded;
/// assert_eq!(*percent_encoded("/a?b[]=1|2"), *b"/a?b%5B%5D=1%7C2");
/// assert!(matches!(percent_encoded("/a?b%5B%5D"), std::borrow::Cow::Borrowed(b"/a?b%5B%5D")));
/// ```
#[must_use]
pub fn percent_encoded<T: AsRef<[u8]> + ?Sized>(path_and_query: &T) -> Cow<'_, [u8]> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let bytes = path_and_query.as_ref();
    let good = token::span(bytes, token::TARGET);
    if good == bytes.len() {
        return Cow::Borrowed(bytes);
    }
    let mut encoded = Vec::with_capacity(bytes.len() + 16);
    encoded.extend_from_slice(&bytes[..good]);
    for &byte in &bytes[good..] {
        if token::is_target_byte(byte) {
            encoded.push(byte);
        } else {
            encoded.extend([b'%', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
    }
    Cow::Owned(encoded)
}

pub(crate) fn split_query(bytes: &[u8]) -> (&[u8], Option<&[u8]>) {
    match bytes.iter().position(|&b| b == b'?') {
        Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
        None => (bytes, None),
    }
}

/// Whether `value` is `uri-host [ ":" port ]` (RFC 9110 §7.2), or empty, as for a target without an authority.
pub(crate) fn is_host(value: &[u8]) -> bool {
    // Nearly always a name or an IPv4 address, perhaps with a port: one pass tells. A dot follows a label.
    let (mut label, mut at) = (0, 0);
    loop {
        match value.get(at) {
            Some(&byte) if token::is_of(token::LABEL, byte) => at += 1,
            Some(b'.') if at > label => {
                at += 1;
                label = at;
            }
            None => return true,
            Some(_) => break,
        }
    }
    match value.split_at_checked(at) {
        Some(([_, ..], [b':', port @ ..])) => is_port(port),
        _ => is_rare_host(value),
    }
}

/// Anything else that a host may be.
#[cold]
fn is_rare_host(value: &[u8]) -> bool {
    match split_port(value) {
        Some((host, port)) => is_uri_host(host) && port.is_none_or(is_port) && (port.is_none() || !host.is_empty()),
        None => false,
    }
}

/// Host and port of an authority without userinfo; `None` if the brackets do not match.
fn split_port(authority: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let host_end = match authority {
        [b'[', ..] => authority.iter().position(|&b| b == b']')? + 1,
        _ => authority.iter().position(|&b| b == b':').unwrap_or(authority.len()),
    };
    match &authority[host_end..] {
        [] => Some((authority, None)),
        [b':', port @ ..] => Some((&authority[..host_end], Some(port))),
        _ => None,
    }
}

fn is_port(port: &[u8]) -> bool {
    // So many digits fit, and more are hardly ever there.
    if port.len() > 5 {
        return is_long_port(port);
    }
    let mut number = 0_u32;
    for byte in port {
        let digit = u32::from(*byte).wrapping_sub(u32::from(b'0'));
        if digit > 9 {
            return false;
        }
        number = number * 10 + digit;
    }
    // Nobody listens on port 0.
    (1..=65_535).contains(&number) || port.is_empty()
}

/// One with zeros before it.
#[cold]
fn is_long_port(port: &[u8]) -> bool {
    token::decimal(port).is_some_and(|number| (1..=65_535).contains(&number))
}

fn is_uri_host(host: &[u8]) -> bool {
    match host {
        [b'[', inner @ .., b']'] => is_ip_literal(inner),
        _ => token::is_reg_name(host) && token::percent_encoding_holds(host) && labels_hold(host),
    }
}

/// A registered name has no empty label, but for the root at its end (RFC 3986 §3.2.2 refers to RFC 1034 for that).
fn labels_hold(host: &[u8]) -> bool {
    !host.starts_with(b".") && !host.windows(2).any(|pair| pair == b"..")
}

/// The inside of an IP literal: an IPv6 address or an IPvFuture (RFC 3986 §3.2.2).
fn is_ip_literal(inner: &[u8]) -> bool {
    if let [b'v' | b'V', rest @ ..] = inner {
        let mut parts = rest.splitn(2, |&b| b == b'.');
        let (version, address) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        return !version.is_empty()
            && version.iter().all(u8::is_ascii_hexdigit)
            && !address.is_empty()
            && address.iter().all(|&b| b == b':' || b != b'%' && token::is_reg_name(&[b]));
    }
    core::str::from_utf8(inner).is_ok_and(|text| text.parse::<core::net::Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_fit_methods() {
        // RFC 9112 §3.2.1 to §3.2.4
        for (method, target, fits) in [
            (Method::Get, &b"/"[..], true),
            (Method::Get, b"//double", true),
            (Method::Get, b"http://a", true),
            (Method::Get, b"http://a?q", true),
            (Method::Get, b"HTTP://a:/", true),
            (Method::Get, b"http:///path", false),
            (Method::Get, b"http://user@a/", false),
            (Method::Get, b"http://:80/", false),
            (Method::Get, b"1http://a/", false),
            (Method::Get, b"mailto:a", false),
            (Method::Get, b"path", false),
            (Method::Get, b"?q", false),
            (Method::Get, b"a:80", false),
            (Method::Options, b"*", true),
            (Method::Options, b"*a", false),
            (Method::Connect, b"a:80", true),
            (Method::Connect, b"[::1]:80", true),
            (Method::Connect, b"a:", false),
            (Method::Connect, b":80", false),
            (Method::Connect, b"/", false),
            (Method::Connect, b"http://a:80", false),
        ] {
            assert_eq!(Target::parse(method, target).is_some(), fits, "{method:?} {}", target.escape_ascii());
        }
    }

    #[test]
    fn hosts_are_checked() {
        for (host, valid) in [
            (&b""[..], true),
            (b"example.com", true),
            (b"example.com:", true),
            (b"example.com:65535", true),
            (b"example.com:65536", false),
            (b"example.com:0", false),
            (b"example.com:080", true),
            (b"example.com:00000000000000000000065535", true),
            (b"example.com:100080", false),
            (b"example.com:000000", false),
            (b"example.com:x00080", false),
            (b"example.com.", true),
            (b".", false),
            (b"a..b", false),
            (b"a..b:80", false),
            (b".:80", false),
            (b"example.com:80a", false),
            (b"a:b:c", false),
            (b":80", false),
            (b"a/b", false),
            (b"a b", false),
            (b"user@a", false),
            (b"[::1]", true),
            (b"[::1]:8080", true),
            (b"[::1", false),
            (b"[::1]x", false),
            (b"[1.2.3.4]", false),
            (b"[v1.a:b]", true),
            (b"[v.a]", false),
            (b"[v1.a@b]", false),
            (b"[v1.a%20]", false),
            (b"a%20b", true),
            (b"a%2", false),
            (b"a%2g", false),
            (b"a,b", true),
            (b"\xc3\xa9", false),
        ] {
            assert_eq!(is_host(host), valid, "{}", host.escape_ascii());
        }
    }
}
