//! Back-pressure is absolute: what a connection takes from its transport is bounded by what the application took of it,
//! however the connection is polled. Counted at the transport.

use std::convert::Infallible;
use std::future::{Future, pending, poll_fn};
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body::{Body, Frame};
use http_core::{Config, Content, Method, Outbox, RequestHead};
use http_driver::client::{self, Builder, ConnectError, Connector, Origin};
use http_driver::server::{self, Options, serve_connection};
use http_driver::tls::{TlsTransport, rustls};
use http_driver::{Full, Incoming, Transport, service_fn};

use super::identity::Identity;
use super::stage::{Stage, Task};

/// One read of the driver's, and the head that came before.
const ONE_READ: usize = 64 * 1024 + 1024;

/// A peer that never stops sending, counted.
#[derive(Clone)]
struct Flood {
    first: Bytes,
    then: &'static [u8],
    at: usize,
    taken: Arc<AtomicUsize>,
    /// Whether it reads as well.
    reads: bool,
}

impl Flood {
    fn new(first: &str, then: &'static [u8], reads: bool) -> Self {
        Self { first: Bytes::from(first.to_owned()), then, at: 0, taken: Arc::default(), reads }
    }
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
        self.taken.fetch_add(count, Ordering::SeqCst);
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        if self.reads { Poll::Ready(Ok(outbox.len())) } else { Poll::Pending }
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Runs a task until it sleeps, wakes it again and again, and lets time pass: less than any deadline.
fn press(stage: &Stage, future: impl Future<Output = ()> + 'static) {
    let mut task = Task::new(future);
    for _ in 0..200 {
        for _ in 0..1000 {
            if !task.run() {
                break;
            }
        }
        stage.pass(Duration::from_millis(20));
        task.wake();
    }
    assert!(!task.is_done(), "it goes on");
}

/// A body without end.
struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 1000])))))
    }
}

async fn next(body: &mut Incoming) -> Option<usize> {
    let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
    Some(frame.ok()?.data_ref().map_or(0, Bytes::len))
}

const LENGTH: &str = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000000\r\n\r\n";
const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

static DATA: [u8; 1000] = [b'x'; 1000];
const TINY: &[u8] = b"1\r\nx\r\n";
const LARGE_CHUNK: &[u8] = b"10\r\n0123456789abcdef\r\n";

/// What a service does with the requests that it is given.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Play {
    Sleeps,
    /// Reads one piece, then sleeps.
    ReadsOne,
    /// Drops the content, then sleeps.
    Drops,
    /// Answers without end, and holds the content unread.
    Streams,
    /// Answers without end, and has dropped the content.
    StreamsAlone,
}

fn service<T: Transport + 'static>(
    transport: T,
    stage: &Stage,
    play: Play,
    used: &Arc<AtomicUsize>,
) -> impl Future<Output = ()> + use<T> {
    let connection = server::Connection::new(transport, stage.clone(), Arc::new(patient()));
    let used = used.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let used = used.clone();
        async move {
            let mut body = request.into_body();
            let held = match play {
                Play::Drops | Play::StreamsAlone => None,
                Play::ReadsOne => {
                    used.fetch_add(next(&mut body).await.unwrap_or(0), Ordering::SeqCst);
                    Some(body)
                }
                Play::Sleeps | Play::Streams => Some(body),
            };
            if play == Play::Streams || play == Play::StreamsAlone {
                return Ok::<_, Infallible>(Response::new((Endless, held)).map(|(body, held)| {
                    // Held for as long as the test lasts.
                    std::mem::forget(held);
                    body
                }));
            }
            pending::<()>().await;
            drop(held);
            unreachable!()
        }
    });
    async move {
        let _ = serve_connection(connection, service, Options::default(), None).await;
    }
}

/// No deadline ends these tests.
fn patient() -> Config {
    let mut config = Config::default();
    config.timeouts.content = Duration::from_secs(3600);
    config.timeouts.content_rate = 0;
    config
}

