//! Runs [`http_core`]'s machines over any transport, timer and runtime. No protocol rules in here.
//!
//! | feature | default | what it does |
//! |---|---|---|
//! | `hyper-compat` | no | requests that ask for an upgrade carry hyper's `OnUpgrade`, which axum's `WebSocketUpgrade` wants |
//! | `proxy` | no | clients that go through proxies: HTTP ones, the same over TLS with `tls`, SOCKS 5 |
//! | `proxy-protocol` | no | servers behind proxies that tell their clients' addresses, by the PROXY protocol |
//! | `tls` | no | TLS for servers and clients, with `rustls` and `ring`; a client is given its configuration |
//! | `tls-webpki-roots` | no | `tls`, and clients trust the roots of Mozilla, which are bundled |
//! | `tls-native-roots` | no | `tls`, and clients trust the roots of the platform, unless others are bundled |
//! | `tls-platform-verifier` | no | `tls`, and clients trust whom the platform trusts, unless they have roots |
#![cfg_attr(docsrs, feature(doc_cfg))]

mod block;
mod body;
mod buffers;
mod call;
pub mod client;
mod clock;
pub mod convert;
mod either;
mod error;
mod io;
mod link;
mod names;
mod peer;
pub mod server;
mod simple;
mod template;
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub mod tls;
mod tunnel;
mod wake;

pub use body::{Incoming, ReadError};
pub use convert::{ReasonPhrase, Unconvertible};
pub use either::Either;
pub use error::Error;
pub use http_body::{Body, Frame, SizeHint};
pub use io::{Runtime, RuntimeId, Timer, Transport};
pub use link::BoxTap;
pub use peer::Peer;
pub use simple::{Full, ServiceFn, service_fn};
pub use tower_service::Service;
pub use tunnel::{Tunnel, Upgrade};
