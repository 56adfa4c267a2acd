//! Between the core's heads and the types of the `http` crate.

use crate::block::Block;
use crate::template::{Made, MadeTarget};
use bytes::Bytes;
use http::header::HeaderMap;
use http::uri::{Authority, PathAndQuery};
use http::{Request, Response, Uri, request, response};
use http_core::{
    Destination, Fields, Method, Misuse, RequestHead, RequestLines, ResponseHead, ResponseLines, StatusCode, Target,
    Version,
};

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
    Block::of(fields.as_wire()).map(fields).ok_or(Unconvertible::TooLarge)
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
    let uri = uri(head, || block.slice(head.target()))?;
    with_parts(head, uri, block.map(head.fields()).ok_or(Unconvertible::TooLarge)?, body)
}

/// The same, of what a template has made of the head, if one did.
#[inline]
pub(crate) fn request_of<B>(head: &RequestHead, made: Option<Made>, body: B) -> Result<Request<B>, Unconvertible> {
    let Some(Made { headers, target }) = made else { return request(head, body) };
    let uri = match target {
        MadeTarget::Known(uri) => uri,
        MadeTarget::New(target) => uri(head, || target)?,
    };
    with_parts(head, uri, headers, body)
}

fn uri(head: &RequestHead, target: impl FnOnce() -> Bytes) -> Result<Uri, Unconvertible> {
    match head.target_form() {
        Some(Target::Asterisk) => Ok(Uri::from_static("*")),
        // The http crate asks for a slash or an authority in front; everything else was checked.
        _ => Uri::from_maybe_shared(target()).map_err(|_| Unconvertible::Target),
    }
}

#[inline]
fn with_parts<B>(head: &RequestHead, uri: Uri, headers: HeaderMap, body: B) -> Result<Request<B>, Unconvertible> {
    let mut request = Request::new(body);
    *request.method_mut() = match head.method() {
        Method::Get => http::Method::GET,
        Method::Head => http::Method::HEAD,
        Method::Post => http::Method::POST,
        Method::Put => http::Method::PUT,
        Method::Delete => http::Method::DELETE,
        other => http::Method::from_bytes(other.as_str().as_bytes()).map_err(|_| Unconvertible::TooLarge)?,
    };
    *request.uri_mut() = uri;
    *request.version_mut() = version(head.version());
    *request.headers_mut() = headers;
    Ok(request)
}

/// A response that was read, with `body`. A reason phrase of its own is kept as [`ReasonPhrase`] among the extensions.
///
/// # Errors
/// [`Unconvertible::TooLarge`]
pub fn response<B>(head: &ResponseHead, body: B) -> Result<Response<B>, Unconvertible> {
    response_of(head, header_map(head.fields())?, body)
}

/// The same with this map of its fields.
pub(crate) fn response_of<B>(head: &ResponseHead, headers: HeaderMap, body: B) -> Result<Response<B>, Unconvertible> {
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(head.status().as_u16()).map_err(|_| Unconvertible::TooLarge)?;
    *response.version_mut() = version(head.version());
    *response.headers_mut() = headers;
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

/// The head of a request to be sent to the origin of its URI: see [`RequestHead::to`].
///
/// ```
/// let (parts, ()) = http::Request::get("http://example.com/a?b[]=1|2").body(()).unwrap().into_parts();
/// assert_eq!(http_driver::convert::request_head(&parts).unwrap().target(), b"/a?b%5B%5D=1%7C2");
/// ```
///
/// # Errors
/// [`Unconvertible::Misuse`]; it is [`Misuse::Host`] if the URI has no authority and no `Host` is given.
pub fn request_head(parts: &request::Parts) -> Result<RequestHead, Unconvertible> {
    Ok(head_to(parts, false)?)
}

/// The same for a request that a proxy forwards.
pub(crate) fn forwarded_head(
    parts: &request::Parts,
    authorization: Option<&str>,
) -> Result<RequestHead, Unconvertible> {
    let mut head = head_to(parts, true)?;
    if let Some(value) = authorization.filter(|_| !head.fields().contains("Proxy-Authorization")) {
        head.fields_mut().push("Proxy-Authorization", value)?;
    }
    Ok(head)
}

/// What [`request_head`] makes, without a head: to be written as it lies in the parts.
pub(crate) fn request_lines(parts: &request::Parts) -> Result<RequestLines<'_, &HeaderMap>, Misuse> {
    let lines = RequestLines::new(method(parts)?, destination(parts, false), &parts.headers);
    Ok(lines.with_version(sent_version(parts)))
}

fn head_to(parts: &request::Parts, via_proxy: bool) -> Result<RequestHead, Misuse> {
    let mut head = RequestHead::to(method(parts)?, &destination(parts, via_proxy))?;
    push_all(head.fields_mut(), &parts.headers)?;
    Ok(head.with_version(sent_version(parts)))
}

#[inline]
fn method(parts: &request::Parts) -> Result<Method<'_>, Misuse> {
    method_of(&parts.method).ok_or(Misuse::Method)
}

