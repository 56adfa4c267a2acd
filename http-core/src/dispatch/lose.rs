//! How connections end, and what becomes of the requests that they leave unanswered.

use alloc::collections::BTreeSet;
use core::time::Duration;

use super::action::{Action, CloseReason, Delivery, StatusFacts};
use super::backoff::delay;
use super::connection::{self, Connection};
use super::dispatcher::{Dispatcher, Output};
use super::failure::{Cause, ConnectCause, Failure, LostCause, Phase};
use super::ids::{ConnectionId, OriginId, RequestId};
use super::queue::{Need, Place};
use super::request::State;
use super::retry::{Decision, Event, Progress, Received, RetryFacts, Sent, Verdict, Why, decide};
use super::timers::Timer;

/// Requests that were given up together.
#[derive(Clone, Debug)]
pub(super) struct GivenUp {
    places: BTreeSet<Place>,
    /// Of each, but for the number of its attempts.
    failure: Failure,
}

/// Connections.
impl Dispatcher {
    /// Closes a connection; what was on it is the caller's to decide.
    pub(super) fn close(&mut self, id: ConnectionId, reason: CloseReason) -> Option<Connection> {
        let (connection, announced) = self.take_connection(id)?;
        if announced {
            let ticket = self.ticket();
            self.outputs.insert(ticket, Output::Close(id, reason));
        }
        Some(connection)
    }

    /// Forgets a connection; the second value tells whether the driver knows of it.
    pub(super) fn take_connection(&mut self, id: ConnectionId) -> Option<(Connection, bool)> {
        self.wake(id);
        let connection = self.connections.remove(id.0)?;
        let origin = self.origins.get_mut(connection.origin.0);
        let mut announced = true;
        let mut connecting = 0;
        if let connection::State::Connecting { until, ticket } = connection.state {
            self.timers.disarm(until, Timer::Connection(id));
            if let Some(ticket) = ticket {
                self.outputs.remove(&ticket);
                announced = false;
            }
            connecting = 1;
        }
        if let Some(origin) = origin {
            origin.connections = origin.connections.saturating_sub(1);
            origin.connecting = origin.connecting.saturating_sub(connecting);
            origin.roomy.remove(&id);
        }
        Some((connection, announced))
    }

    /// A connection that was being made could not be.
    pub(super) fn refused(&mut self, connection: &Connection, cause: ConnectCause) {
        let id = connection.origin;
        let Some(origin) = self.origins.get_mut(id.0) else {
            return;
        };
        if origin.trouble.note_refused(connection.round) {
            let exhausted = origin.trouble.refusals > self.policy.connect_retries;
            self.back_off(id);
            let why = if cause.is_transient() { Why::OriginSpent } else { Why::Permanent };
            if exhausted || !cause.is_transient() {
                self.give_up(id, cause.phase(), Cause::Connect(cause), why);
            }
        }
        self.settle(id);
    }

    /// A connection that was up has ended.
    pub(super) fn lost(&mut self, id: ConnectionId, cause: LostCause, unanswered: &[(RequestId, Progress)]) {
        if let Some((connection, _)) = self.take_connection(id) {
            self.leave(connection, cause, unanswered);
        }
    }

    /// Closes a connection that is in the middle of something.
    fn abort(&mut self, id: ConnectionId, reason: CloseReason) {
        if let Some(connection) = self.close(id, reason) {
            self.leave(connection, LostCause::Local, &[]);
        }
    }

    /// Decides what becomes of the requests that an ended connection leaves unanswered.
    fn leave(&mut self, connection: Connection, cause: LostCause, unanswered: &[(RequestId, Progress)]) {
        let id = connection.origin;
        self.in_flight = self.in_flight.saturating_sub(connection.in_flight.len());
        let exhausted = self.note_mute(&connection, cause);
        for request in connection.in_flight {
            let named = unanswered.iter().find(|(named, _)| *named == request);
            self.decide_lost(request, cause, named.map(|(_, progress)| *progress), exhausted);
        }
        if exhausted {
            self.give_up(id, Phase::Queue, Cause::Lost(cause), Why::OriginSpent);
        }
        self.settle(id);
    }

