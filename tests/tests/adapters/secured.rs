//! TLS, on either adapter.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_core::Config;
use http_core::dispatch::{Cause, ConnectCause, Policy, RequestPhase};
use http_driver::client::{Builder, Client, Network, Proxies};
use http_driver::server::Server;
use http_driver::tls::{TlsAcceptor, TlsInfo, TlsTransport, client_config, rustls, server_config};
use http_driver::{Full, Incoming, Peer, Runtime, Transport, Tunnel, service_fn};

use crate::sockets::clients::{NetworkOf, Networked, content, once};
use crate::sockets::servers::server;
use crate::sockets::site::{Site, acceptor, certified};
use crate::sockets::strangers::{anywhere, head, rest, stranger};
use crate::sockets::world::World;
use crate::sockets::{Outcome, eventually};

/// Says what it knows of its peer, or sends back what it gets.
async fn secured<W: World>(world: &W, acceptor: TlsAcceptor) -> std::io::Result<SocketAddr> {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let serving = Server::on(world.runtime()).serve_with(acceptor.listen(listener), |_: &_, peer: &Peer| {
        let info = peer.extensions.get::<TlsInfo>()?.clone();
        Some(service_fn(move |request: Request<Incoming>| {
            let alpn = info.alpn.as_deref().unwrap_or_default().escape_ascii().to_string();
            let told = format!("{alpn} {}", info.server_name.clone().unwrap_or_default());
            async move {
                let sent = content(request.into_body()).await.unwrap();
                let answer = if sent.is_empty() { Full::from(told) } else { Full::from(sent) };
                Ok::<_, Infallible>(Response::new(answer))
            }
        }))
    });
    world.runtime().spawn(async move {
        let _ = serving.await;
    });
    Ok(address)
}

/// A client that trusts one certificate.
fn trusting<W: Networked>(world: &W, certificate: &str) -> Client<NetworkOf<W>, W::Runtime> {
    with(world, network(world, certificate))
}

fn network<W: Networked>(world: &W, certificate: &str) -> NetworkOf<W> {
    Network::new(world.dial(), world.runtime())
        .resolve("localhost", [SocketAddr::from(([127, 0, 0, 1], 0))])
        .tls(client_config(certificate.as_bytes()).unwrap())
}

fn with<W: Networked>(world: &W, network: NetworkOf<W>) -> Client<NetworkOf<W>, W::Runtime> {
    Builder::new().policy(Policy::default().connect_retries(0)).build(network, world.runtime())
}

fn get(address: SocketAddr) -> Request<Full> {
    Request::get(format!("https://localhost:{}/", address.port())).body(Full::default()).unwrap()
}

async fn requests_are_secured<W: Networked>(world: W) -> Outcome {
    let keys = certified();
    let address = secured(&world, acceptor(&keys)).await?;
    let client = trusting(&world, &keys.0);
    for _ in 0..3 {
        let response = client.request(get(address)).await?;
        assert_eq!(content(response.into_body()).await?, b"http/1.1 localhost");
    }
    assert_eq!(client.connections(), 1);
    let sent: Vec<u8> = (0..5_000_000_u32).map(|n| (n * 31 % 251) as u8).collect();
    let post = Request::post(format!("https://localhost:{}/", address.port())).body(Full::from(sent.clone()))?;
    assert!(content(client.request(post).await?.into_body()).await? == sent);
    Ok(())
}

async fn every_version_of_http_that_is_spoken_is_negotiated<W: Networked>(world: W) -> Outcome {
    let keys = certified();
    let address = secured(&world, acceptor(&keys)).await?;
    let cases: [(&[&str], _); 6] = [
        (&[], Some(None)),
        (&["http/1.1"], Some(Some("http/1.1"))),
        (&["h2", "http/1.1"], Some(Some("http/1.1"))),
        (&["http/1.0"], Some(Some("http/1.0"))),
        (&["http/1.0", "http/1.1"], Some(Some("http/1.1"))),
        (&["h2"], None),
    ];
    for (offered, expected) in cases {
        let mut config = client_config(keys.0.as_bytes())?;
        config.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        let session = rustls::ClientConnection::new(Arc::new(config), "localhost".try_into()?)?;
        let mut transport = TlsTransport::new(world.connect(address).await?, session.into());
        let shaken = poll_fn(|cx| transport.poll_handshake(cx)).await;
        let mut peer = Peer::default();
        transport.describe(&mut peer);
        let agreed = peer.extensions.get::<TlsInfo>().unwrap().alpn.clone();
        let seen = shaken.is_ok().then_some(agreed.as_deref().map(|name| std::str::from_utf8(name).unwrap()));
        assert_eq!(seen, expected, "{offered:?}");
    }
    Ok(())
}

