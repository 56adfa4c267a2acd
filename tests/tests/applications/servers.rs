//! The servers that are compared: each pair serves the same application, one line apart.

use std::net::SocketAddr;
use std::sync::mpsc;

use http_driver::server::Shutdown;
use http_tokio::Server;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;

use crate::application::application;
use crate::tower_stack;

/// Where both servers of a pair listen.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) ours: SocketAddr,
    pub(crate) theirs: SocketAddr,
    /// Counts the connections of ours.
    pub(crate) count: Shutdown,
}

/// The axum application, on tokio. The servers run as long as the test.
pub(crate) fn axum() -> Pair {
    let (tell, told) = mpsc::channel();
    let server = Server::new();
    let count = server.shutdown();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let (ours, theirs) = (listen().await, listen().await);
            let addresses = [&ours, &theirs].map(|listener| listener.local_addr().expect("an address"));
            tell.send(addresses).expect("the test waits");
            let make = || application().into_make_service_with_connect_info::<SocketAddr>();
            let axum = tokio::spawn(async move { axum::serve(theirs, make()).await });
            let served = http_tokio::axum::serve(ours, make()).with_server(server).await;
            served.expect("there are no errors");
            drop(axum);
        });
    });
    let [ours, theirs] = told.recv().expect("both servers listen");
    Pair { ours, theirs, count }
}

async fn listen() -> TcpListener {
    TcpListener::bind(("127.0.0.1", 0)).await.expect("a port")
}

/// A stack of tower layers: ours on async-std, hyper on tokio.
pub(crate) fn tower() -> Pair {
    let (tell, told) = mpsc::channel();
    let server = http_async_std::Server::new();
    let count = server.shutdown();
    std::thread::spawn(move || {
        async_std::task::block_on(async {
            let listener = async_std::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            tell.send(listener.local_addr().expect("an address")).expect("the test waits");
            server.serve(listener, tower_stack::stack()).await;
        });
    });
    let ours = told.recv().expect("the server listens");
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let listener = listen().await;
            tell.send(listener.local_addr().expect("an address")).expect("the test waits");
            let stack = tower_stack::stack();
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let service = TowerToHyperService::new(stack.clone());
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
    });
    Pair { ours, theirs: told.recv().expect("the server listens"), count }
}
