//! The only place where the runtime's time becomes the core's and back, and where the date is made.

use core::cell::Cell;
use core::time::Duration;

use http_core::imf_fixdate;

use crate::io::{Runtime, Timer};
pub use time::Instant;
use time::later;
pub(crate) use time::{to_core, to_runtime, unix};

/// Far enough to be never, and near enough for the clock of every platform and the timers of every runtime.
const EVER: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

/// Where the standard library has clocks.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod time {
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
    pub(super) fn later(at: Instant, time: Duration) -> Instant {
        at + time.min(EVER)
    }

    /// Seconds after 1970-01-01T00:00:00Z by the system's clock.
    pub(crate) fn unix() -> Option<u64> {
        Some(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
    }
}

/// Where it has none, the runtime's clock counts as the core does.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod time {
    use super::{Duration, EVER};

    /// The time of a [`Runtime`](crate::Runtime): the standard library's, where that has a clock, else the core's.
    pub type Instant = http_core::Instant;

    pub(crate) const fn to_core(at: Instant) -> Instant {
        at
    }

    pub(crate) const fn to_runtime(at: Instant) -> Instant {
        at
    }

    pub(super) fn later(at: Instant, time: Duration) -> Instant {
        at.saturating_add(time.min(EVER))
    }

    pub(crate) const fn unix() -> Option<u64> {
        None
    }
}

/// A timer that fires when `time` has passed, which may be for ever.
pub(crate) fn timer<R: Runtime>(runtime: &R, time: Duration) -> R::Timer {
    runtime.timer(later(runtime.now(), time))
}

/// A timer that fires at `at`: the one that is there, set anew, or a new one.
pub(crate) fn set<'a, R: Runtime>(
    timer: &'a mut Option<R::Timer>,
    runtime: &R,
    at: http_core::Instant,
) -> &'a mut R::Timer {
    let at = to_runtime(at);
    match timer {
        Some(timer) => {
            timer.reset(at);
            timer
        }
        None => timer.insert(runtime.timer(at)),
    }
}

/// No date: what the core does not send (RFC 9110 §6.6.1).
pub(crate) const NO_DATE: [u8; 29] = [0; 29];

/// How long a value of `Date` is good for, by number: about half a second of `now`.
pub(crate) const fn dated(now: http_core::Instant) -> u64 {
    now.as_nanos() >> 29
}

/// The value of `Date`, made anew at most once in that time in each thread.
pub(crate) fn date<R: Runtime>(runtime: &R, now: http_core::Instant) -> [u8; 29] {
    thread_local! {
        static LAST: Cell<(u64, [u8; 29])> = const { Cell::new((u64::MAX, NO_DATE)) };
    }
    LAST.with(|last| {
        let (made, date) = last.get();
        if made == dated(now) {
            return date;
        }
        let date = runtime.unix_time().map_or(NO_DATE, imf_fixdate);
        last.set((dated(now), date));
        date
    })
}
