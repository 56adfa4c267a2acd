//! The server's side of a connection.

mod connection;
#[cfg(test)]
mod tests;
mod transitions;

pub use connection::{Connection, Event};
