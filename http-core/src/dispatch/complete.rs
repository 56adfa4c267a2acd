//! An exchange that is complete with its head, in one step; and a connection that changes hands before it is used.

use super::action::{Delivery, StatusFacts};
use super::connections;
use super::dispatcher::Dispatcher;
use super::ids::{ConnectionId, OriginId, RequestId};
use super::queue::Need;
use super::repeat::OriginIs;
use super::request::State;
use super::retry::{Decision, Event, Progress, Received, is_always_delivered};
use super::timers::Timer;
use crate::time::Instant;

/// Inputs.
impl Dispatcher {
    /// The response to this request was complete when its head was: in one call what
    /// [`handle_response_started`](Self::handle_response_started), [`handle_response`](Self::handle_response), if that
    /// says [`Delivery::Deliver`], [`handle_finished`](Self::handle_finished), and, if the connection is `ready` for
    /// another request, [`handle_ready`](Self::handle_ready) do, in that order. Where the request is to be sent again,
    /// a connection that is `ready` is free before the request waits for one: so it goes on the same one, rather than
    /// have another made for it.
    ///
    /// ```
    /// use http_core::Instant;
    /// use http_core::dispatch::{Action, ConnectionState, Delivery, Dispatcher, Job, Policy, StatusFacts};
    ///
    /// let now = Instant::ZERO;
    /// let mut dispatcher = Dispatcher::new(Policy::default());
    /// let origin = dispatcher.add_origin();
    /// let request = dispatcher.enqueue(Job::new(origin), now)?;
    /// let Some(Action::Connect { connection, .. }) = dispatcher.poll_action() else { panic!() };
    /// dispatcher.handle_connected(connection, now);
    /// assert_eq!(dispatcher.poll_action(), Some(Action::Assign { request, connection }));
    /// let delivery = dispatcher.handle_complete(connection, request, StatusFacts::new(200), true, now);
    /// assert_eq!(delivery, Delivery::Deliver);
    /// assert_eq!(dispatcher.state(connection), Some(ConnectionState::Idle));
    /// # Ok::<(), http_core::dispatch::Refused>(())
    /// ```
    pub fn handle_complete(
        &mut self,
        connection: ConnectionId,
        request: RequestId,
        facts: StatusFacts,
        ready: bool,
        now: Instant,
    ) -> Delivery {
        self.tick(now);
        if let Some(origin) = self.completes_alone(connection, request, facts, ready) {
            self.complete_alone(origin, connection, request, ready);
            return Delivery::Deliver;
        }
        self.handle_response_started(connection, now);
        let free = ready && self.connection_of(request) == Some(connection);
        let delivery = self.respond(request, facts, free);
        if delivery == Delivery::Deliver {
            self.handle_finished(request, now);
        }
        // One that is asked again has it already.
        if ready && !(free && delivery == Delivery::Discard) {
            self.handle_ready(connection, now);
        }
        delivery
    }

    /// A request that waits takes a connection that was assigned to another one of its origin, of which nothing was
    /// begun: so who is assigned a connection and does not come for it blocks nobody. That nothing was begun the caller
    /// knows, and says so by this call.
    ///
    /// True: `request` is on the connection, as if its [`Action::Assign`](super::Action::Assign) had been polled, and
    /// no action tells so. The other one is back in its place in the queue as if it had never been assigned; an
    /// `Assign` of it that was not polled is not due any more.
    ///
    /// False, and nothing changes: `request` does not wait in the queue, or its deadline has passed; the connection is
    /// not assigned to exactly one request, of the same origin, whose response has not been delivered; or it would not
    /// have been given to `request` itself: that needs a connection which nothing was sent on, or it
    /// is not idempotent and the connection became idle longer ago than
    /// [`fresh_after_idle`](crate::dispatch::Policy::fresh_after_idle) allows.
    ///
    /// ```
    /// use http_core::Instant;
    /// use http_core::dispatch::{Action, Dispatcher, Job, Policy};
    ///
    /// let now = Instant::ZERO;
    /// let mut dispatcher = Dispatcher::new(Policy::default().connections_per_origin(1));
    /// let origin = dispatcher.add_origin();
    /// let first = dispatcher.enqueue(Job::new(origin), now)?;
    /// let second = dispatcher.enqueue(Job::new(origin), now)?;
    /// let Some(Action::Connect { connection, .. }) = dispatcher.poll_action() else { panic!() };
    /// dispatcher.handle_connected(connection, now);
    /// assert_eq!(dispatcher.poll_action(), Some(Action::Assign { request: first, connection }));
    ///
    /// // Whoever sent the first looks elsewhere; the second is asked for.
    /// assert!(dispatcher.handle_claim(connection, second, now));
    /// assert_eq!((dispatcher.connection_of(first), dispatcher.connection_of(second)), (None, Some(connection)));
    /// assert!(dispatcher.handle_finished(second, now));
    /// dispatcher.handle_ready(connection, now);
    /// assert_eq!(dispatcher.poll_action(), Some(Action::Assign { request: first, connection }));
    /// # Ok::<(), http_core::dispatch::Refused>(())
    /// ```
    pub fn handle_claim(&mut self, connection: ConnectionId, request: RequestId, now: Instant) -> bool {
        self.tick(now);
        let Some(other) = self.may_claim(connection, request) else {
            return false;
        };
        self.swap(connection, other, request);
        true
    }
}

