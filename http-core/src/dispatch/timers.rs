//! The deadlines of a dispatcher, in order.

use super::ids::{ConnectionId, OriginId, RequestId};
use super::list::Node;
use super::ordered::Ordered;
use crate::time::Instant;

/// What is due. Each exists at most once at a time; whoever arms one keeps what [`Timers::arm`] gives and takes it out
/// again with that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A connection has been connecting, or idle, for long enough.
    Connection(ConnectionId),
    /// The back-off of an origin is over.
    Backoff(OriginId),
    /// More connections of an origin are idle than are kept, and one has been for long enough.
    Surplus(OriginId),
    /// A request that waited for its own retry goes back into the queue.
    Retry(RequestId),
    /// A request may have waited too long for a place.
    Place(RequestId),
    /// The deadline of a request. After the others: what can be done in time is done.
    Deadline(RequestId),
}

/// When a timer is due, and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Armed {
    at: Instant,
    node: Node,
}

impl Armed {
    /// What is armed for never, which is not at all.
    pub(super) const NEVER: Self = Self { at: Instant::NEVER, node: Node::NOWHERE };

    /// The two halves apart, for whoever counts bytes.
    pub(super) fn into_parts(self) -> (Instant, Node) {
        (self.at, self.node)
    }

    pub(super) fn from_parts(at: Instant, node: Node) -> Self {
        Self { at, node }
    }

    pub(super) fn at(self) -> Instant {
        self.at
    }
}

/// What holds: `next` is when the first of all is due. `check` looks at it.
///
/// Those that are due after the same time each come in order: connections that idle, requests that wait for a place,
/// requests with the usual deadline. So each of these kinds stands apart, and most of it takes one step.
#[derive(Clone, Debug)]
pub(super) struct Timers {
    connections: Ordered<(Instant, Timer)>,
    places: Ordered<(Instant, Timer)>,
    deadlines: Ordered<(Instant, Timer)>,
    others: Ordered<(Instant, Timer)>,
    /// When the next one is due.
    next: Instant,
}

impl Timers {
    pub(super) fn new() -> Self {
        let [connections, places, deadlines, others] = [const { Ordered::new() }; 4];
        Self { connections, places, deadlines, others, next: Instant::NEVER }
    }

    #[must_use]
    pub(super) fn arm(&mut self, at: Instant, timer: Timer) -> Armed {
        // "Never" is not a deadline: with it `next` would tell the caller to wake up.
        if at == Instant::NEVER {
            return Armed::NEVER;
        }
        self.next = self.next.min(at);
        Armed { at, node: self.kind(timer).insert((at, timer)) }
    }

    /// Takes a timer out, if it has not been due meanwhile.
    #[inline]
    pub(super) fn disarm(&mut self, armed: Armed, timer: Timer) {
        if armed.at != Instant::NEVER {
            self.take(armed, timer);
        }
    }

    fn take(&mut self, armed: Armed, timer: Timer) {
        self.kind(timer).remove(&(armed.at, timer), armed.node);
        self.note_gone(armed.at);
    }

    pub(super) fn next(&self) -> Option<Instant> {
        (self.next != Instant::NEVER).then_some(self.next)
    }

    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Timer> {
        if self.next > now {
            return None;
        }
        let (at, timer) = self.first()?;
        self.kind(timer).pop_first();
        self.note_gone(at);
        Some(timer)
    }

    /// All of them, the next one first.
    pub(super) fn in_order(&self) -> alloc::vec::Vec<(Instant, Timer)> {
        let mut all: alloc::vec::Vec<_> = self.kinds().into_iter().flat_map(Ordered::iter).collect();
        all.sort_unstable();
        all
    }

    /// One that was due then is not there any more.
    fn note_gone(&mut self, at: Instant) {
        if at <= self.next {
            let mut next = Instant::NEVER;
            for kind in self.kinds() {
                if let Some((at, _)) = kind.peek() {
                    next = next.min(*at);
                }
            }
            self.next = next;
        }
    }

    fn first(&self) -> Option<(Instant, Timer)> {
        self.kinds().into_iter().filter_map(Ordered::first).min()
    }

    fn kinds(&self) -> [&Ordered<(Instant, Timer)>; 4] {
        [&self.connections, &self.places, &self.deadlines, &self.others]
    }

    fn kind(&mut self, timer: Timer) -> &mut Ordered<(Instant, Timer)> {
        match timer {
            Timer::Connection(_) => &mut self.connections,
            Timer::Place(_) => &mut self.places,
            Timer::Deadline(_) => &mut self.deadlines,
            Timer::Backoff(_) | Timer::Surplus(_) | Timer::Retry(_) => &mut self.others,
        }
    }

    /// Whether what must hold does.
    #[cfg(test)]
    pub(super) fn check(&self) {
        self.kinds().into_iter().for_each(Ordered::check);
        assert_eq!(self.next(), self.first().map(|(at, _)| at));
    }
}
