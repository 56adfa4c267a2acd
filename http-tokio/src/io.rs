//! tokio's streams as transports.

use core::any::Any;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io::{self, IoSlice};

use bytes::{BufMut, BytesMut};
use http_core::Outbox;
use http_driver::{Peer, Transport};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;

/// Slices of one vectored write.
const SLICES: usize = 16;

/// Any of tokio's streams as a [`Transport`]: a TCP or Unix socket, a TLS session, a duplex pipe.
///
/// ```
/// let (near, _far) = tokio::io::duplex(1024);
/// let transport = http_tokio::TokioIo::new(near);
/// assert!(format!("{transport:?}").starts_with("TokioIo"));
/// ```
#[derive(Debug)]
pub struct TokioIo<S> {
    stream: S,
    /// Bytes that the stream took and has not sent on. They stand in the outbox until it has, so that the driver
    /// calls again and the write deadline runs.
    held: usize,
}

impl<S> TokioIo<S> {
    /// A transport over `stream`.
    pub const fn new(stream: S) -> Self {
        Self { stream, held: 0 }
    }

    /// The stream.
    pub const fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The stream again.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + 'static> Transport for TokioIo<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        // The future holds nothing between polls.
        pin!(self.stream.read_buf(&mut buffer.limit(most))).poll(cx)
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // What the socket of a Unix path would say is not worth asking for; anything else may hold bytes of its own.
        match (&self.stream as &dyn Any).downcast_ref::<TcpStream>() {
            Some(socket) => socket.poll_read_ready(cx).map(drop),
            None => Poll::Ready(()),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        if self.held == 0 {
            let mut slices = [&b""[..]; SLICES];
            let count = if self.stream.is_write_vectored() { SLICES } else { 1 };
            let filled = outbox.slices(&mut slices[..count]);
            let stream = Pin::new(&mut self.stream);
            self.held = match filled {
                0 => 0,
                1 => ready!(stream.poll_write(cx, slices[0]))?,
                _ => {
                    let mut vectors = [IoSlice::new(b""); SLICES];
                    for (vector, slice) in vectors.iter_mut().zip(&slices[..filled]) {
                        *vector = IoSlice::new(slice);
                    }
                    ready!(stream.poll_write_vectored(cx, &vectors[..filled]))?
                }
            };
        }
        // A session that buffers, as TLS does, has to be told to send.
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        Poll::Ready(Ok(core::mem::take(&mut self.held)))
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn describe(&self, peer: &mut Peer) {
        if let Some(socket) = (&self.stream as &dyn Any).downcast_ref::<TcpStream>() {
            peer.address = socket.peer_addr().ok();
            peer.local = socket.local_addr().ok();
        }
    }

    fn reset_on_drop(&mut self, reset: bool) {
        // A socket that does not linger is reset. Only TCP can; a Unix socket or a pipe has no other end than the
        // usual.
        if let Some(socket) = (&self.stream as &dyn Any).downcast_ref::<TcpStream>() {
            let _ = SockRef::from(socket).set_linger(reset.then_some(Duration::ZERO));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use http_core::{Content, ResponseHead, StatusCode};
    use http_driver::server::Connection;

    use super::*;

    /// Sends on what it took only when it is flushed, and not at the first try: as a TLS session whose socket is full.
    struct Buffering {
        request: &'static [u8],
        taken: Vec<u8>,
        stalls: usize,
        sent: Arc<Mutex<Vec<u8>>>,
    }

    impl AsyncRead for Buffering {
        fn poll_read(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            buffer: &mut tokio::io::ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let request = core::mem::take(&mut self.request);
            if request.is_empty() {
                return Poll::Pending;
            }
            buffer.put_slice(request);
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Buffering {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            let count = bytes.len().min(50);
            self.taken.extend_from_slice(&bytes[..count]);
            self.stalls = 2;
            Poll::Ready(Ok(count))
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.stalls > 0 && !self.taken.is_empty() {
                self.stalls -= 1;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let taken = core::mem::take(&mut self.taken);
            self.sent.lock().unwrap().extend_from_slice(&taken);
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn what_a_stream_took_is_sent_on_before_it_counts_as_sent() {
        let sent = Arc::<Mutex<Vec<u8>>>::default();
        let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let stream = Buffering { request, taken: Vec::new(), stalls: 0, sent: sent.clone() };
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
            let mut connection = Connection::new(TokioIo::new(stream), crate::TokioRuntime, Arc::default());
            let mut exchange = connection.accept().await.unwrap().unwrap();
            let content = Content::Full("x".repeat(100).into());
            exchange.respond(&ResponseHead::new(StatusCode::OK), content).unwrap();
            exchange.finish().await.unwrap();
        });
        let sent = sent.lock().unwrap();
        assert!(sent.ends_with(&[b'x'; 100]), "{}", sent.escape_ascii());
    }
}
