//! hyper's `OnUpgrade` on our server, on either runtime.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use futures_util::{AsyncReadExt, AsyncWriteExt};
use http::{HeaderValue, Request, Response, StatusCode};
use http_core::{Config, Outbox};
use http_driver::server::{Connection, Options, serve_connection};
use http_driver::{Full, Incoming, Runtime, Transport, Tunnel, Upgrade, service_fn};
use http_tokio::TokioIo;
use hyper::upgrade::{OnUpgrade, Upgraded};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::stream::{Stream, echo};
use crate::sockets::servers::{Running, server};
use crate::sockets::strangers::{AT_ONCE, anywhere, dial, head, rest, stranger};
use crate::sockets::world::World;
use crate::sockets::{Outcome, eventually};

const OFFER: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
const CONNECT: &str = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";

fn switching() -> Response<Full> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    response.headers_mut().insert("upgrade", HeaderValue::from_static("echo"));
    response
}

/// What accepts a request that would have the connection handed over.
fn acceptance<B>(request: &Request<B>) -> Response<Full> {
    if request.method() == http::Method::CONNECT { Response::new(Full::default()) } else { switching() }
}

/// A server that hands each connection to a task which gets it in hyper's way.
async fn handing_over<W, F, A>(world: &W, then: F) -> std::io::Result<Running>
where
    W: World,
    F: Fn(Result<Upgraded, hyper::Error>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    let runtime = world.runtime();
    let service = move |mut request: Request<Incoming>| {
        let (response, then) = (acceptance(&request), then.clone());
        let on_upgrade = hyper::upgrade::on(&mut request);
        runtime.spawn(async move { then(on_upgrade.await).await });
        async move { Ok::<_, Infallible>(response) }
    };
    Running::start(world, server(world), service).await
}

fn ask(address: SocketAddr, request: &str) -> std::net::TcpStream {
    let stream = dial(address);
    (&stream).write_all(request.as_bytes()).unwrap();
    let head = head(&stream);
    assert_eq!(&head[9..12], if request == OFFER { "101" } else { "200" }, "{head}");
    stream
}

