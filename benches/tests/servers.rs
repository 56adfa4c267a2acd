//! The servers that are compared say the same: ours, at both levels, as the examples have them, hyper's and axum's.

use std::sync::Arc;

use benches::load::{Client, Identity, said};
use benches::servers;
use benches::traffic::Kind;
use http_tokio as engine;
use http_tokio::server::{Connection, Listener};
use http_tokio::tls::{TlsAcceptor, server_config};
use http_tokio::{Server, TokioIo, TokioRuntime, service_fn};
use tokio::net::TcpListener;

#[path = "../../examples/shared/routes.rs"]
mod routes;
#[path = "../../examples/shared/service.rs"]
mod service;

/// Runs a server in a thread that nobody waits for, and returns its port.
fn start<F: Future<Output = ()>>(serve: impl FnOnce(TcpListener) -> F + Send + 'static) -> u16 {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (listener, port) = servers::listen(0).unwrap();
            tell.send(port).unwrap();
            serve(listener).await;
        });
    });
    told.recv().unwrap()
}

async fn at_service_level(listener: impl Listener<TokioRuntime>) {
    Server::new().serve(listener, service_fn(|request| service::answer(request, None))).await;
}

async fn at_exchange_level(listener: TcpListener) {
    let heads = Arc::new(routes::Heads::new());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let connection = Connection::new(TokioIo::new(stream), TokioRuntime, Arc::default());
        tokio::spawn(routes::serve(connection, heads.clone()));
    }
}

/// What is answered to the first and the second request of a kind.
fn answers(port: u16, kind: Kind, identity: &Identity) -> Vec<Vec<u8>> {
    let tls = (kind == Kind::Tls).then_some(&identity.client);
    let mut client = Client::connect(port, tls).unwrap();
    let writes = if kind == Kind::Connections { 1 } else { 2 };
    let ask = |n| {
        client.write(&kind.wire(n)).unwrap();
        (0..kind.depth()).map(|_| client.answer().unwrap()).collect::<Vec<_>>()
    };
    (0..writes).flat_map(ask).collect()
}

#[test]
fn all_servers_answer_the_same() {
    let identity = Identity::generate();
    let ours = [start(at_service_level), start(at_exchange_level), start(servers::serve_axum)];
    let hyper = start(|listener| servers::serve_hyper(listener, None, true));
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Tls) {
        let expected = answers(hyper, kind, &identity);
        assert!(!expected.is_empty());
        for port in ours {
            for (one, other) in answers(port, kind, &identity).iter().zip(&expected) {
                let (mut one, mut other) = (said(one), said(other));
                // axum names the character set of a text that it makes a response of by itself.
                for said in [&mut one, &mut other] {
                    said.1 = said.1.iter().map(|field| field.replace("; charset=utf-8", "")).collect();
                }
                assert_eq!(one, other, "{}", kind.name());
            }
        }
    }
}

#[test]
fn both_servers_with_tls_answer_the_same() {
    let identity = Identity::generate();
    let config = server_config(identity.cert.as_bytes(), identity.key.as_bytes()).unwrap();
    let acceptor = TlsAcceptor::new(config.clone());
    let ours = start(|listener| at_service_level(acceptor.listen(listener)));
    let hyper = start(|listener| servers::serve_hyper(listener, Some(Arc::new(config)), true));
    let [ours, theirs] = [ours, hyper].map(|port| answers(port, Kind::Tls, &identity));
    assert_eq!(ours.len(), 2);
    for (one, other) in ours.iter().zip(&theirs) {
        assert_eq!(said(one), said(other));
    }
}
