//! Responses and requests from field lines that lie somewhere else, beside the same ones through a head: what is
//! written, how the connection stands after it, and what is refused.

use bytes::BytesMut;
use http_core::client::Readiness;
use http_core::{
    Config, Content, Destination, Instant, Method, Misuse, RequestHead, RequestLines, ResponseHead, ResponseLines,
    StatusCode, Version, client, server,
};
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use crate::source::Source;

const NOW: Instant = Instant::ZERO;

const REQUESTS: [&str; 9] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
    "GET / HTTP/1.0\r\n\r\n",
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n",
];

const NAMES: [&str; 16] = [
    "Content-Length",
    "content-length",
    "Transfer-Encoding",
    "transfer-encoding",
    "Connection",
    "connection",
    "Keep-Alive",
    "Upgrade",
    "Date",
    "date",
    "Trailer",
    "content-type",
    "x-field",
    "Set-Cookie",
    "X_Field!",
    "",
];

const VALUES: [&str; 18] = [
    "",
    "a",
    "3",
    "0",
    "3, 3",
    "chunked",
    "gzip, chunked",
    "identity",
    "close",
    "keep-alive",
    "Keep-Alive , x",
    "upgrade",
    "echo",
    "\u{fc}\tb",
    " a ",
    "a\r\nb: c",
    "a\0",
    "timeout=5",
];

type Line = (Vec<u8>, Vec<u8>);

/// One response, by both ways.
///
/// # Panics
/// If they differ.
pub fn response_lines(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let request = source.pick(&REQUESTS);
    let mut connection = server::Connection::new(Config::default().into(), NOW);
    if source.one_in(2) {
        connection.handle_date(*b"Sun, 06 Nov 1994 08:49:37 GMT");
    }
    let mut input = BytesMut::from(request);
    connection.poll_event(&mut input, NOW).expect("a good request").expect("an event");
    match source.below(5) {
        0 => connection.close(NOW),
        1 => connection.want_content(NOW),
        2 => drop(connection.poll_event(&mut input, NOW)),
        _ => {}
    }
    let status = source.pick(&[200, 204, 205, 206, 304, 404, 101, 100, 103, 500, 199, 600, 999]);
    let Some(status) = StatusCode::new(status) else { return };
    let reason = source.one_in(3).then(|| source.pick(&["", "OK", "Fine\tly", "a\nb", "\u{fc}", "\0"]));
    let content = content(&mut source);
    let lines = lines(&mut source, &NAMES[..15], &VALUES);
    compare(&connection, status, reason, &content, lines.iter().map(|(name, value)| (name, value)));

    // The same lines as a map has them: in its order, which is its own.
    compare(&connection, status, reason, &content, &map_of(&lines));
}

fn content(source: &mut Source<'_>) -> Content {
    match source.below(4) {
        0 => Content::Empty,
        1 => Content::Full(vec![b'x'; source.pick(&[0, 1, 3, 2048, 2049])].into()),
        2 => Content::Sized(source.pick(&[0, 1, 3, u64::MAX])),
        _ => Content::Streaming,
    }
}

fn map_of(lines: &[Line]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            map.append(name, value);
        }
    }
    map
}

/// Lines with names and values that mean something, or with whatever bytes.
fn lines(source: &mut Source<'_>, names: &[&str], values: &[&str]) -> Vec<Line> {
    let mut lines = Vec::new();
    for _ in 0..source.below(9) {
        let mut part = |common: &[&str]| {
            if source.one_in(24) {
                let length = source.below(40);
                source.take(length).to_vec()
            } else {
                source.pick(common).as_bytes().to_vec()
            }
        };
        lines.push((part(names), part(values)));
    }
    lines
}

fn compare<'a, F, N, V>(
    connection: &server::Connection,
    status: StatusCode,
    reason: Option<&'a str>,
    content: &Content,
    fields: F,
) where
    F: Clone + IntoIterator<Item = (&'a N, &'a V)>,
    N: AsRef<[u8]> + ?Sized + 'a,
    V: AsRef<[u8]> + ?Sized + 'a,
{
    let (mut by_head, mut head_content) = (connection.clone(), content.clone());
    let head = reason.map_or_else(|| Ok(ResponseHead::new(status)), |r| ResponseHead::with_reason_phrase(status, r));
    let head = fields.clone().into_iter().try_fold(head, |head, (name, value)| Ok(head?.with(name, value)));
    let head: Result<ResponseHead, Misuse> = head.and_then(|head| head);
    let expected = head.and_then(|head| by_head.offer_response(&head, &mut head_content, NOW));

    let (mut by_lines, mut lines_content) = (connection.clone(), content.clone());
    let mut lines = ResponseLines::new(status, fields);
    if let Some(reason) = reason {
        lines = lines.with_reason_phrase(reason.as_bytes());
    }
    let found = by_lines.offer_lines(&lines, &mut lines_content, NOW);
    assert_eq!(found, expected, "{lines:?}");
    let said = |machine: &server::Connection| {
        let mut slices = [&b""[..]; 64];
        let count = machine.transmit(&mut slices);
        slices[..count].concat()
    };
    assert_eq!(said(&by_lines), said(&by_head));
    assert!(by_lines.canonical(NOW) == by_head.canonical(NOW), "another state after {lines:?}");
    assert_eq!(lines_content, head_content, "what the caller keeps");
    if found.is_err() {
        assert!(by_lines.canonical(NOW) == connection.canonical(NOW), "a refused response left something");
        assert_eq!(lines_content, *content);
    }
}

const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "G T"];

const SCHEMES: [Option<&str>; 5] = [Some("http"), None, Some("HTTPS"), Some("ftp"), Some("1:/")];