    /// A new connection that ends without an answer is a failure of the origin, as a refused one is. True if the
    /// attempts are exhausted by it.
    fn note_mute(&mut self, connection: &Connection, cause: LostCause) -> bool {
        if connection.answered || cause == LostCause::Local {
            return false;
        }
        let is_first = |id: &RequestId| {
            let request = self.requests.get(id.0);
            request.is_some_and(|request| matches!(request.state, State::InFlight { reused: false, .. }))
        };
        let Some(request) = connection.in_flight.iter().copied().find(is_first) else {
            return false;
        };
        let Some(origin) = self.origins.get_mut(connection.origin.0) else {
            return false;
        };
        if !origin.trouble.note_mute(connection.round, request) {
            return false;
        }
        let exhausted = origin.trouble.is_mute(&self.policy) && origin.open() == 0;
        self.back_off(connection.origin);
        exhausted
    }

    /// A byte of a response has come. The origin, if that changes something for it.
    pub(super) fn note_answer(&mut self, id: ConnectionId) -> Option<OriginId> {
        let connection = self.connections.get_mut(id.0)?;
        connection.answered = true;
        let origin = self.origins.get_mut(connection.origin.0)?;
        // An older connection goes on without saying anything of new ones.
        if origin.trouble.failures == 0 || origin.trouble.round != connection.round {
            return None;
        }
        origin.trouble.reset();
        Some(connection.origin)
    }
}

/// Requests.
impl Dispatcher {
    pub(super) fn respond(&mut self, id: RequestId, facts: StatusFacts) -> Delivery {
        let Some(request) = self.requests.get(id.0) else {
            return Delivery::Deliver;
        };
        let State::InFlight { connection, answered: false, ticket: None, .. } = request.state else {
            return Delivery::Deliver;
        };
        let origin = request.job.origin;
        if let Some(origin) = self.note_answer(connection) {
            self.settle(origin);
        }
        // RFC 9110 §15.2: interim; 101 (§15.2.2) is the last that is HTTP, and so final.
        if facts.status < 200 && facts.status != 101 {
            return Delivery::Deliver;
        }
        let event = Event::Status { status: facts.status, retry_after: facts.retry_after };
        let progress = Progress { sent: facts.sent, received: Received::Nothing };
        let verdict = self.decide(id, event, progress, false);
        let again = match verdict.decision {
            Decision::Now | Decision::Backoff => Duration::ZERO,
            Decision::After(wait) => wait,
            Decision::Deliver | Decision::Fail { .. } => {
                if let Some(request) = self.requests.get_mut(id.0) {
                    if let State::InFlight { answered, .. } = &mut request.state {
                        *answered = true;
                    }
                }
                return Delivery::Deliver;
            }
        };
        self.spend_retry(origin, verdict.why);
        self.withdraw(id, connection);
        let reason = match verdict.why {
            Why::RequestTimeout => Some(CloseReason::RequestTimeout),
            Why::Misdirected => Some(CloseReason::Misdirected),
            _ => None,
        };
        if let Some(request) = self.requests.get_mut(id.0) {
            request.misdirected |= verdict.why == Why::Misdirected;
            if reason.is_some() {
                request.need = Need::Fresh;
            }
        }
        self.repeat_after(id, again);
        if let Some(reason) = reason {
            self.abort(connection, reason);
        }
        self.settle(origin);
        Delivery::Discard
    }

