//! What either adapter does, told once.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_core::model::{Action, Input, Recorder, Tap};
use http_core::{Config, Content, Fields, Method, Phase, RequestHead, ResponseHead, StatusCode};
use http_driver::server::{Connection, Interim, Options, serve_connection};
use http_driver::{BoxTap, Incoming, Runtime, client, service_fn};

use crate::sockets::Outcome;
use crate::sockets::bodies::Told;
use crate::sockets::routes::{self, Heads};
use crate::sockets::servers::routes_server;
use crate::sockets::strangers::{PATIENCE, anywhere, stranger, talk};
use crate::sockets::world::World;

fn get(address: SocketAddr, path: &str) -> RequestHead {
    RequestHead::new(Method::Get, path).unwrap().with("Host", address.to_string()).unwrap()
}

async fn requests_share_a_connection<W: World>(world: W) -> Outcome {
    let address = routes_server(&world, Config::default()).await?;
    let stream = world.connect(address).await?;
    let mut connection = client::Connection::new(stream, world.runtime(), Arc::default());
    for n in 0..50 {
        let mut exchange = connection.send(&get(address, &format!("/{n}")), Content::Empty)?;
        assert_eq!(exchange.response().await?.status(), StatusCode::OK);
        let mut content = Vec::new();
        while let Some(piece) = exchange.content().await? {
            content.extend_from_slice(&piece);
        }
        assert_eq!(content, format!("GET /{n}\n").into_bytes());
    }
    assert_eq!(connection.machine().readiness(), http_core::client::Readiness::Idle);
    Ok(())
}

async fn pipelined_requests_are_answered_in_order<W: World>(world: W) -> Outcome {
    let address = routes_server(&world, Config::default()).await?;
    let mut wire = String::new();
    for n in 0..40 {
        let close = if n == 39 { "Connection: close\r\n" } else { "" };
        wire.push_str(&format!("POST /{n} HTTP/1.1\r\nHost: a\r\n{close}Content-Length: 3\r\n\r\nabc"));
    }
    let answer = stranger(&world, move || talk(address, wire.as_bytes())).await;
    let answer = String::from_utf8(answer)?;
    let seen: Vec<_> = answer.matches("POST /").collect();
    assert_eq!(seen.len(), 40);
    let places: Vec<_> = (0..40).map(|n| answer.find(&format!("POST /{n}\nabc")).unwrap()).collect();
    assert!(places.is_sorted());
    Ok(())
}

/// Keeps what a connection did.
#[derive(Clone)]
struct Recording(Arc<Mutex<Recorder>>);

impl Recording {
    fn new(config: Arc<Config>) -> Self {
        Self(Arc::new(Mutex::new(Recorder::new(config, http_core::Instant::ZERO))))
    }

    fn tap(&self) -> BoxTap {
        Box::new(self.clone())
    }
}

impl Tap for Recording {
    fn begin(&mut self, now: http_core::Instant) {
        self.0.lock().unwrap().begin(now);
    }

    fn step(&mut self, now: http_core::Instant, phase: Phase, input: &Input, actions: &[Action]) {
        self.0.lock().unwrap().step(now, phase, input, actions);
    }
}

