//! Ending many connections in order.

use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use http_core::Instant;

use super::rests::Rests;
use crate::lock::lock;
use crate::tunnel::Line;

/// Tells connections to end after what they are doing, and knows how many there are and what they do: the live counts
/// of a server. A cheap handle.
///
/// Idle connections end at once. A request whose head has begun to come is still served, and its answer says
/// `Connection: close`. What a connection was handed over for, a [`Tunnel`](crate::Tunnel), knows nothing of HTTP's
/// ends: its application learns that the shutdown has begun from a handle that it [`follow`](Self::follow)s, and
/// [`cut`](Self::cut) ends it.
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
pub struct Shutdown(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// A [`Stage`]. Set under the lock, so that whoever registers meanwhile is woken; read without it.
    stage: AtomicU8,
    /// Exchanges that are open.
    exchanges: AtomicUsize,
    /// Exchanges so far.
    served: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connections: usize,
    /// Those of them that were handed over, by the slots of their watches.
    tunnels: BTreeMap<usize, Arc<Line>>,
    /// Places that are kept for connections which are being accepted.
    reserved: usize,
    /// One slot for each watcher that waits; the free ones are reused.
    waiting: Vec<Option<Waker>>,
    free: Vec<usize>,
    rests: Rests,
    /// Those that wait until there are fewer.
    fewer: Vec<Waker>,
}

impl Shutdown {
    /// A handle that nothing watches yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells all who watch, now and later: they end after what they are doing.
    pub fn begin(&self) {
        self.reach(Stage::Begun);
    }

    /// Ends all who watch at once, whatever they are doing. The transports of tunnels are dropped before this returns.
    pub fn cut(&self) {
        self.reach(Stage::Cut);
    }

    fn reach(&self, stage: Stage) {
        let state = self.0.lock();
        self.0.stage.fetch_max(stage as u8, Ordering::Release);
        // They stay registered for the next stage.
        let waiting: Vec<_> = state.waiting.iter().flatten().cloned().collect();
        let tunnels: Vec<_> = if stage == Stage::Cut { state.tunnels.values().cloned().collect() } else { Vec::new() };
        drop(state);
        tunnels.iter().for_each(|line| line.cut());
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Whether [`begin`](Self::begin) was called.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.0.has_begun()
    }

    /// How many connections are watched for, tunnels among them.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.lock().connections
    }

    /// How many of them speak another protocol: from the hand-over until the [`Tunnel`](crate::Tunnel) is dropped.
    #[must_use]
    pub fn tunnels(&self) -> usize {
        self.0.lock().tunnels.len()
    }

    /// How many of them have a request that is not answered to its end.
    #[must_use]
    pub fn exchanges(&self) -> usize {
        self.0.exchanges.load(Ordering::Relaxed)
    }

    /// How many requests there were so far.
    #[must_use]
    pub fn served(&self) -> u64 {
        self.0.served.load(Ordering::Relaxed)
    }

    /// Counts a connection and lets it see the begin.
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.slot(true)
    }

    /// Lets somebody see the begin who is no connection, and does not count as one: the handler of a WebSocket that
    /// would say goodbye, a job beside the server.
    ///
    /// ```
    /// use http_driver::Tunnel;
    /// use http_driver::server::Shutdown;
    ///
    /// /// Says goodbye on an open tunnel when the server is about to end.
    /// async fn goodbye(shutdown: Shutdown, mut tunnel: Tunnel) -> std::io::Result<()> {
    ///     shutdown.follow().begun().await;
    ///     tunnel.write("goodbye").await?;
    ///     tunnel.end().await
    /// }
    /// ```
    #[must_use]
    pub fn follow(&self) -> Watch {
        self.slot(false)
    }

    fn slot(&self, counted: bool) -> Watch {
        let mut state = self.0.lock();
        state.connections += usize::from(counted);
        let slot = state.slot();
        Watch { shared: self.0.clone(), slot, registered: None, counted, open: false }
    }

    /// A place for a connection that is about to be accepted, if fewer than `most` are taken; otherwise the task is
    /// woken when one is free. Whoever waits for a connection holds no place meanwhile: it could keep others from
    /// theirs.
    pub(super) fn reserve(&self, most: usize, cx: &Context<'_>) -> Room {
        let mut state = self.0.lock();
        if state.connections + state.reserved < most {
            state.reserved += 1;
            return Room::Free(Place(Some(self.0.clone())));
        }
        state.register(cx);
        if state.connections < most { Room::Soon } else { Room::Full }
    }

    /// Waits until no connection is left, and no tunnel.
    ///
    /// # Cancellation
    /// Safe.
    pub async fn drained(&self) {
        poll_fn(|cx| self.poll_fewer(1, cx)).await;
    }

    /// Whether fewer than `most` connections are watched for; the task is woken when there is one less.
    fn poll_fewer(&self, most: usize, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        if state.connections < most {
            return Poll::Ready(());
        }
        state.register(cx);
        Poll::Pending
    }

    /// Whether no connection speaks HTTP any more; the task is woken when there is one less.
    pub(super) fn poll_only_tunnels(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        if state.connections <= state.tunnels.len() {
            return Poll::Ready(());
        }
        state.register(cx);
        Poll::Pending
    }
}

