//! HTTP/1.1 servers and clients on tokio.
//!
//! This crate is all that a program needs beside `http`, `bytes` and tokio itself:
//!
//! ```toml
//! [dependencies]
//! http-tokio = "0.1"
//! http = "1"
//! bytes = "1"
//! tokio = { version = "1", features = ["macros", "net", "rt-multi-thread", "time"] }
//! ```
//!
//! # To serve
//!
//! Any service over the types of `http` is served: a [`service_fn`], one of `tower`, an axum `Router`.
//!
//! ```no_run
//! use std::convert::Infallible;
//! use std::time::Duration;
//! use http::{Request, Response, StatusCode};
//! use http_tokio::server::Options;
//! use http_tokio::{Config, Full, Incoming, ReadError, Server, service_fn};
//!
//! /// Sends back what it is sent, if that is not too long.
//! async fn echo(request: Request<Incoming>) -> Result<Response<Full>, Infallible> {
//!     let mut response = Response::new(Full::default());
//!     match request.into_body().bytes(64 * 1024).await {
//!         Ok(content) => *response.body_mut() = content.into(),
//!         Err(ReadError::TooLong) => *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE,
//!         Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
//!     }
//!     Ok(response)
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let mut config = Config::default();
//!     config.timeouts.head = Duration::from_secs(10);
//!     // What goes wrong, a line each.
//!     let options = Options::default().observe(|incident| eprintln!("{incident}"));
//!     let server = Server::new().config(config).options(options).max_connections(10_000);
//!
//!     let shutdown = server.shutdown();
//!     tokio::spawn(async move {
//!         tokio::time::sleep(Duration::from_secs(3600)).await;
//!         shutdown.begin(); // open exchanges are answered, and then `serve` returns
//!     });
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//!     server.serve(listener, service_fn(echo)).await;
//!     Ok(())
//! }
//! ```
//!
//! [`Server`](server::Server) has what a server can be told, [`server`] what its services are told in turn: incidents,
//! interim responses, clients that leave, upgrades to [`Tunnel`]s, [`Peer`]s. [`server::Connection`] is the level
//! below, without services.
//!
//! # To ask
//!
//! ```no_run
//! use std::time::Duration;
//! use http::Request;
//! use http_tokio::client::{Builder, RequestOptions};
//! use http_tokio::core::dispatch::Backoff;
//! use http_tokio::{Full, client};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let client = client(Builder::new().connect_timeout(Duration::from_secs(3)).backoff(Backoff::default()));
//!     let request = Request::post("http://127.0.0.1:8080/")
//!         .extension(RequestOptions::new().timeout(Duration::from_secs(5)).idempotent(true))
//!         .body(Full::from("Hello"))?;
//!     match client.request(request).await {
//!         Ok(response) => {
//!             println!("{}", response.status());
//!             let content = response.into_body().bytes(1024 * 1024).await?;
//!             println!("{}", String::from_utf8_lossy(&content));
//!         }
//!         Err(error) if error.is_connect() => println!("nobody is there: {error}"),
//!         Err(error) if error.is_timeout() => println!("not in time: {:?}", error.cause()),
//!         Err(error) if error.is_safe_to_repeat() => println!("failed, and may be repeated: {error}"),
//!         Err(error) => println!("failed, and may have taken effect: {error}"),
//!     }
//!     Ok(())
//! }
//! ```
//!
//! [`Builder`](client::Builder) has what all requests of a client have in common,
//! [`RequestOptions`](client::RequestOptions) what one has for itself, [`RequestError`](client::RequestError) how one
//! fails. [`network`] reaches origins through proxies, resolvers and Unix sockets of one's own, a
//! [`Connector`](client::Connector) in any other way.
//!
//! # To read content
//!
//! [`Incoming::bytes`] and [`Incoming::text`] read it whole, up to a length. Piece by piece it is a [`Body`], and is
//! taken from the socket no faster than it is read:
//!
//! ```
//! use std::future::poll_fn;
//! use std::pin::Pin;
//! use http_tokio::{Body, Error, Incoming};
//!
//! async fn count(mut content: Incoming) -> Result<u64, Error> {
//!     let mut count = 0;
//!     while let Some(frame) = poll_fn(|cx| Pin::new(&mut content).poll_frame(cx)).await {
//!         count += frame?.data_ref().map_or(0, |data| data.len() as u64);
//!     }
//!     Ok(count)
//! }
//! ```
//!
//! The crate `http-body-util` has more ways to read one, and to make one.
//!
//! # What is where
//!
//! | | |
//! |---|---|
//! | here | tokio's part, and what both sides share: content, tunnels, errors, traits for one's own runtime |
//! | [`server`], [`mod@client`] | the two sides; [`convert`] between the core's heads and the types of `http` |
//! | [`mod@http`], [`mod@bytes`] | the crates whose types all of this has: where another version would not match |
//! | [`core`] | the protocol: [`Config`] with all settings, heads, fields, [`dispatch`](core::dispatch), recordings |
//! | `axum`, `tls` | what the features of these names bring |
//!
//! All of it is the driver's and the core's own. Where their documentation says `http_driver::`, a program that
//! depends on this crate alone says `http_tokio::`, and for `http_core::` it says `http_tokio::core::`.
//!
//! # Where next
//!
//! | to | begin at |
//! |---|---|
//! | an application of axum | `axum::serve`, with the feature `axum` |
//! | TLS, certificates that change | the feature `tls`: `http_tokio::tls` |
//! | WebSockets, tunnels | [`Upgrade`] and [`Tunnel`] |
//! | end in order, count connections | [`server::Shutdown`] |
//! | see what goes wrong | [`server::Options::observe`], [`client::RequestError`] |
//! | retries, back-off, waiting for a server | [`client::Builder`], and [`core::dispatch`] for the rules |
//! | do without services, exchange by exchange | [`server::Connection`], [`client::Connection`] |
//!
//! The repository has a book, `docs`, with a program for each of these and more, and tables for those who come from
//! hyper, axum, reqwest, h11 or evhttp.
//!
//! # Features
//!
//! | feature | default | what it does |
//! |---|---|---|
//! | `axum` | no | `axum::serve` for this engine, and `hyper-compat`: applications of axum move by one path |
//! | `hyper-compat` | no | requests that ask for an upgrade carry hyper's `OnUpgrade`, which axum's `WebSocketUpgrade` wants |
//! | `proxy` | no | clients that go through proxies: HTTP ones, the same over TLS with `tls`, SOCKS 5 |
//! | `proxy-protocol` | no | servers behind proxies that tell their clients' addresses, by the PROXY protocol |
//! | `tls` | no | TLS for servers and clients, with `rustls` and `ring`; a client is given its configuration |
//! | `tls-webpki-roots` | no | `tls`, and clients trust the roots of Mozilla, which are bundled |
//! | `tls-native-roots` | no | `tls`, and clients trust the roots of the platform, unless others are bundled |
//! | `tls-platform-verifier` | no | `tls`, and clients trust whom the platform trusts, unless they have roots |
//! | `tracing` | no | spans of exchanges and connections, for subscribers of `tracing`: see [`observe`] |
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub mod axum;
mod connect;
mod io;
mod runtime;
mod serve;
mod tunnel;

pub use bytes;
pub use connect::{Client, ClientSocket, Network, TokioDial, client, client_builder, network};
pub use http;
pub use http_core::{self as core, Config};
#[cfg(feature = "tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
pub use http_driver::tls;
pub use http_driver::{
    Body, BoxTap, Either, Error, Frame, Full, Incoming, Instant, Peer, ReadError, ReasonPhrase, Runtime, RuntimeId,
    Service, ServiceFn, SizeHint, Timer, Transport, Tunnel, Unconvertible, Upgrade, client, convert, observe, server,
    service_fn,
};
pub use io::TokioIo;
pub use runtime::{TokioRuntime, TokioTimer};
pub use serve::Server;
pub use tunnel::TunnelStream;
