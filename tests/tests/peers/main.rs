//! What the tests of peers assert, as far as it can be asked of a machine without sockets, by their names: of hyper the
//! framing, `Expect` and persistence of its server and client tests and its unit tests; of h11, ureq-proto and ntex
//! what those leave out. Where ours differs on purpose, the test says so.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

mod h11;
mod hyper_client;
mod hyper_server;
mod hyper_units;
mod ntex;
mod ureq;

use tests::beginnings::{GET, NEXT, NOTHING, chunked, client, post, refused, server, strict};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
