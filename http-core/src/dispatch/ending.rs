//! How connections end, and what that says of their origin.

use core::time::Duration;

use super::action::CloseCause;
use super::connections::{self, Connection};
use super::dispatcher::{Dispatcher, Output};
use super::failure::{Cause, ConnectCause, Failure, RequestPhase, Why};
use super::ids::{ConnectionId, OriginId, RequestId};
use super::loss::LostCause;
use super::queue::{GivenUp, Need};
use super::repeat::OriginIs;
use super::request::State;
use super::retry::Progress;
use super::timers::{Armed, Timer};
use crate::config::delay;

/// Connections.
impl Dispatcher {
    /// Closes a connection; what was on it is the caller's to decide.
    pub(super) fn close(&mut self, id: ConnectionId, cause: CloseCause) -> Option<Connection> {
        let (connection, announced) = self.take_connection(id)?;
        if announced {
            self.outputs.push_back(Output::Close(id, cause));
        }
        Some(connection)
    }

    /// Forgets a connection; the second value tells whether the driver knows of it.
    pub(super) fn take_connection(&mut self, id: ConnectionId) -> Option<(Connection, bool)> {
        self.wake(id);
        let connection = self.connections.remove(id)?;
        let mut announced = true;
        if let connections::State::Connecting { until, timer, output } = connection.state() {
            self.timers.disarm(Armed::from_parts(until, timer), Timer::Connection(id));
            announced = self.outputs.remove(output).is_none();
        }
        if let Some(origin) = self.origins.get_mut(connection.origin()) {
            origin.breaker.probe.take_if(|probe| *probe == id);
        }
        Some((connection, announced))
    }

    /// A connection that was being made could not be.
    pub(super) fn refused(&mut self, connection: &Connection, cause: ConnectCause) {
        let id = connection.origin();
        let Some(origin) = self.origins.get_mut(id) else {
            return;
        };
        if cause == ConnectCause::Abandoned && origin.trouble.note_abandoned() {
            self.update(id);
            return;
        }
        if origin.trouble.note_refused(connection.round) {
            origin.breaker.note_failure(cause.phase(), Cause::Connect(cause), &self.policy, self.now);
            let exhausted = origin.trouble.refusals > self.policy.connect_retries;
            self.back_off(id);
            let why = if cause.is_transient() { Why::OriginSpent } else { Why::Permanent };
            if exhausted || !cause.is_transient() {
                let answering = self.origins.get(id).is_some_and(|origin| origin.answers != connection.answers);
                let spare: &[Need] = if answering { &[Need::Any, Need::Proven] } else { &[] };
                self.give_up(id, spare, Failure::of_waiting(cause.phase(), Cause::Connect(cause), why));
            }
        }
        self.update(id);
    }

    /// A connection that was up has ended.
    pub(super) fn lost(&mut self, id: ConnectionId, cause: LostCause, unanswered: &[(RequestId, Progress)]) {
        if let Some((connection, _)) = self.take_connection(id) {
            self.leave(connection, cause, unanswered);
        }
    }

    /// Closes a connection that is in the middle of something.
    pub(super) fn abort(&mut self, id: ConnectionId, cause: CloseCause) {
        if let Some(connection) = self.close(id, cause) {
            self.leave(connection, LostCause::Local, &[]);
        }
    }

    /// Decides what becomes of the requests that an ended connection leaves unanswered.
    fn leave(&mut self, connection: Connection, cause: LostCause, unanswered: &[(RequestId, Progress)]) {
        let id = connection.origin();
        let exhausted = self.note_mute(&connection, cause);
        let others = self.origins.get(id).is_some_and(|origin| origin.answers != connection.answers);
        let answering = others && !connection.answered();
        let origin_is = match (exhausted, answering) {
            (true, _) => OriginIs::Spent,
            (_, true) => OriginIs::Answering,
            (_, false) => OriginIs::Silent,
        };
        for request in connection.into_in_flight() {
            let named = unanswered.iter().find(|(named, _)| *named == request);
            self.decide_lost(request, cause, named.map(|(_, progress)| *progress), origin_is);
        }
        if exhausted {
            self.give_up(id, &[], Failure::of_waiting(RequestPhase::Queue, Cause::Lost(cause), Why::OriginSpent));
        }
        self.update(id);
    }

