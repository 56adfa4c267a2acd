//! The server's side of a connection.

mod connection;
mod resting;
mod side;
mod transitions;

pub use connection::{Connection, Event};
pub use resting::Resting;
pub use side::ServerSide;
