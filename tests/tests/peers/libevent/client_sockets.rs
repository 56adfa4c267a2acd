//! The rows of libevent's `http/` suite in which a client is at work.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_core::dispatch::{Backoff, Policy};
use http_core::{Config, Content, Method, RequestHead};
use http_driver::client::{Address, Builder, Connection, Dial, Resolve, Resolving, SocketOptions};
use http_driver::server::Server;
use http_driver::{Full, Incoming, Peer, Runtime, Transport, service_fn};

use crate::Gate;
use crate::sockets::bodies::Told;
use crate::sockets::clients::{NetworkOf, Networked, alone, content, network, once};
use crate::sockets::servers::{Running, run, server};
use crate::sockets::site::Site;
use crate::sockets::strangers::{AT_ONCE, anywhere, head};
use crate::sockets::{Outcome, eventually};

const FUNNY: &str = "This is funny";

/// Answers as libevent's server of tests does, and nothing to `/empty`.
async fn funny(request: Request<Incoming>) -> Result<Response<Full>, Infallible> {
    let empty = request.uri().path() == "/empty";
    Ok(Response::new(if empty { Full::default() } else { Full::from(FUNNY) }))
}

/// One exchange on a connection of its own.
async fn exchange<T: Transport, R: Runtime>(connection: &mut Connection<T, R>) -> Outcome {
    let head = RequestHead::new(Method::Get, "/test")?.with("Host", "somehost")?;
    let mut exchange = connection.send(&head, Content::Empty)?;
    assert_eq!(exchange.response().await?.status().as_u16(), 200);
    assert_eq!(exchange.content().await?.unwrap(), FUNNY);
    Ok(exchange.finish().await?)
}

pub(crate) async fn simple_at<W: Networked>(site: Site<W>) -> Outcome {
    let running = site.serve(server(&site.world), funny).await?;
    let client = site.client(once());
    let response = client.request(Request::get(site.uri(running.address, "/test")).body(Full::default())?).await?;
    assert_eq!(response.status(), 200);
    assert_eq!(content(response.into_body()).await?, FUNNY.as_bytes());
    Ok(())
}

async fn simple<W: Networked>(world: W) -> Outcome {
    simple_at(Site::plain(world)).await
}

async fn simple_preexisting<W: Networked>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), funny).await?;
    let stream = world.connect(running.address).await?;
    let peer = |stream: &W::Stream| {
        let mut peer = Peer::default();
        stream.describe(&mut peer);
        (peer.address, peer.local)
    };
    let before = peer(&stream);
    let mut connection = Connection::new(stream, world.runtime(), Arc::default());
    exchange(&mut connection).await?;
    // The stream is what it was, and serves on.
    let (stream, left) = connection.into_parts();
    assert_eq!((peer(&stream), left.len()), (before, 0));
    exchange(&mut Connection::new(stream, world.runtime(), Arc::default())).await?;
    assert_eq!(running.accepted(), 1);
    Ok(())
}

async fn unix_socket_preexist<W: Networked>(world: W) -> Outcome {
    let kind = std::any::type_name::<W>().len();
    let path = std::env::temp_dir().join(format!("preexist-{kind}-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = std::os::unix::net::UnixListener::bind(&path)?;
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for _ in 0..2 {
            head(&stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nThis is funny").unwrap();
        }
    });
    let stream = world.dial().dial(Address::Unix(path.clone()), &SocketOptions::default()).await?;
    let mut connection = Connection::new(stream, world.runtime(), Arc::default());
    exchange(&mut connection).await?;
    exchange(&mut connection).await?;
    server.join().map_err(|_| "the server failed")?;
    std::fs::remove_file(path)?;
    Ok(())
}

/// Four requests of one client, the second of which may end its connection.
pub(crate) async fn connection_at<W: Networked>(site: Site<W>, closes: bool) -> Outcome {
    let running = site.serve(server(&site.world), funny).await?;
    let client = site.client(once());
    for (n, (method, path)) in [("GET", "/"), ("GET", "/"), ("GET", "/empty"), ("CUSTOM", "/")].into_iter().enumerate()
    {
        let mut request = Request::builder().method(method).uri(site.uri(running.address, path));
        if closes && n == 1 {
            request = request.header("connection", "close");
        }
        let response = client.request(request.body(Full::default())?).await?;
        assert_eq!(response.status(), 200);
        let length = if path == "/empty" { 0 } else { FUNNY.len() };
        assert!(response.headers().contains_key("date"), "{:?}", response.headers());
        assert_eq!(response.headers()["content-length"], length.to_string());
        assert_eq!(content(response.into_body()).await?.len(), length);
    }
    assert_eq!(running.accepted(), 1 + usize::from(closes));
    Ok(())
}

async fn connection<W: Networked>(world: W) -> Outcome {
    connection_at(Site::plain(world), true).await
}

async fn persist_connection<W: Networked>(world: W) -> Outcome {
    connection_at(Site::plain(world), false).await
}

/// Answers after others had their turn.
struct Asynchronous<W>(W, Arc<Mutex<Vec<String>>>);

impl<W: Networked> Resolve for Asynchronous<W> {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            self.0.sleep(Duration::from_millis(10)).await;
            self.1.lock().unwrap().push(host.to_owned());
            Ok(vec![[127, 0, 0, 1].into()])
        })
    }
}

