//! The connections of a dispatcher, and what each of them does.

use alloc::collections::{BTreeSet, VecDeque};
use alloc::vec::Vec;
use core::time::Duration;

use super::action::CloseCause;
use super::ids::{ConnectionId, OriginId, RequestId};
use super::list::{List, Node};
use super::queue::{Need, Queue};
use super::slab::Slab;
use super::timers::Armed;
use crate::config::Policy;
use crate::time::Instant;

/// What holds, whoever calls what:
///
/// - a connection is in the lists of idle ones, that of all and that of its origin, if its state says so, and in no
///   other case; both are in the order in which they became so;
/// - an idle connection has no request, and neither has one that is being made;
/// - one that has room behind its requests has some;
/// - the numbers of each origin, and that of requests in flight, are those of the connections that there are.
///
/// `check` looks at all of it. Timers and outputs that a state names are the dispatcher's to arm and to take back.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    all: Slab<Connection>,
    /// Idle ones of all origins: the first has been idle longest.
    idle: List<ConnectionId>,
    /// Those of each origin, by its place.
    own: Vec<Own>,
    in_flight: usize,
}

/// The connections of one origin.
#[derive(Clone, Debug)]
pub(super) struct Own {
    total: usize,
    connecting: usize,
    /// The last is the one used last.
    idle: List<ConnectionId>,
    /// Busy ones that would take another request behind those they have.
    roomy: BTreeSet<ConnectionId>,
}

#[derive(Clone, Debug)]
pub(super) struct Connection {
    origin: OriginId,
    state: State,
    /// Requests on it, in the order in which they are answered.
    in_flight: VecDeque<RequestId>,
    /// Requests that it was given.
    assigned: u32,
    /// The round of its origin's failures in which it was begun.
    pub(super) round: u32,
    /// How many answers its origin has given, while none has come on another connection since this one was begun.
    pub(super) answers: u64,
    /// When it was begun, and then when it was up.
    since: Instant,
    /// Since when nothing was sent on it, when it was assigned last.
    rested: Instant,
    /// How long the peer keeps it idle, if it said so.
    pub(super) kept_for: Option<Duration>,
    /// Requests that the peer still takes, if it said so.
    pub(super) remaining: Option<u32>,
    /// How many answers its origin had given with its own last one; 0: none has come on it.
    answered_at: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    Connecting {
        until: Instant,
        /// Where the timer for that stands.
        timer: Node,
        /// Where its `Connect` is to be polled; nowhere once it was.
        output: Node,
    },
    Idle {
        since: Instant,
        until: Instant,
        /// Where the timer for that stands.
        timer: Node,
        /// Where it stands among the idle ones of all origins, and of its own.
        nodes: (Node, Node),
    },
    Busy {
        /// The byte machine would take another request.
        ready: bool,
    },
}

impl Own {
    const fn new() -> Self {
        Self { total: 0, connecting: 0, idle: List::new(), roomy: BTreeSet::new() }
    }

    /// Those that are being made included.
    pub(super) fn total(&self) -> usize {
        self.total
    }

    pub(super) fn connecting(&self) -> usize {
        self.connecting
    }

    /// Those that are up.
    pub(super) fn open(&self) -> usize {
        self.total.saturating_sub(self.connecting)
    }

    pub(super) fn idle(&self) -> &List<ConnectionId> {
        &self.idle
    }

    pub(super) fn roomy(&self) -> &BTreeSet<ConnectionId> {
        &self.roomy
    }
}

/// What there is.
impl Connections {
    pub(super) const fn new() -> Self {
        Self { all: Slab::new(), idle: List::new(), own: Vec::new(), in_flight: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Requests on any of them.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Idle ones of all origins: the first has been idle longest.
    pub(super) fn idle(&self) -> &List<ConnectionId> {
        &self.idle
    }

    /// Those of one origin, which was [added](Self::add_origin).
    pub(super) fn of(&self, origin: OriginId) -> Option<&Own> {
        self.own.get(origin.0.index as usize)
    }

    pub(super) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        self.all.get(id.0)
    }

    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.all.get_mut(id.0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ConnectionId, &Connection)> {
        self.all.iter().map(|(key, connection)| (ConnectionId(key), connection))
    }
}

/// What happens to them.
impl Connections {
    /// From here on there may be connections of this origin. There are none of one that had its place before.
    pub(super) fn add_origin(&mut self, origin: OriginId) {
        while self.own.len() <= origin.0.index as usize {
            self.own.push(Own::new());
        }
    }

