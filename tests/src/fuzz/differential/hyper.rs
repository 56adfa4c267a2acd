//! What hyper reads off the same bytes: over memory, without a runtime and without a clock.

use core::cell::{Cell, RefCell};
use core::convert::Infallible;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::io;
use std::rc::Rc;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, Uri};

/// A complete message, as hyper tells it.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// Of a request.
    pub(super) line: Option<(Method, Uri)>,
    /// Of a response.
    pub(super) status: Option<u16>,
    pub(super) minor: u8,
    pub(super) fields: HeaderMap,
    pub(super) content: Vec<u8>,
    pub(super) trailers: HeaderMap,
}

/// What hyper made of some bytes: complete messages, and the error that it then reported.
pub(super) struct Reading {
    pub(super) messages: Vec<Told>,
    pub(super) error: Option<String>,
}

/// Bytes to be read, then the end of the stream. A client reads nothing before it has asked.
struct Memory {
    bytes: Bytes,
    at: usize,
    asked: bool,
    moved: Rc<Cell<u64>>,
}

impl Memory {
    fn new(bytes: &[u8], asked: bool) -> Self {
        Self { bytes: Bytes::copy_from_slice(bytes), at: 0, asked, moved: Rc::default() }
    }

    fn note(&self) {
        self.moved.set(self.moved.get() + 1);
    }
}

impl Read for Memory {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, mut buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        if !self.asked {
            return Poll::Pending;
        }
        let count = (self.bytes.len() - self.at).min(buffer.remaining());
        buffer.put_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        self.note();
        Poll::Ready(Ok(()))
    }
}

impl Write for Memory {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.asked = true;
        self.note();
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Polls until it is done; `None` if nothing moves any more.
fn drive<F: Future>(future: F, moved: &Cell<u64>) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    let (mut still, mut last) = (0, 0);
    while still < 10 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        still = if moved.get() == last { still + 1 } else { 0 };
        last = moved.get();
    }
    None
}

fn minor(version: hyper::Version) -> u8 {
    u8::from(version != hyper::Version::HTTP_10)
}

async fn collect(mut body: Incoming) -> Result<(Vec<u8>, HeaderMap), hyper::Error> {
    let (mut content, mut trailers) = (Vec::new(), HeaderMap::new());
    while let Some(frame) = body.frame().await {
        match frame?.into_data() {
            Ok(data) => content.extend_from_slice(&data),
            Err(frame) => trailers = frame.into_trailers().unwrap_or_default(),
        }
    }
    Ok((content, trailers))
}

/// A server that reads all of a request before it answers 200 without content.
pub(super) fn as_server(bytes: &[u8]) -> Reading {
    let memory = Memory::new(bytes, true);
    let moved = memory.moved.clone();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let service = service_fn(|request: Request<Incoming>| {
        let seen = seen.clone();
        async move {
            let (parts, body) = request.into_parts();
            if let Ok((content, trailers)) = collect(body).await {
                seen.borrow_mut().push(Told {
                    line: Some((parts.method, parts.uri)),
                    status: None,
                    minor: minor(parts.version),
                    fields: parts.headers,
                    content,
                    trailers,
                });
            }
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    let connection = hyper::server::conn::http1::Builder::new().half_close(true).serve_connection(memory, service);
    let error = drive(connection, &moved).and_then(Result::err).map(|error| format!("{error:?}"));
    Reading { messages: seen.take(), error }
}

/// A client that has sent one request with this method.
pub(super) fn as_client(method: &Method, bytes: &[u8]) -> Reading {
    let memory = Memory::new(bytes, false);
    let moved = memory.moved.clone();
    let exchange = async {
        let (mut sender, connection) = hyper::client::conn::http1::handshake::<_, Empty<Bytes>>(memory).await?;
        let target = if method == Method::CONNECT { "example.com:80" } else { "/" };
        let request = Request::builder().method(method).uri(target).header("host", "example.com:80");
        let request = request.body(Empty::new()).expect("a good request");
        let answer = async {
            let (parts, body) = sender.send_request(request).await?.into_parts();
            let (content, trailers) = collect(body).await?;
            Ok::<_, hyper::Error>(Told {
                line: None,
                status: Some(parts.status.as_u16()),
                minor: minor(parts.version),
                fields: parts.headers,
                content,
                trailers,
            })
        };
        // Both in one task; the connection's own result is that of the exchange.
        let (mut answer, mut connection) = (pin!(answer), pin!(connection));
        let mut over = false;
        core::future::poll_fn(|cx| {
            if !over {
                over = connection.as_mut().poll(cx).is_ready();
            }
            answer.as_mut().poll(cx)
        })
        .await
    };
    let (messages, error) = match drive(exchange, &moved) {
        Some(Ok(told)) => (vec![told], None),
        Some(Err(error)) => (vec![], Some(format!("{error:?}"))),
        None => (vec![], None),
    };
    Reading { messages, error }
}
