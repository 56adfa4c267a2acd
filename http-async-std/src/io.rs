//! futures-io's streams as transports.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io::{self, IoSlice};

use bytes::{BufMut, BytesMut};
use futures_io::{AsyncRead, AsyncWrite};
use http_core::Outbox;
use http_driver::Transport;

/// Slices of one vectored write.
const SLICES: usize = 16;

/// The most that one read takes.
const READ: usize = 64 * 1024;

/// Any stream of `futures-io` as a [`Transport`]: async-std's, smol's, a TLS session.
///
/// ```
/// let transport = http_async_std::FuturesIo::new(Vec::<u8>::new());
/// assert_eq!(transport.into_inner(), []);
/// ```
#[derive(Debug)]
pub struct FuturesIo<S>(S);

impl<S> FuturesIo<S> {
    /// A transport over `stream`.
    pub const fn new(stream: S) -> Self {
        Self(stream)
    }

    /// The stream.
    pub const fn get_ref(&self) -> &S {
        &self.0
    }

    /// The stream again.
    pub fn into_inner(self) -> S {
        self.0
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Transport for FuturesIo<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<io::Result<usize>> {
        // These streams read into initialised memory alone, which one buffer of the thread offers to all of them.
        thread_local! {
            static ROOM: core::cell::RefCell<Vec<u8>> = const { core::cell::RefCell::new(Vec::new()) };
        }
        ROOM.with(|room| {
            // A stream that reads from another of these inside of its own read finds the buffer taken.
            let mut own = Vec::new();
            let mut shared = room.try_borrow_mut();
            let room = shared.as_deref_mut().unwrap_or(&mut own);
            let most = (buffer.capacity() - buffer.len()).clamp(1, READ);
            if room.len() < most {
                room.resize(most, 0);
            }
            let count = ready!(Pin::new(&mut self.0).poll_read(cx, &mut room[..most]))?;
            buffer.put_slice(&room[..count]);
            Poll::Ready(Ok(count))
        })
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        let mut slices = [&b""[..]; SLICES];
        let filled = outbox.slices(&mut slices);
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
        Pin::new(&mut self.0).poll_close(cx)
    }
}
