//! A transport of the kind that works on completion: it takes what is to be sent out of the outbox, and reports later.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_core::{Content, Outbox, ResponseHead, StatusCode};
use http_driver::server::{self, Options, serve_connection};
use http_driver::{Full, Incoming, Transport, service_fn};

use super::stage::{Stage, Task};

/// What the kernel has of one operation at a time.
#[derive(Default)]
struct Kernel {
    input: BytesMut,
    ended: bool,
    /// The segment that is being written.
    writing: Option<Bytes>,
    /// How long that was that has been written, and is not told yet.
    written: Option<usize>,
    waker: Option<Waker>,
    sent: Vec<u8>,
}

#[derive(Clone, Default)]
struct Ring(Arc<Mutex<Kernel>>);

impl Ring {
    /// The kernel completes what it was given.
    fn complete(&self) -> bool {
        let mut kernel = self.0.lock().unwrap();
        let Some(bytes) = kernel.writing.take() else { return false };
        kernel.sent.extend_from_slice(&bytes);
        kernel.written = Some(bytes.len());
        if let Some(waker) = kernel.waker.take() {
            waker.wake();
        }
        true
    }
}

impl Transport for Ring {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        let mut kernel = self.0.lock().unwrap();
        let length = kernel.input.len().min(most);
        if length == 0 && !kernel.ended {
            return Poll::Pending;
        }
        buffer.extend_from_slice(&kernel.input.split_to(length));
        Poll::Ready(Ok(length))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        let mut kernel = self.0.lock().unwrap();
        if let Some(written) = kernel.written.take() {
            return Poll::Ready(Ok(written));
        }
        if kernel.writing.is_none() {
            kernel.writing = outbox.take();
        }
        kernel.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        assert!(self.0.lock().unwrap().writing.is_none(), "shut down with something in flight");
        self.0.lock().unwrap().ended = true;
        Poll::Ready(Ok(()))
    }
}

fn run(ring: &Ring, mut task: Task) {
    while !task.is_done() {
        if !task.run() {
            assert!(
                ring.complete(),
                "it sleeps, and nothing is in flight: {} bytes were sent",
                ring.0.lock().unwrap().sent.len()
            );
        }
    }
}

#[test]
fn s18_a_long_response_is_delivered() {
    let ring = Ring::default();
    ring.0.lock().unwrap().input.extend_from_slice(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let long = service_fn(|_: Request<Incoming>| async {
        Ok::<_, Infallible>(Response::new(Full::from(vec![b'x'; 5_000_000])))
    });
    let connection = server::Connection::new(ring.clone(), Stage::default(), Arc::default());
    let served = ring.clone();
    let task = Task::new(async move {
        let _ = serve_connection(connection, long, Options::default(), None).await;
    });
    run(&ring, task);
    assert!(served.0.lock().unwrap().sent.len() > 5_000_000);
}

#[test]
fn a_flush_waits_for_what_is_in_flight() {
    let ring = Ring::default();
    ring.0.lock().unwrap().input.extend_from_slice(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let mut connection = server::Connection::new(ring.clone(), Stage::default(), Arc::default());
    let told = ring.clone();
    let task = Task::new(async move {
        let mut exchange = connection.accept().await.unwrap().unwrap();
        exchange.respond(&ResponseHead::new(StatusCode::OK), Content::Sized(300_000)).unwrap();
        for _ in 0..300 {
            exchange.write(Bytes::from(vec![b'x'; 1000])).await.unwrap();
        }
        exchange.flush().await.unwrap();
        let kernel = told.0.lock().unwrap();
        assert!(kernel.sent.len() > 300_000 && kernel.writing.is_none() && kernel.written.is_none());
    });
    run(&ring, task);
}
