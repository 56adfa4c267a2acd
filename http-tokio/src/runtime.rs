//! tokio's clock, timers and tasks.

use core::future::Future;
use core::hash::{Hash, Hasher};
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;
use std::time::Instant;

use http_driver::{Runtime, RuntimeId, Timer};
use tokio::time::Sleep;

/// tokio as a [`Runtime`]. Used inside of it.
///
/// ```
/// use http_tokio::Runtime;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let runtime = http_tokio::TokioRuntime;
/// assert!(runtime.now() <= runtime.now());
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioRuntime;

impl Runtime for TokioRuntime {
    type Timer = TokioTimer;

    fn now(&self) -> Instant {
        // tokio's clock, so that a paused one in a test is obeyed.
        tokio::time::Instant::now().into_std()
    }

    fn timer(&self, at: Instant) -> TokioTimer {
        TokioTimer(Box::pin(tokio::time::sleep_until(with_room(at))))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(tokio::spawn(task));
    }

    fn current(&self) -> Option<RuntimeId> {
        let handle = tokio::runtime::Handle::try_current().ok()?;
        let mut number = Number(0);
        handle.id().hash(&mut number);
        Some(RuntimeId::new(number.0))
    }

    fn poll_yield(&self, cx: &mut Context<'_>) {
        // A task that wakes itself comes again before tokio looks at its sockets, up to 60 times; one that yields so
        // comes after. The future has done its part with the first poll.
        let _ = pin!(tokio::task::yield_now()).poll(cx);
    }
}

/// The number that tokio tells its runtimes apart by, which it shows to hashers alone.
struct Number(u64);

impl Hasher for Number {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// tokio rounds an instant up to a millisecond, for which the clock has no room at its end.
fn with_room(at: Instant) -> tokio::time::Instant {
    let rounded = Duration::from_millis(1);
    if at.checked_add(rounded).is_some() { at.into() } else { (at - rounded).into() }
}

/// A timer of tokio's.
///
/// ```
/// use http_tokio::Runtime;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let runtime = http_tokio::TokioRuntime;
/// let timer = runtime.timer(runtime.now());
/// assert!(format!("{timer:?}").starts_with("TokioTimer"));
/// # });
/// ```
#[derive(Debug)]
pub struct TokioTimer(Pin<Box<Sleep>>);

impl Timer for TokioTimer {
    fn reset(&mut self, at: Instant) {
        self.0.as_mut().reset(with_room(at));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}
