//! What of a connection's state is the client's alone.

use alloc::collections::VecDeque;
use core::fmt;

use bytes::Bytes;

use super::pending::Pending;
use crate::message::version::Version;
use crate::read::{Decoder, Scan};
use crate::write::encode::Encoder;

/// The client's side of a [`Connection`](crate::Connection).
///
/// ```
/// use http_core::client::{self, ClientSide};
/// fn same(connection: http_core::Connection<ClientSide>) -> client::Connection {
///     connection
/// }
/// ```
#[derive(Clone, Debug)]
pub struct ClientSide {
    pub(super) receive: Receive,
    pub(super) send: Send,
    /// In order; the first is the one whose response is read.
    pub(super) pending: VecDeque<Pending>,
    /// Whether another request may follow those that were sent.
    pub(super) persistent: bool,
    /// The version of the last response; until one has come, that of the requests.
    pub(super) peer: Version,
}

/// The incoming half: the response to the first request that awaits one.
#[derive(Clone, Debug, Hash)]
pub(super) enum Receive {
    Head(Scan),
    Content(Decoder),
    /// Complete, and its end has still to be told.
    Ending,
    /// Complete, and its request is not.
    Done,
    /// The head of a response that hands the connection over was told.
    Switching,
}

/// The outgoing half: the last request.
#[derive(Clone, Hash)]
pub(super) enum Send {
    /// All that was begun is queued.
    Done,
    /// The content waits for 100 (Continue).
    Expecting(Encoder, Option<Bytes>),
    Content(Encoder),
    /// The transport takes no more; the response is still read.
    Broken,
}

/// Without the content, which may be secret.
impl fmt::Debug for Send {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("Done"),
            Self::Expecting(encoder, held) => {
                f.debug_tuple("Expecting").field(encoder).field(&held.as_ref().map(Bytes::len)).finish()
            }
            Self::Content(encoder) => f.debug_tuple("Content").field(encoder).finish(),
            Self::Broken => f.write_str("Broken"),
        }
    }
}
