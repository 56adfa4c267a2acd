//! What a client does, on either adapter.

use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_core::Config;
use http_core::dispatch::Policy;
use http_driver::client::{Builder, RequestError};
use http_driver::{Full, Incoming};
use tower_service::Service;

use crate::sockets::Outcome;
use crate::sockets::clients::{begun, client, content, get};
use crate::sockets::servers::routes_server;
use crate::sockets::strangers::anywhere;
use crate::sockets::world::World;

/// A service, as `tower` sees it.
async fn call<S>(service: &mut S, request: Request<Full>) -> Result<Response<Incoming>, RequestError>
where
    S: Service<Request<Full>, Response = Response<Incoming>, Error = RequestError>,
{
    poll_fn(|cx| service.poll_ready(cx)).await?;
    service.call(request).await
}

async fn a_client_is_a_tower_service<W: World>(world: W) -> Outcome {
    let address = routes_server(&world, Config::default()).await?;
    let mut client = client(&world);
    for n in 0..3 {
        let response = call(&mut client, get(address, &format!("/{n}"))).await?;
        assert_eq!(content(response.into_body()).await?, format!("GET /{n}\n").into_bytes());
    }
    assert_eq!(client.connections(), 1);
    Ok(())
}

async fn a_uri_is_enough_to_get<W: World>(world: W) -> Outcome {
    let address = routes_server(&world, Config::default()).await?;
    let response = client(&world).get(format!("http://{address}/there").parse()?).await?;
    assert_eq!(content(response.into_body()).await?, b"GET /there\n");
    assert!(client(&world).get("/there".parse()?).await.is_err());
    Ok(())
}

/// How long content is hangs on its head alone, and not on what has come with it: whoever hands a response on takes
/// an exact size for a `Content-Length`, beside which there must be no `Transfer-Encoding` (RFC 9112 §6.2).
async fn chunked_content_has_no_length_however_it_comes<W: World>(world: W) -> Outcome {
    let listener = TcpListener::bind(anywhere())?;
    let url = format!("http://{}/", listener.local_addr()?);
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let answers = [
        (format!("{chunked}2\r\nok\r\n0\r\n\r\n"), None, "ok", 0),
        (format!("{chunked}2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"), None, "ok", 1),
        (format!("{chunked}0\r\n\r\n"), None, "", 0),
        (format!("{chunked}0\r\nX-Sum: 1\r\n\r\n"), None, "", 1),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned(), Some(2), "ok", 0),
        ("HTTP/1.1 204 No Content\r\n\r\n".to_owned(), Some(0), "", 0),
    ];
    // In one piece, and in two of which the first has the head alone.
    let sent: Vec<_> =
        answers.iter().flat_map(|answer| [(answer.0.clone(), false), (answer.0.clone(), true)]).collect();
    let origin = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for (answer, in_two) in sent {
            let mut read = Vec::new();
            while !read.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                read.extend(byte);
            }
            let (head, rest) = answer.split_at(answer.find("\r\n\r\n").unwrap() + 4);
            if in_two {
                stream.write_all(head.as_bytes()).unwrap();
                std::thread::sleep(Duration::from_millis(20));
                stream.write_all(rest.as_bytes()).unwrap();
            } else {
                stream.write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    let client = client(&world);
    for (answer, exact, text, trailers) in answers {
        for in_two in [false, true] {
            let mut body = client.get(url.parse()?).await?.into_body();
            assert_eq!(body.size_hint().exact(), exact, "{answer:?} {in_two}");
            assert_eq!(body.is_end_stream(), exact == Some(0), "{answer:?} {in_two}");
            let (mut content, mut fields) = (Vec::new(), 0);
            while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                match frame?.into_data() {
                    Ok(data) => content.extend(data),
                    Err(frame) => fields += frame.trailers_ref().map_or(0, http::HeaderMap::len),
                }
            }
            assert_eq!((content, fields), (text.into(), trailers), "{answer:?} {in_two}");
            assert!(body.is_end_stream());
        }
    }
    origin.join().map_err(|_| "the origin failed")?;
    Ok(())
}

async fn a_future_that_is_dropped_cancels_its_request<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    drop(listener);
    // Nobody listens, so that it waits for the next attempt.
    let client = Builder::new().connect_retries(3).build(world.connector(), world.runtime());
    let waiting = begun(client.request(get(address, "/")));
    assert_eq!(client.queued(), 1);
    drop(waiting);
    assert_eq!(client.queued(), 0);
    Ok(())
}

