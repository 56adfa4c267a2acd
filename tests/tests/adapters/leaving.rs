//! Clients that leave, and exchanges that fail when their head is out: who is answered, who is let go, and when.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_core::{Config, Content, ResponseHead, StatusCode};
use http_driver::server::Connection;
use http_driver::{Incoming, Runtime};

use crate::sockets::bodies::{Then, Told};
use crate::sockets::clients::content;
use crate::sockets::servers::{Running, server};
use crate::sockets::strangers::{AT_ONCE, anywhere, dial, head, rest, stranger};
use crate::sockets::world::World;
use crate::sockets::{Outcome, eventually};

const PLAIN: &[u8] = b"GET /plain HTTP/1.1\r\nHost: a\r\n\r\n";

fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Told>, http_driver::Error>> + Send>>;

/// What the handlers of these tests do, by path.
fn answers<W: World>(
    world: &W,
    dropped: &Arc<AtomicUsize>,
) -> impl Fn(Request<Incoming>) -> Answer + Clone + Send + use<W> {
    struct Counts(Arc<AtomicUsize>);
    impl Drop for Counts {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let (world, dropped) = (world.clone(), dropped.clone());
    move |request| {
        let (world, counts) = (world.clone(), Counts(dropped.clone()));
        Box::pin(async move {
            let _counts = counts;
            let path = request.uri().path().to_owned();
            Ok(Response::new(match &path[..] {
                "/never" => std::future::pending().await,
                "/late" => {
                    world.sleep(Duration::from_millis(400)).await;
                    Told::sized(["late"])
                }
                "/longer" => Told::pieces(["123456"]).announced(3),
                "/longer-later" => Told::pieces(["12", "3456"]).announced(3),
                "/shorter" => Told::pieces(["12"]).announced(3),
                "/fails" => Told::pieces(["12"]).then(Then::Fail),
                "/fails-first" => Told::pieces([""; 0]).then(Then::Fail),
                "/silent" => Told::pieces(["12"]).then(Then::Wait),
                "/much" => Told::sized(vec![Bytes::from(vec![b'x'; 1 << 20]); 50]),
                "/read" => match content(request.into_body()).await {
                    Ok(content) => Told::sized([content]),
                    Err(_) => Told::sized(["cut"]),
                },
                _ => Told::sized(["plain"]),
            }))
        })
    }
}

async fn s6_an_answer_that_fails_after_its_head_ends_at_once<W: World>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), answers(&world, &Arc::default())).await?;
    let (address, shutdown) = (running.address, running.shutdown);
    stranger(&world, move || {
        for path in ["/longer", "/longer-later", "/shorter", "/fails", "/fails-first"] {
            // One that is complete goes before it; and content of the request is still to come.
            for rest_of_request in [&b""[..], b"POST /plain HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc"]
            {
                let stream = dial(address);
                let bytes = [PLAIN, &get(path), rest_of_request].concat();
                (&stream).write_all(&bytes).unwrap();
                let began = Instant::now();
                let (mut told, mut piece) = (Vec::new(), [0; 4096]);
                let end = loop {
                    match (&stream).read(&mut piece) {
                        Ok(0) => break None,
                        Ok(count) => told.extend_from_slice(&piece[..count]),
                        Err(error) => break Some(error.kind()),
                    }
                };
                let told = String::from_utf8(told).unwrap();
                assert!(end.is_none() || end == Some(ErrorKind::ConnectionReset), "{path}: {end:?} {told}");
                assert!(told.starts_with("HTTP/1.1 200 ") && told.contains("\r\n\r\nplain"), "{path}: {told}");
                assert!(!told.ends_with("0\r\n\r\n"), "{path}: nobody takes it for complete: {told}");
                assert!(began.elapsed() < AT_ONCE, "{path}: {:?}", began.elapsed());
                // The place is free though this side is still there.
                let began = Instant::now();
                while shutdown.connections() > 0 {
                    assert!(began.elapsed() < AT_ONCE, "{path}: the connection is still there");
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        }
        // Where the end of the stream would complete it, there is none.
        let stream = dial(address);
        (&stream).write_all(b"GET /fails HTTP/1.0\r\n\r\n").unwrap();
        let ended = (&stream).read_to_end(&mut Vec::new()).map_err(|error| error.kind());
        assert_eq!(ended, Err(ErrorKind::ConnectionReset));
    })
    .await;
    Ok(())
}

async fn s7_finish_returns_after_a_failed_write<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let (tell, told) = std::sync::mpsc::channel();
    let accepts = world.clone();
    world.runtime().spawn(async move {
        for ends in [true, false] {
            let stream = accepts.accept(&listener).await.unwrap();
            let mut connection = Connection::new(stream, accepts.runtime(), Arc::default());
            let mut exchange = connection.accept().await.unwrap().unwrap();
            exchange.respond(&ResponseHead::new(StatusCode::OK), Content::Sized(3)).unwrap();
            exchange.write(Bytes::from_static(b"123456")).await.unwrap_err();
            if ends {
                let _ = exchange.finish().await;
            } else {
                drop(exchange);
            }
            connection.finish().await;
            let _ = tell.send(());
        }
    });
    stranger(&world, move || {
        for _ in 0..2 {
            let stream = dial(address);
            (&stream).write_all(PLAIN).unwrap();
            told.recv_timeout(AT_ONCE).expect("it returns");
            assert!(rest(&stream).ends_with("\r\n\r\n"), "a head without its content");
        }
    })
    .await;
    Ok(())
}

