//! What operators are told of, on either adapter: everything that goes wrong, and nothing that does not.

use std::future::poll_fn;
use std::io::{Error, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use http_core::{Config, Misuse, Phase, Reason};
use http_driver::server::{
    Connection, Fault, Incident, Listener, Options, ProxiedListener, Server, TrustedProxies, WhenFull, serve_connection,
};
use http_driver::{Incoming, Runtime, Upgrade, service_fn};
use tower_service::Service;

use crate::sockets::bodies::{Then, Told};
use crate::sockets::clients::Networked;
use crate::sockets::servers::{Running, run, server};
use crate::sockets::site::{acceptor, certified};
use crate::sockets::strangers::{anywhere, dial, head, rest, stranger};
use crate::sockets::world::World;
use crate::sockets::{Outcome, eventually};

const GET: &[u8] = b"GET /fine HTTP/1.1\r\nHost: a\r\n\r\n";
const A_WHILE: Duration = Duration::from_millis(50);

/// An incident, as it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    fault: String,
    connection: Option<u64>,
    peer: Option<SocketAddr>,
    status: Option<u16>,
    phase: Phase,
    request: String,
    line: String,
}

/// All that was told.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<Seen>>>);

impl Log {
    fn options(&self) -> Options {
        let log = self.clone();
        Options::default().observe(move |incident| log.note(incident))
    }

    fn note(&self, incident: &Incident<'_>) {
        let fault = match incident.fault() {
            Fault::Protocol(error) => format!("{:?}", error.reason()),
            Fault::Accept(error) => format!("accept: {:?}", error.kind()),
            Fault::Handshake(error) => format!("handshake: {:?}", error.kind()),
            Fault::Service(error) => format!("service: {error}"),
            Fault::Body(error) => format!("body: {error}"),
            Fault::Io(_) => "io".into(),
            fault => format!("{fault:?}"),
        };
        let (line, debug) = (incident.to_string(), format!("{incident:?}"));
        for text in [&line, &debug] {
            assert!(!text.contains("secret"), "{text}");
        }
        self.0.lock().unwrap().push(Seen {
            fault,
            connection: incident.connection(),
            peer: incident.peer().and_then(|peer| peer.address),
            status: incident.status().map(|status| status.as_u16()),
            phase: incident.phase(),
            request: match (incident.method(), incident.path()) {
                (Some(method), path) => format!("{method} {}", path.unwrap_or_default()),
                (None, _) => String::new(),
            },
            line,
        });
    }

    fn all(&self) -> Vec<Seen> {
        self.0.lock().unwrap().clone()
    }

    /// The next incidents, so many and no more.
    async fn next<W: World>(&self, world: &W, count: usize) -> Vec<Seen> {
        eventually(world, &format!("{count} incidents"), || self.0.lock().unwrap().len() >= count).await;
        world.sleep(A_WHILE / 2).await;
        let all = core::mem::take(&mut *self.0.lock().unwrap());
        assert_eq!(all.len(), count, "{all:#?}");
        all
    }

    async fn one<W: World>(&self, world: &W) -> Seen {
        self.next(world, 1).await.remove(0)
    }
}

/// Does what the path says.
async fn service<W: World>(world: W, request: Request<Incoming>) -> Result<Response<Told>, Error> {
    let path = request.uri().path().to_owned();
    let mut response = Response::new(Told::sized(["fine"]));
    match &path[..] {
        "/echo" => {
            let mut body = request.into_body();
            while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                frame.map_err(|_| Error::other("no content"))?;
            }
        }
        "/waits" => {
            world.sleep(Duration::from_secs(600)).await;
        }
        "/fails" => return Err(Error::other("as it was told")),
        "/misuses" => *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS,
        "/breaks" => *response.body_mut() = Told::pieces(["some"]).then(Then::Fail),
        "/breaks-at-once" => *response.body_mut() = Told::pieces([""; 0]).announced(3).then(Then::Fail),
        "/too-long" => *response.body_mut() = Told::pieces(["some", "more"]).announced(5),
        "/too-short" => *response.body_mut() = Told::pieces(["some"]).announced(5),
        "/much" => *response.body_mut() = Told::sized(vec![vec![b'x'; 65_536]; 1000]),
        "/upgrades" => {
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            response.headers_mut().insert("upgrade", HeaderValue::from_static("x"));
            *response.body_mut() = Told::sized([""; 0]);
        }
        _ => {}
    }
    Ok(response)
}

