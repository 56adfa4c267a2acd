//! How requests end, and how that is told.

use super::action::{Action, CloseCause};
use super::dispatcher::{Dispatcher, Output};
use super::failure::{Cause, Failure, RequestPhase, Why};
use super::ids::{OriginId, RequestId};
use super::queue::{Need, Place, Spot};
use super::request::State;
use super::timers::Timer;

impl Dispatcher {
    /// Takes a request out of wherever it is. What it leaves is consistent, and to be settled.
    pub(super) fn detach(&mut self, id: RequestId, cause: CloseCause) {
        let Some(request) = self.requests.get(id.0) else {
            return;
        };
        let (origin_id, need, place) = (request.job.origin, request.need, request.place(id));
        match request.state {
            State::Waiting(spot) => {
                let origin = self.origins.get_mut(origin_id);
                if !origin.is_some_and(|origin| origin.queue.remove(&place, need, spot)) {
                    self.leave_given_up((origin_id, need, spot.epoch), &place, spot);
                    return;
                }
            }
            State::Delayed { until } => self.timers.disarm(until, Timer::Retry(id)),
            State::InFlight { connection, output: Some(output), .. } => {
                self.outputs.remove(output);
                self.unassign(id, connection);
            }
            State::InFlight { connection, output: None, .. } => {
                let next = self.connections.get(connection).is_some_and(|c| c.in_flight().front() == Some(&id));
                if next {
                    self.withdraw(id, connection);
                    self.abort(connection, cause);
                } else {
                    // Those before it must not suffer for it.
                    self.withdraw_unread(id, connection);
                }
            }
            State::Failed { output, .. } => {
                self.outputs.remove(output);
                return;
            }
        }
        self.release_live(origin_id);
    }

    pub(super) fn release_live(&mut self, id: OriginId) {
        if let Some(origin) = self.origins.get_mut(id) {
            origin.note_gone(1);
        }
    }

    /// Makes a failure of a request that was taken out of everything.
    pub(super) fn fail(&mut self, id: RequestId, phase: RequestPhase, cause: Cause, safe_to_repeat: bool, why: Why) {
        let Some(request) = self.requests.get_mut(id.0) else {
            return;
        };
        let failure = Failure { phase, cause, attempts: request.attempts, safe_to_repeat, why };
        request.state = State::Failed { failure, output: self.outputs.push_back(Output::Fail(id)) };
        let place_due = request.take_place_due();
        self.timers.disarm(place_due, Timer::Place(id));
        self.timers.disarm(request.deadline(), Timer::Deadline(id));
    }

    /// Ends the life of an id.
    pub(super) fn forget(&mut self, id: RequestId) {
        if let Some(request) = self.requests.get_mut(id.0) {
            let place_due = request.take_place_due();
            self.timers.disarm(place_due, Timer::Place(id));
            self.timers.disarm(request.deadline(), Timer::Deadline(id));
            self.requests.discard(id.0);
        }
    }

    fn leave_given_up(&mut self, key: (OriginId, Need, u32), place: &Place, spot: Spot) {
        if let Some(given_up) = self.given_up.get_mut(&key) {
            given_up.places.remove(place, spot);
            if given_up.places.is_empty() {
                self.given_up.remove(&key);
            }
        }
    }

    /// What an output says, at the moment when it is polled.
    pub(super) fn announce(&mut self, output: Output) -> Option<Action> {
        match output {
            Output::Connect(connection) => {
                self.connections.announce(connection);
                let origin = self.connections.get(connection)?.origin();
                let failures = self.origins.get(origin)?.trouble.failures;
                Some(Action::Connect { connection, origin, attempt: failures.saturating_add(1) })
            }
            Output::Assign(request) => {
                let found = self.requests.get_mut(request.0)?;
                let State::InFlight { connection, output, .. } = &mut found.state else {
                    return None;
                };
                *output = None;
                Some(Action::Assign { request, connection: *connection })
            }
            Output::Fail(request) => {
                let State::Failed { failure, .. } = self.requests.get(request.0)?.state else {
                    return None;
                };
                self.forget(request);
                Some(Action::Fail { request, failure })
            }
            Output::Close(connection, cause) => Some(Action::Close { connection, cause }),
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
