//! Heads that are like the ones before them, but for a line or a byte: what was read before changes nothing.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_core::client::ClientSide;
use http_core::server::ServerSide;
use http_core::{
    Config, Connection, Content, Fields, Framing, Instant, Method, Reason, RequestHead, ResponseHead, Side, StatusCode,
    client, server,
};

use super::bytes::config;
use crate::cut::Cut;
use crate::source::Source;

const NOW: Instant = Instant::ZERO;

const LINES: &[&str] = &[
    "Host: a\r\n",
    "Host: a\r\n",
    "Host: example.com:8080\r\n",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)\r\n",
    "Accept: */*\r\n",
    "Accept-Encoding: gzip, br\r\n",
    "Accept-Encoding: gzip, br, zstd\r\n",
    "Connection: keep-alive\r\n",
    "Connection: close\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 05\r\n",
    "Content-Length: 6\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Transfer-Encoding: gzip\r\n",
    "Content-Type: text/plain\r\n",
    "Cookie: a=1; b=2\r\n",
    "Set-Cookie: a=1\r\n",
    "Authorization: Basic YTpi\r\n",
    "X-Unknown: a\r\n",
    "X-Other:\r\n",
    "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n",
    "Expect: 100-continue\r\n",
    "TE: trailers\r\n",
];

const REQUEST_LINES: &[&str] = &[
    "GET / HTTP/1.1\r\n",
    "GET / HTTP/1.1\r\n",
    "GET /plain?a=b HTTP/1.1\r\n",
    "POST /a HTTP/1.1\r\n",
    "HEAD /a HTTP/1.1\r\n",
    "GET / HTTP/1.0\r\n",
];

const STATUS_LINES: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 404 Not Found\r\n",
    "HTTP/1.1 204 No Content\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nDate: a\r\n\r\nHTTP/1.1 200 OK\r\n",
    "HTTP/1.0 200 OK\r\n",
];

/// A head in parts that can be exchanged.
#[derive(Clone, Debug)]
struct Head {
    start: &'static str,
    lines: Vec<Vec<u8>>,
}

impl Head {
    fn choose(source: &mut Source<'_>, starts: &[&'static str]) -> Self {
        let lines = (0..source.below(9)).map(|_| source.pick(LINES).as_bytes().to_vec()).collect();
        Self { start: source.pick(starts), lines }
    }

    /// A few changes, or none.
    fn change(&mut self, source: &mut Source<'_>, starts: &[&'static str]) {
        if source.one_in(5) {
            self.start = source.pick(starts);
        }
        for _ in 0..source.below(4) {
            let (at, to) = (source.below(self.lines.len().max(1)), source.below(self.lines.len() + 1));
            match (source.below(12), self.lines.get_mut(at)) {
                (0, _) | (_, None) => self.lines.insert(to, source.pick(LINES).as_bytes().to_vec()),
                (1, Some(_)) => drop(self.lines.remove(at)),
                (2, Some(line)) => {
                    let line = line.clone();
                    self.lines.insert(to, line);
                }
                (3, Some(_)) => {
                    let last = self.lines.len() - 1;
                    self.lines.swap(at, to.min(last));
                }
                (4, Some(_)) => self.lines.insert(at + 1, source.pick(&[b" folded\r\n".to_vec(), b"\t\r\n".to_vec()])),
                (5, Some(line)) => replace(line, "\r\n", source.pick(&["\n", "\r", " \r\n", "\t\r\n", "\r\n\r\n"])),
                (6, Some(line)) => replace(line, ": ", source.pick(&[":", ":\t", ":  ", " : ", " "])),
                (7, Some(line)) => {
                    let length = source.below(line.len());
                    line.truncate(length);
                    line.extend_from_slice(b"\r\n");
                }
                (8, Some(line)) => {
                    let place = source.below(line.len());
                    line.insert(place, source.byte());
                }
                (9, Some(line)) => {
                    let place = source.below(line.len());
                    if let Some(byte) = line.get_mut(place) {
                        *byte ^= 0x20;
                    }
                }
                // A value that is new, as long as it was or longer.
                (10, Some(line)) => {
                    let place = line.len().saturating_sub(3);
                    if let Some(byte) = line.get_mut(place) {
                        *byte = b'0' + (source.byte() & 7);
                    }
                }
                (_, Some(line)) => {
                    let place = line.len().saturating_sub(2);
                    line.insert(place, b'x');
                }
            }
        }
    }

    fn wire(&self) -> Vec<u8> {
        [self.start.as_bytes(), &self.lines.concat(), b"\r\n"].concat()
    }
}

