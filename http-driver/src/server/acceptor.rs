//! Accepts connections and serves each in a task of its own.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::sync::Arc;

use http::{Request, Response, StatusCode};
use http_body::Body;
use http_core::{Config, Phase};
use tower_service::Service;

use super::connection::{Connection, Resting};
use super::incident::{Fault, Observed};
use super::keeper::Keeper;
use super::listener::Listener;
use super::options::Options;
use super::running::Beginning;
use super::served::{Handshake, Served};
use super::service::{serve, serve_connection};
use super::serving::{Rest, Serving};
use super::shutdown::{Place, Room, Shutdown, Watch};
use crate::body::Incoming;
use crate::clock;
use crate::error::{BoxError, Error};
use crate::io::{Runtime, Timer, Transport};
use crate::peer::Peer;
use crate::simple::{Full, service_fn};

/// How long a server waits for connections that were cut, at most: their tasks have only to be polled.
const A_MOMENT: Duration = Duration::from_millis(100);

/// A server: what its connections share. The adapters name it for their runtime.
///
/// ```
/// use std::convert::Infallible;
/// use http::{Request, Response};
/// use http_driver::server::{Listener, Report, Server};
/// use http_driver::{Full, Incoming, Runtime, service_fn};
///
/// async fn hello<R, L>(listener: L) -> Report
/// where
///     R: Runtime<Timer: Send> + Default + Send + Sync + 'static,
///     L: Listener<R>,
/// {
///     let hello = service_fn(|_: Request<Incoming>| async {
///         Ok::<_, Infallible>(Response::new(Full::from("Hello")))
///     });
///     Server::<R>::new().max_connections(10_000).serve(listener, hello).await
/// }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Server<R> {
    runtime: R,
    config: Arc<Config>,
    options: Options,
    shutdown: Shutdown,
    /// Counts those that are refused.
    refused: Shutdown,
    drain: Option<Duration>,
    handshake: Duration,
    most: Option<usize>,
    when_full: WhenFull,
}

/// What a server does with connections beyond [`Server::max_connections`].
///
/// ```
/// assert_eq!(http_driver::server::WhenFull::default(), http_driver::server::WhenFull::Pause);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// They wait in the system's queue until another one ends.
    #[default]
    Pause,
    /// Their first request is answered with 503 (RFC 9110 §15.6.4), and they are closed. At most an eighth of the
    /// limit, and 16, are refused at a time; beyond that they wait.
    Refuse,
}

/// How a server came to its end.
///
/// ```
/// let report = http_driver::server::Report::default();
/// assert_eq!((report.cut_connections, report.cut_exchanges, report.cut_tunnels), (0, 0, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Connections that were cut because the drain took too long, tunnels among them.
    pub cut_connections: usize,
    /// How many of them had a request that was not answered to its end.
    pub cut_exchanges: usize,
    /// How many of them spoke another protocol, see [`Tunnel`](crate::Tunnel).
    pub cut_tunnels: usize,
    /// Requests that were served in all.
    pub served: u64,
}

impl<R: Default> Default for Server<R> {
    fn default() -> Self {
        Self::on(R::default())
    }
}

impl<R> Server<R> {
    /// A server with the default configuration.
    pub fn new() -> Self
    where
        R: Default,
    {
        Self::default()
    }

    /// The same, on a runtime that has to be given.
    pub fn on(runtime: R) -> Self {
        Self {
            runtime,
            config: Arc::default(),
            options: Options::default(),
            shutdown: Shutdown::new(),
            refused: Shutdown::new(),
            drain: None,
            handshake: Duration::from_secs(10),
            most: None,
            when_full: WhenFull::default(),
        }
    }

    /// The configuration of its connections: time-outs, limits, leniencies. Where many connections idle, those whose
    /// time is up are closed a microsecond late for each that does, at most.
    pub fn config(mut self, config: impl Into<Arc<Config>>) -> Self {
        self.config = config.into();
        self
    }

