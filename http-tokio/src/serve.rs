//! Listeners, and the server on them.

use std::io;

use http_driver::server::{self, Listener};
use tokio::net::{TcpListener, TcpStream};

use crate::io::TokioIo;
use crate::runtime::TokioRuntime;

/// A server on tokio: see [`server::Server`]. Used inside of it.
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
pub type Server = server::Server<TokioRuntime>;

impl Listener<TokioRuntime> for TcpListener {
    type Transport = TokioIo<TcpStream>;

    async fn accept(&mut self) -> io::Result<Self::Transport> {
        let (stream, _) = TcpListener::accept(self).await?;
        // A reply that waits for more to send is a reply that is late.
        stream.set_nodelay(true)?;
        Ok(TokioIo::new(stream))
    }
}

#[cfg(unix)]
impl Listener<TokioRuntime> for tokio::net::UnixListener {
    type Transport = TokioIo<tokio::net::UnixStream>;

    async fn accept(&mut self) -> io::Result<Self::Transport> {
        Ok(TokioIo::new(tokio::net::UnixListener::accept(self).await?.0))
    }
}
