//! What can go wrong on a connection, as the user of a driver sees it.

use core::fmt;
use std::io;

use http_core::dispatch::LostCause;
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
    /// The end of a connection; in the words of the transport, whose error is `broken`, where it was the transport's.
    pub(crate) fn ended(why: Closed, broken: Option<io::Error>) -> Self {
        match (why, broken) {
            (Closed::Broken | Closed::ByPeer | Closed::Unanswered, Some(error)) => Self::Io(error),
            _ => Self::Closed(why),
        }
    }

    /// The same where no command of the application meets it: nothing if no exchange on a server was cut off by it.
    pub(crate) fn cut_off(why: Closed, broken: Option<io::Error>) -> Option<Self> {
        matches!(why, Closed::Broken | Closed::TimedOut(Deadline::Send)).then(|| Self::ended(why, broken))
    }

    /// Whether a connection that ends like this ends as it should, if all that was to be sent on it was written.
    pub(crate) const fn is_orderly_end(&self) -> bool {
        matches!(self, Self::Closed(Closed::NotPersistent | Closed::ByPeer | Closed::ByUs))
    }

    /// The dispatcher's word for it, where it ends a client's connection.
    pub(crate) fn lost_cause(&self) -> LostCause {
        match self {
            Self::Protocol(error) => error.reason().into(),
            Self::Closed(why) => (*why).into(),
            Self::Io(error) if error.kind() == io::ErrorKind::TimedOut => LostCause::TimedOut,
            Self::Io(_) => LostCause::Reset,
            Self::Misuse(_) | Self::Body(_) => LostCause::Local,
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn io(kind: io::ErrorKind) -> Error {
        Error::Io(kind.into())
    }

    #[test]
    fn the_end_of_a_connection_is_told_by_whom_it_comes_from() {
        // RFC 9112 §9.5: the transport ends it, in order or not.
        for why in [Closed::Broken, Closed::ByPeer, Closed::Unanswered] {
            assert!(matches!(Error::ended(why, Some(io::ErrorKind::ConnectionReset.into())), Error::Io(_)), "{why:?}");
            assert!(matches!(Error::ended(why, None), Error::Closed(told) if told == why), "{why:?}");
        }
        // What the connection itself decided stays so, whatever the transport met afterwards.
        for why in [
            Closed::ByUs,
            Closed::NotPersistent,
            Closed::Abandoned,
            Closed::TimedOut(Deadline::Send),
            Closed::Failed(Reason::BareLf),
        ] {
            let told = Error::ended(why, Some(io::ErrorKind::ConnectionReset.into()));
            assert!(matches!(told, Error::Closed(told) if told == why), "{why:?}");
        }
    }

    #[test]
    fn what_cuts_off_an_exchange_and_what_is_in_order() {
        for (why, cuts_off, in_order) in [
            (Closed::Broken, true, false),
            (Closed::TimedOut(Deadline::Send), true, false),
            (Closed::TimedOut(Deadline::Idle), false, false),
            (Closed::Unanswered, false, false),
            (Closed::Abandoned, false, false),
            (Closed::Failed(Reason::BareLf), false, false),
            (Closed::ByPeer, false, true),
            (Closed::ByUs, false, true),
            (Closed::NotPersistent, false, true),
        ] {
            assert_eq!(Error::cut_off(why, None).is_some(), cuts_off, "{why:?}");
            assert_eq!(Error::Closed(why).is_orderly_end(), in_order, "{why:?}");
        }
    }

    #[test]
    fn an_error_has_a_cause() {
        for (error, expected) in [
            (io(io::ErrorKind::TimedOut), LostCause::TimedOut),
            (io(io::ErrorKind::ConnectionReset), LostCause::Reset),
            (io(io::ErrorKind::UnexpectedEof), LostCause::Reset),
            (Error::Closed(Closed::Unanswered), LostCause::Eof),
            (Error::Closed(Closed::TimedOut(Deadline::Idle)), LostCause::TimedOut),
            (Error::Misuse(Misuse::Full), LostCause::Local),
            (Error::Body("no more".into()), LostCause::Local),
        ] {
            assert_eq!(error.lost_cause(), expected, "{error:?}");
            assert_eq!(error.is_timeout(), expected == LostCause::TimedOut, "{error:?}");
        }
    }
}
