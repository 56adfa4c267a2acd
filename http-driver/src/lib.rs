//! Runs [`http_core`]'s machines over any transport, timer and runtime. No protocol rules in here.

mod buffers;
mod clock;
mod error;
mod io;
mod link;
mod machine;
pub mod server;

pub use error::Error;
pub use io::{Runtime, Timer, Transport};
pub use link::BoxTap;
