//! A thread for each connection, and blocking sockets of `std`: `threads-server [PORT]`.
//!
//! With [`blocking`], where a socket is written and read, this is all of it.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use bytes::BytesMut;
use http_core::Config;
use http_core::server::Connection;
use loops::{Clock, answer, blocking, listen};

fn main() -> io::Result<()> {
    let config = Arc::new(Config::default());
    for socket in listen(true)?.incoming() {
        let config = config.clone();
        thread::spawn(move || socket.and_then(|socket| serve(socket, config)).map_err(|error| eprintln!("{error}")));
    }
    Ok(())
}

fn serve(mut socket: TcpStream, config: Arc<Config>) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let clock = Clock::start();
    let (mut connection, mut input) = (Connection::new(config, clock.now()), BytesMut::new());
    loop {
        // What one event leads to is sent before the next is asked for, so that no more waits than one answer.
        blocking::send(&mut socket, &mut connection, &clock)?;
        match connection.poll_event(&mut input, clock.now()) {
            Ok(Some(event)) => answer(&mut connection, event, clock.now()).map_err(io::Error::other)?,
            // Its answer is sent, and then the connection ends.
            Err(fault) => eprintln!("{fault}"),
            Ok(None) if connection.interest().write => {}
            Ok(None) if blocking::receive(&mut socket, &mut connection, &mut input, &clock)? => {}
            Ok(None) => return Ok(()),
        }
    }
}
