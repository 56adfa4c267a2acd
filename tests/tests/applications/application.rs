//! An application as others write them, on axum and tower-http.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::rejection::JsonRejection;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Form, Json, Multipart, OriginalUri, Path, Query, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, TRAILER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use axum::{Router, middleware};
use futures_util::stream::{self, Stream};
use http_body_util::{BodyExt, StreamBody};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{Any, CorsLayer};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::{odd, sockets};

/// What the handlers share.
#[derive(Clone, Debug)]
struct Shop {
    name: Arc<str>,
    prices: Arc<BTreeMap<&'static str, u32>>,
    /// Tells how much a task has read, once it has.
    read: watch::Sender<Option<Result<usize, ()>>>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Order {
    item: String,
    count: u32,
}

#[derive(Debug, Deserialize)]
struct Search {
    q: String,
    page: Option<u32>,
}

/// What goes wrong in a handler, as a response.
enum Fault {
    NoSuchItem(String),
    Broken,
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        match self {
            Self::NoSuchItem(item) => (StatusCode::NOT_FOUND, format!("no {item} here\n")).into_response(),
            Self::Broken => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

/// The application. Whoever serves it says who the peer is, with [`ConnectInfo`].
pub(crate) fn application() -> Router {
    let shop = Shop {
        name: "corner shop".into(),
        prices: Arc::new(BTreeMap::from([("tea", 3), ("milk", 2)])),
        read: watch::Sender::new(None),
    };
    Router::new()
        .merge(extractors())
        .merge(contents())
        .merge(layers())
        .merge(upgrades())
        .merge(faults())
        .route("/odd/{name}", any(odd_answer))
        .fallback(elsewhere)
        .layer(TraceLayer::new_for_http())
        .with_state(shop)
}

/// Tunnels to one place, and nothing at all.
async fn elsewhere(OriginalUri(uri): OriginalUri, request: Request) -> Response {
    let method = request.method();
    if method == Method::CONNECT && uri.host() == Some("echo.example") {
        return sockets::tunnel(request);
    }
    if method == Method::CONNECT && uri.host() == Some("length.example") {
        return ([(CONTENT_LENGTH, "0")], sockets::tunnel(request)).into_response();
    }
    if method == Method::CONNECT && uri.host() == Some("none.example") {
        return (StatusCode::NO_CONTENT, sockets::tunnel(request)).into_response();
    }
    (StatusCode::NOT_FOUND, format!("nothing at {method} {uri}\n")).into_response()
}

/// What is taken out of requests, well and badly formed.
fn extractors() -> Router<Shop> {
    Router::new()
        .route("/plain", get(|| async { "Hello, World!" }))
        .route("/html", get(|| async { Html("<p>Hello</p>") }))
        .route("/unit", get(|| async {}))
        .route("/redirect", get(|| async { Redirect::temporary("/plain") }))
        .route("/state", get(|State(shop): State<Shop>| async move { shop.name.to_string() }))
        .route("/price/{item}", get(price))
        .route("/number/{n}", get(|Path(n): Path<u32>| async move { (n + 1).to_string() }))
        .route("/file/{*path}", get(|Path(path): Path<String>| async move { path }))
        .route(
            "/search",
            get(|Query(search): Query<Search>| async move { format!("{} {:?}\n", search.q, search.page) }),
        )
        .route("/json", post(json))
        .route("/json-rejected", post(json_or_why))
        .route(
            "/form",
            post(|Form(order): Form<Order>| async move { Json(order) })
                .get(|Form(search): Form<Search>| async move { search.q }),
        )
        .route("/upload", post(upload))
        .route("/text", post(|text: String| async move { text }))
        .route("/peer", get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() }))
        .route("/request", any(request))
        .route("/headers", get(headers))
}

async fn price(State(shop): State<Shop>, Path(item): Path<String>) -> Result<String, Fault> {
    let price = shop.prices.get(item.as_str()).ok_or(Fault::NoSuchItem(item))?;
    Ok(format!("{price}\n"))
}

async fn json(Json(order): Json<Order>) -> (StatusCode, Json<Order>) {
    (StatusCode::CREATED, Json(Order { count: order.count.wrapping_add(1), ..order }))
}

async fn json_or_why(order: Result<Json<Order>, JsonRejection>) -> Result<String, (StatusCode, String)> {
    order.map(|Json(order)| order.item).map_err(|why| (why.status(), format!("rejected: {}\n", why.body_text())))
}

async fn upload(mut parts: Multipart) -> Result<String, axum::extract::multipart::MultipartError> {
    let mut told = String::new();
    while let Some(part) = parts.next_field().await? {
        let (name, file) = (part.name().map(str::to_owned), part.file_name().map(str::to_owned));
        told += &format!("{name:?} {file:?} {}\n", part.bytes().await?.len());
    }
    Ok(told)
}

/// The request as it came in.
async fn request(OriginalUri(uri): OriginalUri, request: Request) -> String {
    let version = request.version();
    let host = request.headers().get("host").map(|host| host.as_bytes().escape_ascii().to_string());
    let (scheme, authority, path, query) = (uri.scheme_str(), uri.authority(), uri.path(), uri.query());
    format!("{} {scheme:?} {authority:?} {path:?} {query:?} {version:?}\nhost: {host:?}\n", request.method())
}

/// The fields as they came in.
async fn headers(headers: HeaderMap) -> String {
    let mut lines: Vec<_> =
        headers.iter().map(|(name, value)| format!("{name}: {}\n", value.as_bytes().escape_ascii())).collect();
    lines.sort();
    lines.concat()
}

/// Contents, read and sent in all ways.
fn contents() -> Router<Shop> {
    Router::new()
        .route("/echo", post(|content: Bytes| async { content }))
        .route("/echo-small", post(|content: Bytes| async { content }).layer(DefaultBodyLimit::max(16)))
        .route("/stream", post(|content: Body| async { Body::from_stream(content.into_data_stream()) }))
        .route("/pass", post(|content: Body| async { content }))
        .route("/sink", any(sink))
        .route("/first", post(first))
        .route("/early", any(|| async { "early" }))
        .route("/early-413", post(|| async { StatusCode::PAYLOAD_TOO_LARGE }))
        .route("/early-close", post(|| async { ([("connection", "close")], "early") }))
        .route("/later", post(later))
        .route("/bytes/{n}", get(|Path(n): Path<usize>| async move { Bytes::from(vec![b'0'; n]) }))
        .route("/chunked/{n}", get(|Path(n): Path<usize>| async move { Body::from_stream(pieces(n)) }))
        .route("/trailers", get(trailers).post(read_trailers))
        .route("/events", get(|| async { Sse::new(events(Some(3))).keep_alive(KeepAlive::default()) }))
        .route("/events/endless", get(endless_events))
        .route("/events/silent", get(silent_events))
        .route("/slow", any(slow))
        .route("/hint", any(hint))
        .route("/hint-after", post(hint_after))
        .route("/hand-on", post(hand_on))
        .route("/handed-on", get(handed_on))
}

/// What is known of the content before it is read.
async fn hint(content: Body) -> String {
    let hint = content.size_hint();
    format!("{} {:?} {}\n", hint.lower(), hint.upper(), content.is_end_stream())
}

/// What is known of the content when its first frame is read, and how many more there are.
async fn hint_after(mut content: Body) -> String {
    let first = content.frame().await.is_some_and(|frame| frame.is_ok());
    let (left, ended) = (content.size_hint().exact(), content.is_end_stream());
    let rest = content.frame().await.is_some();
    format!("{first} {left:?} {ended} {rest}\n")
}

/// Answers, and leaves the content to a task.
async fn hand_on(State(shop): State<Shop>, content: Body) -> StatusCode {
    shop.read.send_replace(None);
    tokio::spawn(async move {
        let read = content.collect().await.map(|content| content.to_bytes().len()).map_err(drop);
        shop.read.send_replace(Some(read));
    });
    StatusCode::ACCEPTED
}

async fn handed_on(State(shop): State<Shop>) -> String {
    let mut read = shop.read.subscribe();
    let read = read.wait_for(Option::is_some).await.ok().and_then(|read| *read);
    format!("{read:?}\n")
}

async fn sink(mut content: Body) -> Result<String, Fault> {
    let mut length = 0;
    while let Some(frame) = content.frame().await {
        length += frame.map_err(|_| Fault::Broken)?.data_ref().map_or(0, Bytes::len);
    }
    Ok(length.to_string())
}

/// Answers once the first of the content is there.
async fn first(mut content: Body) -> String {
    match content.frame().await {
        Some(Ok(_)) => "some".to_owned(),
        Some(Err(_)) => "broken".to_owned(),
        None => "none".to_owned(),
    }
}

/// Begins to read the content when the head is out already.
async fn later(content: Body) -> Body {
    let steps = stream::unfold(Some(content), |content| async {
        let length = content?.collect().await.map_or(0, |content| content.to_bytes().len());
        Some((Ok::<_, Infallible>(Bytes::from(length.to_string())), None))
    });
    Body::from_stream(steps)
}

fn pieces(total: usize) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let sizes = (0..total.div_ceil(1000)).map(move |at| (total - at * 1000).min(1000));
    stream::iter(sizes.map(|size| Ok(Bytes::from(vec![b'0'; size]))))
}