/// Connections that rest.
impl Shutdown {
    /// Somebody will wake those of them whose time has come.
    pub(super) fn engage(&self) -> u64 {
        self.0.lock().rests.engage()
    }

    /// It does not any more: another one sees to that, or each of them by itself.
    pub(super) fn dismiss(&self, id: u64) {
        let mut state = self.0.lock();
        let (others, left) = state.rests.dismiss(id);
        let left = state.wakers(&left);
        drop(state);
        others.into_iter().chain(left).for_each(Waker::wake);
    }

    /// Wakes them, for this keeper; when to look again, if anything is there to look at.
    pub(super) fn look(&self, id: u64, now: Instant, cx: &Context<'_>) -> Option<Instant> {
        let mut state = self.0.lock();
        let (due, next) = state.rests.look(id, now, cx);
        let due = state.wakers(&due);
        drop(state);
        due.into_iter().for_each(Waker::wake);
        next
    }
}

impl State {
    /// Those who wait in these slots.
    fn wakers(&self, slots: &[usize]) -> Vec<Waker> {
        slots.iter().filter_map(|slot| self.waiting.get(*slot)?.clone()).collect()
    }

    fn slot(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.waiting.push(None);
            self.waiting.len() - 1
        })
    }

    /// The task is woken when there is a connection less, or a place.
    fn register(&mut self, cx: &Context<'_>) {
        if !self.fewer.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.fewer.push(cx.waker().clone());
        }
    }
}

/// Whether there is a place for another connection.
pub(super) enum Room {
    Free(Place),
    /// One may be given back: it is kept for a connection that is being accepted.
    Soon,
    Full,
}

/// A place that is kept for a connection. Dropped, it is given back.
pub(super) struct Place(Option<Arc<Shared>>);

impl Place {
    /// The connection is there.
    pub(super) fn take(mut self) -> Option<Watch> {
        let shared = self.0.take()?;
        let mut state = shared.lock();
        state.reserved -= 1;
        state.connections += 1;
        let slot = state.slot();
        // Whoever thought that this place might be given back learns that it will not.
        let fewer = core::mem::take(&mut state.fewer);
        drop(state);
        fewer.into_iter().for_each(Waker::wake);
        Some(Watch { shared, slot, registered: None, counted: true, open: false })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(shared) = &self.0 else { return };
        let mut state = shared.lock();
        state.reserved -= 1;
        let fewer = core::mem::take(&mut state.fewer);
        drop(state);
        fewer.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.0.lock();
        f.debug_struct("Shutdown")
            .field("begun", &self.0.has_begun())
            .field("connections", &state.connections)
            .field("tunnels", &state.tunnels.len())
            .field("exchanges", &self.exchanges())
            .finish()
    }
}

/// How far a shutdown is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Open,
    /// Connections end after what they are doing.
    Begun,
    /// They end at once.
    Cut,
}

/// One connection's view of a [`Shutdown`].
///
/// ```
/// let watch = http_driver::server::Shutdown::new().watch();
/// assert!(!watch.has_begun());
/// ```
pub struct Watch {
    shared: Arc<Shared>,
    slot: usize,
    /// What the slot holds, so that a task that polls again need not look.
    registered: Option<Waker>,
    counted: bool,
    /// Whether an exchange of this connection counts as open.
    open: bool,
}

impl Watch {
    /// Whether the shutdown has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.shared.has_begun()
    }

    /// Waits until the shutdown begins.
    ///
    /// # Cancellation
    /// Safe.
    pub async fn begun(&mut self) {
        poll_fn(|cx| self.poll_begun(cx)).await;
    }

    /// [`begun`](Self::begun), as a poll. Takes no lock when the same task polls again.
    pub fn poll_begun(&mut self, cx: &Context<'_>) -> Poll<()> {
        match self.stage(cx) {
            Stage::Open => Poll::Pending,
            Stage::Begun | Stage::Cut => Poll::Ready(()),
        }
    }

    /// How far the shutdown is; the task is woken when it is at another stage.
    #[inline]
    pub(super) fn stage(&mut self, cx: &Context<'_>) -> Stage {
        match &self.registered {
            Some(waker) if waker.will_wake(cx.waker()) => self.shared.stage(),
            _ => self.register(cx),
        }
    }

    #[cold]
    fn register(&mut self, cx: &Context<'_>) -> Stage {
        let mut state = self.shared.lock();
        state.waiting[self.slot] = Some(cx.waker().clone());
        let stage = self.shared.stage();
        drop(state);
        self.registered = Some(cx.waker().clone());
        stage
    }
}

