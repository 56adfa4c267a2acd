//! smol: its tasks, listeners and connectors.
//!
//! ```no_run
//! use std::convert::Infallible;
//! use http::{Request, Response};
//! use http_async_std::{Full, Incoming, service_fn, smol::Server};
//!
//! fn main() -> std::io::Result<()> {
//!     smol::block_on(async {
//!         let listener = smol::net::TcpListener::bind("127.0.0.1:8080").await?;
//!         let hello = |_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Full::from("Hello"))) };
//!         Server::new().serve(listener, service_fn(hello)).await;
//!         Ok(())
//!     })
//! }
//! ```

use std::io;
use std::net::IpAddr;
use std::time::Instant;

use ::smol::net::{TcpListener, TcpStream};
use http_driver::client::{self, Address, Builder, Dial, SocketOptions};
use http_driver::server::{self, Listener};
use http_driver::{Either, Runtime};

use crate::dial::connect;
use crate::io::FuturesIo;
use crate::runtime::AsyncIoTimer;

/// smol as a [`Runtime`]: its global executor.
///
/// ```
/// use http_async_std::Runtime;
/// let runtime = http_async_std::smol::SmolRuntime;
/// assert!(runtime.now() <= runtime.now());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SmolRuntime;

impl Runtime for SmolRuntime {
    type Timer = AsyncIoTimer;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn timer(&self, at: Instant) -> AsyncIoTimer {
        AsyncIoTimer::new(at)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        ::smol::spawn(task).detach();
    }
}

/// A server on smol: see [`server::Server`].
pub type Server = server::Server<SmolRuntime>;

impl Listener<SmolRuntime> for TcpListener {
    type Transport = FuturesIo<TcpStream>;

    async fn accept(&mut self) -> io::Result<Self::Transport> {
        let (stream, _) = TcpListener::accept(self).await?;
        // A reply that waits for more to send is a reply that is late.
        stream.set_nodelay(true)?;
        Ok(FuturesIo::new(stream))
    }
}

#[cfg(unix)]
impl Listener<SmolRuntime> for ::smol::net::unix::UnixListener {
    type Transport = FuturesIo<::smol::net::unix::UnixStream>;

    async fn accept(&mut self) -> io::Result<Self::Transport> {
        Ok(FuturesIo::new(::smol::net::unix::UnixListener::accept(self).await?.0))
    }
}

/// A client on smol.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = http_async_std::smol::client(Default::default());
/// let response = client.request(http::Request::get("http://127.0.0.1:8080/").body(())?).await?;
/// println!("{}", response.status());
/// # Ok(())
/// # }
/// ```
pub type Client = client::Client<Network, SmolRuntime>;

/// How a client on smol reaches its origins: see [`client::Network`](struct@client::Network).
pub type Network = client::Network<SmolDial, SmolRuntime>;

/// A [`Client`] with what `builder` says, over the usual [`network`].
#[must_use]
pub fn client(builder: Builder) -> Client {
    builder.build(network(), SmolRuntime)
}

/// The network as it is by default: the system's resolver, no proxy.
pub fn network() -> Network {
    Network::new(SmolDial, SmolRuntime)
}

/// Opens smol's sockets.
///
/// ```
/// assert_eq!(format!("{:?}", http_async_std::smol::SmolDial), "SmolDial");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct SmolDial;

/// A socket of a client.
#[cfg(unix)]
pub type ClientSocket = Either<FuturesIo<TcpStream>, FuturesIo<::smol::net::unix::UnixStream>>;
/// A socket of a client.
#[cfg(not(unix))]
pub type ClientSocket = FuturesIo<TcpStream>;

impl Dial for SmolDial {
    type Transport = ClientSocket;

    async fn dial(&self, address: Address, options: &SocketOptions) -> io::Result<ClientSocket> {
        match address {
            Address::Tcp(address) => {
                let stream = connect(address, options).await?.into();
                #[cfg(unix)]
                return Ok(Either::Left(FuturesIo::new(stream)));
                #[cfg(not(unix))]
                return Ok(FuturesIo::new(stream));
            }
            #[cfg(unix)]
            Address::Unix(path) => {
                Ok(Either::Right(FuturesIo::new(::smol::net::unix::UnixStream::connect(path).await?)))
            }
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let found = ::smol::net::resolve((host, 0)).await?;
        Ok(found.into_iter().map(|address| address.ip()).collect())
    }
}