fn replace(line: &mut Vec<u8>, what: &str, with: &str) {
    if let Some(at) = line.windows(what.len()).position(|window| window == what.as_bytes()) {
        line.splice(at..at + what.len(), with.bytes());
    }
}

/// What a head led to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    /// The heads, their fields line by line, and what they say of themselves.
    heads: Vec<(String, Fields, Vec<Line>)>,
    /// The fault, and where it is in what was fed.
    fault: Option<(Reason, u64)>,
    /// What was sent since.
    sent: Vec<u8>,
    unread: Vec<u8>,
    /// Nothing of it is left, and the connection goes on.
    goes_on: bool,
}

/// Name and value.
type Line = (Vec<u8>, Vec<u8>);

fn lines(fields: &Fields) -> Vec<Line> {
    fields.raw().map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
}

/// The content that follows a head; none if it would be too much.
fn content(framing: Framing) -> Option<Vec<u8>> {
    match framing {
        Framing::None => Some(vec![]),
        Framing::Length(length) => (length < 100).then(|| vec![b'x'; usize::try_from(length).unwrap_or(0)]),
        Framing::Chunked => Some(b"1\r\na\r\n0\r\n\r\n".to_vec()),
        _ => None,
    }
}

/// What a connection has that reads one head after the other.
trait Reads: Side {
    type Head: Into<Fields>;
    fn connection(config: &Arc<Config>) -> Connection<Self>;
    /// Reads a head that comes in these pieces, and goes on to where the next one may come.
    fn read(fed: &mut Fed<Self>, pieces: &[&[u8]]) -> (Told, Option<Self::Head>);
}

/// A connection, its input, and how much of that was fed to it.
struct Fed<S> {
    machine: Connection<S>,
    input: BytesMut,
    count: u64,
}

impl Reads for ServerSide {
    type Head = RequestHead;

    fn connection(config: &Arc<Config>) -> server::Connection {
        server::Connection::new(config.clone(), NOW)
    }

    fn read(fed: &mut Fed<Self>, pieces: &[&[u8]]) -> (Told, Option<RequestHead>) {
        let (mut told, mut last, before) = (Told::default(), None, fed.count);
        let mut pieces = pieces.iter();
        loop {
            match fed.machine.poll_event(&mut fed.input, NOW) {
                Ok(Some(server::Event::Request(head))) => {
                    let words = format!("{} {}", head.target().escape_ascii(), head.expects_continue());
                    let words = format!("{head:?} {words} {:?}", head.framing());
                    told.heads.push((words, head.fields().clone(), lines(head.fields())));
                    fed.machine.want_content(NOW);
                    if pieces.len() == 0 && fed.input.is_empty() {
                        let Some(content) = content(head.framing()) else { break };
                        fed.feed(&content);
                    }
                    last = Some(head);
                }
                Ok(Some(server::Event::End(_))) => {
                    let answer = ResponseHead::new(StatusCode::OK);
                    if fed.machine.send_response(&answer, Content::Full(Bytes::from_static(b"a")), NOW).is_err() {
                        break;
                    }
                }
                Ok(Some(server::Event::Content(_))) => {}
                Ok(None) => match pieces.next() {
                    Some(piece) => fed.feed(piece),
                    None => break,
                },
                Ok(Some(_)) => break,
                Err(error) => {
                    told.fault = Some((error.reason(), error.offset() - before));
                    break;
                }
            }
            told.sent.extend(fed.sends());
        }
        told.sent.extend(fed.sends());
        let interest = fed.machine.interest();
        told.unread = fed.input.to_vec();
        told.goes_on = !fed.machine.is_answering()
            && told.unread.is_empty()
            && told.fault.is_none()
            && !interest.shutdown
            && !interest.close;
        (told, last)
    }
}

impl<S: Reads> Fed<S> {
    fn new(config: &Arc<Config>) -> Self {
        Self { machine: S::connection(config), input: BytesMut::new(), count: 0 }
    }

    fn read(&mut self, pieces: &[&[u8]]) -> (Told, Option<S::Head>) {
        S::read(self, pieces)
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        self.count += bytes.len() as u64;
    }

    fn sends(&mut self) -> Vec<u8> {
        let mut slices = [&b""[..]; 16];
        let count = self.machine.transmit(&mut slices);
        let wire = slices[..count].concat();
        self.machine.handle_sent(wire.len(), NOW);
        wire
    }
}