/// A server whose incidents are logged.
async fn logged<W: World>(world: &W, log: &Log, config: Config) -> std::io::Result<Running> {
    start(world, server(world).options(log.options()).config(config)).await
}

async fn start<W: World>(world: &W, server: Server<W::Runtime>) -> std::io::Result<Running> {
    let other = world.clone();
    Running::start(world, server, move |request| service(other.clone(), request)).await
}

fn ask(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let stream = dial(address);
    (&stream).write_all(bytes).unwrap();
    stream
}

fn asking(method: &str, path: &str) -> Vec<u8> {
    let fields = "Host: a\r\nCookie: secret\r\nConnection: close\r\n";
    format!("{method} {path}?token=secret HTTP/1.1\r\n{fields}\r\n").into_bytes()
}

async fn s14_rules_that_clients_break_are_told<W: World>(world: W) -> Outcome {
    let log = Log::default();
    let mut config = Config::default();
    (config.limits.content, config.limits.head) = (Some(10), 300);
    let address = logged(&world, &log, config).await?.address;
    let chunked = "POST /echo?secret HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    type Row = (Vec<u8>, Reason, Option<u16>, Phase, &'static str);
    let table: &[Row] = &[
        (b"GET /\x01 HTTP/1.1\r\n\r\n".into(), Reason::Target, Some(400), Phase::ReadingFirstLine, ""),
        (
            b"GET / HTTP/1.1\r\nX : secret\r\n\r\n".into(),
            Reason::SpaceBeforeColon,
            Some(400),
            Phase::ReadingHeaders,
            "",
        ),
        (b"GET / HTTP/1.1\r\n\r\n".into(), Reason::MissingHost, Some(400), Phase::ReadingHeaders, ""),
        (b"GET / HTTP/9.9\r\nHost: a\r\n\r\n".into(), Reason::Version, Some(505), Phase::ReadingFirstLine, ""),
        (
            [b"GET / HTTP/1.1\r\nX: ", &[b'y'; 400][..]].concat(),
            Reason::HeadTooLong,
            Some(431),
            Phase::ReadingHeaders,
            "",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n".into(),
            Reason::ContentTooLong,
            Some(413),
            Phase::ReadingBody,
            "",
        ),
        (format!("{chunked}zz\r\n").into(), Reason::ChunkSize, Some(400), Phase::ReadingBody, "POST /echo"),
    ];
    for (n, (bytes, reason, status, phase, request)) in table.iter().enumerate() {
        let sent = bytes.clone();
        let (answer, peer) = stranger(&world, move || {
            let stream = ask(address, &sent);
            (head(&stream), stream.local_addr().unwrap())
        })
        .await;
        let seen = log.one(&world).await;
        assert_eq!(seen.fault, format!("{reason:?}"), "{answer}");
        assert_eq!((seen.status, seen.phase, &seen.request[..]), (*status, *phase, *request), "{reason:?}");
        assert_eq!(answer[9..12].parse().ok(), seen.status);
        assert_eq!((seen.connection, seen.peer), (Some(n as u64 + 1), Some(peer)));
        let section = format!("({})", reason.section());
        for part in [format!("connection {} from {peer}", n + 1), reason.to_string(), section] {
            assert_eq!(seen.line.matches(&part).count(), 1, "{part}: {}", seen.line);
        }
    }
    Ok(())
}

