//! tokio's streams as transports.

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};

use bytes::BytesMut;
use http_core::Outbox;
use http_driver::Transport;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

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
pub struct TokioIo<S>(S);

impl<S> TokioIo<S> {
    /// A transport over `stream`.
    pub const fn new(stream: S) -> Self {
        Self(stream)
    }

    /// The stream.
    pub const fn get_ref(&self) -> &S {
        &self.0
    }

    /// The stream again.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.0
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Transport for TokioIo<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        // The future holds nothing between polls; it reads into the room that the buffer has.
        pin!(self.0.read_buf(buffer)).poll(cx)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        let mut slices = [&b""[..]; SLICES];
        let count = if self.0.is_write_vectored() { SLICES } else { 1 };
        let filled = outbox.slices(&mut slices[..count]);
        let stream = Pin::new(&mut self.0);
        let written = match filled {
            0 => 0,
            1 => ready!(stream.poll_write(cx, slices[0]))?,
            _ => ready!(stream.poll_write_vectored(cx, &slices.map(IoSlice::new)[..filled]))?,
        };
        // A session that buffers, as TLS does, has to be told to send.
        if let Poll::Ready(Err(error)) = Pin::new(&mut self.0).poll_flush(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(written))
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
