//! A server to measure and to test against, on async-std: the same flags and routes as `serve`.
//!
//! SIGTERM ends it once open exchanges are answered, after 1.5 s in any case. `--threads` sets the threads of
//! async-std's one executor.

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

use http_async_std as engine;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::OwnedFd;

use async_std::io::ReadExt;
use async_std::net::TcpListener;
use async_std::os::unix::net::UnixStream;
use async_std::task;
use http_async_std::AsyncStdRuntime;
use socket2::{Domain, Socket, Type};

fn main() {
    let plan = server::Plan::parse("serve-async-std");
    if std::env::var_os("ASYNC_STD_THREAD_COUNT").is_none() {
        // The executor reads its size from the environment, and nothing else; so the program starts itself with it.
        let program = std::env::current_exe().expect("a program has a path");
        let mut command = std::process::Command::new(program);
        command.args(std::env::args_os().skip(1)).env("ASYNC_STD_THREAD_COUNT", plan.threads.to_string());
        let error = std::os::unix::process::CommandExt::exec(&mut command);
        panic!("cannot start again: {error}");
    }
    task::block_on(async move {
        let listener = listen(plan.port).expect("the port is free");
        let (mut signalled, signal) = UnixStream::pair().expect("a pair of sockets");
        signal_hook::low_level::pipe::register(signal_hook::consts::SIGTERM, OwnedFd::from(signal)).expect("a signal");
        plan.announce(listener.local_addr().expect("a bound listener").port());
        // An error says no more than that the socket is gone.
        let told = async move { drop(signalled.read(&mut [0]).await) };
        plan.serve(AsyncStdRuntime, listener, told).await;
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
