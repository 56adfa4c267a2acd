//! The transitions of a client's connection: what follows from each input, what a poll reads, and what follows when
//! both messages are as far as they are.

use core::num::NonZeroU32;
use core::time::Duration;

use bytes::BytesMut;

use super::connection::{Connection, Event};
use super::pending::Received;
use super::side::{ClientSide, Receive, Send};
use crate::canonical::Collector;
use crate::connection::common::{Side, Steps};
use crate::connection::deadline::Deadline;
use crate::connection::exchange::{self, At, End, Ended, Expecting, Meaning, Next, Progress, Rest, Wanted};
use crate::connection::flow::{Closed, Life, Linger, Pause};
use crate::connection::phase::Phase;
use crate::error::ProtocolError;
use crate::message::facts::{Facts, Framing};
use crate::message::field::Fields;
use crate::message::misuse::Misuse;
use crate::read::{Broken, Scan, StatusLine};
use crate::read::{Decoded, Decoder};
use crate::reason::Reason;
use crate::time::Instant;
use crate::write::encode::Encoder;

enum Step {
    /// A response, which the spare memory holds the head of.
    Response(StatusLine),
    /// The same for an interim one.
    Interim(StatusLine),
    Event(Event),
    Again,
    Pause(Pause),
}

impl Side for ClientSide {
    type Event = Event;
}

impl Steps<Event> for ClientSide {
    fn poll(connection: &mut Connection, input: &mut BytesMut, now: Instant) -> Result<Option<Event>, ProtocolError> {
        connection.poll(input, now)
    }

    fn ended(connection: &mut Connection, _end: End, now: Instant) {
        connection.flow.advance_end(now);
    }

    fn broken(connection: &mut Connection, now: Instant) {
        connection.break_off(now);
    }

    fn sent(connection: &mut Connection, _lost: bool, now: Instant) {
        connection.await_head(now);
    }

    fn expired(connection: &mut Connection, kind: Deadline, now: Instant) {
        match kind {
            Deadline::Head => connection.fail_late(Reason::HeadTimeout),
            Deadline::Receive => connection.fail_late(Reason::ContentTimeout),
            Deadline::Expect => connection.release_content(now),
            Deadline::Idle => connection.flow.close(Closed::TimedOut(kind), Linger::No, now),
            Deadline::Linger | Deadline::HalfClosed => connection.flow.abort(Closed::Broken),
            Deadline::Send => connection.flow.abort_unread(),
        }
    }

    fn encoder(&mut self) -> Result<&mut Encoder, Misuse> {
        match &mut self.send {
            Send::Content(encoder) => Ok(encoder),
            Send::Expecting(..) => Err(Misuse::Full),
            Send::Done | Send::Broken => Err(Misuse::NotYourTurn),
        }
    }

    fn content_queued(_connection: &mut Connection, _now: Instant) {}

    fn message_queued(connection: &mut Connection, now: Instant) {
        connection.request_complete();
        connection.flow.queued(now);
        connection.advance(now);
    }

    fn close(connection: &mut Connection, now: Instant) {
        connection.side.persistent = false;
        match connection.side.pending.back_mut() {
            Some(last) => last.persistent = false,
            None => connection.flow.close(Closed::ByUs, Linger::No, now),
        }
    }

    fn abandon(connection: &mut Connection, _now: Instant) {
        connection.flow.abort(Closed::Abandoned);
    }

    fn shrink(&mut self) {
        self.pending.shrink_to_fit();
    }

    fn awaits_content(&self) -> bool {
        matches!(self.send, Send::Content(_) | Send::Expecting(..))
    }

    fn takes_content(&self) -> bool {
        matches!(self.send, Send::Content(_))
    }

    fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    fn is_switching(&self) -> bool {
        matches!(self.receive, Receive::Switching)
    }

