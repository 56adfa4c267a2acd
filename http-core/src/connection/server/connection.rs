//! One connection as a server sees it.

use bytes::Bytes;

use super::side::{Receive, Send, ServerSide};
use crate::connection::common;
use crate::connection::exchange::{self, Expecting, Progress, Wanted};
use crate::connection::flow::{Closed, Life, Pause};
use crate::connection::phase::Phase;
use crate::message::content::Content;
use crate::message::facts::RequestKind;
use crate::message::field::Fields;
use crate::message::head::{RequestHead, ResponseHead};
use crate::message::misuse::Misuse;
use crate::message::status::StatusCode;
use crate::message::version::Version;
use crate::time::Instant;
use crate::write::encode::Encoder;
use crate::write::generate::{self, Outline, SendFraming};
use crate::write::mend::mend_response;
use crate::write::outbox;
use crate::write::source::{ResponseLines, Source};

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
///    [`handle_eof`](Connection::handle_eof), [`handle_sent`](Connection::handle_sent),
///    [`handle_write_error`](Connection::handle_write_error), [`handle_timeout`](Connection::handle_timeout) and
///    [`handle_date`](Connection::handle_date) tell the rest.
/// 2. *Outputs* are asked for: [`poll_event`](Connection::poll_event) until it says `None`, what to send by
///    [`transmit`](Connection::transmit) or [`outbox`](Connection::outbox), when to wake by
///    [`poll_timeout`](Connection::poll_timeout), and [`interest`](Connection::interest) for what to do with the
///    transport next.
/// 3. *Commands* say what the application wants: [`want_content`](Connection::want_content) or
///    [`discard_content`](Connection::discard_content), [`send_interim`](Connection::send_interim),
///    [`send_response`](Connection::send_response), [`send_content`](Connection::send_content),
///    [`send_end`](Connection::send_end), [`close`](Connection::close). After one of them ask for outputs again.
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
pub type Connection = common::Connection<ServerSide>;

