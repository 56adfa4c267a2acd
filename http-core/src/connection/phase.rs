//! Where a connection is, in the words of libevent's `evhttp`.

/// The state of a connection by the name that libevent's `evhttp` gives it: for logs and diagrams.
///
/// A connection reads and writes at the same time; the name is that of the half that decides.
///
/// ```
/// use http_core::{Config, Instant, Phase, server};
/// let connection = server::Connection::new(Config::default().into(), Instant::ZERO);
/// assert_eq!(connection.phase(), Phase::Idle);
/// assert_eq!(Phase::ReadingFirstLine.to_string(), "reading first line");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Phase {
    /// There is no transport, or it is to be dropped.
    Disconnected,
    /// A transport is being made.
    Connecting,
    /// No exchange is open.
    Idle,
    /// A start-line is awaited or incomplete.
    ReadingFirstLine,
    /// A header section is incomplete.
    ReadingHeaders,
    /// Content is incomplete.
    ReadingBody,
    /// A trailer section is incomplete.
    ReadingTrailer,
    /// A message is being produced or sent.
    Writing,
}

impl Phase {
    /// The name in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Connecting => "connecting",
            Self::Idle => "idle",
            Self::ReadingFirstLine => "reading first line",
            Self::ReadingHeaders => "reading headers",
            Self::ReadingBody => "reading body",
            Self::ReadingTrailer => "reading trailer",
            Self::Writing => "writing",
        }
    }
}

impl core::fmt::Display for Phase {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}
