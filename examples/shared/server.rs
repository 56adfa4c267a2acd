//! The example servers, but for their sockets: what the command line says, and what is served by it.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::engine::core::Config;
use super::engine::server::{Connection, Listener, Options, Server};
use super::engine::{Peer, Runtime, Timer, Transport, service_fn};

use super::args::{Args, fail};
use super::gate::Gate;
use super::{routes, service};

/// How long open exchanges have once the server is told to end.
const DRAIN: Duration = Duration::from_millis(1500);

/// How long a client may take to say who it is.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// What the command line says.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) port: u16,
    pub(crate) threads: usize,
    level: Level,
    gate: Option<Gate>,
    /// Whether the service level tells what goes wrong.
    logs: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Exchange,
    Service,
}

impl Plan {
    /// Reads the command line of the program `name`.
    pub(crate) fn parse(name: &str) -> Self {
        let usage = format!(
            "{name} --port N [--threads T] [--level exchange|service] [--cert FILE --key FILE] \
             [--proxy-protocol ADDRESS[/BITS][,...]] [--log nothing|incidents]"
        );
        let args = Args::parse(&usage, &["port", "threads", "level", "cert", "key", "proxy-protocol", "log"]);
        let threads = args.get(&usage, "threads", 1);
        let level = match args.get(&usage, "level", "service".to_owned()).as_str() {
            "exchange" => Level::Exchange,
            "service" => Level::Service,
            _ => fail(&usage, "--level is exchange or service"),
        };
        let logs = match &args.get(&usage, "log", "nothing".to_owned())[..] {
            "nothing" => false,
            "incidents" => true,
            _ => fail(&usage, "--log is nothing or incidents"),
        };
        if threads == 0 {
            fail(&usage, "--threads is at least 1");
        }
        Self { port: args.get(&usage, "port", 0), threads, level, gate: Gate::of(&args, &usage), logs }
    }

    /// Tells that the server listens on `port`.
    pub(crate) fn announce(&self, port: u16) {
        let scheme = if self.gate.as_ref().is_some_and(Gate::is_secure) { "https" } else { "http" };
        let level = if self.level == Level::Exchange { "exchange" } else { "service" };
        println!("serving {scheme}://127.0.0.1:{port}/ on {} thread(s), level {level}", self.threads);
    }

    /// Serves what `listener` accepts until `told` is ready, and lets open exchanges end.
    pub(crate) async fn serve<R, L>(self, runtime: R, listener: L, told: impl Future<Output = ()> + Send + 'static)
    where
        R: Runtime<Timer: Send> + Send + Sync + 'static,
        L: Listener<R>,
    {
        match self.gate {
            None => serve(self.level, self.logs, runtime, listener, told).await,
            Some(gate) => serve(self.level, self.logs, runtime, gate.guard(listener), told).await,
        }
    }
}

async fn serve<R, L>(level: Level, logs: bool, runtime: R, listener: L, told: impl Future<Output = ()> + Send + 'static)
where
    R: Runtime<Timer: Send> + Send + Sync + 'static,
    L: Listener<R>,
{
    if level == Level::Exchange {
        let (mut accepting, mut told) = (pin!(accept(runtime, listener)), pin!(told));
        return poll_fn(|cx| match told.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => accepting.as_mut().poll(cx),
        })
        .await;
    }
    let mut server = Server::on(runtime.clone()).drain(DRAIN);
    if logs {
        server = server.options(Options::default().observe(|incident| eprintln!("{incident}")));
    }
    let shutdown = server.shutdown();
    runtime.spawn(async move {
        told.await;
        shutdown.begin();
    });
    let make = |_: &L::Transport, peer: &Peer| {
        let address = peer.address;
        Some(service_fn(move |request| service::answer(request, address)))
    };
    server.serve_with(listener, make).await;
}

/// Serves connections at the exchange level, where they are the program's own.
async fn accept<R, L>(runtime: R, mut listener: L)
where
    R: Runtime<Timer: Send> + Send + Sync + 'static,
    L: Listener<R>,
{
    let config = Arc::new(Config::default());
    let heads = Arc::new(routes::Heads::new());
    loop {
        let Ok(mut transport) = listener.accept().await else {
            // Out of files or memory: others are served on, and this one when there is room.
            let mut timer = runtime.timer(runtime.now() + Duration::from_millis(50));
            poll_fn(|cx| timer.poll(cx)).await;
            continue;
        };
        let (config, heads, here) = (config.clone(), heads.clone(), runtime.clone());
        runtime.spawn(async move {
            if handshake(&here, &mut transport).await {
                let serving = routes::serve(Connection::new(transport, here, config), heads);
                serving.await;
            }
        });
    }
}

/// Whether the transport came as far as HTTP in time.
fn handshake<R: Runtime<Timer: Send> + Sync, T: Transport + Send>(
    runtime: &R,
    transport: &mut T,
) -> impl Future<Output = bool> + Send {
    let mut timer = None;
    poll_fn(move |cx| {
        if let Poll::Ready(done) = transport.poll_handshake(cx) {
            return Poll::Ready(done.is_ok());
        }
        let timer = timer.get_or_insert_with(|| runtime.timer(runtime.now() + HANDSHAKE));
        timer.poll(cx).map(|()| false)
    })
}
