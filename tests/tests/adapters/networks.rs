//! How a client reaches its origins, on either adapter: names, addresses, proxies, and what it tells of failures.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::{Request, Response};
use http_body::Body;
use http_core::dispatch::{Cause, ConnectCause, RequestPhase, Sent};
use http_core::{ResponseHead, StatusCode};
use http_driver::client::{
    Address, Bypass, Client, Dial, Network, OnInterim, Proxies, Proxy, Resolve, Resolving, SocketOptions,
};
use http_driver::server::{Interim, Options, Server};
use http_driver::tls::client_config;
use http_driver::{Full, Incoming, Peer, Runtime, service_fn};

use crate::sockets::Outcome;
use crate::sockets::bodies::{Then, Told};
use crate::sockets::clients::{NetworkOf, Networked, content, network, once};
use crate::sockets::site::certified;
use crate::sockets::strangers::{AT_ONCE, anywhere};
use crate::sockets::world::World;

fn client<W: Networked>(world: &W, network: NetworkOf<W>) -> Client<NetworkOf<W>, W::Runtime> {
    once().build(network, world.runtime())
}

fn get(uri: impl AsRef<str>) -> Request<Full> {
    Request::get(uri.as_ref()).body(Full::default()).unwrap()
}

/// A server that tells each client its address, and what it asked for with which proxy's password.
async fn teller<W: World>(world: &W) -> io::Result<SocketAddr> {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    serve(world, listener);
    Ok(address)
}

fn serve<W: World>(world: &W, listener: W::Listener) {
    let serving = Server::on(world.runtime()).serve_with(listener, |_: &_, peer: &Peer| {
        let address = peer.address?.ip();
        Some(service_fn(move |request: Request<Incoming>| async move {
            let authorization =
                request.headers().get("proxy-authorization").map_or("", |value| value.to_str().unwrap());
            let host = request.headers().get("host").map_or("", |value| value.to_str().unwrap());
            let told = format!("{address} {} {host} {authorization}", request.uri());
            Ok::<_, Infallible>(Response::new(Full::from(told)))
        }))
    });
    world.runtime().spawn(async move {
        let _ = serving.await;
    });
}

async fn told<W: Networked>(
    world: &W,
    network: NetworkOf<W>,
    uri: String,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let response = client(world, network).request(get(uri)).await?;
    Ok(String::from_utf8(content(response.into_body()).await?)?)
}

async fn names_are_overridden_and_resolved<W: Networked>(world: W) -> Outcome {
    let server = teller(&world).await?;
    let overridden = network(&world).resolve("Nowhere.example", [SocketAddr::new([127, 0, 0, 1].into(), 0)]);
    let uri = format!("http://nowhere.example:{}/a", server.port());
    assert_eq!(
        told(&world, overridden, uri.clone()).await?,
        format!("127.0.0.1 /a nowhere.example:{} ", server.port())
    );

    struct One;
    impl Resolve for One {
        fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
            Box::pin(async move {
                match host {
                    "nowhere.example" => Ok(vec![[127, 0, 0, 1].into()]),
                    "later.example" => Err(io::ErrorKind::TimedOut.into()),
                    _ => Err(io::ErrorKind::NotFound.into()),
                }
            })
        }
    }
    let resolved = network(&world).resolver(One);
    assert!(told(&world, resolved.clone(), uri).await.is_ok());
    for (host, cause) in [("none", ConnectCause::NoSuchName), ("later", ConnectCause::ResolveTemporary)] {
        let error = client(&world, resolved.clone()).request(get(format!("http://{host}.example/"))).await.unwrap_err();
        assert_eq!(error.phase(), RequestPhase::Resolve);
        assert_eq!(error.failure().map(|failure| failure.cause), Some(Cause::Connect(cause)));
    }
    Ok(())
}

/// Never gets through to one port, and notes what it tries.
#[derive(Clone)]
struct Blackhole<D>(D, u16, Arc<Mutex<Vec<SocketAddr>>>);

impl<D: Dial> Dial for Blackhole<D> {
    type Transport = D::Transport;

    async fn dial(&self, address: Address, options: &SocketOptions) -> io::Result<D::Transport> {
        if let Address::Tcp(address) = &address {
            self.2.lock().unwrap().push(*address);
            if address.port() == self.1 {
                std::future::pending::<()>().await;
            }
        }
        self.0.dial(address, options).await
    }

    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.0.resolve(host).await
    }
}

