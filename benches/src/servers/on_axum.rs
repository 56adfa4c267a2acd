//! The routes as a router of axum's, served by `axum::serve`.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use http_body_util::BodyExt;
use tokio::net::TcpListener;

use super::Pieces;

const OCTETS: [(HeaderName, &str); 1] = [(CONTENT_TYPE, "application/octet-stream")];

/// Serves what `listener` accepts.
///
/// # Panics
/// Never: `axum::serve` does not end by itself.
pub async fn serve(listener: TcpListener) {
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router()).await.expect("it goes on for ever");
}

// What the example `serve-axum` has.
fn router() -> Router {
    Router::new()
        .route("/plain", get(|| async { ([(CONTENT_TYPE, "text/plain")], "Hello, World!") }))
        .route("/echo", post(|content: Body| async { (OCTETS, content) }))
        .route("/sink", post(sink))
        .route("/bytes/{n}", get(|Path(total)| async move { (OCTETS, Body::new(Pieces::sized(total))) }))
        .route("/chunked/{n}", get(|Path(total)| async move { (OCTETS, Body::new(Pieces::chunked(total))) }))
}

async fn sink(mut content: Body) -> String {
    let mut length = 0;
    while let Some(Ok(frame)) = content.frame().await {
        length += frame.data_ref().map_or(0, |bytes| bytes.len() as u64);
    }
    length.to_string()
}
