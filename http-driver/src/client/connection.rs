//! A connection that was made.

use core::fmt;
use core::task::{Context, Poll};
use core::time::Duration;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_core::client::{self, ClientSide, Event, Readiness, Unanswered};
use http_core::model::Input;
use http_core::{Closed, Config, Content, Fields, Instant, Misuse, RequestHead};

use super::options::RequestOptions;
use crate::call::call;
use crate::clock;
use crate::convert::{self, Unconvertible};
use crate::error::Error;
use crate::io::{Runtime, Transport};
use crate::link::{BoxTap, Link, Waiter, poll_until};

/// One connection of a client, over any transport: exchange after exchange, without channels or tasks.
///
/// ```
/// use bytes::Bytes;
/// use http_core::{Content, Method, RequestHead};
/// use http_driver::{Error, Runtime, Transport, client};
///
/// async fn get<T: Transport, R: Runtime>(connection: &mut client::Connection<T, R>) -> Result<Vec<u8>, Error> {
///     let head = RequestHead::new(Method::Get, "/")?.with("Host", "example.com")?;
///     let mut exchange = connection.send(&head, Content::Empty)?;
///     let response = exchange.response().await?;
///     println!("{}", response.status());
///     let mut content = Vec::new();
///     while let Some(piece) = exchange.content().await? {
///         content.extend_from_slice(&piece);
///     }
///     Ok(content)
/// }
/// ```
pub struct Connection<T, R: Runtime> {
    link: Link<ClientSide, T, R>,
    over: Option<Closed>,
}

impl<T: Transport, R: Runtime> Connection<T, R> {
    /// A connection over a transport that was just made.
    pub fn new(transport: T, runtime: R, config: Arc<Config>) -> Self {
        Self::with_tap(transport, runtime, config, None)
    }

    /// The same, watched by a tap if one is given.
    pub fn with_tap(transport: T, runtime: R, config: Arc<Config>, tap: Option<BoxTap>) -> Self {
        let now = clock::to_core(runtime.now());
        let machine = client::Connection::new(config, now);
        Self { link: Link::new(machine, transport, runtime, BytesMut::new(), tap, now), over: None }
    }

    /// Whether the connection takes another request now; looks at the transport first, so that an end of the peer
    /// that has come already is seen.
    pub fn poll_readiness(&mut self, cx: &mut Context<'_>) -> Readiness {
        if self.link.machine.exchange().is_none() {
            // Whatever was done in this wake, no request is given to a connection that was not looked at.
            self.link.wake_anew();
            let _ = poll_until(self, cx, |this, _, now| {
                // Nothing is told of a connection that idles but its end.
                while this.over.is_none() && !this.link.machine.interest().close {
                    match this.link.poll_machine(now) {
                        Ok(Some(Event::Closed(why))) => {
                            this.over = Some(why);
                            this.link.farewell();
                        }
                        Ok(Some(_)) | Err(_) => {}
                        Ok(None) => return Poll::Pending,
                    }
                }
                Poll::Ready(())
            });
        }
        self.link.machine.readiness()
    }

    /// The same at once after `now`, of a connection that has idled: mostly nothing has come.
    pub(super) fn poll_idle(&mut self, cx: &mut Context<'_>, now: Instant) -> Readiness {
        if self.over.is_none() && self.link.finds_nothing(cx, now) {
            return self.link.machine.readiness();
        }
        self.poll_readiness(cx)
    }

    /// How long the head of the response to the request that was sent last may take, from the moment when all of it was
    /// sent, in place of [`Timeouts::head`](http_core::Timeouts::head).
    pub fn limit_response(&mut self, most: Duration) {
        let _ = call!(self, Input::LimitResponse(most), |machine, now| {
            machine.limit_response(most, now);
            Ok(())
        });
    }

    /// How long the content of the response to the request that was sent last may rest between two pieces, and how many
    /// bytes of it have to come in a second (0: any), in place of [`Timeouts::content`](http_core::Timeouts::content)
    /// and [`Timeouts::content_rate`](http_core::Timeouts::content_rate).
    pub fn limit_content(&mut self, pause: Duration, rate: u32) {
        let _ = call!(self, Input::LimitContent(pause, rate), |machine, _now| {
            machine.limit_content(pause, rate);
            Ok(())
        });
    }