/// Answers requests one by one: 417 to each that expects something, otherwise 200 with the content.
fn refuse_expectations(listener: &TcpListener, requests: usize) -> Vec<String> {
    let mut heads = Vec::new();
    while heads.len() < requests {
        let (mut socket, _) = listener.accept().unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut read = Vec::new();
        let mut chunk = [0; 1024];
        loop {
            let text = String::from_utf8(read.clone()).unwrap();
            if let Some((head, content)) = text.split_once("\r\n\r\n") {
                let head = head.to_ascii_lowercase();
                if head.contains("expect:") {
                    assert_eq!(content, "", "content was not waited with");
                    heads.push(head);
                    socket.write_all(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n").unwrap();
                    break;
                }
                if content.ends_with("ontent") || content.ends_with("0\r\n\r\n") {
                    heads.push(head);
                    socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok").unwrap();
                    break;
                }
            }
            match socket.read(&mut chunk).unwrap() {
                0 => break,
                count => read.extend_from_slice(&chunk[..count]),
            }
        }
    }
    heads
}

/// Content that can be read once, of unknown length or with all of it there at first.
struct Once {
    content: Option<&'static str>,
    sized: bool,
}

impl Body for Once {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::convert::Infallible>>> {
        Poll::Ready(self.content.take().map(|content| Ok(Frame::data(Bytes::from_static(content.as_bytes())))))
    }

    fn size_hint(&self) -> SizeHint {
        match self.content {
            Some(content) if self.sized => SizeHint::with_exact(content.len() as u64),
            _ => SizeHint::default(),
        }
    }
}

async fn large_content_is_asked_for_and_417_repeated_without<W: World>(world: W) -> Outcome {
    let listener = TcpListener::bind(anywhere())?;
    let address = listener.local_addr()?;
    let policy = Policy::default().expect_continue_from(7);
    let client = Builder::new().policy(policy).build(world.connector(), world.runtime());
    let server = std::thread::spawn(move || refuse_expectations(&listener, 5));
    // A stream was not begun when the answer came, so it is all there for the second time; the last is too small to
    // ask.
    for (text, sized) in [("content", true), ("content", false), ("ontent", true)] {
        let request = Request::post(format!("http://{address}/")).body(Once { content: Some(text), sized })?;
        let response = client.request(request).await?;
        assert_eq!(response.status(), 200);
        assert_eq!(content(response.into_body()).await?, b"ok");
    }
    let heads = server.join().map_err(|_| "the server failed")?;
    let expecting: Vec<bool> = heads.iter().map(|head| head.contains("expect: 100-continue")).collect();
    assert_eq!(expecting, [true, false, true, false, false]);
    Ok(())
}

/// Answers each connection's first request in HTTP/1.0, and ends it; to one more connection nothing is said.
fn answer_as_of_old(listener: &TcpListener, requests: usize) -> Vec<String> {
    let answer = |(mut socket, _): (std::net::TcpStream, _)| {
        socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let (mut read, mut chunk) = (Vec::new(), [0; 1024]);
        while !read.ends_with(b"content") && !read.ends_with(b"0\r\n\r\n") {
            let count = socket.read(&mut chunk).unwrap();
            read.extend_from_slice(&chunk[..count]);
        }
        socket.write_all(b"HTTP/1.0 200 OK\r\n\r\nok").unwrap();
        String::from_utf8(read).unwrap().to_ascii_lowercase()
    };
    let requests = (0..requests).map(|_| answer(listener.accept().unwrap())).collect();
    let (mut last, _) = listener.accept().unwrap();
    assert_eq!(last.read(&mut [0]).unwrap(), 0, "nothing of what cannot be sent is sent");
    requests
}

async fn an_origin_of_http_1_0_is_told_how_long_content_is<W: World>(world: W) -> Outcome {
    let listener = TcpListener::bind(anywhere())?;
    let address = listener.local_addr()?;
    let mut config = Config::default();
    config.limits.send_buffer = 7;
    let client = Builder::new().config(config).build(world.connector(), world.runtime());
    let server = std::thread::spawn(move || answer_as_of_old(&listener, 2));
    let post = |text| {
        let request = Request::post(format!("http://{address}/")).body(Once { content: Some(text), sized: false });
        client.request(request.unwrap())
    };
    for _ in 0..2 {
        let response = post("content").await?;
        assert_eq!(content(response.into_body()).await?, b"ok");
    }
    // More than is held, and it is not guessed at.
    assert!(post("content!").await.is_err());
    let requests = server.join().map_err(|_| "the server failed")?;
    let chunked: Vec<bool> = requests.iter().map(|request| request.contains("transfer-encoding: chunked")).collect();
    assert_eq!(chunked, [true, false]);
    assert!(requests[1].contains("content-length: 7\r\n"), "{}", requests[1]);
    Ok(())
}

on_both! {
    a_client_is_a_tower_service
    a_uri_is_enough_to_get
    chunked_content_has_no_length_however_it_comes
    a_future_that_is_dropped_cancels_its_request
    large_content_is_asked_for_and_417_repeated_without
    an_origin_of_http_1_0_is_told_how_long_content_is
}
