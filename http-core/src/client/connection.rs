//! One connection as a client sees it.

use alloc::collections::VecDeque;
use alloc::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::pending::{ExchangeId, Pending, Received, Unanswered};
use crate::config::Config;
use crate::content::Content;
use crate::deadline::Deadline;
use crate::decode::{Decoded, Decoder};
use crate::encode::Encoder;
use crate::error::{Misuse, ProtocolError};
use crate::exchange::{self, At, End, Ended, Expecting, Meaning, Next, Progress, Rest, Wanted};
use crate::field::Fields;
use crate::framing::{Expectation, Framing, RequestKind};
use crate::generate::{self, Outline};
use crate::head::{RequestHead, ResponseHead};
use crate::outbox::Outbox;
use crate::parse::{Broken, Scan, Spare};
use crate::phase::Phase;
use crate::reason::Reason;
use crate::time::Instant;
use crate::wire::{Closed, Interest, Life, Linger, Pause, Wire};

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
    wire: Wire,
    receive: Receive,
    send: Send,
    /// In order; the first is the one whose response is read.
    pending: VecDeque<Pending>,
    /// Whether another request may follow those that were sent.
    persistent: bool,
    spare: Spare,
    /// Requests sent so far.
    requests: u64,
}

/// The incoming half: the response to the first request that awaits one.
#[derive(Clone, Debug)]
enum Receive {
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
#[derive(Clone, Debug)]
enum Send {
    /// All that was begun is queued.
    Done,
    /// The content waits for 100 (Continue).
    Expecting(Encoder, Option<Bytes>),
    Content(Encoder),
    /// The transport takes no more; the response is still read.
    Broken,
}

enum Step {
    Event(Event),
    Again,
    Pause(Pause),
}

/// Inputs: from the transport and the clock.
impl Connection {
    /// A connection that was just made.
    #[must_use]
    pub fn new(config: Arc<Config>, now: Instant) -> Self {
        let mut connection = Self {
            wire: Wire::new(config, now),
            receive: Receive::Head(Scan::default()),
            send: Send::Done,
            pending: VecDeque::new(),
            persistent: true,
            spare: Spare::default(),
            requests: 0,
        };
        connection.rearm(Pause::NeedsInput, now);
        connection
    }

    /// The incoming half of the transport has ended. Bytes read before it must be in the lent buffer already; what it
    /// means is told by `poll_event` (RFC 9112 §8).
    pub fn handle_eof(&mut self, end: End, now: Instant) {
        let now = self.wire.at(now);
        self.wire.ended.get_or_insert(end);
        self.wire.settle(now);
    }

    /// The transport takes no more bytes. A response that the peer has sent already is still read, for as long as
    /// `Timeouts::linger` (RFC 9112 §9.5).
    pub fn handle_write_error(&mut self, now: Instant) {
        let now = self.wire.at(now);
        if self.pending.is_empty() || !self.wire.is_open() {
            self.wire.abort(Closed::Broken);
            return;
        }
        self.wire.outbox.discard();
        self.send = Send::Broken;
        self.persistent = false;
        self.wire.deadlines.disarm(Deadline::Send);
        self.wire.deadlines.disarm(Deadline::Expect);
        self.wire.deadlines.arm(Deadline::Linger, now.saturating_add(self.wire.config.timeouts.linger));
    }

    /// The transport has taken `count` bytes of what was queued.
    pub fn handle_sent(&mut self, count: usize, now: Instant) {
        let now = self.wire.at(now);
        self.wire.sent(count, now);
        self.await_head(now);
    }

