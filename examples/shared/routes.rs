//! What the example servers answer, the same on every runtime and at both levels.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::engine::core::{Content, Fields, Framing, Method, ResponseHead, StatusCode};
use super::engine::server::{Connection, Exchange};
use super::engine::{Error, Peer, Runtime, Transport};
use bytes::{BufMut, Bytes, BytesMut};

/// Content that is held in memory at once is bounded; `/echo` and `/sink` are not.
pub(crate) const MOST_HELD: usize = 64 << 20;

/// The size of the pieces that `/bytes` and `/chunked` hand over.
const BYTES_PIECE: usize = 64 * 1024;
const CHUNKED_PIECE: usize = 16 * 1024;

pub(crate) static PAGE: &str = include_str!("page.html");

static ZEROS: [u8; BYTES_PIECE] = [b'0'; BYTES_PIECE];

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Plain,
    Echo,
    Sink,
    Bytes(u64),
    Chunked(u64),
    /// So many bytes, and the connection is cut: chunked, or by a length that is twice as large.
    Cut {
        total: u64,
        chunked: bool,
    },
    /// That status, at once.
    Status(u16),
    /// So many microseconds of work, at once and on the connection's own thread; a second at most.
    Busy(u64),
    /// The address that the connection comes from.
    Peer,
    /// A page that loads many things at once and tells how that went.
    Page,
    NoTunnel,
    /// Everything else: the request itself comes back.
    Mirror,
}

impl Route {
    pub(crate) fn of(method: &str, target: &str) -> Self {
        let digits = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit());
        let size = |prefix: &str| target.strip_prefix(prefix).filter(digits).and_then(|n| n.parse::<u64>().ok());
        match (method, target) {
            ("CONNECT", _) => Self::NoTunnel,
            ("GET" | "HEAD", "/plain") => Self::Plain,
            ("GET" | "HEAD", "/peer") => Self::Peer,
            ("GET" | "HEAD", "/page") => Self::Page,
            ("POST", "/echo") => Self::Echo,
            ("POST", "/sink") => Self::Sink,
            _ => {
                let route = match method {
                    "GET" | "HEAD" => size("/bytes/")
                        .map(Self::Bytes)
                        .or_else(|| size("/chunked/").map(Self::Chunked))
                        .or_else(|| size("/busy/").map(Self::Busy))
                        .or_else(|| size("/cut/").map(|total| Self::Cut { total, chunked: false }))
                        .or_else(|| size("/cut-chunked/").map(|total| Self::Cut { total, chunked: true })),
                    _ => None,
                };
                let status = || size("/status/").and_then(|n| u16::try_from(n).ok()).filter(|n| (200..600).contains(n));
                route.or_else(|| status().map(Self::Status)).unwrap_or(Self::Mirror)
            }
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

/// The length that `/cut` announces.
pub(crate) const fn twice(total: u64) -> u64 {
    // Lengths beyond this are refused.
    let twice = total.saturating_mul(2).saturating_add(1);
    if twice > i64::MAX as u64 { i64::MAX as u64 } else { twice }
}

/// What `/busy` does: it computes, and lets nobody else.
pub(crate) fn work(micros: u64) {
    let until = Instant::now() + Duration::from_micros(micros.min(1_000_000));
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}

/// What `/peer` answers.
pub(crate) fn address(address: Option<SocketAddr>) -> Bytes {
    address.map_or_else(|| "unknown\n".to_owned(), |address| format!("{address}\n")).into()
}

/// What `/status` answers with; nothing where a status forbids it.
pub(crate) fn status_text(status: u16) -> Bytes {
    match status {
        204 | 205 | 304 => Bytes::new(),
        _ => format!("status {status}\n").into(),
    }
}

/// Heads that are built once.
#[derive(Clone, Debug)]
pub(crate) struct Heads {
    text: ResponseHead,
    octets: ResponseHead,
    page: ResponseHead,
}

impl Heads {
    pub(crate) fn new() -> Self {
        let ok = |content_type| ResponseHead::new(StatusCode::OK).with("Content-Type", content_type);
        Self {
            text: ok("text/plain").expect("a valid field"),
            octets: ok("application/octet-stream").expect("a valid field"),
            page: ok("text/html").expect("a valid field"),
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
        Route::Page => exchange.respond(&heads.page, Content::Full(Bytes::from_static(PAGE.as_bytes())))?,
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
        Route::Plain | Route::NoTunnel | Route::Page => {}
        Route::Bytes(total) => {
            exchange.respond(&heads.octets, Content::Sized(total))?;
            send(&mut exchange, pieces(total, false)).await?;
        }
        Route::Chunked(total) => {
            exchange.respond(&heads.octets, Content::Streaming)?;
            send(&mut exchange, pieces(total, true)).await?;
        }
        Route::Cut { total, chunked } => {
            let content = if chunked { Content::Streaming } else { Content::Sized(twice(total)) };
            exchange.respond(&heads.octets, content)?;
            for piece in pieces(total, chunked) {
                exchange.write(piece).await?;
            }
            exchange.flush().await?;
            // What is not ended is cut off.
            return Ok(());
        }
        Route::Status(status) => {
            let head = ResponseHead::new(StatusCode::new(status).expect("a status"));
            let content = status_text(status);
            exchange.respond(&head, if content.is_empty() { Content::Empty } else { Content::Full(content) })?;
        }
        Route::Busy(micros) => {
            work(micros);
            exchange.respond(&heads.text, Content::Full(Bytes::from_static(b"done\n")))?;
        }
        Route::Peer => {
            let mut peer = Peer::default();
            exchange.connection().transport().describe(&mut peer);
            exchange.respond(&heads.text, Content::Full(address(peer.address)))?;
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