async fn addresses_are_raced<W: Networked>(world: W) -> Outcome {
    let server = teller(&world).await?;
    let closed = world.address(&world.listen(anywhere()).await?)?;
    let tried = Arc::default();
    // The first one never answers, the second one refuses: the third one joins without another wait.
    let dial = Blackhole(world.dial(), 9, Arc::clone(&tried));
    let addresses = [SocketAddr::from(([127, 0, 0, 1], 9)), closed, server];
    let delay = Duration::from_millis(100);
    let network = Network::new(dial, world.runtime()).resolve("many.example", addresses).attempt_delay(delay);
    let began = Instant::now();
    let response = once().build(network, world.runtime()).request(get("http://many.example/")).await?;
    assert_eq!(response.status(), 200);
    let took = began.elapsed();
    assert!(delay <= took && took < AT_ONCE, "{took:?}");
    assert_eq!(*tried.lock().unwrap(), addresses);
    Ok(())
}

async fn sockets_are_bound_as_said<W: Networked>(world: W) -> Outcome {
    let server = teller(&world).await?;
    let mut options = SocketOptions::default();
    options.local_address = Some([127, 0, 0, 2].into());
    options.keepalive = Some(Duration::from_secs(60));
    let told = told(&world, network(&world).socket(options), format!("http://{server}/")).await?;
    assert!(told.starts_with("127.0.0.2 / "), "{told}");
    Ok(())
}

async fn a_proxy_forwards_and_is_left_out_where_said<W: Networked>(world: W) -> Outcome {
    let (origin, proxy) = (teller(&world).await?, teller(&world).await?);
    let proxies = Proxies::all(format!("http://user:secret@{proxy}").parse()?);
    let through = network(&world).proxies(proxies.clone());
    let forwarded = told(&world, through.clone(), "http://origin.example/a?b".to_owned()).await?;
    assert_eq!(forwarded, "127.0.0.1 http://origin.example/a?b origin.example Basic dXNlcjpzZWNyZXQ=");
    let bypassed = network(&world).proxies(proxies.bypass(Bypass::parse("127.0.0.1")));
    let direct = told(&world, bypassed, format!("http://{origin}/a")).await?;
    assert_eq!(direct, format!("127.0.0.1 /a {origin} "));
    let options = Request::options("http://origin.example").body(Full::default())?;
    let mut parts = options.into_parts().0;
    parts.uri = "http://origin.example:81".parse()?;
    let options = Request::from_parts(parts, Full::default());
    let answer = client(&world, through).request(options).await?;
    let answer = String::from_utf8(content(answer.into_body()).await?)?;
    assert!(answer.contains(" http://origin.example:81/ "), "{answer}");
    Ok(())
}

/// A Unix socket, and what was asked on it once it has answered.
fn unix_teller<W>(name: &str) -> std::io::Result<(std::path::PathBuf, std::thread::JoinHandle<String>)> {
    use std::io::{Read, Write};
    let name = format!("{name}-{}-{}", std::any::type_name::<W>().len(), std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    let listener = std::os::unix::net::UnixListener::bind(&path)?;
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = [0; 1024];
        let count = stream.read(&mut head).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npath").unwrap();
        String::from_utf8_lossy(&head[..count]).into_owned()
    });
    Ok((path, server))
}

async fn a_unix_socket_stands_for_a_name<W: Networked>(world: W) -> Outcome {
    let (path, server) = unix_teller::<W>("networks")?;
    let answer = told(&world, network(&world).unix("engine", &path), "http://engine/version".to_owned()).await?;
    assert_eq!(answer, "path");
    let head = server.join().unwrap();
    assert!(head.starts_with("GET /version HTTP/1.1\r\nHost: engine\r\n"), "{head}");
    std::fs::remove_file(path)?;
    Ok(())
}

/// A socket on this machine is no proxy's business, nor is what authorizes at the proxy the socket's.
async fn c15_a_unix_socket_goes_before_proxies<W: Networked>(world: W) -> Outcome {
    let (path, server) = unix_teller::<W>("c15")?;
    let proxy = teller(&world).await?;
    let network = network(&world).unix("docker", &path);
    let network = network.proxies(Proxies::all(format!("http://user:secret@{proxy}").parse()?));
    assert_eq!(told(&world, network.clone(), "http://Docker/version".to_owned()).await?, "path");
    assert_eq!(server.join().unwrap(), "GET /version HTTP/1.1\r\nHost: Docker\r\n\r\n");
    assert!(
        told(&world, network, "http://other/".to_owned()).await?.starts_with("127.0.0.1 http://other/ other Basic")
    );
    std::fs::remove_file(path)?;
    Ok(())
}

