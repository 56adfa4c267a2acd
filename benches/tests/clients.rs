//! What the client of the service level takes for each request, and its task for each connection: over memory, on one
//! thread, so that every call counts. With `REQUESTS` set it makes so many, for callgrind.

use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use benches::heap::{self, Counting};
use bytes::BytesMut;
use http::{Method, Request};
use http_body::Body;
use http_core::Outbox;
use http_driver::client::{Builder, Client, ConnectError, Connector, Origin};
use http_driver::{Full, Runtime, Timer, Transport};

#[global_allocator]
static HEAP: Counting = Counting;

/// Runs tasks when it is told to; its timers never fire.
#[derive(Clone, Default)]
struct Bench(Arc<Mutex<Tasks>>);

#[derive(Default)]
struct Tasks {
    tasks: Vec<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// The size of the last one that was spawned.
    size: usize,
}

impl Bench {
    /// Polls everything once.
    fn turn(&self, cx: &mut Context<'_>) {
        let mut tasks = std::mem::take(&mut self.0.lock().unwrap().tasks);
        tasks.retain_mut(|task| task.as_mut().poll(cx).is_pending());
        let mut all = self.0.lock().unwrap();
        tasks.append(&mut all.tasks);
        all.tasks = tasks;
    }

    fn run<O>(&self, future: impl Future<Output = O>) -> O {
        let cx = &mut Context::from_waker(Waker::noop());
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(cx) {
                return output;
            }
            self.turn(cx);
        }
    }
}

struct Never;

impl Timer for Never {
    fn reset(&mut self, _: Instant) {}

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

impl Runtime for Bench {
    type Timer = Never;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn timer(&self, _: Instant) -> Never {
        Never
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock().unwrap();
        tasks.size = size_of_val(&task);
        tasks.tasks.push(Box::pin(task));
    }
}

/// Answers each request as soon as it is written.
struct Echo {
    answers: usize,
}

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world!";

impl Transport for Echo {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut, _: usize) -> Poll<io::Result<usize>> {
        if self.answers == 0 {
            return Poll::Pending;
        }
        let count = self.answers * ANSWER.len();
        for _ in 0..std::mem::take(&mut self.answers) {
            buffer.extend_from_slice(ANSWER);
        }
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        let mut slices = [&b""[..]; 16];
        let filled = outbox.slices(&mut slices);
        let bytes = slices[..filled].concat();
        self.answers += bytes.windows(4).filter(|bytes| bytes == b"\r\n\r\n").count();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

struct Memory;

impl Connector for Memory {
    type Transport = Echo;

    async fn connect(&self, _: &Origin) -> Result<Echo, ConnectError> {
        Ok(Echo { answers: 0 })
    }
}

async fn get(client: &Client<Memory, Bench>) {
    ask(client, Method::GET).await;
}

async fn ask(client: &Client<Memory, Bench>, method: Method) {
    let request = Request::get("http://a.example/").method(method).header("accept", "*/*");
    let request = request.body(Full::default()).unwrap();
    let mut body = client.request(request).await.unwrap().into_body();
    let mut length = 0;
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        length += frame.unwrap().data_ref().map_or(0, |data| data.len());
    }
    assert_eq!(length, 13);
}

#[test]
fn a_request_of_a_client_and_the_task_of_its_connection_stay_small() {
    let bench = Bench::default();
    let client = Builder::new().build(Memory, bench.clone());
    let requests = std::env::var("REQUESTS").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
    bench.run(get(&client));
    let size = bench.0.lock().unwrap().size;
    let before = heap::counts();
    for _ in 0..requests {
        bench.run(get(&client));
    }
    let after = heap::counts();
    let allocations = (after.allocations - before.allocations) as f64 / f64::from(requests);
    println!("{allocations} allocations a request, a task of {size} bytes, {} bytes more", after.held - before.held);
    assert!(allocations <= 15.5, "{allocations} allocations");
    assert!(size <= 4096, "{size} bytes");
    assert_eq!(client.connections(), 1);
}

#[test]
fn connections_that_wait_in_a_pool_hold_little_from_the_first_moment() {
    let bench = Bench::default();
    let builder = Builder::new().max_connections(1000).max_connections_per_host(1000).pool_max_idle_per_host(1000);
    // A request that is not idempotent goes on a connection of its own.
    let client = builder.fresh_after_idle(Duration::ZERO).build(Memory, bench.clone());
    let mut before = 0;
    // As many as are known in tables that have just been filled, beyond those that keep what they work with.
    for count in 1..=512 {
        bench.run(ask(&client, Method::POST));
        assert_eq!(client.connections(), count);
        if count == 256 {
            before = heap::counts().held;
        }
    }
    let each = (heap::counts().held - before) / 256;
    println!("{each} bytes for a connection that waits");
    // 1.5 KB; a build of the whole workspace has the feature `tracing` on.
    assert!(each <= 1750, "{each} bytes");
}
