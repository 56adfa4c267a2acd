//! A server to measure and to test against, on tokio: `serve --port N [--threads T] [--level exchange|service]`.
//!
//! Listens on 127.0.0.1 and prints one line when it is ready. SIGTERM ends it once open exchanges are
//! answered, after 1.5 s in any case.

#[path = "shared/args.rs"]
mod args;
#[path = "shared/routes.rs"]
mod routes;
#[path = "shared/service.rs"]
mod service;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_core::Config;
use http_driver::server::Connection;
use http_tokio::{Server, TokioIo, TokioRuntime, service_fn};
use tokio::net::{TcpListener, TcpSocket};

const USAGE: &str = "serve --port N [--threads T] [--level exchange|service]";

/// How long open exchanges have after SIGTERM.
const DRAIN: Duration = Duration::from_millis(1500);

fn main() {
    let args = args::Args::parse(USAGE, &["port", "threads", "level"]);
    let port: u16 = args.get(USAGE, "port", 0);
    let threads: usize = args.get(USAGE, "threads", 1);
    let level: String = args.get(USAGE, "level", "service".to_owned());
    if threads == 0 || !["exchange", "service"].contains(&level.as_str()) {
        args::fail(USAGE, "--threads is at least 1, --level is exchange or service");
    }
    // One runtime a thread, each with a listener of its own: connections stay on the core that accepted them.
    let (listener, port) = listen(port, threads > 1).expect("the port is free");
    let mut listeners = vec![listener];
    for _ in 1..threads {
        listeners.push(listen(port, true).expect("the port can be shared").0);
    }
    println!("serving http://127.0.0.1:{port}/ on {threads} thread(s), level {level}");
    let workers: Vec<_> = listeners
        .into_iter()
        .map(|listener| {
            let level = level.clone();
            std::thread::spawn(move || work(listener, &level))
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

fn work(listener: std::net::TcpListener, level: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).expect("a listener");
        let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).expect("a signal");
        if level == "exchange" {
            tokio::select! {
                () = accept(listener) => {}
                _ = term.recv() => {}
            }
            return;
        }
        let server = Server::new().drain(DRAIN);
        let shutdown = server.shutdown();
        let ended = tokio::spawn(async move {
            term.recv().await;
            shutdown.begin();
        });
        server.serve(listener, service_fn(service::answer)).await;
        ended.abort();
    });
}

async fn accept(listener: TcpListener) {
    let config = Arc::new(Config::default());
    let heads = Arc::new(routes::Heads::new());
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // Out of files or memory: others are served on, and this one when there is room.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let connection = Connection::new(TokioIo::new(stream), TokioRuntime, config.clone());
        let heads = heads.clone();
        tokio::spawn(routes::serve(connection, heads));
    }
}
