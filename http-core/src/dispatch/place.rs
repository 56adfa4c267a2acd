//! How long a request waits for a place among the connections that there may be.

use super::action::CloseCause;
use super::dispatcher::Dispatcher;
use super::failure::{Cause, PlaceLimit, RequestPhase, Why};
use super::ids::{OriginId, RequestId};
use super::origins::Origin;
use super::request::State;
use super::timers::Timer;
use crate::time::Instant;

impl Dispatcher {
    /// Whether those that wait for an origin lack nothing but a place: it is well as far as anybody knows, no
    /// connection is being made, and none may be.
    pub(super) fn is_crowded(&self, id: OriginId, origin: &Origin) -> bool {
        let waits = !origin.queue.is_empty() && self.connections.of(id).is_some_and(|own| own.connecting() == 0);
        waits && self.may_connect(origin) && (self.is_full(id) || origin.is_in_line())
    }

    /// Sees to it that a request which is in the queue is looked at when it may have waited too long for a place.
    pub(super) fn arm_place(&mut self, id: RequestId) {
        let Some(longest) = self.policy.place_timeout else {
            return;
        };
        let Some(request) = self.requests.get_mut(id.0) else {
            return;
        };
        if let (State::Waiting(_), Instant::NEVER) = (request.state, request.place_due()) {
            request.set_place_due(self.timers.arm(self.now.saturating_add(longest), Timer::Place(id)));
        }
    }

    /// A request may have waited too long for a place. If it has not, the timer is set to when it will have.
    pub(super) fn place_due(&mut self, id: RequestId) {
        let Some(request) = self.requests.get_mut(id.0) else {
            return;
        };
        let _ = request.take_place_due();
        let (origin_id, queued, need) = (request.job.origin, request.queued, request.need);
        let State::Waiting(spot) = request.state else {
            return;
        };
        let Some(origin) = self.origins.get(origin_id).filter(|origin| origin.queue.holds(need, spot)) else {
            return;
        };
        let longest = self.policy.place_timeout.unwrap_or_default();
        let since = origin.crowded.map_or(self.now, |since| since.max(queued));
        let due = since.saturating_add(longest);
        if due > self.now {
            if let Some(request) = self.requests.get_mut(id.0) {
                request.set_place_due(self.timers.arm(due, Timer::Place(id)));
            }
            return;
        }
        let cause = self.no_place(origin_id);
        self.detach(id, CloseCause::Deadline);
        self.fail(id, RequestPhase::Queue, cause, true, Why::PlaceTimeout);
        self.update(origin_id);
    }

    /// Looks at every connection if it is the origin that has as many as allowed; rare, and those are few.
    fn no_place(&self, id: OriginId) -> Cause {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        if self.is_full(id) {
            let own = self.connections.iter().filter(|(_, connection)| connection.origin() == id);
            let in_flight: usize = own.map(|(_, connection)| connection.in_flight().len()).sum();
            let most = self.policy.connections_per_origin.max(1);
            return Cause::NoPlace { limit: PlaceLimit::PerOrigin(number(most)), in_flight: number(in_flight) };
        }
        let most = self.policy.max_connections.max(1);
        Cause::NoPlace { limit: PlaceLimit::Total(number(most)), in_flight: number(self.in_flight()) }
    }
}
