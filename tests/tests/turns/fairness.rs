//! One connection does not keep its thread: a wake does so much, then others have their turn.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_core::{Config, Content, Method, Outbox, RequestHead, ResponseHead, StatusCode};
use http_driver::client;
use http_driver::server::{self, Options, Shutdown, serve_connection};
use http_driver::{Full, Incoming, Runtime, Timer, Transport, service_fn};

use super::stage::{Stage, Task};

/// A peer that has always something to say, and takes whatever it is told.
struct Busy {
    say: &'static [u8],
    at: usize,
    read: Rc<Cell<usize>>,
    written: Rc<Cell<usize>>,
}

impl Busy {
    fn new(say: &'static [u8]) -> Self {
        Self { say, at: 0, read: Rc::default(), written: Rc::default() }
    }
}

impl Transport for Busy {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        let mut count = 0;
        while count < most {
            let some = &self.say[self.at..];
            let some = &some[..some.len().min(most - count)];
            buffer.extend_from_slice(some);
            count += some.len();
            self.at = (self.at + some.len()) % self.say.len();
        }
        self.read.set(self.read.get() + count);
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        self.written.set(self.written.get() + outbox.len());
        Poll::Ready(Ok(outbox.len()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const ECHO: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789";

/// Runs the task for so many wakes; the most that `count` went up in one.
fn most_in_a_wake(task: &mut Task, wakes: usize, count: &Rc<Cell<usize>>) -> usize {
    let mut most = 0;
    for _ in 0..wakes {
        let before = count.get();
        assert!(task.run(), "it yields, and is woken");
        most = most.max(count.get() - before);
    }
    most
}

/// Serves a connection with a handler that takes so long.
fn serving(stage: &Stage, transport: Busy, takes: Duration, handled: &Rc<Cell<usize>>) -> Task {
    let connection = server::Connection::new(transport, stage.clone(), Arc::default());
    let (clock, handled) = (stage.clone(), handled.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        clock.pass(takes);
        handled.set(handled.get() + 1);
        async move { Ok::<_, Infallible>(Response::new(request.into_body())) }
    });
    Task::new(async move {
        let _ = serve_connection(connection, service, Options::default(), None).await;
    })
}

#[test]
fn s3_pipelined_requests_are_counted() {
    // The clock stands still: as where it is coarse, or paused.
    for say in [GET, ECHO] {
        let (stage, handled) = (Stage::default(), Rc::default());
        let mut task = serving(&stage, Busy::new(say), Duration::ZERO, &handled);
        let most = most_in_a_wake(&mut task, 100, &handled);
        assert!((20..=260).contains(&most), "{most} exchanges in one wake");
        assert!(stage.yields() >= 100 && handled.get() >= 2000);
    }
}

#[test]
fn s3_pipelined_requests_that_take_long_are_timed() {
    let (stage, handled) = (Stage::default(), Rc::default());
    let mut task = serving(&stage, Busy::new(GET), Duration::from_micros(20), &handled);
    let most = most_in_a_wake(&mut task, 100, &handled);
    assert!((10..=34).contains(&most), "{most} exchanges of 20 us in one wake");
    let (stage, handled) = (Stage::default(), Rc::default());
    let mut task = serving(&stage, Busy::new(GET), Duration::from_micros(500), &handled);
    let most = most_in_a_wake(&mut task, 100, &handled);
    assert!((1..=4).contains(&most), "{most} exchanges of 500 us in one wake");
}

#[test]
fn exchanges_of_the_lower_level_are_counted() {
    let (stage, handled) = (Stage::default(), Rc::<Cell<usize>>::default());
    let mut connection = server::Connection::new(Busy::new(GET), stage.clone(), Arc::default());
    let count = handled.clone();
    let mut task = Task::new(async move {
        while let Ok(Some(mut exchange)) = connection.accept().await {
            count.set(count.get() + 1);
            exchange.respond(&ResponseHead::new(StatusCode::OK), Content::Empty).unwrap();
            exchange.finish().await.unwrap();
        }
    });
    let most = most_in_a_wake(&mut task, 100, &handled);
    assert!((50..=260).contains(&most), "{most} exchanges in one wake");
}

/// One content without end, of tiny chunks: `say` begins it, and goes on.
struct Chunks(Busy, Bytes);

impl Transport for Chunks {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        let head = self.1.split_to(most.min(self.1.len()));
        if head.is_empty() {
            return self.0.poll_read(cx, buffer, most);
        }
        buffer.extend_from_slice(&head);
        Poll::Ready(Ok(head.len()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, outbox)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_shutdown(cx)
    }
}

/// A wake moves no more than this: a limit, one read and one write beyond it.
const MOST_BYTES: usize = 1024 * 1024 + 512 * 1024;

#[test]
fn content_is_counted_in_bytes() {
    for head in [
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000000\r\n\r\n",
    ] {
        // Read and dropped; and sent back.
        for echo in [false, true] {
            let stage = Stage::default();
            let busy = Busy::new(if head.contains("chunked") { b"1\r\nx\r\n" } else { &[b'x'; 1000] });
            let read = busy.read.clone();
            let transport = Chunks(busy, Bytes::from_static(head.as_bytes()));
            let connection = server::Connection::new(transport, stage.clone(), Arc::default());
            let service = service_fn(move |request: Request<Incoming>| async move {
                let mut body = request.into_body();
                if !echo {
                    use http_body::Body;
                    while std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await.is_some() {}
                }
                Ok::<_, Infallible>(Response::new(body))
            });
            let mut task = Task::new(async move {
                let _ = serve_connection(connection, service, Options::default(), None).await;
            });
            let most = most_in_a_wake(&mut task, 50, &read);
            assert!((60_000..=MOST_BYTES).contains(&most), "{most} bytes in one wake, echo: {echo}, {head:?}");
        }
    }
}

#[test]
fn a_client_that_is_flooded_yields() {
    let mut config = Config::default();
    config.limits.interim_responses = u32::MAX;
    let config = Arc::new(config);
    for (first, say) in [
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &b"1\r\nx\r\n"[..]),
        ("HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    ] {
        let (stage, seen) = (Stage::default(), Rc::<Cell<usize>>::default());
        let busy = Busy::new(say);
        let read = busy.read.clone();
        let transport = Chunks(busy, Bytes::from_static(first.as_bytes()));
        let mut connection = client::Connection::new(transport, stage.clone(), config.clone());
        let count = seen.clone();
        let mut task = Task::new(async move {
            let head = RequestHead::new(Method::Get, "/").unwrap().with("Host", "a").unwrap();
            let mut exchange = connection.send(&head, Content::Empty).unwrap();
            exchange.flush().await;
            while exchange.next_head().await.unwrap().status().is_interim() {
                count.set(count.get() + 1);
            }
            while exchange.content().await.unwrap().is_some() {
                count.set(count.get() + 1);
            }
        });
        let bytes = most_in_a_wake(&mut task, 50, &read);
        let events = most_in_a_wake(&mut task, 50, &seen);
        assert!(bytes <= MOST_BYTES && events <= 260 && events > 0, "{bytes} bytes and {events} events in one wake");
    }
}

#[test]
fn timers_and_a_shutdown_run_meanwhile() {
    let (stage, handled) = (Stage::default(), Rc::<Cell<usize>>::default());
    let shutdown = Shutdown::new();
    let connection = server::Connection::new(Busy::new(GET), stage.clone(), Arc::default());
    let (clock, count) = (stage.clone(), handled.clone());
    let service = service_fn(move |_: Request<Incoming>| {
        clock.pass(Duration::from_micros(20));
        count.set(count.get() + 1);
        async { Ok::<_, Infallible>(Response::new(Full::default())) }
    });
    let watch = shutdown.watch();
    let mut flooded = Task::new(async move {
        let _ = serve_connection(connection, service, Options::default(), Some(watch)).await;
    });
    let mut timer = stage.timer(stage.now() + Duration::from_millis(5));
    let mut timed = Task::new(std::future::poll_fn(move |cx| timer.poll(cx)));
    let began = stage.now();
    while !timed.is_done() {
        let _ = (flooded.run(), timed.run());
    }
    let late = stage.now() - began - Duration::from_millis(5);
    assert!(late < Duration::from_millis(1), "the timer is {late:?} late");
    shutdown.begin();
    let before = handled.get();
    while !flooded.is_done() {
        assert!(handled.get() - before < 100, "it goes on");
        flooded.run();
        stage.pass(Duration::from_secs(1));
    }
}

/// A runtime that looks at its sockets when the test says so, and lets those go on who yielded.
#[derive(Clone, Default)]
struct Deferring(Stage, Arc<Mutex<Vec<Waker>>>);

impl Runtime for Deferring {
    type Timer = super::stage::Alarm;

    fn now(&self) -> std::time::Instant {
        self.0.now()
    }

    fn timer(&self, at: std::time::Instant) -> Self::Timer {
        self.0.timer(at)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }

    fn poll_yield(&self, cx: &mut Context<'_>) {
        self.1.lock().unwrap().push(cx.waker().clone());
    }
}

#[test]
fn s3_who_yielded_does_nothing_before_others_had_their_turn() {
    // What is read of the body wakes the task that reads it, which is the connection's own.
    let runtime = Deferring::default();
    let busy = Busy::new(b"1\r\nx\r\n");
    let read = busy.read.clone();
    let head = Bytes::from_static(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    let connection = server::Connection::new(Chunks(busy, head), runtime.clone(), Arc::default());
    let service =
        service_fn(|request: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(request.into_body())) });
    let mut task = Task::new(async move {
        let _ = serve_connection(connection, service, Options::default(), None).await;
    });
    for _ in 0..20 {
        task.run();
        let (waiting, before) = (std::mem::take(&mut *runtime.1.lock().unwrap()), read.get());
        assert_eq!(waiting.len(), 1, "it has yielded, once");
        while task.run() {
            assert_eq!(read.get(), before, "it goes on by itself");
        }
        assert!(runtime.1.lock().unwrap().is_empty());
        waiting.into_iter().for_each(Waker::wake);
    }
    assert!(read.get() > 100_000);
}