    /// The time that `poll_timeout` named has come. Called too early, or again, it does nothing.
    ///
    /// A response that came too slowly fails; an idle connection is closed; content that waited for 100 (Continue)
    /// long enough is sent (RFC 9110 §10.1.1).
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.wire.at(now);
        while let Some(kind) = self.wire.deadlines.take_expired(now) {
            match kind {
                Deadline::Head => self.fail_late(Reason::HeadTimeout, now),
                Deadline::Receive => self.fail_late(Reason::ContentTimeout, now),
                Deadline::Expect => self.release_content(now),
                Deadline::Idle => self.wire.close(Closed::TimedOut(kind), Linger::No, now),
                Deadline::Linger => self.wire.abort(Closed::Broken),
                Deadline::Send => self.wire.abort(Closed::TimedOut(kind)),
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
        let now = self.wire.at(now);
        match self.readiness() {
            Readiness::Closing => return Err(Misuse::Closed),
            Readiness::Busy => return Err(Misuse::NotYourTurn),
            Readiness::Idle | Readiness::Pipeline => {}
        }
        let persistence = &self.wire.config.persistence;
        let outline = Outline {
            persistent: persistence.keep_alive && persistence.requests.is_none_or(|most| self.requests + 1 < most),
            ..Outline::default()
        };
        let facts = head.facts();
        let start = self.wire.outbox.queued();
        let sending = self.wire.outbox.stage(|out| generate::make_header_request(head, &content, &outline, out))?;
        let head_end = self.wire.outbox.queued();
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
            received: Received::Nothing,
        });
        let expecting = facts.expectation == Expectation::Continue && sending.framing_has_content();
        match (Encoder::new(sending.framing), content) {
            (None, _) | (Some(_), Content::Empty) => self.request_complete(),
            (Some(encoder), content) if expecting => {
                let held = if let Content::Full(bytes) = content { Some(bytes) } else { None };
                self.send = Send::Expecting(encoder, held);
                self.wire.deadlines.arm(Deadline::Expect, now.saturating_add(self.wire.config.timeouts.expect));
            }
            (Some(mut encoder), Content::Full(bytes)) => {
                // Its length was announced from itself, so it fits.
                encoder.write(bytes, &mut self.wire.outbox)?;
                self.request_complete();
            }
            (Some(encoder), _) => self.send = Send::Content(encoder),
        }
        self.wire.deadlines.disarm(Deadline::Idle);
        self.wire.queued(now);
        Ok(id)
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
        let now = self.wire.at(now);
        self.must_be_open()?;
        match &self.send {
            Send::Content(encoder) => encoder.end(trailers, &mut self.wire.outbox)?,
            Send::Expecting(..) => return Err(Misuse::Full),
            Send::Done | Send::Broken => return Err(Misuse::NotYourTurn),
        }
        self.request_complete();
        self.wire.queued(now);
        self.advance(now);
        Ok(())
    }

    /// Ends the connection: at once if it is idle, after the exchanges in flight otherwise.
    pub fn close(&mut self, now: Instant) {
        let now = self.wire.at(now);
        self.persistent = false;
        match self.pending.back_mut() {
            Some(last) => last.persistent = false,
            None => self.wire.close(Closed::ByUs, Linger::No, now),
        }
    }

    /// Ends the connection at once, whatever is in flight: how a request is cancelled.
    pub fn abandon(&mut self, now: Instant) {
        self.wire.at(now);
        self.wire.abort(Closed::Abandoned);
    }

    /// Takes the memory of a head, or of its fields, back, so that the next response needs no allocation.
    pub fn recycle(&mut self, head: impl Into<Fields>) {
        self.spare.keep(head.into());
    }

    /// Gives memory back that an idle connection does not need. The next exchange allocates again.
    pub fn shrink(&mut self) {
        self.spare = Spare::default();
        self.wire.outbox.shrink();
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
        let now = self.wire.at(now);
        if let Some(error) = self.wire.take_failure() {
            return Err(error);
        }
        loop {
            if !self.wire.is_open() {
                return Ok(self.poll_over(input, now));
            }
            match self.step(input, now) {
                Ok(Step::Event(event)) => {
                    self.wire.left = input.len();
                    return Ok(Some(event));
                }
                Ok(Step::Again) => {}
                Ok(Step::Pause(pause)) => {
                    self.wire.left = input.len();
                    self.wire.pause = pause;
                    self.rearm(pause, now);
                    return Ok(None);
                }
                Err(Broken(reason, offset)) => {
                    let error = self.wire.error(reason, offset);
                    self.wire.abort(Closed::Failed(reason));
                    return Err(error);
                }
            }
        }
    }

    /// Fills `slices` with the bytes to send, in order, and returns how many it filled. Tell what was taken with
    /// [`handle_sent`](Self::handle_sent).
    #[must_use]
    pub fn transmit<'a>(&'a self, slices: &mut [&'a [u8]]) -> usize {
        self.wire.outbox.slices(slices)
    }

