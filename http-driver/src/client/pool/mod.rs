//! What the requests, connections and keepers of a client share: the dispatcher, and who is where.
//!
//! Nothing in here polls, spawns or calls back: each call records what happened, does what the dispatcher wants under
//! the one lock, and wakes whom it concerns when nothing is locked any more. So any of it may be called while something
//! is dropped, on any thread, with or without a runtime.

mod names;
mod room;
mod slot;
mod table;

use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard};

use http::Response;
use http_core::dispatch::{
    self, Action, CloseCause, ConnectionId, Delivery, Dispatcher, Failure, Input, LostCause, OriginId, Output, Policy,
    Progress, Refused, RequestId, StatusFacts,
};
use http_core::{Instant, Version};

pub(super) use self::names::Named;
use self::names::Names;
use self::room::Room;
pub(super) use self::room::{Bell, Stir};
pub(super) use self::slot::{Closing, Order, Slot};
use self::table::Table;
use super::connect_error::ConnectError;
use super::counts::Counts;
use super::failure::{RequestError, Whence};
use super::job::Job;
use super::observe::Observe;
use super::origin::{Origin, Place};
use crate::body::Incoming;
use crate::io::RuntimeId;
use crate::link::BoxTap;
use crate::lock::lock;

/// How many origins are known before any is forgotten.
const SWEEP_FROM: usize = 64;

/// How long a connection idles before somebody watches it.
const UNWATCHED: Duration = Duration::from_secs(1);

/// For how long a request that is polled does not look whether there is anything for it, at most.
const MISSED: Duration = Duration::from_secs(2);

/// A connection that is kept while nothing is on it.
pub(super) trait Parked: Send {
    /// The end, in order.
    fn part(self);
}

/// The one lock, and what is behind it.
pub(super) struct Pool<K> {
    state: Mutex<State<K>>,
    observer: Option<Arc<dyn Observe>>,
    /// Whether requests follow others on a connection before these are answered: then connections are driven by tasks.
    pub(super) pipelines: bool,
}

struct State<K> {
    dispatcher: Dispatcher,
    /// Whether tasks drive connections.
    pipelines: bool,
    names: Names,
    rooms: Vec<Room>,
    requests: Table<RequestId, Entry>,
    seats: Table<ConnectionId, Seat<K>>,
    /// What the dispatcher wants, until it is done.
    actions: Vec<Action>,
    random: RandomState,
    randoms: u64,
    /// How many origins are known when those that are not used are forgotten.
    sweep_at: usize,
    closed: bool,
    answered: u64,
    failed: u64,
    /// Those that wait for the end of a shutdown.
    draining: Vec<Waker>,
}

/// A request, until its outcome is taken.
struct Entry {
    origin: OriginId,
    /// Who waits, if it has not been woken.
    waker: Option<Waker>,
    /// When it was polled last.
    looked: Instant,
    /// Where it is to go.
    assigned: Option<ConnectionId>,
    outcome: Option<Outcome>,
    /// The request itself, where tasks drive connections and it is on none.
    job: Option<Job>,
    /// The task that waits for it.
    carrier: Option<Waker>,
}

/// How a request ended, for who waits for it.
pub(super) enum Outcome {
    Response(Box<Response<Incoming>>),
    /// With what is known of its origin.
    Failed(Failure, Option<Whence>, Option<Job>),
    /// The client came to its end at once.
    Cut(Option<Job>),
    Error(RequestError),
}

/// A connection.
struct Seat<K> {
    slot: Arc<Slot>,
    /// Whom it is kept for.
    reserved: Option<RequestId>,
    /// While nobody has it in hand.
    parked: Option<K>,
    since: Instant,
    /// Whether its transport wakes the keeper.
    watched: bool,
    /// Whether it stands among those that the keeper has still to look at.
    listed: bool,
    /// What is left of its last response is to be read before it is ready.
    leftover: bool,
}

/// What a request meets that looks for its connection.
pub(super) enum Look<K> {
    Taken(K),
    Outcome(Box<Outcome>),
    Wait,
    /// It is not known (any more).
    Gone,
}

