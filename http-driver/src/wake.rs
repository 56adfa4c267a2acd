//! How much a connection may do before others have their turn.

use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;
use core::time::Duration;
use std::sync::Arc;

use http_core::Instant;

/// How long a wake of a connection may last, about: a handler that takes a few microseconds for each of a thousand
/// pipelined requests is bounded by nothing else.
const SPAN: Duration = Duration::from_micros(250);

/// How many exchanges, pieces and turns it brings for all that, within [`LONGEST`]: to let others have their turn costs
/// a third of an exchange, which is below 1 % if it comes this seldom, however slow the machine is.
const FEW: u16 = 32;

/// How long a wake of few steps may last.
const LONGEST: Duration = Duration::from_millis(2);

/// How many steps it may bring, for a clock that stands still.
const STEPS: u16 = 256;

/// How many bytes it may move.
const BYTES: usize = 1024 * 1024;

/// One wake of a connection: what happens from the moment when its task was woken until it waits again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wake {
    /// When it has lasted long enough; [`Instant::ZERO`] while the task waits.
    until: Instant,
    steps: u16,
    bytes: usize,
    /// Nothing was there to read.
    listened: bool,
}

impl Wake {
    /// The task waits: whatever comes next is another wake.
    pub(crate) const RESTING: Self = Self { until: Instant::ZERO, steps: 0, bytes: 0, listened: false };

    /// Another step, which may be the first.
    #[inline]
    pub(crate) fn step(&mut self, now: Instant) {
        if self.until == Instant::ZERO {
            *self = Self { until: now.saturating_add(SPAN), ..Self::RESTING };
        }
        self.steps = self.steps.saturating_add(1);
    }

    /// Bytes were moved.
    #[inline]
    pub(crate) fn moved(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Nothing was there to read.
    #[inline]
    pub(crate) fn listened(&mut self) {
        self.listened = true;
    }

    /// Whether that was so at any time of this wake. Where the transport has anything since, it has woken the task.
    #[inline]
    pub(crate) const fn has_listened(&self) -> bool {
        self.listened
    }

    /// Whether no more bytes may be moved.
    #[inline]
    pub(crate) const fn has_moved_enough(&self) -> bool {
        self.bytes >= BYTES
    }

    /// Whether bytes were moved, but no more than that.
    #[inline]
    pub(crate) const fn has_moved_less_than(&self, bytes: usize) -> bool {
        self.bytes > 0 && self.bytes < bytes
    }

    /// Whether others are to have their turn.
    #[inline]
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.steps > STEPS || self.has_moved_enough() || now >= self.until && self.has_lasted(now)
    }

    /// Whether a wake that has had its time is over: one of few steps has some more.
    #[cold]
    fn has_lasted(&self, now: Instant) -> bool {
        self.steps > FEW || now >= self.until.saturating_add(LONGEST - SPAN)
    }
}

/// A turn that others have. Whoever yielded does nothing before it is over, whatever wakes its task meanwhile: a body
/// that is read beside the connection, or by a task of the same thread, wakes it at once, and a runtime that finds work
/// at once does not look at its sockets.
#[derive(Debug)]
pub(crate) struct Others {
    had: AtomicBool,
    task: Waker,
}

impl Others {
    /// Others than this task.
    pub(crate) fn than(task: &Waker) -> Arc<Self> {
        Arc::new(Self { had: AtomicBool::new(false), task: task.clone() })
    }

    /// Whether they had their turn.
    pub(crate) fn had(&self) -> bool {
        self.had.load(Ordering::Acquire)
    }

    /// Whether this task is woken when they had it.
    pub(crate) fn wakes(&self, task: &Waker) -> bool {
        self.task.will_wake(task)
    }
}

impl std::task::Wake for Others {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.had.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Instant {
        Instant::from_nanos(1 + micros * 1000)
    }

    #[test]
    fn a_wake_ends_by_time_by_steps_and_by_bytes() {
        let mut wake = Wake::RESTING;
        wake.step(at(0));
        assert!(!wake.is_over(at(1999)));
        assert!(wake.is_over(at(2000)), "by time, whatever it brought");
        for _ in 1..=32 {
            assert!(!wake.is_over(at(250)));
            wake.step(at(0));
        }
        assert!(!wake.is_over(at(249)));
        assert!(wake.is_over(at(250)), "by time");
        for _ in 33..256 {
            wake.step(at(0));
        }
        assert!(!wake.is_over(at(0)));
        wake.step(at(0));
        assert!(wake.is_over(at(0)), "by steps");
        let mut wake = Wake::RESTING;
        wake.step(at(0));
        wake.moved(BYTES - 1);
        assert!(!wake.is_over(at(0)));
        wake.moved(1);
        assert!(wake.is_over(at(0)) && wake.has_moved_enough(), "by bytes");
    }

    #[test]
    fn who_waited_begins_anew() {
        let mut wake = Wake::RESTING;
        wake.step(at(0));
        wake = Wake::RESTING;
        wake.step(at(5000));
        assert!(!wake.is_over(at(5200)));
    }
}
