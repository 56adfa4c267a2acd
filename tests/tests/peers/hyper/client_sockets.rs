//! hyper's `tests/client.rs` and `tests/integration.rs`, where they are about sockets and the client of services.

use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::mpsc;
use std::thread::JoinHandle;

use futures_util::FutureExt;
use http::{Method, Request, Response, Version};
use http_body::Body;
use http_driver::client::{Resolve, Resolving};
use http_driver::{Full, Incoming, ReasonPhrase};

use crate::sockets::bodies::{Then, Told};
use crate::sockets::clients::{Networked, alone, content, once};
use crate::sockets::servers::server;
use crate::sockets::site::Site;
use crate::sockets::strangers::{AT_ONCE, anywhere, head, stranger};
use crate::sockets::{Outcome, eventually};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// Reads one request of each of some connections, up to an end of it, and answers it.
fn answering(answers: Vec<(&'static str, String)>) -> std::io::Result<(SocketAddr, JoinHandle<Vec<String>>)> {
    let listener = TcpListener::bind(anywhere())?;
    let address = listener.local_addr()?;
    let server = std::thread::spawn(move || {
        let answer = |(end, answer): (&str, String)| {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(AT_ONCE)).unwrap();
            let (mut request, mut byte) = (head(&stream), [0]);
            while !request.ends_with(end) {
                stream.read_exact(&mut byte).unwrap_or_else(|error| panic!("{error} after {request:?}"));
                request.push(char::from(byte[0]));
            }
            stream.write_all(answer.as_bytes()).unwrap();
            request
        };
        answers.into_iter().map(answer).collect()
    });
    Ok((address, server))
}

async fn requests<W: Networked>(world: W) -> Outcome {
    let chunks = "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n";
    let trailing = "2\r\nhe\r\n3\r\nllo\r\n0\r\nx-sum: 1\r\nx-more: 2\r\n\r\n";
    let streamed = || Told::pieces(["he", "llo"]);
    let sized = || Told::sized(["he", "llo"]);
    let empty = || Told::sized([""; 0]);
    let chunked = ("transfer-encoding", "chunked");
    let rows = [
        ("client_get", Method::GET, vec![], empty(), None, ""),
        ("client_get_req_body_chunked", Method::GET, vec![chunked], streamed(), Some(chunked), chunks),
        ("client_get_req_body_sized", Method::GET, vec![], sized(), Some(("content-length", "5")), "hello"),
        // hyper sends none of it; what an application hands to ours is sent.
        ("client_get_req_body_unknown", Method::GET, vec![], streamed(), Some(chunked), chunks),
        ("client_post_sized", Method::POST, vec![], sized(), Some(("content-length", "5")), "hello"),
        ("client_post_chunked", Method::POST, vec![chunked], streamed(), Some(chunked), chunks),
        ("client_post_unknown", Method::POST, vec![], streamed(), Some(chunked), chunks),
        ("client_post_empty", Method::POST, vec![], empty(), Some(("content-length", "0")), ""),
        (
            "client_post_req_body_chunked_with_trailer, _multiple_trailers",
            Method::POST,
            vec![("trailer", "x-sum")],
            streamed().trailers(&[("x-sum", "1"), ("x-more", "2")]),
            Some(chunked),
            trailing,
        ),
    ];
    let site = Site::plain(world);
    let ends = rows.iter().map(|row| (row.5, OK.to_owned())).collect();
    let (address, server) = answering(ends)?;
    let client = site.client(once());
    let mut expected = Vec::new();
    for (name, method, fields, body, framing, wire) in rows {
        // client_get_query: a fragment is no part of what is asked for.
        let mut request = Request::builder().method(&method).uri(site.uri(address, "/a?b=c#d"));
        for (name, value) in fields {
            request = request.header(name, value);
        }
        let response = client.request(request.body(body)?).await?;
        assert_eq!(content(response.into_body()).await?, b"ok", "{name}");
        eventually(&site.world, "the connection is over", || client.connections() == 0).await;
        expected.push((name, method, framing, wire));
    }
    let requests = stranger(&site.world, move || server.join()).await.map_err(|_| "the server failed")?;
    for ((name, method, framing, wire), request) in expected.into_iter().zip(requests) {
        let (head, content) = request.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("{method} /a?b=c HTTP/1.1\r\nHost: localhost:")), "{name}: {head}");
        let head = head.to_ascii_lowercase();
        let said =
            head.lines().filter(|line| line.starts_with("content-length") || line.starts_with("transfer-encoding"));
        let framing = framing.map(|(name, value)| format!("{name}: {value}"));
        assert_eq!((said.collect::<Vec<_>>(), content), (framing.iter().map(String::as_str).collect(), wire), "{name}");
    }
    Ok(())
}

