//! The task of one connection, which may fall.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use http_core::client::Sent;
use http_core::dispatch::{ConnectCause, ConnectionId, Input, LostCause, Progress, Received, RequestId};

use super::carrier::carry;
use super::origin::{Connector, Origin};
use super::pool::Shared;
use super::slot::Slot;
use crate::io::Runtime;

/// How far a connection had come when its task panicked.
#[derive(Default)]
pub(super) struct Reached {
    pub(super) made: bool,
    pub(super) request: Option<RequestId>,
}

/// What the application brings along can panic: a body, a callback, a resolver. The dispatcher hears of the connection
/// that went down with it all the same, so that its request has an outcome and its place is free.
pub(super) async fn run<C, R>(shared: Arc<Shared<C, R>>, id: ConnectionId, origin: Arc<Origin>, slot: Arc<Slot>)
where
    C: Connector,
    R: Runtime + Send + Sync + 'static,
    R::Timer: Send,
{
    let mut reached = Reached::default();
    let panicked = {
        let mut carrying = pin!(carry(&shared, id, &origin, &slot, &mut reached));
        poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| carrying.as_mut().poll(cx))) {
            Ok(carried) => carried.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        })
        .await
    };
    let Err(panic) = panicked else { return };
    if reached.made {
        // Those that were sent behind it are not named: they were sent in full, for all that is known.
        let unanswered = reached.request.into_iter().map(|request| {
            // A request whose response was handed out is not kept any more. Of another one, nobody knows how far it
            // came.
            let waits = shared.with_job(request, |_| ()).is_some();
            let received = if waits { Received::Nothing } else { Received::Final };
            (request, Progress { sent: Sent::ContentPartly, received })
        });
        shared.lost(id, LostCause::Crashed, unanswered.collect());
    } else {
        shared.leave(id);
        let _ = shared.input(Input::ConnectFailed(id, ConnectCause::Misconfigured));
    }
    resume_unwind(panic)
}