async fn s11_handlers_of_clients_that_left_are_dropped<W: World>(world: W) -> Outcome {
    let dropped = Arc::<AtomicUsize>::default();
    let mut config = Config::default();
    config.timeouts.half_closed = Duration::from_millis(600);
    let running = Running::start(&world, server(&world).config(config), answers(&world, &dropped)).await?;
    let (address, shutdown) = (running.address, running.shutdown);
    let count = dropped.clone();
    stranger(&world, move || {
        let wait = |what: &str, holds: &dyn Fn() -> bool| {
            let began = Instant::now();
            while !holds() {
                assert!(began.elapsed() < AT_ONCE, "{what}: {:?}", shutdown);
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        // Reset: at once, also behind content that nobody reads.
        for bytes in [get("/never"), b"POST /never HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc".to_vec()] {
            let stream = dial(address);
            (&stream).write_all(&bytes).unwrap();
            wait("it is asked", &|| shutdown.exchanges() == 1);
            let before = count.load(Ordering::SeqCst);
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
            let began = Instant::now();
            drop(stream);
            wait("the handler is dropped", &|| count.load(Ordering::SeqCst) == before + 1);
            assert!(began.elapsed() < Duration::from_millis(550), "{:?}", began.elapsed());
            wait("the connection is gone", &|| shutdown.connections() == 0);
        }
        // An end in order, of many: bounded.
        let streams: Vec<_> = (0..50)
            .map(|_| {
                let stream = dial(address);
                (&stream).write_all(&get("/never")).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
                stream
            })
            .collect();
        wait("all are asked", &|| shutdown.served() == 52);
        drop(streams);
        wait("all are gone", &|| shutdown.connections() == 0 && count.load(Ordering::SeqCst) == 52);
        // A body that yields nothing any more.
        let stream = dial(address);
        (&stream).write_all(&get("/silent")).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert!(rest(&stream).ends_with("\r\n\r\n2\r\n12\r\n"));
        wait("it is gone", &|| shutdown.connections() == 0);
    })
    .await;
    Ok(())
}

async fn s11_who_has_only_ended_its_side_is_answered<W: World>(world: W) -> Outcome {
    let mut config = Config::default();
    config.timeouts.half_closed = Duration::from_millis(800);
    let running = Running::start(&world, server(&world).config(config), answers(&world, &Arc::default())).await?;
    let address = running.address;
    stranger(&world, move || {
        // As `nc -N` does it.
        let stream = dial(address);
        (&stream).write_all(&get("/late")).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert!(rest(&stream).ends_with("\r\n\r\nlate"));
        // A download that lasts longer: from the head on, the deadline of sending rules.
        let stream = dial(address);
        (&stream).write_all(&get("/much")).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        head(&stream);
        let (mut count, mut piece) = (0, vec![0; 1 << 20]);
        let began = Instant::now();
        loop {
            match (&stream).read(&mut piece).unwrap() {
                0 => break,
                some => count += some,
            }
            if began.elapsed() < Duration::from_millis(1200) {
                std::thread::sleep(Duration::from_millis(40));
            }
        }
        assert_eq!(count, 50 << 20);
        assert!(began.elapsed() > Duration::from_millis(1000));
    })
    .await;
    Ok(())
}

async fn s12_who_ends_inside_its_content_is_answered<W: World>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), answers(&world, &Arc::default())).await?;
    let address = running.address;
    stranger(&world, move || {
        for content in [
            "Content-Length: 10\r\n\r\nabc",
            "Content-Length: 10\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n5\r\nabc",
            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
            "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n",
        ] {
            for path in ["/read", "/plain"] {
                let stream = dial(address);
                (&stream).write_all(format!("POST {path} HTTP/1.1\r\nHost: a\r\n{content}").as_bytes()).unwrap();
                stream.shutdown(Shutdown::Write).unwrap();
                let told = rest(&stream);
                let expected = if path == "/read" { "\r\n\r\ncut" } else { "\r\n\r\nplain" };
                assert!(told.contains("HTTP/1.1 200 ") && told.ends_with(expected), "{path} {content:?}: {told}");
                // Who answers before the end has come cannot know.
                assert!(path != "/read" || told.contains("\r\nConnection: close\r\n"), "{told}");
            }
        }
    })
    .await;
    Ok(())
}

