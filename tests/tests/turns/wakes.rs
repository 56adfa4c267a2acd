//! No wake-up is lost: whatever a poll reads, writes or learns is looked at before it returns `Pending`.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body::{Body, Frame};
use http_core::{Content, Fields, Method, RequestHead, ResponseHead, StatusCode};
use http_driver::client::{self, Builder, ConnectError, Connector, Origin};
use http_driver::server::{self, Options, serve_connection};
use http_driver::tls::TlsTransport;
use http_driver::{Full, Incoming, Runtime, Transport, Upgrade, service_fn};

use super::identity::Identity;
use super::stage::{Schedule, Side, Stage, Stream, Task, run, run_on};

/// How many operations the schedules decide: all of their orders are tried.
const LENGTH: u32 = 11;

/// Tries a scenario under all short schedules, and long ones by chance.
fn under_all_schedules(scenario: impl Fn(&Schedule, &dyn std::fmt::Debug)) {
    for bits in 0..1_u64 << LENGTH {
        scenario(&Schedule::new(bits, LENGTH), &format_args!("{bits:0$b}", LENGTH as usize));
    }
    let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..500 {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        scenario(&Schedule::new(bits, 64), &format_args!("{bits:064b}"));
    }
}

/// All of a body: a loop on its frames.
async fn all<B: Body<Data = Bytes> + Unpin>(mut body: B) -> Result<Vec<u8>, B::Error> {
    let mut content = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        if let Ok(data) = frame?.into_data() {
            content.extend_from_slice(&data);
        }
    }
    Ok(content)
}

/// A body whose frames come one by one, the task woken for each.
struct Dripping(Vec<&'static [u8]>, bool);

impl Body for Dripping {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.1 = !self.1;
        if self.1 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let this = &mut *self;
        if this.0.is_empty() {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(this.0.remove(0))))))
    }
}

/// A value that one task waits for and another one brings.
#[derive(Clone, Default)]
struct Promise(Arc<Mutex<(bool, Option<Waker>)>>);

impl Promise {
    fn keep(&self) {
        let mut state = self.0.lock().unwrap();
        state.0 = true;
        if let Some(waker) = state.1.take() {
            waker.wake();
        }
    }

