//! The deadlines of a dispatcher, in order.

use alloc::collections::BTreeSet;

use super::ids::{ConnectionId, OriginId, RequestId};
use crate::time::Instant;

/// What is due. Each exists at most once at a time; whoever arms one keeps its instant and takes it out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A connection has been connecting, or idle, for long enough.
    Connection(ConnectionId),
    /// The back-off of an origin is over.
    Backoff(OriginId),
    /// A request that waited for its own retry goes back into the queue.
    Retry(RequestId),
    /// A request may have waited too long for a place.
    Place(RequestId),
    /// The deadline of a request. After the others: what can be done in time is done.
    Deadline(RequestId),
}

#[derive(Clone, Debug, Default)]
pub(super) struct Timers {
    set: BTreeSet<(Instant, Timer)>,
}

impl Timers {
    pub(super) fn arm(&mut self, at: Instant, timer: Timer) {
        // "Never" is not a deadline: with it `next` would tell the caller to wake up.
        if at != Instant::NEVER {
            self.set.insert((at, timer));
        }
    }

    pub(super) fn disarm(&mut self, at: Instant, timer: Timer) {
        if at != Instant::NEVER {
            self.set.remove(&(at, timer));
        }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.set.first().map(|(at, _)| *at)
    }

    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.set.pop_first().map(|(_, timer)| timer)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Instant, Timer)> {
        self.set.iter()
    }
}