    fn phase(connection: &Connection) -> Phase {
        let side = &connection.side;
        match (&connection.flow.life, &side.receive) {
            (Life::Dead(_) | Life::Gone, _) => Phase::Disconnected,
            (Life::Switched, _) => Phase::Idle,
            _ if side.pending.is_empty() => Phase::Idle,
            (_, Receive::Content(decoder)) if decoder.in_trailers() => Phase::ReadingTrailer,
            (_, Receive::Content(_) | Receive::Ending) => Phase::ReadingBody,
            (_, Receive::Head(scan)) if scan.start_line_read => Phase::ReadingHeaders,
            (_, Receive::Head(_)) if connection.everything_sent() => Phase::ReadingFirstLine,
            _ => Phase::Writing,
        }
    }

    fn describe(connection: &Connection, out: &mut Collector) {
        let Self { receive, send, pending, persistent, peer } = &connection.side;
        let (requests, flow) = (connection.requests, &connection.flow);
        let most = flow.config.persistence.requests;
        // Of the number of requests it matters beside that whether there was one.
        out.value((receive, send, persistent, peer, requests > 0, most.map(|most| most.min(requests)), pending.len()));
        pending.iter().for_each(|pending| pending.describe(out, &flow.outbox));
    }
}

impl Connection {
    /// Steps of reading up to an event, or to where nothing more can be read.
    pub(super) fn poll(&mut self, input: &mut BytesMut, now: Instant) -> Result<Option<Event>, ProtocolError> {
        if let Some(error) = self.flow.take_failure() {
            return Err(error);
        }
        // Mostly a poll finds that nothing has come: then there is nothing to go through.
        if input.is_empty() && self.flow.ended.is_none() && self.flow.is_open() && self.awaits_more(now) {
            self.flow.left = 0;
            self.flow.pause = Pause::NeedsInput;
            return Ok(None);
        }
        loop {
            if !self.flow.is_open() {
                return Ok(self.flow.poll_over(input, now).map(Event::Closed));
            }
            match self.step(input, now) {
                Ok(Step::Response(line)) => {
                    self.flow.told(input);
                    return Ok(Some(Event::Response(line.into_head(self.spare.take()))));
                }
                Ok(Step::Interim(line)) => {
                    self.flow.told(input);
                    return Ok(Some(Event::Interim(line.into_head(self.spare.take()))));
                }
                Ok(Step::Event(event)) => {
                    self.flow.told(input);
                    return Ok(Some(event));
                }
                Ok(Step::Again) => {}
                Ok(Step::Pause(pause)) => {
                    self.flow.left = input.len();
                    self.flow.pause = pause;
                    self.rearm(pause, now);
                    return Ok(None);
                }
                Err(Broken(reason, offset)) => {
                    let error = self.flow.error(reason, offset);
                    self.flow.abort(Closed::Failed(reason));
                    return Err(error);
                }
            }
        }
    }

    /// Whether more has to come of what is read, so that it is waited for.
    #[inline]
    fn awaits_more(&mut self, now: Instant) -> bool {
        match &self.side.receive {
            Receive::Head(_) => self.await_head(now),
            Receive::Content(decoder) if decoder.remaining() != Some(0) => self.flow.await_content(now),
            _ => return false,
        }
        true
    }

    fn step(&mut self, input: &mut BytesMut, now: Instant) -> Result<Step, Broken> {
        match &self.side.receive {
            Receive::Head(_) if self.side.pending.is_empty() => self.idle(input, now),
            Receive::Head(_) => self.read_head(input, now),
            Receive::Content(_) => self.read_content(input, now),
            Receive::Ending => Ok(self.end(Fields::new(), input, now)),
            Receive::Switching if self.progress_of_request() == Progress::Done => {
                self.side.pending.pop_front();
                self.flow.life = Life::Switched;
                for kind in [Deadline::Head, Deadline::Idle, Deadline::Receive, Deadline::Expect] {
                    self.flow.deadlines.disarm(kind);
                }
                Ok(Step::Event(Event::Switched))
            }
            Receive::Done if self.flow.ended.is_some() => {
                // The peer is gone; the rest of the request has nobody to go to.
                self.flow.abort(Closed::ByPeer);
                Ok(Step::Again)
            }
            Receive::Done | Receive::Switching => Ok(Step::Pause(Pause::AwaitsApplication)),
        }
    }