#[test]
fn s1_s2_a_server_takes_no_more_than_is_wanted() {
    for (name, first, then) in [
        ("a length", LENGTH, &DATA[..]),
        ("tiny chunks", CHUNKED, TINY),
        ("chunks", CHUNKED, LARGE_CHUNK),
        ("pipelined requests", GET, GET.as_bytes()),
        (
            "pipelined requests with content",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n",
            GET.as_bytes(),
        ),
    ] {
        for play in [Play::Sleeps, Play::ReadsOne, Play::Drops, Play::Streams, Play::StreamsAlone] {
            for reads in [false, true] {
                let streams = matches!(play, Play::Streams | Play::StreamsAlone);
                if reads && streams {
                    // That is no back-pressure, it is an endless download.
                    continue;
                }
                let stage = Stage::default();
                let flood = Flood::new(first, then, reads);
                let (taken, used) = (flood.taken.clone(), Arc::<AtomicUsize>::default());
                press(&stage, service(flood, &stage, play, &used));
                let bound = used.load(Ordering::SeqCst) + Config::default().limits.read_ahead + ONE_READ;
                let taken = taken.load(Ordering::SeqCst);
                assert!(
                    taken <= bound,
                    "{name}, {play:?}, reads: {reads}: {taken} bytes were taken, {bound} are the bound"
                );
            }
        }
    }
}

#[test]
fn content_that_nobody_wants_is_bounded_as_well() {
    // The answer is out; what is left of the request is dropped within two budgets: of draining, and of lingering.
    let stage = Stage::default();
    let flood = Flood::new(LENGTH, &DATA, true);
    let taken = flood.taken.clone();
    let connection = server::Connection::new(flood, stage.clone(), Arc::new(patient()));
    let mut task = Task::new(async move {
        let done = service_fn(|_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Full::from("done"))) });
        let _ = serve_connection(connection, done, Options::default(), None).await;
    });
    while task.run() {}
    assert!(task.is_done());
    let limits = Config::default().limits;
    let bound = usize::try_from(limits.drain + limits.linger).unwrap() + limits.read_ahead + 2 * ONE_READ;
    let taken = taken.load(Ordering::SeqCst);
    assert!(taken <= bound, "{taken} of {bound}");
}

/// Never ready for a request.
struct Unready;

impl tower_service::Service<Request<Incoming>> for Unready {
    type Response = Response<Full>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Full>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn call(&mut self, _: Request<Incoming>) -> Self::Future {
        unreachable!("it never is ready")
    }
}

#[test]
fn a_service_that_is_not_ready() {
    let stage = Stage::default();
    let flood = Flood::new(GET, GET.as_bytes(), true);
    let taken = flood.taken.clone();
    let connection = server::Connection::new(flood, stage.clone(), Arc::new(patient()));
    press(&stage, async move {
        let _ = serve_connection(connection, Unready, Options::default(), None).await;
    });
    assert!(taken.load(Ordering::SeqCst) <= ONE_READ + Config::default().limits.read_ahead);
}

#[test]
fn an_exchange_that_is_driven() {
    let stage = Stage::default();
    let flood = Flood::new(LENGTH, &DATA, true);
    let taken = flood.taken.clone();
    let mut connection = server::Connection::new(flood, stage.clone(), Arc::new(patient()));
    press(&stage, async move {
        let mut exchange = connection.accept().await.unwrap().unwrap();
        let _ = exchange.content().await.unwrap();
        exchange.drive(pending::<()>()).await.unwrap();
    });
    let bound = 2 * ONE_READ + Config::default().limits.read_ahead;
    assert!(taken.load(Ordering::SeqCst) <= bound);
}

const OK_LENGTH: &str = "HTTP/1.1 200 OK\r\nContent-Length: 200000000\r\n\r\n";
const OK_CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const OK_CLOSE: &str = "HTTP/1.1 200 OK\r\n\r\n";

/// Connects to a flood that begins once it was written to.
struct Asked(Flood, bool);

impl Transport for Asked {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        if self.1 { self.0.poll_read(cx, buffer, most) } else { Poll::Pending }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        if !std::mem::replace(&mut self.1, true) {
            // The head, at least; then as the flood has it.
            return Poll::Ready(Ok(outbox.len()));
        }
        self.0.poll_write(cx, outbox)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_shutdown(cx)
    }
}

