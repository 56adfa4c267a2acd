//! Runs [`http_core`]'s machines over any transport, timer and runtime. No protocol rules in here.
//!
//! | feature | default | what it does |
//! |---|---|---|
//! | `hyper-compat` | no | requests that ask for an upgrade carry hyper's `OnUpgrade`, which axum's `WebSocketUpgrade` wants |
//! | `proxy-protocol` | no | servers behind proxies that tell their clients' addresses, by the PROXY protocol |
//! | `tls` | no | TLS for servers and clients, with `rustls` and `ring`; a client is given its configuration |
//! | `tls-webpki-roots` | no | `tls`, and clients trust the roots of Mozilla, which are bundled |
//! | `tls-native-roots` | no | `tls`, and clients trust the roots of the platform, unless others are bundled |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod buffers;
mod call;
pub mod client;
mod clock;
mod convert;
mod either;
mod error;
mod io;
mod link;
mod machine;
mod names;
mod peer;
pub mod server;
mod simple;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub mod tls;
mod tunnel;
mod wake;

pub use body::Incoming;
pub use convert::{ReasonPhrase, Unconvertible, fields, header_map, request, request_head, response, response_head};
pub use either::Either;
pub use error::Error;
pub use io::{Runtime, Timer, Transport};
pub use link::BoxTap;
pub use peer::Peer;
pub use simple::{Full, ServiceFn, service_fn};
pub use tunnel::{Tunnel, Upgrade};