    /// Nothing is awaited: the end of the stream, or any byte, ends the connection, but for empty lines, which may be
    /// discarded (RFC 9112 §9.2, §9.5).
    fn idle(&mut self, input: &mut BytesMut, now: Instant) -> Result<Step, Broken> {
        if !input.is_empty() && self.drop_empty_lines(input)? && !input.is_empty() {
            return Err(Broken(Reason::SurplusBytes, 0));
        }
        if self.flow.ended.is_some() {
            self.flow.close(Closed::ByPeer, Linger::No, now);
            return Ok(Step::Again);
        }
        Ok(Step::Pause(Pause::NeedsInput))
    }

    /// Drops what some servers send behind a response. It may come before or after the next request was sent, so it is
    /// dropped in both cases. False while it is not clear whether another empty line comes.
    fn drop_empty_lines(&mut self, input: &mut BytesMut) -> Result<bool, Broken> {
        match &mut self.side.receive {
            Receive::Head(scan) => scan.drop_empty_lines(input, &mut self.flow.received, &self.flow.config),
            _ => Ok(true),
        }
    }

    #[inline(never)]
    fn read_head(&mut self, input: &mut BytesMut, now: Instant) -> Result<Step, Broken> {
        let clear = self.drop_empty_lines(input)?;
        let (Receive::Head(scan), Some(front)) = (&mut self.side.receive, self.side.pending.front_mut()) else {
            return Ok(Step::Again);
        };
        if clear && !input.is_empty() {
            if self.flow.outbox.handed_over() <= front.start {
                // It cannot be the answer to a request that was not sent.
                return Err(Broken(Reason::SurplusBytes, 0));
            }
            front.received = front.received.max(Received::Interim);
        }
        let ended = self.flow.ended;
        let (mut facts, kind, config) = (Facts::default(), front.kind, &self.flow.config);
        let parsed = match clear {
            true => scan.response(input, config, &mut self.spare, &mut facts, kind, ended.is_some())?,
            false => None,
        };
        let Some(line) = parsed else {
            let Some(end) = ended else { return Ok(Step::Pause(Pause::NeedsInput)) };
            let at = if input.is_empty() && front.interim == 0 { At::Start } else { At::Head };
            return match exchange::ended(at, end) {
                Ended::Truncated => Err(Broken(Reason::Truncated, input.len())),
                _ => {
                    self.flow.abort(Closed::Unanswered);
                    Ok(Step::Again)
                }
            };
        };
        self.flow.received = self.flow.received.saturating_add(line.length as u64);
        match exchange::meaning(line.status, front.kind, front.upgrade_offered) {
            // RFC 9110 §15.2.2, §7.8: what is spoken from here has to be named.
            Meaning::Switched if line.status.as_u16() == 101 && !facts.upgrade => Err(Broken(Reason::UnnamedSwitch, 0)),
            Meaning::Unexpected => Err(Broken(Reason::UnexpectedSwitch, 0)),
            meaning @ (Meaning::Interim | Meaning::Continue) => {
                front.interim += 1;
                if front.interim > self.flow.config.limits.interim_responses {
                    return Err(Broken(Reason::TooManyInterim, 0));
                }
                if meaning == Meaning::Continue {
                    self.release_content(now);
                }
                self.flow.deadlines.disarm(Deadline::Head);
                self.await_head(now);
                Ok(Step::Interim(line))
            }
            Meaning::Switched => {
                front.received = Received::Final;
                self.side.receive = Receive::Switching;
                self.flow.deadlines.disarm(Deadline::Head);
                self.release_content(now);
                Ok(Step::Response(line))
            }
            Meaning::Final => {
                front.received = Received::Final;
                let StatusLine { status, version, certain, framing, .. } = &line;
                self.side.peer = *version;
                front.persistent &= *certain && *framing != Framing::UntilClose && facts.persistent(*version);
                self.flow.deadlines.disarm(Deadline::Head);
                self.begin_response(*framing, *status);
                Ok(Step::Response(line))
            }
        }
    }

