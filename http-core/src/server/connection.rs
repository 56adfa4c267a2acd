//! One connection as a server sees it.

use alloc::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::config::Config;
use crate::content::Content;
use crate::deadline::Deadline;
use crate::decode::{Decoded, Decoder};
use crate::encode::Encoder;
use crate::error::{Misuse, ProtocolError};
use crate::exchange::{self, At, End, Ended, Expecting, Next, Progress, Wanted};
use crate::field::Fields;
use crate::framing::{Expectation, Framing, RequestKind};
use crate::generate::{self, Outline};
use crate::head::{RequestHead, ResponseHead};
use crate::outbox::Outbox;
use crate::parse::{Broken, Scan, Spare};
use crate::phase::Phase;
use crate::reason::Reason;
use crate::time::Instant;
use crate::version::Version;
use crate::wire::{Closed, Interest, Life, Linger, Pause, Wire};

/// What a server's connection tells the application.
///
/// ```
/// use http_core::server::Event;
/// assert!(size_of::<Event>() <= 128);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A request; its content follows once `want_content` was called, and its `End` in any case unless it is dropped.
    Request(RequestHead),
    /// A piece of content, never empty.
    Content(Bytes),
    /// The request is complete; its trailer section, mostly empty.
    End(Fields),
    /// The connection speaks another protocol from here: what is left in the lent buffer belongs to that.
    Switched,
    /// The connection is over, and nothing more will happen.
    Closed(Closed),
}

/// One HTTP/1.1 connection as a server sees it: a pure state machine that does no I/O and reads no clock.
///
/// It is used through four kinds of method, in this order on every turn:
///
/// 1. *Inputs* tell it what happened. Bytes that were read are appended to the buffer that `poll_event` is lent;
///    [`handle_eof`](Self::handle_eof), [`handle_sent`](Self::handle_sent),
///    [`handle_write_error`](Self::handle_write_error), [`handle_timeout`](Self::handle_timeout) and
///    [`handle_date`](Self::handle_date) tell the rest.
/// 2. *Outputs* are asked for: [`poll_event`](Self::poll_event) until it says `None`, what to send by
///    [`transmit`](Self::transmit) or [`outbox`](Self::outbox), when to wake by [`poll_timeout`](Self::poll_timeout),
///    and [`interest`](Self::interest) for what to do with the transport next.
/// 3. *Commands* say what the application wants: [`want_content`](Self::want_content) or
///    [`discard_content`](Self::discard_content), [`send_interim`](Self::send_interim),
///    [`send_response`](Self::send_response), [`send_content`](Self::send_content), [`send_end`](Self::send_end),
///    [`close`](Self::close). After one of them ask for outputs again.
/// 4. *Getters* change nothing.
///
/// Everything that can depend on time takes `now`. No call blocks, panics, or calls back. A command that does not fit
/// returns [`Misuse`] and changes nothing.
///
/// The lent buffer is part of the state: between calls the caller may append to it or move it, nothing else. Requests
/// are answered one after the other; those that came early wait in it.
///
/// ```
/// use bytes::{Bytes, BytesMut};
/// use http_core::{Config, Content, Instant, ResponseHead, StatusCode, server};
///
/// let now = Instant::ZERO; // a real caller asks its clock once a turn
/// let mut connection = server::Connection::new(Config::default().into(), now);
///
/// // 1. read from the transport
/// let mut input = BytesMut::from("GET /hello HTTP/1.1\r\nHost: example.com\r\n\r\n");
/// // 2. ask what it means
/// let Some(server::Event::Request(request)) = connection.poll_event(&mut input, now)? else { panic!() };
/// assert_eq!(request.target(), b"/hello");
/// let Some(server::Event::End(_)) = connection.poll_event(&mut input, now)? else { panic!() };
/// // 3. answer
/// let head = ResponseHead::new(StatusCode::OK).with("Content-Type", "text/plain")?;
/// connection.send_response(&head, Content::Full(Bytes::from_static(b"Hello")), now)?;
/// connection.recycle(request);
/// // 2. write what waits
/// let mut slices = [&b""[..]; 4];
/// let count = connection.transmit(&mut slices);
/// let wire = slices[..count].concat();
/// assert_eq!(
///     wire,
///     b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nHello"
/// );
/// connection.handle_sent(wire.len(), now);
/// // and so on: the connection is persistent and reads the next request
/// assert!(connection.poll_event(&mut input, now)?.is_none());
/// assert!(connection.interest().read);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Connection {
    wire: Wire,
    receive: Receive,
    send: Send,
    exchange: Exchange,
    spare: Spare,
    date: Option<[u8; 29]>,
    /// Requests read so far.
    requests: u64,
}

