//! What a client does, on either adapter.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;

use http::{Request, Response};
use http_body::Body;
use http_core::Config;
use http_driver::client::{Builder, Client, RequestError};
use http_driver::{Full, Incoming};
use tower_service::Service;

use crate::scenarios::{Outcome, anywhere, routes_server};
use crate::world::World;

/// A world's client.
pub(crate) type ClientOf<W> = Client<<W as World>::Connector, <W as World>::Runtime>;

pub(crate) fn client<W: World>(world: &W) -> ClientOf<W> {
    Builder::new().build(world.connector(), world.runtime())
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Request<Full> {
    Request::get(format!("http://{address}{path}")).body(Full::default()).unwrap()
}

/// All of a body.
pub(crate) async fn content(mut body: Incoming) -> Result<Vec<u8>, http_driver::Error> {
    let mut content = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        content.extend_from_slice(frame?.data_ref().map_or(&[][..], |data| data));
    }
    Ok(content)
}

/// A service, as `tower` sees it.
async fn call<S>(service: &mut S, request: Request<Full>) -> Result<Response<Incoming>, RequestError>
where
    S: Service<Request<Full>, Response = Response<Incoming>, Error = RequestError>,
{
    poll_fn(|cx| service.poll_ready(cx)).await?;
    service.call(request).await
}

pub(crate) async fn a_client_is_a_tower_service<W: World>(world: W) -> Outcome {
    let address = routes_server(&world, Config::default()).await?;
    let mut client = client(&world);
    for n in 0..3 {
        let response = call(&mut client, get(address, &format!("/{n}"))).await?;
        assert_eq!(content(response.into_body()).await?, format!("GET /{n}\n").into_bytes());
    }
    assert_eq!(client.connections(), 1);
    Ok(())
}

pub(crate) async fn a_future_that_is_dropped_cancels_its_request<W: World>(world: W) -> Outcome {
    let listener = world.listen(anywhere()).await?;
    let address = world.address(&listener)?;
    drop(listener);
    // Nobody listens, so that it waits for the next attempt.
    let client = client(&world);
    let waiting = client.request(get(address, "/"));
    assert_eq!(client.queued(), 1);
    drop(waiting);
    assert_eq!(client.queued(), 0);
    Ok(())
}
