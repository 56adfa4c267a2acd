//! What a runtime has to offer: a transport, a timer, a clock.

use core::future::Future;
use core::task::{Context, Poll};
use std::io;

use bytes::BytesMut;
use http_core::Outbox;

use crate::peer::Peer;
use crate::time::{self, Instant};

/// A stream of bytes in both directions: a socket, a TLS session, a pipe in memory.
///
/// Buffers are lent in a form that can be owned, so that one driver serves readiness and completion I/O without a
/// copy: an implementation for completion may keep the read buffer, and take segments out of the outbox, while an
/// operation is pending.
///
/// ```
/// use std::io;
/// use std::task::{Context, Poll};
/// use bytes::{Buf, BytesMut};
/// use http_core::Outbox;
/// use http_driver::Transport;
///
/// /// Reads from one buffer and writes to another.
/// struct Memory(BytesMut, Vec<u8>);
///
/// impl Transport for Memory {
///     fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
///         let some = self.0.split_to(most.min(self.0.len()));
///         buffer.extend_from_slice(&some);
///         Poll::Ready(Ok(some.len()))
///     }
///     fn poll_write(&mut self, _: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
///         let mut slices = [&b""[..]; 1];
///         let _ = outbox.slices(&mut slices);
///         self.1.extend_from_slice(slices[0]);
///         Poll::Ready(Ok(slices[0].len()))
///     }
///     fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
///         Poll::Ready(Ok(()))
///     }
/// }
/// ```
pub trait Transport {
    /// Appends what can be read to `buffer`, at most `most` bytes, and returns how many; 0 at the end. `most` is never
    /// 0, and `buffer` has room for as many. Whatever room it has beyond that is not this call's: it is by `most` alone
    /// that what a connection holds stays bounded.
    ///
    /// # Errors
    /// The stream broke. `buffer` has no bytes more than before.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>>;

    /// Whether there may be anything to read, its end included: asked of a connection from which nothing is expected,
    /// just before it is given a request, or has ended its own side. Pending only where [`poll_read`](Self::poll_read)
    /// would have been, and the task is woken as by that. Default: nobody knows, and it is read.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = cx;
        Poll::Ready(())
    }

    /// Writes from the front of `outbox` and returns how many bytes were taken, which the driver reports. It is called
    /// only when something waits, or was taken out and not yet reported as sent; 0 counts as an error.
    ///
    /// # Errors
    /// The stream takes no more.
    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>>;

    /// Whether the peer has reset the connection, for a transport that can tell without reading: asked while nothing is
    /// read because enough lies unread already. Pending, the task is woken when it is; that may be never. Default: such
    /// a reset is seen by the next write.
    fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = cx;
        Poll::Pending
    }

    /// Ends the sending side: FIN, `close_notify`.
    ///
    /// # Errors
    /// The stream broke.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// What has to come before the first byte of HTTP: the handshake of TLS, the header of a PROXY protocol. Polled
    /// until it is ready, within a deadline of its own, before anything is read or written. Default: nothing. Whoever
    /// reads for it tells so by [`has_received`](Self::has_received).
    ///
    /// # Errors
    /// It failed, and the transport is of no use.
    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let _ = cx;
        Poll::Ready(Ok(()))
    }

    /// Whether anything has come of the peer yet, asked while a handshake is pending: a peer that has connected and
    /// said nothing idles, and a shutdown ends its connection at once. Default: nothing has.
    fn has_received(&self) -> bool {
        false
    }

    /// Tells what is known of the peer, once the handshake is done. Default: nothing.
    fn describe(&self, peer: &mut Peer) {
        let _ = peer;
    }

    /// What it [describes](Self::describe) by itself.
    fn peer(&self) -> Peer {
        let mut peer = Peer::default();
        self.describe(&mut peer);
        peer
    }

    /// Whether dropping the transport from now on is to reset it, so that the peer cannot take what it got for
    /// complete. Told before a byte is written that this matters for. Default: nothing is done, for transports whose
    /// peers can tell a drop from an orderly end.
    fn reset_on_drop(&mut self, reset: bool) {
        let _ = reset;
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        (**self).poll_read(cx, buffer, most)
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        (**self).poll_readable(cx)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        (**self).poll_write(cx, outbox)
    }

    fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        (**self).poll_reset(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        (**self).poll_shutdown(cx)
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        (**self).poll_handshake(cx)
    }

    fn has_received(&self) -> bool {
        (**self).has_received()
    }

    fn describe(&self, peer: &mut Peer) {
        (**self).describe(peer);
    }

    fn reset_on_drop(&mut self, reset: bool) {
        (**self).reset_on_drop(reset);
    }
}

/// One timer, that is set again and again.
///
/// ```
/// use std::task::{Context, Poll};
/// use std::time::Instant;
/// use http_driver::Timer;
///
/// /// A timer for tests: it has fired as soon as its time has come, and wakes nobody.
/// struct Checked(Instant);
/// impl Timer for Checked {
///     fn reset(&mut self, at: Instant) {
///         self.0 = at;
///     }
///     fn poll(&mut self, _: &mut Context<'_>) -> Poll<()> {
///         if Instant::now() >= self.0 { Poll::Ready(()) } else { Poll::Pending }
///     }
/// }
/// ```
pub trait Timer {
    /// Sets the time at which the timer fires.
    fn reset(&mut self, at: Instant);

    /// Whether that time has come; otherwise the task is woken when it comes.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// Which of several runtimes of one kind: what is made on one, sockets and timers, is driven there alone.
///
/// ```
/// use http_driver::RuntimeId;
/// assert_ne!(RuntimeId::new(1), RuntimeId::SOLE);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuntimeId(u64);

impl RuntimeId {
    /// Of a kind of which there is one in a process.
    pub const SOLE: Self = Self(0);

    /// The one of this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}

/// A runtime: its clock, its timers, its tasks. A cheap handle.
///
/// ```
/// fn deadline<R: http_driver::Runtime>(runtime: &R) -> R::Timer {
///     runtime.timer(runtime.now() + std::time::Duration::from_secs(1))
/// }
/// ```
pub trait Runtime: Clone {
    /// The timers of this runtime.
    type Timer: Timer;

    /// The time by the clock that the timers go by.
    fn now(&self) -> Instant;

    /// Seconds after 1970-01-01T00:00:00Z, for `Date` (RFC 9110 §6.6.1) and for what a `Retry-After` counts from;
    /// `None` where nobody knows, and then no date is sent. Asked about twice a second; the runtimes of one thread
    /// agree on it. Default: the system's clock.
    fn unix_time(&self) -> Option<u64> {
        time::unix()
    }

    /// A timer that fires at `at`.
    fn timer(&self, at: Instant) -> Self::Timer;

    /// Runs a future beside the others.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);

    /// Which runtime the caller runs on; `None` where there is none, and so no timer, no socket and no task can be
    /// made. A client asks before it does so: one in a `static` is used on one runtime after another. Default: the
    /// sole one.
    fn current(&self) -> Option<RuntimeId> {
        Some(RuntimeId::SOLE)
    }

    /// Has the task polled again after others had their turn, its own included if `cx` is theirs: a task that yields
    /// must not keep the runtime from its sockets and timers. Called by a connection that has done as much as one wake
    /// may do, which then returns `Pending`. Default: the task is woken at once, which does on runtimes whose queue is
    /// fair.
    fn poll_yield(&self, cx: &mut Context<'_>) {
        cx.waker().wake_by_ref();
    }
}