impl Watch {
    /// The connection rests until then at the latest. True: the task that the [stage](Self::stage) was told to last is
    /// woken then, or a little later. False: nobody keeps that in mind.
    pub(super) fn rest(&self, due: Instant) -> bool {
        let mut state = self.shared.lock();
        let Some(keepers) = state.rests.rest(self.slot, due) else { return false };
        drop(state);
        keepers.into_iter().for_each(Waker::wake);
        true
    }

    /// A request was read.
    pub(super) fn begin_exchange(&mut self) {
        self.shared.served.fetch_add(1, Ordering::Relaxed);
        if !core::mem::replace(&mut self.open, true) {
            self.shared.exchanges.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The connection speaks another protocol from here, over this line: it counts as a tunnel, and a cut ends it.
    pub(crate) fn hand_over(&mut self, line: &Arc<Line>) {
        self.end_exchange();
        self.registered = None;
        let mut state = self.shared.lock();
        state.connections += usize::from(!core::mem::replace(&mut self.counted, true));
        state.waiting[self.slot] = None;
        state.rests.forget(self.slot);
        state.tunnels.insert(self.slot, line.clone());
        let fewer = core::mem::take(&mut state.fewer);
        let cut = self.shared.stage() == Stage::Cut;
        drop(state);
        fewer.into_iter().for_each(Waker::wake);
        if cut {
            line.cut();
        }
    }

    /// Whether everything is to end at once.
    pub(crate) fn is_cut(&self) -> bool {
        self.shared.stage() == Stage::Cut
    }

    /// It is answered, or will not be.
    pub(super) fn end_exchange(&mut self) {
        if core::mem::replace(&mut self.open, false) {
            self.shared.exchanges.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end_exchange();
        let mut state = self.shared.lock();
        state.connections -= usize::from(self.counted);
        state.waiting[self.slot] = None;
        state.rests.forget(self.slot);
        state.free.push(self.slot);
        let line = state.tunnels.remove(&self.slot);
        let fewer = core::mem::take(&mut state.fewer);
        drop(state);
        // With it the transport may go, whose code is not ours.
        drop(line);
        fewer.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("begun", &self.has_begun()).finish()
    }
}

impl Shared {
    #[inline]
    fn stage(&self) -> Stage {
        match self.stage.load(Ordering::Acquire) {
            0 => Stage::Open,
            1 => Stage::Begun,
            _ => Stage::Cut,
        }
    }

    fn has_begun(&self) -> bool {
        self.stage() >= Stage::Begun
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_task_that_polls_again_takes_no_lock_and_is_woken() {
        let shutdown = Shutdown::new();
        let mut watch = shutdown.watch();
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let cx = Context::from_waker(&waker);
        assert!(watch.poll_begun(&cx).is_pending());
        // Held here, so that a second lock would wait for ever.
        let held = shutdown.0.lock();
        assert!(watch.poll_begun(&cx).is_pending());
        drop(held);
        shutdown.begin();
        assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        assert!(watch.poll_begun(&cx).is_ready());
    }

    #[test]
    fn whoever_waits_for_a_place_learns_what_becomes_of_it() {
        let shutdown = Shutdown::new();
        for taken in [false, true] {
            let woken = Arc::new(Woken::default());
            let waker = Waker::from(woken.clone());
            let cx = Context::from_waker(&waker);
            let Room::Free(place) = shutdown.reserve(1, &cx) else { panic!("no place") };
            assert!(matches!(shutdown.reserve(1, &cx), Room::Soon));
            assert_eq!(shutdown.connections(), 0, "a place is no connection");
            let watch = if taken {
                place.take()
            } else {
                drop(place);
                None
            };
            assert_eq!(woken.0.load(Ordering::SeqCst), 1);
            if taken {
                assert!(matches!(shutdown.reserve(1, &cx), Room::Full));
                drop(watch);
                assert_eq!(woken.0.load(Ordering::SeqCst), 2);
            }
            assert!(matches!(shutdown.reserve(1, &cx), Room::Free(_)));
        }
    }

    #[test]
    fn a_watch_that_moved_to_another_task_wakes_that_one() {
        let shutdown = Shutdown::new();
        let mut watch = shutdown.watch();
        let tasks = [Arc::new(Woken::default()), Arc::new(Woken::default())];
        for task in &tasks {
            assert!(watch.poll_begun(&Context::from_waker(&Waker::from(task.clone()))).is_pending());
        }
        shutdown.begin();
        assert_eq!(tasks.map(|task| task.0.load(Ordering::SeqCst)), [0, 1]);
    }
}
