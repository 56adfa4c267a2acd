//! Who waits for a response drives the connection that it comes on: whoever does not poll what it holds harms nobody
//! else, and what has no caller goes on by itself.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::{Either, join, select};
use futures_util::{StreamExt, stream};
use http::Request;
use http_body::{Body, Frame};
use http_driver::client::Builder;
use http_driver::{Full, Runtime};
use tokio::sync::mpsc;

use crate::sockets::clients::{alone, begun, content, get};
use crate::sockets::paths::{Paths, SLOW};
use crate::sockets::strangers::AT_ONCE;
use crate::sockets::world::World;
use crate::sockets::{Outcome, eventually};

/// What comes of a future, which is there soon.
async fn soon<W: World, F: Future>(world: &W, what: &str, future: F) -> F::Output {
    let sleep = std::pin::pin!(world.sleep(AT_ONCE));
    match select(std::pin::pin!(future), sleep).await {
        Either::Left((output, _)) => output,
        Either::Right(_) => panic!("{what}: not in time"),
    }
}

async fn a_waiter_that_does_not_poll_blocks_nobody<W: World>(world: W) -> Outcome {
    let paths = Paths::start()?;
    let client = Builder::new().max_connections_per_host(1).build(world.connector(), world.runtime());
    let slow = alone(&world, client.request(get(paths.address, "/slow")));
    eventually(&world, "it is on its way", || paths.asked() == 1).await;
    // In the queue before the others, and held.
    let held = begun(client.request(get(paths.address, "/held")));
    for path in ["/b", "/c"] {
        let response = soon(&world, path, client.request(get(paths.address, path))).await?;
        assert_eq!(content(response.into_body()).await?, path.as_bytes());
    }
    assert_eq!(content(soon(&world, "the slow one", slow).await?.into_body()).await?, b"/slow");
    // It has its turn when it comes for it.
    let response = soon(&world, "the one that was held", held).await?;
    assert_eq!(content(response.into_body()).await?, b"/held");
    assert_eq!(paths.accepted(), 1);
    Ok(())
}

/// Three in one task, of which the first was looked at just before its connection was there: the second, which is
/// looked at just after, does not take it.
async fn the_order_of_the_queue_is_that_of_the_answers<W: World>(world: W) -> Outcome {
    let paths = Paths::start()?;
    let client = Builder::new().max_connections_per_host(1).build(world.connector(), world.runtime());
    let mut proven = 0;
    for _ in 0..100 {
        let (began, asked_at) = (paths.asked(), Instant::now());
        let slow = alone(&world, client.request(get(paths.address, "/slow")));
        eventually(&world, "it is on its way", || paths.asked() == began + 1).await;
        let first = begun(client.request(get(paths.address, "/first")));
        let mut second = begun(client.request(get(paths.address, "/second")));
        slow.await?;
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let pending = Pin::new(&mut second).poll(&mut cx).is_pending();
        // On a machine that is too busy for that the first has missed its time, and nothing is shown.
        let in_time = asked_at.elapsed() < SLOW + Duration::from_millis(10);
        assert!(pending || !in_time, "the second went before the first");
        let (first, second) = join(first, second).await;
        assert_eq!(content(first?.into_body()).await?, b"/first");
        assert_eq!(content(second?.into_body()).await?, b"/second");
        if in_time {
            assert_eq!(paths.taken()[began..], ["/slow", "/first", "/second"]);
            proven += 1;
        }
        if proven == 3 {
            break;
        }
    }
    assert_eq!(proven, 3, "the machine is too busy to see the order");
    Ok(())
}

async fn one_that_is_dropped_when_its_connection_is_there_takes_it_from_nobody<W: World>(world: W) -> Outcome {
    let paths = Paths::start()?;
    let client = Builder::new().max_connections_per_host(1).build(world.connector(), world.runtime());
    let slow = alone(&world, client.request(get(paths.address, "/slow")));
    eventually(&world, "it is on its way", || paths.asked() == 1).await;
    let dropped = begun(client.request(get(paths.address, "/dropped")));
    let next = alone(&world, client.request(get(paths.address, "/next")));
    slow.await?;
    drop(dropped);
    assert_eq!(content(soon(&world, "the next one", next).await?.into_body()).await?, b"/next");
    assert_eq!(paths.asked(), 2, "nothing of what was dropped was sent");
    Ok(())
}

async fn a_consumer_that_sleeps_holds_up_nobody<W: World>(world: W) -> Outcome {
    let paths = Paths::start()?;
    let client = Builder::new().max_connections_per_host(2).build(world.connector(), world.runtime());
    let requests = client.clone();
    let mut responses = stream::iter(0..6).map(|n| requests.request(get(paths.address, &format!("/{n}")))).buffered(2);
    let mut seen = 0;
    while let Some(response) = responses.next().await {
        content(response?.into_body()).await?;
        seen += 1;
        // The stream is not polled meanwhile, and what it holds has places in the queue or on connections.
        let other = alone(&world, client.request(get(paths.address, "/other")));
        assert_eq!(content(soon(&world, "another", other).await?.into_body()).await?, b"/other");
    }
    assert_eq!(seen, 6);
    Ok(())
}

