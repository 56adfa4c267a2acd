//! One connection of a client: makes it, carries requests over it, and tells the dispatcher how it goes.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_core::client::{Event, Readiness, Sent};
use http_core::dispatch::{
    ConnectionId, Delivery, Input, LostCause, OriginId, Output, Progress, Received, RequestId, StatusFacts,
};
use http_core::{Closed, Content, ErrorKind, Fields, Misuse, Reason, ResponseHead, Version};

use super::connection::Connection;
use super::failure::RequestError;
use super::interim::OnInterim;
use super::job::{BoxBody, Job, Payload};
use super::origin::{Connector, Origin};
use super::pool::Shared;
use super::slot::{Closing, Order, Slot};
use super::task::Fall;
use crate::body::{Demand, Feed, Incoming};
use crate::clock;
use crate::convert;
use crate::error::Error;
use crate::io::Runtime;
use crate::tunnel::{Promise, Tunnel, Upgrade};

/// Why a connection is not used any more.
struct Over {
    cause: LostCause,
    unanswered: Option<(RequestId, Progress)>,
}

impl Over {
    const LOCAL: Self = Self { cause: LostCause::Local, unanswered: None };
}

/// Makes the connection and carries requests over it; `fall` has how far it came.
pub(super) async fn carry<C, R>(
    shared: &Arc<Shared<C, R>>,
    id: ConnectionId,
    origin: &Origin,
    slot: &Slot,
    fall: &mut Fall,
) where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    let made = {
        let mut connecting = pin!(shared.connector.connect(origin));
        poll_fn(|cx| {
            if slot.poll_close(cx).is_some() {
                return Poll::Ready(None);
            }
            connecting.as_mut().poll(cx).map(Some)
        })
        .await
    };
    let transport = match made {
        Some(Ok(transport)) => transport,
        Some(Err(cause)) => {
            shared.leave(id);
            let _ = shared.input(Input::ConnectFailed(id, cause));
            return;
        }
        // The dispatcher knows: it was its order.
        None => return shared.leave(id),
    };
    let tap = shared.tap(id);
    let mut connection = Connection::with_tap(transport, shared.runtime.clone(), shared.config_for(slot.origin), tap);
    let _ = shared.input(Input::Connected(id));
    fall.made = true;
    let mut promise = None;
    let over = loop {
        let order = poll_fn(|cx| {
            // The transport comes first: the end of the stream may lie there unread, and nobody knows the fate of a
            // request that meets it.
            if connection.poll_readiness(cx) == Readiness::Closing {
                return Poll::Ready(None);
            }
            slot.poll(cx).map(Some)
        });
        let request = match order.await {
            Some(Order::Send(request)) => request,
            Some(_) => break Over::LOCAL,
            None => break Over { cause: LostCause::Eof, unanswered: None },
        };
        fall.request = Some(request);
        if let Err(over) = exchange(shared, &mut connection, slot, id, request, &mut promise).await {
            break over;
        }
        fall.request = None;
    };
    match promise {
        Some(promise) if connection.is_switched() => {
            let (transport, early) = connection.into_parts();
            promise.keep(Tunnel::new(transport, early));
        }
        // What the transport still holds is cut off before the dispatcher makes another connection for its request.
        _ => {
            connection.farewell();
            drop(connection);
        }
    }
    shared.lost(id, over.cause, over.unanswered);
}

