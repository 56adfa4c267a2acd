//! What a client tells of its failures: one line, and the error behind it, on either adapter.

use std::convert::Infallible;
use std::error::Error as _;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_core::ProtocolError;
use http_core::dispatch::{Policy, Progress, Sent};
use http_driver::client::{
    Address, Builder, Client, Dial, Network, Proxies, ProxyStatus, RequestError, RequestOptions, Resolve, Resolving,
    SocketOptions, WrongLength,
};
use http_driver::server::Server;
use http_driver::tls::{client_config, rustls};
use http_driver::{Full, Incoming, Peer, Runtime, service_fn};

use crate::sockets::Outcome;
use crate::sockets::clients::{NetworkOf, Networked, network, once};
use crate::sockets::site::{acceptor, certified};
use crate::sockets::strangers::{anywhere, head};

/// Takes its time.
#[derive(Clone)]
struct Late<W>(W);

impl<W: Networked> Dial for Late<W> {
    type Transport = <W::Dial as Dial>::Transport;

    async fn dial(&self, address: Address, options: &SocketOptions) -> io::Result<Self::Transport> {
        self.0.sleep(Duration::from_millis(50)).await;
        self.0.dial().dial(address, options).await
    }

    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.0.dial().resolve(host).await
    }
}

async fn a_refusal_is_told_to_each_that_waited_for_the_connection<W: Networked>(world: W) -> Outcome {
    let closed = world.address(&world.listen(anywhere()).await?)?;
    let client = once().build(Network::new(Late(world.clone()), world.runtime()), world.runtime());
    let get = || client.request(Request::get(format!("http://{closed}/")).body(Full::default()).unwrap());
    let (mut one, mut other) = (std::pin::pin!(get()), std::pin::pin!(get()));
    // Both are queued before either is waited for.
    let polled = std::future::poll_fn(|cx| {
        std::task::Poll::Ready((one.as_mut().poll(cx).is_pending(), other.as_mut().poll(cx).is_pending()))
    });
    assert_eq!(polled.await, (true, true));
    for error in [one.await.unwrap_err(), other.await.unwrap_err()] {
        let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        assert_eq!(source.map(io::Error::kind), Some(io::ErrorKind::ConnectionRefused), "{error:?}");
        assert!(error.to_string().starts_with(&format!("http://{closed}: ")), "{error}");
    }
    Ok(())
}

/// A stranger that has each of its peers treated like this.
fn stranger(treat: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind(anywhere()).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            treat(stream);
        }
    });
    address
}

/// Reads a head and answers.
fn answering(answer: &'static str) -> SocketAddr {
    stranger(move |mut stream| {
        head(&mut stream);
        stream.write_all(answer.as_bytes()).unwrap();
        let _ = stream.read(&mut [0; 64]);
    })
}

fn client<W: Networked>(world: &W, network: NetworkOf<W>) -> Client<NetworkOf<W>, W::Runtime> {
    once().build(network, world.runtime())
}

fn get(uri: impl AsRef<str>) -> Request<Full> {
    // What nobody is to see.
    let uri = format!("{}/path?token=hush", uri.as_ref().trim_end_matches('/'));
    let request = Request::get(uri).header("authorization", "Bearer hush").header("cookie", "a=hush");
    request.body(Full::default()).unwrap()
}

/// What an error says of itself, and that it is no secret.
fn check(error: &RequestError, line: &str, predicates: &str) {
    let all: [(&str, bool); 11] = [
        ("dns", error.is_dns()),
        ("connect", error.is_connect()),
        ("tls", error.is_tls()),
        ("timeout", error.is_timeout()),
        ("place", error.is_place_timeout()),
        ("closed", error.is_closed()),
        ("malformed", error.is_malformed()),
        ("body", error.is_body()),
        ("request", error.is_request()),
        ("refused", error.refused_by_client().is_some()),
        ("repeat", error.is_safe_to_repeat()),
    ];
    let told: Vec<_> = all.into_iter().filter(|(_, is_so)| *is_so).map(|(name, _)| name).collect();
    assert_eq!((error.to_string().as_str(), told.join(" ").as_str()), (line, predicates), "{error:?}");
    let mut shown = format!("{error} {error:?} {error:#?}");
    for cause in std::iter::successors(error.source(), |cause| (**cause).source()) {
        shown.push_str(&format!("{cause} {cause:?}"));
    }
    assert!(!shown.contains("hush") && !shown.contains("path"), "{shown}");
}

