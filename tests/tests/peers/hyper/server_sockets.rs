//! hyper's `tests/server.rs`, where it is about sockets and services.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode, Version};
use http_body::Body;
use http_core::Config;
use http_driver::{Full, Incoming, ReasonPhrase, Runtime, Upgrade};

use crate::Gate;
use crate::sockets::bodies::Told;
use crate::sockets::clients::{Networked, content};
use crate::sockets::servers::{Running, server};
use crate::sockets::strangers::{dial, head, rest, stranger};
use crate::sockets::{Outcome, eventually};

const CHUNKS: &str = "5\r\nhello\r\n0\r\n\r\n";

async fn hello(_: Request<Incoming>) -> Result<Response<Full>, Infallible> {
    Ok(Response::new(Full::from("hello")))
}

/// Sends back what comes; what does not come as it should is the service's error.
async fn echo(request: Request<Incoming>) -> Result<Response<Full>, http_driver::Error> {
    Ok(Response::new(Full::from(content(request.into_body()).await?)))
}

/// All that is answered to some bytes, after which nothing more is sent.
fn talk(address: SocketAddr, bytes: &str) -> String {
    let stream = dial(address);
    (&stream).write_all(bytes.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    rest(&stream)
}

fn get(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

/// A field of an answer's head, in lower case.
fn field(answer: &str, name: &str) -> Option<String> {
    let head = answer.split_once("\r\n\r\n").map_or(answer, |(head, _)| head).to_ascii_lowercase();
    head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, content)| content)
}

async fn response_body_lengths<W: Networked>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), |request: Request<Incoming>| async move {
        let name = request.uri().path().trim_start_matches('/').to_owned();
        let response = match name.split('_').next() {
            Some("fixed") => {
                Response::builder().header("content-length", if name.ends_with("empty") { "0" } else { "5" })
            }
            Some("chunked" | "http10chunked") => Response::builder().header("transfer-encoding", "chunked"),
            Some("te") => Response::builder().header("transfer-encoding", "gzip, chunked"),
            _ => Response::builder(),
        };
        let pieces: &[&'static str] = if name.ends_with("empty") { &[] } else { &["he", "llo"] };
        let known = name.contains("_known");
        let body = if known { Told::sized(pieces.to_vec()) } else { Told::pieces(pieces.to_vec()) };
        Ok::<_, Infallible>(response.body(body).unwrap())
    })
    .await?;
    let address = running.address;
    stranger(&world, move || {
        let two = "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
        for (name, length, coding, wire) in [
            ("fixed_known", Some("5"), None, "hello"),
            ("fixed_unknown", Some("5"), None, "hello"),
            ("fixed_known_empty", Some("0"), None, ""),
            ("chunked_unknown", None, Some("chunked"), two),
            ("te_unknown", None, Some("gzip, chunked"), two),
            ("auto_unknown", None, Some("chunked"), two),
            ("auto_known", Some("5"), None, "hello"),
            ("auto_known_empty", Some("0"), None, ""),
            // hyper sends one chunk; a length says the same, and more.
            ("chunked_known", Some("5"), None, "hello"),
            ("chunked_known_empty", Some("0"), None, ""),
            ("te_known", None, Some("gzip, chunked"), two),
        ] {
            let answer = talk(address, &get(&format!("/{name}"), ""));
            assert!(answer.starts_with("HTTP/1.1 200 "), "{name}: {answer}");
            let framing = (field(&answer, "content-length"), field(&answer, "transfer-encoding"));
            assert_eq!(framing, (length.map(str::to_owned), coding.map(str::to_owned)), "{name}");
            assert_eq!(body(&answer), wire, "{name}");
        }
        // Until the connection ends, whatever coding the service names.
        for name in ["auto_unknown", "http10chunked_unknown"] {
            let old = talk(address, &format!("GET /{name} HTTP/1.0\r\n\r\n"));
            assert_eq!(
                (field(&old, "content-length"), field(&old, "transfer-encoding"), body(&old)),
                (None, None, "hello"),
                "{name}"
            );
            assert_eq!(field(&old, "connection").as_deref(), Some("close"));
        }
    })
    .await;
    Ok(())
}

