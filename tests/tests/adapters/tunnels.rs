//! Connections that are handed over, on either adapter: upgrades and `CONNECT`.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::{AsyncReadExt as _, AsyncWriteExt as _};
use http::{HeaderValue, Request, Response, StatusCode};
use http_core::Config;
use http_driver::server::{Connection, Options, serve_connection};
use http_driver::{Full, Incoming, Runtime, Tunnel, Upgrade, service_fn};
use http_tokio::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::sockets::clients::{client, content};
use crate::sockets::servers::{Running, server};
use crate::sockets::strangers::{AT_ONCE, anywhere, dial, head, rest, stranger};
use crate::sockets::world::World;
use crate::sockets::{Outcome, eventually};

/// Sends back what it gets, with a word before and one behind, and ends each direction after the peer's.
async fn echo(mut tunnel: Tunnel) -> std::io::Result<()> {
    tunnel.write("hello ").await?;
    loop {
        let bytes = tunnel.read().await?;
        if bytes.is_empty() {
            break;
        }
        tunnel.write(bytes).await?;
    }
    tunnel.write(" goodbye").await?;
    tunnel.end().await
}

/// A server that upgrades to an echo where that is offered, and is one for `CONNECT`; `/refuse` is refused.
async fn echo_server<W: World>(world: &W) -> std::io::Result<std::net::SocketAddr> {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let server = world.clone();
    world.runtime().spawn(async move {
        while let Ok(stream) = server.accept(&listener).await {
            let runtime = server.runtime();
            let service = service_fn(move |request: Request<Incoming>| {
                let runtime = runtime.clone();
                async move {
                    let mut response = Response::new(Full::default());
                    let refused = request.uri().path() == "/refuse";
                    match request.extensions().get::<Upgrade>().cloned() {
                        None => *response.body_mut() = Full::from("no tunnel"),
                        Some(upgrade) => {
                            runtime.spawn(async move {
                                match upgrade.await {
                                    Ok(tunnel) => drop(echo(tunnel).await),
                                    Err(_) => assert!(refused, "no hand-over"),
                                }
                            });
                        }
                    }
                    if request.headers().contains_key("upgrade") && !refused {
                        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                        response.headers_mut().insert("upgrade", HeaderValue::from_static("echo"));
                    }
                    Ok::<_, std::convert::Infallible>(response)
                }
            });
            let connection = Connection::new(stream, server.runtime(), Arc::new(Config::default()));
            server.runtime().spawn(async move {
                if let Ok(Some(switched)) = serve_connection(connection, service, Options::default(), None).await {
                    switched.deliver();
                }
            });
        }
    });
    Ok(address)
}

async fn a_service_hands_a_connection_over_with_what_was_read<W: World>(world: W) -> Outcome {
    let address = echo_server(&world).await?;
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nnot HTTP", "101"),
        ("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\nnot HTTP", "200"),
    ] {
        stranger(&world, move || {
            let stream = dial(address);
            (&stream).write_all(request.as_bytes()).unwrap();
            assert_eq!(&head(&stream)[9..12], status);
            let mut early = [0; 14];
            (&stream).read_exact(&mut early).unwrap();
            assert_eq!(&early, b"hello not HTTP");
            (&stream).write_all(b", really").unwrap();
            // Our direction ends; the other one goes on until its own end.
            stream.shutdown(Shutdown::Write).unwrap();
            assert_eq!(rest(&stream), ", really goodbye");
        })
        .await;
    }
    Ok(())
}

async fn a_hand_over_that_is_refused_leaves_a_connection<W: World>(world: W) -> Outcome {
    let address = echo_server(&world).await?;
    stranger(&world, move || {
        let stream = dial(address);
        let offer = "GET /refuse HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
        (&stream).write_all(offer.as_bytes()).unwrap();
        assert_eq!(&head(&stream)[9..12], "200");
        (&stream).write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        assert!(rest(&stream).ends_with("\r\n\r\nno tunnel"));
    })
    .await;
    Ok(())
}

