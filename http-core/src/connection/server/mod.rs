//! The server's side of a connection.

mod connection;
mod transitions;

pub use connection::{Connection, Event};
