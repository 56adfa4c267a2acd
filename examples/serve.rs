//! A server to measure and to test against, on tokio: `serve --port N [--threads T] [--level exchange|service]
//! [--cert FILE --key FILE] [--proxy-protocol ADDRESS[/BITS],…] [--log nothing|incidents]`.
//!
//! Listens on 127.0.0.1 and prints one line when it is ready. With a certificate it speaks TLS; from proxies at the
//! given addresses it expects the header of a PROXY protocol, and takes their word for whom they speak for. SIGTERM
//! ends it once open exchanges are answered, after 1.5 s in any case. With `--log incidents` the service level says on
//! its standard error what goes wrong, a line each.

#[path = "shared/args.rs"]
mod args;
#[path = "shared/gate.rs"]
mod gate;
#[path = "shared/routes.rs"]
mod routes;
#[path = "shared/server.rs"]
mod server;
#[path = "shared/service.rs"]
mod service;
#[path = "shared/threads.rs"]
mod threads;

use http_tokio as engine;
use http_tokio::TokioRuntime;
use tokio::signal::unix::{SignalKind, signal};

fn main() {
    let plan = server::Plan::parse("serve");
    let (announced, count, port) = (plan.clone(), plan.threads, plan.port);
    threads::serve_on(
        count,
        port,
        |port| announced.announce(port),
        move |listener| {
            let plan = plan.clone();
            async move {
                let mut term = signal(SignalKind::terminate()).expect("a signal");
                let told = async move {
                    term.recv().await;
                };
                plan.serve(TokioRuntime, listener, told).await;
            }
        },
    );
}
