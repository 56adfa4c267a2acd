//! Clients of a world.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;

use http::Request;
use http_body::Body;
use http_core::dispatch::Policy;
use http_driver::client::{Builder, Client, Dial, Network};
use http_driver::{Full, Incoming};

use super::world::World;

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

/// A world whose clients go over the usual network.
pub(crate) trait Networked: World {
    type Dial: Dial;

    fn dial(&self) -> Self::Dial;
}

impl Networked for super::on_tokio::Tokio {
    type Dial = http_tokio::TokioDial;

    fn dial(&self) -> http_tokio::TokioDial {
        http_tokio::TokioDial
    }
}

impl Networked for super::on_async_std::AsyncStd {
    type Dial = http_async_std::AsyncStdDial;

    fn dial(&self) -> http_async_std::AsyncStdDial {
        http_async_std::AsyncStdDial
    }
}

pub(crate) type NetworkOf<W> = Network<<W as Networked>::Dial, <W as World>::Runtime>;

pub(crate) fn network<W: Networked>(world: &W) -> NetworkOf<W> {
    Network::new(world.dial(), world.runtime())
}

/// No second chances, so that a test sees the first failure.
pub(crate) fn once() -> Builder {
    Builder::new().policy(Policy::default().connect_retries(0).request_retries(0))
}