    fn begin_response(&mut self, framing: Framing, status: crate::message::status::StatusCode) {
        let expecting = match self.side.send {
            Send::Expecting(..) => Expecting::Continue,
            _ => Expecting::Nothing,
        };
        if exchange::rest_of_request(status, self.progress_of_request(), expecting) == Rest::Withhold {
            self.side.send = Send::Done;
            self.side.persistent = false;
            self.flow.deadlines.disarm(Deadline::Expect);
            if let Some(front) = self.side.pending.front_mut() {
                front.persistent = false;
            }
        }
        if !self.side.pending.front().is_some_and(|front| front.persistent) {
            self.side.persistent = false;
        }
        self.side.receive = if framing.has_content() {
            let own = self.side.pending.front().and_then(|front| front.content_pace);
            self.flow.begin_content_within(own.map(|(pause, rate)| (duration(pause), rate)));
            Receive::Content(Decoder::of_response(framing))
        } else {
            Receive::Ending
        };
    }

    fn read_content(&mut self, input: &mut BytesMut, now: Instant) -> Result<Step, Broken> {
        let Receive::Content(decoder) = &mut self.side.receive else { return Ok(Step::Again) };
        let (decoded, taken, moved) = decoder.decode_on(input, &self.flow.config);
        self.flow.received = self.flow.received.saturating_add(taken);
        self.flow.content_moved(moved, now);
        match decoded? {
            Decoded::Data(piece) => {
                self.flow.rest_content(now);
                Ok(Step::Event(Event::Content(piece)))
            }
            Decoded::Extensions(extensions) => Ok(Step::Event(Event::ChunkExtensions(extensions))),
            Decoded::End(trailers) => {
                self.flow.rest_content(now);
                Ok(self.end(trailers, input, now))
            }
            Decoded::Partial => {
                let Some(end) = self.flow.ended else { return Ok(Step::Pause(Pause::NeedsInput)) };
                match exchange::ended(At::Content { until_close: decoder.ends_with_connection() }, end) {
                    Ended::Complete => {
                        self.side.receive = Receive::Ending;
                        Ok(Step::Again)
                    }
                    _ => Err(Broken(Reason::Truncated, input.len())),
                }
            }
        }
    }

    /// The response is complete. Empty lines behind it that have come already are dropped with it, as those are that
    /// come while the connection idles: it does not hang on how a stream is cut whether the connection is kept.
    fn end(&mut self, trailers: Fields, input: &mut BytesMut, now: Instant) -> Step {
        self.side.receive = Receive::Done;
        self.advance(now);
        if !input.is_empty() && self.side.pending.is_empty() && self.flow.is_open() {
            // What is wrong with them is said by the next poll, which meets it again.
            let _ = self.drop_empty_lines(input);
        }
        Step::Event(Event::End(trailers))
    }

    /// Goes from one exchange to the next, or to the end, when both messages allow it.
    pub(super) fn advance(&mut self, now: Instant) {
        let response = match self.side.receive {
            Receive::Done => Progress::Done,
            _ => Progress::Content,
        };
        let Some(front) = self.side.pending.front() else { return };
        match exchange::next(self.progress_of_request(), response, front.persistent, Wanted::Yes) {
            Next::Exchange => {
                self.side.pending.pop_front();
                self.side.receive = Receive::Head(Scan::default());
                self.flow.pause = Pause::NeedsInput;
                if self.side.pending.is_empty() { self.arm_idle(now) } else { self.await_head(now) }
            }
            Next::Close => {
                self.side.pending.pop_front();
                self.side.receive = Receive::Head(Scan::default());
                self.flow.abort(Closed::NotPersistent);
            }
            Next::Wait | Next::Drain => {}
        }
    }