fn source<E: std::error::Error + 'static>(error: &RequestError) -> &E {
    let source = error.source().unwrap_or_else(|| panic!("nothing behind {error:?}"));
    source.downcast_ref().unwrap_or_else(|| panic!("{source:?} is behind {error:?}"))
}

async fn refused<W: Networked>(world: W) -> Outcome {
    let closed = world.address(&world.listen(anywhere()).await?)?;
    let error = client(&world, network(&world)).request(get(format!("http://{closed}"))).await.unwrap_err();
    let line = format!(
        "http://{closed}: failed while connecting: connection refused; not tried again, for the attempts to reach the \
         origin are used up; nothing of it was sent: safe to repeat"
    );
    check(&error, &line, "connect repeat");
    assert_eq!(source::<io::Error>(&error).kind(), io::ErrorKind::ConnectionRefused);
    assert!(error.into_request().is_some());
    Ok(())
}

async fn no_such_name<W: Networked>(world: W) -> Outcome {
    struct Nobody;
    impl Resolve for Nobody {
        fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
            Box::pin(async { Err(io::Error::other("failed to lookup address information: Name or service not known")) })
        }
    }
    let network = network(&world).resolver(Nobody);
    let error = client(&world, network).request(get("http://nobody.example")).await.unwrap_err();
    let line = "http://nobody.example:80: failed while resolving the name: no such name; not tried again, for this \
                cause does not pass by waiting; nothing of it was sent: safe to repeat";
    check(&error, line, "dns connect repeat");
    assert!(source::<io::Error>(&error).to_string().contains("not known"));
    Ok(())
}

/// Gets nowhere, or fails with what each address stands for.
#[derive(Clone)]
struct Scripted<W>(W);

impl<W: Networked> Dial for Scripted<W> {
    type Transport = <W::Dial as Dial>::Transport;

    async fn dial(&self, address: Address, _: &SocketOptions) -> io::Result<Self::Transport> {
        let Address::Tcp(address) = address else { return Err(io::ErrorKind::Unsupported.into()) };
        Err(match address.port() {
            1 => io::ErrorKind::ConnectionRefused.into(),
            2 => io::ErrorKind::AddrNotAvailable.into(),
            3 => io::ErrorKind::PermissionDenied.into(),
            4 => io::ErrorKind::HostUnreachable.into(),
            _ => std::future::pending().await,
        })
    }

    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

async fn connecting_takes_too_long<W: Networked>(world: W) -> Outcome {
    let policy = Policy::default().connect_retries(0).connect_timeout(Duration::from_millis(50));
    let network = Network::new(Scripted(world.clone()), world.runtime());
    let client = Builder::new().policy(policy).build(network, world.runtime());
    let error = client.request(get("http://127.0.0.1:9")).await.unwrap_err();
    let line = "http://127.0.0.1:9: failed while connecting: connecting took too long; not tried again, for the \
                attempts to reach the origin are used up; nothing of it was sent: safe to repeat";
    check(&error, line, "connect timeout repeat");
    Ok(())
}

/// C12: in whatever order the addresses of a name fail.
async fn the_most_hopeful_of_several_causes_decides<W: Networked>(world: W) -> Outcome {
    for (ports, kind) in [
        ([1, 2, 3], io::ErrorKind::ConnectionRefused),
        ([3, 2, 1], io::ErrorKind::ConnectionRefused),
        ([2, 1, 3], io::ErrorKind::ConnectionRefused),
        ([4, 3, 2], io::ErrorKind::AddrNotAvailable),
        ([2, 3, 4], io::ErrorKind::AddrNotAvailable),
        ([3, 3, 3], io::ErrorKind::PermissionDenied),
    ] {
        let addresses = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let network = Network::new(Scripted(world.clone()), world.runtime()).resolve("many.example", addresses);
        let error = once().build(network, world.runtime()).request(get("http://many.example")).await.unwrap_err();
        assert_eq!(source::<io::Error>(&error).kind(), kind, "{ports:?}");
    }
    Ok(())
}

fn secure<W: Networked>(world: &W) -> NetworkOf<W> {
    network(world)
        .resolve("localhost", [SocketAddr::from(([127, 0, 0, 1], 0))])
        .tls(client_config(certified().0.as_bytes()).unwrap())
}

async fn a_bad_certificate<W: Networked>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let port = world.address(&listener)?.port();
    let listener = acceptor(&certified()).listen(listener);
    let serving = Server::on(world.runtime()).serve_with(listener, |_: &_, _: &Peer| {
        Some(service_fn(|_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Full::default())) }))
    });
    world.runtime().spawn(async move {
        let _ = serving.await;
    });
    let error = client(&world, secure(&world)).request(get(format!("https://localhost:{port}"))).await.unwrap_err();
    let line = format!(
        "https://localhost:{port}: failed while setting up TLS: the certificate was not accepted; not tried again, for \
         this cause does not pass by waiting; nothing of it was sent: safe to repeat"
    );
    check(&error, &line, "connect tls repeat");
    assert!(matches!(source::<rustls::Error>(&error), rustls::Error::InvalidCertificate(_)));
    Ok(())
}

