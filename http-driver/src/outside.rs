//! What a connection has beside its machine, and keeps while it rests: its transport, its runtime, its timer.

use core::task::{Context, Poll};
use std::io;

use bytes::BytesMut;
use http_core::Instant;

use crate::buffers;
use crate::clock;
use crate::io::{Runtime, Timer, Transport};

/// What a connection that rests has to keep beside its machine.
pub(crate) struct Outside<T, R: Runtime> {
    pub(crate) transport: T,
    pub(crate) runtime: R,
    pub(crate) alarm: Alarm<R>,
}

/// What the transport has brought that ends a rest.
pub(crate) struct Woken {
    pub(crate) input: BytesMut,
    /// What came of the read: how many bytes `input` has, 0 at the end of the stream.
    pub(crate) read: io::Result<usize>,
}

impl<T: Transport, R: Runtime> Outside<T, R> {
    pub(crate) fn new(transport: T, runtime: R) -> Self {
        Self { transport, runtime, alarm: Alarm::default() }
    }

    /// Waits for what ends a rest: something of the transport, of which no more than `lend` is read. With nothing, if
    /// nothing may be read.
    pub(crate) fn poll_brought(&mut self, cx: &mut Context<'_>, lend: usize) -> Poll<Option<Woken>> {
        let mut input = BytesMut::new();
        let most = buffers::SMALL.min(lend);
        if most == 0 {
            return Poll::Ready(None);
        }
        buffers::borrow(&mut input, most, lend);
        if let Poll::Ready(read) = self.transport.poll_read(cx, &mut input, most) {
            return Poll::Ready(Some(Woken { input, read }));
        }
        buffers::give_back(&mut input);
        Poll::Pending
    }

    /// Waits until `due`. `kept` says of it whether somebody else wakes the task then; if not, a timer does.
    pub(crate) fn poll_due(&mut self, cx: &mut Context<'_>, due: Instant, kept: impl Fn(Instant) -> bool) -> Poll<()> {
        // Whoever keeps it knows the time: it is looked at here once that one had its turn.
        let comes = !self.alarm.is_left_for(due) || clock::to_core(self.runtime.now()) < due;
        if comes && kept(due) {
            self.alarm = Alarm::left_for(due);
            return Poll::Pending;
        }
        let mut now = clock::to_core(self.runtime.now());
        while now < due {
            if self.alarm.poll(cx, &self.runtime, due, now).is_pending() {
                return Poll::Pending;
            }
            now = clock::to_core(self.runtime.now());
        }
        Poll::Ready(())
    }
}

/// The timer of a connection, which is made when it is needed.
pub(crate) struct Alarm<R: Runtime> {
    timer: Option<R::Timer>,
    /// When the timer fires; not later than what was asked for while anything is waited for. [`Instant::ZERO`] while it
    /// is not set. Without a timer it is what was left to somebody else.
    armed: Instant,
    /// The task that the timer wakes, by the address in its waker, which cannot become another's while the timer holds
    /// it.
    sleeper: usize,
}

impl<R: Runtime> Default for Alarm<R> {
    fn default() -> Self {
        Self { timer: None, armed: Instant::ZERO, sleeper: 0 }
    }
}

impl<R: Runtime> Alarm<R> {
    /// There is no timer, for somebody else sees to this moment.
    const fn left_for(due: Instant) -> Self {
        Self { timer: None, armed: due, sleeper: 0 }
    }

    fn is_left_for(&self, due: Instant) -> bool {
        self.timer.is_none() && self.armed == due
    }

    /// Ready once the timer has fired, which may be before `due`; pending, the task is woken then. `now` is before
    /// `due`.
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, runtime: &R, due: Instant, now: Instant) -> Poll<()> {
        let task = cx.waker().data() as usize;
        if self.timer.is_some() && self.sleeper == task && now < self.armed && self.armed <= due {
            return Poll::Pending;
        }
        // A deadline that was put off leaves the timer alone; it is set anew when it fires.
        let timer = match &mut self.timer {
            Some(timer) if self.armed != Instant::ZERO && self.armed <= due => timer,
            timer => {
                self.armed = due;
                clock::set(timer, runtime, due)
            }
        };
        if timer.poll(cx).is_pending() {
            self.sleeper = task;
            return Poll::Pending;
        }
        self.armed = Instant::ZERO;
        Poll::Ready(())
    }
}
