//! A server to measure and to test against, on tokio: `serve --port N [--threads T] [--level exchange|service]
//! [--cert FILE --key FILE] [--proxy-protocol ADDRESS[/BITS],…]`.
//!
//! Listens on 127.0.0.1 and prints one line when it is ready. With a certificate it speaks TLS; from proxies at the given
//! addresses it expects the header of a PROXY protocol, and takes their word for whom they speak for. SIGTERM ends it once
//! open exchanges are answered, after 1.5 s in any case.

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

use std::net::{Ipv4Addr, SocketAddr};

use http_tokio::TokioRuntime;
use tokio::net::{TcpListener, TcpSocket};
use tokio::signal::unix::{SignalKind, signal};

fn main() {
    let plan = server::Plan::parse("serve");
    // One runtime a thread, each with a listener of its own: connections stay on the core that accepted them.
    let (listener, port) = listen(plan.port, plan.threads > 1).expect("the port is free");
    let mut listeners = vec![listener];
    for _ in 1..plan.threads {
        listeners.push(listen(port, true).expect("the port can be shared").0);
    }
    plan.announce(port);
    let workers: Vec<_> = listeners
        .into_iter()
        .map(|listener| {
            let plan = plan.clone();
            std::thread::spawn(move || work(listener, plan))
        })
        .collect();
    for worker in workers {
        worker.join().expect("a worker ends in order");
    }
}

fn listen(port: u16, shared: bool) -> std::io::Result<(std::net::TcpListener, u16)> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(shared)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _inside = runtime.enter();
    let listener = socket.listen(4096)?.into_std()?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

fn work(listener: std::net::TcpListener, plan: server::Plan) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).expect("a listener");
        let mut term = signal(SignalKind::terminate()).expect("a signal");
        let told = async move {
            term.recv().await;
        };
        plan.serve(TokioRuntime, listener, told).await;
    });
}
