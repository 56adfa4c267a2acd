//! What was reported of clients and stands in no other file, each by its number in `reports.rs`; on either adapter.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Request;
use http_body_util::Limited;
use http_driver::Full;
use http_driver::client::{Builder, RequestOptions};

use crate::sockets::clients::{Networked, begun, client, get};
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
    c36_a_length_that_is_not_the_contents_is_refused_before
    c38_what_has_come_frees_its_connection
}