/// C18: whichever time-out ends it, of connecting or of the request, what was waited for is named.
async fn c18_a_timeout_says_what_was_being_done<W: Networked>(world: W) -> Outcome {
    struct Slow;
    impl Resolve for Slow {
        fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
            Box::pin(std::future::pending())
        }
    }
    let mute = stranger(|stream| {
        std::thread::spawn(move || (&stream).read_to_end(&mut Vec::new()));
    });
    let by = |proxy: &str| {
        let proxy = format!("{proxy}://localhost:{}", mute.port());
        secure(&world).proxies(Proxies::all(proxy.parse().unwrap()))
    };
    let here = format!("https://localhost:{}", mute.port());
    for (network, uri, doing, predicates) in [
        (network(&world).resolver(Slow), "http://slow.example:80", "resolving the name", "dns connect timeout repeat"),
        (secure(&world), here.as_str(), "setting up TLS", "connect tls timeout repeat"),
        (by("http"), "https://a:443", "asking the proxy for the way", "connect timeout repeat"),
        (by("socks5h"), "http://a:80", "asking the proxy for the way", "connect timeout repeat"),
        (by("https"), "http://a:80", "setting up TLS", "connect tls timeout repeat"),
    ] {
        let short = Duration::from_millis(200);
        let client = once().connect_timeout(short).build(network.clone(), world.runtime());
        let error = client.request(get(uri)).await.unwrap_err();
        let line = format!(
            "{uri}: failed while {doing}: {doing} took too long; not tried again, for the attempts to reach the origin \
             are used up; nothing of it was sent: safe to repeat"
        );
        check(&error, &line, predicates);
        let client = once().build(network, world.runtime());
        let mut request = get(uri);
        request.extensions_mut().insert(RequestOptions::new().timeout(short));
        let error = client.request(request).await.unwrap_err();
        let line = format!(
            "{uri}: failed while {doing}: the deadline of the request passed; not tried again, for no time is left; \
             nothing of it was sent: safe to repeat"
        );
        check(&error, &line, predicates);
    }
    Ok(())
}

async fn tls_takes_too_long<W: Networked>(world: W) -> Outcome {
    let mute = stranger(|stream| {
        std::thread::spawn(move || (&stream).read_to_end(&mut Vec::new()));
    });
    let network = secure(&world).tls_timeout(Duration::from_millis(50));
    let error = client(&world, network).request(get(format!("https://localhost:{}", mute.port()))).await.unwrap_err();
    let line = format!(
        "https://localhost:{}: failed while setting up TLS: setting up TLS took too long; not tried again, for the \
         attempts to reach the origin are used up; nothing of it was sent: safe to repeat",
        mute.port()
    );
    check(&error, &line, "connect tls timeout repeat");
    Ok(())
}