async fn responses_without_content<W: Networked>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), |request: Request<Incoming>| async move {
        let mut response = Response::new(match request.uri().path() {
            "/streamed" => Told::pieces(["hello"]),
            "/empty" => Told::sized([""; 0]),
            _ => Told::sized(["hello"]),
        });
        if request.method() == http::Method::GET {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        Ok::<_, Infallible>(response)
    })
    .await?;
    let address = running.address;
    stranger(&world, move || {
        for (method, path, length) in [
            ("HEAD", "/sized", Some("5")),
            ("HEAD", "/empty", None),
            ("GET", "/sized", None),
            ("GET", "/streamed", None),
            ("GET", "/empty", None),
        ] {
            // Were there content, the next answer would not be read as one.
            let both = format!("{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n").repeat(2);
            let answer = talk(address, &both);
            assert_eq!(field(&answer, "content-length").as_deref(), length, "{method} {path}: {answer}");
            assert!(body(&answer).starts_with("HTTP/1.1 ") && answer.ends_with("\r\n\r\n"), "{method} {path}");
            assert_eq!(answer.matches("HTTP/1.1 ").count(), 2);
            assert!(method == "HEAD" || field(&answer, "transfer-encoding").is_none());
        }
    })
    .await;
    Ok(())
}

async fn control_data<W: Networked>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), |request: Request<Incoming>| async move {
        let mut response = Response::new(Full::from("hello"));
        match request.uri().path() {
            "/reason" => drop(response.extensions_mut().insert(ReasonPhrase("Cool".into()))),
            "/two" => *response.version_mut() = Version::HTTP_2,
            _ => *response.status_mut() = StatusCode::PROCESSING,
        }
        Ok::<_, Infallible>(response)
    })
    .await?;
    let address = running.address;
    stranger(&world, move || {
        assert!(talk(address, &get("/reason", "")).starts_with("HTTP/1.1 200 Cool\r\n"));
        assert!(talk(address, &get("/two", "")).starts_with("HTTP/1.1 200 OK\r\n"));
        // An interim status is sent by `Interim`; as the last word it would leave the client waiting.
        assert!(talk(address, &get("/interim", "")).starts_with("HTTP/1.1 500 "));
    })
    .await;
    Ok(())
}

async fn streaming_body<W: Networked>(world: W) -> Outcome {
    let streams =
        |_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Told::pieces([&[b'x'; 1000][..]; 100]))) };
    let running = Running::start(&world, server(&world), streams).await?;
    let address = running.address;
    stranger(&world, move || {
        let answer = talk(address, &get("/", ""));
        assert_eq!(body(&answer).len(), 100 * (5 + 1000 + 2) + 5);
    })
    .await;
    Ok(())
}

async fn request_bodies<W: Networked>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), echo).await?;
    let (address, shutdown) = (running.address, running.shutdown);
    stranger(&world, move || {
        let post = |fields: &str, content: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n{content}");
        let chunked = |content: &str| post("Transfer-Encoding: chunked", content);
        for (name, request, status, content) in [
            ("get_should_ignore_body", get("/", ""), "200", ""),
            ("get_with_body", get("/", "Content-Length: 3\r\n") + "abc", "200", "abc"),
            ("post_with_content_length_body", post("Content-Length: 5", "hello"), "200", "hello"),
            ("post_with_invalid_prefix_content_length", post("Content-Length: +5", "hello"), "400", ""),
            ("illegal_request_length_returns_400_response", post("Content-Length: foo", "hello"), "400", ""),
            ("post_with_chunked_body", chunked("1\r\nq\r\n2\r\nwe\r\n2\r\nrt\r\n0\r\n\r\n"), "200", "qwert"),
            ("post_with_chunked_overflow", chunked("f0000000000000003\r\nabc\r\n"), "400", ""),
            ("post_with_chunked_missing_final_digit", chunked("1\r\nZ\r\n\r\n\r\n"), "400", ""),
        ] {
            let answer = talk(address, &request);
            assert_eq!((answer.get(9..12), body(&answer)), (Some(status), content), "{name}: {answer}");
        }
        // The service learns that content is missing, and what it answers is sent: the client may be reading still.
        let answer = talk(address, &post("Content-Length: 10", "12345"));
        assert!(answer.starts_with("HTTP/1.1 500 "), "post_with_incomplete_body: {answer}");
        assert_eq!(shutdown.served(), 7, "what has no length has no service");
    })
    .await;
    Ok(())
}

