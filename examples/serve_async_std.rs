//! A server to measure and to test against, on async-std: the same flags and routes as `serve`.
//!
//! `--threads` sets the threads of async-std's one executor.

#[path = "shared/args.rs"]
mod args;
#[path = "shared/routes.rs"]
mod routes;
#[path = "shared/service.rs"]
mod service;

use std::sync::Arc;
use std::time::Duration;

use async_std::net::TcpListener;
use async_std::task;
use http_async_std::{AsyncStdRuntime, FuturesIo};
use http_core::Config;
use http_driver::server::{Connection, Options, serve_connection};
use http_driver::service_fn;

const USAGE: &str = "serve-async-std --port N [--threads T] [--level exchange|service]";

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
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
        let port = listener.local_addr().expect("a bound listener").port();
        println!("serving http://127.0.0.1:{port}/ on {threads} thread(s), level {level}");
        accept(listener, &level).await;
    });
}

async fn accept(listener: TcpListener, level: &str) {
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
        if level == "exchange" {
            let heads = heads.clone();
            task::spawn(async move { routes::serve(connection, &heads).await });
        } else {
            task::spawn(serve_connection(connection, service_fn(service::answer), Options::default(), None));
        }
    }
}
