//! An executor without threads, a clock that stands still or is moved, and streams between tasks.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use http_core::Outbox;
use http_driver::{Runtime, Timer, Transport};

/// Which operations are ready when they are tried: one bit each, then all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule(Arc<Mutex<Bits>>);

#[derive(Debug, Default)]
struct Bits {
    bits: u64,
    left: u32,
}

impl Schedule {
    /// The first `length` operations are as the bits say.
    pub(crate) fn new(bits: u64, length: u32) -> Self {
        Self(Arc::new(Mutex::new(Bits { bits, left: length })))
    }

    fn is_ready(&self) -> bool {
        let mut bits = self.0.lock().unwrap();
        if bits.left == 0 {
            return true;
        }
        bits.left -= 1;
        let ready = bits.bits & 1 == 1;
        bits.bits >>= 1;
        ready
    }
}

/// One direction of a stream.
#[derive(Debug, Default)]
struct Lane {
    pieces: std::collections::VecDeque<Vec<u8>>,
    /// The other side has ended.
    ended: bool,
    /// Those who found it not ready; woken when the machine's reactor looks.
    reader: Option<Waker>,
    writer: Option<Waker>,
    held: usize,
    /// How often it was tried to read.
    tries: u64,
}

/// The most that a lane holds.
const LANE: usize = 4096;

/// One side of a stream in memory, to look at and to speak through. Whether an operation that could be ready is, when
/// it is tried, the schedule says.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    read: Arc<Mutex<Lane>>,
    write: Arc<Mutex<Lane>>,
    schedule: Schedule,
    /// Bytes for each write.
    most: usize,
}

/// A side as a transport: dropped, it has ended.
#[derive(Debug)]
pub(crate) struct Stream(Side);

fn lock<T>(shared: &Arc<Mutex<T>>) -> MutexGuard<'_, T> {
    shared.lock().unwrap()
}

impl Side {
    /// Two ends of a stream; each write takes as many bytes.
    pub(crate) fn pair(schedule: &Schedule, most: usize) -> (Self, Self) {
        let (up, down) = (Arc::<Mutex<Lane>>::default(), Arc::<Mutex<Lane>>::default());
        let near = Self { read: down.clone(), write: up.clone(), schedule: schedule.clone(), most };
        (near, Self { read: up, write: down, schedule: schedule.clone(), most })
    }

    /// This side as a transport.
    pub(crate) fn stream(&self) -> Stream {
        Stream(self.clone())
    }

    /// Wakes whoever found something not ready, as a reactor does when it looks. False if nobody waits.
    pub(crate) fn react(&self) -> bool {
        let mut wakers = Vec::new();
        for lane in [&self.read, &self.write] {
            let mut lane = lock(lane);
            if !lane.pieces.is_empty() || lane.ended {
                wakers.extend(lane.reader.take());
            }
            if lane.held < LANE {
                wakers.extend(lane.writer.take());
            }
        }
        let any = !wakers.is_empty();
        wakers.into_iter().for_each(Waker::wake);
        any
    }

    /// How often the other side has tried to read.
    pub(crate) fn tries(&self) -> u64 {
        lock(&self.write).tries
    }

    fn take(&self, cx: &Context<'_>, most: usize) -> Poll<Vec<u8>> {
        let ready = self.schedule.is_ready();
        let mut lane = lock(&self.read);
        lane.tries += 1;
        let Some(first) = lane.pieces.front_mut().filter(|_| ready) else {
            if lane.ended && ready {
                return Poll::Ready(Vec::new());
            }
            lane.reader = Some(cx.waker().clone());
            return Poll::Pending;
        };
        let rest = first.split_off(most.min(first.len()));
        let taken = std::mem::replace(first, rest);
        if first.is_empty() {
            lane.pieces.pop_front();
        }
        lane.held -= taken.len();
        Poll::Ready(taken)
    }