    /// What requests carry for the service.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// How long a shutdown waits for open exchanges, and for tunnels, before it cuts them; [`Duration::MAX`] for ever.
    /// Default: until the exchanges end, which the deadlines of the connections bound. Nothing bounds a tunnel, so
    /// without a drain none is waited for: tunnels are cut when no connection speaks HTTP any more. An application
    /// whose WebSockets are to say goodbye follows the [`Shutdown`], and gives them a drain to do so.
    pub const fn drain(mut self, most: Duration) -> Self {
        self.drain = Some(most);
        self
    }

    /// How long the handshake of a connection may take: TLS, the header of a PROXY protocol; [`Duration::MAX`] for
    /// ever. Default 10 s.
    pub const fn handshake_timeout(mut self, most: Duration) -> Self {
        self.handshake = most;
        self
    }

    /// The most connections at a time, tunnels among them, on all listeners that clones of this server serve. Default:
    /// no limit but the system's.
    pub const fn max_connections(mut self, most: usize) -> Self {
        self.most = Some(most);
        self
    }

    /// What becomes of those beyond the limit. Default: they wait.
    pub const fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// The handle that begins the shutdown, after which no connection is accepted any more, idle ones are closed, and
    /// the others after their exchange; and that tells the live counts.
    #[must_use]
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }
}

