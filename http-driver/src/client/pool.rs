//! What the handles and the tasks of a client share: the dispatcher, the requests, and orders to connections.

use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_core::dispatch::{
    self, Action, CloseCause, ConnectionId, Dispatcher, Input, LostCause, OriginId, Output, Progress, Refused,
    RequestId,
};
use http_core::{Config, Version};

use super::builder::Observe;
use super::failure::RequestError;
use super::job::Job;
use super::options::RequestOptions;
use super::origin::{Connector, Origin};
use super::shutdown::Counts;
use super::slot::{Order, Slot};
use super::task;
use crate::clock;
use crate::io::{Runtime, Timer};
use crate::link::BoxTap;

/// How many origins are known before any is forgotten.
const SWEEP_FROM: usize = 64;

/// What the client's tasks share.
pub(super) struct Shared<C, R> {
    state: Mutex<State>,
    pub(super) connector: C,
    pub(super) runtime: R,
    pub(super) config: Arc<Config>,
    /// The same for origins that are known to speak HTTP/1.0 alone.
    old: Arc<Config>,
    observer: Option<Arc<dyn Observe>>,
    timeout: Option<Duration>,
    /// Whether responses tell who sent them.
    pub(super) tells_peer: bool,
}

struct State {
    dispatcher: Dispatcher,
    origins: BTreeMap<Origin, OriginId>,
    names: BTreeMap<OriginId, Arc<Origin>>,
    /// Origins whose last response was of HTTP/1.0.
    old: BTreeSet<OriginId>,
    jobs: BTreeMap<RequestId, Job>,
    slots: BTreeMap<ConnectionId, Arc<Slot>>,
    /// The task that waits for the dispatcher's deadline.
    timer: Option<Waker>,
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

impl<C, R> Shared<C, R> {
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

    /// What is kept of a request; `None` if it has its outcome, or was cancelled.
    pub(super) fn with_job<O>(&self, request: RequestId, f: impl FnOnce(&mut Job) -> O) -> Option<O> {
        lock(&self.state).jobs.get_mut(&request).map(f)
    }

    /// Takes a request out that has its outcome.
    pub(super) fn forget(&self, request: RequestId) -> Option<Job> {
        lock(&self.state).jobs.remove(&request)
    }

    /// Ends all connections, but for responses that are being read: nobody waits for another outcome any more.
    pub(super) fn end(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        let wakers: Vec<_> = state.slots.values().filter_map(|slot| slot.order(Order::CloseIdle)).collect();
        let timer = state.timer.take();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        if let Some(timer) = timer {
            timer.wake();
        }
    }
}

impl<C, R> Shared<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    /// With a task that keeps its time.
    pub(super) fn new(
        config: Arc<Config>,
        observer: Option<Arc<dyn Observe>>,
        timeout: Option<Duration>,
        tells_peer: bool,
        connector: C,
        runtime: R,
    ) -> Arc<Self> {
        let state = State {
            dispatcher: Dispatcher::new(config.dispatch),
            origins: BTreeMap::new(),
            names: BTreeMap::new(),
            old: BTreeSet::new(),
            jobs: BTreeMap::new(),
            slots: BTreeMap::new(),
            timer: None,
            random: RandomState::new(),
            randoms: 0,
            sweep_at: SWEEP_FROM,
            closed: false,
            answered: 0,
            failed: 0,
            draining: Vec::new(),
        };
        let mut old = Config::clone(&config);
        old.persistence.http10_origin = true;
        let (state, old) = (Mutex::new(state), old.into());
        let shared = Arc::new(Self { state, connector, runtime, config, old, observer, timeout, tells_peer });
        shared.runtime.spawn(keep_time(shared.clone()));
        shared
    }

    pub(super) fn now(&self) -> http_core::Instant {
        clock::to_core(self.runtime.now())
    }

    /// Tells the dispatcher what happened, and does what follows.
    pub(super) fn input(self: &Arc<Self>, input: Input) -> Output {
        self.input_to(lock(&self.state), input)
    }

    fn input_to(self: &Arc<Self>, mut state: MutexGuard<'_, State>, input: Input) -> Output {
        let mut actions = Vec::new();
        if matches!(input, Input::ConnectFailed(..) | Input::Lost(..)) {
            // The next wait may be spread by chance.
            state.randoms += 1;
            let random = state.random.hash_one(state.randoms);
            let _ = self.apply(&mut state, Input::Random(random), &mut actions);
        }
        let finishes = matches!(input, Input::Finished(_));
        let output = self.apply(&mut state, input, &mut actions);
        state.answered += u64::from(finishes && output == Output::Known(true));
        self.perform(state, actions);
        output
    }

    /// No more requests; the rest is served.
    pub(super) fn drain(self: &Arc<Self>) {
        let _ = self.input(Input::Drain);
    }