    /// The queue of bytes to send, for transports that take owned buffers.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.wire.outbox
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due; `None` if nothing is waited for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.wire.deadlines.earliest_at()
    }

    /// What the connection wants from its transport now.
    #[must_use]
    pub fn interest(&self) -> Interest {
        self.wire.interest()
    }

    /// How many bytes of content may be queued now; 0: stop producing until some were sent, or 100 (Continue) came.
    ///
    /// A piece that is larger is taken whole, once.
    #[must_use]
    pub fn send_capacity(&self) -> usize {
        match self.send {
            Send::Content(_) if self.wire.is_open() => self.wire.send_room(),
            _ => 0,
        }
    }
}

/// Getters.
impl Connection {
    /// Where the connection is, in `evhttp`'s words.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match (&self.wire.life, &self.receive) {
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
        self.wire.deadlines.earliest().map(|(kind, _)| kind)
    }

    /// Whether the connection takes another request now.
    ///
    /// A request is pipelined only behind idempotent ones, up to `Persistence::pipelining` in all, and never behind
    /// one that may hand the connection over (RFC 9112 §9.3.2).
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        let closing = !self.wire.is_open()
            || self.wire.ended.is_some()
            || self.requests > 0 && !self.persistent
            || matches!(self.send, Send::Broken)
            || self.pending.is_empty() && self.wire.left > 0;
        match self.pending.len() {
            _ if closing => Readiness::Closing,
            0 => Readiness::Idle,
            waiting if waiting >= self.wire.config.persistence.pipelining => Readiness::Busy,
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

    /// The requests whose response is not complete, in order, with what was sent of each and received for it.
    pub fn unanswered(&self) -> impl Iterator<Item = Unanswered> {
        self.pending.iter().map(|pending| pending.unanswered(&self.wire.outbox))
    }

    pub(crate) const fn queue(&self) -> &Outbox {
        &self.wire.outbox
    }

    /// The configuration that the connection was made with.
    #[must_use]
    pub fn config(&self) -> &Arc<Config> {
        &self.wire.config
    }
}

/// Transitions.
impl Connection {
    fn step(&mut self, input: &mut BytesMut, now: Instant) -> Result<Step, Broken> {
        match &self.receive {
            Receive::Head(_) if self.pending.is_empty() => self.idle(input, now),
            Receive::Head(_) => self.read_head(input, now),
            Receive::Content(_) => self.read_content(input, now),
            Receive::Ending => {
                self.receive = Receive::Done;
                self.advance(now);
                Ok(Step::Event(Event::End(Fields::new())))
            }
            Receive::Switching if self.progress_of_request() == Progress::Done => {
                self.pending.pop_front();
                self.wire.life = Life::Switched;
                for kind in [Deadline::Head, Deadline::Idle, Deadline::Receive, Deadline::Expect] {
                    self.wire.deadlines.disarm(kind);
                }
                Ok(Step::Event(Event::Switched))
            }
            Receive::Done if self.wire.ended.is_some() => {
                // The peer is gone; the rest of the request has nobody to go to.
                self.wire.abort(Closed::ByPeer);
                Ok(Step::Again)
            }
            Receive::Done | Receive::Switching => Ok(Step::Pause(Pause::AwaitsApplication)),
        }
    }

    /// Nothing is awaited: the end of the stream, or any byte, ends the connection (RFC 9112 §9.2, §9.5).
    fn idle(&mut self, input: &mut BytesMut, now: Instant) -> Result<Step, Broken> {
        if !input.is_empty() {
            return Err(Broken(Reason::SurplusBytes, 0));
        }
        if self.wire.ended.is_some() {
            self.wire.close(Closed::ByPeer, Linger::No, now);
            return Ok(Step::Again);
        }
        Ok(Step::Pause(Pause::NeedsInput))
    }

