//! The server's side of a connection.

mod connection;
#[cfg(test)]
mod tests;

pub use connection::{Connection, Event};
