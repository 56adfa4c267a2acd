//! HTTP/1.1 servers and clients on tokio.
//!
//! | feature | default | what it does |
//! |---|---|---|
//! | `hyper-compat` | no | requests that ask for an upgrade carry hyper's `OnUpgrade`, which axum's `WebSocketUpgrade` wants |
//! | `proxy-protocol` | no | servers behind proxies that tell their clients' addresses, by the PROXY protocol |
//! | `tls` | no | TLS for servers and clients, with `rustls` and `ring`; a client is given its configuration |
//! | `tls-webpki-roots` | no | `tls`, and clients trust the roots of Mozilla, which are bundled |
//! | `tls-native-roots` | no | `tls`, and clients trust the roots of the platform, unless others are bundled |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod connect;
mod io;
mod runtime;
mod serve;
mod tunnel;

pub use connect::{Client, ClientSocket, Network, TokioDial, client, client_builder, network};
pub use http_core as core;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use http_driver::tls;
pub use http_driver::{Error, Full, Incoming, Tunnel, Upgrade, server, service_fn};
pub use io::TokioIo;
pub use runtime::{TokioRuntime, TokioTimer};
pub use serve::Server;
pub use tunnel::TunnelStream;
