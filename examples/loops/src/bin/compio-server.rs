//! Completion instead of readiness: buffers that the system owns while it reads and writes, and no copy:
//! `compio-server [PORT]`.
//!
//! Where there is no io_uring, `compio` does the same by `polling`.

use std::io;
use std::pin::pin;
use std::sync::Arc;

use bytes::{Buf, BytesMut};
use compio::buf::BufResult;
use compio::io::{AsyncRead, AsyncWrite};
use compio::net::{TcpListener, TcpStream};
use compio::time::sleep;
use embassy_futures::select::{Either, select};
use http_core::server::Connection;
use http_core::{Config, End};
use loops::{Clock, answer, goes_on, listen};

fn main() -> io::Result<()> {
    let (clock, config) = (Clock::start(), Arc::new(Config::default()));
    compio::runtime::Runtime::new()?.block_on(async {
        let listener = TcpListener::from_std(listen(true)?)?;
        loop {
            let (socket, _) = listener.accept().await?;
            compio::runtime::spawn(serve(socket, config.clone(), clock)).detach();
        }
    })
}

async fn serve(mut socket: TcpStream, config: Arc<Config>, clock: Clock) {
    let (mut connection, mut input) = (Connection::new(config, clock.now()), BytesMut::new());
    loop {
        send(&mut socket, &mut connection, &clock).await;
        match connection.poll_event(&mut input, clock.now()) {
            Ok(Some(event)) => match answer(&mut connection, event, clock.now()) {
                Ok(()) => continue,
                Err(_) => connection.abandon(clock.now()),
            },
            Err(_) => continue,
            Ok(None) if connection.interest().write => continue,
            Ok(None) => {}
        }
        if !goes_on(&socket, connection.interest()) {
            return;
        }
        // The room behind what is unread goes to the system, and comes back with what was read: it is joined to the
        // rest where it lies.
        let most = connection.interest().room(input.len()).min(16 * 1024);
        input.reserve(most);
        let room = input.split_off(input.len());
        match within(&mut connection, &clock, socket.read(room)).await {
            None => {}
            Some(BufResult(Ok(0), _)) => connection.handle_eof(End::Clean, clock.now()),
            Some(BufResult(Ok(_), read)) => input.unsplit(read),
            Some(BufResult(Err(_), _)) => connection.handle_eof(End::Unclean, clock.now()),
        }
    }
}

/// Gives what waits to the system, piece by piece.
async fn send(socket: &mut TcpStream, connection: &mut Connection, clock: &Clock) {
    while let Some(mut piece) = connection.outbox().take() {
        while !piece.is_empty() {
            match within(connection, clock, socket.write(piece)).await {
                None => return,
                Some(BufResult(Ok(count), rest)) => {
                    connection.handle_sent(count, clock.now());
                    piece = rest;
                    piece.advance(count);
                }
                Some(BufResult(Err(_), _)) => return connection.handle_write_error(clock.now()),
            }
        }
    }
}

/// What an operation comes to; nothing if a deadline has something else to be done. What is under way then is given up,
/// with its buffer: the connection reads and writes nothing of worth any more.
async fn within<T>(connection: &mut Connection, clock: &Clock, operation: impl Future<Output = T>) -> Option<T> {
    let mut operation = pin!(operation);
    loop {
        let Some(left) = clock.until(connection.poll_timeout()) else { return Some(operation.await) };
        match select(operation.as_mut(), sleep(left)).await {
            Either::First(done) => return Some(done),
            Either::Second(()) => connection.handle_timeout(clock.now()),
        }
        let interest = connection.interest();
        if interest.write || interest.shutdown || interest.close {
            return None;
        }
    }
}
