//! What the requests, connections and keepers of a client share: the dispatcher, and who is where.
//!
//! Nothing in here polls, spawns or calls back: each call records what happened, does what the dispatcher wants under
//! the one lock, and wakes whom it concerns when nothing is locked any more. So any of it may be called while something
//! is dropped, on any thread, with or without a runtime.

mod names;
mod room;
mod slot;
mod state;
mod table;

use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Arc, Mutex};

use http::Response;
use http_core::Instant;
use http_core::dispatch::{
    self, ConnectCause, ConnectionId, Delivery, Input, LostCause, OriginId, Output, Policy, Progress, RequestId,
};

pub(super) use self::names::Named;
pub(super) use self::room::{Bell, Stir};
pub(super) use self::slot::{Closing, Order, Slot};
use self::state::{After, Locked, State, TakenIn, room_of};
pub(super) use self::state::{Outcome, Parked, Told};
use super::connect_error::ConnectError;
use super::counts::Counts;
use super::failure::RequestError;
use super::job::Job;
use super::observe::Observe;
use super::origin::{Origin, Place};
use crate::body::Incoming;
use crate::io::RuntimeId;
use crate::link::BoxTap;
use crate::lock::lock;

/// How long a connection idles before somebody watches it.
const UNWATCHED: Duration = Duration::from_secs(1);

/// The one lock, and what is behind it.
pub(super) struct Pool<K> {
    state: Mutex<State<K>>,
    observer: Option<Arc<dyn Observe>>,
    /// Whether requests follow others on a connection before these are answered: then connections are driven by tasks.
    pub(super) pipelines: bool,
}

/// What a request meets that looks for its connection.
pub(super) enum Look<K> {
    Taken(K),
    Outcome(Box<Outcome>),
    /// There may be something without a wake at that time.
    Wait(Option<Instant>),
    /// Nobody is there on the runtime that it was queued on: it is to be queued anew, with what was kept of it.
    Adrift(Option<Box<Job>>),
    /// It is not known (any more).
    Gone,
}

/// What a keeper has to do.
pub(super) struct Round<K> {
    /// Connections to look at, and whether what is left of a response is to be read first.
    pub(super) look: Vec<(K, bool)>,
    /// When to come again.
    pub(super) due: Option<Instant>,
    /// What else it comes for.
    pub(super) bell: Arc<Bell>,
}

/// A connection to be made.
pub(super) struct Wanted {
    pub(super) connection: ConnectionId,
    pub(super) origin: OriginId,
    pub(super) name: Arc<Origin>,
    pub(super) slot: Arc<Slot>,
}

impl<K: Parked> Pool<K> {
    pub(super) fn new(policy: Policy, observer: Option<Arc<dyn Observe>>) -> Self {
        Self { state: Mutex::new(State::new(policy)), observer, pipelines: policy.pipeline_depth > 1 }
    }