    /// What the request that was sent last asks for of its own.
    pub(super) fn obey(&mut self, options: &RequestOptions) {
        if let Some(most) = options.head_timeout() {
            self.limit_response(most);
        }
        if let Some((pause, rate)) = options.content_pace(&self.link.machine.config().timeouts) {
            self.limit_content(pause, rate);
        }
    }

    /// Ends the connection: at once if it is idle, after the exchanges in flight otherwise. Over TLS the end is told to
    /// the server by it; a connection that is merely dropped ends without a word (RFC 9112 §9.8).
    pub fn close(&mut self) {
        let _ = call!(self, Input::Close, |machine, now| {
            machine.close(now);
            Ok(())
        });
        if self.link.machine.interest().close {
            self.link.farewell();
        }
    }

    /// No request is on the connection, and nobody polls it until it has another one.
    #[inline]
    pub(super) fn set_aside(&mut self) {
        self.link.set_aside();
    }

    /// Lets go of the timer of a connection that waits for nothing.
    pub(super) fn drop_idle_timer(&mut self) {
        self.link.drop_idle_timer();
    }

    /// Tells the server of the end of a connection, whatever is going on, before it is dropped.
    pub(super) fn farewell(&mut self) {
        self.link.farewell();
    }

    /// Whether the connection speaks another protocol: take it with [`into_parts`](Self::into_parts).
    #[must_use]
    pub fn is_switched(&self) -> bool {
        self.link.machine.is_switched()
    }

    /// The machine, to look at: its phase, its deadlines, what is unanswered.
    pub const fn machine(&self) -> &client::Connection {
        &self.link.machine
    }

    pub(super) const fn runtime(&self) -> &R {
        &self.link.runtime
    }

    /// The transport.
    pub const fn transport(&self) -> &T {
        &self.link.transport
    }

    /// What was sent of the request in flight, and received for it: what tells whether it may be repeated.
    #[must_use]
    pub fn unanswered(&self) -> Option<Unanswered> {
        self.link.machine.unanswered().next()
    }

    /// The transport, and what was read from it and belongs to nobody yet: after an upgrade or `CONNECT`.
    #[must_use]
    pub fn into_parts(self) -> (T, BytesMut) {
        (self.link.transport, self.link.input)
    }

    /// Queues a request.
    pub(super) fn begin(&mut self, head: &RequestHead, content: Content) -> Result<(), Error> {
        self.link.take_up_memory();
        let sent = call!(self, Input::SendRequest(head.clone(), content), |machine, now| machine
            .send_request(head, content, now)
            .map(|_| ()));
        self.or_cause(sent)
    }

    /// The same from the parts of a request, without a head of ours; whoever watches is shown one.
    pub(super) fn begin_parts(&mut self, parts: &http::request::Parts, content: Content) -> Result<(), Error> {
        if self.link.is_tapped() {
            return match convert::request_head(parts) {
                Ok(head) => self.begin(&head, content),
                Err(Unconvertible::Misuse(misuse)) => Err(misuse.into()),
                Err(_) => Err(Misuse::Target.into()),
            };
        }
        let lines = convert::request_lines(parts)?;
        self.link.take_up_memory();
        let now = self.link.begun();
        let sent = self.link.machine.send_lines(&lines, content, now).map(drop);
        self.or_cause(sent)
    }

    /// The next event, whatever has to happen for it.
    pub(super) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, Error>> {
        poll_until(self, cx, |this, _, now| this.next(now))
    }

