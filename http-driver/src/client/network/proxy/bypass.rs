//! What is reached without a proxy.

use std::net::{IpAddr, Ipv4Addr};

use ipnet::{IpNet, Ipv4Net};

/// What is reached without a proxy: the entries of `NO_PROXY`.
///
/// An entry is a name, which covers what is below it as well; an address; a network as `10.0.0.0/8`; each but the last
/// with or without a port; or `*`, which is everything. Names do not cover addresses, whatever they end with. An IPv4
/// address is the same when it is mapped into IPv6.
///
/// ```
/// let bypass = http_driver::client::Bypass::parse("example.com,10.0.0.0/8 [::1]:8080");
/// assert!(bypass.matches("www.example.com", 80) && bypass.matches("10.1.2.3", 80) && bypass.matches("[::1]", 8080));
/// assert!(!bypass.matches("notexample.com", 80) && !bypass.matches("[::1]", 80));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bypass(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    All,
    Name(String, Option<u16>),
    Network(IpNet, Option<u16>),
}

impl Bypass {
    /// Reads entries between commas and blanks, as curl does; what makes no sense covers nothing.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let entries = text.split(|sign: char| sign == ',' || sign.is_whitespace());
        Self(entries.filter(|entry| !entry.is_empty()).filter_map(Entry::parse).collect())
    }

    /// Whether a host is covered; an IPv6 address may have its brackets, and a zone, which is not looked at.
    #[must_use]
    pub fn matches(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let address = unbracketed(&host).split('%').next().and_then(|text| text.parse::<IpAddr>().ok());
        let on = |at: &Option<u16>| at.is_none_or(|at| at == port);
        self.0.iter().any(|entry| match (entry, address) {
            (Entry::All, _) => true,
            (Entry::Network(network, at), Some(address)) => {
                (network.contains(&address) || network.contains(&address.to_canonical())) && on(at)
            }
            (Entry::Name(name, at), None) => {
                let below = host.strip_suffix(name.as_str());
                below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.')) && on(at)
            }
            _ => false,
        })
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::All);
        }
        if let Some((address, bits)) = text.split_once('/') {
            let network = IpNet::new(unbracketed(address).parse().ok()?, decimal(bits)?).ok()?;
            return Some(Self::Network(unmapped(network), None));
        }
        let of = |address: IpAddr, port| Self::Network(address.to_canonical().into(), port);
        if let Ok(address) = unbracketed(text).parse() {
            return Some(of(address, None));
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(decimal(port)?)),
            None => (text, None),
        };
        if let Ok(address) = unbracketed(host).parse() {
            return Some(of(address, port));
        }
        let name = host.trim_start_matches("*.").trim_matches('.').to_ascii_lowercase();
        (!name.is_empty()).then_some(Self::Name(name, port))
    }
}

/// Digits alone: `parse` would take a sign.
fn decimal<N: core::str::FromStr>(text: &str) -> Option<N> {
    text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// A network of mapped IPv4 addresses as the one of IPv4 that it is (RFC 4291 §2.5.5.2).
fn unmapped(network: IpNet) -> IpNet {
    let of_v4 = |v4: Ipv4Addr, bits: u8| Ipv4Net::new(v4, bits).ok().map(IpNet::from);
    match network {
        IpNet::V6(v6) => {
            let bits = v6.prefix_len().checked_sub(96);
            v6.addr().to_ipv4_mapped().zip(bits).and_then(|(v4, bits)| of_v4(v4, bits)).unwrap_or(network)
        }
        IpNet::V4(_) => network,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reached_without_a_proxy() {
        for (entries, host, port, covered) in [
            ("", "a", 80, false),
            ("*", "a", 80, true),
            ("a.b", "a.b", 80, true),
            ("a.b", "c.a.b", 80, true),
            (".a.b", "c.A.B", 80, true),
            ("*.a.b", "c.a.b.", 80, true),
            ("a.b", "ca.b", 80, false),
            ("a.b:81", "a.b", 80, false),
            ("a.b:81", "a.b", 81, true),
            ("127.0.0.1", "127.0.0.1", 80, true),
            ("127.0.0.1:81", "127.0.0.1", 80, false),
            ("::1", "[::1]", 80, true),
            ("[::1]:81", "[::1]", 81, true),
            ("10.0.0.0/8", "10.255.0.1", 80, true),
            ("10.0.0.0/8", "11.0.0.1", 80, false),
            ("10.0.0.0/33", "10.0.0.1", 80, false),
            ("fe80::/10", "[fe80::1]", 80, true),
            ("0.0.0.0/0", "1.2.3.4", 80, true),
            ("0.0.0.0/0", "[::1]", 80, false),
            ("x, y ,z", "y", 80, true),
            // C26: as curl and Go read it.
            ("localhost 127.0.0.1", "localhost", 80, true),
            ("localhost 127.0.0.1", "127.0.0.1", 80, true),
            ("localhost\t127.0.0.1,\n a", "a", 80, true),
            (".1", "127.0.0.1", 80, false),
            ("1", "127.0.0.1", 80, false),
            ("0.0.1", "127.0.0.1", 80, false),
            ("10.1.2.3", "[::ffff:10.1.2.3]", 80, true),
            ("::ffff:10.1.2.3", "10.1.2.3", 80, true),
            ("[::ffff:10.1.2.3]:81", "10.1.2.3", 81, true),
            ("10.0.0.0/8", "[::ffff:10.1.2.3]", 80, true),
            ("::ffff:10.0.0.0/104", "10.1.2.3", 80, true),
            ("::ffff:10.0.0.0/104", "[::ffff:10.1.2.3]", 80, true),
            ("::ffff:10.0.0.0/104", "11.1.2.3", 80, false),
            ("::/0", "1.2.3.4", 80, false),
            ("::/0", "[::ffff:1.2.3.4]", 80, true),
            ("[fe80::]/10", "[fe80::1]", 80, true),
            ("fe80::1", "[fe80::1%25eth0]", 80, true),
            ("10.1.2.3/8", "10.255.0.1", 80, true),
            ("10.0.0.0/+8", "10.0.0.1", 80, false),
            ("a:+81", "a", 81, false),
            ("a:99999", "a", 80, false),
            ("a:", "a", 80, false),
        ] {
            assert_eq!(Bypass::parse(entries).matches(host, port), covered, "{entries} {host}:{port}");
        }
    }
}
