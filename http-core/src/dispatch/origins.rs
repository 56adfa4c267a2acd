//! What a dispatcher keeps of its origins, and the line of those that want a place.

use super::circuit::Breaker;
use super::ids::{OriginId, RequestId};
use super::list::{List, Node};
use super::queue::{Need, Queue};
use super::slab::Slab;
use super::timers::Armed;
use super::turns::Turns;
use crate::config::{Budget, Policy};
use crate::time::Instant;

/// One retry in the store of the budget.
const RETRY: u64 = 1000;

/// How often in a row a connection is made again at once whose maker was dropped.
pub(super) const MOST_ABANDONED: u32 = 3;

/// What holds: an origin stands in the line if it says so, and in no other case. `check` looks at it.
#[derive(Clone, Debug)]
pub(super) struct Origins {
    all: Slab<Origin>,
    /// Those that want a place among all connections.
    line: List<OriginId>,
    /// How often a connection that became free stayed with those that came later, since the line moved last.
    turns: Turns,
}

#[derive(Clone, Debug)]
pub(super) struct Origin {
    pub(super) queue: Queue,
    /// Requests that have not ended and were not given up: waiting here, waiting for their own retry, in flight.
    live: usize,
    /// How often an answer has come, on whichever connection.
    pub(super) answers: u64,
    pub(super) trouble: Trouble,
    pub(super) breaker: Breaker,
    /// The back-off timer, while it is armed.
    pub(super) armed: Option<Armed>,
    /// The timer for the connection that has been idle longest, while more are than are kept.
    pub(super) surplus: Armed,
    /// Where it stands in the line of origins that want a place among all connections.
    in_line: Node,
    /// Since when those that wait lack nothing but a place.
    pub(super) crowded: Option<Instant>,
    /// The store of the budget, in thousandths of a retry.
    tokens: u64,
}

impl Origins {
    pub(super) fn new(policy: &Policy) -> Self {
        Self { all: Slab::new(), line: List::new(), turns: Turns::new(policy.overtaking) }
    }

    pub(super) fn add(&mut self, policy: &Policy) -> OriginId {
        OriginId(self.all.insert(Origin::new(policy)))
    }

    pub(super) fn remove(&mut self, id: OriginId) {
        self.leave_line(id);
        self.all.remove(id.0);
    }

    pub(super) fn get(&self, id: OriginId) -> Option<&Origin> {
        self.all.get(id.0)
    }

