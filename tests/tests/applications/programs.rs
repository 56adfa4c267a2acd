//! Programs such as the examples of axum are, with the crates that go with it, each served by `axum::serve` and by
//! ours: what they answer is the same, octet by octet and field by field, and no rule is broken.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::error_handling::HandleErrorLayer;
use axum::extract::{DefaultBodyLimit, Form, FromRequest, Json, Multipart, Path, Query, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{delete, get, patch, post};
use axum::{Router, handler::HandlerWithoutStateExt};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio_util::io::{ReaderStream, StreamReader};
use tower::{BoxError, ServiceBuilder};
use tower_http::compression::CompressionLayer;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::services::{ServeDir, ServeFile};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use crate::compare::compare;
use crate::reader::Answer;
use crate::requests::{How, Row, row};
use crate::rules;
use crate::talk::{Conversation, talk};

/// Serves a program by both, and says where: theirs, and ours.
async fn both(program: impl Fn() -> Router) -> [SocketAddr; 2] {
    let [theirs, ours] = [anywhere().await, anywhere().await];
    let addresses = [&theirs, &ours].map(|listener| listener.local_addr().unwrap());
    // What `talk` asks for behind the rest.
    let program = || program().route("/odd/server", get(|| async { ([("server", "odd/1")], "kept") }));
    let (theirs, ours) = (axum::serve(theirs, program()), http_tokio::axum::serve(ours, program()));
    tokio::spawn(async { theirs.await.unwrap() });
    tokio::spawn(async { ours.await.unwrap() });
    addresses
}

async fn anywhere() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// What differs and may: as `agreed.rs` has it, field, ours, theirs.
const AGREED: &[(&str, &str, &str)] = &[
    // RFC 9110 §15.5.14, §15.5.21: what they are called now.
    ("reason", "Content Too Large", "Payload Too Large"),
    ("reason", "Unprocessable Content", "Unprocessable Entity"),
];

/// The same for a client of old: the version is the server's own (RFC 9110 §2.5), and the end is announced.
const OLD: &[(&str, &str, &str)] = &[("version", "HTTP/1.1", "HTTP/1.0"), ("connection", "close", "(absent)")];

/// One client's part, in the words of both; what both said, which is the same.
async fn say(addresses: [SocketAddr; 2], row: Row) -> Conversation {
    let asked = row.clone();
    let talks = addresses.map(|address| {
        let row = asked.clone();
        tokio::task::spawn_blocking(move || talk(address, &row.steps, &row.methods))
    });
    let [theirs, ours] = talks;
    let (theirs, ours) = (theirs.await.unwrap(), ours.await.unwrap());
    let mut differences = compare(&row.name, &ours, &theirs);
    differences.retain(|found| {
        let old = row.is_old() && OLD.contains(&(&found.what, &found.ours, &found.theirs));
        !old && !AGREED.contains(&(&found.what, &found.ours, &found.theirs))
    });
    differences.extend(rules::broken(&row, &ours));
    let told: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
    ours
}

/// A request with these field lines and this content, answered by both alike.
async fn ask(addresses: [SocketAddr; 2], line: &str, fields: &[&str], content: &str) -> Answer {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    let length =
        if content.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", content.chars().count()) };
    let request = format!("{line} HTTP/1.1\r\nHost: a\r\n{fields}{length}\r\n{content}");
    let conversation = say(addresses, row(line.to_owned(), How::Whole, &request)).await;
    conversation
        .answers
        .into_iter()
        .find(|answer| !answer.is_interim())
        .unwrap_or_else(|| panic!("{line} has no answer"))
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.content).unwrap()
}

/// Octets as `row` has them.
fn as_text(octets: &[u8]) -> String {
    octets.iter().map(|&octet| char::from(octet)).collect()
}

const JSON: &str = "Content-Type: application/json";

/// Things to do, in memory: queries, JSON, paths, a time-out that becomes an answer.
mod todos {
    use super::*;

    #[derive(Clone, Debug, Deserialize, Serialize)]
    struct Todo {
        id: u32,
        text: String,
        completed: bool,
    }

    #[derive(Deserialize)]
    struct Change {
        text: Option<String>,
        completed: Option<bool>,
    }

