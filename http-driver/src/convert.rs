//! Between the core's heads and the types of the `http` crate.

use crate::names;
use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, Uri, request, response};
use http_core::{Fields, Method, Misuse, RequestHead, ResponseHead, StatusCode, Target, Version, percent_encoded};

/// A head or a section that has no form in the other type.
///
/// ```
/// use http_driver::convert::{Unconvertible, header_map};
/// let mut fields = http_core::Fields::new();
/// fields.push("X", "1")?;
/// let map: Result<http::HeaderMap, Unconvertible> = header_map(&fields);
/// assert_eq!(map.unwrap()["x"], "1");
/// # Ok::<(), http_core::Misuse>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unconvertible {
    /// The target is no URI of the `http` crate.
    Target,
    /// The method, or a field, is longer than the `http` crate allows.
    TooLarge,
    /// What was built with the `http` crate may not be sent.
    Misuse(Misuse),
}

impl core::fmt::Display for Unconvertible {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Target => f.write_str("the request target is no URI of the http crate"),
            Self::TooLarge => f.write_str("a part of the head is larger than the http crate allows"),
            Self::Misuse(misuse) => misuse.fmt(f),
        }
    }
}

impl core::error::Error for Unconvertible {}

impl From<Misuse> for Unconvertible {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

/// The field lines as a map: exactly as large as needed, all values slices of one block.
///
/// # Errors
/// [`Unconvertible::TooLarge`]
pub fn header_map(fields: &Fields) -> Result<HeaderMap, Unconvertible> {
    if fields.is_empty() {
        return Ok(HeaderMap::new());
    }
    Block::of(fields.as_wire()).map(fields)
}

/// A copy of a head or a section, that names and values are slices of.
struct Block<'a> {
    original: &'a [u8],
    copy: Bytes,
}

impl<'a> Block<'a> {
    fn of(original: &'a [u8]) -> Self {
        Self { original, copy: Bytes::copy_from_slice(original) }
    }

    /// The same part of the copy as `part` is of the original.
    fn slice(&self, part: &[u8]) -> Bytes {
        let at = (part.as_ptr() as usize).wrapping_sub(self.original.as_ptr() as usize);
        self.copy.slice(at..at + part.len())
    }

    fn map(&self, fields: &Fields) -> Result<HeaderMap, Unconvertible> {
        let mut map = HeaderMap::try_with_capacity(fields.len()).map_err(|_| Unconvertible::TooLarge)?;
        for (name, value) in fields.raw() {
            let name = match names::common(name) {
                Some(name) => name,
                None => HeaderName::from_bytes(name).map_err(|_| Unconvertible::TooLarge)?,
            };
            let value = match names::common_value(value) {
                Some(value) => value,
                None => HeaderValue::from_maybe_shared(self.slice(value)).map_err(|_| Unconvertible::TooLarge)?,
            };
            map.try_append(name, value).map_err(|_| Unconvertible::TooLarge)?;
        }
        Ok(map)
    }
}

/// The entries of a map as field lines, in the map's order.
///
/// # Errors
/// [`Unconvertible::Misuse`]
pub fn fields(map: &HeaderMap) -> Result<Fields, Unconvertible> {
    let mut fields = Fields::new();
    push_all(&mut fields, map)?;
    Ok(fields)
}

fn push_all(fields: &mut Fields, map: &HeaderMap) -> Result<(), Misuse> {
    map.iter().try_for_each(|(name, value)| fields.push(name.as_str(), value.as_bytes()))
}

/// A request that was read, with `body`.
///
/// # Errors
/// [`Unconvertible::Target`], [`Unconvertible::TooLarge`]
pub fn request<B>(head: &RequestHead, body: B) -> Result<Request<B>, Unconvertible> {
    let block = Block::of(head.as_wire());
    let mut request = Request::new(body);
    *request.method_mut() = match head.method() {
        Method::Get => http::Method::GET,
        Method::Head => http::Method::HEAD,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Delete => http::Method::DELETE,
        other => http::Method::from_bytes(other.as_str().as_bytes()).map_err(|_| Unconvertible::TooLarge)?,
    };
    *request.uri_mut() = match head.target_form() {
        Some(Target::Asterisk) => Uri::from_static("*"),
        // The http crate asks for a slash or an authority in front; everything else was checked.
        _ => Uri::from_maybe_shared(block.slice(head.target())).map_err(|_| Unconvertible::Target)?,
    };
    *request.version_mut() = version(head.version());
    *request.headers_mut() = block.map(head.fields())?;
    Ok(request)
}

/// A response that was read, with `body`. A reason phrase of its own is kept as [`ReasonPhrase`] among the extensions.
///
/// # Errors
/// [`Unconvertible::TooLarge`]
pub fn response<B>(head: &ResponseHead, body: B) -> Result<Response<B>, Unconvertible> {
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(head.status().as_u16()).map_err(|_| Unconvertible::TooLarge)?;
    *response.version_mut() = version(head.version());
    *response.headers_mut() = header_map(head.fields())?;
    if head.reason_phrase() != head.status().reason_phrase().as_bytes() {
        response.extensions_mut().insert(ReasonPhrase(Bytes::copy_from_slice(head.reason_phrase())));
    }
    Ok(response)
}