async fn s16_who_does_not_read_is_reset<W: World>(world: W) -> Outcome {
    let mut config = Config::default();
    config.timeouts.write = Some(Duration::from_millis(300));
    let running = Running::start(&world, server(&world).config(config), answers(&world, &Arc::default())).await?;
    let (address, shutdown) = (running.address, running.shutdown.clone());
    let stream = dial(address);
    (&stream).write_all(&get("/much"))?;
    eventually(&world, "it is asked", || shutdown.served() == 1).await;
    eventually(&world, "it is given up", || shutdown.connections() == 0).await;
    stranger(&world, move || {
        // What this side's system has already is read; then comes no orderly end.
        let ended = (&stream).read_to_end(&mut Vec::new()).map_err(|error| error.kind());
        assert_eq!(ended.unwrap_err(), ErrorKind::ConnectionReset);
    })
    .await;
    Ok(())
}

/// RFC 9112 §9.6: whoever has said that its request is the last is not waited for, whoever has not is, and both have
/// their answer whole, whatever they send then.
async fn who_has_said_that_nothing_follows_is_not_waited_for<W: World>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), answers(&world, &Arc::default())).await?;
    let (address, shutdown) = (running.address, running.shutdown);
    stranger(&world, move || {
        let last = b"GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let refused = b"POST /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\nabc";
        for (waits, sent) in [(false, &last[..]), (true, &[&last[..], PLAIN].concat()), (true, refused)] {
            let stream = dial(address);
            let began = Instant::now();
            (&stream).write_all(sent).unwrap();
            let mut answer = Vec::new();
            let first = (&stream).read_to_end(&mut answer);
            assert!(first.is_ok() && answer.ends_with(b"\r\n\r\nplain"), "{first:?}");
            let most = if waits { Duration::from_millis(100) } else { AT_ONCE };
            while shutdown.connections() > 0 && began.elapsed() < most {
                std::thread::sleep(Duration::from_millis(5));
            }
            assert_eq!(shutdown.connections() > 0, waits, "{}", sent.escape_ascii());
            drop(stream);
            while shutdown.connections() > 0 {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        // What comes all the same, when the connection is gone, costs nothing of an answer that has come.
        let stream = dial(address);
        (&stream).write_all(last).unwrap();
        let began = Instant::now();
        while shutdown.connections() > 0 || shutdown.served() < 4 {
            assert!(began.elapsed() < AT_ONCE);
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = (&stream).write_all(PLAIN);
        std::thread::sleep(Duration::from_millis(20));
        let mut answer = Vec::new();
        let _ = (&stream).read_to_end(&mut answer);
        assert!(answer.ends_with(b"\r\n\r\nplain"), "{}", answer.escape_ascii());
    })
    .await;
    Ok(())
}

on_both! {
    s6_an_answer_that_fails_after_its_head_ends_at_once
    s7_finish_returns_after_a_failed_write
    s11_handlers_of_clients_that_left_are_dropped
    s11_who_has_only_ended_its_side_is_answered
    s12_who_ends_inside_its_content_is_answered
    s16_who_does_not_read_is_reset
    who_has_said_that_nothing_follows_is_not_waited_for
}