async fn trailers() -> impl IntoResponse {
    let fields = HeaderMap::from_iter([(HeaderName::from_static("x-sum"), HeaderValue::from_static("5"))]);
    let frames = [http_body::Frame::data(Bytes::from("hello")), http_body::Frame::trailers(fields)];
    let body = Body::new(StreamBody::new(stream::iter(frames.map(Ok::<_, Infallible>))));
    ([(TRAILER, "x-sum")], body)
}

async fn read_trailers(content: Body) -> Result<String, Fault> {
    let content = content.collect().await.map_err(|_| Fault::Broken)?;
    let trailers = content.trailers().map(|trailers| {
        let lines = trailers.iter().map(|(name, value)| format!("{name}: {}", value.as_bytes().escape_ascii()));
        lines.collect::<Vec<_>>()
    });
    Ok(format!("{trailers:?} behind {}\n", content.to_bytes().len()))
}

fn events(most: Option<u32>) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(0, move |at| async move {
        if most.is_some_and(|most| at == most) {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        Some((Ok(Event::default().event("tick").id(at.to_string()).data(format!("tick {at}\nand more"))), at + 1))
    })
}

async fn endless_events() -> impl IntoResponse {
    Sse::new(events(None))
}

/// Nothing but what keeps the connection alive.
async fn silent_events() -> impl IntoResponse {
    let none = stream::pending::<Result<Event, Infallible>>();
    Sse::new(none).keep_alive(KeepAlive::new().interval(Duration::from_millis(20)).text("still here"))
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(300)).await;
    "slow"
}

