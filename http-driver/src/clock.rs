//! The only place where the runtime's time becomes the core's and back, and where the date is made.

use core::cell::Cell;
use core::time::Duration;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use http_core::imf_fixdate;

use crate::io::{Runtime, Timer};

/// The instant that the core's time counts from: one for the process, so that machines can be compared.
fn epoch() -> Instant {
    static EPOCH: OnceLock<Instant> = OnceLock::new();
    // A little before the first look at the clock, so that no instant lies before it.
    *EPOCH.get_or_init(|| Instant::now().checked_sub(Duration::from_secs(1)).unwrap_or_else(Instant::now))
}

pub(crate) fn to_core(at: Instant) -> http_core::Instant {
    http_core::Instant::ZERO.saturating_add(at.saturating_duration_since(epoch()))
}

/// Far enough to be never, and near enough for the clock of every platform and the timers of every runtime.
const EVER: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);

pub(crate) fn to_runtime(at: http_core::Instant) -> Instant {
    later(epoch(), at.saturating_since(http_core::Instant::ZERO))
}

/// `at` moved by `time`, of which the longest means for ever: the only place where the driver adds to an instant.
fn later(at: Instant, time: Duration) -> Instant {
    at + time.min(EVER)
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

/// How long a value of `Date` is good for, by number: about half a second of `now`.
pub(crate) const fn dated(now: http_core::Instant) -> u64 {
    now.as_nanos() >> 29
}

/// The value of `Date`, made anew at most once in that time in each thread.
pub(crate) fn date(now: http_core::Instant) -> [u8; 29] {
    thread_local! {
        static LAST: Cell<(u64, [u8; 29])> = const { Cell::new((u64::MAX, [b' '; 29])) };
    }
    LAST.with(|last| {
        let (made, date) = last.get();
        if made == dated(now) {
            return date;
        }
        let date = imf_fixdate(unix());
        last.set((dated(now), date));
        date
    })
}

/// Seconds after 1970-01-01T00:00:00Z by the system's clock.
pub(crate) fn unix() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
