//! Connects over TCP.

use std::io;
use std::net::SocketAddr;

use async_std::net::{TcpStream, ToSocketAddrs};
use http_core::dispatch::ConnectCause;
use http_driver::client::{self, Builder, Connector, Origin, connect_cause};

use crate::io::FuturesIo;
use crate::runtime::AsyncStdRuntime;

/// A client on async-std, over TCP.
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
pub type Client = client::Client<TcpConnector, AsyncStdRuntime>;

/// A [`Client`] with what `builder` says.
#[must_use]
pub fn client(builder: Builder) -> Client {
    builder.build(TcpConnector::new(), AsyncStdRuntime)
}

/// Connects to the addresses of an origin's name, one after the other, with `TCP_NODELAY`. Plain `http` only.
///
/// ```
/// assert!(format!("{:?}", http_async_std::TcpConnector::new()).contains("TcpConnector"));
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TcpConnector;

impl TcpConnector {
    /// With the system's resolver.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Connector for TcpConnector {
    type Transport = FuturesIo<TcpStream>;

    async fn connect(&self, origin: &Origin) -> Result<Self::Transport, ConnectCause> {
        if origin.scheme() != "http" {
            return Err(ConnectCause::Misconfigured);
        }
        let host = origin.host().trim_start_matches('[').trim_end_matches(']');
        let addresses = (host, origin.port()).to_socket_addrs().await.map_err(|error| unresolved(&error))?;
        let mut cause = ConnectCause::NoSuchName;
        for address in addresses {
            match connect(address).await {
                Ok(stream) => return Ok(FuturesIo::new(stream)),
                Err(error) => cause = connect_cause(&error),
            }
        }
        Err(cause)
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The system tells a name that does not exist from a resolver that does not answer in words alone.
fn unresolved(error: &io::Error) -> ConnectCause {
    if error.to_string().contains("emporary") { ConnectCause::ResolveTemporary } else { ConnectCause::NoSuchName }
}
