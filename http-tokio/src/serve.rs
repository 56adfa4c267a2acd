//! Accepts connections and serves each in a task of its own.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use std::io;
use std::sync::Arc;

use http::{Request, Response};
use http_body::Body;
use http_core::Config;
use http_driver::Incoming;
use http_driver::server::{Connection, Options, Shutdown, serve_connection};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower_service::Service;

use crate::io::TokioIo;
use crate::runtime::TokioRuntime;

/// Where connections come from.
///
/// ```no_run
/// use std::io;
/// use http_tokio::Listener;
/// /// Limits the sockets' send buffers.
/// struct Small(tokio::net::TcpListener);
/// impl Listener for Small {
///     type Stream = tokio::net::TcpStream;
///     async fn accept(&mut self) -> io::Result<Self::Stream> {
///         Listener::accept(&mut self.0).await
///     }
/// }
/// ```
pub trait Listener: Send {
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next connection.
    ///
    /// # Errors
    /// The connection that was to be accepted failed, or there are no resources for it; the server waits a little and
    /// goes on.
    fn accept(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&mut self) -> io::Result<TcpStream> {
        let (stream, _) = TcpListener::accept(self).await?;
        // A reply that waits for more to send is a reply that is late.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

#[cfg(unix)]
impl Listener for tokio::net::UnixListener {
    type Stream = tokio::net::UnixStream;

    async fn accept(&mut self) -> io::Result<Self::Stream> {
        Ok(tokio::net::UnixListener::accept(self).await?.0)
    }
}

/// A server: what its connections share.
///
/// ```no_run
/// use std::convert::Infallible;
/// use http::{Request, Response};
/// use http_tokio::{Full, Incoming, Server, service_fn};
///
/// # async fn run() -> std::io::Result<()> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let hello = service_fn(|_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Full::from("Hello"))) });
/// let server = Server::new();
/// let shutdown = server.shutdown();
/// tokio::spawn(async move {
///     tokio::time::sleep(std::time::Duration::from_secs(60)).await;
///     shutdown.begin();
/// });
/// server.serve(listener, hello).await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Server {
    config: Arc<Config>,
    options: Options,
    shutdown: Shutdown,
    drain: Option<Duration>,
}

impl Server {
    /// A server with the default configuration.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The configuration of its connections: time-outs, limits, leniencies.
    #[must_use]
    pub fn config(mut self, config: impl Into<Arc<Config>>) -> Self {
        self.config = config.into();
        self
    }

    /// What requests carry for the service.
    #[must_use]
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// How long a shutdown waits for open exchanges before it cuts them. Default: until they end, which the deadlines
    /// of the connections bound.
    #[must_use]
    pub const fn drain(mut self, most: Duration) -> Self {
        self.drain = Some(most);
        self
    }

    /// The handle that begins the shutdown: no connection is accepted any more, idle ones are closed, and the others
    /// after their exchange.
    #[must_use]
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// Serves until the shutdown is over. Each connection gets a clone of the service and a task of its own; what goes
    /// wrong on one concerns no other.
    ///
    /// # Cancellation
    /// Dropping the future cuts all connections.
    pub async fn serve<L, S, B>(self, mut listener: L, service: S)
    where
        L: Listener,
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>> + Send,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let mut tasks = JoinSet::new();
        let mut begun = self.shutdown.watch();
        loop {
            let mut accept = pin!(listener.accept());
            let accepted = poll_fn(|cx| {
                if begun.poll_begun(cx).is_ready() {
                    return Poll::Ready(None);
                }
                while let Poll::Ready(Some(_)) = tasks.poll_join_next(cx) {}
                accept.as_mut().poll(cx).map(Some)
            });
            match accepted.await {
                None => break,
                Some(Ok(stream)) => {
                    let connection = Connection::new(TokioIo::new(stream), TokioRuntime, self.config.clone());
                    let (options, watch) = (self.options.clone(), self.shutdown.watch());
                    let serving = serve_connection(connection, service.clone(), options, Some(watch));
                    tasks.spawn(async move {
                        if let Ok(Some(switched)) = serving.await {
                            switched.deliver();
                        }
                    });
                }
                Some(Err(error)) => pause(&error).await,
            }
        }
        drop((listener, begun));
        let drained = async { while tasks.join_next().await.is_some() {} };
        match self.drain {
            Some(most) => drop(tokio::time::timeout(most, drained).await),
            None => drained.await,
        }
    }
}

/// An error of one connection costs nothing; one of the system, as too many open files, needs time to pass.
async fn pause(error: &io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, InvalidInput};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | InvalidInput) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
