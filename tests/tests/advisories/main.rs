//! What went wrong in others: each security advisory, and each bug that was fixed, with a test that it is not here.
//!
//! Not here is what belongs to TLS, to the adapters' defaults or to other protocols: RUSTSEC-2016-0002 (host names of
//! certificates), RUSTSEC-2022-0055 (a default limit for content), those of HTTP/2 but for their kind, cheap floods.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

mod actix;
mod hyper;
mod rustsec;

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

/// A request with these fields beside `Host`.
fn post(fields: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

fn chunked(chunks: &str) -> String {
    post("Transfer-Encoding: chunked\r\n") + chunks
}
