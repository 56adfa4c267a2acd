//! The rows of libevent's `http/` suite in which a server is at work.

use std::convert::Infallible;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_core::{Config, End};
use http_driver::server::{Disconnected, Options};
use http_driver::{Full, Incoming, Peer, Runtime, Upgrade, service_fn};

use crate::sockets::bodies::{Dropped, Then, Told};
use crate::sockets::clients::{Networked, content};
use crate::sockets::servers::{Running, run, server};
use crate::sockets::site::Site;
use crate::sockets::strangers::{AT_ONCE, anywhere, dial, head, rest, stranger};
use crate::sockets::world::World;
use crate::sockets::{Outcome, eventually};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// Says what it was asked for.
async fn told(request: Request<Incoming>) -> Result<Response<Full>, Infallible> {
    Ok(Response::new(Full::from(format!("{} {}", request.method(), request.uri()))))
}

pub(crate) async fn basic_at<W: Networked>(site: Site<W>) -> Outcome {
    // Two listeners of one server.
    let one = server(&site.world);
    let (first, second) = (site.serve(one.clone(), told).await?, site.serve(one, told).await?);
    let door = site.door();
    let (shutdown, addresses) = (first.shutdown, [first.address, second.address]);
    stranger(&site.world, move || {
        for address in addresses {
            let mut stream = door.dial(address);
            stream.write_all(b"GET /test HTTP/1.1\r\nHost: some").unwrap();
            stream.flush().unwrap();
            std::thread::sleep(Duration::from_millis(20));
            stream.write_all(b"host\r\n\r\n").unwrap();
            assert!(head(&mut stream).starts_with("HTTP/1.1 200 "));
            stream.read_exact(&mut [0; 9]).unwrap();
            let absolute = b"GET http://somehost.net/test HTTP/1.1\r\nHost: somehost\r\nConnection: close\r\n\r\n";
            stream.write_all(absolute).unwrap();
            let answer = rest(&mut stream);
            assert!(answer.ends_with("\r\n\r\nGET http://somehost.net/test"), "{answer}");
        }
        assert_eq!(shutdown.served(), 4);
    })
    .await;
    Ok(())
}

async fn basic<W: Networked>(world: W) -> Outcome {
    basic_at(Site::plain(world)).await
}

pub(crate) async fn incomplete_at<W: Networked>(site: Site<W>) -> Outcome {
    let running = site.serve(server(&site.world), told).await?;
    let (door, address) = (site.door(), running.address);
    stranger(&site.world, move || {
        let mut stream = door.dial(address);
        stream.write_all(b"GET /test HTTP/1.1\r\nHost: somehost\r\n").unwrap();
        stream.end();
        assert_eq!(rest(&mut stream), "");
    })
    .await;
    eventually(&site.world, "the connection is gone", || running.shutdown.connections() == 0).await;
    assert_eq!(running.shutdown.served(), 0);
    Ok(())
}

async fn incomplete<W: Networked>(world: W) -> Outcome {
    incomplete_at(Site::plain(world)).await
}

pub(crate) async fn incomplete_timeout_at<W: Networked>(site: Site<W>) -> Outcome {
    let mut config = Config::default();
    config.timeouts.head = Duration::from_millis(100);
    let running = site.serve(server(&site.world).config(config), told).await?;
    let (door, address) = (site.door(), running.address);
    stranger(&site.world, move || {
        let mut stream = door.dial(address);
        stream.write_all(b"GET /test HTTP/1.1\r\nHost: somehost\r\n").unwrap();
        // evhttp closes without a word; ours says 408 first (RFC 9110 §15.5.9).
        let answer = rest(&mut stream);
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\r\nConnection: close\r\n"), "{answer}");
    })
    .await;
    assert_eq!(running.shutdown.served(), 0);
    Ok(())
}

async fn incomplete_timeout<W: Networked>(world: W) -> Outcome {
    incomplete_timeout_at(Site::plain(world)).await
}