async fn parse_errors_send_4xx_response<W: Networked>(world: W) -> Outcome {
    let mut config = Config::default();
    config.limits.head = 32 * 1024;
    let running = Running::start(&world, server(&world).config(config), hello).await?;
    let (address, shutdown) = (running.address, running.shutdown);
    stranger(&world, move || {
        for (name, request, status) in [
            ("parse_errors_send_4xx_response", "GE T / HTTP/1.1\r\n\r\n".to_owned(), "400"),
            ("http_11_uri_too_long", format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(9000)), "414"),
            ("header_name_too_long", get("/", &format!("{}: x\r\n", "a".repeat(17_000))), "431"),
            ("max_buf_size", get("/", &"x: 0123456789012345678901234567890123456789\r\n".repeat(1000)), "431"),
            ("http1_only", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), "505"),
        ] {
            let stream = dial(address);
            // In two writes, so that a limit is met in the second one as well.
            let (one, two) = request.split_at(request.len() / 2);
            (&stream).write_all(one.as_bytes()).unwrap();
            std::thread::sleep(Duration::from_millis(5));
            let _ = (&stream).write_all(two.as_bytes());
            let answer = rest(&stream);
            assert_eq!(answer.get(9..12), Some(status), "{name}: {answer}");
            assert_eq!(field(&answer, "connection").as_deref(), Some("close"), "{name}");
        }
        assert_eq!(shutdown.served(), 0);
    })
    .await;
    Ok(())
}

async fn keep_alive<W: Networked>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), |request: Request<Incoming>| async move {
        let response = Response::builder();
        let closes = request.uri().path() == "/close";
        let response = if closes { response.header("connection", "close") } else { response };
        Ok::<_, Infallible>(response.body(Told::pieces(["hello"])).unwrap())
    })
    .await?;
    let fixed = Running::start(&world, server(&world), hello).await?;
    let mut config = Config::default();
    config.persistence.keep_alive = false;
    let never = Running::start(&world, server(&world).config(config), hello).await?;
    let (chunked, fixed, never) = (running.address, fixed.address, never.address);
    stranger(&world, move || {
        let old = |fields: &str| format!("GET / HTTP/1.0\r\n{fields}\r\n");
        for (name, address, request, connection, goes_on) in [
            ("keep_alive", fixed, get("/", ""), None, true),
            ("get_chunked_response_with_ka", chunked, get("/", "Connection: keep-alive\r\n"), None, true),
            ("http_10_keep_alive", fixed, old("Connection: keep-alive\r\n"), Some("keep-alive"), true),
            ("http_10_close_on_no_ka", fixed, old(""), Some("close"), false),
            ("header_connection_close", chunked, get("/close", ""), Some("close"), false),
            ("disable_keep_alive", never, get("/", ""), Some("close"), false),
        ] {
            let stream = dial(address);
            (&stream).write_all(request.as_bytes()).unwrap();
            let head = head(&stream);
            assert_eq!(field(&head, "connection").as_deref(), connection, "{name}: {head}");
            if goes_on {
                let mut content = vec![0; if address == chunked { CHUNKS.len() } else { 5 }];
                (&stream).read_exact(&mut content).unwrap();
                (&stream).write_all(old("").as_bytes()).unwrap();
                assert!(rest(&stream).ends_with("\r\n\r\nhello"), "{name}");
            } else {
                assert!(rest(&stream).contains("hello"), "{name}");
            }
        }
    })
    .await;
    Ok(())
}

