//! The cases: what one exchange is, by either engine.

use crate::{ours, peer, wire};

/// What is measured: one exchange, repeated on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// A server answers a GET of six fields.
    Get6,
    /// The same, the value of every field another one each time, and their order too.
    Get6New,
    /// A server answers a browser's GET, fifteen fields.
    Browser,
    /// The same, three of the values other ones each time.
    BrowserVary,
    /// The same, the value of every field another one each time, and their order too.
    BrowserNew,
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
    pub const ALL: [Self; 10] = [
        Self::Get6,
        Self::Get6New,
        Self::Browser,
        Self::BrowserVary,
        Self::BrowserNew,
        Self::Pipelined16,
        Self::Drip,
        Self::Chunks1,
        Self::Chunks64,
        Self::Client,
    ];

    /// The name on the command line and in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get6 => "get6",
            Self::Get6New => "get6-new",
            Self::Browser => "browser",
            Self::BrowserVary => "browser-vary",
            Self::BrowserNew => "browser-new",
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
        let units = match self {
            Self::Get6 | Self::Drip => vec![wire::SIX_FIELDS.to_vec()],
            Self::Get6New => wire::all_new(wire::SIX_FIELDS),
            Self::Browser => vec![wire::BROWSER.to_vec()],
            Self::BrowserVary => wire::three_new(wire::BROWSER),
            Self::BrowserNew => wire::all_new(wire::BROWSER),
            Self::Pipelined16 => vec![wire::SIX_FIELDS.repeat(16)],
            Self::Chunks1 => vec![wire::chunked(1)],
            Self::Chunks64 => vec![wire::chunked(64)],
            Self::Client => vec![wire::ANSWER.to_vec()],
        };
        // What one read brings at most, as a driver's buffer does.
        let read = if self == Self::Drip { 1 } else { 64 * 1024 };
        match (self, engine) {
            (Self::Client, Engine::Ours) => ours::client(exchanges, &units[0]),
            (Self::Client, Engine::Hyper) => peer::client(exchanges, units),
            (Self::Chunks1 | Self::Chunks64, Engine::Ours) => ours::sink(exchanges, &units[0], read),
            (Self::Chunks1 | Self::Chunks64, Engine::Hyper) => peer::sink(exchanges, units, read),
            (Self::Pipelined16, Engine::Ours) => ours::pipelined(exchanges, &units[0], 16),
            (Self::Pipelined16, Engine::Hyper) => peer::server(exchanges / 16, units, read),
            (_, Engine::Ours) => ours::server(exchanges, &units, read),
            (_, Engine::Hyper) => peer::server(exchanges, units, read),
        }
    }
}
