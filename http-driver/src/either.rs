//! One of two transports.

use core::task::{Context, Poll};
use std::io;

use bytes::BytesMut;
use http_core::Outbox;

use crate::io::Transport;
use crate::peer::Peer;

/// One of two transports, where it is known only at run time which: a TCP or a Unix socket, plain or TLS.
///
/// ```
/// use http_driver::{Either, Transport};
/// fn one_type<A: Transport, B: Transport>(secure: Option<B>, plain: A) -> impl Transport {
///     match secure {
///         Some(secure) => Either::Right(secure),
///         None => Either::Left(plain),
///     }
/// }
/// ```
#[derive(Debug)]
pub enum Either<A, B> {
    /// The first kind.
    Left(A),
    /// The second kind.
    Right(B),
}

impl<A: Transport, B: Transport> Transport for Either<A, B> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        match self {
            Self::Left(one) => one.poll_read(cx, buffer, most),
            Self::Right(other) => other.poll_read(cx, buffer, most),
        }
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Left(one) => one.poll_readable(cx),
            Self::Right(other) => other.poll_readable(cx),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        match self {
            Self::Left(one) => one.poll_write(cx, outbox),
            Self::Right(other) => other.poll_write(cx, outbox),
        }
    }

    fn poll_reset(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self {
            Self::Left(one) => one.poll_reset(cx),
            Self::Right(other) => other.poll_reset(cx),
        }
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Left(one) => one.poll_shutdown(cx),
            Self::Right(other) => other.poll_shutdown(cx),
        }
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Left(one) => one.poll_handshake(cx),
            Self::Right(other) => other.poll_handshake(cx),
        }
    }

    fn has_received(&self) -> bool {
        match self {
            Self::Left(one) => one.has_received(),
            Self::Right(other) => other.has_received(),
        }
    }

    fn describe(&self, peer: &mut Peer) {
        match self {
            Self::Left(one) => one.describe(peer),
            Self::Right(other) => other.describe(peer),
        }
    }

    fn reset_on_drop(&mut self, reset: bool) {
        match self {
            Self::Left(one) => one.reset_on_drop(reset),
            Self::Right(other) => other.reset_on_drop(reset),
        }
    }
}
