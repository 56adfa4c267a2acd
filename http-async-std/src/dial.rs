//! TCP connections with the options of a client, over `async-io`.

use std::io;
use std::net::SocketAddr;

use async_io::Async;
use http_driver::client::SocketOptions;

pub(crate) async fn connect(address: SocketAddr, options: &SocketOptions) -> io::Result<Async<std::net::TcpStream>> {
    let socket = options.open(address)?;
    match socket.connect(&address.into()) {
        Ok(()) => {}
        // As every connect does that does not block; the socket can be written to when it is done.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
        #[cfg(unix)]
        Err(error) if rustix::io::Errno::from_io_error(&error) == Some(rustix::io::Errno::INPROGRESS) => {}
        Err(error) => return Err(error),
    }
    let socket = Async::new_nonblocking(std::net::TcpStream::from(socket))?;
    socket.writable().await?;
    match socket.get_ref().take_error()? {
        Some(error) => Err(error),
        None => Ok(socket),
    }
}
