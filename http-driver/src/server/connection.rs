//! A connection that was accepted.

use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_core::model::Input;
use http_core::server::{self, Event, ServerSide};
use http_core::{Closed, Config, Content, Fields, Instant, Misuse, Phase, RequestHead, ResponseHead};

use super::incident::{Fault, Observed, Observer};
use crate::call::call;
use crate::clock;
use crate::convert;
use crate::error::Error;
use crate::io::{Runtime, Transport};
use crate::link::{BoxTap, Link, Waiter, poll_until};
use crate::observe::Watched;
use crate::outside::{Outside, Woken};

/// Before the machine was told the date.
const NEVER: u64 = u64::MAX;

/// One connection of a server, over any transport: exchange after exchange, without channels or tasks.
///
/// Nothing happens between calls: while the application works on its own, deadlines and the end of the peer are seen
/// when it calls the next time, or through [`Exchange::drive`](super::Exchange::drive).
///
/// ```
/// use bytes::Bytes;
/// use http_core::{Content, ResponseHead, StatusCode};
/// use http_driver::{Error, Runtime, Transport, server};
///
/// async fn hello<T: Transport, R: Runtime>(mut connection: server::Connection<T, R>) -> Result<(), Error> {
///     let head = ResponseHead::new(StatusCode::OK);
///     while let Some(mut exchange) = connection.accept().await? {
///         exchange.respond(&head, Content::Full(Bytes::from_static(b"Hello")))?;
///         exchange.finish().await?;
///     }
///     Ok(())
/// }
/// ```
pub struct Connection<T, R: Runtime> {
    link: Link<ServerSide, T, R>,
    /// When the machine was told the date last, see [`clock::dated`].
    dated: u64,
    over: bool,
    /// To be closed once it was seen whether the next request has begun to come.
    closing: bool,
    /// Whoever is told of what goes wrong.
    observed: Option<Box<Observed>>,
}

/// What is kept of a connection that idles and has nothing to work with any more.
pub(super) struct Resting<T, R: Runtime> {
    machine: server::Resting,
    outside: Outside<T, R>,
    observed: Option<Box<Observed>>,
}

impl<T: Transport, R: Runtime> Resting<T, R> {
    /// A connection over a transport that was just accepted, which begins with a rest.
    pub(super) fn new(transport: T, runtime: R, config: Arc<Config>) -> Self {
        let now = clock::to_core(runtime.now());
        let machine = server::Resting::new(config, now);
        Self { machine, outside: Outside::new(transport, runtime), observed: None }
    }

    /// Waits for what ends the rest: ready with what the transport has brought, if it has. `kept` says of the deadline
    /// whether somebody else wakes the task then.
    pub(super) fn poll_woken(&mut self, cx: &mut Context<'_>, kept: impl Fn(Instant) -> bool) -> Poll<Option<Woken>> {
        if let Poll::Ready(brought) = self.outside.poll_brought(cx, self.machine.lend()) {
            return Poll::Ready(brought);
        }
        match self.machine.poll_timeout() {
            Some(due) => self.outside.poll_due(cx, due, kept).map(|()| None),
            None => Poll::Pending,
        }
    }

    /// The connection again; what has ended the rest is to be [told](Connection::woken).
    #[inline(always)]
    pub(super) fn resume(self) -> Connection<T, R> {
        let Self { machine, outside, observed } = self;
        let link = Link::resumed(machine.resume(), outside);
        Connection { link, dated: NEVER, over: false, closing: false, observed }
    }
}

impl<T: Transport, R: Runtime> Connection<T, R> {
    /// A connection over a transport that was just accepted.
    pub fn new(transport: T, runtime: R, config: Arc<Config>) -> Self {
        Self::with_early(transport, runtime, config, BytesMut::new(), None)
    }

    /// The same for a transport of which `early` was read already, watched by a tap if one is given.
    pub fn with_early(transport: T, runtime: R, config: Arc<Config>, early: BytesMut, tap: Option<BoxTap>) -> Self {
        let now = clock::to_core(runtime.now());
        let machine = server::Connection::new(config, now);
        let mut connection = Self {
            link: Link::new(machine, transport, runtime, early, tap, now),
            dated: NEVER,
            over: false,
            closing: false,
            observed: None,
        };
        // An answer to a request that cannot be read has a date as well.
        connection.tell_date(now);
        connection
    }

    /// What has ended a rest, if that was something of the transport.
    pub(super) fn woken(&mut self, woken: Option<Woken>) {
        let now = self.link.woken(woken);
        self.tell_date(now);
    }