    /// A connection is being made.
    pub(super) fn begin(&mut self, origin: OriginId, round: u32, answers: u64, now: Instant) -> ConnectionId {
        if let Some(own) = self.own_mut(origin) {
            own.total += 1;
            own.connecting += 1;
        }
        ConnectionId(self.all.insert(Connection {
            origin,
            state: State::Connecting { until: Instant::NEVER, timer: Node::NOWHERE, output: Node::NOWHERE },
            in_flight: VecDeque::new(),
            assigned: 0,
            round,
            answers,
            since: now,
            rested: now,
            kept_for: None,
            remaining: None,
            answered_at: 0,
        }))
    }

    /// Until when it may take to be made, and where that is to be polled.
    pub(super) fn expect(&mut self, id: ConnectionId, armed: Armed, output: Node) {
        if let Some(Connection { state: state @ State::Connecting { .. }, .. }) = self.all.get_mut(id.0) {
            let (until, timer) = armed.into_parts();
            *state = State::Connecting { until, timer, output };
        }
    }

    /// The driver knows of it.
    pub(super) fn announce(&mut self, id: ConnectionId) {
        if let Some(Connection { state: State::Connecting { output, .. }, .. }) = self.all.get_mut(id.0) {
            *output = Node::NOWHERE;
        }
    }

    /// It is up, and busy: its origin, and the timer that is to be taken back. Nothing, if the driver does not know of
    /// it, or it is not being made.
    pub(super) fn connected(&mut self, id: ConnectionId, now: Instant) -> Option<(OriginId, Armed)> {
        let found = self.all.get_mut(id.0)?;
        let State::Connecting { until, timer, output: Node::NOWHERE } = found.state else {
            return None;
        };
        found.state = State::Busy { ready: true };
        found.since = now;
        let origin = found.origin;
        if let Some(own) = self.own_mut(origin) {
            own.connecting = own.connecting.saturating_sub(1);
        }
        Some((origin, Armed::from_parts(until, timer)))
    }

    /// Its byte machine would take another request, or would not: its origin. Nothing happens if it is not busy.
    pub(super) fn set_ready(&mut self, id: ConnectionId, yes: bool) -> Option<OriginId> {
        match self.all.get_mut(id.0) {
            Some(Connection { state: State::Busy { ready }, origin, .. }) => {
                *ready = yes;
                Some(*origin)
            }
            _ => None,
        }
    }

    /// It is busy, has no request and rests from now on.
    pub(super) fn rest(&mut self, id: ConnectionId, since: Instant, armed: Armed) {
        let Some(found) = self.all.get_mut(id.0) else {
            return;
        };
        debug_assert!(found.is_busy() && found.in_flight.is_empty());
        let Some(own) = self.own.get_mut(found.origin.0.index as usize) else {
            return;
        };
        let nodes = (self.idle.push_back(id), own.idle.push_back(id));
        if !own.roomy.is_empty() {
            own.roomy.remove(&id);
        }
        let (until, timer) = armed.into_parts();
        found.state = State::Idle { since, until, timer, nodes };
    }

    /// The timer of one that is idle is another one from now on.
    pub(super) fn rest_until(&mut self, id: ConnectionId, armed: Armed) {
        if let Some(Connection { state: State::Idle { until, timer, .. }, .. }) = self.all.get_mut(id.0) {
            (*until, *timer) = armed.into_parts();
        }
    }

    /// It does not rest any more: its origin, and the timer that is to be taken back, if it was idle.
    pub(super) fn wake(&mut self, id: ConnectionId) -> Option<(OriginId, Armed)> {
        let found = self.all.get_mut(id.0)?;
        let State::Idle { since, until, timer, nodes: (all, own) } = found.state else {
            return None;
        };
        found.state = State::Busy { ready: true };
        found.rested = since;
        self.idle.remove(all);
        let origin = found.origin;
        if let Some(origin) = self.own.get_mut(origin.0.index as usize) {
            origin.idle.remove(own);
        }
        Some((origin, Armed::from_parts(until, timer)))
    }

