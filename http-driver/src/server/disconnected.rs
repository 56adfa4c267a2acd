//! The end of a client, seen by the handler of its request.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex};

use http_core::End;

use crate::lock::lock;

/// A future that is ready when the client has ended the connection, or its sending side, while its request is being
/// answered: with how; or with `None` when the exchange is over first. Among the extensions of requests if
/// [`Options::disconnected`](super::Options::disconnected) says so.
///
/// The end is seen behind bytes that nobody has read yet, of content or of further requests, up to
/// `Limits::read_ahead` of them. A client that is reset is gone; one that ended its side in order may only be done
/// with sending, and may wait for its answer.
///
/// ```
/// use http_driver::Incoming;
/// use http_driver::server::Disconnected;
///
/// async fn patient(request: http::Request<Incoming>) {
///     if let Some(gone) = request.extensions().get::<Disconnected>().cloned() {
///         println!("ended: {:?}", gone.await);
///     }
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Disconnected(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    end: Option<Option<End>>,
    waiting: Vec<Waker>,
}

impl Future for Disconnected {
    type Output = Option<End>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<End>> {
        let mut state = lock(&self.0);
        if let Some(end) = state.end {
            return Poll::Ready(end);
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// The connection's side of it: dropped, the exchange is over.
#[derive(Debug, Default)]
pub(super) struct Notice(Disconnected);

impl Notice {
    pub(super) fn future(&self) -> Disconnected {
        self.0.clone()
    }

    /// Tells the end, once.
    pub(super) fn tell(&self, end: Option<End>) {
        let mut state = lock(&self.0.0);
        state.end.get_or_insert(end);
        let waiting = core::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        self.tell(None);
    }
}
