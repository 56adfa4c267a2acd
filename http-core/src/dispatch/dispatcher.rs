//! The machine of requests and connections: its inputs and outputs.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use super::action::{Action, CloseCause, ConnectionState, Delivery, Job, OriginPhase, Refused, StatusFacts};
use super::connections::{Connection, Connections, State};
use super::failure::ConnectCause;
use super::ids::{ConnectionId, OriginId, RequestId};
use super::list::{List, Node};
use super::loss::LostCause;
use super::origins::Origins;
use super::queue::{GivenUp, Need};
use super::request::{self, Request};
use super::retry::Progress;
use super::slab::Slab;
use super::timers::{Armed, Timer, Timers};
use crate::config::Policy;
use crate::time::Instant;

/// The most deadlines that one [`Dispatcher::handle_timeout`] sees to.
pub(super) const MOST_TIMERS: usize = 256;

/// The client's brain: a machine of requests and connections, not of bytes.
///
/// It decides which connection is made when, which request goes on which connection, what is tried again after
/// which wait, and what fails. It knows requests, connections and origins by their ids alone. The driver has the rest:
/// the requests themselves (kept until their outcome, to be sent again), the sockets, and one byte machine for each
/// connection. With one connection per origin ([`Policy::evhttp`]) it is evhttp's connection and its queue; with
/// more it is a pool.
///
/// # Using it
///
/// 1. *Commands*, from the application: [`add_origin`](Self::add_origin) once for each place that shares
///    connections, [`enqueue`](Self::enqueue) for each request, [`cancel`](Self::cancel) at any moment,
///    [`connect`](Self::connect) to warm up, [`drain`](Self::drain) to come to an end,
///    [`remove_origin`](Self::remove_origin).
/// 2. *Outputs*: after each call, [`poll_action`](Self::poll_action) until `None`, then arm the one timer for
///    [`poll_timeout`](Self::poll_timeout).
/// 3. *Inputs*, from the connections. In this order for one that goes well:
///    [`handle_connected`](Self::handle_connected); for each request
///    [`handle_response_started`](Self::handle_response_started) at the first byte,
///    [`handle_response`](Self::handle_response) at the final head, [`handle_keep_alive`](Self::handle_keep_alive)
///    if the head gives hints, [`handle_finished`](Self::handle_finished) when the exchange is complete, and
///    [`handle_ready`](Self::handle_ready) when the connection can take another request; or, where the response is
///    complete when its head is there, [`handle_complete`](Self::handle_complete) for these together. A request that
///    takes the connection which another was assigned and does not use: [`handle_claim`](Self::handle_claim). For one
///    that goes wrong:
///    [`handle_connect_failed`](Self::handle_connect_failed) or [`handle_lost`](Self::handle_lost), which is also
///    how the end of a connection is reported that is idle or was closed after its last exchange.
///    From the clock: [`handle_timeout`](Self::handle_timeout). From a source of random numbers:
///    [`handle_random`](Self::handle_random).
/// 4. *Getters* for logs and tests: [`state`](Self::state), [`phase`](Self::phase), [`queued`](Self::queued) and so
///    on.
///
/// # What holds
///
/// - Each request that [`enqueue`](Self::enqueue) took in has exactly one outcome:
///   [`handle_finished`](Self::handle_finished) or [`cancel`](Self::cancel) returned true for it, or [`Action::Fail`]
///   was polled. Its id is unknown afterwards.
/// - Any call is allowed at any time. Ids that are unknown (not polled yet, or gone) are ignored; time that runs
///   back counts as standing still. Nothing panics.
/// - A request is assigned again only as [`decide`](super::decide) allows. Requests of one priority are first assigned
///   in the order in which they came in; one that is sent again keeps its place.
/// - A timer is armed only for what is connecting, idle, backed off from with requests waiting, or has a
///   deadline, and for requests that wait for a place.
/// - No more connections of an origin than [`Policy::idle_per_origin`] are idle for longer than
///   [`Policy::surplus_timeout`]; while no more than [`Policy::connections_per_origin`] are needed at a time, and again
///   within that, none is made anew.
/// - Each call is bounded work: a few steps of O(log n), and none that grows with the queue. A request that meets an
///   idle connection allocates nothing, and takes a fixed number of steps if deadlines come in order. When attempts to
///   reach an origin are exhausted, those that waited for it fail one by one as they are polled.
///   [`drain`](Self::drain) and [`remove_origin`](Self::remove_origin) alone look at every connection.
/// - Back-off ends at the first byte of a response on a new connection, not when that is made: a server that accepts
///   and closes is backed off from like one that refuses.
///
/// # A walk
///
/// ```
/// use core::time::Duration;
/// use http_core::Instant;
/// use http_core::dispatch::{Action, ConnectCause, Delivery, Dispatcher, Job, OriginPhase, Policy};
///
/// let mut now = Instant::ZERO;
/// let mut dispatcher = Dispatcher::new(Policy::evhttp().connect_retries(3));
/// let origin = dispatcher.add_origin();
///
/// // Two requests, queued before any server listens.
/// let first = dispatcher.enqueue(Job::new(origin), now).unwrap();
/// let second = dispatcher.enqueue(Job::new(origin).idempotent(false), now).unwrap();
/// let Some(Action::Connect { connection, attempt: 1, .. }) = dispatcher.poll_action() else { panic!() };
/// assert_eq!(dispatcher.poll_action(), None);
///
/// // Refused: nothing fails, and the timer says when to go on.
/// dispatcher.handle_connect_failed(connection, ConnectCause::Refused, now);
/// assert_eq!(dispatcher.poll_action(), None);
/// let until = dispatcher.poll_timeout().unwrap();
/// assert_eq!(until.saturating_since(now), Duration::from_secs(2));
/// assert_eq!(dispatcher.phase(origin), Some(OriginPhase::BackingOff { until, failures: 1 }));
/// now = until;
/// dispatcher.handle_timeout(now);
/// let Some(Action::Connect { connection, attempt: 2, .. }) = dispatcher.poll_action() else { panic!() };
///
/// // Connected: the queue is served in order.
/// dispatcher.handle_connected(connection, now);
/// assert_eq!(dispatcher.poll_action(), Some(Action::Assign { request: first, connection }));
/// assert_eq!(dispatcher.poll_action(), None);
/// dispatcher.handle_response_started(connection, now);
/// assert_eq!(dispatcher.handle_response(first, 200, now), Delivery::Deliver);
/// assert!(dispatcher.handle_finished(first, now));
/// dispatcher.handle_ready(connection, now);
/// assert_eq!(dispatcher.poll_action(), Some(Action::Assign { request: second, connection }));
///
/// // The application gives up the second: that is its outcome, and its connection is of no use any more.
/// assert!(dispatcher.cancel(second, now));
/// assert!(matches!(dispatcher.poll_action(), Some(Action::Close { .. })));
/// assert_eq!(dispatcher.poll_action(), None);
/// assert_eq!(dispatcher.poll_timeout(), None);
/// ```
#[derive(Clone, Debug)]
pub struct Dispatcher {
    pub(super) policy: Policy,
    pub(super) now: Instant,
    pub(super) origins: Origins,
    pub(super) requests: Slab<Request>,
    pub(super) connections: Connections,
    pub(super) timers: Timers,
    /// What is to be polled, in order; what has become void is taken out again.
    pub(super) outputs: List<Output>,
    /// Requests that were given up together, and fail one by one as they are polled.
    pub(super) given_up: BTreeMap<(OriginId, Need, u32), GivenUp>,
    pub(super) draining: bool,
    /// The random number that was given last, and how many were made from it.
    pub(super) random: Option<(u64, u64)>,
    /// Requests that ever came.
    arrivals: u64,
}