/// A chunked answer whose client vanishes; whether its body goes on, or has nothing more to say.
async fn terminated<W: Networked>(world: W, oneshot: bool) -> Outcome {
    let (freed, handled) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (flag, count) = (freed.clone(), handled.clone());
    let running = Running::start(&world, server(&world), move |_: Request<Incoming>| {
        count.fetch_add(1, Ordering::SeqCst);
        let pieces: Vec<Bytes> = match oneshot {
            true => vec!["some".into()],
            false => (0..2000).map(|_| Bytes::from(vec![b'x'; 10_000])).collect(),
        };
        let body = Told::pieces(pieces).then(Then::Wait).guarded(Dropped(flag.clone()));
        async { Ok::<_, Infallible>(Response::new(body)) }
    })
    .await?;
    let address = running.address;
    let stream = dial(address);
    (&stream).write_all(GET)?;
    let stream = stranger(&world, move || {
        assert!(head(&stream).contains("\r\nTransfer-Encoding: chunked\r\n"));
        if oneshot {
            (&stream).read_exact(&mut [0; 9]).unwrap();
            // Nothing waits to be read, so this is an end in order; the client has to say that it is gone.
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        }
        stream
    })
    .await;
    assert!(!freed.load(Ordering::SeqCst));
    drop(stream);
    eventually(&world, "the body is dropped", || freed.load(Ordering::SeqCst)).await;
    eventually(&world, "the connection is gone", || running.shutdown.connections() == 0).await;
    assert_eq!((handled.load(Ordering::SeqCst), running.shutdown.exchanges()), (1, 0));
    Ok(())
}

async fn terminate_chunked<W: Networked>(world: W) -> Outcome {
    terminated(world, false).await
}

async fn terminate_chunked_oneshot<W: Networked>(world: W) -> Outcome {
    terminated(world.clone(), true).await?;
    // Who ends in order may only have shut down its side: the handler is told, and decides.
    let (tell, ended) = mpsc::channel();
    let options = server(&world).options(Options::default().disconnected(true));
    let runtime = world.runtime();
    let running = Running::start(&world, options, move |request: Request<Incoming>| {
        let (gone, tell) = (request.extensions().get::<Disconnected>().unwrap().clone(), tell.clone());
        runtime.spawn(async move { tell.send(gone.await).unwrap() });
        async { Ok::<_, Infallible>(Response::new(Told::pieces(["some"]).then(Then::Wait))) }
    })
    .await?;
    let address = running.address;
    stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(GET).unwrap();
        head(&stream);
        assert!(ended.recv_timeout(Duration::from_millis(50)).is_err());
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(ended.recv_timeout(AT_ONCE), Ok(Some(End::Clean)));
    })
    .await;
    Ok(())
}

async fn ws<W: Networked>(world: W) -> Outcome {
    let runtime = world.runtime();
    let running = Running::start(&world, server(&world), move |request: Request<Incoming>| {
        let mut response = Response::new(Full::default());
        match request.extensions().get::<Upgrade>().cloned() {
            None => *response.status_mut() = StatusCode::UPGRADE_REQUIRED,
            Some(upgrade) => {
                // The key of RFC 6455 §1.3, and what it makes; frames are another crate's.
                assert_eq!(request.headers()["sec-websocket-key"], "dGhlIHNhbXBsZSBub25jZQ==");
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                let accepted = HeaderValue::from_static("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
                response.headers_mut().insert("upgrade", HeaderValue::from_static("websocket"));
                response.headers_mut().insert("sec-websocket-accept", accepted);
                runtime.spawn(async move {
                    let mut tunnel = upgrade.await.unwrap();
                    let mut heard = Vec::new();
                    // A text in two fragments, something binary, and the close frame, each masked with zeros.
                    while heard.len() < 30 {
                        heard.extend_from_slice(&tunnel.read().await.unwrap());
                    }
                    tunnel.write(heard).await.unwrap();
                    tunnel.end().await.unwrap();
                });
            }
        }
        async { Ok::<_, Infallible>(response) }
    })
    .await?;
    let address = running.address;
    stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(GET).unwrap();
        assert!(head(&stream).starts_with("HTTP/1.1 426 "), "a plain request is refused");
        let offer = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
        (&stream).write_all(offer.as_bytes()).unwrap();
        let answer = head(&stream);
        assert!(answer.starts_with("HTTP/1.1 101 ") && answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
        let frames = b"\x01\x83\0\0\0\0one\x80\x83\0\0\0\0two\x82\x80\0\0\0\0\x88\x80\0\0\0\0";
        for half in frames.chunks(11) {
            (&stream).write_all(half).unwrap();
        }
        assert_eq!(rest(&stream), String::from_utf8_lossy(frames));
    })
    .await;
    Ok(())
}