/// What tower-http lays around handlers.
fn layers() -> Router<Shop> {
    let site = ServeDir::new(FilePath::new(env!("CARGO_MANIFEST_DIR")).join("tests/applications/site"));
    let cors = CorsLayer::new()
        .allow_origin(["http://a.example".parse().expect("an origin")])
        .allow_methods([Method::GET, Method::PUT])
        .allow_headers([CONTENT_TYPE])
        .max_age(Duration::from_secs(60));
    let mark = SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // A real stack, outermost last.
    let layered = Router::new()
        .route("/plain", get(|| async { "Hello, World! Hello, World! Hello, World!" }))
        .route("/echo", post(|content: Bytes| async { content }))
        .route("/stream", post(|content: Body| async { Body::from_stream(content.into_data_stream()) }))
        .route("/panic", any(panics))
        .route("/bytes/{n}", get(|Path(n): Path<usize>| async move { vec![b'0'; n] }))
        .route("/chunked/{n}", get(|Path(n): Path<usize>| async move { Body::from_stream(pieces(n)) }))
        .route("/odd/{name}", any(odd_answer))
        .layer(CatchPanicLayer::new())
        .layer(mark)
        .layer(RequestBodyLimitLayer::new(64 * 1024))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(5)))
        .layer(CompressionLayer::new())
        .layer(CorsLayer::new().allow_origin(Any));
    Router::new()
        .nest("/layered", layered)
        .nest_service("/site", site.clone())
        .nest_service("/packed", tower::ServiceBuilder::new().layer(CompressionLayer::new()).service(site))
        .route("/cors", get(|| async { "shared" }).put(|| async { "put" }).layer(cors))
        .route("/limited", post(|content: Bytes| async { content }).layer(RequestBodyLimitLayer::new(16)))
        .route("/limited-sink", post(sink).layer(RequestBodyLimitLayer::new(16)))
        .route(
            "/timeout",
            any(std::future::pending::<()>)
                .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, Duration::from_millis(30))),
        )
        .route("/panic-caught", any(panics).layer(CatchPanicLayer::new()))
        .route("/middleware", any(|| async { "inner" }).layer(middleware::from_fn(outer)))
}

/// A layer of the application's own: it reads all content, and hands it on.
async fn outer(request: Request, next: middleware::Next) -> Response {
    let (parts, content) = request.into_parts();
    let Ok(content) = axum::body::to_bytes(content, 1024).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let length = content.len();
    let mut response = next.run(Request::from_parts(parts, content.into())).await;
    response.headers_mut().insert("x-length", length.into());
    response
}

async fn panics() {
    panic!("a handler that panics on purpose");
}

async fn panics_reading(content: Bytes) {
    panic!("a handler that panics on purpose after {} octets", content.len());
}

/// Other protocols behind 101 and `CONNECT`.
fn upgrades() -> Router<Shop> {
    Router::new().route("/ws", any(sockets::echo)).route("/ws-axum", any(axum_socket))
}

/// Sends back what it gets, through axum's own extractor.
async fn axum_socket(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async |mut socket: WebSocket| {
        while let Some(Ok(message)) = socket.recv().await {
            if socket.send(message).await.is_err() {
                break;
            }
        }
    })
}

/// Handlers that fail.
fn faults() -> Router<Shop> {
    Router::new()
        .route("/no-content", any(|| async { StatusCode::NO_CONTENT }))
        .route("/reset-content", any(|| async { StatusCode::RESET_CONTENT }))
        .route("/not-modified", any(|| async { StatusCode::NOT_MODIFIED }))
        .route("/switching", any(|| async { StatusCode::SWITCHING_PROTOCOLS }))
        .route("/early-hints", any(|| async { StatusCode::from_u16(103).expect("a status") }))
        .route("/panic", any(panics))
        .route("/panic-reading", any(panics_reading))
        .route("/fault", any(|| async { Err::<(), _>(Fault::Broken) }))
}

async fn odd_answer(Path(name): Path<String>) -> Response {
    match odd::answer(&name) {
        Some(answer) => answer.map(Body::new),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