/// What a keeper has to do.
pub(super) struct Round<K> {
    /// Whether the client is gone, and the keeper with it.
    pub(super) over: bool,
    /// Connections to look at.
    pub(super) look: Vec<(ConnectionId, K, bool)>,
    /// When to come again.
    pub(super) due: Option<Instant>,
}

/// A connection to be made.
pub(super) struct Wanted {
    pub(super) connection: ConnectionId,
    pub(super) origin: OriginId,
    pub(super) name: Arc<Origin>,
    pub(super) slot: Arc<Slot>,
}

/// What is done when nothing is locked any more.
struct After<K> {
    wakers: Vec<Waker>,
    parts: Vec<K>,
}

impl<K> Default for After<K> {
    fn default() -> Self {
        Self { wakers: Vec::new(), parts: Vec::new() }
    }
}

impl<K: Parked> Pool<K> {
    pub(super) fn new(policy: Policy, observer: Option<Arc<dyn Observe>>) -> Self {
        let state = State {
            dispatcher: Dispatcher::new(policy),
            pipelines: policy.pipeline_depth > 1,
            names: Names::new(),
            rooms: Vec::new(),
            requests: Table::new(),
            seats: Table::new(),
            actions: Vec::new(),
            random: RandomState::new(),
            randoms: 0,
            sweep_at: SWEEP_FROM,
            closed: false,
            answered: 0,
            failed: 0,
            draining: Vec::new(),
        };
        Self { state: Mutex::new(state), observer, pipelines: policy.pipeline_depth > 1 }
    }