    /// Ends everything at once; how many requests were open.
    pub(super) fn cut(self: &Arc<Self>) -> usize {
        let mut state = lock(&self.state);
        let open = state.dispatcher.queued() + state.dispatcher.in_flight();
        let jobs = core::mem::take(&mut state.jobs);
        let mut actions = Vec::new();
        for request in jobs.keys() {
            let _ = self.apply(&mut state, Input::Cancel(*request), &mut actions);
        }
        // What is being read has its response, and is no job any more.
        let wakers: Vec<_> = state.slots.values().filter_map(|slot| slot.order(Order::Close)).collect();
        self.perform(state, actions);
        wakers.into_iter().for_each(Waker::wake);
        for job in jobs.into_values() {
            let reply = job.reply.clone();
            reply.complete(Err(job.refused(Refused::Draining)));
        }
        open
    }

    /// Makes a connection beforehand; whether it is being made.
    pub(super) fn connect(self: &Arc<Self>, origin: Origin) -> bool {
        let mut state = lock(&self.state);
        let mut actions = Vec::new();
        let Some(id) = self.origin_id(&mut state, origin, &mut actions) else { return false };
        let output = self.apply(&mut state, Input::Connect(id), &mut actions);
        self.perform(state, actions);
        output == Output::Known(true)
    }

    /// The id of an origin, which it may be given now.
    fn origin_id(&self, state: &mut State, origin: Origin, actions: &mut Vec<Action>) -> Option<OriginId> {
        if let Some(id) = state.origins.get(&origin) {
            return Some(*id);
        }
        self.sweep(state, actions);
        let Output::Origin(id) = self.apply(state, Input::AddOrigin, actions) else { return None };
        state.names.insert(id, Arc::new(origin.clone()));
        state.origins.insert(origin, id);
        Some(id)
    }

    pub(super) fn enqueue(
        self: &Arc<Self>,
        origin: Origin,
        job: Job,
        idempotent: bool,
    ) -> Result<RequestId, RequestError> {
        let mut state = lock(&self.state);
        let mut actions = Vec::new();
        let id = self.origin_id(&mut state, origin, &mut actions).ok_or_else(RequestError::no_origin)?;
        let order = dispatch::Job::new(id).idempotent(idempotent).replayable(job.payload.is_replayable());
        let order = match job.parts.extensions.get::<RequestOptions>() {
            Some(options) => options.apply(order, self.now(), self.timeout),
            None => order.deadline(self.timeout.map(|most| self.now().saturating_add(most))),
        };
        let output = self.apply(&mut state, Input::Enqueue(order), &mut actions);
        let request = match output {
            Output::Request(Ok(request)) => request,
            Output::Request(Err(refused)) => return Err(job.refused(refused)),
            _ => return Err(RequestError::no_origin()),
        };
        state.jobs.insert(request, job);
        self.perform(state, actions);
        Ok(request)
    }

    /// Forgets origins that have no connection and no request, once there are twice as many as the last time.
    fn sweep(&self, state: &mut State, actions: &mut Vec<Action>) {
        if state.names.len() < state.sweep_at {
            return;
        }
        let used: BTreeSet<OriginId> = state.slots.values().map(|slot| slot.origin).collect();
        let unused: Vec<OriginId> = state.names.keys().filter(|id| !used.contains(id)).copied().collect();
        for id in unused {
            if self.apply(state, Input::RemoveOrigin(id), actions) == Output::Known(true) {
                state.old.remove(&id);
                if let Some(name) = state.names.remove(&id) {
                    state.origins.remove(&*name);
                }
            }
        }
        state.sweep_at = (2 * state.names.len()).max(SWEEP_FROM);
    }

    /// A connection has room behind these requests. Not if one of them is there no more: then it is its response that
    /// is owed, and what comes behind that would share its fate.
    pub(super) fn ready_behind(
        self: &Arc<Self>,
        connection: ConnectionId,
        mut requests: impl Iterator<Item = RequestId>,
    ) {
        let state = lock(&self.state);
        if requests.all(|request| state.jobs.contains_key(&request)) {
            let _ = self.input_to(state, Input::Ready(connection));
        }
    }

    /// The configuration of a connection to an origin, by what its last response showed (RFC 9112 §6.1).
    pub(super) fn config_for(&self, origin: OriginId) -> Arc<Config> {
        let old = lock(&self.state).old.contains(&origin);
        if old { self.old.clone() } else { self.config.clone() }
    }

    /// An origin has answered with another version than was known of it.
    pub(super) fn note_version(&self, origin: OriginId, version: Version) {
        let mut state = lock(&self.state);
        match version {
            Version::Http10 => state.old.insert(origin),
            Version::Http11 => state.old.remove(&origin),
        };
    }

