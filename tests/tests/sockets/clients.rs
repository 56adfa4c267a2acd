//! Clients of a world.

use std::future::{Future, poll_fn, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_util::FutureExt;
use futures_util::future::Either;
use http::{Request, Response};
use http_body::Body;
use http_core::dispatch::Policy;
use http_driver::client::{Builder, Client, Connector, Dial, Network, RequestError, ResponseFuture};
use http_driver::{Full, Incoming, Runtime};

use super::world::World;

/// A world's client.
pub(crate) type ClientOf<W> = Client<<W as World>::Connector, <W as World>::Runtime>;

pub(crate) fn client<W: World>(world: &W) -> ClientOf<W> {
    Builder::new().build(world.connector(), world.runtime())
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Request<Full> {
    Request::get(format!("http://{address}{path}")).body(Full::default()).unwrap()
}

/// A future that was polled once: a request of it is queued.
pub(crate) fn begun<F: Future + Unpin>(mut future: F) -> F {
    let polled = Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "it waits for something");
    future
}

/// The same of a response, in a task of its own: what is waited for is its outcome.
pub(crate) fn alone<W: World, C: Connector>(
    world: &W,
    mut response: ResponseFuture<C, W::Runtime>,
) -> impl Future<Output = Result<Response<Incoming>, RequestError>> {
    match Pin::new(&mut response).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => Either::Left(ready(outcome)),
        Poll::Pending => {
            let (task, outcome) = response.remote_handle();
            world.runtime().spawn(task);
            Either::Right(outcome)
        }
    }
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
