//! One place for a scenario, in plain or secured by TLS: a server, the client that fits, and strangers.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use http::{Request, Response};
use http_body::Body;
use http_driver::Incoming;
use http_driver::client::{Builder, Client};
use http_driver::server::Server;
use http_driver::tls::{TlsAcceptor, client_config, server_config};
use rustls::{ClientConnection, ServerConnection, StreamOwned};

use super::clients::{NetworkOf, Networked, network};
use super::servers::Running;
use super::strangers::{self, AT_ONCE, anywhere};

/// A certificate for "localhost" that signs itself, and its key.
pub(crate) fn certified() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

pub(crate) fn acceptor((certificate, key): &(String, String)) -> TlsAcceptor {
    TlsAcceptor::new(server_config(certificate.as_bytes(), key.as_bytes()).unwrap())
}

/// Where a scenario takes place.
#[derive(Clone)]
pub(crate) struct Site<W> {
    pub(crate) world: W,
    keys: Option<(String, String)>,
}

impl<W: Networked> Site<W> {
    pub(crate) const fn plain(world: W) -> Self {
        Self { world, keys: None }
    }

    pub(crate) fn secured(world: W) -> Self {
        Self { world, keys: Some(certified()) }
    }

    /// Serves with a function, on a port that the system picks.
    pub(crate) async fn serve<F, A, B, E>(&self, server: Server<W::Runtime>, service: F) -> io::Result<Running>
    where
        F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
        A: Future<Output = Result<Response<B>, E>> + Send + 'static,
        B: Body<Data: Send> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
    {
        let listener = self.world.listen(anywhere()).await?;
        let address = self.world.address(&listener)?;
        Ok(self.serve_on((listener, address), server, service))
    }

    /// The same on a listener that stands already, at this address.
    pub(crate) fn serve_on<F, A, B, E>(
        &self,
        (listener, address): (W::Listener, SocketAddr),
        server: Server<W::Runtime>,
        service: F,
    ) -> Running
    where
        F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
        A: Future<Output = Result<Response<B>, E>> + Send + 'static,
        B: Body<Data: Send> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
    {
        match &self.keys {
            None => Running::over(&self.world, (listener, address), server, service),
            Some(keys) => Running::over(&self.world, (acceptor(keys).listen(listener), address), server, service),
        }
    }

    /// A network on which "localhost" is the first loopback address, and is trusted.
    pub(crate) fn network(&self) -> NetworkOf<W> {
        self.network_without_names().resolve("localhost", [SocketAddr::from(([127, 0, 0, 1], 0))])
    }

    /// The same where nobody knows who "localhost" is.
    pub(crate) fn network_without_names(&self) -> NetworkOf<W> {
        let network = network(&self.world);
        match &self.keys {
            None => network,
            Some((certificate, _)) => network.tls(client_config(certificate.as_bytes()).unwrap()),
        }
    }

    pub(crate) fn client(&self, builder: Builder) -> Client<NetworkOf<W>, W::Runtime> {
        self.over(builder, self.network())
    }

    /// A client over a network that was set otherwise.
    pub(crate) fn over(&self, builder: Builder, network: NetworkOf<W>) -> Client<NetworkOf<W>, W::Runtime> {
        builder.build(network, self.world.runtime())
    }

    pub(crate) fn uri(&self, address: SocketAddr, path: &str) -> String {
        let scheme = if self.keys.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}{path}", address.port())
    }

    /// What strangers need to know.
    pub(crate) fn door(&self) -> Door {
        Door(self.keys.clone())
    }
}

/// How strangers come in, and let others in: in plain, or with a certificate and its key.
#[derive(Clone)]
pub(crate) struct Door(Option<(String, String)>);

impl Door {
    pub(crate) const fn plain() -> Self {
        Self(None)
    }

    /// The certificate, which is nothing in plain.
    pub(crate) fn certificate(&self) -> &str {
        self.0.as_ref().map_or("", |(certificate, _)| certificate)
    }

    /// A stranger that connects.
    pub(crate) fn dial(&self, address: SocketAddr) -> Stranger {
        self.join(strangers::dial(address), |(certificate, _), socket| {
            let config = Arc::new(client_config(certificate.as_bytes()).unwrap());
            let mut session = ClientConnection::new(config, "localhost".try_into().unwrap()).unwrap();
            // Whoever is not let in learns it from the first read.
            let _ = session.complete_io(&mut &socket);
            Box::new(StreamOwned::new(session, socket))
        })
    }

    /// A stranger that is connected to.
    pub(crate) fn accept(&self, listener: &TcpListener) -> Stranger {
        let (socket, _) = listener.accept().unwrap();
        socket.set_read_timeout(Some(AT_ONCE)).unwrap();
        self.join(socket, |(certificate, key), socket| {
            let config = Arc::new(server_config(certificate.as_bytes(), key.as_bytes()).unwrap());
            Box::new(StreamOwned::new(ServerConnection::new(config).unwrap(), socket))
        })
    }

    fn join(
        &self,
        socket: TcpStream,
        secure: impl FnOnce(&(String, String), TcpStream) -> Box<dyn Duplex>,
    ) -> Stranger {
        let stream = socket.try_clone().unwrap();
        let stream = match &self.0 {
            None => Box::new(stream),
            Some(keys) => secure(keys, stream),
        };
        Stranger { stream, socket }
    }
}

trait Duplex: Read + Write + Send {
    /// Says that nothing more comes, where the stream has a word for it.
    fn farewell(&mut self) {}
}

impl Duplex for TcpStream {}

impl Duplex for StreamOwned<ClientConnection, TcpStream> {
    fn farewell(&mut self) {
        self.conn.send_close_notify();
        self.flush().unwrap();
    }
}

impl Duplex for StreamOwned<ServerConnection, TcpStream> {
    fn farewell(&mut self) {
        self.conn.send_close_notify();
        self.flush().unwrap();
    }
}

/// A stranger's stream, in plain or secured. Dropped, it ends without a word.
pub(crate) struct Stranger {
    stream: Box<dyn Duplex>,
    pub(crate) socket: TcpStream,
}

impl Stranger {
    /// Ends our direction in order.
    pub(crate) fn end(&mut self) {
        self.stream.farewell();
        self.socket.shutdown(Shutdown::Write).unwrap();
    }
}

impl Read for Stranger {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl Write for Stranger {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}
