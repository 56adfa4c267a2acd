//! Requests behind each other on one connection of a client, on either adapter: what is sent when, and what becomes of
//! the others when one goes wrong.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body::Body;
use http_driver::Full;
use http_driver::client::Builder;

use crate::sockets::Outcome;
use crate::sockets::clients::{ClientOf, begun, content, get};
use crate::sockets::strangers::anywhere;
use crate::sockets::world::World;

/// A connection on the server's side.
struct Socket {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Socket {
    fn accept(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        Self { stream, read: Vec::new() }
    }

    /// The path of the next request, which has no content.
    fn request(&mut self) -> String {
        loop {
            if let Some(end) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head: Vec<u8> = self.read.drain(..end + 4).collect();
                let head = String::from_utf8(head).unwrap();
                return head.split(' ').nth(1).unwrap().to_owned();
            }
            let mut chunk = [0; 4096];
            let count = self.stream.read(&mut chunk).unwrap();
            assert_ne!(count, 0, "the client has ended the connection");
            self.read.extend_from_slice(&chunk[..count]);
        }
    }

    fn requests(&mut self, many: usize) -> Vec<String> {
        (0..many).map(|_| self.request()).collect()
    }

    /// Whether nothing comes for a while.
    fn is_silent(&mut self) -> bool {
        self.stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let silent = self.read.is_empty() && self.stream.read(&mut [0]).is_err();
        self.stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        silent
    }

    fn is_ended(&mut self) -> bool {
        matches!(self.stream.read(&mut [0]), Ok(0) | Err(_))
    }

    /// Answers with the path itself.
    fn answer(&mut self, path: &str) {
        self.write(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}", path.len()));
    }

    fn write(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }
}

/// A server in a thread of its own, whose first connection has answered one request.
fn server(serve: impl FnOnce(Socket, TcpListener) + Send + 'static) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind(anywhere()).unwrap();
    let address = listener.local_addr().unwrap();
    let serving = std::thread::spawn(move || {
        let mut socket = Socket::accept(&listener);
        let first = socket.request();
        socket.answer(&first);
        serve(socket, listener);
    });
    (address, serving)
}

/// A client with one connection, which has answered: others may follow on it.
async fn client<W: World>(
    world: &W,
    address: SocketAddr,
) -> Result<ClientOf<W>, Box<dyn std::error::Error + Send + Sync>> {
    // No retries, so that whatever is sent again is sent again for good reason.
    let builder = Builder::new().pipeline_depth(4).max_connections_per_host(1).retries(0);
    let client = builder.build(world.connector(), world.runtime());
    let response = client.request(get(address, "/first")).await?;
    assert_eq!(content(response.into_body()).await?, b"/first");
    Ok(client)
}

async fn wait_for<W: World>(world: &W, told: &Receiver<()>) {
    while told.try_recv().is_err() {
        world.sleep(Duration::from_millis(1)).await;
    }
}

fn end(serving: JoinHandle<()>) {
    serving.join().expect("the server saw what it should");
}

async fn requests_follow_each_other_and_are_answered_in_order<W: World>(world: W) -> Outcome {
    let (address, serving) = server(|mut socket, _| {
        // All of them, before one is answered.
        let paths = socket.requests(4);
        assert_eq!(paths, ["/0", "/1", "/2", "/3"]);
        assert!(socket.is_silent(), "more than the depth");
        paths.iter().for_each(|path| socket.answer(path));
        let path = socket.request();
        socket.answer(&path);
    });
    let client = client(&world, address).await?;
    let mut waiting: VecDeque<_> = (0..5).map(|n| begun(client.request(get(address, &format!("/{n}"))))).collect();
    // Whichever is asked for first.
    let last = waiting.pop_back().unwrap();
    for (n, response) in waiting.into_iter().enumerate() {
        assert_eq!(content(response.await?.into_body()).await?, format!("/{n}").as_bytes());
    }
    assert_eq!(content(last.await?.into_body()).await?, b"/4");
    end(serving);
    Ok(())
}