/// Carries one request; fails when the connection is not to be used any more.
async fn exchange<C, R>(
    shared: &Arc<Shared<C, R>>,
    connection: &mut Connection<C::Transport, R>,
    slot: &Slot,
    id: ConnectionId,
    request: RequestId,
    promise: &mut Option<Promise>,
) -> Result<(), Over>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    let taken = shared.with_job(request, |job| {
        job.progress = None;
        job.touched += 1;
        (job.head.clone(), job.payload.take(), job.parts.extensions.get::<OnInterim>().cloned())
    });
    let Some((head, payload, on_interim)) = taken else {
        // Cancelled while the order was on its way; the order to close follows.
        return Err(Over::LOCAL);
    };
    let payload = match payload {
        Some((Content::Streaming, Some(body))) if connection.machine().peer_version() == Version::Http10 => {
            let most = connection.machine().config().limits.send_buffer;
            gather(body, most, slot).await?.map(|content| {
                shared.with_job(request, |job| job.payload = Payload::Ready(content.clone()));
                Some((content, None))
            })
        }
        payload => Ok(payload),
    };
    let begun = match payload {
        Err(error) => Err(error),
        Ok(Some((content, body))) => match connection.begin(&head, content) {
            Ok(()) => Ok(body),
            Err(Error::Misuse(misuse)) => Err(RequestError::unsendable(misuse.into())),
            // The connection ended just now: the request goes on as it came.
            Err(error) => {
                let over = Over { cause: cause(&error), unanswered: Some((request, Progress::NOTHING)) };
                shared.with_job(request, |job| job.put_back(body, error));
                return Err(over);
            }
        },
        // A stream that was begun cannot be sent again.
        Ok(None) => Err(RequestError::body(Error::Closed(Closed::Abandoned))),
    };
    let body = match begun {
        Ok(body) => body,
        Err(error) => {
            if let Some(job) = shared.forget(request) {
                job.reply.complete(Err(error));
            }
            let _ = shared.input(Input::Cancel(request));
            return Err(Over::LOCAL);
        }
    };
    let mut run = Run {
        shared,
        origin: slot.origin,
        promise,
        id,
        request,
        on_interim,
        body,
        begun: false,
        feed: None,
        left: None,
        held: None,
        response: Response::Awaited,
        started: false,
    };
    poll_fn(|cx| run.poll(connection, slot, cx)).await
}

/// All of a request's content, for an origin that has to be told how long it is: chunks are not for HTTP/1.0 (RFC 9112
/// §6.1). More than `most` bytes are not held for it.
async fn gather(mut body: BoxBody, most: usize, slot: &Slot) -> Result<Result<Content, RequestError>, Over> {
    let mut all = BytesMut::new();
    poll_fn(|cx| {
        loop {
            if slot.poll_close(cx).is_some() {
                return Poll::Ready(Err(Over::LOCAL));
            }
            match body.as_mut().poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(Ok(Ok(Content::Full(core::mem::take(&mut all).freeze())))),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Ok(Err(RequestError::body(Error::Body(error))))),
                // There is no place for trailers.
                Poll::Ready(Some(Ok(frame))) => all.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
            }
            if all.len() > most {
                return Poll::Ready(Ok(Err(RequestError::unsendable(Misuse::Framing.into()))));
            }
        }
    })
    .await
}

/// An exchange under way.
struct Run<'a, C, R> {
    shared: &'a Arc<Shared<C, R>>,
    origin: OriginId,
    id: ConnectionId,
    request: RequestId,
    /// What brings the tunnel to whom the response promised it.
    promise: &'a mut Option<Promise>,
    on_interim: Option<OnInterim>,
    /// What of the request's content is still to be sent.
    body: Option<BoxBody>,
    /// Whether anything of it was read: it can be sent again if not.
    begun: bool,
    feed: Option<Feed>,
    /// How much of the response's content is still to come, where that is known.
    left: Option<u64>,
    /// What completes the response for its reader. It is kept until the dispatcher has the connection back, so that
    /// the reader's next request finds it.
    held: Option<Held>,
    response: Response,
    started: bool,
}

