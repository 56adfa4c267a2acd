//! One connection of a client: makes it, carries requests over it, and tells the dispatcher how it goes.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use std::collections::VecDeque;
use std::sync::Arc;

use bytes::BytesMut;
use http_core::client::Readiness;
use http_core::dispatch::{ConnectionId, Input, LostCause, RequestId};
use http_core::{Closed, Content, Misuse, Version};

use super::connection::Connection;
use super::failure::RequestError;
use super::flight::Flight;
use super::job::{Job, Sending};
use super::origin::{Connector, Origin};
use super::payload::{BoxBody, Payload};
use super::pool::Shared;
use super::run::{Loss, Run};
use super::slot::{Order, Slot};
use super::task::Reached;
use crate::error::Error;
use crate::io::Runtime;
use crate::tunnel::{Promise, Tunnel};

/// Makes the connection and carries requests over it; `reached` tells how far it came.
pub(super) async fn carry<C, R>(
    shared: &Arc<Shared<C, R>>,
    id: ConnectionId,
    origin: &Origin,
    slot: &Slot,
    reached: &mut Reached,
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
    reached.made = true;
    let mut promise = None;
    let loss = loop {
        let order = poll_fn(|cx| {
            let order = slot.poll(cx);
            // The transport is looked at after that: the end of the stream may lie there unread, and nobody knows the
            // fate of a request that meets it.
            if connection.poll_readiness(cx) == Readiness::Closing {
                if let Poll::Ready(Order::Send(request)) = order {
                    slot.put_back(request);
                }
                return Poll::Ready(None);
            }
            order.map(Some)
        });
        let request = match order.await {
            Some(Order::Send(request)) => request,
            Some(_) => break Loss::LOCAL,
            None => break Loss::by(LostCause::Eof),
        };
        reached.request = Some(request);
        if let Err(loss) = exchange(shared, &mut connection, slot, id, request, &mut promise).await {
            break loss;
        }
        reached.request = None;
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
    shared.lost(id, loss.cause, loss.unanswered);
}

/// Carries one request; fails when the connection is not to be used any more.
async fn exchange<C, R>(
    shared: &Arc<Shared<C, R>>,
    connection: &mut Connection<C::Transport, R>,
    slot: &Slot,
    id: ConnectionId,
    request: RequestId,
    promise: &mut Option<Promise>,
) -> Result<(), Loss>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    // Otherwise it was cancelled while the order was on its way, and the order to close follows.
    let mut sending = shared.with_job(request, Job::sending).ok_or(Loss::LOCAL)?;
    if connection.machine().peer_version() == Version::Http10 {
        if let Some((Content::Streaming, Some(body))) = &mut sending.payload {
            let most = connection.machine().config().limits.send_buffer;
            match gather(body, most, slot).await? {
                Ok(content) => {
                    shared.with_job(request, |job| job.payload = Payload::Ready(content.clone()));
                    sending.payload = Some((content, None));
                }
                Err(error) => {
                    shared.fail(request, error);
                    return Err(Loss::LOCAL);
                }
            }
        }
    }
    let flight = launch(shared, connection, slot, request, sending)?.ok_or(Loss::LOCAL)?;
    let pipelines = shared.config.dispatch.pipeline_depth > 1;
    let mut run = Run { shared, slot, id, promise, pipelines, flight, behind: VecDeque::new() };
    run.tell_room(connection);
    poll_fn(|cx| run.poll(connection, cx)).await
}

/// Queues a request; `None` if it cannot be sent at all, and has that for its outcome.
pub(super) fn launch<C, R>(
    shared: &Arc<Shared<C, R>>,
    connection: &mut Connection<C::Transport, R>,
    slot: &Slot,
    request: RequestId,
    sending: Sending,
) -> Result<Option<Flight>, Loss>
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    let error = match sending.payload {
        // A stream that was begun cannot be sent again.
        None => RequestError::body(Error::Closed(Closed::Abandoned)),
        Some((content, body)) => match connection.begin(&sending.head, content) {
            Ok(()) => {
                if let Some(most) = sending.response_timeout {
                    connection.limit_response(most);
                }
                return Ok(Some(Flight::new(request, sending.on_interim, body)));
            }
            Err(Error::Misuse(misuse)) => RequestError::unsendable(misuse.into()),
            // The connection ended just now: the request goes on as it came.
            Err(error) => {
                let loss = Loss::by(error.lost_cause());
                shared.with_job(request, |job| job.put_back(body, error));
                slot.put_back(request);
                return Err(loss);
            }
        },
    };
    shared.fail(request, error);
    Ok(None)
}

/// All of a request's content, for an origin that has to be told how long it is: chunks are not for HTTP/1.0 (RFC 9112
/// §6.1). More than `most` bytes are not held for it.
async fn gather(body: &mut BoxBody, most: usize, slot: &Slot) -> Result<Result<Content, RequestError>, Loss> {
    let mut all = BytesMut::new();
    poll_fn(|cx| {
        loop {
            if slot.poll_close(cx).is_some() {
                return Poll::Ready(Err(Loss::LOCAL));
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
