//! Exchanges over memory, by `http-core` and by hyper, and what is needed to count what they cost.
//!
//! Nothing here measures time: on a shared machine a clock says more about the neighbours than about the code.
//! Instructions and allocations repeat.

pub mod case;
pub mod heap;
mod ours;
mod peer;
mod wire;

pub use ours::{idle_client, idle_server};
