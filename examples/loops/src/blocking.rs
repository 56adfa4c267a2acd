//! Blocking sockets of `std`, and a connection of either side.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;

use bytes::BytesMut;
use http_core::client::{self, Event};
use http_core::{Closed, Connection, Content, End, RequestHead, Side};

use crate::{Clock, goes_on};

/// Sends what waits.
///
/// # Errors
/// There is no socket any more.
pub fn send<S: Side>(socket: &mut TcpStream, connection: &mut Connection<S>, clock: &Clock) -> io::Result<()> {
    while connection.interest().write {
        socket.set_write_timeout(clock.until(connection.poll_timeout()))?;
        let mut slices = [&b""[..]; 8];
        let count = connection.transmit(&mut slices);
        match socket.write_vectored(&slices.map(IoSlice::new)[..count]) {
            Ok(count) => connection.handle_sent(count, clock.now()),
            Err(error) if is_time(&error) => connection.handle_timeout(clock.now()),
            Err(_) => connection.handle_write_error(clock.now()),
        }
    }
    Ok(())
}

/// Waits for what comes next: bytes, the end of the stream, a deadline; whether the connection goes on.
///
/// # Errors
/// There is no socket any more.
pub fn receive<S: Side>(
    socket: &mut TcpStream,
    connection: &mut Connection<S>,
    input: &mut BytesMut,
    clock: &Clock,
) -> io::Result<bool> {
    let (interest, mut room) = (connection.interest(), [0; 16 * 1024]);
    if !goes_on(socket, interest) {
        return Ok(false);
    }
    // There is room, for all that came was dealt with.
    let most = interest.room(input.len()).min(room.len());
    socket.set_read_timeout(clock.until(connection.poll_timeout()))?;
    match socket.read(&mut room[..most]) {
        Ok(0) => connection.handle_eof(End::Clean, clock.now()),
        Ok(count) => input.extend_from_slice(&room[..count]),
        Err(error) if is_time(&error) => connection.handle_timeout(clock.now()),
        Err(_) => connection.handle_eof(End::Unclean, clock.now()),
    }
    Ok(true)
}

/// One request and its response: the status, and how much content there was.
///
/// # Errors
/// The connection ended before.
pub fn exchange(
    socket: &mut TcpStream,
    connection: &mut client::Connection,
    head: &RequestHead,
    clock: &Clock,
) -> Result<(u16, usize), Closed> {
    let (mut input, mut status, mut length) = (BytesMut::new(), 0, 0);
    // One that is refused was asked for after the end: it was not sent, and the end is told below.
    let _ = connection.send_request(head, Content::Empty, clock.now());
    loop {
        let sent = send(socket, connection, clock);
        match connection.poll_event(&mut input, clock.now()) {
            Ok(Some(Event::Response(head))) => status = head.status().as_u16(),
            Ok(Some(Event::Content(content))) => length += content.len(),
            Ok(Some(Event::End(_))) => return Ok((status, length)),
            Ok(Some(Event::Closed(why))) => return Err(why),
            // What is wrong is told again as the reason of the end.
            Ok(Some(_)) | Err(_) => {}
            Ok(None) if sent.and_then(|()| receive(socket, connection, &mut input, clock)).is_ok() => {}
            Ok(None) => return Err(Closed::Broken),
        }
    }
}

fn is_time(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
