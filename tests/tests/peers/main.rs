//! What the tests of peers assert, as far as it can be asked of a machine without sockets, by their names: of hyper the
//! framing, `Expect` and persistence of its server and client tests and its unit tests; of h11, ureq-proto and ntex what
//! those leave out. Where ours differs on purpose, the test says so.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

mod h11;
mod hyper_client;
mod hyper_server;
mod hyper_units;
mod ntex;
mod ureq;

use http_core::Config;
use tests::scene::{Client, Server};

const NOTHING: [&str; 0] = [];
const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const NEXT: &str = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

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

/// A request with these fields beside `Host`.
fn post(fields: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

fn chunked(chunks: &str) -> String {
    post("Transfer-Encoding: chunked\r\n") + chunks
}