    /// It has a request more, behind those that it has, and does not rest any more. Whether it may have grown old
    /// before, and the timer that is to be taken back, if it was idle.
    pub(super) fn give(&mut self, id: ConnectionId, request: RequestId, now: Instant) -> (bool, Armed) {
        let Some(found) = self.all.get_mut(id.0) else {
            return (false, Armed::NEVER);
        };
        let Some(own) = self.own.get_mut(found.origin.0.index as usize) else {
            return (false, Armed::NEVER);
        };
        let mut idle_until = Armed::NEVER;
        if let State::Idle { since, until, timer, nodes } = found.state {
            found.rested = since;
            self.idle.remove(nodes.0);
            own.idle.remove(nodes.1);
            idle_until = Armed::from_parts(until, timer);
        } else {
            debug_assert!(found.is_busy() && !found.in_flight.is_empty());
            // It goes behind others: the connection does not rest.
            found.rested = now;
        }
        let reused = found.assigned > 0 || now > found.since;
        found.state = State::Busy { ready: false };
        found.assigned = found.assigned.saturating_add(1);
        found.remaining = found.remaining.map(|left| left.saturating_sub(1));
        found.in_flight.push_back(request);
        self.in_flight += 1;
        if !own.roomy.is_empty() {
            own.roomy.remove(&id);
        }
        (reused, idle_until)
    }

    /// Its only request is another one than it was. Whether it may have grown old before.
    pub(super) fn hand_over(&mut self, id: ConnectionId, request: RequestId, now: Instant) -> bool {
        let Some(found) = self.all.get_mut(id.0) else {
            return false;
        };
        debug_assert!(found.is_busy() && found.in_flight.len() == 1);
        found.state = State::Busy { ready: false };
        found.in_flight.clear();
        found.in_flight.push_back(request);
        let reused = found.assigned > 1 || now > found.since;
        self.set_full(id);
        reused
    }

    /// What it was given last was not given after all, and is about to be taken off.
    pub(super) fn give_not(&mut self, id: ConnectionId) {
        if let Some(found) = self.all.get_mut(id.0) {
            found.assigned = found.assigned.saturating_sub(1);
            found.remaining = found.remaining.map(|left| left.saturating_add(1));
            found.state = State::Busy { ready: true };
        }
    }

    /// It has this request no more. Whether it would take another one.
    pub(super) fn take_off(&mut self, id: ConnectionId, request: RequestId) -> bool {
        let Some(found) = self.all.get_mut(id.0) else {
            return false;
        };
        let before = found.in_flight.len();
        if found.in_flight.front() == Some(&request) {
            found.in_flight.pop_front();
        } else {
            found.in_flight.retain(|other| *other != request);
        }
        self.in_flight = self.in_flight.saturating_sub(before - found.in_flight.len());
        let ready = matches!(found.state, State::Busy { ready: true });
        if found.in_flight.is_empty() {
            let origin = found.origin;
            self.note_full(origin, id);
        }
        ready
    }

    /// There is room behind its requests.
    pub(super) fn set_roomy(&mut self, id: ConnectionId) {
        if let Some(found) = self.all.get(id.0).filter(|found| !found.in_flight.is_empty()) {
            if let Some(own) = self.own.get_mut(found.origin.0.index as usize) {
                own.roomy.insert(id);
            }
        }
    }

    /// There is no room behind its requests.
    pub(super) fn set_full(&mut self, id: ConnectionId) {
        if let Some(origin) = self.all.get(id.0).map(Connection::origin) {
            self.note_full(origin, id);
        }
    }

    fn note_full(&mut self, origin: OriginId, id: ConnectionId) {
        if let Some(own) = self.own_mut(origin).filter(|own| !own.roomy.is_empty()) {
            own.roomy.remove(&id);
        }
    }

    /// It is gone. It was not idle, see [`wake`](Self::wake).
    pub(super) fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        self.set_full(id);
        let found = self.all.remove(id.0)?;
        debug_assert!(!matches!(found.state, State::Idle { .. }));
        self.in_flight = self.in_flight.saturating_sub(found.in_flight.len());
        if let Some(own) = self.own_mut(found.origin) {
            own.total = own.total.saturating_sub(1);
            if let State::Connecting { .. } = found.state {
                own.connecting = own.connecting.saturating_sub(1);
            }
        }
        Some(found)
    }

    fn own_mut(&mut self, origin: OriginId) -> Option<&mut Own> {
        self.own.get_mut(origin.0.index as usize)
    }

