//! What the futures, readers, tasks and keepers of a client share, and a connection in the hand of one of them.

use core::time::Duration;
use std::sync::{Arc, Mutex, PoisonError};

use http::Response;
use http_core::client::Sent;
use http_core::dispatch::{Input, LostCause, OriginId, Refused, RequestId};
use http_core::{Config, Instant};

use super::carrier::Carrier;
use super::flight;
use crate::body::Incoming;
use crate::client::failure::RequestError;
use crate::client::job::Job;
use crate::client::observe::Observe;
use crate::client::origin::Connector;
use crate::client::pool::{Outcome, Parked, Pool};
use crate::client::watching::{self, Watching};
use crate::clock;
use crate::error::Error;
use crate::io::Runtime;
use crate::observe::error_type;
use crate::tunnel::Tunnel;

/// What is common to all that a client does.
pub(in crate::client) struct Core<C: Connector, R: Runtime> {
    pub(in crate::client) pool: Pool<Held<C, R>>,
    pub(in crate::client) connector: C,
    pub(in crate::client) runtime: R,
    pub(in crate::client) config: Arc<Config>,
    /// The same for origins that are known to speak HTTP/1.0 alone.
    old: Arc<Config>,
    pub(in crate::client) timeout: Option<Duration>,
    /// Whether responses tell who sent them.
    pub(in crate::client) tells_peer: bool,
    pub(in crate::client) watching: Watching,
}

impl<C, R> Core<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    pub(in crate::client) fn new(
        config: Arc<Config>,
        observer: Option<Arc<dyn Observe>>,
        timeout: Option<Duration>,
        tells_peer: bool,
        watching: Watching,
        connector: C,
        runtime: R,
    ) -> Self {
        let mut old = Config::clone(&config);
        old.persistence.http10_origin = true;
        let pool = Pool::new(config.dispatch, observer);
        Self { pool, connector, runtime, config, old: old.into(), timeout, tells_peer, watching }
    }
}

impl<C: Connector, R: Runtime> Core<C, R> {
    pub(in crate::client) fn now(&self) -> Instant {
        clock::to_core(self.runtime.now())
    }
}

impl<C, R> Core<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    /// The configuration of a connection to an origin, by what its last response showed (RFC 9112 §6.1).
    pub(in crate::client) fn config_for(&self, origin: OriginId) -> Arc<Config> {
        let old = self.pool.named(origin, |named| named.http10).unwrap_or(false);
        if old { self.old.clone() } else { self.config.clone() }
    }

    /// A connection is lost with what is on it: its requests are kept for another, or have their end. Gives back the
    /// one that its caller keeps.
    pub(in crate::client) fn lose(&self, held: Held<C, R>, error: Error) -> Option<Box<Job>> {
        let cause = error.lost_cause();
        self.lose_by(held, cause, Some(error))
    }

    /// The same, for a reason of this side's own.
    pub(in crate::client) fn lose_by(
        &self,
        mut held: Held<C, R>,
        cause: LostCause,
        mut error: Option<Error>,
    ) -> Option<Box<Job>> {
        let carrier = held.carrier();
        let id = carrier.id;
        let flights = carrier.take_flights();
        // What the transport still holds is cut off before the dispatcher makes another connection for its request.
        held.part();
        let mut unanswered = Vec::with_capacity(flights.len());
        let (mut kept, mut jobs) = (None, Vec::new());
        for (mut flight, progress) in flights {
            let request = flight.request;
            if let Some(watched) = flight.watched() {
                let reused = watched.is_reused();
                match flight.response {
                    flight::Response::Delivered => {
                        // Whoever has left it is told nothing.
                        if let Some(word) = error.as_ref().and_then(error_type) {
                            watched.fail(word);
                        }
                        watched.end(self.now());
                    }
                    flight::Response::Awaited => watching::lost(watched, cause, progress, reused),
                    flight::Response::Discarded => {}
                }
            }
            match flight.response {
                flight::Response::Delivered => {
                    if let (Some(feed), Some(error)) = (flight.release(), error.take()) {
                        feed.fail(error);
                    }
                }
                flight::Response::Awaited => {
                    if let Some(mut job) = flight.job.take() {
                        job.error = error.take();
                        job.progress = Some(progress);
                        job.touched -= u32::from(progress.sent == Sent::Nothing);
                        if self.pool.pipelines {
                            jobs.push((request, job));
                        } else {
                            kept = Some(job);
                        }
                    }
                }
                // Whatever becomes of the request, it is not here any more.
                flight::Response::Discarded => continue,
            }
            unanswered.push((request, progress));
        }
        self.pool.lost(id, cause, unanswered, jobs, self.now());
        kept
    }

    /// A request that cannot go on, for a reason of its own: its connection is closed with it.
    pub(in crate::client) fn fail(&self, held: Held<C, R>, request: RequestId, error: RequestError) {
        let error = held.give_up(error);
        self.pool.fail(request, error, self.now());
    }

    /// The connection speaks another protocol from now on, and is whose the response promised it to.
    pub(in crate::client) fn switch(&self, mut held: Held<C, R>) {
        let now = self.now();
        let carrier = held.carrier();
        let (id, flight) = (carrier.id, carrier.flight.take());
        let mut carrier = held.into_carrier();
        let promise = carrier.promise.take();
        let switched = carrier.connection.is_switched();
        if let (Some(promise), true) = (promise, switched) {
            let (transport, early) = carrier.connection.into_parts();
            promise.keep(Tunnel::new(transport, early));
        } else {
            carrier.connection.farewell();
        }
        if let Some(flight) = flight {
            if let Some(watched) = flight.watched() {
                watched.complete(now);
            }
            let _ = self.pool.input(Input::Finished(flight.request), now);
        }
        self.pool.lost(id, LostCause::Last, Vec::new(), Vec::new(), now);
    }
}