enum Held {
    /// The response, which has no content.
    Response(Box<(Job, http::Response<Incoming>)>),
    /// The last piece of its content.
    Piece(Bytes),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Response {
    Awaited,
    Delivered,
    /// It is not for the application: the dispatcher tries again.
    Discarded,
}

impl<C, R> Run<'_, C, R>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    fn poll(
        &mut self,
        connection: &mut Connection<C::Transport, R>,
        slot: &Slot,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Over>> {
        loop {
            if let Some(closing) = slot.poll_close(cx).filter(|closing| *closing != Closing::Idle) {
                if let (Closing::Late, Some(feed)) = (closing, self.release()) {
                    feed.fail(Error::Io(io::ErrorKind::TimedOut.into()));
                }
                return Poll::Ready(Err(Over::LOCAL));
            }
            if let Err(error) = self.send(connection, cx) {
                return Poll::Ready(Err(self.lost(connection, error)));
            }
            let demand = match &self.feed {
                Some(feed) if self.held.is_none() => feed.demand(cx),
                _ => Demand::Frame,
            };
            let moved = match demand {
                Demand::Nothing => connection.poll_turn(cx).map(|turn| turn.map(|()| None)),
                Demand::Frame | Demand::Dropped => connection.poll_step(cx),
            };
            match moved {
                Poll::Ready(Ok(None)) => {}
                Poll::Ready(Ok(Some(event))) => {
                    if let Some(result) = self.handle(connection, event) {
                        return Poll::Ready(result);
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.lost(connection, error))),
                // The rest of a response that nobody wants is not waited for.
                Poll::Pending if demand == Demand::Dropped => return Poll::Ready(Err(Over::LOCAL)),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// Sends content that there is room for. Not before the head has left: what was not begun can be sent again.
    fn send(&mut self, connection: &mut Connection<C::Transport, R>, cx: &mut Context<'_>) -> Result<(), Error> {
        while let Some(body) = &mut self.body {
            if !connection.machine().awaits_content() {
                self.body = None;
                break;
            }
            let begun = connection.unanswered().is_some_and(|unanswered| unanswered.sent >= Sent::HeadPartly);
            if !begun || !connection.has_room() {
                break;
            }
            let frame = body.as_mut().poll_frame(cx);
            self.begun |= frame.is_ready();
            match frame {
                Poll::Pending => break,
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => connection.write(data)?,
                    Err(frame) => {
                        let trailers = frame.into_trailers().ok().and_then(|map| convert::fields(&map).ok());
                        connection.end(&trailers.unwrap_or_default())?;
                        self.body = None;
                    }
                },
                Poll::Ready(Some(Err(error))) => return Err(Error::Body(error)),
                Poll::Ready(None) => {
                    connection.end(&Fields::new())?;
                    self.body = None;
                }
            }
        }
        Ok(())
    }

    /// Takes in an event; something if the exchange is over with it.
    fn handle(&mut self, connection: &mut Connection<C::Transport, R>, event: Event) -> Option<Result<(), Over>> {
        match event {
            Event::Interim(head) => {
                self.start();
                if let Some(OnInterim(tell)) = &self.on_interim {
                    tell(&head);
                }
            }
            Event::Response(head) => {
                self.start();
                self.deliver(connection, &head);
            }
            Event::Content(bytes) => {
                self.left = self.left.map(|left| left.saturating_sub(bytes.len() as u64));
                match &self.feed {
                    Some(_) if self.left == Some(0) => self.held = Some(Held::Piece(bytes)),
                    Some(feed) => feed.data(bytes),
                    None => {}
                }
            }
            Event::End(trailers) => return Some(self.end(connection, &trailers)),
            Event::Switched => {
                let _ = self.shared.input(Input::Finished(self.request));
                return Some(Err(Over { cause: LostCause::Last, unanswered: None }));
            }
            _ => return Some(Err(Over::LOCAL)),
        }
        None
    }

    fn start(&mut self) {
        if !self.started {
            self.started = true;
            let _ = self.shared.input(Input::ResponseStarted(self.id));
        }
    }

    fn deliver(&mut self, connection: &Connection<C::Transport, R>, head: &ResponseHead) {
        let sent = self.sent(connection.unanswered().map_or(Sent::All, |unanswered| unanswered.sent));
        let status = head.status().as_u16();
        let expecting = status == 417 && self.drop_expectation();
        let wait = if head.fields().contains("retry-after") { head.retry_after(clock::unix()) } else { None };
        let facts = StatusFacts::new(status).sent(sent).retry_after(wait).expecting(expecting);
        let hint = head.keep_alive();
        if hint.timeout.is_some() || hint.max.is_some() {
            let most = hint.max.map(|most| u32::try_from(most).unwrap_or(u32::MAX));
            let _ = self.shared.input(Input::KeepAlive(self.id, hint.timeout.map(Duration::from_secs), most));
        }
        if (head.version() == Version::Http10) != connection.machine().config().persistence.http10_origin {
            self.shared.note_version(self.origin, head.version());
        }
        // What was not begun goes back beforehand: another connection may be sending the request before this returns.
        self.give_back();
        if self.shared.input(Input::Response(self.request, facts)) != Output::Delivery(Delivery::Deliver) {
            self.response = Response::Discarded;
            return;
        }
        self.response = Response::Delivered;
        let (body, feed) = Incoming::new(head.framing());
        self.left = body.size_hint().exact();
        self.feed = feed;
        let Some(mut job) = self.shared.forget(self.request) else { return };
        if let Payload::Stream(_, body) = std::mem::replace(&mut job.payload, Payload::Taken) {
            self.body = Some(body);
        }
        let response = convert::response(head, body).map(|mut response| {
            if connection.machine().is_switching() {
                let (upgrade, promise) = Upgrade::new();
                response.extensions_mut().insert(upgrade);
                *self.promise = Some(promise);
            }
            response
        });
        match response {
            Ok(response) if self.feed.is_none() => self.held = Some(Held::Response(Box::new((job, response)))),
            other => job.reply.complete(other.map_err(RequestError::unsendable)),
        }
    }

    fn end(&mut self, connection: &Connection<C::Transport, R>, trailers: &Fields) -> Result<(), Over> {
        if self.response == Response::Delivered {
            let _ = self.shared.input(Input::Finished(self.request));
        }
        let result = match connection.machine().readiness() {
            Readiness::Idle => {
                let _ = self.shared.input(Input::Ready(self.id));
                Ok(())
            }
            _ => Err(Over { cause: LostCause::Last, unanswered: None }),
        };
        if let Some(feed) = self.release() {
            feed.end(trailers);
        }
        result
    }

    /// How much of the request was sent: content that was read and waits to be sent cannot be read again.
    fn sent(&self, sent: Sent) -> Sent {
        if self.begun && sent == Sent::Head { Sent::ContentPartly } else { sent }
    }

    /// Gives content that was not begun back to its request, which may be sent again.
    fn give_back(&mut self) {
        if self.begun {
            return;
        }
        if let Some(body) = self.body.take() {
            let length = body.size_hint().exact();
            self.shared.with_job(self.request, |job| job.payload = Payload::Stream(length, body));
        }
    }

    /// RFC 9110 §10.1.1: what answers 417 refuses the expectation alone. Whether there was one; without it the request is
    /// sent again, if the dispatcher says so.
    fn drop_expectation(&self) -> bool {
        let dropped = self.shared.with_job(self.request, |job| {
            job.head.fields().contains("expect") && Arc::make_mut(&mut job.head).fields_mut().remove("expect") > 0
        });
        dropped.unwrap_or(false)
    }

    /// The connection is lost with the exchange on it.
    fn lost(&mut self, connection: &Connection<C::Transport, R>, error: Error) -> Over {
        let cause = cause(&error);
        let unanswered = connection.unanswered();
        let mut progress = Progress::NOTHING;
        if let Some(unanswered) = unanswered {
            progress = Progress { sent: unanswered.sent, received: unanswered.received };
        }
        progress.sent = self.sent(progress.sent);
        self.give_back();
        if self.response == Response::Delivered {
            progress.received = Received::Final;
            if let Some(feed) = self.release() {
                feed.fail(error);
            }
        } else if let Error::Body(_) = error {
            if let Some(job) = self.shared.forget(self.request) {
                job.reply.complete(Err(RequestError::body(error)));
            }
            let _ = self.shared.input(Input::Cancel(self.request));
            return Over::LOCAL;
        } else {
            self.shared.with_job(self.request, |job| {
                job.error = Some(error);
                job.progress = Some(progress);
                job.touched -= u32::from(progress.sent == Sent::Nothing);
            });
        }
        Over { cause, unanswered: Some((self.request, progress)) }
    }
}

impl<C, R> Run<'_, C, R> {
    /// Hands out what was kept; the feed, if there is more to say.
    fn release(&mut self) -> Option<Feed> {
        let feed = self.feed.take();
        match (self.held.take(), &feed) {
            (Some(Held::Response(held)), _) => {
                let (job, response) = *held;
                job.reply.complete(Ok(response));
            }
            (Some(Held::Piece(piece)), Some(feed)) => feed.data(piece),
            _ => {}
        }
        feed
    }
}

impl<C, R> Drop for Run<'_, C, R> {
    fn drop(&mut self) {
        // Whatever ends the exchange, a response that was promised is handed out.
        let _ = self.release();
    }
}

/// The dispatcher's word for an error of a connection.
fn cause(error: &Error) -> LostCause {
    match error {
        error if error.is_timeout() => LostCause::TimedOut,
        Error::Protocol(error) if error.reason() == Reason::Truncated => LostCause::Eof,
        Error::Protocol(error) if error.kind() == ErrorKind::Timeout => LostCause::TimedOut,
        Error::Protocol(_) => LostCause::Malformed,
        Error::Closed(Closed::ByPeer | Closed::Unanswered) => LostCause::Eof,
        Error::Closed(Closed::NotPersistent) => LostCause::Last,
        Error::Closed(Closed::Broken) | Error::Io(_) => LostCause::Reset,
        Error::Closed(_) | Error::Misuse(_) | Error::Body(_) => LostCause::Local,
    }
}
