//! Whose servers are measured, and how their programs are started.

use std::io;
use std::path::{Path, PathBuf};

use crate::load::Process;
use crate::traffic::Kind;

/// A server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contender {
    /// No server at all: bytes are read and written on tokio.
    Floor,
    /// A service of hyper's.
    Hyper,
    /// Ours at the exchange level.
    Exchange,
    /// Ours at the service level.
    Service,
    /// A router of axum's on `axum::serve`.
    AxumOnHyper,
    /// The same router on ours.
    Axum,
}

impl Contender {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 6] = [Self::Floor, Self::Hyper, Self::Exchange, Self::Service, Self::AxumOnHyper, Self::Axum];

    /// Those who understand requests.
    pub const SERVERS: [Self; 5] = [Self::Hyper, Self::Exchange, Self::Service, Self::AxumOnHyper, Self::Axum];

    /// The name on the command line and in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Hyper => "hyper",
            Self::Exchange => "exchange",
            Self::Service => "service",
            Self::AxumOnHyper => "axum-on-hyper",
            Self::Axum => "axum",
        }
    }

    /// Whom the figures of its requests are compared with.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Axum | Self::AxumOnHyper => Self::AxumOnHyper,
            _ => Self::Hyper,
        }
    }

    /// Whether it can be asked so: axum's servers here speak no TLS, and the floor is not asked so much.
    #[must_use]
    pub fn takes(self, kind: Kind) -> bool {
        match self {
            Self::Floor => kind == Kind::Six,
            Self::Axum | Self::AxumOnHyper => kind != Kind::Tls,
            _ => true,
        }
    }

    /// Starts it, from the folder where all programs are built; `more` goes to its command line.
    ///
    /// # Errors
    /// It is not built, or does not say where it listens.
    pub fn start(self, built: &Path, more: &[&str], counted: bool) -> io::Result<Process> {
        let (program, arguments): (PathBuf, &[&str]) = match self {
            Self::Floor => (built.join("peer"), &["floor"]),
            Self::Hyper => (built.join("peer"), &["hyper"]),
            Self::AxumOnHyper => (built.join("peer"), &["axum"]),
            Self::Exchange => (built.join("examples/serve"), &["--level", "exchange"]),
            Self::Service => (built.join("examples/serve"), &["--level", "service"]),
            Self::Axum => (built.join("examples/serve-axum"), &[]),
        };
        Process::start(&program, &[arguments, more].concat(), counted)
    }
}

/// The folder where all programs are built: this one's.
#[must_use]
pub fn built() -> PathBuf {
    std::env::current_exe().ok().and_then(|path| path.parent().map(Path::to_owned)).unwrap_or_default()
}
