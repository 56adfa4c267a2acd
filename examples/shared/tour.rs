//! The tour: every room of the house once, on real sockets, told as it happens.

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use super::engine;
use super::engine::Body;
use super::engine::client::{self, Builder, Client, Connector};
use super::engine::core::dispatch::{Backoff, Policy};
use super::engine::core::model::Recorder;
use super::engine::core::{Config, Content, Fields, Method, RequestHead, ResponseHead, StatusCode};
use super::engine::server::{Connection, Options, Shutdown, serve_connection};
use super::engine::{Full, Incoming, Runtime, Transport, service_fn};
use bytes::{Bytes, BytesMut};

use super::narrate::{Narrator, Recording};
use super::world::World;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// One line of the summary.
struct Row {
    scene: &'static str,
    outcome: Result<String, Error>,
}

/// Runs the tour; true if everything went as told.
pub(crate) async fn run<W: World>(world: W) -> bool {
    let tour = Tour { world, narrator: Narrator::new() };
    let rows = [
        Row { scene: "queue, back-off, connect, persist", outcome: tour.queue().await },
        Row { scene: "chunked upload with Expect", outcome: tour.upload().await },
        Row { scene: "64 MiB download", outcome: tour.download().await },
        Row { scene: "lost under GET: retried", outcome: tour.lost(Method::Get).await },
        Row { scene: "lost under POST: not retried", outcome: tour.lost(Method::Post).await },
        Row { scene: "slow client", outcome: tour.slow().await },
        Row { scene: "graceful shutdown", outcome: tour.shutdown().await },
    ];
    println!("\n{:<36} {:<4} what happened", "scene", "");
    println!("{}", "─".repeat(100));
    for row in &rows {
        match &row.outcome {
            Ok(text) => println!("{:<36} ok   {text}", row.scene),
            Err(error) => println!("{:<36} FAIL {error}", row.scene),
        }
    }
    rows.iter().all(|row| row.outcome.is_ok())
}

struct Tour<W> {
    world: W,
    narrator: Narrator,
}

