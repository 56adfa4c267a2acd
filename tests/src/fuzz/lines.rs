//! Responses from field lines that lie somewhere else, beside the same ones through a head: what is written, how the
//! connection stands after it, and what is refused.

use bytes::BytesMut;
use http_core::{Config, Content, Instant, Misuse, ResponseHead, ResponseLines, StatusCode, server};
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
    let content = match source.below(4) {
        0 => Content::Empty,
        1 => Content::Full(vec![b'x'; source.pick(&[0, 1, 3, 2048, 2049])].into()),
        2 => Content::Sized(source.pick(&[0, 1, 3, u64::MAX])),
        _ => Content::Streaming,
    };
    let lines = lines(&mut source);
    compare(&connection, status, reason, &content, lines.iter().map(|(name, value)| (name, value)));

    // The same lines as a map has them: in its order, which is its own.
    let mut map = HeaderMap::new();
    for (name, value) in &lines {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            map.append(name, value);
        }
    }
    compare(&connection, status, reason, &content, &map);
}

/// Lines with names and values that mean something, or with whatever bytes.
fn lines(source: &mut Source<'_>) -> Vec<Line> {
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
        lines.push((part(&NAMES[..15]), part(&VALUES)));
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
