//! What is told of exchanges and connections, on either adapter: metrics, timings, spans, by collectors of others.

#[macro_use]
#[path = "../sockets/mod.rs"]
mod sockets;

mod collected;
mod measured;
mod metrics;
mod spans;
mod timings;

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use http_body::Body;
use http_driver::{Incoming, Runtime, service_fn};

use crate::sockets::bodies::{Then, Told};
use crate::sockets::world::World;

/// Does what the path says.
async fn service<W: World>(world: W, request: Request<Incoming>) -> Result<Response<Told>, io::Error> {
    let path = request.uri().path().to_owned();
    let mut response = Response::new(Told::sized(["fine"]));
    match path.rsplit('/').next().unwrap_or_default() {
        "echo" => {
            let (mut body, mut pieces) = (request.into_body(), Vec::new());
            while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                pieces.extend(frame.map_err(|_| io::Error::other("no content"))?.into_data());
            }
            *response.body_mut() = Told::pieces(pieces);
        }
        "none" => *response.status_mut() = StatusCode::NOT_FOUND,
        "busy" => *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE,
        "waits" => world.sleep(Duration::from_secs(600)).await,
        "slow" => world.sleep(Duration::from_millis(30)).await,
        "fails" => return Err(io::Error::other("as it was told")),
        "panics" => panic!("as the test wants it"),
        "breaks" => *response.body_mut() = Told::pieces(["some"]).then(Then::Fail),
        "endless" => *response.body_mut() = Told::pieces(["some"]).then(Then::Wait),
        "much" => *response.body_mut() = Told::sized(vec![vec![b'x'; 65_536]; 64]),
        "event" => tracing::info!("an event of the application"),
        _ => {}
    }
    Ok(response)
}

/// The same where nothing can go wrong.
fn fine() -> impl Fn(Request<Incoming>) -> std::future::Ready<Result<Response<Told>, Infallible>> + Clone {
    |_| std::future::ready(Ok(Response::new(Told::sized(["fine"]))))
}

/// Runs the service beside, over connections that are accepted by hand.
async fn by_hand<W: World>(world: &W, options: http_driver::server::Options) -> io::Result<std::net::SocketAddr> {
    use http_driver::server::{Connection, serve_connection};
    let listener = world.listen(sockets::strangers::anywhere()).await?;
    let address = world.address(&listener)?;
    let server = world.clone();
    world.runtime().spawn(async move {
        while let Ok(stream) = server.accept(&listener).await {
            let connection = Connection::new(stream, server.runtime(), Default::default());
            let world = server.clone();
            let service = service_fn(move |request| service(world.clone(), request));
            let serving = serve_connection(connection, service, options.clone(), None);
            server.runtime().spawn(async move { drop(serving.await) });
        }
    });
    Ok(address)
}
