//! What happens on a connection while requests are on it.

use core::mem;
use core::task::{Context, Poll};
use core::time::Duration;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use http_body::Body;
use http_core::client::{Event, Readiness, Sent};
use http_core::dispatch::{
    ConnectionId, Delivery, Input, LostCause, Output, Progress, Received, RequestId, StatusFacts,
};
use http_core::{Closed, Fields, Instant, ResponseHead, Version};

use super::carrier::launch;
use super::connection::Connection;
use super::failure::RequestError;
use super::flight::{Flight, Held, Response};
use super::interim::OnInterim;
use super::job::Job;
use super::origin::Connector;
use super::payload::Payload;
use super::pool::Shared;
use super::slot::{Closing, Slot};
use crate::body::{Demand, Incoming};
use crate::clock;
use crate::convert;
use crate::error::Error;
use crate::io::{Runtime, Transport};
use crate::link::poll_until;
use crate::peer::Peer;
use crate::tunnel::Promise;

/// Why a connection is not used any more.
pub(super) struct Loss {
    pub(super) cause: LostCause,
    pub(super) unanswered: Vec<(RequestId, Progress)>,
}

impl Loss {
    /// This side ends it.
    pub(super) const LOCAL: Self = Self::by(LostCause::Local);

    pub(super) const fn by(cause: LostCause) -> Self {
        Self { cause, unanswered: Vec::new() }
    }
}

/// The requests that are on a connection, and the response to the first of them.
pub(super) struct Run<'a, C, R> {
    pub(super) shared: &'a Arc<Shared<C, R>>,
    pub(super) slot: &'a Slot,
    pub(super) id: ConnectionId,
    /// What brings the tunnel to whom the response promised it.
    pub(super) promise: &'a mut Option<Promise>,
    /// Whether any request ever follows another.
    pub(super) pipelines: bool,
    /// The one whose response is read.
    pub(super) flight: Flight,
    /// Those that were sent behind it (RFC 9112 §9.3.2).
    pub(super) behind: VecDeque<Flight>,
}

