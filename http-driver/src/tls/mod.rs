//! TLS over any transport, with `rustls`. Feature `tls`.
//!
//! `rustls` does no I/O either, so that one implementation serves every runtime, proxies' tunnels and Unix sockets
//! alike. Its provider of cryptography is `ring`; a configuration of one's own may have another.

mod config;
mod listener;
mod session;

pub use config::{BadPem, client_config, server_config};
pub(crate) use config::{asking_for_http, usual};
pub use listener::{TlsAcceptor, TlsListener};
pub use rustls;
pub use session::{TlsInfo, TlsTransport};