async fn a_recorded_upload_replays_on_both_sides<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let config = Arc::new(Config::default());
    let (served, made) = (Recording::new(config.clone()), Recording::new(config.clone()));
    let tap = served.tap();
    let (server_world, server_config) = (world.clone(), config.clone());
    world.runtime().spawn(async move {
        let stream = server_world.accept(&listener).await.unwrap();
        let runtime = server_world.runtime();
        let connection = Connection::with_early(stream, runtime, server_config, BytesMut::new(), Some(tap));
        routes::serve(connection, Heads::new().into()).await;
    });
    let stream = world.connect(address).await?;
    let mut connection = client::Connection::with_tap(stream, world.runtime(), config, Some(made.tap()));
    let head = RequestHead::new(Method::Post, "/sink")?
        .with("Host", address.to_string())?
        .with("Expect", "100-continue")?
        .with("Connection", "close")?;
    let mut exchange = connection.send(&head, Content::Streaming)?;
    for size in [1_usize, 100, 10_000, 300_000] {
        exchange.write(Bytes::from(vec![b'x'; size])).await?;
    }
    let mut trailers = Fields::new();
    trailers.push("Digest", "none")?;
    exchange.end(&trailers).await?;
    assert_eq!(exchange.response().await?.status(), StatusCode::OK);
    assert_eq!(exchange.content().await?.unwrap(), "310101");
    assert!(exchange.content().await?.is_none());
    drop(exchange);
    drop(connection);
    let made = made.0.lock().unwrap().record().clone();
    assert!(made.steps().iter().any(|step| step.input.to_string().contains("100 Continue")));
    made.replay(http_core::client::Connection::new)?;
    let began = Instant::now();
    loop {
        let record = served.0.lock().unwrap().record().clone();
        record.replay(http_core::server::Connection::new)?;
        let over = record.steps().iter().any(|step| matches!(step.input, Input::Eof(_)));
        if over || began.elapsed() > PATIENCE {
            assert!(over, "the server did not see the client go");
            return Ok(());
        }
        world.sleep(Duration::from_millis(5)).await;
    }
}

async fn large_content_goes_both_ways<W: World>(world: W) -> Outcome {
    const SIZE: usize = 20_000_000;
    let address = routes_server(&world, Config::default()).await?;
    let stream = world.connect(address).await?;
    let mut connection = client::Connection::new(stream, world.runtime(), Arc::default());
    let head = RequestHead::new(Method::Post, "/sink")?.with("Host", address.to_string())?;
    let mut exchange = connection.send(&head, Content::Sized(SIZE as u64))?;
    let piece = Bytes::from(vec![b'x'; 100_000]);
    for _ in 0..SIZE / piece.len() {
        exchange.write(piece.clone()).await?;
    }
    exchange.end(&Fields::new()).await?;
    exchange.response().await?;
    assert_eq!(exchange.content().await?.unwrap(), SIZE.to_string());
    exchange.finish().await?;
    for path in ["bytes", "chunked"] {
        let mut exchange = connection.send(&get(address, &format!("/{path}/{SIZE}")), Content::Empty)?;
        exchange.response().await?;
        let mut length = 0;
        while let Some(piece) = exchange.content().await? {
            length += piece.len();
            // A reader that is slower than the sender.
            if length % 7 == 0 {
                world.sleep(Duration::from_micros(100)).await;
            }
        }
        assert_eq!(length, SIZE);
    }
    Ok(())
}

async fn a_server_killed_at_each_byte_is_never_taken_for_complete<W: World>(world: W) -> Outcome {
    let responses: [&[u8]; 2] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nT: 1\r\n\r\n",
    ];
    for response in responses {
        let listener = std::net::TcpListener::bind(anywhere())?;
        let address = listener.local_addr()?;
        let killer = std::thread::spawn(move || {
            for cut in 0..=response.len() {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 1000]).unwrap();
                stream.write_all(&response[..cut]).unwrap();
            }
        });
        for cut in 0..=response.len() {
            let stream = world.connect(address).await?;
            let mut connection = client::Connection::new(stream, world.runtime(), Arc::default());
            let mut exchange = connection.send(&get(address, "/"), Content::Empty)?;
            let result = async {
                exchange.response().await?;
                while exchange.content().await?.is_some() {}
                Ok::<_, http_driver::Error>(())
            };
            assert_eq!(result.await.is_ok(), cut == response.len(), "cut at {cut}");
        }
        killer.join().unwrap();
    }
    Ok(())
}

