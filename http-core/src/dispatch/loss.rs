//! Why connections are lost, and what the dispatcher's words for it are.

use core::fmt;

use crate::connection::deadline::Deadline;
use crate::connection::flow::Closed;
use crate::reason::{ErrorKind, Reason};

/// Why a connection that was up ended, as the driver reports it.
///
/// What a connection says of its end has its cause, by `From`; what the transport says is the driver's to translate.
///
/// ```
/// use http_core::dispatch::LostCause;
/// use http_core::{Closed, Reason};
///
/// assert_eq!(LostCause::Eof.to_string(), "connection closed by the peer");
/// assert_eq!(LostCause::from(Closed::NotPersistent), LostCause::Last);
/// assert_eq!(LostCause::from(Reason::ChunkSize), LostCause::Malformed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LostCause {
    /// The peer ended it in the ordinary way.
    Eof,
    /// It broke: a reset, or TLS without `close_notify`.
    Reset,
    /// Sending failed.
    Write,
    /// Nothing moved for too long: a deadline of the connection passed.
    TimedOut,
    /// What the peer sent is no HTTP, or goes beyond a limit.
    Malformed,
    /// An exchange on it was the last one (`Connection: close`, or content that lasts until the close). Requests
    /// that were sent behind it are not answered (RFC 9112 §9.6).
    Last,
    /// This side closed it, on account of a request that has its outcome. It is held against no other.
    Local,
    /// What carried it on this side panicked.
    Crashed,
}

impl fmt::Display for LostCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eof => "connection closed by the peer",
            Self::Reset => "connection reset",
            Self::Write => "sending failed",
            Self::TimedOut => "the peer was silent for too long",
            Self::Malformed => "the peer sent what is not HTTP or too large",
            Self::Last => "connection closed after an earlier response",
            Self::Local => "connection closed by this side",
            Self::Crashed => "this side failed while carrying it",
        })
    }
}

impl From<Closed> for LostCause {
    fn from(why: Closed) -> Self {
        match why {
            Closed::ByPeer | Closed::Unanswered => Self::Eof,
            Closed::NotPersistent => Self::Last,
            Closed::Broken => Self::Reset,
            Closed::Failed(reason) => reason.into(),
            // Whoever lingers has everything that it needs of the peer.
            Closed::ByUs | Closed::Abandoned | Closed::TimedOut(Deadline::Linger) => Self::Local,
            Closed::TimedOut(_) => Self::TimedOut,
        }
    }
}

impl From<Reason> for LostCause {
    fn from(reason: Reason) -> Self {
        match reason.kind() {
            ErrorKind::Timeout => Self::TimedOut,
            // Nothing is wrong with what came, it is not all.
            ErrorKind::Truncated => Self::Eof,
            _ => Self::Malformed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_connection_says_of_its_end_has_a_cause() {
        for (section, why, expected) in [
            ("RFC 9112 §9.5", Closed::ByPeer, LostCause::Eof),
            ("RFC 9112 §9.3.1", Closed::Unanswered, LostCause::Eof),
            ("RFC 9112 §9.6", Closed::NotPersistent, LostCause::Last),
            ("RFC 9112 §9.5", Closed::Broken, LostCause::Reset),
            ("RFC 9112 §8", Closed::Abandoned, LostCause::Local),
            ("RFC 9112 §9.6", Closed::ByUs, LostCause::Local),
            ("RFC 9112 §9.5", Closed::TimedOut(Deadline::Idle), LostCause::TimedOut),
            ("RFC 9112 §9.5", Closed::TimedOut(Deadline::Head), LostCause::TimedOut),
            ("RFC 9112 §9.5", Closed::TimedOut(Deadline::Receive), LostCause::TimedOut),
            ("RFC 9112 §9.5", Closed::TimedOut(Deadline::Send), LostCause::TimedOut),
            ("RFC 9110 §10.1.1", Closed::TimedOut(Deadline::Expect), LostCause::TimedOut),
            ("RFC 9112 §9.6", Closed::TimedOut(Deadline::HalfClosed), LostCause::TimedOut),
            ("RFC 9112 §9.6", Closed::TimedOut(Deadline::Linger), LostCause::Local),
            ("RFC 9112 §8", Closed::Failed(Reason::Truncated), LostCause::Eof),
            ("RFC 9112 §9.5", Closed::Failed(Reason::HeadTimeout), LostCause::TimedOut),
            ("RFC 9112 §9.2", Closed::Failed(Reason::SurplusBytes), LostCause::Malformed),
        ] {
            assert_eq!(LostCause::from(why), expected, "{section}: {why:?}");
        }
    }

    #[test]
    fn a_broken_rule_has_a_cause_and_one_that_was_closed_for_it_the_same() {
        for &reason in Reason::ALL {
            let expected = match reason {
                // RFC 9112 §8: the message is incomplete, and nothing in it is wrong.
                Reason::Truncated => LostCause::Eof,
                // RFC 9112 §9.5: a client may give up a peer that is too slow.
                Reason::HeadTimeout | Reason::ContentTimeout => LostCause::TimedOut,
                _ => LostCause::Malformed,
            };
            assert_eq!(LostCause::from(reason), expected, "{}: {reason:?}", reason.section());
            assert_eq!(LostCause::from(Closed::Failed(reason)), expected, "{reason:?}");
        }
    }
}