    /// Whether what must hold does.
    #[cfg(test)]
    pub(super) fn check(&self) {
        self.idle.check();
        let all = |index: usize| self.iter().filter(move |(_, found)| found.origin.0.index as usize == index);
        for (index, own) in self.own.iter().enumerate() {
            own.idle.check();
            assert_eq!(own.total, all(index).count());
            let connecting = |state| matches!(state, State::Connecting { .. });
            assert_eq!(own.connecting, all(index).filter(|(_, found)| connecting(found.state)).count());
            let idle = self.idle.iter().filter(|id| self.get(*id).is_some_and(|c| c.origin.0.index as usize == index));
            assert!(own.idle.iter().eq(idle), "the same order in both lists");
            for id in &own.roomy {
                let found = self.get(*id).expect("a connection");
                assert!(found.origin.0.index as usize == index && found.is_busy() && !found.in_flight.is_empty());
            }
        }
        let mut idle = 0;
        for (id, found) in self.iter() {
            match found.state {
                State::Connecting { .. } => assert!(found.in_flight.is_empty()),
                State::Idle { nodes: (all, own), .. } => {
                    assert!(found.in_flight.is_empty());
                    assert_eq!(self.idle.get(all), Some(id));
                    assert_eq!(self.of(found.origin).and_then(|origin| origin.idle.get(own)), Some(id));
                    idle += 1;
                }
                State::Busy { .. } => {}
            }
        }
        assert_eq!(idle, self.idle.len());
        assert_eq!(self.in_flight, self.iter().map(|(_, found)| found.in_flight.len()).sum::<usize>());
    }
}

impl Connection {
    pub(super) fn origin(&self) -> OriginId {
        self.origin
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    pub(super) fn in_flight(&self) -> &VecDeque<RequestId> {
        &self.in_flight
    }

    pub(super) fn into_in_flight(self) -> VecDeque<RequestId> {
        self.in_flight
    }

    pub(super) fn assigned(&self) -> u32 {
        self.assigned
    }

    pub(super) fn since(&self) -> Instant {
        self.since
    }

    pub(super) fn rested(&self) -> Instant {
        self.rested
    }

    pub(super) fn is_busy(&self) -> bool {
        matches!(self.state, State::Busy { .. })
    }

    /// Which requests of this queue it can serve, if it had been given so many fewer.
    pub(super) fn offers(&self, queue: &Queue, fewer: u32) -> Need {
        if self.assigned <= fewer {
            Need::Fresh
        } else if queue.is_proven_by(self.answered_at) {
            Need::Proven
        } else {
            Need::Any
        }
    }

    /// Whether a byte of a response ever came.
    pub(super) fn answered(&self) -> bool {
        self.answered_at > 0
    }

    /// A byte of a response has come, with which its origin has given so many answers.
    pub(super) fn note_answer(&mut self, answers: u64) {
        self.answered_at = answers;
    }

    /// How many answers its origin had given with its own last one.
    pub(super) fn answered_at(&self) -> u64 {
        self.answered_at
    }

    /// Why it must not be given another request.
    pub(super) fn is_spent(&self, policy: &Policy, now: Instant) -> Option<CloseCause> {
        let enough = policy.requests_per_connection.is_some_and(|most| self.assigned >= most.max(1));
        if enough || self.remaining == Some(0) {
            return Some(CloseCause::RequestLimit);
        }
        // One that was just made serves, however short its life is to be.
        (self.assigned > 0 && self.dies_at(policy) <= now).then_some(CloseCause::Lifetime)
    }

    /// Until when it may stay idle, if it has been so since `since`.
    pub(super) fn idle_until(&self, policy: &Policy, since: Instant) -> Instant {
        let ours = policy.idle_timeout.map_or(Instant::NEVER, |most| since.saturating_add(most));
        // The peer counts from when its last byte left, we from when it came: a request on the way while the
        // peer closes is what the margin is to avoid.
        let theirs = self.kept_for.map_or(Instant::NEVER, |kept| {
            let margin = Duration::from_secs(1).min(kept / 2);
            since.saturating_add(kept.saturating_sub(margin))
        });
        ours.min(theirs).min(self.dies_at(policy))
    }

    /// What it is closed for when its time as an idle one is over.
    pub(super) fn idle_cause(&self, policy: &Policy, now: Instant) -> CloseCause {
        if self.dies_at(policy) <= now { CloseCause::Lifetime } else { CloseCause::Idle }
    }

    fn dies_at(&self, policy: &Policy) -> Instant {
        policy.lifetime.map_or(Instant::NEVER, |most| self.since.saturating_add(most))
    }
}
