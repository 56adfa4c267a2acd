//! The state of a dispatcher as a model checker compares it.

use alloc::collections::BTreeMap;
use core::time::Duration;

use super::action::Job;
use super::connections::{self, Connection};
use super::dispatcher::{Dispatcher, Output};
use super::ids::{ConnectionId, OriginId, RequestId};
use super::list::Node;
use super::origins::{MOST_ABANDONED, Origin};
use super::request::{self, Request};
use super::timers::{Armed, Timer};
use crate::canonical::{Canonical, Collector};
use crate::config::Backoff;
use crate::time::Instant;

/// The places of live requests, connections and origins: what names stand for when nobody looks at the names.
struct Ranks {
    requests: BTreeMap<RequestId, usize>,
    connections: BTreeMap<ConnectionId, usize>,
    origins: BTreeMap<OriginId, usize>,
}

impl Dispatcher {
    /// The state as seen at `now`, in a form in which two states are equal if no calls can tell them apart: what a
    /// model checker keeps of the states that it has seen. Ids count by their order alone.
    ///
    /// ```
    /// use http_core::Instant;
    /// use http_core::dispatch::{Dispatcher, Job, Policy};
    /// let now = Instant::ZERO;
    /// let mut dispatcher = Dispatcher::new(Policy::default());
    /// let origin = dispatcher.add_origin();
    /// dispatcher.enqueue(Job::new(origin), now)?;
    /// let mut other = dispatcher.clone();
    /// other.enqueue(Job::new(origin), now)?;
    /// assert_ne!(dispatcher.canonical(now), other.canonical(now));
    /// # Ok::<(), http_core::dispatch::Refused>(())
    /// ```
    #[must_use]
    pub fn canonical(&self, now: Instant) -> Canonical {
        Canonical::of(|out| self.describe(out, self.now.max(now)))
    }

    fn describe(&self, out: &mut Collector, now: Instant) {
        let Self { policy: _, now: _, origins, requests, connections, timers, outputs, given_up, .. } = self;
        let ranks = self.ranks();
        out.value((self.draining, self.random, origins.passed()));
        out.value((origins.iter().count(), requests.len(), connections.len()));
        origins.line().iter().for_each(|id| out.value(ranks.origins.get(&id)));
        connections.idle().iter().for_each(|id| out.value(ranks.connections.get(&id)));
        for (id, origin) in origins.iter() {
            self.describe_origin(id, origin, out, now, &ranks);
        }
        for id in ranks.in_order() {
            if let Some(request) = requests.get(id.0) {
                self.describe_request(request, out, now, &ranks);
            }
        }
        for (_, connection) in connections.iter() {
            self.describe_connection(connection, out, now, &ranks);
        }
        out.value(given_up.len());
        for ((origin, need, _), given_up) in given_up {
            out.value((ranks.origins.get(origin), *need as u8, given_up.failure, given_up.places.len()));
            given_up.places.in_order().iter().for_each(|place| out.value(ranks.requests.get(&place.request)));
        }
        out.value(outputs.len());
        for output in outputs.iter() {
            match output {
                Output::Connect(id) => out.value((0_u8, ranks.connections.get(&id))),
                Output::Assign(id) => out.value((1_u8, ranks.requests.get(&id))),
                Output::Fail(id) => out.value((2_u8, ranks.requests.get(&id))),
                // Its connection is gone and will never be named again.
                Output::Close(_, cause) => out.value((3_u8, cause)),
            }
        }
        for (at, timer) in timers.in_order() {
            out.until(at, now);
            match timer {
                Timer::Connection(id) => out.value((0_u8, ranks.connections.get(&id))),
                Timer::Backoff(id) => out.value((1_u8, ranks.origins.get(&id))),
                Timer::Retry(id) => out.value((2_u8, ranks.requests.get(&id))),
                Timer::Deadline(id) => out.value((3_u8, ranks.requests.get(&id))),
                Timer::Place(id) => out.value((4_u8, ranks.requests.get(&id))),
                Timer::Surplus(id) => out.value((5_u8, ranks.origins.get(&id))),
            }
        }
    }

    fn describe_origin(&self, id: OriginId, origin: &Origin, out: &mut Collector, now: Instant, ranks: &Ranks) {
        let Origin { queue, trouble, breaker, .. } = origin;
        if let Some(own) = self.connections.of(id) {
            out.value((origin.live(), own.idle().len(), own.roomy().len(), queue.passed()));
            let connections = own.idle().iter().chain(own.roomy().iter().copied());
            connections.for_each(|id| out.value(ranks.connections.get(&id)));
        }
        let most = self.failures_that_count();
        out.value((trouble.failures.min(most), trouble.refusals.min(most)));
        out.value(trouble.abandoned.min(MOST_ABANDONED));
        out.value(trouble.culprit_rank(|id| ranks.requests.get(&id).copied()));
        let past = |at: Option<Instant>| at.unwrap_or(Instant::NEVER);
        out.until(past(trouble.retry_at), now);
        out.until(past(origin.armed.map(Armed::at)), now);
        let most = self.policy.circuit.map_or(0, |circuit| circuit.failures);
        out.value((breaker.failures.min(most), breaker.last, breaker.probe.map(|id| ranks.connections.get(&id))));
        out.until(past(breaker.open_until), now);
        // Since when counts up to the longest wait alone.
        let longest = self.policy.place_timeout;
        out.value(origin.crowded.zip(longest).map(|(since, longest)| now.saturating_since(since).min(longest)));
        out.value(origin.tokens());
    }

