//! Exchanges by `http-core`, driven as a driver does it: read, poll, answer, write, ask what is wanted next.

use std::hint::black_box;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use http_core::{Config, Content, Instant, Method, RequestHead, ResponseHead, StatusCode, client, server};

use crate::wire::{ANSWER, CHUNKED_CONTENT, DATE, HELLO, SIX_FIELDS};

/// Room for one read, as a driver's buffer has.
const BUFFER: usize = 64 * 1024;

/// One turn of the clock, in nanoseconds: the engine is given another time on each turn, as it would be by a real one.
const TICK: u64 = 10_000;

struct Server {
    connection: server::Connection,
    input: BytesMut,
    answer: ResponseHead,
    now: Instant,
}

impl Server {
    fn new(config: Arc<Config>) -> Self {
        let mut connection = server::Connection::new(config, Instant::ZERO);
        connection.handle_date(DATE);
        let answer = ResponseHead::new(StatusCode::OK).with("Content-Type", "text/plain").expect("a field");
        Self { connection, input: BytesMut::with_capacity(BUFFER), answer, now: Instant::ZERO }
    }

    fn poll(&mut self) -> Option<server::Event> {
        self.connection.poll_event(&mut self.input, self.now).expect("a good request")
    }

    /// Reads the head of a request, arriving `read` bytes at a time.
    fn read_request_head(&mut self, wire: &[u8], read: usize) -> RequestHead {
        for piece in wire.chunks(read) {
            self.now = Instant::from_nanos(self.now.as_nanos() + TICK);
            append(&mut self.input, piece);
            if let Some(head) = self.poll_request_head() {
                return head;
            }
        }
        panic!("no request")
    }

