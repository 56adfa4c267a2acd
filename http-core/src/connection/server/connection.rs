//! One connection as a server sees it.

use alloc::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::canonical::Collector;
use crate::config::Config;
use crate::connection::deadline::Deadline;
use crate::connection::exchange::{self, At, End, Ended, Expecting, Progress, Wanted};
use crate::connection::flow::{Closed, Flow, Interest, Life, Linger, Pause};
use crate::connection::memory::Memory;
use crate::connection::phase::Phase;
use crate::error::ProtocolError;
use crate::message::content::Content;
use crate::message::facts::RequestKind;
use crate::message::field::Fields;
use crate::message::head::{RequestHead, ResponseHead};
use crate::message::misuse::Misuse;
use crate::message::status::StatusCode;
use crate::message::version::Version;
use crate::read::Decoder;
use crate::read::{Scan, Spare};
use crate::reason::Reason;
use crate::time::Instant;
use crate::write::encode::Encoder;
use crate::write::generate::{self, Outline, SendFraming};
use crate::write::mend::mend_response;
use crate::write::outbox::{self, Outbox};

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

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
    /// The extensions of the chunk whose content follows, as they stand behind its size (RFC 9112 §7.1.1); only with
    /// [`Events::chunk_extensions`](crate::Events::chunk_extensions).
    ChunkExtensions(Bytes),
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
/// assert!(connection.interest().lend > 0);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Connection {
    pub(super) flow: Flow,
    pub(super) receive: Receive,
    pub(super) send: Send,
    pub(super) exchange: Exchange,
    pub(super) spare: Spare,
    pub(super) date: Option<[u8; 29]>,
    /// The application has asked for the end: the exchange that is open, or whose head has begun to come, is the last.
    pub(super) closing: bool,
    /// Whether the fault that ended the connection was answered.
    pub(super) refused: Option<bool>,
    /// Requests that were answered with 417.
    pub(super) unmet: u32,
    /// Requests read so far.
    pub(super) requests: u64,
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
#[derive(Clone, Debug, Hash)]
pub(super) struct Exchange {
    pub(super) kind: RequestKind,
    pub(super) version: Version,
    pub(super) persistent: bool,
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
            expecting: Expecting::Nothing,
            upgrade_offered: false,
            switching: false,
            interim_sent: 0,
            drained: 0,
        }
    }
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
            flow: Flow::new(config, now),
            spare: Spare::default(),
            date: None,
            closing: false,
            refused: None,
            unmet: 0,
            requests: 0,
        };
        connection.rearm(Pause::NeedsInput, &BytesMut::new(), now);
        connection
    }

    /// The incoming half of the transport has ended. Bytes read before it must be in the lent buffer already.
    ///
    /// What it means is told by `poll_event` (RFC 9112 §8, §9.5): between requests the connection is over once its
    /// answers are sent. A client that has ended its side in order is still answered, if the head of its answer comes
    /// within [`Timeouts::half_closed`](crate::Timeouts::half_closed); if it left inside its content that is told as an
    /// error first, and answered all the same. An unclean end while a request is open ends the connection at once.
    pub fn handle_eof(&mut self, end: End, now: Instant) {
        let now = self.flow.monotonic(now);
        self.flow.ended.get_or_insert(end);
        // Whatever of the request is still unread, its answer has nobody to go to.
        if self.is_answering() && self.flow.is_open() && exchange::ended(At::Done, end) == Ended::Gone {
            self.flow.abort(Closed::Broken);
        }
        self.flow.advance_end(now);
        self.arm_half_closed(now);
    }

    /// The transport takes no more bytes. Nothing can be answered any more, so the connection is over.
    pub fn handle_write_error(&mut self, now: Instant) {
        self.flow.monotonic(now);
        self.flow.abort(Closed::Broken);
    }

    /// The transport has taken `count` bytes of what was queued.
    pub fn handle_sent(&mut self, count: usize, now: Instant) {
        let now = self.flow.monotonic(now);
        let lost = self.flow.is_dead();
        self.flow.sent(count, now);
        if !lost {
            self.note_all_sent();
        }
        self.arm_idle(now);
        self.arm_half_closed(now);
    }

    /// The time that `poll_timeout` named has come. Called too early, or again, it does nothing.
    ///
    /// A head or content that came too slowly is answered with 408 if its answer has not begun; an idle connection is
    /// closed without a word; one whose peer does not take its answer is reset.
    pub fn handle_timeout(&mut self, now: Instant) {
        let now = self.flow.monotonic(now);
        while let Some(kind) = self.flow.deadlines.take_expired(now) {
            match kind {
                Deadline::Head => self.fail_late(Reason::HeadTimeout, now),
                Deadline::Receive => self.fail_late(Reason::ContentTimeout, now),
                Deadline::Idle => self.flow.close(Closed::TimedOut(kind), Linger::No, now),
                Deadline::Send => self.flow.abort_unread(),
                // Whoever has left does not wait for what is missing; what is complete was sent.
                Deadline::HalfClosed => self.flow.close(Closed::TimedOut(kind), Linger::No, now),
                Deadline::Linger | Deadline::Expect => self.flow.abort(Closed::TimedOut(kind)),
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
    /// Sends the one 100 (Continue) if the client waits for it (RFC 9110 §10.1.1). Asked again, without content to
    /// come, or when the content is being dropped already, it does nothing: after
    /// [`discard_content`](Self::discard_content), and from the first [`poll_event`](Self::poll_event) after a complete
    /// response, nobody gets it.
    pub fn want_content(&mut self, now: Instant) {
        let now = self.flow.monotonic(now);
        let response = self.progress_of_response();
        if let Receive::Content(_, wanted @ (Wanted::NotYet | Wanted::Yes)) = &mut self.receive {
            if exchange::continues(self.exchange.expecting, response, self.flow.left > 0) && self.flow.is_open() {
                self.flow.outbox.push_copy(CONTINUE);
            }
            if response == Progress::Head {
                self.exchange.expecting = Expecting::Nothing;
            }
            *wanted = Wanted::Yes;
            self.flow.pause = Pause::NeedsInput;
            self.await_more(now);
        }
        self.flow.queued(now);
    }

    /// Nobody wants the rest of the request's content: it is dropped as it comes, within `Limits::drain`, and no
    /// event tells of it.
    pub fn discard_content(&mut self, now: Instant) {
        let now = self.flow.monotonic(now);
        if let Receive::Content(_, wanted @ (Wanted::NotYet | Wanted::Yes)) = &mut self.receive {
            *wanted = Wanted::No;
            self.flow.pause = Pause::NeedsInput;
            self.await_more(now);
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
        if self.exchange.interim_sent >= self.flow.config.limits.interim_responses {
            return Err(Misuse::Full);
        }
        self.flow.outbox.stage(|out| generate::interim(head, out))?;
        self.exchange.interim_sent += 1;
        if head.status().as_u16() == 100 {
            self.exchange.expecting = Expecting::Nothing;
        }
        self.flow.queued(now);
        Ok(())
    }

    /// Sends the final response to the open request, or 101 to one that offered an upgrade.
    ///
    /// With [`Content::Empty`] and [`Content::Full`] the response is complete; otherwise content and end follow.
    /// After 101, and after 2xx to `CONNECT`, [`Event::Switched`] follows. Any other answer to `CONNECT` ends the
    /// connection and says so, and what stands behind the request is not read (RFC 9931 §8).
    ///
    /// # Errors
    /// [`Misuse::NotYourTurn`] without an open request or after its final response; [`Misuse::Closed`]; those of
    /// [`make_header_response`](crate::make_header_response).
    pub fn send_response(&mut self, head: &ResponseHead, mut content: Content, now: Instant) -> Result<(), Misuse> {
        self.offer_response(head, &mut content, now)
    }

    /// The same, where the content stays with the caller if the response is refused, so that it can be
    /// [mended](Self::mend_response) and sent in another way.
    ///
    /// # Errors
    /// Those of [`send_response`](Self::send_response).
    pub fn offer_response(&mut self, head: &ResponseHead, content: &mut Content, now: Instant) -> Result<(), Misuse> {
        let now = self.may_answer(now)?;
        let outline =
            Outline { persistent: self.persists_after_response(head.status()), date: self.date, ..self.outline() };
        let switching = head.status().as_u16() == 101 || outline.connect && head.status().is_success();
        // RFC 9110 §7.8: a client that asked for both is sent 100 before 101; before a tunnel too, for what it sends
        // next would be its content or the tunnel's, and nobody could tell.
        let continues = switching
            && self.content_is_due()
            && exchange::continues(self.exchange.expecting, Progress::Head, self.flow.left > 0);
        let sending = self.flow.outbox.stage(|out| {
            if continues {
                out.extend_from_slice(CONTINUE);
            }
            let sending = generate::make_header_response(head, content, &outline, out)?;
            // Content that is copied anyway goes the short way.
            if let (SendFraming::Length(_), Content::Full(bytes)) = (sending.framing, &*content) {
                if outbox::is_copied(bytes) {
                    out.extend_from_slice(bytes);
                }
            }
            Ok(sending)
        })?;
        self.exchange.persistent = sending.persistent;
        self.exchange.switching = switching;
        self.send = match (Encoder::new(sending.framing), core::mem::take(content)) {
            (None, _) | (Some(_), Content::Empty) => Send::Done,
            (Some(encoder), Content::Full(bytes)) => {
                if matches!(encoder, Encoder::Length(_)) && !outbox::is_copied(&bytes) {
                    self.flow.outbox.push(bytes);
                }
                Send::Done
            }
            (Some(encoder), _) => {
                self.flow.unfinished = encoder == Encoder::UntilClose;
                Send::Content(encoder)
            }
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
        let now = self.flow.monotonic(now);
        self.must_be_open()?;
        let Send::Content(encoder) = &self.send else { return Err(Misuse::NotYourTurn) };
        encoder.end(trailers, &mut self.flow.outbox)?;
        self.send = Send::Done;
        self.note_all_sent();
        self.advance(now);
        Ok(())
    }

    /// Ends the connection: at once if it is idle, after the exchange otherwise that is open, or whose head has begun
    /// to come: that is read within its deadline, and answered. A response whose head is not sent yet will say
    /// `Connection: close`; one that is given up in its content leaves the peer with a truncated message, see
    /// [`abandon`](Self::abandon).
    ///
    /// Requests behind that exchange are not read. A client that pipelined them learns from `close`, or from the end of
    /// the connection, that they were not served, and may repeat them (RFC 9112 §9.3.2, §9.6).
    ///
    /// What counts as begun is what the last [`poll_event`](Self::poll_event) left in the lent buffer, so poll before
    /// if something was read since. Empty lines alone are no head: behind them the connection ends as if it were idle.
    pub fn close(&mut self, now: Instant) {
        let now = self.flow.monotonic(now);
        self.closing = true;
        self.exchange.persistent = false;
        match self.receive {
            Receive::Head(_) if self.flow.left == 0 => self.flow.close(Closed::ByUs, Linger::No, now),
            Receive::Head(_) | Receive::Content(..) => {}
            Receive::Ending | Receive::Done => self.flow.hurry(now),
        }
        self.advance(now);
    }

    /// Gives the open exchange up: what waits is sent, the response stays unfinished, and the connection ends without
    /// lingering, so that the peer cannot take it for complete (RFC 9112 §8): one that the end of the stream would
    /// complete is reset, see [`Interest::reset`].
    pub fn abandon(&mut self, now: Instant) {
        let now = self.flow.monotonic(now);
        // A response that was begun is cut, and the sooner its client sees that the better; whoever has not been
        // answered may still be sending.
        let linger = match (&self.receive, &self.send) {
            (Receive::Head(_), _) if self.flow.left == 0 => Linger::No,
            (_, Send::Content(_)) => Linger::No,
            _ => Linger::Yes,
        };
        self.flow.close(Closed::Abandoned, linger, now);
    }

    /// Takes the memory of a head, or of its fields, back, so that the next request needs no allocation.
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
        let now = self.flow.monotonic(now);
        if self.flow.deadlines.is_armed(Deadline::Head) { self.poll_head(input, now) } else { self.poll(input, now) }
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

    /// How many bytes of content may be queued now; 0: stop producing until some were sent.
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
        match (&self.flow.life, &self.receive, &self.send) {
            (Life::Dead(_) | Life::Gone, ..) => Phase::Disconnected,
            (Life::Switched, ..) => Phase::Idle,
            (Life::Closing(..) | Life::Lingering(..), ..) => Phase::Writing,
            (_, Receive::Head(scan), _) if scan.start_line_read => Phase::ReadingHeaders,
            (_, Receive::Head(_), _) if self.flow.deadlines.is_armed(Deadline::Head) => Phase::ReadingFirstLine,
            (_, Receive::Head(_), _) if !self.flow.outbox.is_empty() => Phase::Writing,
            (_, Receive::Head(_), _) => Phase::Idle,
            (_, Receive::Content(decoder, _), Send::Head) if decoder.in_trailers() => Phase::ReadingTrailer,
            (_, Receive::Content(..), Send::Head) => Phase::ReadingBody,
            _ => Phase::Writing,
        }
    }

    /// How far the connection had come when it ended, or began to: the [`phase`](Self::phase) that it was in, for logs.
    /// Of one that goes on it is the phase.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use http_core::{Config, Instant, Phase, server};
    /// let mut connection = server::Connection::new(Config::default().into(), Instant::ZERO);
    /// let mut input = BytesMut::from("GET / HTTP/1.1\r\nHost : a\r\n\r\n");
    /// assert!(connection.poll_event(&mut input, Instant::ZERO).is_err());
    /// assert_eq!((connection.phase(), connection.reached()), (Phase::Writing, Phase::ReadingHeaders));
    /// ```
    #[must_use]
    pub fn reached(&self) -> Phase {
        if matches!(self.flow.life, Life::Open | Life::Switched) {
            return self.phase();
        }
        // The answer to a fault is no part of what was under way.
        let answering = !self.was_refused() && !matches!(self.send, Send::Head);
        match &self.receive {
            Receive::Head(scan) if scan.start_line_read => Phase::ReadingHeaders,
            Receive::Head(_) if self.refused.is_some() => Phase::ReadingFirstLine,
            Receive::Head(_) if !self.flow.lost => Phase::Idle,
            Receive::Content(decoder, _) if !answering && decoder.in_trailers() => Phase::ReadingTrailer,
            Receive::Content(..) if !answering => Phase::ReadingBody,
            _ => Phase::Writing,
        }
    }

    /// Whether the fault that ended the connection was answered, with the
    /// [`status`](ProtocolError::status_hint) that it hints at: not if another answer had begun, nor if nobody was
    /// there to read it.
    #[must_use]
    pub const fn was_refused(&self) -> bool {
        matches!(self.refused, Some(true))
    }

    /// How many requests were answered with 417 by the connection itself (RFC 9110 §10.1.1). No event tells of them.
    #[must_use]
    pub const fn unmet_expectations(&self) -> u32 {
        self.unmet
    }

    /// The deadline that passes next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Deadline> {
        self.flow.deadlines.earliest().map(|(kind, _)| kind)
    }

    /// How the incoming half ended, if it has: what tells a handler that its client may be gone.
    #[must_use]
    pub const fn peer_ended(&self) -> Option<End> {
        self.flow.ended
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

    /// Whether the open request would have the connection handed over: it offers an upgrade, or is a `CONNECT`.
    #[must_use]
    pub fn may_switch(&self) -> bool {
        self.is_answering() && (self.exchange.upgrade_offered || self.exchange.kind == RequestKind::Connect)
    }

    /// Whether the answer to the open request goes out without content if it has this status: see
    /// [`Outline::omits_content`].
    #[must_use]
    pub const fn omits_content(&self, status: StatusCode) -> bool {
        self.outline().omits_content(status)
    }

    /// Leaves out of a response to the open request what would be refused, or untrue, and does no harm: see
    /// [`mend_response`](crate::mend_response).
    pub fn mend_response(&self, head: &mut ResponseHead, content: &mut Content) -> bool {
        mend_response(head, content, &self.outline())
    }

    /// What an answer to the open request has to fit.
    const fn outline(&self) -> Outline {
        Outline {
            peer: self.exchange.version,
            upgrade_offered: self.exchange.upgrade_offered,
            ..Outline::answering(self.exchange.kind)
        }
    }

    /// Whether the response that was sent last hands the connection over: [`Event::Switched`] follows, or has come.
    #[must_use]
    pub fn is_switching(&self) -> bool {
        self.exchange.switching && !self.flow.is_dead()
    }

    /// Whether the connection speaks another protocol, since [`Event::Switched`].
    #[must_use]
    pub fn is_switched(&self) -> bool {
        self.flow.life == Life::Switched
    }

    /// Whether content of the open request is still to come.
    #[must_use]
    pub const fn content_is_due(&self) -> bool {
        matches!(self.receive, Receive::Content(..))
    }

    /// What of the state can change what happens, as [`Canonical`](crate::model::Canonical) wants it.
    pub(crate) fn describe(&self, out: &mut Collector, now: Instant) {
        let Self { flow, receive, send, exchange, spare: _, date, closing, refused: _, unmet: _, requests } = self;
        flow.describe(out, now);
        let most = flow.config.persistence.requests;
        out.value((receive, send, date, closing, most.map(|most| most.min(*requests))));
        let drained = exchange.drained.min(flow.config.limits.drain.saturating_add(1));
        out.value(Exchange { drained, ..exchange.clone() });
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
