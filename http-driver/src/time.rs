//! The only place where the runtime's time becomes the core's and back.

use core::time::Duration;

pub use given::Instant;
pub(crate) use given::{later, to_core, to_runtime, unix};

/// Far enough to be never, and near enough for the clock of every platform and the timers of every runtime.
const EVER: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

/// Where the standard library has clocks.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod given {
    use std::sync::OnceLock;
    use std::time::{SystemTime, UNIX_EPOCH};

    use super::{Duration, EVER};

    /// The time of a [`Runtime`](crate::Runtime): the standard library's, where that has a clock, else the core's.
    ///
    /// ```
    /// let now: http_driver::Instant = std::time::Instant::now();
    /// assert!(now <= std::time::Instant::now());
    /// ```
    pub type Instant = std::time::Instant;

    /// The instant that the core's time counts from: one for the process, so that machines can be compared.
    fn epoch() -> Instant {
        static EPOCH: OnceLock<Instant> = OnceLock::new();
        // A little before the first look at the clock, so that no instant lies before it.
        *EPOCH.get_or_init(|| Instant::now().checked_sub(Duration::from_secs(1)).unwrap_or_else(Instant::now))
    }

    pub(crate) fn to_core(at: Instant) -> http_core::Instant {
        http_core::Instant::ZERO.saturating_add(at.saturating_duration_since(epoch()))
    }

    pub(crate) fn to_runtime(at: http_core::Instant) -> Instant {
        later(epoch(), at.saturating_since(http_core::Instant::ZERO))
    }

    /// `at` moved by `time`, of which the longest means for ever: the only place where the driver adds to an instant.
    pub(crate) fn later(at: Instant, time: Duration) -> Instant {
        at + time.min(EVER)
    }

    /// Seconds after 1970-01-01T00:00:00Z by the system's clock.
    pub(crate) fn unix() -> Option<u64> {
        Some(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
    }
}

/// Where it has none, the runtime's clock counts as the core does.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod given {
    use super::{Duration, EVER};

    /// The time of a [`Runtime`](crate::Runtime): the standard library's, where that has a clock, else the core's.
    pub type Instant = http_core::Instant;

    pub(crate) const fn to_core(at: Instant) -> Instant {
        at
    }

    pub(crate) const fn to_runtime(at: Instant) -> Instant {
        at
    }

    pub(crate) fn later(at: Instant, time: Duration) -> Instant {
        at.saturating_add(time.min(EVER))
    }

    pub(crate) const fn unix() -> Option<u64> {
        None
    }
}
