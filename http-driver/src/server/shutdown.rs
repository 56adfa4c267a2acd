//! Ending many connections in order.

use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tells connections to end after what they are doing, and knows how many there are. A cheap handle.
///
/// ```
/// use http_driver::server::Shutdown;
/// let shutdown = Shutdown::new();
/// let watched = shutdown.watch();
/// assert_eq!(shutdown.connections(), 1);
/// shutdown.begin();
/// assert!(watched.has_begun());
/// drop(watched);
/// assert_eq!(shutdown.connections(), 0);
/// ```
#[derive(Clone, Default)]
pub struct Shutdown(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    begun: bool,
    connections: usize,
    /// One slot for each watcher that waits; the free ones are reused.
    waiting: Vec<Option<Waker>>,
    free: Vec<usize>,
    drained: Vec<Waker>,
}

impl Shutdown {
    /// A handle that nothing watches yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells all who watch, now and later.
    pub fn begin(&self) {
        let mut state = lock(&self.0);
        state.begun = true;
        let waiting: Vec<_> = state.waiting.iter_mut().filter_map(Option::take).collect();
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// How many connections are watched for.
    #[must_use]
    pub fn connections(&self) -> usize {
        lock(&self.0).connections
    }

    /// Counts a connection and lets it see the begin.
    #[must_use]
    pub fn watch(&self) -> Watch {
        let mut state = lock(&self.0);
        state.connections += 1;
        let slot = state.free.pop().unwrap_or_else(|| {
            state.waiting.push(None);
            state.waiting.len() - 1
        });
        Watch { shared: self.0.clone(), slot }
    }

    /// Waits until no connection is left.
    ///
    /// # Cancellation
    /// Safe.
    pub async fn drained(&self) {
        poll_fn(|cx| {
            let mut state = lock(&self.0);
            if state.connections == 0 {
                return Poll::Ready(());
            }
            state.drained.push(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = lock(&self.0);
        f.debug_struct("Shutdown").field("begun", &state.begun).field("connections", &state.connections).finish()
    }
}

/// One connection's view of a [`Shutdown`].
///
/// ```
/// let watch = http_driver::server::Shutdown::new().watch();
/// assert!(!watch.has_begun());
/// ```
pub struct Watch {
    shared: Arc<Mutex<State>>,
    slot: usize,
}

impl Watch {
    /// Whether the shutdown has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        lock(&self.shared).begun
    }

    /// Waits until the shutdown begins.
    ///
    /// # Cancellation
    /// Safe.
    pub async fn begun(&self) {
        poll_fn(|cx| self.poll_begun(cx)).await;
    }

    /// [`begun`](Self::begun), as a poll.
    pub fn poll_begun(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.shared);
        if state.begun {
            return Poll::Ready(());
        }
        match &mut state.waiting[self.slot] {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            slot => *slot = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = lock(&self.shared);
        state.connections -= 1;
        state.waiting[self.slot] = None;
        state.free.push(self.slot);
        let drained = if state.connections == 0 { core::mem::take(&mut state.drained) } else { Vec::new() };
        drop(state);
        drained.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("begun", &self.has_begun()).finish()
    }
}

/// Nothing that runs under the lock can panic, so a poisoned one is as good as any.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
