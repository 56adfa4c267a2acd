//! One connection as a client sees it.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::num::NonZeroU32;
use core::time::Duration;

use bytes::Bytes;

use super::pending::{ExchangeId, Pending, Received, Unanswered};
use super::side::{ClientSide, Receive, Send};
use crate::config::Config;
use crate::connection::common;
use crate::connection::deadline::Deadline;
use crate::connection::flow::{Closed, Flow};
use crate::message::content::Content;
use crate::message::facts::{Expectation, RequestKind};
use crate::message::field::Fields;
use crate::message::head::{RequestHead, ResponseHead};
use crate::message::misuse::Misuse;
use crate::message::version::Version;
use crate::read::{Scan, Spare};
use crate::time::Instant;
use crate::write::encode::Encoder;
use crate::write::generate::{self, Outline};
use crate::write::request::{RequestLines, RequestSource};

/// What a client's connection tells the application. Responses come in the order of their requests.
///
/// ```
/// use http_core::client::Event;
/// assert!(size_of::<Event>() <= 128);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// An interim response: 100, 102, 103, …; more follow (RFC 9110 §15.2).
    Interim(ResponseHead),
    /// The final response, or 101.
    Response(ResponseHead),
    /// A piece of content, never empty.
    Content(Bytes),
    /// The extensions of the chunk whose content follows, as they stand behind its size (RFC 9112 §7.1.1); only with
    /// [`Events::chunk_extensions`](crate::Events::chunk_extensions).
    ChunkExtensions(Bytes),
    /// The response is complete; its trailer section, mostly empty.
    End(Fields),
    /// The connection speaks another protocol from here: what is left in the lent buffer belongs to that.
    Switched,
    /// The connection is over, and nothing more will happen. Requests without a response are in
    /// [`unanswered`](Connection::unanswered).
    Closed(Closed),
}

/// Whether a connection takes another request now.
///
/// ```
/// use http_core::client::Readiness;
/// use http_core::{Config, Instant, client};
/// let connection = client::Connection::new(Config::default().into(), Instant::ZERO);
/// assert_eq!(connection.readiness(), Readiness::Idle);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Readiness {
    /// Yes, and nothing is in flight.
    Idle,
    /// Yes, behind others that await their response (RFC 9112 §9.3.2).
    Pipeline,
    /// Not now.
    Busy,
    /// Never again.
    Closing,
}

/// One HTTP/1.1 connection as a client sees it: a pure state machine that does no I/O and reads no clock.
///
/// It is used through four kinds of method, in this order on every turn:
///
/// 1. *Inputs* tell it what happened. Bytes that were read are appended to the buffer that `poll_event` is lent;
///    [`handle_eof`](Connection::handle_eof), [`handle_sent`](Connection::handle_sent),
///    [`handle_write_error`](Connection::handle_write_error) and [`handle_timeout`](Connection::handle_timeout) tell
///    the rest.
/// 2. *Outputs* are asked for: [`poll_event`](Connection::poll_event) until it says `None`, what to send by
///    [`transmit`](Connection::transmit) or [`outbox`](Connection::outbox), when to wake by
///    [`poll_timeout`](Connection::poll_timeout), and [`interest`](Connection::interest) for what to do with the
///    transport next.
/// 3. *Commands* say what the application wants: [`send_request`](Connection::send_request),
///    [`send_content`](Connection::send_content), [`send_end`](Connection::send_end), [`close`](Connection::close),
///    [`abandon`](Connection::abandon). After one of them ask for outputs again.
/// 4. *Getters* change nothing.
///
/// The lent buffer is part of the state: between calls the caller may append to it or move it, nothing else. Whoever
/// does not want content now does not call `poll_event`, and stops reading when the buffer holds enough.
///
/// ```
/// use bytes::BytesMut;
/// use http_core::{Config, Content, Instant, Method, RequestHead, client};
///
/// let now = Instant::ZERO; // a real caller asks its clock once a turn
/// let mut connection = client::Connection::new(Config::default().into(), now);
///
/// // 3. say what is wanted
/// let head = RequestHead::new(Method::Get, "/hello")?.with("Host", "example.com")?;
/// connection.send_request(&head, Content::Empty, now)?;
/// // 2. write what waits
/// let mut slices = [&b""[..]; 4];
/// let count = connection.transmit(&mut slices);
/// let wire = slices[..count].concat();
/// assert_eq!(wire, b"GET /hello HTTP/1.1\r\nHost: example.com\r\n\r\n");
/// connection.handle_sent(wire.len(), now);
/// // 1. read from the transport, and ask what it means
/// let mut input = BytesMut::from("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello");
/// let Some(client::Event::Response(response)) = connection.poll_event(&mut input, now)? else { panic!() };
/// assert_eq!(response.status().as_u16(), 200);
/// let Some(client::Event::Content(content)) = connection.poll_event(&mut input, now)? else { panic!() };
/// assert_eq!(content, "Hello");
/// let Some(client::Event::End(_)) = connection.poll_event(&mut input, now)? else { panic!() };
/// assert_eq!(connection.readiness(), client::Readiness::Idle);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub type Connection = common::Connection<ClientSide>;

