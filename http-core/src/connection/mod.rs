//! One connection: how its two messages are coupled, its deadlines, and the machine of either side.

mod bound;
pub mod client;
pub(crate) mod common;
pub(crate) mod deadline;
pub(crate) mod exchange;
pub(crate) mod flow;
pub(crate) mod memory;
pub(crate) mod phase;
pub mod server;
