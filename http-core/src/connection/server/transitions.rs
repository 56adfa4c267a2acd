//! The transitions of a server's connection: what follows from each input, what a poll reads, and what follows when
//! both messages are as far as they are.

use bytes::{Buf, BytesMut};

use super::connection::{Connection, Event};
use super::side::{Exchange, Receive, Send, ServerSide};
use crate::canonical::Collector;
use crate::connection::common::{Side, Steps};
use crate::connection::deadline::Deadline;
use crate::connection::exchange::{self, At, End, Ended, Expecting, Next, Progress, Wanted};
use crate::connection::flow::{Closed, Flow, Life, Linger, Pause};
use crate::connection::phase::Phase;
use crate::error::ProtocolError;
use crate::message::content::Content;
use crate::message::facts::{Expectation, Facts, Framing};
use crate::message::field::Fields;
use crate::message::head::ResponseHead;
use crate::message::misuse::Misuse;
use crate::message::status::StatusCode;
use crate::read::{Broken, RequestLine, Scan};
use crate::read::{Decoded, Decoder};
use crate::reason::Reason;
use crate::time::Instant;
use crate::write::encode::Encoder;
use crate::write::generate::{self, Outline};

/// What one step of reading came to.
enum Step<T> {
    Read(T),
    Again,
    Pause(Pause),
}

impl Side for ServerSide {
    type Event = Event;
}

impl Steps<Event> for ServerSide {
    #[inline]
    fn poll(connection: &mut Connection, input: &mut BytesMut, now: Instant) -> Result<Option<Event>, ProtocolError> {
        if !connection.flow.deadlines.is_armed(Deadline::Head) {
            connection.poll_beside_heads(input, now)
        } else if connection.takes_one(input) {
            Ok(None)
        } else {
            connection.poll_step(input, now)
        }
    }

    fn ended(connection: &mut Connection, end: End, now: Instant) {
        // Whatever of the request is still unread, its answer has nobody to go to.
        if connection.is_answering() && connection.flow.is_open() && exchange::ended(At::Done, end) == Ended::Gone {
            connection.flow.abort(Closed::Broken);
        }
        connection.flow.advance_end(now);
        connection.arm_half_closed(now);
    }

    fn broken(connection: &mut Connection, _now: Instant) {
        connection.flow.abort(Closed::Broken);
    }

    #[inline]
    fn sent(connection: &mut Connection, lost: bool, now: Instant) {
        if !lost {
            connection.note_all_sent();
        }
        connection.arm_idle(now);
        connection.arm_half_closed(now);
    }

    fn expired(connection: &mut Connection, kind: Deadline, now: Instant) {
        match kind {
            Deadline::Head => connection.fail_late(Reason::HeadTimeout, now),
            Deadline::Receive => connection.fail_late(Reason::ContentTimeout, now),
            Deadline::Idle => connection.flow.close(Closed::TimedOut(kind), Linger::No, now),
            Deadline::Send => connection.flow.abort_unread(),
            // Whoever has left does not wait for what is missing; what is complete was sent.
            Deadline::HalfClosed => connection.flow.close(Closed::TimedOut(kind), Linger::No, now),
            Deadline::Linger | Deadline::Expect => connection.flow.abort(Closed::TimedOut(kind)),
        }
    }

    fn encoder(&mut self) -> Result<&mut Encoder, Misuse> {
        match &mut self.send {
            Send::Content(encoder) => Ok(encoder),
            Send::Head | Send::Done => Err(Misuse::NotYourTurn),
        }
    }

    fn content_queued(connection: &mut Connection, now: Instant) {
        connection.arm_half_closed(now);
    }

    fn message_queued(connection: &mut Connection, now: Instant) {
        connection.side.send = Send::Done;
        connection.note_all_sent();
        connection.advance(now);
    }

    fn close(connection: &mut Connection, now: Instant) {
        connection.side.closing = true;
        connection.side.exchange.persistent = false;
        match connection.side.receive {
            Receive::Head(_) if connection.flow.left == 0 => connection.flow.close(Closed::ByUs, Linger::No, now),
            Receive::Head(_) | Receive::Content(..) => {}
            Receive::Ending | Receive::Done => connection.flow.hurry(now),
        }
        connection.advance(now);
    }

