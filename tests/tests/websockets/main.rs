//! Connections that applications of hyper's world take over: `OnUpgrade`, axum's `WebSocketUpgrade`, tungstenite.

#[macro_use]
#[path = "../sockets/mod.rs"]
mod sockets;

mod axum;
mod hyper;
mod stream;
mod tungstenite;
