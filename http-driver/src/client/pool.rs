//! A client: requests in, responses out, over as many connections as the dispatcher wants.

use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{Request, Response};
use http_body::Body;
use http_core::Config;
use http_core::dispatch::{self, Action, ConnectionId, Dispatcher, Input, OriginId, Output, Policy, RequestId};

use super::carrier;
use super::failure::RequestError;
use super::job::{BoxError, Job, Payload, Reply};
use super::origin::{Connector, Origin};
use crate::body::Incoming;
use crate::clock;
use crate::convert;
use crate::error::Error;
use crate::io::{Runtime, Timer};
use crate::link::BoxTap;

/// Watches a client at work: the dispatcher's inputs and actions, and each connection through a tap.
///
/// ```
/// use http_core::dispatch::{Action, Input};
/// /// Prints what the dispatcher does.
/// struct Print;
/// impl http_driver::client::Observe for Print {
///     fn dispatch(&self, _: http_core::Instant, input: &Input, actions: &[Action]) {
///         println!("{input}: {} actions", actions.len());
///     }
/// }
/// ```
pub trait Observe: Send + Sync {
    /// One input was applied to the dispatcher, and led to these actions.
    fn dispatch(&self, now: http_core::Instant, input: &Input, actions: &[Action]);

    /// What watches a connection that was just made.
    fn tap(&self, connection: ConnectionId) -> Option<BoxTap> {
        let _ = connection;
        None
    }
}

/// A client with a queue, connections, back-off and retries. A cheap handle; the last one that is dropped ends it.
///
/// Every request has exactly one outcome. One whose connection is lost is sent again where that is safe, as
/// [`http_core::dispatch::decide`] says; otherwise its error tells whether repeating it is.
///
/// ```
/// use http_driver::client::{Client, Connector};
/// use http_driver::{Full, Runtime};
///
/// async fn status<C: Connector, R: Runtime + Send + Sync + 'static>(client: Client<C, R>) -> Option<u16>
/// where
///     R::Timer: Send,
/// {
///     let request = http::Request::get("http://example.com/").body(Full::default()).ok()?;
///     client.request(request).await.ok().map(|response| response.status().as_u16())
/// }
/// ```
pub struct Client<C: Connector, R: Runtime> {
    handle: Arc<Handle<C, R>>,
}

/// Ends the client when the last of its users is gone.
struct Handle<C: Connector, R: Runtime>(Arc<Shared<C, R>>);

/// What the client's tasks share.
pub(super) struct Shared<C, R> {
    brain: Mutex<Brain>,
    pub(super) connector: C,
    pub(super) runtime: R,
    pub(super) config: Arc<Config>,
    observer: Option<Arc<dyn Observe>>,
    timeout: Option<Duration>,
}

struct Brain {
    dispatcher: Dispatcher,
    origins: BTreeMap<Origin, OriginId>,
    names: BTreeMap<OriginId, Arc<Origin>>,
    jobs: BTreeMap<RequestId, Job>,
    slots: BTreeMap<ConnectionId, Arc<Slot>>,
    /// The task that waits for the dispatcher's deadline.
    timer: Option<Waker>,
    random: RandomState,
    randoms: u64,
    closed: bool,
}

/// What the dispatcher tells one connection.
#[derive(Default)]
pub(super) struct Slot(Mutex<Orders>);

#[derive(Default)]
struct Orders {
    assigned: VecDeque<RequestId>,
    close: bool,
    waker: Option<Waker>,
}

/// What a connection is to do next.
pub(super) enum Order {
    Send(RequestId),
    Close,
}

impl Slot {
    /// The next order; the task is woken when there is one.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<Order> {
        let mut orders = lock(&self.0);
        if orders.close {
            return Poll::Ready(Order::Close);
        }
        if let Some(request) = orders.assigned.pop_front() {
            return Poll::Ready(Order::Send(request));
        }
        orders.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Whether the connection is to be closed at once; the task is woken when that changes.
    pub(super) fn poll_close(&self, cx: &Context<'_>) -> bool {
        let mut orders = lock(&self.0);
        orders.waker = Some(cx.waker().clone());
        orders.close
    }