async fn connection_async<W: Networked>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), funny).await?;
    let asked = Arc::default();
    let network = network(&world).resolver(Asynchronous(world.clone(), Arc::clone(&asked)));
    let client = once().build(network, world.runtime());
    for n in 0..4 {
        let mut request = Request::get(format!("http://name.example:{}/", running.address.port()));
        if n == 1 {
            request = request.header("connection", "close");
        }
        let response = client.request(request.body(Full::default())?).await?;
        assert_eq!(content(response.into_body()).await?, FUNNY.as_bytes());
    }
    assert_eq!(running.accepted(), 2);
    assert_eq!(*asked.lock().unwrap(), ["name.example", "name.example"], "once for each connection");
    Ok(())
}

async fn autofree_connection<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let running = site.serve(server(&site.world), funny).await?;
    let client = site.client(once().max_connections_per_host(1));
    let request = || {
        let request = Request::get(site.uri(running.address, "/")).header("connection", "close");
        request.body(Full::default()).map(|request| alone(&site.world, client.request(request)))
    };
    let both = [request()?, request()?];
    assert_eq!(client.connections(), 1);
    for response in both {
        assert_eq!(content(response.await?.into_body()).await?, FUNNY.as_bytes());
    }
    eventually(&site.world, "the client has no connection", || client.connections() == 0).await;
    eventually(&site.world, "nor has the server", || running.shutdown.connections() == 0).await;
    assert_eq!(running.accepted(), 2);
    Ok(())
}

async fn close_detection<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let mut config = Config::default();
    config.timeouts.idle = Duration::from_millis(100);
    let running = site.serve(server(&site.world).config(config), funny).await?;
    // Not idempotent: what came upon a dying connection would fail.
    let client = site.client(once());
    for n in 1..=2 {
        let request = Request::post(site.uri(running.address, "/")).body(Full::from("content"))?;
        assert_eq!(content(client.request(request).await?.into_body()).await?, FUNNY.as_bytes());
        assert_eq!(running.accepted(), n);
        eventually(&site.world, "the client has seen the end", || client.connections() == 0).await;
    }
    eventually(&site.world, "the server has no connection", || running.shutdown.connections() == 0).await;
    Ok(())
}

async fn close_detection_delay<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let (gate, waiter) = (Gate::default(), site.world.clone());
    let at_gate = gate.clone();
    let serve = move |request: Request<Incoming>| {
        let (gate, world) = (at_gate.clone(), waiter.clone());
        async move {
            if request.uri().path() == "/late" {
                gate.pass(&world).await;
            }
            funny(request).await
        }
    };
    let running = site.serve(server(&site.world), serve).await?;
    let client = site.client(once().timeout(Duration::from_millis(200)));
    let late = Request::get(site.uri(running.address, "/late")).body(Full::default())?;
    assert!(client.request(late).await.unwrap_err().is_timeout());
    assert_eq!(gate.came(), 1);
    let client = site.client(once());
    let next = Request::get(site.uri(running.address, "/")).body(Full::default())?;
    assert_eq!(content(client.request(next).await?.into_body()).await?, FUNNY.as_bytes());
    gate.open();
    eventually(&site.world, "the server is rid of the first one", || running.shutdown.connections() == 1).await;
    drop(client);
    eventually(&site.world, "and of both", || running.shutdown.connections() == 0).await;
    Ok(())
}

async fn highport<W: Networked>(world: W) -> Outcome {
    for port in (65_000..=u16::MAX).rev() {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let Ok(listener) = world.listen(address).await else { continue };
        assert_eq!(world.address(&listener)?, address);
        let running = Running::over(&world, (listener, address), server(&world), funny);
        let site = Site::plain(world);
        let get = Request::get(site.uri(running.address, "/")).body(Full::default())?;
        assert_eq!(site.client(once()).request(get).await?.status(), 200);
        return Ok(());
    }
    panic!("no high port is free")
}

