//! `Config::max_bytes_per_connection` holds, whatever peer and application do to a connection. In a process of their
//! own, so that nothing else counts.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use benches::heap::{self, Counting};
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use http_core::{
    Config, Content, Fields, Instant, Method, Outbox, RequestHead, ResponseHead, StatusCode, client, server,
};
use http_driver::server::{Options, serve_connection};
use http_driver::{Incoming, Runtime, Timer, Transport, service_fn};

#[global_allocator]
static HEAP: Counting = Counting;

const NOW: Instant = Instant::ZERO;

/// What is held while a connection is driven: the most of it, against the bound.
struct Watch {
    before: i64,
    /// The machine itself, which stands on the stack, and the input buffer.
    beside: usize,
    most: usize,
    bound: usize,
}

impl Watch {
    fn new(config: &Config, machine: usize) -> Self {
        let beside = machine + config.max_input_bytes();
        Self { before: heap::counts().held, beside, most: 0, bound: config.max_bytes_per_connection() }
    }

    fn look(&mut self) {
        let held = usize::try_from(heap::counts().held - self.before).unwrap_or(0);
        self.most = self.most.max(held + self.beside);
        assert!(self.most <= self.bound, "{} bytes are held, {} are the bound", self.most, self.bound);
    }

    /// A bound that is far away is none.
    fn end(&self) {
        assert!(self.most >= self.bound / 6, "at most {} bytes of {} were held", self.most, self.bound);
    }
}

fn configs() -> [Config; 3] {
    let mut small = Config::default();
    small.limits.head = 4096;
    small.limits.fields = 32;
    small.limits.trailers = 1024;
    small.limits.read_ahead = 2048;
    small.limits.send_buffer = 8192;
    let mut deep = Config::default();
    deep.limits.head = 16 * 1024;
    deep.limits.send_buffer = 1 << 20;
    deep.persistence.pipelining = 64;
    [Config::default(), small, deep]
}