    /// A new connection that ends without an answer is a failure of the origin, as a refused one is. True if the
    /// attempts are exhausted by it.
    fn note_mute(&mut self, connection: &Connection, cause: LostCause) -> bool {
        if connection.answered() || matches!(cause, LostCause::Local | LostCause::Crashed) {
            return false;
        }
        let is_first = |id: &RequestId| {
            let request = self.requests.get(id.0);
            request.is_some_and(|request| matches!(request.state, State::InFlight { reused: false, .. }))
        };
        let Some(request) = connection.in_flight().iter().copied().find(is_first) else {
            return false;
        };
        let Some(origin) = self.origins.get_mut(connection.origin()) else {
            return false;
        };
        // One that ends without an answer where others have one says nothing of the origin.
        if origin.answers != connection.answers || !origin.trouble.note_mute(connection.round, request) {
            return false;
        }
        origin.breaker.note_failure(RequestPhase::Queue, Cause::Lost(cause), &self.policy, self.now);
        let exhausted = origin.trouble.is_mute(&self.policy) && !self.is_open(connection.origin());
        self.back_off(connection.origin());
        exhausted
    }

    /// A byte of a response has come. The origin, if that changes something for it.
    pub(super) fn note_answer(&mut self, id: ConnectionId) -> Option<OriginId> {
        let connection = self.connections.get_mut(id).filter(|connection| connection.is_busy())?;
        let origin_id = connection.origin();
        let origin = self.origins.get_mut(origin_id)?;
        let alone = connection.answers == origin.answers;
        origin.answers = origin.answers.wrapping_add(1);
        connection.note_answer(origin.answers);
        if alone {
            // Its own answers do not count as those of others.
            connection.answers = origin.answers;
        }
        // An older connection goes on without saying anything of new ones.
        let recent = origin.trouble.round == connection.round;
        let closes = origin.breaker.failures > 0 && (recent || origin.breaker.probe == Some(id));
        let recovers = origin.trouble.failures > 0 && recent;
        if closes {
            origin.breaker.close();
        }
        if recovers {
            origin.trouble.reset();
        }
        (closes || recovers).then_some(origin_id)
    }
}

/// Origins.
impl Dispatcher {
    pub(super) fn wait(&mut self, before: u32) -> Duration {
        let random = self.draw();
        delay(&self.policy.backoff, before, random)
    }

    /// Whether a connection of it is up.
    fn is_open(&self, id: OriginId) -> bool {
        self.connections.of(id).is_some_and(|own| own.open() > 0)
    }

    fn back_off(&mut self, id: OriginId) {
        let failures = self.origins.get(id).map_or(0, |origin| origin.trouble.failures);
        let at = self.now.saturating_add(self.wait(failures.saturating_sub(1)));
        if let Some(origin) = self.origins.get_mut(id) {
            origin.trouble.retry_at = Some(at);
        }
    }

    /// While the circuit of an origin is open, nothing waits for a connection that nobody makes.
    pub(super) fn break_circuit(&mut self, id: OriginId) {
        let Some(origin) = self.origins.get(id) else { return };
        let open = origin.breaker.open_until(self.now).is_some();
        if let (true, Some((phase, cause))) =
            (open && self.connections.of(id).is_some_and(|own| own.connecting() == 0), origin.breaker.last)
        {
            self.give_up(id, &[Need::Any], Failure::of_waiting(phase, cause, Why::CircuitOpen));
        }
    }

    /// All that waits for an origin fails; but, while it has a connection that is up, for what is to be spared.
    fn give_up(&mut self, id: OriginId, spare: &[Need], failure: Failure) {
        let spare = if self.is_open(id) { spare } else { &[] };
        let Some(origin) = self.origins.get_mut(id) else {
            return;
        };
        for need in Need::ALL.into_iter().filter(|need| !spare.contains(need)) {
            let (places, epoch) = origin.queue.take(need);
            origin.note_gone(places.len());
            if !places.is_empty() {
                self.given_up.insert((id, need, epoch), GivenUp { places, failure });
            }
        }
        if spare.is_empty() {
            // Whoever comes later begins anew.
            origin.trouble.reset();
        }
    }
}
