//! Which request goes on which connection, and which connections are made: what follows from every change.

use super::action::{CloseCause, Job};
use super::connections::{Own, State};
use super::dispatcher::{Dispatcher, Output};
use super::ids::{ConnectionId, OriginId, RequestId};
use super::origins::Origin;
use super::queue::Need;
use super::request;
use super::timers::{Armed, Timer};
use crate::time::Instant;

/// The most requests past their deadline that one call passes over; their timers are due, and see to the rest.
const MOST_EXPIRED: usize = 8;

/// The next thing to do for those that wait for an origin whose connections have room.
enum Pairing {
    /// This one is served by that one.
    Assign(RequestId, ConnectionId),
    /// This one's time is up.
    Expire(RequestId),
    /// This one had better not go on any of the idle connections.
    Freshen(RequestId),
    /// This one must not be used any more.
    Close(ConnectionId, CloseCause),
}

/// The next thing to do for those that wait for an origin without room.
enum Opening {
    /// Make a connection.
    Connect,
    /// First close this one.
    Instead(ConnectionId, CloseCause),
    /// Wait for a place among all connections.
    Line,
}

impl Dispatcher {
    /// Brings everything that depends on an origin up to date after a change.
    pub(super) fn update(&mut self, id: OriginId) {
        if !self.is_at_rest(id) {
            self.advance(id, false);
        }
        if !self.origins.line().is_empty() {
            self.serve_line();
        }
    }

    /// Whether it is plain that nothing follows for an origin: nobody waits, nothing is held against it, and no
    /// connection is too many.
    fn is_at_rest(&self, id: OriginId) -> bool {
        let (Some(origin), Some(own)) = (self.origins.get(id), self.connections.of(id)) else {
            return true;
        };
        let surplus = own.idle().len() > self.policy.idle_per_origin && origin.surplus.at() <= self.now;
        !self.draining && origin.wants_nothing() && !surplus
    }

    /// Gives a request that has just come to the idle connection that would serve it, where nobody else waits: what
    /// [`update`](Self::update) would do if it were in the queue. False, and nothing happens, where that is not plain.
    pub(super) fn assign_at_once(&mut self, id: RequestId, job: &Job) -> bool {
        let (Some(origin), Some(own)) = (self.origins.get_mut(job.origin), self.connections.of(job.origin)) else {
            return false;
        };
        // Of an origin that is at rest; it is then still.
        let Some(idle) = own.idle().back().filter(|_| origin.wants_nothing()) else {
            return false;
        };
        let Some(connection) = self.connections.get(idle) else {
            return false;
        };
        let State::Idle { since, until, .. } = connection.state() else {
            return false;
        };
        let fresh = connection.assigned() == 0;
        let waited = self.now.saturating_since(since);
        let too_long = !job.idempotent && self.policy.fresh_after_idle.is_some_and(|longest| waited > longest);
        let in_time = until > self.now && job.deadline.is_none_or(|deadline| deadline > self.now);
        if !in_time || (!fresh && (job.fresh || too_long)) {
            return false;
        }
        origin.queue.note_served_at_once();
        self.put_on(id, idle);
        true
    }

    /// As [`update`](Self::update), but for the other origins. `turn`: it is this origin's turn in the line.
    pub(super) fn advance(&mut self, id: OriginId, mut turn: bool) {
        let mut expired = 0;
        while let Some(pairing) = self.next_pairing(id) {
            match pairing {
                Pairing::Assign(request, connection) => self.assign(request, connection),
                Pairing::Expire(_) if expired == MOST_EXPIRED => break,
                Pairing::Expire(request) => {
                    expired += 1;
                    self.expire(request);
                }
                Pairing::Freshen(request) => self.freshen(request),
                Pairing::Close(connection, cause) => {
                    self.close(connection, cause);
                }
            }
        }
        self.break_circuit(id);
        while let Some(opening) = self.next_opening(id, turn) {
            match opening {
                Opening::Connect => {
                    self.open(id);
                    turn = false;
                }
                Opening::Instead(connection, cause) => {
                    self.close(connection, cause);
                }
                Opening::Line => {
                    self.origins.stand_in_line(id);
                    break;
                }
            }
        }
        self.tidy(id);
    }

    /// Gives places among all connections, free ones and those of idle connections, to those that wait for
    /// them, one each in turn.
    pub(super) fn serve_line(&mut self) {
        while !self.has_all() || !self.connections.idle().is_empty() {
            let Some(id) = self.origins.next_in_line() else {
                return;
            };
            self.advance(id, true);
        }
    }