    /// Beyond so many failures in a row the back-off has reached its cap and the attempts are exhausted.
    fn failures_that_count(&self) -> u32 {
        let Backoff { initial, cap, .. } = self.policy.backoff;
        let doublings = (0..64).find(|n| initial.as_nanos() << n >= cap.as_nanos()).unwrap_or(64);
        doublings.max(self.policy.connect_retries).saturating_add(1)
    }

    fn describe_request(&self, request: &Request, out: &mut Collector, now: Instant, ranks: &Ranks) {
        let Request { job, sequence: _, need, attempts, spared, queued, misdirected, state, .. } = request;
        // How it came in says nothing of what becomes of it.
        let Job { origin, idempotent, replayable, deadline, priority, retries, retry_after, fresh, readmitted: _ } =
            job;
        out.value((ranks.origins.get(origin), idempotent, replayable, priority, retries, retry_after, fresh));
        out.until(deadline.unwrap_or(Instant::NEVER), now);
        // Those that do not count may be any number; whether there was one at all does count.
        out.value((*need as u8, attempts.saturating_sub(*spared), *attempts > 0, misdirected));
        match state {
            request::State::Waiting(spot) => {
                out.value(self.policy.place_timeout.map(|longest| now.saturating_since(*queued).min(longest)));
                let origin = self.origins.get(job.origin);
                // Given up with its lane, or still in it.
                out.value((0_u8, origin.is_some_and(|origin| origin.queue.holds(*need, *spot))));
            }
            request::State::Delayed { until } => {
                out.value(1_u8);
                out.until(until.at(), now);
            }
            request::State::InFlight { connection, reused, answered, output } => {
                out.value((2_u8, ranks.connections.get(connection), reused, answered, output.is_some()));
            }
            request::State::Failed { failure, output: _ } => out.value((3_u8, failure)),
        }
    }

    fn describe_connection(&self, connection: &Connection, out: &mut Collector, now: Instant, ranks: &Ranks) {
        let Connection { round, remaining, kept_for, answers, .. } = connection;
        let (origin, in_flight, assigned, answered) =
            (connection.origin(), connection.in_flight(), connection.assigned(), connection.answered());
        // Whether it serves those that want one which has answered since.
        out.value(self.origins.get(origin).is_some_and(|origin| origin.queue.is_awaited_by(connection.answered_at())));
        let answering = self.origins.get(origin).is_some_and(|origin| origin.answers != *answers);
        out.value(answering && !answered);
        let recent = self.origins.get(origin).is_some_and(|origin| origin.trouble.round == *round);
        let most = self.policy.requests_per_connection.unwrap_or(1).max(1);
        out.value((ranks.origins.get(&origin), recent, assigned.min(most), answered, remaining, kept_for));
        // Its age counts up to its longest, and beside that as any or none.
        let longest = self.policy.lifetime.unwrap_or(Duration::from_nanos(1));
        out.value(now.saturating_since(connection.since()).min(longest));
        out.value(in_flight.len());
        in_flight.iter().for_each(|id| out.value(ranks.requests.get(id)));
        let longest = self.policy.fresh_after_idle.unwrap_or_default().saturating_add(Duration::from_nanos(1));
        match connection.state() {
            connections::State::Connecting { until, output, .. } => {
                out.value((0_u8, output != Node::NOWHERE));
                out.until(until, now);
            }
            connections::State::Idle { since, until, .. } => {
                // How long it has been so counts up to the longest that anything hangs on.
                let longest = longest.max(self.policy.surplus_time());
                out.value((1_u8, now.saturating_since(since).min(longest)));
                out.until(until, now);
            }
            connections::State::Busy { ready } => {
                out.value((2_u8, ready));
                // A request that might take it from the single one on it wants to know whether nothing was sent on it,
                // and how long it had been idle.
                let unanswered = |id: &RequestId| {
                    let request = self.requests.get(id.0).map(|request| request.state);
                    matches!(request, Some(request::State::InFlight { answered: false, .. }))
                };
                if in_flight.len() == 1 && in_flight.iter().all(unanswered) {
                    let rested =
                        self.policy.fresh_after_idle.map(|_| now.saturating_since(connection.rested()).min(longest));
                    out.value((assigned <= 1, rested));
                }
            }
        }
    }

    fn ranks(&self) -> Ranks {
        let mut requests: alloc::vec::Vec<_> =
            self.requests.iter().map(|(key, request)| (request.sequence, RequestId(key))).collect();
        requests.sort_unstable();
        // Which of several connections is used does not depend on their names, so their places will do.
        let connections = self.connections.iter().map(|(id, _)| id).zip(0..).collect();
        let origins = self.origins.iter().map(|(id, _)| id).zip(0..).collect();
        Ranks { requests: requests.into_iter().map(|(_, id)| id).zip(0..).collect(), connections, origins }
    }
}

impl Ranks {
    fn in_order(&self) -> impl Iterator<Item = RequestId> {
        let mut order: alloc::vec::Vec<_> = self.requests.iter().map(|(id, rank)| (*rank, *id)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, id)| id)
    }
}
