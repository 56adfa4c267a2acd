//! The stream of bytes that is left of a connection.

use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker, ready};
use std::io;
use std::sync::Arc;
use std::task::Wake;

use bytes::{Buf, Bytes, BytesMut};
use http_core::Outbox;

use super::line::{Direction, Line};
use crate::buffers;
use crate::io::Transport;
use crate::server::{Observed, Watch};

/// The most that one write takes.
const PIECE: usize = 64 * 1024;

/// A stream of bytes in both directions: what is left of a connection that was handed over (RFC 9110 §7.8, §9.3.6).
///
/// Bytes that the peer sent early come first. No deadline of the connection runs any more. The two directions end
/// apart: a read of nothing is the end of the peer's, [`end`](Self::end) is that of our own. Dropped, both are over.
///
/// Those of a [`Server`](crate::server::Server) count among its connections until they are dropped. Where its shutdown
/// takes longer than its drain they are cut: the transport is dropped then and there, and whatever is waited for, or
/// called from then on, fails with [`ConnectionAborted`](io::ErrorKind::ConnectionAborted).
///
/// The adapters have newtypes of it that implement their runtime's traits for streams.
///
/// ```
/// # use http_driver::Tunnel;
/// /// Sends back what it gets until the peer ends, then ends as well.
/// async fn echo(mut tunnel: Tunnel) -> std::io::Result<()> {
///     loop {
///         let bytes = tunnel.read().await?;
///         if bytes.is_empty() {
///             return tunnel.end().await;
///         }
///         tunnel.write(bytes).await?;
///     }
/// }
/// ```
pub struct Tunnel {
    held: Held,
    input: BytesMut,
    outbox: Outbox,
    /// Who waits until the outbox is empty.
    flushing: Option<Waker>,
}

/// The transport of a tunnel.
enum Held {
    Own(Box<dyn Transport + Send>),
    /// A shutdown may end it.
    Watched(Arc<Line>, Watch),
}

impl Held {
    fn poll<O>(
        &mut self,
        direction: Direction,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut (dyn Transport + Send), &mut Context<'_>) -> Poll<io::Result<O>>,
    ) -> Poll<io::Result<O>> {
        match self {
            Self::Own(transport) => poll(&mut **transport, cx),
            Self::Watched(line, _) => line.poll(direction, cx, poll),
        }
    }

    /// Fails once it was cut, so that what was read before does not hide that.
    fn check(&self) -> io::Result<()> {
        match self {
            Self::Watched(_, watch) if watch.is_cut() => Err(io::ErrorKind::ConnectionAborted.into()),
            _ => Ok(()),
        }
    }
}

impl Tunnel {
    /// A tunnel over a transport of which `early` was read already.
    pub fn new(transport: impl Transport + Send + 'static, early: BytesMut) -> Self {
        Self { held: Held::Own(Box::new(transport)), input: early, outbox: Outbox::default(), flushing: None }
    }

    /// The same, counted among what `watch` is of until it is dropped, and ended by its
    /// [`cut`](crate::server::Shutdown::cut).
    pub fn watched(transport: impl Transport + Send + 'static, early: BytesMut, watch: Watch) -> Self {
        Self::observed(transport, early, watch, None)
    }

    pub(crate) fn observed(
        transport: impl Transport + Send + 'static,
        early: BytesMut,
        mut watch: Watch,
        observed: Option<Box<Observed>>,
    ) -> Self {
        let line = Arc::new(Line::new(transport, observed));
        watch.hand_over(&line);
        Self { held: Held::Watched(line, watch), input: early, outbox: Outbox::default(), flushing: None }
    }

    /// What comes next; empty at the end of the peer's direction.
    ///
    /// # Errors
    /// The stream broke.
    ///
    /// # Cancellation
    /// Safe: nothing is lost.
    pub async fn read(&mut self) -> io::Result<Bytes> {
        poll_fn(|cx| {
            ready!(self.poll_fill(cx))?;
            Poll::Ready(Ok(self.input.split().freeze()))
        })
        .await
    }

