//! The way through an HTTP proxy.

use std::sync::Arc;

use http_core::dispatch::ConnectCause;
use http_core::{Config, Content, Destination, Method, RequestHead};

use super::url::Proxy;
use crate::client::Connection;
use crate::client::origin::{Origin, connect_cause};
use crate::error::Error;
use crate::io::{Runtime, Transport};

/// Asks a proxy for a tunnel (RFC 9110 §9.3.6). Its answer is read as the client reads all others.
pub(crate) async fn tunnel<T: Transport, R: Runtime>(
    transport: T,
    runtime: R,
    origin: &Origin,
    proxy: &Proxy,
    config: &Arc<Config>,
) -> Result<T, ConnectCause> {
    let target = format!("{}:{}", origin.host(), origin.port());
    let head = RequestHead::to(Method::Connect, &Destination { authority: Some(&target), ..Default::default() });
    let head = match proxy.authorization() {
        Some(value) => head.and_then(|head| head.with("Proxy-Authorization", &*value)),
        None => head,
    };
    let head = head.map_err(|_| ConnectCause::Misconfigured)?;
    let mut connection = Connection::new(transport, runtime, config.clone());
    let answered = async {
        let mut exchange = connection.send(&head, Content::Empty)?;
        let response = exchange.response().await?;
        if response.status().is_success() {
            while exchange.content().await?.is_some() {}
        }
        Ok::<_, Error>(response.status())
    };
    match answered.await.map(|status| status.as_u16()) {
        Ok(200..=299) => match connection.into_parts() {
            (transport, early) if early.is_empty() => Ok(transport),
            // TLS is begun by the client: whoever speaks first is not the origin.
            _ => Err(ConnectCause::Forbidden),
        },
        // The proxy could not reach the origin; it may a little later.
        Ok(502..=504) => Err(ConnectCause::Unreachable),
        Ok(_) => Err(ConnectCause::Forbidden),
        Err(Error::Io(error)) => Err(connect_cause(&error)),
        Err(error) if error.is_timeout() => Err(ConnectCause::TimedOut),
        Err(_) => Err(ConnectCause::Reset),
    }
}
