//! Programs for rows of the tables that no test elsewhere shows.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{HOST, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, StreamBody};
use http_core::{Config, Content, Fields, Instant, Misuse, Phase, Reason, RequestHead, ResponseHead};
use http_core::{client as core_client, server as core_server};
use http_tokio::client::{Builder, Connection};
use http_tokio::server::Shutdown;
use http_tokio::{Frame, Full, Incoming, Peer, Server, TokioIo, TokioRuntime, network, server, service_fn};
use tokio::net::{TcpListener, TcpStream};

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// What a client is answered, as a text.
async fn ask(request: Request<&'static str>) -> Result<(StatusCode, String), Box<dyn std::error::Error + Send + Sync>> {
    let response = http_tokio::client(Default::default()).request(request).await?;
    let status = response.status();
    Ok((status, response.into_body().text(1024).await?))
}

async fn bound() -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

#[tokio::test]
async fn paths_methods_and_hosts() -> Outcome {
    // One service for all: by host, then path, then method.
    async fn route(request: Request<Incoming>) -> Result<Response<Full>, Infallible> {
        let field = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let host = request.uri().host().or(field).unwrap_or_default();
        let (status, text) = match (host, request.uri().path(), request.method()) {
            (host, ..) if host.starts_with("other.example") => (StatusCode::OK, "another host"),
            (_, "/letters", &Method::POST) => (StatusCode::CREATED, "sent"),
            (_, "/letters", _) => (StatusCode::METHOD_NOT_ALLOWED, ""),
            _ => (StatusCode::NOT_FOUND, "nothing here"),
        };
        let mut response = Response::new(Full::from(text));
        *response.status_mut() = status;
        Ok(response)
    }
    let origin = docs::serve(service_fn(route)).await.map_err(Box::new)?;
    let letters = format!("{origin}/letters");
    assert_eq!(ask(Request::post(&letters).body("Dear")?).await?, (StatusCode::CREATED, "sent".into()));
    assert_eq!(ask(Request::put(&letters).body("")?).await?.0, StatusCode::METHOD_NOT_ALLOWED);
    let (status, text) = ask(Request::get(&origin).body("")?).await?;
    assert!(!status.is_success(), "{text}");
    let other = Request::get(&origin).header(HOST, "other.example");
    assert_eq!(ask(other.body("")?).await?.1, "another host");
    Ok(())
}

#[tokio::test]
async fn a_socket_that_somebody_else_has_opened() -> Outcome {
    use std::os::fd::AsFd;
    let inherited = std::net::TcpListener::bind("127.0.0.1:0")?;
    inherited.set_nonblocking(true)?;
    let listener = TcpListener::from_std(inherited)?;
    let address = listener.local_addr()?;
    assert!(listener.as_fd().try_clone_to_owned().is_ok());
    tokio::spawn(Server::new().serve(listener, docs::always("inherited")));
    assert_eq!(ask(Request::get(format!("http://{address}/")).body("")?).await?.1, "inherited");
    Ok(())
}

#[tokio::test]
async fn one_of_two_listeners_is_given_up() -> Outcome {
    // A server of its own for each listener: clones of one end together.
    let ((first, first_address), (second, second_address)) = (bound().await?, bound().await?);
    let server = Server::new();
    let shutdown = server.shutdown();
    let serving = tokio::spawn(server.serve(first, docs::always("first")));
    tokio::spawn(Server::new().serve(second, docs::always("second")));
    let url = format!("http://{first_address}/");
    assert_eq!(ask(Request::get(&url).body("")?).await?.1, "first");
    shutdown.begin();
    assert_eq!(serving.await?.cut_connections, 0);
    assert!(TcpStream::connect(first_address).await.is_err());
    assert_eq!(ask(Request::get(format!("http://{second_address}/")).body("")?).await?.1, "second");
    Ok(())
}

