//! SOCKS, version 5: how a proxy is asked for a connection (RFC 1928), with a name and a password (RFC 1929).
//!
//! [`Asking`] does no I/O: bytes in, bytes out. It says how many bytes it wants, so that nothing is read that the proxy
//! sends on behind its last word.

use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, ready};
use std::io;
use std::net::SocketAddr;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http_core::Outbox;
use http_core::dispatch::ConnectCause;

use super::url::Login;
use crate::client::connect_error::ConnectError;
use crate::io::Transport;

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USERNAME_PASSWORD: u8 = 2;
const NO_ACCEPTABLE_METHODS: u8 = 0xff;
/// That of the sub-negotiation (RFC 1929 §2).
const LOGIN_VERSION: u8 = 1;
const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const DOMAIN_NAME: u8 = 3;
const IPV6: u8 = 4;

/// What a connection is asked for to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'a> {
    Address(SocketAddr),
    Name(&'a str, u16),
}

/// Why a proxy did not give what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SocksError {
    /// It speaks something else.
    Malformed,
    /// It wants to know more of us than we can say.
    NoMethod,
    /// It does not know the name with this password.
    Denied,
    /// Its reply, by RFC 1928 §6.
    Reply(u8),
    /// The name is empty, or longer than one octet can count.
    Name,
}

impl SocksError {
    const fn cause(self) -> ConnectCause {
        match self {
            Self::NoMethod | Self::Denied | Self::Reply(2) => ConnectCause::Forbidden,
            Self::Malformed => ConnectCause::Reset,
            Self::Reply(5) => ConnectCause::Refused,
            Self::Reply(7 | 8) | Self::Name => ConnectCause::Misconfigured,
            Self::Reply(_) => ConnectCause::Unreachable,
        }
    }
}

impl fmt::Display for SocksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the SOCKS proxy answered with something else than SOCKS 5",
            Self::NoMethod => "the SOCKS proxy wants another way to authenticate",
            Self::Denied => "the SOCKS proxy refused the name and the password",
            Self::Name => "the name of the origin is none that a SOCKS proxy can be told",
            Self::Reply(1) => "the SOCKS proxy failed",
            Self::Reply(2) => "the SOCKS proxy does not allow the connection",
            Self::Reply(3) => "the SOCKS proxy cannot reach the network",
            Self::Reply(4) => "the SOCKS proxy cannot reach the host",
            Self::Reply(5) => "the origin refused the SOCKS proxy's connection",
            Self::Reply(6) => "the SOCKS proxy's connection was too long under way",
            Self::Reply(7) => "the SOCKS proxy does not know how to connect",
            Self::Reply(8) => "the SOCKS proxy does not know this kind of address",
            Self::Reply(reply) => return write!(f, "the SOCKS proxy refused with reply {reply}"),
        })
    }
}

impl core::error::Error for SocksError {}

impl From<SocksError> for ConnectError {
    fn from(error: SocksError) -> Self {
        Self::new(error.cause(), error)
    }
}

/// What the proxy is to say next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Method,
    Login,
    Reply,
    Done,
}

/// The conversation, from its first byte on.
pub(super) struct Asking {
    step: Step,
    /// What is to be sent now.
    output: Vec<u8>,
    /// What is to be sent if the proxy wants to know who asks.
    login: Option<Vec<u8>>,
    request: Vec<u8>,
}

impl Asking {
    pub(super) fn new(place: Place<'_>, login: Option<&Login>) -> Result<Self, SocksError> {
        let mut request = vec![VERSION, CONNECT, 0];
        let port = match place {
            Place::Address(SocketAddr::V4(address)) => {
                request.push(IPV4);
                request.extend(address.ip().octets());
                address.port()
            }
            Place::Address(SocketAddr::V6(address)) => {
                request.push(IPV6);
                request.extend(address.ip().octets());
                address.port()
            }
            Place::Name(name, port) => {
                request.push(DOMAIN_NAME);
                push_counted(&mut request, name.as_bytes()).ok_or(SocksError::Name)?;
                port
            }
        };
        request.put_u16(port);
        let login = match login {
            Some(Login { user, password }) => {
                let mut login = vec![LOGIN_VERSION];
                push_counted(&mut login, user).ok_or(SocksError::Denied)?;
                push_counted(&mut login, password).ok_or(SocksError::Denied)?;
                Some(login)
            }
            None => None,
        };
        let output = match login {
            Some(_) => vec![VERSION, 2, NO_AUTHENTICATION, USERNAME_PASSWORD],
            None => vec![VERSION, 1, NO_AUTHENTICATION],
        };
        Ok(Self { step: Step::Method, output, login, request })
    }

