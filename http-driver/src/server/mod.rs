//! The server's side: exchanges, and services on top of them.

mod connection;
mod exchange;

pub use connection::Connection;
pub use exchange::Exchange;