/// The beginning.
impl Connection {
    /// A connection that was just made.
    #[must_use]
    pub fn new(config: Arc<Config>, now: Instant) -> Self {
        let peer = if config.persistence.http10_origin { Version::Http10 } else { Version::Http11 };
        let mut connection = Self {
            flow: Flow::new(config, now),
            spare: Spare::default(),
            requests: 0,
            side: ClientSide {
                receive: Receive::Head(Scan::default()),
                send: Send::Done,
                pending: VecDeque::new(),
                persistent: true,
                peer,
            },
        };
        connection.arm_idle(now);
        connection
    }
}

/// Commands: from the application.
impl Connection {
    /// Sends a request. With [`Content::Empty`] and [`Content::Full`] it is complete; otherwise content and end
    /// follow. With `Expect: 100-continue` among its fields the content waits for 100, a final response, or
    /// `Timeouts::expect` (RFC 9110 §10.1.1).
    ///
    /// # Errors
    /// [`Misuse::Closed`] if the connection takes no more requests; [`Misuse::NotYourTurn`] if it is busy, see
    /// [`readiness`](Self::readiness); those of [`make_header_request`](crate::make_header_request).
    pub fn send_request(&mut self, head: &RequestHead, content: Content, now: Instant) -> Result<ExchangeId, Misuse> {
        self.send(head, content, now)
    }

    /// The same from a URI and field lines that lie somewhere else, without a head in between.
    ///
    /// # Errors
    /// Those of [`send_request`](Self::send_request); those of [`RequestHead::to`]; [`Misuse::FieldName`],
    /// [`Misuse::FieldValue`] for what could not be pushed to a [`RequestHead`].
    pub fn send_lines<'a, F, N, V>(
        &mut self,
        lines: &RequestLines<'a, F>,
        content: Content,
        now: Instant,
    ) -> Result<ExchangeId, Misuse>
    where
        F: Clone + IntoIterator<Item = (&'a N, &'a V)>,
        N: AsRef<[u8]> + ?Sized + 'a,
        V: AsRef<[u8]> + ?Sized + 'a,
    {
        self.send(lines, content, now)
    }

    fn send(&mut self, head: &impl RequestSource, content: Content, now: Instant) -> Result<ExchangeId, Misuse> {
        let now = self.flow.monotonic(now);
        match self.readiness() {
            Readiness::Closing => return Err(Misuse::Closed),
            Readiness::Busy => return Err(Misuse::NotYourTurn),
            Readiness::Idle | Readiness::Pipeline => {}
        }
        let persistence = &self.flow.config.persistence;
        let outline = Outline {
            persistent: persistence.keep_alive && persistence.requests.is_none_or(|most| self.requests + 1 < most),
            peer: self.side.peer,
            ..Outline::default()
        };
        let start = self.flow.outbox.queued();
        let (sending, facts) = self.flow.outbox.stage(|out| generate::request(head, &content, &outline, out))?;
        let method = head.method();
        let head_end = self.flow.outbox.queued();
        self.requests += 1;
        self.side.persistent = sending.persistent;
        let id = ExchangeId(self.requests);
        self.side.pending.push_back(Pending {
            id,
            kind: RequestKind::of(method.as_str().as_bytes()),
            idempotent: method.is_idempotent(),
            upgrade_offered: facts.offers_upgrade() || facts.upgrade,
            persistent: sending.persistent,
            start,
            head_end,
            end: None,
            interim: 0,
            head_millis: None,
            content_pace: None,
            received: Received::Nothing,
        });
        // RFC 9110 §10.1.1: a server ignores the expectation of an HTTP/1.0 request, so waiting for it is in vain.
        let expecting = facts.expectation == Expectation::Continue
            && head.version() == Version::Http11
            && sending.framing_has_content();
        match (Encoder::new(sending.framing), content) {
            (None, _) | (Some(_), Content::Empty) => self.request_complete(),
            (Some(encoder), content) if expecting => {
                let held = if let Content::Full(bytes) = content { Some(bytes) } else { None };
                self.side.send = Send::Expecting(encoder, held);
                self.flow.deadlines.arm(Deadline::Expect, now.saturating_add(self.flow.config.timeouts.expect));
            }
            (Some(mut encoder), Content::Full(bytes)) => {
                // Its length was announced from itself, so it fits.
                encoder.write(bytes, &mut self.flow.outbox)?;
                self.request_complete();
            }
            (Some(encoder), _) => self.side.send = Send::Content(encoder),
        }
        self.flow.deadlines.disarm(Deadline::Idle);
        self.flow.queued(now);
        Ok(id)
    }

    /// How long the head of the response to the request that was sent last may take, from the moment when all of the
    /// request was sent, in place of [`Timeouts::head`](crate::Timeouts::head); counted in milliseconds, and for ever
    /// beyond 49 days. Nothing if none is awaited.
    pub fn limit_response(&mut self, most: Duration, now: Instant) {
        let now = self.flow.monotonic(now);
        let alone = self.side.pending.len() == 1;
        if let Some(last) = self.side.pending.back_mut() {
            last.head_millis = Some(millis(most));
            if alone {
                self.flow.deadlines.disarm(Deadline::Head);
                self.await_head(now);
            }
        }
    }

    /// How long the content of the response to the request that was sent last may rest between two pieces, and how many
    /// bytes of it have to come in a second (0: any), in place of [`Timeouts::content`](crate::Timeouts::content) and
    /// [`Timeouts::content_rate`](crate::Timeouts::content_rate); the pause is counted in milliseconds, and for ever
    /// beyond 49 days. Nothing if no response is awaited.
    ///
    /// ```
    /// use core::time::Duration;
    /// use http_core::{Config, Content, Instant, Method, RequestHead, client};
    /// let mut connection = client::Connection::new(Config::default().into(), Instant::ZERO);
    /// let head = RequestHead::new(Method::Get, "/events")?.with("Host", "example.com")?;
    /// connection.send_request(&head, Content::Empty, Instant::ZERO)?;
    /// connection.limit_content(Duration::MAX, 0); // an event may come tomorrow
    /// # Ok::<(), http_core::Misuse>(())
    /// ```
    pub fn limit_content(&mut self, pause: Duration, rate: u32) {
        if let Some(last) = self.side.pending.back_mut() {
            last.content_pace = Some((millis(pause), rate));
        }
    }
}