pub(crate) async fn connection_fail_at<W: Networked>(site: Site<W>) -> Outcome {
    // To the address that stands for all there is no way.
    let nowhere = SocketAddr::from(([255, 255, 255, 255], 9));
    let network = site.network().resolve("localhost", [nowhere]);
    let client = once().build(network, site.world.runtime());
    let (failing, sender) = (site.uri(nowhere, "/"), client.clone());
    let failures = Arc::new(Mutex::new(Vec::new()));
    let told = failures.clone();
    site.world.runtime().spawn(async move {
        let error = sender.request(Request::get(failing).body(Full::default()).unwrap()).await.unwrap_err();
        // The last of its users is gone while its failure is being told.
        drop(sender);
        told.lock().unwrap().push((error.is_connect(), error.is_safe_to_repeat()));
    });
    drop(client);
    eventually(&site.world, "one failure is told", || *failures.lock().unwrap() == [(true, true)]).await;
    Ok(())
}

async fn connection_fail<W: Networked>(world: W) -> Outcome {
    connection_fail_at(Site::plain(world)).await
}

/// Refused, then with one retry, then with a server that appears meanwhile.
pub(crate) async fn connection_retry_at<W: Networked>(
    site: Site<W>,
    network: impl Fn(SocketAddr) -> NetworkOf<W>,
) -> Outcome {
    const PAUSE: Duration = Duration::from_millis(150);
    // An address of its own, so that nobody else is given the port meanwhile.
    let listener = TcpListener::bind(("127.0.0.77", 0))?;
    let address = listener.local_addr()?;
    drop(listener);
    let client = |retries, pause| {
        let policy = Policy::default().connect_retries(retries).backoff(Backoff::new(pause, pause));
        Builder::new().policy(policy).build(network(address), site.world.runtime())
    };
    let get = || Request::get(site.uri(address, "/")).body(Full::default());
    for (retries, pause, least) in [(0, Duration::from_secs(60), Duration::ZERO), (1, PAUSE, PAUSE)] {
        let began = Instant::now();
        let error = client(retries, pause).request(get()?).await.unwrap_err();
        let took = began.elapsed();
        assert!(error.is_connect() && error.is_safe_to_repeat(), "{error}");
        assert!(least <= took && took < AT_ONCE, "{retries} retries took {took:?}");
    }
    // The counter begins anew for each request.
    let client = client(20, PAUSE);
    let waiting = alone(&site.world, client.request(get()?));
    site.world.sleep(2 * PAUSE).await;
    assert_eq!(client.queued(), 1);
    let listener = site.world.listen(address).await?;
    let _running = site.serve_on((listener, address), server(&site.world), funny);
    assert_eq!(content(waiting.await?.into_body()).await?, FUNNY.as_bytes());
    Ok(())
}

async fn connection_retry<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let network = |address| site.network().resolve("localhost", [address]);
    connection_retry_at(site.clone(), network).await
}

/// Was asked once, and keeps what it learned: whoever names it is gone.
struct Keeps(SocketAddr, Mutex<u32>);

impl Resolve for Keeps {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        *self.1.lock().unwrap() += 1;
        Box::pin(async { Ok(vec![self.0.ip()]) })
    }
}

async fn connection_retry_conn_address<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    // What is known of a name is a resolver's to keep: each attempt asks it, and none asks anybody else.
    let network = |address| network(&site.world).resolver(Keeps(address, Mutex::default()));
    connection_retry_at(site.clone(), network).await
}

async fn read_on_write_error<W: Networked>(world: W) -> Outcome {
    const SIZE: usize = 4 << 20;
    let site = Site::plain(world);
    let mut config = Config::default();
    config.limits.content = Some(1000);
    let running = site
        .serve(server(&site.world).config(config), |request: Request<Incoming>| async move {
            content(request.into_body()).await.map(|_| Response::new(Full::from(FUNNY)))
        })
        .await?;
    let client = site.client(once());
    let uri = site.uri(running.address, "/");
    // Refused at its head, and in the middle of what it sends; each is read though the sending fails.
    let sized = client.request(Request::post(&uri).body(Full::from(vec![b'x'; SIZE]))?).await?;
    assert_eq!(sized.status(), 413);
    let streamed = Told::pieces((0..SIZE / 65_536).map(|_| Bytes::from(vec![b'x'; 65_536])));
    assert_eq!(client.request(Request::post(&uri).body(streamed)?).await?.status(), 413);
    let expecting = Request::post(&uri).header("expect", "the unexpected").body(Full::from("content"))?;
    assert_eq!(client.request(expecting).await?.status(), 417);
    eventually(&site.world, "what was refused has no connection", || client.connections() <= 1).await;
    Ok(())
}