/// What a client that goes on sending beyond a refusal gets: the refusal, or a reset.
async fn refused_upload<W: World>(world: &W, config: Config) -> std::io::Result<Result<String, ErrorKind>> {
    let running = Running::start(world, server(world).config(config), told).await?;
    let address = running.address;
    let answer = stranger(world, move || {
        let stream = dial(address);
        (&stream).write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n").unwrap();
        // So that what follows comes after the refusal.
        stream.peek(&mut [0]).unwrap();
        for _ in 0..20 {
            if let Err(error) = (&stream).write_all(&[b'x'; 10_000]) {
                return Err(error.kind());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(rest(&stream))
    });
    Ok(answer.await)
}

async fn lingering_close<W: Networked>(world: W) -> Outcome {
    let mut config = Config::default();
    config.limits.content = Some(1000);
    let answer = refused_upload(&world, config).await?;
    assert!(answer.as_ref().is_ok_and(|answer| answer.starts_with("HTTP/1.1 413 ")), "{answer:?}");
    Ok(())
}

async fn non_lingering_close<W: Networked>(world: W) -> Outcome {
    let mut config = Config::default();
    config.limits.content = Some(1000);
    config.limits.linger = 0;
    let answer = refused_upload(&world, config).await?;
    assert!(matches!(answer, Err(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)), "{answer:?}");
    Ok(())
}

async fn newreqcb<W: Networked>(world: W) -> Outcome {
    let turns = Arc::new(AtomicUsize::new(0));
    let server = server(&world);
    let shutdown = server.shutdown();
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let turn = turns.clone();
    run(
        &world,
        server.serve_with(listener, move |_: &_, _: &Peer| {
            (turn.fetch_add(1, Ordering::SeqCst) % 7 != 6).then(|| service_fn(told))
        }),
    );
    let served = stranger(&world, move || {
        (0..21)
            .filter(|_| {
                let stream = dial(address);
                let _ = (&stream).write_all(b"GET / HTTP/1.0\r\n\r\n");
                let mut answer = Vec::new();
                let _ = (&stream).read_to_end(&mut answer);
                answer.starts_with(b"HTTP/1.1 200 ")
            })
            .count()
    })
    .await;
    assert_eq!((served, shutdown.served(), turns.load(Ordering::SeqCst)), (18, 18, 21));
    eventually(&world, "no connection is left", || shutdown.connections() == 0).await;
    assert_eq!(shutdown.exchanges(), 0);
    Ok(())
}

async fn timeout_read_server<W: Networked>(world: W) -> Outcome {
    let short = Duration::from_millis(150);
    let mut config = Config::default();
    (config.timeouts.head, config.timeouts.content, config.timeouts.idle) = (short, short, short);
    let sleeper = world.clone();
    let running = Running::start(&world, server(&world).config(config), move |request: Request<Incoming>| {
        let world = sleeper.clone();
        async move {
            world.sleep(Duration::from_millis(400)).await;
            let sent = content(request.into_body()).await?;
            Ok::<_, http_driver::Error>(Response::new(Full::from(sent)))
        }
    })
    .await?;
    let address = running.address;
    stranger(&world, move || {
        let stream = dial(address);
        // The content waits until the handler asks, as long as that takes.
        (&stream).write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\ncontent").unwrap();
        assert!(head(&stream).starts_with("HTTP/1.1 200 "));
        let began = Instant::now();
        assert_eq!(rest(&stream), "content");
        assert!(began.elapsed() >= short / 2, "closed before it was idle");
        // Once it is asked for, it has to come.
        let stream = dial(address);
        (&stream).write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 7\r\n\r\ncont").unwrap();
        assert!(rest(&stream).starts_with("HTTP/1.1 408 "));
    })
    .await;
    Ok(())
}

pub(crate) async fn chunk_out_at<W: Networked>(site: Site<W>) -> Outcome {
    const PIECES: [&str; 3] = ["This is funny", "but not hilarious.", "bwv 1052"];
    let serve = |_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Told::pieces(PIECES))) };
    let running = site.serve(server(&site.world), serve).await?;
    let (door, address) = (site.door(), running.address);
    stranger(&site.world, move || {
        let mut stream = door.dial(address);
        stream.write_all(b"GET /chunked HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let head = head(&mut stream);
        assert!(head.contains("\r\nTransfer-Encoding: chunked\r\n") && head.contains("\r\nConnection: close\r\n"));
        let chunks = "d\r\nThis is funny\r\n12\r\nbut not hilarious.\r\n8\r\nbwv 1052\r\n0\r\n\r\n";
        assert_eq!(rest(&mut stream), chunks);
    })
    .await;
    let client = site.client(crate::sockets::clients::once());
    for _ in 0..2 {
        let get = Request::get(site.uri(running.address, "/chunked")).body(Full::default())?;
        assert_eq!(content(client.request(get).await?.into_body()).await?, PIECES.concat().into_bytes());
    }
    assert_eq!(running.accepted(), 2);
    Ok(())
}

