//! How exchanges and connections end, on either adapter: in time, in order, and never for the wrong one.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use http_core::{Config, Content, End, Fields, ResponseHead, StatusCode};
use http_driver::server::{Connection, Disconnected, Interim, Options, serve_connection};
use http_driver::{Full, Incoming, ReadError, Runtime, service_fn};

use crate::sockets::bodies::{Dropped, Then, Told};
use crate::sockets::servers::routes_server;
use crate::sockets::strangers::{AT_ONCE, anywhere, dial, head, rest, stranger};
use crate::sockets::world::World;
use crate::sockets::{Outcome, eventually};

/// Serves one connection with a service.
async fn serve_one<W, S, B, F>(world: &W, service: S) -> std::io::Result<SocketAddr>
where
    W: World,
    S: Fn(Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Result<Response<B>, Infallible>> + Send,
    B: Body<Data: Send> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    serve_one_with(world, Options::default().interim(true), service).await
}

async fn serve_one_with<W, S, B, F>(world: &W, options: Options, service: S) -> std::io::Result<SocketAddr>
where
    W: World,
    S: Fn(Request<Incoming>) -> F + Send + 'static,
    F: Future<Output = Result<Response<B>, Infallible>> + Send,
    B: Body<Data: Send> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let server = world.clone();
    world.runtime().spawn(async move {
        let stream = server.accept(&listener).await.unwrap();
        let connection = Connection::new(stream, server.runtime(), Arc::default());
        let _ = serve_connection(connection, service_fn(service), options, None).await;
    });
    Ok(address)
}

async fn the_end_of_a_connection_is_told_at_once<W: World>(world: W) -> Outcome {
    let address = routes_server(&world, Config::default()).await?;
    for (request, status) in [
        (&b"GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"[..], "200"),
        (b"GET /plain HTTP/1.0\r\n\r\n", "200"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n", "400"),
    ] {
        let answer = stranger(&world, move || {
            let stream = dial(address);
            (&stream).write_all(request).unwrap();
            rest(&stream)
        })
        .await;
        assert_eq!(answer.get(9..12), Some(status), "{answer}");
    }
    Ok(())
}

async fn a_client_that_shut_down_its_side_is_answered<W: World>(world: W) -> Outcome {
    let sleeper = world.clone();
    let address = serve_one(&world, move |_| {
        let sleeper = sleeper.clone();
        async move {
            sleeper.sleep(Duration::from_millis(100)).await;
            Ok(Response::new(Full::from("late")))
        }
    })
    .await?;
    let answer = stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        rest(&stream)
    })
    .await;
    assert!(answer.ends_with("\r\n\r\nlate"), "{answer}");
    Ok(())
}

async fn content_is_read_whole_or_refused_before_it_is_asked_for<W: World>(world: W) -> Outcome {
    let short = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n";
    let long = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n";
    let waits =
        |length| format!("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n");
    // Who waits for 100 (Continue) has not ended.
    for (request, ends, first, content) in [
        (short.to_owned(), true, "HTTP/1.1 200 OK\r\n", "abc"),
        (long.to_owned(), true, "HTTP/1.1 413 Content Too Large\r\n", ""),
        (waits(4), false, "HTTP/1.1 413 Content Too Large\r\n", ""),
        (waits(3) + "abc", true, "HTTP/1.1 200 OK\r\n", "abc"),
    ] {
        let address = serve_one(&world, |request: Request<Incoming>| async {
            let mut response = Response::new(Full::default());
            match request.into_body().bytes(3).await {
                Ok(content) => *response.body_mut() = content.into(),
                Err(ReadError::TooLong) => *response.status_mut() = http::StatusCode::PAYLOAD_TOO_LARGE,
                Err(error) => panic!("{error}"),
            }
            Ok(response)
        })
        .await?;
        let told = request.clone();
        let answer = stranger(&world, move || {
            let stream = dial(address);
            (&stream).write_all(told.as_bytes()).unwrap();
            if ends {
                stream.shutdown(Shutdown::Write).unwrap();
            }
            rest(&stream)
        })
        .await;
        assert!(answer.starts_with(first) && answer.ends_with(&format!("\r\n\r\n{content}")), "{request}: {answer}");
    }
    Ok(())
}