    #[inline(never)]
    fn read_head(&mut self, input: &mut BytesMut, now: Instant) -> Result<Step, Broken> {
        let (Receive::Head(scan), Some(front)) = (&mut self.receive, self.pending.front_mut()) else {
            return Ok(Step::Again);
        };
        if !input.is_empty() {
            if self.wire.outbox.handed_over() <= front.start {
                // It cannot be the answer to a request that was not sent.
                return Err(Broken(Reason::SurplusBytes, 0));
            }
            front.received = front.received.max(Received::Interim);
        }
        let ended = self.wire.ended;
        let mut dropped = 0;
        let config = &self.wire.config;
        let parsed = scan.response(input, &mut dropped, config, &mut self.spare, front.kind, ended.is_some());
        self.wire.received = self.wire.received.saturating_add(dropped as u64);
        let Some((head, facts, certain)) = parsed? else {
            let Some(end) = ended else { return Ok(Step::Pause(Pause::NeedsInput)) };
            let at = if input.is_empty() && front.interim == 0 { At::Start } else { At::Head };
            return match exchange::ended(at, end) {
                Ended::Truncated => Err(Broken(Reason::Truncated, input.len())),
                _ => {
                    self.wire.abort(Closed::Unanswered);
                    Ok(Step::Again)
                }
            };
        };
        match exchange::meaning(head.status(), front.kind, front.upgrade_offered) {
            Meaning::Unexpected => Err(Broken(Reason::UnexpectedSwitch, 0)),
            meaning @ (Meaning::Interim | Meaning::Continue) => {
                front.interim += 1;
                if front.interim > self.wire.config.limits.interim_responses {
                    return Err(Broken(Reason::TooManyInterim, 0));
                }
                if meaning == Meaning::Continue {
                    self.release_content(now);
                }
                self.wire.deadlines.disarm(Deadline::Head);
                self.await_head(now);
                Ok(Step::Event(Event::Interim(head)))
            }
            Meaning::Switched => {
                front.received = Received::Final;
                self.receive = Receive::Switching;
                self.wire.deadlines.disarm(Deadline::Head);
                self.release_content(now);
                Ok(Step::Event(Event::Response(head)))
            }
            Meaning::Final => {
                front.received = Received::Final;
                let framing = head.framing();
                front.persistent &= certain && framing != Framing::UntilClose && facts.persistent(head.version());
                self.wire.deadlines.disarm(Deadline::Head);
                self.begin_response(framing, head.status());
                Ok(Step::Event(Event::Response(head)))
            }
        }
    }

    fn begin_response(&mut self, framing: Framing, status: crate::status::StatusCode) {
        let expecting = match self.send {
            Send::Expecting(..) => Expecting::Continue,
            _ => Expecting::Nothing,
        };
        if exchange::rest_of_request(status, self.progress_of_request(), expecting) == Rest::Withhold {
            self.send = Send::Done;
            self.persistent = false;
            self.wire.deadlines.disarm(Deadline::Expect);
            if let Some(front) = self.pending.front_mut() {
                front.persistent = false;
            }
        }
        if !self.pending.front().is_some_and(|front| front.persistent) {
            self.persistent = false;
        }
        self.receive = if framing.has_content() {
            self.wire.begin_content();
            Receive::Content(Decoder::of_response(framing))
        } else {
            Receive::Ending
        };
    }

    fn read_content(&mut self, input: &mut BytesMut, now: Instant) -> Result<Step, Broken> {
        let Receive::Content(decoder) = &mut self.receive else { return Ok(Step::Again) };
        let before = input.len();
        let decoded = decoder.decode(input, &self.wire.config);
        let moved = (before - input.len()) as u64;
        self.wire.received = self.wire.received.saturating_add(moved);
        self.wire.content_moved(moved, now);
        match decoded? {
            Decoded::Data(piece) => {
                self.wire.rest_content(now);
                Ok(Step::Event(Event::Content(piece)))
            }
            Decoded::End(trailers) => {
                self.wire.rest_content(now);
                self.receive = Receive::Done;
                self.advance(now);
                Ok(Step::Event(Event::End(trailers)))
            }
            Decoded::Partial => {
                let Some(end) = self.wire.ended else { return Ok(Step::Pause(Pause::NeedsInput)) };
                match exchange::ended(At::Content { until_close: decoder.ends_with_connection() }, end) {
                    Ended::Complete => {
                        self.receive = Receive::Ending;
                        Ok(Step::Again)
                    }
                    _ => Err(Broken(Reason::Truncated, input.len())),
                }
            }
        }
    }