async fn chunk_out<W: Networked>(world: W) -> Outcome {
    chunk_out_at(Site::plain(world)).await
}

pub(crate) async fn stream_out_at<W: Networked>(site: Site<W>) -> Outcome {
    let serve = |_: Request<Incoming>| async {
        let streamed = Response::builder().header("content-length", "7");
        Ok::<_, Infallible>(streamed.body(Told::pieces(["con", "tent"])).unwrap())
    };
    let running = site.serve(server(&site.world), serve).await?;
    let (door, address) = (site.door(), running.address);
    stranger(&site.world, move || {
        let mut stream = door.dial(address);
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        let answer = rest(&mut stream);
        assert!(!answer.contains("chunked") && answer.to_ascii_lowercase().contains("\r\ncontent-length: 7\r\n"));
        assert!(answer.ends_with("\r\n\r\ncontent"), "{answer}");
    })
    .await;
    Ok(())
}

async fn stream_out<W: Networked>(world: W) -> Outcome {
    stream_out_at(Site::plain(world)).await
}

pub(crate) async fn write_during_read_at<W: Networked>(site: Site<W>) -> Outcome {
    const SIZE: usize = 13 << 20;
    let serve = |_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Full::from(vec![b'x'; SIZE]))) };
    let running = site.serve(server(&site.world), serve).await?;
    let (door, address) = (site.door(), running.address);
    stranger(&site.world, move || {
        let mut stream = door.dial(address);
        stream.write_all(GET).unwrap();
        assert!(head(&mut stream).starts_with("HTTP/1.1 200 "));
        stream.write_all(b"\x00\x01junk\r\n\r\n").unwrap();
        // The answer is whole, and then what came instead of a request is refused.
        let (mut received, mut buffer) = (0, vec![0; 1 << 16]);
        while received < SIZE {
            let most = buffer.len().min(SIZE - received);
            received += stream.read(&mut buffer[..most]).unwrap();
            assert!(buffer.iter().all(|byte| matches!(byte, b'x' | 0)));
        }
        assert!(rest(&mut stream).starts_with("HTTP/1.1 400 "));
    })
    .await;
    eventually(&site.world, "the connection is gone", || running.shutdown.connections() == 0).await;
    Ok(())
}

async fn write_during_read<W: Networked>(world: W) -> Outcome {
    write_during_read_at(Site::plain(world)).await
}

on_both! {
    basic
    incomplete
    incomplete_timeout
    terminate_chunked
    terminate_chunked_oneshot
    ws
    lingering_close
    non_lingering_close
    newreqcb
    timeout_read_server
    chunk_out
    stream_out
    write_during_read
}