async fn a_client_that_is_gone_drops_the_services_future<W: World>(world: W) -> Outcome {
    let (begun, dropped) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let flags = (begun.clone(), dropped.clone());
    let address = serve_one(&world, move |request: Request<Incoming>| {
        let guard = Dropped(flags.1.clone());
        request.extensions().get::<Interim>().unwrap().send(ResponseHead::new(StatusCode::PROCESSING));
        flags.0.store(true, Ordering::SeqCst);
        async move {
            let _guard = guard;
            std::future::pending::<Result<Response<Full>, Infallible>>().await
        }
    })
    .await?;
    let stream = dial(address);
    (&stream).write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")?;
    eventually(&world, "the service is called", || begun.load(Ordering::SeqCst)).await;
    assert!(!dropped.load(Ordering::SeqCst));
    // What arrived and was not read makes the kernel reset the connection. A mere end of the stream may be a client
    // that shut down its side and waits.
    stream.peek(&mut [0])?;
    drop(stream);
    eventually(&world, "the service's future is dropped", || dropped.load(Ordering::SeqCst)).await;
    Ok(())
}

async fn a_handler_is_told_of_its_clients_end_behind_unread_bytes<W: World>(world: W) -> Outcome {
    let (tell, told) = std::sync::mpsc::channel();
    let options = Options::default().disconnected(true);
    let address = serve_one_with(&world, options, move |request: Request<Incoming>| {
        let (gone, tell) = (request.extensions().get::<Disconnected>().unwrap().clone(), tell.clone());
        async move {
            tell.send(gone.await).unwrap();
            Ok(Response::new(Full::from("late")))
        }
    })
    .await?;
    stranger(&world, move || {
        let stream = dial(address);
        // Content that nobody asks for, and another request behind it.
        let request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: a\r\n\r\n";
        (&stream).write_all(request).unwrap();
        assert!(told.recv_timeout(Duration::from_millis(100)).is_err(), "told of an end that is not there");
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(told.recv_timeout(AT_ONCE), Ok(Some(End::Clean)));
        assert!(head(&stream).starts_with("HTTP/1.1 200 "), "answered all the same");
    })
    .await;
    Ok(())
}

async fn a_request_is_cancelled_at_its_clients_end_when_asked_for<W: World>(world: W) -> Outcome {
    let dropped = Arc::new(AtomicBool::new(false));
    let flag = dropped.clone();
    let address = serve_one_with(&world, Options::default().cancel_on_end(true), move |_| {
        let guard = Dropped(flag.clone());
        async move {
            let _guard = guard;
            std::future::pending::<Result<Response<Full>, Infallible>>().await
        }
    })
    .await?;
    stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(&stream), "");
    })
    .await;
    assert!(dropped.load(Ordering::SeqCst));
    Ok(())
}

async fn content_that_is_cut_short_is_an_error<W: World>(world: W) -> Outcome {
    for head in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let (failed, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let flags = (failed.clone(), ended.clone());
        let address = serve_one(&world, move |request| {
            let flags = flags.clone();
            async move {
                let mut body = request.into_body();
                loop {
                    match poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                        Some(Ok(_)) => {}
                        Some(Err(_)) => break flags.0.store(true, Ordering::SeqCst),
                        None => break flags.1.store(true, Ordering::SeqCst),
                    }
                }
                Ok(Response::new(Full::default()))
            }
        })
        .await?;
        let stream = dial(address);
        (&stream).write_all(format!("POST / HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n5\r\nabc").as_bytes())?;
        world.sleep(Duration::from_millis(20)).await;
        drop(stream);
        let told = || failed.load(Ordering::SeqCst) || ended.load(Ordering::SeqCst);
        eventually(&world, &format!("{head}: the body's reader is told"), told).await;
        assert!(failed.load(Ordering::SeqCst), "{head}: taken for complete");
    }
    Ok(())
}