async fn a_client_killed_at_each_byte_harms_nobody_else<W: World>(world: W) -> Outcome {
    let address = routes_server(&world, Config::default()).await?;
    let wire = b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    stranger(&world, move || {
        for cut in 0..=wire.len() {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(&wire[..cut]).unwrap();
        }
    })
    .await;
    requests_are_still_answered(&world, address).await
}

async fn requests_are_still_answered<W: World>(world: &W, address: SocketAddr) -> Outcome {
    let stream = world.connect(address).await?;
    let mut connection = client::Connection::new(stream, world.runtime(), Arc::default());
    let mut exchange = connection.send(&get(address, "/plain"), Content::Empty)?;
    assert_eq!(exchange.response().await?.status(), StatusCode::OK);
    Ok(exchange.finish().await?)
}

async fn a_slow_head_is_answered_408<W: World>(world: W) -> Outcome {
    let mut config = Config::default();
    config.timeouts.head = Duration::from_millis(50);
    let address = routes_server(&world, config).await?;
    let answer = stranger(&world, move || talk(address, b"GET / HTTP/1.1\r\nHo")).await;
    assert!(answer.starts_with(b"HTTP/1.1 408 "), "{}", answer.escape_ascii());
    Ok(())
}

async fn an_idle_connection_is_closed<W: World>(world: W) -> Outcome {
    let mut config = Config::default();
    config.timeouts.idle = Duration::from_millis(50);
    let address = routes_server(&world, config).await?;
    let answer = stranger(&world, move || talk(address, b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    assert!(answer.ends_with(b"Hello, World!"), "{}", answer.escape_ascii());
    let nothing = stranger(&world, move || talk(address, b"")).await;
    assert!(nothing.is_empty());
    Ok(())
}

async fn services_send_interim_responses_and_trailers<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let server = world.clone();
    world.runtime().spawn(async move {
        let stream = server.accept(&listener).await.unwrap();
        let service = service_fn(|request: http::Request<Incoming>| async move {
            let interim = request.extensions().get::<Interim>().unwrap();
            interim.send(ResponseHead::new(StatusCode::EARLY_HINTS).with("Link", "</a>").unwrap());
            let body = Told::pieces(["one", "two"]).trailers(&[("digest", "none")]);
            Ok::<_, std::convert::Infallible>(http::Response::new(body))
        });
        let connection = Connection::new(stream, server.runtime(), Arc::default());
        let _ = serve_connection(connection, service, Options::default().interim(true), None).await;
    });
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = String::from_utf8(stranger(&world, move || talk(address, request)).await)?;
    assert!(answer.starts_with("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\ndigest: none\r\n\r\n"), "{answer}");
    Ok(())
}

/// Gives the request's content back.
async fn a_handler_that_answers_before_it_reads_lets_the_client_go_on<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let server = world.clone();
    world.runtime().spawn(async move {
        let stream = server.accept(&listener).await.unwrap();
        let echo = service_fn(|request: http::Request<Incoming>| async move {
            Ok::<_, std::convert::Infallible>(http::Response::new(request.into_body()))
        });
        let connection = Connection::new(stream, server.runtime(), Arc::default());
        let _ = serve_connection(connection, echo, Options::default(), None).await;
    });
    let answer = stranger(&world, move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head =
            b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n";
        stream.write_all(head).unwrap();
        let mut interim = [0; 25];
        stream.read_exact(&mut interim).unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream.write_all(b"hello").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    })
    .await;
    assert!(answer.ends_with(b"\r\n\r\nhello"), "{}", answer.escape_ascii());
    Ok(())
}

on_both! {
    requests_share_a_connection
    pipelined_requests_are_answered_in_order
    a_recorded_upload_replays_on_both_sides
    large_content_goes_both_ways
    a_server_killed_at_each_byte_is_never_taken_for_complete
    a_client_killed_at_each_byte_harms_nobody_else
    a_slow_head_is_answered_408
    an_idle_connection_is_closed
    services_send_interim_responses_and_trailers
    a_handler_that_answers_before_it_reads_lets_the_client_go_on
}