/// Waits until a server has so many connections.
async fn counted(shutdown: &Shutdown, connections: usize) {
    for _ in 0..500 {
        if shutdown.connections() == connections {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{} connections, not {connections}", shutdown.connections());
}

#[tokio::test]
async fn connections_are_counted() -> Outcome {
    let (listener, address) = bound().await?;
    let server = Server::new().max_connections(100);
    let shutdown = server.shutdown();
    tokio::spawn(server.serve(listener, docs::always("")));
    let held = [TcpStream::connect(address).await?, TcpStream::connect(address).await?];
    counted(&shutdown, 2).await;
    drop(held);
    counted(&shutdown, 0).await;
    Ok(())
}

#[tokio::test]
async fn a_cut_ends_all_at_once() -> Outcome {
    let (listener, address) = bound().await?;
    let server = Server::new();
    let shutdown = server.shutdown();
    let never = service_fn(|_: Request<Incoming>| std::future::pending::<Result<Response<Full>, Infallible>>());
    let serving = tokio::spawn(server.serve(listener, never));
    let asked = tokio::spawn(ask(Request::get(format!("http://{address}/")).body("")?));
    counted(&shutdown, 1).await;
    shutdown.cut();
    serving.await?;
    assert!(asked.await?.is_err());
    Ok(())
}

#[tokio::test]
async fn an_exchange_by_hand() -> Outcome {
    let (listener, address) = bound().await?;
    let served = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let mut connection = server::Connection::new(TokioIo::new(stream), TokioRuntime, Arc::default());
        let mut exchange = connection.accept().await?.ok_or("no request")?;
        assert_eq!(exchange.connection().transport().get_ref().local_addr()?, address);
        exchange.respond(&ResponseHead::new(http_core::StatusCode::OK), Content::Streaming)?;
        for piece in ["one ", "two ", "three"] {
            exchange.write(Bytes::from(piece)).await?;
            exchange.flush().await?; // all of it is written
        }
        exchange.end(&Fields::new())?;
        exchange.flush().await?; // and so is the end
        exchange.finish().await?;
        Outcome::Ok(())
    });
    assert_eq!(ask(Request::get(format!("http://{address}/")).body("")?).await?.1, "one two three");
    served.await?
}

#[tokio::test]
async fn a_connection_without_a_pool() -> Outcome {
    let origin = docs::serve(docs::always("alone")).await.map_err(Box::new)?;
    let stream = TcpStream::connect(&origin["http://".len()..]).await?;
    let mut connection = Connection::new(TokioIo::new(stream), TokioRuntime, Arc::new(Config::default()));
    for _ in 0..2 {
        let head = RequestHead::new(http_core::Method::Get, "/")?.with("Host", "example.com")?;
        let mut exchange = connection.send(&head, Content::Empty)?;
        assert_eq!(exchange.response().await?.status().as_u16(), 200);
        assert_eq!(exchange.content().await?.ok_or("no content")?, "alone");
        exchange.finish().await?;
    }
    assert!(connection.transport().get_ref().peer_addr().is_ok());
    drop(connection);
    Ok(())
}

#[tokio::test]
async fn a_response_tells_its_peer() -> Outcome {
    let origin = docs::serve(docs::always("")).await.map_err(Box::new)?;
    let client = Builder::new().connection_info(true).build(network(), TokioRuntime);
    let response = client.request(Request::get(&origin).body(())?).await?;
    let peer = response.extensions().get::<Peer>().ok_or("no peer")?;
    assert_eq!(format!("http://{}", peer.address.ok_or("no address")?), origin);
    Ok(())
}

#[tokio::test]
async fn a_body_frame_by_frame() -> Outcome {
    let origin = docs::serve(docs::echo()).await.map_err(Box::new)?;
    let client = http_tokio::client(Default::default());
    // The head is there first; what comes then is taken as it comes.
    let response = client.request(Request::post(origin).body("x".repeat(300_000))?).await?;
    assert_eq!(response.status(), StatusCode::OK);
    let (mut body, mut length, mut frames) = (response.into_body(), 0, 0);
    while let Some(frame) = body.frame().await {
        length += frame?.into_data().map_or(0, |data| data.len());
        frames += 1;
    }
    assert!(length == 300_000 && frames > 1, "{length} in {frames}");
    Ok(())
}

