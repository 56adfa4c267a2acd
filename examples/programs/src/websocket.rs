//! A client's side of a WebSocket's handshake (RFC 6455 §4.1), over this engine's own client: with its pool, its
//! proxies, its TLS. What comes of it is the stream that a library of WebSockets goes on with.

use http::header::{HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY};
use http::uri::Scheme;
use http::{Request, Response, StatusCode, Uri};
use http_tokio::{Incoming, Tunnel, Upgrade};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::Error;

/// The request that asks for the WebSocket at a URL, and how a server that agrees shows that it has read it.
///
/// # Errors
/// The URL is none of `ws:` or `wss:`.
pub fn request(url: &str) -> Result<(Request<()>, String), Error> {
    let mut request = url.into_client_request()?;
    let mut parts = request.uri().clone().into_parts();
    parts.scheme = Some(match parts.scheme.as_ref().map(Scheme::as_str) {
        Some("ws") => Scheme::HTTP,
        Some("wss") => Scheme::HTTPS,
        _ => return Err("a WebSocket's URL begins with ws: or wss:".into()),
    });
    *request.uri_mut() = Uri::from_parts(parts)?;
    // The client's own says the same.
    request.headers_mut().remove(HOST);
    let accept = derive_accept_key(request.headers()[SEC_WEBSOCKET_KEY].as_bytes());
    Ok((request, accept))
}

/// What is left of the connection, if the server has agreed.
///
/// # Errors
/// It has not, or the connection has ended.
pub async fn tunnel(response: Response<Incoming>, accept: &str) -> Result<Tunnel, Error> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(format!("the server answers {}", response.status()).into());
    }
    if response.headers().get(SEC_WEBSOCKET_ACCEPT).is_none_or(|value| value != accept) {
        return Err("the server has not read the request".into());
    }
    let upgrade = response.extensions().get::<Upgrade>().cloned().ok_or("the connection is not handed over")?;
    Ok(upgrade.await?)
}