/// What is to be polled; the rest of it stands with the request or the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    Connect(ConnectionId),
    Assign(RequestId),
    Fail(RequestId),
    Close(ConnectionId, CloseCause),
}

/// Commands.
impl Dispatcher {
    /// A dispatcher without origins. Without [`handle_random`](Self::handle_random), back-off has no jitter.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            origins: Origins::new(&policy),
            policy,
            now: Instant::ZERO,
            requests: Slab::new(),
            connections: Connections::new(),
            timers: Timers::new(),
            outputs: List::new(),
            given_up: BTreeMap::new(),
            draining: false,
            random: None,
            arrivals: 0,
        }
    }

    /// Adds a place that requests go to. No connection is ever shared between two of them.
    pub fn add_origin(&mut self) -> OriginId {
        let origin = self.origins.add(&self.policy);
        self.connections.add_origin(origin);
        origin
    }

    /// Removes an origin and closes its connections; false, and nothing is done, if it has requests that have not
    /// ended, or is unknown.
    pub fn remove_origin(&mut self, origin: OriginId, now: Instant) -> bool {
        self.tick(now);
        if self.origins.get(origin).is_none_or(|o| o.live() > 0) {
            return false;
        }
        let all = self.connections_where(|connection| connection.origin() == origin);
        self.close_all(all, CloseCause::Drained);
        self.advance(origin, false);
        self.origins.remove(origin);
        self.serve_line();
        true
    }

    /// Takes a request into the queue. It keeps its place among those of its priority until it is assigned.
    ///
    /// # Errors
    ///
    /// [`Refused`] says why it was not taken in; nothing of it is kept then.
    pub fn enqueue(&mut self, job: Job, now: Instant) -> Result<RequestId, Refused> {
        self.tick(now);
        if self.draining && !job.readmitted {
            return Err(Refused::Draining);
        }
        if self.queued() >= self.policy.max_queue {
            return Err(Refused::QueueFull);
        }
        let Some(origin) = self.origins.get_mut(job.origin) else {
            return Err(Refused::UnknownOrigin);
        };
        origin.note_come();
        self.arrivals += 1;
        let sequence = self.arrivals;
        let id = RequestId(self.requests.insert(Request::new(job, sequence, self.now)));
        if let (Some(deadline), Some(request)) = (job.deadline, self.requests.get_mut(id.0)) {
            request.arm_deadline(self.timers.arm(deadline, Timer::Deadline(id)));
        }
        if self.assign_at_once(id, &job) {
            return Ok(id);
        }
        self.enter_queue(id);
        if job.deadline.is_some_and(|deadline| deadline <= self.now) {
            self.expire(id);
        }
        self.update(job.origin);
        // Only now: what meets an idle connection needs no timer.
        self.arm_place(id);
        Ok(id)
    }

    /// Takes a request back, wherever it is. True: this is its outcome, and it appears in no action any more. False:
    /// it has had another one already.
    ///
    /// A connection whose next response is its own is closed, for nobody will read on; other requests on that
    /// connection are sent again, which does not count as a retry of theirs. Where it was sent behind others, they go
    /// on: the driver reads its response and drops it, and does not report [`handle_ready`](Self::handle_ready) before.
    /// A cancel that leaves an origin without requests ends its back-off and forgets its failures.
    pub fn cancel(&mut self, request: RequestId, now: Instant) -> bool {
        self.tick(now);
        let Some(found) = self.requests.get(request.0) else {
            return false;
        };
        let origin = found.job.origin;
        self.detach(request, CloseCause::Cancelled);
        self.forget(request);
        self.update(origin);
        true
    }

    /// Makes a connection before there is a request for it. False if that is not possible now: the origin is unknown,
    /// has as many as allowed or is backed off from, no place is free, or the dispatcher drains.
    ///
    /// If it cannot be made, nobody is told.
    pub fn connect(&mut self, origin: OriginId, now: Instant) -> bool {
        self.tick(now);
        let possible = !self.draining && self.may_warm_up(origin);
        if possible {
            self.open(origin);
            self.update(origin);
        }
        possible
    }

    /// No more requests: [`enqueue`](Self::enqueue) refuses, those that wait are served, and each connection is
    /// closed when nothing waits for it. [`is_drained`](Self::is_drained) tells when all is done. For less patience,
    /// give the requests deadlines or cancel them.
    pub fn drain(&mut self, now: Instant) {
        self.tick(now);
        self.draining = true;
        let idle_or_unwanted = |connection: &Connection| match connection.state() {
            State::Connecting { .. } => {
                self.origins.get(connection.origin()).is_none_or(|origin| origin.queue.is_empty())
            }
            State::Idle { .. } => true,
            State::Busy { .. } => false,
        };
        let unwanted = self.connections_where(idle_or_unwanted);
        self.close_all(unwanted, CloseCause::Drained);
    }
}

