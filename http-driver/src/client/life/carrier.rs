//! A connection and what is on it: the one state machine of an exchange, whoever polls it.

use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use http_core::client::{Event, Readiness, Sent};
use http_core::dispatch::{ConnectionId, LostCause, Progress, Received, StatusFacts};
use http_core::{Fields, Instant, ResponseHead, Version};

use super::flight::{Flight, Response};
use super::step::Step;
use crate::body::{Demand, Incoming};
use crate::client::connection::Connection;
use crate::client::pool::{Slot, Told};
use crate::client::watching::{self, Seen};
use crate::convert::{self, Unconvertible};
use crate::error::Error;
use crate::io::{Runtime, RuntimeId, Transport};
use crate::link::poll_until;
use crate::template::Templates;
use crate::tunnel::Promise;

/// The most of a response that is gathered from several pieces, so that its connection is free before its reader sees
/// it.
const GATHERED: usize = 8 * 1024;

/// A connection, and the requests on it.
pub(in crate::client) struct Carrier<T, R: Runtime> {
    pub(in crate::client) connection: Connection<T, R>,
    pub(in crate::client) id: ConnectionId,
    pub(in crate::client) slot: Arc<Slot>,
    /// The runtime that its timer belongs to.
    pub(in crate::client) polled_on: RuntimeId,
    /// The one whose response is read.
    pub(in crate::client) flight: Option<Flight>,
    /// Those that were sent behind it (RFC 9112 §9.3.2).
    pub(in crate::client) behind: VecDeque<Flight>,
    /// What brings the tunnel to whom the response promised it.
    pub(in crate::client) promise: Option<Promise>,
    /// Content that was taken with the head.
    pub(in crate::client) taken: Bytes,
    /// What came behind it, instead of the rest.
    pub(in crate::client) broken: Option<Error>,
    /// What the maps of its responses are made from, while they follow each other.
    pub(in crate::client) templates: Templates,
    /// What its transport wakes while it idles.
    pub(in crate::client) stir: Option<Waker>,
    /// Whether the last look found nothing, and nobody has done anything on it since: so there is nothing to look at
    /// before its transport had a turn.
    pub(in crate::client) rests: bool,
    /// What is told of it, if anybody is.
    pub(in crate::client) seen: Option<Box<Seen>>,
}

/// What is there of a response beside its head.
pub(in crate::client) enum Rest {
    /// All of it.
    Whole(Bytes, Fields),
    /// What there is stands in the carrier.
    Partly,
}

impl<T: Transport, R: Runtime> Carrier<T, R> {
    pub(in crate::client) fn new(
        connection: Connection<T, R>,
        id: ConnectionId,
        slot: Arc<Slot>,
        runtime: RuntimeId,
    ) -> Self {
        Self {
            connection,
            id,
            slot,
            polled_on: runtime,
            flight: None,
            behind: VecDeque::new(),
            promise: None,
            taken: Bytes::new(),
            broken: None,
            templates: Templates::NONE,
            stir: None,
            rests: false,
            seen: None,
        }
    }

    /// Who polls runs on this runtime: a timer of another one is of no use to it.
    pub(in crate::client) fn polled_on(&mut self, runtime: RuntimeId) {
        if self.polled_on != runtime {
            self.polled_on = runtime;
            self.connection.drop_timer();
        }
    }

    /// The next thing that happens.
    pub(in crate::client) fn poll_step(&mut self, cx: &mut Context<'_>, pipelines: bool) -> Poll<Step> {
        let Self { connection, slot, flight, behind, rests, .. } = self;
        let Some(flight) = flight else { return Poll::Pending };
        let mut rested = core::mem::take(rests) && flight.needs_bytes_alone();
        let mut nothing = rested;
        // Whatever is ordered from here on wakes the task: where nothing follows on a connection, it is asked for once.
        if !pipelines {
            if let Some(closing) = slot.poll_close(cx).filter(|closing| flight.ends_by(*closing)) {
                return Poll::Ready(Step::Closing(closing));
            }
        }
        let polled = poll_until(connection, cx, |connection, cx, now| {
            if core::mem::take(&mut rested) {
                return Poll::Pending;
            }
            nothing = false;
            loop {
                if pipelines {
                    let room = flight.response != Response::Discarded && has_room(connection);
                    let (closing, next) = slot.poll_either(cx, room);
                    if let Some(closing) = closing.filter(|closing| flight.ends_by(*closing)) {
                        return Poll::Ready(Step::Closing(closing));
                    }
                    if let Some(request) = next {
                        return Poll::Ready(Step::Follow(request));
                    }
                }
                let last = behind.back_mut().unwrap_or(flight);
                if let Err(error) = last.send(connection, cx, now) {
                    return Poll::Ready(Step::Lost(error));
                }
                if let Some(watched) = flight.watched() {
                    watching::look(watched, connection.machine(), now);
                }
                let demand = match &flight.feed {
                    Some(feed) if flight.last.is_none() => feed.demand(cx),
                    _ => Demand::Frame,
                };
                let event = match demand {
                    Demand::Nothing => connection.ended().map(Err),
                    Demand::Frame | Demand::Dropped => connection.next(now),
                };
                match event {
                    Poll::Ready(Ok(event)) => {
                        if flight.watched().is_some() {
                            flight.tell_came(&event, now);
                        }
                        if let Some(step) = flight.take_in(event) {
                            return Poll::Ready(step);
                        }
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Step::Lost(error)),
                    Poll::Pending => {
                        nothing = true;
                        return Poll::Pending;
                    }
                }
                if connection.is_spent(now) {
                    return Poll::Pending;
                }
            }
        });
        *rests = nothing && polled.is_pending() && !pipelines;
        polled
    }

