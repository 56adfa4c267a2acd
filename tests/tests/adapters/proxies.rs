//! The way through proxies, on either adapter: SOCKS 5, proxies over TLS, tunnels; scripted ones, so that what they are
//! told is seen. `tests/interop` has those of others.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_core::Config;
use http_core::dispatch::{Cause, ConnectCause, Policy};
use http_driver::client::{Builder, Client, Proxies, Resolve, Resolving};
use http_driver::server::Server;
use http_driver::tls::client_config;
use http_driver::{Full, Incoming, ReadError};

use crate::sockets::Outcome;
use crate::sockets::clients::{NetworkOf, Networked, content, network, once};
use crate::sockets::site::{Door, Site, Stranger};
use crate::sockets::strangers::AT_ONCE;

/// Tells what it was asked for, once it has all of it.
async fn tell(request: Request<Incoming>) -> Result<Response<Full>, ReadError> {
    let (parts, content) = request.into_parts();
    let field = |name| parts.headers.get(name).map_or("", |value| value.to_str().unwrap());
    let told = format!("{} {} [{}]", parts.uri, field("host"), field("proxy-authorization"));
    content.bytes(1 << 20).await?;
    Ok(Response::new(Full::from(told)))
}

/// Carries bytes both ways until one of the ends is done; a session of TLS has one thread.
fn shuttle(mut near: impl Read + Write, sockets: [&TcpStream; 2], mut far: TcpStream) {
    for socket in sockets {
        socket.set_read_timeout(Some(Duration::from_millis(2))).unwrap();
    }
    let mut buffer = [0; 16 * 1024];
    let mut carry = |from: &mut dyn Read, to: &mut dyn Write| match from.read(&mut buffer) {
        Ok(0) => false,
        Ok(count) => to.write_all(&buffer[..count]).and_then(|()| to.flush()).is_ok(),
        Err(error) => matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut),
    };
    while carry(&mut near, &mut far) && carry(&mut far, &mut near) {}
    let _ = sockets[0].shutdown(Shutdown::Both);
    let _ = far.shutdown(Shutdown::Both);
}

fn carry(mut near: Stranger, to: SocketAddr) {
    let far = TcpStream::connect(to).unwrap();
    let (one, other) = (near.socket.try_clone().unwrap(), far.try_clone().unwrap());
    shuttle(&mut near, [&one, &other], far);
}

/// A proxy of this script for each connection.
fn proxy<O: Send + 'static>(
    door: Door,
    script: impl Fn(Stranger) -> O + Clone + Send + 'static,
) -> (SocketAddr, Receiver<O>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        // Until the test is over.
        loop {
            let (client, script, tell) = (door.accept(&listener), script.clone(), tell.clone());
            std::thread::spawn(move || drop(tell.send(script(client))));
        }
    });
    (address, told)
}

fn exactly<const N: usize>(mut stream: impl Read) -> [u8; N] {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// A SOCKS proxy that wants a login, or none, and leads everywhere to the same place, or answers with another reply.
fn socks(login: bool, reply: u8, to: SocketAddr) -> (SocketAddr, Receiver<String>) {
    // What was asked for is told before the bytes are carried.
    let (tell, told) = channel();
    let (address, _) = proxy(Door::plain(), move |mut client| {
        let [5, count] = exactly(&mut client) else { panic!("no SOCKS") };
        let mut methods = vec![0; count.into()];
        client.read_exact(&mut methods).unwrap();
        let mut seen = String::new();
        if login {
            if !methods.contains(&2) {
                client.write_all(&[5, 0xff]).unwrap();
                return;
            }
            client.write_all(&[5, 2]).unwrap();
            let word = |client: &mut Stranger| {
                let [count] = exactly(&mut *client);
                let mut word = vec![0; count.into()];
                client.read_exact(&mut word).unwrap();
                String::from_utf8(word).unwrap()
            };
            let [1] = exactly(&mut client) else { panic!("no login") };
            let (user, password) = (word(&mut client), word(&mut client));
            client.write_all(&[1, u8::from(password != "secret")]).unwrap();
            seen = format!("{user}:{password}@");
            if password != "secret" {
                return;
            }
        } else {
            client.write_all(&[5, 0]).unwrap();
        }
        let [5, 1, 0, kind] = exactly(&mut client) else { panic!("no request") };
        let host = match kind {
            1 => std::net::Ipv4Addr::from(exactly::<4>(&mut client)).to_string(),
            4 => std::net::Ipv6Addr::from(exactly::<16>(&mut client)).to_string(),
            _ => {
                let [count] = exactly(&mut client);
                let mut name = vec![0; count.into()];
                client.read_exact(&mut name).unwrap();
                String::from_utf8(name).unwrap()
            }
        };
        let port = u16::from_be_bytes(exactly(&mut client));
        let _ = tell.send(format!("{seen}{host}:{port}"));
        // A byte at a time.
        for byte in [5, reply, 0, 1, 0, 0, 0, 0, 0, 0] {
            let _ = client.write_all(&[byte]);
        }
        if reply == 0 {
            carry(client, to);
        }
    });
    (address, told)
}

/// Nothing is resolved here.
struct Nobody;

impl Resolve for Nobody {
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
        panic!("{host} is resolved here")
    }
}

