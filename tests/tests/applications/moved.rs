//! Programs that serve with axum, written once: `axum::serve` and ours are the one path by which they differ, and what
//! they answer is the same.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::connect_info::Connected;
use axum::extract::ws::{Message as Said, WebSocketUpgrade};
use axum::extract::{ConnectInfo, Json, Path, Request, State};
use axum::handler::{Handler, HandlerWithoutStateExt};
use axum::middleware::{Next, from_fn};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, ServiceExt};
use futures_util::{SinkExt, StreamExt, stream};
use http_body_util::Full;
use http_tokio::Server;
use http_tokio::axum::UnixPeer;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Message;
use tower::{Layer, service_fn};

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

const PATIENCE: Duration = Duration::from_secs(10);

/// An application such as many have: a state, extractors, events, a socket, a slow answer.
fn application() -> Router {
    let visits = Arc::new(AtomicUsize::new(0));
    let visit = |State(visits): State<Arc<AtomicUsize>>| async move {
        format!("visit {}", visits.fetch_add(1, Ordering::SeqCst) + 1)
    };
    let socket = |upgrade: WebSocketUpgrade| async move {
        upgrade.on_upgrade(async |mut socket| {
            // The answer to `Close` is axum's.
            while let Some(Ok(said)) = socket.recv().await {
                if matches!(said, Said::Text(_)) && socket.send(said).await.is_err() {
                    break;
                }
            }
        })
    };
    let events = || async {
        Sse::new(stream::iter(["one", "two"]).map(|word| Ok::<_, Infallible>(Event::default().data(word))))
    };
    Router::new()
        .route("/visit", get(visit))
        .route("/hello/{name}", get(|Path(name): Path<String>| async move { format!("Hello, {name}") }))
        .route("/sum", post(|Json(numbers): Json<Vec<u64>>| async move { Json(numbers.iter().sum::<u64>()) }))
        .route("/peer", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() }))
        .route("/events", get(events))
        .route("/socket", get(socket))
        .route("/slow", get(|| async { tokio::time::sleep(Duration::from_millis(300)).await }))
        .with_state(visits)
}

/// Requests that each close their connection.
const REQUESTS: [&str; 6] = [
    "GET /visit HTTP/1.1\r\n",
    "GET /visit HTTP/1.1\r\n",
    "GET /hello/J%C3%BCrgen HTTP/1.1\r\n",
    "GET /events HTTP/1.1\r\n",
    "GET /nothing HTTP/1.1\r\n",
    "PUT /visit HTTP/1.1\r\nContent-Length: 0\r\n",
];

/// What is answered, line by line; the names of fields in one case, in one order, and nothing that tells the time.
fn answer(mut stream: impl Read + Write, request: &str, content: &str) -> (Vec<String>, String) {
    let host = if content.is_empty() { "Host: a\r\n" } else { "Host: a\r\nContent-Type: application/json\r\n" };
    let length = if content.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", content.len()) };
    write!(stream, "{request}{host}{length}Connection: close\r\n\r\n{content}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, content) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{request}: {answer:?}"));
    let mut lines: Vec<_> = head.lines().map(str::to_ascii_lowercase).collect();
    lines[1..].sort();
    lines.retain(|line| !line.starts_with("date:"));
    (lines, content.to_owned())
}