/// Inputs.
impl Dispatcher {
    /// The connection is up.
    pub fn handle_connected(&mut self, connection: ConnectionId, now: Instant) {
        self.tick(now);
        let Some((origin, until)) = self.connections.connected(connection, self.now) else {
            return;
        };
        self.timers.disarm(until, Timer::Connection(connection));
        if let Some(origin) = self.origins.get_mut(origin) {
            origin.trouble.note_connected();
        }
        self.release(connection);
        self.update(origin);
    }

    /// The connection could not be made.
    ///
    /// A transient cause is tried again after a back-off, [`connect_retries`](Policy::connect_retries) times in a
    /// row. Then, and after any other cause, all that waits for the origin fails, and later requests begin anew; but
    /// where the origin has answered on another connection since this one was begun, and that is still up to serve
    /// it, only what needs a new one fails. One that is merely busy is no hope: nobody knows for how long.
    pub fn handle_connect_failed(&mut self, connection: ConnectionId, cause: ConnectCause, now: Instant) {
        self.tick(now);
        match self.known(connection) {
            Some(State::Connecting { .. }) => {
                if let Some((dropped, _)) = self.take_connection(connection) {
                    self.refused(&dropped, cause);
                }
            }
            Some(_) => self.lost(connection, LostCause::Reset, &[]),
            None => {}
        }
    }

