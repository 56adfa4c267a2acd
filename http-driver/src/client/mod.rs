//! The client's side: exchanges, and a client on top of them.

mod builder;
mod carrier;
mod connection;
mod exchange;
mod failure;
mod handle;
mod job;
mod origin;
mod pool;
mod slot;

pub use builder::{Builder, Observe};
pub use connection::Connection;
pub use exchange::Exchange;
pub use failure::RequestError;
pub use handle::{Client, ResponseFuture};
pub use origin::{Connector, Origin, connect_cause};