    fn next_pairing(&self, id: OriginId) -> Option<Pairing> {
        let (origin, own) = (self.origins.get(id)?, self.connections.of(id)?);
        if origin.queue.is_empty() {
            return None;
        }
        // The one used last first: the others grow old and are closed.
        for idle in own.idle().iter_back() {
            let connection = self.connections.get(idle)?;
            let State::Idle { since, until, .. } = connection.state() else {
                continue;
            };
            let offers = connection.offers(&origin.queue, 0);
            let Some(place) = origin.queue.first(offers) else {
                continue;
            };
            // A limit of nothing allows its own instant, or no connection would ever be good for anything.
            if until <= self.now && since < self.now {
                return Some(Pairing::Close(idle, connection.idle_cause(&self.policy, self.now)));
            }
            let job = self.requests.get(place.request.0)?.job;
            if job.deadline.is_some_and(|deadline| deadline <= self.now) {
                return Some(Pairing::Expire(place.request));
            }
            if offers != Need::Fresh {
                // What needs a new one goes first where this is the only way to a place for it.
                if origin.queue.other_goes_before(place, offers) && self.is_stuck(id, origin) {
                    return Some(Pairing::Close(idle, CloseCause::Replaced));
                }
                if !job.idempotent && self.idled_too_long(since) {
                    return Some(Pairing::Freshen(place.request));
                }
            }
            return Some(Pairing::Assign(place.request, idle));
        }
        let roomy = own.roomy().first()?;
        let place = origin.queue.first(Need::Any)?;
        let request = self.requests.get(place.request.0)?;
        // RFC 9112 §9.3.2: idempotent ones only, and none straight after a retry. What could not be sent again is not
        // put at that risk.
        let follows = request.job.idempotent && request.job.replayable && request.attempts == 0;
        follows.then_some(Pairing::Assign(place.request, *roomy))
    }

    fn next_opening(&self, id: OriginId, turn: bool) -> Option<Opening> {
        let (origin, own) = (self.origins.get(id)?, self.connections.of(id)?);
        // After a failure one connection at a time tries whether the origin is back.
        let at_once = if origin.trouble.failures > 0 { 1 } else { usize::MAX };
        if own.connecting() >= origin.queue.len().min(at_once) || !self.may_connect(origin) {
            return None;
        }
        if self.is_full(id) {
            // Requests wait and connections are idle: it is new ones that they wait for.
            let oldest = own.idle().front().filter(|_| own.connecting() == 0);
            return oldest.map(|oldest| Opening::Instead(oldest, CloseCause::Replaced));
        }
        if !turn && !self.origins.line().is_empty() {
            return Some(Opening::Line);
        }
        if self.has_all() {
            return Some(match self.connections.idle().front() {
                Some(oldest) => Opening::Instead(oldest, CloseCause::Evicted),
                None => Opening::Line,
            });
        }
        Some(Opening::Connect)
    }

    /// Whether an update would neither assign nor open anything.
    pub(super) fn is_settled(&self, id: OriginId) -> bool {
        let opens = match self.next_opening(id, false) {
            None => false,
            Some(Opening::Line) => self.origins.get(id).is_none_or(|origin| !origin.is_in_line()),
            Some(_) => true,
        };
        !opens && self.next_pairing(id).is_none()
    }

    /// Whether a connection that has been idle since then is too old for what could not be sent again.
    pub(super) fn idled_too_long(&self, since: Instant) -> bool {
        let waited = self.now.saturating_since(since);
        self.policy.fresh_after_idle.is_some_and(|longest| waited > longest)
    }

    pub(super) fn may_connect(&self, origin: &Origin) -> bool {
        let held = origin.breaker.probe.is_some() || origin.breaker.open_until(self.now).is_some();
        !held && origin.trouble.retry_at.is_none_or(|at| at <= self.now)
    }

    pub(super) fn is_full(&self, id: OriginId) -> bool {
        self.connections.of(id).map_or(0, Own::total) >= self.policy.connections_per_origin.max(1)
    }

    pub(super) fn may_warm_up(&self, id: OriginId) -> bool {
        let room = !self.has_all() && self.origins.line().is_empty();
        let origin = self.origins.get(id);
        origin.is_some_and(|origin| {
            let probing = origin.trouble.failures > 0 && self.is_connecting(id);
            room && !probing && self.may_connect(origin) && !self.is_full(id)
        })
    }

    /// Begins a connection.
    pub(super) fn open(&mut self, id: OriginId) {
        let most = self.policy.connect_timeout;
        let until = most.map_or(Instant::NEVER, |most| self.now.saturating_add(most));
        let Some(origin) = self.origins.get_mut(id) else {
            return;
        };
        let connection = self.connections.begin(id, origin.trouble.round, origin.answers, self.now);
        if origin.breaker.is_half_open(self.now) {
            origin.breaker.probe = Some(connection);
        }
        let until = self.timers.arm(until, Timer::Connection(connection));
        self.connections.expect(connection, until, self.outputs.push_back(Output::Connect(connection)));
    }

