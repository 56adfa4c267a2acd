//! A runtime of one's own below the driver, which has the rest: services, streams, the client with its pool.
//!
//! Its sockets and timers are those of `async-io`, its tasks are those of `smol`'s executor. What it takes are these
//! three traits; a server is told besides where connections come from, and a client how they are made.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use async_io::Async;
use bytes::BytesMut;
use http_core::Outbox;
use http_driver::{Runtime, Timer, Transport};

/// A socket.
#[derive(Debug)]
pub struct Socket(pub Async<TcpStream>);

impl Transport for Socket {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        let mut room = [0; 16 * 1024];
        let most = most.min(room.len());
        loop {
            match self.0.get_ref().read(&mut room[..most]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.0.poll_readable(cx))?,
                outcome => {
                    buffer.extend_from_slice(&room[..*outcome.as_ref().unwrap_or(&0)]);
                    return Poll::Ready(outcome);
                }
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        let mut slices = [&b""[..]; 8];
        let count = outbox.slices(&mut slices);
        loop {
            match self.0.get_ref().write_vectored(&slices.map(IoSlice::new)[..count]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(self.0.poll_writable(cx))?,
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.get_ref().shutdown(Shutdown::Write))
    }

    fn reset_on_drop(&mut self, reset: bool) {
        let _ = socket2::SockRef::from(&self.0).set_linger(reset.then_some(Duration::ZERO));
    }
}

/// A timer.
#[derive(Debug)]
pub struct Alarm(async_io::Timer);

impl Timer for Alarm {
    fn reset(&mut self, at: Instant) {
        self.0.set_at(at);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        Future::poll(Pin::new(&mut self.0), cx).map(drop)
    }
}

/// The runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct Own;

impl Runtime for Own {
    type Timer = Alarm;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn timer(&self, at: Instant) -> Alarm {
        Alarm(async_io::Timer::at(at))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        smol::spawn(task).detach();
    }
}
