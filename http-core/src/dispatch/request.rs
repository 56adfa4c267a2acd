//! What a dispatcher keeps of one request.

use super::action::Job;
use super::failure::Failure;
use super::ids::{ConnectionId, RequestId};
use super::queue::{Need, Place};
use crate::time::Instant;

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) job: Job,
    /// When it came in, compared to the others.
    pub(super) sequence: u64,
    pub(super) need: Need,
    /// How often it was given to a connection.
    pub(super) attempts: u32,
    /// How many of those do not count: they ended on account of another request, or the connection had been kept and
    /// was dead before anything was sent.
    pub(super) spared: u32,
    /// Since when it has been in the queue.
    pub(super) queued: Instant,
    /// When it is looked at whether it has waited too long for a place; never, while that is not armed.
    pub(super) place_due: Instant,
    /// Whether it was sent again for a 421, which happens once.
    pub(super) misdirected: bool,
    pub(super) state: State,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    /// In the queue of its origin, or given up together with the part of it that it stood in.
    Waiting {
        /// Of the lane, when it was put in.
        epoch: u32,
    },
    /// Until it goes back into the queue.
    Delayed { until: Instant },
    InFlight {
        connection: ConnectionId,
        /// Whether the connection may have grown old before it came to it.
        reused: bool,
        /// Whether the head of a final response was delivered.
        answered: bool,
        /// Under which `Assign` is to be polled; `None` once it was.
        ticket: Option<u64>,
    },
    /// It has failed; that is to be polled.
    Failed { failure: Failure, ticket: u64 },
}

impl Request {
    /// When it would be looked at for a place, which it is not any more.
    pub(super) fn take_place_due(&mut self) -> Instant {
        core::mem::replace(&mut self.place_due, Instant::NEVER)
    }

    pub(super) fn place(&self, id: RequestId) -> Place {
        Place { rank: u8::MAX - self.job.priority, sequence: self.sequence, request: id }
    }
}
