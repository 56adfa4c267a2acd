//! What happens when a deadline passes.

use super::action::CloseCause;
use super::connections;
use super::dispatcher::Dispatcher;
use super::failure::{Cause, ConnectCause, RequestPhase, Why};
use super::ids::{ConnectionId, RequestId};
use super::request::State;
use super::timers::{Armed, Timer};

impl Dispatcher {
    pub(super) fn due(&mut self, timer: Timer) {
        match timer {
            Timer::Connection(id) => self.connection_due(id),
            Timer::Backoff(id) => {
                if let Some(origin) = self.origins.get_mut(id) {
                    origin.armed = None;
                    self.update(id);
                }
            }
            Timer::Surplus(id) => {
                // Whichever is the next to be closed has a timer of its own.
                if let Some(origin) = self.origins.get_mut(id) {
                    origin.surplus = Armed::NEVER;
                }
                if let Some((surplus, cause)) = self.surplus(id) {
                    self.close(surplus, cause);
                }
                self.watch_surplus(id);
                self.update(id);
            }
            Timer::Retry(id) => {
                if let Some(request) = self.requests.get(id.0) {
                    let origin = request.job.origin;
                    self.queue(id);
                    self.update(origin);
                }
            }
            Timer::Place(id) => self.place_due(id),
            Timer::Deadline(id) => {
                if let Some(request) = self.requests.get(id.0) {
                    let origin = request.job.origin;
                    self.expire(id);
                    self.update(origin);
                }
            }
        }
    }

    fn connection_due(&mut self, id: ConnectionId) {
        let Some(found) = self.connections.get(id) else {
            return;
        };
        let origin = found.origin();
        match found.state() {
            connections::State::Connecting { .. } => {
                if let Some(closed) = self.close(id, CloseCause::ConnectTimeout) {
                    self.refused(&closed, ConnectCause::TimedOut);
                }
            }
            connections::State::Idle { .. } => {
                let cause = found.idle_cause(&self.policy, self.now);
                self.close(id, cause);
                self.update(origin);
            }
            connections::State::Busy { .. } => {}
        }
    }

    /// The deadline of a request has passed.
    pub(super) fn expire(&mut self, id: RequestId) {
        let Some(request) = self.requests.get(id.0) else {
            return;
        };
        let (phase, safe_to_repeat) = match request.state {
            State::InFlight { answered, output: None, .. } => {
                let phase = if answered { RequestPhase::Content } else { RequestPhase::Head };
                (phase, request.job.idempotent)
            }
            State::Waiting(spot) => {
                let key = (request.job.origin, request.need, spot.epoch);
                let place = request.place(id);
                if self.given_up.get(&key).is_some_and(|given_up| given_up.places.contains(&place, spot)) {
                    // It has failed already, of something else.
                    return;
                }
                let backs_off = self.origins.get(request.job.origin).is_some_and(|origin| origin.armed.is_some());
                let own = self.connections.of(request.job.origin);
                let connecting = own.is_some_and(|own| own.open() == 0 && (own.connecting() > 0 || backs_off));
                let phase = if connecting { RequestPhase::Connect } else { RequestPhase::Queue };
                (phase, true)
            }
            State::Failed { .. } => return,
            State::InFlight { .. } | State::Delayed { .. } => (RequestPhase::Queue, true),
        };
        self.detach(id, CloseCause::Deadline);
        self.fail(id, phase, Cause::Deadline, safe_to_repeat, Why::Deadline);
    }
}