    /// A request ends before it gets anywhere.
    pub(super) fn fail(self: &Arc<Self>, request: RequestId, error: RequestError) {
        if let Some(job) = self.forget(request) {
            job.reply.complete(Err(error));
        }
        let _ = self.input(Input::Cancel(request));
    }

    /// A connection comes to nothing, or the dispatcher knows of its end: its orders are for nobody.
    pub(super) fn leave(&self, connection: ConnectionId) {
        let mut state = lock(&self.state);
        state.slots.remove(&connection);
        let timer = if state.closed { state.timer.take() } else { None };
        drop(state);
        if let Some(timer) = timer {
            timer.wake();
        }
    }

    /// A connection that was up is gone, and its transport with it. What it was ordered and has not begun was not sent:
    /// that is told together with the end, so that no order can come in between.
    pub(super) fn lost(
        self: &Arc<Self>,
        connection: ConnectionId,
        cause: LostCause,
        mut unanswered: Vec<(RequestId, Progress)>,
    ) {
        let mut state = lock(&self.state);
        let unsent = state.slots.remove(&connection).map(|slot| slot.take_assigned()).unwrap_or_default();
        unanswered.extend(unsent.into_iter().map(|request| (request, Progress::NOTHING)));
        let _ = self.input_to(state, Input::Lost(connection, cause, unanswered));
        self.leave(connection);
    }

    pub(super) fn tap(&self, connection: ConnectionId) -> Option<BoxTap> {
        self.observer.as_ref().and_then(|observer| observer.tap(connection))
    }

    fn apply(&self, state: &mut State, input: Input, actions: &mut Vec<Action>) -> Output {
        let now = self.now();
        let shown = self.observer.as_ref().map(|observer| (observer, input.clone()));
        let before = actions.len();
        let output = dispatch::apply(&mut state.dispatcher, input, now, &mut |action| actions.push(action));
        if let Some((observer, input)) = shown {
            observer.dispatch(now, &input, &actions[before..]);
        }
        output
    }

    /// Does what the dispatcher wants; what may call back is done when nothing is locked. Orders are given under the
    /// lock, so that a connection that leaves knows of all that it had.
    fn perform(self: &Arc<Self>, mut state: MutexGuard<'_, State>, actions: Vec<Action>) {
        let mut made = Vec::new();
        let mut wakers = Vec::new();
        let mut failed = Vec::new();
        for action in actions {
            match action {
                Action::Connect { connection, origin, .. } => {
                    let slot = Arc::new(Slot::new(origin));
                    state.slots.insert(connection, slot.clone());
                    if let Some(name) = state.names.get(&origin) {
                        made.push((connection, name.clone(), slot));
                    }
                }
                Action::Assign { request, connection } => {
                    wakers.extend(state.slots.get(&connection).and_then(|slot| slot.order(Order::Send(request))));
                }
                Action::Close { connection, cause } => {
                    let order = if cause == CloseCause::Deadline { Order::CloseLate } else { Order::Close };
                    wakers.extend(state.slots.get(&connection).and_then(|slot| slot.order(order)));
                }
                Action::Fail { request, failure } => {
                    state.failed += 1;
                    failed.extend(state.jobs.remove(&request).map(|job| (job, failure)));
                }
                _ => {}
            }
        }
        let timer = state.timer.take();
        if state.dispatcher.is_drained() {
            wakers.append(&mut state.draining);
        }
        drop(state);
        for (connection, origin, slot) in made {
            self.runtime.spawn(task::run(self.clone(), connection, origin, slot));
        }
        wakers.into_iter().for_each(Waker::wake);
        for (job, failure) in failed {
            let reply = job.reply.clone();
            reply.complete(Err(job.failed(failure)));
        }
        if let Some(timer) = timer {
            timer.wake();
        }
    }
}

/// Tells the dispatcher when its deadlines pass, until the client is gone and its connections are.
async fn keep_time<C, R>(shared: Arc<Shared<C, R>>)
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    let mut timer: Option<R::Timer> = None;
    loop {
        let due = poll_fn(|cx| {
            let mut state = lock(&shared.state);
            if state.closed && state.slots.is_empty() {
                return Poll::Ready(false);
            }
            let due = state.dispatcher.poll_timeout();
            state.timer = Some(cx.waker().clone());
            drop(state);
            let Some(due) = due else { return Poll::Pending };
            if due <= shared.now() {
                return Poll::Ready(true);
            }
            let at = clock::to_runtime(due);
            let timer = timer.get_or_insert_with(|| shared.runtime.timer(at));
            timer.reset(at);
            timer.poll(cx).map(|()| true)
        });
        if !due.await {
            return;
        }
        let _ = shared.input(Input::Timeout);
    }
}

/// Nothing that runs under these locks can panic, so a poisoned one is as good as any.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