async fn small_responses_that_are_held_keep_no_connection<W: World>(world: W) -> Outcome {
    let paths = Paths::start()?;
    let client = Builder::new().max_connections_per_host(1).build(world.connector(), world.runtime());
    let mut held = Vec::new();
    for n in 0..20 {
        let response = soon(&world, "it is one of many", client.request(get(paths.address, &format!("/{n}")))).await?;
        held.push(response);
    }
    for (n, response) in held.into_iter().enumerate() {
        assert_eq!(content(response.into_body()).await?, format!("/{n}").as_bytes());
    }
    assert_eq!(paths.accepted(), 1);
    Ok(())
}

async fn a_response_without_end_that_is_dropped_ends_its_connection<W: World>(world: W) -> Outcome {
    let paths = Paths::start()?;
    let client = Builder::new().max_connections_per_host(1).build(world.connector(), world.runtime());
    for read in [true, false] {
        let mut body = client.request(get(paths.address, "/events")).await?.into_body();
        if read {
            let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.ok_or("nothing")??;
            assert_eq!(frame.data_ref().map(|data| &data[..]), Some(&b"data: 1\n\n"[..]));
            // It waits for the next one, and is given up.
            let next = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
            let pause = world.sleep(Duration::from_millis(20));
            assert!(matches!(select(std::pin::pin!(next), std::pin::pin!(pause)).await, Either::Right(_)));
        }
        drop(body);
        eventually(&world, "the server sees the end", || paths.open() == 0).await;
        assert_eq!(client.connections(), 0);
    }
    Ok(())
}

/// Content that comes through a channel.
struct Channel(mpsc::Receiver<Bytes>);

impl Body for Channel {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(cx).map(|next| next.map(|bytes| Ok(Frame::data(bytes))))
    }
}

const PIECE: usize = 16 * 1024;
const PIECES: usize = 64;

async fn content_is_sent_when_the_head_of_the_response_is_there<W: World>(world: W) -> Outcome {
    let paths = Paths::start()?;
    let client = Builder::new().build(world.connector(), world.runtime());
    let (send, receive) = mpsc::channel(1);
    let request = Request::post(format!("http://{}/early", paths.address)).body(Channel(receive))?;
    let response = soon(&world, "the head", client.request(request)).await?;
    let sending = async {
        for _ in 0..PIECES {
            send.send(Bytes::from(vec![b'x'; PIECE])).await.expect("it is sent on");
        }
        drop(send);
    };
    soon(&world, "the content is taken", sending).await;
    let told = soon(&world, "the answer", content(response.into_body())).await?;
    assert_eq!(told, (PIECE * PIECES).to_string().as_bytes());
    Ok(())
}

async fn both_directions_at_once<W: World>(world: W) -> Outcome {
    let paths = Paths::start()?;
    let client = Builder::new().build(world.connector(), world.runtime());
    let (send, receive) = mpsc::channel(1);
    let request = Request::post(format!("http://{}/echo", paths.address)).body(Channel(receive))?;
    let response = soon(&world, "the head", client.request(request)).await?;
    let sending = async {
        for _ in 0..PIECES {
            send.send(Bytes::from(vec![b'x'; PIECE])).await.expect("it is sent on");
        }
        drop(send);
    };
    let (_, read) = soon(&world, "both directions", join(sending, content(response.into_body()))).await;
    assert_eq!(read?.len(), PIECE * PIECES);
    Ok(())
}

async fn many_origins_end_when_their_servers_do<W: World>(world: W) -> Outcome {
    // Each with a connection that idles, and is seen to end though nobody asks for it.
    let client = Builder::new().max_connections(100).build(world.connector(), world.runtime());
    let mut ends = Vec::new();
    for _ in 0..100 {
        let listener = std::net::TcpListener::bind(crate::sockets::strangers::anywhere())?;
        let address = listener.local_addr()?;
        let (end, ended) = std::sync::mpsc::channel::<()>();
        std::thread::spawn(move || {
            use std::io::Write;
            let (mut stream, _) = listener.accept().unwrap();
            crate::sockets::strangers::head(&stream);
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
            let _ = ended.recv();
        });
        let response = client.request(Request::get(format!("http://{address}/")).body(Full::default())?).await?;
        assert_eq!(response.status(), 204);
        ends.push(end);
    }
    assert_eq!(client.counts().idle, 100);
    // Those that have idled for a second are watched.
    world.sleep(Duration::from_millis(1200)).await;
    drop(ends);
    eventually(&world, "all connections are gone", || client.connections() == 0).await;
    let _ = world.runtime().now();
    Ok(())
}

on_both! {
    a_waiter_that_does_not_poll_blocks_nobody
    the_order_of_the_queue_is_that_of_the_answers
    one_that_is_dropped_when_its_connection_is_there_takes_it_from_nobody
    a_consumer_that_sleeps_holds_up_nobody
    small_responses_that_are_held_keep_no_connection
    a_response_without_end_that_is_dropped_ends_its_connection
    content_is_sent_when_the_head_of_the_response_is_there
    both_directions_at_once
    many_origins_end_when_their_servers_do
}