async fn a_body_that_fails_is_not_taken_for_complete<W: World>(world: W) -> Outcome {
    let address = serve_one(&world, |_| async { Ok(Response::new(Told::pieces(["some"]).then(Then::Fail))) }).await?;
    let answer = stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        rest(&stream)
    })
    .await;
    assert!(answer.ends_with("\r\n\r\n4\r\nsome\r\n"), "{answer}");
    Ok(())
}

async fn a_failed_body_that_the_end_would_complete_is_reset<W: World>(world: W) -> Outcome {
    // HTTP/1.0 has no chunks: the end of the stream is the end of the content.
    for (then, ends) in [(Then::Fail, "reset"), (Then::End, "end")] {
        let address =
            serve_one(&world, move |_| async move { Ok(Response::new(Told::pieces(["some"]).then(then))) }).await?;
        let (answer, end) = stranger(&world, move || {
            let stream = dial(address);
            (&stream).write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
            let mut answer = Vec::new();
            let end = (&stream).read_to_end(&mut answer).map_err(|error| error.kind());
            (String::from_utf8(answer).unwrap(), end)
        })
        .await;
        match end {
            Ok(_) => assert_eq!(ends, "end", "taken for complete: {answer}"),
            Err(kind) => assert_eq!((ends, kind), ("reset", ErrorKind::ConnectionReset)),
        }
        assert!(then == Then::Fail || answer.ends_with("\r\n\r\nsome"), "{answer}");
    }
    Ok(())
}

async fn a_cut_response_that_the_end_would_complete_is_reset<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let server = world.clone();
    world.runtime().spawn(async move {
        let stream = server.accept(&listener).await.unwrap();
        let mut connection = Connection::new(stream, server.runtime(), Arc::default());
        let mut exchange = connection.accept().await.unwrap().unwrap();
        exchange.respond(&ResponseHead::new(StatusCode::OK), Content::Streaming).unwrap();
        exchange.write("some".into()).await.unwrap();
        exchange.flush().await.unwrap();
        // Dropped, as when a shutdown or a panic cuts it.
    });
    let end = stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        (&stream).read_to_end(&mut Vec::new()).map_err(|error| error.kind())
    })
    .await;
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
    Ok(())
}

async fn a_panic_of_a_service_concerns_no_other_connection<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let server = world.clone();
    world.runtime().spawn(async move {
        while let Ok(stream) = server.accept(&listener).await {
            let service = service_fn(|request: Request<Incoming>| async move {
                assert_ne!(request.uri().path(), "/panic", "as the test wants it");
                Ok::<_, Infallible>(Response::new(Full::from("fine")))
            });
            let connection = Connection::new(stream, server.runtime(), Arc::default());
            let serving = serve_connection(connection, service, Options::default(), None);
            server.runtime().spawn(async move { drop(serving.await) });
        }
    });
    stranger(&world, move || {
        let other = dial(address);
        for _ in 0..3 {
            let unlucky = dial(address);
            (&unlucky).write_all(b"GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            // Cut, one way or the other; at once.
            let cut = (&unlucky).read(&mut [0; 64]);
            let in_time = !matches!(&cut, Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
            assert!(in_time, "{cut:?}");
            (&other).write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            assert!(head(&other).starts_with("HTTP/1.1 200 "));
            (&other).read_exact(&mut [0; 4]).unwrap();
        }
    })
    .await;
    Ok(())
}

async fn an_exchange_that_answers_before_it_reads_lets_the_client_go_on<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let server = world.clone();
    world.runtime().spawn(async move {
        let stream = server.accept(&listener).await.unwrap();
        let mut connection = Connection::new(stream, server.runtime(), Arc::default());
        while let Ok(Some(mut exchange)) = connection.accept().await {
            // As the example of `server::Exchange` has it.
            exchange.respond(&ResponseHead::new(StatusCode::OK), Content::Streaming).unwrap();
            while let Some(content) = exchange.content().await.unwrap() {
                exchange.write(content).await.unwrap();
            }
            exchange.end(&Fields::new()).unwrap();
            exchange.finish().await.unwrap();
        }
        connection.finish().await;
    });
    stranger(&world, move || {
        let stream = dial(address);
        let request = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
        (&stream).write_all(request).unwrap();
        assert_eq!(head(&stream), "HTTP/1.1 100 Continue\r\n\r\n");
        (&stream).write_all(b"hello").unwrap();
        assert!(head(&stream).starts_with("HTTP/1.1 200 "));
        let mut content = [0; 15];
        (&stream).read_exact(&mut content).unwrap();
        assert_eq!(&content, b"5\r\nhello\r\n0\r\n\r\n");
    })
    .await;
    Ok(())
}

