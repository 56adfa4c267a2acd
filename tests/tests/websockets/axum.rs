//! axum's `WebSocketUpgrade` on our server, beside `axum::serve`.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{Message as Said, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use http_driver::{Tunnel, Upgrade};
use http_tokio::Server;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::sockets::strangers::{AT_ONCE, dial, head, rest, talk};
use crate::sockets::{Outcome, eventually, on_tokio};

/// RFC 6455 §1.3 has this key and its answer.
const OFFER: &str = "Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const MUCH: usize = 16 << 20;

/// What became of the sockets of an application.
#[derive(Clone, Debug, Default)]
struct Seen {
    begun: Arc<AtomicUsize>,
    over: Arc<AtomicUsize>,
}

/// The application: nothing in it knows of us, but for `/ours`.
fn application(seen: &Seen) -> Router {
    let seen = seen.clone();
    let echo = move |upgrade: WebSocketUpgrade| async move {
        let upgrade = upgrade.protocols(["chat", "superchat"]).max_message_size(MUCH).max_frame_size(MUCH);
        upgrade.on_upgrade(async move |socket| {
            seen.begun.fetch_add(1, Ordering::SeqCst);
            echo(socket).await;
            seen.over.fetch_add(1, Ordering::SeqCst);
        })
    };
    let drops = async |upgrade: WebSocketUpgrade| upgrade.on_upgrade(async |socket| drop(socket));
    let pushes = async |upgrade: WebSocketUpgrade| {
        upgrade.on_upgrade(async |mut socket| {
            for n in 0..MUCH / 65_536 {
                socket.send(Said::Binary(vec![n as u8; 65_536].into())).await.unwrap();
            }
        })
    };
    // Both at once is what a layer that knows ours may leave behind.
    let ours = async |upgrade: axum::Extension<Upgrade>| {
        tokio::spawn(async move {
            let mut tunnel: Tunnel = upgrade.0.await.unwrap();
            tunnel.write("ours").await.unwrap();
            tunnel.end().await.unwrap();
        });
        (StatusCode::SWITCHING_PROTOCOLS, [("upgrade", "ours")])
    };
    // A service that takes the hand-over for granted, and an outer one that answers otherwise.
    let fails = async |upgrade: WebSocketUpgrade| {
        let (tell, told) = tokio::sync::oneshot::channel();
        let _ = upgrade.on_failed_upgrade(|_| tell.send(()).unwrap()).on_upgrade(async |_| unreachable!());
        tokio::spawn(async move { tokio::time::timeout(AT_ONCE, told).await.unwrap().unwrap() });
        StatusCode::IM_A_TEAPOT
    };
    Router::new()
        .route("/echo", any(echo))
        .route("/drops", any(drops))
        .route("/pushes", any(pushes))
        .route("/ours", any(ours))
        .route("/fails", any(fails))
}

async fn echo(mut socket: WebSocket) {
    // The answers to `Ping` and `Close` are axum's.
    while let Some(Ok(said)) = socket.recv().await {
        if matches!(said, Said::Text(_) | Said::Binary(_)) && socket.send(said).await.is_err() {
            break;
        }
    }
}

struct Served {
    address: SocketAddr,
    seen: Seen,
    shutdown: http_tokio::server::Shutdown,
}

async fn ours() -> std::io::Result<Served> {
    let seen = Seen::default();
    let router = application(&seen);
    serve(router, seen).await
}

async fn serve(router: Router, seen: Seen) -> std::io::Result<Served> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (address, server) = (listener.local_addr()?, Server::new());
    let shutdown = server.shutdown();
    tokio::spawn(server.serve(listener, router));
    Ok(Served { address, seen, shutdown })
}

async fn theirs() -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = application(&Seen::default());
    tokio::spawn(async { axum::serve(listener, router).await });
    Ok(address)
}

