//! Names.

use core::future::Future;
use core::pin::Pin;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs};

use http_core::dispatch::ConnectCause;

/// What a [`Resolve`] returns.
pub type Resolving<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Resolves names, in place of the system.
///
/// ```
/// use http_driver::client::{Resolve, Resolving};
///
/// /// Knows one name.
/// #[derive(Debug)]
/// struct One;
/// impl Resolve for One {
///     fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a> {
///         Box::pin(async move {
///             match host {
///                 "one.example" => Ok(vec![[127, 0, 0, 1].into()]),
///                 _ => Err(std::io::ErrorKind::NotFound.into()),
///             }
///         })
///     }
/// }
/// ```
pub trait Resolve: Send + Sync + 'static {
    /// The addresses of `host`, in the order of preference.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] if there is no such name; anything else may go better a little later.
    fn resolve<'a>(&'a self, host: &'a str) -> Resolving<'a>;
}

/// The cause that an error of a resolver stands for: that there is no such name is final, and anything else may pass.
///
/// Of `getaddrinfo` the standard library keeps a code on Windows alone; elsewhere an error that is the system's has
/// one, and one of the resolver has its words and no kind. So what is final is told by them: those of glibc, musl, the
/// systems that descend from BSD, and Android.
pub(super) fn cause(error: &io::Error) -> ConnectCause {
    let is_final = match error.kind() {
        // A host that the resolver takes for no name at all.
        io::ErrorKind::NotFound | io::ErrorKind::InvalidInput => true,
        _ => match error.raw_os_error() {
            Some(code) => cfg!(windows) && matches!(code, HOST_NOT_FOUND | NO_DATA),
            None => {
                let text = error.to_string();
                NO_SUCH_NAME.iter().any(|words| text.contains(words))
            }
        },
    };
    if is_final { ConnectCause::NoSuchName } else { ConnectCause::ResolveTemporary }
}

/// `WSAHOST_NOT_FOUND` and `WSANO_DATA`.
const HOST_NOT_FOUND: i32 = 11_001;
const NO_DATA: i32 = 11_004;

/// What `gai_strerror` says of `EAI_NONAME` and `EAI_NODATA`.
const NO_SUCH_NAME: [&str; 7] = [
    "Name or service not known",
    "No address associated with",
    "Name does not resolve",
    "Name has no usable address",
    "nodename nor servname provided",
    "hostname nor servname provided",
    "Host not found",
];

/// An address in a zone, which is the number or the name of an interface (RFC 4007 §11). The system is asked for the
/// number of a name; it reads an address, and asks nobody else.
pub(super) fn in_zone(address: Ipv6Addr, zone: &str, port: u16) -> io::Result<SocketAddr> {
    if zone.bytes().all(|byte| byte.is_ascii_digit()) {
        let scope = zone.parse().map_err(|_| io::ErrorKind::AddrNotAvailable)?;
        return Ok(SocketAddrV6::new(address, port, 0, scope).into());
    }
    let found = (format!("{address}%{zone}"), port).to_socket_addrs().ok().and_then(|mut found| found.next());
    found.ok_or_else(|| io::ErrorKind::AddrNotAvailable.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use io::ErrorKind;

    #[test]
    fn not_found_alone_is_final() {
        let gai = |words: &str| io::Error::other(format!("failed to lookup address information: {words}"));
        for error in [
            ErrorKind::NotFound.into(),
            ErrorKind::InvalidInput.into(),
            gai("Name or service not known"),
            gai("No address associated with hostname"),
            gai("Name does not resolve"),
            gai("nodename nor servname provided, or not known"),
            // As async-std has it.
            io::Error::other(format!("could not resolve address `(\"a\", 0)`: {}", gai("Name or service not known"))),
        ] {
            assert_eq!(cause(&error), ConnectCause::NoSuchName, "{error}");
        }
        for error in [
            ErrorKind::TimedOut.into(),
            ErrorKind::WouldBlock.into(),
            ErrorKind::Interrupted.into(),
            ErrorKind::ConnectionRefused.into(),
            // `EMFILE`, which `EAI_SYSTEM` brings.
            io::Error::from_raw_os_error(24),
            gai("Temporary failure in name resolution"),
            gai("Non-recoverable failure in name resolution"),
            gai("Memory allocation failure"),
            gai("Try again"),
            io::Error::other("SERVFAIL"),
        ] {
            assert_eq!(cause(&error), ConnectCause::ResolveTemporary, "{error}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn c25_a_zone_is_an_interface_by_number_or_by_name() {
        let loopback: u32 = std::fs::read_to_string("/sys/class/net/lo/ifindex").unwrap().trim().parse().unwrap();
        let of = |zone: &str| in_zone("fe80::1".parse().unwrap(), zone, 80);
        for (zone, scope) in [("lo", loopback), ("7", 7)] {
            let expected = SocketAddrV6::new("fe80::1".parse().unwrap(), 80, 0, scope);
            assert_eq!(of(zone).unwrap(), SocketAddr::from(expected), "{zone}");
        }
        for zone in ["no-such-interface", "99999999999"] {
            assert_eq!(of(zone).unwrap_err().kind(), io::ErrorKind::AddrNotAvailable, "{zone}");
        }
    }
}