    fn abandon(connection: &mut Connection, now: Instant) {
        // A response that was begun is cut, and the sooner its client sees that the better; whoever has not been
        // answered may still be sending.
        let linger = match (&connection.side.receive, &connection.side.send) {
            (Receive::Head(_), _) if connection.flow.left == 0 => Linger::No,
            (_, Send::Content(_)) => Linger::No,
            _ => Linger::Yes,
        };
        connection.flow.close(Closed::Abandoned, linger, now);
    }

    fn shrink(&mut self) {}

    fn awaits_content(&self) -> bool {
        matches!(self.send, Send::Content(_))
    }

    fn takes_content(&self) -> bool {
        self.awaits_content()
    }

    fn is_idle(&self) -> bool {
        matches!(self.receive, Receive::Head(_))
    }

    fn is_switching(&self) -> bool {
        self.exchange.switching
    }

    fn phase(connection: &Connection) -> Phase {
        let (flow, side) = (&connection.flow, &connection.side);
        match (&flow.life, &side.receive, &side.send) {
            (Life::Dead(_) | Life::Gone, ..) => Phase::Disconnected,
            (Life::Switched, ..) => Phase::Idle,
            (Life::Closing(..) | Life::Lingering(..), ..) => Phase::Writing,
            (_, Receive::Head(scan), _) if scan.start_line_read => Phase::ReadingHeaders,
            (_, Receive::Head(_), _) if flow.deadlines.is_armed(Deadline::Head) => Phase::ReadingFirstLine,
            (_, Receive::Head(_), _) if !flow.outbox.is_empty() => Phase::Writing,
            (_, Receive::Head(_), _) => Phase::Idle,
            (_, Receive::Content(decoder, _), Send::Head) if decoder.in_trailers() => Phase::ReadingTrailer,
            (_, Receive::Content(..), Send::Head) => Phase::ReadingBody,
            _ => Phase::Writing,
        }
    }

    fn describe(connection: &Connection, out: &mut Collector) {
        let Self { receive, send, exchange, date, closing, refused: _, unmet: _ } = &connection.side;
        let config = &connection.flow.config;
        let most = config.persistence.requests;
        out.value((receive, send, date, closing, most.map(|most| most.min(connection.requests))));
        let drained = exchange.drained.min(config.limits.drain.saturating_add(1));
        out.value(Exchange { drained, ..exchange.clone() });
    }
}

impl Connection {
    /// Whether a poll while a head arrives finds what the last one found, an incomplete head, and one more byte that
    /// changes nothing.
    ///
    /// `poll` comes to the same by a longer way; a head that drips in would go it for each byte. In line, so that most
    /// bytes are not worth a call.
    #[inline(always)]
    fn takes_one(&mut self, input: &BytesMut) -> bool {
        let Receive::Head(scan) = &mut self.side.receive else { return false };
        let takes = self.flow.ended.is_none() && scan.takes_one(input);
        if takes {
            // The deadline of a head is armed where nothing but input is awaited, and until anything else happens.
            debug_assert!(self.flow.awaits_input());
            self.flow.left = input.len();
        }
        takes
    }

    /// A poll while no head arrives. Apart from what is done for each byte of one.
    #[inline(never)]
    fn poll_beside_heads(&mut self, input: &mut BytesMut, now: Instant) -> Result<Option<Event>, ProtocolError> {
        if self.awaits_more(input, now) { Ok(None) } else { self.poll(input, now) }
    }

    /// Whether more of content that somebody wants is to come, and nothing of it is there: then it is waited for.
    ///
    /// `poll` comes to the same by a longer way; whoever waits for content looks whenever anything happens, as a rule
    /// for nothing.
    #[inline]
    fn awaits_more(&mut self, input: &BytesMut, now: Instant) -> bool {
        let awaits = match &self.side.receive {
            Receive::Content(decoder, Wanted::Yes) => input.is_empty() && decoder.remaining() != Some(0),
            _ => false,
        };
        let awaits = awaits && self.flow.is_open() && self.flow.ended.is_none();
        if awaits {
            (self.flow.left, self.flow.pause) = (0, Pause::NeedsInput);
            self.flow.await_content(now);
        }
        awaits
    }

