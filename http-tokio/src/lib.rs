//! HTTP/1.1 servers and clients on tokio.

mod connect;
mod io;
mod runtime;
mod serve;
mod tunnel;

pub use connect::{Client, ClientSocket, Network, TokioDial, client, client_builder, network};
pub use http_core as core;
pub use http_driver::{Error, Full, Incoming, Tunnel, Upgrade, server, service_fn};
pub use io::TokioIo;
pub use runtime::{TokioRuntime, TokioTimer};
pub use serve::Server;
pub use tunnel::TunnelStream;
