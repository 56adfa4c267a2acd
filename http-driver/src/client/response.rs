//! A response that is waited for, by whoever drives the connection that it comes on.

use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use core::time::Duration;
use std::sync::Arc;

use http::Response;
use http_core::client::Readiness;
use http_core::dispatch::{self, Delivery, Input, LostCause, OriginId, Progress, RequestId};
use http_core::{Closed, Framing, Instant, ResponseHead};

use super::ends::Handle;
use super::failure::RequestError;
use super::gather::Gather;
use super::job::Job;
use super::life::{Core, Flight, Held, Rest, Step, Unbegun, ended};
use super::options::RequestOptions;
use super::origin::Connector;
use super::pool::{Look, Parked};
use super::watching;
use crate::body::Incoming;
use crate::clock;
use crate::error::Error;
use crate::io::{Runtime, RuntimeId, Timer};
use crate::observe::{Caller, Watched};

/// After what time a request that waits looks for itself whether there is anything for it, at first and at last, in
/// milliseconds: if those that should have woken it are not polled any more, nothing else does.
const PATIENCE: (u16, u16) = (10, 1000);

/// A response that is waited for: the request is queued when this is polled first, and whoever polls it drives the
/// connection that it comes on.
///
/// Dropped before the response is there, the request is cancelled, and a connection that it is on is closed.
///
/// ```
/// fn is_boxless<C: http_driver::client::Connector, R: http_driver::Runtime + Send + Sync + 'static>(
///     future: http_driver::client::ResponseFuture<C, R>,
/// ) -> impl Future<Output = Result<http::Response<http_driver::Incoming>, http_driver::client::RequestError>>
/// where
///     R::Timer: Send,
/// {
///     future
/// }
/// ```
#[must_use = "a future does nothing unless it is waited for"]
pub struct ResponseFuture<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    handle: Arc<Handle<C, R>>,
    stage: Stage<C, R>,
    /// The request, while it is on no connection.
    job: Option<Box<Job>>,
    /// Under which the dispatcher knows it.
    id: Option<RequestId>,
    /// The runtime that it was queued on.
    runtime: Option<RuntimeId>,
    /// When it has to have its end.
    deadline: Option<Instant>,
    /// While it waits.
    timer: Option<R::Timer>,
    /// In milliseconds: a future that is small costs less to be moved.
    patience: u16,
    /// It was taken in, and is to be queued anew on another runtime.
    moves: bool,
    /// Whose span the exchange is in, if nobody's is where it is polled.
    caller: Caller,
    /// The exchange, until its response is handed out, if somebody watches it.
    watched: Option<Arc<Watched>>,
}

enum Stage<C: Connector, R: Runtime> {
    /// It cannot be sent.
    Refused(RequestError),
    New,
    Queued,
    /// Its connection is there, since this moment.
    Taken(Held<C, R>, Instant),
    /// Its content is read first.
    Gathering(Held<C, R>, Box<Gather>),
    /// It is on its way.
    Sent(Held<C, R>),
    /// The connection is about to be handed over.
    Switching(Held<C, R>, Box<Response<Incoming>>),
    Over,
}

type Outcome = Result<Response<Incoming>, RequestError>;

/// A connection, and when it was taken.
type Taken<C, R> = (Held<C, R>, Instant);

