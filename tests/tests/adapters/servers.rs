//! What a server does for all its connections, on either adapter.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use http::{Request, Response};
use http_core::Outbox;
use http_driver::server::{Listener, ProxiedListener, Report, Server, TrustedProxies, WhenFull};
use http_driver::{Full, Incoming, Peer, Runtime, ServiceFn, Transport, service_fn};

use crate::sockets::servers::{Running, run, server};
use crate::sockets::strangers::{anywhere, dial, head, rest, stranger};
use crate::sockets::world::World;
use crate::sockets::{Outcome, eventually};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

type Answer = std::pin::Pin<Box<dyn Future<Output = Result<Response<Full>, Infallible>> + Send>>;

/// Says "Hello" after a while.
fn say_hello<W: World>(world: &W, pause: Duration) -> impl Fn(Request<Incoming>) -> Answer + Clone + Send + use<W> {
    let world = world.clone();
    move |_| {
        let world = world.clone();
        Box::pin(async move {
            world.sleep(pause).await;
            Ok(Response::new(Full::from("Hello")))
        }) as Answer
    }
}

fn hello<W: World>(world: &W, pause: Duration) -> ServiceFn<impl Fn(Request<Incoming>) -> Answer + Clone + use<W>> {
    service_fn(say_hello(world, pause))
}

async fn serve_hello<W: World>(world: &W, server: Server<W::Runtime>, pause: Duration) -> std::io::Result<Running> {
    Running::start(world, server, say_hello(world, pause)).await
}

fn is_hello(mut stream: &TcpStream) {
    assert!(head(stream).starts_with("HTTP/1.1 200 "));
    let mut content = [0; 5];
    stream.read_exact(&mut content).unwrap();
    assert_eq!(&content, b"Hello");
}

async fn a_shutdown_answers_what_is_open_and_ends<W: World>(world: W) -> Outcome {
    let Running { address, shutdown, report, .. } =
        serve_hello(&world, server(&world), Duration::from_millis(300)).await?;
    let begin = shutdown.clone();
    let report = stranger(&world, move || {
        let (idle, busy) = (dial(address), dial(address));
        (&idle).write_all(GET).unwrap();
        is_hello(&idle);
        assert_eq!((begin.exchanges(), begin.served()), (0, 1));
        (&busy).write_all(GET).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        assert_eq!((begin.connections(), begin.exchanges(), begin.served()), (2, 1, 2));
        begin.begin();
        assert_eq!(rest(&idle), "");
        let answer = rest(&busy);
        assert!(answer.contains("\r\nConnection: close\r\n") && answer.ends_with("\r\n\r\nHello"), "{answer}");
        assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
        // Until the client ends its side as well, the server waits for it to read the answer.
        drop(busy);
        report.recv_timeout(Duration::from_secs(5)).unwrap()
    })
    .await;
    assert_eq!((report.cut_connections, report.cut_exchanges, report.served), (0, 0, 2));
    assert_eq!(shutdown.connections(), 0);
    Ok(())
}

async fn a_shutdown_cuts_what_takes_longer_than_its_drain_and_reports_it<W: World>(world: W) -> Outcome {
    let server = server(&world).drain(Duration::from_millis(100));
    let Running { address, shutdown, report, .. } = serve_hello(&world, server, Duration::from_secs(600)).await?;
    let stream = dial(address);
    (&stream).write_all(GET)?;
    eventually(&world, "the request is there", || shutdown.exchanges() == 1).await;
    shutdown.begin();
    let report = stranger(&world, move || report.recv_timeout(Duration::from_secs(5)).unwrap()).await;
    assert_eq!((report.cut_connections, report.cut_exchanges, report.served), (1, 1, 1));
    eventually(&world, "no connection is left", || shutdown.connections() == 0).await;
    assert_eq!(shutdown.exchanges(), 0);
    Ok(())
}

async fn a_server_that_is_dropped_cuts_its_connections<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let server = server(&world);
    let shutdown = server.shutdown();
    let serving = server.serve(listener, hello(&world, Duration::from_secs(600)));
    let (idle, busy) = (dial(address), dial(address));
    (&busy).write_all(GET)?;
    {
        let mut serving = std::pin::pin!(serving);
        let began = Instant::now();
        std::future::poll_fn(|cx| match serving.as_mut().poll(cx) {
            Poll::Pending if shutdown.exchanges() == 1 && shutdown.connections() == 2 => Poll::Ready(()),
            Poll::Pending if began.elapsed() < Duration::from_secs(5) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            _ => panic!("not served: {shutdown:?}"),
        })
        .await;
    }
    stranger(&world, move || assert_eq!((rest(&idle), rest(&busy)), (String::new(), String::new()))).await;
    eventually(&world, "no connection is left", || shutdown.connections() == 0).await;
    Ok(())
}

