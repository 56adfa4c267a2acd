//! The state of a pool while it is locked: what the dispatcher is told, and what it wants done.

use core::task::Waker;
use core::time::Duration;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, MutexGuard};

use http::Response;
use http_core::dispatch::{
    self, Action, CloseCause, ConnectCause, ConnectionId, Delivery, Dispatcher, Failure, Input, LostCause, OriginId,
    Output, Policy, Progress, Refused, RequestId, StatusFacts,
};
use http_core::{Instant, Version};

use super::names::{Named, Names};
use super::room::Room;
use super::slot::{Order, Slot};
use super::table::Table;
use crate::body::Incoming;
use crate::client::connect_error::ConnectError;
use crate::client::failure::{RequestError, Whence};
use crate::client::job::Job;
use crate::client::observe::Observe;
use crate::client::origin::Place;
use crate::io::RuntimeId;

/// How many origins are known before any is forgotten.
const SWEEP_FROM: usize = 64;

/// For how long a request that is polled does not look whether there is anything for it, at most.
const MISSED: Duration = Duration::from_secs(2);

/// How long a connection is kept for the request whose turn it is before others of its origin may have it. Who is
/// woken for it mostly comes in microseconds, and the order of the queue holds.
const GRACE: Duration = Duration::from_millis(10);

/// A connection that is kept while nothing is on it.
pub(in crate::client) trait Parked: Send {
    /// The end, in order.
    fn part(self);
}

pub(super) struct State<K> {
    pub(super) dispatcher: Dispatcher,
    pub(super) names: Names,
    pub(super) rooms: Vec<Room>,
    pub(super) requests: Table<RequestId, Entry>,
    pub(super) seats: Table<ConnectionId, Seat<K>>,
    /// What the dispatcher wants, until it is done.
    pub(super) actions: Vec<Action>,
    pub(super) random: RandomState,
    pub(super) randoms: u64,
    /// How many origins are known when those that are not used are forgotten.
    pub(super) sweep_at: usize,
    pub(super) closed: bool,
    /// Requests that were taken in, and are with their futures to be queued anew on other runtimes.
    pub(super) moving: usize,
    /// Nothing is taken in any more, whoever was before.
    pub(super) cut: bool,
    pub(super) answered: u64,
    pub(super) failed: u64,
    /// Those that wait for the end of a shutdown.
    pub(super) draining: Vec<Waker>,
}

impl<K> State<K> {
    pub(super) fn new(policy: Policy) -> Self {
        Self {
            dispatcher: Dispatcher::new(policy),
            names: Names::new(),
            rooms: Vec::new(),
            requests: Table::new(),
            seats: Table::new(),
            actions: Vec::new(),
            random: RandomState::new(),
            randoms: 0,
            sweep_at: SWEEP_FROM,
            closed: false,
            moving: 0,
            cut: false,
            answered: 0,
            failed: 0,
            draining: Vec::new(),
        }
    }

    /// A request that has no outcome yet.
    pub(super) fn open(&mut self, request: RequestId) -> Option<&mut Entry> {
        self.requests.get_mut(request).filter(|entry| entry.outcome.is_none())
    }

    /// Requests that the dispatcher knows nothing of, and that have no outcome yet.
    pub(super) fn away(&self) -> usize {
        self.moving + self.requests.iter().filter(|(_, entry)| entry.adrift && entry.outcome.is_none()).count()
    }

    /// Whether a shutdown has come to its end.
    pub(super) fn is_drained(&self) -> bool {
        self.dispatcher.is_drained() && self.away() == 0
    }

    /// A request is on no connection any more, and waits for another, or has failed while it was on its way; whom to
    /// wake for it.
    pub(super) fn keep(&mut self, request: RequestId, job: Box<Job>, wakers: &mut Vec<Waker>) {
        let Some(entry) = self.requests.get_mut(request) else { return };
        match entry.outcome.as_deref_mut() {
            Some(Outcome::Failed(.., kept) | Outcome::Cut(kept)) => *kept = Some(job),
            _ => entry.job = Some(job),
        }
        wakers.extend(entry.carrier.take());
        // It may be what one waits for that has it queued anew.
        if entry.adrift {
            wakers.extend(entry.waker.take());
        }
    }

