//! The book's programs, and what sets their scene.
//!
//! The chapters in `src` are the documentation of the modules below, so `cargo test -p docs --doc` compiles and runs
//! each program in them.

use std::convert::Infallible;
use std::io;

use http::{Request, Response};
use http_tokio::{Full, Incoming, Server};

/// Serves on a port of its own until the program ends, and says where.
///
/// # Errors
/// There is no port.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> std::io::Result<()> {
/// let origin = docs::serve(docs::echo()).await?;
/// assert!(origin.starts_with("http://127.0.0.1:"));
/// # Ok(())
/// # }
/// ```
pub async fn serve<S, B>(service: S) -> io::Result<String>
where
    S: tower_service::Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
    B: http_tokio::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    tokio::spawn(Server::new().serve(listener, service));
    Ok(origin)
}

/// A service that sends back what it is sent.
#[must_use]
pub fn echo()
-> impl tower_service::Service<Request<Incoming>, Response = Response<Incoming>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    http_tokio::service_fn(|request: Request<Incoming>| async move { Ok(Response::new(request.into_body())) })
}

/// A service that answers everything alike.
#[must_use]
pub fn always(
    text: &'static str,
) -> impl tower_service::Service<Request<Incoming>, Response = Response<Full>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    http_tokio::service_fn(move |_: Request<Incoming>| async move { Ok(Response::new(Full::from(text))) })
}

/// The chapters, each as the documentation of a module.
macro_rules! chapters {
    ($($name:ident = $path:literal),* $(,)?) => {
        $(#[doc = include_str!(concat!("src/", $path, ".md"))] pub mod $name {})*
    };
}

chapters! {
    readme = "README",
    first = "first",
    machine = "machine",
    recipes = "recipes",
    recipes_limit = "recipes/limit",
    recipes_json = "recipes/json",
    recipes_files = "recipes/files",
    recipes_progress = "recipes/progress",
    recipes_streaming = "recipes/streaming",
    recipes_events_out = "recipes/events-out",
    recipes_events_in = "recipes/events-in",
    recipes_websockets = "recipes/websockets",
    recipes_timeouts = "recipes/timeouts",
    recipes_retries = "recipes/retries",
    recipes_waiting = "recipes/waiting",
    recipes_proxies = "recipes/proxies",
    recipes_tls = "recipes/tls",
    recipes_client_certificates = "recipes/client-certificates",
    recipes_reload = "recipes/reload",
    recipes_unix = "recipes/unix",
    recipes_reverse_proxy = "recipes/reverse-proxy",
    recipes_shutdown = "recipes/shutdown",
    recipes_slow_clients = "recipes/slow-clients",
    recipes_behind = "recipes/behind",
    recipes_processes = "recipes/processes",
    recipes_seeing = "recipes/seeing",
    recipes_tracing = "recipes/tracing",
    recipes_metrics = "recipes/metrics",
    recipes_memory = "recipes/memory",
    recipes_runtime = "recipes/runtime",
    recipes_axum = "recipes/axum",
    recipes_layers = "recipes/layers",
    recipes_early_hints = "recipes/early-hints",
    recipes_gone = "recipes/gone",
    moving = "moving",
    moving_evhttp = "moving/evhttp",
    moving_hyper = "moving/hyper",
    moving_axum = "moving/axum",
    moving_reqwest = "moving/reqwest",
    moving_h11 = "moving/h11",
    performance = "performance",
    features = "features",
}