    /// The figures of the `drip` rule count what happens in here, so nothing but the engine's work may; its name is
    /// given to callgrind.
    #[inline(never)]
    fn poll_request_head(&mut self) -> Option<RequestHead> {
        match self.connection.poll_event(&mut self.input, self.now) {
            Ok(Some(server::Event::Request(head))) => Some(head),
            Ok(None) => None,
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, request: RequestHead) {
        let content = Content::Full(Bytes::from_static(HELLO));
        self.connection.send_response(&self.answer, content, self.now).expect("an open request");
        self.connection.recycle(request);
    }

    /// Hands over what waits, and asks what the connection wants next.
    fn write(&mut self) -> usize {
        let mut written = 0;
        while self.connection.interest().write {
            let mut slices = [&b""[..]; 4];
            let filled = self.connection.transmit(&mut slices);
            let count = black_box(&slices[..filled]).iter().map(|slice| slice.len()).sum();
            self.connection.handle_sent(count, self.now);
            written += count;
        }
        black_box((self.connection.interest(), self.connection.poll_timeout()));
        written
    }

    fn get(&mut self, wire: &[u8], read: usize) {
        let request = self.read_request_head(black_box(wire), read);
        black_box(&request);
        assert!(matches!(self.connection.poll_event(&mut self.input, self.now), Ok(Some(server::Event::End(_)))));
        self.answer(request);
        assert!(matches!(self.connection.poll_event(&mut self.input, self.now), Ok(None)));
        assert!(self.write() > HELLO.len());
    }
}

/// As a read into the buffer does.
fn append(input: &mut BytesMut, bytes: &[u8]) {
    if input.capacity() - input.len() < bytes.len() {
        input.reserve(BUFFER);
    }
    match bytes {
        [byte] => input.put_u8(*byte),
        _ => input.put_slice(bytes),
    }
}

/// Of `wires` each holds one request; they come in turn.
pub(crate) fn server(exchanges: u64, wires: &[Vec<u8>], read: usize) {
    let mut server = Server::new(Arc::default());
    for (_, wire) in (0..exchanges).zip(wires.iter().cycle()) {
        server.get(wire, read);
    }
}

pub(crate) fn pipelined(exchanges: u64, wire: &[u8], depth: u64) {
    let mut server = Server::new(Arc::default());
    for _ in 0..exchanges / depth {
        server.now = Instant::from_nanos(server.now.as_nanos() + TICK);
        append(&mut server.input, black_box(wire));
        let mut answered = 0;
        while let Some(event) = server.poll() {
            match event {
                server::Event::Request(request) => {
                    black_box(&request);
                    assert!(matches!(server.poll(), Some(server::Event::End(_))));
                    server.answer(request);
                    answered += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(answered, depth);
        assert!(server.write() > HELLO.len());
    }
}

pub(crate) fn sink(exchanges: u64, wire: &[u8], read: usize) {
    let mut server = Server::new(Arc::default());
    for _ in 0..exchanges {
        let mut content = 0;
        let mut request = None;
        for piece in wire.chunks(read) {
            server.now = Instant::from_nanos(server.now.as_nanos() + TICK);
            append(&mut server.input, black_box(piece));
            while let Some(event) = server.poll() {
                match event {
                    server::Event::Request(head) => {
                        request = Some(head);
                        server.connection.want_content(server.now);
                    }
                    server::Event::Content(bytes) => content += black_box(bytes).len(),
                    server::Event::End(_) => server.answer(request.take().expect("a request")),
                    other => panic!("{other:?}"),
                }
            }
        }
        assert_eq!(content, CHUNKED_CONTENT);
        assert!(server.write() > HELLO.len());
    }
}

struct Client {
    connection: client::Connection,
    input: BytesMut,
    request: RequestHead,
    now: Instant,
}

impl Client {
    fn new(config: Arc<Config>) -> Self {
        let request = RequestHead::new(Method::Get, "/plain")
            .and_then(|head| head.with("host", "127.0.0.1:8080"))
            .and_then(|head| head.with("user-agent", "peer/1.0"))
            .and_then(|head| head.with("accept", "*/*"))
            .expect("a head");
        let connection = client::Connection::new(config, Instant::ZERO);
        Self { connection, input: BytesMut::with_capacity(BUFFER), request, now: Instant::ZERO }
    }

    fn get(&mut self, answer: &[u8]) {
        self.now = Instant::from_nanos(self.now.as_nanos() + TICK);
        self.connection.send_request(&self.request, Content::Empty, self.now).expect("an idle connection");
        let mut slices = [&b""[..]; 16];
        let filled = self.connection.transmit(&mut slices);
        let count = black_box(&slices[..filled]).iter().map(|slice| slice.len()).sum();
        self.connection.handle_sent(count, self.now);
        black_box((self.connection.interest(), self.connection.poll_timeout()));

        self.now = Instant::from_nanos(self.now.as_nanos() + TICK);
        append(&mut self.input, black_box(answer));
        let mut content = 0;
        let mut ended = false;
        while let Some(event) = self.connection.poll_event(&mut self.input, self.now).expect("a good response") {
            match event {
                client::Event::Response(head) => self.connection.recycle(black_box(head)),
                client::Event::Content(bytes) => content += black_box(bytes).len(),
                client::Event::End(_) => ended = true,
                other => panic!("{other:?}"),
            }
        }
        assert!(ended && content == HELLO.len());
        black_box((self.connection.interest(), self.connection.poll_timeout()));
    }
}

pub(crate) fn client(exchanges: u64, answer: &[u8]) {
    let mut client = Client::new(Arc::default());
    for _ in 0..exchanges {
        client.get(answer);
    }
}

/// A server's connection between two requests, its memory given back.
#[must_use]
pub fn idle_server(config: &Arc<Config>) -> server::Connection {
    let mut server = Server::new(config.clone());
    server.get(SIX_FIELDS, usize::MAX);
    server.connection.shrink();
    server.connection
}

/// A client's connection between two requests, its memory given back.
#[must_use]
pub fn idle_client(config: &Arc<Config>) -> client::Connection {
    let mut client = Client::new(config.clone());
    client.get(ANSWER);
    client.connection.shrink();
    client.connection
}
