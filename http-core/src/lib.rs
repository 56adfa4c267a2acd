//! A complete HTTP/1.1 engine that does no I/O.
#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;

pub mod dispatch;
mod time;

pub use time::Instant;
