//! What scenarios begin with: sides of a connection, requests, and what comes of a refusal.

use http_core::Config;

use crate::scene::{Client, Server};

/// Nothing is told.
pub const NOTHING: [&str; 0] = [];
/// A request.
pub const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
/// A request that follows another one.
pub const NEXT: &str = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

/// No leniency at all.
#[must_use]
pub fn strict() -> Config {
    Config::strict()
}

/// A server under the default configuration.
#[must_use]
pub fn server() -> Server {
    Server::server(Config::default())
}

/// A client under the default configuration.
#[must_use]
pub fn client() -> Client {
    Client::client(Config::default())
}

/// What a server makes of a request that it refuses.
#[must_use]
pub fn refused(reason: &str, status: u16) -> [String; 3] {
    [format!("refused {reason}"), format!("answers {status}"), "closes".into()]
}

/// A request with these fields beside `Host`.
#[must_use]
pub fn post(fields: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

/// A request with these chunks, and the trailers behind them.
#[must_use]
pub fn chunked(chunks: &str) -> String {
    post("Transfer-Encoding: chunked\r\n") + chunks
}