async fn nothing_follows_what_may_not_be_repeated<W: World>(world: W) -> Outcome {
    let (address, serving) = server(|mut socket, _| {
        for path in ["/post", "/get"] {
            assert_eq!(socket.request(), path);
            assert!(socket.is_silent(), "something behind {path}");
            socket.answer(path);
        }
        assert_eq!(socket.request(), "/stream");
        socket.answer("/stream");
    });
    let client = client(&world, address).await?;
    let post = Request::post(format!("http://{address}/post")).body(Full::default())?;
    let post = begun(client.request(post));
    let get = begun(client.request(get(address, "/get")));
    // Idempotent, and yet content that comes once only.
    let stream = Request::put(format!("http://{address}/stream")).body(Nothing)?;
    let stream = begun(client.request(stream));
    for (response, path) in [(post, "/post"), (get, "/get"), (stream, "/stream")] {
        assert_eq!(content(response.await?.into_body()).await?, path.as_bytes());
    }
    end(serving);
    Ok(())
}

/// A body of unknown length that is empty in the end.
struct Nothing;

impl Body for Nothing {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Ready(None)
    }
}

async fn one_that_is_cancelled_behind_others_harms_nobody<W: World>(world: W) -> Outcome {
    let (tell, told) = channel();
    let (go, cancelled) = channel();
    let (address, serving) = server(move |mut socket, _| {
        let paths = socket.requests(3);
        tell.send(()).unwrap();
        cancelled.recv().unwrap();
        paths.iter().for_each(|path| socket.answer(path));
        let path = socket.request();
        socket.answer(&path);
    });
    let client = client(&world, address).await?;
    let [first, second, third] = ["/a", "/b", "/c"].map(|path| begun(client.request(get(address, path))));
    wait_for(&world, &told).await;
    drop(second);
    go.send(())?;
    assert_eq!(content(first.await?.into_body()).await?, b"/a");
    assert_eq!(content(third.await?.into_body()).await?, b"/c");
    // The connection is good for whatever comes next.
    let post = Request::post(format!("http://{address}/post")).body(Full::default())?;
    assert_eq!(content(client.request(post).await?.into_body()).await?, b"/post");
    end(serving);
    Ok(())
}

async fn one_that_is_cancelled_while_another_is_read_harms_nobody<W: World>(world: W) -> Outcome {
    let (tell, told) = channel();
    let (go, cancelled) = channel();
    let (address, serving) = server(move |mut socket, _| {
        let paths = socket.requests(2);
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
        tell.send(()).unwrap();
        cancelled.recv().unwrap();
        socket.write("half");
        // Of what is dropped no more than a bounded amount is read.
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
        while socket.stream.write_all(&[b'x'; 1 << 16]).is_ok() {}
        assert_eq!(paths, ["/read", "/dropped"]);
    });
    let client = client(&world, address).await?;
    let read = begun(client.request(get(address, "/read")));
    let dropped = begun(client.request(get(address, "/dropped")));
    wait_for(&world, &told).await;
    let response = read.await?;
    drop(dropped);
    go.send(())?;
    assert_eq!(content(response.into_body()).await?, b"halfhalf");
    while client.connections() > 0 {
        world.sleep(Duration::from_millis(1)).await;
    }
    end(serving);
    Ok(())
}

async fn those_behind_one_that_is_cancelled_are_sent_again<W: World>(world: W) -> Outcome {
    let (tell, told) = channel();
    let (address, serving) = server(move |mut socket, listener| {
        assert_eq!(socket.requests(3), ["/a", "/b", "/c"]);
        tell.send(()).unwrap();
        assert!(socket.is_ended());
        let mut socket = Socket::accept(&listener);
        // One by one at first (RFC 9112 §9.3.2).
        for path in ["/b", "/c"] {
            assert_eq!(socket.request(), path);
            socket.answer(path);
        }
    });
    let client = client(&world, address).await?;
    let [first, second, third] = ["/a", "/b", "/c"].map(|path| begun(client.request(get(address, path))));
    wait_for(&world, &told).await;
    drop(first);
    assert_eq!(content(second.await?.into_body()).await?, b"/b");
    assert_eq!(content(third.await?.into_body()).await?, b"/c");
    end(serving);
    Ok(())
}