    /// Whether anything could be taken.
    fn look(&self, cx: &Context<'_>) -> Poll<()> {
        let ready = self.schedule.is_ready();
        let mut lane = lock(&self.read);
        if ready && (lane.ended || !lane.pieces.is_empty()) {
            return Poll::Ready(());
        }
        lane.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn put(&self, cx: &Context<'_>, bytes: &[u8]) -> Poll<usize> {
        let ready = self.schedule.is_ready();
        let mut lane = lock(&self.write);
        let room = LANE - lane.held;
        if room == 0 || !ready {
            lane.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let some = bytes.len().min(self.most).min(room);
        lane.pieces.push_back(bytes[..some].to_vec());
        lane.held += some;
        Poll::Ready(some)
    }

    /// Says `bytes`, whole, whatever the schedule.
    pub(crate) fn say(&self, bytes: &[u8]) {
        let mut lane = lock(&self.write);
        lane.pieces.push_back(bytes.to_vec());
        lane.held += bytes.len();
    }

    /// Ends this side.
    pub(crate) fn end(&self) {
        lock(&self.write).ended = true;
    }

    /// What the other side said.
    pub(crate) fn heard(&self) -> Vec<u8> {
        let mut lane = lock(&self.read);
        lane.held = 0;
        lane.pieces.drain(..).flatten().collect()
    }
}

impl Transport for Stream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut, most: usize) -> Poll<io::Result<usize>> {
        self.0.take(cx, most).map(|bytes| {
            buffer.extend_from_slice(&bytes);
            Ok(bytes.len())
        })
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.look(cx)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, outbox: &mut Outbox) -> Poll<io::Result<usize>> {
        let mut slices = [&b""[..]; 1];
        let _ = outbox.slices(&mut slices);
        self.0.put(cx, slices[0]).map(Ok)
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.0.schedule.is_ready() {
            lock(&self.0.write).writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        self.0.end();
        Poll::Ready(Ok(()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// A clock that the test moves, and tasks that the stage runs.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    epoch: Instant,
    nanos: Arc<AtomicU64>,
    yields: Arc<AtomicU64>,
    resets: Arc<AtomicU64>,
    looks: Arc<AtomicU64>,
    timers: Arc<Mutex<Vec<(Instant, Waker)>>>,
    /// The date that it says.
    pub(crate) unix: Option<u64>,
}

impl Default for Stage {
    fn default() -> Self {
        let zero = Arc::<AtomicU64>::default;
        Self {
            epoch: Instant::now(),
            nanos: zero(),
            yields: zero(),
            resets: zero(),
            looks: zero(),
            timers: Arc::default(),
            unix: Some(784_111_777),
        }
    }
}

impl Stage {
    /// One that says this date, or none.
    pub(crate) fn at(unix: Option<u64>) -> Self {
        Self { unix, ..Self::default() }
    }

    /// Moves the clock.
    pub(crate) fn pass(&self, time: Duration) {
        self.nanos.fetch_add(u64::try_from(time.as_nanos()).unwrap(), Ordering::SeqCst);
        let now = self.now();
        let due: Vec<_> = {
            let mut timers = self.timers.lock().unwrap();
            let (due, left) = timers.drain(..).partition(|(at, _)| *at <= now);
            *timers = left;
            due
        };
        due.into_iter().for_each(|(_, waker): (_, Waker)| waker.wake());
    }

    /// How often somebody yielded.
    pub(crate) fn yields(&self) -> u64 {
        self.yields.load(Ordering::SeqCst)
    }

    /// How often somebody has looked at the clock.
    pub(crate) fn looks(&self) -> u64 {
        self.looks.load(Ordering::SeqCst)
    }

    /// How often a timer was set anew.
    pub(crate) fn resets(&self) -> u64 {
        self.resets.load(Ordering::SeqCst)
    }
}

thread_local! {
    static SPAWNED: RefCell<Vec<Task>> = const { RefCell::new(Vec::new()) };
}

impl Runtime for Stage {
    type Timer = Alarm;

    fn now(&self) -> Instant {
        self.looks.fetch_add(1, Ordering::SeqCst);
        self.epoch + Duration::from_nanos(self.nanos.load(Ordering::SeqCst))
    }

    fn unix_time(&self) -> Option<u64> {
        self.unix
    }

    fn timer(&self, at: Instant) -> Alarm {
        Alarm { stage: self.clone(), at }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        SPAWNED.with_borrow_mut(|spawned| spawned.push(Task::new(task)));
    }

    fn poll_yield(&self, cx: &mut Context<'_>) {
        self.yields.fetch_add(1, Ordering::SeqCst);
        cx.waker().wake_by_ref();
    }
}

/// A timer of the stage's clock.
#[derive(Debug)]
pub(crate) struct Alarm {
    stage: Stage,
    at: Instant,
}

impl Timer for Alarm {
    fn reset(&mut self, at: Instant) {
        self.stage.resets.fetch_add(1, Ordering::SeqCst);
        self.at = at;
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.stage.now() >= self.at {
            return Poll::Ready(());
        }
        self.stage.timers.lock().unwrap().push((self.at, cx.waker().clone()));
        Poll::Pending
    }
}

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A future, and whether it was woken.
pub(crate) struct Task {
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    woken: Arc<Flag>,
}

impl Task {
    pub(crate) fn new(future: impl Future<Output = ()> + 'static) -> Self {
        let woken = Arc::new(Flag::default());
        woken.0.store(true, Ordering::SeqCst);
        Self { future: Some(Box::pin(future)), woken }
    }

    /// Wakes it for no reason.
    pub(crate) fn wake(&self) {
        self.woken.0.store(true, Ordering::SeqCst);
    }

    pub(crate) const fn is_done(&self) -> bool {
        self.future.is_none()
    }

    /// Polls it if it was woken; whether it was.
    pub(crate) fn run(&mut self) -> bool {
        if self.is_done() || !self.woken.0.swap(false, Ordering::SeqCst) {
            return false;
        }
        let waker = Waker::from(self.woken.clone());
        if let Some(future) = &mut self.future {
            if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                self.future = None;
            }
        }
        true
    }
}

/// The tasks that were spawned since.
pub(crate) fn spawned() -> Vec<Task> {
    SPAWNED.take()
}

/// Runs the tasks, and those that they spawn, until the first `needed` of them are done. Each round polls those that
/// were woken; when nobody was, the reactor of the streams looks.
///
/// # Panics
/// If all sleep and nothing will wake them: a wake-up was lost.
pub(crate) fn run(tasks: Vec<Task>, needed: usize, sides: &[&Side], told: &dyn std::fmt::Debug) {
    run_on(tasks, needed, &mut || sides.iter().copied().cloned().collect(), told);
}

/// The same over streams that are made meanwhile.
pub(crate) fn run_on(
    mut tasks: Vec<Task>,
    needed: usize,
    sides: &mut dyn FnMut() -> Vec<Side>,
    told: &dyn std::fmt::Debug,
) {
    for _ in 0..100_000 {
        tasks.extend(spawned());
        let mut ran = false;
        for task in &mut tasks {
            ran |= task.run();
        }
        if tasks[..needed].iter().all(Task::is_done) && SPAWNED.with_borrow(Vec::is_empty) {
            return;
        }
        if !ran && SPAWNED.with_borrow(Vec::is_empty) {
            let mut woken = false;
            for side in sides() {
                woken |= side.react();
            }
            assert!(woken, "everybody sleeps, {told:?}: {:?}", sides());
        }
    }
    panic!("no end, {told:?}");
}