async fn a_proxy_refuses<W: Networked>(world: W) -> Outcome {
    let proxy = answering("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    let network = secure(&world).proxies(Proxies::all(format!("http://user:hush@{proxy}").parse()?));
    assert!(!format!("{network:?}").contains("hush"));
    let error = client(&world, network).request(get("https://localhost:1")).await.unwrap_err();
    let line = "https://localhost:1: failed while connecting: the proxy answered 407 Proxy Authentication Required; \
                not tried again, for this cause does not pass by waiting; nothing of it was sent: safe to repeat";
    check(&error, line, "connect repeat");
    assert_eq!(source::<ProxyStatus>(&error).status(), 407);
    Ok(())
}

/// Reset once the request is there: nobody knows what became of it.
async fn reset_after_it_was_sent<W: Networked>(world: W) -> Outcome {
    let resets = stranger(|mut stream| {
        head(&mut stream);
        let socket = socket2::SockRef::from(&stream);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    });
    let client = client(&world, network(&world));
    let post = Request::post(format!("http://{resets}/path?token=hush")).body(Full::default())?;
    let error = client.request(post).await.unwrap_err();
    let line = format!(
        "http://{resets}: failed while waiting for the head of the response: connection reset; not tried again, for \
         it may have been applied and its method is not idempotent (RFC 9110 §9.2.2); it may have taken effect: ask \
         the origin before repeating it"
    );
    check(&error, &line, "closed");
    assert_eq!(source::<io::Error>(&error).kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(error.progress().map(|progress| progress.sent), Some(Sent::All));
    assert!(error.into_request().is_none());
    Ok(())
}

async fn what_answers_is_not_http<W: Networked>(world: W) -> Outcome {
    let odd = answering("SSH-2.0-OpenSSH_9.6\r\n");
    let error = client(&world, network(&world)).request(get(format!("http://{odd}"))).await.unwrap_err();
    let line = format!(
        "http://{odd}: failed while waiting for the head of the response: the peer sent what is not HTTP or too \
         large; not tried again, for the peer's answer is not HTTP; safe to repeat"
    );
    check(&error, &line, "malformed repeat");
    assert!(!source::<ProtocolError>(&error).to_string().is_empty());
    Ok(())
}

async fn a_deadline_passes<W: Networked>(world: W) -> Outcome {
    let mute = stranger(|stream| {
        std::thread::spawn(move || (&stream).read_to_end(&mut Vec::new()));
    });
    let mut request = get(format!("http://{mute}"));
    request.extensions_mut().insert(RequestOptions::new().timeout(Duration::from_millis(50)));
    let error = client(&world, network(&world)).request(request).await.unwrap_err();
    let line = format!(
        "http://{mute}: failed while waiting for the head of the response: the deadline of the request passed; not \
         tried again, for no time is left; safe to repeat"
    );
    check(&error, &line, "timeout repeat");
    Ok(())
}

/// The last refusal stands behind a deadline that passes while it is tried again.
async fn a_deadline_passes_while_nobody_listens<W: Networked>(world: W) -> Outcome {
    let closed = world.address(&world.listen(anywhere()).await?)?;
    let policy = Policy::default().connect_retries(1000);
    let client = Builder::new().policy(policy).build(network(&world), world.runtime());
    let mut request = get(format!("http://{closed}"));
    request.extensions_mut().insert(RequestOptions::new().timeout(Duration::from_millis(200)));
    let error = client.request(request).await.unwrap_err();
    let line = format!(
        "http://{closed}: failed while connecting: the deadline of the request passed, and before it: connection \
         refused; not tried again, for no time is left; nothing of it was sent: safe to repeat"
    );
    check(&error, &line, "connect timeout repeat");
    assert_eq!(source::<io::Error>(&error).kind(), io::ErrorKind::ConnectionRefused);
    Ok(())
}

/// Some pieces, and another length than theirs; or an error at their end.
struct Pieces(Vec<&'static str>, Option<u64>, Option<io::Error>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(match self.0.is_empty() {
            false => Some(Ok(Frame::data(Bytes::from(self.0.remove(0))))),
            true => self.2.take().map(Err),
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.1.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

async fn its_body_fails<W: Networked>(world: W) -> Outcome {
    let deaf = stranger(|stream| {
        std::thread::spawn(move || (&stream).read_to_end(&mut Vec::new()));
    });
    let client = client(&world, network(&world));
    let line = format!(
        "http://{deaf}: failed while sending the request: its body failed; it may have taken effect: ask the origin \
         before repeating it"
    );
    let post = |body| client.request(Request::post(format!("http://{deaf}/path?token=hush")).body(body).unwrap());
    let error = post(Pieces(vec!["a", "b"], None, Some(io::ErrorKind::NotSeekable.into()))).await.unwrap_err();
    check(&error, &line, "body");
    assert_eq!(source::<io::Error>(&error).kind(), io::ErrorKind::NotSeekable);
    assert!(error.progress().is_some_and(|progress| progress != Progress::NOTHING), "{error:?}");
    // C24: nor may it be shorter or longer than it said.
    for (announced, wrong) in [(5, WrongLength::Under(2)), (2, WrongLength::Over(1))] {
        let error = post(Pieces(vec!["a", "b", "c"], Some(announced), None)).await.unwrap_err();
        check(&error, &line, "body");
        assert_eq!(*source::<WrongLength>(&error), wrong);
    }
    Ok(())
}

/// A response that is held and not read keeps its place.
async fn no_place_becomes_free<W: Networked>(world: W) -> Outcome {
    let origin = stranger(|mut stream| {
        std::thread::spawn(move || {
            head(&mut stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nbeg").unwrap();
            let _ = stream.read(&mut [0; 64]);
        });
    });
    let each = "all 2 connections of the origin are taken (`connections_per_origin`)";
    let all = "all 2 connections are taken (`max_connections`)";
    let policy = Policy::default();
    for (policy, taken) in [(policy.connections_per_origin(2), each), (policy.max_connections(2), all)] {
        let builder = Builder::new().policy(policy).place_timeout(Duration::from_millis(100));
        let client = builder.build(network(&world), world.runtime());
        let held = [
            client.request(get(format!("http://{origin}"))).await?,
            client.request(get(format!("http://{origin}"))).await?,
        ];
        let error = client.request(get(format!("http://{origin}"))).await.unwrap_err();
        let line = format!(
            "http://{origin}: failed while waiting in the queue: {taken}, by 2 requests in flight or responses held; \
             not tried again, for none became free within `place_timeout`; nothing of it was sent: safe to repeat"
        );
        check(&error, &line, "timeout place repeat");
        assert!(error.into_request().is_some());
        drop(held);
    }
    Ok(())
}

async fn the_queue_is_full<W: Networked>(world: W) -> Outcome {
    let policy = Policy::default().max_queue(0);
    let client = Builder::new().policy(policy).build(network(&world), world.runtime());
    let error = client.request(get("http://127.0.0.1:9")).await.unwrap_err();
    let line = "http://127.0.0.1:9: not taken, for the queue is full: wait until requests have ended, or raise \
                `max_queue`; nothing of it was sent: safe to repeat";
    check(&error, line, "refused repeat");
    assert!(error.into_request().is_some());
    Ok(())
}

/// Settings that cannot be used are named.
async fn unusable_settings_are_named<W: Networked>(world: W) -> Outcome {
    let mut options = SocketOptions::default();
    options.interface = Some("nowhere0".to_owned());
    let error = client(&world, network(&world).socket(options)).request(get("http://127.0.0.1:9")).await.unwrap_err();
    assert!(error.to_string().contains("the system did not take `interface` of the socket's options"), "{error}");
    assert!(source::<io::Error>(&error).source().is_some_and(|behind| behind.is::<io::Error>()));
    let nowhere = network(&world).resolve("a.example", []);
    let error = client(&world, nowhere).request(get("http://a.example")).await.unwrap_err();
    assert!(error.to_string().contains("no address was given for this name"), "{error}");
    Ok(())
}

on_both! {
    a_refusal_is_told_to_each_that_waited_for_the_connection
    refused
    no_such_name
    connecting_takes_too_long
    the_most_hopeful_of_several_causes_decides
    a_bad_certificate
    c18_a_timeout_says_what_was_being_done
    tls_takes_too_long
    a_proxy_refuses
    reset_after_it_was_sent
    what_answers_is_not_http
    a_deadline_passes
    a_deadline_passes_while_nobody_listens
    its_body_fails
    no_place_becomes_free
    the_queue_is_full
    unusable_settings_are_named
}