impl<C, R> Run<'_, C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    /// Ready when the connection is free for another request, or not to be used any more.
    pub(super) fn poll(
        &mut self,
        connection: &mut Connection<C::Transport, R>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Loss>> {
        match poll_until(connection, cx, |connection, cx, now| self.look(connection, cx, now)) {
            // The rest of a response that nobody wants is not waited for.
            Poll::Pending if self.is_dropped() && !self.is_worth_reading(connection) => {
                Poll::Ready(Err(self.lost(connection, Error::Closed(Closed::Abandoned))))
            }
            polled => polled,
        }
    }

    /// What can be done with what is known.
    fn look(
        &mut self,
        connection: &mut Connection<C::Transport, R>,
        cx: &mut Context<'_>,
        now: Instant,
    ) -> Poll<Result<(), Loss>> {
        loop {
            let (closing, next) = self.slot.poll_either(cx, self.has_room(connection));
            // While it is read for somebody, that one is waited for.
            let dropped = self.flight.response == Response::Discarded;
            if let Some(closing) = closing.filter(|closing| *closing != Closing::Idle || dropped) {
                if let (Closing::Late, Some(feed)) = (closing, self.flight.release()) {
                    feed.fail(Error::Io(io::ErrorKind::TimedOut.into()));
                }
                return Poll::Ready(Err(Loss::LOCAL));
            }
            if let Some(request) = next {
                self.follow(connection, request);
                continue;
            }
            let last = self.behind.back_mut().unwrap_or(&mut self.flight);
            if let Err(error) = last.send(connection, cx, now) {
                return Poll::Ready(Err(self.lost(connection, error)));
            }
            let demand = match &self.flight.feed {
                Some(feed) if self.flight.held.is_none() => feed.demand(cx),
                _ => Demand::Frame,
            };
            let event = match demand {
                Demand::Nothing => connection.ended().map(Err),
                Demand::Frame | Demand::Dropped => connection.next(now),
            };
            match event {
                Poll::Ready(Ok(event)) => {
                    if let Some(result) = self.handle(connection, event) {
                        return Poll::Ready(result);
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.lost(connection, error))),
                Poll::Pending => return Poll::Pending,
            }
            if connection.is_spent(now) {
                return Poll::Pending;
            }
        }
    }

    /// Whether nobody wants the content of the response any more.
    fn is_dropped(&self) -> bool {
        self.flight.held.is_none() && self.flight.feed.as_ref().is_some_and(|feed| !feed.is_held())
    }

    /// Whether another request may follow those that are on the connection.
    #[inline]
    fn has_room(&self, connection: &Connection<C::Transport, R>) -> bool {
        let machine = connection.machine();
        self.pipelines
            && self.flight.response != Response::Discarded
            && machine.readiness() == Readiness::Pipeline
            && machine.peer_version() != Version::Http10
    }

    /// Tells the dispatcher so.
    pub(super) fn tell_room(&self, connection: &Connection<C::Transport, R>) {
        if self.has_room(connection) {
            // One that is delivered has nothing left to be told.
            let first = (self.flight.response == Response::Awaited).then_some(&self.flight);
            let all = first.into_iter().chain(&self.behind).map(|flight| flight.request);
            self.shared.ready_behind(self.id, all);
        }
    }

    /// Sends another request behind those that are on the connection.
    fn follow(&mut self, connection: &mut Connection<C::Transport, R>, request: RequestId) {
        // Otherwise it was cancelled while the order was on its way.
        if let Some(sending) = self.shared.with_job(request, Job::sending) {
            // If the connection has just ended, it is still to be sent, and the next step meets that end.
            let Ok(flight) = launch(self.shared, connection, self.slot, request, sending) else { return };
            self.behind.extend(flight);
        }
        self.tell_room(connection);
    }

    /// Whether content that nobody wants is read for the sake of what comes behind it.
    fn is_worth_reading(&self, connection: &Connection<C::Transport, R>) -> bool {
        let most = connection.machine().config().limits.drain;
        !self.behind.is_empty() && self.flight.left.is_some_and(|left| left <= most)
    }

    /// Takes in an event; something if the exchange is over with it.
    fn handle(&mut self, connection: &mut Connection<C::Transport, R>, event: Event) -> Option<Result<(), Loss>> {
        match event {
            Event::Interim(head) => {
                self.start();
                if let Some(OnInterim(tell)) = &self.flight.on_interim {
                    tell(&head);
                }
            }
            Event::Response(head) => {
                self.start();
                if self.flight.response != Response::Discarded {
                    self.deliver(connection, &head);
                }
            }
            Event::Content(bytes) => {
                let flight = &mut self.flight;
                let length = bytes.len() as u64;
                if flight.response == Response::Discarded && flight.left.is_some_and(|most| length > most) {
                    return Some(Err(self.lost(connection, Error::Closed(Closed::Abandoned))));
                }
                flight.left = flight.left.map(|left| left.saturating_sub(length));
                match &flight.feed {
                    Some(_) if flight.left == Some(0) => flight.held = Some(Held::Piece(bytes)),
                    Some(feed) => feed.data(bytes),
                    None => {}
                }
            }
            Event::End(trailers) => return self.end(connection, &trailers),
            Event::Switched => {
                let _ = self.shared.input(Input::Finished(self.flight.request));
                return Some(Err(Loss::by(LostCause::Last)));
            }
            _ => return Some(Err(Loss::LOCAL)),
        }
        None
    }

    fn start(&mut self) {
        if !self.flight.started {
            self.flight.started = true;
            let _ = self.shared.input(Input::ResponseStarted(self.id));
        }
    }

    fn deliver(&mut self, connection: &Connection<C::Transport, R>, head: &ResponseHead) {
        let flight = &mut self.flight;
        let sent = connection.unanswered().map_or(Sent::All, |unanswered| flight.sent(unanswered));
        let status = head.status().as_u16();
        let expecting = status == 417 && flight.drop_expectation(self.shared);
        let wait = if head.fields().contains("retry-after") { head.retry_after(clock::unix()) } else { None };
        let facts = StatusFacts::new(status).sent(sent).retry_after(wait).expecting(expecting);
        let hint = head.keep_alive();
        if hint.timeout.is_some() || hint.max.is_some() {
            let most = hint.max.map(|most| u32::try_from(most).unwrap_or(u32::MAX));
            let _ = self.shared.input(Input::KeepAlive(self.id, hint.timeout.map(Duration::from_secs), most));
        }
        if (head.version() == Version::Http10) != connection.machine().config().persistence.http10_origin {
            self.shared.note_version(self.slot.origin, head.version());
        }
        // What was not begun goes back beforehand: another connection may be sending the request before this returns.
        flight.give_back(self.shared);
        if self.shared.input(Input::Response(flight.request, facts)) != Output::Delivery(Delivery::Deliver) {
            flight.discard(connection.machine().config().limits.drain);
            return;
        }
        flight.response = Response::Delivered;
        let (body, feed) = Incoming::new(head.framing());
        flight.left = body.size_hint().exact();
        flight.feed = feed;
        let Some(mut job) = self.shared.forget(flight.request) else { return };
        if let Payload::Stream(_, body) = mem::replace(&mut job.payload, Payload::Taken) {
            flight.body = Some(body);
        }
        let response = convert::response(head, body).map(|mut response| {
            if connection.machine().is_switching() {
                let (upgrade, promise) = Promise::new();
                response.extensions_mut().insert(upgrade);
                *self.promise = Some(promise);
            }
            if self.shared.tells_peer {
                let mut peer = Peer::default();
                connection.transport().describe(&mut peer);
                response.extensions_mut().insert(peer);
            }
            response
        });
        match response {
            Ok(response) if flight.feed.is_none() => flight.held = Some(Held::Response(Box::new((job, response)))),
            other => job.reply.complete(other.map_err(RequestError::unsendable)),
        }
    }

    /// A response is complete; something if nothing is left on the connection.
    fn end(&mut self, connection: &Connection<C::Transport, R>, trailers: &Fields) -> Option<Result<(), Loss>> {
        if self.flight.response == Response::Delivered {
            let _ = self.shared.input(Input::Finished(self.flight.request));
        }
        if let Some(next) = self.behind.pop_front() {
            let mut done = mem::replace(&mut self.flight, next);
            if self.shared.with_job(self.flight.request, |_| ()).is_none() {
                // It was cancelled, or is late: the connection goes on for those behind it.
                self.flight.discard(connection.machine().config().limits.drain);
            }
            self.tell_room(connection);
            if let Some(feed) = done.release() {
                feed.end(trailers);
            }
            return None;
        }
        let result = match connection.machine().readiness() {
            Readiness::Idle => {
                let _ = self.shared.input(Input::Ready(self.id));
                Ok(())
            }
            _ => Err(Loss::by(LostCause::Last)),
        };
        if let Some(feed) = self.flight.release() {
            feed.end(trailers);
        }
        Some(result)
    }

    /// The connection is lost with the exchanges on it.
    fn lost(&mut self, connection: &Connection<C::Transport, R>, error: Error) -> Loss {
        if let (Error::Body(_), Response::Awaited, true) = (&error, self.flight.response, self.behind.is_empty()) {
            self.shared.fail(self.flight.request, RequestError::body(error));
            return Loss::LOCAL;
        }
        let cause = error.lost_cause();
        let mut error = Some(error);
        let mut left = connection.machine().unanswered();
        let mut unanswered = Vec::with_capacity(1 + self.behind.len());
        for flight in core::iter::once(&mut self.flight).chain(&mut self.behind) {
            let mut progress = Progress::NOTHING;
            if let Some(left) = left.next() {
                progress = Progress { sent: flight.sent(left), received: left.received };
            }
            flight.give_back(self.shared);
            match flight.response {
                Response::Delivered => {
                    progress.received = Received::Final;
                    if let (Some(feed), Some(error)) = (flight.release(), error.take()) {
                        feed.fail(error);
                    }
                }
                Response::Awaited => {
                    self.shared.with_job(flight.request, |job| {
                        job.error = error.take();
                        job.progress = Some(progress);
                        job.touched -= u32::from(progress.sent == Sent::Nothing);
                    });
                }
                // Whatever becomes of the request, it is not here any more.
                Response::Discarded => continue,
            }
            unanswered.push((flight.request, progress));
        }
        Loss { cause, unanswered }
    }
}