struct Line(Flood);

impl Connector for Line {
    type Transport = Asked;

    async fn connect(&self, _: &Origin) -> Result<Asked, ConnectError> {
        Ok(Asked(self.0.clone(), false))
    }
}

#[test]
fn c1_a_client_takes_no_more_than_is_wanted() {
    for (name, first, then) in [
        ("a length", OK_LENGTH, &DATA[..]),
        ("tiny chunks", OK_CHUNKED, TINY),
        ("chunks", OK_CHUNKED, LARGE_CHUNK),
        ("until the end", OK_CLOSE, &DATA[..]),
    ] {
        for reads in [false, true] {
            // Held, and one piece of it read.
            let stage = Stage::default();
            let flood = Flood::new(first, then, true);
            let (taken, used) = (flood.taken.clone(), Arc::<AtomicUsize>::default());
            let client = Builder::new().config(patient()).build(Line(flood), stage.clone());
            let tell = used.clone();
            let asks = async move {
                let request = Request::get("http://a/").body(Full::default()).unwrap();
                let mut body = client.request(request).await.expect("an answer").into_body();
                if reads {
                    tell.fetch_add(next(&mut body).await.unwrap(), Ordering::SeqCst);
                }
                pending().await
            };
            press_all(&stage, asks);
            let bound = used.load(Ordering::SeqCst) + Config::default().limits.read_ahead + ONE_READ;
            let taken = taken.load(Ordering::SeqCst);
            assert!(
                taken > 0 && taken <= bound,
                "{name}, reads: {reads}: {taken} bytes were taken, {bound} are the bound"
            );

            // An upload to a server that answers and does not read.
            let stage = Stage::default();
            let flood = Flood::new(first, then, false);
            let taken = flood.taken.clone();
            let mut connection = client::Connection::new(Asked(flood, false), stage.clone(), Arc::new(patient()));
            press(&stage, async move {
                let head = RequestHead::new(Method::Post, "/").unwrap().with("Host", "a").unwrap();
                let mut exchange = connection.send(&head, Content::Streaming).unwrap();
                loop {
                    exchange.write(Bytes::from_static(&DATA)).await.unwrap();
                }
            });
            let bound = Config::default().limits.read_ahead + ONE_READ;
            let taken = taken.load(Ordering::SeqCst);
            assert!(taken <= bound, "{name}, uploading: {taken} bytes were taken, {bound} are the bound");
        }
    }
}

/// The same for a future whose tasks are spawned on the stage.
fn press_all(stage: &Stage, future: impl Future<Output = ()> + 'static) {
    let mut tasks = vec![Task::new(future)];
    for _ in 0..200 {
        for _ in 0..1000 {
            tasks.extend(super::stage::spawned());
            let mut ran = false;
            for task in &mut tasks {
                ran |= task.run();
            }
            if !ran {
                break;
            }
        }
        stage.pass(Duration::from_millis(20));
        tasks.iter().for_each(Task::wake);
    }
    drop(tasks);
    drop(super::stage::spawned());
}

/// A client of TLS that never stops sending, counted in ciphertext.
struct Ciphered {
    session: rustls::ClientConnection,
    ready: Vec<u8>,
    first: &'static [u8],
    then: &'static [u8],
    taken: Arc<AtomicUsize>,
}