/// The incoming half: the request.
#[derive(Clone, Debug)]
enum Receive {
    Head(Scan),
    Content(Decoder, Wanted),
    /// Complete, and its end has still to be told.
    Ending,
    Done,
}

/// The outgoing half: the response.
#[derive(Clone, Debug)]
enum Send {
    Head,
    Content(Encoder),
    Done,
}

/// What the two halves of the open exchange need to know of each other.
#[derive(Clone, Debug)]
struct Exchange {
    kind: RequestKind,
    version: Version,
    persistent: bool,
    expecting: Expecting,
    upgrade_offered: bool,
    /// The response that was sent hands the connection over.
    switching: bool,
    interim_sent: u32,
    drained: u64,
}

impl Exchange {
    fn new(persistent: bool) -> Self {
        Self {
            kind: RequestKind::Other,
            version: Version::Http11,
            persistent,
            expecting: Expecting::Nothing,
            upgrade_offered: false,
            switching: false,
            interim_sent: 0,
            drained: 0,
        }
    }
}

/// What one step of reading came to.
enum Step {
    Event(Event),
    Again,
    Pause(Pause),
}

/// Inputs: from the transport and the clock.
impl Connection {
    /// A connection that was just accepted.
    #[must_use]
    pub fn new(config: Arc<Config>, now: Instant) -> Self {
        let mut connection = Self {
            receive: Receive::Head(Scan::default()),
            send: Send::Head,
            exchange: Exchange::new(config.persistence.keep_alive),
            wire: Wire::new(config, now),
            spare: Spare::default(),
            date: None,
            requests: 0,
        };
        connection.rearm(Pause::NeedsInput, &BytesMut::new(), now);
        connection
    }

    /// The incoming half of the transport has ended. Bytes read before it must be in the lent buffer already.
    ///
    /// What it means is told by `poll_event` (RFC 9112 §8, §9.5): between requests the connection is over once its
    /// answers are sent; a peer that shut down its half after a complete request is still answered.
    pub fn handle_eof(&mut self, end: End, now: Instant) {
        let now = self.wire.at(now);
        self.wire.ended.get_or_insert(end);
        let complete = self.progress_of_request() == Progress::Done;
        if complete && self.wire.is_open() && exchange::ended(At::Done, end) == Ended::Gone {
            self.wire.abort(Closed::Broken);
        }
        self.wire.settle(now);
    }

    /// The transport takes no more bytes. Nothing can be answered any more, so the connection is over.
    pub fn handle_write_error(&mut self, now: Instant) {
        self.wire.at(now);
        self.wire.abort(Closed::Broken);
    }

    /// The transport has taken `count` bytes of what was queued.
    pub fn handle_sent(&mut self, count: usize, now: Instant) {
        let now = self.wire.at(now);
        self.wire.sent(count, now);
        self.arm_idle(now);
    }

    /// The time that `poll_timeout` named has come. Called too early, or again, it does nothing.
    ///
    /// A head or content that came too slowly is answered with 408 if its answer has not begun; an idle connection is
    /// closed without a word; one whose peer does not take its answer is dropped.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.wire.at(now);
        while let Some(kind) = self.wire.deadlines.take_expired(now) {
            match kind {
                Deadline::Head => self.fail_late(Reason::HeadTimeout, now),
                Deadline::Receive => self.fail_late(Reason::ContentTimeout, now),
                Deadline::Idle => self.wire.close(Closed::TimedOut(kind), Linger::No, now),
                Deadline::Send | Deadline::Linger | Deadline::Expect => self.wire.abort(Closed::TimedOut(kind)),
            }
        }
    }

    /// The value of `Date` from now on, as RFC 9110 §5.6.7 spells it. Without one, no `Date` is sent.
    pub fn handle_date(&mut self, date: [u8; 29]) {
        // A date is 29 visible characters; anything else could split the message.
        self.date = date.iter().all(|b| (b' '..0x7f).contains(b)).then_some(date);
    }
}