    /// What is to be sent now.
    pub(super) fn take_output(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.output)
    }

    /// Takes what it understands off the front of `input`. How many bytes more it wants to have there; none when the
    /// connection is made.
    pub(super) fn read(&mut self, input: &mut BytesMut) -> Result<usize, SocksError> {
        loop {
            let (length, said) = match self.step {
                Step::Method => (2, method(input)?),
                Step::Login => (2, login(input)?),
                Step::Reply => reply(input)?,
                Step::Done => return Ok(0),
            };
            let Some(said) = said else { return Ok(length - input.len()) };
            input.advance(length);
            self.step = match (self.step, said) {
                (Step::Method, NO_AUTHENTICATION) => self.ask(),
                (Step::Method, USERNAME_PASSWORD) => {
                    // Not one that was offered, if there is none.
                    self.output = self.login.take().ok_or(SocksError::Malformed)?;
                    Step::Login
                }
                (Step::Method, NO_ACCEPTABLE_METHODS) => return Err(SocksError::NoMethod),
                (Step::Method, _) => return Err(SocksError::Malformed),
                (Step::Login, _) => self.ask(),
                (Step::Reply | Step::Done, _) => Step::Done,
            };
        }
    }

    fn ask(&mut self) -> Step {
        self.output = core::mem::take(&mut self.request);
        Step::Reply
    }
}

fn push_counted(out: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    out.push(u8::try_from(bytes.len()).ok().filter(|count| *count > 0)?);
    out.extend_from_slice(bytes);
    Some(())
}

/// Whether a byte is what it has to be, as soon as it is there.
fn must_be(input: &[u8], at: usize, allowed: &[u8]) -> Result<(), SocksError> {
    match input.get(at) {
        Some(byte) if !allowed.contains(byte) => Err(SocksError::Malformed),
        _ => Ok(()),
    }
}

/// RFC 1928 §3.
fn method(input: &[u8]) -> Result<Option<u8>, SocksError> {
    must_be(input, 0, &[VERSION])?;
    Ok(input.get(1).copied())
}

/// RFC 1929 §2: anything but zero is a refusal.
fn login(input: &[u8]) -> Result<Option<u8>, SocksError> {
    must_be(input, 0, &[LOGIN_VERSION])?;
    match input.get(1) {
        Some(0) => Ok(Some(0)),
        Some(_) => Err(SocksError::Denied),
        None => Ok(None),
    }
}

/// RFC 1928 §6: how long it is, as far as that is known, and the reply if all of it is there. A refusal may be shorter
/// than it should.
fn reply(input: &[u8]) -> Result<(usize, Option<u8>), SocksError> {
    must_be(input, 0, &[VERSION])?;
    if let Some(reply) = input.get(1).filter(|reply| **reply != 0) {
        return Err(SocksError::Reply(*reply));
    }
    must_be(input, 2, &[0])?;
    must_be(input, 3, &[IPV4, DOMAIN_NAME, IPV6])?;
    let address = match (input.get(3), input.get(4)) {
        (Some(&IPV4), _) => 4,
        (Some(&IPV6), _) => 16,
        (Some(_), Some(count)) => 1 + usize::from(*count),
        // One byte more is there for certain, whatever it is.
        _ => return Ok((5, None)),
    };
    let length = 4 + address + 2;
    Ok((length, (input.len() >= length).then_some(0)))
}

/// The transport, once the proxy behind it has connected it to `place`.
pub(crate) async fn connected<T: Transport>(
    mut transport: T,
    place: Place<'_>,
    login: Option<&Login>,
) -> Result<T, ConnectError> {
    let mut asking = Asking::new(place, login)?;
    let mut input = BytesMut::new();
    loop {
        let mut outbox = Outbox::from(Bytes::from(asking.take_output()));
        let sent = poll_fn(|cx| poll_send(&mut transport, cx, &mut outbox)).await;
        sent?;
        let wanted = asking.read(&mut input)?;
        if wanted == 0 {
            return Ok(transport);
        }
        if asking.output.is_empty() {
            input.reserve(wanted);
            let read = poll_fn(|cx| transport.poll_read(cx, &mut input, wanted)).await;
            if read? == 0 {
                return Err(ConnectCause::Reset.into());
            }
        }
    }
}

