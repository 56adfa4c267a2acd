//! What a client tells of its failures: one line, and the error behind it, on either adapter.

use std::error::Error as _;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use http::Request;
use http_driver::Full;
use http_driver::client::{Address, Dial, Network, SocketOptions};

use crate::sockets::Outcome;
use crate::sockets::clients::{Networked, once};
use crate::sockets::strangers::anywhere;

/// Takes its time.
#[derive(Clone)]
struct Late<W>(W);

impl<W: Networked> Dial for Late<W> {
    type Transport = <W::Dial as Dial>::Transport;

    async fn dial(&self, address: Address, options: &SocketOptions) -> io::Result<Self::Transport> {
        self.0.sleep(Duration::from_millis(50)).await;
        self.0.dial().dial(address, options).await
    }

    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.0.dial().resolve(host).await
    }
}

async fn a_refusal_is_told_to_each_that_waited_for_the_connection<W: Networked>(world: W) -> Outcome {
    let closed = world.address(&world.listen(anywhere()).await?)?;
    let client = once().build(Network::new(Late(world.clone()), world.runtime()), world.runtime());
    let get = || client.request(Request::get(format!("http://{closed}/")).body(Full::default()).unwrap());
    let (mut one, mut other) = (std::pin::pin!(get()), std::pin::pin!(get()));
    // Both are queued before either is waited for.
    let polled = std::future::poll_fn(|cx| {
        std::task::Poll::Ready((one.as_mut().poll(cx).is_pending(), other.as_mut().poll(cx).is_pending()))
    });
    assert_eq!(polled.await, (true, true));
    for error in [one.await.unwrap_err(), other.await.unwrap_err()] {
        let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
        assert_eq!(source.map(io::Error::kind), Some(io::ErrorKind::ConnectionRefused), "{error:?}");
        assert!(error.to_string().starts_with(&format!("http://{closed}: ")), "{error}");
    }
    Ok(())
}

on_both! {
    a_refusal_is_told_to_each_that_waited_for_the_connection
}