async fn connections_beyond_the_limit_wait<W: World>(world: W) -> Outcome {
    let server = server(&world).max_connections(1);
    let Running { address, shutdown, .. } = serve_hello(&world, server, Duration::ZERO).await?;
    stranger(&world, move || {
        let (first, second) = (dial(address), dial(address));
        (&first).write_all(GET).unwrap();
        is_hello(&first);
        (&second).write_all(GET).unwrap();
        second.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        assert!((&second).read(&mut [0]).is_err(), "served beyond the limit");
        assert_eq!(shutdown.connections(), 1);
        drop(first);
        second.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        is_hello(&second);
    })
    .await;
    Ok(())
}

async fn connections_beyond_the_limit_are_refused_when_asked_for<W: World>(world: W) -> Outcome {
    let server = server(&world).max_connections(1).when_full(WhenFull::Refuse);
    let Running { address, .. } = serve_hello(&world, server, Duration::ZERO).await?;
    stranger(&world, move || {
        let first = dial(address);
        (&first).write_all(GET).unwrap();
        is_hello(&first);
        for _ in 0..30 {
            let other = dial(address);
            (&other).write_all(GET).unwrap();
            let answer = rest(&other);
            assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nConnection: close\r\n"), "{answer}");
        }
        (&first).write_all(GET).unwrap();
        is_hello(&first);
    })
    .await;
    Ok(())
}

async fn a_service_is_made_for_each_peer_or_it_is_turned_away<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let turns = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let serving = server(&world).serve_with(listener, move |_: &_, peer: &Peer| {
        let told = format!("{} to {}", peer.address?, peer.local?);
        let turn = turns.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        (turn < 2).then(|| {
            service_fn(move |_: Request<Incoming>| {
                let told = told.clone();
                async move { Ok::<_, Infallible>(Response::new(Full::from(told))) }
            })
        })
    });
    let _report = run(&world, serving);
    stranger(&world, move || {
        for _ in 0..2 {
            let stream = dial(address);
            (&stream).write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
            let peer = stream.local_addr().unwrap();
            assert!(rest(&stream).ends_with(&format!("\r\n\r\n{peer} to {address}")));
        }
        assert_eq!(rest(&dial(address)), "");
    })
    .await;
    Ok(())
}

async fn a_stream_that_was_accepted_elsewhere_is_served<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let server = server(&world);
    let stream = dial(address);
    let transport = world.accept(&listener).await?;
    let service = hello(&world, Duration::ZERO);
    world.runtime().spawn(server.serve_transport(transport, move |_: &_, _: &Peer| Some(service)));
    let shutdown = server.shutdown();
    stranger(&world, move || {
        (&stream).write_all(GET).unwrap();
        is_hello(&stream);
        assert_eq!(shutdown.connections(), 1);
        shutdown.begin();
        assert_eq!(rest(&stream), "");
    })
    .await;
    Ok(())
}

/// A connection, and when it was made.
fn dated(address: SocketAddr) -> (TcpStream, Instant) {
    let made = Instant::now();
    (dial(address), made)
}

/// How long connections last of which nothing more comes, in the order of the list.
async fn lasted<W: World>(world: &W, streams: Vec<(TcpStream, Instant)>) -> Vec<Duration> {
    stranger(world, move || {
        let ended = |(stream, made): (TcpStream, Instant)| {
            assert_eq!(rest(&stream), "");
            made.elapsed()
        };
        let ends: Vec<_> = streams.into_iter().map(|stream| std::thread::spawn(move || ended(stream))).collect();
        ends.into_iter().map(|end| end.join().unwrap()).collect()
    })
    .await
}

fn with_idle<W: World>(world: &W, idle: Duration) -> Server<W::Runtime> {
    let mut config = http_core::Config::default();
    config.timeouts.idle = idle;
    server(world).config(config)
}