    /// A poll while a head arrives whose new bytes go on to another part of it.
    #[inline(never)]
    fn poll_step(&mut self, input: &mut BytesMut, now: Instant) -> Result<Option<Event>, ProtocolError> {
        let scan = match &mut self.side.receive {
            Receive::Head(scan) if self.flow.ended.is_none() => scan,
            _ => return self.poll(input, now),
        };
        if scan.steps_as_usual(input, &self.flow.config) {
            self.flow.left = input.len();
            return Ok(None);
        }
        self.poll_rare_step(input, now)
    }

    /// The same, where they may do anything.
    #[inline(never)]
    fn poll_rare_step(&mut self, input: &mut BytesMut, now: Instant) -> Result<Option<Event>, ProtocolError> {
        let Receive::Head(scan) = &mut self.side.receive else { return self.poll(input, now) };
        if scan.steps(input, &self.flow.config) {
            self.flow.left = input.len();
            return Ok(None);
        }
        self.poll(input, now)
    }

    /// Steps of reading up to an event, or to where nothing more can be read.
    #[inline(never)]
    pub(super) fn poll(&mut self, input: &mut BytesMut, now: Instant) -> Result<Option<Event>, ProtocolError> {
        if let Some(error) = self.flow.take_failure() {
            return Err(error);
        }
        // Each event is built where it is returned, for it is the largest thing that is moved here.
        while self.flow.is_open() {
            let pause = match &self.side.receive {
                Receive::Head(_) if self.flow.send_room() == 0 => Pause::Full,
                Receive::Head(_) if input.is_empty() && self.flow.ended.is_none() => Pause::NeedsInput,
                Receive::Head(_) => match self.read_head(input, now) {
                    Ok(Step::Read(line)) => {
                        self.flow.told(input);
                        self.arm_half_closed(now);
                        return Ok(Some(Event::Request(line.into_head(self.spare.take()))));
                    }
                    Ok(Step::Again) => continue,
                    Ok(Step::Pause(pause)) => pause,
                    Err(broken) => return Err(self.broken(broken, input, now)),
                },
                Receive::Content(_, Wanted::NotYet) if !matches!(self.side.send, Send::Done) => {
                    Pause::AwaitsApplication
                }
                // The connection ends with the response; until that is complete nothing more is dropped.
                Receive::Content(_, Wanted::No) if self.over_drained() => Pause::AwaitsApplication,
                Receive::Content(..) => match self.read_content(input, now) {
                    Ok(Step::Read(event)) => {
                        self.flow.told(input);
                        return Ok(Some(event));
                    }
                    Ok(Step::Again) => continue,
                    Ok(Step::Pause(pause)) => pause,
                    Err(Broken(Reason::Truncated, offset)) if self.answers_what_is_cut() => {
                        return Err(self.cut_short(offset, input, now));
                    }
                    Err(broken) => return Err(self.broken(broken, input, now)),
                },
                Receive::Ending => {
                    self.side.receive = Receive::Done;
                    // Before its response nothing follows from the end of a request.
                    if !matches!(self.side.send, Send::Head) {
                        self.flow.left = input.len();
                        self.advance(now);
                    }
                    self.flow.told(input);
                    return Ok(Some(Event::End(Fields::new())));
                }
                Receive::Done if self.side.exchange.switching && matches!(self.side.send, Send::Done) => {
                    self.flow.life = Life::Switched;
                    self.flow.left = input.len();
                    for kind in [Deadline::Head, Deadline::Idle, Deadline::Receive] {
                        self.flow.deadlines.disarm(kind);
                    }
                    return Ok(Some(Event::Switched));
                }
                Receive::Done => Pause::AwaitsApplication,
            };
            self.flow.left = input.len();
            self.flow.pause = pause;
            self.rearm(pause, input, now);
            return Ok(None);
        }
        Ok(self.flow.poll_over(input, now).map(Event::Closed))
    }

    /// Whether a client that left inside its content is answered: it has ended its side in order, and may be reading
    /// (RFC 9112 §8, §9.5).
    fn answers_what_is_cut(&self) -> bool {
        self.flow.ended == Some(End::Clean) && !matches!(self.side.send, Send::Done)
    }

