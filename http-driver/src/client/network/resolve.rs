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

/// The cause that an error of a resolver stands for. The system tells a name that does not exist from a resolver that
/// does not answer in words alone.
pub(super) fn cause(error: &io::Error) -> ConnectCause {
    match error.kind() {
        io::ErrorKind::NotFound => ConnectCause::NoSuchName,
        io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => ConnectCause::ResolveTemporary,
        _ if error.to_string().contains("emporary") => ConnectCause::ResolveTemporary,
        _ => ConnectCause::NoSuchName,
    }
}

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
