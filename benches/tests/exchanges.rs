//! What a GET takes from the heap on a server's connection: at the service level, at the exchange level, and in the
//! core. Over memory, on one thread, so that every call counts. Where a figure falls, its bound here is to follow.

use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use benches::case::{Case, Engine};
use benches::heap::{self, Counting};
use benches::traffic::Kind;
use bytes::{Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use http_driver::server::{Connection, Options, serve_connection};
use http_driver::{Full, Incoming, Runtime, Timer, Transport, service_fn};
use http_tokio::core::{Config, Content, Outbox, ResponseHead, StatusCode};

#[global_allocator]
static HEAP: Counting = Counting;

/// A client over memory: it asks when it has its answers, and leaves after so many writes.
struct Asker {
    kind: Kind,
    /// What it writes next, made beforehand so that it is not counted.
    wire: Vec<u8>,
    asked: usize,
    most: usize,
    answered: bool,
    written: usize,
}

impl Asker {
    fn new(kind: Kind, most: usize) -> Self {
        Self { kind, wire: kind.wire(0), asked: 0, most, answered: true, written: 0 }
    }
}

impl Transport for Asker {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut, _: usize) -> Poll<io::Result<usize>> {
        if !std::mem::take(&mut self.answered) {
            return Poll::Pending;
        }
        if self.asked == self.most {
            return Poll::Ready(Ok(0));
        }
        self.asked += 1;
        buffer.extend_from_slice(&self.wire);
        Poll::Ready(Ok(self.wire.len()))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        let mut slices = [&b""[..]; 64];
        let filled = outbox.slices(&mut slices);
        let count = slices[..filled].iter().map(|slice| slice.len()).sum();
        self.written += count;
        self.answered = true;
        Poll::Ready(Ok(count))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        assert!(self.written >= self.asked * self.kind.depth() * 100, "not everything was answered");
        Poll::Ready(Ok(()))
    }
}

#[derive(Clone)]
struct Still(Instant);

struct Never;

impl Timer for Never {
    fn reset(&mut self, _: Instant) {}

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Runtime for Still {
    type Timer = Never;

    fn now(&self) -> Instant {
        self.0
    }

    fn timer(&self, _: Instant) -> Never {
        Never
    }

    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) {
        unreachable!("a server's connection spawns nothing")
    }
}

fn run<O>(future: impl Future<Output = O>) -> O {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

fn connection(kind: Kind, writes: usize) -> Connection<Asker, Still> {
    Connection::new(Asker::new(kind, writes), Still(Instant::now()), Arc::new(Config::default()))
}

fn service_level(kind: Kind, writes: usize) {
    let service = service_fn(|_: Request<Incoming>| async {
        let mut response = Response::new(Full::from("Hello, World!"));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        Ok::<_, Infallible>(response)
    });
    run(serve_connection(connection(kind, writes), service, Options::default(), None)).expect("served");
}

fn exchange_level(kind: Kind, writes: usize) {
    let head = ResponseHead::new(StatusCode::OK).with("Content-Type", "text/plain").expect("a field");
    let mut connection = connection(kind, writes);
    run(async {
        while let Some(mut exchange) = connection.accept().await.expect("a good request") {
            exchange.respond(&head, Content::Full(Bytes::from_static(b"Hello, World!"))).expect("an open request");
            exchange.finish().await.expect("answered");
        }
        connection.finish().await;
    });
}

fn core(kind: Kind, writes: usize) {
    let case = match kind {
        Kind::Six => Case::Get6,
        Kind::Browser => Case::Browser,
        Kind::Pipelined => Case::Pipelined16,
        _ => panic!("the core is asked for the others elsewhere"),
    };
    case.run(Engine::Ours, (writes * kind.depth()) as u64);
}

/// Allocations for each request.
fn allocations(kind: Kind, level: fn(Kind, usize)) -> f64 {
    let count = |writes| {
        let before = heap::counts().allocations;
        level(kind, writes);
        heap::counts().allocations - before
    };
    let (short, long) = (200, 1200);
    // What connections of a thread share is there before.
    count(short);
    (count(long) as f64 - count(short) as f64) / ((long - short) * kind.depth()) as f64
}

#[test]
fn a_get_allocates_no_more_than_it_did() {
    for kind in [Kind::Six, Kind::Browser, Kind::Pipelined] {
        // Buffers are made anew from time to time, which is the hundredths.
        for (name, level, most) in [
            ("service level", service_level as fn(Kind, usize), 4.02),
            ("exchange level", exchange_level, 0.02),
            ("core", core, 0.0),
        ] {
            let found = allocations(kind, level);
            println!("{}, {name}: {found:.3}, at most {most}", kind.name());
            assert!(found <= most, "{}, {name}: {found} allocations, at most {most}", kind.name());
        }
    }
}
