//! What was reported of clients and stands in no other file, each by its number in `reports.rs`; on either adapter.

use core::convert::Infallible;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderName, Request, StatusCode};
use http_body_util::Limited;
use http_driver::client::{Builder, RequestOptions};
use http_driver::{Body, Frame, Full, SizeHint};

use crate::sockets::clients::{Networked, begun, client, content, get};
use crate::sockets::strangers::{AT_ONCE, anywhere, head};
use crate::sockets::world::World;
use crate::sockets::{Outcome, eventually};

/// Serves each connection on a thread of its own; how many there were.
fn origin(serve: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(anywhere()).unwrap();
    let (address, serve) = (listener.local_addr().unwrap(), Arc::new(serve));
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = accepted.clone();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            count.fetch_add(1, Ordering::SeqCst);
            let serve = serve.clone();
            std::thread::spawn(move || serve(stream));
        }
    });
    (address, accepted)
}

/// Reads a head, if another one comes.
fn asked(stream: &mut TcpStream) -> bool {
    stream.peek(&mut [0]).is_ok_and(|count| count > 0) && !head(stream).is_empty()
}

/// C4: what the server has read is not said not to have been sent.
async fn c4_a_cut_tells_what_was_sent<W: World>(world: W) -> Outcome {
    let (address, _) = origin(|mut stream| {
        head(&mut stream);
        stream.read_to_end(&mut Vec::new()).map(drop)
    });
    let client = client(&world);
    let post = Request::post(format!("http://{address}/")).body(Full::from("abc"))?;
    let mut posted = begun(client.request(post));
    let began = Instant::now();
    // Until it is on its way, and somewhat longer.
    while began.elapsed() < Duration::from_millis(300) {
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(std::pin::Pin::new(&mut posted).poll(cx)));
        assert!(polled.await.is_pending());
        world.sleep(Duration::from_millis(10)).await;
    }
    let _ = client.shutdown().finish(Duration::from_millis(100)).await;
    let error = posted.await.unwrap_err();
    assert!(!error.is_safe_to_repeat(), "{error}");
    assert!(error.into_request().is_none());
    Ok(())
}

/// C8: by default, and without waiting for a server to come.
async fn c8_a_refused_connection_fails_at_once<W: Networked>(world: W) -> Outcome {
    let closed = world.address(&world.listen(anywhere()).await?)?;
    let began = Instant::now();
    let error = client(&world).request(get(closed, "/")).await.unwrap_err();
    assert!(error.is_connect() && began.elapsed() < AT_ONCE, "{error}");
    Ok(())
}

/// C5: a server that has answered and reads no more is asked nothing else on that connection, and the next request
/// waits for none of it.
async fn c5_a_connection_with_unsent_content_is_not_idle<W: World>(world: W) -> Outcome {
    for close in [false, true] {
        let (address, accepted) = origin(move |mut stream| {
            let head = head(&mut stream);
            if head.starts_with("GET") {
                return stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
            let close = if close { "Connection: close\r\n" } else { "" };
            stream
                .write_all(format!("HTTP/1.1 413 Content Too Large\r\n{close}Content-Length: 0\r\n\r\n").as_bytes())?;
            std::thread::sleep(Duration::from_secs(10));
            Ok(())
        });
        let client = client(&world);
        // Of a length that no buffers of the system take.
        let post = Request::post(format!("http://{address}/")).body(Full::from(vec![b'x'; 20 << 20]))?;
        let response = client.request(post).await?;
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        drop(content(response.into_body()).await?);
        let began = Instant::now();
        let response = client.request(get(address, "/")).await?;
        assert_eq!(content(response.into_body()).await?, b"ok");
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}, close: {close}", began.elapsed());
        assert_eq!(accepted.load(Ordering::SeqCst), 2, "close: {close}");
    }
    Ok(())
}

/// A body that knows its length and has trailers; its first poll shows nothing if it is `slow`, and its data comes in
/// pieces.
struct Trailing {
    slow: bool,
    pieces: Vec<&'static str>,
    trailed: bool,
}

