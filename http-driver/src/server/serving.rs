//! A service at work on a connection.

use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, ready};
use std::io;

use bytes::{Buf, Bytes};
use http::{Request, Response};
use http_body::Body;
use http_core::server::ServerSide;
use http_core::{Closed, Content, End, Fields, Framing, Instant, Misuse, RequestHead, ResponseHead, StatusCode};
use tower_service::Service;

use super::connection::{Connection, Resting};
use super::disconnected::Notice;
use super::incident::Fault;
use super::inflow::Inflow;
use super::interim::Interim;
use super::options::{Options, Switches};
use super::shutdown::{Stage, Watch};
use super::switched::Switched;
use crate::body::Incoming;
use crate::convert;
use crate::error::{BoxError, Error};
use crate::io::{Runtime, Transport};
use crate::link::{Link, Waiter, poll_until};
use crate::observe::Span;
use crate::outside::Woken;
use crate::template::Templates;
use crate::tunnel::Promise;

/// A connection with the service that answers its requests.
pub(super) struct Serving<T, R: Runtime, S> {
    connection: Connection<T, R>,
    service: S,
    options: Switches,
    watch: Option<Watch>,
    /// What an answer would bring to whom the request of it promised a tunnel.
    promise: Option<Promise>,
    /// A request that the service does not have yet.
    waiting: Option<RequestHead>,
    /// What is remembered of the requests before.
    requests: Templates,
}

/// What is kept of that while no request comes.
pub(super) struct Rest<T, R: Runtime, S> {
    connection: Resting<T, R>,
    service: S,
    options: Switches,
    watch: Option<Watch>,
}

/// A request that the service has.
struct Open {
    content: Inflow,
    interim: Option<Interim>,
    notice: Option<Notice>,
    /// The only protocol that the request offers to change to.
    protocol: Option<Box<[u8]>>,
}

/// What a response's body says at once.
#[derive(PartialEq, Eq)]
enum Begun {
    /// All that is to be sent is queued.
    Complete,
    Going,
}

impl<T: Transport, R: Runtime, S> Serving<T, R, S> {
    pub(super) fn new(mut connection: Connection<T, R>, service: S, options: &Options, watch: Option<Watch>) -> Self {
        if let Some(observer) = &options.observer {
            connection.observe(observer);
        }
        Self {
            connection,
            service,
            options: options.switches,
            watch,
            promise: None,
            waiting: None,
            requests: Templates::NONE,
        }
    }

    /// Whether the last answer handed the connection over.
    pub(super) fn is_switched(&self) -> bool {
        self.connection.is_switched()
    }

    /// The connection, if the last answer handed it over.
    pub(super) fn switched(mut self) -> Option<Switched<T>> {
        if !self.connection.is_switched() {
            return None;
        }
        let observed = self.connection.take_observed();
        let (transport, early) = self.connection.into_parts();
        Some(Switched::new(transport, early, self.promise, self.watch, observed))
    }

    /// The machine as it rests, if no more than a [`Rest`] has to be kept.
    pub(super) fn resting(&self) -> Option<http_core::server::Resting> {
        if self.waiting.is_some() || self.promise.is_some() { None } else { self.connection.resting() }
    }

    /// Keeps what has to be kept.
    pub(super) fn rest(self, machine: http_core::server::Resting) -> Rest<T, R, S> {
        let Self { connection, service, options, watch, promise: _, waiting: _, requests: _ } = self;
        Rest { connection: connection.rest(machine), service, options, watch }
    }

    /// Whether the connection, which has failed, ends in order, so that its peer can read why.
    pub(super) fn fail_with(&mut self, error: &Error) -> bool {
        if self.watch.as_ref().is_some_and(Watch::is_cut) {
            self.connection.report_cut();
            self.connection.give_up_exchange();
            self.connection.cut();
            return false;
        }
        self.connection.report_end(error);
        self.connection.leave();
        self.connection.give_up_exchange();
        true
    }