async fn s26_hypers_on_upgrade_has_the_connection<W: World>(world: W) -> Outcome {
    let server = handing_over(&world, |upgraded| async move { drop(echo(Stream(upgraded.unwrap())).await) }).await?;
    let address = server.address;
    for request in [OFFER, CONNECT] {
        stranger(&world, move || {
            let stream = dial(address);
            (&stream).write_all(format!("{request}not HTTP").as_bytes()).unwrap();
            assert_eq!(&head(&stream)[9..12], if request == OFFER { "101" } else { "200" });
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

async fn an_applications_end_leaves_the_other_direction_open<W: World>(world: W) -> Outcome {
    let (tell, told) = mpsc::channel();
    let server = handing_over(&world, move |upgraded| {
        let tell = tell.clone();
        async move {
            let mut stream = Stream(upgraded.unwrap());
            stream.close().await.unwrap();
            let mut heard = String::new();
            stream.read_to_string(&mut heard).await.unwrap();
            tell.send(heard).unwrap();
        }
    })
    .await?;
    let address = server.address;
    stranger(&world, move || {
        let stream = ask(address, OFFER);
        assert_eq!(rest(&stream), "");
        (&stream).write_all(b"long after").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(told.recv().unwrap(), "long after");
    })
    .await;
    Ok(())
}

async fn a_client_that_is_gone_ends_the_stream<W: World>(world: W) -> Outcome {
    let (tell, told) = mpsc::channel();
    let server = handing_over(&world, move |upgraded| {
        let tell = tell.clone();
        async move {
            let mut stream = Stream(upgraded.unwrap());
            // Ends in an error: nobody reads any more.
            let wrote = loop {
                if let Err(error) = stream.write_all(&[0; 10_000]).await {
                    break error;
                }
            };
            tell.send(wrote.kind()).unwrap();
        }
    })
    .await?;
    let address = server.address;
    let kind = stranger(&world, move || {
        drop(ask(address, OFFER));
        told.recv_timeout(Duration::from_secs(5)).unwrap()
    })
    .await;
    assert!(matches!(kind, std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe), "{kind:?}");
    eventually(&world, "the server is rid of it", || server.shutdown.connections() == 0).await;
    Ok(())
}

async fn an_application_that_drops_the_stream_ends_it<W: World>(world: W) -> Outcome {
    // At once; and after it was used.
    let server = handing_over(&world, |upgraded| async move { drop(upgraded) }).await?;
    let using = handing_over(&world, |upgraded| async move {
        Stream(upgraded.unwrap()).write_all(b"bye").await.unwrap();
    })
    .await?;
    let (at_once, after_use) = (server.address, using.address);
    stranger(&world, move || {
        assert_eq!(rest(ask(at_once, OFFER)), "");
        assert_eq!(rest(ask(after_use, OFFER)), "bye");
        assert_eq!(rest(ask(after_use, CONNECT)), "bye");
    })
    .await;
    Ok(())
}

/// What the service does with a request that offers an upgrade.
fn otherwise(how: &str) -> Result<Response<Full>, std::io::Error> {
    match how {
        "/refuses" => Ok(Response::new(Full::from("no"))),
        "/fails" => Err(std::io::Error::other("broken")),
        _ => unreachable!("{how}"),
    }
}

async fn a_hand_over_that_does_not_come_fails_at_once<W: World>(world: W) -> Outcome {
    let (tell, told) = mpsc::channel();
    let runtime = world.runtime();
    let service = move |mut request: Request<Incoming>| {
        let (tell, on_upgrade) = (tell.clone(), hyper::upgrade::on(&mut request));
        runtime.spawn(async move { tell.send(on_upgrade.await.is_ok()).unwrap() });
        let response = otherwise(request.uri().path());
        async move { response }
    };
    let server = Running::start(&world, server(&world), service).await?;
    let address = server.address;
    stranger(&world, move || {
        for (path, status) in [("/refuses", "200"), ("/fails", "500")] {
            let stream = dial(address);
            (&stream).write_all(OFFER.replace(" / ", &format!(" {path} ")).as_bytes()).unwrap();
            assert_eq!(&head(&stream)[9..12], status);
            // The connection is open, and nothing else is asked on it.
            assert!(!told.recv_timeout(Duration::from_secs(2)).expect("an outcome"));
        }
    })
    .await;
    Ok(())
}

async fn a_client_that_leaves_before_the_answer_fails_the_hand_over<W: World>(world: W) -> Outcome {
    let (tell, told) = mpsc::channel();
    let runtime = world.runtime();
    let service = move |mut request: Request<Incoming>| {
        let (tell, on_upgrade) = (tell.clone(), hyper::upgrade::on(&mut request));
        runtime.spawn(async move { tell.send(on_upgrade.await.is_ok()).unwrap() });
        std::future::pending::<Result<Response<Full>, Infallible>>()
    };
    let options = Options::default().cancel_on_end(true);
    let server = Running::start(&world, server(&world).options(options), service).await?;
    let address = server.address;
    stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(OFFER.as_bytes()).unwrap();
        drop(stream);
        assert!(!told.recv_timeout(Duration::from_secs(5)).expect("an outcome"));
    })
    .await;
    Ok(())
}

async fn requests_that_ask_for_nothing_carry_nothing<W: World>(world: W) -> Outcome {
    let service = |request: Request<Incoming>| async move {
        let extensions = request.extensions();
        let carries = (extensions.get::<OnUpgrade>().is_some(), extensions.get::<Upgrade>().is_some());
        Ok::<_, Infallible>(Response::new(Full::from(format!("{carries:?}"))))
    };
    let server = Running::start(&world, server(&world), service).await?;
    let address = server.address;
    stranger(&world, move || {
        for (fields, carries) in [
            ("", "(false, false)"),
            ("Upgrade: echo\r\n", "(false, false)"),
            ("Upgrade: echo\r\nConnection: upgrade\r\n", "(true, true)"),
        ] {
            let stream = dial(address);
            write!(&stream, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n").unwrap();
            assert!(rest(&stream).ends_with(carries), "{fields}");
        }
    })
    .await;
    Ok(())
}

async fn whoever_takes_our_own_upgrade_has_it<W: World>(world: W) -> Outcome {
    let (tell, told) = mpsc::channel();
    let runtime = world.runtime();
    let service = move |mut request: Request<Incoming>| {
        let (tell, runtime) = (tell.clone(), runtime.clone());
        async move {
            let late = request.uri().path() == "/late";
            let on_upgrade = hyper::upgrade::on(&mut request);
            let mut upgrade = request.extensions_mut().remove::<Upgrade>().unwrap();
            if !late {
                // From here on it is waited for.
                assert!(futures_util::poll!(&mut upgrade).is_pending());
            }
            runtime.clone().spawn(async move {
                if late {
                    // Both are there by then, and neither was asked.
                    let mut timer = runtime.timer(runtime.now() + Duration::from_millis(100));
                    std::future::poll_fn(|cx| http_driver::Timer::poll(&mut timer, cx)).await;
                }
                let mut tunnel: Tunnel = upgrade.await.unwrap();
                // hyper's is of no use any more, whichever way that shows.
                let useless = match on_upgrade.await {
                    Ok(upgraded) if late => Stream(upgraded).write_all(b"not this").await.is_err(),
                    Ok(_) => false,
                    Err(_) => !late,
                };
                tell.send(useless).unwrap();
                tunnel.write("ours").await.unwrap();
                tunnel.end().await.unwrap();
            });
            Ok::<_, Infallible>(acceptance(&request))
        }
    };
    let server = Running::start(&world, server(&world), service).await?;
    let address = server.address;
    stranger(&world, move || {
        for request in [OFFER, &OFFER.replace(" / ", " /late ")] {
            let stream = dial(address);
            (&stream).write_all(request.as_bytes()).unwrap();
            assert_eq!(&head(&stream)[9..12], "101");
            assert_eq!(rest(&stream), "ours");
            assert!(told.recv().unwrap());
        }
    })
    .await;
    Ok(())
}

async fn much_goes_both_ways_past_a_slow_reader<W: World>(world: W) -> Outcome {
    const SIZE: usize = 16 << 20;
    let server = handing_over(&world, |upgraded| async move {
        // Not an echo: each direction has its own pace.
        let (mut from, mut to) = Stream(upgraded.unwrap()).split();
        let read = async {
            let (mut buffer, mut total, mut sum) = (vec![0; 30_000], 0_usize, 0_u64);
            while total < SIZE {
                let count = from.read(&mut buffer).await.unwrap();
                assert!(count > 0);
                sum += buffer[..count].iter().map(|&byte| u64::from(byte)).sum::<u64>();
                total += count;
            }
            sum
        };
        let write = async {
            for n in 0..SIZE / 65_536 {
                to.write_all(&[n as u8; 65_536]).await.unwrap();
            }
            to.flush().await.unwrap();
        };
        let (sum, ()) = futures_util::future::join(read, write).await;
        to.write_all(&sum.to_be_bytes()).await.unwrap();
        to.close().await.unwrap();
    })
    .await?;
    let address = server.address;
    stranger(&world, move || {
        let stream = ask(address, OFFER);
        let writing = stream.try_clone().unwrap();
        let writer = std::thread::spawn(move || {
            for n in 0..SIZE / 65_536 {
                (&writing).write_all(&[(n * 3) as u8; 65_536]).unwrap();
            }
        });
        let mut piece = vec![0; 65_536];
        for n in 0..SIZE / 65_536 {
            if n % 32 == 0 {
                std::thread::sleep(Duration::from_millis(20));
            }
            (&stream).read_exact(&mut piece).unwrap();
            assert!(piece.iter().all(|&byte| byte == n as u8), "piece {n}");
        }
        let mut sum = [0; 8];
        (&stream).read_exact(&mut sum).unwrap();
        let expected: u64 = (0..SIZE / 65_536).map(|n| u64::from((n * 3) as u8) * 65_536).sum();
        assert_eq!(u64::from_be_bytes(sum), expected);
        assert_eq!(rest(&stream), "");
        writer.join().unwrap();
    })
    .await;
    Ok(())
}

/// How many bytes the pipe of [`over_a_pipe`] holds each way.
const PIPE: usize = 1000;

/// A connection in memory that was handed over to a task which has it in hyper's way: the client's end.
async fn over_a_pipe<W, F, A>(world: &W, then: F) -> std::io::Result<DuplexStream>
where
    W: World,
    F: Fn(Stream) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    let (mut client, served) = tokio::io::duplex(PIPE);
    let runtime = world.runtime();
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (on_upgrade, then) = (hyper::upgrade::on(&mut request), then.clone());
        runtime.spawn(async move { then(Stream(on_upgrade.await.unwrap())).await });
        async { Ok::<_, Infallible>(switching()) }
    });
    let connection = Connection::new(TokioIo::new(served), world.runtime(), Arc::new(Config::default()));
    world.runtime().spawn(async move {
        let served = serve_connection(connection, service, Options::default(), None).await;
        served.unwrap().unwrap().deliver();
    });
    client.write_all(OFFER.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", head.escape_ascii());
    Ok(client)
}

async fn what_was_written_arrives_though_nobody_flushes<W: World>(world: W) -> Outcome {
    let (tell, told) = mpsc::channel();
    let mut client = over_a_pipe(&world, move |mut stream| {
        let tell = tell.clone();
        async move {
            stream.write_all(&[b'x'; 3 * PIPE]).await.unwrap();
            tell.send(()).unwrap();
            // As with a socket: what was written is on its way while the answer is waited for.
            stream.read_exact(&mut [0]).await.unwrap();
            stream.close().await.unwrap();
        }
    })
    .await?;
    stranger(&world, move || told.recv().unwrap()).await;
    let (tell, told) = mpsc::channel();
    world.runtime().spawn(async move {
        client.read_exact(&mut [0; 3 * PIPE]).await.unwrap();
        client.write_all(b"!").await.unwrap();
        tell.send(client.read(&mut [0]).await.unwrap()).unwrap();
    });
    assert_eq!(stranger(&world, move || told.recv_timeout(AT_ONCE)).await, Ok(0));
    Ok(())
}

async fn what_nobody_takes_is_not_taken_in<W: World>(world: W) -> Outcome {
    /// What one write may leave in a tunnel.
    const LEFT: usize = 64 * 1024;
    let (written, go_on) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let (counting, going, its) = (written.clone(), go_on.clone(), world.clone());
    let mut client = over_a_pipe(&world, move |mut stream| {
        let (written, go_on, world) = (counting.clone(), going.clone(), its.clone());
        async move {
            while written.load(Ordering::SeqCst) < 1 << 20 {
                written.fetch_add(stream.write(&[7; 10_000]).await.unwrap(), Ordering::SeqCst);
            }
            stream.flush().await.unwrap();
            eventually(&world, "the client has tried to write", || go_on.load(Ordering::SeqCst) == 1).await;
            stream.close().await.unwrap();
            let mut heard = Vec::new();
            stream.read_to_end(&mut heard).await.unwrap();
            go_on.store(heard.len(), Ordering::SeqCst);
        }
    })
    .await?;
    // The client does not read.
    world.sleep(Duration::from_millis(50)).await;
    let before = written.load(Ordering::SeqCst);
    assert!((PIPE..=PIPE + LEFT).contains(&before), "{before}");
    world.sleep(Duration::from_millis(50)).await;
    assert_eq!(written.load(Ordering::SeqCst), before);
    // The application does not read.
    let mut pushed = 0;
    while let Poll::Ready(count) = futures_util::poll!(pin!(client.write(&[8; 10_000]))) {
        pushed += count?;
    }
    assert_eq!(pushed, PIPE);
    let mut heard = vec![0; 1 << 20];
    client.read_exact(&mut heard).await?;
    assert!(heard.iter().all(|&byte| byte == 7));
    go_on.store(1, Ordering::SeqCst);
    client.read_to_end(&mut heard).await?;
    assert_eq!(heard.len(), written.load(Ordering::SeqCst));
    client.shutdown().await?;
    eventually(&world, "all was heard", || go_on.load(Ordering::SeqCst) == PIPE).await;
    Ok(())
}

/// A transport that tells by a count whether it is still held.
struct Counted<T>(T, #[expect(dead_code, reason = "it is counted")] Arc<()>);

impl<T: Transport> Transport for Counted<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<std::io::Result<usize>> {
        self.0.poll_read(cx, buffer, most)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<std::io::Result<usize>> {
        self.0.poll_write(cx, outbox)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.0.poll_shutdown(cx)
    }
}

async fn two_hundred_upgrades_leave_nothing_behind<W: World>(world: W) -> Outcome {
    let (open, tasks) = (Arc::new(()), Arc::<AtomicUsize>::default());
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let (serving, held, running) = (world.clone(), open.clone(), tasks.clone());
    world.runtime().spawn(async move {
        while let Ok(stream) = serving.accept(&listener).await {
            let (runtime, tasks) = (serving.runtime(), running.clone());
            let service = service_fn(move |mut request: Request<Incoming>| {
                let (on_upgrade, tasks) = (hyper::upgrade::on(&mut request), tasks.clone());
                tasks.fetch_add(1, Ordering::SeqCst);
                runtime.spawn(async move {
                    if let Ok(upgraded) = on_upgrade.await {
                        let _ = echo(Stream(upgraded)).await;
                    }
                    tasks.fetch_sub(1, Ordering::SeqCst);
                });
                let refused = request.uri().path() == "/refused";
                let response = if refused { Response::new(Full::from("no")) } else { acceptance(&request) };
                async move { Ok::<_, Infallible>(response) }
            });
            let stream = Counted(stream, held.clone());
            let connection = Connection::new(stream, serving.runtime(), Arc::new(Config::default()));
            running.fetch_add(1, Ordering::SeqCst);
            let tasks = running.clone();
            serving.runtime().spawn(async move {
                if let Ok(Some(switched)) = serve_connection(connection, service, Options::default(), None).await {
                    switched.deliver();
                }
                tasks.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    stranger(&world, move || {
        for n in 0..200 {
            match n % 4 {
                // Ended well; left; refused; ended by the client's half alone, and not read.
                0 => {
                    let stream = ask(address, OFFER);
                    stream.shutdown(Shutdown::Write).unwrap();
                    assert_eq!(rest(stream), "hello  goodbye");
                }
                1 => drop(ask(address, CONNECT)),
                2 => {
                    let stream = dial(address);
                    (&stream).write_all(OFFER.replace(" / ", " /refused ").as_bytes()).unwrap();
                    assert_eq!(&head(&stream)[9..12], "200");
                }
                _ => ask(address, OFFER).shutdown(Shutdown::Write).unwrap(),
            }
        }
    })
    .await;
    // The server's own is one.
    eventually(&world, "every transport is dropped", || Arc::strong_count(&open) == 2).await;
    eventually(&world, "every task is over", || tasks.load(Ordering::SeqCst) == 0).await;
    Ok(())
}

on_both! {
    s26_hypers_on_upgrade_has_the_connection
    an_applications_end_leaves_the_other_direction_open
    a_client_that_is_gone_ends_the_stream
    an_application_that_drops_the_stream_ends_it
    a_hand_over_that_does_not_come_fails_at_once
    a_client_that_leaves_before_the_answer_fails_the_hand_over
    requests_that_ask_for_nothing_carry_nothing
    whoever_takes_our_own_upgrade_has_it
    much_goes_both_ways_past_a_slow_reader
    what_was_written_arrives_though_nobody_flushes
    what_nobody_takes_is_not_taken_in
    two_hundred_upgrades_leave_nothing_behind
}