impl Reads for ClientSide {
    type Head = ResponseHead;

    fn connection(config: &Arc<Config>) -> client::Connection {
        client::Connection::new(config.clone(), NOW)
    }

    fn read(fed: &mut Fed<Self>, pieces: &[&[u8]]) -> (Told, Option<ResponseHead>) {
        let (mut told, mut last, before) = (Told::default(), None, fed.count);
        let request = RequestHead::new(Method::Get, "/").and_then(|head| head.with("Host", "a")).expect("a head");
        fed.machine.send_request(&request, Content::Empty, NOW).expect("an idle connection");
        let _ = fed.sends();
        let mut pieces = pieces.iter();
        loop {
            match fed.machine.poll_event(&mut fed.input, NOW) {
                Ok(Some(client::Event::Interim(head))) => {
                    told.heads.push((format!("{head:?}"), head.fields().clone(), lines(head.fields())));
                }
                Ok(Some(client::Event::Response(head))) => {
                    let words = format!("{head:?} {:?}", head.framing());
                    told.heads.push((words, head.fields().clone(), lines(head.fields())));
                    if pieces.len() == 0 && fed.input.is_empty() {
                        let Some(content) = content(head.framing()) else { break };
                        fed.feed(&content);
                    }
                    last = Some(head);
                }
                Ok(Some(client::Event::Content(_) | client::Event::End(_))) => {}
                Ok(None) => match pieces.next() {
                    Some(piece) => fed.feed(piece),
                    None => break,
                },
                Ok(Some(_)) => break,
                Err(error) => {
                    told.fault = Some((error.reason(), error.offset() - before));
                    break;
                }
            }
        }
        told.unread = fed.input.to_vec();
        told.goes_on = fed.machine.readiness() == client::Readiness::Idle && told.unread.is_empty();
        (told, last)
    }
}

/// A sequence of heads as the bytes choose them: one connection reads all of them, and another one each.
///
/// # Panics
/// If what was read before changes what is read.
pub fn head_sequence(bytes: &[u8]) {
    let mut source = Source::new(bytes);
    let config = Arc::new(config(source.byte()));
    if source.one_in(2) {
        sequence::<ClientSide>(&mut source, &config, STATUS_LINES);
    } else {
        sequence::<ServerSide>(&mut source, &config, REQUEST_LINES);
    }
}

fn sequence<S: Reads>(source: &mut Source<'_>, config: &Arc<Config>, starts: &[&'static str]) {
    let mut head = Head::choose(source, starts);
    let mut connection = Fed::<S>::new(config);
    // Nothing is compared with the first head of a connection, and with no change nothing comes to light.
    for _ in 0..40 {
        let wire = head.wire();
        let cut = match source.below(8) {
            0 => Cut::Bytes,
            1 => Cut::At(source.below(wire.len())),
            _ => Cut::Whole,
        };
        let (told, last) = connection.read(&cut.pieces(&wire));
        let mut fresh = Fed::<S>::new(config);
        let (expected, _) = fresh.read(&cut.pieces(&wire));
        assert_eq!(told, expected, "{}", wire.escape_ascii());
        for ((_, told, _), (_, expected, _)) in told.heads.iter().zip(&expected.heads) {
            assert_eq!(told.as_wire(), expected.as_wire());
        }
        if source.is_empty() {
            return;
        }
        if told.goes_on {
            match source.below(8) {
                0 => drop(connection.machine.take_memory()),
                1 => {
                    // Memory in which something else stands.
                    let mut other = Fed::<S>::new(config);
                    let mut changed = head.clone();
                    changed.change(source, starts);
                    for _ in 0..3 {
                        let (told, last) = other.read(&[&changed.wire()]);
                        last.into_iter().for_each(|head| other.machine.recycle(head));
                        if !told.goes_on {
                            break;
                        }
                    }
                    drop(connection.machine.take_memory());
                    connection.machine.give_memory(other.machine.take_memory());
                }
                2 => {
                    let mut fields = Fields::new();
                    (0..8).for_each(|_| fields.push("Content-Length", "77777").expect("a field"));
                    connection.machine.recycle(fields);
                }
                _ => last.into_iter().for_each(|head| connection.machine.recycle(head)),
            }
        } else {
            connection = Fed::<S>::new(config);
            head = Head::choose(source, starts);
        }
        if !source.one_in(3) {
            head.change(source, starts);
        }
    }
}