async fn disable_keep_alive_mid_request<W: Networked>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), hello).await?;
    let (address, shutdown) = (running.address, running.shutdown.clone());
    stranger(&world, move || {
        // One has sent nothing, one a part of a head, one has been answered (disable_keep_alive_post_request,
        // graceful_shutdown_before_first_request_no_block).
        let (nothing, part, answered) = (dial(address), dial(address), dial(address));
        (&part).write_all(b"GET / HTTP/1.1\r\n").unwrap();
        (&answered).write_all(get("/", "").as_bytes()).unwrap();
        assert!(head(&answered).starts_with("HTTP/1.1 200 "));
        while shutdown.connections() < 3 {
            std::thread::sleep(Duration::from_millis(2));
        }
        shutdown.begin();
        assert_eq!((rest(&nothing), rest(&answered)), (String::new(), "hello".to_owned()));
        (&part).write_all(b"Host: localhost\r\n\r\n").unwrap();
        let answer = rest(&part);
        assert!(answer.contains("\r\nConnection: close\r\n") && answer.ends_with("\r\n\r\nhello"), "{answer}");
    })
    .await;
    eventually(&world, "all are gone", || running.shutdown.connections() == 0).await;
    Ok(())
}

async fn http1_graceful_shutdown_after_upgrade<W: Networked>(world: W) -> Outcome {
    let runtime = world.runtime();
    let server = server(&world).drain(Duration::from_secs(60));
    let running = Running::start(&world, server, move |request: Request<Incoming>| {
        let upgrade = request.extensions().get::<Upgrade>().cloned().unwrap();
        runtime.spawn(async move {
            let mut tunnel = upgrade.await.unwrap();
            let heard = tunnel.read().await.unwrap();
            tunnel.write(heard).await.unwrap();
            tunnel.end().await.unwrap();
        });
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().insert("upgrade", HeaderValue::from_static("foobar"));
        async { Ok::<_, Infallible>(response) }
    })
    .await?;
    let Running { address, shutdown, report, .. } = running;
    stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(get("/", "Connection: upgrade\r\nUpgrade: foobar\r\n").as_bytes()).unwrap();
        assert!(head(&stream).starts_with("HTTP/1.1 101 "));
        shutdown.begin();
        // What was handed over goes on, and is waited for as long as the drain says.
        assert!(report.recv_timeout(Duration::from_millis(100)).is_err());
        (&stream).write_all(b"still here").unwrap();
        assert_eq!(rest(&stream), "still here");
        let report = report.recv_timeout(Duration::from_secs(2)).unwrap();
        assert_eq!((report.cut_connections, report.served), (0, 1));
    })
    .await;
    Ok(())
}

async fn pipeline_enabled<W: Networked>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), hello).await?;
    let address = running.address;
    stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(get("/", "").repeat(2).as_bytes()).unwrap();
        stream.peek(&mut [0]).unwrap();
        // Both answers are there in one read.
        let mut buffer = [0; 4096];
        let count = (&stream).read(&mut buffer).unwrap();
        let read = String::from_utf8_lossy(&buffer[..count]).into_owned();
        assert_eq!(read.matches("hello").count(), 2, "{read}");
        // And apart if they are asked for apart (pipeline_disabled).
        for _ in 0..2 {
            (&stream).write_all(get("/", "").as_bytes()).unwrap();
            let count = (&stream).read(&mut buffer).unwrap();
            assert_eq!(String::from_utf8_lossy(&buffer[..count]).matches("hello").count(), 1);
        }
    })
    .await;
    Ok(())
}