async fn requests_that_are_not_sent<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let client = site.client(once());
    let relative = client.request(Request::get("/a").body(Full::default())?).await.unwrap_err();
    assert!(relative.is_safe_to_repeat() && !relative.is_connect(), "client_requires_absolute_uri: {relative}");
    // client_h1_rejects_http2, http1_conn_coerces_http2_request: what is spoken is HTTP/1.1 whatever a request says.
    let (address, server) = answering(vec![("", OK.to_owned())])?;
    let two = Request::get(site.uri(address, "/")).version(Version::HTTP_2).body(Full::default())?;
    assert_eq!(client.request(two).await?.version(), Version::HTTP_11);
    let requests = stranger(&site.world, move || server.join()).await.map_err(|_| "the server failed")?;
    assert!(requests[0].starts_with("GET / HTTP/1.1\r\n"), "{requests:?}");
    Ok(())
}

async fn responses<W: Networked>(world: W) -> Outcome {
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "a: b\r\n".repeat(600));
    let ok = |fields: &str, content: &str| format!("HTTP/1.1 200 OK\r\n{fields}\r\n{content}");
    let rows = vec![
        ("client_head_ignores_body", "HEAD", ok("Content-Length: 11\r\n", ""), Some((200, ""))),
        (
            "client_response_transfer_encoding_not_chunked",
            "GET",
            ok("Transfer-Encoding: yolo\r\n", "hallo"),
            Some((200, "hallo")),
        ),
        ("client_error_unexpected_eof", "GET", "HTTP/1.1 200 OK\r\n".to_owned(), None),
        ("client_error_parse_version", "GET", "HEAT/1.1 200 OK\r\n\r\n".to_owned(), None),
        ("client_error_parse_too_large", "GET", many, None),
        ("client_error_parse_status_out_of_range", "GET", "HTTP/1.1 001 OK\r\n\r\n".to_owned(), None),
        ("client_error_parse_status_syntactically_invalid", "GET", "HTTP/1.1 1 OK\r\n\r\n".to_owned(), None),
        ("client_100_continue", "POST", format!("HTTP/1.1 100 Continue\r\n\r\n{OK}"), Some((200, "ok"))),
        ("client_always_rejects_http09, client_100_then_http09", "GET", "mix of body".to_owned(), None),
        (
            "client_handles_contentlength_values_on_same_line",
            "GET",
            ok("Content-Length: 3,3\r\n", "abc"),
            Some((200, "abc")),
        ),
        ("client_obs_fold_headers", "GET", ok("Content-Length: 2\r\nX: a\r\n b\r\n", "ok"), Some((200, "ok"))),
        (
            "client_res_body_chunked_with_trailer",
            "GET",
            ok("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"),
            Some((200, "hello")),
        ),
        ("dropped_conn_sends_incomplete_body_error", "GET", ok("Content-Length: 10\r\n", "short"), None),
        (
            "dropped_conn_sends_incomplete_body_error",
            "GET",
            ok("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n"),
            None,
        ),
    ];
    let site = Site::plain(world);
    let (address, server) = answering(rows.iter().map(|row| ("", row.2.clone())).collect())?;
    let client = site.client(once());
    for (name, method, _, expected) in rows {
        let request = Request::builder().method(method).uri(site.uri(address, "/")).body(Full::default())?;
        let got = match client.request(request).await {
            Ok(response) => {
                let status = response.status().as_u16();
                content(response.into_body()).await.ok().map(|content| (status, String::from_utf8(content).unwrap()))
            }
            Err(_) => None,
        };
        assert_eq!(got.as_ref().map(|(status, content)| (*status, &**content)), expected, "{name}");
        eventually(&site.world, "the connection is over", || client.connections() == 0).await;
    }
    stranger(&site.world, move || server.join()).await.map_err(|_| "the server failed")?;
    Ok(())
}

async fn incoming_content_length<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let listener = TcpListener::bind(anywhere())?;
    let address = listener.local_addr()?;
    let (tell, told) = mpsc::channel();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        head(&stream);
        stream.write_all(b"HTTP/1.1 200 Cool\r\nContent-Length: 5\r\n\r\nhe").unwrap();
        let _: () = told.recv().unwrap();
        // What comes behind an answer is no answer to anything: client_pipeline_responses_extra.
        stream.write_all(b"lloHTTP/1.1 200 OK\r\n\r\n").unwrap();
        let _ = stream.read(&mut [0]);
    });
    let client = site.client(once());
    let response = client.request(Request::get(site.uri(address, "/")).body(Full::default())?).await?;
    let reason = response.extensions().get::<ReasonPhrase>().map(|reason| reason.0.clone());
    assert_eq!(reason.as_deref(), Some(&b"Cool"[..]), "get_custom_reason_phrase");
    let mut body = response.into_body();
    for (piece, left) in [("he", 3), ("llo", 0)] {
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(left + piece.len() as u64), false));
        let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.unwrap()?;
        assert_eq!(frame.into_data().unwrap(), piece);
        assert_eq!(body.size_hint().exact(), Some(left));
        let _ = tell.send(());
    }
    assert!(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.is_none());
    assert!(body.is_end_stream());
    eventually(&site.world, "the connection is over", || client.connections() == 0).await;
    stranger(&site.world, move || server.join()).await.map_err(|_| "the server failed")?;
    Ok(())
}