async fn s14_requests_without_a_form_for_services_are_told<W: World>(world: W) -> Outcome {
    let log = Log::default();
    let address = logged(&world, &log, Config::default()).await?.address;
    stranger(&world, move || {
        // RFC 3986 sets no limit to a scheme; the http crate does.
        let scheme = "x".repeat(70);
        let stream = ask(address, format!("GET {scheme}://a/secret HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        assert!(head(&stream).starts_with("HTTP/1.1 400 "));
        (&stream).write_all(GET).unwrap();
        assert!(head(&stream).starts_with("HTTP/1.1 200 "));
    })
    .await;
    let seen = log.one(&world).await;
    assert_eq!((&seen.fault[..], seen.status, seen.phase), ("Request(Target)", Some(400), Phase::Writing));
    assert_eq!(seen.request, "");
    Ok(())
}

async fn s14_expectations_that_are_not_met_are_told<W: World>(world: W) -> Outcome {
    let log = Log::default();
    let address = logged(&world, &log, Config::default()).await?.address;
    stranger(&world, move || {
        let stream = dial(address);
        for _ in 0..2 {
            (&stream).write_all(b"GET / HTTP/1.1\r\nHost: a\r\nExpect: secret\r\n\r\n").unwrap();
            assert!(head(&stream).starts_with("HTTP/1.1 417 "));
        }
        (&stream).write_all(GET).unwrap();
        assert!(head(&stream).starts_with("HTTP/1.1 200 "));
    })
    .await;
    for seen in log.next(&world, 2).await {
        assert_eq!((&seen.fault[..], seen.status, seen.connection), ("Expectation", Some(417), Some(1)));
        assert!(seen.line.ends_with("(RFC 9110 §10.1.1), answered 417"), "{}", seen.line);
    }
    Ok(())
}

async fn s14_deadlines_that_pass_are_told<W: World>(world: W) -> Outcome {
    let log = Log::default();
    let mut config = Config::default();
    config.timeouts.head = 2 * A_WHILE;
    config.timeouts.content = 2 * A_WHILE;
    config.timeouts.idle = 2 * A_WHILE;
    let address = logged(&world, &log, config).await?.address;
    let content = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na";
    for (bytes, fault, status, phase, request) in [
        (&b"GET / HTTP/1.1\r\nHost"[..], "HeadTimeout", Some(408), Phase::ReadingHeaders, ""),
        (content, "ContentTimeout", Some(408), Phase::ReadingBody, "POST /echo"),
        (&asking("GET", "/much"), "Closed(TimedOut(Send))", None, Phase::Writing, "GET /much"),
    ] {
        let stream = ask(address, bytes);
        let seen = log.one(&world).await;
        assert_eq!((&seen.fault[..], seen.status, seen.phase, &seen.request[..]), (fault, status, phase, request));
        drop(stream);
    }
    // Who idles may go.
    stranger(&world, move || assert_eq!(rest(dial(address)), "")).await;
    world.sleep(A_WHILE).await;
    assert_eq!(log.all(), []);
    Ok(())
}

async fn s14_clients_that_leave_are_told<W: World>(world: W) -> Outcome {
    let log = Log::default();
    let running = logged(&world, &log, Config::default()).await?;
    let address = running.address;
    for (bytes, phase, request) in [
        (&b"GET / HT"[..], Phase::ReadingFirstLine, ""),
        (
            b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
            // It is still answered.
            Phase::Writing,
            "POST /echo",
        ),
    ] {
        let stream = ask(address, bytes);
        world.sleep(A_WHILE).await;
        stream.shutdown(Shutdown::Write)?;
        let seen = log.one(&world).await;
        assert_eq!((&seen.fault[..], seen.status, seen.phase), ("Truncated", None, phase));
        assert_eq!(seen.request, request);
    }
    // While the service works, and while its answer is being sent.
    for path in ["/waits", "/much"] {
        let stream = ask(address, &asking("GET", path));
        eventually(&world, "it is asked", || running.shutdown.exchanges() == 1).await;
        world.sleep(A_WHILE).await;
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        drop(stream);
        let seen = log.one(&world).await;
        assert!(["io", "Closed(Broken)"].contains(&&seen.fault[..]), "{}", seen.fault);
        assert_eq!((seen.status, seen.phase, seen.request), (None, Phase::Writing, format!("GET {path}")));
    }
    Ok(())
}

/// Is never ready.
#[derive(Clone)]
struct Unready;

impl Service<Request<Incoming>> for Unready {
    type Response = Response<Told>;
    type Error = Error;
    type Future = std::future::Ready<Result<Response<Told>, Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Err(Error::other("worn out")))
    }

    fn call(&mut self, _: Request<Incoming>) -> Self::Future {
        unreachable!("it is not ready")
    }
}