async fn a_certificate_that_is_not_trusted_is_refused<W: Networked>(world: W) -> Outcome {
    let address = secured(&world, acceptor(&certified())).await?;
    let error = trusting(&world, &certified().0).request(get(address)).await.unwrap_err();
    assert_eq!(error.failure().map(|failure| failure.cause), Some(Cause::Connect(ConnectCause::BadCertificate)));
    assert_eq!(error.phase(), RequestPhase::Tls);
    assert!(error.into_request().is_some(), "nothing was sent");
    Ok(())
}

async fn certificates_are_reloaded<W: Networked>(world: W) -> Outcome {
    let (old, new) = (certified(), certified());
    let acceptor = acceptor(&old);
    let address = secured(&world, acceptor.clone()).await?;
    let (trusts_old, trusts_new) = (trusting(&world, &old.0), trusting(&world, &new.0));
    content(trusts_old.request(get(address)).await?.into_body()).await?;
    assert!(trusts_new.request(get(address)).await.is_err());
    acceptor.reload(server_config(new.0.as_bytes(), new.1.as_bytes())?);
    content(trusts_new.request(get(address)).await?.into_body()).await?;
    // What was made before goes on.
    content(trusts_old.request(get(address)).await?.into_body()).await?;
    Ok(())
}

async fn an_end_without_close_notify_is_no_end<W: Networked>(world: W) -> Outcome {
    let keys = certified();
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let (server, acceptor) = (world.clone(), acceptor(&keys));
    world.runtime().spawn(async move {
        for in_order in [false, true] {
            let mut transport = acceptor.accept(server.accept(&listener).await.unwrap()).unwrap();
            let shaken = poll_fn(|cx| transport.poll_handshake(cx));
            shaken.await.unwrap();
            let mut tunnel = Tunnel::new(transport, Default::default());
            tunnel.read().await.unwrap();
            tunnel.write("HTTP/1.1 200 OK\r\n\r\nabc").await.unwrap();
            if in_order {
                tunnel.end().await.unwrap();
            }
        }
    });
    let client = trusting(&world, &keys.0);
    let cut = client.request(get(address)).await?;
    let error = content(cut.into_body()).await.unwrap_err();
    assert!(error.is_incomplete_message() || matches!(error, http_driver::Error::Io(_)), "{error}");
    let whole = client.request(get(address)).await?;
    assert_eq!(content(whole.into_body()).await?, b"abc");
    Ok(())
}