async fn a_hand_over_that_does_not_come_is_told_of_at_once<W: World>(world: W) -> Outcome {
    let (tell, told) = std::sync::mpsc::channel();
    let runtime = world.runtime();
    let service = move |request: Request<Incoming>| {
        let (tell, upgrade) = (tell.clone(), request.extensions().get::<Upgrade>().cloned().unwrap());
        runtime.spawn(async move { tell.send(upgrade.await.is_ok()).unwrap() });
        let fails = request.uri().path() == "/fails";
        async move { if fails { Err(std::io::Error::other("broken")) } else { Ok(Response::new(Full::from("no"))) } }
    };
    let running = Running::start(&world, server(&world), service).await?;
    let address = running.address;
    stranger(&world, move || {
        for (path, status) in [("/refuses", "200"), ("/fails", "500")] {
            let stream = dial(address);
            write!(&stream, "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n").unwrap();
            assert_eq!(&head(&stream)[9..12], status);
            // The connection stands, and nothing more is asked on it.
            assert_eq!(told.recv_timeout(AT_ONCE), Ok(false), "{path}");
        }
    })
    .await;
    Ok(())
}

async fn s5_a_length_that_a_framework_adds_to_101_is_left_out<W: World>(world: W) -> Outcome {
    let service = |_: Request<Incoming>| async {
        let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS).header("content-length", "0");
        Ok::<_, std::convert::Infallible>(response.header("upgrade", "echo").body(Full::default()).unwrap())
    };
    let address = Running::start(&world, server(&world), service).await?.address;
    stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n").unwrap();
        let head = head(&stream);
        assert!(head.starts_with("HTTP/1.1 101 ") && !head.contains("content-length"), "{head}");
    })
    .await;
    Ok(())
}

async fn a_client_gets_a_tunnel<W: World>(world: W) -> Outcome {
    let address = echo_server(&world).await?;
    let client = client(&world);
    let upgrade = Request::get(format!("http://{address}/")).header("connection", "upgrade").header("upgrade", "echo");
    let connect = Request::connect(address.to_string());
    for (request, status) in [(upgrade, 101), (connect, 200)] {
        let mut response = client.request(request.body(Full::default())?).await?;
        assert_eq!(response.status().as_u16(), status);
        let mut tunnel = response.extensions_mut().remove::<Upgrade>().ok_or("no hand-over")?.await?;
        tunnel.write("are you there?").await?;
        tunnel.end().await?;
        let mut heard = Vec::new();
        loop {
            let bytes = tunnel.read().await?;
            if bytes.is_empty() {
                break;
            }
            heard.extend_from_slice(&bytes);
        }
        assert_eq!(String::from_utf8(heard)?, "hello are you there? goodbye");
    }
    // The client is as it was: the tunnels are none of its connections.
    let plain = client.request(Request::get(format!("http://{address}/")).body(Full::default())?).await?;
    assert!(plain.extensions().get::<Upgrade>().is_none());
    assert_eq!(content(plain.into_body()).await?, b"no tunnel");
    // A carrier tells what became of its connection in a task of its own.
    eventually(&world, "one connection is left", || client.connections() == 1).await;
    Ok(())
}

async fn large_content_goes_both_ways_through_a_tunnel<W: World>(world: W) -> Outcome {
    const SIZE: usize = 4 << 20;
    let address = echo_server(&world).await?;
    let connect = Request::connect(address.to_string()).body(Full::default())?;
    let mut response = client(&world).request(connect).await?;
    let mut tunnel = response.extensions_mut().remove::<Upgrade>().ok_or("no hand-over")?.await?;
    assert_eq!(&tunnel.read().await?[..], b"hello ");
    let sent: Vec<u8> = (0..SIZE).map(|n| (n * 31 % 251) as u8).collect();
    let mut heard = Vec::new();
    for piece in sent.chunks(128 * 1024) {
        tunnel.write(piece.to_vec()).await?;
        let until = heard.len() + piece.len();
        while heard.len() < until {
            heard.extend_from_slice(&tunnel.read().await?);
        }
    }
    assert!(heard == sent);
    Ok(())
}