/// Commands: from the application.
impl Connection {
    /// Asks for the content of the open request: [`Event::Content`] and [`Event::End`] follow.
    ///
    /// Sends the one 100 (Continue) if the client waits for it (RFC 9110 §10.1.1). Asked again, or without content to
    /// come, it does nothing.
    pub fn want_content(&mut self, now: Instant) {
        let now = self.wire.at(now);
        let response = self.progress_of_response();
        if let Receive::Content(_, wanted) = &mut self.receive {
            if exchange::continues(self.exchange.expecting, response, self.wire.left > 0) && self.wire.is_open() {
                self.wire.outbox.push_copy(b"HTTP/1.1 100 Continue\r\n\r\n");
            }
            if response == Progress::Head {
                self.exchange.expecting = Expecting::Nothing;
            }
            *wanted = Wanted::Yes;
            self.wire.pause = Pause::NeedsInput;
        }
        self.wire.queued(now);
    }

    /// Nobody wants the rest of the request's content: it is dropped as it comes, within `Limits::drain`, and no
    /// event tells of it.
    pub fn discard_content(&mut self, now: Instant) {
        let now = self.wire.at(now);
        if let Receive::Content(_, wanted) = &mut self.receive {
            *wanted = Wanted::No;
            self.wire.pause = Pause::NeedsInput;
        }
        self.advance(now);
    }

    /// Sends an interim response: 100, 102, 103 (RFC 9110 §15.2).
    ///
    /// # Errors
    /// [`Misuse::NotYourTurn`] without an open request or after its final response; [`Misuse::Status`] if the status
    /// is not interim; [`Misuse::Framing`] with framing fields, or to an HTTP/1.0 client (RFC 9110 §15.2);
    /// [`Misuse::Full`] beyond `Limits::interim_responses`; [`Misuse::Closed`].
    pub fn send_interim(&mut self, head: &ResponseHead, now: Instant) -> Result<(), Misuse> {
        let now = self.may_answer(now)?;
        if self.exchange.version == Version::Http10 {
            return Err(Misuse::Framing);
        }
        if self.exchange.interim_sent >= self.wire.config.limits.interim_responses {
            return Err(Misuse::Full);
        }
        self.wire.outbox.stage(|out| generate::interim(head, out))?;
        self.exchange.interim_sent += 1;
        if head.status().as_u16() == 100 {
            self.exchange.expecting = Expecting::Nothing;
        }
        self.wire.queued(now);
        Ok(())
    }

    /// Sends the final response to the open request, or 101 to one that offered an upgrade.
    ///
    /// With [`Content::Empty`] and [`Content::Full`] the response is complete; otherwise content and end follow.
    /// After 101, and after 2xx to `CONNECT`, [`Event::Switched`] follows.
    ///
    /// # Errors
    /// [`Misuse::NotYourTurn`] without an open request or after its final response; [`Misuse::Closed`]; those of
    /// [`make_header_response`](crate::make_header_response).
    pub fn send_response(&mut self, head: &ResponseHead, content: Content, now: Instant) -> Result<(), Misuse> {
        let now = self.may_answer(now)?;
        let outline = Outline {
            persistent: self.persists_after_response(),
            peer: self.exchange.version,
            upgrade_offered: self.exchange.upgrade_offered,
            date: self.date,
            ..Outline::answering(self.exchange.kind)
        };
        let sending = self.wire.outbox.stage(|out| generate::make_header_response(head, &content, &outline, out))?;
        self.exchange.persistent = sending.persistent;
        self.exchange.switching = head.status().as_u16() == 101 || outline.connect && head.status().is_success();
        self.send = match (Encoder::new(sending.framing), content) {
            (None, _) | (Some(_), Content::Empty) => Send::Done,
            (Some(mut encoder), Content::Full(bytes)) => {
                // Its length was announced from itself, so it fits.
                encoder.write(bytes, &mut self.wire.outbox)?;
                Send::Done
            }
            (Some(encoder), _) => Send::Content(encoder),
        };
        self.advance(now);
        Ok(())
    }

    /// Sends a piece of content; a small one is copied, a large one linked. An empty one does nothing.
    ///
    /// # Errors
    /// [`Misuse::NotYourTurn`] without a response whose content is awaited; [`Misuse::TooMuchContent`] beyond what was
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