async fn connections_that_rest_end_in_time<W: World>(world: W) -> Outcome {
    let idle = Duration::from_millis(1500);
    let running = serve_hello(&world, with_idle(&world, idle), Duration::ZERO).await?;
    let address = running.address;
    // As others do meanwhile, a machine may be late; early it is not.
    let range = idle - Duration::from_millis(20)..idle + Duration::from_secs(2);
    let streams = stranger(&world, move || {
        // Those that say nothing at all rest from the beginning, the others after a second without a request.
        (0..40)
            .map(|at| {
                let (stream, made) = dated(address);
                if at % 2 == 0 {
                    (&stream).write_all(GET).unwrap();
                    is_hello(&stream);
                }
                std::thread::sleep(Duration::from_millis(5));
                (stream, made)
            })
            .collect::<Vec<_>>()
    })
    .await;
    for (at, lasted) in lasted(&world, streams).await.into_iter().enumerate() {
        assert!(range.contains(&lasted), "{at}: {lasted:?}");
    }
    eventually(&world, "nothing is left of them", || running.shutdown.connections() == 0).await;

    // The same when nothing rests there any more, and for one that comes when another one has rested for a while.
    let streams = stranger(&world, move || {
        let first = dated(address);
        std::thread::sleep(Duration::from_millis(400));
        vec![first, dated(address)]
    })
    .await;
    let lasted = lasted(&world, streams).await;
    assert!(lasted.iter().all(|lasted| range.contains(lasted)), "{lasted:?}");
    Ok(())
}

async fn a_connection_that_no_server_keeps_ends_in_time_as_well<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let idle = Duration::from_millis(300);
    let (stream, server) = (dated(world.address(&listener)?), with_idle(&world, idle));
    let transport = world.accept(&listener).await?;
    let service = hello(&world, Duration::ZERO);
    world.runtime().spawn(server.serve_transport(transport, move |_: &_, _: &Peer| Some(service)));
    let lasted = lasted(&world, vec![stream]).await[0];
    assert!((idle - Duration::from_millis(20)..idle + Duration::from_secs(2)).contains(&lasted), "{lasted:?}");
    Ok(())
}

/// Shakes hands only with those who begin with a plus sign.
struct Shaking<T>(T, BytesMut);

impl<T: Transport> Transport for Shaking<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<std::io::Result<usize>> {
        self.0.poll_read(cx, buffer, most)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<std::io::Result<usize>> {
        self.0.poll_write(cx, outbox)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.0.poll_shutdown(cx)
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.1.reserve(1);
        self.0.poll_read(cx, &mut self.1, 1).map(|count| match count? {
            1 if self.1[..] == b"+"[..] => Ok(()),
            _ => Err(std::io::ErrorKind::InvalidData.into()),
        })
    }
}

struct Shake<L>(L);

impl<R: Runtime, L: Listener<R>> Listener<R> for Shake<L> {
    type Transport = Shaking<L::Transport>;

    async fn accept(&mut self) -> std::io::Result<Self::Transport> {
        Ok(Shaking(self.0.accept().await?, BytesMut::new()))
    }
}

async fn a_handshake_that_is_slow_or_fails_holds_up_nobody<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let server = server(&world).handshake_timeout(Duration::from_secs(1));
    let shutdown = server.shutdown();
    let _report = run(&world, server.serve(Shake(listener), hello(&world, Duration::ZERO)));
    let right = stranger(&world, move || {
        let (slow, wrong, right) = (dial(address), dial(address), dial(address));
        (&wrong).write_all(b"-").unwrap();
        (&right).write_all(b"+").unwrap();
        std::thread::sleep(Duration::from_millis(50));
        (&right).write_all(GET).unwrap();
        is_hello(&right);
        assert_eq!((rest(&wrong), rest(&slow)), (String::new(), String::new()));
        right
    })
    .await;
    eventually(&world, "they are gone", || shutdown.connections() == 1).await;
    drop(right);
    Ok(())
}

async fn only_a_trusted_proxy_tells_its_clients_address<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let trusted = TrustedProxies::none().network([127, 0, 0, 2].into(), 32);
    let serving = server(&world).serve_with(ProxiedListener::new(listener, trusted), |_: &_, peer: &Peer| {
        let told = format!("{} to {}", peer.address?, peer.local?);
        Some(service_fn(move |_: Request<Incoming>| {
            let told = told.clone();
            async move { Ok::<_, Infallible>(Response::new(Full::from(told))) }
        }))
    });
    let _report = run(&world, serving);
    stranger(&world, move || {
        let from = |ip: [u8; 4]| {
            let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            socket.bind(&SocketAddr::from((ip, 0)).into()).unwrap();
            socket.connect(&address.into()).unwrap();
            let stream = TcpStream::from(socket);
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            stream
        };
        let v1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n";
        let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\xdc\x04\x01\xbb";
        for header in [&v1[..], v2] {
            // In one piece with the request, and byte by byte.
            for size in [1000, 1] {
                let proxy = from([127, 0, 0, 2]);
                for piece in [header, b"GET / HTTP/1.0\r\n\r\n"].concat().chunks(size) {
                    (&proxy).write_all(piece).unwrap();
                }
                let answer = rest(&proxy);
                assert!(answer.ends_with("\r\n\r\n192.0.2.1:56324 to 192.0.2.2:443"), "{answer}");
            }
            // A stranger's word is no header, and not a request either.
            let stranger = from([127, 0, 0, 1]);
            (&stranger).write_all(&[header, b"GET / HTTP/1.0\r\n\r\n"].concat()).unwrap();
            assert!(!rest(&stranger).contains("192.0.2.1"));
        }
        // A stranger is served as it comes; a trusted proxy has to say for whom it speaks.
        let (stranger, proxy) = (from([127, 0, 0, 1]), from([127, 0, 0, 2]));
        for stream in [&stranger, &proxy] {
            let mut stream = stream;
            stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        }
        assert!(rest(&stranger).contains("127.0.0.1:"));
        let mut refused = Vec::new();
        let _ = (&proxy).read_to_end(&mut refused);
        assert_eq!(refused, b"");
    })
    .await;
    Ok(())
}