    /// What is here already of the content behind a head, without a look at the transport.
    pub(in crate::client) fn take_rest(&mut self, now: Instant) -> Rest {
        let mut gathered = Bytes::new();
        loop {
            match self.connection.next(now) {
                Poll::Ready(Ok(Event::Content(bytes))) => {
                    gathered = if gathered.is_empty() { bytes } else { [gathered, bytes].concat().into() };
                }
                Poll::Ready(Ok(Event::End(trailers))) => return Rest::Whole(gathered, trailers),
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(error)) => {
                    self.broken = Some(error);
                    break;
                }
                Poll::Pending => break,
            }
            if gathered.len() > GATHERED {
                break;
            }
        }
        self.taken = gathered;
        Rest::Partly
    }

    /// What the head of a response tells the dispatcher.
    pub(in crate::client) fn told(&mut self, head: &ResponseHead) -> Told {
        let machine = self.connection.machine();
        let flight = self.flight.as_mut();
        let status = head.status().as_u16();
        let mut facts = StatusFacts::new(status);
        // Nothing hangs on how far the request was where its response is for whoever sent it, whatever it says.
        if let Some(flight) = flight.filter(|_| status >= 400) {
            facts = facts.sent(machine.unanswered().next().map_or(Sent::All, |unanswered| flight.sent(unanswered)));
            let job = flight.job.as_mut().filter(|_| status == 417);
            facts = facts.expecting(job.is_some_and(|job| job.drop_expectation()));
        }
        if status >= 400 && head.fields().contains("retry-after") {
            // Where nobody knows the date, one that is named is too far for anybody to wait.
            let unix = self.connection.runtime().unix_time().unwrap_or_default();
            facts = facts.retry_after(head.retry_after(unix));
        }
        let hint = head.keep_alive();
        let hints = (hint.timeout.is_some() || hint.max.is_some()).then(|| {
            let most = hint.max.map(|most| u32::try_from(most).unwrap_or(u32::MAX));
            (hint.timeout.map(core::time::Duration::from_secs), most)
        });
        let other = (head.version() == Version::Http10) != machine.config().persistence.http10_origin;
        Told { facts, hints, version: other.then(|| head.version()) }
    }

    /// The response of this head, with what is promised along with it. The head's memory is the next one's.
    pub(in crate::client) fn response(
        &mut self,
        head: ResponseHead,
        body: Incoming,
        tells_peer: bool,
    ) -> Result<http::Response<Incoming>, Unconvertible> {
        let headers = match self.templates.map(head.fields()) {
            Some(headers) => headers,
            None => convert::header_map(head.fields())?,
        };
        let mut response = convert::response_of(&head, headers, body)?;
        self.connection.recycle(head.into());
        if self.connection.machine().is_switching() {
            let (upgrade, promise) = Promise::new();
            response.extensions_mut().insert(upgrade);
            self.promise = Some(promise);
        }
        if let Some(watched) = self.flight.as_ref().and_then(|flight| flight.watched()) {
            response.extensions_mut().insert(watched.handle());
        }
        if tells_peer {
            response.extensions_mut().insert(self.connection.transport().peer());
        }
        Ok(response)
    }

    /// Whether it can be used again.
    pub(in crate::client) fn is_free(&self) -> bool {
        self.connection.machine().readiness() == Readiness::Idle
    }

    /// Whether some of the request's content is still to be sent, which nobody but who drives it does.
    pub(in crate::client) fn is_sending(&mut self) -> bool {
        let awaits = self.connection.machine().awaits_content();
        awaits && self.flight.as_ref().is_some_and(Flight::has_body) || self.connection.has_unsent()
    }

    /// Reads what is left that nobody wants: ready when it is free, or why not.
    pub(in crate::client) fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), LostCause>> {
        while self.flight.is_some() {
            match self.poll_step(cx, false) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Step::End(_)) => self.flight = None,
                Poll::Ready(Step::Lost(error)) => return Poll::Ready(Err(error.lost_cause())),
                Poll::Ready(Step::Closing(_) | Step::Switched) => return Poll::Ready(Err(LostCause::Local)),
                Poll::Ready(_) => {}
            }
        }
        self.connection.poll_free(cx).map(|free| if free { Ok(()) } else { Err(LostCause::Last) })
    }

    /// The requests on it, and how far each came; it is lost.
    pub(in crate::client) fn take_flights(&mut self) -> Vec<(Flight, Progress)> {
        let mut left = self.connection.machine().unanswered();
        let flights = self.flight.take().into_iter().chain(self.behind.drain(..));
        let all = flights.map(|mut flight| {
            let mut progress = flight.lost(left.next());
            if flight.response == Response::Delivered {
                progress.received = Received::Final;
            }
            (flight, progress)
        });
        all.collect()
    }
}

/// Whether another request may follow those that are on a connection.
pub(super) fn has_room<T: Transport, R: Runtime>(connection: &Connection<T, R>) -> bool {
    let machine = connection.machine();
    machine.readiness() == Readiness::Pipeline && machine.peer_version() != Version::Http10
}