    /// Decides on a request whose connection has ended.
    fn decide_lost(&mut self, id: RequestId, cause: LostCause, named: Option<Progress>, exhausted: bool) {
        let Some(request) = self.requests.get(id.0) else {
            return;
        };
        let State::InFlight { answered, ticket, .. } = request.state else {
            return;
        };
        let origin = request.job.origin;
        let attempts = request.attempts;
        let mut progress = named.unwrap_or(Progress { sent: Sent::All, received: Received::Nothing });
        if let Some(ticket) = ticket {
            // The driver has not even heard of it.
            self.outputs.remove(&ticket);
            progress = Progress::NOTHING;
        }
        if answered {
            progress.received = Received::Final;
        }
        let verdict = self.decide(id, Event::Lost(cause), progress, exhausted);
        let wait = match verdict.decision {
            Decision::Now => Duration::ZERO,
            Decision::After(wait) => wait,
            Decision::Backoff => {
                let origin = self.origins.get(origin.0);
                let backing_off = origin.is_some_and(|origin| origin.trouble.retry_at > Some(self.now));
                // Where the origin is backed off from, that is the wait: the request keeps its place.
                if backing_off { Duration::ZERO } else { self.wait(attempts.saturating_sub(1)) }
            }
            Decision::Deliver | Decision::Fail { .. } => {
                let safe_to_repeat = verdict.decision == Decision::Fail { safe_to_repeat: true };
                self.release_live(origin);
                self.fail(id, phase_of(progress), Cause::Lost(cause), safe_to_repeat, verdict.why);
                return;
            }
        };
        self.spend_retry(origin, verdict.why);
        if let Some(request) = self.requests.get_mut(id.0) {
            request.need = Need::Fresh;
        }
        self.repeat_after(id, wait);
    }

    fn decide(&self, id: RequestId, event: Event, progress: Progress, origin_spent: bool) -> Verdict {
        let mut facts = RetryFacts::new(event);
        facts.progress = progress;
        facts.origin_spent = origin_spent;
        facts.most = self.policy.request_retries;
        facts.longest_wait = self.policy.retry_after;
        if let Some(request) = self.requests.get(id.0) {
            facts.idempotent = request.job.idempotent;
            facts.replayable = request.job.replayable;
            facts.misdirected = request.misdirected;
            facts.retries = request.attempts.saturating_sub(1);
            facts.left = request.job.deadline.map(|deadline| deadline.saturating_since(self.now));
            facts.reused = matches!(request.state, State::InFlight { reused: true, .. });
            let origin = self.origins.get(request.job.origin.0);
            facts.budget = origin.is_some_and(|origin| origin.may_retry(&self.policy));
        }
        decide(&facts)
    }

    fn repeat_after(&mut self, id: RequestId, wait: Duration) {
        if wait.is_zero() {
            self.queue(id);
        } else if let Some(request) = self.requests.get_mut(id.0) {
            let until = self.now.saturating_add(wait);
            request.state = State::Delayed { until };
            self.timers.arm(until, Timer::Retry(id));
        }
    }

    fn spend_retry(&mut self, origin: OriginId, why: Why) {
        // What was never sent does not multiply anything.
        if why != Why::NothingSent {
            if let Some(origin) = self.origins.get_mut(origin.0) {
                origin.spend_retry();
            }
        }
    }

    /// The deadline of a request has passed.
    pub(super) fn expire(&mut self, id: RequestId) {
        let Some(request) = self.requests.get(id.0) else {
            return;
        };
        let (phase, safe_to_repeat) = match request.state {
            State::InFlight { answered, ticket: None, .. } => {
                let phase = if answered { Phase::Content } else { Phase::Head };
                (phase, request.job.idempotent)
            }
            State::Waiting { epoch } => {
                let key = (request.job.origin, request.need, epoch);
                let place = request.place(id);
                if self.given_up.get(&key).is_some_and(|given_up| given_up.places.contains(&place)) {
                    // It has failed already, of something else.
                    return;
                }
                (Phase::Queue, true)
            }
            State::Failed { .. } => return,
            State::InFlight { .. } | State::Delayed { .. } => (Phase::Queue, true),
        };
        self.detach(id, CloseReason::Deadline);
        self.fail(id, phase, Cause::Deadline, safe_to_repeat, Why::Deadline);
    }

    /// Takes a request out of wherever it is. What it leaves is consistent, and to be settled.
    pub(super) fn detach(&mut self, id: RequestId, reason: CloseReason) {
        let Some(request) = self.requests.get(id.0) else {
            return;
        };
        let (origin_id, need, place) = (request.job.origin, request.need, request.place(id));
        match request.state {
            State::Waiting { epoch } => {
                let origin = self.origins.get_mut(origin_id.0);
                if !origin.is_some_and(|origin| origin.queue.remove(&place, need)) {
                    self.leave_given_up((origin_id, need, epoch), &place);
                    return;
                }
            }
            State::Delayed { until } => self.timers.disarm(until, Timer::Retry(id)),
            State::InFlight { connection, ticket: Some(ticket), .. } => {
                self.outputs.remove(&ticket);
                self.unassign(id, connection);
            }
            State::InFlight { connection, ticket: None, .. } => {
                self.withdraw(id, connection);
                self.abort(connection, reason);
            }
            State::Failed { ticket, .. } => {
                self.outputs.remove(&ticket);
                return;
            }
        }
        self.release_live(origin_id);
    }

