//! libevent's own tests of `evhttp`, what they lack, and the bugs that they leave in: one test a row. Where `evhttp` is
//! more lenient than RFC 9112, that is asserted of `Config::evhttp`, and the RFC's answer of the default.
//!
//! Not here are the rows of routing, percent-coding and query pairs, which belong to other crates.

mod bugs;
mod cancel;
mod client_sockets;
mod http;
mod lacking;
mod server_sockets;
mod tls;
mod uri;