#[tokio::test]
async fn bodies_of_http_body_util() -> Outcome {
    let origin = docs::serve(docs::echo()).await.map_err(Box::new)?;
    let client = http_tokio::client(Default::default());
    let pieces =
        futures_util::stream::iter(["a", "b"].map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::from(piece)))));
    let response = client.request(Request::post(&origin).body(StreamBody::new(pieces))?).await?;
    assert_eq!(response.into_body().text(64).await?, "ab");
    let full = http_body_util::Full::new(Bytes::from("full"));
    let response = client.request(Request::post(&origin).body(full.boxed())?).await?;
    assert_eq!(response.into_body().text(64).await?, "full");
    let response = client.request(Request::post(&origin).body(Empty::<Bytes>::new())?).await?;
    assert_eq!(response.into_body().text(64).await?, "");
    Ok(())
}

#[test]
fn fields() {
    let mut fields = HeaderMap::new();
    fields.append(SET_COOKIE, HeaderValue::from_static("a=1"));
    fields.append(SET_COOKIE, HeaderValue::from_static("b=2"));
    assert_eq!(fields.get("set-cookie"), Some(&HeaderValue::from_static("a=1")));
    assert_eq!(fields.get_all(SET_COOKIE).iter().count(), 2);
    // evhttp refuses such a value as it is added; here there is none.
    assert!(HeaderValue::from_str("a\r\nSet-Cookie: c=3").is_err());
    fields.remove(SET_COOKIE);
    fields.clear();
    assert!(fields.is_empty());
}

#[test]
fn texts() -> Outcome {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
    // What evhttp leaves as it is: unreserved characters (RFC 3986 §2.3).
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    let encoded = utf8_percent_encode("a b/ü-~", RESERVED).to_string();
    assert_eq!(encoded, "a%20b%2F%C3%BC-~");
    assert_eq!(percent_decode_str(&encoded).decode_utf8()?, "a b/ü-~");
    assert_eq!(form_urlencoded::byte_serialize(b"a b").collect::<String>(), "a+b");
    let pairs: Vec<_> = form_urlencoded::parse(b"q=test&s=some+thing&&=&q=").into_owned().collect();
    assert_eq!(pairs[0], ("q".to_owned(), "test".to_owned()));
    assert_eq!(pairs[1], ("s".to_owned(), "some thing".to_owned()));
    assert_eq!(html_escape::encode_quoted_attribute("<a & 'b'>"), "&lt;a &amp; 'b'&gt;".replace('\'', "&#x27;"));
    Ok(())
}

#[test]
fn uris() -> Outcome {
    let uri: Uri = "http://user:secret@[::1]:8080/a/b?q=1#there".parse()?;
    assert_eq!(uri.scheme_str(), Some("http"));
    assert_eq!((uri.host(), uri.port_u16()), (Some("[::1]"), Some(8080)));
    assert_eq!((uri.path(), uri.query()), ("/a/b", Some("q=1")));
    assert_eq!(uri.authority().map(|authority| authority.as_str()), Some("user:secret@[::1]:8080"));
    // A fragment is not part of what is asked for.
    assert!(!uri.to_string().contains("there"));
    let built = Uri::builder().scheme("http").authority("example.com:81").path_and_query("/x?y").build()?;
    assert_eq!(built.to_string(), "http://example.com:81/x?y");
    assert!("http://exa mple/".parse::<Uri>().is_err());
    Ok(())
}

/// What a machine of a server wants to be written, written.
fn written(connection: &mut core_server::Connection) -> Vec<u8> {
    let mut slices = [&b""[..]; 8];
    let count = connection.transmit(&mut slices);
    let bytes = slices[..count].concat();
    connection.handle_sent(bytes.len(), Instant::ZERO);
    bytes
}

