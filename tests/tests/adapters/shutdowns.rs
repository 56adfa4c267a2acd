//! Ends of servers, and what counts as a connection of theirs, on either adapter.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use http::{HeaderValue, Request, Response, StatusCode};
use http_core::{Config, Outbox};
use http_driver::server::{Listener, ProxiedListener, Server, TrustedProxies, WhenFull};
use http_driver::tls::{client_config, rustls};
use http_driver::{Full, Incoming, Peer, Runtime, Transport, Tunnel, Upgrade, service_fn};

use crate::sockets::clients::Networked;
use crate::sockets::servers::{Running, run, server};
use crate::sockets::site::{acceptor, certified};
use crate::sockets::strangers::{anywhere, dial, head, rest, stranger};
use crate::sockets::world::World;
use crate::sockets::{Outcome, eventually};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";

/// Longer than a turn of a server, and far shorter than any deadline.
const A_WHILE: Duration = Duration::from_millis(50);

async fn hello(_: Request<Incoming>) -> Result<Response<Full>, Infallible> {
    Ok(Response::new(Full::from("Hello")))
}

fn is_last_hello(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nHello"), "{answer:?}");
    assert!(answer.contains("\r\nConnection: close\r\n"), "{answer:?}");
}

async fn s10_a_head_that_has_begun_is_served<W: World>(world: W) -> Outcome {
    for (before, began, ends) in [
        (&b""[..], &b"GET / HT"[..], &b"TP/1.1\r\nHost: a\r\n\r\n"[..]),
        (b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r", b"\n"),
        // Behind an exchange, and with an empty line between.
        (GET, b"\r\nG", b"ET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (GET, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n", b"\r\nab"),
    ] {
        let Running { address, shutdown, report, .. } = Running::start(&world, server(&world), hello).await?;
        let report = stranger(&world, move || {
            let stream = dial(address);
            (&stream).write_all(before).unwrap();
            if !before.is_empty() {
                assert!(head(&stream).starts_with("HTTP/1.1 200 "));
                (&stream).read_exact(&mut [0; 5]).unwrap();
            }
            (&stream).write_all(began).unwrap();
            std::thread::sleep(A_WHILE);
            shutdown.begin();
            std::thread::sleep(A_WHILE);
            (&stream).write_all(ends).unwrap();
            is_last_hello(&rest(&stream));
            drop(stream);
            report.recv_timeout(Duration::from_secs(5)).unwrap()
        })
        .await;
        assert_eq!((report.cut_connections, report.served), (0, 1 + u64::from(!before.is_empty())));
    }
    Ok(())
}

async fn s10_a_head_that_has_begun_and_does_not_come_holds_nothing_up_for_ever<W: World>(world: W) -> Outcome {
    let mut config = Config::default();
    config.timeouts.head = Duration::from_millis(300);
    let Running { address, shutdown, report, .. } =
        Running::start(&world, server(&world).config(config), hello).await?;
    stranger(&world, move || {
        let (half, empty) = (dial(address), dial(address));
        (&half).write_all(b"GET / HT").unwrap();
        (&empty).write_all(b"\r\n").unwrap();
        std::thread::sleep(A_WHILE);
        shutdown.begin();
        assert_eq!(rest(&empty), "", "empty lines are no request");
        assert!(rest(&half).starts_with("HTTP/1.1 408 "));
        drop(half);
        report.recv_timeout(Duration::from_secs(5)).unwrap();
    })
    .await;
    Ok(())
}

/// What lies in the kernel has come as well.
async fn s10_a_request_that_nobody_has_looked_at_is_served<W: World>(world: W) -> Outcome {
    for bytes in [GET, b"GET / HTTP/1.1\r\n"] {
        let listener = world.listen(anywhere()).await?;
        let address = world.address(&listener)?;
        let (server, stream) = (server(&world), dial(address));
        (&stream).write_all(bytes)?;
        let transport = world.accept(&listener).await?;
        world.sleep(A_WHILE).await;
        let shutdown = server.shutdown();
        shutdown.begin();
        world.runtime().spawn(server.serve_transport(transport, |_: &_, _: &Peer| Some(service_fn(hello))));
        world.sleep(A_WHILE).await;
        stranger(&world, move || {
            if bytes != GET {
                (&stream).write_all(b"Host: a\r\n\r\n").unwrap();
            }
            is_last_hello(&rest(&stream));
        })
        .await;
    }
    Ok(())
}

/// A server that gives its tunnels away.
async fn upgrading<W: World>(
    world: &W,
    server: Server<W::Runtime>,
) -> std::io::Result<(Running, mpsc::Receiver<Tunnel>)> {
    let (tell, told) = mpsc::channel();
    let runtime = world.runtime();
    let running = Running::start(world, server, move |request: Request<Incoming>| {
        let mut response = Response::new(Full::default());
        if let Some(upgrade) = request.extensions().get::<Upgrade>().cloned() {
            let tell = tell.clone();
            runtime.spawn(async move {
                if let Ok(tunnel) = upgrade.await {
                    let _ = tell.send(tunnel);
                }
            });
            if request.method() != http::Method::CONNECT {
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                response.headers_mut().insert("upgrade", HeaderValue::from_static("x"));
            }
        }
        async move { Ok::<_, Infallible>(response) }
    })
    .await?;
    Ok((running, told))
}

fn upgraded(address: SocketAddr) -> TcpStream {
    let stream = dial(address);
    (&stream).write_all(UPGRADE).unwrap();
    assert!(head(&stream).starts_with("HTTP/1.1 101 "));
    stream
}

async fn s15_tunnels_count_until_they_are_dropped<W: World>(world: W) -> Outcome {
    let (running, tunnels) = upgrading(&world, server(&world).max_connections(2)).await?;
    let (address, shutdown) = (running.address, running.shutdown);
    let counts = shutdown.clone();
    let tunnel = stranger(&world, move || {
        let first = upgraded(address);
        let second = dial(address);
        (&second).write_all(b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n").unwrap();
        assert!(head(&second).starts_with("HTTP/1.1 200 "));
        let held = [tunnels.recv().unwrap(), tunnels.recv().unwrap()];
        assert_eq!((counts.connections(), counts.tunnels(), counts.exchanges()), (2, 2, 0));
        // There is no place for a third one, until one of them is dropped: what its peer does is not enough.
        let third = dial(address);
        (&third).write_all(UPGRADE).unwrap();
        drop((first, second));
        third.set_read_timeout(Some(4 * A_WHILE)).unwrap();
        assert!((&third).read(&mut [0]).is_err(), "served beyond the limit");
        let [first, second] = held;
        drop(first);
        third.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        assert!(head(&third).starts_with("HTTP/1.1 101 "));
        let third = tunnels.recv().unwrap();
        assert_eq!((counts.connections(), counts.tunnels()), (2, 2));
        drop(second);
        third
    })
    .await;
    assert_eq!((shutdown.connections(), shutdown.tunnels()), (1, 1));
    drop(tunnel);
    assert_eq!((shutdown.connections(), shutdown.tunnels()), (0, 0));
    Ok(())
}

async fn s15_the_drain_ends_tunnels_that_nobody_polls<W: World>(world: W) -> Outcome {
    let (running, tunnels) = upgrading(&world, server(&world).drain(4 * A_WHILE)).await?;
    let Running { address, shutdown, report, .. } = running;
    let (mut tunnel, report) = stranger(&world, move || {
        let stream = upgraded(address);
        let tunnel = tunnels.recv().unwrap();
        let began = Instant::now();
        shutdown.begin();
        let report = report.recv_timeout(Duration::from_secs(5)).unwrap();
        assert!(began.elapsed() >= 4 * A_WHILE, "it has the time of the drain");
        // The tunnel is held, and nobody polls it: its descriptor is free all the same.
        assert_eq!(rest(&stream), "");
        assert_eq!((shutdown.connections(), shutdown.tunnels()), (1, 1));
        (tunnel, report)
    })
    .await;
    assert_eq!((report.cut_connections, report.cut_exchanges, report.cut_tunnels), (1, 0, 1));
    assert_eq!(tunnel.read().await.unwrap_err().kind(), ErrorKind::ConnectionAborted);
    assert_eq!(tunnel.write("x").await.unwrap_err().kind(), ErrorKind::ConnectionAborted);
    assert_eq!(tunnel.end().await.unwrap_err().kind(), ErrorKind::ConnectionAborted);
    Ok(())
}

/// A tunnel may be split between two tasks, and both wait.
async fn s15_a_cut_wakes_both_directions_of_a_tunnel<W: World>(world: W) -> Outcome {
    let (running, tunnels) = upgrading(&world, server(&world)).await?;
    let Running { address, shutdown, .. } = running;
    let (stream, tunnel) = stranger(&world, move || (upgraded(address), tunnels.recv().unwrap())).await;
    let tunnel = Arc::new(Mutex::new(tunnel));
    let (tell, told) = mpsc::channel();
    for writes in [false, true] {
        let (tunnel, tell) = (tunnel.clone(), tell.clone());
        world.runtime().spawn(async move {
            let error = loop {
                let done = poll_fn(|cx| {
                    let mut tunnel = tunnel.lock().unwrap();
                    if writes { tunnel.poll_write(cx, &[0; 65_536]) } else { tunnel.poll_read(cx, &mut [0; 10]) }
                });
                if let Err(error) = done.await {
                    break error;
                }
            };
            tell.send(error.kind()).unwrap();
        });
    }
    world.sleep(4 * A_WHILE).await;
    assert!(told.try_recv().is_err());
    shutdown.cut();
    let kinds = stranger(&world, move || [(); 2].map(|()| told.recv_timeout(Duration::from_secs(5)))).await;
    assert_eq!(kinds, [Ok(ErrorKind::ConnectionAborted); 2]);
    drop(stream);
    Ok(())
}

/// Without a drain nothing bounds a tunnel, so none is waited for; what speaks HTTP is.
async fn s15_a_server_without_a_drain_does_not_wait_for_tunnels<W: World>(world: W) -> Outcome {
    let (running, tunnels) = upgrading(&world, server(&world)).await?;
    let Running { address, shutdown, report, .. } = running;
    let report = stranger(&world, move || {
        let (open, busy) = (upgraded(address), dial(address));
        let tunnel = tunnels.recv().unwrap();
        (&busy).write_all(&UPGRADE[..20]).unwrap();
        std::thread::sleep(A_WHILE);
        shutdown.begin();
        open.set_read_timeout(Some(4 * A_WHILE)).unwrap();
        assert!((&open).read(&mut [0]).is_err(), "cut while another connection speaks HTTP");
        // That one becomes a tunnel as well.
        (&busy).write_all(&UPGRADE[20..]).unwrap();
        assert!(head(&busy).starts_with("HTTP/1.1 101 "));
        let report = report.recv_timeout(Duration::from_secs(5)).unwrap();
        assert_eq!((rest(&open), rest(&busy)), (String::new(), String::new()));
        drop(tunnel);
        report
    })
    .await;
    assert_eq!((report.cut_exchanges, report.cut_tunnels, report.cut_connections), (0, 2, 2));
    Ok(())
}

async fn s15_an_application_says_goodbye_on_its_tunnels<W: World>(world: W) -> Outcome {
    let (running, tunnels) = upgrading(&world, server(&world).drain(Duration::from_secs(60))).await?;
    let Running { address, shutdown, report, .. } = running;
    let (stream, mut tunnel) = stranger(&world, move || (upgraded(address), tunnels.recv().unwrap())).await;
    let mut follows = shutdown.follow();
    assert_eq!(shutdown.connections(), 1, "who follows is no connection");
    world.runtime().spawn(async move {
        follows.begun().await;
        tunnel.write("goodbye").await.unwrap();
        tunnel.end().await.unwrap();
    });
    let report = stranger(&world, move || {
        shutdown.begin();
        assert_eq!(rest(&stream), "goodbye");
        report.recv_timeout(Duration::from_secs(5)).unwrap()
    })
    .await;
    assert_eq!((report.cut_connections, report.cut_tunnels), (0, 0));
    Ok(())
}

async fn s20_an_answered_client_that_does_not_close_holds_up_nothing<W: World>(world: W) -> Outcome {
    let pause = world.clone();
    let service = move |request: Request<Incoming>| {
        let world = pause.clone();
        async move {
            world.sleep(4 * A_WHILE).await;
            hello(request).await
        }
    };
    let Running { address, shutdown, report, .. } = Running::start(&world, server(&world), service).await?;
    stranger(&world, move || {
        let (open, lingering) = (dial(address), dial(address));
        (&lingering).write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
        is_last_hello(&rest(&lingering));
        (&open).write_all(GET).unwrap();
        std::thread::sleep(A_WHILE);
        shutdown.begin();
        let began = Instant::now();
        is_last_hello(&rest(&open));
        // Neither closes.
        let report = report.recv_timeout(Duration::from_secs(5)).unwrap();
        assert!(began.elapsed() < Duration::from_millis(2500), "{:?}", began.elapsed());
        assert_eq!(report.cut_connections, 0);
        drop((open, lingering));
    })
    .await;
    Ok(())
}

async fn s21_peers_that_say_nothing_before_http_are_idle<W: Networked>(world: W) -> Outcome {
    let keys = certified();
    let trusted = || TrustedProxies::none().network([127, 0, 0, 1].into(), 32);
    for (listens, says) in [
        ("tls", &b""[..]),
        ("proxied", b""),
        ("both", b""),
        // The header is its proxy's, and no word of the client.
        ("both", b"PROXY UNKNOWN\r\n"),
    ] {
        let server = server(&world);
        let (shutdown, listener) = (server.shutdown(), world.listen(anywhere()).await?);
        let address = world.address(&listener)?;
        let service = service_fn(hello);
        let report = match listens {
            "tls" => run(&world, server.serve(acceptor(&keys).listen(listener), service)),
            "proxied" => run(&world, server.serve(ProxiedListener::new(listener, trusted()), service)),
            _ => {
                let proxied = ProxiedListener::new(listener, trusted());
                run(&world, server.serve(acceptor(&keys).listen(proxied), service))
            }
        };
        stranger(&world, move || {
            let silent = [dial(address), dial(address)];
            for mut stream in &silent {
                stream.write_all(says).unwrap();
            }
            while shutdown.connections() < 2 {
                std::thread::yield_now();
            }
            std::thread::sleep(A_WHILE);
            let began = Instant::now();
            shutdown.begin();
            for stream in &silent {
                assert_eq!(rest(stream), "", "{listens}");
            }
            let report = report.recv_timeout(Duration::from_secs(5)).unwrap();
            assert!(began.elapsed() < Duration::from_secs(2), "{listens}: {:?}", began.elapsed());
            assert_eq!(report.cut_connections, 0);
        })
        .await;
    }
    Ok(())
}

async fn s21_a_handshake_that_has_begun_goes_on<W: Networked>(world: W) -> Outcome {
    let keys = certified();
    // A header of a proxy, cut; the request comes behind it.
    let server_of_proxies = server(&world);
    let (shutdown, listener) = (server_of_proxies.shutdown(), world.listen(anywhere()).await?);
    let address = world.address(&listener)?;
    let trusted = TrustedProxies::none().network([127, 0, 0, 1].into(), 32);
    let _report = run(&world, server_of_proxies.serve(ProxiedListener::new(listener, trusted), service_fn(hello)));
    stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(b"PROXY UNK").unwrap();
        std::thread::sleep(A_WHILE);
        shutdown.begin();
        std::thread::sleep(A_WHILE);
        (&stream).write_all(&[b"NOWN\r\n", GET].concat()).unwrap();
        is_last_hello(&rest(&stream));
    })
    .await;
    // The first message of a handshake, cut; the request leaves together with the end of it.
    let secured = server(&world);
    let (shutdown, listener) = (secured.shutdown(), world.listen(anywhere()).await?);
    let address = world.address(&listener)?;
    let _report = run(&world, secured.serve(acceptor(&keys).listen(listener), service_fn(hello)));
    stranger(&world, move || {
        let stream = dial(address);
        let config = Arc::new(client_config(keys.0.as_bytes()).unwrap());
        let mut session = rustls::ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
        let mut hello = Vec::new();
        session.write_tls(&mut hello).unwrap();
        (&stream).write_all(&hello[..9]).unwrap();
        std::thread::sleep(A_WHILE);
        shutdown.begin();
        std::thread::sleep(A_WHILE);
        (&stream).write_all(&hello[9..]).unwrap();
        session.writer().write_all(GET).unwrap();
        is_last_hello(&rest(rustls::StreamOwned::new(session, stream)));
    })
    .await;
    Ok(())
}