async fn a_connection_is_handed_over_with_what_was_read<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let server = world.clone();
    let (left_over, seen) = std::sync::mpsc::channel();
    world.runtime().spawn(async move {
        let stream = server.accept(&listener).await.unwrap();
        let mut connection = Connection::new(stream, server.runtime(), Arc::default());
        let mut exchange = connection.accept().await.unwrap().unwrap();
        // Without content there is nothing to discard.
        exchange.discard_content();
        let head = ResponseHead::new(StatusCode::SWITCHING_PROTOCOLS).with("Upgrade", "echo").unwrap();
        exchange.respond(&head, Content::Empty).unwrap();
        exchange.switched().await.unwrap();
        let (transport, left) = connection.into_parts();
        left_over.send(left).unwrap();
        drop(transport);
    });
    stranger(&world, move || {
        let stream = dial(address);
        let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nnot HTTP";
        (&stream).write_all(request).unwrap();
        assert!(head(&stream).starts_with("HTTP/1.1 101 "));
        assert_eq!(&seen.recv().unwrap()[..], b"not HTTP");
        assert_eq!(rest(&stream), "");
    })
    .await;
    Ok(())
}

async fn a_writer_waits_for_a_slow_reader<W: World>(world: W) -> Outcome {
    const PIECE: usize = 64 * 1024;
    let made = Arc::new(AtomicU64::new(0));
    let counter = made.clone();
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let server = world.clone();
    world.runtime().spawn(async move {
        let stream = server.accept(&listener).await.unwrap();
        let mut connection = Connection::new(stream, server.runtime(), Arc::default());
        let mut exchange = connection.accept().await.unwrap().unwrap();
        exchange.respond(&ResponseHead::new(StatusCode::OK), Content::Streaming).unwrap();
        while exchange.write(Bytes::from(vec![b'x'; PIECE])).await.is_ok() {
            counter.fetch_add(PIECE as u64, Ordering::SeqCst);
        }
    });
    let stream = dial(address);
    (&stream).write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")?;
    // It stands still when the kernel's buffers are full, whatever those hold.
    let mut before = u64::MAX;
    for _ in 0..40 {
        world.sleep(Duration::from_millis(50)).await;
        let now = made.load(Ordering::SeqCst);
        if now == before && now > 0 {
            assert!(now < 64 << 20, "{now} bytes were made for nobody");
            return Ok(());
        }
        before = now;
    }
    panic!("still writing after {} bytes that nobody reads", made.load(Ordering::SeqCst))
}

async fn content_that_is_not_wanted_is_not_asked_for<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let server = world.clone();
    world.runtime().spawn(async move {
        for refused in [true, false] {
            let stream = server.accept(&listener).await.unwrap();
            let mut connection = Connection::new(stream, server.runtime(), Arc::default());
            let mut exchange = connection.accept().await.unwrap().unwrap();
            let status = if refused { StatusCode::CONTENT_TOO_LARGE } else { StatusCode::OK };
            if !refused {
                exchange.discard_content();
            }
            exchange.respond(&ResponseHead::new(status), Content::Streaming).unwrap();
            exchange.end(&Fields::new()).unwrap();
            exchange.finish().await.unwrap();
            assert!(connection.accept().await.unwrap().is_none());
        }
    });
    for status in ["413", "200"] {
        let answer = stranger(&world, move || {
            let stream = dial(address);
            let request = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
            (&stream).write_all(request).unwrap();
            rest(&stream)
        })
        .await;
        assert_eq!(answer.get(9..12), Some(status), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
    }
    Ok(())
}

