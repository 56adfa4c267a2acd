//! Runs [`http_core`]'s machines over any transport, timer and runtime. No protocol rules in here, and no socket.
//!
//! Programs depend on an adapter, `http-tokio` or `http-async-std`, which hands out all of this crate. Depend on it
//! alone to write an adapter for another runtime, or a library that works on all of them.
//!
//! # Whatever the runtime
//!
//! A server that greets its peers, over anything that is a [`Transport`], exchange after exchange, without a task or a
//! channel:
//!
//! ```
//! use std::sync::Arc;
//! use bytes::Bytes;
//! use http_core::{Config, Content, ResponseHead, StatusCode};
//! use http_driver::{Error, Runtime, Transport, server};
//!
//! async fn greet<T: Transport, R: Runtime>(transport: T, runtime: R) -> Result<(), Error> {
//!     let mut connection = server::Connection::new(transport, runtime, Arc::new(Config::default()));
//!     let hello = ResponseHead::new(StatusCode::OK);
//!     while let Some(mut exchange) = connection.accept().await? {
//!         exchange.respond(&hello, Content::Full(Bytes::from_static(b"Hello")))?;
//!         exchange.finish().await?;
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # Where next
//!
//! | to | begin at |
//! |---|---|
//! | bring a runtime of one's own | [`Runtime`], [`Timer`], [`Transport`]; `http-async-std` is the shorter adapter |
//! | accept connections and serve them | [`server::Server`], and [`server::Listener`] for what it accepts |
//! | ask with a pool | [`client::Builder`]; [`client::Dial`] or [`client::Connector`] reaches the origins |
//! | ask on one connection | [`client::Connection`] |
//! | turn the core's heads into the types of `http` | [`convert`] |
//!
//! # Features
//!
//! | feature | default | what it does |
//! |---|---|---|
//! | `socket2` | yes | `client::SocketOptions::open`: a socket of the system's with these options |
//! | `hyper-compat` | no | requests that ask for an upgrade carry hyper's `OnUpgrade`, which axum's `WebSocketUpgrade` wants |
//! | `proxy` | no | clients that go through proxies: HTTP ones, the same over TLS with `tls`, SOCKS 5 |
//! | `proxy-protocol` | no | servers behind proxies that tell their clients' addresses, by the PROXY protocol |
//! | `tls` | no | TLS for servers and clients, with `rustls` and `ring`; a client is given its configuration |
//! | `tls-webpki-roots` | no | `tls`, and clients trust the roots of Mozilla, which are bundled |
//! | `tls-native-roots` | no | `tls`, and clients trust the roots of the platform, unless others are bundled |
//! | `tls-platform-verifier` | no | `tls`, and clients trust whom the platform trusts, unless they have roots |
//! | `tracing` | no | spans of exchanges and connections, for subscribers of `tracing`: see [`observe`] |
//!
//! # Without an operating system
//!
//! What a system offers is the runtime's to bring: time, and the date. Where the standard library has neither, on
//! `wasm32-unknown-unknown`, [`Instant`] is the core's, a number that [`Runtime::now`] makes of whatever clock there
//! is, and [`Runtime::unix_time`] says the date, or that nobody knows it. Without default features this crate is built
//! there; what the standard library cannot do there, such as to look up the zone of an address, fails as it does.
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
mod lock;
mod names;
pub mod observe;
mod outside;
mod peer;
pub mod server;
mod simple;
mod template;
mod time;
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
pub use time::Instant;
pub use tower_service::Service;
pub use tunnel::{Tunnel, Upgrade};
