//! What a service's requests take from the heap, and what is held by whoever keeps a part of them. On the thread of the
//! test, over a transport in memory.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use benches::heap::{self, Counting};
use bytes::BytesMut;
use http::header::{CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Request, Response};
use http_core::{Config, Outbox};
use http_driver::server::{Connection, Options, serve_connection};
use http_driver::{Full, Incoming, Runtime, Timer, Transport, service_fn};

#[global_allocator]
static HEAP: Counting = Counting;

/// A client that sends each request when the answer to the one before has come.
struct Client<I> {
    requests: I,
    answered: bool,
}

impl<I: Iterator<Item = Vec<u8>>> Transport for Client<I> {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut, _: usize) -> Poll<io::Result<usize>> {
        if !std::mem::take(&mut self.answered) {
            // The next poll finds it.
            self.answered = true;
            return Poll::Pending;
        }
        let request = self.requests.next().unwrap_or_default();
        buffer.extend_from_slice(&request);
        Poll::Ready(Ok(request.len()))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        let mut slices = [&b""[..]; 8];
        let filled = outbox.slices(&mut slices);
        self.answered = false;
        Poll::Ready(Ok(slices[..filled].iter().map(|slice| slice.len()).sum()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A runtime whose time stands still.
#[derive(Clone)]
struct Still(Instant);

impl Runtime for Still {
    type Timer = Self;

    fn now(&self) -> Instant {
        self.0
    }

    fn timer(&self, _: Instant) -> Self {
        self.clone()
    }

    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) {}
}

impl Timer for Still {
    fn reset(&mut self, _: Instant) {}

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

/// Serves as many requests, each of which `look` sees.
fn serve(count: usize, request: impl Fn(usize) -> Vec<u8>, look: impl Fn(&Request<Incoming>)) {
    let client = Client { requests: (0..count).map(request), answered: true };
    let served = Rc::new(RefCell::new(0));
    let counter = served.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        look(&request);
        *counter.borrow_mut() += 1;
        async {
            let mut response = Response::new(Full::from("Hello, World!"));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
            Ok::<_, Infallible>(response)
        }
    });
    let connection = Connection::new(client, Still(Instant::now()), Arc::new(Config::default()));
    let mut serving = pin!(serve_connection(connection, service, Options::default(), None));
    let cx = &mut Context::from_waker(Waker::noop());
    let ended = (0..8 * count + 8).find_map(|_| match serving.as_mut().poll(cx) {
        Poll::Ready(ended) => Some(ended.is_ok()),
        Poll::Pending => None,
    });
    assert_eq!((ended, *served.borrow()), (Some(true), count));
}

fn get(path: &str, id: usize, agent: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: {agent}\r\nAccept: */*\r\n\
         Accept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\nX-Request-Id: {id:08}\r\n\r\n"
    )
    .into_bytes()
}

/// What each request takes from the heap, less what the client takes to write it.
fn allocations(request: impl Fn(usize) -> Vec<u8> + Copy) -> u64 {
    let of = |count: usize| {
        let before = heap::counts().allocations;
        serve(count, request, |_| {});
        heap::counts().allocations - before
    };
    // What the thread's connections share is there after the first one.
    let (_, short, long) = (of(120), of(20), of(120));
    let before = heap::counts().allocations;
    (0..100).for_each(|n| drop(request(n)));
    let clients = heap::counts().allocations - before;
    assert_eq!((long - short - clients) % 100, 0, "each costs the same");
    (long - short - clients) / 100
}

/// Two of them are the service's own, for the map of its answer.
#[test]
fn a_get_takes_few_allocations() {
    assert_eq!(allocations(|_| get("/plain", 0, "peer/1.0")), 4, "one like the other: two for the map of its fields");
    assert_eq!(allocations(|n| get("/plain", n, "peer/1.0")), 5, "and one for values that differ");
    assert_eq!(allocations(|n| get(&format!("/{n:04}"), n, "peer/1.0")), 5, "and for the target with them");
}

/// A value that is kept holds a block of about its own head's size, whatever came before on the connection.
#[test]
fn a_value_that_is_kept_holds_no_more_than_its_own_heads_size() {
    const COUNT: usize = 200;
    let kept = RefCell::new(Vec::with_capacity(COUNT));
    let keep = |request: &Request<Incoming>| kept.borrow_mut().push(request.headers()[USER_AGENT].clone());
    // A long head and a short one in turn, so that templates are made of either, or of none.
    let mut told = Vec::new();
    for turns in [1, 2, 3, 10] {
        let request = |n: usize| get("/", n, &"x".repeat(if n / turns % 2 == 0 { 1 } else { 1500 }));
        // What the thread's connections share is there after the first one.
        serve(COUNT, request, |_| {});
        let before = heap::counts().held;
        serve(COUNT, request, keep);
        let held = heap::counts().held - before;
        let heads: usize = (0..COUNT).map(|n| request(n).len()).sum();
        let shortest = request(0).len();
        let all = held;
        assert!(held <= 2 * heads as i64, "{held} bytes for heads of {heads}");
        kept.borrow_mut().retain(|value: &HeaderValue| value.len() == 1);
        let held = heap::counts().held - before;
        let most = (kept.borrow().len() * (2 * shortest + 128)) as i64;
        let count = kept.borrow().len();
        assert!(held <= most, "{held} bytes are held by values of short heads, at most {most}");
        kept.borrow_mut().clear();
        assert_eq!(heap::counts().held, before, "nothing is held when all is dropped");
        told.push((turns, all, heads, shortest, held, count));
    }
    // What is printed is kept where tests are run quietly, and would be counted.
    for (turns, all, heads, shortest, held, count) in told {
        println!(
            "{turns} in a row: {all} bytes are held for {COUNT} heads of {heads} bytes, the shortest of {shortest}; \
             {held} by {count} short ones alone"
        );
    }
}
