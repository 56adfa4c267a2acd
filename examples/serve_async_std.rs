//! A server to measure and to test against, on async-std: the same flags and routes as `serve`.
//!
//! SIGTERM ends it once open exchanges are answered, after 1.5 s in any case. `--threads` sets the threads of async-std's one executor.

#[path = "shared/args.rs"]
mod args;
#[path = "shared/routes.rs"]
mod routes;
#[path = "shared/service.rs"]
mod service;

use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use async_std::io::ReadExt;
use async_std::net::TcpListener;
use async_std::os::unix::net::UnixStream;
use async_std::task;
use http_async_std::{AsyncStdRuntime, FuturesIo, Server, service_fn};
use http_core::Config;
use http_driver::server::Connection;
use socket2::{Domain, Socket, Type};

const USAGE: &str = "serve-async-std --port N [--threads T] [--level exchange|service]";

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
    if std::env::var_os("ASYNC_STD_THREAD_COUNT").is_none() {
        // The executor reads its size from the environment, and nothing else; so the program starts itself with it.
        let program = std::env::current_exe().expect("a program has a path");
        let mut command = std::process::Command::new(program);
        command.args(std::env::args_os().skip(1)).env("ASYNC_STD_THREAD_COUNT", threads.to_string());
        let error = std::os::unix::process::CommandExt::exec(&mut command);
        panic!("cannot start again: {error}");
    }
    task::block_on(async move {
        let listener = listen(port).expect("the port is free");
        let port = listener.local_addr().expect("a bound listener").port();
        println!("serving http://127.0.0.1:{port}/ on {threads} thread(s), level {level}");
        serve(listener, &level).await.expect("a socket that signals");
    });
}

/// A listener with room for those who come all at once: the usual queue of 128 makes them try again after a second.
fn listen(port: u16) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into())?;
    socket.listen(4096)?;
    Ok(std::net::TcpListener::from(socket).into())
}

/// Serves until SIGTERM, then lets open exchanges end.
async fn serve(listener: TcpListener, level: &str) -> std::io::Result<()> {
    let (mut signalled, signal) = UnixStream::pair()?;
    signal_hook::low_level::pipe::register(signal_hook::consts::SIGTERM, OwnedFd::from(signal))?;
    let mut byte = [0];
    if level == "service" {
        let server = Server::new().drain(DRAIN);
        let shutdown = server.shutdown();
        task::spawn(async move {
            // An error says no more than that the socket is gone.
            let _ = signalled.read(&mut byte).await;
            shutdown.begin();
        });
        server.serve(listener, service_fn(service::answer)).await;
        return Ok(());
    }
    let accepting = task::spawn(accept(listener));
    let _ = signalled.read(&mut byte).await;
    let _ = accepting.cancel().await;
    Ok(())
}

async fn accept(listener: TcpListener) {
    let config = Arc::new(Config::default());
    let heads = Arc::new(routes::Heads::new());
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of files or memory: others are served on, and this one when there is room.
            task::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let connection = Connection::new(FuturesIo::new(stream), AsyncStdRuntime, config.clone());
        let heads = heads.clone();
        task::spawn(routes::serve(connection, heads));
    }
}