impl<W: World> Tour<W> {
    async fn queue(&self) -> Result<String, Error> {
        self.narrator.scene("Three requests are queued before any server listens");
        // A port that was free a moment ago.
        let address = self.world.address(&self.world.listen(anywhere()).await?)?;
        let backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(1));
        let policy = Policy::default().connections_per_origin(1).connect_retries(8).backoff(backoff);
        let client = self.client(policy);
        let began = Instant::now();
        let requests = (1..=3).map(|n| get(&client, format!("http://{address}/{n}")));
        let mut requests: Vec<_> = requests.map(Box::pin).collect();
        let world = self.world.clone();
        let accepted = Arc::new(AtomicUsize::new(0));
        let counted = accepted.clone();
        let serving = async {
            world.sleep(Duration::from_millis(90)).await;
            self.narrator.tell("now a server listens");
            let listener = world.listen(address).await?;
            loop {
                let stream = world.accept(&listener).await?;
                counted.fetch_add(1, Ordering::SeqCst);
                world.runtime().spawn(serve_paths(Connection::new(stream, world.runtime(), Arc::default())));
            }
        };
        let answers = async {
            let mut answers = Vec::new();
            let mut waiting = std::mem::take(&mut requests);
            while !waiting.is_empty() {
                let (done, rest) = first_done(waiting).await;
                answers.push(done?.1);
                waiting = rest;
            }
            Ok::<_, Error>(answers)
        };
        let answers = either(answers, serving).await?;
        check(answers == ["/1", "/2", "/3"], &format!("answered in the order {answers:?}"))?;
        let connections = accepted.load(Ordering::SeqCst);
        check(connections == 1, &format!("{connections} connections were made"))?;
        Ok(format!("3 answered in order over 1 connection, {} ms after they were queued", began.elapsed().as_millis()))
    }

    async fn upload(&self) -> Result<String, Error> {
        self.narrator.scene("A chunked upload waits for 100 (Continue)");
        let listener = self.world.listen(anywhere()).await?;
        let address = self.world.address(&listener)?;
        let config = Arc::new(Config::default());
        let server = async {
            let stream = self.world.accept(&listener).await?;
            let tap = Some(self.narrator.tap("server"));
            let mut connection =
                Connection::with_early(stream, self.world.runtime(), config.clone(), BytesMut::new(), tap);
            let mut length = 0;
            if let Some(mut exchange) = connection.accept().await? {
                while let Some(piece) = exchange.content().await? {
                    length += piece.len();
                }
                exchange.respond(&ResponseHead::new(StatusCode::CREATED), Content::Empty)?;
                exchange.flush().await?;
            }
            connection.finish().await;
            Ok::<_, Error>(length)
        };
        let began = Instant::now();
        let client = async {
            let stream = self.world.connect(address).await?;
            let runtime = self.world.runtime();
            let recording = Recording(Arc::new(Mutex::new(Recorder::new(config.clone(), engine::core::Instant::ZERO))));
            let tap = recording.tap(self.narrator.tap("client"));
            let mut connection = client::Connection::with_tap(stream, runtime, config.clone(), Some(tap));
            let head = RequestHead::new(Method::Put, "/upload")?
                .with("Host", address.to_string())?
                .with("Expect", "100-continue")?;
            let mut exchange = connection.send(&head, Content::Streaming)?;
            for piece in ["first, ", "second, ", "third"] {
                exchange.write(Bytes::from_static(piece.as_bytes())).await?;
            }
            exchange.end(&Fields::new()).await?;
            let status = exchange.response().await?.status();
            exchange.finish().await?;
            drop(connection);
            let record = recording.0.lock().map_err(|_| "the recorder panicked")?.record().clone();
            Ok::<_, Error>((status, record))
        };
        let (length, (status, record)) = both(server, client).await?;
        check(length == 20 && status == StatusCode::CREATED, &format!("{status} for {length} bytes"))?;
        check(began.elapsed() < Duration::from_millis(900), "100 did not come; the client gave up waiting for it")?;
        record.replay(engine::core::client::Connection::new)?;
        Ok(format!(
            "{length} bytes after 100, answered {status}; {} recorded inputs replayed alike",
            record.steps().len()
        ))
    }

    async fn download(&self) -> Result<String, Error> {
        const SIZE: u64 = 64 << 20;
        self.narrator.scene("A download of 64 MiB, not told piece by piece");
        let listener = self.world.listen(anywhere()).await?;
        let address = self.world.address(&listener)?;
        let world = self.world.clone();
        self.world.runtime().spawn(async move {
            let Ok(stream) = world.accept(&listener).await else { return };
            let connection = Connection::new(stream, world.runtime(), Arc::default());
            super::routes::serve(connection, super::routes::Heads::new().into()).await;
        });
        let stream = self.world.connect(address).await?;
        let mut connection = client::Connection::new(stream, self.world.runtime(), Arc::default());
        let head = RequestHead::new(Method::Get, format!("/bytes/{SIZE}"))?.with("Host", address.to_string())?;
        let began = Instant::now();
        let mut exchange = connection.send(&head, Content::Empty)?;
        exchange.response().await?;
        let mut length = 0;
        while let Some(piece) = exchange.content().await? {
            length += piece.len() as u64;
        }
        let took = began.elapsed();
        check(length == SIZE, &format!("{length} bytes came"))?;
        let rate = length as f64 / took.as_secs_f64() / 1e9;
        Ok(format!("{length} bytes in {} ms, {rate:.2} GB/s", took.as_millis()))
    }

    async fn lost(&self, method: Method<'static>) -> Result<String, Error> {
        self.narrator.scene(&format!("A server closes a kept connection under a {}", method.as_str()));
        let listener = self.world.listen(anywhere()).await?;
        let address = self.world.address(&listener)?;
        let executed = Arc::new(AtomicUsize::new(0));
        let (world, seen) = (self.world.clone(), executed.clone());
        self.world.runtime().spawn(async move {
            // On the first connection the second request is received and never answered.
            let mut answers = 1;
            while let Ok(stream) = world.accept(&listener).await {
                let mut connection = Connection::new(stream, world.runtime(), Arc::default());
                for _ in 0..answers {
                    let Ok(Some(mut exchange)) = connection.accept().await else { break };
                    let content = Content::Full(Bytes::copy_from_slice(exchange.head().target()));
                    if exchange.respond(&ResponseHead::new(StatusCode::OK), content).is_err() {
                        break;
                    }
                    let _ = exchange.finish().await;
                }
                if connection.accept().await.is_ok_and(|exchange| exchange.is_some()) {
                    seen.fetch_add(1, Ordering::SeqCst);
                }
                answers = usize::MAX;
            }
        });
        let client = self.client(Policy::default().connections_per_origin(1));
        get(&client, format!("http://{address}/first")).await?;
        let request = http::Request::builder().method(method.as_str()).uri(format!("http://{address}/second"));
        let result = client.request(request.body(Full::from("content"))?).await;
        let times = executed.load(Ordering::SeqCst);
        match (method, result) {
            (Method::Get, Ok(response)) => Ok(format!("answered {} on a new connection", response.status())),
            (Method::Get, Err(error)) => Err(format!("not retried: {error}").into()),
            (_, Ok(_)) => Err("sent twice, though it may have taken effect".into()),
            (_, Err(error)) => {
                self.narrator.tell(&format!("error: {error}"));
                check(!error.is_safe_to_repeat() && times == 1, "the error does not say that repeating is unsafe")?;
                let failure = error.failure().ok_or("a failure says its cause")?;
                Ok(format!("failed while {}: {}; said to be unsafe to repeat", failure.phase, failure.cause))
            }
        }
    }

    async fn slow(&self) -> Result<String, Error> {
        self.narrator.scene("A client that never finishes its head is stopped");
        let listener = self.world.listen(anywhere()).await?;
        let address = self.world.address(&listener)?;
        let mut config = Config::default();
        config.timeouts.head = Duration::from_millis(150);
        let server = async {
            let stream = self.world.accept(&listener).await?;
            let tap = Some(self.narrator.tap("server"));
            let mut connection =
                Connection::with_early(stream, self.world.runtime(), Arc::new(config), BytesMut::new(), tap);
            let error = connection.accept().await.err().ok_or("the server went on waiting")?;
            connection.finish().await;
            Ok::<_, Error>(error)
        };
        // Not a client of this house: half a head, and then nothing.
        let stranger = std::thread::spawn(move || -> io::Result<Vec<u8>> {
            let mut stream = std::net::TcpStream::connect(address)?;
            stream.write_all(b"GET / HTTP/1.1\r\nHost: slow")?;
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer)?;
            Ok(answer)
        });
        let error = server.await?;
        while !stranger.is_finished() {
            self.world.sleep(Duration::from_millis(5)).await;
        }
        let answer = stranger.join().map_err(|_| "the stranger panicked")??;
        check(error.is_timeout(), &error.to_string())?;
        check(answer.starts_with(b"HTTP/1.1 408 "), &answer.escape_ascii().to_string())?;
        Ok("answered 408 and closed when the head deadline passed".to_owned())
    }

    async fn shutdown(&self) -> Result<String, Error> {
        self.narrator.scene("A server shuts down while a request is being answered");
        let listener = self.world.listen(anywhere()).await?;
        let address = self.world.address(&listener)?;
        let shutdown = Shutdown::new();
        let (world, handle) = (self.world.clone(), shutdown.clone());
        self.world.runtime().spawn(async move {
            let slow = world.clone();
            let service = service_fn(move |request: http::Request<Incoming>| {
                let world = slow.clone();
                async move {
                    if request.uri().path() == "/slow" {
                        world.sleep(Duration::from_millis(200)).await;
                    }
                    Ok::<_, std::convert::Infallible>(http::Response::new(Full::from("done")))
                }
            });
            for _ in 0..2 {
                let Ok(stream) = world.accept(&listener).await else { return };
                let connection = Connection::new(stream, world.runtime(), Arc::default());
                let serving = serve_connection(connection, service.clone(), Options::default(), Some(handle.watch()));
                world.runtime().spawn(async move { drop(serving.await) });
            }
        });
        let client = self.client(Policy::default());
        // One connection stays idle, on the other a request is under way.
        let idle = self.client(Policy::default());
        get(&idle, format!("http://{address}/quick")).await?;
        let began = Instant::now();
        let mut request = pin!(get(&client, format!("http://{address}/slow")));
        let answer = either(async { request.as_mut().await }, async {
            self.world.sleep(Duration::from_millis(80)).await;
            self.narrator.tell("the shutdown begins");
            shutdown.begin();
            std::future::pending::<Result<_, Error>>().await
        })
        .await?;
        shutdown.drained().await;
        check(answer.1 == "done" && answer.0 == Some("close".into()), &format!("answered {answer:?}"))?;
        let took = began.elapsed();
        check(took >= Duration::from_millis(190), "the request was cut short")?;
        Ok(format!(
            "the open request was answered with Connection: close, the idle connection closed, in {} ms",
            took.as_millis()
        ))
    }

    fn client(&self, policy: Policy) -> Client<W::Connector, W::Runtime> {
        let builder = Builder::new().policy(policy).observer(Arc::new(self.narrator.clone()));
        builder.build(self.world.connector(), self.world.runtime())
    }
}