    #[derive(Deserialize)]
    struct Page {
        offset: Option<usize>,
        limit: Option<usize>,
    }

    type Todos = Arc<Mutex<BTreeMap<u32, Todo>>>;

    async fn index(page: Query<Page>, State(todos): State<Todos>) -> impl IntoResponse {
        let todos = todos.lock().unwrap();
        let page = todos.values().skip(page.offset.unwrap_or(0)).take(page.limit.unwrap_or(usize::MAX));
        Json(page.cloned().collect::<Vec<_>>())
    }

    async fn create(State(todos): State<Todos>, Json(change): Json<Change>) -> impl IntoResponse {
        let mut todos = todos.lock().unwrap();
        let id = u32::try_from(todos.len()).unwrap();
        let todo = Todo { id, text: change.text.unwrap_or_default(), completed: false };
        todos.insert(id, todo.clone());
        (StatusCode::CREATED, Json(todo))
    }

    async fn update(
        Path(id): Path<u32>,
        State(todos): State<Todos>,
        Json(change): Json<Change>,
    ) -> Result<impl IntoResponse, StatusCode> {
        let mut todos = todos.lock().unwrap();
        let todo = todos.get_mut(&id).ok_or(StatusCode::NOT_FOUND)?;
        if let Some(text) = change.text {
            todo.text = text;
        }
        todo.completed = change.completed.unwrap_or(todo.completed);
        Ok(Json(todo.clone()))
    }

    async fn remove(Path(id): Path<u32>, State(todos): State<Todos>) -> StatusCode {
        match todos.lock().unwrap().remove(&id) {
            Some(_) => StatusCode::NO_CONTENT,
            None => StatusCode::NOT_FOUND,
        }
    }

