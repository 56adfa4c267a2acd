//! A complete HTTP/1.1 engine that does no I/O.
//!
//! What happened goes in: bytes, the end of the stream, the time, what the application wants. What is to be done comes
//! out: bytes to write, events to handle, an instant to wake at, what to do with the transport. There is no clock, no
//! socket, no thread, no `async` and no global in here, so an HTTP connection is a value: it can be cloned, replayed,
//! explored exhaustively, and driven from any runtime.
//!
//! # The model
//!
//! Two machines of bytes, [`server::Connection`] and [`client::Connection`], and one of requests. Every call that
//! changes one of them is an [`Input`](model::Input), whatever follows is an [`Action`](model::Action), and
//! [`model::apply`] is the function between them:
//!
//! ```
//! use bytes::{Bytes, BytesMut};
//! use http_core::model::{Action, Input, drain};
//! use http_core::{Config, Content, Instant, ResponseHead, StatusCode, server};
//!
//! let now = Instant::ZERO;
//! let mut machine = server::Connection::new(Config::default().into(), now);
//! let mut buffer = BytesMut::new();
//! let mut wire = Vec::new();
//! for input in [
//!     Input::Received(Bytes::from_static(b"GET /hello HTTP/1.1\r\nHost: example.com\r\n\r\n")),
//!     Input::SendResponse(ResponseHead::new(StatusCode::OK), Content::Full("Hello".into())),
//! ] {
//!     drain(&mut machine, &mut buffer, input, now, &mut |action| {
//!         if let Action::Write(bytes) = action {
//!             wire.extend_from_slice(&bytes);
//!         }
//!     });
//! }
//! assert_eq!(wire, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello");
//! ```
//!
//! The typed methods behind the model are what an adapter calls: they cost nothing beyond their work, and their types
//! say what each can lead to. The documentation of the two connections is the manual.
//!
//! # A loop over a socket
//!
//! All that a blocking server needs:
//!
//! ```no_run
//! use std::io::{Read, Write};
//! use bytes::{Bytes, BytesMut};
//! use http_core::server::{Connection, Event};
//! use http_core::{Config, Content, End, Instant, ResponseHead, StatusCode};
//!
//! fn serve(mut socket: std::net::TcpStream) -> std::io::Result<()> {
//!     let epoch = std::time::Instant::now();
//!     let now = || Instant::from_nanos(epoch.elapsed().as_nanos() as u64);
//!     let mut connection = Connection::new(Config::default().into(), now());
//!     let (mut input, mut chunk) = (BytesMut::new(), [0; 16 * 1024]);
//!     let hello = ResponseHead::new(StatusCode::OK);
//!     loop {
//!         while let Ok(Some(event)) = connection.poll_event(&mut input, now()) {
//!             if let Event::Request(_) = event {
//!                 let content = Content::Full(Bytes::from_static(b"Hello"));
//!                 connection.send_response(&hello, content, now()).expect("a request awaits its response");
//!             }
//!         }
//!         while connection.interest().write {
//!             let mut slices = [&b""[..]; 1];
//!             let _ = connection.transmit(&mut slices);
//!             let count = socket.write(slices[0])?;
//!             connection.handle_sent(count, now());
//!         }
//!         let interest = connection.interest();
//!         if interest.close {
//!             return Ok(());
//!         }
//!         if interest.shutdown {
//!             socket.shutdown(std::net::Shutdown::Write)?;
//!         }
//!         let left = connection.poll_timeout().map(|at| at.saturating_since(now()));
//!         socket.set_read_timeout(left.map(|left| left.max(std::time::Duration::from_millis(1))))?;
//!         // No more than the connection wants to hold; there is room, because everything is answered at once.
//!         let most = interest.room(input.len()).min(chunk.len());
//!         match socket.read(&mut chunk[..most]) {
//!             Ok(0) => connection.handle_eof(End::Clean, now()),
//!             Ok(count) => input.extend_from_slice(&chunk[..count]),
//!             Err(_) => connection.handle_timeout(now()),
//!         }
//!     }
//! }
//! ```
//!
//! # What holds for every call
//!
//! * It does not block, panic, read a clock or call back, and its work is bounded by its input.
//! * A command that does not fit returns [`Misuse`] and changes nothing; nothing of it is sent.
//! * A peer that breaks a rule is reported once, as a [`ProtocolError`] with [`Reason`] and offset; a server's answer
//!   and the close are queued already.
//! * Cutting the same input into other pieces changes nothing but where pieces of content end.
//! * After `Closed` every input is without effect.
//!
//! # Where next
//!
//! | to | begin at |
//! |---|---|
//! | write a server or a client over bytes of one's own | [`server::Connection`], [`client::Connection`]: the manual |
//! | pool, queue and repeat requests | [`dispatch`] |
//! | say how long, how much and how strict | [`Config`], and [`Config::differences`] for what a preset changes |
//! | forward messages as a proxy | [`RequestHead::forwarded`], [`ResponseHead::forwarded`] |
//! | record a connection and replay it | [`model::Recorder`], [`model::Record`] |
//! | not write any of that | the crates `http-tokio` and `http-async-std`, which drive this one |
//!
//! # Features
//!
//! | feature | default | what it does |
//! |---|---|---|
//! | `simd` | no | lets `httparse` choose SIMD code at run time; needs `std` below `httparse` |
#![no_std]
#![warn(clippy::std_instead_of_core, clippy::std_instead_of_alloc, clippy::alloc_instead_of_core)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

mod canonical;
mod config;
mod connection;
pub mod dispatch;
mod error;
mod message;
pub mod model;
mod read;
mod reason;
mod time;
mod write;

pub use config::{Config, Difference, Events, Leniency, Limits, Persistence, Refusal, Timeouts, Value};
pub use connection::common::{Connection, Side};
pub use connection::deadline::Deadline;
pub use connection::exchange::End;
pub use connection::flow::{Closed, Interest};
pub use connection::memory::Memory;
pub use connection::phase::Phase;
pub use connection::{client, server};
pub use error::ProtocolError;
pub use message::content::Content;
pub use message::date::{imf_fixdate, parse_date};
pub use message::destination::Destination;
pub use message::facts::Framing;
pub use message::field::Fields;
pub use message::head::{KeepAlive, RequestHead, ResponseHead};
pub use message::method::Method;
pub use message::misuse::Misuse;
pub use message::status::StatusCode;
pub use message::target::{Target, percent_encoded};
pub use message::version::Version;
pub use reason::{ErrorKind, Reason};
pub use time::Instant;
pub use write::generate::{Outline, SendFraming, Sending, make_header_request, make_header_response};
pub use write::mend::mend_response;
pub use write::outbox::Outbox;
pub use write::request::RequestLines;
pub use write::source::ResponseLines;
