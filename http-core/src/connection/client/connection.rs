//! One connection as a client sees it.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::num::NonZeroU32;
use core::time::Duration;

use bytes::{Bytes, BytesMut};

use super::pending::{ExchangeId, Pending, Received, Unanswered};
use crate::canonical::Collector;
use crate::config::Config;
use crate::connection::deadline::Deadline;
use crate::connection::exchange::End;
use crate::connection::flow::{Closed, Flow, Interest, Life, Linger};
use crate::connection::memory::Memory;
use crate::connection::phase::Phase;
use crate::error::ProtocolError;
use crate::message::content::Content;
use crate::message::facts::{Expectation, RequestKind};
use crate::message::field::Fields;
use crate::message::head::{RequestHead, ResponseHead};
use crate::message::misuse::Misuse;
use crate::message::version::Version;
use crate::read::Decoder;
use crate::read::{Scan, Spare};
use crate::reason::Reason;
use crate::time::Instant;
use crate::write::encode::Encoder;
use crate::write::generate::{self, Outline};
use crate::write::outbox::Outbox;

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
///    [`handle_eof`](Self::handle_eof), [`handle_sent`](Self::handle_sent),
///    [`handle_write_error`](Self::handle_write_error) and [`handle_timeout`](Self::handle_timeout) tell the rest.
/// 2. *Outputs* are asked for: [`poll_event`](Self::poll_event) until it says `None`, what to send by
///    [`transmit`](Self::transmit) or [`outbox`](Self::outbox), when to wake by [`poll_timeout`](Self::poll_timeout),
///    and [`interest`](Self::interest) for what to do with the transport next.
/// 3. *Commands* say what the application wants: [`send_request`](Self::send_request),
///    [`send_content`](Self::send_content), [`send_end`](Self::send_end), [`close`](Self::close),
///    [`abandon`](Self::abandon). After one of them ask for outputs again.
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
#[derive(Clone, Debug)]
pub struct Connection {
    pub(super) flow: Flow,
    pub(super) receive: Receive,
    pub(super) send: Send,
    /// In order; the first is the one whose response is read.
    pub(super) pending: VecDeque<Pending>,
    /// Whether another request may follow those that were sent.
    pub(super) persistent: bool,
    pub(super) spare: Spare,
    /// Requests sent so far.
    pub(super) requests: u64,
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
#[derive(Clone, Debug, Hash)]
pub(super) enum Send {
    /// All that was begun is queued.
    Done,
    /// The content waits for 100 (Continue).
    Expecting(Encoder, Option<Bytes>),
    Content(Encoder),
    /// The transport takes no more; the response is still read.
    Broken,
}

/// Inputs: from the transport and the clock.
impl Connection {
    /// A connection that was just made.
    #[must_use]
    pub fn new(config: Arc<Config>, now: Instant) -> Self {
        let peer = if config.persistence.http10_origin { Version::Http10 } else { Version::Http11 };
        let mut connection = Self {
            flow: Flow::new(config, now),
            receive: Receive::Head(Scan::default()),
            send: Send::Done,
            pending: VecDeque::new(),
            persistent: true,
            spare: Spare::default(),
            requests: 0,
            peer,
        };
        connection.arm_idle(now);
        connection
    }

    /// The incoming half of the transport has ended. Bytes read before it must be in the lent buffer already; what it
    /// means is told by `poll_event` (RFC 9112 §8).
    pub fn handle_eof(&mut self, end: End, now: Instant) {
        let now = self.flow.monotonic(now);
        self.flow.ended.get_or_insert(end);
        self.flow.advance_end(now);
    }

    /// The transport takes no more bytes. A response that the peer has sent already is still read, for as long as
    /// `Timeouts::linger` (RFC 9112 §9.5).
    pub fn handle_write_error(&mut self, now: Instant) {
        let now = self.flow.monotonic(now);
        if self.pending.is_empty() || !self.flow.is_open() {
            self.flow.abort(Closed::Broken);
            return;
        }
        self.flow.outbox.discard();
        self.send = Send::Broken;
        self.persistent = false;
        if let Some(last) = self.pending.back_mut() {
            // Its response, if one comes, is the last that can.
            last.persistent = false;
        }
        self.flow.deadlines.disarm(Deadline::Send);
        self.flow.deadlines.disarm(Deadline::Expect);
        self.flow.deadlines.arm(Deadline::Linger, now.saturating_add(self.flow.config.timeouts.linger));
        // Its response may be complete already.
        self.advance(now);
    }

