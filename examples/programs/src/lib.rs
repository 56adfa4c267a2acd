//! What these programs share: how they begin and end, and a few answers.

pub mod websocket;

use std::future::pending;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use http_tokio::{Body, Server};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// Whatever goes wrong.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// A response with whatever body.
pub type Answer = Response<UnsyncBoxBody<Bytes, Error>>;

/// An answer with this body.
pub fn with_body<B>(status: StatusCode, content_type: &'static str, body: B) -> Answer
where
    B: Body<Data = Bytes, Error: Into<Error>> + Send + 'static,
{
    let mut answer = Response::new(body.map_err(Into::into).boxed_unsync());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    answer
}

/// An answer that is a line of text.
pub fn text(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    with_body(status, "text/plain; charset=utf-8", Full::new(text.into()))
}

/// A page.
#[must_use]
pub fn page(html: &'static str) -> Answer {
    with_body(StatusCode::OK, "text/html; charset=utf-8", Full::from(html))
}

/// Listens on 127.0.0.1, and says where: `serving http://127.0.0.1:8080/`.
///
/// # Errors
/// The port is taken.
pub async fn listen(scheme: &str, port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("serving {scheme}://{}/", listener.local_addr()?);
    Ok(listener)
}

/// A server that ends in order at SIGTERM or Ctrl-C.
///
/// # Errors
/// There are no signals here.
pub fn server() -> io::Result<Server> {
    let mut term = signal(SignalKind::terminate())?;
    Ok(Server::new().drain(Duration::from_secs(5)).shutdown_when(async move {
        tokio::select! {
            _ = term.recv() => {}
            told = tokio::signal::ctrl_c() => if told.is_err() { pending::<()>().await },
        }
    }))
}
