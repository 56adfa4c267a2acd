//! A tour of the engine on tokio: `cargo run --release -p http-tokio --example tour`.

#[path = "shared/narrate.rs"]
mod narrate;
#[path = "shared/routes.rs"]
mod routes;
#[path = "shared/tour.rs"]
mod tour;

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use http_tokio::{TcpConnector, TokioIo, TokioRuntime};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone)]
struct Tokio;

impl tour::World for Tokio {
    type Runtime = TokioRuntime;
    type Stream = TokioIo<TcpStream>;
    type Listener = TcpListener;
    type Connector = TcpConnector;

    fn runtime(&self) -> TokioRuntime {
        TokioRuntime
    }

    fn connector(&self) -> TcpConnector {
        TcpConnector::new()
    }

    async fn listen(&self, address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(address).await
    }

    fn address(&self, listener: &TcpListener) -> io::Result<SocketAddr> {
        listener.local_addr()
    }

    async fn accept(&self, listener: &TcpListener) -> io::Result<Self::Stream> {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        Ok(TokioIo::new(stream))
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Self::Stream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(TokioIo::new(stream))
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    if tour::run(Tokio).await { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
