//! The client's side of a connection.

mod connection;
mod pending;
mod side;
mod transitions;

pub use connection::{Connection, Event, Readiness};
pub use pending::{ExchangeId, Received, Sent, Unanswered};
pub use side::ClientSide;

/// What a request that awaits its response takes.
pub(crate) const PENDING: usize = size_of::<pending::Pending>();