async fn expect_continue<W: Networked>(world: W) -> Outcome {
    let (gate, waiter) = (Gate::default(), world.clone());
    let at_gate = gate.clone();
    let running = Running::start(&world, server(&world), move |request: Request<Incoming>| {
        let (gate, world) = (at_gate.clone(), waiter.clone());
        async move {
            gate.pass(&world).await;
            echo(request).await
        }
    })
    .await?;
    let address = running.address;
    stranger(&world, move || {
        let expecting = |version: &str, expect: &str| {
            format!(
                "POST / HTTP/{version}\r\nHost: a\r\nContent-Length: 5\r\nExpect: {expect}\r\nConnection: close\r\n\r\n"
            )
        };
        let mut stream = dial(address);
        stream.write_all(expecting("1.1", "100-continue").as_bytes()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        assert!(stream.read(&mut [0]).is_err(), "expect_continue_waits_for_body_poll");
        gate.open();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        assert_eq!(head(&stream), "HTTP/1.1 100 Continue\r\n\r\n", "expect_continue_sends_100");
        stream.write_all(b"hello").unwrap();
        assert!(rest(&stream).ends_with("\r\n\r\nhello"));
        let upper = dial(address);
        (&upper).write_all(expecting("1.1", "100-CONTINUE").as_bytes()).unwrap();
        assert_eq!(head(&upper), "HTTP/1.1 100 Continue\r\n\r\n", "expect_continue_accepts_upper_cased_expectation");
        let old = talk(address, &(expecting("1.0", "100-continue") + "hello"));
        assert!(old.starts_with("HTTP/1.1 200 "), "expect_continue_but_http_10_is_ignored: {old}");
        let empty = talk(address, &get("/", "Expect: 100-continue\r\n"));
        assert!(empty.starts_with("HTTP/1.1 200 "), "expect_continue_but_no_body_is_ignored: {empty}");
    })
    .await;
    Ok(())
}

async fn header_read_timeout<W: Networked>(world: W) -> Outcome {
    let mut config = Config::default();
    (config.timeouts.head, config.timeouts.idle) = (Duration::from_millis(350), Duration::from_millis(500));
    let running = Running::start(&world, server(&world).config(config), hello).await?;
    let address = running.address;
    stranger(&world, move || {
        let slowly = |mut stream: &std::net::TcpStream, pieces: &[&str]| {
            for piece in pieces {
                let _ = stream.write_all(piece.as_bytes());
                std::thread::sleep(Duration::from_millis(60));
            }
        };
        // Each piece comes in time, all of them do not.
        let slow = dial(address);
        slowly(&slow, &["GET / HTTP/1.1\r\n"; 1]);
        slowly(&slow, &["A: b\r\n"; 8]);
        assert!(rest(&slow).starts_with("HTTP/1.1 408 "), "header_read_timeout_slow_writes");
        // Each head has its own time, and none has begun before its first byte.
        let several = dial(address);
        for _ in 0..3 {
            slowly(&several, &["GET / HTTP", "/1.1\r\nHost: a\r\n"]);
            (&several).write_all(b"\r\n").unwrap();
            assert!(head(&several).starts_with("HTTP/1.1 200 "), "header_read_timeout_slow_writes_multiple_requests");
            (&several).read_exact(&mut [0; 5]).unwrap();
        }
        // The time for idling is another one, from the beginning and between requests.
        for stream in [&several, &dial(address)] {
            assert_eq!(rest(stream), "", "header_read_timeout_starts_immediately, _as_idle_timeout");
        }
    })
    .await;
    Ok(())
}

async fn trailers<W: Networked>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), |request: Request<Incoming>| async move {
        let mut body = request.into_body();
        let mut told = String::new();
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
            match frame?.into_data() {
                Ok(data) => told.push_str(&String::from_utf8_lossy(&data)),
                Err(frame) => told.push_str(&format!(" {:?}", frame.into_trailers().unwrap()["x-sum"])),
            }
        }
        let body = Told::pieces([told]).trailers(&[("x-sum", "2"), ("x-more", "3")]);
        Ok::<_, http_driver::Error>(Response::builder().header("trailer", "x-sum").body(body).unwrap())
    })
    .await?;
    let address = running.address;
    stranger(&world, move || {
        // http1_trailer_recv_fields, http1_trailer_recv_keep_alive
        let post = "POST / HTTP/1.1\r\nHost: a\r\nTE: gzip, trailers\r\nTransfer-Encoding: chunked\r\n\r\n";
        let both = format!("{post}5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n").repeat(2);
        let answer = talk(address, &both);
        // http1_trailer_send_fields
        let content = "9\r\nhello \"1\"\r\n0\r\nx-sum: 2\r\nx-more: 3\r\n\r\n";
        assert_eq!(answer.matches(content).count(), 2, "{answer}");
        assert_eq!(field(&answer, "trailer").as_deref(), Some("x-sum"));
        // http1_trailer_fields_not_allowed: to HTTP/1.0 there is no place for them.
        assert!(talk(address, "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi").ends_with("\r\n\r\nhi"));
    })
    .await;
    Ok(())
}

on_both! {
    response_body_lengths
    responses_without_content
    control_data
    streaming_body
    request_bodies
    parse_errors_send_4xx_response
    keep_alive
    disable_keep_alive_mid_request
    http1_graceful_shutdown_after_upgrade
    pipeline_enabled
    expect_continue
    header_read_timeout
    trailers
}
