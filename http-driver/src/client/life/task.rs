//! A connection that no caller drives: the content of its request follows the head of its response, or requests follow
//! each other on it before they are answered.

use core::future::{Future, poll_fn};
use core::mem;
use core::task::{Context, Poll};
use std::io;
use std::sync::Arc;

use http_core::client::Readiness;
use http_core::dispatch::{Delivery, Input, LostCause, RequestId};
use http_core::{Closed, Fields, Framing, ResponseHead};

use super::carrier::has_room;
use super::core::{Core, Held};
use super::flight::{Flight, Response, Unbegun};
use super::step::Step;
use crate::body::Incoming;
use crate::client::failure::RequestError;
use crate::client::gather::Gather;
use crate::client::origin::Connector;
use crate::client::pool::{Closing, Order};
use crate::client::watching;
use crate::error::Error;
use crate::io::Runtime;

/// Carries what is on a connection, and what the dispatcher orders, if it `pipelines`; otherwise the connection goes
/// back when the exchange on it is over.
pub(in crate::client) fn carry<C, R>(
    core: Arc<Core<C, R>>,
    held: Held<C, R>,
    pipelines: bool,
) -> impl Future<Output = ()> + Send
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    // Not in the future itself: a task may be dropped before it was polled.
    let mut carried = Carried { core, held: Some(held), next: None, gather: None, pipelines };
    poll_fn(move |cx| carried.poll(cx))
}

impl<C, R> Core<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    /// The content of a response whose request is still being sent: a task sends on, whether or not it is read.
    pub(in crate::client) fn go_on(self: &Arc<Self>, mut held: Held<C, R>, framing: Framing) -> Incoming {
        let (body, feed) = Incoming::new(framing);
        let carrier = held.carrier();
        let taken = mem::take(&mut carrier.taken);
        if let Some(flight) = &mut carrier.flight {
            if let (Some(feed), false) = (&feed, taken.is_empty()) {
                feed.data(taken);
            }
            flight.feed = feed;
        }
        self.runtime.spawn(carry(self.clone(), held, false));
        body
    }
}

/// A connection in the hand of a task. Dropped with it, the dispatcher hears what became of its requests.
struct Carried<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    core: Arc<Core<C, R>>,
    held: Option<Held<C, R>>,
    /// The next request, which another task has still to let go of.
    next: Option<RequestId>,
    /// A request whose content is read before it is sent.
    gather: Option<(RequestId, Gather)>,
    pipelines: bool,
}