    pub(super) fn get_mut(&mut self, id: OriginId) -> Option<&mut Origin> {
        self.all.get_mut(id.0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (OriginId, &Origin)> {
        self.all.iter().map(|(key, origin)| (OriginId(key), origin))
    }

    /// Those that want a place among all connections.
    pub(super) fn line(&self) -> &List<OriginId> {
        &self.line
    }

    /// How often a connection that became free stayed with those that came later, since the line moved last.
    pub(super) fn passed(&self) -> u8 {
        self.turns.passed()
    }

    pub(super) fn stand_in_line(&mut self, id: OriginId) {
        if let Some(origin) = self.all.get_mut(id.0).filter(|origin| !origin.is_in_line()) {
            origin.in_line = self.line.push_back(id);
        }
    }

    pub(super) fn leave_line(&mut self, id: OriginId) {
        if let Some(origin) = self.all.get_mut(id.0).filter(|origin| origin.is_in_line()) {
            self.line.remove(core::mem::replace(&mut origin.in_line, Node::NOWHERE));
            if self.line.is_empty() {
                self.turns.begin_anew();
            }
        }
    }

    /// Whose turn it is, which stands in the line no more.
    pub(super) fn next_in_line(&mut self) -> Option<OriginId> {
        let id = self.line.pop_front()?;
        self.turns.begin_anew();
        if let Some(origin) = self.all.get_mut(id.0) {
            origin.in_line = Node::NOWHERE;
        }
        Some(id)
    }

    /// Whether a connection that has become free gives its place to another origin: to the one that has been in line
    /// longest, if its first request goes before any that the connection could serve. One of a lower priority that came
    /// before is passed over a few times, not without end.
    pub(super) fn is_outranked(&mut self, own: OriginId, offers: Need) -> bool {
        // Its own place in the line says nothing of the others.
        let Some(other) = self.line.iter().find(|id| *id != own) else {
            return false;
        };
        let first = |id: OriginId, need| self.all.get(id.0).and_then(|origin| origin.queue.first(need));
        let Some(theirs) = first(other, Need::Fresh) else {
            return false;
        };
        let Some(ours) = first(own, offers) else {
            return true;
        };
        // A place that was just had in turn is used.
        if offers == Need::Fresh {
            return false;
        }
        if theirs < ours {
            return true;
        }
        if theirs.sequence > ours.sequence {
            return false;
        }
        let due = self.turns.are_used_up();
        self.turns.pass();
        due
    }

    /// Whether what must hold does.
    #[cfg(test)]
    pub(super) fn check(&self) {
        self.line.check();
        for (id, origin) in self.iter() {
            origin.queue.check();
            assert!(!origin.is_in_line() || self.line.get(origin.in_line) == Some(id));
        }
        assert_eq!(self.iter().filter(|(_, origin)| origin.is_in_line()).count(), self.line.len());
    }
}

impl Origin {
    fn new(policy: &Policy) -> Self {
        Self {
            queue: Queue::new(policy.overtaking),
            live: 0,
            answers: 0,
            trouble: Trouble::default(),
            breaker: Breaker::default(),
            armed: None,
            surplus: Armed::NEVER,
            in_line: Node::NOWHERE,
            crowded: None,
            tokens: policy.retry_budget.map_or(0, full),
        }
    }

    /// A request more has come.
    pub(super) fn note_come(&mut self) {
        self.live += 1;
    }

    /// So many requests have ended, or were given up.
    pub(super) fn note_gone(&mut self, requests: usize) {
        self.live = self.live.saturating_sub(requests);
    }

    /// Requests that have not ended and were not given up: waiting here, waiting for their own retry, in flight.
    pub(super) fn live(&self) -> usize {
        self.live
    }

    pub(super) fn is_in_line(&self) -> bool {
        self.in_line != Node::NOWHERE
    }

    /// Whether nobody waits, nothing is held against it and no timer is armed for it.
    pub(super) fn wants_nothing(&self) -> bool {
        let nobody = self.queue.is_empty() && !self.is_in_line() && self.crowded.is_none() && self.armed.is_none();
        nobody && self.is_well() && self.trouble.abandoned == 0
    }

    /// Whether nothing is held against it, and no connection is made to find out how it is.
    pub(super) fn is_well(&self) -> bool {
        let Breaker { failures, open_until, probe, last: _ } = &self.breaker;
        let closed = *failures == 0 && open_until.is_none() && probe.is_none();
        closed && self.trouble.failures == 0 && self.trouble.retry_at.is_none()
    }

    pub(super) fn may_retry(&self, policy: &Policy) -> bool {
        policy.retry_budget.is_none() || self.tokens >= RETRY
    }

    /// What the store of the budget holds, in thousandths of a retry.
    pub(super) fn tokens(&self) -> u64 {
        self.tokens
    }

    pub(super) fn spend_retry(&mut self) {
        self.tokens = self.tokens.saturating_sub(RETRY);
    }

    pub(super) fn earn_retry(&mut self, policy: &Policy) {
        if let Some(budget) = policy.retry_budget {
            self.tokens = (self.tokens + u64::from(budget.share)).min(full(budget));
        }
    }
}

fn full(budget: Budget) -> u64 {
    u64::from(budget.reserve) * RETRY
}

/// The failures of an origin since it last answered, and what follows from them.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble {
    /// Connections in a row that failed, or ended before the first byte of a response: the exponent of the back-off.
    pub(super) failures: u32,
    /// Those of them that failed to connect, since one last did: what exhausts the attempts.
    pub(super) refusals: u32,
    /// Connections that were begun together fail together and count once: a failure counts only if its connection
    /// was begun in the present round.
    pub(super) round: u32,
    culprit: Culprit,
    /// Connections in a row whose makers were dropped.
    pub(super) abandoned: u32,
    pub(super) retry_at: Option<Instant>,
}

/// Whose connections ended before the first byte of a response: one request may be at fault itself, two are not.
#[derive(Clone, Copy, Debug, Default)]
enum Culprit {
    #[default]
    Nobody,
    One(RequestId),
    Several,
}

impl Trouble {
    /// The maker of a connection was dropped. False if that has happened too often in a row to be tried again at once.
    pub(super) fn note_abandoned(&mut self) -> bool {
        self.abandoned = self.abandoned.saturating_add(1);
        self.abandoned <= MOST_ABANDONED
    }

    /// A connection of this round could not be made. False if another one of its round has failed before.
    pub(super) fn note_refused(&mut self, round: u32) -> bool {
        if round != self.round {
            return false;
        }
        self.refusals = self.refusals.saturating_add(1);
        self.note_failure();
        true
    }

    /// A new connection ended before it answered `request`. False if its round is over.
    pub(super) fn note_mute(&mut self, round: u32, request: RequestId) -> bool {
        if round != self.round {
            return false;
        }
        self.culprit = match self.culprit {
            Culprit::Nobody => Culprit::One(request),
            Culprit::One(same) if same == request => Culprit::One(same),
            Culprit::One(_) | Culprit::Several => Culprit::Several,
        };
        self.note_failure();
        true
    }

    /// Whose connections ended unanswered: nobody's, one request's or several, with what `rank` makes of its id.
    pub(super) fn culprit_rank(&self, rank: impl FnOnce(RequestId) -> Option<usize>) -> (u8, Option<usize>) {
        match self.culprit {
            Culprit::Nobody => (0, None),
            Culprit::One(id) => (1, rank(id)),
            Culprit::Several => (2, None),
        }
    }

    fn note_failure(&mut self) {
        self.failures = self.failures.saturating_add(1);
        self.round = self.round.wrapping_add(1);
    }

    /// Whether the origin closes connections before it answers, whoever asks, more often than is tried again.
    pub(super) fn is_mute(&self, policy: &Policy) -> bool {
        matches!(self.culprit, Culprit::Several) && self.failures > policy.connect_retries
    }

    /// A connection was made; whether it is worth anything, its first response says.
    pub(super) fn note_connected(&mut self) {
        self.refusals = 0;
        self.abandoned = 0;
    }

    pub(super) fn reset(&mut self) {
        self.abandoned = 0;
        if self.failures > 0 || self.retry_at.is_some() {
            *self = Self { round: self.round.wrapping_add(1), ..Self::default() };
        }
    }
}