    /// Does something under the lock, and then what follows from it.
    fn with<O>(&self, now: Instant, f: impl FnOnce(&mut Locked<'_, K>) -> O) -> O {
        let mut locked = Locked {
            state: lock(&self.state),
            observer: self.observer.as_deref(),
            pipelines: self.pipelines,
            now,
            attending: None,
            wanted: false,
            gone: Vec::new(),
            after: After::default(),
        };
        let out = f(&mut locked);
        let Locked { state, after, .. } = locked;
        drop(state);
        // Mostly nobody is to be told.
        if !after.wakers.is_empty() || !after.parts.is_empty() {
            after.wakers.into_iter().for_each(Waker::wake);
            after.parts.into_iter().for_each(K::part);
        }
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
    /// itself is taken as well. Tells beside that whether there are connections to be made, which is the caller's to
    /// see to.
    pub(super) fn enqueue(
        &self,
        runtime: RuntimeId,
        now: Instant,
        order: dispatch::Job,
        job: &mut Option<Box<Job>>,
    ) -> (TakenIn<K>, bool) {
        self.with(now, |locked| {
            locked.attending = Some(runtime);
            let taken_in = locked.take_in(runtime, order, job);
            (taken_in, locked.wanted)
        })
    }

    /// A request is to wait elsewhere; what is kept of it, where tasks drive connections. Whether it is on one shows
    /// by that.
    pub(super) fn withdraw(&self, request: RequestId, now: Instant) -> Option<Option<Box<Job>>> {
        self.with(now, |locked| {
            let entry = locked.state.open(request)?;
            if self.pipelines && entry.job.is_none() {
                return None;
            }
            let job = entry.job.take();
            locked.state.requests.discard(request);
            locked.state.moving += 1;
            let _ = locked.input(Input::Cancel(request));
            Some(job)
        })
    }

    /// A request that was to wait elsewhere waits nowhere any more.
    pub(super) fn stay(&self, now: Instant) {
        self.with(now, |locked| {
            locked.state.moving -= 1;
            locked.perform();
        });
    }

    /// What there is for a request; if there is nothing, `waker` is woken when there is.
    pub(super) fn look(&self, request: RequestId, waker: &Waker, now: Instant) -> Look<K> {
        self.with(now, |locked| {
            // Whoever is polled sees to what is due, so that nobody has to.
            locked.turn();
            let Some(entry) = locked.state.requests.get_mut(request) else { return Look::Gone };
            if let Some(outcome) = entry.outcome.take() {
                locked.state.requests.discard(request);
                return Look::Outcome(outcome);
            }
            if entry.adrift && (!locked.pipelines || entry.job.is_some()) {
                let job = entry.job.take();
                locked.state.requests.remove(request);
                locked.state.moving += 1;
                return Look::Adrift(job);
            }
            let again = match locked.take(request).map_or_else(|| locked.claim(request), Ok) {
                Ok(taken) => return Look::Taken(taken),
                Err(again) => again,
            };
            if let Some(entry) = locked.state.requests.get_mut(request) {
                entry.looked = now;
                match &mut entry.waker {
                    Some(known) => known.clone_from(waker),
                    None => entry.waker = Some(waker.clone()),
                }
            }
            Look::Wait(again)
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
            locked.state.requests.discard(request);
            let _ = locked.input(Input::Cancel(request));
        });
    }

    /// The same, of one that has another outcome to be told.
    pub(super) fn fail(&self, request: RequestId, error: RequestError, now: Instant) {
        self.with(now, |locked| {
            if let Some(entry) = locked.state.requests.get_mut(request) {
                entry.outcome.get_or_insert_with(|| Box::new(Outcome::Error(error)));
                locked.after.wakers.extend(entry.waker.take());
            }
            let _ = locked.input(Input::Cancel(request));
        });
    }

    /// The response of a request that a task drives.
    pub(super) fn respond(&self, request: RequestId, response: Response<Incoming>, now: Instant) {
        self.with(now, |locked| {
            if let Some(entry) = locked.state.requests.get_mut(request) {
                entry.outcome.get_or_insert_with(|| Box::new(Outcome::Response(Box::new(response))));
                locked.after.wakers.extend(entry.waker.take());
            }
        });
    }

    /// What is kept of a request that a task drives: nothing if it has its outcome, or was cancelled. Pending, it is
    /// still with the task of the connection that it was on, and `waker` is woken when it is not.
    pub(super) fn poll_job(&self, request: RequestId, waker: &Waker) -> Poll<Option<Box<Job>>> {
        let mut state = lock(&self.state);
        let Some(entry) = state.open(request) else { return Poll::Ready(None) };
        match entry.job.take() {
            Some(job) => Poll::Ready(Some(job)),
            None => {
                entry.carrier = Some(waker.clone());
                Poll::Pending
            }
        }
    }

    /// The same, now.
    pub(super) fn take_job(&self, request: RequestId) -> Option<Box<Job>> {
        lock(&self.state).open(request)?.job.take()
    }

    /// Whether a request waits for an outcome.
    pub(super) fn waits(&self, request: RequestId) -> bool {
        lock(&self.state).open(request).is_some()
    }

    /// A request is on no connection any more, and waits for another.
    pub(super) fn keep_job(&self, request: RequestId, job: Box<Job>) {
        let mut after = After::<K>::default();
        lock(&self.state).keep(request, job, &mut after.wakers);
        after.wakers.into_iter().for_each(Waker::wake);
    }

    /// The head of a final response is there, and not all of its content.
    pub(super) fn answered(&self, connection: ConnectionId, request: RequestId, told: &Told, now: Instant) -> Delivery {
        self.with(now, |locked| {
            let delivery = locked.answer(connection, request, told);
            if delivery == Delivery::Deliver {
                locked.state.requests.discard(request);
            }
            delivery
        })
    }

    /// The same where tasks drive connections: the outcome is still to be told. A request that may be sent again goes
    /// back together with that: another connection may be sending it before this returns.
    pub(super) fn answered_by_task(
        &self,
        connection: ConnectionId,
        request: RequestId,
        told: &Told,
        job: &mut Option<Box<Job>>,
        now: Instant,
    ) -> Delivery {
        self.with(now, |locked| {
            let kept = if told.facts.status >= 400 { job.take() } else { None };
            let may_repeat = kept.is_some();
            if let Some(kept) = kept {
                locked.state.keep(request, kept, &mut locked.after.wakers);
            }
            let delivery = locked.answer(connection, request, told);
            if may_repeat && delivery == Delivery::Deliver {
                *job = locked.state.open(request).and_then(|entry| entry.job.take());
            }
            delivery
        })
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
            let free = locked.kept_at(connection, free);
            let complete = Input::Complete(connection, request, told.facts, free.is_ok());
            let delivery = match locked.apply(complete) {
                Output::Delivery(delivery) => delivery,
                _ => Delivery::Deliver,
            };
            if delivery == Delivery::Deliver && locked.state.requests.discard(request) {
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
                    locked.end(connection, spent, LostCause::Last);
                }
            }
            delivery
        })
    }

    /// A response came to its end, and its connection goes back.
    pub(super) fn finished(&self, connection: ConnectionId, request: RequestId, free: Result<K, K>, now: Instant) {
        self.with(now, |locked| {
            locked.finish(request);
            locked.release(connection, free);
        });
    }

    /// A response came to its end; something else is still to be done on its connection.
    pub(super) fn finish(&self, request: RequestId, now: Instant) {
        self.with(now, |locked| locked.finish(request));
    }

    /// A connection was made, or what was left on it was read: it takes a request.
    pub(super) fn ready(&self, connection: ConnectionId, kept: K, new: bool, now: Instant) {
        self.with(now, |locked| {
            if let Some(seat) = locked.state.seats.get_mut(connection) {
                seat.leftover = false;
            }
            if !new {
                return locked.give_back(connection, kept);
            }
            match locked.kept_at(connection, Ok(kept)) {
                Ok(kept) => {
                    locked.park(connection, kept);
                    let _ = locked.input(Input::Connected(connection));
                }
                Err(spent) => {
                    locked.after.parts.push(spent);
                    locked.state.unseat(connection);
                    let _ = locked.input(Input::ConnectFailed(connection, ConnectCause::Abandoned));
                }
            }
        });
    }

    /// A connection was looked at that nothing is on, and its transport wakes the keeper.
    pub(super) fn watch(&self, connection: ConnectionId, kept: K, now: Instant) {
        self.with(now, |locked| {
            if let Some(seat) = locked.state.seats.get_mut(connection) {
                seat.watched = true;
            }
            locked.put(connection, kept);
        });
    }

    /// What is left of a response that nobody wants is to be read by the keeper; where there is none, the connection is
    /// over.
    pub(super) fn leave_rest(&self, connection: ConnectionId, kept: K, now: Instant) {
        self.with(now, |locked| {
            let state = &mut *locked.state;
            let seat = state.seats.get_mut(connection);
            let room = seat.as_ref().and_then(|seat| room_of(&mut state.rooms, &state.names, seat.slot.origin));
            match (seat, room) {
                (Some(seat), Some(room)) if room.kept => {
                    seat.leftover = true;
                    seat.parked = Some(kept);
                    locked.after.wakers.extend(room.bell.stir(connection));
                }
                _ => locked.end(connection, kept, LostCause::Local),
            }
        });
    }

    /// A connection is gone, and its transport with it. What it was ordered and has not begun was not sent: that is
    /// told together with the end, so that no order can come in between. Where tasks drive connections, the requests
    /// that it was sent are kept with that: one that is here is on no connection, and may be sent.
    pub(super) fn lost(
        &self,
        connection: ConnectionId,
        cause: LostCause,
        unanswered: Vec<(RequestId, Progress)>,
        jobs: Vec<(RequestId, Box<Job>)>,
        now: Instant,
    ) {
        self.with(now, |locked| {
            for (request, job) in jobs {
                locked.state.keep(request, job, &mut locked.after.wakers);
            }
            locked.lost(connection, cause, unanswered);
        });
    }

    /// A connection could not be made.
    pub(super) fn unmade(&self, connection: ConnectionId, error: ConnectError, now: Instant) {
        self.with(now, |locked| {
            let (state, cause) = (&mut *locked.state, error.cause());
            let seat = state.unseat(connection);
            if let Some(named) = seat.and_then(|seat| state.names.get_mut(seat.slot.origin)) {
                named.unreached = Some(error);
            }
            let _ = locked.input(Input::ConnectFailed(connection, cause));
        });
    }

    /// The dispatcher knows of a connection's end, whose orders are for nobody.
    pub(super) fn leave(&self, connection: ConnectionId) {
        lock(&self.state).unseat(connection);
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
            if requests.all(|request| locked.state.open(request).is_some()) {
                let _ = locked.input(Input::Ready(connection));
            }
        });
    }

    /// Connections that are to be made on a runtime, by who is polled there; and whether it has a keeper, which it has
    /// from now on.
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

    /// What a keeper has to do now; nothing any more if the client is gone.
    pub(super) fn round(&self, runtime: RuntimeId, waker: &Waker, now: Instant) -> Option<Round<K>> {
        self.with(now, |locked| {
            locked.turn();
            let state = &mut *locked.state;
            let room = state.rooms.iter_mut().find(|room| room.runtime == runtime)?;
            if state.closed {
                room.kept = false;
                return None;
            }
            let mut round = Round { look: Vec::new(), due: None, bell: room.bell.clone() };
            for connection in room.bell.listen(waker) {
                let Some(seat) = state.seats.get_mut(connection) else { continue };
                round.look.extend(seat.parked.take().map(|kept| (kept, seat.leftover)));
            }
            room.expected = false;
            while let Some((since, connection)) = room.unwatched.front().copied() {
                let due = since.saturating_add(UNWATCHED);
                if due > now {
                    room.expected = true;
                    round.due = Some(due);
                    break;
                }
                room.unwatched.pop_front();
                let Some(seat) = state.seats.get_mut(connection) else { continue };
                seat.listed = false;
                if seat.watched || seat.leftover || seat.parked.is_none() {
                    continue;
                }
                if seat.since.saturating_add(UNWATCHED) > now {
                    // It was taken meanwhile, and given back again.
                    seat.listed = true;
                    room.unwatched.push_back((seat.since, connection));
                } else {
                    round.look.extend(seat.parked.take().map(|kept| (kept, false)));
                }
            }
            round.due = round.due.into_iter().chain(state.dispatcher.poll_timeout()).min();
            room.armed = round.due;
            Some(round)
        })
    }

    /// A keeper is dropped with its runtime: what waits there waits for nothing, and what idles there can be used by
    /// nobody any more.
    pub(super) fn unkept(&self, runtime: RuntimeId, now: Instant) {
        self.with(now, |locked| {
            if let Some(room) = locked.state.rooms.iter_mut().find(|room| room.runtime == runtime) {
                room.kept = false;
                room.armed = None;
                room.expected = false;
            }
            locked.forsake(runtime);
            locked.perform();
            let state = &*locked.state;
            let here = |slot: &Slot| state.names.get(slot.origin).is_some_and(|named| named.runtime == runtime);
            let idle = state.seats.iter().filter(|(_, seat)| seat.parked.is_some() && here(&seat.slot));
            let idle: Vec<ConnectionId> = idle.map(|(id, _)| id).collect();
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
        if state.is_drained() {
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
            locked.state.cut = true;
            let known = locked.state.dispatcher.queued() + locked.state.dispatcher.in_flight();
            let open = known + locked.state.away();
            let requests: Vec<RequestId> = locked.state.requests.iter().map(|(id, _)| id).collect();
            for request in requests {
                if let Some(entry) = locked.state.requests.get_mut(request) {
                    if entry.outcome.is_none() {
                        let job = entry.job.take();
                        entry.outcome = Some(Box::new(Outcome::Cut(job)));
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
            locked.attending = Some(runtime);
            let origin = locked.origin(runtime, place);
            locked.input(Input::Connect(origin)) == Output::Known(true)
        })
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
        let round = pool.round(RuntimeId::SOLE, Waker::noop(), at(59)).expect("the client lives");
        assert!(round.look.is_empty());
        assert_eq!(round.due, Some(at(60)));
        let round = pool.round(RuntimeId::SOLE, Waker::noop(), at(60)).expect("the client lives");
        assert_eq!(round.look.len(), 1);
        for (kept, leftover) in round.look {
            assert!(!leftover);
            pool.watch(id, kept, at(60));
        }
        assert_eq!(lock(&pool.state).rooms[0].unwatched.len(), 0);
        assert_eq!(pool.counts().idle, 1);
        // With the keeper goes what idles on its runtime.
        pool.unkept(RuntimeId::SOLE, at(61));
        assert_eq!((*lock(&parted), pool.counts().connections), (1, 0));
    }

    #[test]
    fn the_next_keeper_watches_what_was_in_hand_when_the_last_one_ended() {
        let pool = Pool::new(Policy::default(), None);
        let parted = Arc::new(Mutex::new(0));
        let uri = http::Uri::from_static("http://example.com/");
        assert!(pool.connect(RuntimeId::SOLE, Place::of(&uri).unwrap(), at(1)));
        let id = pool.wanted(RuntimeId::SOLE).0[0].connection;
        pool.ready(id, Kept(parted.clone()), true, at(1));
        let kept = lock(&pool.state).seats.get_mut(id).and_then(|seat| seat.parked.take()).unwrap();
        pool.unkept(RuntimeId::SOLE, at(2));
        assert!(!pool.wanted(RuntimeId::SOLE).1);
        pool.ready(id, kept, false, at(3));
        let round = pool.round(RuntimeId::SOLE, Waker::noop(), at(4)).expect("the client lives");
        assert_eq!((round.look.len(), *lock(&parted)), (1, 0));
    }
}