    async fn failed(error: BoxError) -> Result<&'static str, (StatusCode, String)> {
        match error.is::<tower::timeout::error::Elapsed>() {
            true => Ok("too slow"),
            false => Err((StatusCode::INTERNAL_SERVER_ERROR, format!("unhandled: {error}"))),
        }
    }

    fn program() -> Router {
        Router::new()
            .route("/todos", get(index).post(create))
            .route("/todos/{id}", patch(update).delete(remove))
            .route("/stuck", get(|| async { std::future::pending::<()>().await }))
            .layer(
                ServiceBuilder::new()
                    .layer(HandleErrorLayer::new(failed))
                    .load_shed()
                    .timeout(Duration::from_millis(200))
                    .layer(TraceLayer::new_for_http()),
            )
            .with_state(Todos::default())
    }

    #[tokio::test]
    async fn are_kept() {
        let at = both(program).await;
        for (n, name) in ["milk", "J\u{c3}\u{bc}rgen", "tea"].into_iter().enumerate() {
            let made = ask(at, "POST /todos", &[JSON], &format!("{{\"text\":\"{name}\"}}")).await;
            assert!(made.status == 201 && text(&made).contains(&format!("\"id\":{n}")), "{made:?}");
        }
        assert!(text(&ask(at, "PATCH /todos/1", &[JSON], r#"{"completed":true}"#).await).contains("true"));
        assert_eq!(ask(at, "PATCH /todos/9", &[JSON], r#"{"completed":true}"#).await.status, 404);
        assert_eq!(ask(at, "DELETE /todos/0", &[], "").await.status, 204);
        assert_eq!(ask(at, "DELETE /todos/0", &[], "").await.status, 404);
        assert_eq!(
            text(&ask(at, "GET /todos?offset=1&limit=1", &[], "").await),
            r#"[{"id":2,"text":"tea","completed":false}]"#
        );
        assert_eq!(ask(at, "HEAD /todos", &[], "").await.status, 200);
        assert_eq!(text(&ask(at, "GET /stuck", &[], "").await), "too slow");
        // What extractors refuse.
        for (line, fields, content, status) in [
            ("POST /todos", &[][..], "{}", 415),
            ("POST /todos", &[JSON], "{", 400),
            ("POST /todos", &[JSON], "[]", 422),
            ("GET /todos?limit=many", &[], "", 400),
            ("PATCH /todos/first", &[JSON], "{}", 400),
            ("PUT /todos", &[], "", 405),
        ] {
            assert_eq!(ask(at, line, fields, content).await.status, status, "{line}");
        }
    }
}

/// A store of octets by key, with limits, and a part that wants a password.
mod key_value_store {
    use axum::handler::Handler;

    use super::*;

    type Store = Arc<Mutex<BTreeMap<String, Bytes>>>;

    async fn value(Path(key): Path<String>, State(store): State<Store>) -> Result<Bytes, StatusCode> {
        store.lock().unwrap().get(&key).cloned().ok_or(StatusCode::NOT_FOUND)
    }

    async fn set(Path(key): Path<String>, State(store): State<Store>, value: Bytes) {
        store.lock().unwrap().insert(key, value);
    }

    async fn keys(State(store): State<Store>) -> String {
        store.lock().unwrap().keys().map(|key| format!("{key}\n")).collect()
    }

    async fn guard(request: Request, next: Next) -> Response {
        match request.headers().get(AUTHORIZATION) {
            Some(value) if value == "Bearer secret" => next.run(request).await,
            _ => (StatusCode::UNAUTHORIZED, [("www-authenticate", "Bearer")]).into_response(),
        }
    }

    fn program() -> Router {
        let admin = Router::new()
            .route("/keys", delete(|State(store): State<Store>| async move { store.lock().unwrap().clear() }))
            .layer(from_fn(guard));
        Router::new()
            .route(
                "/store/{key}",
                get(value.layer(CompressionLayer::new()))
                    .post(set.layer((DefaultBodyLimit::disable(), RequestBodyLimitLayer::new(1024)))),
            )
            .route("/keys", get(keys))
            .nest("/admin", admin)
            .layer(ServiceBuilder::new().concurrency_limit(100).layer(TraceLayer::new_for_http()))
            .with_state(Store::default())
    }

    #[tokio::test]
    async fn keeps_what_is_not_too_large() {
        let at = both(program).await;
        let long = "long ".repeat(100);
        for (key, content) in [("a", "1"), ("long", long.as_str()), ("%C3%BC", "\u{0}\u{ff}\r\n\r\n")] {
            assert_eq!(ask(at, &format!("POST /store/{key}"), &[], content).await.status, 200);
            assert_eq!(as_text(&ask(at, &format!("GET /store/{key}"), &[], "").await.content), content);
        }
        let small = ask(at, "GET /store/a", &["Accept-Encoding: gzip"], "").await;
        assert_eq!(small.values("content-encoding").count(), 0);
        let packed = ask(at, "GET /store/long", &["Accept-Encoding: gzip"], "").await;
        assert!(packed.values("content-encoding").eq(["gzip"]) && packed.content.len() < long.len());
        assert_eq!(ask(at, "GET /store/none", &[], "").await.status, 404);
        assert_eq!(ask(at, "POST /store/b", &[], &"x".repeat(1025)).await.status, 413);
        let chunks = "POST /store/b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        say(at, row("chunks".to_owned(), How::Pieces(7), chunks)).await;
        assert_eq!(text(&ask(at, "GET /store/b", &[], "").await), "abc");
        assert_eq!(ask(at, "DELETE /admin/keys", &[], "").await.status, 401);
        assert_eq!(ask(at, "DELETE /admin/keys", &["Authorization: Bearer secret"], "").await.status, 200);
        assert_eq!(ask(at, "GET /keys", &[], "").await.status, 200);
    }
}

/// Files, a page for whatever is not there, and one application below another.
mod static_files {
    use super::*;

    fn folder() -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("programs-files-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("deep")).unwrap();
        let letters: String = ('a'..='z').cycle().take(100_000).collect();
        for (name, content) in
            [("index.html", "<p>Hello"), ("letters.txt", &letters[..]), ("empty", ""), ("deep/index.html", "deep")]
        {
            std::fs::write(folder.join(name), content).unwrap();
        }
        let mut packed = GzEncoder::new(vec![], Compression::fast());
        packed.write_all(letters.as_bytes()).unwrap();
        std::fs::write(folder.join("letters.txt.gz"), packed.finish().unwrap()).unwrap();
        folder
    }

    #[tokio::test]
    async fn are_served() {
        async fn nowhere(uri: Uri) -> (StatusCode, Html<String>) {
            (StatusCode::NOT_FOUND, Html(format!("<p>no {}", uri.path())))
        }
        let folder = folder();
        let at = both(|| {
            let assets = ServeDir::new(&folder).precompressed_gzip().not_found_service(nowhere.into_service());
            Router::new()
                .nest_service("/assets", assets)
                .route_service("/one", ServeFile::new(folder.join("letters.txt")))
                .fallback_service(ServeDir::new(&folder).fallback(ServeFile::new(folder.join("index.html"))))
        })
        .await;
        let whole = ask(at, "GET /assets/letters.txt", &[], "").await;
        let modified = format!("If-Modified-Since: {}", whole.values("last-modified").next().unwrap());
        for (line, fields, status) in [
            ("GET /", &[][..], 200),
            ("HEAD /assets/letters.txt", &[], 200),
            ("GET /assets/letters.txt", &["Accept-Encoding: gzip"], 200),
            ("GET /assets/letters.txt", &["Range: bytes=10-19"], 206),
            ("GET /assets/letters.txt", &["Range: bytes=-5"], 206),
            ("GET /assets/letters.txt", &["Range: bytes=99999-"], 206),
            ("GET /assets/letters.txt", &["Range: bytes=100000-"], 416),
            ("GET /assets/letters.txt", &["Range: bytes=0-1,3-4"], 416),
            ("GET /assets/letters.txt", &[modified.as_str()], 304),
            ("HEAD /assets/letters.txt", &[modified.as_str()], 304),
            ("GET /assets/letters.txt", &["If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT"], 412),
            ("GET /assets/empty", &[], 200),
            ("GET /assets/none", &[], 404),
            ("GET /assets/deep", &[], 307),
            ("GET /assets/deep/", &[], 200),
            ("GET /assets/../secret", &[], 404),
            ("GET /one", &["Range: bytes=3-3"], 206),
            ("GET /whatever/there/is", &[], 200),
            ("POST /assets/letters.txt", &[], 405),
        ] {
            assert_eq!(ask(at, line, fields, "").await.status, status, "{line} {fields:?}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}

/// A form with files, as browsers send it.
mod multipart_form {
    use super::*;

    async fn accept(mut parts: Multipart) -> Result<String, axum::extract::multipart::MultipartError> {
        let mut told = String::new();
        while let Some(part) = parts.next_field().await? {
            let names = [part.name(), part.file_name(), part.content_type()].map(|name| name.unwrap_or("-").to_owned());
            let length = part.bytes().await?.len();
            told.push_str(&format!("{} {length}\n", names.join(" ")));
        }
        Ok(told)
    }

    fn program() -> Router {
        Router::new()
            .route("/", get(|| async { Html("<form method=post enctype=multipart/form-data>") }).post(accept))
            .layer((DefaultBodyLimit::disable(), RequestBodyLimitLayer::new(256 * 1024)))
    }

    #[tokio::test]
    async fn is_read_part_by_part() {
        let at = both(program).await;
        let kind = "Content-Type: multipart/form-data; boundary=XX";
        let part =
            |head: &str, content: &str| format!("--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n");
        let file = part("name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain", &"x".repeat(100_000));
        let form = format!("{}{file}--XX--\r\n", part("name=\"word\"", "hello"));
        assert_eq!(text(&ask(at, "POST /", &[kind], &form).await), "word - - 5\nfile a.txt text/plain 100000\n");
        let expecting = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n{kind}\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        let conversation = say(at, row("expecting".to_owned(), How::AfterHead, &expecting)).await;
        assert_eq!(conversation.answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [100, 200]);
        let pieces: String =
            form.as_bytes().chunks(999).map(|piece| format!("{:x}\r\n{}\r\n", piece.len(), as_text(piece))).collect();
        let chunked =
            format!("POST / HTTP/1.1\r\nHost: a\r\n{kind}\r\nTransfer-Encoding: chunked\r\n\r\n{pieces}0\r\n\r\n");
        say(at, row("chunked".to_owned(), How::Pieces(8000), &chunked)).await;
        assert_eq!(ask(at, "POST /", &[kind], &form[..form.len() - 8]).await.status, 400);
        assert_eq!(ask(at, "POST /", &["Content-Type: text/plain"], "x").await.status, 400);
    }
}

/// What is compressed on its way in and on its way out.
mod compression {
    use super::*;

    fn program() -> Router {
        Router::new()
            .route("/", post(|Json(value): Json<serde_json::Value>| async move { Json(value) }))
            .route(
                "/stream",
                get(|| async {
                    Body::from_stream(stream::iter((0..50).map(|n| Ok::<_, Infallible>(format!("{n:0>99}\n")))))
                }),
            )
            .layer(ServiceBuilder::new().layer(RequestDecompressionLayer::new()).layer(CompressionLayer::new()))
    }

    #[tokio::test]
    async fn goes_both_ways() {
        let at = both(program).await;
        let value = format!("[{}0]", "12345,".repeat(100));
        let mut packed = GzEncoder::new(vec![], Compression::best());
        packed.write_all(value.as_bytes()).unwrap();
        let packed = as_text(&packed.finish().unwrap());
        assert_eq!(text(&ask(at, "POST /", &[JSON, "Content-Encoding: gzip"], &packed).await), value);
        let answer = ask(at, "POST /", &[JSON, "Content-Encoding: gzip", "Accept-Encoding: gzip"], &packed).await;
        assert!(answer.values("content-encoding").eq(["gzip"]));
        assert_eq!(ask(at, "POST /", &[JSON, "Content-Encoding: zip"], &packed).await.status, 415);
        assert_eq!(ask(at, "POST /", &[JSON, "Content-Encoding: gzip"], &packed[..30]).await.status, 400);
        assert_eq!(ask(at, "GET /stream", &["Accept-Encoding: gzip"], "").await.status, 200);
        assert_eq!(ask(at, "GET /stream", &[], "").await.content.len(), 5000);
        assert_eq!(ask(at, "HEAD /stream", &["Accept-Encoding: gzip"], "").await.status, 200);
    }
}

/// Who somebody is, by cookies and by sessions, and forms that lead on.
mod cookies {
    use super::*;

    #[derive(Deserialize)]
    struct Login {
        name: String,
    }

    async fn login(jar: CookieJar, Form(login): Form<Login>) -> (CookieJar, Redirect) {
        let cookie = Cookie::build(("name", login.name)).path("/").http_only(true).same_site(SameSite::Lax);
        (jar.add(cookie), Redirect::to("/me"))
    }

    async fn me(jar: CookieJar) -> Result<String, (StatusCode, Redirect)> {
        jar.get("name").map(|name| format!("Hello, {}", name.value())).ok_or((StatusCode::SEE_OTHER, Redirect::to("/")))
    }

    async fn visit(session: Session) -> Result<String, StatusCode> {
        let visits: u32 = session.get("visits").await.ok().flatten().unwrap_or(0);
        session.insert("visits", visits + 1).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        Ok(format!("visit {}", visits + 1))
    }

    fn program() -> Router {
        Router::new()
            .route("/login", post(login))
            .route("/logout", post(|jar: CookieJar| async { (jar.remove("name"), Redirect::to("/")) }))
            .route("/me", get(me))
            .route("/visit", get(visit))
            .layer(SessionManagerLayer::new(MemoryStore::default()).with_secure(false))
    }

    #[tokio::test]
    async fn tell_who_it_is() {
        let at = both(program).await;
        let form = "Content-Type: application/x-www-form-urlencoded";
        let answer = ask(at, "POST /login", &[form], "name=Ada").await;
        assert!(answer.values("set-cookie").eq(["name=Ada; HttpOnly; SameSite=Lax; Path=/"]), "{answer:?}");
        assert!(answer.status == 303 && answer.values("location").eq(["/me"]), "{answer:?}");
        // One line or two, as clients have it.
        assert_eq!(text(&ask(at, "GET /me", &["Cookie: a=b; name=Ada"], "").await), "Hello, Ada");
        assert_eq!(text(&ask(at, "GET /me", &["Cookie: a=b", "Cookie: name=Ada"], "").await), "Hello, Ada");
        assert_eq!(ask(at, "GET /me", &["Cookie: nam=e"], "").await.status, 303);
        assert_eq!(ask(at, "POST /login", &[form], "nam=e").await.status, 422);
    }

    #[tokio::test]
    async fn of_sessions_go_on() {
        // Each has sessions of its own, whose names are random: both are asked by themselves.
        let at = both(program).await;
        let trial = move |address| {
            let visit = |cookie: &str| {
                let bytes = format!("GET /visit HTTP/1.1\r\nHost: a\r\n{cookie}\r\n");
                let Row { steps, methods, .. } = row("visit".to_owned(), How::Whole, &bytes);
                let answer = talk(address, &steps, &methods).answers.remove(0);
                let cookie = answer.values("set-cookie").next().map(str::to_owned);
                (text(&answer).to_owned(), cookie)
            };
            let (said, cookie) = visit("");
            let cookie = cookie.unwrap();
            let (pair, attributes) = cookie.split_once(';').unwrap();
            let again = format!("Cookie: {pair}\r\n");
            [said, attributes.to_owned(), visit(&again).0, visit(&again).0, visit("").0]
        };
        let [theirs, ours] = at.map(|address| tokio::task::spawn_blocking(move || trial(address)));
        let (theirs, ours) = (theirs.await.unwrap(), ours.await.unwrap());
        assert_eq!(theirs, ours);
        assert_eq!(ours[2..], ["visit 2", "visit 3", "visit 1"]);
    }
}

/// A middleware that reads what comes and what goes, and an extractor that does the same.
mod consumed_content {
    use http_body_util::BodyExt;

    use super::*;

    async fn printed(request: Request, next: Next) -> Result<Response, (StatusCode, String)> {
        let (parts, body) = request.into_parts();
        let content = body.collect().await.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?.to_bytes();
        let length = content.len();
        let (mut parts, body) = next.run(Request::from_parts(parts, Body::from(content))).await.into_parts();
        let content = body.collect().await.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
        parts.headers.insert("x-read", HeaderValue::from(length));
        parts.headers.insert("x-trailers", HeaderValue::from(content.trailers().map_or(0, HeaderMap::len)));
        Ok(Response::from_parts(parts, Body::from(content.to_bytes())))
    }

    /// JSON or a form, as the request says.
    struct Either<T>(T);

    impl<S: Send + Sync, T: for<'a> Deserialize<'a> + 'static> FromRequest<S> for Either<T> {
        type Rejection = Response;

        async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
            let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
            if kind.starts_with("application/json") {
                let Json(value) = Json::from_request(request, state).await.map_err(IntoResponse::into_response)?;
                return Ok(Self(value));
            }
            let Form(value) = Form::from_request(request, state).await.map_err(IntoResponse::into_response)?;
            Ok(Self(value))
        }
    }

    #[derive(Deserialize, Serialize)]
    struct Name {
        name: String,
    }

    fn program() -> Router {
        Router::new()
            .route("/", post(|Either(name): Either<Name>| async { name.name }))
            .route("/echo", post(|content: Body| async { content }))
            .layer(from_fn(printed))
    }

    #[tokio::test]
    async fn is_given_on() {
        let at = both(program).await;
        assert_eq!(text(&ask(at, "POST /", &[JSON], r#"{"name":"Ada"}"#).await), "Ada");
        let form = "Content-Type: application/x-www-form-urlencoded";
        assert_eq!(text(&ask(at, "POST /", &[form], "name=Ada+L%C3%B6").await), "Ada L\u{f6}");
        assert_eq!(ask(at, "POST /", &["Content-Type: text/plain"], "name").await.status, 415);
        let large = "x".repeat(300_000);
        assert_eq!(ask(at, "POST /echo", &[], &large).await.content.len(), large.len());
        let trailers = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n\
                        2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n";
        let conversation = say(at, row("trailers".to_owned(), How::Whole, trailers)).await;
        assert_eq!(conversation.answers[0].content, b"ab");
        // Whose content does not come whole.
        let cut = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nab";
        let request = row("cut".to_owned(), How::HalfClosed, cut);
        let [theirs, ours] = at.map(|address| {
            let request = request.clone();
            tokio::task::spawn_blocking(move || talk(address, &request.steps, &request.methods))
        });
        let statuses = |talk: &Conversation| talk.answers.iter().map(|answer| answer.status).collect::<Vec<_>>();
        assert_eq!((statuses(&theirs.await.unwrap()), statuses(&ours.await.unwrap())), (vec![400], vec![400]));
    }
}

/// Content that becomes a file while it comes, and a file that is sent while it is read.
mod streams_and_files {
    use super::*;

    async fn save(
        State(folder): State<std::path::PathBuf>,
        Path(name): Path<String>,
        request: Request,
    ) -> Result<String, (StatusCode, String)> {
        let content = request.into_body().into_data_stream().map_err(std::io::Error::other);
        let mut reader = std::pin::pin!(StreamReader::new(content));
        let saved = async {
            let mut file = tokio::fs::File::create(folder.join(name)).await?;
            tokio::io::copy(&mut reader, &mut file).await
        };
        saved.await.map(|length| length.to_string()).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))
    }

    async fn load(
        State(folder): State<std::path::PathBuf>,
        Path(name): Path<String>,
    ) -> Result<impl IntoResponse, StatusCode> {
        let file = tokio::fs::File::open(folder.join(name)).await.map_err(|_| StatusCode::NOT_FOUND)?;
        Ok(([("content-disposition", "attachment")], Body::from_stream(ReaderStream::new(file))))
    }

    async fn lines(request: Request) -> String {
        let content = request.into_body().into_data_stream().map_err(std::io::Error::other);
        let mut text = String::new();
        match BufReader::new(StreamReader::new(content)).read_to_string(&mut text).await {
            Ok(_) => format!("{} lines", text.lines().count()),
            Err(error) => error.kind().to_string(),
        }
    }

    #[tokio::test]
    async fn are_the_same_octets() {
        let folders = std::sync::atomic::AtomicUsize::new(0);
        let base = std::env::temp_dir().join(format!("programs-streams-{}", std::process::id()));
        let at = both(|| {
            let folder = base.join(folders.fetch_add(1, std::sync::atomic::Ordering::SeqCst).to_string());
            std::fs::create_dir_all(&folder).unwrap();
            Router::new()
                .route("/file/{name}", post(save).get(load))
                .route("/lines", post(lines))
                .layer(DefaultBodyLimit::disable())
                .with_state(folder)
        })
        .await;
        let noise: String = (0..300_000_u32).map(|n| char::from((n.wrapping_mul(2_654_435_761) >> 24) as u8)).collect();
        assert_eq!(text(&ask(at, "POST /file/noise", &[], &noise).await), "300000");
        assert_eq!(as_text(&ask(at, "GET /file/noise", &[], "").await.content), noise);
        assert_eq!(ask(at, "GET /file/none", &[], "").await.status, 404);
        assert_eq!(ask(at, "HEAD /file/noise", &[], "").await.status, 200);
        assert_eq!(text(&ask(at, "POST /lines", &[], "a\nb\n").await), "2 lines");
        let old = "GET /file/noise HTTP/1.0\r\n\r\n";
        let conversation = say(at, row("old".to_owned(), How::Whole, old)).await;
        assert_eq!(as_text(&conversation.answers[0].content), noise);
        std::fs::remove_dir_all(base).unwrap();
    }
}

/// A proxy whose client is ours, with streams both ways.
mod reverse_proxy {
    use super::*;

    async fn origin() -> SocketAddr {
        let told = |headers: HeaderMap, uri: Uri| async move {
            let mut names: Vec<_> = headers.keys().map(ToString::to_string).collect();
            names.sort();
            (StatusCode::IM_A_TEAPOT, [("x-origin", "1"), ("set-cookie", "a=1")], format!("{uri} {names:?}"))
        };
        let router = Router::new()
            .route("/echo", post(|content: Body| async { content }))
            .route(
                "/events",
                get(|| async {
                    Body::from_stream(stream::iter(["a", "b", "c"]).then(|word| async move {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                        Ok::<_, Infallible>(word)
                    }))
                }),
            )
            .fallback(told);
        let listener = anywhere().await;
        let address = listener.local_addr().unwrap();
        tokio::spawn(async { axum::serve(listener, router).await });
        address
    }

    #[tokio::test]
    async fn passes_on_what_there_is() {
        let origin = origin().await;
        let at = both(|| {
            let client = http_tokio::client(Default::default());
            let pass = move |mut request: Request| {
                let client = client.clone();
                async move {
                    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
                    *request.uri_mut() = format!("http://{origin}{path}").parse().unwrap();
                    request.headers_mut().remove("host");
                    match client.request(request).await {
                        Ok(response) => response.map(Body::new),
                        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
                    }
                }
            };
            Router::new()
                .fallback(pass)
                .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(5)))
        })
        .await;
        let answer = ask(at, "GET /there?a=b", &["Accept: */*"], "").await;
        assert_eq!((answer.status, text(&answer)), (418, r#"/there?a=b ["accept", "host"]"#));
        assert_eq!(text(&ask(at, "GET /events", &[], "").await), "abc");
        let large = "y".repeat(400_000);
        assert_eq!(ask(at, "POST /echo", &[], &large).await.content.len(), large.len());
        let chunked =
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";
        let conversation = say(at, row("chunked".to_owned(), How::Pieces(9), chunked)).await;
        assert_eq!(conversation.answers[0].content, b"hello!");
        assert_eq!(ask(at, "HEAD /there", &[], "").await.status, 418);
    }
}

/// Lines of JSON, both ways, and answers of several kinds by what a client accepts.
mod json_lines {
    use super::*;

    async fn doubled(request: Request) -> Response {
        let content = request.into_body().into_data_stream().map_err(std::io::Error::other);
        let reader = BufReader::new(StreamReader::new(content));
        let lines = stream::unfold(reader, |mut reader| async {
            let mut line = String::new();
            match tokio::io::AsyncBufReadExt::read_line(&mut reader, &mut line).await {
                Ok(0) | Err(_) => None,
                Ok(_) => {
                    let n: i64 = serde_json::from_str(&line).unwrap_or(0);
                    Some((Ok::<_, Infallible>(format!("{}\n", 2 * n)), reader))
                }
            }
        });
        ([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
    }

    async fn versions(Path(version): Path<String>, headers: HeaderMap) -> Response {
        match (version.as_str(), headers.get("accept").map(HeaderValue::as_bytes)) {
            ("v1", Some(b"application/json")) => Json(serde_json::json!({ "version": 1 })).into_response(),
            ("v1", _) => "version 1".into_response(),
            ("v2", _) => (StatusCode::PERMANENT_REDIRECT, [(LOCATION, "/v1")]).into_response(),
            _ => (StatusCode::NOT_FOUND, "no such version").into_response(),
        }
    }

    #[tokio::test]
    async fn come_one_by_one() {
        let at = both(|| Router::new().route("/lines", post(doubled)).route("/api/{version}", get(versions))).await;
        assert_eq!(text(&ask(at, "POST /lines", &[], "1\n2\n20\n").await), "2\n4\n40\n");
        let chunks =
            "POST /lines HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n1\n2\r\n2\r\n0\n\r\n0\r\n\r\n";
        let conversation = say(at, row("chunks".to_owned(), How::Pieces(5), chunks)).await;
        assert_eq!(conversation.answers[0].content, b"2\n40\n");
        assert_eq!(text(&ask(at, "GET /api/v1", &["Accept: application/json"], "").await), r#"{"version":1}"#);
        assert_eq!(ask(at, "GET /api/v2", &[], "").await.status, 308);
        // One connection, request after request, each answered when it was asked.
        let three = ["GET", "HEAD", "GET"];
        let bytes: String = three
            .iter()
            .zip(["v1", "v1", "v3"])
            .map(|(method, path)| format!("{method} /api/{path} HTTP/1.1\r\nHost: a\r\n\r\n"))
            .collect();
        for how in [How::Pipelined(&["GET", "HEAD", "GET"]), How::OneByOne(&["GET", "HEAD", "GET"])] {
            let conversation = say(at, row("three".to_owned(), how, &bytes)).await;
            assert_eq!(conversation.answers.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 200, 404]);
        }
    }
}
