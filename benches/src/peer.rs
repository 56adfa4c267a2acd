//! The same exchanges by hyper, over memory instead of a socket.

use std::cell::Cell;
use std::convert::Infallible;
use std::hint::black_box;
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::service::service_fn;
use hyper::{Request, Response};

use crate::wire::{CHUNKED_CONTENT, HELLO};

/// The other side of a connection: it says one of `units` after the other, as often as it is answered, and then closes.
///
/// Between two reads there is one that has to wait, as on a socket.
struct Memory {
    units: Vec<Vec<u8>>,
    /// Which of them is being read.
    current: usize,
    /// How much of that was read.
    at: usize,
    /// What one read brings at most.
    read: usize,
    units_left: u64,
    waits: bool,
    /// It speaks again when it has got an answer.
    answered: bool,
    written: Rc<Cell<u64>>,
}

impl Memory {
    fn new(units: Vec<Vec<u8>>, units_left: u64, read: usize, speaks_first: bool) -> Self {
        let written = Rc::default();
        Self { units, current: 0, at: 0, read, units_left, waits: false, answered: speaks_first, written }
    }

    fn take(&mut self, bytes: usize) -> usize {
        self.written.set(self.written.get() + bytes as u64);
        self.answered = true;
        bytes
    }
}

impl Read for Memory {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, mut buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let me = &mut *self;
        if core::mem::take(&mut me.waits) || me.at == 0 && !me.answered {
            return Poll::Pending;
        }
        if me.units_left == 0 {
            return Poll::Ready(Ok(()));
        }
        let unit = &me.units[me.current];
        let rest = &unit[me.at..];
        let count = rest.len().min(me.read).min(buffer.remaining());
        buffer.put_slice(&rest[..count]);
        me.at += count;
        me.waits = true;
        if me.at == unit.len() {
            me.at = 0;
            me.current = if me.current + 1 == me.units.len() { 0 } else { me.current + 1 };
            me.units_left -= 1;
            me.answered = false;
        }
        Poll::Ready(Ok(()))
    }
}

impl Write for Memory {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.take(black_box(bytes).len())))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let count = black_box(slices).iter().map(|slice| slice.len()).sum();
        Poll::Ready(Ok(self.take(count)))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// A runtime that costs nothing: polls until it is done.
fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

fn hello() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(HELLO)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// `units` times one of `wires` after the other, which holds one request or several.
pub(crate) fn server(units: u64, wires: Vec<Vec<u8>>, read: usize) {
    let memory = Memory::new(wires, units, read, true);
    let written = memory.written.clone();
    let service = service_fn(|request: Request<Incoming>| {
        black_box(&request);
        async { Ok::<_, Infallible>(hello()) }
    });
    // Its best setting for pipelined requests, and no worse for others.
    let connection = hyper::server::conn::http1::Builder::new().pipeline_flush(true).serve_connection(memory, service);
    run(connection).expect("served");
    assert!(written.get() >= units * HELLO.len() as u64);
}

pub(crate) fn sink(units: u64, wires: Vec<Vec<u8>>, read: usize) {
    let memory = Memory::new(wires, units, read, true);
    let content = Rc::new(Cell::new(0));
    let service = service_fn(|request: Request<Incoming>| {
        let content = content.clone();
        async move {
            let mut body = request.into_body();
            while let Some(frame) = body.frame().await {
                let bytes = frame.expect("content").into_data().expect("no trailers");
                content.set(content.get() + black_box(bytes).len() as u64);
            }
            Ok::<_, Infallible>(hello())
        }
    });
    run(hyper::server::conn::http1::Builder::new().serve_connection(memory, service)).expect("served");
    assert_eq!(content.get(), units * CHUNKED_CONTENT as u64);
}

pub(crate) fn client(exchanges: u64, answers: Vec<Vec<u8>>) {
    let memory = Memory::new(answers, u64::MAX, usize::MAX, false);
    run(async move {
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake::<_, Full<Bytes>>(memory).await.expect("a handshake");
        let mut connection = pin!(connection);
        let mut work = pin!(async move {
            for _ in 0..exchanges {
                sender.ready().await.expect("an idle connection");
                let request = Request::get("/plain")
                    .header("host", "127.0.0.1:8080")
                    .header("user-agent", "peer/1.0")
                    .header("accept", "*/*")
                    .body(Full::default())
                    .expect("a request");
                let response = sender.send_request(request).await.expect("a response");
                let content = response.into_body().collect().await.expect("content").to_bytes();
                assert_eq!(content.len(), HELLO.len());
            }
        });
        core::future::poll_fn(|context| {
            if work.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            let _ = connection.as_mut().poll(context);
            Poll::Pending
        })
        .await;
    });
}