    /// [`accept`](Self::accept), as a poll.
    pub(crate) fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<RequestHead>, Error>> {
        self.leave_exchange();
        if self.over {
            return self.poll_end(cx).map(|()| Ok(None));
        }
        let mut accepted = self.poll_next(cx);
        if self.closing && (accepted.is_pending() || matches!(accepted, Poll::Ready(Ok(Some(_))))) {
            // What had come was looked at: what has begun is the last, what idles ends.
            self.closing = false;
            self.close_machine();
            if accepted.is_pending() {
                accepted = self.poll_next(cx);
            }
        }
        match accepted {
            // Its peer was told when that was seen.
            Poll::Ready(Ok(None)) if self.over => Poll::Ready(Ok(None)),
            Poll::Ready(Ok(None)) => self.poll_switched(cx),
            Poll::Pending if self.is_switched() => self.poll_switched(cx),
            accepted => accepted,
        }
    }

    /// The next request, or none. The rest of an exchange that was left is passed over.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<RequestHead>, Error>> {
        self.poll_for(cx, |event| match event {
            Event::Request(head) => Some(Some(head)),
            Event::Switched | Event::Closed(_) => Some(None),
            _ => None,
        })
    }

    /// The connection is handed over once everything before was written.
    fn poll_switched(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<RequestHead>, Error>> {
        self.poll_flush(cx).map_ok(|()| None)
    }

    /// Whether the connection speaks another protocol: take it with [`into_parts`](Self::into_parts).
    #[must_use]
    pub fn is_switched(&self) -> bool {
        self.link.machine.is_switched()
    }

    /// Answers what is open, or has begun to come, then ends the connection: an idle one at once, when the next request
    /// is asked for. See [`http_core::server::Connection::close`].
    pub fn close(&mut self) {
        if self.link.machine.is_answering() {
            self.close_machine();
        } else {
            self.closing = true;
        }
    }

    /// Nobody answers any more: ends the connection once what waits was written.
    pub(super) fn leave(&mut self) {
        self.leave_exchange();
        self.close_machine();
        if !self.link.machine.is_answering() {
            // A request that has begun to come would wait for ever.
            self.abandon();
        }
    }

    /// Writes what waits, shuts the connection down and waits until the peer has read it, within `Timeouts::linger`.
    /// What is left of an open exchange is finished as [`accept`](Self::accept) does; no request is read any more.
    ///
    /// # Cancellation
    /// Safe; the rest is then lost when the connection is dropped.
    pub async fn finish(&mut self) {
        self.leave();
        poll_fn(|cx| self.poll_end(cx)).await;
    }

    /// The machine as it rests, if the connection has given back what it works with, and idles.
    pub(super) fn resting(&self) -> Option<server::Resting> {
        if !self.link.is_bare() || self.over || self.closing { None } else { self.link.machine.resting() }
    }

    /// What has to be kept of it then.
    pub(super) fn rest(self, machine: server::Resting) -> Resting<T, R> {
        Resting { machine, outside: self.link.into_outside(), observed: self.observed }
    }

    /// Tells of what goes wrong from here, if it does not already.
    pub(super) fn observe(&mut self, observer: &Observer) {
        if self.observed.is_none() {
            self.observed = observer.follow(&self.link.transport);
        }
        if let Some(tap) = self.observed.as_ref().and_then(|observed| observed.phases()) {
            self.link.watch(tap);
        }
    }

    pub(super) const fn observer(&mut self) -> &mut Option<Box<Observed>> {
        &mut self.observed
    }

    /// Tells of a request that the service is given.
    #[cold]
    pub(super) fn tell_served<B>(&mut self, request: &http::Request<B>) {
        let now = self.link.now();
        if let Some(observed) = &mut self.observed {
            observed.serves(request, now);
        }
    }

    /// The same exchange goes on, or was dropped.
    pub(super) fn see_exchange(&mut self) {
        if let Some(exchange) = self.watched() {
            exchange.see(self.link.now());
        }
    }

    /// It has failed, and nothing more is to be told of it.
    pub(super) fn give_up_exchange(&mut self) {
        if self.observed.is_some() {
            let now = self.link.now();
            if let Some(observed) = &mut self.observed {
                observed.give_up(now);
            }
        }
    }

    /// The connection is handed over, and with it who is told.
    pub(super) fn take_observed(&mut self) -> Option<Box<Observed>> {
        let mut observed = self.observed.take()?;
        observed.complete(self.link.now());
        Some(observed)
    }

    /// The exchange that the service has, if somebody measures it.
    #[inline]
    pub(super) fn watched(&self) -> Option<&Arc<Watched>> {
        self.observed.as_ref()?.exchange()
    }

    /// Tells of a response that was begun, with so much of its content.
    #[cold]
    fn tell_answered(&self, status: u16, content: usize) {
        if let (Some(exchange), Ok(status)) = (self.watched(), http::StatusCode::from_u16(status)) {
            exchange.first_byte(self.link.now());
            exchange.answered(status);
            exchange.response_content(content);
        }
    }

    /// What is to be told of content that is about to be sent with a head, if anybody is.
    #[inline]
    fn content_to_tell(&self, content: &Content) -> Option<usize> {
        self.observed.as_ref()?;
        Some(if let Content::Full(bytes) = content { bytes.len() } else { 0 })
    }

    /// Tells of a fault, and what was answered; not if it follows from what was told to end the connection.
    #[inline]
    pub(super) fn report(&self, fault: Fault<'_>, status: Option<http::StatusCode>) {
        if let Some(observed) = self.observed.as_ref().filter(|observed| !observed.is_over()) {
            observed.tell(fault, status, self.link.machine.reached());
        }
    }

    /// Tells of what the machine has answered by itself, once it was asked for the next request. The last one is that
    /// of an incident for as long as its answer is being sent, or what it was handed over for goes on.
    #[inline]
    pub(super) fn report_unserved(&mut self, asked: &Poll<Result<Option<RequestHead>, Error>>) {
        if let Some(observed) = &mut self.observed {
            let (machine, now) = (&self.link.machine, clock::to_core(self.link.runtime.now()));
            observed.tell_unmet(machine.unmet_expectations(), now);
            let accepted = matches!(asked, Poll::Ready(Ok(Some(_))));
            if accepted || machine.reached() != Phase::Writing && !machine.is_switched() {
                observed.served(now);
            } else if let Some(exchange) = observed.exchange() {
                exchange.see(now);
            }
        }
    }

    /// Tells what ends the connection, once.
    pub(super) fn report_end(&mut self, error: &Error) {
        if self.observed.is_none() {
            return;
        }
        // That it is closed follows from something.
        let cause = matches!(error, Error::Misuse(Misuse::Closed)).then(|| self.cause());
        let (machine, error) = (&self.link.machine, cause.as_ref().unwrap_or(error));
        if let Some(observed) = &mut self.observed {
            observed.tell_end(error, machine.was_refused(), machine.reached());
        }
    }

    /// Tells that a shutdown ends the connection.
    pub(super) fn report_cut(&mut self) {
        if let Some(observed) = &mut self.observed {
            observed.tell_cut(self.link.machine.reached());
        }
    }

    /// The machine, to look at: its phase, its deadlines.
    pub const fn machine(&self) -> &server::Connection {
        &self.link.machine
    }

    /// The transport.
    pub const fn transport(&self) -> &T {
        &self.link.transport
    }

    /// The transport, and what was read from it and belongs to nobody yet.
    #[must_use]
    pub fn into_parts(self) -> (T, BytesMut) {
        (self.link.transport, self.link.input)
    }

    /// The next event, whatever has to happen for it.
    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, Error>> {
        self.poll_for(cx, Some)
    }

    /// The next event that `take` takes; the others are dropped.
    #[inline]
    fn poll_for<O>(&mut self, cx: &mut Context<'_>, take: impl Fn(Event) -> Option<O>) -> Poll<Result<O, Error>> {
        poll_until(self, cx, |this, cx, now| {
            if this.link.input.is_empty() {
                // No answer can follow that could leave with what waits.
                let _ = this.link.poll_write(cx, now);
            }
            this.next(now, &take)
        })
    }

    /// The next event that is there already and that `take` takes. To be asked while something is waited for alone.
    #[inline]
    pub(super) fn next<O>(&mut self, now: Instant, take: impl Fn(Event) -> Option<O>) -> Poll<Result<O, Error>> {
        loop {
            let taken = match self.link.poll_machine(now) {
                Ok(Some(Event::Closed(why))) => {
                    self.over = true;
                    self.link.farewell();
                    take(self.closed(why)?)
                }
                Ok(Some(event)) => {
                    if let Event::Request(_) = event {
                        self.tell_date(now);
                    }
                    take(event)
                }
                Ok(None) if self.over => take(Event::Closed(Closed::ByUs)),
                Ok(None) => return Poll::Pending,
                Err(error) => return Poll::Ready(Err(error.into())),
            };
            if let Some(taken) = taken {
                return Poll::Ready(Ok(taken));
            }
        }
    }

    /// Whether the connection has ended while something else is waited for. What the peer sends is kept for later.
    pub(super) fn ended(&mut self, now: Instant) -> Poll<Error> {
        if !self.link.machine.interest().close {
            return Poll::Pending;
        }
        self.link.farewell();
        Poll::Ready(match self.link.poll_machine(now) {
            Err(error) => error.into(),
            Ok(Some(Event::Closed(why))) => {
                self.over = true;
                self.closed(why).err().unwrap_or(Error::Closed(why))
            }
            Ok(_) => Error::Closed(Closed::Broken),
        })
    }

    /// How many bytes were read and not understood yet.
    pub(super) fn unread(&self) -> u64 {
        self.link.input.len() as u64
    }

    /// Whether enough was done in this wake, so that whoever goes on without the transport is to wait as well.
    pub(super) fn is_spent(&mut self, now: Instant) -> bool {
        self.link.is_spent(now)
    }

    /// The end of a connection as a result: an error if an exchange was cut off by it.
    fn closed(&mut self, why: Closed) -> Result<Event, Error> {
        Error::cut_off(why, self.link.take_broken()).map_or(Ok(Event::Closed(why)), Err)
    }

    /// Leaves the open exchange as it is: the application has dropped it.
    fn leave_exchange(&mut self) {
        if !self.link.machine.is_answering() {
            return;
        }
        if self.link.machine.content_is_due() {
            self.discard_content();
        }
        if self.link.machine.awaits_response() {
            let head = ResponseHead::new(http_core::StatusCode::INTERNAL_SERVER_ERROR);
            let _ = self.respond(&head, Content::Empty);
        } else if self.link.machine.awaits_content() {
            self.abandon();
        }
    }

    pub(super) fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        poll_until(self, cx, |this, _, now| this.end_reached(now))
    }

    /// Whether the connection is over and its peer was told. What comes is dropped.
    pub(super) fn end_reached(&mut self, now: Instant) -> Poll<()> {
        while !self.link.machine.interest().close {
            if let Ok(None) = self.link.poll_machine(now) {
                return Poll::Pending;
            }
        }
        self.link.farewell();
        Poll::Ready(())
    }

    /// The date, if the machine does not know it yet.
    fn tell_date(&mut self, now: Instant) {
        let dated = clock::dated(now);
        if self.dated != dated {
            self.dated = dated;
            self.date_is(clock::date(&self.link.runtime, now), now);
        }
    }
}

