//! The header of the PROXY protocol.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What a header of version 2 begins with.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// The longest header of version 1, with its CRLF.
const LONGEST_V1: usize = 107;

/// The longest header of version 2 that is read, with its additions.
const LONGEST_V2: usize = 4096;

/// Who talks to whom, if the header tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) addresses: Option<(SocketAddr, SocketAddr)>,
    /// How many bytes the header has.
    pub(super) length: usize,
}

/// Not a header of the protocol, or one that is longer than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadHeader;

/// Reads the header at the front of `bytes`; `None` if it is not complete.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Route>, BadHeader> {
    let shared = bytes.len().min(SIGNATURE.len());
    if bytes[..shared] == SIGNATURE[..shared] {
        return if shared == SIGNATURE.len() { read_v2(bytes) } else { Ok(None) };
    }
    read_v1(bytes)
}

fn read_v1(bytes: &[u8]) -> Result<Option<Route>, BadHeader> {
    const START: &[u8] = b"PROXY ";
    let shared = bytes.len().min(START.len());
    if bytes[..shared] != START[..shared] {
        return Err(BadHeader);
    }
    let line = &bytes[..bytes.len().min(LONGEST_V1)];
    let Some(end) = line.windows(2).position(|pair| pair == b"\r\n") else {
        return if bytes.len() >= LONGEST_V1 { Err(BadHeader) } else { Ok(None) };
    };
    let length = end + 2;
    let text = core::str::from_utf8(&bytes[START.len()..end]).map_err(|_| BadHeader)?;
    let mut words = text.split(' ');
    let family = words.next();
    if family == Some("UNKNOWN") {
        return Ok(Some(Route { addresses: None, length }));
    }
    let mut next = || words.next().ok_or(BadHeader);
    let (from, to, from_port, to_port) = (next()?, next()?, next()?, next()?);
    if words.next().is_some() {
        return Err(BadHeader);
    }
    let address = |text: &str| -> Result<IpAddr, BadHeader> {
        match family {
            Some("TCP4") => text.parse::<Ipv4Addr>().map(IpAddr::V4).map_err(|_| BadHeader),
            Some("TCP6") => text.parse::<Ipv6Addr>().map(IpAddr::V6).map_err(|_| BadHeader),
            _ => Err(BadHeader),
        }
    };
    let from = SocketAddr::new(address(from)?, port(from_port)?);
    let to = SocketAddr::new(address(to)?, port(to_port)?);
    Ok(Some(Route { addresses: Some((from, to)), length }))
}

/// Digits alone, without a zero in front.
fn port(text: &str) -> Result<u16, BadHeader> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = text == "0" || !text.starts_with('0');
    text.parse().ok().filter(|_| digits && plain).ok_or(BadHeader)
}

fn read_v2(bytes: &[u8]) -> Result<Option<Route>, BadHeader> {
    let Some(&[command, family, high, low]) = bytes.get(12..16).and_then(|fixed| fixed.first_chunk::<4>()) else {
        return Ok(None);
    };
    let length = 16 + usize::from(u16::from_be_bytes([high, low]));
    // Version 2, and LOCAL or PROXY.
    if !matches!(command, 0x20 | 0x21) || length > LONGEST_V2 {
        return Err(BadHeader);
    }
    let Some(rest) = bytes.get(16..length) else { return Ok(None) };
    let addresses = match (command, family) {
        // What a proxy asks on its own behalf, as a health check, has no other client.
        (0x20, _) => None,
        (_, 0x11) => {
            let [from, to] = [rest.first_chunk::<4>(), rest.get(4..).and_then(<[u8]>::first_chunk::<4>)];
            let [from, to] = [from.ok_or(BadHeader)?, to.ok_or(BadHeader)?];
            Some((IpAddr::from(*from), IpAddr::from(*to), 8))
        }
        (_, 0x21) => {
            let [from, to] = [rest.first_chunk::<16>(), rest.get(16..).and_then(<[u8]>::first_chunk::<16>)];
            let [from, to] = [from.ok_or(BadHeader)?, to.ok_or(BadHeader)?];
            Some((IpAddr::from(*from), IpAddr::from(*to), 32))
        }
        // Datagrams, Unix sockets, and what is not told.
        _ => None,
    };
    let addresses = match addresses {
        None => None,
        Some((from, to, at)) => {
            let ports = rest.get(at..).and_then(<[u8]>::first_chunk::<4>).ok_or(BadHeader)?;
            let [from_port, to_port] = [[ports[0], ports[1]], [ports[2], ports[3]]].map(u16::from_be_bytes);
            Some((SocketAddr::new(from, from_port), SocketAddr::new(to, to_port)))
        }
    };
    Ok(Some(Route { addresses, length }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    /// A header is read whole, is not complete at any byte before, and ends where a stranger's bytes begin.
    fn is_read(header: &[u8], addresses: Option<(&str, &str)>) {
        let addresses = addresses.map(|(from, to)| (from.parse().unwrap(), to.parse().unwrap()));
        let route = Route { addresses, length: header.len() };
        for cut in 0..header.len() {
            assert_eq!(read(&header[..cut]), Ok(None), "{} at {cut}", header.escape_ascii());
        }
        assert_eq!(read(header), Ok(Some(route)), "{}", header.escape_ascii());
        assert_eq!(read(&[header, b"GET / HTTP/1.1\r\n"].concat()), Ok(Some(route)), "{}", header.escape_ascii());
    }

    #[test]
    fn headers_of_version_1() {
        let v4 = Some(("192.0.2.1:56324", "192.0.2.2:443"));
        is_read(b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n", v4);
        is_read(b"PROXY TCP6 2001:db8::1 ::1 1 65535\r\n", Some(("[2001:db8::1]:1", "[::1]:65535")));
        is_read(b"PROXY UNKNOWN\r\n", None);
        is_read(b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", None);
    }

    #[test]
    fn headers_of_version_2() {
        let v4 = [192, 0, 2, 1, 192, 0, 2, 2, 0xdc, 4, 1, 0xbb];
        is_read(&v2(0x21, 0x11, &v4), Some(("192.0.2.1:56324", "192.0.2.2:443")));
        let with_additions = [&v4[..], &[0x04, 0, 3, 1, 2, 3]].concat();
        is_read(&v2(0x21, 0x11, &with_additions), Some(("192.0.2.1:56324", "192.0.2.2:443")));
        let mut v6 = [0; 36];
        (v6[15], v6[31], v6[33], v6[35]) = (1, 2, 3, 4);
        is_read(&v2(0x21, 0x21, &v6), Some(("[::1]:3", "[::2]:4")));
        is_read(&v2(0x20, 0x11, &v4), None);
        is_read(&v2(0x20, 0, b""), None);
        is_read(&v2(0x21, 0x31, &[0; 216]), None);
        is_read(&v2(0x21, 0, b""), None);
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(100));
        for bytes in [
            &b"GET / HTTP/1.1\r\n"[..],
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n",
            b"PROXY TCP4 192.0.2.1  192.0.2.2 1 2\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n",
            b"PROXY TCP4 ::1 ::1 1 2\r\n",
            b"PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n",
            b"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n",
            b"PROXY \xff\r\n",
            long.as_bytes(),
            &v2(0x31, 0x11, &[0; 12]),
            &v2(0x22, 0x11, &[0; 12]),
            &v2(0x21, 0x11, &[0; 11]),
            &v2(0x21, 0x21, &[0; 35]),
            &v2(0x21, 0x11, &[0; 5000]),
        ] {
            assert_eq!(read(bytes), Err(BadHeader), "{}", bytes.escape_ascii());
        }
    }
}