impl<R> Server<R>
where
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    /// Begins the [shutdown](Self::shutdown) once `signal` is ready: a Ctrl-C, a SIGTERM. It is waited for in a task of
    /// the runtime, which ends with a shutdown that somebody else begins. Called inside of the runtime.
    ///
    /// ```
    /// use std::time::Duration;
    /// use http_driver::Runtime;
    /// use http_driver::server::Server;
    ///
    /// fn server<R>(runtime: R, told: impl Future<Output = ()> + Send + 'static) -> Server<R>
    /// where
    ///     R: Runtime<Timer: Send> + Send + Sync + 'static,
    /// {
    ///     Server::on(runtime).drain(Duration::from_secs(20)).shutdown_when(told)
    /// }
    /// ```
    pub fn shutdown_when(self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        let (shutdown, mut begun) = (self.shutdown(), self.shutdown.follow());
        self.runtime.spawn(async move {
            let mut signal = pin!(signal);
            poll_fn(|cx| match begun.poll_begun(cx) {
                Poll::Ready(()) => Poll::Ready(()),
                Poll::Pending => signal.as_mut().poll(cx).map(|()| shutdown.begin()),
            })
            .await;
        });
        self
    }

    /// Serves until the shutdown is over. Each connection gets a clone of the service and a task of its own; what goes
    /// wrong on one concerns no other. While the future is not polled nobody is accepted, and connections that have
    /// idled for too long are not closed; those that are served go on.
    ///
    /// # Cancellation
    /// Dropping the future cuts all connections that share its shutdown.
    pub async fn serve<L, S, B>(self, listener: L, service: S) -> Report
    where
        L: Listener<R>,
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<BoxError> + Send,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        self.serve_with(listener, Given(service)).await
    }

    /// Serves until the shutdown is over, each connection with the service that `make` returns for it, once its
    /// handshake is done: where a peer's address is kept for the requests, a socket's options are set, and a peer is
    /// turned away.
    ///
    /// # Cancellation
    /// Dropping the future cuts all connections that share its shutdown.
    pub async fn serve_with<L, M, S, B>(self, mut listener: L, make: M) -> Report
    where
        L: Listener<R>,
        M: MakeService<L::Transport, Service = S> + Clone + Send + 'static,
        S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
        S::Future: Send,
        S::Error: Into<BoxError> + Send,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let _cut = Cut([self.shutdown.clone(), self.refused.clone()]);
        let mut begun = self.shutdown.follow();
        let mut keeper = Keeper::new(self.shutdown.clone(), self.runtime.clone());
        loop {
            let mut accept = pin!(listener.accept());
            let accepted = poll_fn(|cx| {
                if begun.poll_begun(cx).is_ready() {
                    return Poll::Ready(None);
                }
                // The place is kept before a connection can be there, and given back where there is none: however many
                // listeners share the limit, no more are open than that, and none of them holds a place that it does
                // not use.
                let entry = self.entry(cx);
                if let Some(entry) = entry {
                    if let Poll::Ready(accepted) = accept.as_mut().poll(cx) {
                        return Poll::Ready(Some((accepted, entry)));
                    }
                }
                keeper.poll(cx);
                Poll::Pending
            });
            match accepted.await {
                None => break,
                Some((Ok(transport), entry)) => match entry {
                    Entry::Open => {
                        let serving = self.serve_watched(transport, make.clone(), self.shutdown.watch());
                        self.runtime.spawn(serving);
                    }
                    Entry::Kept(place) => {
                        if let Some(watch) = place.take() {
                            self.runtime.spawn(self.serve_watched(transport, make.clone(), watch));
                        }
                    }
                    Entry::Refused(place) => {
                        if let Some(watch) = place.take() {
                            self.refuse(transport, watch);
                        }
                    }
                },
                Some((Err(error), entry)) => {
                    drop(entry);
                    if let Some(observer) = &self.options.observer {
                        observer.tell_nowhere(Fault::Accept(&error));
                    }
                    self.rest(&error).await;
                }
            }
        }
        drop((listener, begun, keeper));
        self.refused.begin();
        let mut drained = pin!(self.shutdown.drained());
        let mut deadline = self.drain.map(|most| clock::timer(&self.runtime, most));
        poll_fn(|cx| match deadline.as_mut().map(|deadline| deadline.poll(cx)) {
            Some(Poll::Ready(())) => Poll::Ready(()),
            Some(Poll::Pending) => drained.as_mut().poll(cx),
            None => self.shutdown.poll_only_tunnels(cx),
        })
        .await;
        let report = Report {
            cut_connections: self.shutdown.connections(),
            cut_exchanges: self.shutdown.exchanges(),
            cut_tunnels: self.shutdown.tunnels(),
            served: self.shutdown.served(),
        };
        // Those that are cut close, and say so, if they are polled once more; the runtime may end with this future.
        self.shutdown.cut();
        let mut moment = clock::timer(&self.runtime, A_MOMENT);
        poll_fn(|cx| match self.shutdown.poll_only_tunnels(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => moment.poll(cx),
        })
        .await;
        report
    }

    /// Serves one connection that was accepted elsewhere, with the configuration and the shutdown of this server: its
    /// handshake, its requests, and what it is handed over for.
    ///
    /// # Cancellation
    /// Dropping the future cuts the connection.
    pub fn serve_transport<T, M, S, B>(
        &self,
        transport: T,
        make: M,
    ) -> impl Future<Output = ()> + Send + use<T, R, M, S, B>
    where
        T: Transport + Send + 'static,
        M: MakeService<T, Service = S> + Send + 'static,
        S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
        S::Future: Send,
        S::Error: Into<BoxError> + Send,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        self.serve_watched(transport, make, self.shutdown.watch())
    }

    fn serve_watched<T, M, S, B>(
        &self,
        transport: T,
        make: M,
        watch: Watch,
    ) -> impl Future<Output = ()> + Send + use<T, R, M, S, B>
    where
        T: Transport + Send + 'static,
        M: MakeService<T, Service = S> + Send + 'static,
        S: Service<Request<Incoming>, Response = Response<B>> + Send + 'static,
        S::Future: Send,
        S::Error: Into<BoxError> + Send,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let (runtime, config, options) = (self.runtime.clone(), self.config.clone(), self.options.clone());
        let serving = move |transport: T, watch: Watch, observed: Option<Box<Observed>>| {
            let service = make.make(&transport)?;
            Some(serve(if observed.is_some() {
                let mut connection = Connection::new(transport, runtime, config);
                *connection.observer() = observed;
                Beginning::Working(Box::new(Serving::new(connection, service, &options, Some(watch))))
            } else {
                let connection = Resting::new(transport, runtime, config);
                Beginning::Resting(Rest::new(connection, service, options.switches, watch))
            }))
        };
        let (runtime, observer) = (self.runtime.clone(), self.options.observer.clone());
        let handshake = Handshake { runtime, most: self.handshake, observer };
        Served::accepted(transport, watch, handshake, serving)
    }

    /// How another connection can be accepted now, if only to be refused; the task is woken when there is a way.
    fn entry(&self, cx: &Context<'_>) -> Option<Entry> {
        let Some(most) = self.most else { return Some(Entry::Open) };
        match self.shutdown.reserve(most.max(1), cx) {
            Room::Free(place) => Some(Entry::Kept(place)),
            Room::Full if self.when_full == WhenFull::Refuse => match self.refused.reserve(most / 8 + 16, cx) {
                Room::Free(place) => Some(Entry::Refused(place)),
                _ => None,
            },
            // Where another listener only looks for a connection, nobody is refused.
            Room::Soon | Room::Full => None,
        }
    }

    /// Answers the first request of a connection with 503.
    fn refuse<T: Transport + Send + 'static>(&self, mut transport: T, mut watch: Watch) {
        let mut config = Config::clone(&self.config);
        config.persistence.keep_alive = false;
        config.timeouts.idle = config.timeouts.idle.min(self.handshake);
        let (runtime, options) = (self.runtime.clone(), self.options.clone());
        let handshake =
            Handshake { runtime: runtime.clone(), most: self.handshake, observer: options.observer.clone() };
        let busy = service_fn(|_: Request<Incoming>| async {
            let mut response = Response::new(Full::default());
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            Ok::<_, core::convert::Infallible>(response)
        });
        self.runtime.spawn(async move {
            let mut observed = handshake.follow(&transport);
            if !handshake.done(&mut transport, &mut watch, &mut observed, None).await {
                return;
            }
            if let Some(observed) = &observed {
                observed.tell(Fault::Full, Some(StatusCode::SERVICE_UNAVAILABLE), Phase::Idle);
            }
            let mut connection = Connection::new(transport, runtime, Arc::new(config));
            *connection.observer() = observed;
            let _: Result<_, Error> = serve_connection(connection, busy, Options::default(), Some(watch)).await;
        });
    }

    /// An error of one connection costs nothing; one of the system, as too many open files, needs time to pass.
    async fn rest(&self, error: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput};
        if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput) {
            let mut timer = clock::timer(&self.runtime, Duration::from_millis(50));
            poll_fn(|cx| timer.poll(cx)).await;
        }
    }
}

