//! HTTP/1.1 servers and clients on `futures-io` streams: for async-std, and through plain streams for smol.
//!
//! async-std is discontinued; its authors point to smol. Streams and timers here need neither: without the default
//! feature `async-std` this crate depends on `futures-io` and `async-io` alone, which smol is built of.
//!
//! | feature | default | what it does |
//! |---|---|---|
//! | `async-std` | yes | listeners, connector, server and tasks of async-std |
//! | `hyper-compat` | no | requests that ask for an upgrade carry hyper's `OnUpgrade`, which services made for hyper want |
//! | `proxy-protocol` | no | servers behind proxies that tell their clients' addresses, by the PROXY protocol |
//! | `tls` | no | TLS for servers and clients, with `rustls` and `ring`; a client is given its configuration |
//! | `tls-webpki-roots` | no | `tls`, and clients trust the roots of Mozilla, which are bundled |
//! | `tls-native-roots` | no | `tls`, and clients trust the roots of the platform, unless others are bundled |
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "async-std")]
mod connect;
mod io;
mod runtime;
#[cfg(feature = "async-std")]
mod serve;
mod tunnel;

#[cfg(feature = "async-std")]
pub use connect::{AsyncStdDial, Client, ClientSocket, Network, client, client_builder, network};
pub use http_core as core;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use http_driver::tls;
pub use http_driver::{Error, Full, Incoming, Tunnel, Upgrade, server, service_fn};
pub use io::FuturesIo;
pub use runtime::AsyncIoTimer;
#[cfg(feature = "async-std")]
pub use runtime::AsyncStdRuntime;
#[cfg(feature = "async-std")]
pub use serve::Server;
pub use tunnel::TunnelStream;
