//! Words for what went wrong, few enough to count by: `error.type`.

use http_core::{Closed, ErrorKind, Reason};

use crate::error::Error;

/// The word for how a connection ended; none where it was left by whoever had the exchange on it.
pub(crate) fn error_type(error: &Error) -> Option<&'static str> {
    Some(match error {
        _ if error.is_timeout() => "timeout",
        Error::Closed(Closed::Abandoned) => return None,
        Error::Protocol(error) if error.reason() == Reason::Truncated => "connection_closed",
        Error::Closed(Closed::Failed(reason)) if reason.kind() != ErrorKind::Truncated => "protocol_error",
        Error::Protocol(_) => "protocol_error",
        Error::Closed(_) => "connection_closed",
        Error::Io(_) => "io_error",
        Error::Misuse(_) => "invalid_message",
        Error::Body(_) => "body_error",
    })
}
