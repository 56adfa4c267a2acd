//! Request methods, RFC 9110 §9.

use crate::message::token;

/// A request method: one of the registered ones that the engine or its users ask for by name, or any other token.
///
/// Methods are case-sensitive (RFC 9110 §9.1), so `get` is another method than `GET`.
///
/// ```
/// use http_core::Method;
/// assert_eq!(Method::from_bytes(b"GET"), Some(Method::Get));
/// assert_eq!(Method::from_bytes(b"get"), Some(Method::Other("get")));
/// assert_eq!(Method::from_bytes(b"G T"), None);
/// assert!(Method::Put.is_idempotent() && !Method::Post.is_idempotent());
/// assert!(Method::Other("PROPFIND").is_safe());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method<'a> {
    /// `GET`
    Get,
    /// `HEAD`: as `GET`, but the response has no content.
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `CONNECT`: a successful response turns the connection into a tunnel.
    Connect,
    /// `OPTIONS`
    Options,
    /// `TRACE`
    Trace,
    /// `PATCH`, RFC 5789
    Patch,
    /// `QUERY`: safe and idempotent, with content.
    Query,
    /// Any other token.
    Other(&'a str),
}

impl<'a> Method<'a> {
    /// The method that `bytes` name; `None` if they are no token (RFC 9110 §5.6.2).
    #[must_use]
    pub fn from_bytes(bytes: &'a [u8]) -> Option<Self> {
        Some(match bytes {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"CONNECT" => Self::Connect,
            b"OPTIONS" => Self::Options,
            b"TRACE" => Self::Trace,
            b"PATCH" => Self::Patch,
            b"QUERY" => Self::Query,
            _ if token::is_token(bytes) => Self::Other(core::str::from_utf8(bytes).ok()?),
            _ => return None,
        })
    }

    /// The method as it stands in a request-line.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Patch => "PATCH",
            Self::Query => "QUERY",
            Self::Other(name) => name,
        }
    }

    /// Whether the method asks for no change on the origin (RFC 9110 §9.2.1, and the registry for WebDAV's).
    #[must_use]
    pub fn is_safe(self) -> bool {
        match self {
            Self::Get | Self::Head | Self::Options | Self::Trace | Self::Query => true,
            Self::Other(name) => matches!(name, "PROPFIND" | "REPORT" | "SEARCH" | "PRI"),
            _ => false,
        }
    }

    /// Whether repeating the request has the effect of sending it once (RFC 9110 §9.2.2, and the registry for
    /// WebDAV's): what decides if a lost request may be sent again.
    #[must_use]
    pub fn is_idempotent(self) -> bool {
        match self {
            Self::Put | Self::Delete => true,
            Self::Other(name) => matches!(
                name,
                "ACL"
                    | "BASELINE-CONTROL"
                    | "BIND"
                    | "CHECKIN"
                    | "CHECKOUT"
                    | "COPY"
                    | "LABEL"
                    | "LINK"
                    | "MERGE"
                    | "MKACTIVITY"
                    | "MKCALENDAR"
                    | "MKCOL"
                    | "MKREDIRECTREF"
                    | "MKWORKSPACE"
                    | "MOVE"
                    | "ORDERPATCH"
                    | "PRI"
                    | "PROPFIND"
                    | "PROPPATCH"
                    | "REBIND"
                    | "REPORT"
                    | "SEARCH"
                    | "UNBIND"
                    | "UNCHECKOUT"
                    | "UNLINK"
                    | "UNLOCK"
                    | "UPDATE"
                    | "UPDATEREDIRECTREF"
                    | "VERSION-CONTROL"
            ),
            _ => self.is_safe(),
        }
    }

    /// Whether a request with this method says `Content-Length: 0` when it has no content (RFC 9110 §8.6: a method
    /// that gives content a meaning).
    #[must_use]
    pub(crate) const fn announces_no_content(self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch | Self::Query)
    }
}