fn dial(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Runs what blocks, beside the servers.
async fn blocking<O: Send + 'static>(work: impl FnOnce() -> O + Send + 'static) -> O {
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn anywhere() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// Serves the same by `axum::serve` and by ours, in this order, and returns where.
macro_rules! on_both {
    ($application:expr) => {{
        let listeners = [anywhere().await, anywhere().await];
        let addresses = [0, 1].map(|at: usize| listeners[at].local_addr().unwrap());
        let [theirs, ours] = listeners;
        let (their, our) = (axum::serve(theirs, $application), http_tokio::axum::serve(ours, $application));
        assert_eq!([their.local_addr().unwrap(), our.local_addr().unwrap()], addresses);
        tokio::spawn(async { their.await.unwrap() });
        tokio::spawn(async { our.await.unwrap() });
        addresses
    }};
}

/// What both answer to a `GET`, which is the same.
async fn both(addresses: [SocketAddr; 2], path: &'static str) -> (Vec<String>, String) {
    let ask = move |address| answer(dial(address), &format!("GET {path} HTTP/1.1\r\n"), "");
    let [theirs, ours] = blocking(move || addresses.map(ask)).await;
    assert_eq!(theirs, ours);
    ours
}

#[tokio::test]
async fn an_application_moves_by_one_path() -> Outcome {
    let addresses = on_both!(application().into_make_service_with_connect_info::<SocketAddr>());
    let [theirs, ours] = blocking(move || {
        addresses.map(|address| {
            let mut answers: Vec<_> = REQUESTS.iter().map(|request| answer(dial(address), request, "")).collect();
            answers.push(answer(dial(address), "POST /sum HTTP/1.1\r\n", "[1,2,39]"));
            answers.push(answer(dial(address), "POST /sum HTTP/1.1\r\n", "[1,2"));
            answers
        })
    })
    .await;
    // Sizes of chunks are in digits of either case (RFC 9112 §7.1).
    let plain = |answers: Vec<(Vec<String>, String)>| -> Vec<_> {
        answers.into_iter().map(|(head, content)| (head, content.to_ascii_lowercase())).collect()
    };
    assert_eq!(plain(theirs), plain(ours));
    blocking(move || {
        for address in addresses {
            let stream = dial(address);
            let own = stream.local_addr().unwrap().to_string();
            assert_eq!(answer(stream, "GET /peer HTTP/1.1\r\n", "").1, own);
        }
    })
    .await;
    for address in addresses {
        let (mut socket, response) = tokio_tungstenite::client_async(
            format!("ws://{address}/socket"),
            tokio::net::TcpStream::connect(address).await?,
        )
        .await?;
        assert_eq!(response.status(), 101);
        socket.send(Message::text("hi")).await?;
        assert_eq!(socket.next().await.ok_or("nothing")??, Message::text("hi"));
        socket.close(None).await?;
        assert!(matches!(socket.next().await, Some(Ok(Message::Close(None)))));
    }
    Ok(())
}

#[tokio::test]
async fn whatever_axum_serves_is_served() {
    async fn hello() -> &'static str {
        "hello"
    }
    let rests = || get(hello).post(|| async { "posted" });
    let twice = || Router::new().route("/", get(hello));
    let strips = || {
        tower_http::normalize_path::NormalizePathLayer::trim_trailing_slash()
            .layer(Router::new().route("/a", get(hello)))
    };
    let wraps = |request: Request, next: Next| async move {
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-wrapped", "yes".parse().unwrap());
        response
    };

    assert_eq!(both(on_both!(twice()), "/").await.1, "hello");
    assert_eq!(both(on_both!(twice().into_make_service()), "/").await.1, "hello");
    assert_eq!(both(on_both!(rests()), "/").await.1, "hello");
    assert_eq!(both(on_both!(rests().into_make_service()), "/").await.1, "hello");
    assert_eq!(both(on_both!(hello.into_service()), "/").await.1, "hello");
    assert_eq!(both(on_both!(hello.into_make_service()), "/").await.1, "hello");
    assert_eq!(both(on_both!(hello.with_state(()).into_make_service()), "/").await.1, "hello");
    assert_eq!(both(on_both!(ServiceExt::<Request>::into_make_service(strips())), "/a/").await.1, "hello");
    let (head, content) = both(on_both!(twice().layer(from_fn(wraps))), "/").await;
    assert!(head.contains(&"x-wrapped: yes".into()) && content == "hello");
    // A service that knows no body but axum's.
    let plain = || {
        service_fn(
            |request: Request| async move { Ok::<_, Infallible>(request.uri().path().to_owned().into_response()) },
        )
    };
    assert_eq!(both(on_both!(ServiceExt::<Request>::into_make_service(plain())), "/plain").await.1, "/plain");
    let peer = || get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() });
    assert_eq!(both(on_both!(peer().into_make_service_with_connect_info::<SocketAddr>()), "/").await.1, "127.0.0.1");
}

/// What `axum::serve` refuses: a body of another type, which a layer around the router has made.
#[tokio::test]
async fn responses_may_have_any_body() {
    let listener = anywhere().await;
    let address = listener.local_addr().unwrap();
    let service = service_fn(|request: Request| async move {
        let content = axum::body::to_bytes(request.into_body(), 1000).await?;
        Ok::<_, axum::Error>(Response::new(Full::<Bytes>::from(content)))
    });
    tokio::spawn(http_tokio::axum::serve(listener, service).into_future());
    let (head, content) = blocking(move || answer(dial(address), "POST / HTTP/1.1\r\n", "[1]")).await;
    assert_eq!((head[0].as_str(), content.as_str()), ("http/1.1 200 ok", "[1]"));
}

/// A make-service is one: it is asked for each connection in turn, and counts them in itself.
#[tokio::test]
async fn a_make_service_is_asked_once_for_each_connection() {
    let listener = anywhere().await;
    let address = listener.local_addr().unwrap();
    let mut count = 0;
    // Whether the service is there at once or has to be waited for.
    let make = service_fn(move |peer: SocketAddr| {
        count += 1;
        async move {
            if count % 2 == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok::<_, Infallible>(get(move || async move { format!("{} {count}", peer.port()) }))
        }
    });
    tokio::spawn(http_tokio::axum::serve(listener, make).into_future());
    blocking(move || {
        for count in 1..=4 {
            let stream = dial(address);
            let port = stream.local_addr().unwrap().port();
            assert_eq!(answer(stream, "GET / HTTP/1.1\r\n", "").1, format!("{port} {count}"));
        }
        // One connection has one service.
        let mut stream = dial(address);
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        assert!(answer(&mut stream, "GET / HTTP/1.1\r\n", "").1.ends_with(" 5"));
        let mut rest = String::new();
        stream.read_to_string(&mut rest).unwrap();
        assert!(rest.is_empty());
    })
    .await;
}