/// The method by the core's name for it.
#[inline]
pub(crate) fn method_of(method: &http::Method) -> Option<Method<'_>> {
    // Most need no look at their letters.
    match *method {
        http::Method::GET => Some(Method::Get),
        http::Method::POST => Some(Method::Post),
        _ => Method::from_bytes(method.as_str().as_bytes()),
    }
}

/// The version that a request is sent as.
#[inline]
pub(crate) fn sent_version(parts: &request::Parts) -> Version {
    if parts.version == http::Version::HTTP_10 { Version::Http10 } else { Version::Http11 }
}

fn destination(parts: &request::Parts, via_proxy: bool) -> Destination<'_> {
    Destination {
        scheme: parts.uri.scheme_str(),
        authority: parts.uri.authority().map(Authority::as_str),
        path_and_query: parts.uri.path_and_query().map(PathAndQuery::as_str),
        via_proxy,
        own_host: !parts.headers.is_empty() && parts.headers.contains_key(http::header::HOST),
    }
}

/// The head of a response to be sent.
///
/// # Errors
/// [`Unconvertible::Misuse`]
pub fn response_head(parts: &response::Parts) -> Result<ResponseHead, Unconvertible> {
    if let Some(ReasonPhrase(reason)) = parts.extensions.get() {
        ResponseHead::with_reason_phrase(StatusCode::OK, reason)?;
    }
    Ok(lenient_response_head(parts)?)
}

/// The same, with the usual reason phrase where the given one may not be sent: it says nothing that a client acts on
/// (RFC 9112 §4).
pub(crate) fn lenient_response_head(parts: &response::Parts) -> Result<ResponseHead, Misuse> {
    let status = StatusCode::new(parts.status.as_u16()).ok_or(Misuse::Status)?;
    let own = parts.extensions.get().map(|ReasonPhrase(reason)| ResponseHead::with_reason_phrase(status, reason));
    let mut head = match own {
        Some(Ok(head)) => head,
        Some(Err(_)) | None => ResponseHead::new(status),
    };
    push_all(head.fields_mut(), &parts.headers)?;
    Ok(head)
}

/// What [`lenient_response_head`] makes, without a head: to be written as it lies in the map.
pub(crate) fn response_lines(parts: &response::Parts) -> Result<ResponseLines<'_, &HeaderMap>, Misuse> {
    let status = StatusCode::new(parts.status.as_u16()).ok_or(Misuse::Status)?;
    let lines = ResponseLines::new(status, &parts.headers);
    let may_say = |reason: &Bytes| ResponseHead::with_reason_phrase(status, reason).is_ok();
    Ok(match parts.extensions.get() {
        Some(ReasonPhrase(reason)) if may_say(reason) => lines.with_reason_phrase(reason),
        _ => lines,
    })
}

pub(crate) const fn version(version: Version) -> http::Version {
    match version {
        Version::Http10 => http::Version::HTTP_10,
        _ => http::Version::HTTP_11,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::HeaderValue;

    fn parts(method: &str, uri: Uri) -> request::Parts {
        Request::builder().method(method).uri(uri).body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_uri_is_taken_apart_for_the_core() {
        for (method, uri, direct, forwarded) in [
            ("GET", "http://u:p@a:1/b?c", "/b?c", "http://a:1/b?c"),
            ("GET", "http://a", "/", "http://a/"),
            ("GET", "http://a?b", "/?b", "http://a/?b"),
            ("CONNECT", "a:443", "a:443", "a:443"),
            ("CONNECT", "https://a", "a:443", "a:443"),
        ] {
            let parts = parts(method, uri.parse().unwrap());
            assert_eq!(request_head(&parts).unwrap().target(), direct.as_bytes(), "{method} {uri}");
            let head = forwarded_head(&parts, Some("Basic QTpC")).unwrap();
            assert_eq!(head.target(), forwarded.as_bytes(), "{method} {uri}");
            assert_eq!(head.fields().get("proxy-authorization"), Some(&b"Basic QTpC"[..]));
        }
    }

    #[test]
    fn an_asterisk_is_no_part_of_a_host() {
        let uri = || Uri::builder().scheme("http").authority("a").path_and_query("*").build().unwrap();
        let options = parts("OPTIONS", uri());
        assert_eq!(request_head(&options).unwrap().target(), b"*");
        assert_eq!(forwarded_head(&options, None).unwrap().target(), b"http://a");
        let get = parts("GET", uri());
        assert_eq!(request_head(&get).unwrap_err(), Unconvertible::Misuse(Misuse::Target));
        assert_eq!(forwarded_head(&get, None).unwrap_err(), Unconvertible::Misuse(Misuse::Target));
    }

    #[test]
    fn a_host_that_is_given_is_the_only_one() {
        let mut parts = parts("GET", "http://a/b".parse().unwrap());
        parts.headers.insert(http::header::HOST, HeaderValue::from_static("c"));
        let wire = request_head(&parts).unwrap().as_wire().to_vec();
        assert_eq!(wire, b"GET /b HTTP/1.1\r\nhost: c\r\n");
        parts.uri = Uri::from_static("/b");
        assert_eq!(request_head(&parts).unwrap().as_wire(), wire);
        parts.headers.clear();
        assert_eq!(request_head(&parts).unwrap_err(), Unconvertible::Misuse(Misuse::Host));
    }
}