/// Many who send and read as slowly as they can, and one who does not.
async fn slow_clients_hold_up_nobody<W: World>(world: W) -> Outcome {
    const EACH: usize = 60;
    let Running { address, shutdown, .. } = serve_hello(&world, server(&world), Duration::ZERO).await?;
    stranger(&world, move || {
        let mut slow = Vec::new();
        for n in 0..EACH {
            for begun in [&b"GET / HT"[..], b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", b""] {
                let stream = dial(address);
                (&stream).write_all(begun).unwrap();
                slow.push(stream);
            }
            // Asks for a lot and reads none of it.
            if n % 10 == 0 {
                let stream = dial(address);
                let _ = (&stream).write_all(&GET.repeat(2000));
                slow.push(stream);
            }
        }
        for drip in 0..3 {
            for stream in &slow {
                let mut stream = stream;
                let _ = stream.write_all(b"x");
            }
            let began = Instant::now();
            let quick = dial(address);
            for _ in 0..20 {
                (&quick).write_all(GET).unwrap();
                is_hello(&quick);
            }
            assert!(began.elapsed() < Duration::from_secs(2), "{:?} in round {drip}", began.elapsed());
        }
        assert!(shutdown.connections() > 2 * EACH, "{}", shutdown.connections());
    })
    .await;
    Ok(())
}

/// Serves one connection of a Unix socket with each adapter.
macro_rules! unix {
    ($name:ident, $listener:ty, $server:ty, $run:expr) => {
        #[cfg(unix)]
        #[test]
        fn $name() {
            let path = std::env::temp_dir().join(format!("{}-{}", stringify!($name), std::process::id()));
            let _ = std::fs::remove_file(&path);
            let socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
            socket.set_nonblocking(true).unwrap();
            let client = std::thread::spawn({
                let path = path.clone();
                move || {
                    let mut stream = std::os::unix::net::UnixStream::connect(path).unwrap();
                    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
                    let mut answer = String::new();
                    stream.read_to_string(&mut answer).unwrap();
                    answer
                }
            });
            let serve = async move {
                let listener = <$listener>::try_from(socket).unwrap();
                let server = <$server>::new();
                let shutdown = server.shutdown();
                let service = service_fn(move |_: Request<Incoming>| {
                    shutdown.begin();
                    async { Ok::<_, Infallible>(Response::new(Full::from("over a path"))) }
                });
                server.serve(listener, service).await
            };
            let report: Report = $run(serve);
            assert_eq!(report.served, 1);
            assert!(client.join().unwrap().ends_with("\r\n\r\nover a path"));
            std::fs::remove_file(path).unwrap();
        }
    };
}

unix!(a_unix_socket_is_served_on_tokio, tokio::net::UnixListener, http_tokio::Server, |serve| {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(serve)
});
unix!(
    a_unix_socket_is_served_on_async_std,
    async_std::os::unix::net::UnixListener,
    http_async_std::Server,
    async_std::task::block_on
);

on_both! {
    a_shutdown_answers_what_is_open_and_ends
    a_shutdown_cuts_what_takes_longer_than_its_drain_and_reports_it
    only_a_trusted_proxy_tells_its_clients_address
    slow_clients_hold_up_nobody
    a_server_that_is_dropped_cuts_its_connections
    connections_beyond_the_limit_wait
    connections_beyond_the_limit_are_refused_when_asked_for
    a_service_is_made_for_each_peer_or_it_is_turned_away
    a_stream_that_was_accepted_elsewhere_is_served
    connections_that_rest_end_in_time
    a_connection_that_no_server_keeps_ends_in_time_as_well
    a_handshake_that_is_slow_or_fails_holds_up_nobody
}