fn through<W: Networked>(network: NetworkOf<W>, proxy: &str) -> NetworkOf<W> {
    network.proxies(Proxies::all(proxy.parse().unwrap()))
}

async fn told<W: Networked>(client: &Client<NetworkOf<W>, W::Runtime>, uri: String) -> String {
    let response = client.request(Request::get(uri).body(Full::default()).unwrap()).await.unwrap();
    String::from_utf8(content(response.into_body()).await.unwrap()).unwrap()
}

async fn socks_proxies_connect_by_name<W: Networked>(world: W) -> Outcome {
    for site in [Site::plain(world.clone()), Site::secured(world.clone())] {
        let server = site.serve(Server::on(site.world.runtime()), tell).await?;
        let (proxy, asked) = socks(true, 0, server.address);
        let uri = site.uri(SocketAddr::from(([192, 0, 2, 1], 8080)), "/a");
        let reached = site.network_without_names().resolver(Nobody);
        let client = site.over(once(), through::<W>(reached, &format!("socks5h://me:secret@{proxy}")));
        for _ in 0..2 {
            // To the origin it is as if there was no proxy.
            assert_eq!(told::<W>(&client, uri.clone()).await, "/a localhost:8080 []");
        }
        assert_eq!(client.connections(), 1);
        assert_eq!(asked.recv_timeout(AT_ONCE)?, "me:secret@localhost:8080");
    }
    Ok(())
}

async fn socks_proxies_are_told_addresses<W: Networked>(world: W) -> Outcome {
    let site = Site::plain(world);
    let server = site.serve(Server::on(site.world.runtime()), tell).await?;
    let (proxy, asked) = socks(false, 0, server.address);
    let resolved = site.network().resolve("localhost", [SocketAddr::from(([192, 0, 2, 7], 0))]);
    let client = site.over(once(), through::<W>(resolved.clone(), &format!("socks5://{proxy}")));
    for (host, expected) in
        [("localhost", "192.0.2.7:81"), ("192.0.2.8", "192.0.2.8:81"), ("[2001:db8::1]", "2001:db8::1:81")]
    {
        assert_eq!(told::<W>(&client, format!("http://{host}:81/b")).await, format!("/b {host}:81 []"));
        assert_eq!(asked.recv_timeout(AT_ONCE)?, expected);
    }
    // What is an address already is no name to anybody.
    let client = site.over(once(), through::<W>(resolved, &format!("socks5h://{proxy}")));
    assert_eq!(told::<W>(&client, "http://192.0.2.9/".to_owned()).await, "/ 192.0.2.9 []");
    assert_eq!(asked.recv_timeout(AT_ONCE)?, "192.0.2.9:80");
    Ok(())
}

async fn socks_proxies_refuse<W: Networked>(world: W) -> Outcome {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    for (login, reply, user, cause) in [
        (false, 5, "", ConnectCause::Refused),
        (false, 2, "", ConnectCause::Forbidden),
        (false, 4, "", ConnectCause::Unreachable),
        (true, 0, "", ConnectCause::Forbidden),
        (true, 0, "me:guessed@", ConnectCause::Forbidden),
    ] {
        let (proxy, _asked) = socks(login, reply, nowhere);
        let network = through::<W>(network(&world), &format!("socks5h://{user}{proxy}"));
        let client = once().build(network, world.runtime());
        let error = client.request(Request::get("http://a/").body(Full::default())?).await.unwrap_err();
        assert_eq!(error.cause(), Some(Cause::Connect(cause)), "{login} {reply} {user}");
        assert!(error.into_request().is_some(), "nothing was sent");
    }
    Ok(())
}

