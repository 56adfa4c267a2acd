//! What happens on a connection while requests are on it.

use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::sync::Arc;

use http_body::Body;
use http_core::client::{Event, Readiness, Sent};
use http_core::dispatch::{
    ConnectionId, Delivery, Input, LostCause, Output, Progress, Received, RequestId, StatusFacts,
};
use http_core::{Closed, ErrorKind, Fields, Reason, ResponseHead, Version};

use super::connection::Connection;
use super::failure::RequestError;
use super::flight::{Flight, Held, Response};
use super::interim::OnInterim;
use super::job::Payload;
use super::origin::Connector;
use super::pool::Shared;
use super::slot::{Closing, Slot};
use crate::body::{Demand, Incoming};
use crate::clock;
use crate::convert;
use crate::error::Error;
use crate::io::Runtime;
use crate::tunnel::{Promise, Upgrade};

/// Why a connection is not used any more.
pub(super) struct Over {
    pub(super) cause: LostCause,
    pub(super) unanswered: Vec<(RequestId, Progress)>,
}

impl Over {
    /// This side ends it.
    pub(super) const LOCAL: Self = Self::by(LostCause::Local);

    pub(super) const fn by(cause: LostCause) -> Self {
        Self { cause, unanswered: Vec::new() }
    }
}

/// A request that was sent, and its response.
pub(super) struct Run<'a, C, R> {
    pub(super) shared: &'a Arc<Shared<C, R>>,
    pub(super) slot: &'a Slot,
    pub(super) id: ConnectionId,
    /// What brings the tunnel to whom the response promised it.
    pub(super) promise: &'a mut Option<Promise>,
    pub(super) flight: Flight,
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
    ) -> Poll<Result<(), Over>> {
        loop {
            if let Some(closing) = self.slot.poll_close(cx).filter(|closing| *closing != Closing::Idle) {
                if let (Closing::Late, Some(feed)) = (closing, self.flight.release()) {
                    feed.fail(Error::Io(io::ErrorKind::TimedOut.into()));
                }
                return Poll::Ready(Err(Over::LOCAL));
            }
            if let Err(error) = self.flight.send(connection, cx) {
                return Poll::Ready(Err(self.lost(connection, error)));
            }
            let demand = match &self.flight.feed {
                Some(feed) if self.flight.held.is_none() => feed.demand(cx),
                _ => Demand::Frame,
            };
            let moved = match demand {
                Demand::Nothing => connection.poll_turn(cx).map(|turn| turn.map(|()| None)),
                Demand::Frame | Demand::Dropped => connection.poll_step(cx),
            };
            match moved {
                Poll::Ready(Ok(None)) => {}
                Poll::Ready(Ok(Some(event))) => {
                    if let Some(result) = self.handle(connection, event) {
                        return Poll::Ready(result);
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.lost(connection, error))),
                // The rest of a response that nobody wants is not waited for.
                Poll::Pending if demand == Demand::Dropped => return Poll::Ready(Err(Over::LOCAL)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Takes in an event; something if the exchange is over with it.
    fn handle(&mut self, connection: &mut Connection<C::Transport, R>, event: Event) -> Option<Result<(), Over>> {
        match event {
            Event::Interim(head) => {
                self.start();
                if let Some(OnInterim(tell)) = &self.flight.on_interim {
                    tell(&head);
                }
            }
            Event::Response(head) => {
                self.start();
                self.deliver(connection, &head);
            }
            Event::Content(bytes) => {
                let flight = &mut self.flight;
                flight.left = flight.left.map(|left| left.saturating_sub(bytes.len() as u64));
                match &flight.feed {
                    Some(_) if flight.left == Some(0) => flight.held = Some(Held::Piece(bytes)),
                    Some(feed) => feed.data(bytes),
                    None => {}
                }
            }
            Event::End(trailers) => return Some(self.end(connection, &trailers)),
            Event::Switched => {
                let _ = self.shared.input(Input::Finished(self.flight.request));
                return Some(Err(Over::by(LostCause::Last)));
            }
            _ => return Some(Err(Over::LOCAL)),
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
            flight.response = Response::Discarded;
            return;
        }
        flight.response = Response::Delivered;
        let (body, feed) = Incoming::new(head.framing());
        flight.left = body.size_hint().exact();
        flight.feed = feed;
        let Some(mut job) = self.shared.forget(flight.request) else { return };
        if let Payload::Stream(_, body) = std::mem::replace(&mut job.payload, Payload::Taken) {
            flight.body = Some(body);
        }
        let response = convert::response(head, body).map(|mut response| {
            if connection.machine().is_switching() {
                let (upgrade, promise) = Upgrade::new();
                response.extensions_mut().insert(upgrade);
                *self.promise = Some(promise);
            }
            response
        });
        match response {
            Ok(response) if flight.feed.is_none() => flight.held = Some(Held::Response(Box::new((job, response)))),
            other => job.reply.complete(other.map_err(RequestError::unsendable)),
        }
    }

    fn end(&mut self, connection: &Connection<C::Transport, R>, trailers: &Fields) -> Result<(), Over> {
        if self.flight.response == Response::Delivered {
            let _ = self.shared.input(Input::Finished(self.flight.request));
        }
        let result = match connection.machine().readiness() {
            Readiness::Idle => {
                let _ = self.shared.input(Input::Ready(self.id));
                Ok(())
            }
            _ => Err(Over::by(LostCause::Last)),
        };
        if let Some(feed) = self.flight.release() {
            feed.end(trailers);
        }
        result
    }

    /// The connection is lost with the exchange on it.
    fn lost(&mut self, connection: &Connection<C::Transport, R>, error: Error) -> Over {
        let cause = cause(&error);
        let flight = &mut self.flight;
        let mut progress = Progress::NOTHING;
        if let Some(unanswered) = connection.unanswered() {
            progress = Progress { sent: flight.sent(unanswered), received: unanswered.received };
        }
        flight.give_back(self.shared);
        if flight.response == Response::Delivered {
            progress.received = Received::Final;
            if let Some(feed) = flight.release() {
                feed.fail(error);
            }
        } else if let Error::Body(_) = error {
            self.shared.fail(flight.request, RequestError::body(error));
            return Over::LOCAL;
        } else {
            self.shared.with_job(flight.request, |job| {
                job.error = Some(error);
                job.progress = Some(progress);
                job.touched -= u32::from(progress.sent == Sent::Nothing);
            });
        }
        Over { cause, unanswered: vec![(flight.request, progress)] }
    }
}

/// The dispatcher's word for an error of a connection.
pub(super) fn cause(error: &Error) -> LostCause {
    match error {
        error if error.is_timeout() => LostCause::TimedOut,
        Error::Protocol(error) if error.reason() == Reason::Truncated => LostCause::Eof,
        Error::Protocol(error) if error.kind() == ErrorKind::Timeout => LostCause::TimedOut,
        Error::Protocol(_) => LostCause::Malformed,
        Error::Closed(Closed::ByPeer | Closed::Unanswered) => LostCause::Eof,
        Error::Closed(Closed::NotPersistent) => LostCause::Last,
        Error::Closed(Closed::Broken) | Error::Io(_) => LostCause::Reset,
        Error::Closed(_) | Error::Misuse(_) | Error::Body(_) => LostCause::Local,
    }
}