    /// The transport has taken `count` bytes of what was queued.
    pub fn handle_sent(&mut self, count: usize, now: Instant) {
        let now = self.flow.monotonic(now);
        self.flow.sent(count, now);
        self.await_head(now);
    }

    /// The time that `poll_timeout` named has come. Called too early, or again, it does nothing.
    ///
    /// A response that came too slowly fails; an idle connection is closed; content that waited for 100 (Continue)
    /// long enough is sent (RFC 9110 §10.1.1).
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.flow.monotonic(now);
        while let Some(kind) = self.flow.deadlines.take_expired(now) {
            match kind {
                Deadline::Head => self.fail_late(Reason::HeadTimeout),
                Deadline::Receive => self.fail_late(Reason::ContentTimeout),
                Deadline::Expect => self.release_content(now),
                Deadline::Idle => self.flow.close(Closed::TimedOut(kind), Linger::No, now),
                Deadline::Linger | Deadline::HalfClosed => self.flow.abort(Closed::Broken),
                Deadline::Send => self.flow.abort_unread(),
            }
        }
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
        let now = self.flow.monotonic(now);
        match self.readiness() {
            Readiness::Closing => return Err(Misuse::Closed),
            Readiness::Busy => return Err(Misuse::NotYourTurn),
            Readiness::Idle | Readiness::Pipeline => {}
        }
        let persistence = &self.flow.config.persistence;
        let outline = Outline {
            persistent: persistence.keep_alive && persistence.requests.is_none_or(|most| self.requests + 1 < most),
            peer: self.peer,
            ..Outline::default()
        };
        let facts = head.facts();
        let start = self.flow.outbox.queued();
        let sending = self.flow.outbox.stage(|out| generate::make_header_request(head, &content, &outline, out))?;
        let head_end = self.flow.outbox.queued();
        self.requests += 1;
        self.persistent = sending.persistent;
        let id = ExchangeId(self.requests);
        self.pending.push_back(Pending {
            id,
            kind: head.kind(),
            idempotent: head.method().is_idempotent(),
            upgrade_offered: facts.offers_upgrade() || facts.upgrade,
            persistent: sending.persistent,
            start,
            head_end,
            end: None,
            interim: 0,
            head_millis: None,
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
                self.send = Send::Expecting(encoder, held);
                self.flow.deadlines.arm(Deadline::Expect, now.saturating_add(self.flow.config.timeouts.expect));
            }
            (Some(mut encoder), Content::Full(bytes)) => {
                // Its length was announced from itself, so it fits.
                encoder.write(bytes, &mut self.flow.outbox)?;
                self.request_complete();
            }
            (Some(encoder), _) => self.send = Send::Content(encoder),
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
        let millis = u32::try_from(most.as_millis()).unwrap_or(u32::MAX).max(1);
        let alone = self.pending.len() == 1;
        if let Some(last) = self.pending.back_mut() {
            last.head_millis = NonZeroU32::new(millis);
            if alone {
                self.flow.deadlines.disarm(Deadline::Head);
                self.await_head(now);
            }
        }
    }

    /// Sends a piece of content; a small one is copied, a large one linked. An empty one does nothing.
    ///
    /// # Errors
    /// [`Misuse::NotYourTurn`] without a request whose content is awaited; [`Misuse::TooMuchContent`] beyond what was
    /// announced; [`Misuse::Full`] if [`send_capacity`](Self::send_capacity) is 0; [`Misuse::Closed`].
    pub fn send_content(&mut self, content: Bytes, now: Instant) -> Result<(), Misuse> {
        self.send_piece(now, |encoder, outbox| encoder.write(content, outbox))
    }

