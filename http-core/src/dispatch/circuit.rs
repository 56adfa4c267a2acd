//! The circuit breaker of an origin.

use super::failure::{Cause, RequestPhase};
use super::ids::ConnectionId;
use crate::config::Policy;
use crate::time::Instant;

/// The failures in a row of an origin, whatever requests they met, and until when it is left alone for them.
#[derive(Clone, Debug, Default)]
pub(super) struct Breaker {
    pub(super) failures: u32,
    pub(super) open_until: Option<Instant>,
    /// The connection that finds out whether the origin is back, until it has answered or is gone.
    pub(super) probe: Option<ConnectionId>,
    /// What failed last.
    pub(super) last: Option<(RequestPhase, Cause)>,
}

impl Breaker {
    /// Another connection failed.
    pub(super) fn note_failure(&mut self, phase: RequestPhase, cause: Cause, policy: &Policy, now: Instant) {
        let Some(circuit) = policy.circuit else { return };
        self.failures = self.failures.saturating_add(1);
        self.last = Some((phase, cause));
        if self.failures >= circuit.failures.max(1) {
            self.open_until = Some(now.saturating_add(circuit.open));
        }
    }

    /// The origin has answered.
    pub(super) fn close(&mut self) {
        *self = Self::default();
    }

    /// Until when no connection is made, if that lies ahead.
    pub(super) fn open_until(&self, now: Instant) -> Option<Instant> {
        self.open_until.filter(|until| *until > now)
    }

    /// Whether it was open and one connection is to find out whether the origin is back.
    pub(super) fn is_half_open(&self, now: Instant) -> bool {
        self.open_until.is_some_and(|until| until <= now)
    }
}