    /// How far the request is whose response is read. Only the last one can be incomplete.
    fn progress_of_request(&self) -> Progress {
        match self.side.send {
            Send::Expecting(..) | Send::Content(_) if self.side.pending.len() == 1 => Progress::Content,
            _ => Progress::Done,
        }
    }

    pub(super) fn request_complete(&mut self) {
        self.side.send = Send::Done;
        if let Some(last) = self.side.pending.back_mut() {
            last.end = Some(self.flow.outbox.queued());
        }
    }

    /// Content that waited for 100 (Continue) may be sent.
    pub(super) fn release_content(&mut self, now: Instant) {
        self.flow.deadlines.disarm(Deadline::Expect);
        match core::mem::replace(&mut self.side.send, Send::Done) {
            Send::Expecting(mut encoder, Some(held)) => {
                // Its length was announced from itself, so it fits.
                let _ = encoder.write(held, &mut self.flow.outbox);
                self.request_complete();
            }
            Send::Expecting(encoder, None) => self.side.send = Send::Content(encoder),
            other => self.side.send = other,
        }
        self.flow.queued(now);
    }

    pub(super) fn everything_sent(&self) -> bool {
        matches!(self.side.send, Send::Done | Send::Broken) && self.flow.outbox.is_empty()
    }

    /// Nothing can be sent any more. A response that the peer has sent already is still read (RFC 9112 §9.5).
    fn break_off(&mut self, now: Instant) {
        if self.side.pending.is_empty() || !self.flow.is_open() {
            self.flow.abort(Closed::Broken);
            return;
        }
        self.flow.outbox.discard();
        self.side.send = Send::Broken;
        self.side.persistent = false;
        if let Some(last) = self.side.pending.back_mut() {
            // Its response, if one comes, is the last that can.
            last.persistent = false;
        }
        self.flow.deadlines.disarm(Deadline::Send);
        self.flow.deadlines.disarm(Deadline::Expect);
        self.flow.deadlines.arm(Deadline::Linger, now.saturating_add(self.flow.config.timeouts.linger));
        // Its response may be complete already.
        self.advance(now);
    }

    /// The peer was too slow; `poll_event` tells it.
    pub(super) fn fail_late(&mut self, reason: Reason) {
        if self.flow.is_open() {
            let error = self.flow.error(reason, self.flow.left);
            self.flow.tell(error);
            self.flow.abort(Closed::Failed(reason));
        }
    }

    /// Sets the deadlines of reading when a poll has stopped.
    pub(super) fn rearm(&mut self, pause: Pause, now: Instant) {
        let waiting = pause == Pause::NeedsInput && self.flow.ended.is_none();
        match &self.side.receive {
            // Idling has its deadline since it began.
            Receive::Head(_) if waiting => self.await_head(now),
            Receive::Content(_) if waiting => self.flow.await_content(now),
            _ => self.flow.rest_content(now),
        }
    }

    /// Idling begins when nothing is awaited any more. Once the peer has ended there is nothing to wait for.
    pub(super) fn arm_idle(&mut self, now: Instant) {
        if self.flow.ended.is_none() {
            self.flow.deadlines.arm(Deadline::Idle, now.saturating_add(self.flow.config.timeouts.idle));
        }
    }

    /// The deadline of a response head runs from the moment its request was sent.
    pub(super) fn await_head(&mut self, now: Instant) {
        let waits =
            matches!(self.side.receive, Receive::Head(_)) && !self.side.pending.is_empty() && self.flow.is_open();
        if waits && self.everything_sent() && !self.flow.deadlines.is_armed(Deadline::Head) {
            let own = self.side.pending.front().and_then(|front| front.head_millis);
            let most = own.map_or(self.flow.config.timeouts.head, duration);
            self.flow.deadlines.arm(Deadline::Head, now.saturating_add(most));
        }
    }
}

/// What does not fit is for ever.
const fn duration(millis: NonZeroU32) -> Duration {
    match millis {
        NonZeroU32::MAX => Duration::MAX,
        millis => Duration::from_millis(millis.get() as u64),
    }
}
