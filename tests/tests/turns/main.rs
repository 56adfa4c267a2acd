//! What a wake of a connection does: nothing that came stays unseen, nothing grows, nobody is kept waiting. On an
//! executor and transports of the tests' own, so that every moment is decided.

mod completion;
mod dates;
mod fairness;
mod identity;
mod idling;
mod pressure;
mod resting;
mod sparing;
mod stage;
mod wakes;
