//! A client over the driver's traits, which [`own`](loops::own) implements: `driver-client URL...`.

use std::error::Error;
use std::io;
use std::net::{IpAddr, TcpStream};

use async_io::Async;
use http::Request;
use http_driver::client::{Address, Builder, Dial, Network, SocketOptions};
use loops::own::{Own, Socket};

/// How connections are made.
#[derive(Clone, Debug)]
struct Sockets;

impl Dial for Sockets {
    type Transport = Socket;

    async fn dial(&self, address: Address, _: &SocketOptions) -> io::Result<Socket> {
        let Address::Tcp(address) = address else { return Err(io::ErrorKind::Unsupported.into()) };
        Async::<TcpStream>::connect(address).await.map(Socket)
    }

    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(smol::net::resolve((host, 0)).await?.into_iter().map(|address| address.ip()).collect())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    smol::block_on(async {
        let client = Builder::new().build(Network::new(Sockets, Own), Own);
        for url in std::env::args().skip(1) {
            let response = client.request(Request::get(&url).body(())?).await?;
            let status = response.status().as_u16();
            println!("{url}: {status}, {} bytes", response.into_body().bytes(1 << 20).await?.len());
        }
        println!("{:?}", client.counts());
        Ok(())
    })
}
