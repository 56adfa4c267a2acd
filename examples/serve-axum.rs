//! An axum `Router` served by this engine, to measure and to test against: `serve-axum --port N [--threads T]`.
//!
//! Listens on 127.0.0.1 and prints one line when it is ready. SIGTERM ends it once open exchanges are answered, after
//! 1.5 s in any case.

#[path = "shared/args.rs"]
mod args;
// What the routers of other programs need is not used here.
#[expect(dead_code)]
#[path = "shared/routes.rs"]
mod routes;
#[expect(dead_code)]
#[path = "shared/service.rs"]
mod service;
#[path = "shared/threads.rs"]
mod threads;

use http_tokio as engine;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::Path;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use http_tokio::Server;
use tokio::signal::unix::{SignalKind, signal};

use routes::pieces;
use service::Answer;

const OCTETS: [(HeaderName, &str); 1] = [(CONTENT_TYPE, "application/octet-stream")];

/// How long open exchanges have once the server is told to end.
const DRAIN: Duration = Duration::from_millis(1500);

fn main() {
    let usage = "serve-axum --port N [--threads T]";
    let args = args::Args::parse(usage, &["port", "threads"]);
    let (port, threads) = (args.get(usage, "port", 0), args.get(usage, "threads", 1));
    if threads == 0 {
        args::fail(usage, "--threads is at least 1");
    }
    let announce = |port| println!("serving http://127.0.0.1:{port}/ on {threads} thread(s), an axum router");
    threads::serve_on(threads, port, announce, |listener| async {
        let mut term = signal(SignalKind::terminate()).expect("a signal");
        let told = async move { _ = term.recv().await };
        let serving = http_tokio::axum::serve(listener, router()).with_graceful_shutdown(told);
        serving.with_server(Server::new().drain(DRAIN)).await.expect("there are no errors");
    });
}

fn router() -> Router {
    Router::new()
        .route("/plain", get(|| async { ([(CONTENT_TYPE, "text/plain")], "Hello, World!") }))
        .route("/echo", post(|content: Body| async { (OCTETS, content) }))
        .route("/sink", post(sink))
        .route("/bytes/{n}", get(bytes))
        .route("/chunked/{n}", get(chunked))
}

async fn sink(mut content: Body) -> String {
    let mut length = 0;
    while let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut content).poll_frame(cx)).await {
        length += frame.data_ref().map_or(0, |bytes| bytes.len() as u64);
    }
    length.to_string()
}

async fn bytes(Path(total): Path<u64>) -> impl IntoResponse {
    (OCTETS, Body::new(Answer::Pieces(Box::new(pieces(total, false).map(Ok)), Some(total))))
}

async fn chunked(Path(total): Path<u64>) -> impl IntoResponse {
    (OCTETS, Body::new(Answer::Pieces(Box::new(pieces(total, true).map(Ok)), None)))
}
