//! How long to wait before the next attempt: a pure function.

use core::time::Duration;

/// The waiting times between attempts: `initial`, doubled each time, never above `cap`.
///
/// ```
/// use core::time::Duration;
/// use http_core::dispatch::{Backoff, delay};
///
/// let backoff = Backoff::new(Duration::from_millis(600), Duration::from_secs(2));
/// let series: Vec<u128> = (0..4).map(|n| delay(&backoff, n, 0).as_millis()).collect();
/// assert_eq!(series, [600, 1200, 2000, 2000]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Backoff {
    /// The wait after the first failure. Default: 2 s, as evhttp.
    pub initial: Duration,
    /// The longest wait, also where `initial` is longer. Default: 3600 s, as evhttp.
    pub cap: Duration,
    /// The share of a wait that is random, in thousandths (more than 1000 counts as 1000): a wait of `d` becomes one
    /// between `d * (1000 - jitter) / 1000` and `d`, so that clients that failed together do not come back together,
    /// and the cap holds. Default: 200.
    pub jitter: u16,
}

impl Backoff {
    /// Doubling from `initial` up to `cap`, without jitter.
    #[must_use]
    pub const fn new(initial: Duration, cap: Duration) -> Self {
        Self { initial, cap, jitter: 0 }
    }

    /// evhttp's series: 2, 4, 8, … 3600 seconds, without jitter.
    #[must_use]
    pub const fn evhttp() -> Self {
        Self::new(Duration::from_secs(2), Duration::from_secs(3600))
    }

    /// With this share of each wait at random, in thousandths.
    #[must_use]
    pub const fn jitter(mut self, permille: u16) -> Self {
        self.jitter = permille;
        self
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::evhttp().jitter(200)
    }
}

/// The wait before the next attempt, after `attempt` waits before it (0: the first wait).
///
/// `random` is any number, each as likely as another; 0 means the whole wait. One shift, whatever `attempt` is.
/// Waits are counted in nanoseconds and end at about 584 years.
///
/// ```
/// use core::time::Duration;
/// use http_core::dispatch::{Backoff, delay};
///
/// let backoff = Backoff::evhttp().jitter(500);
/// assert_eq!(delay(&backoff, 2, 0), Duration::from_secs(8));
/// assert_eq!(delay(&backoff, 2, u64::MAX / 2), Duration::from_nanos(6_000_000_001));
/// ```
#[must_use]
pub fn delay(policy: &Backoff, attempt: u32, random: u64) -> Duration {
    let cap = nanos(policy.cap);
    // Twice 64 bits hold any first wait shifted by 63; a wait of at least 1 ns has passed 292 years by then.
    let doubled = u128::from(nanos(policy.initial)) << attempt.min(63);
    let whole = u64::try_from(doubled).unwrap_or(u64::MAX).min(cap);
    let share = u128::from(policy.jitter.min(1000));
    let span = u128::from(whole) * share / 1000;
    // Below `span`, which is at most `whole`: the subtraction and the conversion cannot fail.
    let off = u64::try_from((span * u128::from(random)) >> 64).unwrap_or(0);
    Duration::from_nanos(whole.saturating_sub(off))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn table() {
        let evhttp = Backoff::evhttp();
        let odd = Backoff::new(ms(600), ms(3_600_000));
        // name, policy, attempt, random, wait
        let rows: &[(&str, Backoff, u32, u64, Duration)] = &[
            ("evhttp 0", evhttp, 0, 0, ms(2_000)),
            ("evhttp 1", evhttp, 1, 0, ms(4_000)),
            ("evhttp 2", evhttp, 2, 0, ms(8_000)),
            ("evhttp 9", evhttp, 9, 0, ms(1_024_000)),
            ("evhttp 10", evhttp, 10, 0, ms(2_048_000)),
            ("evhttp at the cap", evhttp, 11, 0, ms(3_600_000)),
            ("any later one", evhttp, u32::MAX, 0, ms(3_600_000)),
            ("0.6 s", odd, 0, 0, ms(600)),
            ("0.6 s doubles to 1.2 s (evhttp: 2.2 s)", odd, 1, 0, ms(1_200)),
            ("and to 2.4 s", odd, 2, 0, ms(2_400)),
            ("half a second to one, not left unnormalised", Backoff::new(ms(500), ms(9_000)), 1, 0, ms(1_000)),
            ("initial above the cap (evhttp: uncapped)", Backoff::new(ms(9_000), ms(1_000)), 0, 0, ms(1_000)),
            ("no wait stays none", Backoff::new(Duration::ZERO, ms(1_000)), u32::MAX, 7, Duration::ZERO),
            ("no cap to speak of", Backoff::new(ms(1), Duration::MAX), u32::MAX, 0, Duration::from_nanos(u64::MAX)),
            ("no jitter asked for", evhttp, 0, u64::MAX, ms(2_000)),
            ("half the range", evhttp.jitter(1000), 0, 1 << 63, ms(1_000)),
            ("a fifth of the range", evhttp.jitter(200), 0, 1 << 63, ms(1_800)),
            ("more than all is all", evhttp.jitter(u16::MAX), 0, 1 << 63, ms(1_000)),
        ];
        for (name, policy, attempt, random, wait) in rows {
            assert_eq!(delay(policy, *attempt, *random), *wait, "{name}");
        }
    }

    #[test]
    fn jitter_never_leaves_its_share() {
        let policy = Backoff::evhttp().jitter(250);
        for attempt in [0, 3, 40, u32::MAX] {
            let whole = delay(&policy, attempt, 0);
            for random in [1, 1 << 20, u64::MAX / 3, u64::MAX] {
                let wait = delay(&policy, attempt, random);
                assert!(wait <= whole && wait >= whole * 3 / 4, "{attempt} {random} {wait:?}");
            }
        }
    }
}
