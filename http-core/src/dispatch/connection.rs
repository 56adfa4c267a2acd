//! What a dispatcher keeps of one connection.

use alloc::collections::VecDeque;
use core::time::Duration;

use super::action::CloseCause;
use super::ids::{OriginId, RequestId};
use super::origin::Origin;
use super::queue::Need;
use crate::config::Policy;
use crate::time::Instant;

#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) origin: OriginId,
    pub(super) state: State,
    /// The round of its origin's failures in which it was begun.
    pub(super) round: u32,
    /// How many answers its origin has given, while none has come on another connection since this one was begun.
    pub(super) answers: u64,
    /// When it was begun, and then when it was up.
    pub(super) since: Instant,
    /// Requests on it, in the order in which they are answered.
    pub(super) in_flight: VecDeque<RequestId>,
    /// Requests that it was given.
    pub(super) assigned: u32,
    /// Whether a byte of a response ever came.
    pub(super) answered: bool,
    /// Requests that the peer still takes, if it said so.
    pub(super) remaining: Option<u32>,
    /// How long the peer keeps it idle, if it said so.
    pub(super) kept_for: Option<Duration>,
    /// Since when nothing was sent on it, when it was assigned last.
    pub(super) rested: Instant,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    Connecting {
        until: Instant,
        /// Under which `Connect` is to be polled; `None` once it was.
        ticket: Option<u64>,
    },
    Idle {
        since: Instant,
        until: Instant,
        /// Its place among the idle ones.
        ticket: u64,
    },
    Busy {
        /// The byte machine would take another request.
        ready: bool,
    },
}

impl Connection {
    pub(super) fn new(id: OriginId, origin: &Origin, now: Instant, until: Instant, ticket: u64) -> Self {
        Self {
            origin: id,
            state: State::Connecting { until, ticket: Some(ticket) },
            round: origin.trouble.round,
            answers: origin.answers,
            since: now,
            in_flight: VecDeque::new(),
            assigned: 0,
            answered: false,
            remaining: None,
            kept_for: None,
            rested: now,
        }
    }

    pub(super) fn is_busy(&self) -> bool {
        matches!(self.state, State::Busy { .. })
    }

    /// Which requests it can serve.
    pub(super) fn offers(&self) -> Need {
        if self.assigned == 0 { Need::Fresh } else { Need::Any }
    }

    /// Why it must not be given another request.
    pub(super) fn is_spent(&self, policy: &Policy, now: Instant) -> Option<CloseCause> {
        let enough = policy.requests_per_connection.is_some_and(|most| self.assigned >= most.max(1));
        if enough || self.remaining == Some(0) {
            return Some(CloseCause::RequestLimit);
        }
        // One that was just made serves, however short its life is to be.
        (self.assigned > 0 && self.dies_at(policy) <= now).then_some(CloseCause::Lifetime)
    }

    /// Until when it may stay idle, if it has been so since `since`.
    pub(super) fn idle_until(&self, policy: &Policy, since: Instant) -> Instant {
        let ours = policy.idle_timeout.map_or(Instant::NEVER, |most| since.saturating_add(most));
        // The peer counts from when its last byte left, we from when it came: a request on the way while the
        // peer closes is what the margin is to avoid.
        let theirs = self.kept_for.map_or(Instant::NEVER, |kept| {
            let margin = Duration::from_secs(1).min(kept / 2);
            since.saturating_add(kept.saturating_sub(margin))
        });
        ours.min(theirs).min(self.dies_at(policy))
    }

    /// What it is closed for when its time as an idle one is over.
    pub(super) fn idle_cause(&self, policy: &Policy, now: Instant) -> CloseCause {
        if self.dies_at(policy) <= now { CloseCause::Lifetime } else { CloseCause::Idle }
    }

    fn dies_at(&self, policy: &Policy) -> Instant {
        policy.lifetime.map_or(Instant::NEVER, |most| self.since.saturating_add(most))
    }
}