/// The longest head that is taken, of many short fields: their table is the larger part.
fn longest(start_line: &str, config: &Config) -> Vec<u8> {
    let mut head = format!("{start_line}\r\nHost: a\r\n").into_bytes();
    let lines = config.limits.fields - 2;
    let each = (config.limits.head - head.len() - 2) / lines;
    for _ in 0..lines {
        head.extend_from_slice(b"x:");
        head.resize(head.len() + each.min(8000) - 4, b'y');
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
    assert!(head.len() <= config.limits.head);
    head
}

/// Fills the queue to the brim with pieces of this size; the rest of it is sent slowly, so that it never is empty.
fn overfill(
    piece: usize,
    linked: bool,
    watch: &mut Watch,
    mut send: impl FnMut(Option<Bytes>, &[u8]) -> bool,
    mut sent: impl FnMut(usize),
) {
    let copied = vec![b'z'; if linked { 0 } else { piece }];
    // The bytes to be copied are the application's.
    watch.before += i64::try_from(copied.len()).unwrap_or(0);
    for _ in 0..50 {
        loop {
            let taken = if linked { send(Some(Bytes::from(vec![b'z'; piece])), &[]) } else { send(None, &copied) };
            watch.look();
            if !taken {
                break;
            }
        }
        sent(piece * 3);
        watch.look();
    }
    watch.before -= i64::try_from(copied.len()).unwrap_or(0);
}

#[test]
fn a_server_stays_within_its_bound() {
    for config in configs() {
        for (piece, linked) in [(100, false), (2048, true), (2049, true), (2000, false)] {
            let config = Arc::new(config.clone());
            let mut watch = Watch::new(&config, size_of::<server::Connection>());
            let mut connection = server::Connection::new(config.clone(), NOW);
            let mut input = BytesMut::new();
            for _ in 0..3 {
                input.extend_from_slice(&longest("GET / HTTP/1.1", &config));
                // The input buffer is counted as large as it may be.
                let buffer = i64::try_from(input.capacity()).unwrap_or(0);
                watch.before += buffer;
                let Ok(Some(server::Event::Request(head))) = connection.poll_event(&mut input, NOW) else { panic!() };
                let _ = connection.poll_event(&mut input, NOW);
                watch.look();
                connection.recycle(head);
                connection.send_response(&ResponseHead::new(StatusCode::OK), Content::Streaming, NOW).unwrap();
                let cell = std::cell::RefCell::new(&mut connection);
                overfill(
                    piece,
                    linked,
                    &mut watch,
                    |bytes, copied| {
                        let mut connection = cell.borrow_mut();
                        match bytes {
                            Some(bytes) => connection.send_content(bytes, NOW),
                            None => connection.send_content_copy(copied, NOW),
                        }
                        .is_ok()
                    },
                    |count| cell.borrow_mut().handle_sent(count, NOW),
                );
                connection.send_end(&Fields::new(), NOW).unwrap();
                connection.handle_sent(usize::MAX, NOW);
                watch.before -= buffer;
                input = BytesMut::new();
                assert!(connection.poll_event(&mut input, NOW).unwrap().is_none());
            }
            watch.end();
        }
    }
}

#[test]
fn a_client_stays_within_its_bound() {
    for config in configs() {
        let config = Arc::new(config);
        let depth = config.persistence.pipelining;
        let get = RequestHead::new(Method::Get, "/").unwrap().with("Host", "a").unwrap();
        let post = RequestHead::new(Method::Post, "/").unwrap().with("Host", "a").unwrap();
        let mut watch = Watch::new(&config, size_of::<client::Connection>());
        let mut connection = client::Connection::new(config.clone(), NOW);
        for _ in 0..depth {
            connection.send_request(&get, Content::Empty, NOW).unwrap();
            watch.look();
        }
        connection.handle_sent(usize::MAX, NOW);
        for _ in 0..depth {
            let answer = longest("HTTP/1.1 200 OK\r\nContent-Length: 0", &config);
            let mut input = BytesMut::from(&answer[..]);
            let beside = i64::try_from(answer.capacity() + input.capacity()).unwrap();
            watch.before += beside;
            let event = connection.poll_event(&mut input, NOW).unwrap();
            watch.look();
            let Some(client::Event::Response(head)) = event else { panic!("{event:?}") };
            connection.recycle(head);
            let _ = connection.poll_event(&mut input, NOW).unwrap();
            watch.look();
            watch.before -= beside;
        }
        connection.send_request(&post, Content::Streaming, NOW).unwrap();
        let cell = std::cell::RefCell::new(&mut connection);
        overfill(
            2048,
            false,
            &mut watch,
            |_, copied| cell.borrow_mut().send_content_copy(copied, NOW).is_ok(),
            |count| cell.borrow_mut().handle_sent(count, NOW),
        );
        watch.end();
    }
}

/// A peer that sends without end and reads nothing.
struct Flood {
    first: Bytes,
    then: Vec<u8>,
    at: usize,
}

impl Transport for Flood {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        let first = self.first.split_to(most.min(self.first.len()));
        buffer.extend_from_slice(&first);
        let mut count = first.len();
        while count < most {
            let some = &self.then[self.at..];
            let some = &some[..some.len().min(most - count)];
            buffer.extend_from_slice(some);
            count += some.len();
            self.at = (self.at + some.len()) % self.then.len();
        }
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, _: &mut Outbox) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A clock that stands still.
#[derive(Clone)]
struct Still(std::time::Instant);

struct Never;

impl Timer for Never {
    fn reset(&mut self, _: std::time::Instant) {}

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Runtime for Still {
    type Timer = Never;

    fn now(&self) -> std::time::Instant {
        self.0
    }

    fn timer(&self, _: std::time::Instant) -> Never {
        Never
    }

    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) {
        unreachable!("a server's connection spawns nothing")
    }
}

/// An answer without end, which holds the content of its request unread.
struct Endless(Incoming);

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Self(held) = &*self;
        assert!(!held.is_end_stream() || held.size_hint().exact() == Some(0));
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 1000])))))
    }
}

#[test]
fn a_driver_stays_within_the_bound_of_its_connection() {
    for config in configs() {
        for (first, then) in [
            ("GET / HTTP/1.1", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked", "1\r\nx\r\n"),
            ("POST / HTTP/1.1\r\nContent-Length: 99999999999", "xxxxxxxx"),
        ] {
            let flood = Flood { first: longest(first, &config).into(), then: then.into(), at: 0 };
            let bound = i64::try_from(config.max_bytes_per_connection()).unwrap();
            let before = heap::counts().held;
            let connection =
                http_driver::server::Connection::new(flood, Still(std::time::Instant::now()), Arc::new(config.clone()));
            let service = service_fn(|request: http::Request<Incoming>| async {
                Ok::<_, Infallible>(http::Response::new(Endless(request.into_body())))
            });
            let mut serving = pin!(serve_connection(connection, service, Options::default(), None));
            let mut most = 0;
            for _ in 0..1000 {
                assert!(serving.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
                most = most.max(heap::counts().held - before);
            }
            // The peer's own bytes are counted as well; the driver queues half of what may wait.
            let least = i64::try_from(config.limits.read_ahead).unwrap();
            assert!((least..=bound).contains(&most), "{most} bytes are held, {bound} are the bound");
        }
    }
}
