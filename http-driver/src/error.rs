//! What can go wrong on a connection, as the user of a driver sees it.

use core::fmt;
use std::io;

use http_core::{Closed, Deadline, ErrorKind, Misuse, ProtocolError, Reason};

/// An error of the application.
pub(crate) type BoxError = Box<dyn core::error::Error + Send + Sync>;

/// A connection, or one exchange on it, failed.
///
/// ```
/// let error = http_driver::Error::from(http_core::Misuse::Full);
/// assert!(error.is_misuse() && !error.is_timeout());
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The peer broke a rule.
    Protocol(ProtocolError),
    /// The caller used the connection in a way that would break the protocol.
    Misuse(Misuse),
    /// The connection ended before the exchange was complete.
    Closed(Closed),
    /// The transport broke.
    Io(io::Error),
    /// The application's body failed while it was being sent.
    Body(Box<dyn core::error::Error + Send + Sync>),
}

impl Error {
    /// Whether a deadline passed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::Protocol(error) => error.kind() == ErrorKind::Timeout,
            Self::Closed(Closed::TimedOut(deadline)) => *deadline != Deadline::Linger,
            Self::Closed(Closed::Failed(reason)) => reason.kind() == ErrorKind::Timeout,
            Self::Io(error) => error.kind() == io::ErrorKind::TimedOut,
            _ => false,
        }
    }

    /// Whether the caller is at fault.
    #[must_use]
    pub const fn is_misuse(&self) -> bool {
        matches!(self, Self::Misuse(_))
    }

    /// Whether a message ended before it was complete.
    #[must_use]
    pub fn is_incomplete_message(&self) -> bool {
        match self {
            Self::Protocol(error) => error.reason() == Reason::Truncated,
            Self::Closed(_) => true,
            _ => false,
        }
    }

    /// The rule that the peer broke, if it did.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Protocol(error) => Some(error.reason()),
            Self::Closed(Closed::Failed(reason)) => Some(*reason),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(error) => write!(f, "the peer broke a rule {error}"),
            Self::Misuse(misuse) => misuse.fmt(f),
            Self::Closed(why) => write!(f, "the connection ended first: {why}"),
            Self::Io(_) => f.write_str("the transport broke"),
            Self::Body(_) => f.write_str("the body that was being sent failed"),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Body(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<ProtocolError> for Error {
    fn from(error: ProtocolError) -> Self {
        Self::Protocol(error)
    }
}

impl From<Misuse> for Error {
    fn from(misuse: Misuse) -> Self {
        Self::Misuse(misuse)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