async fn s8_a_417_is_not_followed_by_content<W: World>(world: W) -> Outcome {
    let seen = Arc::new(AtomicU64::new(0));
    let count = seen.clone();
    let address = serve_one(&world, move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok(Response::new(Full::from("served"))) }
    })
    .await?;
    stranger(&world, move || {
        let stream = dial(address);
        let request = "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n";
        (&stream).write_all(format!("{request}Expect: 100-continue, foo\r\n\r\n").as_bytes()).unwrap();
        let answer = head(&stream);
        assert!(answer.starts_with("HTTP/1.1 417 ") && answer.contains("\r\nConnection: close\r\n"), "{answer}");
        // The client has waited, and tries again without: not here.
        (&stream).write_all(format!("{request}\r\nabc").as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(&stream), "");
    })
    .await;
    assert_eq!(seen.load(Ordering::SeqCst), 0);
    Ok(())
}

async fn s9_nothing_behind_a_refused_tunnel_is_served<W: World>(world: W) -> Outcome {
    const WIRE: &str = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\nGET /smug HTTP/1.1\r\nHost: a\r\n\r\n";
    let once = |answer: String, status: &str| {
        assert_eq!(answer.get(9..12), Some(status), "{answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    };
    for status in [407_u16, 501, 302] {
        let seen = Arc::new(AtomicU64::new(0));
        let count = seen.clone();
        let address = serve_one(&world, move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            async move { Ok(Response::builder().status(status).body(Full::from("no")).unwrap()) }
        })
        .await?;
        let answer = stranger(&world, move || {
            let stream = dial(address);
            (&stream).write_all(WIRE.as_bytes()).unwrap();
            rest(&stream)
        })
        .await;
        once(answer, &status.to_string());
        assert_eq!(seen.load(Ordering::SeqCst), 1);
    }
    // An exchange that is dropped is answered with 500, and no other one follows it.
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let server = world.clone();
    let (told, exchanges) = std::sync::mpsc::channel();
    world.runtime().spawn(async move {
        let stream = server.accept(&listener).await.unwrap();
        let mut connection = Connection::new(stream, server.runtime(), Arc::default());
        let mut count = 0;
        while let Ok(Some(exchange)) = connection.accept().await {
            count += 1;
            drop(exchange);
        }
        told.send(count).unwrap();
    });
    stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(WIRE.as_bytes()).unwrap();
        once(rest(&stream), "500");
        drop(stream);
        assert_eq!(exchanges.recv_timeout(AT_ONCE), Ok(1));
    })
    .await;
    Ok(())
}

on_both! {
    the_end_of_a_connection_is_told_at_once
    a_client_that_shut_down_its_side_is_answered
    content_is_read_whole_or_refused_before_it_is_asked_for
    a_client_that_is_gone_drops_the_services_future
    a_handler_is_told_of_its_clients_end_behind_unread_bytes
    a_request_is_cancelled_at_its_clients_end_when_asked_for
    content_that_is_cut_short_is_an_error
    a_body_that_fails_is_not_taken_for_complete
    a_failed_body_that_the_end_would_complete_is_reset
    a_cut_response_that_the_end_would_complete_is_reset
    a_panic_of_a_service_concerns_no_other_connection
    an_exchange_that_answers_before_it_reads_lets_the_client_go_on
    content_that_is_not_wanted_is_not_asked_for
    a_connection_is_handed_over_with_what_was_read
    a_writer_waits_for_a_slow_reader
    s8_a_417_is_not_followed_by_content
    s9_nothing_behind_a_refused_tunnel_is_served
}
