//! Answers that handlers should not give, and some that they may, for any stack of layers to carry.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, DATE, ETAG, LAST_MODIFIED, SERVER, SET_COOKIE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};

/// Frames, what is announced of them, and how they end.
#[derive(Debug, Default)]
pub(crate) struct Odd {
    frames: VecDeque<Frame<Bytes>>,
    hint: Option<u64>,
    then: Then,
    /// Whether the first poll has nothing to give yet.
    late: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Then {
    #[default]
    End,
    Fail,
    Panic,
}

impl Odd {
    fn full(content: &'static str) -> Self {
        Self { hint: Some(content.len() as u64), ..Self::stream(&[content]) }
    }

    fn stream(pieces: &[&'static str]) -> Self {
        Self { frames: pieces.iter().map(|piece| Frame::data(Bytes::from(*piece))).collect(), ..Self::default() }
    }

    const fn hint(mut self, length: u64) -> Self {
        self.hint = Some(length);
        self
    }

    const fn then(mut self, then: Then) -> Self {
        self.then = then;
        self
    }

    fn trailers(mut self, name: &'static str, value: &'static str) -> Self {
        let fields = [(HeaderName::from_static(name), HeaderValue::from_static(value))];
        self.frames.push_back(Frame::trailers(HeaderMap::from_iter(fields)));
        self
    }
}

impl Body for Odd {
    type Data = Bytes;
    type Error = std::fmt::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if std::mem::take(&mut self.late) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match (self.frames.pop_front(), self.then) {
            (Some(frame), _) => Poll::Ready(Some(Ok(frame))),
            (None, Then::End) => Poll::Ready(None),
            (None, Then::Fail) => Poll::Ready(Some(Err(std::fmt::Error))),
            (None, Then::Panic) => panic!("a body that panics on purpose"),
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.hint.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

fn with(body: Odd, fields: &[(HeaderName, &'static str)]) -> Response<Odd> {
    status(200, body, fields)
}

fn status(code: u16, body: Odd, fields: &[(HeaderName, &'static str)]) -> Response<Odd> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).expect("a status");
    for (name, value) in fields {
        response.headers_mut().append(name, HeaderValue::from_static(value));
    }
    response
}

const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const X: HeaderName = HeaderName::from_static("x-a");

/// Those of [`answer`], each asked for by some requests.
#[rustfmt::skip]
pub(crate) const NAMES: &[&str] = &[
    "fine", "empty", "stream", "stream-empty", "stream-late", "empty-frames", "many-frames", "sized-late",
    // Without content.
    "204", "204-length-0", "204-length-5", "204-content", "204-stream-empty", "204-stream", "204-chunked",
    "205", "205-length-0", "205-length-5", "205-content", "205-stream-empty", "205-stream",
    "304", "304-length-0", "304-length-5", "304-content", "304-stream-empty", "304-stream", "304-chunked", "304-fields",
    "100", "101", "101-upgrade", "101-content", "102", "103", "103-content",
    // Lengths that are not so.
    "hint-longer", "hint-shorter", "hint-shorter-late", "hint-zero", "length-longer", "length-shorter", "length-zero",
    "length-right", "length-beside-hint", "length-twice", "length-twice-differs", "length-list", "length-word",
    "length-signed", "length-leading-zero", "length-huge", "length-empty",
    // Bodies that do not end well.
    "fail-at-once", "fail-at-once-sized", "fail-midway", "fail-midway-sized", "fail-at-end-sized", "fail-empty-sized",
    "body-panics-at-once", "body-panics-midway",
    // Fields that are the server's.
    "connection-close", "connection-keep-alive", "connection-both", "connection-names-field", "connection-upgrade",
    "connection-empty", "connection-list-close", "keep-alive-field", "proxy-connection", "upgrade-field", "date",
    "date-twice", "date-word",
    "server", "te-chunked", "te-chunked-stream", "te-chunked-empty", "te-gzip", "te-gzip-stream", "te-gzip-chunked",
    "te-identity", "te-twice",
    "te-and-length", "te-and-length-stream", "te-upper",
    // Trailers.
    "trailers", "trailers-unannounced", "trailers-forbidden", "trailers-sized", "trailers-only", "trailers-then-data",
    "trailer-field-without",
    // Heads out of the ordinary.
    "version-10", "version-2", "status-299", "status-418", "status-599", "status-600", "status-999", "value-latin1",
    "value-empty",
    "value-tab", "cookies", "long-value", "long-head", "many-fields", "redirect", "unauthorized",
];

/// The answer of that name.
pub(crate) fn answer(name: &str) -> Option<Response<Odd>> {
    let two = || Odd::stream(&["hel", "lo"]);
    let none = Odd::default;
    let full = || Odd::full("hello");
    Some(match name {
        "fine" => with(full(), &[]),
        "empty" => with(Odd::full(""), &[]),
        "stream" => with(two(), &[]),
        "stream-empty" => with(none(), &[]),
        "stream-late" => with(Odd { late: true, ..two() }, &[]),
        "sized-late" => with(Odd { late: true, ..full() }, &[]),
        "empty-frames" => with(Odd::stream(&["", "hel", "", "lo", ""]), &[]),
        "many-frames" => with(Odd::stream(&["x"; 300]), &[]),

        "204" => status(204, Odd::full(""), &[]),
        "204-length-0" => status(204, none(), &[(CONTENT_LENGTH, "0")]),
        "204-length-5" => status(204, none(), &[(CONTENT_LENGTH, "5")]),
        "204-content" => status(204, full(), &[]),
        "204-stream-empty" => status(204, none(), &[]),
        "204-stream" => status(204, two(), &[]),
        "204-chunked" => status(204, none(), &[(TRANSFER_ENCODING, "chunked")]),
        "205" => status(205, Odd::full(""), &[]),
        "205-length-0" => status(205, none(), &[(CONTENT_LENGTH, "0")]),
        "205-length-5" => status(205, none(), &[(CONTENT_LENGTH, "5")]),
        "205-content" => status(205, full(), &[]),
        "205-stream-empty" => status(205, none(), &[]),
        "205-stream" => status(205, two(), &[]),
        "304" => status(304, Odd::full(""), &[]),
        "304-length-0" => status(304, none(), &[(CONTENT_LENGTH, "0")]),
        "304-length-5" => status(304, none(), &[(CONTENT_LENGTH, "5")]),
        "304-content" => status(304, full(), &[]),
        "304-stream-empty" => status(304, none(), &[]),
        "304-stream" => status(304, two(), &[]),
        "304-chunked" => status(304, none(), &[(TRANSFER_ENCODING, "chunked")]),
        "304-fields" => status(
            304,
            none(),
            &[(ETAG, "\"a\""), (LAST_MODIFIED, "Fri, 01 Jan 1999 00:00:00 GMT"), (CONTENT_LENGTH, "5")],
        ),
        "100" => status(100, Odd::full(""), &[]),
        "101" => status(101, Odd::full(""), &[]),
        "101-upgrade" => status(101, Odd::full(""), &[(CONNECTION, "upgrade"), (UPGRADE, "x")]),
        "101-content" => status(101, full(), &[(CONNECTION, "upgrade"), (UPGRADE, "x")]),
        "102" => status(102, Odd::full(""), &[]),
        "103" => status(103, Odd::full(""), &[(X, "1")]),
        "103-content" => status(103, full(), &[]),

        "hint-longer" => with(full().hint(10), &[]),
        "hint-shorter" => with(Odd::stream(&["hello!"]).hint(3), &[]),
        "hint-shorter-late" => with(Odd::stream(&["hel", "lo!"]).hint(3), &[]),
        "hint-zero" => with(full().hint(0), &[]),
        "length-longer" => with(two(), &[(CONTENT_LENGTH, "10")]),
        "length-shorter" => with(two(), &[(CONTENT_LENGTH, "3")]),
        "length-zero" => with(two(), &[(CONTENT_LENGTH, "0")]),
        "length-right" => with(two(), &[(CONTENT_LENGTH, "5")]),
        "length-beside-hint" => with(full(), &[(CONTENT_LENGTH, "10")]),
        "length-twice" => with(two(), &[(CONTENT_LENGTH, "5"), (CONTENT_LENGTH, "5")]),
        "length-twice-differs" => with(two(), &[(CONTENT_LENGTH, "5"), (CONTENT_LENGTH, "6")]),
        "length-list" => with(two(), &[(CONTENT_LENGTH, "5, 5")]),
        "length-word" => with(two(), &[(CONTENT_LENGTH, "five")]),
        "length-signed" => with(two(), &[(CONTENT_LENGTH, "+5")]),
        "length-leading-zero" => with(two(), &[(CONTENT_LENGTH, "05")]),
        "length-huge" => with(two(), &[(CONTENT_LENGTH, "99999999999999999999999")]),
        "length-empty" => with(two(), &[(CONTENT_LENGTH, "")]),

        "fail-at-once" => with(none().then(Then::Fail), &[]),
        "fail-at-once-sized" => with(none().hint(5).then(Then::Fail), &[]),
        "fail-midway" => with(two().then(Then::Fail), &[]),
        "fail-midway-sized" => with(two().hint(10).then(Then::Fail), &[]),
        "fail-at-end-sized" => with(two().hint(5).then(Then::Fail), &[]),
        "fail-empty-sized" => with(none().hint(0).then(Then::Fail), &[]),
        "body-panics-at-once" => with(none().then(Then::Panic), &[]),
        "body-panics-midway" => with(two().then(Then::Panic), &[]),

        "connection-close" => with(full(), &[(CONNECTION, "close")]),
        "connection-keep-alive" => with(full(), &[(CONNECTION, "keep-alive")]),
        "connection-both" => with(full(), &[(CONNECTION, "keep-alive"), (CONNECTION, "close")]),
        "connection-list-close" => with(full(), &[(CONNECTION, "x-a, Close"), (X, "1")]),
        "connection-names-field" => with(full(), &[(CONNECTION, "x-a"), (X, "1")]),
        "connection-upgrade" => with(full(), &[(CONNECTION, "upgrade"), (UPGRADE, "x")]),
        "connection-empty" => with(full(), &[(CONNECTION, "")]),
        "keep-alive-field" => with(full(), &[(KEEP_ALIVE, "timeout=5")]),
        "proxy-connection" => with(full(), &[(PROXY_CONNECTION, "close")]),
        "upgrade-field" => with(full(), &[(UPGRADE, "x")]),
        "date" => with(full(), &[(DATE, "Fri, 01 Jan 1999 00:00:00 GMT")]),
        "date-twice" => {
            with(full(), &[(DATE, "Fri, 01 Jan 1999 00:00:00 GMT"), (DATE, "Sat, 02 Jan 1999 00:00:00 GMT")])
        }
        "date-word" => with(full(), &[(DATE, "today")]),
        "server" => with(full(), &[(SERVER, "odd/1")]),
        "te-chunked" => with(full(), &[(TRANSFER_ENCODING, "chunked")]),
        "te-chunked-stream" => with(two(), &[(TRANSFER_ENCODING, "chunked")]),
        "te-chunked-empty" => with(Odd::full(""), &[(TRANSFER_ENCODING, "chunked")]),
        "te-gzip" => with(full(), &[(TRANSFER_ENCODING, "gzip")]),
        "te-gzip-stream" => with(two(), &[(TRANSFER_ENCODING, "gzip")]),
        "te-gzip-chunked" => with(two(), &[(TRANSFER_ENCODING, "gzip, chunked")]),
        "te-identity" => with(full(), &[(TRANSFER_ENCODING, "identity")]),
        "te-twice" => with(two(), &[(TRANSFER_ENCODING, "chunked"), (TRANSFER_ENCODING, "chunked")]),
        "te-upper" => with(two(), &[(TRANSFER_ENCODING, "Chunked")]),
        "te-and-length" => with(full(), &[(TRANSFER_ENCODING, "chunked"), (CONTENT_LENGTH, "5")]),
        "te-and-length-stream" => with(two(), &[(TRANSFER_ENCODING, "chunked"), (CONTENT_LENGTH, "5")]),

        "trailers" => with(two().trailers("x-a", "1"), &[(TRAILER, "x-a")]),
        "trailers-unannounced" => with(two().trailers("x-a", "1"), &[]),
        "trailers-forbidden" => with(two().trailers("content-length", "5"), &[(TRAILER, "content-length")]),
        "trailers-sized" => with(two().hint(5).trailers("x-a", "1"), &[(TRAILER, "x-a")]),
        "trailers-only" => with(none().trailers("x-a", "1"), &[(TRAILER, "x-a")]),
        "trailers-then-data" => {
            let mut body = two().trailers("x-a", "1");
            body.frames.push_back(Frame::data(Bytes::from("more")));
            with(body, &[(TRAILER, "x-a")])
        }
        "trailer-field-without" => with(two(), &[(TRAILER, "x-a")]),

        "version-10" | "version-2" => {
            let mut response = with(full(), &[]);
            *response.version_mut() = if name == "version-10" { Version::HTTP_10 } else { Version::HTTP_2 };
            response
        }
        "status-299" => status(299, full(), &[]),
        "status-418" => status(418, full(), &[]),
        "status-599" => status(599, full(), &[]),
        "status-600" => status(600, full(), &[]),
        "status-999" => status(999, full(), &[]),
        "value-latin1" => {
            let mut response = with(full(), &[]);
            response.headers_mut().insert(X, HeaderValue::from_bytes(b"caf\xe9").expect("obs-text is a value"));
            response
        }
        "value-empty" => with(full(), &[(X, "")]),
        "value-tab" => with(full(), &[(X, "a\tb")]),
        "cookies" => with(full(), &[(SET_COOKIE, "a=1; Path=/"), (SET_COOKIE, "b=2")]),
        "long-value" => {
            let mut response = with(full(), &[]);
            response.headers_mut().insert(X, HeaderValue::try_from("v".repeat(20_000)).expect("a value"));
            response
        }
        "long-head" => {
            let mut response = with(full(), &[]);
            for _ in 0..20 {
                response.headers_mut().append(X, HeaderValue::try_from("v".repeat(5_000)).expect("a value"));
            }
            response
        }
        "many-fields" => {
            let mut response = with(full(), &[]);
            for at in 0..300_u32 {
                response.headers_mut().append(X, HeaderValue::from(at));
            }
            response
        }
        "redirect" => status(303, Odd::full(""), &[(HeaderName::from_static("location"), "/plain")]),
        "unauthorized" => status(401, full(), &[(HeaderName::from_static("www-authenticate"), "Basic realm=\"a\"")]),
        _ => return None,
    })
}
