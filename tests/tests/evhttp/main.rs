//! What libevent's own tests of `evhttp` assert of a machine without sockets, what they lack, and the bugs that they
//! leave in: one test a row. Where `evhttp` is more lenient than RFC 9112, that is asserted of `Config::evhttp`, and the
//! RFC's answer of the default.
//!
//! Not here are the rows of routing, percent-coding and query pairs, which belong to other crates, and those of sockets,
//! name resolution and TLS, which are the adapters'.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

mod bitcoin;
mod bugs;
mod http;
mod lacking;
mod uri;

use http_core::Config;
use tests::scene::{Client, Server};

const NOTHING: [&str; 0] = [];
const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const NEXT: &str = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

fn strict() -> Config {
    Config::default()
}

fn server() -> Server {
    Server::server(strict())
}

fn client() -> Client {
    Client::client(strict())
}

/// What a server makes of a request that it refuses.
fn refused(reason: &str, status: u16) -> [String; 3] {
    [format!("refused {reason}"), format!("answers {status}"), "closes".into()]
}
