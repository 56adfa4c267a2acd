//! The client's side: exchanges, and a client on top of them.

mod builder;
mod connect_error;
mod connection;
mod counts;
mod ends;
mod exchange;
mod failure;
mod gather;
mod handle;
mod interim;
mod into_body;
mod job;
mod life;
mod network;
mod observe;
mod options;
mod origin;
mod payload;
mod pool;
mod response;
mod shutdown;
mod stage;
mod watching;

pub use builder::Builder;
pub use connect_error::{ConnectError, ProxyStatus, connect_cause};
pub use connection::Connection;
pub use counts::Counts;
pub use exchange::Exchange;
pub use failure::RequestError;
pub use handle::Client;
pub use interim::OnInterim;
pub use into_body::{AllThere, AsItIs, IntoBody};
pub use network::{Address, Dial, Network, Resolve, Resolving, SocketOptions};
#[cfg(feature = "proxy")]
#[cfg_attr(docsrs, doc(cfg(feature = "proxy")))]
pub use network::{BadProxy, Bypass, Proxies, Proxy};
pub use observe::Observe;
pub use options::RequestOptions;
pub use origin::{Connector, Forward, Origin};
pub use payload::{Unsent, WrongLength};
pub use response::ResponseFuture;
pub use shutdown::{Drained, Shutdown};
pub use stage::Stage;