    /// Writes all of `bytes`: the transport has them when this returns.
    ///
    /// # Errors
    /// The stream broke.
    ///
    /// # Cancellation
    /// What was not written is written with what follows.
    pub async fn write(&mut self, bytes: impl Into<Bytes>) -> io::Result<()> {
        poll_fn(|cx| self.poll_flush(cx)).await?;
        self.outbox = Outbox::from(bytes.into());
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Ends our direction. The peer's goes on until it ends it.
    ///
    /// # Errors
    /// The stream broke.
    ///
    /// # Cancellation
    /// Safe: call it again.
    pub async fn end(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_end(cx)).await
    }

    /// Reads into `buffer`: how many bytes; 0 at the end, or if there is no room.
    ///
    /// # Errors
    /// The stream broke.
    pub fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_pass(cx, buffer.len(), |bytes| buffer[..bytes.len()].copy_from_slice(bytes))
    }

    /// Reads at most so many bytes and passes them on: how many; 0 at the end, or if there is no room.
    pub(super) fn poll_pass(
        &mut self,
        cx: &mut Context<'_>,
        most: usize,
        on: impl FnOnce(&[u8]),
    ) -> Poll<io::Result<usize>> {
        if most == 0 {
            return Poll::Ready(Ok(0));
        }
        ready!(self.poll_fill(cx))?;
        let count = most.min(self.input.len());
        on(&self.input[..count]);
        self.input.advance(count);
        if self.input.is_empty() {
            buffers::give_back(&mut self.input);
        }
        Poll::Ready(Ok(count))
    }

    /// Takes bytes to write: how many. Those that the transport does not take at once are sent on by whoever reads,
    /// writes or flushes next; [`poll_flush`](Self::poll_flush) waits for that. They are lost if the tunnel is dropped.
    ///
    /// # Errors
    /// The stream broke.
    pub fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_flush(cx))?;
        let count = bytes.len().min(PIECE);
        self.outbox = Outbox::from(Bytes::copy_from_slice(&bytes[..count]));
        if let Poll::Ready(Err(error)) = self.poll_flush(cx) {
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(count))
    }

    /// Writes until the transport has everything.
    ///
    /// # Errors
    /// The stream broke.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.held.check()?;
        let sent = self.poll_send(cx);
        self.flushing = sent.is_pending().then(|| cx.waker().clone());
        sent
    }

    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outbox.is_empty() {
            let Self { held, outbox, .. } = self;
            let count = ready!(held.poll(Direction::Writing, cx, |transport, cx| transport.poll_write(cx, outbox)))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let _ = self.outbox.advance(count);
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what waits, and ends our direction.
    ///
    /// # Errors
    /// The stream broke.
    pub fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(cx))?;
        self.held.poll(Direction::Writing, cx, |transport, cx| transport.poll_shutdown(cx))
    }

    /// Sends on what a write has left, for a reader who waits for what comes in answer to it.
    fn push(&mut self, cx: &mut Context<'_>) {
        // The transport wakes one for writing, and another task may wait for that already.
        let waker = match &self.flushing {
            Some(other) if !other.will_wake(cx.waker()) => Arc::new(Both(other.clone(), cx.waker().clone())).into(),
            _ => cx.waker().clone(),
        };
        if self.poll_send(&mut Context::from_waker(&waker)).is_ready() {
            // An error is told to whoever writes.
            self.flushing.take().into_iter().for_each(Waker::wake);
        }
    }

    /// Reads if nothing is there.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.held.check()?;
        if !self.outbox.is_empty() {
            self.push(cx);
        }
        if !self.input.is_empty() {
            return Poll::Ready(Ok(()));
        }
        buffers::borrow(&mut self.input, buffers::SMALL, buffers::LARGE);
        let Self { held, input, .. } = self;
        let polled = held.poll(Direction::Reading, cx, |transport, cx| transport.poll_read(cx, input, buffers::SMALL));
        if self.input.is_empty() {
            buffers::give_back(&mut self.input);
        }
        polled.map_ok(drop)
    }
}

struct Both(Waker, Waker);

impl Wake for Both {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
        self.1.wake_by_ref();
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunnel").field("unread", &self.input.len()).finish_non_exhaustive()
    }
}
