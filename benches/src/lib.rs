//! Exchanges over memory and over sockets, by `http-core` and what drives it, and by others, and what is needed to
//! count what they cost.
//!
//! Time is not measured: on a shared machine a clock says more about the neighbours than about the code. Instructions
//! and allocations repeat. What long content costs is a report apart, in seconds of the processor.

pub mod case;
pub mod contender;
pub mod dispatch;
pub mod fields;
pub mod heap;
pub mod load;
mod ours;
mod peer;
pub mod report;
pub mod servers;
pub mod traffic;
mod wire;

pub use ours::{idle_client, idle_server};
