//! Timers of `async-io`, the reactor that async-std and smol share.

use core::pin::Pin;
use core::task::{Context, Poll};
use std::time::Instant;

use http_driver::Timer;

/// A timer of `async-io`'s.
///
/// ```
/// use std::time::Instant;
/// use http_async_std::Timer;
/// let mut timer = http_async_std::AsyncIoTimer::new(Instant::now());
/// timer.reset(Instant::now());
/// ```
#[derive(Debug)]
pub struct AsyncIoTimer(async_io::Timer);

impl AsyncIoTimer {
    /// A timer that fires at `at`.
    #[must_use]
    pub fn new(at: Instant) -> Self {
        Self(async_io::Timer::at(at))
    }
}

impl Timer for AsyncIoTimer {
    fn reset(&mut self, at: Instant) {
        self.0.set_at(at);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        core::future::Future::poll(Pin::new(&mut self.0), cx).map(drop)
    }
}

/// async-std as a runtime.
///
/// ```
/// use http_async_std::Runtime;
/// let runtime = http_async_std::AsyncStdRuntime;
/// assert!(runtime.now() <= runtime.now());
/// ```
#[cfg(feature = "async-std")]
#[cfg_attr(docsrs, doc(cfg(feature = "async-std")))]
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStdRuntime;

#[cfg(feature = "async-std")]
impl http_driver::Runtime for AsyncStdRuntime {
    type Timer = AsyncIoTimer;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn timer(&self, at: Instant) -> AsyncIoTimer {
        AsyncIoTimer::new(at)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        drop(async_std::task::spawn(task));
    }
}
