//! The examples' world on async-std.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use async_std::net::{TcpListener, TcpStream};
use http_async_std::{AsyncStdRuntime, FuturesIo};

use super::world::World;

#[derive(Clone)]
pub(crate) struct AsyncStd;

impl World for AsyncStd {
    type Runtime = AsyncStdRuntime;
    type Stream = FuturesIo<TcpStream>;
    type Listener = TcpListener;
    type Connector = http_async_std::Network;

    fn runtime(&self) -> AsyncStdRuntime {
        AsyncStdRuntime
    }

    fn connector(&self) -> http_async_std::Network {
        http_async_std::network()
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
        Ok(FuturesIo::new(stream))
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Self::Stream> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(FuturesIo::new(stream))
    }

    async fn sleep(&self, time: Duration) {
        async_std::task::sleep(time).await;
    }
}