    /// A connection is there no more, for whomever it was kept.
    pub(super) fn unseat(&mut self, connection: ConnectionId) -> Option<Seat<K>> {
        let seat = self.seats.remove(connection)?;
        if let (Some(_), Some(named)) = (seat.reserved, self.names.get_mut(seat.slot.origin)) {
            named.reserved.retain(|reserved| *reserved != connection);
        }
        Some(seat)
    }

    /// Somebody who waits for this origin, to be woken.
    fn waiter(&mut self, origin: OriginId) -> Option<Waker> {
        let entries = self.requests.values_mut().filter(|entry| entry.origin == origin);
        entries.filter_map(|entry| entry.waker.take()).next()
    }
}

/// Where an origin's connections are made and kept.
pub(super) fn room_of<'a>(rooms: &'a mut [Room], names: &Names, origin: OriginId) -> Option<&'a mut Room> {
    let runtime = names.get(origin)?.runtime;
    rooms.iter_mut().find(|room| room.runtime == runtime)
}

/// A request, until its outcome is taken.
pub(super) struct Entry {
    pub(super) origin: OriginId,
    /// Who waits, if it has not been woken.
    pub(super) waker: Option<Waker>,
    /// When it was polled last.
    pub(super) looked: Instant,
    /// Where it is to go.
    pub(super) assigned: Option<ConnectionId>,
    /// In a box, so that what has none yet is small.
    pub(super) outcome: Option<Box<Outcome>>,
    /// The request itself, where tasks drive connections and it is on none.
    pub(super) job: Option<Box<Job>>,
    /// The task that waits for it.
    pub(super) carrier: Option<Waker>,
    /// Its runtime is gone, and the dispatcher knows nothing of it: whoever is polled for it has it queued anew.
    pub(super) adrift: bool,
}

/// A request, with the connection that it has, if it has one. Refused, why; or nothing, if it names no origin.
pub(super) type TakenIn<K> = Result<(RequestId, Option<K>), Option<Refused>>;

/// How a request ended, for who waits for it.
pub(in crate::client) enum Outcome {
    Response(Box<Response<Incoming>>),
    /// With what is known of its origin.
    Failed(Failure, Option<Whence>, Option<Box<Job>>),
    /// The client came to its end at once.
    Cut(Option<Box<Job>>),
    Error(RequestError),
}

/// A connection.
pub(super) struct Seat<K> {
    pub(super) slot: Arc<Slot>,
    /// Whom it is kept for.
    pub(super) reserved: Option<RequestId>,
    /// When another one may have it that is kept for somebody who has not come.
    pub(super) claimable: Instant,
    /// While nobody has it in hand.
    pub(super) parked: Option<K>,
    pub(super) since: Instant,
    /// Whether its transport wakes the keeper.
    pub(super) watched: bool,
    /// Whether it stands among those that the keeper has still to look at.
    pub(super) listed: bool,
    /// What is left of its last response is to be read before it is ready.
    pub(super) leftover: bool,
}

/// What the head of a response tells the dispatcher.
pub(in crate::client) struct Told {
    pub(in crate::client) facts: StatusFacts,
    /// `Keep-Alive`, if the head has it.
    pub(in crate::client) hints: Option<(Option<Duration>, Option<u32>)>,
    /// The version, if it is another one than was known of the origin.
    pub(in crate::client) version: Option<Version>,
}

/// What is done when nothing is locked any more.
pub(super) struct After<K> {
    pub(super) wakers: Vec<Waker>,
    pub(super) parts: Vec<K>,
}

impl<K> Default for After<K> {
    fn default() -> Self {
        Self { wakers: Vec::new(), parts: Vec::new() }
    }
}

/// The state while it is locked.
pub(super) struct Locked<'a, K> {
    pub(super) state: MutexGuard<'a, State<K>>,
    pub(super) observer: Option<&'a dyn Observe>,
    /// Whether tasks drive connections.
    pub(super) pipelines: bool,
    pub(super) now: Instant,
    /// Where the caller does at once what is to be done, so that nobody else is woken for it.
    pub(super) attending: Option<RuntimeId>,
    /// Whether there is something for the caller to do there.
    pub(super) wanted: bool,
    /// Runtimes on which something was to be done, and nobody is there to do it.
    pub(super) gone: Vec<RuntimeId>,
    pub(super) after: After<K>,
}