async fn those_behind_a_response_that_is_dropped_are_answered<W: World>(world: W) -> Outcome {
    let (tell, told) = channel();
    let (go, dropped) = channel();
    let (address, serving) = server(move |mut socket, listener| {
        for large in [false, true] {
            let paths = socket.requests(2);
            // A little is read for the sake of the next one; for more than that it is sent again elsewhere.
            let length = if large { 1 << 30 } else { 8 };
            socket.write(&format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nhalf"));
            tell.send(()).unwrap();
            dropped.recv().unwrap();
            if large {
                assert!(socket.is_ended());
                socket = Socket::accept(&listener);
                assert_eq!(socket.request(), paths[1]);
            } else {
                socket.write("half");
            }
            socket.answer(&paths[1]);
        }
    });
    let client = client(&world, address).await?;
    for _ in 0..2 {
        let [first, second] = ["/a", "/b"].map(|path| begun(client.request(get(address, path))));
        wait_for(&world, &told).await;
        drop(first.await?);
        go.send(())?;
        assert_eq!(content(second.await?.into_body()).await?, b"/b");
    }
    end(serving);
    Ok(())
}

async fn what_a_connection_leaves_unanswered_is_sent_again<W: World>(world: W) -> Outcome {
    let (address, serving) = server(|mut socket, listener| {
        let paths = socket.requests(4);
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n/0");
        drop(socket);
        let mut socket = Socket::accept(&listener);
        for path in &paths[1..] {
            assert_eq!(socket.request(), *path);
            socket.answer(path);
        }
    });
    let builder = Builder::new().pipeline_depth(4).max_connections_per_host(1).retries(1);
    let client = builder.build(world.connector(), world.runtime());
    assert_eq!(content(client.request(get(address, "/first")).await?.into_body()).await?, b"/first");
    let waiting: Vec<_> = (0..4).map(|n| begun(client.request(get(address, &format!("/{n}"))))).collect();
    for (n, response) in waiting.into_iter().enumerate() {
        assert_eq!(content(response.await?.into_body()).await?, format!("/{n}").as_bytes());
    }
    end(serving);
    Ok(())
}

async fn a_slow_reader_delays_those_behind_and_loses_nothing<W: World>(world: W) -> Outcome {
    const LARGE: usize = 4 << 20;
    let (address, serving) = server(|mut socket, _| {
        let paths = socket.requests(3);
        for path in paths {
            let content = path.repeat(LARGE / path.len());
            socket.write(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{content}", content.len()));
        }
    });
    let client = client(&world, address).await?;
    let waiting = ["/a", "/b", "/c"].map(|path| (path, begun(client.request(get(address, path)))));
    for (path, response) in waiting {
        let body = response.await?.into_body();
        world.sleep(Duration::from_millis(50)).await;
        assert!(content(body).await? == path.repeat(LARGE / path.len()).into_bytes());
    }
    end(serving);
    Ok(())
}

on_both! {
    requests_follow_each_other_and_are_answered_in_order
    nothing_follows_what_may_not_be_repeated
    one_that_is_cancelled_behind_others_harms_nobody
    one_that_is_cancelled_while_another_is_read_harms_nobody
    those_behind_one_that_is_cancelled_are_sent_again
    those_behind_a_response_that_is_dropped_are_answered
    what_a_connection_leaves_unanswered_is_sent_again
    a_slow_reader_delays_those_behind_and_loses_nothing
}
