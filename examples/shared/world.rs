//! What a runtime lends to the examples that are written once for all of them. Each uses a part of it.
#![allow(dead_code)]

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::engine::client::Connector;
use super::engine::server::Listener;
use super::engine::{Runtime, Transport};

/// A runtime with its sockets.
pub(crate) trait World: Clone + Send + Sync + 'static {
    type Runtime: Runtime<Timer: Send> + Send + Sync + 'static;
    type Stream: Transport + Send + 'static;
    type Listener: Listener<Self::Runtime> + Send + 'static;
    type Connector: Connector;

    fn runtime(&self) -> Self::Runtime;
    fn connector(&self) -> Self::Connector;
    fn listen(&self, address: SocketAddr) -> impl Future<Output = io::Result<Self::Listener>> + Send;
    fn address(&self, listener: &Self::Listener) -> io::Result<SocketAddr>;
    fn accept(&self, listener: &Self::Listener) -> impl Future<Output = io::Result<Self::Stream>> + Send;
    fn connect(&self, address: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send;
    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send;
}