    /// The client left inside its content: that is told, and its answer is the last.
    #[cold]
    fn cut_short(&mut self, offset: usize, input: &mut BytesMut, now: Instant) -> ProtocolError {
        let error = self.flow.error(Reason::Truncated, offset);
        self.flow.received = self.flow.received.saturating_add(input.len() as u64);
        input.clear();
        self.flow.rest_content(now);
        self.flow.told(input);
        self.side.receive = Receive::Done;
        self.side.exchange.persistent = false;
        self.side.exchange.expecting = Expecting::Nothing;
        self.arm_half_closed(now);
        error
    }

    /// A rule was broken: ends the connection, and tells how.
    #[cold]
    fn broken(&mut self, Broken(reason, offset): Broken, input: &mut BytesMut, now: Instant) -> ProtocolError {
        let error = self.flow.error(reason, offset);
        // What is dropped from here counts against the budget of lingering, and no more than that.
        let seen = offset.min(input.len());
        self.flow.received = self.flow.received.saturating_add(seen as u64);
        input.advance(seen);
        self.fail(error, now);
        error
    }

    #[inline(never)]
    fn read_head(&mut self, input: &mut BytesMut, now: Instant) -> Result<Step<RequestLine>, Broken> {
        let Receive::Head(scan) = &mut self.side.receive else { return Ok(Step::Again) };
        let ended = self.flow.ended;
        let Flow { received, config, .. } = &mut self.flow;
        let mut facts = Facts::default();
        let parsed = scan.request(input, received, config, &mut self.spare, &mut facts, ended.is_some())?;
        let Some(line) = parsed else {
            let Some(end) = ended else {
                if self.side.closing && input.is_empty() {
                    // What had come were empty lines, so that no request has begun.
                    self.flow.close(Closed::ByUs, Linger::No, now);
                    return Ok(Step::Again);
                }
                return Ok(Step::Pause(Pause::NeedsInput));
            };
            let at = if input.is_empty() { At::Start } else { At::Head };
            return match exchange::ended(at, end) {
                Ended::Truncated => Err(Broken(Reason::Truncated, input.len())),
                _ => {
                    self.flow.close(Closed::ByPeer, Linger::No, now);
                    Ok(Step::Again)
                }
            };
        };
        self.requests += 1;
        let content_limit = self.flow.config.limits.content;
        let RequestLine { kind, version, framing, .. } = &line;
        let may_persist = self.flow.config.persistence.keep_alive
            && self.flow.config.persistence.requests.is_none_or(|most| self.requests < most);
        self.side.exchange = Exchange {
            kind: *kind,
            version: *version,
            expecting: match facts.expectation {
                Expectation::None => Expecting::Nothing,
                Expectation::Continue | Expectation::Unknown => Expecting::Continue,
            },
            last: facts.connection.close,
            upgrade_offered: facts.offers_upgrade(),
            ..Exchange::new(may_persist && facts.persistent(*version) && self.side.exchange.persistent)
        };
        self.side.send = Send::Head;
        self.flow.deadlines.disarm(Deadline::Head);
        self.flow.deadlines.disarm(Deadline::Idle);
        if framing.has_content() {
            self.flow.begin_content();
            self.side.receive = Receive::Content(Decoder::new(*framing), Wanted::NotYet);
        } else {
            self.side.receive = Receive::Ending;
        }
        if matches!((framing, content_limit), (Framing::Length(length), Some(limit)) if *length > limit) {
            return Err(Broken(Reason::ContentTooLong, 0));
        }
        if facts.expectation == Expectation::Unknown {
            self.refuse_expectation(now);
            return Ok(Step::Again);
        }
        Ok(Step::Read(line))
    }

    /// RFC 9110 §10.1.1: an expectation that cannot be met is answered with 417; the application hears nothing of it.
    /// The request is well-formed, so the connection goes on, but for one with content: nobody can tell whether a
    /// client that waited still sends that, or takes the answer for leave to send its next request.
    fn refuse_expectation(&mut self, now: Instant) {
        self.side.unmet = self.side.unmet.saturating_add(1);
        let answer = ResponseHead::new(Reason::Expectation.status());
        match &mut self.side.receive {
            Receive::Content(_, wanted) => *wanted = Wanted::No,
            receive => *receive = Receive::Done,
        }
        if self.send_response(&answer, Content::Empty, now).is_err() {
            // A head that we made ourselves is never refused.
            self.flow.close(Closed::Abandoned, Linger::Yes, now);
        }
    }

