//! What connections pass before they speak HTTP: the word of a proxy, TLS.

use std::io;
use std::net::IpAddr;
use std::str::FromStr;

use super::engine::Either;
use super::engine::server::{Listener, ProxiedListener, ProxiedTransport, TrustedProxies};
use super::engine::tls::{TlsAcceptor, TlsTransport, server_config};

use super::args::{Args, fail};

/// By `--proxy-protocol`, and by `--cert` with `--key`.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    trusted: TrustedProxies,
    tls: Option<TlsAcceptor>,
}

impl Gate {
    /// What the command line asks for; nothing if connections speak HTTP at once.
    pub(crate) fn of(args: &Args, usage: &str) -> Option<Self> {
        let Trusted(trusted) = args.get(usage, "proxy-protocol", Trusted(TrustedProxies::none()));
        let [cert, key] = ["cert", "key"].map(|name| {
            let path = args.get(usage, name, String::new());
            (!path.is_empty())
                .then(|| std::fs::read(&path).unwrap_or_else(|error| fail(usage, &format!("{path}: {error}"))))
        });
        let tls = match (cert, key) {
            (None, None) => None,
            (Some(cert), Some(key)) => match server_config(&cert, &key) {
                Ok(config) => Some(TlsAcceptor::new(config)),
                Err(error) => fail(usage, &error.to_string()),
            },
            _ => fail(usage, "--cert and --key belong together"),
        };
        (tls.is_some() || trusted != TrustedProxies::none()).then_some(Self { trusted, tls })
    }

    /// Whether TLS is spoken.
    pub(crate) const fn is_secure(&self) -> bool {
        self.tls.is_some()
    }

    /// A listener whose connections pass through here.
    pub(crate) fn guard<L>(self, listener: L) -> Guarded<L> {
        Guarded { listener: ProxiedListener::new(listener, self.trusted), tls: self.tls }
    }
}

/// Addresses and networks, as `127.0.0.1,10.0.0.0/8`.
struct Trusted(TrustedProxies);

impl FromStr for Trusted {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut trusted = TrustedProxies::none();
        for network in text.split(',') {
            let (address, bits) = network.split_once('/').map_or((network, None), |(one, two)| (one, Some(two)));
            let address: IpAddr = address.parse().map_err(drop)?;
            let width = if address.is_ipv4() { 32 } else { 128 };
            let bits = bits.map_or(Ok(width), str::parse).map_err(drop)?;
            if bits > width {
                return Err(());
            }
            trusted = trusted.network(address, bits);
        }
        Ok(Self(trusted))
    }
}

/// See [`Gate::guard`].
pub(crate) struct Guarded<L> {
    listener: ProxiedListener<L>,
    tls: Option<TlsAcceptor>,
}

impl<R, L: Listener<R>> Listener<R> for Guarded<L> {
    type Transport = Either<ProxiedTransport<L::Transport>, Box<TlsTransport<ProxiedTransport<L::Transport>>>>;

    async fn accept(&mut self) -> io::Result<Self::Transport> {
        // A proxy's word comes in plain, in front of TLS.
        let transport = Listener::<R>::accept(&mut self.listener).await?;
        Ok(match &self.tls {
            None => Either::Left(transport),
            Some(tls) => Either::Right(Box::new(tls.accept(transport)?)),
        })
    }
}
