//! From a host's name to a socket.

use core::time::Duration;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use http_core::dispatch::{ConnectCause, RequestPhase};

use super::dial::{Address, Dial, SocketOptions};
use super::eyeballs;
use super::resolve::{self, Resolve};
use crate::client::connect_error::ConnectError;
use crate::client::origin::literal;
use crate::client::stage::Stage;
use crate::io::Runtime;

/// How hosts are reached, without a proxy and in plain.
#[derive(Clone)]
pub(super) struct Sockets {
    pub(super) options: SocketOptions,
    pub(super) overrides: BTreeMap<String, Vec<SocketAddr>>,
    pub(super) paths: BTreeMap<String, PathBuf>,
    pub(super) resolver: Option<Arc<dyn Resolve>>,
    pub(super) attempt_delay: Duration,
}

impl Default for Sockets {
    fn default() -> Self {
        Self {
            options: SocketOptions::default(),
            overrides: BTreeMap::new(),
            paths: BTreeMap::new(),
            resolver: None,
            attempt_delay: Duration::from_millis(250),
        }
    }
}

impl Sockets {
    pub(super) async fn reach<D: Dial, R: Runtime>(
        &self,
        dial: &D,
        runtime: &R,
        (host, port): (&str, u16),
        stage: &Stage,
    ) -> Result<D::Transport, ConnectError> {
        stage.enter(RequestPhase::Resolve);
        if let Some(path) = self.paths.get(host) {
            stage.enter(RequestPhase::Connect);
            return Ok(dial.dial(Address::Unix(path.clone()), &self.options).await?);
        }
        let addresses = self.addresses(dial, host, port, stage).await?;
        stage.enter(RequestPhase::Connect);
        let attempt = |address| dial.dial(Address::Tcp(address), &self.options);
        Ok(eyeballs::race(eyeballs::order(addresses), self.attempt_delay, runtime, attempt).await?)
    }

    /// The addresses of a host, in the order of preference.
    pub(super) async fn addresses<D: Dial>(
        &self,
        dial: &D,
        host: &str,
        port: u16,
        stage: &Stage,
    ) -> Result<Vec<SocketAddr>, ConnectError> {
        if let Some(addresses) = self.overrides.get(host) {
            let with_port = |address: &SocketAddr| match address.port() {
                0 => SocketAddr::new(address.ip(), port),
                _ => *address,
            };
            if addresses.is_empty() {
                return Err(ConnectError::misconfigured("no address was given for this name: see `Network::resolve`"));
            }
            return Ok(addresses.iter().map(with_port).collect());
        }
        if let Some(address) = said(host, port)? {
            return Ok(vec![address]);
        }
        stage.resolve_name();
        let resolved = match &self.resolver {
            Some(resolver) => resolver.resolve(host).await,
            None => dial.resolve(host).await,
        };
        match resolved {
            Ok(addresses) if addresses.is_empty() => Err(ConnectCause::NoSuchName.into()),
            Ok(addresses) => Ok(addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect()),
            Err(error) => Err(ConnectError::new(resolve::cause(&error), error)),
        }
    }
}

/// The address that a host is, if it is no name.
pub(super) fn said(host: &str, port: u16) -> Result<Option<SocketAddr>, ConnectError> {
    let Some(text) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) else {
        return Ok(host.parse::<Ipv4Addr>().ok().map(|address| SocketAddr::new(address.into(), port)));
    };
    match literal(text).ok_or(ConnectCause::Misconfigured)? {
        (address, None) => Ok(Some(SocketAddr::new(address.into(), port))),
        (address, Some(zone)) => {
            let found = resolve::in_zone(address, zone, port);
            found.map(Some).map_err(|_| ConnectError::misconfigured("the zone of the address is no interface here"))
        }
    }
}
