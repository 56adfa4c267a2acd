//! futures-io's streams as transports.

use core::any::Any;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::io::{self, IoSlice};
use std::net::Shutdown;

use async_io::Async;
use bytes::{BufMut, BytesMut};
use futures_io::{AsyncRead, AsyncWrite};
use http_core::Outbox;
use http_driver::{Peer, Transport};
use socket2::SockRef;

/// Slices of one vectored write.
const SLICES: usize = 16;

/// The most that one read takes.
const READ: usize = 64 * 1024;

/// Any stream of `futures-io` as a [`Transport`]: async-std's, smol's, a TLS session.
///
/// ```
/// let transport = http_async_std::FuturesIo::new(Vec::<u8>::new());
/// assert_eq!(transport.into_inner(), []);
/// ```
#[derive(Debug)]
pub struct FuturesIo<S> {
    stream: S,
    /// Bytes that the stream took and has not sent on. They stand in the outbox until it has, so that the driver
    /// calls again and the write deadline runs.
    held: usize,
}

impl<S> FuturesIo<S> {
    /// A transport over `stream`.
    pub const fn new(stream: S) -> Self {
        Self { stream, held: 0 }
    }

    /// The stream.
    pub const fn get_ref(&self) -> &S {
        &self.stream
    }

    /// The stream again.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + 'static> Transport for FuturesIo<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        // These streams read into initialised memory alone, which one buffer of the thread offers to all of them.
        thread_local! {
            static ROOM: core::cell::RefCell<Vec<u8>> = const { core::cell::RefCell::new(Vec::new()) };
        }
        ROOM.with(|room| {
            // A stream that reads from another of these inside of its own read finds the buffer taken.
            let mut own = Vec::new();
            let mut shared = room.try_borrow_mut();
            let room = shared.as_deref_mut().unwrap_or(&mut own);
            let most = most.min(READ);
            if room.len() < most {
                room.resize(most, 0);
            }
            let count = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut room[..most]))?;
            buffer.put_slice(&room[..count]);
            Poll::Ready(Ok(count))
        })
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        if self.held == 0 {
            let mut slices = [&b""[..]; SLICES];
            let filled = outbox.slices(&mut slices);
            let stream = Pin::new(&mut self.stream);
            self.held = match filled {
                0 => 0,
                1 => ready!(stream.poll_write(cx, slices[0]))?,
                _ => ready!(stream.poll_write_vectored(cx, &slices.map(IoSlice::new)[..filled]))?,
            };
        }
        // A session that buffers, as TLS does, has to be told to send.
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        Poll::Ready(Ok(core::mem::take(&mut self.held)))
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_close(cx))?;
        Poll::Ready(end_sending(&self.stream))
    }

    fn describe(&self, peer: &mut Peer) {
        let stream = &self.stream as &dyn Any;
        if let Some(socket) = stream.downcast_ref::<Async<std::net::TcpStream>>() {
            peer.address = socket.get_ref().peer_addr().ok();
            peer.local = socket.get_ref().local_addr().ok();
        }
        #[cfg(feature = "async-std")]
        if let Some(socket) = stream.downcast_ref::<async_std::net::TcpStream>() {
            peer.address = socket.peer_addr().ok();
            peer.local = socket.local_addr().ok();
        }
        #[cfg(feature = "smol")]
        if let Some(socket) = stream.downcast_ref::<smol::net::TcpStream>() {
            peer.address = socket.peer_addr().ok();
            peer.local = socket.local_addr().ok();
        }
    }

    fn reset_on_drop(&mut self, reset: bool) {
        // A socket that does not linger is reset. Only TCP can; a Unix socket or a pipe has no other end than the
        // usual.
        let linger = reset.then_some(Duration::ZERO);
        let stream = &self.stream as &dyn Any;
        if let Some(socket) = stream.downcast_ref::<Async<std::net::TcpStream>>() {
            let _ = SockRef::from(socket.get_ref()).set_linger(linger);
        }
        #[cfg(feature = "async-std")]
        if let Some(socket) = stream.downcast_ref::<async_std::net::TcpStream>() {
            let _ = SockRef::from(socket).set_linger(linger);
        }
        #[cfg(feature = "smol")]
        if let Some(socket) = stream.downcast_ref::<smol::net::TcpStream>() {
            let _ = SockRef::from(socket).set_linger(linger);
        }
    }
}

/// Ends the sending side of the sockets whose `poll_close` only flushes: those of async-io, and of async-std, which
/// are made of them. Their peers would wait for the end of the stream until the linger deadline. Every other stream
/// ends its side by itself, as smol's sockets do.
fn end_sending(stream: &dyn Any) -> io::Result<()> {
    if let Some(socket) = stream.downcast_ref::<Async<std::net::TcpStream>>() {
        return socket.get_ref().shutdown(Shutdown::Write);
    }
    #[cfg(unix)]
    if let Some(socket) = stream.downcast_ref::<Async<std::os::unix::net::UnixStream>>() {
        return socket.get_ref().shutdown(Shutdown::Write);
    }
    #[cfg(feature = "async-std")]
    if let Some(socket) = stream.downcast_ref::<async_std::net::TcpStream>() {
        return socket.shutdown(Shutdown::Write);
    }
    #[cfg(all(unix, feature = "async-std"))]
    if let Some(socket) = stream.downcast_ref::<async_std::os::unix::net::UnixStream>() {
        return socket.shutdown(Shutdown::Write);
    }
    Ok(())
}

#[cfg(all(test, feature = "async-std"))]
mod tests {
    use std::sync::{Arc, Mutex};

    use http_core::{Content, ResponseHead, StatusCode};
    use http_driver::server::Connection;

    use super::*;

    /// Sends on what it took only when it is flushed, and not at the first try: as a TLS session whose socket is full.
    struct Buffering {
        request: &'static [u8],
        taken: Vec<u8>,
        stalls: usize,
        sent: Arc<Mutex<Vec<u8>>>,
    }

    impl AsyncRead for Buffering {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
            let request = core::mem::take(&mut self.request);
            if request.is_empty() {
                return Poll::Pending;
            }
            buffer[..request.len()].copy_from_slice(request);
            Poll::Ready(Ok(request.len()))
        }
    }

    impl AsyncWrite for Buffering {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            let count = bytes.len().min(50);
            self.taken.extend_from_slice(&bytes[..count]);
            self.stalls = 2;
            Poll::Ready(Ok(count))
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            if self.stalls > 0 && !self.taken.is_empty() {
                self.stalls -= 1;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let taken = core::mem::take(&mut self.taken);
            self.sent.lock().unwrap().extend_from_slice(&taken);
            Poll::Ready(Ok(()))
        }

        fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn what_a_stream_took_is_sent_on_before_it_counts_as_sent() {
        let sent = Arc::<Mutex<Vec<u8>>>::default();
        let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let stream = Buffering { request, taken: Vec::new(), stalls: 0, sent: sent.clone() };
        async_std::task::block_on(async {
            let mut connection = Connection::new(FuturesIo::new(stream), crate::AsyncStdRuntime, Arc::default());
            let mut exchange = connection.accept().await.unwrap().unwrap();
            let content = Content::Full("x".repeat(100).into());
            exchange.respond(&ResponseHead::new(StatusCode::OK), content).unwrap();
            exchange.finish().await.unwrap();
        });
        let sent = sent.lock().unwrap();
        assert!(sent.ends_with(&[b'x'; 100]), "{}", sent.escape_ascii());
    }
}
