//! The server's side: exchanges, and services on top of them.

mod acceptor;
mod connection;
mod disconnected;
mod exchange;
mod incident;
mod inflow;
mod interim;
mod keeper;
mod listener;
mod options;
#[cfg(feature = "proxy-protocol")]
mod proxied;
mod rests;
mod running;
mod served;
mod service;
mod serving;
mod shutdown;
mod switched;

pub use acceptor::{MakeService, Report, Server, WhenFull};
pub use connection::Connection;
pub use disconnected::Disconnected;
pub use exchange::Exchange;
pub(crate) use incident::Observed;
pub use incident::{Fault, Incident};
pub use interim::Interim;
pub use listener::Listener;
pub use options::Options;
#[cfg(feature = "proxy-protocol")]
#[cfg_attr(docsrs, doc(cfg(feature = "proxy-protocol")))]
pub use proxied::{ProxiedListener, ProxiedTransport, TrustedProxies};
pub use service::serve_connection;
pub use shutdown::{Shutdown, Watch};
pub use switched::Switched;
