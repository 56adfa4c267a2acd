//! One thread, all connections, and the system's own readiness: `mio-server [PORT]`.

use std::collections::HashMap;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;

use bytes::BytesMut;
use http_core::server::Connection;
use http_core::{Config, End, Instant};
use loops::{Clock, answer, goes_on, listen};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(0);

fn main() -> io::Result<()> {
    let (clock, config) = (Clock::start(), Arc::new(Config::default()));
    let mut listener = TcpListener::from_std(listen(false)?);
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(256));
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let (mut peers, mut next) = (HashMap::<Token, Peer>::new(), 1);
    loop {
        // A server of many connections would keep their deadlines in order instead of looking at each.
        let due = peers.values().filter_map(|peer| peer.connection.poll_timeout()).min();
        match poll.poll(&mut events, clock.until(due)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => (),
        }
        let mut woken: Vec<Token> = events.iter().map(mio::event::Event::token).collect();
        while let Ok((mut socket, _)) = listener.accept() {
            socket.set_nodelay(true)?;
            poll.registry().register(&mut socket, Token(next), Interest::READABLE | Interest::WRITABLE)?;
            let connection = Connection::new(config.clone(), clock.now());
            peers.insert(Token(next), Peer { socket, connection, input: BytesMut::new() });
            next += 1;
        }
        for (token, peer) in &mut peers {
            if peer.connection.poll_timeout().is_some_and(|due| due <= clock.now()) {
                peer.connection.handle_timeout(clock.now());
                woken.push(*token);
            }
        }
        for token in woken {
            if !peers.get_mut(&token).is_some_and(|peer| peer.turn(&clock).is_ok_and(|goes_on| goes_on)) {
                peers.remove(&token);
            }
        }
    }
}

struct Peer {
    socket: TcpStream,
    connection: Connection,
    input: BytesMut,
}

impl Peer {
    /// Does what can be done, until the socket takes and has no more; whether the connection goes on.
    fn turn(&mut self, clock: &Clock) -> io::Result<bool> {
        let mut room = [0; 16 * 1024];
        loop {
            // Nothing more is made while the peer does not take what there is.
            while self.sent(clock.now()) {
                match self.connection.poll_event(&mut self.input, clock.now()) {
                    Ok(Some(event)) => answer(&mut self.connection, event, clock.now()).map_err(io::Error::other)?,
                    Err(fault) => eprintln!("{fault}"),
                    Ok(None) if self.connection.interest().write => {}
                    Ok(None) => break,
                }
            }
            let interest = self.connection.interest();
            let most = interest.room(self.input.len()).min(room.len());
            if !goes_on(&self.socket, interest) || most == 0 {
                return Ok(!interest.close);
            }
            match self.socket.read(&mut room[..most]) {
                Ok(0) => self.connection.handle_eof(End::Clean, clock.now()),
                Ok(count) => self.input.extend_from_slice(&room[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(_) => self.connection.handle_eof(End::Unclean, clock.now()),
            }
        }
    }

    /// Sends what waits, and whether that was all.
    fn sent(&mut self, now: Instant) -> bool {
        while self.connection.interest().write {
            let mut slices = [&b""[..]; 8];
            let count = self.connection.transmit(&mut slices);
            match self.socket.write_vectored(&slices.map(IoSlice::new)[..count]) {
                Ok(count) => self.connection.handle_sent(count, now),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(_) => self.connection.handle_write_error(now),
            }
        }
        true
    }
}
