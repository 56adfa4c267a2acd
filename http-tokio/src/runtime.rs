//! tokio's clock, timers and tasks.

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};
use core::time::Duration;
use std::time::Instant;

use http_driver::{Runtime, Timer};
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

    fn poll_yield(&self, cx: &mut Context<'_>) {
        // A task that wakes itself comes again before tokio looks at its sockets, up to 60 times; one that yields so
        // comes after. The future has done its part with the first poll.
        let _ = pin!(tokio::task::yield_now()).poll(cx);
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
