//! Clients over async-std's sockets.

use std::io;
use std::net::IpAddr;

use async_std::net::{TcpStream, ToSocketAddrs};
use http_driver::Either;
use http_driver::client::{self, Address, Builder, Dial, SocketOptions};

use crate::dial::connect;
use crate::io::FuturesIo;
use crate::runtime::AsyncStdRuntime;

/// A client on async-std.
///
/// ```no_run
/// use http_async_std::Full;
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = http_async_std::client(Default::default());
/// let response = client.request(http::Request::get("http://127.0.0.1:8080/").body(Full::default())?).await?;
/// println!("{}", response.status());
/// # Ok(())
/// # }
/// ```
pub type Client = client::Client<Network, AsyncStdRuntime>;

/// How a client on async-std reaches its origins: see [`client::Network`](struct@client::Network).
pub type Network = client::Network<AsyncStdDial, AsyncStdRuntime>;

/// A [`Client`] with what `builder` says, over the usual [`network`].
#[must_use]
pub fn client(builder: Builder) -> Client {
    builder.build(network(), AsyncStdRuntime)
}

/// The network as it is by default: the system's resolver, no proxy.
///
/// ```no_run
/// use http_async_std::{AsyncStdRuntime, client_builder, network};
/// let network = network().unix("docker", "/var/run/docker.sock");
/// let client = client_builder().build(network, AsyncStdRuntime);
/// ```
pub fn network() -> Network {
    Network::new(AsyncStdDial, AsyncStdRuntime)
}

/// What a client is made with.
pub fn client_builder() -> Builder {
    Builder::new()
}

/// Opens async-std's sockets.
///
/// ```
/// assert_eq!(format!("{:?}", http_async_std::AsyncStdDial), "AsyncStdDial");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStdDial;

/// A socket of a client.
#[cfg(unix)]
pub type ClientSocket = Either<FuturesIo<TcpStream>, FuturesIo<async_std::os::unix::net::UnixStream>>;
/// A socket of a client.
#[cfg(not(unix))]
pub type ClientSocket = FuturesIo<TcpStream>;

impl Dial for AsyncStdDial {
    type Transport = ClientSocket;

    async fn dial(&self, address: Address, options: &SocketOptions) -> io::Result<ClientSocket> {
        match address {
            Address::Tcp(address) => {
                let stream = connect(address, options).await?.into_inner()?.into();
                #[cfg(unix)]
                return Ok(Either::Left(FuturesIo::new(stream)));
                #[cfg(not(unix))]
                return Ok(FuturesIo::new(stream));
            }
            #[cfg(unix)]
            Address::Unix(path) => {
                Ok(Either::Right(FuturesIo::new(async_std::os::unix::net::UnixStream::connect(path).await?)))
            }
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok((host, 0).to_socket_addrs().await?.map(|address| address.ip()).collect())
    }
}