async fn blocking<O: Send + 'static>(work: impl FnOnce() -> O + Send + 'static) -> O {
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn socket(address: SocketAddr, path: &str) -> Result<WebSocketStream<TcpStream>, Error> {
    let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
    let stream = TcpStream::connect(address).await?;
    Ok(client_async_with_config(format!("ws://{address}{path}"), stream, Some(config)).await?.0)
}

/// A head as its lines, without what is another's each second, in one order.
fn lines(head: &str) -> Vec<String> {
    let mut lines: Vec<_> = head.split("\r\n").map(str::to_owned).filter(|line| !line.is_empty()).collect();
    for line in &mut lines[1..] {
        let (name, value) = line.split_once(':').unwrap();
        *line = format!("{}:{value}", name.to_ascii_lowercase());
    }
    lines.retain(|line| !line.starts_with("date:"));
    lines[1..].sort();
    lines
}

#[tokio::test]
async fn s26_axums_own_upgrade_works() -> Outcome {
    let (ours, theirs) = (ours().await?.address, theirs().await?);
    blocking(move || {
        let [ours, theirs] = [ours, theirs].map(|address| {
            let stream = dial(address);
            // A text frame behind the request, masked with zeros.
            write!(&stream, "GET /echo HTTP/1.1\r\n{OFFER}\r\n").unwrap();
            (&stream).write_all(b"\x81\x82\0\0\0\0hi").unwrap();
            let head = head(&stream);
            let mut frame = [0; 4];
            (&stream).read_exact(&mut frame).unwrap();
            assert_eq!(&frame, b"\x81\x02hi");
            // A close frame is answered, and the stream ends.
            (&stream).write_all(b"\x88\x80\0\0\0\0").unwrap();
            let mut end = Vec::new();
            (&stream).read_to_end(&mut end).unwrap();
            assert_eq!(end, b"\x88\0");
            lines(&head)
        });
        assert_eq!(ours[0], "HTTP/1.1 101 Switching Protocols");
        assert!(ours.contains(&format!("sec-websocket-accept: {ACCEPT}")), "{ours:?}");
        assert_eq!(ours, theirs);
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn what_is_no_websocket_is_answered_as_by_axum() -> Outcome {
    let (ours, theirs) = (ours().await?.address, theirs().await?);
    blocking(move || {
        let closing = OFFER.replace("Upgrade\r\n", "Upgrade, close\r\n");
        for (line, fields, status) in [
            ("GET /echo HTTP/1.1", "Host: a\r\nConnection: close\r\n".to_owned(), "400"),
            ("GET /echo HTTP/1.1", OFFER.replace("Upgrade\r\n", "close\r\n"), "400"),
            ("GET /echo HTTP/1.1", closing.replace("13", "8"), "400"),
            ("GET /echo HTTP/1.1", closing.replace("websocket", "h2c"), "400"),
            ("GET /echo HTTP/1.1", closing.replace("Sec-WebSocket-Key", "X"), "400"),
            ("POST /echo HTTP/1.1", format!("Content-Length: 0\r\n{closing}"), "405"),
            // RFC 9110 §7.8: an offer in HTTP/1.0 is none.
            ("GET /echo HTTP/1.0", OFFER.to_owned(), "426"),
        ] {
            let request = format!("{line}\r\n{fields}\r\n");
            let answers = [ours, theirs].map(|address| {
                let answer = String::from_utf8(talk(address, request.as_bytes())).unwrap();
                let (head, content) = answer.split_once("\r\n\r\n").unwrap();
                (lines(head), content.to_owned())
            });
            assert_eq!(&answers[0].0[0][9..12], status, "{request}");
            assert_eq!(answers[0].1, answers[1].1, "{request}");
            // hyper answers HTTP/1.0 in that version; ours says that it closes (RFC 9112 §2.5, §9.6).
            if line.ends_with('1') {
                assert_eq!(answers[0].0, answers[1].0, "{request}");
            }
        }
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn messages_of_every_kind_come_back() -> Outcome {
    let served = ours().await?;
    let mut socket = socket(served.address, "/echo").await?;
    for said in [Message::text("hi"), Message::binary(vec![]), Message::binary(vec![1; 70_000])] {
        socket.send(said.clone()).await?;
        assert_eq!(socket.next().await.ok_or("nothing")??, said);
    }
    socket.send(Message::Ping("are you there?".into())).await?;
    assert_eq!(socket.next().await.ok_or("nothing")??, Message::Pong("are you there?".into()));
    socket.close(None).await?;
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(None)))));
    assert!(socket.next().await.is_none());
    eventually(&on_tokio::Tokio, "the application is through", || served.seen.over.load(Ordering::SeqCst) == 1).await;
    Ok(())
}

#[tokio::test]
async fn a_subprotocol_is_agreed_on() -> Outcome {
    let address = ours().await?.address;
    let mut request = format!("ws://{address}/echo").into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", "other, superchat".parse()?);
    let (_, response) = client_async(request, TcpStream::connect(address).await?).await?;
    assert_eq!(response.headers()["sec-websocket-protocol"], "superchat");
    Ok(())
}

#[tokio::test]
async fn a_large_message_goes_there_and_back() -> Outcome {
    let served = ours().await?;
    let mut socket = socket(served.address, "/echo").await?;
    let said = Message::binary((0..MUCH).map(|n| (n * 31 % 251) as u8).collect::<Vec<_>>());
    socket.send(said.clone()).await?;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(socket.next().await.ok_or("nothing")?? == said);
    Ok(())
}

#[tokio::test]
async fn a_slow_reader_gets_all_there_is() -> Outcome {
    let mut socket = socket(ours().await?.address, "/pushes").await?;
    let mut heard = 0;
    while let Some(Ok(Message::Binary(piece))) = socket.next().await {
        assert_eq!(piece[..], [heard as u8; 65_536]);
        heard += 1;
        if heard % 32 == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    assert_eq!(heard, MUCH / 65_536);
    Ok(())
}

#[tokio::test]
async fn either_side_may_leave() -> Outcome {
    let served = ours().await?;
    let over = served.seen.over.clone();
    // The client, with and without a word; its half alone.
    drop(socket(served.address, "/echo").await?);
    eventually(&on_tokio::Tokio, "a client left", || over.load(Ordering::SeqCst) == 1).await;
    let address = served.address;
    blocking(move || {
        let stream = dial(address);
        write!(&stream, "GET /echo HTTP/1.1\r\n{OFFER}\r\n").unwrap();
        let _ = head(&stream);
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(&stream), "");
        // The application.
        let stream = dial(address);
        write!(&stream, "GET /drops HTTP/1.1\r\n{OFFER}\r\n").unwrap();
        let _ = head(&stream);
        assert_eq!(rest(&stream), "");
    })
    .await;
    eventually(&on_tokio::Tokio, "a client ended", || over.load(Ordering::SeqCst) == 2).await;
    eventually(&on_tokio::Tokio, "nothing is left", || served.shutdown.connections() == 0).await;
    Ok(())
}

#[tokio::test]
async fn our_own_upgrade_works_in_the_same_application() -> Outcome {
    let address = ours().await?.address;
    blocking(move || {
        let stream = dial(address);
        write!(&stream, "GET /ours HTTP/1.1\r\n{OFFER}\r\n").unwrap();
        assert_eq!(&head(&stream)[9..12], "101");
        assert_eq!(rest(&stream), "ours");
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn an_upgrade_that_is_answered_otherwise_fails() -> Outcome {
    let address = ours().await?.address;
    blocking(move || {
        let stream = dial(address);
        write!(&stream, "GET /fails HTTP/1.1\r\n{OFFER}\r\n").unwrap();
        assert_eq!(&head(&stream)[9..12], "418");
    })
    .await;
    Ok(())
}

#[test]
fn two_hundred_sockets_leave_no_task_behind() -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let served = ours().await?;
        let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        for n in 0..200 {
            let mut socket = socket(served.address, "/echo").await?;
            socket.send(Message::text("hi")).await?;
            assert_eq!(socket.next().await.ok_or("nothing")??, Message::text("hi"));
            if n % 2 == 0 {
                socket.close(None).await?;
                while socket.next().await.is_some() {}
            }
        }
        let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
        eventually(&on_tokio::Tokio, "every task is over", || tasks() <= before).await;
        assert_eq!(served.seen.begun.load(Ordering::SeqCst), 200);
        assert_eq!(served.seen.over.load(Ordering::SeqCst), 200);
        Ok(())
    })
}

#[tokio::test]
async fn layers_around_a_socket_let_it_through() -> Outcome {
    let most = Duration::from_millis(200);
    let seen = Seen::default();
    let router = application(&seen)
        .layer(tower_http::compression::CompressionLayer::new())
        .layer(tower_http::timeout::TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, most))
        .layer(tower_http::trace::TraceLayer::new_for_http())
        .layer(axum::middleware::map_response(async |response: Response| {
            ([("x-behind", "it")], response).into_response()
        }));
    let address = serve(router, seen).await?.address;
    let mut request = format!("ws://{address}/echo").into_client_request()?;
    request.headers_mut().insert("accept-encoding", "gzip".parse()?);
    let (mut socket, response) = client_async(request, TcpStream::connect(address).await?).await?;
    assert_eq!(response.status(), 101);
    assert_eq!(response.headers()["x-behind"], "it");
    assert!(!response.headers().contains_key("content-encoding"));
    // A time-out of the request is none of the socket.
    tokio::time::sleep(2 * most).await;
    socket.send(Message::text("hi")).await?;
    assert_eq!(socket.next().await.ok_or("nothing")??, Message::text("hi"));
    Ok(())
}