/// How many transports there are, and were at most.
#[derive(Clone, Debug, Default)]
struct Census(Arc<(AtomicUsize, AtomicUsize)>);

struct Counted<T>(T, Census);

impl Census {
    fn most(&self) -> usize {
        self.0.1.load(Ordering::SeqCst)
    }
}

impl<T> Drop for Counted<T> {
    fn drop(&mut self) {
        self.1.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

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

struct Counting<L>(L, Census);

impl<R: Runtime, L: Listener<R>> Listener<R> for Counting<L> {
    type Transport = Counted<L::Transport>;

    async fn accept(&mut self) -> std::io::Result<Self::Transport> {
        let transport = self.0.accept().await?;
        let now = self.1.0.0.fetch_add(1, Ordering::SeqCst) + 1;
        self.1.0.1.fetch_max(now, Ordering::SeqCst);
        Ok(Counted(transport, self.1.clone()))
    }
}

/// Serves with clones of a server on so many listeners.
async fn on_many<W: World>(
    world: &W,
    server: &Server<W::Runtime>,
    census: &Census,
    listeners: usize,
) -> std::io::Result<Vec<SocketAddr>> {
    let mut addresses = Vec::new();
    for _ in 0..listeners {
        let listener = world.listen(anywhere()).await?;
        addresses.push(world.address(&listener)?);
        let _report = run(world, server.clone().serve(Counting(listener, census.clone()), service_fn(hello)));
    }
    Ok(addresses)
}

async fn s22_listeners_share_the_limit<W: World>(world: W) -> Outcome {
    let (census, server) = (Census::default(), server(&world).max_connections(2));
    let addresses = on_many(&world, &server, &census, 2).await?;
    stranger(&world, move || {
        let ask = |address| {
            let stream = dial(address);
            (&stream).write_all(GET).unwrap();
            stream
        };
        // All on one of them: the other one, which waits, holds no place.
        let (first, second) = (ask(addresses[0]), ask(addresses[0]));
        for stream in [&first, &second] {
            assert!(head(stream).starts_with("HTTP/1.1 200 "));
        }
        let (third, fourth) = (ask(addresses[1]), ask(addresses[0]));
        for mut stream in [&third, &fourth] {
            stream.set_read_timeout(Some(4 * A_WHILE)).unwrap();
            assert!(stream.read(&mut [0]).is_err(), "served beyond the limit");
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        }
        drop((first, second));
        for stream in [&third, &fourth] {
            assert!(head(stream).starts_with("HTTP/1.1 200 "));
        }
    })
    .await;
    assert_eq!(census.most(), 2);
    Ok(())
}

async fn s22_no_listener_sleeps_while_there_is_a_place<W: World>(world: W) -> Outcome {
    const EACH: usize = 200;
    for when_full in [WhenFull::Pause, WhenFull::Refuse] {
        let census = Census::default();
        let server = server(&world).max_connections(2).when_full(when_full);
        let addresses = on_many(&world, &server, &census, 4).await?;
        let clients: Vec<_> = (0..8)
            .map(|n| {
                let address = addresses[n % 4];
                std::thread::spawn(move || {
                    let mut refused = 0;
                    for _ in 0..EACH {
                        let stream = dial(address);
                        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                        (&stream).write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
                        let answer = head(&stream);
                        match &answer[9..12] {
                            "200" => {}
                            "503" => refused += 1,
                            _ => panic!("{answer}"),
                        }
                    }
                    refused
                })
            })
            .collect();
        let refused =
            stranger(&world, move || clients.into_iter().map(|client| client.join().unwrap()).sum::<usize>()).await;
        let shutdown = server.shutdown();
        eventually(&world, "no connection is left", || shutdown.connections() == 0).await;
        match when_full {
            WhenFull::Refuse => assert!(census.most() <= 2 + 16, "{}", census.most()),
            _ => assert_eq!((refused, census.most(), shutdown.served()), (0, 2, 8 * EACH as u64)),
        }
        shutdown.begin();
    }
    Ok(())
}

/// One after the other there is always a place, whatever the listeners are looking for.
async fn s22_nobody_is_refused_while_there_is_a_place<W: World>(world: W) -> Outcome {
    let (census, server) = (Census::default(), server(&world).max_connections(1).when_full(WhenFull::Refuse));
    let addresses = on_many(&world, &server, &census, 4).await?;
    let shutdown = server.shutdown();
    stranger(&world, move || {
        for n in 0..400 {
            while shutdown.connections() > 0 {
                std::thread::yield_now();
            }
            let stream = dial(addresses[n % 4]);
            (&stream).write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
            assert!(head(&stream).starts_with("HTTP/1.1 200 "));
        }
    })
    .await;
    Ok(())
}

async fn a_signal_begins_the_end<W: World>(world: W) -> Outcome {
    let (tell, told) = (Arc::new(Mutex::new(None)), Arc::new(AtomicUsize::new(0)));
    let (waiting, ready) = (tell.clone(), told.clone());
    let signal = poll_fn(move |cx| match ready.load(Ordering::SeqCst) {
        0 => {
            *waiting.lock().unwrap() = Some(cx.waker().clone());
            if ready.load(Ordering::SeqCst) > 0 { Poll::Ready(()) } else { Poll::Pending }
        }
        _ => Poll::Ready(()),
    });
    let running = Running::start(&world, server(&world).shutdown_when(signal), hello).await?;
    let (address, report) = (running.address, running.report);
    let report = stranger(&world, move || {
        let stream = dial(address);
        (&stream).write_all(GET).unwrap();
        assert!(head(&stream).starts_with("HTTP/1.1 200 "));
        told.store(1, Ordering::SeqCst);
        // Whoever waits was told to be woken, now or in a moment.
        while tell.lock().unwrap().take().map(std::task::Waker::wake).is_none() {
            std::thread::yield_now();
        }
        assert_eq!(rest(&stream), "Hello");
        report.recv().unwrap()
    })
    .await;
    assert_eq!((report.served, report.cut_connections), (1, 0));
    Ok(())
}

/// Who waits for the signal does not wait for ever.
async fn a_shutdown_ends_who_waits_for_a_signal<W: World>(world: W) -> Outcome {
    let kept = Arc::new(());
    let (held, watched) = (kept.clone(), Arc::downgrade(&kept));
    drop(kept);
    let signal = async move {
        let _held = held;
        std::future::pending().await
    };
    let running = Running::start(&world, server(&world).shutdown_when(signal), hello).await?;
    assert!(watched.upgrade().is_some());
    running.shutdown.begin();
    eventually(&world, "the signal is given up", || watched.upgrade().is_none()).await;
    Ok(())
}

on_both! {
    a_signal_begins_the_end
    a_shutdown_ends_who_waits_for_a_signal
    s10_a_head_that_has_begun_is_served
    s10_a_head_that_has_begun_and_does_not_come_holds_nothing_up_for_ever
    s10_a_request_that_nobody_has_looked_at_is_served
    s15_tunnels_count_until_they_are_dropped
    s15_the_drain_ends_tunnels_that_nobody_polls
    s15_a_cut_wakes_both_directions_of_a_tunnel
    s15_a_server_without_a_drain_does_not_wait_for_tunnels
    s15_an_application_says_goodbye_on_its_tunnels
    s20_an_answered_client_that_does_not_close_holds_up_nothing
    s21_peers_that_say_nothing_before_http_are_idle
    s21_a_handshake_that_has_begun_goes_on
    s22_listeners_share_the_limit
    s22_no_listener_sleeps_while_there_is_a_place
    s22_nobody_is_refused_while_there_is_a_place
}
