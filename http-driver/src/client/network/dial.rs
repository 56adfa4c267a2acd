//! Opening sockets.

#[cfg(feature = "socket2")]
use core::fmt;
use core::future::Future;
use core::time::Duration;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

#[cfg(feature = "socket2")]
use socket2::{Domain, Protocol, Socket, TcpKeepalive, Type};

use crate::io::Transport;

/// Where a socket goes to.
///
/// ```
/// use http_driver::client::Address;
/// assert_eq!(Address::Tcp(([127, 0, 0, 1], 80).into()), Address::Tcp("127.0.0.1:80".parse().unwrap()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// An address and a port.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
}

/// The options of a client's sockets, for [`Network::socket`](super::Network::socket).
///
/// ```
/// let mut options = http_driver::client::SocketOptions::default();
/// options.local_address = Some([127, 0, 0, 1].into());
/// options.interface = Some("eth0".to_owned());
/// assert!(options.nodelay);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketOptions {
    /// `TCP_NODELAY`: small writes leave at once. Default true.
    pub nodelay: bool,
    /// The address that sockets of its family are bound to. Default: the system's choice.
    pub local_address: Option<IpAddr>,
    /// `SO_KEEPALIVE`, and how long a connection is silent before the first probe. Default none.
    pub keepalive: Option<Duration>,
    /// How long to wait between probes of [`keepalive`](Self::keepalive). Default: the system's choice.
    pub keepalive_interval: Option<Duration>,
    /// How many probes may go unanswered. Default: the system's choice.
    pub keepalive_retries: Option<u32>,
    /// `TCP_USER_TIMEOUT`: how long what was sent may stay unacknowledged. Linux alone. Default: the system's choice.
    pub user_timeout: Option<Duration>,
    /// The name of the interface that sockets are bound to (`SO_BINDTODEVICE`). Linux alone; elsewhere nothing can be
    /// reached with it. Default none.
    pub interface: Option<String>,
    /// `SO_MARK`, for routing and filters; it takes a privilege. Linux alone. Default none.
    pub mark: Option<u32>,
    /// The size of the system's send buffer, in bytes. Default: the system's.
    pub send_buffer: Option<usize>,
    /// The size of the system's receive buffer, in bytes. Default: the system's.
    pub receive_buffer: Option<usize>,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            nodelay: true,
            local_address: None,
            keepalive: None,
            keepalive_interval: None,
            keepalive_retries: None,
            user_timeout: None,
            interface: None,
            mark: None,
            send_buffer: None,
            receive_buffer: None,
        }
    }
}

/// Linux refuses a longer one; nine hours are as good as for ever.
#[cfg(feature = "socket2")]
const LONGEST_PROBE: Duration = Duration::from_secs(32_767);

#[cfg(feature = "socket2")]
impl SocketOptions {
    /// A socket that is bound as these options say and does not block, to be connected to `address`.
    ///
    /// # Errors
    /// The system refuses one of the options, or does not have it, or has no sockets left.
    #[cfg_attr(docsrs, doc(cfg(feature = "socket2")))]
    pub fn open(&self, address: SocketAddr) -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket.set_tcp_nodelay(self.nodelay).map_err(unset("nodelay"))?;
        if let Some(idle) = self.keepalive {
            socket.set_tcp_keepalive(&self.probes(idle)).map_err(unset("keepalive"))?;
        }
        self.set_what_linux_has(&socket)?;
        if let Some(size) = self.send_buffer {
            socket.set_send_buffer_size(size).map_err(unset("send_buffer"))?;
        }
        if let Some(size) = self.receive_buffer {
            socket.set_recv_buffer_size(size).map_err(unset("receive_buffer"))?;
        }
        if let Some(local) = self.local_address.filter(|local| local.is_ipv4() == address.is_ipv4()) {
            // Its interface may come back, or one of its ports: the kind stays.
            let unbound = |error: io::Error| io::Error::new(error.kind(), Unset { option: "local_address", error });
            socket.bind(&SocketAddr::new(local, 0).into()).map_err(unbound)?;
        }
        Ok(socket)
    }

    fn probes(&self, idle: Duration) -> TcpKeepalive {
        let mut probes = TcpKeepalive::new().with_time(idle.min(LONGEST_PROBE));
        if let Some(interval) = self.keepalive_interval {
            probes = probes.with_interval(interval.min(LONGEST_PROBE));
        }
        if let Some(retries) = self.keepalive_retries {
            probes = probes.with_retries(retries);
        }
        probes
    }

    #[cfg(target_os = "linux")]
    fn set_what_linux_has(&self, socket: &Socket) -> io::Result<()> {
        if let Some(most) = self.user_timeout {
            let most = most.min(Duration::from_millis(i32::MAX as u64));
            socket.set_tcp_user_timeout(Some(most)).map_err(unset("user_timeout"))?;
        }
        if let Some(interface) = &self.interface {
            socket.bind_device(Some(interface.as_bytes())).map_err(unset("interface"))?;
        }
        match self.mark {
            Some(mark) => socket.set_mark(mark).map_err(unset("mark")),
            None => Ok(()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn set_what_linux_has(&self, _: &Socket) -> io::Result<()> {
        let option = match (self.user_timeout, &self.interface, self.mark) {
            (None, None, None) => return Ok(()),
            (Some(_), ..) => "user_timeout",
            (_, Some(_), _) => "interface",
            _ => "mark",
        };
        Err(unset(option)(io::ErrorKind::Unsupported.into()))
    }
}

/// An option that the system did not take, named: by itself its error says nothing of that.
#[cfg(feature = "socket2")]
#[derive(Debug)]
struct Unset {
    option: &'static str,
    error: io::Error,
}

/// What no waiting makes better.
#[cfg(feature = "socket2")]
fn unset(option: &'static str) -> impl Fn(io::Error) -> io::Error {
    move |error| {
        let kind = match error.kind() {
            kind @ io::ErrorKind::PermissionDenied => kind,
            _ => io::ErrorKind::InvalidInput,
        };
        io::Error::new(kind, Unset { option, error })
    }
}

#[cfg(feature = "socket2")]
impl fmt::Display for Unset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the system did not take `{}` of the socket's options", self.option)
    }
}

#[cfg(feature = "socket2")]
impl core::error::Error for Unset {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Opens sockets, and asks the system for names: what a runtime brings along.
///
/// ```
/// use std::io;
/// use std::net::IpAddr;
/// use http_driver::client::{Address, Dial, SocketOptions};
///
/// /// Reaches nothing but what another one reaches on this machine.
/// #[derive(Clone)]
/// struct Loopback<D>(D);
///
/// impl<D: Dial> Dial for Loopback<D> {
///     type Transport = D::Transport;
///     async fn dial(&self, address: Address, options: &SocketOptions) -> io::Result<D::Transport> {
///         match address {
///             Address::Tcp(address) if !address.ip().is_loopback() => Err(io::ErrorKind::PermissionDenied.into()),
///             address => self.0.dial(address, options).await,
///         }
///     }
///     async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
///         self.0.resolve(host).await
///     }
/// }
/// ```
pub trait Dial: Clone + Send + Sync + 'static {
    /// What is opened.
    type Transport: Transport + Send + 'static;

    /// Opens a socket.
    ///
    /// # Errors
    /// It could not be opened.
    fn dial(
        &self,
        address: Address,
        options: &SocketOptions,
    ) -> impl Future<Output = io::Result<Self::Transport>> + Send;

    /// The addresses of a name, as the system has them.
    ///
    /// # Errors
    /// The name does not exist, or the resolver does not answer.
    fn resolve(&self, host: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send;
}