    /// Goes from one exchange to the next, or to the end, when both messages allow it.
    fn advance(&mut self, now: Instant) {
        let response = match self.receive {
            Receive::Done => Progress::Done,
            _ => Progress::Content,
        };
        let Some(front) = self.pending.front() else { return };
        match exchange::next(self.progress_of_request(), response, front.persistent, Wanted::Yes) {
            Next::Exchange => {
                self.pending.pop_front();
                self.receive = Receive::Head(Scan::default());
                self.wire.pause = Pause::NeedsInput;
                self.await_head(now);
            }
            Next::Close => {
                self.pending.pop_front();
                self.wire.abort(Closed::NotPersistent);
            }
            Next::Wait | Next::Drain => {}
        }
    }

    /// How far the request is whose response is read. Only the last one can be incomplete.
    fn progress_of_request(&self) -> Progress {
        match self.send {
            Send::Expecting(..) | Send::Content(_) if self.pending.len() == 1 => Progress::Content,
            _ => Progress::Done,
        }
    }

    fn request_complete(&mut self) {
        self.send = Send::Done;
        if let Some(last) = self.pending.back_mut() {
            last.end = Some(self.wire.outbox.queued());
        }
    }

    /// Content that waited for 100 (Continue) may be sent.
    fn release_content(&mut self, now: Instant) {
        self.wire.deadlines.disarm(Deadline::Expect);
        match core::mem::replace(&mut self.send, Send::Done) {
            Send::Expecting(mut encoder, Some(held)) => {
                // Its length was announced from itself, so it fits.
                let _ = encoder.write(held, &mut self.wire.outbox);
                self.request_complete();
            }
            Send::Expecting(encoder, None) => self.send = Send::Content(encoder),
            other => self.send = other,
        }
        self.wire.queued(now);
    }

    fn everything_sent(&self) -> bool {
        matches!(self.send, Send::Done | Send::Broken) && self.wire.outbox.is_empty()
    }

    fn must_be_open(&self) -> Result<(), Misuse> {
        if self.wire.is_open() { Ok(()) } else { Err(Misuse::Closed) }
    }

    fn send_piece(
        &mut self,
        now: Instant,
        write: impl FnOnce(&mut Encoder, &mut Outbox) -> Result<(), Misuse>,
    ) -> Result<(), Misuse> {
        let now = self.wire.at(now);
        self.must_be_open()?;
        let full = self.wire.send_room() == 0;
        match &mut self.send {
            Send::Expecting(..) => return Err(Misuse::Full),
            Send::Done | Send::Broken => return Err(Misuse::NotYourTurn),
            Send::Content(_) if full => return Err(Misuse::Full),
            Send::Content(encoder) => write(encoder, &mut self.wire.outbox)?,
        }
        self.wire.queued(now);
        Ok(())
    }

    /// The peer was too slow; `poll_event` tells it.
    fn fail_late(&mut self, reason: Reason, _now: Instant) {
        if self.wire.is_open() {
            let error = self.wire.error(reason, self.wire.left);
            self.wire.tell(error);
            self.wire.abort(Closed::Failed(reason));
        }
    }

    fn poll_over(&mut self, input: &mut BytesMut, now: Instant) -> Option<Event> {
        if self.wire.life == Life::Switched {
            return None;
        }
        self.wire.drop_input(input);
        self.wire.left = 0;
        self.wire.settle(now);
        self.wire.take_end().map(Event::Closed)
    }

    /// Sets the deadlines of reading when a poll has stopped.
    fn rearm(&mut self, pause: Pause, now: Instant) {
        let waiting = pause == Pause::NeedsInput && self.wire.ended.is_none();
        match &self.receive {
            Receive::Head(_) if waiting && self.pending.is_empty() => {
                if !self.wire.deadlines.is_armed(Deadline::Idle) {
                    self.wire.deadlines.arm(Deadline::Idle, now.saturating_add(self.wire.config.timeouts.idle));
                }
            }
            Receive::Head(_) if waiting => self.await_head(now),
            Receive::Content(_) if waiting => self.wire.await_content(now),
            _ => self.wire.rest_content(now),
        }
    }

    /// The deadline of a response head runs from the moment its request was sent.
    fn await_head(&mut self, now: Instant) {
        let waits = matches!(self.receive, Receive::Head(_)) && !self.pending.is_empty() && self.wire.is_open();
        if waits && self.everything_sent() && !self.wire.deadlines.is_armed(Deadline::Head) {
            self.wire.deadlines.arm(Deadline::Head, now.saturating_add(self.wire.config.timeouts.head));
        }
    }
}