    fn order(&self, order: Order) {
        let mut orders = lock(&self.0);
        match order {
            Order::Send(request) => orders.assigned.push_back(request),
            Order::Close => orders.close = true,
        }
        let waker = orders.waker.take();
        drop(orders);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// What a client is made with.
///
/// ```
/// use std::time::Duration;
/// use http_core::dispatch::Policy;
/// let builder = http_driver::client::Builder::new()
///     .policy(Policy::default().connections_per_origin(1))
///     .timeout(Duration::from_secs(30));
/// assert!(format!("{builder:?}").contains("30s"));
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Builder {
    config: Arc<Config>,
    policy: Option<Policy>,
    observer: Option<Arc<dyn Observe>>,
    timeout: Option<Duration>,
}

impl Builder {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Queue, connections, back-off and retries, in place of [`Config::dispatch`].
    pub const fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// The whole configuration: time-outs, limits, leniencies, and the dispatcher's policy.
    pub fn config(mut self, config: impl Into<Arc<Config>>) -> Self {
        self.config = config.into();
        self
    }

    /// How long a request may take until its response begins, with queueing, connecting and retries. Default: no limit
    /// beside those of each part.
    pub const fn timeout(mut self, most: Duration) -> Self {
        self.timeout = Some(most);
        self
    }

    /// What watches the client.
    pub fn observer(mut self, observer: Arc<dyn Observe>) -> Self {
        self.observer = Some(observer);
        self
    }

    /// The client, over connections that `connector` makes.
    #[must_use]
    pub fn build<C, R>(mut self, connector: C, runtime: R) -> Client<C, R>
    where
        C: Connector,
        R: Runtime + Send + Sync + 'static,
        R::Timer: Send,
    {
        if let Some(policy) = self.policy {
            Arc::make_mut(&mut self.config).dispatch = policy;
        }
        let shared = Arc::new(Shared {
            brain: Mutex::new(Brain {
                dispatcher: Dispatcher::new(self.config.dispatch),
                origins: BTreeMap::new(),
                names: BTreeMap::new(),
                jobs: BTreeMap::new(),
                slots: BTreeMap::new(),
                timer: None,
                random: RandomState::new(),
                randoms: 0,
                closed: false,
            }),
            connector,
            runtime,
            config: self.config,
            observer: self.observer,
            timeout: self.timeout,
        });
        shared.runtime.spawn(keep_time(shared.clone()));
        Client { handle: Arc::new(Handle(shared)) }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("config", &self.config)
            .field("policy", &self.policy)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl<C, R> Client<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    /// Sends a request to the origin of its URI and returns the response when its head is there.
    ///
    /// A body that is all there at once can be sent again when that is needed; one that streams cannot, once it was
    /// begun. A request counts as idempotent by its method (RFC 9110 §9.2.2), or with an `Idempotency-Key` field.
    ///
    /// # Errors
    /// No response came: see [`RequestError`].
    ///
    /// # Cancellation
    /// Dropping the future cancels the request; a connection that it is on is closed.
    pub async fn request<B>(&self, request: Request<B>) -> Result<Response<Incoming>, RequestError>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<BoxError>,
    {
        let (parts, body) = request.into_parts();
        let origin = Origin::of(&parts.uri).ok_or_else(RequestError::no_origin)?;
        let head = convert::request_head(&parts).map_err(RequestError::unsendable)?;
        let mut body = Some(body);
        let payload = poll_fn(|cx| Poll::Ready(body.take().map(|body| Payload::of(body, cx)))).await;
        let payload = match payload {
            Some(Ok(payload)) => payload,
            Some(Err(error)) => return Err(RequestError::body(Error::Body(error))),
            None => Payload::Taken,
        };
        let idempotent = head.method().is_idempotent() || head.fields().contains("Idempotency-Key");
        let reply = Arc::new(Reply::default());
        let job = Job { head: Arc::new(head), payload, reply: reply.clone(), error: None };
        let id = self.handle.0.enqueue(origin, job, idempotent)?;
        let _cancel = CancelOnDrop { shared: &self.handle.0, id };
        poll_fn(|cx| reply.poll(cx)).await
    }

    /// How many requests wait for a connection.
    #[must_use]
    pub fn queued(&self) -> usize {
        lock(&self.handle.0.brain).dispatcher.queued()
    }

    /// How many connections there are, being made included.
    #[must_use]
    pub fn connections(&self) -> usize {
        lock(&self.handle.0.brain).dispatcher.connections()
    }
}

impl<C: Connector, R: Runtime> Clone for Client<C, R> {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone() }
    }
}

impl<C: Connector, R: Runtime> fmt::Debug for Client<C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brain = lock(&self.handle.0.brain);
        f.debug_struct("Client").field("queued", &brain.dispatcher.queued()).finish_non_exhaustive()
    }
}

impl<C: Connector, R: Runtime> Drop for Handle<C, R> {
    fn drop(&mut self) {
        let mut brain = lock(&self.0.brain);
        brain.closed = true;
        let slots: Vec<_> = brain.slots.values().cloned().collect();
        let timer = brain.timer.take();
        drop(brain);
        // Nobody waits for an outcome any more.
        slots.iter().for_each(|slot| slot.order(Order::Close));
        if let Some(timer) = timer {
            timer.wake();
        }
    }
}

/// Cancels a request whose outcome nobody waits for.
struct CancelOnDrop<'a, C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    shared: &'a Arc<Shared<C, R>>,
    id: RequestId,
}

impl<C, R> Drop for CancelOnDrop<'_, C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn drop(&mut self) {
        // A request that has its response is not there any more.
        if self.shared.forget(self.id).is_some() {
            let _ = self.shared.input(Input::Cancel(self.id));
        }
    }
}