    /// The next event that is there already. To be asked while something is waited for alone.
    pub(super) fn next(&mut self, now: Instant) -> Poll<Result<Event, Error>> {
        match self.link.poll_machine(now) {
            Ok(Some(Event::Closed(why))) => {
                self.over = Some(why);
                self.link.farewell();
                Poll::Ready(Err(Error::ended(why, self.link.take_broken())))
            }
            Ok(Some(event)) => Poll::Ready(Ok(event)),
            Ok(None) => match self.over {
                Some(why) => Poll::Ready(Err(Error::Closed(why))),
                None => Poll::Pending,
            },
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }

    /// Queues a piece of content; there must be room for it.
    pub(super) fn write(&mut self, content: Bytes) -> Result<(), Error> {
        let sent = call!(self, Input::SendContent(content), |machine, now| machine.send_content(content, now));
        self.or_cause(sent)
    }

    pub(super) fn end(&mut self, trailers: &Fields) -> Result<(), Error> {
        let ended = call!(self, Input::SendEnd(trailers.clone()), |machine, now| machine.send_end(trailers, now));
        self.or_cause(ended)
    }

    pub(super) fn abandon(&mut self) {
        let _ = call!(self, Input::Abandon, |machine, now| {
            machine.abandon(now);
            Ok(())
        });
    }

    pub(super) fn recycle(&mut self, fields: Fields) {
        self.link.machine.recycle(fields);
    }

    /// Whether the connection has ended while no event is wanted. What the peer sends is kept for later.
    pub(super) fn ended(&mut self) -> Poll<Error> {
        if self.link.machine.interest().close { Poll::Ready(self.cause()) } else { Poll::Pending }
    }

    /// Whether enough was done in this wake, so that whoever goes on without the transport is to wait as well.
    pub(super) fn is_spent(&mut self, now: Instant) -> bool {
        self.link.is_spent(now)
    }

    /// Writes what is queued, as far as the transport takes it now: in the same poll of the same task as what came
    /// last.
    pub(super) fn write_out(&mut self, cx: &mut Context<'_>) {
        let _ = self.link.poll_write(cx, self.link.begun());
    }

    /// Writes everything that is queued.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        poll_until(
            self,
            cx,
            |this, cx, now| if this.link.poll_flushed(cx, now) { Poll::Ready(()) } else { Poll::Pending },
        )
    }

    /// Whether the transport has still to take something.
    pub(super) fn has_unsent(&mut self) -> bool {
        !self.link.machine.outbox().is_empty()
    }

    /// What comes next is done in the same poll of the same task: a transport that had nothing to read then has nothing
    /// now, or wakes the task.
    pub(super) const fn goes_on(&mut self) {
        self.link.goes_on();
    }

    /// Lets go of the timer: whoever polls next is on another runtime.
    pub(super) fn drop_timer(&mut self) {
        self.link.drop_timer();
    }

    /// Has whoever polls woken at this time as well.
    pub(super) fn wake_at(&mut self, until: Option<Instant>) {
        self.link.wake_at(until);
    }

    /// Whether that time has come.
    pub(super) fn is_late(&self) -> bool {
        self.link.is_late()
    }

    pub(super) fn now(&self) -> Instant {
        self.link.now()
    }

    /// The moment of the last step, for what is done at once after it.
    pub(super) const fn looked(&self) -> Instant {
        self.link.looked()
    }

    /// Ready when the connection takes a request, or never will: then false.
    pub(super) fn poll_free(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        poll_until(self, cx, |this, _, now| {
            loop {
                match this.link.machine.readiness() {
                    Readiness::Idle => return Poll::Ready(true),
                    Readiness::Closing => return Poll::Ready(false),
                    _ => {}
                }
                match this.next(now) {
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(_)) => return Poll::Ready(false),
                    Poll::Pending => return Poll::Pending,
                }
            }
        })
    }

    /// Whether to produce more content: while less waits than half of what may, so that a piece that comes on top stays
    /// within it.
    pub(super) fn has_room(&self) -> bool {
        self.link.machine.send_capacity() > self.link.machine.config().limits.send_buffer / 2
    }

    fn or_cause(&mut self, result: Result<(), Misuse>) -> Result<(), Error> {
        match result {
            Err(Misuse::Closed) => Err(self.cause()),
            other => other.map_err(Error::from),
        }
    }

    /// Why the connection is over.
    fn cause(&mut self) -> Error {
        let now = self.link.now();
        match self.link.poll_machine(now) {
            Err(error) => error.into(),
            Ok(Some(Event::Closed(why))) => {
                self.over = Some(why);
                Error::ended(why, self.link.take_broken())
            }
            _ => Error::ended(self.over.unwrap_or(Closed::Broken), self.link.take_broken()),
        }
    }
}

impl<T: Transport, R: Runtime> Waiter for Connection<T, R> {
    type Side = ClientSide;
    type Transport = T;
    type Runtime = R;

    fn link(&mut self) -> &mut Link<ClientSide, T, R> {
        &mut self.link
    }
}

impl<T, R: Runtime> fmt::Debug for Connection<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("link", &self.link).finish_non_exhaustive()
    }
}