const AUTHORITIES: [Option<&str>; 16] = [
    Some("a"),
    Some("a:80"),
    Some("u:p@A.example:8080"),
    Some("127.0.0.1:8080"),
    Some("[::1]"),
    Some("[::1]:81"),
    Some("u@[fe80::1%25eth0]:81"),
    Some("a:"),
    Some(":80"),
    Some("u@"),
    Some("a/b"),
    Some(" a "),
    Some("a\r\nb: c"),
    Some("a:99999"),
    Some("[::1"),
    None,
];

const PATHS: [Option<&str>; 12] = [
    Some("/"),
    Some("/a/b?c=d"),
    None,
    Some(""),
    Some("?c"),
    Some("*"),
    Some("/a?b[]=|"),
    Some("/ HTTP/1.1\r\n"),
    Some("/\u{fc}"),
    Some("//a"),
    Some("a"),
    Some(":1/c"),
];

const REQUEST_NAMES: [&str; 14] = [
    "Host",
    "host",
    "Content-Length",
    "transfer-encoding",
    "Connection",
    "connection",
    "Keep-Alive",
    "Upgrade",
    "TE",
    "Expect",
    "Trailer",
    "accept",
    "Cookie",
    "X_Field!",
];

const REQUEST_VALUES: [&str; 18] = [
    "",
    "a",
    "a:80",
    "127.0.0.1:8080",
    "A.example:8080",
    "3",
    "0",
    "chunked",
    "gzip, chunked",
    "close",
    "keep-alive",
    "Keep-Alive , te",
    "upgrade, TE",
    "100-continue",
    "trailers",
    " a ",
    "a\r\nb: c",
    "\u{fc}\tb",
];

/// One of the first few, more often than one of the others.
fn mostly<T: Clone>(source: &mut Source<'_>, from: &[T], few: usize) -> T {
    if source.one_in(6) { source.pick(from) } else { source.pick(&from[..few]) }
}

/// One request, by both ways.
///
/// # Panics
/// If they differ.
pub fn request_lines(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let mut config = Config::default();
    config.persistence.keep_alive = !source.one_in(4);
    config.persistence.http10_origin = source.one_in(6);
    config.persistence.pipelining = 2;
    let mut connection = client::Connection::new(config.into(), NOW);
    match source.below(16) {
        1 => connection.close(NOW),
        2 => {
            let head = RequestHead::new(Method::Get, "/").and_then(|head| head.with("Host", "b")).expect("a good head");
            let _ = connection.send_request(&head, Content::Empty, NOW);
        }
        _ => {}
    }
    let name = mostly(&mut source, &METHODS, 5);
    let method = Method::from_bytes(name.as_bytes()).unwrap_or(Method::Other(name));
    let destination = Destination {
        scheme: mostly(&mut source, &SCHEMES, 2),
        authority: mostly(&mut source, &AUTHORITIES, 7),
        path_and_query: mostly(&mut source, &PATHS, 5),
        via_proxy: source.one_in(3),
        own_host: source.one_in(6),
    };
    let version = if source.one_in(5) { Version::Http10 } else { Version::Http11 };
    let content = content(&mut source);
    let lines = lines(&mut source, &REQUEST_NAMES, &REQUEST_VALUES);
    let given = lines.iter().map(|(name, value)| (name, value));
    compare_requests(
        &connection,
        RequestLines::new(method, destination, given.clone()).with_version(version),
        &content,
        {
            let head = RequestHead::to(method, &destination).map(|head| head.with_version(version));
            given.fold(head, |head, (name, value)| head?.with(name, value))
        },
    );
    let map = map_of(&lines);
    compare_requests(&connection, RequestLines::new(method, destination, &map).with_version(version), &content, {
        let head = RequestHead::to(method, &destination).map(|head| head.with_version(version));
        map.iter().fold(head, |head, (name, value)| head?.with(name, value))
    });
}

fn compare_requests<'a, F, N, V>(
    connection: &client::Connection,
    lines: RequestLines<'a, F>,
    content: &Content,
    head: Result<RequestHead, Misuse>,
) where
    F: Clone + IntoIterator<Item = (&'a N, &'a V)>,
    N: AsRef<[u8]> + ?Sized + 'a,
    V: AsRef<[u8]> + ?Sized + 'a,
{
    let (mut by_head, mut by_lines) = (connection.clone(), connection.clone());
    let found = by_lines.send_lines(&lines, content.clone(), NOW);
    match (&head, connection.readiness()) {
        // Nothing is looked at where nothing can be sent.
        (Err(_), Readiness::Busy | Readiness::Closing) => assert!(found.is_err()),
        (Err(misuse), _) => assert_eq!(found, Err(*misuse), "{lines:?}"),
        (Ok(head), _) => {
            let expected = by_head.send_request(head, content.clone(), NOW);
            assert_eq!(found, expected, "{lines:?}, {head:?}");
            assert_eq!(lines.check(), Ok(()), "{lines:?}");
        }
    }
    if lines.check().is_err() {
        assert!(found.is_err(), "what may not be sent was: {lines:?}");
    }
    let said = |machine: &client::Connection| {
        let mut slices = [&b""[..]; 64];
        let count = machine.transmit(&mut slices);
        slices[..count].concat()
    };
    assert_eq!(said(&by_lines).escape_ascii().to_string(), said(&by_head).escape_ascii().to_string(), "{lines:?}");
    assert!(by_lines.canonical(NOW) == by_head.canonical(NOW), "another state after {lines:?}");
    assert!(by_lines.unanswered().eq(by_head.unanswered()));
    if found.is_err() {
        assert!(by_lines.canonical(NOW) == connection.canonical(NOW), "a refused request left something");
    }
}