    /// Ends the response, with trailers if there are any.
    ///
    /// # Errors
    /// [`Misuse::TooLittleContent`] before the announced length is reached; [`Misuse::Trailers`] if the framing has no
    /// place for them or a field may not be among them (RFC 9110 §6.5.1); [`Misuse::NotYourTurn`], [`Misuse::Closed`].
    pub fn send_end(&mut self, trailers: &Fields, now: Instant) -> Result<(), Misuse> {
        let now = self.wire.at(now);
        self.must_be_open()?;
        let Send::Content(encoder) = &self.send else { return Err(Misuse::NotYourTurn) };
        encoder.end(trailers, &mut self.wire.outbox)?;
        self.send = Send::Done;
        self.advance(now);
        Ok(())
    }

    /// Ends the connection: at once if it is idle, after the open exchange otherwise. A response whose head is not
    /// sent yet will say `Connection: close`; one that is given up in its content leaves the peer with a truncated
    /// message, see [`abandon`](Self::abandon).
    pub fn close(&mut self, now: Instant) {
        let now = self.wire.at(now);
        self.exchange.persistent = false;
        if let Receive::Head(_) = self.receive {
            self.wire.close(Closed::ByUs, Linger::No, now);
        }
        self.advance(now);
    }

    /// Gives the open exchange up: what waits is sent, the response stays unfinished, and the connection ends, so that
    /// the peer cannot take it for complete (RFC 9112 §8).
    pub fn abandon(&mut self, now: Instant) {
        let now = self.wire.at(now);
        let linger = if matches!(self.receive, Receive::Head(_)) { Linger::No } else { Linger::Yes };
        self.wire.close(Closed::Abandoned, linger, now);
    }

    /// Takes the memory of a head, or of its fields, back, so that the next request needs no allocation.
    pub fn recycle(&mut self, head: impl Into<Fields>) {
        self.spare.keep(head.into());
    }

    /// Gives memory back that an idle connection does not need. The next exchange allocates again.
    pub fn shrink(&mut self) {
        self.spare = Spare::default();
        self.wire.outbox.shrink();
    }
}

/// Outputs: what is to be done.
impl Connection {
    /// The next event, read off the front of `input`. `None`: more input, or a command, is needed.
    ///
    /// # Errors
    /// The peer broke a rule. Told once; if no answer had begun, one with the fitting status is queued, and the
    /// connection ends in any case. Input after it is dropped within `Limits::linger`.
    pub fn poll_event(&mut self, input: &mut BytesMut, now: Instant) -> Result<Option<Event>, ProtocolError> {
        let now = self.wire.at(now);
        if self.head_drips(input) { Ok(None) } else { self.poll(input, now) }
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

    /// How many bytes of content may be queued now; 0: stop producing until some were sent.
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
        match (&self.wire.life, &self.receive, &self.send) {
            (Life::Dead(_) | Life::Gone, ..) => Phase::Disconnected,
            (Life::Switched, ..) => Phase::Idle,
            (Life::Closing(..) | Life::Lingering(_), ..) => Phase::Writing,
            (_, Receive::Head(scan), _) if scan.start_line_read => Phase::ReadingHeaders,
            (_, Receive::Head(_), _) if self.wire.deadlines.is_armed(Deadline::Head) => Phase::ReadingFirstLine,
            (_, Receive::Head(_), _) if !self.wire.outbox.is_empty() => Phase::Writing,
            (_, Receive::Head(_), _) => Phase::Idle,
            (_, Receive::Content(decoder, _), Send::Head) if decoder.in_trailers() => Phase::ReadingTrailer,
            (_, Receive::Content(..), Send::Head) => Phase::ReadingBody,
            _ => Phase::Writing,
        }
    }