    fn release_live(&mut self, id: OriginId) {
        if let Some(origin) = self.origins.get_mut(id.0) {
            origin.live = origin.live.saturating_sub(1);
        }
    }

    /// Makes a failure of a request that was taken out of everything.
    fn fail(&mut self, id: RequestId, phase: Phase, cause: Cause, safe_to_repeat: bool, why: Why) {
        let ticket = self.ticket();
        let Some(request) = self.requests.get_mut(id.0) else {
            return;
        };
        let failure = Failure { phase, cause, attempts: request.attempts, safe_to_repeat, why };
        request.state = State::Failed { failure, ticket };
        if let Some(deadline) = request.job.deadline {
            self.timers.disarm(deadline, Timer::Deadline(id));
        }
        self.outputs.insert(ticket, Output::Fail(id));
    }

    /// Ends the life of an id.
    pub(super) fn forget(&mut self, id: RequestId) {
        if let Some(request) = self.requests.remove(id.0) {
            if let Some(deadline) = request.job.deadline {
                self.timers.disarm(deadline, Timer::Deadline(id));
            }
        }
    }
}

/// Origins.
impl Dispatcher {
    fn wait(&mut self, before: u32) -> Duration {
        let random = self.draw();
        delay(&self.policy.backoff, before, random)
    }

    fn back_off(&mut self, id: OriginId) {
        let failures = self.origins.get(id.0).map_or(0, |origin| origin.trouble.failures);
        let at = self.now.saturating_add(self.wait(failures.saturating_sub(1)));
        if let Some(origin) = self.origins.get_mut(id.0) {
            origin.trouble.retry_at = Some(at);
        }
    }

    /// All that waits for an origin fails; or, while it has a connection that is up, what only a new one could serve.
    fn give_up(&mut self, id: OriginId, phase: Phase, cause: Cause, why: Why) {
        let Some(origin) = self.origins.get_mut(id.0) else {
            return;
        };
        let failure = Failure { phase, cause, attempts: 0, safe_to_repeat: true, why };
        let lanes: &[Need] = if origin.open() > 0 { &[Need::Fresh] } else { &[Need::Any, Need::Fresh] };
        for need in lanes {
            let (places, epoch) = origin.queue.take(*need);
            origin.live = origin.live.saturating_sub(places.len());
            if !places.is_empty() {
                self.given_up.insert((id, *need, epoch), GivenUp { places, failure });
            }
        }
        if origin.open() == 0 {
            origin.trouble.reset();
        }
    }

    fn leave_given_up(&mut self, key: (OriginId, Need, u32), place: &Place) {
        if let Some(given_up) = self.given_up.get_mut(&key) {
            given_up.places.remove(place);
            if given_up.places.is_empty() {
                self.given_up.remove(&key);
            }
        }
    }

    /// The next of those that were given up together.
    pub(super) fn next_given_up(&mut self) -> Option<Action> {
        let mut entry = self.given_up.first_entry()?;
        let mut failure = entry.get().failure;
        let place = entry.get_mut().places.pop_first();
        if entry.get().places.is_empty() {
            entry.remove();
        }
        let request = place?.request;
        failure.attempts = self.requests.get(request.0).map_or(0, |found| found.attempts);
        self.forget(request);
        Some(Action::Fail { request, failure })
    }
}

/// What was being done when an exchange came to an end this far.
fn phase_of(progress: Progress) -> Phase {
    match progress {
        Progress { received: Received::Final, .. } => Phase::Content,
        Progress { sent: Sent::All, .. } => Phase::Head,
        _ => Phase::Write,
    }
}