/// The commands of an exchange.
impl<T: Transport, R: Runtime> Connection<T, R> {
    pub(super) fn respond(&mut self, head: &ResponseHead, content: Content) -> Result<(), Misuse> {
        let told = self.content_to_tell(&content);
        let sent = call!(self, Input::SendResponse(head.clone(), content), |machine, now| machine
            .send_response(head, content, now));
        if let (Some(length), Ok(())) = (told, &sent) {
            self.tell_answered(head.status().as_u16(), length);
        }
        sent
    }

    /// The same, where the content stays with the caller if the response is refused.
    pub(super) fn offer(&mut self, head: &ResponseHead, content: &mut Content) -> Result<(), Misuse> {
        let told = self.content_to_tell(content);
        let sent = call!(self, Input::SendResponse(head.clone(), content.clone()), |machine, now| machine
            .offer_response(head, content, now));
        if let (Some(length), Ok(())) = (told, &sent) {
            self.tell_answered(head.status().as_u16(), length);
        }
        sent
    }

    /// The same from the parts of a response, without a head of ours; whoever watches is shown one.
    pub(super) fn offer_parts(&mut self, parts: &http::response::Parts, content: &mut Content) -> Result<(), Misuse> {
        if self.link.is_tapped() {
            return self.offer(&convert::lenient_response_head(parts)?, content);
        }
        let told = self.content_to_tell(content);
        let (lines, now) = (convert::response_lines(parts)?, self.link.now());
        let sent = self.link.machine.offer_lines(&lines, content, now);
        if let (Some(length), Ok(())) = (told, &sent) {
            self.tell_answered(parts.status.as_u16(), length);
        }
        // It is written, and the next request looked for, before the task waits.
        if sent.is_ok() && !self.link.machine.awaits_content() {
            self.link.goes_on_from(now);
        }
        sent
    }

