//! The client's side: exchanges, and a client on top of them.

mod carrier;
mod connection;
mod exchange;
mod failure;
mod job;
mod origin;
mod pool;

pub use connection::Connection;
pub use exchange::Exchange;
pub use failure::RequestError;
pub use origin::{Connector, Origin, connect_cause};
pub use pool::{Builder, Client, Observe};