    fn read_content(&mut self, input: &mut BytesMut, now: Instant) -> Result<Step<Event>, Broken> {
        let Receive::Content(decoder, wanted) = &mut self.side.receive else { return Ok(Step::Again) };
        if *wanted == Wanted::NotYet {
            // The response is complete, and nobody has asked. What is dropped once stays unwanted: a message without
            // its beginning must not be told as one.
            *wanted = Wanted::No;
        }
        let (decoded, taken, moved) = decoder.decode_on(input, &self.flow.config);
        self.flow.received = self.flow.received.saturating_add(taken);
        self.flow.content_moved(moved, now);
        match (decoded?, *wanted) {
            (Decoded::Data(piece), Wanted::Yes) => {
                self.flow.rest_content(now);
                Ok(Step::Read(Event::Content(piece)))
            }
            (Decoded::Data(piece), _) => {
                self.side.exchange.drained = self.side.exchange.drained.saturating_add(piece.len() as u64);
                if self.over_drained() {
                    self.side.exchange.persistent = false;
                    if matches!(self.side.send, Send::Done) {
                        self.flow.close(Closed::NotPersistent, Linger::Yes, now);
                    }
                }
                Ok(Step::Again)
            }
            (Decoded::Extensions(extensions), Wanted::Yes) => Ok(Step::Read(Event::ChunkExtensions(extensions))),
            (Decoded::Extensions(_), _) => Ok(Step::Again),
            (Decoded::End(trailers), wanted) => {
                self.flow.rest_content(now);
                self.side.receive = Receive::Done;
                self.flow.left = input.len();
                self.advance(now);
                match wanted {
                    Wanted::Yes => Ok(Step::Read(Event::End(trailers))),
                    _ => Ok(Step::Again),
                }
            }
            (Decoded::Partial, _) => match self.flow.ended {
                Some(_) => Err(Broken(Reason::Truncated, input.len())),
                None => Ok(Step::Pause(Pause::NeedsInput)),
            },
        }
    }

    /// Goes from one exchange to the next, or to the end, when both messages allow it.
    pub(super) fn advance(&mut self, now: Instant) {
        self.flow.queued(now);
        if self.side.exchange.switching || !self.flow.is_open() {
            if let (Receive::Content(_, wanted), true) = (&mut self.side.receive, self.side.exchange.switching) {
                *wanted = Wanted::No;
                self.flow.pause = Pause::NeedsInput;
                self.await_more(now);
            }
            return;
        }
        let wanted = match &self.side.receive {
            Receive::Content(_, wanted) => *wanted,
            _ => Wanted::Yes,
        };
        self.arm_half_closed(now);
        let (request, response) = (self.progress_of_request(), self.progress_of_response());
        match exchange::next(request, response, self.side.exchange.persistent, wanted) {
            Next::Wait => {}
            // Until the next poll the application may still ask for the content.
            Next::Drain => {
                self.flow.pause = Pause::NeedsInput;
                self.await_more(now);
            }
            Next::Exchange => {
                // The end of a request is told before the next one begins.
                if !matches!(self.side.receive, Receive::Ending) {
                    self.side.receive = Receive::Head(Scan::default());
                    self.side.send = Send::Head;
                    self.side.exchange = Exchange::new(true);
                    self.flow.pause = Pause::NeedsInput;
                    if self.flow.outbox.is_empty() {
                        self.arm_idle_unsent(now);
                    }
                }
            }
            Next::Close => {
                if !matches!(self.side.receive, Receive::Ending) {
                    let complete = request == Progress::Done;
                    self.flow.announced = complete && self.side.exchange.last;
                    let hurried = self.side.closing && complete;
                    let linger = if hurried { Linger::Briefly } else { Linger::Yes };
                    self.flow.close(Closed::NotPersistent, linger, now);
                }
            }
        }
    }