    fn assign(&mut self, id: RequestId, connection_id: ConnectionId) {
        let Some(origin_id) = self.requests.get(id.0).map(|request| request.job.origin) else {
            return;
        };
        let origin = self.origins.get(origin_id);
        let stuck = origin.is_some_and(|origin| origin.queue.awaits_fresh() && self.is_stuck(origin_id, origin));
        let Some(request) = self.requests.get_mut(id.0) else {
            return;
        };
        if let (Some(origin), request::State::Waiting(spot)) = (self.origins.get_mut(origin_id), request.state) {
            let place = request.place(id);
            origin.queue.remove(&place, request.need, spot);
            origin.queue.note_served(place, request.need, stuck);
        }
        let place_due = request.take_place_due();
        self.timers.disarm(place_due, Timer::Place(id));
        self.put_on(id, connection_id);
    }

    /// A request that is in no queue is on this connection from now on; the driver is to hear of it.
    fn put_on(&mut self, id: RequestId, connection_id: ConnectionId) {
        let Some(request) = self.requests.get_mut(id.0) else {
            return;
        };
        let (reused, idle_until) = self.connections.give(connection_id, id, self.now);
        self.timers.disarm(idle_until, Timer::Connection(connection_id));
        let origin = request.job.origin;
        request.attempts = request.attempts.saturating_add(1);
        request.state = request::State::InFlight {
            connection: connection_id,
            reused,
            answered: false,
            output: Some(self.outputs.push_back(Output::Assign(id))),
        };
        self.watch_surplus(origin);
    }

    /// Undoes an assignment that the driver has not heard of.
    pub(super) fn unassign(&mut self, id: RequestId, connection_id: ConnectionId) {
        self.connections.give_not(connection_id);
        self.withdraw(id, connection_id);
    }

    /// Takes a request off its connection, which goes on.
    pub(super) fn withdraw(&mut self, id: RequestId, connection_id: ConnectionId) {
        if self.connections.take_off(connection_id, id) {
            self.release(connection_id);
        }
    }

    /// The same, where its response is still to be read and dropped: until that is done, and the driver says so,
    /// nothing more goes on the connection.
    pub(super) fn withdraw_unread(&mut self, id: RequestId, connection_id: ConnectionId) {
        self.connections.set_ready(connection_id, false);
        self.connections.set_full(connection_id);
        self.withdraw(id, connection_id);
    }

    /// A connection is, perhaps, free for another request. False if it is not ready for one.
    pub(super) fn release(&mut self, id: ConnectionId) -> bool {
        let Some(connection) = self.connections.get(id) else {
            return false;
        };
        let State::Busy { ready: true } = connection.state() else {
            return false;
        };
        let spent = connection.is_spent(&self.policy, self.now);
        if !connection.in_flight().is_empty() {
            let requests = &self.requests;
            let idempotent = |id: &RequestId| requests.get(id.0).is_some_and(|request| request.job.idempotent);
            let roomy = connection.answered()
                && connection.in_flight().len() < self.policy.pipeline_depth
                && spent.is_none()
                && connection.in_flight().iter().all(idempotent);
            if roomy {
                self.connections.set_roomy(id);
            }
            return true;
        }
        let (own, until) = (connection.origin(), connection.idle_until(&self.policy, self.now));
        let mut outranked = false;
        if spent.is_none() && !self.origins.line().is_empty() {
            let offers = self.origins.get(own).map_or(Need::Any, |origin| connection.offers(&origin.queue, 0));
            outranked = self.origins.is_outranked(own, offers);
        }
        if outranked {
            // It leaves the place to others: its own turn comes after theirs.
            self.origins.leave_line(own);
        }
        if let Some(cause) = spent.or(outranked.then_some(CloseCause::Evicted)) {
            self.close(id, cause);
            return true;
        }
        self.connections.rest(id, self.now, self.timers.arm(until, Timer::Connection(id)));
        self.watch_surplus(own);
        true
    }

    /// Whether nothing but a limit keeps an origin from having a new connection.
    fn is_stuck(&self, id: OriginId, origin: &Origin) -> bool {
        let full = self.is_full(id) || self.has_all();
        full && !self.is_connecting(id) && self.may_connect(origin)
    }

    /// Whether there are as many connections in all as there may be.
    fn has_all(&self) -> bool {
        self.connections.len() >= self.policy.max_connections.max(1)
    }

