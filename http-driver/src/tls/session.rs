//! A TLS session over a transport.

use core::fmt;
use core::task::{Context, Poll, ready};
use std::io::{self, BufRead, Write};

use bytes::{Buf, Bytes, BytesMut};
use http_core::Outbox;
use rustls::pki_types::CertificateDer;
use rustls::{Connection, ProtocolVersion};

use crate::buffers;
use crate::io::Transport;
use crate::peer::Peer;

/// The most that is encrypted at once.
const MOST: usize = 64 * 1024;

/// TLS over another transport.
///
/// An end of the stream without `close_notify` is an unclean one: content that lasts until the end is then not complete
/// (RFC 9112 §9.8).
///
/// ```
/// use http_driver::Transport;
/// use http_driver::tls::{TlsAcceptor, TlsTransport};
/// fn secured<T: Transport>(acceptor: &TlsAcceptor, transport: T) -> std::io::Result<TlsTransport<T>> {
///     acceptor.accept(transport)
/// }
/// ```
pub struct TlsTransport<T> {
    transport: T,
    session: Connection,
    /// What was received and not yet decrypted; no memory while nothing is.
    received: BytesMut,
    /// What is encrypted and waits to be sent.
    outbox: Outbox,
    /// Plain bytes that are encrypted and not all sent: they count as taken when they are.
    held: usize,
    notified: bool,
    /// Whether anything has come of the peer.
    spoken_to: bool,
}

/// What TLS has negotiated.
///
/// ```
/// fn is_http_1_1(info: &http_driver::tls::TlsInfo) -> bool {
///     info.alpn.as_deref() == Some(b"http/1.1")
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsInfo {
    /// The protocol that was agreed on by ALPN.
    pub alpn: Option<Vec<u8>>,
    /// The version of TLS.
    pub version: Option<ProtocolVersion>,
    /// The name that the client asked for, on a server.
    pub server_name: Option<String>,
    /// The peer's certificates, its own first.
    pub certificates: Vec<CertificateDer<'static>>,
}

impl<T: Transport> TlsTransport<T> {
    /// A session that has not begun, over a transport.
    pub fn new(transport: T, session: Connection) -> Self {
        let (received, outbox) = (BytesMut::new(), Outbox::default());
        Self { transport, session, received, outbox, held: 0, notified: false, spoken_to: false }
    }

    /// The transport below.
    pub const fn get_ref(&self) -> &T {
        &self.transport
    }
}

impl<T: Transport> Transport for TlsTransport<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        loop {
            match self.session.reader().fill_buf() {
                Ok(plain) => {
                    let count = plain.len().min(most);
                    buffer.extend_from_slice(&plain[..count]);
                    self.session.reader().consume(count);
                    return Poll::Ready(Ok(count));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            ready!(self.poll_receive(cx))?;
        }
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.session.reader().fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && self.received.is_empty() => {
                self.transport.poll_readable(cx)
            }
            _ => Poll::Ready(()),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        if self.held == 0 {
            // Nothing more is encrypted before what is was sent: no more is held than a part of one write.
            ready!(self.poll_send(cx))?;
            let mut slices = [&b""[..]; 16];
            let filled = outbox.slices(&mut slices);
            for slice in &slices[..filled] {
                let room = MOST - self.held;
                self.held += self.session.writer().write(&slice[..slice.len().min(room)])?;
                if self.held >= MOST {
                    break;
                }
            }
        }
        ready!(self.poll_send(cx))?;
        Poll::Ready(Ok(core::mem::take(&mut self.held)))
    }

    fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.transport.poll_reset(cx)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.held > 0 {
            // It was not said to be sent, so that it may be sent elsewhere: it must not leave behind everybody's back.
            return Poll::Ready(Err(io::ErrorKind::WouldBlock.into()));
        }
        if !self.notified {
            self.notified = true;
            self.session.send_close_notify();
        }
        ready!(self.poll_send(cx))?;
        self.transport.poll_shutdown(cx)
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.transport.poll_handshake(cx))?;
        loop {
            ready!(self.poll_send(cx))?;
            if !self.session.is_handshaking() {
                return Poll::Ready(Ok(()));
            }
            ready!(self.poll_receive(cx))?;
        }
    }

    fn has_received(&self) -> bool {
        // What is in front of TLS is read before it.
        self.spoken_to || self.transport.has_received()
    }

    fn describe(&self, peer: &mut Peer) {
        self.transport.describe(peer);
        let server_name = match &self.session {
            Connection::Server(session) => session.server_name().map(str::to_owned),
            Connection::Client(_) => None,
        };
        peer.extensions.insert(TlsInfo {
            alpn: self.session.alpn_protocol().map(<[u8]>::to_vec),
            version: self.session.protocol_version(),
            server_name,
            certificates: self.session.peer_certificates().unwrap_or_default().to_vec(),
        });
    }

    fn reset_on_drop(&mut self, reset: bool) {
        self.transport.reset_on_drop(reset);
    }
}

impl<T: Transport> TlsTransport<T> {
    /// Sends what is encrypted until nothing is left.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            while !self.outbox.is_empty() {
                let count = ready!(self.transport.poll_write(cx, &mut self.outbox))?;
                if count == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                let _ = self.outbox.advance(count);
            }
            if !self.session.wants_write() {
                // An idle session holds no memory for what it sent.
                self.outbox = Outbox::default();
                return Poll::Ready(Ok(()));
            }
            let mut records = Vec::new();
            while self.session.wants_write() {
                self.session.write_tls(&mut records)?;
            }
            self.outbox = Outbox::from(Bytes::from(records));
        }
    }

    /// Takes in what comes next. What follows from it, an alert say, is sent as far as that goes at once.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.outbox.is_empty() {
            // An answer of the session's own that did not leave at once: the peer may wait for it.
            if let Poll::Ready(Err(error)) = self.poll_send(cx) {
                return Poll::Ready(Err(error));
            }
        }
        if self.received.is_empty() {
            buffers::borrow(&mut self.received, buffers::SMALL, buffers::LARGE);
            match self.transport.poll_read(cx, &mut self.received, buffers::SMALL) {
                Poll::Pending => {
                    buffers::give_back(&mut self.received);
                    return Poll::Pending;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(0)) => {
                    // The session tells by its reader whether it may end here.
                    let _ = self.session.read_tls(&mut io::empty());
                    if self.session.is_handshaking() {
                        return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                    }
                }
                Poll::Ready(Ok(_)) => self.spoken_to = true,
            }
        }
        let mut bytes = &self.received[..];
        let before = bytes.len();
        if before > 0 {
            self.session.read_tls(&mut bytes)?;
        }
        let taken = before - bytes.len();
        self.received.advance(taken);
        if before > 0 && taken == 0 {
            // After `close_notify` nothing counts any more.
            self.received.clear();
        }
        if self.received.is_empty() {
            buffers::give_back(&mut self.received);
        }
        let processed = self.session.process_new_packets();
        let sent = self.poll_send(cx);
        processed.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        match sent {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            // What waits is sent with the next write, or before the next read is over.
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl<T> fmt::Debug for TlsTransport<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport").field("received", &self.received.len()).finish_non_exhaustive()
    }
}
