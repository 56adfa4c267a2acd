//! The examples' world on tokio.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use http_tokio::{TokioIo, TokioRuntime};
use tokio::net::{TcpListener, TcpStream};

use super::world::World;

#[derive(Clone)]
pub(crate) struct Tokio;

impl World for Tokio {
    type Runtime = TokioRuntime;
    type Stream = TokioIo<TcpStream>;
    type Listener = TcpListener;
    type Connector = http_tokio::Network;

    fn runtime(&self) -> TokioRuntime {
        TokioRuntime
    }

    fn connector(&self) -> http_tokio::Network {
        http_tokio::network()
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
