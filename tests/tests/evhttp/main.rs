//! What libevent's own tests of `evhttp` assert of a machine without sockets, what they lack, and the bugs that they
//! leave in: one test a row. Where `evhttp` is more lenient than RFC 9112, that is asserted of `Config::evhttp`, and
//! the RFC's answer of the default.
//!
//! Not here are the rows of routing, percent-coding and query pairs, which belong to other crates, and those of
//! sockets, name resolution and TLS, which are the adapters'.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

mod bitcoin;
mod bugs;
mod http;
mod lacking;
mod uri;

use tests::beginnings::{GET, NEXT, NOTHING, client, refused, server, strict};