    pub(super) fn progress_of_request(&self) -> Progress {
        match self.side.receive {
            Receive::Head(_) => Progress::Head,
            Receive::Content(..) => Progress::Content,
            Receive::Ending | Receive::Done => Progress::Done,
        }
    }

    pub(super) fn progress_of_response(&self) -> Progress {
        match self.side.send {
            Send::Head => Progress::Head,
            Send::Content(_) => Progress::Content,
            Send::Done => Progress::Done,
        }
    }

    pub(super) fn persists_after_response(&self, status: StatusCode) -> bool {
        let (wanted, unread) = match &self.side.receive {
            Receive::Content(decoder, wanted) => (*wanted, decoder.remaining()),
            _ => (Wanted::Yes, Some(0)),
        };
        let budget = self.flow.config.limits.drain;
        // A peer that has shut down its side is still answered what it had sent before (RFC 9112 §9.6).
        self.side.exchange.persistent
            && !exchange::refuses_tunnel(status, self.side.exchange.kind)
            && (self.flow.ended.is_none() || self.flow.left > 0)
            && exchange::survives_final_response(
                self.side.exchange.expecting,
                self.progress_of_request(),
                wanted,
                unread,
                budget,
            )
    }

    /// Whether more content was dropped than keeping the connection is worth.
    fn over_drained(&self) -> bool {
        self.side.exchange.drained > self.flow.config.limits.drain
    }

    pub(super) fn may_answer(&mut self, now: Instant) -> Result<Instant, Misuse> {
        let now = self.flow.monotonic(now);
        self.must_be_open()?;
        if self.awaits_response() { Ok(now) } else { Err(Misuse::NotYourTurn) }
    }

    /// The peer broke a rule: answers if no answer has begun, and ends the connection.
    fn fail(&mut self, error: ProtocolError, now: Instant) {
        let reason = error.reason();
        let answers = matches!(self.side.send, Send::Head) && reason != Reason::Truncated;
        self.side.refused = Some(answers);
        if answers {
            let mut outline = Outline::answering(self.side.exchange.kind);
            outline.persistent = false;
            outline.date = self.side.date;
            let plain = ResponseHead::new(reason.status());
            if !self.stage_shaped(&plain, &error, &outline) {
                let outbox = &mut self.flow.outbox;
                // A head that we made ourselves is never refused.
                let _ = outbox.stage(|out| generate::make_header_response(&plain, &Content::Empty, &outline, out));
            }
            self.side.send = Send::Done;
        }
        self.flow.queued(now);
        let linger = if reason == Reason::Truncated { Linger::No } else { self.linger() };
        self.flow.close(Closed::Failed(reason), linger, now);
    }

    /// Queues an answer as the application shapes it; false if it does not, or may not be sent so.
    fn stage_shaped(&mut self, plain: &ResponseHead, error: &ProtocolError, outline: &Outline) -> bool {
        let Some(refusal) = self.flow.config.refusal else { return false };
        let (fields, bytes) = refusal.shape(error);
        let mut head = plain.clone();
        for (name, value) in fields.raw() {
            if head.fields_mut().push(name, value).is_err() {
                return false;
            }
        }
        let content = if bytes.is_empty() { Content::Empty } else { Content::Full(bytes.clone()) };
        let outbox = &mut self.flow.outbox;
        let Ok(sending) = outbox.stage(|out| generate::make_header_response(&head, &content, outline, out)) else {
            return false;
        };
        if let Some(mut encoder) = Encoder::new(sending.framing) {
            // Its length was announced from itself, so it fits.
            let _ = encoder.write(bytes, outbox);
        }
        true
    }

    /// Whether to end the sending side in order and read on. Not if that would complete a response that is not.
    pub(super) fn linger(&self) -> Linger {
        if matches!(self.side.send, Send::Content(Encoder::UntilClose)) { Linger::No } else { Linger::Yes }
    }

    /// A response that ends with the stream is safe when the transport has all of it.
    pub(super) fn note_all_sent(&mut self) {
        if matches!(self.side.send, Send::Done) && self.flow.outbox.is_empty() {
            self.flow.unfinished = false;
        }
    }