async fn s14_services_that_fail_are_told<W: World>(world: W) -> Outcome {
    let log = Log::default();
    let address = logged(&world, &log, Config::default()).await?.address;
    for (path, fault) in [("/fails", "service: as it was told"), ("/misuses", &format!("Misuse({:?})", Misuse::Status))]
    {
        let answer = stranger(&world, move || rest(ask(address, &asking("PUT", path)))).await;
        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
        let seen = log.one(&world).await;
        assert_eq!((&seen.fault[..], seen.status, seen.phase), (fault, Some(500), Phase::Writing));
        assert_eq!(seen.request, format!("PUT {path}"));
    }
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let _report = run(&world, server(&world).options(log.options()).serve(listener, Unready));
    let answer = stranger(&world, move || rest(ask(address, GET))).await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    let seen = log.one(&world).await;
    assert_eq!((&seen.fault[..], seen.status), ("service: worn out", Some(500)));
    Ok(())
}

async fn s14_bodies_that_fail_are_told<W: World>(world: W) -> Outcome {
    let log = Log::default();
    let address = logged(&world, &log, Config::default()).await?.address;
    let failed = format!("body: {}", std::fmt::Error);
    for (path, fault) in [
        ("/breaks", &failed),
        ("/breaks-at-once", &failed),
        ("/too-long", &format!("Misuse({:?})", Misuse::TooMuchContent)),
        ("/too-short", &format!("Misuse({:?})", Misuse::TooLittleContent)),
    ] {
        stranger(&world, move || {
            let _ = ask(address, &asking("GET", path)).read_to_end(&mut Vec::new());
        })
        .await;
        let seen = log.one(&world).await;
        assert_eq!((&seen.fault, seen.status, seen.phase), (fault, None, Phase::Writing), "{path}");
        assert_eq!(seen.request, format!("GET {path}"));
    }
    Ok(())
}

async fn s14_what_a_drain_cuts_is_told<W: World>(world: W) -> Outcome {
    let log = Log::default();
    let running = start(&world, server(&world).options(log.options()).drain(2 * A_WHILE)).await?;
    let (address, shutdown, report) = (running.address, running.shutdown, running.report);
    let busy = ask(address, &asking("GET", "/waits"));
    eventually(&world, "it is asked", || shutdown.exchanges() == 1).await;
    shutdown.begin();
    // Before the server has ended, since the program may end with it.
    stranger(&world, move || report.recv_timeout(Duration::from_secs(5)).unwrap()).await;
    assert_eq!((log.all().len(), shutdown.connections()), (1, 0));
    let seen = log.one(&world).await;
    assert_eq!((&seen.fault[..], seen.status, seen.phase), ("Cut", None, Phase::Writing));
    assert_eq!(seen.request, "GET /waits");
    drop(busy);

    // A tunnel that somebody holds.
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let (tell, told) = std::sync::mpsc::channel();
    let runtime = world.runtime();
    let serving = server(&world).options(log.options());
    let shutdown = serving.shutdown();
    let handler = service_fn(move |request: Request<Incoming>| {
        let (tell, upgrade) = (tell.clone(), request.extensions().get::<Upgrade>().unwrap().clone());
        runtime.spawn(async move { tell.send(upgrade.await.unwrap()).unwrap() });
        async { Ok::<_, Error>(Response::new(Told::sized([""; 0]))) }
    });
    let _report = run(&world, serving.serve(listener, handler));
    let (stream, tunnel) = stranger(&world, move || {
        let stream = ask(address, b"CONNECT secret:1 HTTP/1.1\r\nHost: secret:1\r\n\r\n");
        assert!(head(&stream).starts_with("HTTP/1.1 200 "));
        (stream, told.recv().unwrap())
    })
    .await;
    shutdown.begin();
    let seen = log.one(&world).await;
    assert_eq!((&seen.fault[..], &seen.request[..]), ("Cut", "CONNECT "));
    drop((stream, tunnel));
    Ok(())
}