    pub(super) fn interim(&mut self, head: &ResponseHead) -> Result<(), Misuse> {
        call!(self, Input::SendInterim(head.clone()), |machine, now| machine.send_interim(head, now))
    }

    pub(super) fn want_content(&mut self) {
        let _ = call!(self, Input::WantContent, |machine, now| {
            machine.want_content(now);
            Ok(())
        });
    }

    /// The same, where what comes next is polled for.
    #[inline]
    pub(super) fn want_next_content(&mut self) {
        if !self.link.machine.content_is_wanted() {
            self.want_content();
        }
    }

    pub(super) fn discard_content(&mut self) {
        let _ = call!(self, Input::DiscardContent, |machine, now| {
            machine.discard_content(now);
            Ok(())
        });
    }

    pub(super) fn abandon(&mut self) {
        let _ = call!(self, Input::Abandon, |machine, now| {
            machine.abandon(now);
            Ok(())
        });
    }

    /// Writes what the transport takes at once.
    pub(super) fn write_at_once(&mut self) {
        let now = self.link.now();
        let _ = self.link.poll_write(&mut Context::from_waker(Waker::noop()), now);
    }

    /// The connection is about to be dropped, whatever goes on. What waits is not left to the system to send.
    pub(super) fn cut(&mut self) {
        self.link.cut();
    }