impl Body for Trailing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if core::mem::take(&mut self.slow) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(if self.pieces.is_empty() {
            let first = !core::mem::replace(&mut self.trailed, true);
            first.then(|| Ok(Frame::trailers([(name("checksum"), "1".parse().unwrap())].into_iter().collect())))
        } else {
            Some(Ok(Frame::data(self.pieces.remove(0).into())))
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.pieces.iter().map(|piece| piece.len() as u64).sum())
    }
}

fn name(name: &'static str) -> HeaderName {
    HeaderName::from_static(name)
}

/// C23: what is sent of it does not hang on how it is polled. A head that announces trailers gets them, in chunks; they
/// have no place behind content of a stated length (RFC 9110 §6.5, §6.6.2; RFC 9112 §7.1.2).
async fn c23_a_sized_body_with_trailers_has_one_meaning<W: World>(world: W) -> Outcome {
    for pieces in [&["abc"][..], &["a", "bc"], &[]] {
        for trailer in [None, Some("checksum")] {
            let mut sent = Vec::new();
            for slow in [false, true] {
                let (told, hears) = std::sync::mpsc::channel();
                let (address, _) = origin(move |mut stream| {
                    let mut all = Vec::new();
                    let mut block = [0; 1024];
                    while !is_complete(&all) {
                        match stream.read(&mut block)? {
                            0 => break,
                            count => all.extend_from_slice(&block[..count]),
                        }
                    }
                    told.send(all).unwrap();
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                });
                let mut request = Request::post(format!("http://{address}/"));
                if let Some(trailer) = trailer {
                    request = request.header("trailer", trailer);
                }
                let body = Trailing { slow, pieces: pieces.to_vec(), trailed: false };
                let response = client(&world).request(request.body(body)?).await?;
                assert_eq!(response.status(), StatusCode::OK);
                let all = String::from_utf8(hears.recv()?)?.to_lowercase();
                let (head, content) = all.split_once("\r\n\r\n").unwrap();
                assert_eq!(head.contains("transfer-encoding: chunked"), trailer.is_some(), "{all}");
                assert_eq!(head.contains("content-length"), trailer.is_none(), "{all}");
                assert_eq!(content.contains("checksum: 1"), trailer.is_some(), "{all}");
                sent.push(content.replace(|c: char| !c.is_alphabetic(), ""));
            }
            assert_eq!(sent[0], sent[1], "{pieces:?}, {trailer:?}");
        }
    }
    Ok(())
}

/// Whether a request is there to its end.
fn is_complete(all: &[u8]) -> bool {
    let text = String::from_utf8_lossy(all).to_lowercase();
    let Some((head, content)) = text.split_once("\r\n\r\n") else { return false };
    match head.split("content-length: ").nth(1) {
        Some(rest) => content.len() >= rest.lines().next().unwrap().parse().unwrap(),
        None => format!("\r\n{content}").contains("\r\n0\r\n") && content.ends_with("\r\n\r\n"),
    }
}

/// C33: whether it comes with the response or a moment later, whole or in halves.
async fn c33_crlf_too_many_keeps_the_connection<W: World>(world: W) -> Outcome {
    for (content_length, pause) in
        [("Content-Length: 2", 0), ("Content-Length: 2", 20), ("Transfer-Encoding: chunked", 0)]
    {
        let (address, accepted) = origin(move |mut stream| {
            let content = if content_length.starts_with('C') { "ok" } else { "2\r\nok\r\n0\r\n\r\n" };
            let response = format!("HTTP/1.1 200 OK\r\n{content_length}\r\n\r\n{content}");
            while asked(&mut stream) {
                if pause == 0 {
                    stream.write_all(format!("{response}\r\n").as_bytes())?;
                } else {
                    stream.write_all(response.as_bytes())?;
                    for half in [b"\r", b"\n"] {
                        std::thread::sleep(Duration::from_millis(pause));
                        stream.write_all(half)?;
                    }
                }
            }
            Ok(())
        });
        let client = client(&world);
        for _ in 0..3 {
            assert_eq!(content(client.request(get(address, "/")).await?.into_body()).await?, b"ok");
            world.sleep(Duration::from_millis(80)).await;
        }
        assert_eq!(accepted.load(Ordering::SeqCst), 1, "{content_length}, pause: {pause}");
    }
    Ok(())
}