#[test]
fn pipelined_bytes_wait_in_the_buffer() -> Outcome {
    let now = Instant::ZERO;
    let mut connection = core_server::Connection::new(Config::default().into(), now);
    assert_eq!(connection.phase(), Phase::Idle);
    let second = &b"GET /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"[..];
    let mut input = BytesMut::from(&[b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n", second].concat()[..]);
    assert!(matches!(connection.poll_event(&mut input, now)?, Some(core_server::Event::Request(_))));
    assert!(matches!(connection.poll_event(&mut input, now)?, Some(core_server::Event::End(_))));
    // `PAUSED`: nothing more is said before the answer, and the rest is where it was.
    assert!(connection.poll_event(&mut input, now)?.is_none());
    assert_eq!(&input[..], second);
    assert_eq!(connection.phase(), Phase::Writing);
    let hello = ResponseHead::new(http_core::StatusCode::OK);
    connection.send_response(&hello, Content::Full(Bytes::from("1")), now)?;
    assert!(written(&mut connection).ends_with(b"\r\n\r\n1"));
    // The next cycle begins by itself.
    assert!(matches!(connection.poll_event(&mut input, now)?, Some(core_server::Event::Request(_))));
    assert!(matches!(connection.poll_event(&mut input, now)?, Some(core_server::Event::End(_))));
    connection.send_response(&hello, Content::Full(Bytes::from("2")), now)?;
    written(&mut connection);
    // The client has asked for the end.
    connection.handle_eof(http_core::End::Clean, now);
    let closed = connection.poll_event(&mut input, now)?;
    assert!(matches!(closed, Some(core_server::Event::Closed(_))), "{closed:?}");
    assert_eq!(connection.phase(), Phase::Disconnected);
    Ok(())
}

#[test]
fn a_client_reads_interim_and_final_responses() -> Outcome {
    let now = Instant::ZERO;
    let mut connection = core_client::Connection::new(Config::default().into(), now);
    let head = RequestHead::new(http_core::Method::Get, "/")?.with("Host", "example.com")?;
    connection.send_request(&head, Content::Empty, now)?;
    let mut slices = [&b""[..]; 8];
    let count = connection.transmit(&mut slices);
    let sent = slices[..count].concat();
    connection.handle_sent(sent.len(), now);
    let mut input = BytesMut::from("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    let mut events = Vec::new();
    while let Some(event) = connection.poll_event(&mut input, now)? {
        events.push(event);
    }
    use core_client::Event;
    assert!(
        matches!(&events[..], [Event::Interim(_), Event::Response(_), Event::Content(_), Event::End(_)]),
        "{events:?}"
    );
    Ok(())
}

#[test]
fn long_content_is_linked() -> Outcome {
    let now = Instant::ZERO;
    let mut connection = core_server::Connection::new(Config::default().into(), now);
    let mut input = BytesMut::from("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    while connection.poll_event(&mut input, now)?.is_some() {}
    let content = Bytes::from(vec![b'x'; 100_000]);
    connection.send_response(&ResponseHead::new(http_core::StatusCode::OK), Content::Full(content.clone()), now)?;
    let mut slices = [&b""[..]; 8];
    let count = connection.transmit(&mut slices);
    // It lies where it lay.
    assert!(slices[..count].iter().any(|slice| slice.as_ptr() == content.as_ptr()));
    Ok(())
}

#[test]
fn faults_are_told_by_section_and_status() -> Outcome {
    let now = Instant::ZERO;
    let mut connection = core_server::Connection::new(Config::default().into(), now);
    let mut input = BytesMut::from("GET / HTTP/1.1\nHost: x\n\n");
    let error = connection.poll_event(&mut input, now).expect_err("a bare LF");
    assert_eq!((error.reason(), error.offset(), error.status_hint().as_u16()), (Reason::BareLf, 14, 400));
    assert!(error.reason().section().contains("9112"), "{}", error.reason().section());
    // What one's own side may not do is a misuse, and changes nothing.
    let mut idle = core_server::Connection::new(Config::default().into(), now);
    let answer = idle.send_response(&ResponseHead::new(http_core::StatusCode::OK), Content::Empty, now);
    assert_eq!(answer, Err(Misuse::NotYourTurn));
    Ok(())
}
