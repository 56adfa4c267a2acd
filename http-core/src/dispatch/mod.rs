//! The client's brain: queue, connections, retries, back-off, pool. The [`Dispatcher`] is the machine.

mod action;
mod canonical;
mod circuit;
mod complete;
mod connections;
mod dispatcher;
mod due;
mod ending;
mod failure;
mod ids;
mod list;
mod loss;
mod model;
mod ordered;
mod origins;
mod outcome;
mod pairing;
mod place;
mod queue;
mod repeat;
mod request;
mod retry;
mod slab;
mod timers;
mod turns;

#[cfg(test)]
mod tests;

pub use crate::config::{Backoff, Budget, Circuit, Policy, delay};
pub use action::{Action, CloseCause, ConnectionState, Delivery, Job, OriginPhase, Refused, StatusFacts};
pub use dispatcher::Dispatcher;
pub use failure::{Cause, ConnectCause, Failure, PlaceLimit, RequestPhase, Why};
pub use ids::{ConnectionId, OriginId, RequestId};
pub use loss::LostCause;
pub use model::{Input, Output, apply};
pub use retry::{Decision, Event, Progress, Received, RetryFacts, Sent, Verdict, decide};