impl Dispatcher {
    /// The origin, if this response is its request's and nothing but that request and its connection is touched by it:
    /// it is the only one on the connection, nothing is asked again, the origin is well, and an update of it would do
    /// nothing before the connection is free.
    fn completes_alone(
        &self,
        id: ConnectionId,
        request: RequestId,
        facts: StatusFacts,
        ready: bool,
    ) -> Option<OriginId> {
        let connection = self.connections.get(id)?;
        let found = self.requests.get(request.0)?;
        let State::InFlight { connection: on, output: None, answered, .. } = found.state else {
            return None;
        };
        // Where it was ready before, it has another request when that is said again.
        let once = match connection.state() {
            connections::State::Busy { ready: before } => !(before && ready),
            _ => false,
        };
        let alone = on == id && connection.in_flight().len() == 1 && once;
        let origin_id = connection.origin();
        let origin = self.origins.get(origin_id)?;
        let settled = alone && origin.is_well() && (origin.queue.is_empty() || self.is_settled(origin_id));
        if !settled {
            return None;
        }
        let event = Event::Status { status: facts.status, retry_after: facts.retry_after };
        let progress = Progress { sent: facts.sent, received: Received::Nothing };
        let delivered = answered
            || is_always_delivered(facts.status)
            || self.decide(request, event, progress, OriginIs::Answering, facts.expecting).decision
                == Decision::Deliver;
        delivered.then_some(origin_id)
    }

    fn complete_alone(&mut self, origin: OriginId, id: ConnectionId, request: RequestId, ready: bool) {
        // The origin is well: nothing follows for it.
        self.note_answer(id);
        self.forget(request);
        self.connections.take_off(id, request);
        if ready {
            self.connections.set_ready(id, true);
        }
        if let Some(origin) = self.origins.get_mut(origin) {
            origin.note_gone(1);
            origin.earn_retry(&self.policy);
        }
        if self.release(id) {
            self.update(origin);
        }
    }

    /// The request that would have to give way.
    fn may_claim(&self, id: ConnectionId, request: RequestId) -> Option<RequestId> {
        let connection = self.connections.get(id).filter(|connection| connection.is_busy())?;
        let found = self.requests.get(request.0)?;
        let State::Waiting(spot) = found.state else {
            return None;
        };
        let (1, Some(other)) = (connection.in_flight().len(), connection.in_flight().front().copied()) else {
            return None;
        };
        let State::InFlight { answered: false, .. } = self.requests.get(other.0)?.state else {
            return None;
        };
        let origin = self.origins.get(connection.origin())?;
        let waits = found.job.origin == connection.origin() && origin.queue.holds(found.need, spot);
        let in_time = found.job.deadline.is_none_or(|deadline| deadline > self.now);
        let offers = connection.offers(&origin.queue, 1);
        let rested = offers == Need::Fresh || found.job.idempotent || !self.idled_too_long(connection.rested());
        let serves = found.need <= offers && rested;
        (waits && in_time && serves).then_some(other)
    }

    /// Gives the connection of one request to another, and the one's place in the queue back to it.
    fn swap(&mut self, id: ConnectionId, other: RequestId, request: RequestId) {
        let Some(back) = self.requests.get_mut(other.0) else {
            return;
        };
        back.attempts = back.attempts.saturating_sub(1);
        if let State::InFlight { output: Some(output), .. } = back.state {
            self.outputs.remove(output);
        }
        let origin = back.job.origin;
        self.queue(other);
        let Some(found) = self.requests.get_mut(request.0) else {
            return;
        };
        if let (Some(origin), State::Waiting(spot)) = (self.origins.get_mut(origin), found.state) {
            origin.queue.remove(&found.place(request), found.need, spot);
        }
        let place_due = found.take_place_due();
        self.timers.disarm(place_due, Timer::Place(request));
        found.attempts = found.attempts.saturating_add(1);
        let reused = self.connections.hand_over(id, request, self.now);
        found.state = State::InFlight { connection: id, reused, answered: false, output: None };
        self.update(origin);
    }
}
