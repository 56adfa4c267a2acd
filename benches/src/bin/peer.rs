//! A server that ours are compared with: `peer hyper|axum|floor [--port N] [--cert FILE --key FILE] [--flush BOOL]`.
//!
//! Listens on 127.0.0.1 with one thread, and prints one line when it is ready. With a certificate hyper's speaks TLS;
//! with `--flush false` it does not flush answers to pipelined requests together.

use std::sync::Arc;

use benches::servers;
use http_tokio::tls::server_config;

const USAGE: &str = "peer hyper|axum|floor [--port N] [--cert FILE --key FILE] [--flush BOOL]";

fn main() {
    let mut words = std::env::args().skip(1);
    let name = words.next().expect(USAGE);
    let (mut port, mut cert, mut key, mut flush) = (0, None, None, true);
    while let (Some(option), Some(value)) = (words.next(), words.next()) {
        match option.as_str() {
            "--port" => port = value.parse().expect("a port"),
            "--cert" => cert = Some(std::fs::read(value).expect("a certificate")),
            "--key" => key = Some(std::fs::read(value).expect("a key")),
            "--flush" => flush = value.parse().expect("true or false"),
            _ => panic!("{USAGE}"),
        }
    }
    // What ours is given as well: the same suites, tickets and protocols.
    let tls = cert.zip(key).map(|(cert, key)| Arc::new(server_config(&cert, &key).expect("they belong together")));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (listener, port) = servers::listen(port).expect("the port is free");
        println!("serving 127.0.0.1:{port} by {name}");
        match name.as_str() {
            "hyper" => servers::serve_hyper(listener, tls, flush).await,
            "axum" => servers::serve_axum(listener).await,
            "floor" => servers::serve_floor(listener).await,
            _ => panic!("{USAGE}"),
        }
    });
}
