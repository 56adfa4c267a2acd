//! What the example servers answer, the same on every runtime and at both levels.

use std::future::Future;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use http_core::{Content, Fields, Framing, Method, ResponseHead, StatusCode};
use http_driver::server::{Connection, Exchange};
use http_driver::{Error, Runtime, Transport};

/// Content that is held in memory at once is bounded; `/echo` and `/sink` are not.
pub(crate) const MOST_HELD: usize = 64 << 20;

/// The size of the pieces that `/bytes` and `/chunked` hand over.
const BYTES_PIECE: usize = 64 * 1024;
const CHUNKED_PIECE: usize = 16 * 1024;

static ZEROS: [u8; BYTES_PIECE] = [b'0'; BYTES_PIECE];

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Plain,
    Echo,
    Sink,
    Bytes(u64),
    Chunked(u64),
    NoTunnel,
    /// Everything else: the request itself comes back.
    Mirror,
}

impl Route {
    pub(crate) fn of(method: &str, target: &str) -> Self {
        let number = |prefix: &str| target.strip_prefix(prefix).filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
        match (method, target) {
            ("CONNECT", _) => Self::NoTunnel,
            ("GET" | "HEAD", "/plain") => Self::Plain,
            ("POST", "/echo") => Self::Echo,
            ("POST", "/sink") => Self::Sink,
            ("GET" | "HEAD", _) => {
                let bytes = number("/bytes/").and_then(|n| n.parse().ok()).map(Self::Bytes);
                let chunked = || number("/chunked/").and_then(|n| n.parse().ok()).map(Self::Chunked);
                bytes.or_else(chunked).unwrap_or(Self::Mirror)
            }
            _ => Self::Mirror,
        }
    }
}

/// The pieces that make `total` bytes.
pub(crate) fn pieces(total: u64, chunked: bool) -> impl Iterator<Item = Bytes> + Send {
    let most = if chunked { CHUNKED_PIECE } else { BYTES_PIECE } as u64;
    let mut left = total;
    std::iter::from_fn(move || {
        let size = left.min(most);
        left -= size;
        (size > 0).then(|| Bytes::from_static(&ZEROS[..size as usize]))
    })
}

/// The start of a mirrored request. For `HEAD` it is that of `GET`, whose length is told.
pub(crate) fn mirror(method: &str, target: &[u8]) -> BytesMut {
    let method = if method == "HEAD" { "GET" } else { method };
    let mut content = BytesMut::with_capacity(method.len() + target.len() + 2);
    content.put_slice(method.as_bytes());
    content.put_u8(b' ');
    content.put_slice(target);
    content.put_u8(b'\n');
    content
}

/// Heads that are built once.
#[derive(Clone, Debug)]
pub(crate) struct Heads {
    text: ResponseHead,
    octets: ResponseHead,
}

impl Heads {
    pub(crate) fn new() -> Self {
        let ok = |content_type| ResponseHead::new(StatusCode::OK).with("Content-Type", content_type);
        Self {
            text: ok("text/plain").expect("a valid field"),
            octets: ok("application/octet-stream").expect("a valid field"),
        }
    }
}

/// Serves one connection at the exchange level until it ends.
#[expect(clippy::manual_async_fn, reason = "an `async fn` has room for what it takes twice")]
pub(crate) fn serve<T: Transport, R: Runtime>(
    mut connection: Connection<T, R>,
    heads: Arc<Heads>,
) -> impl Future<Output = ()> {
    async move {
        // What goes wrong on one connection was answered to its client, and is nobody else's concern.
        while let Ok(Some(exchange)) = connection.accept().await {
            if answer(exchange, &heads).await.is_err() {
                break;
            }
        }
        connection.finish().await;
    }
}

async fn answer<T: Transport, R: Runtime>(mut exchange: Exchange<'_, T, R>, heads: &Heads) -> Result<(), Error> {
    let head = exchange.head();
    let route = Route::of(head.method().as_str(), std::str::from_utf8(head.target()).unwrap_or_default());
    match route {
        Route::Plain => exchange.respond(&heads.text, Content::Full(Bytes::from_static(b"Hello, World!")))?,
        Route::NoTunnel => exchange.respond(&ResponseHead::new(StatusCode::NOT_IMPLEMENTED), Content::Empty)?,
        // Apart, so that a connection which waits has no room for what the streams need.
        route => return Box::pin(stream(exchange, heads, route)).await,
    }
    exchange.finish().await
}

async fn stream<T: Transport, R: Runtime>(
    mut exchange: Exchange<'_, T, R>,
    heads: &Heads,
    route: Route,
) -> Result<(), Error> {
    let head = exchange.head();
    match route {
        Route::Plain | Route::NoTunnel => {}
        Route::Bytes(total) => {
            exchange.respond(&heads.octets, Content::Sized(total))?;
            send(&mut exchange, pieces(total, false)).await?;
        }
        Route::Chunked(total) => {
            exchange.respond(&heads.octets, Content::Streaming)?;
            send(&mut exchange, pieces(total, true)).await?;
        }
        Route::Echo => {
            let content = match head.framing() {
                Framing::Length(length) => Content::Sized(length),
                _ => Content::Streaming,
            };
            // The first piece is asked for before the answer begins, so that a client which waits for 100 sends it.
            let mut piece = exchange.content().await?;
            exchange.respond(&heads.octets, content)?;
            while let Some(bytes) = piece {
                exchange.write(bytes).await?;
                piece = exchange.content().await?;
            }
            if exchange.connection().machine().awaits_content() {
                exchange.end(&Fields::new())?;
            }
        }
        Route::Sink => {
            let mut length = 0;
            while let Some(bytes) = exchange.content().await? {
                length += bytes.len() as u64;
            }
            exchange.respond(&heads.text, Content::Full(length.to_string().into()))?;
        }
        Route::Mirror => {
            let mut content = mirror(head.method().as_str(), head.target());
            let bodiless = head.method() == Method::Head;
            while let Some(bytes) = exchange.content().await? {
                if content.len() + bytes.len() > MOST_HELD {
                    exchange.respond(&ResponseHead::new(StatusCode::CONTENT_TOO_LARGE), Content::Empty)?;
                    return exchange.finish().await;
                }
                if !bodiless {
                    content.extend_from_slice(&bytes);
                }
            }
            exchange.respond(&heads.text, Content::Full(content.freeze()))?;
        }
    }
    exchange.finish().await
}

async fn send<T: Transport, R: Runtime>(
    exchange: &mut Exchange<'_, T, R>,
    pieces: impl Iterator<Item = Bytes>,
) -> Result<(), Error> {
    if exchange.head().method() != Method::Head {
        for piece in pieces {
            exchange.write(piece).await?;
        }
    }
    exchange.end(&Fields::new())
}