/// C34: it was told to come again, and not to go away.
async fn c34_what_is_asked_again_goes_on_the_same_connection<W: World>(world: W) -> Outcome {
    for (status, wait) in [("503 Service Unavailable", 0), ("429 Too Many Requests", 0), ("503 Busy", 1)] {
        let (address, accepted) = origin(move |mut stream| {
            let busy = format!("HTTP/1.1 {status}\r\nRetry-After: {wait}\r\nContent-Length: 4\r\n\r\n");
            if asked(&mut stream) && wait == 0 {
                stream.write_all(format!("{busy}busy").as_bytes())?;
            } else {
                // What is asked for at once is not on that connection before it is free.
                stream.write_all(busy.as_bytes())?;
                std::thread::sleep(Duration::from_millis(20));
                stream.write_all(b"busy")?;
            }
            while asked(&mut stream) {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")?;
            }
            Ok(())
        });
        let client = Builder::new().retry_after(Duration::from_secs(1)).build(world.connector(), world.runtime());
        let response = client.request(get(address, "/")).await?;
        assert_eq!((response.status(), accepted.load(Ordering::SeqCst)), (StatusCode::OK, 1), "{status}, {wait}");
    }
    Ok(())
}

/// C36: nothing is tried for what cannot be right.
async fn c36_a_length_that_is_not_the_contents_is_refused_before<W: World>(world: W) -> Outcome {
    let (address, accepted) = origin(|mut stream| stream.read_to_end(&mut Vec::new()).map(drop));
    for length in ["3", "7", "x"] {
        let request = Request::post(format!("http://{address}/")).header("content-length", length);
        let options = RequestOptions::new().timeout(Duration::from_secs(5));
        let error = client(&world).request(request.extension(options).body(Full::from("12345"))?).await.unwrap_err();
        assert!(error.is_safe_to_repeat() && !error.is_timeout(), "{length}: {error}");
    }
    // Its siblings: what a parser of numbers would take, two lengths, a coding of content whose length is known, and a
    // body that has to be asked for its length.
    for (name, value) in [("content-length", "+5"), ("content-length", "5, 5"), ("transfer-encoding", "chunked")] {
        let request = Request::post(format!("http://{address}/")).header(name, value);
        let error = client(&world).request(request.body(Full::from("12345"))?).await.unwrap_err();
        assert!(error.is_safe_to_repeat(), "{name}: {value}: {error}");
    }
    let sized = Limited::new(Full::from("12345"), 5);
    let request = Request::post(format!("http://{address}/")).header("content-length", "7").body(sized)?;
    assert!(client(&world).request(request).await.unwrap_err().is_safe_to_repeat());
    world.sleep(Duration::from_millis(50)).await;
    assert_eq!(accepted.load(Ordering::SeqCst), 0);
    Ok(())
}

/// C38: a chunked response whose data was read, and which was not polled to its end.
async fn c38_what_has_come_frees_its_connection<W: World>(world: W) -> Outcome {
    let (address, accepted) = origin(|mut stream| {
        while asked(&mut stream) {
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")?;
        }
        Ok(())
    });
    let client = Builder::new().max_connections_per_host(1).build(world.connector(), world.runtime());
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(client.request(get(address, "/")).await?);
    }
    assert_eq!(accepted.load(Ordering::SeqCst), 1);
    eventually(&world, "nothing is under way", || client.counts().connections == 1).await;
    Ok(())
}

on_both! {
    c4_a_cut_tells_what_was_sent
    c8_a_refused_connection_fails_at_once
    c5_a_connection_with_unsent_content_is_not_idle
    c23_a_sized_body_with_trailers_has_one_meaning
    c33_crlf_too_many_keeps_the_connection
    c34_what_is_asked_again_goes_on_the_same_connection
    c36_a_length_that_is_not_the_contents_is_refused_before
    c38_what_has_come_frees_its_connection
}
