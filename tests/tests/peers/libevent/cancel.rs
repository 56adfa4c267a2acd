//! The twelve `cancel` rows of libevent's `http/` suite: a request is given up wherever it is, and the next ones fare
//! as if it had not been.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use http::{Request, Response};
use http_core::dispatch::{Cause, ConnectCause, RequestPhase};
use http_driver::Full;
use http_driver::client::{Resolve, Resolving};

use crate::Gate;
use crate::sockets::clients::{Networked, alone, content, network, once};
use crate::sockets::servers::{Running, server};
use crate::sockets::strangers::anywhere;
use crate::sockets::{Outcome, eventually};

/// For what never comes. Long enough that nothing which does is missed.
const SHORT: Duration = Duration::from_millis(250);

/// How the server is named.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    ByAddress,
    ByName,
    /// By a name that nobody looks up.
    NoNameServer,
    /// By a name that takes its time to look up, and then cannot be.
    NameServerTimesOut,
}

/// What the server does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peer {
    Answers,
    /// It is connected to, and never says a word.
    Inactive,
    /// It has no room for connections, so that not even connecting comes to an end.
    Full,
}

/// Looks names up, or does not.
struct Names<W>(W, Named);

impl<W: Networked> Resolve for Names<W> {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        Box::pin(async move {
            match self.1 {
                Named::ByAddress | Named::ByName => Ok(vec![[127, 0, 0, 1].into()]),
                Named::NoNameServer => std::future::pending().await,
                Named::NameServerTimesOut => {
                    self.0.sleep(SHORT / 2).await;
                    Err(io::ErrorKind::TimedOut.into())
                }
            }
        })
    }
}

/// A listener whose queue is full, and what fills it.
fn full() -> io::Result<(socket2::Socket, Vec<socket2::Socket>)> {
    let new = || socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let listener = new()?;
    listener.bind(&anywhere().into())?;
    listener.listen(0)?;
    let mut queue = Vec::new();
    for _ in 0..4 {
        let socket = new()?;
        socket.set_nonblocking(true)?;
        // In progress, and some of them for ever.
        let _ = socket.connect(&listener.local_addr()?);
        queue.push(socket);
    }
    std::thread::sleep(Duration::from_millis(20));
    Ok((listener, queue))
}

async fn cancels<W: Networked>(world: W, named: Named, peer: Peer) -> Outcome {
    let (gate, waiter) = (Gate::default(), world.clone());
    let at_gate = gate.clone();
    let running = Running::start(&world, server(&world), move |_: Request<_>| {
        let (world, gate) = (waiter.clone(), at_gate.clone());
        async move {
            // The first one waits; those behind it find the gate open.
            gate.pass(&world).await;
            Ok::<_, std::convert::Infallible>(Response::new(Full::from("answer")))
        }
    })
    .await?;
    let silent = TcpListener::bind(anywhere())?;
    let full = full()?;
    let port = match peer {
        Peer::Answers => running.address.port(),
        Peer::Inactive => silent.local_addr()?.port(),
        Peer::Full => full.0.local_addr()?.as_socket().map_or(0, |address: SocketAddr| address.port()),
    };
    let host = if named == Named::ByAddress { "127.0.0.1" } else { "name.example" };
    let found = matches!(named, Named::ByAddress | Named::ByName);
    let builder = match peer {
        // What comes is waited for, and everything else is not.
        Peer::Answers if found => once(),
        _ => once().connect_timeout(SHORT).response_timeout(SHORT),
    };
    let client = builder.build(network(&world).resolver(Names(world.clone(), named)), world.runtime());
    let get = || Request::get(format!("http://{host}:{port}/")).body(Full::default());

    let cancelled = alone(&world, client.request(get()?));
    match (found, peer) {
        (true, Peer::Answers) => eventually(&world, "the request is there", || gate.came() == 1).await,
        _ => world.sleep(Duration::from_millis(50)).await,
    }
    drop(cancelled);
    eventually(&world, "it is not queued any more", || client.queued() == 0).await;
    eventually(&world, "its connection is gone", || client.connections() == 0).await;
    gate.open();
    if found && peer == Peer::Answers {
        // The handler goes on: its client may only have ended its side.
        eventually(&world, "the handler is done", || gate.passed() == 1).await;
    }

    for _ in 0..2 {
        let outcome = client.request(get()?).await;
        if found && peer == Peer::Answers {
            let response = outcome?;
            assert_eq!(response.status(), 200);
            assert_eq!(content(response.into_body()).await?, b"answer");
            continue;
        }
        let error = outcome.map(|response| response.status()).unwrap_err();
        if named == Named::NameServerTimesOut {
            assert_eq!(error.failure().map(|f| f.cause), Some(Cause::Connect(ConnectCause::ResolveTemporary)));
        } else {
            assert!(error.is_timeout(), "{error}");
        }
        match (found, peer) {
            (true, Peer::Inactive) => assert_eq!(error.phase(), RequestPhase::Head, "{error}"),
            _ => assert!(error.is_safe_to_repeat() && error.into_request().is_some(), "nothing was sent"),
        }
    }
    let connections = usize::from(found && peer == Peer::Answers);
    eventually(&world, "the others are gone", || client.connections() == connections).await;
    if connections == 1 {
        assert_eq!(running.accepted(), 2, "the later ones share a connection");
    }
    Ok(())
}

macro_rules! rows {
    ($($name:ident: $named:ident, $peer:ident;)*) => {$(
        async fn $name<W: Networked>(world: W) -> Outcome {
            cancels(world, Named::$named, Peer::$peer).await
        }
    )*};
}

rows! {
    cancel: ByAddress, Answers;
    cancel_by_host: ByName, Answers;
    cancel_inactive_server: ByAddress, Inactive;
    cancel_by_host_inactive_server: ByName, Inactive;
    cancel_by_host_no_ns: NoNameServer, Answers;
    cancel_by_host_no_ns_inactive_server: NoNameServer, Inactive;
    cancel_by_host_ns_timeout: NameServerTimesOut, Answers;
    cancel_by_host_ns_timeout_inactive_server: NameServerTimesOut, Inactive;
    cancel_server_timeout: ByAddress, Full;
    cancel_by_host_server_timeout: ByName, Full;
    cancel_by_host_no_ns_server_timeout: NoNameServer, Full;
    cancel_by_host_ns_timeout_server_timeout: NameServerTimesOut, Full;
}

on_both! {
    cancel
    cancel_by_host
    cancel_inactive_server
    cancel_by_host_inactive_server
    cancel_by_host_no_ns
    cancel_by_host_no_ns_inactive_server
    cancel_by_host_ns_timeout
    cancel_by_host_ns_timeout_inactive_server
    cancel_server_timeout
    cancel_by_host_server_timeout
    cancel_by_host_no_ns_server_timeout
    cancel_by_host_ns_timeout_server_timeout
}