impl<K: Parked> Locked<'_, K> {
    pub(super) fn input(&mut self, input: Input) -> Output {
        if matches!(input, Input::ConnectFailed(..) | Input::Lost(..)) {
            // The next wait may be spread by chance.
            self.state.randoms += 1;
            let random = self.state.random.hash_one(self.state.randoms);
            let _ = self.apply(Input::Random(random));
        }
        let output = self.apply(input);
        self.perform();
        output
    }

    /// Applies an input; what follows from it is still to be done.
    pub(super) fn apply(&mut self, input: Input) -> Output {
        let state = &mut *self.state;
        let shown = self.observer.map(|observer| (observer, input.clone()));
        let before = state.actions.len();
        let actions = &mut state.actions;
        let output = dispatch::apply(&mut state.dispatcher, input, self.now, &mut |action| actions.push(action));
        if let Some((observer, input)) = shown {
            observer.dispatch(self.now, &input, &state.actions[before..]);
        }
        output
    }

    /// Does what the dispatcher wants.
    pub(super) fn perform(&mut self) {
        loop {
            let mut at = 0;
            while let Some(action) = self.state.actions.get(at).copied() {
                at += 1;
                self.act(action);
            }
            self.state.actions.clear();
            let Some(runtime) = self.gone.pop() else { break };
            self.forsake(runtime);
        }
        let state = &mut *self.state;
        if !state.draining.is_empty() && state.is_drained() {
            self.after.wakers.append(&mut state.draining);
        }
        self.keep_time();
    }

    /// The keepers are woken in time for what is due next.
    fn keep_time(&mut self) {
        let state = &mut *self.state;
        let Some(due) = state.dispatcher.poll_timeout() else { return };
        for room in &mut state.rooms {
            if room.kept && room.armed.is_none_or(|armed| due < armed) {
                room.armed = Some(due);
                self.after.wakers.extend(room.bell.keeper());
            }
        }
    }

    fn act(&mut self, action: Action) {
        let state = &mut *self.state;
        match action {
            Action::Connect { connection, origin, .. } => {
                let slot = Arc::new(Slot::new(origin));
                if let Some(named) = state.names.get_mut(origin) {
                    named.latest = Some(slot.clone());
                }
                let seat = Seat {
                    slot,
                    reserved: None,
                    claimable: self.now,
                    parked: None,
                    since: self.now,
                    watched: false,
                    listed: false,
                    leftover: false,
                };
                state.seats.insert(connection, seat);
                let Some(room) = room_of(&mut state.rooms, &state.names, origin) else { return };
                room.wanted.push_back(connection);
                if self.attending == Some(room.runtime) {
                    self.wanted = true;
                    return;
                }
                if !room.kept {
                    self.gone.push(room.runtime);
                    return;
                }
                // Whoever is there makes it: the keeper, or who waits for it.
                self.after.wakers.extend(room.bell.keeper());
                self.after.wakers.extend(state.waiter(origin));
            }
            Action::Assign { request, connection } => {
                let Some(seat) = state.seats.get_mut(connection) else { return };
                let Some(entry) = state.requests.get_mut(request) else { return };
                if self.pipelines {
                    self.after.wakers.extend(seat.slot.order(Order::Send(request)));
                } else {
                    entry.assigned = Some(connection);
                    seat.reserved = Some(request);
                    // Who waits looks now and then; who has not is not polled, and another one may have it.
                    let missed = entry.looked.saturating_add(MISSED) < self.now;
                    seat.claimable = if missed { self.now } else { self.now.saturating_add(GRACE) };
                    let origin = entry.origin;
                    self.after.wakers.extend(entry.waker.take());
                    if missed {
                        self.after.wakers.extend(state.waiter(origin));
                    }
                    if let Some(named) = state.names.get_mut(origin) {
                        named.reserved.push(connection);
                    }
                }
            }
            Action::Fail { request, failure } => {
                state.failed += 1;
                if let Some(entry) = state.requests.get_mut(request) {
                    let job = entry.job.take();
                    let whence = state.names.get(entry.origin).map(Named::whence);
                    entry.outcome.get_or_insert_with(|| Box::new(Outcome::Failed(failure, whence, job)));
                    self.after.wakers.extend(entry.waker.take());
                }
            }
            Action::Close { connection, cause } => {
                let Some(seat) = state.unseat(connection) else { return };
                if cause == CloseCause::ConnectTimeout {
                    // Told before the requests that fail with it.
                    if let Some(named) = state.names.get_mut(seat.slot.origin) {
                        named.unreached = Some(ConnectError::late(seat.slot.stage.phase()));
                    }
                }
                let order = if cause == CloseCause::Deadline { Order::CloseLate } else { Order::Close };
                self.after.wakers.extend(seat.slot.order(order));
                self.after.parts.extend(seat.parked);
            }
            _ => {}
        }
    }

    /// Takes a request in, and takes the connection that is there for it.
    pub(super) fn take_in(
        &mut self,
        runtime: RuntimeId,
        mut order: dispatch::Job,
        job: &mut Option<Box<Job>>,
    ) -> TakenIn<K> {
        let origin = job.as_ref().and_then(|job| job.place()).map(|place| self.origin(runtime, place));
        self.state.moving -= usize::from(order.readmitted);
        order.readmitted &= !self.state.cut;
        let Some(origin) = origin else {
            self.perform();
            return Err(None);
        };
        order.origin = origin;
        let output = self.apply(Input::Enqueue(order));
        if let Output::Request(Ok(request)) = output {
            let (looked, job) = (self.now, if self.pipelines { job.take() } else { None });
            let entry =
                Entry { origin, waker: None, looked, assigned: None, outcome: None, job, carrier: None, adrift: false };
            self.state.requests.insert(request, entry);
            if let Some(kept) = self.take_at_once(request) {
                return Ok((request, Some(kept)));
            }
        }
        self.perform();
        match output {
            Output::Request(Ok(request)) => Ok((request, self.take(request))),
            Output::Request(Err(refused)) => Err(Some(refused)),
            _ => Err(None),
        }
    }

    /// Nobody is there on a runtime: what waits on it waits for nothing, and takes no place. What follows is still to
    /// be done.
    pub(super) fn forsake(&mut self, runtime: RuntimeId) {
        let state = &*self.state;
        let here = |origin: OriginId| state.names.get(origin).is_some_and(|named| named.runtime == runtime);
        let waits = |id: RequestId, entry: &Entry| {
            let waits = entry.assigned.is_some() || state.dispatcher.connection_of(id).is_none();
            waits && !entry.adrift && entry.outcome.is_none() && here(entry.origin)
        };
        let waiting = state.requests.iter().filter(|(id, entry)| waits(*id, entry));
        // First, so that no connection is made for them.
        for request in waiting.map(|(id, _)| id).collect::<Vec<_>>() {
            if let Some(entry) = self.state.requests.get_mut(request) {
                entry.adrift = true;
                entry.assigned = None;
                self.after.wakers.extend(entry.waker.take());
            }
            let _ = self.apply(Input::Cancel(request));
        }
        let room = self.state.rooms.iter_mut().find(|room| room.runtime == runtime);
        for connection in room.map(|room| core::mem::take(&mut room.wanted)).unwrap_or_default() {
            if self.state.unseat(connection).is_some() {
                let _ = self.apply(Input::ConnectFailed(connection, ConnectCause::Abandoned));
            }
        }
    }

    /// Sees to what is due.
    pub(super) fn turn(&mut self) {
        if self.state.dispatcher.poll_timeout().is_some_and(|due| due <= self.now) {
            let _ = self.input(Input::Timeout);
        }
    }

    /// The id of an origin, which it may be given now.
    pub(super) fn origin(&mut self, runtime: RuntimeId, place: Place<'_>) -> OriginId {
        if let Some(id) = self.state.names.find(runtime, place) {
            return id;
        }
        self.sweep();
        if !self.state.rooms.iter().any(|room| room.runtime == runtime) {
            self.state.rooms.push(Room::new(runtime));
        }
        let Output::Origin(id) = self.input(Input::AddOrigin) else { return OriginId::from_u64(u64::MAX) };
        self.state.names.insert(id, runtime, place);
        id
    }

    /// Forgets origins that have no connection and no request, once there are twice as many as the last time; and
    /// runtimes without any.
    fn sweep(&mut self) {
        if self.state.names.len() < self.state.sweep_at {
            return;
        }
        let used: Vec<OriginId> = self.state.seats.iter().map(|(_, seat)| seat.slot.origin).collect();
        let unused: Vec<OriginId> = self.state.names.ids().filter(|id| !used.contains(id)).collect();
        for id in unused {
            if self.input(Input::RemoveOrigin(id)) == Output::Known(true) {
                self.state.names.remove(id);
            }
        }
        let state = &mut *self.state;
        let names = &state.names;
        let lives = |room: &Room| names.ids().any(|id| names.get(id).is_some_and(|n| n.runtime == room.runtime));
        state.rooms.retain(|room| room.kept || lives(room));
        state.sweep_at = (2 * state.names.len()).max(SWEEP_FROM);
    }

    /// Takes the connection that a request meets when it comes, if that is all that follows: nobody else is told of it.
    fn take_at_once(&mut self, request: RequestId) -> Option<K> {
        let state = &mut *self.state;
        let [Action::Assign { request: who, connection }] = state.actions[..] else { return None };
        let seat = state.seats.get_mut(connection).filter(|_| who == request && !self.pipelines)?;
        let kept = seat.parked.take()?;
        seat.watched = false;
        state.actions.clear();
        self.keep_time();
        Some(kept)
    }

    /// Takes the connection that a request was assigned, if it is there.
    pub(super) fn take(&mut self, request: RequestId) -> Option<K> {
        let state = &mut *self.state;
        let entry = state.requests.get_mut(request)?;
        let seat = state.seats.get_mut(entry.assigned?)?;
        let kept = seat.parked.take()?;
        seat.reserved = None;
        seat.watched = false;
        let connection = entry.assigned.take();
        if let Some(named) = state.names.get_mut(entry.origin) {
            named.reserved.retain(|reserved| Some(*reserved) != connection);
        }
        Some(kept)
    }

    /// Takes a connection that is kept for another request of the origin: that one has not come for it, and who does
    /// not poll blocks nobody. Or says when it may.
    pub(super) fn claim(&mut self, request: RequestId) -> Result<K, Option<Instant>> {
        let state = &*self.state;
        let entry = state.requests.get(request).filter(|entry| entry.assigned.is_none()).ok_or(None)?;
        let reserved = &state.names.get(entry.origin).ok_or(None)?.reserved;
        let there =
            |id: &ConnectionId| Some((state.seats.get(*id).filter(|seat| seat.parked.is_some())?.claimable, *id));
        let (at, connection) = reserved.iter().filter_map(there).min_by_key(|(at, _)| *at).ok_or(None)?;
        if self.now < at {
            return Err(Some(at));
        }
        self.pass_on(connection, request).then(|| self.take(request)).flatten().ok_or(None)
    }

    /// A connection is kept for this request from now on, which waits, and not for the one that it was kept for.
    pub(super) fn pass_on(&mut self, connection: ConnectionId, request: RequestId) -> bool {
        if self.apply(Input::Claim(connection, request)) != Output::Known(true) {
            self.perform();
            return false;
        }
        let state = &mut *self.state;
        if let Some(seat) = state.seats.get_mut(connection) {
            let other = seat.reserved.replace(request);
            seat.claimable = self.now.saturating_add(GRACE);
            if let Some(other) = other.and_then(|other| state.requests.get_mut(other)) {
                other.assigned = None;
            }
        }
        if let Some(entry) = state.requests.get_mut(request) {
            entry.assigned = Some(connection);
        }
        self.perform();
        true
    }

    pub(super) fn answer(&mut self, connection: ConnectionId, request: RequestId, told: &Told) -> Delivery {
        let _ = self.apply(Input::ResponseStarted(connection));
        self.note(connection, told);
        match self.input(Input::Response(request, told.facts)) {
            Output::Delivery(delivery) => delivery,
            _ => Delivery::Deliver,
        }
    }

    /// What the head of a response says beside the response.
    pub(super) fn note(&mut self, connection: ConnectionId, told: &Told) {
        if let Some((timeout, most)) = told.hints {
            let _ = self.apply(Input::KeepAlive(connection, timeout, most));
        }
        if let Some(version) = told.version {
            let state = &mut *self.state;
            let origin = state.seats.get(connection).map(|seat| seat.slot.origin);
            if let Some(named) = origin.and_then(|origin| state.names.get_mut(origin)) {
                named.http10 = version == Version::Http10;
            }
        }
    }

    pub(super) fn finish(&mut self, request: RequestId) {
        if self.input(Input::Finished(request)) == Output::Known(true) {
            self.state.answered += 1;
        }
    }

    /// A connection goes back: to take another request, or it is over.
    pub(super) fn release(&mut self, connection: ConnectionId, free: Result<K, K>) {
        match free {
            Ok(kept) => self.give_back(connection, kept),
            Err(spent) => self.end(connection, spent, LostCause::Last),
        }
    }

    /// A connection in hand is over, and nothing on it.
    pub(super) fn end(&mut self, connection: ConnectionId, spent: K, cause: LostCause) {
        self.after.parts.push(spent);
        self.lost(connection, cause, Vec::new());
    }

    /// A connection takes another request.
    pub(super) fn give_back(&mut self, connection: ConnectionId, kept: K) {
        match self.kept_at(connection, Ok(kept)) {
            Ok(kept) => {
                self.park(connection, kept);
                let _ = self.input(Input::Ready(connection));
            }
            Err(spent) => self.end(connection, spent, LostCause::Local),
        }
    }

    /// A connection that takes another request, unless its runtime is gone: nobody takes it again then, or looks after
    /// it.
    pub(super) fn kept_at(&mut self, connection: ConnectionId, free: Result<K, K>) -> Result<K, K> {
        let state = &mut *self.state;
        let origin = state.seats.get(connection).map(|seat| seat.slot.origin);
        let room = origin.and_then(|origin| room_of(&mut state.rooms, &state.names, origin));
        match (free, room) {
            (Ok(kept), Some(room)) if !room.kept => Err(kept),
            (free, _) => free,
        }
    }

    /// A connection is kept from now on.
    pub(super) fn park(&mut self, connection: ConnectionId, kept: K) {
        let now = self.now;
        let state = &mut *self.state;
        if let Some(seat) = state.seats.get_mut(connection) {
            seat.since = now;
            seat.watched = false;
            if let Some(room) = room_of(&mut state.rooms, &state.names, seat.slot.origin) {
                // Each stands there once, so that the list is no longer than there are connections.
                if !core::mem::replace(&mut seat.listed, true) {
                    room.unwatched.push_back((now, connection));
                }
                if room.kept && !core::mem::replace(&mut room.expected, true) {
                    self.after.wakers.extend(room.bell.keeper());
                }
            }
        }
        self.put(connection, kept);
    }

    /// A connection is where who it is reserved for finds it.
    pub(super) fn put(&mut self, connection: ConnectionId, kept: K) {
        let state = &mut *self.state;
        match state.seats.get_mut(connection) {
            Some(seat) if !state.closed => {
                seat.parked = Some(kept);
                if let Some(entry) = seat.reserved.and_then(|request| state.requests.get_mut(request)) {
                    self.after.wakers.extend(entry.waker.take());
                }
            }
            _ => self.after.parts.push(kept),
        }
    }

    pub(super) fn lost(
        &mut self,
        connection: ConnectionId,
        cause: LostCause,
        mut unanswered: Vec<(RequestId, Progress)>,
    ) {
        if let Some(seat) = self.state.unseat(connection) {
            let unsent = seat.slot.take_assigned().into_iter().chain(seat.reserved);
            unanswered.extend(unsent.map(|request| (request, Progress::NOTHING)));
            for (request, _) in &unanswered {
                if let Some(entry) = self.state.requests.get_mut(*request) {
                    entry.assigned = None;
                }
            }
            self.after.parts.extend(seat.parked);
        }
        let _ = self.input(Input::Lost(connection, cause, unanswered));
    }
}