    /// Takes the next request, once the service is ready for it; false if there is none. The service is not asked
    /// before: what it sets aside for a request is not held by idle connections.
    pub(super) fn poll_call<B>(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>>
    where
        S: Service<Request<Incoming>, Response = Response<B>>,
        S::Error: Into<BoxError>,
    {
        self.follow_shutdown(cx)?;
        loop {
            if self.waiting.is_none() {
                if let Some(watch) = &mut self.watch {
                    watch.end_exchange();
                }
                let accepted = self.connection.poll_accept(cx);
                self.connection.report_unserved(&accepted);
                self.waiting = ready!(accepted)?;
            }
            if self.waiting.is_none() {
                return Poll::Ready(Ok(false));
            }
            let ready = match self.service.poll_ready(cx) {
                Poll::Ready(ready) => ready,
                // Nothing that the connection learns concerns the service.
                Poll::Pending => return poll_until(self, cx, |this, _, now| this.connection.ended(now).map(Err)),
            };
            if let Err(error) = ready {
                self.waiting = None;
                // It has not seen the head before the next one.
                self.requests = Templates::NONE;
                self.fail(error)?;
                continue;
            }
            if let Some(watch) = &mut self.watch {
                watch.begin_exchange();
            }
            return Poll::Ready(Ok(true));
        }
    }

    /// The request as services know it, and what is kept of it; nothing if it has no form for services.
    fn open(&mut self) -> Option<(Request<Incoming>, Open)> {
        let head = self.waiting.take()?;
        let framing = head.framing();
        let (body, feed) = Incoming::new(framing);
        let made = self.requests.made(&head, self.connection.machine().changed_lines());
        let request = convert::request_of(&head, made, body);
        let may_switch = self.connection.machine().may_switch();
        let protocol = if may_switch { head.only_protocol().map(Box::from) } else { None };
        // Its memory is that of the next request's head.
        self.connection.recycle(head.into());
        let mut request = match request {
            Ok(request) => request,
            Err(error) => {
                self.connection.report(Fault::Request(error), Some(http::StatusCode::BAD_REQUEST));
                return None;
            }
        };
        if self.connection.observer().is_some() {
            self.connection.tell_served(&request);
        }
        if may_switch {
            self.promise = Some(Promise::among(request.extensions_mut()));
        }
        let interim = self.options.interim.then(Interim::default);
        if let Some(interim) = &interim {
            request.extensions_mut().insert(interim.clone());
        }
        let notice = self.options.disconnected.then(Notice::default);
        if let Some(notice) = &notice {
            request.extensions_mut().insert(notice.future());
        }
        let mut content = Inflow { feed };
        match framing {
            Framing::Length(length) if (1..=self.connection.unread()).contains(&length) => {
                content.take_at_once(&mut self.connection, length);
            }
            _ => {}
        }
        let open = Open { content, interim, notice, protocol };
        Some((request, open))
    }

    /// Waits for what the service makes of the request that was taken, and sends that.
    #[expect(clippy::manual_async_fn, reason = "an `async fn` has room for what it takes twice")]
    pub(super) fn answer<B>(&mut self) -> impl Future<Output = Result<(), Error>>
    where
        S: Service<Request<Incoming>, Response = Response<B>>,
        S::Error: Into<BoxError>,
        B: Body,
        B::Error: Into<BoxError>,
    {
        async move {
            let Unwinding(this) = &mut Unwinding(self);
            let Some((request, mut open)) = this.open() else {
                return Ok(this.connection.respond(&ResponseHead::new(StatusCode::BAD_REQUEST), Content::Empty)?);
            };
            let mut answer = None;
            {
                // Made where it stays.
                #[cfg(feature = "tracing")]
                let mut future = {
                    let span = this.span();
                    let future = within(span.as_ref(), || this.service.call(request));
                    pin!(Span::around(span.as_ref(), future))
                };
                #[cfg(not(feature = "tracing"))]
                let mut future = pin!(this.service.call(request));
                poll_fn(|cx| this.poll_called(future.as_mut(), &mut answer, &mut open, cx)).await?;
            }
            let mut body = pin!(None);
            poll_fn(|cx| this.poll_answer(&mut answer, body.as_mut(), &mut open, cx)).await
        }
    }

    /// Waits for what the service answers.
    fn poll_called<F, A>(
        &mut self,
        mut future: Pin<&mut F>,
        answer: &mut Option<A>,
        open: &mut Open,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>>
    where
        F: Future<Output = A>,
    {
        self.follow_shutdown(cx)?;
        // Most services are ready at once, and then the connection need not be looked at.
        if self.poll_service(future.as_mut(), answer, open, cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut asked = true;
        poll_until(self, cx, |this, cx, now| {
            loop {
                // Of what a connection learns, content alone concerns the service.
                let asks = !core::mem::replace(&mut asked, true);
                if asks && this.poll_service(future.as_mut(), answer, open, cx).is_ready() {
                    return Poll::Ready(Ok(()));
                }
                if open.content.feed(&mut this.connection, cx, now).is_pending() {
                    return this.look_beside(open.notice.as_ref(), now).map(Err);
                }
                asked = false;
                if this.connection.is_spent(now) {
                    return Poll::Pending;
                }
            }
        })
    }

    #[inline]
    fn poll_service<F: Future>(
        &mut self,
        future: Pin<&mut F>,
        answer: &mut Option<F::Output>,
        open: &Open,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let polled = open.content.around(|| future.poll(cx)).map(|output| *answer = Some(output));
        if let Some(interim) = &open.interim {
            for head in interim.take() {
                // Documented: one that may not be sent is dropped.
                let _ = self.connection.interim(&head);
            }
        }
        polled
    }

    /// What the connection has learned while the application works: tells it of the client's end. Ready when there is
    /// nobody to answer any more.
    fn look_beside(&mut self, notice: Option<&Notice>, now: Instant) -> Poll<Error> {
        let failed = self.connection.ended(now);
        let end = self.connection.machine().peer_ended().or(failed.is_ready().then_some(End::Unclean));
        if let (Some(notice), Some(_)) = (notice, end) {
            notice.tell(end);
        }
        match failed {
            Poll::Pending if end.is_some() && self.options.cancel_on_end => {
                self.connection.abandon();
                Poll::Ready(Error::Closed(Closed::ByPeer))
            }
            failed => failed,
        }
    }

    /// Sends what the service answers; a response's body stays in its place then.
    fn poll_answer<B, E>(
        &mut self,
        answer: &mut Option<Result<Response<B>, E>>,
        mut body: Pin<&mut Option<B>>,
        open: &mut Open,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>>
    where
        E: Into<BoxError>,
        B: Body,
        B::Error: Into<BoxError>,
    {
        match answer.take() {
            Some(Ok(response)) => {
                open.content.keep_wanted(&mut self.connection);
                self.follow_shutdown(cx)?;
                let (parts, content) = response.into_parts();
                body.set(Some(content));
                let Some(body) = body.as_mut().as_pin_mut() else { return Poll::Ready(Ok(())) };
                let begun = self.begin(&parts, body, open, cx)?;
                if begun == Begun::Complete && !open.content.is_held() {
                    return Poll::Ready(Ok(()));
                }
            }
            Some(Err(error)) => return Poll::Ready(self.fail(error)),
            None => self.follow_shutdown(cx)?,
        }
        match body.as_pin_mut() {
            Some(body) => self.poll_send(body, open, cx),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Begins a response: its head, with the content if that is all there already.
    fn begin<B>(
        &mut self,
        parts: &http::response::Parts,
        body: Pin<&mut B>,
        open: &mut Open,
        cx: &mut Context<'_>,
    ) -> Result<Begun, Error>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let status = StatusCode::new(parts.status.as_u16());
        if status.is_some_and(|status| self.connection.machine().omits_content(status)) {
            return self.begin_without_content(parts, announced(&*body), open);
        }
        let span = self.span();
        let (mut announced, mut first) = within(span.as_ref(), || first_piece(body, cx));
        let mut begun = self.connection.offer_parts(parts, &mut announced);
        if let Err(Misuse::Framing) = begun {
            begun = self.offer_mended(parts, &mut announced, &mut first);
        }
        if let Err(misuse) = begun {
            return self.unsendable(misuse);
        }
        self.break_promise_unless_kept();
        match first {
            First::None => {}
            First::Piece(piece) => {
                if self.connection.machine().awaits_content() {
                    let now = self.connection.link().now();
                    self.connection.write(piece, now)?;
                }
            }
            First::Failed(error) => return Err(Error::Body(error)),
        }
        Ok(if self.connection.machine().awaits_content() { Begun::Going } else { Begun::Complete })
    }

    /// Sends a response whose content is left out, whatever its body says: what would be dropped need not be produced.
    fn begin_without_content(
        &mut self,
        parts: &http::response::Parts,
        mut announced: Content,
        open: &Open,
    ) -> Result<Begun, Error> {
        let mut head = match convert::lenient_response_head(parts) {
            Ok(head) => head,
            Err(misuse) => return self.unsendable(misuse),
        };
        // It was read as a field of the request.
        let _ = head.name_protocol(open.protocol.as_deref());
        self.connection.machine().mend_response(&mut head, &mut announced);
        if let Err(misuse) = self.connection.offer(&head, &mut announced) {
            return self.unsendable(misuse);
        }
        if self.connection.machine().awaits_content() {
            self.connection.end(&Fields::new())?;
        }
        Ok(Begun::Complete)
    }

    /// Sends a response without what makes it unfit to be sent and does no harm, if that is it. Content that was to go
    /// with the head may have to follow it then.
    #[cold]
    fn offer_mended(
        &mut self,
        parts: &http::response::Parts,
        content: &mut Content,
        first: &mut First,
    ) -> Result<(), Misuse> {
        let mut head = convert::lenient_response_head(parts)?;
        let whole = if let Content::Full(piece) = content { Some(piece.clone()) } else { None };
        if !self.connection.machine().mend_response(&mut head, content) {
            return Err(Misuse::Framing);
        }
        if let Some(piece) = whole.filter(|_| *content == Content::Streaming) {
            *first = First::Piece(piece);
        }
        self.connection.offer(&head, content)
    }

    /// Sends content, and goes on feeding the request's body meanwhile, and for as long as somebody holds that.
    fn poll_send<B>(&mut self, mut body: Pin<&mut B>, open: &mut Open, cx: &mut Context<'_>) -> Poll<Result<(), Error>>
    where
        B: Body,
        B::Error: Into<BoxError>,
    {
        let mut starved = false;
        let span = self.span();
        poll_until(self, cx, |this, cx, now| {
            loop {
                let connection = &mut this.connection;
                while !starved && connection.has_room() {
                    match open.content.around(|| within(span.as_ref(), || body.as_mut().poll_frame(cx))) {
                        Poll::Ready(Some(Ok(frame))) => pass_on(connection, frame, now)?,
                        Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(Error::Body(error.into()))),
                        Poll::Ready(None) => connection.end(&Fields::new())?,
                        Poll::Pending => starved = true,
                    }
                    if connection.is_spent(now) {
                        return Poll::Pending;
                    }
                }
                if open.content.feed(connection, cx, now).is_pending() {
                    if !connection.machine().awaits_content() && !open.content.is_held() {
                        return Poll::Ready(Ok(()));
                    }
                    return this.look_beside(open.notice.as_ref(), now).map(Err);
                }
                // A response may be made of what is read of the request.
                starved = false;
                if connection.is_spent(now) {
                    return Poll::Pending;
                }
            }
        })
    }

    /// What the application built cannot be sent; the client learns that much.
    fn unsendable(&mut self, misuse: Misuse) -> Result<Begun, Error> {
        self.refuse(StatusCode::INTERNAL_SERVER_ERROR)?;
        self.connection.report(Fault::Misuse(misuse), Some(http::StatusCode::INTERNAL_SERVER_ERROR));
        Ok(Begun::Complete)
    }

    /// The service failed. The error has no way to the client; the status tells that there is one.
    fn fail(&mut self, error: impl Into<BoxError>) -> Result<(), Error> {
        let refused = self.refuse(StatusCode::INTERNAL_SERVER_ERROR);
        if self.connection.observer().is_some() {
            let status = refused.is_ok().then_some(http::StatusCode::INTERNAL_SERVER_ERROR);
            self.connection.report(Fault::Service(&*error.into()), status);
        }
        refused
    }

    /// What the application's code runs in.
    #[inline]
    fn span(&self) -> Option<Span> {
        self.connection.watched().map(|exchange| exchange.span().clone())
    }

    /// Whoever waits for a hand-over learns that there is none, as soon as the answer says so.
    pub(super) fn break_promise_unless_kept(&mut self) {
        if !self.connection.machine().is_switching() {
            self.promise = None;
        }
    }

    /// Answers with a status alone, and ends the connection.
    fn refuse(&mut self, status: StatusCode) -> Result<(), Error> {
        self.connection.close();
        Ok(self.connection.respond(&ResponseHead::new(status), Content::Empty)?)
    }

    /// Does what a shutdown asks for.
    #[inline]
    fn follow_shutdown(&mut self, cx: &Context<'_>) -> Result<(), Error> {
        match &mut self.watch {
            None => Ok(()),
            Some(watch) => match watch.stage(cx) {
                Stage::Open => Ok(()),
                stage => self.shut_down(stage),
            },
        }
    }

    #[cold]
    fn shut_down(&mut self, stage: Stage) -> Result<(), Error> {
        if stage == Stage::Cut {
            return Err(Error::Closed(Closed::Abandoned));
        }
        self.connection.close();
        Ok(())
    }

    /// Ends a connection that failed, so that its peer can read why.
    pub(super) fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.follow_shutdown(cx) {
            Ok(()) => self.connection.poll_end(cx),
            Err(_) => {
                self.connection.cut();
                Poll::Ready(())
            }
        }
    }
}

impl<T: Transport, R: Runtime, S> Rest<T, R, S> {
    /// What a connection begins with that was just accepted.
    pub(super) fn new(connection: Resting<T, R>, service: S, options: Switches, watch: Watch) -> Self {
        Self { connection, service, options, watch: Some(watch) }
    }

    /// Waits for what ends the rest: something of the transport, which is brought, a deadline, a shutdown.
    pub(super) fn poll_woken(&mut self, cx: &mut Context<'_>) -> Poll<Option<Woken>> {
        let open = self.watch.as_mut().is_none_or(|watch| watch.stage(cx) == Stage::Open);
        if !open {
            return Poll::Ready(None);
        }
        let watch = &self.watch;
        self.connection.poll_woken(cx, |due| watch.as_ref().is_some_and(|watch| watch.rest(due)))
    }

    /// What works again, in its place, so that no more is moved than is kept.
    #[inline(always)]
    pub(super) fn resume(self, woken: Option<Woken>) -> Box<Serving<T, R, S>> {
        let Self { connection, service, options, watch } = self;
        let mut serving = Box::new(Serving {
            connection: connection.resume(),
            service,
            options,
            watch,
            promise: None,
            waiting: None,
            requests: Templates::NONE,
        });
        serving.connection.woken(woken);
        serving
    }
}

/// What runs the application's code. A panic of that takes the connection along, and the exchange that it happened in;
/// answers before it that are complete and wait are written as far as that goes at once.
struct Unwinding<'s, T: Transport, R: Runtime, S>(&'s mut Serving<T, R, S>);

impl<T: Transport, R: Runtime, S> Drop for Unwinding<'_, T, R, S> {
    fn drop(&mut self) {
        self.0.connection.see_exchange();
        if std::thread::panicking() {
            self.0.connection.write_at_once();
        }
    }
}

impl<T: Transport, R: Runtime, S> Waiter for Serving<T, R, S> {
    type Side = ServerSide;
    type Transport = T;
    type Runtime = R;

    fn link(&mut self) -> &mut Link<ServerSide, T, R> {
        self.connection.link()
    }
}

/// Does something within a span, if there is one.
#[inline]
fn within<O>(span: Option<&Span>, f: impl FnOnce() -> O) -> O {
    match span {
        Some(span) => span.within(f),
        None => f(),
    }
}

fn pass_on<T, R, D>(connection: &mut Connection<T, R>, frame: http_body::Frame<D>, now: Instant) -> Result<(), Error>
where
    T: Transport,
    R: Runtime,
    D: Buf,
{
    match frame.into_data() {
        Ok(mut data) => connection.write(data.copy_to_bytes(data.remaining()), now),
        Err(frame) => {
            let trailers = frame.into_trailers().map(|map| convert::fields(&map));
            // Trailers that may not be sent are left out; the content is complete without them.
            let sent = match trailers {
                Ok(Ok(mut fields)) => {
                    fields.keep_trailers();
                    connection.end(&fields).is_ok()
                }
                _ => false,
            };
            if sent { Ok(()) } else { connection.end(&Fields::new()) }
        }
    }
}

enum First {
    None,
    Piece(Bytes),
    Failed(BoxError),
}

/// What can be announced of a body that is not run.
fn announced<B: Body>(body: &B) -> Content {
    Content::of_length(body.size_hint().exact())
}

/// What can be announced of a body. One whose only piece is there already is sent together with its head.
fn first_piece<B>(body: Pin<&mut B>, cx: &mut Context<'_>) -> (Content, First)
where
    B: Body,
    B::Error: Into<BoxError>,
{
    let announced = announced(&*body);
    let Content::Sized(length) = announced else { return (announced, First::None) };
    match body.poll_frame(cx) {
        Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
            Ok(mut data) => {
                let piece = data.copy_to_bytes(data.remaining());
                if piece.len() as u64 == length {
                    (Content::Full(piece), First::None)
                } else {
                    (announced, First::Piece(piece))
                }
            }
            Err(_) => (announced, First::None),
        },
        Poll::Ready(Some(Err(error))) => (announced, First::Failed(error.into())),
        Poll::Ready(None) | Poll::Pending => (announced, First::None),
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => error,
            error => Self::other(error),
        }
    }
}