fn poll_send<T: Transport>(transport: &mut T, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<()>> {
    while !outbox.is_empty() {
        match ready!(transport.poll_write(cx, outbox))? {
            0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            count => {
                let _ = outbox.advance(count);
            }
        }
    }
    Poll::Ready(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const V4: Place<'_> =
        Place::Address(SocketAddr::V4(std::net::SocketAddrV4::new(std::net::Ipv4Addr::new(192, 0, 2, 1), 80)));

    fn login(user: &[u8], password: &[u8]) -> Login {
        Login { user: user.to_vec(), password: password.to_vec() }
    }

    /// What is said to a proxy that says this, how it ends, and what is left of the input; in pieces of `size`.
    fn talk(
        place: Place<'_>,
        login: Option<&Login>,
        says: &[u8],
        size: usize,
    ) -> (Vec<u8>, Result<bool, SocksError>, Vec<u8>) {
        let mut asking = match Asking::new(place, login) {
            Ok(asking) => asking,
            Err(error) => return (Vec::new(), Err(error), says.to_vec()),
        };
        let (mut said, mut input, mut says) = (asking.take_output(), BytesMut::new(), says);
        loop {
            let wanted = match asking.read(&mut input) {
                Ok(wanted) => wanted,
                Err(error) => return (said, Err(error), says.to_vec()),
            };
            said.extend(asking.take_output());
            if wanted == 0 || says.is_empty() {
                assert!(input.is_empty() || wanted > 0);
                return (said, Ok(wanted == 0), says.to_vec());
            }
            let (piece, rest) = says.split_at(wanted.min(size).min(says.len()));
            input.extend_from_slice(piece);
            says = rest;
        }
    }

    #[test]
    fn conversations_whole_and_byte_by_byte() {
        let known = login(b"me", b"pw");
        let (bare, offer) = (&b"\x05\x01\x00"[..], &b"\x05\x02\x00\x02"[..]);
        let (ask_v4, told) = (&b"\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50"[..], &b"\x01\x02me\x02pw"[..]);
        let v6 = Place::Address("[2001:db8::1]:443".parse().unwrap());
        let ask_v6 = b"\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb";
        let (name, ask_name) = (Place::Name("a.example", 443), b"\x05\x01\x00\x03\x09a.example\x01\xbb");
        let bound = b"\x05\x00\x00\x01\0\0\0\0\0\0";
        let (yes, no) = (|| Ok(true), || Ok(false));
        let failed = |error: SocksError| Err::<bool, _>(error);
        for (section, place, login, says, said, end) in [
            ("RFC 1928 §4", V4, None, [&b"\x05\x00"[..], bound].concat(), [bare, ask_v4].concat(), yes()),
            ("RFC 1928 §4", v6, None, [&b"\x05\x00"[..], bound].concat(), [bare, &ask_v6[..]].concat(), yes()),
            ("RFC 1928 §4", name, None, [&b"\x05\x00"[..], bound].concat(), [bare, &ask_name[..]].concat(), yes()),
            // The proxy need not want to know who asks.
            ("RFC 1928 §3", V4, Some(&known), [&b"\x05\x00"[..], bound].concat(), [offer, ask_v4].concat(), yes()),
            (
                "RFC 1929 §2",
                V4,
                Some(&known),
                [&b"\x05\x02\x01\x00"[..], bound].concat(),
                [offer, told, ask_v4].concat(),
                yes(),
            ),
            (
                "RFC 1929 §2",
                V4,
                Some(&known),
                b"\x05\x02\x01\x01".into(),
                [offer, told].concat(),
                failed(SocksError::Denied),
            ),
            (
                "RFC 1929 §2",
                V4,
                Some(&known),
                b"\x05\x02\x05\x00".into(),
                [offer, told].concat(),
                failed(SocksError::Malformed),
            ),
            // A method that was not offered.
            ("RFC 1928 §3", V4, None, b"\x05\x02".into(), bare.into(), failed(SocksError::Malformed)),
            ("RFC 1928 §3", V4, Some(&known), b"\x05\x01".into(), offer.into(), failed(SocksError::Malformed)),
            ("RFC 1928 §3", V4, None, b"\x05\xff".into(), bare.into(), failed(SocksError::NoMethod)),
            ("RFC 1928 §3", V4, None, b"HTTP/1.1".into(), bare.into(), failed(SocksError::Malformed)),
            ("RFC 1928 §3", V4, None, b"\x04\x00".into(), bare.into(), failed(SocksError::Malformed)),
            // All kinds of bound addresses, and the end in the middle of one.
            (
                "RFC 1928 §6",
                V4,
                None,
                [&b"\x05\x00\x05\x00\x00\x04"[..], &[7; 18]].concat(),
                [bare, ask_v4].concat(),
                yes(),
            ),
            (
                "RFC 1928 §6",
                V4,
                None,
                b"\x05\x00\x05\x00\x00\x03\x03abc\x00\x50".into(),
                [bare, ask_v4].concat(),
                yes(),
            ),
            ("RFC 1928 §6", V4, None, b"\x05\x00\x05\x00\x00\x03\x00\x00\x50".into(), [bare, ask_v4].concat(), yes()),
            ("RFC 1928 §6", V4, None, b"\x05\x00\x05\x00\x00\x03\x03abc\x00".into(), [bare, ask_v4].concat(), no()),
            ("RFC 1928 §6", V4, None, b"\x05\x00\x05\x00\x00".into(), [bare, ask_v4].concat(), no()),
            (
                "RFC 1928 §6",
                V4,
                None,
                b"\x05\x00\x05\x00\x01".into(),
                [bare, ask_v4].concat(),
                failed(SocksError::Malformed),
            ),
            (
                "RFC 1928 §6",
                V4,
                None,
                b"\x05\x00\x05\x00\x00\x02".into(),
                [bare, ask_v4].concat(),
                failed(SocksError::Malformed),
            ),
            (
                "RFC 1928 §6",
                V4,
                None,
                b"\x05\x00\x04\x00".into(),
                [bare, ask_v4].concat(),
                failed(SocksError::Malformed),
            ),
            (
                "RFC 1928 §6",
                V4,
                None,
                b"\x05\x00\x05\x05".into(),
                [bare, ask_v4].concat(),
                failed(SocksError::Reply(5)),
            ),
            // What cannot be said.
            ("RFC 1928 §5", Place::Name("", 1), None, vec![], vec![], failed(SocksError::Name)),
        ] {
            for size in [usize::MAX, 1] {
                // Whatever the proxy sends on behind its reply is not read.
                let behind = if end == Ok(true) { &b"behind"[..] } else { b"" };
                let (told, ended, left) = talk(place, login, &[&says[..], behind].concat(), size);
                assert_eq!((&told, &ended), (&said, &end), "{section}: {says:x?} by {size}");
                if end == Ok(true) {
                    assert_eq!(left, behind, "{section}: {says:x?} by {size}");
                }
            }
        }
        let long = "a".repeat(256);
        assert_eq!(talk(Place::Name(&long, 1), None, b"", 1).1, Err(SocksError::Name));
        assert_eq!(talk(V4, Some(&login_of(&long)), b"", 1).1, Err(SocksError::Denied));
    }

    fn login_of(user: &str) -> Login {
        login(user.as_bytes(), b"p")
    }

    #[test]
    fn what_a_refusal_stands_for() {
        for (error, cause) in [
            (SocksError::Reply(1), ConnectCause::Unreachable),
            (SocksError::Reply(2), ConnectCause::Forbidden),
            (SocksError::Reply(3), ConnectCause::Unreachable),
            (SocksError::Reply(4), ConnectCause::Unreachable),
            (SocksError::Reply(5), ConnectCause::Refused),
            (SocksError::Reply(6), ConnectCause::Unreachable),
            (SocksError::Reply(7), ConnectCause::Misconfigured),
            (SocksError::Reply(8), ConnectCause::Misconfigured),
            (SocksError::Reply(9), ConnectCause::Unreachable),
            (SocksError::Denied, ConnectCause::Forbidden),
        ] {
            assert_eq!(error.cause(), cause, "{error}");
        }
    }
}