async fn s14_who_is_refused_is_told<W: World>(world: W) -> Outcome {
    let log = Log::default();
    let full = server(&world).options(log.options()).max_connections(1).when_full(WhenFull::Refuse);
    let address = start(&world, full).await?.address;
    let open = stranger(&world, move || {
        let open = ask(address, GET);
        assert!(head(&open).starts_with("HTTP/1.1 200 "));
        assert!(rest(ask(address, GET)).starts_with("HTTP/1.1 503 "));
        open
    })
    .await;
    let seen = log.one(&world).await;
    assert_eq!((&seen.fault[..], seen.status, seen.connection), ("Full", Some(503), Some(2)));
    drop(open);
    Ok(())
}

async fn s14_hand_overs_that_nobody_takes_are_told<W: World>(world: W) -> Outcome {
    let log = Log::default();
    let address = logged(&world, &log, Config::default()).await?.address;
    let answer = stranger(&world, move || {
        let offer = b"GET /upgrades HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
        rest(ask(address, offer))
    })
    .await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    let seen = log.one(&world).await;
    assert_eq!((&seen.fault[..], &seen.request[..]), ("NotTaken", "GET /upgrades"));
    Ok(())
}

/// Fails once before it accepts.
struct Failing<L>(L, bool);

impl<R: Runtime, L: Listener<R>> Listener<R> for Failing<L> {
    type Transport = L::Transport;

    async fn accept(&mut self) -> std::io::Result<L::Transport> {
        if !std::mem::replace(&mut self.1, true) {
            return Err(ErrorKind::ConnectionAborted.into());
        }
        self.0.accept().await
    }
}

async fn s14_connections_that_are_not_accepted_are_told<W: World>(world: W) -> Outcome {
    let log = Log::default();
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let other = world.clone();
    let handler = service_fn(move |request| service(other.clone(), request));
    let _report = run(&world, server(&world).options(log.options()).serve(Failing(listener, false), handler));
    stranger(&world, move || assert!(head(ask(address, GET)).starts_with("HTTP/1.1 200 "))).await;
    let seen = log.one(&world).await;
    assert_eq!((&seen.fault[..], seen.connection, seen.peer), ("accept: ConnectionAborted", None, None));
    Ok(())
}

