//! The peer's fault.

use core::fmt;

use crate::message::status::StatusCode;
use crate::reason::{ErrorKind, Reason};

/// The peer broke a rule: which, and where.
///
/// Reported once by `poll_event`; on a server the answer and the close are queued already.
///
/// ```
/// use bytes::BytesMut;
/// use http_core::{Config, Instant, Reason, server};
///
/// let mut connection = server::Connection::new(Config::default().into(), Instant::ZERO);
/// let mut input = BytesMut::from("GET / HTTP/1.1\nHost: a\n\n");
/// let error = connection.poll_event(&mut input, Instant::ZERO).unwrap_err();
/// assert_eq!(error.reason(), Reason::BareLf);
/// assert_eq!(error.offset(), 14);
/// assert_eq!(error.status_hint().as_u16(), 400);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProtocolError {
    reason: Reason,
    offset: u64,
}

impl ProtocolError {
    pub(crate) const fn new(reason: Reason, offset: u64) -> Self {
        Self { reason, offset }
    }

    /// The rule that was broken.
    #[must_use]
    pub const fn reason(self) -> Reason {
        self.reason
    }

    /// The kind of fault.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        self.reason.kind()
    }

    /// How many bytes of the connection precede the fault.
    #[must_use]
    pub const fn offset(self) -> u64 {
        self.offset
    }

    /// The status that a server answers, or has answered, to this fault.
    #[must_use]
    pub const fn status_hint(self) -> StatusCode {
        self.reason.status()
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.offset, self.reason)
    }
}

impl core::error::Error for ProtocolError {}