/// How many bytes the pipe below a tunnel holds each way.
const PIPE: usize = 1000;

async fn what_a_write_left_is_sent_on_by_who_reads<W: World>(world: W) -> Outcome {
    let (mut peer, near) = tokio::io::duplex(PIPE);
    let mut stream = http_async_std::TunnelStream::from(Tunnel::new(TokioIo::new(near), BytesMut::new()));
    stream.write_all(&[b'x'; 3 * PIPE]).await?;
    let (tell, told) = std::sync::mpsc::channel();
    world.runtime().spawn(async move {
        peer.read_exact(&mut [0; 3 * PIPE]).await.unwrap();
        peer.write_all(b"!").await.unwrap();
        tell.send(()).unwrap();
    });
    world.runtime().spawn(async move {
        // As with a socket: what was written is on its way while the answer is waited for.
        stream.read_exact(&mut [0]).await.unwrap();
    });
    assert_eq!(stranger(&world, move || told.recv_timeout(AT_ONCE)).await, Ok(()));
    Ok(())
}

async fn a_reader_and_a_writer_in_two_tasks_are_both_woken<W: World>(world: W) -> Outcome {
    let moment = Duration::from_millis(20);
    for case in ["the writer first", "the reader first", "a reader that gives up"] {
        let (mut peer, near) = tokio::io::duplex(PIPE);
        let stream = http_async_std::TunnelStream::from(Tunnel::new(TokioIo::new(near), BytesMut::new()));
        let (mut from, mut to) = stream.split();
        to.write_all(&[b'x'; 3 * PIPE]).await?;
        let (tell, told) = std::sync::mpsc::channel();
        let telling = tell.clone();
        let write = async move {
            to.flush().await.unwrap();
            telling.send("flushed").unwrap();
        };
        let read = |mut from: futures_util::io::ReadHalf<_>| async move {
            from.read_exact(&mut [0]).await.unwrap();
            tell.send("read").unwrap();
        };
        if case == "the reader first" {
            world.runtime().spawn(read(from));
            world.sleep(moment).await;
            world.runtime().spawn(write);
        } else {
            world.runtime().spawn(write);
            world.sleep(moment).await;
            if case == "a reader that gives up" {
                assert!(futures_util::poll!(from.read(&mut [0])).is_pending());
            } else {
                world.runtime().spawn(read(from));
            }
        }
        world.sleep(moment).await;
        let (give, given) = std::sync::mpsc::channel();
        world.runtime().spawn(async move {
            peer.read_exact(&mut [0; 3 * PIPE]).await.unwrap();
            give.send(peer).unwrap();
        });
        let peer = stranger(&world, move || given.recv_timeout(AT_ONCE)).await;
        let mut peer = peer.unwrap_or_else(|_| panic!("nobody sends on what was left: {case}"));
        let (said, told) = stranger(&world, move || (told.recv_timeout(AT_ONCE), told)).await;
        assert_eq!(said, Ok("flushed"), "{case}");
        if case != "a reader that gives up" {
            peer.write_all(b"!").await?;
            assert_eq!(stranger(&world, move || told.recv_timeout(AT_ONCE)).await, Ok("read"), "{case}");
        }
    }
    Ok(())
}

on_both! {
    a_service_hands_a_connection_over_with_what_was_read
    a_hand_over_that_is_refused_leaves_a_connection
    a_hand_over_that_does_not_come_is_told_of_at_once
    s5_a_length_that_a_framework_adds_to_101_is_left_out
    a_client_gets_a_tunnel
    large_content_goes_both_ways_through_a_tunnel
    what_a_write_left_is_sent_on_by_who_reads
    a_reader_and_a_writer_in_two_tasks_are_both_woken
}