impl Transport for Ciphered {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        if self.ready.is_empty() && !self.session.is_handshaking() {
            self.session.writer().write_all(std::mem::take(&mut self.first)).unwrap();
            // Not a record for each of the smallest pieces.
            let many = self.then.repeat(4096 / self.then.len() + 1);
            self.session.writer().write_all(&many).unwrap();
        }
        while self.session.wants_write() {
            self.session.write_tls(&mut self.ready).unwrap();
        }
        let count = self.ready.len().min(most);
        if count == 0 {
            return Poll::Pending;
        }
        buffer.extend_from_slice(&self.ready[..count]);
        self.ready.drain(..count);
        self.taken.fetch_add(count, Ordering::SeqCst);
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        let mut slices = [&b""[..]; 16];
        let filled = outbox.slices(&mut slices);
        let bytes = slices[..filled].concat();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            self.session.read_tls(&mut rest).unwrap();
            self.session.process_new_packets().unwrap();
            let mut told = Vec::new();
            let _ = self.session.reader().read_to_end(&mut told);
        }
        cx.waker().wake_by_ref();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn tls_adds_a_record_and_a_buffer() {
    let identity = Identity::new();
    for (first, then) in [(LENGTH, &DATA[..]), (CHUNKED, TINY), (GET, GET.as_bytes())] {
        for play in [Play::Sleeps, Play::ReadsOne, Play::Drops] {
            let stage = Stage::default();
            let session = identity.session();
            let (taken, used) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
            let peer = Ciphered { session, ready: Vec::new(), first: first.as_bytes(), then, taken: taken.clone() };
            let mut transport: TlsTransport<Ciphered> = identity.acceptor.accept(peer).unwrap();
            let (clock, counts) = (stage.clone(), used.clone());
            press(&stage, async move {
                poll_fn(|cx| transport.poll_handshake(cx)).await.unwrap();
                service(transport, &clock, play, &counts).await;
            });
            // A record of 16 KiB, a buffer of ciphertext, the handshake; and what encryption adds to small records.
            let plain = used.load(Ordering::SeqCst) + Config::default().limits.read_ahead + ONE_READ;
            let bound = plain + plain / 10 + 16 * 1024 + 8 * 1024 + 4096;
            let taken = taken.load(Ordering::SeqCst);
            assert!(taken <= bound, "{first:?} {play:?}: {taken} bytes were taken, {bound} are the bound");
        }
    }
}

/// Content that comes in bursts: so many bytes at a time, then a pause.
struct Bursts {
    head: Bytes,
    bursts: std::vec::IntoIter<usize>,
    left: usize,
    /// How many bytes each read offered room for, and what it found.
    reads: Arc<Mutex<Vec<(usize, usize)>>>,
}

impl Transport for Bursts {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        if !self.head.is_empty() {
            let head = self.head.split_off(0);
            buffer.extend_from_slice(&head);
            return Poll::Ready(Ok(head.len()));
        }
        if self.left == 0 {
            let Some(next) = self.bursts.next() else { return Poll::Pending };
            self.left = next;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let count = self.left.min(most);
        buffer.resize(buffer.len() + count, b'x');
        self.left -= count;
        self.reads.lock().unwrap().push((most, count));
        Poll::Ready(Ok(count))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(outbox.len()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn reads_are_as_large_as_what_comes_at_a_time() {
    let (large, small) = (64 * 1024, 3000);
    let bursts = [vec![large; 4], vec![small; 8]].concat();
    let total: usize = bursts.iter().sum();
    let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", total + 1);
    let reads = Arc::<Mutex<Vec<_>>>::default();
    let stage = Stage::default();
    let transport = Bursts { head: head.into(), bursts: bursts.into_iter(), left: 0, reads: reads.clone() };
    let connection = server::Connection::new(transport, stage.clone(), Arc::new(patient()));
    let service = service_fn(|request: Request<Incoming>| async move {
        let mut body = request.into_body();
        while next(&mut body).await.is_some() {}
        Ok::<_, Infallible>(Response::new(Full::default()))
    });
    let mut task = Task::new(async move {
        let _ = serve_connection(connection, service, Options::default(), None).await;
    });
    while task.run() {}
    let reads = reads.lock().unwrap();
    // From the third burst on, one read takes all of it.
    let whole = reads.iter().filter(|(_, count)| *count == large).count();
    assert!(whole >= 2, "{reads:?}");
    // With room for the framing of a chunk, and one byte more, so that the transport knows that nothing is left.
    assert_eq!(reads.iter().map(|(room, _)| *room).max(), Some(large + 20 + 1), "{reads:?}");
    // Nobody keeps small pieces in large memory for long.
    let (room, count) = reads[reads.len() - 1];
    assert!(count == small && room <= 4 * small, "{reads:?}");
}
