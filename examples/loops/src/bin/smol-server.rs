//! A server on smol, whose runtime `http-async-std` has ready: `smol-server [PORT]`.

use std::convert::Infallible;
use std::io;

use async_io::Async;
use http_async_std::service_fn;
use http_async_std::smol::Server;
use loops::{echo, listen};

fn main() -> io::Result<()> {
    let listener = smol::net::TcpListener::from(Async::new(listen(false)?)?);
    let service = service_fn(|request| async { Ok::<_, Infallible>(echo(request)) });
    println!("{:?}", smol::block_on(Server::new().serve(listener, service)));
    Ok(())
}
