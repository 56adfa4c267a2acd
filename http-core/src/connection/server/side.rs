//! What of a connection's state is the server's alone.

use crate::connection::exchange::{Expecting, Wanted};
use crate::message::facts::RequestKind;
use crate::message::version::Version;
use crate::read::{Decoder, Scan};
use crate::write::encode::Encoder;

/// The server's side of a [`Connection`](crate::Connection).
///
/// ```
/// use http_core::server::{self, ServerSide};
/// fn same(connection: http_core::Connection<ServerSide>) -> server::Connection {
///     connection
/// }
/// ```
#[derive(Clone, Debug)]
pub struct ServerSide {
    pub(super) receive: Receive,
    pub(super) send: Send,
    pub(super) exchange: Exchange,
    pub(super) date: Option<[u8; 29]>,
    /// The application has asked for the end: the exchange that is open, or whose head has begun to come, is the last.
    pub(super) closing: bool,
    /// Whether the fault that ended the connection was answered.
    pub(super) refused: Option<bool>,
    /// Requests that were answered with 417.
    pub(super) unmet: u32,
}

/// The incoming half: the request.
#[derive(Clone, Debug, Hash)]
pub(super) enum Receive {
    Head(Scan),
    Content(Decoder, Wanted),
    /// Complete, and its end has still to be told.
    Ending,
    Done,
}

/// The outgoing half: the response.
#[derive(Clone, Debug, Hash)]
pub(super) enum Send {
    Head,
    Content(Encoder),
    Done,
}

/// What the two halves of the open exchange need to know of each other.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Exchange {
    pub(super) kind: RequestKind,
    pub(super) version: Version,
    pub(super) persistent: bool,
    /// The request says that it is its client's last (RFC 9112 §9.6).
    pub(super) last: bool,
    pub(super) expecting: Expecting,
    pub(super) upgrade_offered: bool,
    /// The response that was sent hands the connection over.
    pub(super) switching: bool,
    pub(super) interim_sent: u32,
    pub(super) drained: u64,
}

impl Exchange {
    pub(super) fn new(persistent: bool) -> Self {
        Self {
            kind: RequestKind::Other,
            version: Version::Http11,
            persistent,
            last: false,
            expecting: Expecting::Nothing,
            upgrade_offered: false,
            switching: false,
            interim_sent: 0,
            drained: 0,
        }
    }
}