async fn proxies_that_say_nothing_are_given_up<W: Networked>(world: W) -> Outcome {
    let (mute, _told) = proxy(Door::plain(), |mut client| io::copy(&mut client, &mut io::sink()).unwrap_or_default());
    let short = Duration::from_millis(200);
    // Either by the time that a connection may take, or by that of a head.
    let builders = || {
        let by_head = Builder::new().policy(Policy::default().connect_retries(0).connect_timeout(None));
        [once().connect_timeout(short), by_head.response_timeout(short)]
    };
    for scheme in ["socks5", "socks5h", "http", "https"] {
        for builder in builders() {
            let network = through::<W>(network(&world), &format!("{scheme}://{mute}")).tls_timeout(short);
            let network = network.tls(client_config(Site::secured(world.clone()).door().certificate().as_bytes())?);
            let client = builder.build(network, world.runtime());
            let began = Instant::now();
            let error = client.request(Request::get("https://127.0.0.1/").body(Full::default())?).await.unwrap_err();
            assert!(error.is_timeout() && error.is_connect(), "{scheme}: {error}");
            assert!(began.elapsed() < AT_ONCE, "{scheme}");
        }
    }
    Ok(())
}

async fn proxies_are_spoken_to_over_tls<W: Networked>(world: W) -> Outcome {
    let own = Site::secured(world.clone());
    // What is forwarded is read by the proxy itself.
    let forwarding = own.serve(Server::on(world.runtime()), tell).await?;
    let proxied = |port: u16| format!("https://me:secret@localhost:{port}");
    let network = through::<W>(own.network(), &proxied(forwarding.address.port()));
    let client = own.over(once(), network);
    let expected = "http://a.example/b a.example [Basic bWU6c2VjcmV0]";
    assert_eq!(told::<W>(&client, "http://a.example/b".to_owned()).await, expected);

    // And TLS goes through TLS.
    let site = Site::secured(world.clone());
    let origin = site.serve(Server::on(world.runtime()), tell).await?;
    let (tell, heads) = channel();
    let (proxy, _ended) = proxy(own.door(), move |mut client| {
        let head = crate::sockets::strangers::head(&mut client);
        let _ = tell.send(head);
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
        client.flush().unwrap();
        carry(client, origin.address);
    });
    let network = through::<W>(site.network(), &proxied(proxy.port()));
    let network = network.proxy_tls(client_config(own.door().certificate().as_bytes())?);
    let client = site.over(once(), network.clone());
    let uri = site.uri(SocketAddr::from(([192, 0, 2, 1], 8443)), "/c");
    assert_eq!(told::<W>(&client, uri.clone()).await, "/c localhost:8443 []");
    let head = heads.recv_timeout(AT_ONCE)?;
    assert!(head.starts_with("CONNECT localhost:8443 HTTP/1.1\r\nHost: localhost:8443\r\n"), "{head}");
    assert!(head.contains("\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n"), "{head}");
    let long = Request::post(uri.clone()).body(Full::from(vec![b'x'; 300_000]))?;
    assert_eq!(client.request(long).await?.status(), 200);

    // A proxy that is not who it says is told nothing.
    let client = site.over(once(), network.proxy_tls(client_config(site.door().certificate().as_bytes())?));
    let error = client.request(Request::get(uri).body(Full::default())?).await.unwrap_err();
    assert_eq!(error.cause(), Some(Cause::Connect(ConnectCause::BadCertificate)));
    Ok(())
}

/// The answer to CONNECT is read as the client reads all others.
async fn c27_a_proxys_answer_is_read_as_configured<W: Networked>(world: W) -> Outcome {
    let site = Site::secured(world);
    let server = site.serve(Server::on(site.world.runtime()), tell).await?;
    let (proxy, _ended) = proxy(Door::plain(), move |mut client| {
        let _ = crate::sockets::strangers::head(&mut client);
        client.write_all(b"HTTP/1.1 200 OK\n\n").unwrap();
        carry(client, server.address);
    });
    let network = through::<W>(site.network(), &format!("http://{proxy}"));
    let uri = site.uri(server.address, "/");
    let with = |config: Config| {
        let once = Policy::default().connect_retries(0).request_retries(0);
        site.over(Builder::new().config(config).policy(once), network.clone())
    };
    let expected = format!("/ localhost:{} []", server.address.port());
    assert_eq!(told::<W>(&with(Config::interop()), uri.clone()).await, expected);
    let error = with(Config::default()).request(Request::get(uri).body(Full::default())?).await.unwrap_err();
    assert_eq!(error.cause(), Some(Cause::Connect(ConnectCause::Reset)));
    Ok(())
}

on_both! {
    socks_proxies_connect_by_name
    socks_proxies_are_told_addresses
    socks_proxies_refuse
    proxies_that_say_nothing_are_given_up
    proxies_are_spoken_to_over_tls
    c27_a_proxys_answer_is_read_as_configured
}
