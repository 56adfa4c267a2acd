//! What a dispatcher keeps of one request.

use super::action::Job;
use super::failure::Failure;
use super::ids::{ConnectionId, RequestId};
use super::list::Node;
use super::queue::{Need, Place, Spot};
use super::timers::Armed;
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
    place_due: Instant,
    /// Where that timer stands.
    place_node: Node,
    /// Where the timer of its deadline stands, if it has one.
    deadline_node: Node,
    /// Whether it was sent again for a 421, which happens once.
    pub(super) misdirected: bool,
    pub(super) state: State,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    /// In the queue of its origin, or given up together with the part of it that it stood in.
    Waiting(Spot),
    /// Until it goes back into the queue.
    Delayed { until: Armed },
    InFlight {
        connection: ConnectionId,
        /// Whether the connection may have grown old before it came to it.
        reused: bool,
        /// Whether the head of a final response was delivered.
        answered: bool,
        /// Where its `Assign` is to be polled; `None` once it was.
        output: Option<Node>,
    },
    /// It has failed; that is to be polled.
    Failed { failure: Failure, output: Node },
}

impl Request {
    /// One that comes in, and is not yet anywhere.
    pub(super) fn new(job: Job, sequence: u64, now: Instant) -> Self {
        Self {
            job,
            sequence,
            need: if job.fresh { Need::Fresh } else { Need::Any },
            attempts: 0,
            spared: 0,
            queued: now,
            place_due: Instant::NEVER,
            place_node: Node::NOWHERE,
            deadline_node: Node::NOWHERE,
            misdirected: false,
            state: State::Delayed { until: Armed::NEVER },
        }
    }

    /// When it is looked at for a place.
    pub(super) fn place_due(&self) -> Instant {
        self.place_due
    }

    pub(super) fn set_place_due(&mut self, armed: Armed) {
        (self.place_due, self.place_node) = armed.into_parts();
    }

    /// When it would be looked at for a place, which it is not any more.
    pub(super) fn take_place_due(&mut self) -> Armed {
        let armed = Armed::from_parts(self.place_due, self.place_node);
        self.set_place_due(Armed::NEVER);
        armed
    }

    /// The timer of its deadline, if it has one.
    pub(super) fn deadline(&self) -> Armed {
        Armed::from_parts(self.job.deadline.unwrap_or(Instant::NEVER), self.deadline_node)
    }

    pub(super) fn arm_deadline(&mut self, armed: Armed) {
        (_, self.deadline_node) = armed.into_parts();
    }

    pub(super) fn place(&self, id: RequestId) -> Place {
        Place { rank: u8::MAX - self.job.priority, sequence: self.sequence, request: id }
    }
}