    /// The peer was too slow; `poll_event` tells it.
    pub(super) fn fail_late(&mut self, reason: Reason, now: Instant) {
        if self.flow.is_open() {
            let error = self.flow.error(reason, self.flow.left);
            self.flow.tell(error);
            self.fail(error, now);
        }
    }

    /// Sets the deadlines of reading when a poll has stopped.
    pub(super) fn rearm(&mut self, pause: Pause, input: &BytesMut, now: Instant) {
        let waiting = pause == Pause::NeedsInput && self.flow.ended.is_none();
        match &self.side.receive {
            // Empty lines are of no message: who sends them idles.
            Receive::Head(_) if waiting && !input.is_empty() => {
                self.flow.deadlines.disarm(Deadline::Idle);
                if !self.flow.deadlines.is_armed(Deadline::Head) {
                    let at = now.saturating_add(self.flow.config.timeouts.head);
                    self.flow.deadlines.arm(Deadline::Head, at);
                }
            }
            Receive::Head(_) if waiting => {
                self.flow.deadlines.disarm(Deadline::Head);
                self.arm_idle(now);
            }
            Receive::Content(..) if waiting => self.flow.await_content(now),
            _ => {
                self.flow.deadlines.disarm(Deadline::Head);
                self.flow.deadlines.disarm(Deadline::Idle);
                self.flow.rest_content(now);
            }
        }
    }

    /// Content was asked for, or is to be dropped: it is waited for from now on, whether a poll follows or not.
    #[cold]
    pub(super) fn await_more(&mut self, now: Instant) {
        if self.flow.is_open() && self.flow.ended.is_none() {
            self.flow.await_content(now);
        }
    }

    /// A client that has ended its side is waited with for the head of its answer, and for content while none waits.
    #[inline]
    pub(super) fn arm_half_closed(&mut self, now: Instant) {
        if self.flow.ended.is_some() {
            self.watch_half_closed(now);
        }
    }

    #[cold]
    fn watch_half_closed(&mut self, now: Instant) {
        let waits = match self.side.send {
            Send::Head => self.is_answering(),
            Send::Content(_) => self.flow.outbox.is_empty(),
            Send::Done => false,
        };
        match (waits && self.flow.is_open(), self.flow.deadlines.is_armed(Deadline::HalfClosed)) {
            (true, false) => {
                let at = now.saturating_add(self.flow.config.timeouts.half_closed);
                self.flow.deadlines.arm(Deadline::HalfClosed, at);
            }
            (false, true) => self.flow.deadlines.disarm(Deadline::HalfClosed),
            _ => {}
        }
    }

    /// Everything was sent before the exchange ended, so that nobody tells of that any more.
    #[cold]
    fn arm_idle_unsent(&mut self, now: Instant) {
        self.arm_idle(now);
    }

    /// Idling begins when nothing of a request is there and everything was sent.
    #[inline]
    pub(super) fn arm_idle(&mut self, now: Instant) {
        let Receive::Head(_) = &self.side.receive else { return };
        let deadlines = &mut self.flow.deadlines;
        let busy = deadlines.is_armed(Deadline::Head) || deadlines.is_armed(Deadline::Idle);
        if self.flow.life == Life::Open && self.flow.left == 0 && self.flow.outbox.is_empty() && !busy {
            deadlines.arm(Deadline::Idle, now.saturating_add(self.flow.config.timeouts.idle));
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;

    use super::*;
    use crate::config::Config;

    #[test]
    fn the_end_counts_however_little_came_before_it() {
        let head = b"GET / HTTP/1.1\r\nHost: a";
        // What comes last goes on with a value, or steps to another part of the head.
        for last in [b'b', b'\r'] {
            let mut connection = Connection::new(Arc::new(Config::default()), Instant::ZERO);
            let mut input = BytesMut::from(&head[..]);
            assert!(connection.poll_event(&mut input, Instant::ZERO).unwrap().is_none());
            input.extend_from_slice(&[last]);
            connection.handle_eof(End::Clean, Instant::ZERO);
            let error = connection.poll_event(&mut input, Instant::ZERO).unwrap_err();
            assert_eq!(error.reason(), Reason::Truncated);
        }
    }
}