/// Serves each request with its target, until the connection ends.
async fn serve_paths<T: Transport, R: Runtime>(mut connection: Connection<T, R>) {
    while let Ok(Some(mut exchange)) = connection.accept().await {
        let content = Content::Full(Bytes::copy_from_slice(exchange.head().target()));
        if exchange.respond(&ResponseHead::new(StatusCode::OK), content).is_err() {
            break;
        }
        let _ = exchange.finish().await;
    }
}

/// `Connection` and the content of a response.
async fn get<C, R>(client: &Client<C, R>, uri: String) -> Result<(Option<String>, String), Error>
where
    C: Connector,
    R: Runtime<Timer: Send> + Send + Sync + 'static,
{
    let response = client.request(http::Request::get(uri).body(Full::default())?).await?;
    let option = response.headers().get("connection").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut body = pin!(response.into_body());
    let mut content = String::new();
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        if let Some(data) = frame?.data_ref() {
            content.push_str(std::str::from_utf8(data)?);
        }
    }
    Ok((option, content))
}

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn check(holds: bool, otherwise: &str) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

/// Waits for both.
async fn both<A, B>(
    a: impl Future<Output = Result<A, Error>>,
    b: impl Future<Output = Result<B, Error>>,
) -> Result<(A, B), Error> {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut left, mut right) = (None, None);
    std::future::poll_fn(|cx| {
        if left.is_none() {
            if let Poll::Ready(result) = a.as_mut().poll(cx) {
                left = Some(result?);
            }
        }
        if right.is_none() {
            if let Poll::Ready(result) = b.as_mut().poll(cx) {
                right = Some(result?);
            }
        }
        match (left.take(), right.take()) {
            (Some(a), Some(b)) => Poll::Ready(Ok((a, b))),
            (a, b) => {
                (left, right) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}

/// Waits for `a`, or for `b` to fail.
async fn either<A>(
    a: impl Future<Output = Result<A, Error>>,
    b: impl Future<Output = Result<A, Error>>,
) -> Result<A, Error> {
    let (mut a, mut b) = (pin!(a), pin!(b));
    std::future::poll_fn(|cx| match a.as_mut().poll(cx) {
        Poll::Pending => b.as_mut().poll(cx),
        ready => ready,
    })
    .await
}

/// The first of some futures that is done, and the others.
async fn first_done<F: Future + Unpin>(mut futures: Vec<F>) -> (F::Output, Vec<F>) {
    let (index, output) = std::future::poll_fn(|cx| {
        for (index, future) in futures.iter_mut().enumerate() {
            if let Poll::Ready(output) = std::pin::Pin::new(future).poll(cx) {
                return Poll::Ready((index, output));
            }
        }
        Poll::Pending
    })
    .await;
    drop(futures.remove(index));
    (output, futures)
}
