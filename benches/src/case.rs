//! The cases: what one exchange is, by either engine.

use crate::{ours, peer, wire};

/// What is measured: one exchange, repeated on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// A server answers a GET of six fields.
    Get6,
    /// A server answers a browser's GET, fifteen fields.
    Browser,
    /// As [`Case::Get6`], sixteen requests in one read and their answers in one write. One exchange is one of them.
    Pipelined16,
    /// As [`Case::Get6`], the head arriving byte by byte.
    Drip,
    /// A server reads 64 KiB of content in chunks of one byte.
    Chunks1,
    /// A server reads 64 KiB of content in chunks of 64 bytes.
    Chunks64,
    /// A client sends a GET and reads an answer of 13 bytes.
    Client,
}

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// `http-core`, driven as its documentation says.
    Ours,
    /// hyper, driven over memory instead of a socket.
    Hyper,
}

impl Case {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 7] =
        [Self::Get6, Self::Browser, Self::Pipelined16, Self::Drip, Self::Chunks1, Self::Chunks64, Self::Client];

    /// The name on the command line and in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get6 => "get6",
            Self::Browser => "browser",
            Self::Pipelined16 => "pipelined16",
            Self::Drip => "drip",
            Self::Chunks1 => "chunks1",
            Self::Chunks64 => "chunks64",
            Self::Client => "client",
        }
    }

    /// The case of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|case| case.name() == name)
    }

    /// How many parts one exchange arrives in, where the cost of a part is what matters: bytes or chunks.
    #[must_use]
    pub const fn parts(self) -> u64 {
        match self {
            Self::Drip => wire::SIX_FIELDS.len() as u64,
            Self::Chunks1 => wire::CHUNKED_CONTENT as u64,
            Self::Chunks64 => (wire::CHUNKED_CONTENT / 64) as u64,
            _ => 1,
        }
    }

    /// Makes `exchanges` exchanges on one connection; a multiple of sixteen for [`Case::Pipelined16`].
    ///
    /// # Panics
    /// If an exchange does not go as it should.
    pub fn run(self, engine: Engine, exchanges: u64) {
        let unit = match self {
            Self::Get6 | Self::Drip => wire::SIX_FIELDS.to_vec(),
            Self::Browser => wire::BROWSER.to_vec(),
            Self::Pipelined16 => wire::SIX_FIELDS.repeat(16),
            Self::Chunks1 => wire::chunked(1),
            Self::Chunks64 => wire::chunked(64),
            Self::Client => wire::ANSWER.to_vec(),
        };
        // What one read brings at most, as a driver's buffer does.
        let read = if self == Self::Drip { 1 } else { 64 * 1024 };
        match (self, engine) {
            (Self::Client, Engine::Ours) => ours::client(exchanges, &unit),
            (Self::Client, Engine::Hyper) => peer::client(exchanges, unit),
            (Self::Chunks1 | Self::Chunks64, Engine::Ours) => ours::sink(exchanges, &unit, read),
            (Self::Chunks1 | Self::Chunks64, Engine::Hyper) => peer::sink(exchanges, unit, read),
            (Self::Pipelined16, Engine::Ours) => ours::pipelined(exchanges, &unit, 16),
            (Self::Pipelined16, Engine::Hyper) => peer::server(exchanges / 16, unit, read),
            (_, Engine::Ours) => ours::server(exchanges, &unit, read),
            (_, Engine::Hyper) => peer::server(exchanges, unit, read),
        }
    }
}
