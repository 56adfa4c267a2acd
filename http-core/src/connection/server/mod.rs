//! The server's side of a connection.

mod connection;
mod side;
mod transitions;

pub use connection::{Connection, Event};
pub use side::ServerSide;