/// Makes the service of a connection.
///
/// Functions do: they are given the transport, and what it knows of its peer. `None` turns the connection away.
///
/// ```
/// use std::convert::Infallible;
/// use http::{Request, Response};
/// use http_driver::server::MakeService;
/// use http_driver::{Full, Incoming, Peer, service_fn};
///
/// /// Tells each client its address.
/// fn mirror<T: http_driver::Transport>() -> impl MakeService<T> {
///     |_: &T, peer: &Peer| {
///         let address = peer.address?;
///         Some(service_fn(move |_: Request<Incoming>| async move {
///             Ok::<_, Infallible>(Response::new(Full::from(address.to_string())))
///         }))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` makes no service for a connection of `{T}`",
    note = "it has to be a function of the transport and of what is known of its peer: \
            `|_: &_, peer: &Peer| Some(service)`; one service for all connections goes to `serve`"
)]
pub trait MakeService<T> {
    /// What is made.
    type Service;

    /// The service for a connection over `transport`, whose handshake is done.
    fn make(self, transport: &T) -> Option<Self::Service>;
}

impl<T: Transport, F, S> MakeService<T> for F
where
    F: FnOnce(&T, &Peer) -> Option<S>,
{
    type Service = S;

    fn make(self, transport: &T) -> Option<S> {
        self(transport, &transport.peer())
    }
}

/// One service for all connections. What the peer is need not be asked.
#[derive(Clone)]
struct Given<S>(S);

impl<T, S> MakeService<T> for Given<S> {
    type Service = S;

    fn make(self, _: &T) -> Option<S> {
        Some(self.0)
    }
}

/// How a connection may be accepted.
enum Entry {
    /// There is no limit.
    Open,
    Kept(Place),
    /// Only to be refused.
    Refused(Place),
}

/// Cuts all connections when it is dropped.
struct Cut([Shutdown; 2]);

impl Drop for Cut {
    fn drop(&mut self) {
        self.0.iter().for_each(Shutdown::cut);
    }
}
