//! axum's applications on this engine: one path is another, and the rest of the program stays as it is.
//!
//! ```diff
//!  let router = axum::Router::new().route("/", axum::routing::get(hello));
//!  let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
//! -axum::serve(listener, router).with_graceful_shutdown(signal()).await?;
//! +http_tokio::axum::serve(listener, router).with_graceful_shutdown(signal()).await?;
//! ```
//!
//! ```toml
//! [dependencies]
//! axum = "0.8"
//! http-tokio = { version = "0.1", features = ["axum"] }
//! ```
//!
//! # What goes with it
//!
//! | | |
//! |---|---|
//! | `Router`, `MethodRouter`, handlers with a state, layers around them | as with `axum::serve`; their responses may have any body |
//! | `into_make_service()`, make-services of one's own | are called once for each connection, with its peer's address |
//! | `into_make_service_with_connect_info::<SocketAddr>()` | as with `axum::serve`; behind proxies and TLS too, where it is the client's own address |
//! | Unix sockets | as with `axum::serve`; `ConnectInfo` is made of a [`UnixPeer`] |
//! | `WebSocketUpgrade`, `hyper::upgrade::on` | as with `axum::serve` |
//! | `with_graceful_shutdown`, `local_addr`, `.await` | as with `axum::serve` |
//! | time-outs, limits, the most connections, what goes wrong | by [`Serve::with_server`]; `axum::serve` has none of it |
//!
//! # What does not
//!
//! * `Connected<IncomingStream<'_, _>>` for a type of one's own: only axum can make an `IncomingStream`, whose fields
//!   are private. The same type is made of an address: `impl Connected<SocketAddr>`, or `Connected<UnixPeer>`. A
//!   service that wants more of a connection is served with
//!   [`Server::serve_with`](crate::server::Server::serve_with).
//! * Listeners that implement axum's trait, those of `ListenerExt` among them: a listener implements
//!   [`server::Listener`], and [`Addressed`]. `TCP_NODELAY` is set already.
//! * HTTP/2, and so gRPC: HTTP/1.1 alone is spoken here. A client with prior knowledge of HTTP/2 is answered with 505.
//!
//! # What is not quite the same
//!
//! Requests that RFC 9112 has refused are refused, where hyper lets some of them pass; a request has deadlines.
//! Dropping the future cuts the connections, which `axum::serve` leaves to their tasks. A shutdown waits for exchanges
//! and not for WebSockets, as with `axum::serve`; they are cut at its end, unless the server has a
//! [`drain`](crate::server::Server::drain), in which they may say goodbye.

use core::convert::Infallible;
use core::fmt;
use core::future::{Future, IntoFuture, poll_fn};
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll, Waker, ready};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum_core::body::Body;
use http::{Request, Response};
use http_driver::server::{self, MakeService, Report};
use http_driver::{Incoming, Transport};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tower_service::Service;

use crate::runtime::TokioRuntime;
use crate::serve::Server;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A future whose type nobody has to name.
type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Serves an axum application, or any service like it, in the place of `axum::serve`.
///
/// ```no_run
/// use std::net::SocketAddr;
/// use axum::Router;
/// use axum::extract::ConnectInfo;
/// use axum::routing::get;
///
/// async fn hello(ConnectInfo(peer): ConnectInfo<SocketAddr>) -> String {
///     format!("Hello, {peer}")
/// }
///
/// # async fn run() -> std::io::Result<()> {
/// let router = Router::new().route("/", get(hello));
/// let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
/// let application = router.into_make_service_with_connect_info::<SocketAddr>();
/// http_tokio::axum::serve(listener, application).await
/// # }
/// ```
pub fn serve<L, M, K>(listener: L, application: M) -> Serve<L, M, K>
where
    L: Addressed,
    M: Application<L, K>,
{
    Serve { listener, application, server: Server::new(), signal: None, kind: PhantomData }
}

/// An application on a listener, which serves when it is awaited: see [`serve`].
///
/// Without a [signal](Self::with_graceful_shutdown) it does so for ever. There are no errors; the result is as
/// `axum::serve` has it.
///
/// ```no_run
/// use axum::{Router, routing::get};
/// use http_tokio::Server;
///
/// # async fn run() -> std::io::Result<()> {
/// let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
/// http_tokio::axum::serve(listener, Router::new().route("/", get(|| async { "Hello" })))
///     .with_server(Server::new().max_connections(10_000))
///     .with_graceful_shutdown(async { tokio::signal::ctrl_c().await.expect("a signal") })
///     .await
/// # }
/// ```
#[must_use = "it serves when it is awaited"]
pub struct Serve<L, M, K> {
    listener: L,
    application: M,
    server: Server,
    signal: Option<BoxFuture<()>>,
    kind: PhantomData<fn() -> K>,
}

impl<L, M, K> Serve<L, M, K> {
    /// Begins the shutdown once `signal` is ready: nothing is accepted any more, open exchanges are answered, and then
    /// the future is ready.
    pub fn with_graceful_shutdown(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.signal = Some(Box::pin(signal));
        self
    }