impl<C, R> Shared<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    pub(super) fn now(&self) -> http_core::Instant {
        clock::to_core(self.runtime.now())
    }

    /// Tells the dispatcher what happened, and does what follows.
    pub(super) fn input(self: &Arc<Self>, input: Input) -> Output {
        let mut brain = lock(&self.brain);
        let mut actions = Vec::new();
        if matches!(input, Input::ConnectFailed(..) | Input::Lost(..)) {
            // The next wait may be spread by chance.
            brain.randoms += 1;
            let random = brain.random.hash_one(brain.randoms);
            let _ = self.apply(&mut brain, Input::Random(random), &mut actions);
        }
        let output = self.apply(&mut brain, input, &mut actions);
        self.perform(brain, actions);
        output
    }

    fn enqueue(self: &Arc<Self>, origin: Origin, job: Job, idempotent: bool) -> Result<RequestId, RequestError> {
        let mut brain = lock(&self.brain);
        let mut actions = Vec::new();
        let id = match brain.origins.get(&origin) {
            Some(id) => *id,
            None => match self.apply(&mut brain, Input::AddOrigin, &mut actions) {
                Output::Origin(id) => {
                    brain.names.insert(id, Arc::new(origin.clone()));
                    brain.origins.insert(origin, id);
                    id
                }
                _ => return Err(RequestError::no_origin()),
            },
        };
        let deadline = self.timeout.map(|most| self.now().saturating_add(most));
        let order =
            dispatch::Job::new(id).idempotent(idempotent).replayable(job.payload.is_replayable()).deadline(deadline);
        let output = self.apply(&mut brain, Input::Enqueue(order), &mut actions);
        let request = match output {
            Output::Request(Ok(request)) => request,
            Output::Request(Err(refused)) => return Err(RequestError::refused(refused)),
            _ => return Err(RequestError::no_origin()),
        };
        brain.jobs.insert(request, job);
        self.perform(brain, actions);
        Ok(request)
    }

    /// The head and the content of a request, to be sent now; `None` if it was cancelled, or cannot be sent again.
    pub(super) fn with_job<O>(&self, request: RequestId, f: impl FnOnce(&mut Job) -> O) -> Option<O> {
        lock(&self.brain).jobs.get_mut(&request).map(f)
    }

    /// Takes a request out that has its outcome.
    pub(super) fn forget(&self, request: RequestId) -> Option<Job> {
        lock(&self.brain).jobs.remove(&request)
    }

    /// Takes the orders of a connection that is gone.
    pub(super) fn leave(&self, connection: ConnectionId) {
        lock(&self.brain).slots.remove(&connection);
    }

    pub(super) fn tap(&self, connection: ConnectionId) -> Option<BoxTap> {
        self.observer.as_ref().and_then(|observer| observer.tap(connection))
    }

    fn apply(&self, brain: &mut Brain, input: Input, actions: &mut Vec<Action>) -> Output {
        let now = self.now();
        let shown = self.observer.as_ref().map(|observer| (observer, input.clone()));
        let before = actions.len();
        let output = dispatch::apply(&mut brain.dispatcher, input, now, &mut |action| actions.push(action));
        if let Some((observer, input)) = shown {
            observer.dispatch(now, &input, &actions[before..]);
        }
        output
    }

    /// Does what the dispatcher wants; what may call back is done when nothing is locked.
    fn perform(self: &Arc<Self>, mut brain: MutexGuard<'_, Brain>, actions: Vec<Action>) {
        let mut made = Vec::new();
        let mut told = Vec::new();
        let mut failed = Vec::new();
        for action in actions {
            match action {
                Action::Connect { connection, origin, .. } => {
                    let slot = Arc::new(Slot::default());
                    brain.slots.insert(connection, slot.clone());
                    if let Some(name) = brain.names.get(&origin) {
                        made.push((connection, name.clone(), slot));
                    }
                }
                Action::Assign { request, connection } => {
                    told.extend(brain.slots.get(&connection).map(|slot| (slot.clone(), Order::Send(request))));
                }
                Action::Close { connection, .. } => {
                    told.extend(brain.slots.get(&connection).map(|slot| (slot.clone(), Order::Close)));
                }
                Action::Fail { request, failure } => {
                    failed.extend(brain.jobs.remove(&request).map(|job| (job, failure)));
                }
                _ => {}
            }
        }
        let timer = brain.timer.take();
        drop(brain);
        for (connection, origin, slot) in made {
            self.runtime.spawn(carrier::carry(self.clone(), connection, origin, slot));
        }
        for (slot, order) in told {
            slot.order(order);
        }
        for (job, failure) in failed {
            job.reply.complete(Err(RequestError::failed(failure, job.error)));
        }
        if let Some(timer) = timer {
            timer.wake();
        }
    }
}

/// Tells the dispatcher when its deadlines pass, until the client is gone.
async fn keep_time<C, R>(shared: Arc<Shared<C, R>>)
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    let mut timer: Option<R::Timer> = None;
    loop {
        let due = poll_fn(|cx| {
            let mut brain = lock(&shared.brain);
            if brain.closed {
                return Poll::Ready(false);
            }
            let due = brain.dispatcher.poll_timeout();
            brain.timer = Some(cx.waker().clone());
            drop(brain);
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
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
