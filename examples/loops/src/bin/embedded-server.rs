//! The sockets and the delay of `embedded-io-async` and `embedded-hal-async`: `embedded-server [PORT]`.
//!
//! [`serve`] is all that a board with `embassy-net` needs, whose sockets implement the same traits.

use core::time::Duration;
use std::io;
use std::net::Shutdown;
use std::sync::Arc;

use bytes::BytesMut;
use embassy_futures::select::{Either, select};
use embedded_hal_async::delay::DelayNs;
use embedded_io_adapters::tokio_1::FromTokio;
use embedded_io_async::{Read, Write};
use http_core::server::Connection;
use http_core::{Config, End, Instant};
use loops::{Clock, answer, listen};

/// What embedded's traits lack: ending the sending side alone, as `embassy-net`'s `close` does.
trait Socket: Read + Write {
    fn end(&mut self);
}

async fn serve(mut socket: impl Socket, mut delay: impl DelayNs, config: Arc<Config>, now: impl Fn() -> Instant) {
    let mut connection = Connection::new(config, now());
    let (mut input, mut room) = (BytesMut::new(), [0; 2048]);
    loop {
        let left = connection.poll_timeout().map_or(Duration::MAX, |due| due.saturating_since(now()));
        let left = u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(1);
        // What waits is sent before anything else is looked at.
        if connection.interest().write {
            let mut slices = [&b""[..]; 1];
            let _ = connection.transmit(&mut slices);
            match select(socket.write(slices[0]), delay.delay_ms(left)).await {
                Either::First(Ok(count)) => connection.handle_sent(count, now()),
                Either::First(Err(_)) => connection.handle_write_error(now()),
                Either::Second(()) => connection.handle_timeout(now()),
            }
            continue;
        }
        match connection.poll_event(&mut input, now()) {
            Ok(Some(event)) => match answer(&mut connection, event, now()) {
                Ok(()) => continue,
                Err(_) => connection.abandon(now()),
            },
            Err(_) => continue,
            Ok(None) if connection.interest().write => continue,
            Ok(None) => {}
        }
        let interest = connection.interest();
        // These traits know no reset.
        if interest.close {
            return;
        }
        if interest.shutdown {
            socket.end();
        }
        let most = interest.room(input.len()).min(room.len());
        match select(socket.read(&mut room[..most]), delay.delay_ms(left)).await {
            Either::First(Ok(0)) => connection.handle_eof(End::Clean, now()),
            Either::First(Ok(count)) => input.extend_from_slice(&room[..count]),
            Either::First(Err(_)) => connection.handle_eof(End::Unclean, now()),
            Either::Second(()) => connection.handle_timeout(now()),
        }
    }
}

impl Socket for FromTokio<tokio::net::TcpStream> {
    fn end(&mut self) {
        let _ = socket2::SockRef::from(self.inner()).shutdown(Shutdown::Write);
    }
}

/// The delay of a host.
struct Delay;

impl DelayNs for Delay {
    async fn delay_ns(&mut self, ns: u32) {
        tokio::time::sleep(Duration::from_nanos(ns.into())).await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let (clock, config, listener) = (Clock::start(), Arc::new(Config::default()), listen(false)?);
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let stream = listener.accept().await?.0;
        stream.set_nodelay(true)?;
        tokio::spawn(serve(FromTokio::new(stream), Delay, config.clone(), move || clock.now()));
    }
}
