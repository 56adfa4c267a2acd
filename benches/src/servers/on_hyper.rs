//! The routes as a service of hyper's.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{Pieces, hello};

enum Answer {
    Full(Full<Bytes>),
    /// The content of the request, as it comes in.
    Echo(Incoming),
    Pieces(Pieces),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut *self {
            Self::Full(full) => Pin::new(full).poll_frame(cx).map(|frame| frame.map(|f| f.map_err(|e| match e {}))),
            Self::Echo(incoming) => Pin::new(incoming).poll_frame(cx),
            Self::Pieces(pieces) => Pin::new(pieces).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(full) => full.is_end_stream(),
            Self::Echo(incoming) => incoming.is_end_stream(),
            Self::Pieces(pieces) => pieces.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(full) => full.size_hint(),
            Self::Echo(incoming) => incoming.size_hint(),
            Self::Pieces(pieces) => Body::size_hint(pieces),
        }
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Answer>, hyper::Error> {
    let (path, get) = (request.uri().path(), request.method() == Method::GET);
    let size = |prefix| path.strip_prefix(prefix).filter(|_| get).and_then(|digits| digits.parse().ok());
    let (content_type, content) = if get && path == "/plain" {
        ("text/plain", Answer::Full(Full::new(hello())))
    } else if let Some(total) = size("/bytes/") {
        ("application/octet-stream", Answer::Pieces(Pieces::sized(total)))
    } else if let Some(total) = size("/chunked/") {
        ("application/octet-stream", Answer::Pieces(Pieces::chunked(total)))
    } else if request.method() == Method::POST && path == "/echo" {
        ("application/octet-stream", Answer::Echo(request.into_body()))
    } else if request.method() == Method::POST && path == "/sink" {
        let mut content = request.into_body();
        let mut length = 0;
        while let Some(frame) = content.frame().await {
            length += frame?.data_ref().map_or(0, |bytes| bytes.len() as u64);
        }
        ("text/plain", Answer::Full(Full::from(length.to_string())))
    } else {
        let mut response = Response::new(Answer::Full(Full::default()));
        *response.status_mut() = StatusCode::NOT_FOUND;
        return Ok(response);
    };
    let mut response = Response::new(content);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Ok(response)
}

/// Serves what `listener` accepts, over TLS if it is given the configuration for it. Flushing together what answers
/// pipelined requests is best for these and costs other requests nothing, but it has long content copied.
pub async fn serve(listener: TcpListener, tls: Option<Arc<ServerConfig>>, pipeline_flush: bool) {
    let mut http = Builder::new();
    // The time-out of heads is hyper's default, once it has a timer.
    http.timer(TokioTimer::new()).pipeline_flush(pipeline_flush);
    let tls = tls.map(TlsAcceptor::from);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let http = http.clone();
        match tls.clone() {
            None => drop(tokio::spawn(async move {
                let _ = http.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
            })),
            Some(tls) => drop(tokio::spawn(async move {
                if let Ok(stream) = tls.accept(stream).await {
                    let _ = http.serve_connection(TokioIo::new(stream), service_fn(answer)).await;
                }
            })),
        }
    }
}