async fn aborted_body_isnt_completed<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let (tell, told) = mpsc::channel();
    let running = site
        .serve(server(&site.world), move |request: Request<Incoming>| {
            let tell = tell.clone();
            async move {
                let read = content(request.into_body()).await;
                tell.send(read.is_ok()).unwrap();
                read.map(|_| Response::new(Full::default()))
            }
        })
        .await?;
    let client = site.client(once());
    let failing = Told::pieces(["some"]).then(Then::Fail);
    let error = client.request(Request::post(site.uri(running.address, "/")).body(failing)?).await.unwrap_err();
    assert!(!error.is_safe_to_repeat(), "{error}");
    let complete = stranger(&site.world, move || told.recv_timeout(AT_ONCE)).await?;
    assert!(!complete, "taken for complete");
    Ok(())
}

/// A resolver with a fault.
struct Falls;

impl Resolve for Falls {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        Box::pin(async { panic!("as the test wants it") })
    }
}

async fn a_body_that_panics<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let running = site
        .serve(server(&site.world), |request: Request<Incoming>| async move {
            content(request.into_body()).await.map(|_| Response::new(Full::default()))
        })
        .await?;
    let client = site.client(once().max_connections_per_host(1));
    let panicking = Request::post(site.uri(running.address, "/")).body(Told::pieces(["some"]).then(Then::Panic))?;
    // It falls where it is polled: with who waits for the response.
    let waiting = AssertUnwindSafe(client.request(panicking)).catch_unwind();
    assert!(waiting.await.is_err());
    // Its connection is gone, and its place is free; so is that of one that a resolver's panic kept from being made.
    let falls = site.over(once().max_connections_per_host(1), site.network().resolver(Falls));
    for _ in 0..2 {
        let error = falls.request(Request::get("http://name.example/").body(Full::default())?).await.unwrap_err();
        assert!(error.is_connect() && error.is_safe_to_repeat(), "{error}");
    }
    let next = client.request(Request::get(site.uri(running.address, "/")).body(Full::default())?).await?;
    assert_eq!(next.status(), 200);
    Ok(())
}

async fn http1_half_closed_peer_with_open_request_body_does_not_spin<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let listener = TcpListener::bind(anywhere())?;
    let address = listener.local_addr()?;
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        head(&stream);
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        stream.set_read_timeout(Some(AT_ONCE)).unwrap();
        // The client ends its side too, and does not go on with what nobody answers.
        let _ = (&stream).read_to_end(&mut Vec::new()).unwrap();
    });
    let open = Told::pieces(["some"]).then(Then::Wait);
    let error = site.client(once()).request(Request::post(site.uri(address, "/")).body(open)?).await.unwrap_err();
    assert!(!error.is_timeout() && !error.is_safe_to_repeat(), "{error}");
    stranger(&site.world, move || server.join()).await.map_err(|_| "the server failed")?;
    Ok(())
}

async fn pairs<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let running = site
        .serve(server(&site.world), |request: Request<Incoming>| async move {
            let streams = request.uri().path() == "/chunked";
            let response = Response::builder().header("date", "let's pretend");
            let sent = content(request.into_body()).await?;
            let body = if streams { Told::pieces([sent]) } else { Told::sized([sent]) };
            Ok::<_, http_driver::Error>(response.body(body).unwrap())
        })
        .await?;
    let client = site.client(once());
    // get_1, get_2, get_implicit_path, get_body, get_body_2_keeps_alive, get_body_chunked, post_chunked
    for path in ["", "/", "/chunked"] {
        for body in [Told::sized([""; 0]), Told::sized(["hello"]), Told::pieces(["he", "llo"])] {
            let empty = body.is_end_stream() || body.size_hint().exact() == Some(0);
            let response = client.request(Request::post(site.uri(running.address, path)).body(body)?).await?;
            assert_eq!(response.headers()["date"], "let's pretend", "date_isnt_overwritten");
            assert_eq!(content(response.into_body()).await?, if empty { &b""[..] } else { b"hello" });
        }
    }
    assert_eq!(running.accepted(), 1);
    // What comes at the same time goes over several, and none is told to come again (conn::pipeline).
    let get = || {
        Request::get(site.uri(running.address, "/"))
            .body(Full::default())
            .map(|get| alone(&site.world, client.request(get)))
    };
    for response in [get()?, get()?, get()?] {
        assert_eq!(response.await?.status(), 200);
    }
    Ok(())
}

on_both! {
    requests
    requests_that_are_not_sent
    responses
    incoming_content_length
    aborted_body_isnt_completed
    a_body_that_panics
    http1_half_closed_peer_with_open_request_body_does_not_spin
    pairs
}