/// At least one; what does not fit is for ever.
fn millis(time: Duration) -> NonZeroU32 {
    let millis = u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    NonZeroU32::new(millis).unwrap_or(NonZeroU32::MIN)
}

/// Getters.
impl Connection {
    /// Whether the connection takes another request now.
    ///
    /// A request is pipelined only behind idempotent ones, up to `Persistence::pipelining` in all, and never behind
    /// one that may hand the connection over (RFC 9112 §9.3.2).
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let closing = !self.flow.is_open()
            || self.flow.ended.is_some()
            || self.requests > 0 && !self.side.persistent
            || matches!(self.side.send, Send::Broken)
            || self.side.pending.is_empty() && self.flow.left > 0;
        match self.side.pending.len() {
            _ if closing => Readiness::Closing,
            // It was answered before it was sent: what is left of it goes first (RFC 9112 §9.3).
            0 if !self.flow.outbox.is_empty() => Readiness::Busy,
            0 => Readiness::Idle,
            waiting if waiting >= self.flow.config.persistence.pipelining => Readiness::Busy,
            _ if !matches!(self.side.send, Send::Done) => Readiness::Busy,
            _ if self
                .side
                .pending
                .iter()
                .all(|p| p.idempotent && !p.upgrade_offered && p.kind != RequestKind::Connect) =>
            {
                Readiness::Pipeline
            }
            _ => Readiness::Busy,
        }
    }

    /// The exchange whose response is awaited or being read.
    #[must_use]
    pub fn exchange(&self) -> Option<ExchangeId> {
        self.side.pending.front().map(|pending| pending.id)
    }

    /// The requests whose response is not complete, in order, with what was sent of each and received for it.
    pub fn unanswered(&self) -> impl Iterator<Item = Unanswered> {
        // A response may be complete before its request is.
        let answered = usize::from(matches!(self.side.receive, Receive::Done));
        self.side.pending.iter().skip(answered).map(|pending| pending.unanswered(&self.flow.outbox))
    }

    /// The version of the last response; before the first, what is known of the origin
    /// ([`http10_origin`](crate::Persistence::http10_origin)). To HTTP/1.0 content of unknown length cannot be sent:
    /// that is a [`Misuse::Framing`].
    #[must_use]
    pub const fn peer_version(&self) -> Version {
        self.side.peer
    }
}