/// What would fail with the first request, whatever the origin does, is known before.
async fn what_is_missing_is_known_when_a_client_is_built<W: Networked>(world: W) -> Outcome {
    let bare = client(&world, network(&world));
    let check = |client: &Client<NetworkOf<W>, W::Runtime>, uri: &str| {
        client.check(&uri.parse().unwrap()).map_err(|error| error.to_string())
    };
    assert_eq!(check(&bare, "http://a/"), Ok(()));
    for uri in ["/", "ftp://a/", "http://a:99999/"] {
        assert!(check(&bare, uri).unwrap_err().contains("names no origin"), "{uri}");
    }
    // What is missing is what a request fails with. Nothing is where roots are compiled in.
    let server = teller(&world).await?;
    if let Err(said) = check(&bare, "https://localhost/") {
        assert!(said.contains("roots"), "{said}");
        let error = bare.request(get(format!("https://localhost:{}/", server.port()))).await.unwrap_err();
        assert!(error.to_string().contains(&said), "{error}");
    }
    let trusting = || network(&world).tls(client_config(certified().0.as_bytes()).unwrap());
    let trusts = client(&world, trusting());
    assert_eq!((check(&trusts, "https://localhost/"), check(&trusts, "https://[fe80::1%25eth0]/")), (Ok(()), Ok(())));
    assert!(check(&trusts, "https://a..b/").unwrap_err().contains("certificate"));
    // And of a proxy that is spoken to over TLS, whatever the scheme.
    let proxied = client(&world, trusting().proxies(Proxies::all("https://a..b".parse()?)));
    assert!(check(&proxied, "http://a/").unwrap_err().contains("certificate"));
    Ok(())
}

async fn c14_c25_uris_that_are_rarely_seen<W: Networked>(world: W) -> Outcome {
    let server = teller(&world).await?;
    let named = network(&world).resolve("a", [server]);
    assert_eq!(told(&world, named, "http://a?x=1".to_owned()).await?, "127.0.0.1 /?x=1 a ");
    // The zone has its effect here: by way of the proxy, and to the origin itself, nobody hears of it.
    let Ok(listener) = world.listen((std::net::Ipv6Addr::LOCALHOST, 0).into()).await else { return Ok(()) };
    let port = world.address(&listener)?.port();
    serve(&world, listener);
    let answer = client(&world, network(&world)).request(get(format!("http://[::1%251]:{port}/b"))).await?;
    assert_eq!(content(answer.into_body()).await?, format!("::1 /b [::1]:{port} ").as_bytes());
    let error = client(&world, network(&world)).request(get("http://[fe80::1%25nowhere]/")).await.unwrap_err();
    assert_eq!(error.failure().map(|failure| failure.cause), Some(Cause::Connect(ConnectCause::Misconfigured)));
    Ok(())
}

async fn c17_c35_what_names_no_origin_is_refused_and_nothing_tried<W: Networked>(world: W) -> Outcome {
    /// Finds out whether it is asked.
    struct Asked(Arc<Mutex<bool>>);
    impl Resolve for Asked {
        fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
            *self.0.lock().unwrap() = true;
            Box::pin(async { Err(io::ErrorKind::NotFound.into()) })
        }
    }
    let asked = Arc::new(Mutex::new(false));
    let client = client(&world, network(&world).resolver(Asked(asked.clone())));
    for uri in [
        "http://h:99999/",
        "http://h:123foo/",
        "http://u:p/w@h:1",
        "ftp://h:21/",
        "ws://h:80/",
        "wss://h/",
        "/a",
        "h:1",
    ] {
        let error = client.request(get(uri)).await.unwrap_err();
        assert!(error.is_request() && !error.is_connect(), "{uri}: {error}");
        assert!(!client.connect(&uri.parse()?), "{uri}");
    }
    assert_eq!((*asked.lock().unwrap(), client.connections()), (false, 0));
    Ok(())
}