impl<C, R> ResponseFuture<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    pub(super) fn new(handle: Arc<Handle<C, R>>, request: Result<Box<Job>, RequestError>) -> Self {
        let (stage, job) = match request {
            Ok(job) => (Stage::New, Some(job)),
            Err(error) => (Stage::Refused(error), None),
        };
        let patience = PATIENCE.0;
        let (caller, watched) = (Caller::current(), None);
        Self {
            handle,
            stage,
            job,
            id: None,
            runtime: None,
            deadline: None,
            timer: None,
            patience,
            moves: false,
            caller,
            watched,
        }
    }

    fn core(&self) -> &Arc<Core<C, R>> {
        self.handle.core()
    }

    /// Takes the request to the dispatcher, and a connection that is there for it, since this moment.
    fn enqueue(&mut self, runtime: RuntimeId) -> Result<Option<Taken<C, R>>, RequestError> {
        let core = self.handle.core();
        let now = core.now();
        let Some(job) = &mut self.job else { return Err(RequestError::no_origin()) };
        if core.watching.may_watch() && self.watched.is_none() {
            self.watched = core.watching.request(&job.parts, &self.caller, now);
            if let Some(watched) = &self.watched {
                job.watch(watched);
            }
        }
        let order = dispatch::Job::new(OriginId::from_u64(u64::MAX))
            .idempotent(job.is_idempotent())
            .replayable(job.payload.is_replayable());
        let mut order = match job.parts.extensions.get::<RequestOptions>() {
            Some(options) => options.apply(order, now, core.timeout),
            None => order.deadline(core.timeout.map(|most| now.saturating_add(most))),
        };
        order.readmitted = mem::take(&mut self.moves);
        // One that was queued before keeps its time.
        order.deadline = self.deadline.or(order.deadline);
        self.deadline = order.deadline;
        let (taken_in, wanted) = core.pool.enqueue(runtime, now, order, &mut self.job);
        if wanted {
            core.attend(runtime);
        }
        match taken_in {
            Ok((id, taken)) => {
                self.id = Some(id);
                self.runtime = Some(runtime);
                if taken.is_none() {
                    self.stage = Stage::Queued;
                }
                Ok(taken.map(|held| (held, now)))
            }
            Err(Some(refused)) => Err(RequestError::refused(refused, self.job.take())),
            Err(None) => Err(RequestError::no_origin()),
        }
    }

    /// What there is for a request that waits: something if it is its outcome.
    fn poll_queued(&mut self, runtime: RuntimeId, cx: &mut Context<'_>) -> Poll<Option<Outcome>> {
        let Some(id) = self.id else { return Poll::Ready(Some(Err(RequestError::no_origin()))) };
        if self.runtime != Some(runtime) {
            // What waits elsewhere is of no use here: it waits anew, for a connection of this runtime.
            self.timer = None;
            let core = self.handle.core();
            if let Some(job) = core.pool.withdraw(id, core.now()) {
                self.job = self.job.take().or(job);
                self.id = None;
                self.moves = true;
                self.stage = Stage::New;
                return Poll::Ready(None);
            }
        }
        loop {
            let core = self.handle.core();
            let now = core.now();
            let claimable = match core.pool.look(id, cx.waker(), now) {
                Look::Taken(held) => {
                    self.stage = Stage::Taken(held, now);
                    return Poll::Ready(None);
                }
                Look::Outcome(outcome) => return Poll::Ready(Some(ended(*outcome, self.job.take()))),
                Look::Adrift(job) => {
                    self.job = self.job.take().or(job);
                    self.id = None;
                    self.moves = true;
                    self.timer = None;
                    self.stage = Stage::New;
                    // Not at once: a runtime that is being dropped may be polling this still, and has no keeper again.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Look::Gone => return Poll::Ready(Some(Err(RequestError::refused(dispatch::Refused::Draining, None)))),
                Look::Wait(claimable) => claimable,
            };
            core.attend(runtime);
            let again = now.saturating_add(Duration::from_millis(self.patience.into()));
            let again = claimable.map_or(again, |at| again.min(at));
            let at = self.deadline.map_or(again, |deadline| again.min(deadline));
            if clock::set(&mut self.timer, &core.runtime, at).poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.patience = (2 * self.patience).min(PATIENCE.1);
        }
    }

    /// Sends the request on the connection that was taken for it at this moment.
    fn begin(
        &mut self,
        mut held: Held<C, R>,
        runtime: RuntimeId,
        now: Instant,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Outcome>> {
        let (Some(id), Some(job)) = (self.id, self.job.take()) else { return Poll::Ready(None) };
        let carrier = held.carrier();
        carrier.polled_on(runtime);
        // The end of the stream may lie there unread, and nobody knows the fate of a request that meets it.
        if carrier.connection.poll_idle(cx, now) == Readiness::Closing {
            self.job = Some(job);
            self.lose_unused(held, id);
            return Poll::Ready(None);
        }
        match Gather::of(carrier.connection.machine(), job) {
            Ok(gather) => {
                self.stage = Stage::Gathering(held, Box::new(gather));
                Poll::Ready(None)
            }
            Err(job) => {
                carrier.connection.goes_on();
                self.launch(held, id, job, runtime, cx)
            }
        }
    }

    fn launch(
        &mut self,
        mut held: Held<C, R>,
        id: RequestId,
        job: Box<Job>,
        runtime: RuntimeId,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Outcome>> {
        let carrier = held.carrier();
        carrier.connection.wake_at(self.deadline);
        let error = match Flight::begin(&mut carrier.connection, id, job, carrier.seen.as_deref_mut()) {
            Ok(flight) => {
                carrier.flight = Some(flight);
                // So that the first look at it has nothing to do but to wait.
                carrier.connection.write_out(cx);
                carrier.rests = true;
                return self.poll_sent(held, runtime, cx);
            }
            Err((job, Unbegun::Lost)) => {
                self.job = Some(job);
                self.lose_unused(held, id);
                return Poll::Ready(None);
            }
            Err((job, Unbegun::Unsendable(misuse))) => {
                let progress = (job.touched <= 1).then_some(Progress::NOTHING);
                RequestError::unsendable(misuse.into()).about(&job, progress)
            }
            // A stream that was begun cannot be sent again.
            Err((job, Unbegun::Begun)) => RequestError::body(Error::Closed(Closed::Abandoned)).about(&job, None),
        };
        Poll::Ready(Some(self.fail(held, error)))
    }

    /// Reads the content of the request, which is sent when it is all there.
    fn poll_gathering(
        &mut self,
        mut held: Held<C, R>,
        mut gather: Box<Gather>,
        runtime: RuntimeId,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Outcome>> {
        let Some(id) = self.id else { return Poll::Ready(None) };
        if held.carrier().slot.poll_close(cx).is_some() {
            self.job = gather.into_job();
            held.part();
            self.stage = Stage::Queued;
            return Poll::Ready(None);
        }
        match gather.poll(cx) {
            Poll::Pending => {
                self.stage = Stage::Gathering(held, gather);
                Poll::Pending
            }
            Poll::Ready(Ok(job)) => self.launch(held, id, job, runtime, cx),
            Poll::Ready(Err(error)) => Poll::Ready(Some(self.fail(held, error))),
        }
    }

    /// The connection ended before it took anything of the request.
    fn lose_unused(&mut self, mut held: Held<C, R>, id: RequestId) {
        let core = self.handle.core();
        let carrier = held.carrier();
        if let Some(watched) = &self.watched {
            let used = carrier.seen.as_ref().is_some_and(|seen| seen.is_used());
            watching::lost(watched, LostCause::Eof, Progress::NOTHING, used);
        }
        let connection = carrier.id;
        held.part();
        core.pool.lost(connection, LostCause::Eof, vec![(id, Progress::NOTHING)], Vec::new(), core.now());
        self.stage = Stage::Queued;
    }

    /// The request cannot go on, and its connection is closed with it.
    fn fail(&mut self, held: Held<C, R>, error: RequestError) -> Outcome {
        let error = held.give_up(error);
        self.cancel();
        Err(error)
    }

    /// Tells whoever watches of an outcome. Where content of the response is still to come, its end is told by whoever
    /// brings that.
    #[cold]
    fn tell(&mut self, outcome: &Outcome) {
        let Some(watched) = self.watched.take() else { return };
        match outcome {
            Ok(_) => watched.complete_if_whole(),
            Err(error) => {
                watched.fail(error.word());
                watched.end(self.core().now());
            }
        }
    }

    /// Nobody waits for it any more.
    #[cold]
    fn give_up(&mut self) {
        if let Some(watched) = self.watched.take() {
            watched.fail("cancelled");
            watched.end(self.core().now());
        }
    }

    fn cancel(&mut self) {
        self.stage = Stage::Over;
        if mem::take(&mut self.moves) {
            let core = self.handle.core();
            core.pool.stay(core.now());
        }
        if let Some(id) = self.id.take() {
            let core = self.handle.core();
            core.pool.cancel(id, core.now());
        }
    }

    /// Drives the exchange to the head of its response.
    fn poll_sent(&mut self, mut held: Held<C, R>, runtime: RuntimeId, cx: &mut Context<'_>) -> Poll<Option<Outcome>> {
        let carrier = held.carrier();
        carrier.polled_on(runtime);
        loop {
            match carrier.poll_step(cx, false) {
                Poll::Pending => {
                    if carrier.connection.is_late() {
                        let core = self.handle.core();
                        let _ = core.pool.input(Input::Timeout, core.now());
                        self.lose(held, Error::Io(std::io::ErrorKind::TimedOut.into()));
                        return Poll::Ready(None);
                    }
                    self.stage = Stage::Sent(held);
                    return Poll::Pending;
                }
                Poll::Ready(Step::Started) => {
                    let core = self.handle.core();
                    let _ = core.pool.input(Input::ResponseStarted(carrier.id), core.now());
                }
                Poll::Ready(Step::Head(head)) => return Poll::Ready(self.deliver(held, head)),
                Poll::Ready(Step::Lost(error @ Error::Body(_))) => {
                    return Poll::Ready(Some(self.fail(held, RequestError::body(error))));
                }
                Poll::Ready(Step::Lost(error)) => {
                    self.lose(held, error);
                    return Poll::Ready(None);
                }
                // The dispatcher has closed it, and the request has its outcome.
                Poll::Ready(_) => {
                    self.lose(held, Error::Closed(Closed::ByUs));
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn lose(&mut self, held: Held<C, R>, error: Error) {
        self.job = self.handle.core().lose(held, error);
        self.stage = Stage::Queued;
    }

    /// The head of a final response is there: something if it is for the caller.
    fn deliver(&mut self, mut held: Held<C, R>, head: ResponseHead) -> Option<Outcome> {
        let core = self.handle.core().clone();
        let carrier = held.carrier();
        let (connection, now) = (carrier.id, carrier.connection.looked());
        let told = carrier.told(&head);
        let switching = carrier.connection.machine().is_switching();
        let rest = if switching { Rest::Partly } else { carrier.take_rest(now) };
        let flight = carrier.flight.as_mut()?;
        let request = flight.request;
        if let Some(watched) = &self.watched {
            let (content, is_whole) = match &rest {
                Rest::Whole(bytes, _) => (bytes.len(), true),
                Rest::Partly => (carrier.taken.len(), false),
            };
            watching::came(watched, &head, content, is_whole, now);
        }
        if let Rest::Whole(bytes, trailers) = rest {
            // What no content follows may name a coding as well, and what ends with the stream (RFC 9112 §6.1, §6.3).
            let chunked = match head.framing() {
                Framing::Length(_) => false,
                Framing::Chunked => true,
                Framing::None | Framing::UntilClose => head.fields().contains("transfer-encoding"),
            };
            let content = Incoming::whole(bytes, &trailers, chunked);
            let response = carrier.response(head, content, core.tells_peer);
            // It is dropped where it lies.
            if let Some(flight) = &mut carrier.flight {
                flight.give_back();
                self.job = flight.job.take();
            }
            carrier.flight = None;
            // What is still to be sent of the request is the keeper's to send.
            let awaits = carrier.connection.machine().awaits_content();
            let delivery = if carrier.connection.has_unsent() && !awaits && !carrier.is_free() {
                let delivery = core.pool.answered(connection, request, &told, now);
                if delivery == Delivery::Deliver {
                    core.pool.finish(request, now);
                }
                core.pool.leave_rest(connection, held, now);
                delivery
            } else {
                core.pool.complete(connection, request, &told, held.free(), now)
            };
            return self.delivered(delivery, response.map_err(RequestError::unreadable));
        }
        if core.pool.answered(connection, request, &told, now) != Delivery::Deliver {
            if let Some(watched) = flight.take_watched() {
                watching::put_off(&watched, told.facts.status);
            }
            flight.give_back();
            self.job = flight.job.take();
            flight.discard(core.config.limits.drain);
            core.pool.leave_rest(connection, held, now);
            self.stage = Stage::Queued;
            return None;
        }
        flight.response = super::life::Response::Delivered;
        flight.keep_sending();
        let framing = head.framing();
        flight.left = match framing {
            Framing::Length(length) => Some(length.saturating_sub(carrier.taken.len() as u64)),
            Framing::None => Some(0),
            Framing::Chunked | Framing::UntilClose => None,
        };
        let response = carrier.response(head, Incoming::empty(), core.tells_peer);
        if switching {
            match response {
                Ok(response) => self.stage = Stage::Switching(held, Box::new(response)),
                Err(error) => return Some(self.fail(held, RequestError::unreadable(error))),
            }
            return None;
        }
        if let (Some(watched), Err(_)) = (&self.watched, &response) {
            watched.fail("protocol_error");
        }
        let sending = carrier.broken.is_none() && carrier.is_sending();
        let body = if sending { core.go_on(held, framing) } else { held.into_content(core.clone()) };
        let response = response.map(|response| response.map(|_| body));
        self.delivered(Delivery::Deliver, response.map_err(RequestError::unreadable))
    }

    fn delivered(&mut self, delivery: Delivery, response: Outcome) -> Option<Outcome> {
        if delivery == Delivery::Deliver {
            self.job = None;
            self.id = None;
            self.stage = Stage::Over;
            Some(response)
        } else {
            self.stage = Stage::Queued;
            None
        }
    }

    /// Drives the exchange to the end of HTTP on its connection.
    fn poll_switching(
        &mut self,
        mut held: Held<C, R>,
        response: Box<Response<Incoming>>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Outcome>> {
        match held.carrier().poll_step(cx, false) {
            Poll::Pending => {
                self.stage = Stage::Switching(held, response);
                Poll::Pending
            }
            // Whatever came of it, that is told by what was promised.
            Poll::Ready(_) => {
                self.handle.core().switch(held);
                Poll::Ready(self.delivered(Delivery::Deliver, Ok(*response)))
            }
        }
    }
}

/// Nothing in it is pinned where it lies.
impl<C, R> Unpin for ResponseFuture<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
}

impl<C, R> Future for ResponseFuture<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    type Output = Outcome;

    /// Polled again after it was ready, it is pending for ever.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let this = self.get_mut();
        let polled = this.poll_outcome(cx);
        if this.watched.is_some() {
            if let Poll::Ready(outcome) = &polled {
                this.tell(outcome);
            }
        }
        polled
    }
}

impl<C, R> ResponseFuture<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn poll_outcome(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        let this = self;
        let Some(runtime) = this.core().runtime.current() else {
            // What is not here is on a connection, or was.
            let error = RequestError::no_runtime(this.job.take());
            this.cancel();
            return Poll::Ready(Err(error));
        };
        loop {
            let outcome = match mem::replace(&mut this.stage, Stage::Over) {
                Stage::Refused(error) => Some(Err(error)),
                Stage::New => match this.enqueue(runtime) {
                    Ok(Some((held, now))) => ready!(this.begin(held, runtime, now, cx)),
                    Ok(None) => None,
                    Err(error) => Some(Err(error)),
                },
                Stage::Queued => {
                    this.stage = Stage::Queued;
                    ready!(this.poll_queued(runtime, cx))
                }
                Stage::Taken(held, now) => ready!(this.begin(held, runtime, now, cx)),
                Stage::Gathering(held, gather) => ready!(this.poll_gathering(held, gather, runtime, cx)),
                Stage::Sent(held) => ready!(this.poll_sent(held, runtime, cx)),
                Stage::Switching(held, response) => ready!(this.poll_switching(held, response, cx)),
                Stage::Over => return Poll::Pending,
            };
            if let Some(outcome) = outcome {
                this.stage = Stage::Over;
                this.id = None;
                return Poll::Ready(outcome);
            }
        }
    }
}

impl<C, R> Drop for ResponseFuture<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn drop(&mut self) {
        if self.watched.is_some() {
            self.give_up();
        }
        // Mostly it has had its outcome.
        if matches!(self.stage, Stage::Over) && self.id.is_none() && !self.moves {
            return;
        }
        match mem::replace(&mut self.stage, Stage::Over) {
            // The transport first: another connection may be made in its place.
            Stage::Taken(held, _) | Stage::Gathering(held, _) | Stage::Sent(held) | Stage::Switching(held, _) => {
                held.part();
            }
            _ => {}
        }
        self.cancel();
    }
}

impl<C, R> fmt::Debug for ResponseFuture<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
