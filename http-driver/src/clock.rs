//! Timers that are set by the core's time, and the date.

use core::cell::Cell;
use core::time::Duration;

use http_core::imf_fixdate;

use crate::io::{Runtime, Timer};
use crate::time::later;
pub(crate) use crate::time::{to_core, to_runtime};

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
