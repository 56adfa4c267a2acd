//! The side of a hand-over that waits for the tunnel.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex};

use http_core::{Closed, Phase};

use super::stream::Tunnel;
use crate::error::Error;
use crate::lock::lock;
use crate::server::{Fault, Observed};

/// A hand-over that may come: a future that is ready with the [`Tunnel`] when the connection has been handed over.
///
/// On a server it is among the extensions of each request that offers an upgrade and of each `CONNECT`; it comes true
/// after the service has answered with 101, or with 2xx to `CONNECT`, so it is waited for in a task of its own. On a
/// client it is among the extensions of such a response. Clones share the one tunnel: the first that is ready has it.
///
/// With the feature `hyper-compat` the same requests of a server carry hyper's `OnUpgrade`, for what was written for
/// hyper: axum's `WebSocketUpgrade`, `hyper::upgrade::on`. There is still one tunnel. Whoever waits here when it comes
/// has it, and the `OnUpgrade` fails; otherwise that one is ready, and has the tunnel once it is read or written.
///
/// # Errors
/// The response did not hand the connection over, the connection failed before it could, or another clone has it.
///
/// ```
/// use http_driver::{Full, Incoming, Runtime, Upgrade};
///
/// async fn echo<R: Runtime>(runtime: R, request: http::Request<Incoming>) -> http::Response<Full> {
///     let mut response = http::Response::new(Full::default());
///     if let Some(upgrade) = request.extensions().get::<Upgrade>().cloned() {
///         runtime.spawn(async move {
///             if let Ok(mut tunnel) = upgrade.await {
///                 let _ = tunnel.write("hello").await;
///                 let _ = tunnel.end().await;
///             }
///         });
///         *response.status_mut() = http::StatusCode::SWITCHING_PROTOCOLS;
///         response.headers_mut().insert("upgrade", http::HeaderValue::from_static("hello"));
///     }
///     response
/// }
/// ```
#[derive(Clone)]
pub struct Upgrade(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    outcome: Option<Result<Tunnel, Error>>,
    settled: bool,
    waiting: Vec<Waker>,
    /// Is told if nobody takes the tunnel.
    observed: Option<Box<Observed>>,
}

impl Drop for State {
    fn drop(&mut self) {
        if let (Some(observed), Some(Ok(_))) = (&self.observed, &self.outcome) {
            observed.tell(Fault::NotTaken, None, Phase::Idle);
        }
    }
}

impl Upgrade {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// Has somebody told if nobody takes the tunnel.
    pub(super) fn observe(&self, observed: Option<Box<Observed>>) {
        lock(&self.0).observed = observed;
    }

    /// Tells whoever waits; whether anybody did.
    pub(super) fn settle(&self, outcome: Option<Result<Tunnel, Error>>) -> bool {
        let mut state = lock(&self.0);
        if !state.settled {
            state.settled = true;
            state.outcome = outcome;
        }
        let waiting = core::mem::take(&mut state.waiting);
        drop(state);
        let awaited = !waiting.is_empty();
        waiting.into_iter().for_each(Waker::wake);
        awaited
    }

    /// Whether it is known what became of it.
    #[cfg(feature = "hyper-compat")]
    pub(super) fn is_settled(&self) -> bool {
        lock(&self.0).settled
    }
}

impl Future for Upgrade {
    type Output = Result<Tunnel, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = lock(&self.0);
        match state.outcome.take() {
            Some(outcome) => Poll::Ready(outcome),
            None if state.settled => Poll::Ready(Err(Error::Closed(Closed::Abandoned))),
            None => {
                if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                    state.waiting.push(cx.waker().clone());
                }
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upgrade").finish_non_exhaustive()
    }
}
