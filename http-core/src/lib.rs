//! A complete HTTP/1.1 engine that does no I/O.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

mod chunked;
pub mod client;
mod config;
mod content;
mod deadline;
mod decode;
mod encode;
mod error;
mod exchange;
mod field;
mod framing;
mod generate;
mod head;
mod method;
mod outbox;
mod parse;
mod phase;
mod reason;
pub mod server;
mod status;
mod target;
mod time;
mod token;
mod version;
mod wire;

pub use config::{Config, Limits, Persistence, Strictness, Timeouts};
pub use content::Content;
pub use deadline::Deadline;
pub use error::{ErrorKind, Misuse, ProtocolError};
pub use exchange::End;
pub use field::Fields;
pub use framing::Framing;
pub use generate::{Outline, SendFraming, Sending, make_header_request, make_header_response};
pub use head::{KeepAlive, RequestHead, ResponseHead};
pub use method::Method;
pub use outbox::Outbox;
pub use phase::Phase;
pub use reason::Reason;
pub use status::StatusCode;
pub use target::Target;
pub use time::Instant;
pub use version::Version;
pub use wire::{Closed, Interest};