    /// The first byte of a response came. If the connection was begun after the origin's last failure, the origin
    /// is well again: its back-off ends and its failures are forgotten.
    pub fn handle_response_started(&mut self, connection: ConnectionId, now: Instant) {
        self.tick(now);
        if let Some(origin) = self.note_answer(connection) {
            self.update(origin);
        }
    }

    /// The head of a final response to this request came. The driver does with it what is returned.
    ///
    /// A response that is delivered is not yet the outcome; [`handle_finished`](Self::handle_finished) is.
    pub fn handle_response(&mut self, request: RequestId, status: impl Into<StatusFacts>, now: Instant) -> Delivery {
        self.tick(now);
        self.respond(request, status.into(), false)
    }

    /// The exchange is complete: the response came to its end. True: this is the outcome of the request. False: it has
    /// had another one, or is on no connection.
    ///
    /// A response that switches protocols (101, or 2xx to CONNECT) completes its exchange, and the connection is then
    /// [lost](Self::handle_lost) to HTTP, with [`LostCause::Last`].
    ///
    /// Request content that is still being sent does not matter: whether the connection is of further use, say
    /// [`handle_ready`](Self::handle_ready) and [`handle_lost`](Self::handle_lost).
    pub fn handle_finished(&mut self, request: RequestId, now: Instant) -> bool {
        self.tick(now);
        let Some(found) = self.requests.get(request.0) else {
            return false;
        };
        let request::State::InFlight { connection, output: None, .. } = found.state else {
            return false;
        };
        let id = found.job.origin;
        self.note_answer(connection);
        self.withdraw(request, connection);
        self.forget(request);
        if let Some(origin) = self.origins.get_mut(id) {
            origin.note_gone(1);
            origin.earn_retry(&self.policy);
        }
        self.update(id);
        true
    }

    /// The connection can take another request, or will be able to when those on it are finished.
    pub fn handle_ready(&mut self, connection: ConnectionId, now: Instant) {
        self.tick(now);
        if let Some(origin) = self.connections.set_ready(connection, true) {
            self.release(connection);
            self.update(origin);
        }
    }

    /// The connection has ended, or is of no use for HTTP any more, for whatever reason and in whatever state.
    ///
    /// `unanswered` tells of each request on it that has not been finished how far it had come. One that is not named
    /// is taken to have been sent in full, and answered as far as was reported; one that was assigned and whose
    /// [`Action::Assign`] was not polled is known to be unsent. Each is assigned again or fails, as
    /// [`decide`](super::decide) says.
    pub fn handle_lost(
        &mut self,
        connection: ConnectionId,
        cause: LostCause,
        unanswered: &[(RequestId, Progress)],
        now: Instant,
    ) {
        self.tick(now);
        match self.known(connection) {
            Some(State::Connecting { .. }) => {
                self.handle_connect_failed(connection, ConnectCause::Reset, now);
            }
            Some(_) => self.lost(connection, cause, unanswered),
            None => {}
        }
    }

    /// What the peer says of the connection: how long it keeps it idle, and how many more requests it takes
    /// (`Keep-Alive: timeout=, max=`). `None` leaves things as they are. `Connection: close` is no hint: the byte
    /// machine obeys it, and the driver reports the connection lost when it is.
    ///
    /// An idle connection is given up one second before the peer would close it (or at half of its time, if that
    /// is later), for a request that meets the peer's close has an unknown fate.
    pub fn handle_keep_alive(&mut self, connection: ConnectionId, timeout: Option<Duration>, max: Option<u32>) {
        let Some(found) = self.connections.get_mut(connection) else {
            return;
        };
        found.kept_for = timeout.or(found.kept_for);
        found.remaining = max.or(found.remaining);
        if let State::Idle { since, until, timer, .. } = found.state() {
            let earlier = found.idle_until(&self.policy, since);
            self.timers.disarm(Armed::from_parts(until, timer), Timer::Connection(connection));
            self.connections.rest_until(connection, self.timers.arm(earlier, Timer::Connection(connection)));
        }
    }

