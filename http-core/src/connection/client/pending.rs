//! Requests that await their response, and what is known of each.

use core::num::NonZeroU32;

use crate::canonical::Collector;
use crate::message::facts::RequestKind;
use crate::write::outbox::Outbox;

/// Names one exchange of a connection; later ones are greater.
///
/// ```
/// use http_core::{Config, Content, Instant, Method, RequestHead, client};
/// let mut connection = client::Connection::new(Config::default().into(), Instant::ZERO);
/// let head = RequestHead::new(Method::Get, "/")?.with("Host", "example.com")?;
/// let id = connection.send_request(&head, Content::Empty, Instant::ZERO)?;
/// assert_eq!(connection.exchange(), Some(id));
/// # Ok::<(), http_core::Misuse>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub(crate) u64);

/// How much of a request was handed to the transport. What the transport did with it nobody knows.
///
/// ```
/// use http_core::client::Sent;
/// assert!(Sent::Nothing < Sent::All);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sent {
    /// Not a byte: the peer cannot have seen it.
    Nothing,
    /// A part of its head.
    HeadPartly,
    /// Its head, and none of its content.
    Head,
    /// Its head and a part of its content.
    ContentPartly,
    /// All of it.
    All,
}

/// How much of the response to a request was received.
///
/// ```
/// use http_core::client::Received;
/// assert!(Received::Nothing < Received::Final);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Received {
    /// Not a byte.
    Nothing,
    /// Something of a head, or interim responses, but no final head.
    Interim,
    /// The head of the final response.
    Final,
}

/// A request whose response is not complete, and what a decision about repeating it needs.
///
/// ```
/// use http_core::client::{Received, Sent};
/// use http_core::{Config, Content, Instant, Method, RequestHead, client};
/// let mut connection = client::Connection::new(Config::default().into(), Instant::ZERO);
/// let head = RequestHead::new(Method::Get, "/")?.with("Host", "example.com")?;
/// connection.send_request(&head, Content::Empty, Instant::ZERO)?;
/// let unanswered = connection.unanswered().next().unwrap();
/// assert_eq!((unanswered.sent, unanswered.received), (Sent::Nothing, Received::Nothing));
/// # Ok::<(), http_core::Misuse>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Unanswered {
    /// Which request.
    pub exchange: ExchangeId,
    /// How much of it was handed to the transport.
    pub sent: Sent,
    /// How much of its response came.
    pub received: Received,
}

/// A request that awaits its response. Positions count the bytes that the connection ever queued.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) id: ExchangeId,
    pub(super) kind: RequestKind,
    pub(super) idempotent: bool,
    pub(super) upgrade_offered: bool,
    pub(super) persistent: bool,
    pub(super) start: u64,
    pub(super) head_end: u64,
    /// Where it ends, once all of it is queued.
    pub(super) end: Option<u64>,
    pub(super) interim: u32,
    /// How long the head of its response may take, in milliseconds, where that is not as of all.
    pub(super) head_millis: Option<NonZeroU32>,
    /// How the content of its response has to come, where that is not as of all: the longest pause in milliseconds,
    /// and the least rate.
    pub(super) content_pace: Option<(NonZeroU32, u32)>,
    pub(super) received: Received,
}

impl Pending {
    /// What can change what happens: its number does not, and positions only as far as they lie ahead.
    pub(super) fn describe(&self, out: &mut Collector, outbox: &Outbox) {
        let Self { id: _, kind, idempotent, upgrade_offered, persistent, start, head_end, end, .. } = self;
        let Self { interim, head_millis, content_pace, received, .. } = self;
        let ahead = |at: u64| at.saturating_sub(outbox.handed_over());
        out.value((kind, idempotent, upgrade_offered, persistent, interim, received, head_millis, content_pace));
        // A head of which a part is gone, and content of which a part is gone, are not as one of which nothing is.
        out.value((ahead(*start), ahead(*head_end), end.map(ahead), self.unanswered(outbox).sent));
    }

    pub(super) fn unanswered(&self, outbox: &Outbox) -> Unanswered {
        let gone = outbox.handed_over();
        let sent = match self.end {
            _ if gone <= self.start => Sent::Nothing,
            _ if gone < self.head_end => Sent::HeadPartly,
            Some(end) if gone >= end => Sent::All,
            _ if gone == self.head_end => Sent::Head,
            _ => Sent::ContentPartly,
        };
        Unanswered { exchange: self.id, sent, received: self.received }
    }
}
