//! A server over the driver's traits, which [`own`](loops::own) implements: `driver-server [PORT]`.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;

use async_io::Async;
use http_driver::server::{Listener, Server};
use http_driver::service_fn;
use loops::own::{Own, Socket};
use loops::{echo, listen};

/// Where connections come from.
struct Door(Async<TcpListener>);

impl Listener<Own> for Door {
    type Transport = Socket;

    async fn accept(&mut self) -> io::Result<Socket> {
        let (socket, _) = self.0.accept().await?;
        socket.get_ref().set_nodelay(true)?;
        Ok(Socket(socket))
    }
}

fn main() -> io::Result<()> {
    let listener = Door(Async::new(listen(false)?)?);
    let service = service_fn(|request| async { Ok::<_, Infallible>(echo(request)) });
    println!("{:?}", smol::block_on(Server::<Own>::new().serve(listener, service)));
    Ok(())
}
