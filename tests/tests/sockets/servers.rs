//! Servers of a world.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use http::{Request, Response};
use http_body::Body;
use http_core::Config;
use http_driver::server::{Connection, Listener, Report, Server, Shutdown};
use http_driver::{Incoming, Peer, Runtime, service_fn};

use super::routes::{self, Heads};
use super::strangers::anywhere;
use super::world::World;

/// A server of the routes, for as long as the test runs.
pub(crate) async fn routes_server<W: World>(world: &W, config: Config) -> io::Result<SocketAddr> {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    let (world, config) = (world.clone(), Arc::new(config));
    world.runtime().spawn({
        let world = world.clone();
        async move {
            while let Ok(stream) = world.accept(&listener).await {
                let connection = Connection::new(stream, world.runtime(), config.clone());
                world.runtime().spawn(routes::serve(connection, Heads::new().into()));
            }
        }
    });
    Ok(address)
}

/// A server of a world.
pub(crate) fn server<W: World>(world: &W) -> Server<W::Runtime> {
    Server::on(world.runtime())
}

/// A server that runs, and how it ended when it has.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: Shutdown,
    pub(crate) report: mpsc::Receiver<Report>,
    accepted: Arc<AtomicUsize>,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Running {
    /// Serves with a function, on a port that the system picks.
    pub(crate) async fn start<W, F, A, B, E>(world: &W, server: Server<W::Runtime>, service: F) -> io::Result<Self>
    where
        W: World,
        F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
        A: Future<Output = Result<Response<B>, E>> + Send + 'static,
        B: Body<Data: Send> + Send + 'static,
        B::Error: Into<BoxError>,
        E: Into<BoxError> + Send + 'static,
    {
        let listener = world.listen(anywhere()).await?;
        let address = world.address(&listener)?;
        Ok(Self::over(world, (listener, address), server, service))
    }

    /// The same with the connections of a listener that stands already, at this address.
    pub(crate) fn over<W, L, F, A, B, E>(
        world: &W,
        (listener, address): (L, SocketAddr),
        server: Server<W::Runtime>,
        service: F,
    ) -> Self
    where
        W: World,
        L: Listener<W::Runtime> + Send + 'static,
        F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
        A: Future<Output = Result<Response<B>, E>> + Send + 'static,
        B: Body<Data: Send> + Send + 'static,
        B::Error: Into<BoxError>,
        E: Into<BoxError> + Send + 'static,
    {
        let accepted = Arc::new(AtomicUsize::new(0));
        let (shutdown, count) = (server.shutdown(), accepted.clone());
        let serving = server.serve_with(listener, move |_: &_, _: &Peer| {
            count.fetch_add(1, Ordering::SeqCst);
            Some(service_fn(service))
        });
        Self { address, shutdown, report: run(world, serving), accepted }
    }

    /// How many connections there were in all, once their handshake was done.
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

pub(crate) fn run<W: World>(
    world: &W,
    serving: impl Future<Output = Report> + Send + 'static,
) -> mpsc::Receiver<Report> {
    let (tell, told) = mpsc::channel();
    world.runtime().spawn(async move {
        let _ = tell.send(serving.await);
    });
    told
}