    /// The time that [`poll_timeout`](Self::poll_timeout) told has come; harmless if it has not. If very many
    /// deadlines are due at once, the rest is left for the next call, and `poll_timeout` says so.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.tick(now);
        for _ in 0..MOST_TIMERS {
            match self.timers.pop_due(self.now) {
                Some(timer) => self.due(timer),
                None => break,
            }
        }
    }

    /// A random number, for the jitter of back-off. One is enough: later ones are made from it, so that a recorded run
    /// repeats itself; a new one may be given at any time. While none was given there is no jitter.
    pub fn handle_random(&mut self, random: u64) {
        self.random = Some((random, 0));
    }
}

/// Outputs and getters.
impl Dispatcher {
    /// What is to be done next; `None`: nothing until another input.
    #[must_use]
    #[inline]
    pub fn poll_action(&mut self) -> Option<Action> {
        if self.outputs.is_empty() && self.given_up.is_empty() { None } else { self.next_action() }
    }

    fn next_action(&mut self) -> Option<Action> {
        while let Some(output) = self.outputs.pop_front() {
            let action = self.announce(output);
            if action.is_some() {
                return action;
            }
        }
        self.next_given_up()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), if nothing happens before. `None`: not at all.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The policy it was made with.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Requests that are on no connection: they wait, or have failed and were not polled yet.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.requests.len().saturating_sub(self.in_flight())
    }

    /// Requests on a connection.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.connections.in_flight()
    }

    /// Connections that are up and have nothing to do.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.connections.idle().len()
    }

    /// Connections, those that are being made included.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// What a connection is doing; `None` if it is gone.
    #[must_use]
    pub fn state(&self, connection: ConnectionId) -> Option<ConnectionState> {
        self.connections.get(connection).map(|found| match found.state() {
            State::Connecting { .. } => ConnectionState::Connecting,
            State::Idle { .. } => ConnectionState::Idle,
            State::Busy { .. } => ConnectionState::Busy,
        })
    }

    /// What an origin is doing; `None` if it is unknown.
    #[must_use]
    pub fn phase(&self, origin: OriginId) -> Option<OriginPhase> {
        let (origin, own) = (self.origins.get(origin)?, self.connections.of(origin)?);
        Some(if own.open() > own.idle().len() {
            OriginPhase::Busy
        } else if own.open() > 0 {
            OriginPhase::Idle
        } else if own.connecting() > 0 {
            OriginPhase::Connecting
        } else if let Some(until) = origin.breaker.open_until(self.now) {
            OriginPhase::CircuitOpen { until, failures: origin.breaker.failures }
        } else if let Some(armed) = origin.armed {
            OriginPhase::BackingOff { until: armed.at(), failures: origin.trouble.failures }
        } else if origin.is_in_line() {
            OriginPhase::InLine
        } else {
            OriginPhase::Disconnected
        })
    }

    /// The connection that a request is on.
    #[must_use]
    pub fn connection_of(&self, request: RequestId) -> Option<ConnectionId> {
        match self.requests.get(request.0)?.state {
            request::State::InFlight { connection, .. } => Some(connection),
            _ => None,
        }
    }

    /// Whether [`drain`](Self::drain) was called and nothing is left: no request, no connection.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        self.draining && self.requests.is_empty() && self.connections.is_empty()
    }
}

impl Dispatcher {
    pub(super) fn tick(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    /// Looks at every connection: for what is rare.
    fn connections_where(&self, condition: impl Fn(&Connection) -> bool) -> Vec<ConnectionId> {
        let matching = self.connections.iter().filter(|(_, connection)| condition(connection));
        matching.map(|(id, _)| id).collect()
    }

    fn close_all(&mut self, connections: Vec<ConnectionId>, cause: CloseCause) {
        for connection in connections {
            if let Some(closed) = self.close(connection, cause) {
                self.update(closed.origin());
            }
        }
    }

    /// The next random number: SplitMix64 over the one that was given.
    pub(super) fn draw(&mut self) -> u64 {
        let Some((seed, drawn)) = &mut self.random else {
            return 0;
        };
        *drawn = drawn.wrapping_add(1);
        let mut z = seed.wrapping_add(drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The state of a connection that the driver can know of.
    fn known(&self, connection: ConnectionId) -> Option<State> {
        match self.connections.get(connection)?.state() {
            State::Connecting { output, .. } if output != Node::NOWHERE => None,
            state => Some(state),
        }
    }
}
