//! libevent's `https_*` suites: rows of `http/` over TLS, and ends of it that are clean or not.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use http::{Request, Response};
use http_core::{Content, Method, RequestHead};
use http_driver::client::Connection;
use http_driver::client::Connector;
use http_driver::client::Origin;
use http_driver::{Full, Incoming};

use super::client_sockets::{connection_at, connection_fail_at, connection_retry_at, simple_at};
use super::server_sockets::{
    basic_at, chunk_out_at, incomplete_at, incomplete_timeout_at, stream_out_at, write_during_read_at,
};
use crate::sockets::clients::{Networked, content, once};
use crate::sockets::servers::{Running, server};
use crate::sockets::site::{Door, Site};
use crate::sockets::strangers::{anywhere, head, rest, stranger};
use crate::sockets::{Outcome, eventually};

macro_rules! secured {
    ($($name:ident: $scenario:ident($($more:expr),*);)*) => {$(
        async fn $name<W: Networked>(world: W) -> Outcome {
            $scenario(Site::secured(world) $(, $more)*).await
        }
    )*};
}

secured! {
    basic: basic_at();
    simple: simple_at();
    incomplete_timeout: incomplete_timeout_at();
    chunk_out: chunk_out_at();
    stream_out: stream_out_at();
    connection_fail: connection_fail_at();
    write_during_read: write_during_read_at();
    connection: connection_at(true);
    persist_connection: connection_at(false);
}

async fn connection_retry<W: Networked>(world: W) -> Outcome {
    let site = Site::secured(world);
    let network = |address| site.network().resolve("localhost", [address]);
    connection_retry_at(site.clone(), network).await
}

async fn incomplete<W: Networked>(world: W) -> Outcome {
    incomplete_at(Site::secured(world.clone())).await?;
    // The same with an end that says nothing: it is not answered either, and leaves nothing.
    let site = Site::secured(world);
    let running = site.serve(server(&site.world), hello).await?;
    let (door, address) = (site.door(), running.address);
    stranger(&site.world, move || {
        let mut stream = door.dial(address);
        stream.write_all(b"GET /test HTTP/1.1\r\nHost: somehost\r\n").unwrap();
    })
    .await;
    eventually(&site.world, "the connection is gone", || running.shutdown.connections() == 0).await;
    assert_eq!(running.shutdown.served(), 0);
    Ok(())
}

async fn hello(_: Request<Incoming>) -> Result<Response<Full>, Infallible> {
    Ok(Response::new(Full::from("hello")))
}

/// Answers each of some connections once, and ends it with the word for it or without.
fn answering(door: Door, clean: bool, answers: &'static [&str]) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(anywhere())?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for answer in answers {
            let mut stream = door.accept(&listener);
            head(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
            stream.flush().unwrap();
            if clean {
                stream.end();
                let _ = stream.read(&mut [0]);
            }
        }
    });
    Ok(address)
}

const SIZED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
const UNTIL_CLOSE: &str = "HTTP/1.1 200 OK\r\n\r\nhello";

/// Content whose end the message tells is complete however the connection ends; content that the end of the connection
/// ends needs an end that nobody can forge (RFC 9112 §9.8).
async fn ends<W: Networked>(world: W, clean: bool) -> Outcome {
    let site = Site::secured(world);
    let address = answering(site.door(), clean, &[SIZED, CHUNKED, UNTIL_CLOSE])?;
    let client = site.client(once());
    for framed in [true, true, false] {
        let get = Request::get(site.uri(address, "/")).body(Full::default())?;
        let read = content(client.request(get).await?.into_body()).await;
        assert_eq!(read.is_ok(), framed || clean, "{read:?}");
        assert!(read.is_err() || read.is_ok_and(|read| read == b"hello"));
        eventually(&site.world, "the connection is gone", || client.connections() == 0).await;
    }
    Ok(())
}

async fn simple_clean<W: Networked>(world: W) -> Outcome {
    ends(world, true).await
}

async fn simple_dirty<W: Networked>(world: W) -> Outcome {
    ends(world, false).await
}

/// The same on a connection that was made and secured before.
async fn preexisting<W: Networked>(world: W, clean: bool) -> Outcome {
    let site = Site::secured(world);
    let address = answering(site.door(), clean, &[SIZED])?;
    let origin = Origin::of(&site.uri(address, "/").parse()?).ok_or("an origin")?;
    let stream = site.network().connect(&origin).await.map_err(|cause| format!("{cause:?}"))?;
    let mut connection = Connection::new(stream, site.world.runtime(), Arc::default());
    let head = RequestHead::new(Method::Get, "/")?.with("Host", "localhost")?;
    let mut exchange = connection.send(&head, Content::Empty)?;
    assert_eq!(exchange.response().await?.status().as_u16(), 200);
    assert_eq!(exchange.content().await?.unwrap(), "hello");
    assert!(exchange.content().await?.is_none());
    Ok(())
}

async fn simple_preexisting<W: Networked>(world: W) -> Outcome {
    preexisting(world, true).await
}

async fn simple_dirty_preexisting<W: Networked>(world: W) -> Outcome {
    preexisting(world, false).await
}

async fn per_socket_bevcb<W: Networked>(world: W) -> Outcome {
    // One server, one listener in plain and one secured.
    let (plain, secured) = (Site::plain(world.clone()), Site::secured(world.clone()));
    let server = server(&world);
    let (one, other): (Running, Running) =
        (plain.serve(server.clone(), hello).await?, secured.serve(server, hello).await?);
    for (site, running) in [(&plain, &one), (&secured, &other)] {
        let get = Request::get(site.uri(running.address, "/")).body(Full::default())?;
        assert_eq!(content(site.client(once()).request(get).await?.into_body()).await?, b"hello");
    }
    let (address, door) = (other.address, plain.door());
    stranger(&world, move || {
        let mut stream = door.dial(address);
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert!(!rest(&mut stream).contains("hello"), "the secured one is not served in plain");
    })
    .await;
    Ok(())
}

on_both! {
    connection_retry
    incomplete
    simple_clean
    simple_dirty
    simple_preexisting
    simple_dirty_preexisting
    per_socket_bevcb
    basic
    simple
    incomplete_timeout
    chunk_out
    stream_out
    connection_fail
    write_during_read
    connection
    persist_connection
}