    /// The deadline that passes next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Deadline> {
        self.wire.deadlines.earliest().map(|(kind, _)| kind)
    }

    /// How the incoming half ended, if it has: what tells a handler that its client may be gone.
    #[must_use]
    pub const fn peer_ended(&self) -> Option<End> {
        self.wire.ended
    }

    /// Whether an exchange is open: its request was delivered and it is not over.
    #[must_use]
    pub const fn is_answering(&self) -> bool {
        !matches!(self.receive, Receive::Head(_))
    }

    /// Whether the open request still awaits its final response.
    #[must_use]
    pub const fn awaits_response(&self) -> bool {
        self.is_answering() && matches!(self.send, Send::Head)
    }

    /// Whether content of the response is awaited, and its end.
    #[must_use]
    pub const fn awaits_content(&self) -> bool {
        matches!(self.send, Send::Content(_))
    }

    /// Whether content of the open request is still to come.
    #[must_use]
    pub const fn content_is_due(&self) -> bool {
        matches!(self.receive, Receive::Content(..))
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
    /// Whether a poll would find what the last one found: an incomplete head that is not worth another look.
    ///
    /// `poll` comes to the same by a longer way; a head that drips in would go it for each byte.
    #[inline]
    fn head_drips(&mut self, input: &BytesMut) -> bool {
        let Receive::Head(scan) = &mut self.receive else { return false };
        // The deadline of the head runs only while input is waited for, with the one for idling at rest.
        let waiting = self.wire.is_open()
            && self.wire.ended.is_none()
            && self.wire.deadlines.is_armed(Deadline::Head)
            && self.wire.pause == Pause::NeedsInput
            && self.wire.send_room() > 0;
        if !waiting || !scan.drips(input, &self.wire.config) {
            return false;
        }
        self.wire.left = input.len();
        true
    }

    /// Steps of reading up to an event, or to where nothing more can be read.
    #[inline(never)]
    fn poll(&mut self, input: &mut BytesMut, now: Instant) -> Result<Option<Event>, ProtocolError> {
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
                    self.rearm(pause, input, now);
                    return Ok(None);
                }
                Err(Broken(reason, offset)) => {
                    let error = self.wire.error(reason, offset);
                    self.fail(error, now);
                    return Err(error);
                }
            }
        }
    }

    /// One step of reading; as many as needed make a poll.
    fn step(&mut self, input: &mut BytesMut, now: Instant) -> Result<Step, Broken> {
        match &self.receive {
            Receive::Head(_) if self.wire.send_room() == 0 => Ok(Step::Pause(Pause::Full)),
            Receive::Head(_) => self.read_head(input, now),
            Receive::Content(_, Wanted::NotYet) => Ok(Step::Pause(Pause::AwaitsApplication)),
            // The connection ends with the response; until that is complete nothing more is dropped.
            Receive::Content(_, Wanted::No) if self.over_drained() => Ok(Step::Pause(Pause::AwaitsApplication)),
            Receive::Content(..) => self.read_content(input, now),
            Receive::Ending => {
                self.receive = Receive::Done;
                self.advance(now);
                Ok(Step::Event(Event::End(Fields::new())))
            }
            Receive::Done if self.exchange.switching && matches!(self.send, Send::Done) => {
                self.wire.life = Life::Switched;
                for kind in [Deadline::Head, Deadline::Idle, Deadline::Receive] {
                    self.wire.deadlines.disarm(kind);
                }
                Ok(Step::Event(Event::Switched))
            }
            Receive::Done => Ok(Step::Pause(Pause::AwaitsApplication)),
        }
    }

    #[inline(never)]
    fn read_head(&mut self, input: &mut BytesMut, now: Instant) -> Result<Step, Broken> {
        let Receive::Head(scan) = &mut self.receive else { return Ok(Step::Again) };
        let ended = self.wire.ended;
        let mut dropped = 0;
        let parsed = scan.request(input, &mut dropped, &self.wire.config, &mut self.spare, ended.is_some());
        self.wire.received = self.wire.received.saturating_add(dropped as u64);
        let Some((head, facts)) = parsed? else {
            let Some(end) = ended else { return Ok(Step::Pause(Pause::NeedsInput)) };
            let at = if scan.has_begun(input) { At::Head } else { At::Start };
            return match exchange::ended(at, end) {
                Ended::Truncated => Err(Broken(Reason::Truncated, input.len())),
                _ => {
                    self.wire.close(Closed::ByPeer, Linger::No, now);
                    Ok(Step::Again)
                }
            };
        };
        self.requests += 1;
        let content_limit = self.wire.config.limits.content;
        let framing = head.framing();
        let may_persist = self.wire.config.persistence.keep_alive
            && self.wire.config.persistence.requests.is_none_or(|most| self.requests < most);
        self.exchange = Exchange {
            kind: head.kind(),
            version: head.version(),
            expecting: match facts.expectation {
                Expectation::Continue => Expecting::Continue,
                _ => Expecting::Nothing,
            },
            upgrade_offered: facts.offers_upgrade(),
            ..Exchange::new(may_persist && facts.persistent(head.version()) && self.exchange.persistent)
        };
        self.send = Send::Head;
        self.wire.deadlines.disarm(Deadline::Head);
        self.wire.deadlines.disarm(Deadline::Idle);
        self.receive = if framing.has_content() {
            self.wire.begin_content();
            Receive::Content(Decoder::new(framing), Wanted::NotYet)
        } else {
            Receive::Ending
        };
        if matches!((framing, content_limit), (Framing::Length(length), Some(limit)) if length > limit) {
            return Err(Broken(Reason::ContentTooLong, 0));
        }
        if facts.expectation == Expectation::Unknown {
            return Ok(self.refuse_expectation(now));
        }
        Ok(Step::Event(Event::Request(head)))
    }

    /// RFC 9110 §10.1.1: an expectation that cannot be met is answered with 417. The request is well-formed, so the
    /// connection goes on behind its content; the application hears nothing of it.
    fn refuse_expectation(&mut self, now: Instant) -> Step {
        let answer = ResponseHead::new(Reason::Expectation.status());
        match &mut self.receive {
            Receive::Content(_, wanted) => *wanted = Wanted::No,
            receive => *receive = Receive::Done,
        }
        if self.send_response(&answer, Content::Empty, now).is_err() {
            // A head that we made ourselves is never refused.
            self.wire.close(Closed::Abandoned, Linger::Yes, now);
        }
        Step::Again
    }

    fn read_content(&mut self, input: &mut BytesMut, now: Instant) -> Result<Step, Broken> {
        let Receive::Content(decoder, wanted) = &mut self.receive else { return Ok(Step::Again) };
        let before = input.len();
        let decoded = decoder.decode(input, &self.wire.config);
        let moved = (before - input.len()) as u64;
        self.wire.received = self.wire.received.saturating_add(moved);
        self.wire.content_moved(moved, now);
        match (decoded?, *wanted) {
            (Decoded::Data(piece), Wanted::Yes) => {
                self.wire.rest_content(now);
                Ok(Step::Event(Event::Content(piece)))
            }
            (Decoded::Data(piece), _) => {
                self.exchange.drained = self.exchange.drained.saturating_add(piece.len() as u64);
                if self.over_drained() {
                    self.exchange.persistent = false;
                    if matches!(self.send, Send::Done) {
                        self.wire.close(Closed::NotPersistent, Linger::Yes, now);
                    }
                }
                Ok(Step::Again)
            }
            (Decoded::End(trailers), wanted) => {
                self.wire.rest_content(now);
                self.receive = Receive::Done;
                self.advance(now);
                match wanted {
                    Wanted::Yes => Ok(Step::Event(Event::End(trailers))),
                    _ => Ok(Step::Again),
                }
            }
            (Decoded::Partial, _) => match self.wire.ended {
                Some(_) => Err(Broken(Reason::Truncated, input.len())),
                None => Ok(Step::Pause(Pause::NeedsInput)),
            },
        }
    }

    /// Goes from one exchange to the next, or to the end, when both messages allow it.
    fn advance(&mut self, now: Instant) {
        self.wire.queued(now);
        if self.exchange.switching || !self.wire.is_open() {
            if let (Receive::Content(_, wanted), true) = (&mut self.receive, self.exchange.switching) {
                *wanted = Wanted::No;
            }
            return;
        }
        let wanted = match &self.receive {
            Receive::Content(_, wanted) => *wanted,
            _ => Wanted::Yes,
        };
        let (request, response) = (self.progress_of_request(), self.progress_of_response());
        match exchange::next(request, response, self.exchange.persistent, wanted) {
            Next::Wait => {}
            Next::Drain => {
                if let Receive::Content(_, wanted) = &mut self.receive {
                    *wanted = Wanted::No;
                }
            }
            Next::Exchange => {
                // The end of a request is told before the next one begins.
                if !matches!(self.receive, Receive::Ending) {
                    self.receive = Receive::Head(Scan::default());
                    self.send = Send::Head;
                    self.exchange = Exchange::new(true);
                }
            }
            Next::Close => {
                if !matches!(self.receive, Receive::Ending) {
                    self.wire.close(Closed::NotPersistent, Linger::Yes, now);
                }
            }
        }
        self.wire.pause = Pause::NeedsInput;
    }

    fn progress_of_request(&self) -> Progress {
        match self.receive {
            Receive::Head(_) => Progress::Head,
            Receive::Content(..) => Progress::Content,
            Receive::Ending | Receive::Done => Progress::Done,
        }
    }

    fn progress_of_response(&self) -> Progress {
        match self.send {
            Send::Head => Progress::Head,
            Send::Content(_) => Progress::Content,
            Send::Done => Progress::Done,
        }
    }

    fn persists_after_response(&self) -> bool {
        let (wanted, unread) = match &self.receive {
            Receive::Content(decoder, wanted) => (*wanted, decoder.remaining()),
            _ => (Wanted::Yes, Some(0)),
        };
        let budget = self.wire.config.limits.drain;
        self.exchange.persistent
            && self.wire.ended.is_none()
            && exchange::survives_final_response(
                self.exchange.expecting,
                self.progress_of_request(),
                wanted,
                unread,
                budget,
            )
    }

    /// Whether more content was dropped than keeping the connection is worth.
    fn over_drained(&self) -> bool {
        self.exchange.drained > self.wire.config.limits.drain
    }

    fn must_be_open(&self) -> Result<(), Misuse> {
        if self.wire.is_open() { Ok(()) } else { Err(Misuse::Closed) }
    }

    fn may_answer(&mut self, now: Instant) -> Result<Instant, Misuse> {
        let now = self.wire.at(now);
        self.must_be_open()?;
        if self.awaits_response() { Ok(now) } else { Err(Misuse::NotYourTurn) }
    }

    fn send_piece(
        &mut self,
        now: Instant,
        write: impl FnOnce(&mut Encoder, &mut Outbox) -> Result<(), Misuse>,
    ) -> Result<(), Misuse> {
        let now = self.wire.at(now);
        self.must_be_open()?;
        let full = self.wire.send_room() == 0;
        let Send::Content(encoder) = &mut self.send else { return Err(Misuse::NotYourTurn) };
        if full {
            return Err(Misuse::Full);
        }
        write(encoder, &mut self.wire.outbox)?;
        self.wire.queued(now);
        Ok(())
    }

    /// The peer broke a rule: answers if no answer has begun, and ends the connection.
    fn fail(&mut self, error: ProtocolError, now: Instant) {
        let reason = error.reason();
        if matches!(self.send, Send::Head) && reason != Reason::Truncated {
            let mut outline = Outline::answering(self.exchange.kind);
            outline.persistent = false;
            outline.date = self.date;
            let answer = ResponseHead::new(reason.status());
            // A head that we made ourselves is never refused.
            let _ =
                self.wire.outbox.stage(|out| generate::make_header_response(&answer, &Content::Empty, &outline, out));
            self.send = Send::Done;
        }
        self.wire.queued(now);
        let linger = if reason == Reason::Truncated { Linger::No } else { Linger::Yes };
        self.wire.close(Closed::Failed(reason), linger, now);
    }

    /// The peer was too slow; `poll_event` tells it.
    fn fail_late(&mut self, reason: Reason, now: Instant) {
        if self.wire.is_open() {
            let error = self.wire.error(reason, self.wire.left);
            self.wire.tell(error);
            self.fail(error, now);
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
    fn rearm(&mut self, pause: Pause, input: &BytesMut, now: Instant) {
        let waiting = pause == Pause::NeedsInput && self.wire.ended.is_none();
        match &self.receive {
            Receive::Head(scan) if waiting && scan.has_begun(input) => {
                self.wire.deadlines.disarm(Deadline::Idle);
                if !self.wire.deadlines.is_armed(Deadline::Head) {
                    let at = now.saturating_add(self.wire.config.timeouts.head);
                    self.wire.deadlines.arm(Deadline::Head, at);
                }
            }
            Receive::Head(_) if waiting => self.arm_idle(now),
            Receive::Content(..) if waiting => self.wire.await_content(now),
            _ => {
                self.wire.deadlines.disarm(Deadline::Head);
                self.wire.deadlines.disarm(Deadline::Idle);
                self.wire.rest_content(now);
            }
        }
    }

    /// Idling begins when nothing of a request is there and everything was sent.
    fn arm_idle(&mut self, now: Instant) {
        let Receive::Head(_) = &self.receive else { return };
        let deadlines = &mut self.wire.deadlines;
        let busy = deadlines.is_armed(Deadline::Head) || deadlines.is_armed(Deadline::Idle);
        if self.wire.life == Life::Open && self.wire.left == 0 && self.wire.outbox.is_empty() && !busy {
            deadlines.arm(Deadline::Idle, now.saturating_add(self.wire.config.timeouts.idle));
        }
    }
}
