//! What happens on a connection.

use bytes::Bytes;
use http_core::dispatch::RequestId;
use http_core::{Fields, ResponseHead};

use crate::client::pool::Closing;
use crate::error::Error;

/// What happens on a connection, to be told by whoever polls it.
pub(in crate::client) enum Step {
    /// The first byte of a response is there, and not its head.
    Started,
    Head(ResponseHead),
    Content(Bytes),
    End(Fields),
    Switched,
    /// There is room for this request behind the others.
    Follow(RequestId),
    /// It is to be closed.
    Closing(Closing),
    Lost(Error),
}