    fn date_is(&mut self, date: [u8; 29], now: Instant) {
        if self.link.is_tapped() {
            let _ = self.link.apply(Input::Date(date), now);
        } else {
            self.link.machine.handle_date(date);
        }
    }

    /// Ends the connection after the open exchange.
    fn close_machine(&mut self) {
        let _ = call!(self, Input::Close, |machine, now| {
            machine.close(now);
            Ok(())
        });
    }

    pub(super) fn end(&mut self, trailers: &Fields) -> Result<(), Error> {
        let ended = call!(self, Input::SendEnd(trailers.clone()), |machine, now| machine.send_end(trailers, now));
        self.or_cause(ended)
    }

    /// Queues a piece of content, whatever waits already. `looked` is when this wake has looked at the time last.
    pub(super) fn write(&mut self, content: Bytes, looked: Instant) -> Result<(), Error> {
        if let Some(exchange) = self.watched() {
            exchange.response_content(content.len());
        }
        // A deadline begins with what is queued first, however long that took to be made.
        let begins = self.link.machine.outbox().is_empty();
        let now = if begins { self.link.now() } else { looked };
        let sent = if self.link.is_tapped() {
            self.link.apply(Input::SendContent(content), now)
        } else {
            self.link.machine.send_content(content, now)
        };
        self.or_cause(sent)
    }

    pub(super) fn poll_write(&mut self, content: &mut Bytes, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        poll_until(self, cx, |this, _, now| {
            if this.has_room() || !this.link.machine.awaits_content() {
                return Poll::Ready(this.write(core::mem::take(content), now));
            }
            if this.link.machine.interest().close { Poll::Ready(Err(this.cause())) } else { Poll::Pending }
        })
    }

    /// Whether to produce more content: while no more waits than half of what may, so that a piece that comes on top
    /// stays within it.
    pub(super) fn has_room(&self) -> bool {
        self.link.machine.send_capacity() >= self.link.machine.config().limits.send_buffer.div_ceil(2).max(1)
    }

    fn or_cause(&mut self, result: Result<(), Misuse>) -> Result<(), Error> {
        match result {
            Err(Misuse::Closed) => Err(self.cause()),
            other => other.map_err(Error::from),
        }
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        poll_until(self, cx, |this, cx, now| {
            if !this.link.poll_flushed(cx, now) {
                return Poll::Pending;
            }
            if !this.link.machine.interest().close || this.over {
                return Poll::Ready(Ok(()));
            }
            Poll::Ready(match this.cause() {
                error if error.is_orderly_end() => Ok(()),
                error => Err(error),
            })
        })
    }

    pub(super) fn recycle(&mut self, fields: Fields) {
        self.link.machine.recycle(fields);
    }

    /// Whether the bytes of another request may be there already, so that its answer can leave with this one.
    pub(super) fn may_batch(&self) -> bool {
        !self.link.input.is_empty()
    }

    /// Why the connection is over.
    fn cause(&mut self) -> Error {
        let now = self.link.now();
        loop {
            match self.link.poll_machine(now) {
                Err(error) => return error.into(),
                Ok(Some(Event::Closed(why))) => {
                    self.over = true;
                    return Error::ended(why, self.link.take_broken());
                }
                Ok(Some(_)) => {}
                Ok(None) => return Error::ended(Closed::Broken, self.link.take_broken()),
            }
        }
    }
}

impl<T: Transport, R: Runtime> Waiter for Connection<T, R> {
    type Side = ServerSide;
    type Transport = T;
    type Runtime = R;

    fn link(&mut self) -> &mut Link<ServerSide, T, R> {
        &mut self.link
    }
}

impl<T, R: Runtime> fmt::Debug for Connection<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("link", &self.link).finish_non_exhaustive()
    }
}