    /// Sends a piece of content that is copied whatever its size: for bytes that are not the caller's to give away.
    ///
    /// # Errors
    /// Those of [`send_content`](Self::send_content).
    pub fn send_content_copy(&mut self, content: &[u8], now: Instant) -> Result<(), Misuse> {
        self.send_piece(now, |encoder, outbox| encoder.write_copy(content, outbox))
    }

    /// Ends the request, with trailers if there are any.
    ///
    /// # Errors
    /// [`Misuse::TooLittleContent`] before the announced length is reached; [`Misuse::Trailers`] if the framing has no
    /// place for them or a field may not be among them (RFC 9110 §6.5.1); [`Misuse::Full`] while the content waits for
    /// 100 (Continue); [`Misuse::NotYourTurn`], [`Misuse::Closed`].
    pub fn send_end(&mut self, trailers: &Fields, now: Instant) -> Result<(), Misuse> {
        let now = self.flow.monotonic(now);
        self.must_be_open()?;
        match &self.send {
            Send::Content(encoder) => encoder.end(trailers, &mut self.flow.outbox)?,
            Send::Expecting(..) => return Err(Misuse::Full),
            Send::Done | Send::Broken => return Err(Misuse::NotYourTurn),
        }
        self.request_complete();
        self.flow.queued(now);
        self.advance(now);
        Ok(())
    }

    /// Ends the connection: at once if it is idle, after the exchanges in flight otherwise.
    pub fn close(&mut self, now: Instant) {
        let now = self.flow.monotonic(now);
        self.persistent = false;
        match self.pending.back_mut() {
            Some(last) => last.persistent = false,
            None => self.flow.close(Closed::ByUs, Linger::No, now),
        }
    }

    /// Ends the connection at once, whatever is in flight: how a request is cancelled.
    pub fn abandon(&mut self, now: Instant) {
        self.flow.monotonic(now);
        self.flow.abort(Closed::Abandoned);
    }

    /// Takes the memory of a head, or of its fields, back, so that the next response needs no allocation.
    pub fn recycle(&mut self, head: impl Into<Fields>) {
        self.spare.keep(head.into());
    }

    /// Takes the memory that an idle connection does not need. The next exchange allocates again, unless it is given
    /// some by then.
    #[must_use]
    pub fn take_memory(&mut self) -> Memory {
        Memory::take(&mut self.spare, &mut self.flow.outbox)
    }

    /// Gives the connection memory to work with, where it has none.
    pub fn give_memory(&mut self, memory: Memory) {
        memory.give(&mut self.spare, &mut self.flow.outbox);
    }

    /// Gives memory back that an idle connection does not need. The next exchange allocates again.
    pub fn shrink(&mut self) {
        drop(self.take_memory());
        self.pending.shrink_to_fit();
    }
}

/// Outputs: what is to be done.
impl Connection {
    /// The next event, read off the front of `input`. `None`: more input, or a command, is needed.
    ///
    /// # Errors
    /// The peer broke a rule, or was too slow. Told once; the connection is over.
    pub fn poll_event(&mut self, input: &mut BytesMut, now: Instant) -> Result<Option<Event>, ProtocolError> {
        let now = self.flow.monotonic(now);
        self.poll(input, now)
    }

    /// Fills `slices` with the bytes to send, in order, and returns how many it filled. Tell what was taken with
    /// [`handle_sent`](Self::handle_sent).
    #[must_use]
    pub fn transmit<'a>(&'a self, slices: &mut [&'a [u8]]) -> usize {
        self.flow.outbox.slices(slices)
    }

    /// The queue of bytes to send, for transports that take owned buffers.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.flow.outbox
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due; `None` if nothing is waited for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.flow.deadlines.earliest_at()
    }

    /// What the connection wants from its transport now.
    #[must_use]
    pub fn interest(&self) -> Interest {
        self.flow.interest()
    }

    /// How many bytes of content may be queued now; 0: stop producing until some were sent, or 100 (Continue) came.
    ///
    /// A piece that is larger is taken whole, once.
    #[must_use]
    pub fn send_capacity(&self) -> usize {
        match self.send {
            Send::Content(_) if self.flow.is_open() => self.flow.send_room(),
            _ => 0,
        }
    }
}

