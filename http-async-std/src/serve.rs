//! Listeners, and the server on them.

use std::io;

use async_std::net::{TcpListener, TcpStream};
use http_driver::server::{self, Listener};

use crate::io::FuturesIo;
use crate::runtime::AsyncStdRuntime;

/// A server on async-std: see [`server::Server`].
///
/// ```no_run
/// use std::convert::Infallible;
/// use http::{Request, Response};
/// use http_async_std::{Full, Incoming, Server, service_fn};
///
/// # async fn run() -> std::io::Result<()> {
/// let listener = async_std::net::TcpListener::bind("127.0.0.1:8080").await?;
/// let hello = service_fn(|_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Full::from("Hello"))) });
/// Server::new().serve(listener, hello).await;
/// # Ok(())
/// # }
/// ```
pub type Server = server::Server<AsyncStdRuntime>;

impl Listener<AsyncStdRuntime> for TcpListener {
    type Transport = FuturesIo<TcpStream>;

    async fn accept(&mut self) -> io::Result<Self::Transport> {
        let (stream, _) = TcpListener::accept(self).await?;
        // A reply that waits for more to send is a reply that is late.
        stream.set_nodelay(true)?;
        Ok(FuturesIo::new(stream))
    }
}

#[cfg(unix)]
impl Listener<AsyncStdRuntime> for async_std::os::unix::net::UnixListener {
    type Transport = FuturesIo<async_std::os::unix::net::UnixStream>;

    async fn accept(&mut self) -> io::Result<Self::Transport> {
        Ok(FuturesIo::new(async_std::os::unix::net::UnixListener::accept(self).await?.0))
    }
}
