//! A reverse proxy: `proxy --to http://HOST[:PORT] [--port N]`.
//!
//! Content streams both ways, and waits where its reader is slow. What belongs to one connection alone goes no further,
//! by the core's own rules; what may be sent again is, where a connection that was kept turns out to be dead.

#[path = "../../../shared/args.rs"]
mod args;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use http::header::{CONNECTION, HOST, HeaderName, UPGRADE, VIA};
use http::uri::{Authority, Scheme};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::BodyExt;
use http_tokio::client::RequestError;
use http_tokio::{Client, Incoming, Peer, TunnelStream, Upgrade, convert, service_fn};
use programs::{Answer, Error, listen, server, text};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

struct Proxy {
    client: Client,
    scheme: Scheme,
    authority: Authority,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let usage = "proxy --to http://HOST[:PORT] [--port N]";
    let args = args::Args::parse(usage, &["to", "port"]);
    let to = args.get(usage, "to", Uri::default()).into_parts();
    let (Some(scheme), Some(authority)) = (to.scheme, to.authority) else { args::fail(usage, "--to is an origin") };
    let proxy = Arc::new(Proxy { client: http_tokio::client(Default::default()), scheme, authority });
    let listener = listen("http", args.get(usage, "port", 0)).await?;
    let make = move |_: &_, peer: &Peer| {
        let (proxy, from) = (proxy.clone(), peer.address);
        Some(service_fn(move |request| {
            let proxy = proxy.clone();
            async move { Ok::<_, Infallible>(proxy.answer(from, request).await) }
        }))
    };
    println!("{:?}", server()?.serve_with(listener, make).await);
    Ok(())
}

impl Proxy {
    async fn answer(&self, from: Option<SocketAddr>, request: Request<Incoming>) -> Answer {
        if request.method() == Method::CONNECT {
            return text(StatusCode::METHOD_NOT_ALLOWED, "this proxy has one origin\n");
        }
        let told = format!("{} {}", request.method(), request.uri());
        self.forward(from, request).await.unwrap_or_else(|error| {
            // What went wrong is for the log, not for strangers.
            eprintln!("{told}: {error}");
            let is_timeout = error.downcast_ref().is_some_and(RequestError::is_timeout);
            let status = if is_timeout { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::BAD_GATEWAY };
            text(status, "the origin does not answer\n")
        })
    }

    async fn forward(&self, from: Option<SocketAddr>, request: Request<Incoming>) -> Result<Answer, Error> {
        let (mut parts, body) = request.into_parts();
        let front = parts.extensions.remove::<Upgrade>();
        let websocket = parts.headers.get(UPGRADE).filter(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"));
        let websocket = front.zip(websocket.cloned());
        let asked = parts.uri.authority().map(|it| HeaderValue::try_from(it.as_str())).transpose()?;
        let host = parts.headers.remove(HOST);
        let mut uri = parts.uri.into_parts();
        (uri.scheme, uri.authority) = (Some(self.scheme.clone()), Some(self.authority.clone()));
        parts.uri = Uri::from_parts(uri)?;
        let mut onward = convert::request(&convert::request_head(&parts)?.forwarded(), body)?;
        *onward.uri_mut() = parts.uri;
        let fields = onward.headers_mut();
        // What an absolute target names overrides what stands in `Host` (RFC 9112 §3.2.2).
        if let Some(host) = asked.or(host) {
            fields.insert(FORWARDED_HOST, host);
        }
        if let Some(from) = from {
            fields.append(FORWARDED_FOR, HeaderValue::try_from(from.ip().to_string())?);
        }
        fields.append(VIA, HeaderValue::from_static("1.1 proxy"));
        // Of other protocols, this one goes through: whoever speaks it reads no HTTP behind it (RFC 9110 §7.8).
        if let Some((_, protocol)) = &websocket {
            fields.insert(UPGRADE, protocol.clone());
            fields.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        }
        let (parts, body) = self.client.request(onward).await?.into_parts();
        let mut answer = convert::response(&convert::response_head(&parts)?.forwarded(), body)?;
        answer.headers_mut().append(VIA, HeaderValue::from_static("1.1 proxy"));
        if let (StatusCode::SWITCHING_PROTOCOLS, Some((front, protocol))) = (parts.status, websocket) {
            answer.headers_mut().insert(UPGRADE, protocol);
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
            tokio::spawn(join(front, parts.extensions.get::<Upgrade>().cloned()));
        }
        Ok(answer.map(|body| body.map_err(Into::into).boxed_unsync()))
    }
}

/// Moves bytes both ways, until both have ended.
async fn join(front: Upgrade, behind: Option<Upgrade>) -> Result<(), Error> {
    let behind = behind.ok_or("there is nothing behind")?.await?;
    let (mut front, mut behind) = (TunnelStream::from(front.await?), TunnelStream::from(behind));
    tokio::io::copy_bidirectional(&mut front, &mut behind).await?;
    Ok(())
}