    /// With the configuration, the limits, the observer and the shutdown of a server.
    pub fn with_server(mut self, server: Server) -> Self {
        self.server = server;
        self
    }
}

impl<M, K> Serve<TcpListener, M, K> {
    /// The address that is listened on.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

#[cfg(unix)]
impl<M, K> Serve<tokio::net::UnixListener, M, K> {
    /// The address that is listened on.
    ///
    /// # Errors
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<tokio::net::unix::SocketAddr> {
        self.listener.local_addr()
    }
}

impl<L: fmt::Debug, M, K> fmt::Debug for Serve<L, M, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").field("listener", &self.listener).finish_non_exhaustive()
    }
}

impl<L: Addressed, M: Application<L, K>, K> IntoFuture for Serve<L, M, K> {
    type Output = io::Result<()>;
    type IntoFuture = ServeFuture;

    fn into_future(self) -> ServeFuture {
        let shutdown = self.server.shutdown();
        let mut signal = self.signal;
        let mut serving = self.application.serve(self.server, self.listener);
        ServeFuture(Box::pin(async move {
            poll_fn(|cx| {
                if signal.as_mut().is_some_and(|signal| signal.as_mut().poll(cx).is_ready()) {
                    signal = None;
                    shutdown.begin();
                }
                serving.as_mut().poll(cx)
            })
            .await;
            Ok(())
        }))
    }
}

/// Serves while it is polled: see [`Serve`]. Dropped, it cuts all connections.
///
/// ```
/// fn spawn(serving: http_tokio::axum::ServeFuture) {
///     tokio::spawn(serving);
/// }
/// ```
#[must_use = "it serves while it is polled"]
pub struct ServeFuture(BoxFuture<io::Result<()>>);

impl Future for ServeFuture {
    type Output = io::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for ServeFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServeFuture")
    }
}

/// A listener that can tell whom a connection comes from, as make-services want to know it: tokio's, and those of TLS
/// and of the PROXY protocol on top of them.
///
/// ```
/// use std::io;
/// use std::net::SocketAddr;
/// use http_tokio::axum::Addressed;
/// use http_tokio::TokioRuntime;
/// use http_tokio::server::Listener;
/// use tokio::net::TcpListener;
///
/// /// Counts what it accepts.
/// struct Counted(TcpListener, usize);
///
/// impl Listener<TokioRuntime> for Counted {
///     type Transport = <TcpListener as Listener<TokioRuntime>>::Transport;
///     async fn accept(&mut self) -> io::Result<Self::Transport> {
///         self.1 += 1;
///         Listener::accept(&mut self.0).await
///     }
/// }
///
/// impl Addressed for Counted {
///     type Address = SocketAddr;
///     fn address(transport: &Self::Transport) -> Option<SocketAddr> {
///         <TcpListener as Addressed>::address(transport)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no listener that tells axum's applications who their peers are",
    note = "it has to be a listener of tokio, one of these within TLS or behind the PROXY protocol, or implement \
            `Listener` of this crate, and `Addressed`; axum's own `Listener`, and its `ListenerExt`, are not taken"
)]
pub trait Addressed: server::Listener<TokioRuntime> + 'static {
    /// What is told.
    type Address: Send + 'static;

    /// Who is at the other end of a connection, whose handshake is done; nothing if that cannot be told any more. Such
    /// a connection is dropped if its service needs to know.
    fn address(transport: &Self::Transport) -> Option<Self::Address>;
}

impl Addressed for TcpListener {
    type Address = SocketAddr;

    fn address(transport: &Self::Transport) -> Option<SocketAddr> {
        transport.peer().address
    }
}

#[cfg(feature = "tls")]
impl<L: server::Listener<TokioRuntime> + 'static> Addressed for http_driver::tls::TlsListener<L> {
    type Address = SocketAddr;

    fn address(transport: &Self::Transport) -> Option<SocketAddr> {
        transport.peer().address
    }
}

#[cfg(feature = "proxy-protocol")]
impl<L: server::Listener<TokioRuntime> + 'static> Addressed for server::ProxiedListener<L> {
    type Address = SocketAddr;

    fn address(transport: &Self::Transport) -> Option<SocketAddr> {
        transport.peer().address
    }
}

#[cfg(unix)]
impl Addressed for tokio::net::UnixListener {
    type Address = UnixPeer;

    fn address(transport: &Self::Transport) -> Option<UnixPeer> {
        let stream = transport.get_ref();
        Some(UnixPeer { address: stream.peer_addr().ok()?, credentials: stream.peer_cred().ok() })
    }
}