    fn is_connecting(&self, id: OriginId) -> bool {
        self.connections.of(id).is_some_and(|own| own.connecting() > 0)
    }

    /// Takes a connection out of the idle ones, if it is among them.
    pub(super) fn wake(&mut self, id: ConnectionId) {
        if let Some((origin, until)) = self.connections.wake(id) {
            self.timers.disarm(until, Timer::Connection(id));
            self.watch_surplus(origin);
        }
    }

    /// Puts a request into the queue of its origin again.
    pub(super) fn queue(&mut self, id: RequestId) {
        self.enter_queue(id);
        self.arm_place(id);
    }

    /// Puts a request into the queue of its origin.
    pub(super) fn enter_queue(&mut self, id: RequestId) {
        if let Some(request) = self.requests.get_mut(id.0) {
            request.queued = self.now;
            if let Some(origin) = self.origins.get_mut(request.job.origin) {
                let spot = origin.queue.insert(request.place(id), request.need, origin.answers);
                request.state = request::State::Waiting(spot);
            }
        }
    }

    fn freshen(&mut self, id: RequestId) {
        if let Some(request) = self.requests.get_mut(id.0) {
            let origin = self.origins.get_mut(request.job.origin);
            if let (Some(origin), request::State::Waiting(spot)) = (origin, request.state) {
                origin.queue.remove(&request.place(id), request.need, spot);
            }
            request.need = Need::Proven;
            self.queue(id);
        }
    }

    /// What depends on the state of an origin and does nothing for its requests: surplus connections, its place in the
    /// line, its failures, its timer.
    fn tidy(&mut self, id: OriginId) {
        while let Some((surplus, cause)) = self.surplus(id) {
            self.close(surplus, cause);
        }
        let is_in_line = self.origins.get(id).is_some_and(Origin::is_in_line);
        if is_in_line && self.next_opening(id, true).is_none() {
            self.origins.leave_line(id);
        }
        let crowded = self.origins.get(id).is_some_and(|origin| self.is_crowded(id, origin));
        let Some(origin) = self.origins.get_mut(id) else {
            return;
        };
        // Nobody is waiting for the origin to come back: what it did before says nothing about later.
        if origin.live() == 0 {
            origin.trouble.reset();
        }
        origin.crowded = if crowded { origin.crowded.or(Some(self.now)) } else { None };
        let wanted = origin.trouble.retry_at.filter(|at| *at > self.now && !origin.queue.is_empty());
        if wanted != origin.armed.map(Armed::at) {
            if let Some(armed) = origin.armed {
                self.timers.disarm(armed, Timer::Backoff(id));
            }
            origin.armed = wanted.map(|at| self.timers.arm(at, Timer::Backoff(id)));
        }
    }

    /// An idle connection that is too many, and what it is closed for.
    pub(super) fn surplus(&self, id: OriginId) -> Option<(ConnectionId, CloseCause)> {
        let origin = self.origins.get(id)?;
        if self.draining && origin.queue.is_empty() {
            return Some((self.connections.of(id)?.idle().front()?, CloseCause::Drained));
        }
        let (eldest, due) = self.surplus_due(id)?;
        (due <= self.now).then_some((eldest, CloseCause::Surplus))
    }

    /// While more connections of an origin are idle than are kept: the one that has been so longest, and how long it
    /// may be.
    fn surplus_due(&self, id: OriginId) -> Option<(ConnectionId, Instant)> {
        let idle = self.connections.of(id).map(Own::idle).filter(|idle| idle.len() > self.policy.idle_per_origin)?;
        let eldest = idle.front()?;
        let State::Idle { since, .. } = self.connections.get(eldest)?.state() else {
            return None;
        };
        Some((eldest, since.saturating_add(self.policy.surplus_time())))
    }

    /// A connection of this origin rests, or does not any more: the timer is that of the one that has been idle
    /// longest, where there are too many, and there is none otherwise.
    #[inline]
    pub(super) fn watch_surplus(&mut self, id: OriginId) {
        // Where fewer idle than are kept, none was too many before either.
        if self.connections.of(id).is_some_and(|own| own.idle().len() >= self.policy.idle_per_origin) {
            self.look_at_surplus(id);
        }
    }

    fn look_at_surplus(&mut self, id: OriginId) {
        let due = self.surplus_due(id).map_or(Instant::NEVER, |(_, due)| due);
        let Some(origin) = self.origins.get_mut(id).filter(|origin| origin.surplus.at() != due) else {
            return;
        };
        self.timers.disarm(origin.surplus, Timer::Surplus(id));
        origin.surplus = self.timers.arm(due, Timer::Surplus(id));
    }
}
