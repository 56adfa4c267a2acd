//! Everything that can be set, by name, and what comes of a refusal.

mod backoff;
mod parts;
mod policy;
mod refusal;
mod settings;

pub use backoff::{Backoff, delay};
pub use parts::{Config, Events, Leniency, Limits, Persistence, Timeouts};
pub use policy::{Budget, Circuit, Policy};
pub use refusal::Refusal;
pub use settings::{Difference, Value};