async fn a_request_ends_in_time_with_its_content<W: Networked>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let slow = world.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let world = slow.clone();
        async move {
            if request.uri().path() == "/head" {
                world.sleep(Duration::from_secs(60)).await;
            }
            Ok::<_, Infallible>(Response::new(Told::pieces(["some"]).then(Then::Wait)))
        }
    });
    let serving = Server::on(world.runtime()).serve(listener, service);
    world.runtime().spawn(async move {
        let _ = serving.await;
    });
    let client = once().timeout(Duration::from_millis(300)).build(network(&world), world.runtime());
    let began = Instant::now();
    let error = client.request(get(format!("http://{address}/head"))).await.unwrap_err();
    assert!(error.is_timeout() && error.phase() == RequestPhase::Head, "{error}");
    assert!(error.into_request().is_none(), "it was sent");
    let response = client.request(get(format!("http://{address}/content"))).await?;
    let error = content(response.into_body()).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert!(began.elapsed() < AT_ONCE);
    Ok(())
}

async fn a_request_that_was_not_sent_is_given_back<W: Networked>(world: W) -> Outcome {
    let closed = world.address(&world.listen(anywhere()).await?)?;
    let server = teller(&world).await?;
    let client = client(&world, network(&world));
    let request = Request::post(format!("http://{closed}/a")).header("x", "1").body(Full::from("content"))?;
    let error = client.request(request).await.unwrap_err();
    assert!(error.is_connect() && error.is_safe_to_repeat());
    assert_eq!(error.progress().map(|progress| progress.sent), Some(Sent::Nothing));
    let mut request = error.into_request().ok_or("nothing was sent")?;
    assert_eq!((request.method().as_str(), request.headers()["x"].to_str()?), ("POST", "1"));
    assert_eq!(request.body().size_hint().exact(), Some(7));
    *request.uri_mut() = format!("http://{server}/b").parse()?;
    assert_eq!(client.request(request).await?.status(), 200);
    Ok(())
}

async fn interim_responses_are_told<W: Networked>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let service = service_fn(|request: Request<Incoming>| async move {
        let interim = request.extensions().get::<Interim>().unwrap();
        let hint = ResponseHead::new(StatusCode::EARLY_HINTS).with("Link", "</a.css>").unwrap();
        interim.send(hint);
        Ok::<_, Infallible>(Response::new(Full::from("final")))
    });
    let serving = Server::on(world.runtime()).options(Options::default().interim(true)).serve(listener, service);
    world.runtime().spawn(async move {
        let _ = serving.await;
    });
    let told = Arc::new(Mutex::new(Vec::new()));
    let keep = told.clone();
    let on_interim = OnInterim::new(move |head| {
        keep.lock().unwrap().push((head.status().as_u16(), head.fields().get("link").map(<[u8]>::to_vec)));
    });
    let mut request = get(format!("http://{address}/"));
    request.extensions_mut().insert(on_interim);
    let response = client(&world, network(&world)).request(request).await?;
    assert_eq!(response.status(), 200);
    assert_eq!(*told.lock().unwrap(), [(103, Some(b"</a.css>".to_vec()))]);
    Ok(())
}

async fn origins_that_are_not_used_are_forgotten<W: Networked>(world: W) -> Outcome {
    let server = teller(&world).await?;
    let mut hosts = network(&world);
    for n in 0..300 {
        hosts = hosts.resolve(&format!("host-{n}.example"), [server]);
    }
    let client = once().pool_max_idle_per_host(0).build(hosts, world.runtime());
    for n in 0..300 {
        let response = client.request(get(format!("http://host-{n}.example/"))).await?;
        content(response.into_body()).await?;
    }
    assert!(client.origins() <= 130, "{} origins are known", client.origins());
    Ok(())
}

#[test]
fn a_proxy_hides_its_password() {
    let proxy: Proxy = "http://user:secret@proxy".parse().unwrap();
    assert!(!format!("{:?}", Proxies::all(proxy)).contains("dXNlcjpzZWNyZXQ"));
}

on_both! {
    names_are_overridden_and_resolved
    addresses_are_raced
    sockets_are_bound_as_said
    a_proxy_forwards_and_is_left_out_where_said
    a_unix_socket_stands_for_a_name
    c14_c25_uris_that_are_rarely_seen
    c15_a_unix_socket_goes_before_proxies
    c17_c35_what_names_no_origin_is_refused_and_nothing_tried
    a_request_ends_in_time_with_its_content
    what_is_missing_is_known_when_a_client_is_built
    a_request_that_was_not_sent_is_given_back
    interim_responses_are_told
    origins_that_are_not_used_are_forgotten
}