/// The reason phrase of a response, where it is not the usual one: among the extensions of what was read, and of what
/// is sent.
///
/// ```
/// let phrase = http_driver::ReasonPhrase("Fine".into());
/// assert_eq!(&phrase.0[..], b"Fine");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonPhrase(pub Bytes);

/// The head of a request to be sent to the origin of its URI: `Host` from the URI, the target in origin-form, but for
/// `CONNECT` and `*`. What the `http` crate takes in a URI beside RFC 3986 is percent-encoded.
///
/// ```
/// let (parts, ()) = http::Request::get("http://example.com/a?b[]=1|2").body(()).unwrap().into_parts();
/// assert_eq!(http_driver::convert::request_head(&parts).unwrap().target(), b"/a?b%5B%5D=1%7C2");
/// ```
///
/// # Errors
/// [`Unconvertible::Misuse`], [`Unconvertible::Target`] if the URI has no authority and no `Host` is given.
pub fn request_head(parts: &request::Parts) -> Result<RequestHead, Unconvertible> {
    let method = Method::from_bytes(parts.method.as_str().as_bytes()).ok_or(Misuse::Method)?;
    let authority = parts.uri.authority();
    let target = match (method, parts.uri.path_and_query()) {
        (Method::Connect, _) => authority.ok_or(Unconvertible::Target)?.as_str(),
        (Method::Options, None) => "*",
        (_, Some(path)) => path.as_str(),
        (_, None) => "/",
    };
    let mut head = encoded_head(method, "", target)?;
    if !parts.headers.contains_key(http::header::HOST) && method != Method::Connect {
        let authority = authority.ok_or(Unconvertible::Target)?.as_str();
        // Userinfo is not part of Host (RFC 9110 §4.2.4).
        head.fields_mut().push("Host", authority.rsplit('@').next().unwrap_or(authority))?;
    }
    push_all(head.fields_mut(), &parts.headers)?;
    if parts.version == http::Version::HTTP_10 {
        head = head.with_version(Version::Http10);
    }
    Ok(head)
}

/// A head whose target is `before` and what follows: as it is where RFC 3986 allows it, percent-encoded otherwise.
fn encoded_head(method: Method<'_>, before: &str, path_and_query: &str) -> Result<RequestHead, Misuse> {
    let head = match before {
        "" => RequestHead::new(method, path_and_query),
        _ => RequestHead::new(method, format!("{before}{path_and_query}")),
    };
    match head {
        Err(Misuse::Target) if method != Method::Connect => {
            RequestHead::new(method, [before.as_bytes(), &percent_encoded(path_and_query)].concat())
        }
        head => head,
    }
}

/// The same for a request that a proxy forwards: the target in absolute-form (RFC 9112 §3.2.2), but for `CONNECT`.
pub(crate) fn forwarded_head(
    parts: &request::Parts,
    authorization: Option<&str>,
) -> Result<RequestHead, Unconvertible> {
    let plain = request_head(parts)?;
    let mut head = match (plain.method(), parts.uri.authority()) {
        (Method::Connect, _) | (_, None) => plain,
        (method, Some(authority)) => {
            let host = authority.as_str().rsplit('@').next().unwrap_or_default();
            let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            // The target `*` of OPTIONS has no path at all in this form (RFC 9112 §3.2.4).
            let path = if plain.target() == b"*" { "" } else { path };
            let mut head = encoded_head(method, &format!("http://{host}"), path)?;
            for (name, value) in plain.fields().raw() {
                head.fields_mut().push(name, value)?;
            }
            head.with_version(plain.version())
        }
    };
    if let Some(value) = authorization.filter(|_| !head.fields().contains("Proxy-Authorization")) {
        head.fields_mut().push("Proxy-Authorization", value)?;
    }
    Ok(head)
}

/// The head of a response to be sent.
///
/// # Errors
/// [`Unconvertible::Misuse`]
pub fn response_head(parts: &response::Parts) -> Result<ResponseHead, Unconvertible> {
    if let Some(ReasonPhrase(reason)) = parts.extensions.get() {
        ResponseHead::with_reason_phrase(StatusCode::OK, reason)?;
    }
    response_head_in(Fields::new(), parts)
}

/// The same in the memory of `fields`, with the usual reason phrase where the given one may not be sent: it says
/// nothing that a client acts on (RFC 9112 §4).
pub(crate) fn response_head_in(fields: Fields, parts: &response::Parts) -> Result<ResponseHead, Unconvertible> {
    let status = StatusCode::new(parts.status.as_u16()).ok_or(Misuse::Status)?;
    let own = parts.extensions.get::<ReasonPhrase>();
    let mut head = match own.map(|ReasonPhrase(reason)| ResponseHead::with_reason_phrase(status, reason)) {
        Some(Ok(head)) => head,
        Some(Err(_)) | None => ResponseHead::new_in(fields, status),
    };
    push_all(head.fields_mut(), &parts.headers)?;
    Ok(head)
}

const fn version(version: Version) -> http::Version {
    match version {
        Version::Http10 => http::Version::HTTP_10,
        _ => http::Version::HTTP_11,
    }
}
