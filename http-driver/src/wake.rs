//! How much a connection may do before others have their turn.

use core::time::Duration;

use http_core::Instant;

/// How long a wake of a connection may last, about: a handler that takes a few microseconds for each of a thousand
/// pipelined requests is bounded by nothing else.
const SPAN: Duration = Duration::from_micros(250);

/// How many exchanges, pieces and turns it may bring, for a clock that stands still.
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
}

impl Wake {
    /// The task waits: whatever comes next is another wake.
    pub(crate) const RESTING: Self = Self { until: Instant::ZERO, steps: 0, bytes: 0 };

    /// Another step, which may be the first.
    #[inline]
    pub(crate) fn step(&mut self, now: Instant) {
        if self.until == Instant::ZERO {
            *self = Self { until: now.saturating_add(SPAN), steps: 0, bytes: 0 };
        }
        self.steps = self.steps.saturating_add(1);
    }

    /// Bytes were moved.
    #[inline]
    pub(crate) fn moved(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Whether no more bytes may be moved.
    #[inline]
    pub(crate) const fn has_moved_enough(&self) -> bool {
        self.bytes >= BYTES
    }

    /// Whether others are to have their turn.
    #[inline]
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.steps > STEPS || self.has_moved_enough() || now >= self.until
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
        assert!(!wake.is_over(at(249)));
        assert!(wake.is_over(at(250)), "by time");
        for _ in 1..256 {
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
        wake.step(at(1000));
        assert!(!wake.is_over(at(1200)));
    }
}