/// Who is at the other end of a Unix socket: what `ConnectInfo` can be made of.
///
/// ```
/// use axum::extract::ConnectInfo;
/// use axum::extract::connect_info::Connected;
/// use http_tokio::axum::UnixPeer;
///
/// #[derive(Clone)]
/// struct User(Option<u32>);
///
/// // For `axum::serve` it is `Connected<IncomingStream<'_, UnixListener>>`.
/// impl Connected<UnixPeer> for User {
///     fn connect_info(peer: UnixPeer) -> Self {
///         Self(peer.credentials.map(|credentials| credentials.uid()))
///     }
/// }
///
/// async fn whoami(ConnectInfo(user): ConnectInfo<User>) -> String {
///     user.0.map_or("nobody knows".into(), |id| id.to_string())
/// }
///
/// # async fn run() -> std::io::Result<()> {
/// let router = axum::Router::new().route("/", axum::routing::get(whoami));
/// let listener = tokio::net::UnixListener::bind("/run/whoami")?;
/// http_tokio::axum::serve(listener, router.into_make_service_with_connect_info::<User>()).await
/// # }
/// ```
#[cfg(unix)]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UnixPeer {
    /// The peer's address, which has no name mostly.
    pub address: tokio::net::unix::SocketAddr,
    /// Whose process it is, where the system tells.
    pub credentials: Option<tokio::net::unix::UCred>,
}

/// What can be served on the connections of a listener: the service of all of them, or what makes the service of each.
/// `K` tells which of both it is, and is found by the compiler.
///
/// ```
/// use http_tokio::axum::{Application, OfAll, OfEach};
/// use tokio::net::TcpListener;
///
/// fn is_one<K>(_: impl Application<TcpListener, K>) {}
/// is_one::<OfAll>(axum::Router::new());
/// is_one::<OfEach>(axum::Router::new().into_make_service());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no application for connections of `{L}`",
    note = "it has to be a service for axum's `Request`, or one that makes such services of a peer's address",
    note = "a type of one's own in `ConnectInfo` implements `Connected<SocketAddr>`, not `Connected<IncomingStream>`"
)]
pub trait Application<L, K> {
    /// Serves the connections of `listener`.
    fn serve(self, server: Server, listener: L) -> Pin<Box<dyn Future<Output = Report> + Send>>;
}

/// An [`Application`] that is the service of all connections: a `Router`, a `MethodRouter`.
#[derive(Debug)]
pub enum OfAll {}

/// An [`Application`] that makes the service of each connection: what `into_make_service` returns.
#[derive(Debug)]
pub enum OfEach {}

impl<L, S, B> Application<L, OfAll> for S
where
    L: Addressed,
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError> + Send,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    fn serve(self, server: Server, listener: L) -> BoxFuture<Report> {
        Box::pin(server.serve(listener, Wrapping(self)))
    }
}

impl<L, M, S, B> Application<L, OfEach> for M
where
    L: Addressed,
    M: Service<L::Address, Response = S, Error = Infallible> + Send + 'static,
    M::Future: Send,
    S: Service<Request<Body>, Response = Response<B>> + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError> + Send,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    fn serve(self, server: Server, listener: L) -> BoxFuture<Report> {
        let maker = Maker::<M, L> { make: Arc::new(Mutex::new(self)), listener: PhantomData };
        Box::pin(server.serve_with(listener, maker))
    }
}

/// A service that is given axum's body.
#[derive(Clone)]
struct Wrapping<S>(S);

impl<S: Service<Request<Body>>> Service<Request<Incoming>> for Wrapping<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Incoming>) -> S::Future {
        self.0.call(request.map(Body::new))
    }
}

/// Makes the services of connections one after another, as a make-service may count on.
struct Maker<M, L> {
    make: Arc<Mutex<M>>,
    listener: PhantomData<fn() -> L>,
}

impl<M, L> Clone for Maker<M, L> {
    fn clone(&self) -> Self {
        Self { make: self.make.clone(), listener: PhantomData }
    }
}

impl<M, L, S> MakeService<L::Transport> for Maker<M, L>
where
    L: Addressed,
    M: Service<L::Address, Response = S, Error = Infallible> + Send + 'static,
    M::Future: Send,
    S: 'static,
{
    type Service = OfOne<S>;

    fn make(self, transport: &L::Transport) -> Option<OfOne<S>> {
        let address = L::address(transport)?;
        let mut making: BoxFuture<S> = Box::pin(async move {
            let mut make = self.make.lock().await;
            let Ok(()) = poll_fn(|cx| make.poll_ready(cx)).await;
            let made = make.call(address);
            drop(make);
            let Ok(service) = made.await;
            service
        });
        // Most are there at once, and an application may count connections so; the others are waited for by the first
        // request.
        Some(match making.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(service) => OfOne::Made(Wrapping(service)),
            Poll::Pending => OfOne::Making(making),
        })
    }
}

/// The service of one connection.
enum OfOne<S> {
    Making(BoxFuture<S>),
    Made(Wrapping<S>),
}

impl<S: Service<Request<Body>>> Service<Request<Incoming>> for OfOne<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        loop {
            match self {
                Self::Making(making) => *self = Self::Made(Wrapping(ready!(making.as_mut().poll(cx)))),
                Self::Made(service) => return Service::<Request<Incoming>>::poll_ready(service, cx),
            }
        }
    }

    fn call(&mut self, request: Request<Incoming>) -> S::Future {
        match self {
            Self::Made(service) => service.call(request),
            Self::Making(_) => panic!("called before it was ready"),
        }
    }
}