/// Getters.
impl Connection {
    /// Where the connection is, in `evhttp`'s words.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match (&self.flow.life, &self.receive) {
            (Life::Dead(_) | Life::Gone, _) => Phase::Disconnected,
            (Life::Switched, _) => Phase::Idle,
            _ if self.pending.is_empty() => Phase::Idle,
            (_, Receive::Content(decoder)) if decoder.in_trailers() => Phase::ReadingTrailer,
            (_, Receive::Content(_) | Receive::Ending) => Phase::ReadingBody,
            (_, Receive::Head(scan)) if scan.start_line_read => Phase::ReadingHeaders,
            (_, Receive::Head(_)) if self.everything_sent() => Phase::ReadingFirstLine,
            _ => Phase::Writing,
        }
    }

    /// The deadline that passes next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Deadline> {
        self.flow.deadlines.earliest().map(|(kind, _)| kind)
    }

    /// Whether the connection takes another request now.
    ///
    /// A request is pipelined only behind idempotent ones, up to `Persistence::pipelining` in all, and never behind
    /// one that may hand the connection over (RFC 9112 §9.3.2).
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let closing = !self.flow.is_open()
            || self.flow.ended.is_some()
            || self.requests > 0 && !self.persistent
            || matches!(self.send, Send::Broken)
            || self.pending.is_empty() && self.flow.left > 0;
        match self.pending.len() {
            _ if closing => Readiness::Closing,
            0 => Readiness::Idle,
            waiting if waiting >= self.flow.config.persistence.pipelining => Readiness::Busy,
            _ if !matches!(self.send, Send::Done) => Readiness::Busy,
            _ if self.pending.iter().all(|p| p.idempotent && !p.upgrade_offered && p.kind != RequestKind::Connect) => {
                Readiness::Pipeline
            }
            _ => Readiness::Busy,
        }
    }

    /// The exchange whose response is awaited or being read.
    #[must_use]
    pub fn exchange(&self) -> Option<ExchangeId> {
        self.pending.front().map(|pending| pending.id)
    }

    /// Whether content of the last request is awaited, and its end. Content that waits for 100 (Continue) is.
    #[must_use]
    pub const fn awaits_content(&self) -> bool {
        matches!(self.send, Send::Content(_) | Send::Expecting(..))
    }

    /// Whether the response that was read last hands the connection over: [`Event::Switched`] follows, or has come.
    #[must_use]
    pub fn is_switching(&self) -> bool {
        matches!(self.receive, Receive::Switching) && !self.flow.is_dead()
    }

    /// Whether the connection speaks another protocol, since [`Event::Switched`].
    #[must_use]
    pub fn is_switched(&self) -> bool {
        self.flow.life == Life::Switched
    }

    /// The requests whose response is not complete, in order, with what was sent of each and received for it.
    pub fn unanswered(&self) -> impl Iterator<Item = Unanswered> {
        // A response may be complete before its request is.
        let answered = usize::from(matches!(self.receive, Receive::Done));
        self.pending.iter().skip(answered).map(|pending| pending.unanswered(&self.flow.outbox))
    }

    /// The version of the last response; before the first, what is known of the origin
    /// ([`http10_origin`](crate::Persistence::http10_origin)). To HTTP/1.0 content of unknown length cannot be sent:
    /// that is a [`Misuse::Framing`].
    #[must_use]
    pub const fn peer_version(&self) -> Version {
        self.peer
    }

    /// What of the state can change what happens, as [`Canonical`](crate::model::Canonical) wants it.
    pub(crate) fn describe(&self, out: &mut Collector, now: Instant) {
        let Self { flow, receive, send, pending, persistent, spare: _, requests, peer } = self;
        flow.describe(out, now);
        let most = flow.config.persistence.requests;
        // Of the number of requests it matters beside that whether there was one.
        out.value((
            receive,
            send,
            persistent,
            peer,
            *requests > 0,
            most.map(|most| most.min(*requests)),
            pending.len(),
        ));
        pending.iter().for_each(|pending| pending.describe(out, &flow.outbox));
    }

    pub(crate) const fn queue(&self) -> &Outbox {
        &self.flow.outbox
    }

    /// The configuration that the connection was made with.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.flow.config
    }
}
