//! The client's side: exchanges, and a client on top of them.

mod connection;
mod exchange;

pub use connection::Connection;
pub use exchange::Exchange;