impl<C, R> Carried<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let Some(held) = &mut self.held else { return Poll::Ready(()) };
            if held.carrier().flight.is_none() {
                match self.poll_next(cx) {
                    Poll::Ready(()) => continue,
                    Poll::Pending => return Poll::Pending,
                }
            }
            match held.carrier().poll_step(cx, self.pipelines) {
                Poll::Ready(step) => self.step(step),
                Poll::Pending => {
                    let most = self.core.config.limits.drain;
                    let carrier = held.carrier();
                    let wanted =
                        |flight: &Flight| flight.last.is_some() || flight.feed.as_ref().is_none_or(|f| f.is_held());
                    let dropped = carrier.flight.as_ref().is_some_and(|flight| !wanted(flight));
                    // The rest of a response that nobody wants is not waited for.
                    if dropped && !is_worth_reading(carrier.flight.as_ref(), !carrier.behind.is_empty(), most) {
                        self.lose(Error::Closed(Closed::Abandoned));
                        continue;
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    /// The next request to go on a connection on which nothing is.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(held) = &mut self.held else { return Poll::Ready(()) };
        let carrier = held.carrier();
        if let Some((request, gather)) = &mut self.gather {
            if carrier.slot.poll_close(cx).is_some() {
                self.part();
                return Poll::Ready(());
            }
            let Poll::Ready(gathered) = gather.poll(cx) else { return Poll::Pending };
            let request = *request;
            self.gather = None;
            match gathered {
                Ok(job) => self.launch(request, job),
                Err(error) => self.fail(request, error),
            }
            return Poll::Ready(());
        }
        let order = match self.next.take() {
            Some(request) if carrier.slot.poll_close(cx).is_none() => Poll::Ready(Order::Send(request)),
            _ => carrier.slot.poll(cx),
        };
        // The transport is looked at after that: the end of the stream may lie there unread, and nobody knows the fate
        // of a request that meets it.
        if carrier.connection.poll_readiness(cx) == Readiness::Closing {
            if let Poll::Ready(Order::Send(request)) = order {
                carrier.slot.put_back(request);
            }
            self.lose_by(LostCause::Eof);
            return Poll::Ready(());
        }
        let request = match order {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Order::Send(request)) => request,
            Poll::Ready(_) => {
                self.part();
                return Poll::Ready(());
            }
        };
        let job = match self.core.pool.poll_job(request, cx.waker()) {
            Poll::Ready(Some(job)) => job,
            // It was cancelled while the order was on its way, and the order to close follows.
            Poll::Ready(None) => {
                self.part();
                return Poll::Ready(());
            }
            Poll::Pending => {
                self.next = Some(request);
                return Poll::Pending;
            }
        };
        match Gather::of(carrier.connection.machine(), job) {
            Ok(gather) => self.gather = Some((request, gather)),
            Err(job) => self.launch(request, job),
        }
        Poll::Ready(())
    }

    /// Queues a request; it may be that it cannot be sent at all, and has that for its outcome.
    fn launch(&mut self, request: RequestId, job: Box<crate::client::job::Job>) {
        let Some(held) = &mut self.held else { return };
        let carrier = held.carrier();
        match Flight::begin(&mut carrier.connection, request, job, carrier.seen.as_deref_mut()) {
            Ok(flight) if carrier.flight.is_none() => carrier.flight = Some(flight),
            Ok(flight) => carrier.behind.push_back(flight),
            Err((_, Unbegun::Unsendable(misuse))) => {
                return self.fail(request, RequestError::unsendable(misuse.into()));
            }
            // A stream that was begun cannot be sent again.
            Err((job, Unbegun::Begun)) => {
                let error = RequestError::body(Error::Closed(Closed::Abandoned)).about(&job, None);
                return self.fail(request, error);
            }
            // The next step meets that end.
            Err((job, Unbegun::Lost)) => {
                self.core.pool.keep_job(request, job);
                carrier.slot.put_back(request);
                if carrier.flight.is_none() {
                    self.lose_by(LostCause::Eof);
                }
                return;
            }
        }
        self.tell_room();
    }

    /// Tells the dispatcher if another request may follow those that are on the connection.
    fn tell_room(&mut self) {
        let Some(held) = self.held.as_mut().filter(|_| self.pipelines) else { return };
        let carrier = held.carrier();
        let Some(flight) = carrier.flight.as_ref().filter(|flight| flight.response != Response::Discarded) else {
            return;
        };
        if has_room(&carrier.connection) {
            // One that is delivered has nothing left to be told.
            let first = (flight.response == Response::Awaited).then_some(flight);
            let all = first.into_iter().chain(&carrier.behind).map(|flight| flight.request);
            self.core.pool.ready_behind(carrier.id, all, self.core.now());
        }
    }

    fn step(&mut self, step: Step) {
        let Some(held) = &mut self.held else { return };
        let carrier = held.carrier();
        match step {
            Step::Started => {
                let _ = self.core.pool.input(Input::ResponseStarted(carrier.id), self.core.now());
            }
            Step::Head(head) => self.deliver(head),
            Step::Content(bytes) => {
                let Some(flight) = &mut carrier.flight else { return };
                flight.left = flight.left.map(|left| left.saturating_sub(bytes.len() as u64));
                match &flight.feed {
                    Some(_) if flight.left == Some(0) => flight.last = Some(bytes),
                    Some(feed) => feed.data(bytes),
                    None => {}
                }
            }
            Step::End(trailers) => self.end(&trailers),
            Step::Switched => self.switch(),
            Step::Follow(request) => match self.core.pool.take_job(request) {
                Some(job) => self.launch(request, job),
                // It was cancelled while the order was on its way.
                None => self.tell_room(),
            },
            Step::Closing(closing) => {
                let feed = carrier.flight.as_mut().and_then(Flight::release);
                if let (Closing::Late, Some(feed)) = (closing, feed) {
                    feed.fail(Error::Io(io::ErrorKind::TimedOut.into()));
                }
                self.part();
            }
            Step::Lost(error) => self.lose(error),
        }
    }

    fn deliver(&mut self, head: ResponseHead) {
        let (core, now) = (self.core.clone(), self.core.now());
        let Some(held) = &mut self.held else { return };
        let carrier = held.carrier();
        let told = carrier.told(&head);
        let Some(flight) = &mut carrier.flight else { return };
        if let Some(watched) = flight.watched() {
            watching::head(watched, &head);
        }
        if told.facts.status >= 400 {
            flight.give_back();
            if let Some(watched) = flight.watched() {
                watching::put_off(watched, told.facts.status);
            }
        }
        let delivery = core.pool.answered_by_task(carrier.id, flight.request, &told, &mut flight.job, now);
        if delivery != Delivery::Deliver {
            flight.discard(core.config.limits.drain);
            return;
        }
        flight.response = Response::Delivered;
        flight.keep_sending();
        let (body, feed) = Incoming::new(head.framing());
        flight.left = http_body::Body::size_hint(&body).exact();
        flight.feed = feed;
        let request = flight.request;
        match carrier.response(head, body, core.tells_peer) {
            Ok(response) => core.pool.respond(request, response, now),
            Err(error) => self.fail(request, RequestError::unreadable(error)),
        }
    }

    /// A response is complete.
    fn end(&mut self, trailers: &Fields) {
        let now = self.core.now();
        let Some(mut held) = self.held.take() else { return };
        let carrier = held.carrier();
        let Some(mut done) = carrier.flight.take() else { return };
        let delivered = done.response == Response::Delivered;
        if let Some(watched) = done.watched().filter(|_| delivered) {
            watched.complete(now);
        }
        if !self.pipelines {
            let id = carrier.id;
            self.core.pool.finished(id, done.request, held.free(), now);
        } else {
            if delivered {
                self.core.pool.finish(done.request, now);
            }
            let (id, free, limit) = (carrier.id, carrier.is_free(), self.core.config.limits.drain);
            let next = carrier.behind.pop_front().map(|next| carrier.flight.insert(next));
            let follows = next.is_some();
            if let Some(next) = next.filter(|next| !self.core.pool.waits(next.request)) {
                // It was cancelled, or is late: the connection goes on for those behind it.
                next.discard(limit);
            }
            self.held = Some(held);
            match (follows, free) {
                (true, _) => self.tell_room(),
                (false, true) => drop(self.core.pool.input(Input::Ready(id), now)),
                (false, false) => self.lose_by(LostCause::Last),
            }
        }
        if let Some(feed) = done.release() {
            feed.end(trailers);
        }
    }

    fn switch(&mut self) {
        if let Some(held) = self.held.take() {
            self.core.switch(held);
        }
    }

    fn fail(&mut self, request: RequestId, error: RequestError) {
        let Some(held) = self.held.take() else { return };
        self.core.fail(held, request, error);
    }

    /// The dispatcher knows of its end.
    fn part(&mut self) {
        self.lose_by(LostCause::Local);
    }

    fn lose_by(&mut self, cause: LostCause) {
        if let Some(held) = self.held.take() {
            let _ = self.core.lose_by(held, cause, None);
        }
    }

    fn lose(&mut self, error: Error) {
        let Some(mut held) = self.held.take() else { return };
        let carrier = held.carrier();
        let first = carrier.flight.as_ref();
        let own = first.filter(|flight| flight.response == Response::Awaited && carrier.behind.is_empty());
        match own.map(|flight| flight.request) {
            Some(request) if matches!(error, Error::Body(_)) => {
                self.core.fail(held, request, RequestError::body(error));
            }
            _ => drop(self.core.lose(held, error)),
        }
    }
}

/// Whether content that nobody wants is read for the sake of what comes behind it.
fn is_worth_reading(flight: Option<&Flight>, followed: bool, most: u64) -> bool {
    followed && flight.and_then(|flight| flight.left).is_some_and(|left| left <= most)
}

impl<C, R> Drop for Carried<C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            let cause = if std::thread::panicking() { LostCause::Crashed } else { LostCause::Reset };
            let _ = self.core.lose_by(held, cause, Some(Error::Closed(Closed::Abandoned)));
        }
    }
}