/// Whichever side ends a connection, and why: the alert goes out first (RFC 9112 §9.8).
async fn an_end_is_told_before_the_connection_is_closed<W: Networked>(world: W) -> Outcome {
    let site = Site::secured(world);
    let mut config = Config::default();
    (config.timeouts.idle, config.timeouts.head) = (Duration::from_millis(200), Duration::from_millis(50));
    let hello = |_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Full::from("hello"))) };
    let running = site.serve(server(&site.world).config(config), hello).await?;
    let (door, address, shutdown) = (site.door(), running.address, running.shutdown);
    stranger(&site.world, move || {
        let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let last = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        for (sent, ends) in
            [("", false), ("", true), (get, false), (get, true), (last, false), ("GET", false), ("GET", true)]
        {
            let mut stream = door.dial(address);
            stream.write_all(sent.as_bytes()).unwrap();
            if ends {
                stream.end();
            }
            // Fails where the stream ends without the alert.
            rest(&mut stream);
        }
        let mut idle = door.dial(address);
        idle.write_all(get.as_bytes()).unwrap();
        assert!(head(&mut idle).starts_with("HTTP/1.1 200 "));
        shutdown.begin();
        assert_eq!(rest(&mut idle), "hello");
    })
    .await;

    // A client: while idle, when it is dropped, and when a request is given up.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let door = site.door();
    let server = std::thread::spawn(move || {
        for answered in [true, true, false] {
            let mut stream = door.accept(&listener);
            head(&mut stream);
            if answered {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").unwrap();
            }
            assert_eq!(rest(&mut stream), "");
        }
    });
    let get = || Request::get(site.uri(address, "/")).body(Full::default());
    let idle = site.client(once().pool_idle_timeout(Duration::from_millis(50)));
    content(idle.request(get()?).await?.into_body()).await?;
    eventually(&site.world, "it is closed", || idle.connections() == 0).await;
    let dropped = site.client(once());
    content(dropped.request(get()?).await?.into_body()).await?;
    drop(dropped);
    let late = site.client(once().timeout(Duration::from_millis(100)));
    assert!(late.request(get()?).await.unwrap_err().is_timeout());
    let server = stranger(&site.world, move || server.join()).await;
    server.map_err(|_| "an end that was not told")?;
    Ok(())
}

async fn a_handshake_that_does_not_come_is_given_up<W: Networked>(world: W) -> Outcome {
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let network = network(&world, &certified().0).tls_timeout(Duration::from_millis(200));
    let began = Instant::now();
    let error = with(&world, network).request(get(silent.local_addr()?)).await.unwrap_err();
    assert!(error.is_timeout() && error.is_connect(), "{error}");
    assert!(began.elapsed() < Duration::from_millis(2500));
    Ok(())
}

/// Makes one tunnel to `to` for who knows the password, and then another for who does not.
fn tunnelling_proxy(to: SocketAddr) -> (SocketAddr, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let proxy = std::thread::spawn(move || {
        let mut heads = Vec::new();
        for _ in 0..2 {
            let (mut client, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") {
                client.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let allowed = head.contains("\r\nProxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n");
            heads.push(head);
            if !allowed {
                let refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
                client.write_all(refusal).unwrap();
                continue;
            }
            client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
            let mut server = TcpStream::connect(to).unwrap();
            let (mut back, mut forth) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut back, &mut forth);
                let _ = forth.shutdown(Shutdown::Write);
            });
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut client, &mut server);
                let _ = server.shutdown(Shutdown::Write);
            });
        }
        heads
    });
    (address, proxy)
}

async fn a_proxy_is_asked_for_a_tunnel<W: Networked>(world: W) -> Outcome {
    let keys = certified();
    let address = secured(&world, acceptor(&keys)).await?;
    let (proxy, heads) = tunnelling_proxy(address);
    // The proxy finds the origin: its name is not resolved here.
    let through = |user: &str| {
        let proxies = Proxies::none().https(format!("http://{user}{proxy}").parse().unwrap());
        let network = Network::new(world.dial(), world.runtime()).proxies(proxies);
        with(&world, network.tls(client_config(keys.0.as_bytes()).unwrap()))
    };
    let response = through("user:secret@").request(get(address)).await?;
    assert_eq!(content(response.into_body()).await?, b"http/1.1 localhost");
    let error = through("").request(get(address)).await.unwrap_err();
    assert_eq!(error.failure().map(|failure| failure.cause), Some(Cause::Connect(ConnectCause::Forbidden)));
    let heads = heads.join().unwrap();
    let port = address.port();
    assert!(
        heads[0].starts_with(&format!("CONNECT localhost:{port} HTTP/1.1\r\nHost: localhost:{port}\r\n")),
        "{heads:?}"
    );
    assert!(!heads[1].contains("Authorization"), "{heads:?}");
    Ok(())
}

on_both! {
    requests_are_secured
    every_version_of_http_that_is_spoken_is_negotiated
    a_certificate_that_is_not_trusted_is_refused
    certificates_are_reloaded
    an_end_without_close_notify_is_no_end
    an_end_is_told_before_the_connection_is_closed
    a_handshake_that_does_not_come_is_given_up
    a_proxy_is_asked_for_a_tunnel
}