/// Inputs: from the transport and the clock.
impl Connection {
    /// The value of `Date` from now on, as RFC 9110 §5.6.7 spells it. Without one, no `Date` is sent.
    pub fn handle_date(&mut self, date: [u8; 29]) {
        // A date is 29 visible characters; anything else could split the message.
        self.side.date = date.iter().all(|b| (b' '..0x7f).contains(b)).then_some(date);
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
        if let Receive::Content(_, wanted @ (Wanted::NotYet | Wanted::Yes)) = &mut self.side.receive {
            if exchange::continues(self.side.exchange.expecting, response, self.flow.left > 0) && self.flow.is_open() {
                self.flow.outbox.push_copy(CONTINUE);
            }
            if response == Progress::Head {
                self.side.exchange.expecting = Expecting::Nothing;
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
        if let Receive::Content(_, wanted @ (Wanted::NotYet | Wanted::Yes)) = &mut self.side.receive {
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
        if self.side.exchange.version == Version::Http10 {
            return Err(Misuse::Framing);
        }
        if self.side.exchange.interim_sent >= self.flow.config.limits.interim_responses {
            return Err(Misuse::Full);
        }
        self.flow.outbox.stage(|out| generate::interim(head, out))?;
        self.side.exchange.interim_sent += 1;
        if head.status().as_u16() == 100 {
            self.side.exchange.expecting = Expecting::Nothing;
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
        self.offer(head, content, now)
    }

    /// The same from field lines that lie somewhere else, without a head in between.
    ///
    /// # Errors
    /// Those of [`send_response`](Self::send_response); [`Misuse::FieldName`], [`Misuse::FieldValue`],
    /// [`Misuse::ReasonPhrase`] for what could not be pushed to a [`ResponseHead`].
    pub fn offer_lines<'a, F, N, V>(
        &mut self,
        lines: &ResponseLines<'a, F>,
        content: &mut Content,
        now: Instant,
    ) -> Result<(), Misuse>
    where
        F: Clone + IntoIterator<Item = (&'a N, &'a V)>,
        N: AsRef<[u8]> + ?Sized + 'a,
        V: AsRef<[u8]> + ?Sized + 'a,
    {
        self.offer(lines, content, now)
    }

    fn offer(&mut self, head: &impl Source, content: &mut Content, now: Instant) -> Result<(), Misuse> {
        let now = self.may_answer(now)?;
        let outline =
            Outline { persistent: self.persists_after_response(head.status()), date: self.side.date, ..self.outline() };
        let switching = head.status().as_u16() == 101 || outline.connect && head.status().is_success();
        // RFC 9110 §7.8: a client that asked for both is sent 100 before 101; before a tunnel too, for what it sends
        // next would be its content or the tunnel's, and nobody could tell.
        let continues = switching
            && self.content_is_due()
            && exchange::continues(self.side.exchange.expecting, Progress::Head, self.flow.left > 0);
        let sending = self.flow.outbox.stage(|out| {
            if continues {
                out.extend_from_slice(CONTINUE);
            }
            let sending = generate::response(head, content, &outline, out)?;
            // Content that is copied anyway goes the short way.
            if let (SendFraming::Length(_), Content::Full(bytes)) = (sending.framing, &*content) {
                if outbox::is_copied(bytes) {
                    out.extend_from_slice(bytes);
                }
            }
            Ok(sending)
        })?;
        self.side.exchange.persistent = sending.persistent;
        self.side.exchange.switching = switching;
        self.side.send = match (Encoder::new(sending.framing), core::mem::take(content)) {
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
}

/// Getters.
impl Connection {
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
        let answering = !self.was_refused() && !matches!(self.side.send, Send::Head);
        match &self.side.receive {
            Receive::Head(scan) if scan.start_line_read => Phase::ReadingHeaders,
            Receive::Head(_) if self.side.refused.is_some() => Phase::ReadingFirstLine,
            Receive::Head(_) if !self.flow.lost => Phase::Idle,
            Receive::Content(decoder, _) if !answering && decoder.in_trailers() => Phase::ReadingTrailer,
            Receive::Content(..) if !answering => Phase::ReadingBody,
            _ => Phase::Writing,
        }
    }

    /// Whether the fault that ended the connection was answered, with the
    /// [`status`](crate::ProtocolError::status_hint) that it hints at: not if another answer had begun, nor if nobody
    /// was there to read it.
    #[must_use]
    pub const fn was_refused(&self) -> bool {
        matches!(self.side.refused, Some(true))
    }

    /// How many requests were answered with 417 by the connection itself (RFC 9110 §10.1.1). No event tells of them.
    #[must_use]
    pub const fn unmet_expectations(&self) -> u32 {
        self.side.unmet
    }

    /// Whether an exchange is open: its request was delivered and it is not over.
    #[must_use]
    pub const fn is_answering(&self) -> bool {
        !matches!(self.side.receive, Receive::Head(_))
    }

    /// Whether the open request still awaits its final response.
    #[must_use]
    pub const fn awaits_response(&self) -> bool {
        self.is_answering() && matches!(self.side.send, Send::Head)
    }

    /// In which field lines the head of the request that was read last differs from that of the request before it: a
    /// bit for each, the first line's the lowest. Whoever made something of the others need not make it anew.
    ///
    /// All other lines are the same to the octet, as are all names. Lines that may hold secrets count as others always.
    /// `None` if the names or their order are not the same, or if it was not looked at, which is at the discretion of
    /// the connection.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use http_core::{Config, Content, Instant, ResponseHead, StatusCode, server};
    /// let mut connection = server::Connection::new(Config::default().into(), Instant::ZERO);
    /// let mut changed = None;
    /// for value in ["a", "a", "a", "a", "b", "c"] {
    ///     let mut input = BytesMut::from(&*format!("GET / HTTP/1.1\r\nHost: a\r\nReferer: {value}\r\n\r\n"));
    ///     assert!(connection.poll_event(&mut input, Instant::ZERO)?.is_some());
    ///     changed = connection.changed_lines();
    ///     while connection.poll_event(&mut input, Instant::ZERO)?.is_some() {}
    ///     connection.send_response(&ResponseHead::new(StatusCode::OK), Content::Empty, Instant::ZERO)?;
    ///     connection.handle_sent(usize::MAX, Instant::ZERO);
    /// }
    /// assert_eq!(changed, Some(0b10));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn changed_lines(&self) -> Option<u64> {
        self.spare.changed_lines()
    }

    /// Whether the open request would have the connection handed over: it offers an upgrade, or is a `CONNECT`.
    #[must_use]
    pub fn may_switch(&self) -> bool {
        self.is_answering() && (self.side.exchange.upgrade_offered || self.side.exchange.kind == RequestKind::Connect)
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
            peer: self.side.exchange.version,
            upgrade_offered: self.side.exchange.upgrade_offered,
            ..Outline::answering(self.side.exchange.kind)
        }
    }

    /// Whether content of the open request is still to come, and was asked for: to ask for it again changes nothing if
    /// [`poll_event`](Self::poll_event) follows.
    #[must_use]
    pub const fn content_is_wanted(&self) -> bool {
        matches!(self.side.receive, Receive::Content(_, Wanted::Yes))
    }

    /// Whether content of the open request is still to come.
    #[must_use]
    pub const fn content_is_due(&self) -> bool {
        matches!(self.side.receive, Receive::Content(..))
    }
}
