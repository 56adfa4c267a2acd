//! Clients over tokio's sockets.

use std::io;
use std::net::IpAddr;

use http_driver::Either;
use http_driver::client::{self, Address, Builder, Dial, SocketOptions};
use tokio::net::{TcpSocket, TcpStream};

use crate::io::TokioIo;
use crate::runtime::TokioRuntime;

/// A client on tokio.
///
/// ```no_run
/// use http_tokio::Full;
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = http_tokio::client(Default::default());
/// let response = client.request(http::Request::get("http://127.0.0.1:8080/").body(Full::default())?).await?;
/// println!("{}", response.status());
/// # Ok(())
/// # }
/// ```
pub type Client = client::Client<Network, TokioRuntime>;

/// How a client on tokio reaches its origins: see [`client::Network`](struct@client::Network).
pub type Network = client::Network<TokioDial, TokioRuntime>;

/// A [`Client`] with what `builder` says, over the usual [`network`]. Called inside of tokio.
#[must_use]
pub fn client(builder: Builder) -> Client {
    builder.build(network(), TokioRuntime)
}

/// The network as it is by default: the system's resolver, no proxy.
///
/// ```no_run
/// use http_tokio::{TokioRuntime, client_builder, network};
/// let network = network().unix("docker", "/var/run/docker.sock");
/// let client = client_builder().build(network, TokioRuntime);
/// ```
pub fn network() -> Network {
    Network::new(TokioDial, TokioRuntime)
}

/// What a client is made with.
pub fn client_builder() -> Builder {
    Builder::new()
}

/// Opens tokio's sockets.
///
/// ```
/// assert_eq!(format!("{:?}", http_tokio::TokioDial), "TokioDial");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioDial;

/// A socket of a client.
#[cfg(unix)]
pub type ClientSocket = Either<TokioIo<TcpStream>, TokioIo<tokio::net::UnixStream>>;
/// A socket of a client.
#[cfg(not(unix))]
pub type ClientSocket = TokioIo<TcpStream>;

impl Dial for TokioDial {
    type Transport = ClientSocket;

    async fn dial(&self, address: Address, options: &SocketOptions) -> io::Result<ClientSocket> {
        match address {
            Address::Tcp(address) => {
                let stream = TcpSocket::from_std_stream(options.open(address)?.into()).connect(address).await?;
                #[cfg(unix)]
                return Ok(Either::Left(TokioIo::new(stream)));
                #[cfg(not(unix))]
                return Ok(TokioIo::new(stream));
            }
            #[cfg(unix)]
            Address::Unix(path) => Ok(Either::Right(TokioIo::new(tokio::net::UnixStream::connect(path).await?))),
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}
