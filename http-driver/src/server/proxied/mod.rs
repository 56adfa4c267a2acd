//! Connections that come through a proxy which tells their client's address: the PROXY protocol, versions 1 and 2.
//! Feature `proxy-protocol`.

mod header;
mod listener;

pub use listener::{ProxiedListener, ProxiedTransport, TrustedProxies};