/// A server on both loopback addresses and one port, that tells the family of its client.
async fn both_families<W: Networked>(world: &W) -> io::Result<u16> {
    let four = world.listen(anywhere()).await?;
    let port = world.address(&four)?.port();
    let six = world.listen(SocketAddr::new(std::net::Ipv6Addr::LOCALHOST.into(), port)).await?;
    let serve = |listener| {
        Server::on(world.runtime()).serve_with(listener, |_: &_, peer: &Peer| {
            let family = if peer.address?.is_ipv6() { "six" } else { "four" };
            Some(service_fn(move |_: Request<Incoming>| async move {
                Ok::<_, Infallible>(Response::new(Full::from(family)))
            }))
        })
    };
    run(world, serve(four));
    run(world, serve(six));
    Ok(port)
}

/// Knows a name by the addresses of some families.
struct Families(Vec<IpAddr>);

impl Resolve for Families {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

const FOUR: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const SIX: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

async fn family<W: Networked>(world: W, addresses: &[IpAddr], expected: &[&str]) -> Outcome {
    let port = loop {
        // Somebody else may have the port in the other family.
        match both_families(&world).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            port => break port?,
        }
    };
    let resolved = network(&world).resolver(Families(addresses.to_vec()));
    let overridden = network(&world).resolve("name.example", addresses.iter().map(|ip| SocketAddr::new(*ip, 0)));
    let mut told = BTreeSet::new();
    for network in [resolved, overridden] {
        let client = once().build(network, world.runtime());
        let get = Request::get(format!("http://name.example:{port}/")).body(Full::default())?;
        told.insert(String::from_utf8(content(client.request(get).await?.into_body()).await?)?);
    }
    assert_eq!(told.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    Ok(())
}

async fn ipv6_for_domain<W: Networked>(world: W) -> Outcome {
    family(world, &[SIX], &["six"]).await
}

async fn set_family<W: Networked>(world: W) -> Outcome {
    // Either will do: the resolver has put the better one first (RFC 8305 §4).
    family(world.clone(), &[FOUR, SIX], &["four"]).await?;
    family(world, &[SIX, FOUR], &["six"]).await
}

async fn set_family_ipv4<W: Networked>(world: W) -> Outcome {
    family(world, &[FOUR], &["four"]).await
}

async fn set_family_ipv6<W: Networked>(world: W) -> Outcome {
    family(world, &[SIX], &["six"]).await
}

async fn get_addr<W: Networked>(world: W) -> Outcome {
    let running = Running::start(&world, server(&world), funny).await?;
    let stream = world.connect(running.address).await?;
    let mut connection = Connection::new(stream, world.runtime(), Arc::default());
    let peer = |connection: &Connection<W::Stream, W::Runtime>| {
        let mut peer = Peer::default();
        connection.transport().describe(&mut peer);
        peer.address
    };
    assert_eq!(peer(&connection), Some(running.address), "before");
    let head = RequestHead::new(Method::Get, "/")?.with("Host", "a")?.with("Connection", "close")?;
    let mut exchange = connection.send(&head, Content::Empty)?;
    exchange.response().await?;
    assert_eq!(peer(exchange.connection()), Some(running.address), "during");
    exchange.finish().await?;
    assert_eq!(peer(&connection), Some(running.address), "after");
    Ok(())
}

async fn timeout_read_client<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let sleeper = site.world.clone();
    let late = move |request: Request<Incoming>| {
        let world = sleeper.clone();
        async move {
            world.sleep(Duration::from_millis(400)).await;
            funny(request).await
        }
    };
    let running = site.serve(server(&site.world), late).await?;
    // Neither the time for connecting, nor for content, nor for idling ends a wait for a head.
    let short = Duration::from_millis(200);
    let client = site.client(once().connect_timeout(short).read_timeout(short).pool_idle_timeout(short));
    let get = || Request::get(site.uri(running.address, "/")).body(Full::default());
    assert_eq!(content(client.request(get()?).await?.into_body()).await?, FUNNY.as_bytes());
    // The time for a head does, and says so.
    let client = site.client(once().response_timeout(short));
    let error = client.request(get()?).await.unwrap_err();
    assert!(error.is_timeout() && !error.is_connect(), "{error}");
    Ok(())
}

on_both! {
    simple
    simple_preexisting
    unix_socket_preexist
    connection
    persist_connection
    connection_async
    autofree_connection
    close_detection
    close_detection_delay
    highport
    connection_fail
    connection_retry
    connection_retry_conn_address
    read_on_write_error
    ipv6_for_domain
    set_family
    set_family_ipv4
    set_family_ipv6
    get_addr
    timeout_read_client
}