/// Who connects to a Unix socket. The one line of an application that another one takes the place of.
#[derive(Clone)]
struct User(u32);

impl Connected<axum::serve::IncomingStream<'_, UnixListener>> for User {
    fn connect_info(stream: axum::serve::IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().unwrap().uid())
    }
}

impl Connected<UnixPeer> for User {
    fn connect_info(peer: UnixPeer) -> Self {
        assert!(peer.address.is_unnamed());
        Self(peer.credentials.unwrap().uid())
    }
}

#[tokio::test]
async fn unix_sockets_are_served_and_tell_their_peers() -> Outcome {
    let folder = std::env::temp_dir().join(format!("moved-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let paths: [PathBuf; 2] = ["theirs", "ours"].map(|name| folder.join(name));
    let application = || get(|ConnectInfo(user): ConnectInfo<User>| async move { user.0.to_string() });
    let their =
        axum::serve(UnixListener::bind(&paths[0])?, application().into_make_service_with_connect_info::<User>());
    let our = http_tokio::axum::serve(
        UnixListener::bind(&paths[1])?,
        application().into_make_service_with_connect_info::<User>(),
    );
    assert_eq!(our.local_addr()?.as_pathname(), Some(paths[1].as_path()));
    tokio::spawn(async { their.await.unwrap() });
    tokio::spawn(async { our.await.unwrap() });
    let [theirs, ours] =
        blocking(move || paths.map(|path| answer(UnixStream::connect(path).unwrap(), "GET / HTTP/1.1\r\n", ""))).await;
    assert_eq!(theirs, ours);
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// A shutdown answers what is open, closes what idles, and accepts nothing more.
#[tokio::test]
async fn a_graceful_shutdown_ends_both_alike() -> Outcome {
    let (mut signals, mut ends, mut addresses) = (Vec::new(), Vec::new(), Vec::new());
    macro_rules! begin {
        ($serve:path) => {{
            let (listener, (tell, told)) = (anywhere().await, oneshot::channel::<()>());
            addresses.push(listener.local_addr()?);
            signals.push(tell);
            let serving = $serve(listener, application()).with_graceful_shutdown(async { told.await.unwrap() });
            ends.push(tokio::spawn(serving.into_future()));
        }};
    }
    begin!(axum::serve);
    begin!(http_tokio::axum::serve);
    let open = addresses.clone();
    let talking = tokio::task::spawn_blocking(move || {
        let streams: Vec<_> = open.iter().map(|&address| (dial(address), dial(address))).collect();
        for (slow, idle) in &streams {
            (&*slow).write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
            (&*idle).write_all(b"GET /visit HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        }
        let all = |mut stream: TcpStream| {
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        streams.into_iter().map(|(slow, idle)| (all(slow), all(idle))).collect::<Vec<_>>()
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    for signal in signals {
        signal.send(()).unwrap();
    }
    let answers = talking.await?;
    for (slow, idle) in &answers {
        assert!(slow.starts_with("HTTP/1.1 200 OK\r\n") && slow.contains("close"), "{slow}");
        assert!(idle.ends_with("visit 1"), "{idle}");
    }
    for end in ends {
        tokio::time::timeout(PATIENCE, end).await???;
    }
    for address in addresses {
        assert!(TcpStream::connect(address).is_err());
    }
    Ok(())
}

/// What `axum::serve` does not have.
#[tokio::test]
async fn a_server_may_be_given() -> Outcome {
    let listener = anywhere().await;
    let address = listener.local_addr()?;
    let mut config = http_tokio::Config::default();
    config.timeouts.head = Duration::from_millis(100);
    let server = Server::new().config(config);
    let shutdown = server.shutdown();
    let serving = tokio::spawn(http_tokio::axum::serve(listener, application()).with_server(server).into_future());
    let late = blocking(move || {
        let mut stream = dial(address);
        stream.write_all(b"GET / HTTP/1.1\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    assert!(late.await.starts_with("HTTP/1.1 408 "));
    shutdown.begin();
    tokio::time::timeout(PATIENCE, serving).await???;
    Ok(())
}

/// Whose connections are secured knows its clients as well.
#[tokio::test]
async fn behind_tls_the_client_is_known() -> Outcome {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let acceptor =
        http_driver::tls::TlsAcceptor::new(http_driver::tls::server_config(certificate.as_bytes(), key.as_bytes())?);
    let listener = anywhere().await;
    let port = listener.local_addr()?.port();
    let serving = http_tokio::axum::serve(
        acceptor.listen(listener),
        application().into_make_service_with_connect_info::<SocketAddr>(),
    );
    tokio::spawn(serving.into_future());
    let network = http_tokio::network().tls(http_driver::tls::client_config(certificate.as_bytes())?);
    let client = http_tokio::client_builder().build(network, http_tokio::TokioRuntime);
    let request = http::Request::get(format!("https://localhost:{port}/peer")).body(Body::empty())?;
    let told = client.request(request).await?.into_body().text(1000).await?;
    assert!(told.starts_with("127.0.0.1:") || told.starts_with("[::1]:"), "{told}");
    Ok(())
}