async fn s14_handshakes_that_fail_are_told<W: Networked>(world: W) -> Outcome {
    let keys = certified();
    for secured in [true, false] {
        let log = Log::default();
        let listener = world.listen(anywhere()).await?;
        let address = world.address(&listener)?;
        let other = world.clone();
        let handler = service_fn(move |request| service(other.clone(), request));
        let server = server(&world).options(log.options()).handshake_timeout(4 * A_WHILE);
        let _report = if secured {
            run(&world, server.serve(acceptor(&keys).listen(listener), handler))
        } else {
            let trusted = TrustedProxies::none().network([127, 0, 0, 1].into(), 32);
            run(&world, server.serve(ProxiedListener::new(listener, trusted), handler))
        };
        for (bytes, leaves, fault) in [
            (GET, false, Some("handshake: InvalidData")),
            (&b"P"[..], true, Some("handshake: UnexpectedEof")),
            (b"", false, Some("handshake: TimedOut")),
            // Who looks whether somebody is there has broken nothing.
            (b"", true, None),
        ] {
            // The first byte of a record, which is long in coming.
            let bytes = if secured && leaves && !bytes.is_empty() { b"\x16" } else { bytes };
            let stream = ask(address, bytes);
            if leaves {
                world.sleep(A_WHILE).await;
                stream.shutdown(Shutdown::Write)?;
            }
            match fault {
                Some(fault) => {
                    let seen = log.one(&world).await;
                    assert_eq!((&seen.fault[..], seen.status, seen.phase), (fault, None, Phase::Connecting));
                    assert_eq!(seen.peer, Some(stream.local_addr()?));
                }
                None => {
                    world.sleep(6 * A_WHILE).await;
                    assert_eq!(log.all(), []);
                }
            }
        }
    }
    Ok(())
}

async fn s14_what_goes_well_is_not_told<W: World>(world: W) -> Outcome {
    let log = Log::default();
    let Running { address, shutdown, report, .. } = logged(&world, &log, Config::default()).await?;
    stranger(&world, move || {
        // Answered, and left in each way that is no fault: closed, reset, never used, closed by the shutdown.
        let answered = || {
            let stream = ask(address, GET);
            assert!(head(&stream).starts_with("HTTP/1.1 200 "));
            (&stream).read_exact(&mut [0; 4]).unwrap();
            stream
        };
        drop(answered());
        let reset = answered();
        socket2::SockRef::from(&reset).set_linger(Some(Duration::ZERO)).unwrap();
        drop(reset);
        drop(dial(address));
        rest(ask(address, &asking("GET", "/fine")));
        let are_left = |count| {
            while shutdown.connections() != count {
                std::thread::yield_now();
            }
        };
        are_left(0);
        let (idle, unused) = (answered(), dial(address));
        are_left(2);
        shutdown.begin();
        assert_eq!((rest(&idle), rest(&unused)), (String::new(), String::new()));
        report.recv_timeout(Duration::from_secs(5)).unwrap();
    })
    .await;
    assert_eq!(log.all(), []);
    Ok(())
}

/// Without a server, connections number themselves.
async fn s14_connections_that_are_served_one_by_one_are_told_of<W: World>(world: W) -> Outcome {
    let (log, listener) = (Log::default(), world.listen(anywhere()).await?);
    let (address, options) = (world.address(&listener)?, log.options());
    for n in 1..=2 {
        let stream = ask(address, b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n");
        let transport = world.accept(&listener).await?;
        let connection = Connection::new(transport, world.runtime(), Arc::default());
        let (other, options) = (world.clone(), options.clone());
        world.runtime().spawn(async move {
            let handler = service_fn(move |request| service(other.clone(), request));
            assert!(serve_connection(connection, handler, options, None).await.is_err());
        });
        let seen = log.one(&world).await;
        assert_eq!((seen.connection, seen.peer), (Some(n), Some(stream.local_addr()?)));
        assert_eq!((&seen.fault[..], seen.status), ("DuplicateHost", Some(400)));
    }
    Ok(())
}

on_both! {
    s14_rules_that_clients_break_are_told
    s14_requests_without_a_form_for_services_are_told
    s14_expectations_that_are_not_met_are_told
    s14_deadlines_that_pass_are_told
    s14_clients_that_leave_are_told
    s14_services_that_fail_are_told
    s14_bodies_that_fail_are_told
    s14_what_a_drain_cuts_is_told
    s14_who_is_refused_is_told
    s14_hand_overs_that_nobody_takes_are_told
    s14_connections_that_are_not_accepted_are_told
    s14_handshakes_that_fail_are_told
    s14_what_goes_well_is_not_told
    s14_connections_that_are_served_one_by_one_are_told_of
}