    /// Does something under the lock, and then what follows from it.
    fn with<O>(&self, now: Instant, f: impl FnOnce(&mut Locked<'_, K>) -> O) -> O {
        let mut locked =
            Locked { state: lock(&self.state), observer: self.observer.as_deref(), now, after: After::default() };
        let out = f(&mut locked);
        let Locked { state, after, .. } = locked;
        drop(state);
        after.wakers.into_iter().for_each(Waker::wake);
        after.parts.into_iter().for_each(K::part);
        out
    }

    /// Tells the dispatcher what happened, and does what follows.
    pub(super) fn input(&self, input: Input, now: Instant) -> Output {
        self.with(now, |locked| locked.input(input))
    }

    pub(super) fn counts(&self) -> Counts {
        let state = lock(&self.state);
        Counts {
            queued: state.dispatcher.queued(),
            in_flight: state.dispatcher.in_flight(),
            connections: state.dispatcher.connections(),
            idle: state.dispatcher.idle(),
            origins: state.names.len(),
            answered: state.answered,
            failed: state.failed,
        }
    }

    pub(super) fn tap(&self, connection: ConnectionId) -> Option<BoxTap> {
        self.observer.as_ref().and_then(|observer| observer.tap(connection))
    }

    /// Takes a request in, and takes the connection that is there for it. Where tasks drive connections, the request
    /// itself is taken as well. Refused, it says why; or nothing, if it names no origin.
    pub(super) fn enqueue(
        &self,
        runtime: RuntimeId,
        now: Instant,
        mut order: dispatch::Job,
        job: &mut Option<Job>,
    ) -> Result<(RequestId, Option<K>), Option<Refused>> {
        self.with(now, |locked| {
            let origin = job.as_ref().and_then(Job::place).map(|place| locked.origin(runtime, place));
            let origin = origin.ok_or(None)?;
            order.origin = origin;
            let output = locked.apply(Input::Enqueue(order));
            if let Output::Request(Ok(request)) = output {
                let job = if locked.state.pipelines { job.take() } else { None };
                let entry =
                    Entry { origin, waker: None, looked: now, assigned: None, outcome: None, job, carrier: None };
                locked.state.requests.insert(request, entry);
            }
            locked.perform();
            match output {
                Output::Request(Ok(request)) => Ok((request, locked.take(request))),
                Output::Request(Err(refused)) => Err(Some(refused)),
                _ => Err(None),
            }
        })
    }

    /// A request is to wait elsewhere; what is kept of it, where tasks drive connections. Whether it is on one shows
    /// by that.
    pub(super) fn withdraw(&self, request: RequestId, now: Instant) -> Option<Option<Job>> {
        self.with(now, |locked| {
            let state = &mut *locked.state;
            let entry = state.requests.get_mut(request)?;
            if entry.outcome.is_some() || state.pipelines && entry.job.is_none() {
                return None;
            }
            let job = entry.job.take();
            state.requests.remove(request);
            let _ = locked.input(Input::Cancel(request));
            Some(job)
        })
    }

    /// What there is for a request; if there is nothing, `waker` is woken when there is.
    pub(super) fn look(&self, request: RequestId, waker: &Waker, now: Instant) -> Look<K> {
        self.with(now, |locked| {
            // Whoever is polled sees to what is due, so that nobody has to.
            locked.turn();
            let Some(entry) = locked.state.requests.get_mut(request) else { return Look::Gone };
            if let Some(outcome) = entry.outcome.take() {
                locked.state.requests.remove(request);
                return Look::Outcome(Box::new(outcome));
            }
            if let Some(taken) = locked.take(request).or_else(|| locked.claim(request)) {
                return Look::Taken(taken);
            }
            if let Some(entry) = locked.state.requests.get_mut(request) {
                entry.looked = now;
                match &mut entry.waker {
                    Some(known) => known.clone_from(waker),
                    None => entry.waker = Some(waker.clone()),
                }
            }
            Look::Wait
        })
    }

    /// A request is given up; it has no other outcome.
    pub(super) fn cancel(&self, request: RequestId, now: Instant) {
        self.with(now, |locked| {
            if let Some(entry) = locked.state.requests.get(request) {
                // What was kept for it and not begun is good for another one that waits.
                let (origin, assigned) = (entry.origin, entry.assigned);
                let there = |id: &ConnectionId| locked.state.seats.get(*id).is_some_and(|seat| seat.parked.is_some());
                if let Some(connection) = assigned.filter(there) {
                    let other =
                        locked.state.requests.iter().find(|(_, entry)| {
                            entry.origin == origin && entry.assigned.is_none() && entry.waker.is_some()
                        });
                    if let Some(other) = other.map(|(id, _)| id).filter(|other| locked.pass_on(connection, *other)) {
                        let entry = locked.state.requests.get_mut(other);
                        locked.after.wakers.extend(entry.and_then(|entry| entry.waker.take()));
                    }
                }
            }
            locked.state.requests.remove(request);
            let _ = locked.input(Input::Cancel(request));
        });
    }

    /// The same, of one that has another outcome to be told.
    pub(super) fn fail(&self, request: RequestId, error: RequestError, now: Instant) {
        self.with(now, |locked| {
            if let Some(entry) = locked.state.requests.get_mut(request) {
                entry.outcome.get_or_insert(Outcome::Error(error));
                locked.after.wakers.extend(entry.waker.take());
            }
            let _ = locked.input(Input::Cancel(request));
        });
    }

    /// The response of a request that a task drives.
    pub(super) fn respond(&self, request: RequestId, response: Response<Incoming>, now: Instant) {
        self.with(now, |locked| {
            if let Some(entry) = locked.state.requests.get_mut(request) {
                entry.outcome.get_or_insert(Outcome::Response(Box::new(response)));
                locked.after.wakers.extend(entry.waker.take());
            }
        });
    }

    /// What is kept of a request that a task drives: nothing if it has its outcome, or was cancelled. Pending, it is
    /// still with the task of the connection that it was on, and `waker` is woken when it is not.
    pub(super) fn poll_job(&self, request: RequestId, waker: &Waker) -> Poll<Option<Job>> {
        let mut state = lock(&self.state);
        let entry = state.requests.get_mut(request).filter(|entry| entry.outcome.is_none());
        let Some(entry) = entry else { return Poll::Ready(None) };
        match entry.job.take() {
            Some(job) => Poll::Ready(Some(job)),
            None => {
                entry.carrier = Some(waker.clone());
                Poll::Pending
            }
        }
    }

    /// The same, now.
    pub(super) fn take_job(&self, request: RequestId) -> Option<Job> {
        let mut state = lock(&self.state);
        state.requests.get_mut(request).filter(|entry| entry.outcome.is_none())?.job.take()
    }

    /// Whether a request waits for an outcome.
    pub(super) fn waits(&self, request: RequestId) -> bool {
        lock(&self.state).requests.get(request).is_some_and(|entry| entry.outcome.is_none())
    }

    /// A request is on no connection any more, and waits for another.
    pub(super) fn keep_job(&self, request: RequestId, job: Job) {
        let mut state = lock(&self.state);
        let Some(entry) = state.requests.get_mut(request) else { return };
        match &mut entry.outcome {
            // It has failed while it was on its way.
            Some(Outcome::Failed(.., kept) | Outcome::Cut(kept)) => *kept = Some(job),
            _ => entry.job = Some(job),
        }
        let carrier = entry.carrier.take();
        drop(state);
        if let Some(carrier) = carrier {
            carrier.wake();
        }
    }

    /// The head of a final response is there, and not all of its content.
    pub(super) fn answered(&self, connection: ConnectionId, request: RequestId, told: &Told, now: Instant) -> Delivery {
        self.with(now, |locked| {
            let delivery = locked.answer(connection, request, told);
            if delivery == Delivery::Deliver {
                locked.state.requests.remove(request);
            }
            delivery
        })
    }

    /// The same where tasks drive connections: the outcome is still to be told.
    pub(super) fn answered_by_task(
        &self,
        connection: ConnectionId,
        request: RequestId,
        told: &Told,
        now: Instant,
    ) -> Delivery {
        self.with(now, |locked| locked.answer(connection, request, told))
    }

    /// A response that is complete with its head; the connection is given back if it can be used again.
    pub(super) fn complete(
        &self,
        connection: ConnectionId,
        request: RequestId,
        told: &Told,
        free: Result<K, K>,
        now: Instant,
    ) -> Delivery {
        self.with(now, |locked| {
            locked.note(connection, told);
            let complete = Input::Complete(connection, request, told.facts, free.is_ok());
            let delivery = match locked.apply(complete) {
                Output::Delivery(delivery) => delivery,
                _ => Delivery::Deliver,
            };
            if delivery == Delivery::Deliver && locked.state.requests.remove(request).is_some() {
                locked.state.answered += 1;
            }
            match free {
                Ok(kept) => {
                    // It is there when what follows assigns it.
                    locked.park(connection, kept);
                    locked.perform();
                }
                Err(spent) => {
                    locked.perform();
                    locked.after.parts.push(spent);
                    locked.lost(connection, LostCause::Last, Vec::new());
                }
            }
            delivery
        })
    }

    /// The content of a response came to its end.
    pub(super) fn finished(&self, connection: ConnectionId, request: RequestId, free: Result<K, K>, now: Instant) {
        self.with(now, |locked| {
            locked.finish(request);
            match free {
                Ok(kept) => locked.give_back(connection, kept),
                Err(spent) => {
                    locked.after.parts.push(spent);
                    locked.lost(connection, LostCause::Last, Vec::new());
                }
            }
        });
    }

    /// The same of a response that a task drives, which keeps the connection.
    pub(super) fn finished_by_task(&self, request: RequestId, now: Instant) {
        self.with(now, |locked| locked.finish(request));
    }

    /// A connection was made, or what was left on it was read: it takes a request.
    pub(super) fn ready(&self, connection: ConnectionId, kept: K, new: bool, now: Instant) {
        self.with(now, |locked| {
            if let Some(seat) = locked.state.seats.get_mut(connection) {
                seat.leftover = false;
            }
            if new {
                locked.park(connection, kept);
                let _ = locked.input(Input::Connected(connection));
            } else {
                locked.give_back(connection, kept);
            }
        });
    }

    /// A connection was looked at that nothing is on.
    pub(super) fn park(&self, connection: ConnectionId, kept: K, now: Instant) {
        self.with(now, |locked| {
            if let Some(seat) = locked.state.seats.get_mut(connection) {
                seat.watched = true;
            }
            locked.put(connection, kept);
        });
    }

    /// What is left of a response that nobody wants is to be read by the keeper; the connection back if there is none.
    pub(super) fn leave_rest(&self, connection: ConnectionId, kept: K, now: Instant) {
        self.with(now, |locked| {
            let state = &mut *locked.state;
            let runtime = state.seats.get(connection).and_then(|seat| state.names.get(seat.slot.origin));
            let runtime = runtime.map(|named| named.runtime);
            let room = state.rooms.iter_mut().find(|room| room.kept && Some(room.runtime) == runtime);
            let (Some(room), Some(seat)) = (room, state.seats.get_mut(connection)) else {
                locked.after.parts.push(kept);
                locked.lost(connection, LostCause::Local, Vec::new());
                return;
            };
            seat.leftover = true;
            seat.parked = Some(kept);
            room.unwatched.push_front((Instant::ZERO, connection));
            locked.after.wakers.extend(room.bell.keeper());
        });
    }

    /// A connection is gone, and its transport with it. What it was ordered and has not begun was not sent: that is
    /// told together with the end, so that no order can come in between.
    pub(super) fn lost(
        &self,
        connection: ConnectionId,
        cause: LostCause,
        unanswered: Vec<(RequestId, Progress)>,
        now: Instant,
    ) {
        self.with(now, |locked| locked.lost(connection, cause, unanswered));
    }

    /// A connection could not be made.
    pub(super) fn unmade(&self, connection: ConnectionId, error: ConnectError, now: Instant) {
        self.with(now, |locked| {
            let (state, cause) = (&mut *locked.state, error.cause());
            let seat = state.seats.remove(connection);
            if let Some(named) = seat.and_then(|seat| state.names.get_mut(seat.slot.origin)) {
                named.unreached = Some(error);
            }
            let _ = locked.input(Input::ConnectFailed(connection, cause));
        });
    }

    /// The dispatcher knows of a connection's end, whose orders are for nobody.
    pub(super) fn leave(&self, connection: ConnectionId) {
        lock(&self.state).seats.remove(connection);
    }

    /// What is known of the origin of a connection.
    pub(super) fn named<O>(&self, origin: OriginId, f: impl FnOnce(&mut Named) -> O) -> Option<O> {
        lock(&self.state).names.get_mut(origin).map(f)
    }

    /// A connection has room behind these requests. Not if one of them is there no more: then it is its response that
    /// is owed, and what comes behind that would share its fate.
    pub(super) fn ready_behind(
        &self,
        connection: ConnectionId,
        mut requests: impl Iterator<Item = RequestId>,
        now: Instant,
    ) {
        self.with(now, |locked| {
            let waits = |id| locked.state.requests.get(id).is_some_and(|entry| entry.outcome.is_none());
            if requests.all(waits) {
                let _ = locked.input(Input::Ready(connection));
            }
        });
    }

    /// Connections that are to be made on a runtime, by who is polled there; and whether it has a keeper.
    pub(super) fn wanted(&self, runtime: RuntimeId) -> (Vec<Wanted>, bool) {
        let mut state = lock(&self.state);
        let state = &mut *state;
        let Some(room) = state.rooms.iter_mut().find(|room| room.runtime == runtime) else {
            return (Vec::new(), true);
        };
        let kept = core::mem::replace(&mut room.kept, true);
        let mut wanted = Vec::new();
        for connection in room.wanted.drain(..) {
            let Some(seat) = state.seats.get(connection) else { continue };
            let Some(named) = state.names.get(seat.slot.origin) else { continue };
            let (origin, slot) = (seat.slot.origin, seat.slot.clone());
            wanted.push(Wanted { connection, origin, name: named.origin.clone(), slot });
        }
        (wanted, kept)
    }

    /// What a keeper has to do now.
    pub(super) fn round(&self, runtime: RuntimeId, waker: &Waker, now: Instant) -> (Round<K>, Option<Arc<Bell>>) {
        self.with(now, |locked| {
            locked.turn();
            let state = &mut *locked.state;
            let mut round = Round { over: state.closed, look: Vec::new(), due: None };
            let Some(room) = state.rooms.iter_mut().find(|room| room.runtime == runtime) else {
                round.over = true;
                return (round, None);
            };
            if round.over {
                room.kept = false;
                return (round, None);
            }
            for connection in room.bell.listen(waker) {
                if let Some(seat) = state.seats.get_mut(connection) {
                    if let Some(kept) = seat.parked.take() {
                        round.look.push((connection, kept, seat.leftover));
                    }
                }
            }
            room.expected = false;
            while let Some((since, connection)) = room.unwatched.front().copied() {
                let due = since.saturating_add(UNWATCHED);
                if since != Instant::ZERO && due > now {
                    room.expected = true;
                    round.due = Some(due);
                    break;
                }
                room.unwatched.pop_front();
                let Some(seat) = state.seats.get_mut(connection) else { continue };
                seat.listed &= since == Instant::ZERO;
                if seat.watched && !seat.leftover || seat.parked.is_none() {
                    continue;
                }
                // It was taken meanwhile, and given back again.
                if !seat.leftover && seat.since.saturating_add(UNWATCHED) > now {
                    seat.listed = true;
                    room.unwatched.push_back((seat.since, connection));
                } else if let Some(kept) = seat.parked.take() {
                    round.look.push((connection, kept, seat.leftover));
                }
            }
            round.due = round.due.into_iter().chain(state.dispatcher.poll_timeout()).min();
            room.armed = round.due;
            (round, Some(room.bell.clone()))
        })
    }

    /// A keeper is dropped with its runtime: what idles there can be used by nobody any more.
    pub(super) fn unkept(&self, runtime: RuntimeId, now: Instant) {
        self.with(now, |locked| {
            let state = &mut *locked.state;
            if let Some(room) = state.rooms.iter_mut().find(|room| room.runtime == runtime) {
                room.kept = false;
                room.armed = None;
                room.expected = false;
                room.unwatched.clear();
            }
            let here = |slot: &Slot| state.names.get(slot.origin).is_some_and(|named| named.runtime == runtime);
            let idle: Vec<_> =
                state.seats.iter().filter(|(_, seat)| seat.parked.is_some() && here(&seat.slot)).collect();
            let idle: Vec<ConnectionId> = idle.into_iter().map(|(id, _)| id).collect();
            for connection in idle {
                locked.lost(connection, LostCause::Eof, Vec::new());
            }
        });
    }

    /// No more requests; the rest is served.
    pub(super) fn drain(&self, now: Instant) {
        let _ = self.input(Input::Drain, now);
    }

    /// Whether a shutdown has come to its end; the task is woken when it has.
    pub(super) fn poll_drained(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.dispatcher.is_drained() {
            return Poll::Ready(());
        }
        if !state.draining.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.draining.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Ends everything at once; how many requests were open.
    pub(super) fn cut(&self, now: Instant) -> usize {
        self.with(now, |locked| {
            let open = locked.state.dispatcher.queued() + locked.state.dispatcher.in_flight();
            let requests: Vec<RequestId> = locked.state.requests.iter().map(|(id, _)| id).collect();
            for request in requests {
                if let Some(entry) = locked.state.requests.get_mut(request) {
                    if entry.outcome.is_none() {
                        let job = entry.job.take();
                        entry.outcome = Some(Outcome::Cut(job));
                    }
                    locked.after.wakers.extend(entry.waker.take());
                }
                let _ = locked.input(Input::Cancel(request));
            }
            // What is being read has its response, and is no request any more.
            for seat in locked.state.seats.values_mut() {
                locked.after.wakers.extend(seat.slot.order(Order::Close));
            }
            open
        })
    }

    /// Ends all connections, but for responses that are being read: nobody waits for another outcome any more.
    pub(super) fn end(&self, now: Instant) {
        self.with(now, |locked| {
            let state = &mut *locked.state;
            state.closed = true;
            for seat in state.seats.values_mut() {
                locked.after.wakers.extend(seat.slot.order(Order::CloseIdle));
                locked.after.parts.extend(seat.parked.take());
            }
            for room in &state.rooms {
                locked.after.wakers.extend(room.bell.keeper());
            }
        });
    }

    /// Makes a connection beforehand; whether it is being made.
    pub(super) fn connect(&self, runtime: RuntimeId, place: Place<'_>, now: Instant) -> bool {
        self.with(now, |locked| {
            let origin = locked.origin(runtime, place);
            locked.input(Input::Connect(origin)) == Output::Known(true)
        })
    }
}

/// What the head of a response tells the dispatcher.
pub(super) struct Told {
    pub(super) facts: StatusFacts,
    /// `Keep-Alive`, if the head has it.
    pub(super) hints: Option<(Option<Duration>, Option<u32>)>,
    /// The version, if it is another one than was known of the origin.
    pub(super) version: Option<Version>,
}

/// The state while it is locked.
struct Locked<'a, K> {
    state: MutexGuard<'a, State<K>>,
    observer: Option<&'a dyn Observe>,
    now: Instant,
    after: After<K>,
}

impl<K: Parked> Locked<'_, K> {
    fn input(&mut self, input: Input) -> Output {
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
    fn apply(&mut self, input: Input) -> Output {
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
    fn perform(&mut self) {
        let mut at = 0;
        while let Some(action) = self.state.actions.get(at).copied() {
            at += 1;
            self.act(action);
        }
        self.state.actions.clear();
        let state = &mut *self.state;
        if !state.draining.is_empty() && state.dispatcher.is_drained() {
            self.after.wakers.append(&mut state.draining);
        }
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
                let seat = Seat {
                    slot,
                    reserved: None,
                    parked: None,
                    since: self.now,
                    watched: false,
                    listed: false,
                    leftover: false,
                };
                state.seats.insert(connection, seat);
                let Some(runtime) = state.names.get(origin).map(|named| named.runtime) else { return };
                let Some(room) = state.rooms.iter_mut().find(|room| room.runtime == runtime) else { return };
                room.wanted.push_back(connection);
                // Whoever is there makes it: the keeper, or who waits for it.
                self.after.wakers.extend(room.bell.keeper());
                let waiting = state.requests.values_mut().filter(|entry| entry.origin == origin);
                self.after.wakers.extend(waiting.filter_map(|entry| entry.waker.take()).next());
            }
            Action::Assign { request, connection } => {
                let Some(seat) = state.seats.get_mut(connection) else { return };
                let Some(entry) = state.requests.get_mut(request) else { return };
                if state.pipelines {
                    self.after.wakers.extend(seat.slot.order(Order::Send(request)));
                } else {
                    entry.assigned = Some(connection);
                    seat.reserved = Some(request);
                    // Who waits looks now and then; who has not is not polled, and another one may have it.
                    let missed = entry.looked.saturating_add(MISSED) < self.now;
                    let origin = entry.origin;
                    match entry.waker.take() {
                        Some(waker) if !missed => self.after.wakers.push(waker),
                        waker => {
                            self.after.wakers.extend(waker);
                            if missed {
                                let others = state.requests.values_mut().filter(|entry| entry.origin == origin);
                                self.after.wakers.extend(others.filter_map(|other| other.waker.take()).next());
                            }
                        }
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
                    entry.outcome.get_or_insert(Outcome::Failed(failure, whence, job));
                    self.after.wakers.extend(entry.waker.take());
                }
            }
            Action::Close { connection, cause } => {
                let Some(seat) = state.seats.remove(connection) else { return };
                let order = if cause == CloseCause::Deadline { Order::CloseLate } else { Order::Close };
                self.after.wakers.extend(seat.slot.order(order));
                self.after.parts.extend(seat.parked);
            }
            _ => {}
        }
    }

    /// Sees to what is due.
    fn turn(&mut self) {
        if self.state.dispatcher.poll_timeout().is_some_and(|due| due <= self.now) {
            let _ = self.input(Input::Timeout);
        }
    }

    /// The id of an origin, which it may be given now.
    fn origin(&mut self, runtime: RuntimeId, place: Place<'_>) -> OriginId {
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

    /// Takes the connection that a request was assigned, if it is there.
    fn take(&mut self, request: RequestId) -> Option<K> {
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
    /// not poll blocks nobody.
    fn claim(&mut self, request: RequestId) -> Option<K> {
        let state = &mut *self.state;
        let entry = state.requests.get(request).filter(|entry| entry.assigned.is_none())?;
        let named = state.names.get_mut(entry.origin)?;
        let seats = &state.seats;
        named.reserved.retain(|id| seats.get(*id).is_some_and(|seat| seat.reserved.is_some()));
        let there = |id: &ConnectionId| seats.get(*id).is_some_and(|seat| seat.parked.is_some());
        let connection = named.reserved.iter().copied().find(there)?;
        self.pass_on(connection, request).then(|| self.take(request)).flatten()
    }

    /// A connection is kept for this request from now on, which waits, and not for the one that it was kept for.
    fn pass_on(&mut self, connection: ConnectionId, request: RequestId) -> bool {
        if self.apply(Input::Claim(connection, request)) != Output::Known(true) {
            self.perform();
            return false;
        }
        let state = &mut *self.state;
        if let Some(seat) = state.seats.get_mut(connection) {
            let other = seat.reserved.replace(request);
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

    fn answer(&mut self, connection: ConnectionId, request: RequestId, told: &Told) -> Delivery {
        let _ = self.apply(Input::ResponseStarted(connection));
        self.note(connection, told);
        match self.input(Input::Response(request, told.facts)) {
            Output::Delivery(delivery) => delivery,
            _ => Delivery::Deliver,
        }
    }

    /// What the head of a response says beside the response.
    fn note(&mut self, connection: ConnectionId, told: &Told) {
        if let Some((timeout, most)) = told.hints {
            let _ = self.apply(Input::KeepAlive(connection, timeout, most));
        }
        if let Some(version) = told.version {
            let state = &mut *self.state;
            if let Some(seat) = state.seats.get(connection) {
                if let Some(named) = state.names.get_mut(seat.slot.origin) {
                    named.http10 = version == Version::Http10;
                }
            }
        }
    }

    fn finish(&mut self, request: RequestId) {
        if self.input(Input::Finished(request)) == Output::Known(true) {
            self.state.answered += 1;
        }
    }

    /// A connection takes another request.
    fn give_back(&mut self, connection: ConnectionId, kept: K) {
        self.park(connection, kept);
        let _ = self.input(Input::Ready(connection));
    }

    /// A connection is kept from now on.
    fn park(&mut self, connection: ConnectionId, kept: K) {
        let now = self.now;
        let state = &mut *self.state;
        if let Some(seat) = state.seats.get_mut(connection) {
            seat.since = now;
            seat.watched = false;
            let runtime = state.names.get(seat.slot.origin).map(|named| named.runtime);
            if let Some(room) = state.rooms.iter_mut().find(|room| Some(room.runtime) == runtime) {
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
    fn put(&mut self, connection: ConnectionId, kept: K) {
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

    fn lost(&mut self, connection: ConnectionId, cause: LostCause, mut unanswered: Vec<(RequestId, Progress)>) {
        if let Some(seat) = self.state.seats.remove(connection) {
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Kept(Arc<Mutex<u32>>);

    impl Parked for Kept {
        fn part(self) {
            *lock(&self.0) += 1;
        }
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_connection_that_is_given_back_again_and_again_is_to_be_watched_once() {
        let pool = Pool::new(Policy::default(), None);
        let parted = Arc::new(Mutex::new(0));
        let uri = http::Uri::from_static("http://example.com/");
        let place = Place::of(&uri).unwrap();
        assert!(pool.connect(RuntimeId::SOLE, place, at(1)));
        let (wanted, kept) = pool.wanted(RuntimeId::SOLE);
        assert_eq!((wanted.len(), kept), (1, false));
        let id = wanted[0].connection;
        pool.ready(id, Kept(parted.clone()), true, at(1));
        for second in 2..60 {
            // Whoever has it in hand gives it back; nobody is there to watch it.
            let kept = lock(&pool.state).seats.get_mut(id).and_then(|seat| seat.parked.take()).unwrap();
            pool.ready(id, kept, false, at(second));
            assert_eq!(lock(&pool.state).rooms[0].unwatched.len(), 1);
        }
        // A second after the last time it is looked at.
        let (round, bell) = pool.round(RuntimeId::SOLE, Waker::noop(), at(59));
        assert!(bell.is_some() && !round.over && round.look.is_empty());
        assert_eq!(round.due, Some(at(60)));
        let (round, _) = pool.round(RuntimeId::SOLE, Waker::noop(), at(60));
        assert_eq!(round.look.len(), 1);
        for (connection, kept, leftover) in round.look {
            assert!(connection == id && !leftover);
            pool.park(connection, kept, at(60));
        }
        assert_eq!(lock(&pool.state).rooms[0].unwatched.len(), 0);
        assert_eq!(pool.counts().idle, 1);
        // With the keeper goes what idles on its runtime.
        pool.unkept(RuntimeId::SOLE, at(61));
        assert_eq!((*lock(&parted), pool.counts().connections), (1, 0));
    }
}
