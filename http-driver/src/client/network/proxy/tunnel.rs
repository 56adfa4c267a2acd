//! The way through an HTTP proxy.

use std::sync::Arc;

use http_core::dispatch::{ConnectCause, RequestPhase};
use http_core::{Config, Content, Destination, Method, RequestHead};

use super::url::Proxy;
use crate::client::Connection;
use crate::client::connect_error::{ConnectError, ProxyStatus};
use crate::client::origin::Origin;
use crate::error::Error;
use crate::io::{Runtime, Transport};

/// Asks a proxy for a tunnel (RFC 9110 §9.3.6). Its answer is read as the client reads all others.
pub(crate) async fn tunnel<T: Transport, R: Runtime>(
    transport: T,
    runtime: R,
    origin: &Origin,
    proxy: &Proxy,
    config: &Arc<Config>,
) -> Result<T, ConnectError> {
    let target = format!("{}:{}", origin.host(), origin.port());
    let head = RequestHead::to(Method::Connect, &Destination { authority: Some(&target), ..Default::default() });
    let head = match proxy.authorization() {
        Some(value) => head.and_then(|head| head.with("Proxy-Authorization", &*value)),
        None => head,
    };
    let head = head.map_err(|misuse| ConnectError::new(ConnectCause::Misconfigured, misuse))?;
    let mut connection = Connection::new(transport, runtime, config.clone());
    let answered = async {
        let mut exchange = connection.send(&head, Content::Empty)?;
        let response = exchange.response().await?;
        if response.status().is_success() {
            while exchange.content().await?.is_some() {}
        }
        Ok::<_, Error>(response.status())
    };
    let status = match answered.await {
        Ok(status) => status.as_u16(),
        Err(Error::Io(error)) => return Err(error.into()),
        Err(error) if error.is_timeout() => {
            return Err(ConnectError::new(ConnectCause::TimedOut, error).during(RequestPhase::Proxy));
        }
        Err(error) => return Err(ConnectError::new(ConnectCause::Reset, error)),
    };
    let cause = match status {
        200..=299 => match connection.into_parts() {
            (transport, early) if early.is_empty() => return Ok(transport),
            // TLS is begun by the client: whoever speaks first is not the origin.
            _ => return Err(ConnectError::new(ConnectCause::Forbidden, "the proxy, or what it reached, spoke first")),
        },
        // The proxy could not reach the origin, or has too much to do; it may a little later.
        429 | 502..=504 => ConnectCause::Unreachable,
        _ => ConnectCause::Forbidden,
    };
    Err(match http::StatusCode::from_u16(status) {
        Ok(status) => ConnectError::new(cause, ProxyStatus(status)),
        Err(_) => cause.into(),
    })
}