    async fn kept(&self) {
        poll_fn(|cx| {
            let mut state = self.0.lock().unwrap();
            if state.0 {
                return Poll::Ready(());
            }
            state.1 = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

fn connection<T: Transport>(transport: T, stage: &Stage) -> server::Connection<T, Stage> {
    server::Connection::new(transport, stage.clone(), Arc::default())
}

/// Serves a connection to its end.
fn serves<S, B, F>(stream: Stream, stage: &Stage, service: S) -> Task
where
    S: FnMut(Request<Incoming>) -> F + 'static,
    F: Future<Output = Result<Response<B>, http_driver::Error>> + 'static,
    B: Body + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let connection = connection(stream, stage);
    Task::new(async move {
        if let Ok(Some(switched)) = serve_connection(connection, service_fn(service), Options::default(), None).await {
            switched.deliver();
        }
    })
}

const CHUNKED: &[&str] = &[
    "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
    "3\r\nabc\r\n",
    "4\r\nde",
    "fg\r\n",
    "0\r\n",
    "\r\n",
];

fn say(side: &Side, pieces: &[&str]) {
    pieces.iter().for_each(|piece| side.say(piece.as_bytes()));
}

fn heard(side: &Side) -> String {
    String::from_utf8(side.heard()).unwrap()
}

#[test]
fn s27_a_handler_that_loops_on_chunked_content() {
    under_all_schedules(|schedule, told| {
        let stage = Stage::default();
        let (near, far) = Side::pair(schedule, 4096);
        say(&far, CHUNKED);
        let server = serves(near.stream(), &stage, |request| async {
            Ok(Response::new(Full::from(all(request.into_body()).await?)))
        });
        far.end();
        run(vec![server], 1, &[&near], told);
        assert!(heard(&far).ends_with("\r\n\r\nabcdefg"), "{told:?}");
    });
}

/// What came with its head need not be waited for, and however it came the service gets the same.
#[test]
fn content_that_has_come_with_its_head_is_there_at_the_first_poll() {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 7\r\n\r\n";
    let wire = [head, "abcdefg"].concat();
    for cut in 0..=wire.len() {
        let comes_with_head = cut < head.len() || cut == wire.len();
        let stage = Stage::default();
        let (near, far) = Side::pair(&Schedule::default(), 4096);
        [&wire[..cut], &wire[cut..]].iter().filter(|piece| !piece.is_empty()).for_each(|piece| say(&far, &[piece]));
        let server = serves(near.stream(), &stage, move |request| async move {
            let mut body = request.into_body();
            let first = {
                let mut cx = Context::from_waker(Waker::noop());
                match Pin::new(&mut body).poll_frame(&mut cx) {
                    Poll::Ready(Some(Ok(frame))) => Some(frame.into_data().unwrap()),
                    Poll::Ready(_) => panic!("content is missing"),
                    Poll::Pending => None,
                }
            };
            assert!(first.is_some() || !comes_with_head, "cut at {cut}");
            let rest = all(body).await?;
            Ok(Response::new(Full::from([&first.unwrap_or_default()[..], &rest].concat())))
        });
        far.end();
        run(vec![server], 1, &[&near], &cut);
        let heard = heard(&far);
        assert!(heard.ends_with("\r\n\r\nabcdefg"), "cut at {cut}: {heard}");
    }
}

#[test]
fn content_beside_a_response_that_is_made_of_it() {
    under_all_schedules(|schedule, told| {
        let stage = Stage::default();
        let (near, far) = Side::pair(schedule, 40);
        say(&far, CHUNKED);
        let server = serves(near.stream(), &stage, |request| async { Ok(Response::new(request.into_body())) });
        far.end();
        run(vec![server], 1, &[&near], told);
        let heard = heard(&far);
        let content: String = heard.split("\r\n\r\n").nth(1).unwrap().split("\r\n").skip(1).step_by(2).collect();
        assert!(content.starts_with("abcdefg") && heard.ends_with("0\r\n\r\n"), "{told:?} {heard}");
    });
}

/// A body that is read where the connection is polled asks it, and is fed by it, without a wake of the task of both.
#[test]
fn content_that_is_read_within_its_connection_wakes_nobody() {
    let stage = Stage::default();
    let (near, far) = Side::pair(&Schedule::default(), 4096);
    let mut server = serves(near.stream(), &stage, |request| async {
        Ok(Response::new(Full::from(all(request.into_body()).await?.len().to_string())))
    });
    say(&far, &["POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 300\r\n\r\n"]);
    for _ in 0..3 {
        while server.run() || near.react() {}
        say(&far, &[&"x".repeat(100)]);
        assert!(near.react(), "it waits for content");
        assert!(server.run(), "content wakes it");
        assert!(!server.run(), "and nothing else does");
    }
    assert!(heard(&far).ends_with("\r\n\r\n300"));
}

/// Somebody who reads a body beside its connection, in the same task, is polled by nobody but that task.
#[test]
fn content_that_is_read_beside_its_connection_wakes_the_task_of_both() {
    for reads_first in [false, true] {
        under_all_schedules(|schedule, told| {
            let stage = Stage::default();
            let (near, far) = Side::pair(schedule, 4096);
            let (given, done) = (Arc::<Mutex<Option<Incoming>>>::default(), Promise::default());
            let (give, wait) = (given.clone(), done.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let (give, wait) = (give.clone(), wait.clone());
                async move {
                    let mut body = request.into_body();
                    // It is asked here first, and handed to somebody else then.
                    let mut first = Vec::new();
                    poll_fn(|cx| {
                        if let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(cx) {
                            first.extend_from_slice(&frame.into_data().unwrap());
                        }
                        Poll::Ready(())
                    })
                    .await;
                    *give.lock().unwrap() = Some(body);
                    wait.kept().await;
                    Ok::<_, Infallible>(Response::new(Full::from(first)))
                }
            });
            let connection = connection(near.stream(), &stage);
            let server = Task::new(async move {
                let mut serving = Box::pin(serve_connection(connection, service, Options::default(), None));
                let mut reading = Box::pin(async move {
                    let body = poll_fn(|cx| match given.lock().unwrap().take() {
                        Some(body) => Poll::Ready(body),
                        None => {
                            cx.waker().wake_by_ref();
                            Poll::Pending
                        }
                    });
                    all(body.await).await.unwrap();
                    done.keep();
                });
                let mut is_read = false;
                poll_fn(|cx| {
                    if reads_first && !is_read {
                        is_read = reading.as_mut().poll(cx).is_ready();
                    }
                    let served = serving.as_mut().poll(cx);
                    if !reads_first && !is_read {
                        is_read = reading.as_mut().poll(cx).is_ready();
                    }
                    served.map(drop)
                })
                .await;
            });
            say(&far, CHUNKED);
            far.end();
            run(vec![server], 1, &[&near], told);
            assert!(heard(&far).contains("HTTP/1.1 200 OK"), "{told:?}");
        });
    }
}

#[test]
fn s13_a_body_that_another_task_holds_beyond_the_answer() {
    under_all_schedules(|schedule, told| {
        let stage = Stage::default();
        let (near, far) = Side::pair(schedule, 4096);
        say(&far, &["POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\n", "abc", "def", "g"]);
        say(&far, &["GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"]);
        far.end();
        let taken = Arc::<Mutex<Vec<u8>>>::default();
        let (runtime, take) = (stage.clone(), taken.clone());
        let server = serves(near.stream(), &stage, move |request: Request<Incoming>| {
            let (runtime, take) = (runtime.clone(), take.clone());
            async move {
                if request.method() == "POST" {
                    let body = request.into_body();
                    runtime.spawn(async move {
                        let content = all(body).await.expect("it is read on");
                        take.lock().unwrap().extend(content);
                    });
                }
                Ok(Response::new(Full::from("done")))
            }
        });
        run(vec![server], 1, &[&near], told);
        assert_eq!(taken.lock().unwrap()[..], b"abcdefg"[..], "{told:?}");
        assert_eq!(heard(&far).matches("HTTP/1.1 200 OK").count(), 2, "{told:?}");
    });
}

#[test]
fn exchanges_pipelined_and_one_by_one() {
    under_all_schedules(|schedule, told| {
        let stage = Stage::default();
        let (near, far) = Side::pair(schedule, 50);
        say(&far, &["GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HT", "TP/1.1\r\nHost: a\r\n\r\n"]);
        say(&far, &["POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", "ab", "c"]);
        far.end();
        let mut connection = connection(near.stream(), &stage);
        let server = Task::new(async move {
            while let Some(mut exchange) = connection.accept().await.expect("all is well") {
                let mut length = 0;
                while let Some(piece) = exchange.content().await.expect("content comes") {
                    length += piece.len();
                }
                exchange.respond(&ResponseHead::new(StatusCode::OK), Content::Streaming).unwrap();
                exchange.write(Bytes::from(format!("{length} bytes"))).await.unwrap();
                exchange.end(&Fields::new()).unwrap();
                exchange.finish().await.unwrap();
            }
        });
        run(vec![server], 1, &[&near], told);
        let heard = heard(&far);
        assert_eq!(heard.matches("0 bytes").count(), 2, "{told:?} {heard}");
        assert_eq!(heard.matches("3 bytes").count(), 1, "{told:?} {heard}");
    });
}

#[test]
fn work_beside_an_exchange_and_the_end_of_its_client() {
    under_all_schedules(|schedule, told| {
        let stage = Stage::default();
        let (near, far) = Side::pair(schedule, 50);
        say(&far, &["GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"]);
        let (promise, other) = (Promise::default(), Promise::default());
        let (kept, seen) = (promise.clone(), other.clone());
        let mut connection = connection(near.stream(), &stage);
        let server = Task::new(async move {
            let mut exchange = connection.accept().await.unwrap().unwrap();
            exchange.drive(kept.kept()).await.unwrap();
            exchange.interim(&ResponseHead::new(StatusCode::EARLY_HINTS)).unwrap();
            exchange.flush().await.unwrap();
            seen.keep();
            assert!(exchange.disconnected().await.is_some());
            exchange.respond(&ResponseHead::new(StatusCode::OK), Content::Empty).unwrap();
            exchange.finish().await.unwrap();
            connection.finish().await;
        });
        let end = far.clone();
        let beside = Task::new(async move {
            promise.keep();
            other.kept().await;
            end.end();
        });
        run(vec![server, beside], 1, &[&near], told);
        let heard = heard(&far);
        assert!(heard.starts_with("HTTP/1.1 103 ") && heard.contains("HTTP/1.1 200 OK"), "{told:?} {heard}");
    });
}

#[test]
fn tunnels() {
    under_all_schedules(|schedule, told| {
        let stage = Stage::default();
        let (near, far) = Side::pair(schedule, 50);
        say(&far, &["GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nearly ", "and ", "late"]);
        far.end();
        let runtime = stage.clone();
        let done = Promise::default();
        let tell = done.clone();
        let server = serves(near.stream(), &stage, move |request: Request<Incoming>| {
            let (runtime, tell) = (runtime.clone(), tell.clone());
            async move {
                let upgrade = request.extensions().get::<Upgrade>().cloned().unwrap();
                runtime.spawn(async move {
                    let mut tunnel = upgrade.await.unwrap();
                    loop {
                        let bytes = tunnel.read().await.unwrap();
                        if bytes.is_empty() {
                            break;
                        }
                        tunnel.write(bytes).await.unwrap();
                    }
                    tunnel.end().await.unwrap();
                    tell.keep();
                });
                let response = Response::builder().status(101).header("upgrade", "x").header("connection", "upgrade");
                Ok(response.body(Full::default()).unwrap())
            }
        });
        let waits = Task::new(async move { done.kept().await });
        run(vec![waits, server], 1, &[&near], told);
        let heard = heard(&far);
        assert!(heard.starts_with("HTTP/1.1 101 ") && heard.ends_with("early and late"), "{told:?} {heard}");
    });
}

/// A client's exchange that sends and reads at once, against a service that sends back what it reads.
async fn converse<T: Transport>(transport: T, stage: Stage) {
    let mut connection = client::Connection::new(transport, stage, Arc::default());
    for _ in 0..2 {
        let head = RequestHead::new(Method::Post, "/").unwrap().with("Host", "a").unwrap();
        let mut exchange = connection.send(&head, Content::Streaming).unwrap();
        exchange.write(Bytes::from_static(b"one ")).await.unwrap();
        exchange.flush().await;
        let response = exchange.response().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let mut told = BytesMut::new();
        while told.len() < 4 {
            told.extend_from_slice(&exchange.content().await.unwrap().unwrap());
        }
        exchange.write(Bytes::from_static(b"two")).await.unwrap();
        exchange.end(&Fields::new()).await.unwrap();
        while let Some(piece) = exchange.content().await.unwrap() {
            told.extend_from_slice(&piece);
        }
        assert_eq!(told, "one two");
    }
}

#[test]
fn both_directions_at_once_between_client_and_server() {
    under_all_schedules(|schedule, told| {
        let stage = Stage::default();
        let (near, far) = Side::pair(schedule, 60);
        let client = Task::new(converse(far.stream(), stage.clone()));
        let server = serves(near.stream(), &stage, |request| async { Ok(Response::new(request.into_body())) });
        run(vec![client, server], 2, &[&near], told);
    });
}

#[test]
fn the_same_over_tls() {
    let identity = Identity::new();
    let both = |schedule: &Schedule, told: &dyn std::fmt::Debug| {
        let stage = Stage::default();
        let (near, far) = Side::pair(schedule, 300);
        let session = identity.session();
        let mut transport = TlsTransport::new(far.stream(), session.into());
        let clock = stage.clone();
        let client = Task::new(async move {
            poll_fn(|cx| transport.poll_handshake(cx)).await.unwrap();
            converse(transport, clock).await;
        });
        let mut transport = identity.acceptor.accept(near.stream()).unwrap();
        let clock = stage.clone();
        let server = Task::new(async move {
            poll_fn(|cx| transport.poll_handshake(cx)).await.unwrap();
            let echo = service_fn(|request: Request<Incoming>| async {
                Ok::<_, Infallible>(Response::new(request.into_body()))
            });
            let _ = serve_connection(connection(transport, &clock), echo, Options::default(), None).await;
        });
        run(vec![client, server], 2, &[&near], told);
    };
    let mut bits = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..300 {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        both(&Schedule::new(bits, 64), &format_args!("{bits:064b}"));
    }
}

/// Connects to a service that runs beside.
struct Beside {
    stage: Stage,
    schedule: Schedule,
    sides: Arc<Mutex<Vec<Side>>>,
}

impl Connector for Beside {
    type Transport = Stream;

    async fn connect(&self, _: &Origin) -> Result<Stream, ConnectError> {
        let (near, far) = Side::pair(&self.schedule, 60);
        let echo =
            service_fn(|request: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(request.into_body())) });
        let connection = connection(near.stream(), &self.stage);
        self.stage.spawn(async move {
            let _ = serve_connection(connection, echo, Options::default(), None).await;
        });
        self.sides.lock().unwrap().push(near);
        Ok(far.stream())
    }
}

#[test]
fn requests_of_a_pooled_client() {
    under_all_schedules(|schedule, told| {
        let stage = Stage::default();
        let sides = Arc::<Mutex<Vec<Side>>>::default();
        let connector = Beside { stage: stage.clone(), schedule: schedule.clone(), sides: sides.clone() };
        let client = Builder::new().build(connector, stage);
        let asks = Task::new(async move {
            for _ in 0..2 {
                let request =
                    Request::post("http://a/").body(Dripping(vec![b"one ", b"two ", b"three"], false)).unwrap();
                let response = client.request(request).await.expect("an answer");
                assert_eq!(all(response.into_body()).await.unwrap(), b"one two three");
            }
        });
        run_on(vec![asks], 1, &mut || sides.lock().unwrap().clone(), told);
    });
}