/// How a request ended; `job` is what its caller has of it.
pub(in crate::client) fn ended(outcome: Outcome, job: Option<Box<Job>>) -> Result<Response<Incoming>, RequestError> {
    match outcome {
        Outcome::Response(response) => Ok(*response),
        Outcome::Failed(failure, whence, kept) => Err(RequestError::failed(failure, whence, kept.or(job))),
        Outcome::Cut(kept) => Err(RequestError::refused(Refused::Draining, kept.or(job))),
        Outcome::Error(error) => Err(error),
    }
}

/// A connection in the hand of one who drives it, or kept by the pool. It moves as one box.
pub(in crate::client) struct Held<C: Connector, R: Runtime>(pub(super) Box<Mutex<Carrying<C, R>>>);

/// Nobody ever waits for the lock: it makes of what may move to another thread what may be seen from there.
pub(super) struct Carrying<C: Connector, R: Runtime> {
    /// Where it goes back to, while it is not there.
    core: Option<Arc<Core<C, R>>>,
    pub(super) carrier: Carrier<C::Transport, R>,
}

impl<C: Connector, R: Runtime> Held<C, R> {
    pub(in crate::client) fn new(carrier: Carrier<C::Transport, R>) -> Self {
        Self(Box::new(Mutex::new(Carrying { core: None, carrier })))
    }

    /// Whether it takes another request: then nobody waits for anything on it any more.
    pub(in crate::client) fn free(mut self) -> Result<Self, Self> {
        let carrier = self.carrier();
        if !carrier.is_free() {
            return Err(self);
        }
        carrier.connection.wake_at(None);
        carrier.connection.set_aside();
        Ok(self)
    }

    fn carrying(&mut self) -> &mut Carrying<C, R> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::client) fn carrier(&mut self) -> &mut Carrier<C::Transport, R> {
        &mut self.carrying().carrier
    }

    pub(in crate::client) fn into_carrier(self) -> Carrier<C::Transport, R> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner).carrier
    }

    /// Its reader knows where it goes back to.
    pub(super) fn goes_back_to(mut self, core: Arc<Core<C, R>>) -> Self {
        self.carrying().core = Some(core);
        self
    }

    /// Where it goes back to, which it does now.
    pub(super) fn take_core(&mut self) -> Option<Arc<Core<C, R>>> {
        self.carrying().core.take()
    }

    pub(super) fn core(&mut self) -> Option<&Arc<Core<C, R>>> {
        self.carrying().core.as_ref()
    }
}

impl<C: Connector, R> Held<C, R>
where
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    /// Closed with the request that is on it, and could not go on: its error, with how far it had come.
    pub(in crate::client) fn give_up(mut self, error: RequestError) -> RequestError {
        let flights = self.carrier().take_flights();
        self.part();
        match flights.first().and_then(|(flight, progress)| Some((flight.job.as_ref()?, progress))) {
            Some((job, progress)) => error.about(job, Some(*progress)),
            None => error,
        }
    }
}

impl<C: Connector, R> Parked for Held<C, R>
where
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn part(mut self) {
        self.carrier().connection.farewell();
    }
}
