//! The deadlines of one connection: a small table, and the rate that content must keep.

use core::time::Duration;

use crate::canonical::Collector;
use crate::config::Timeouts;
use crate::time::Instant;

/// What a connection can run out of time for.
///
/// ```
/// use http_core::{Config, Deadline, Instant, server};
/// let mut connection = server::Connection::new(Config::default().into(), Instant::ZERO);
/// assert_eq!(connection.poll_timeout(), Some(Instant::from_nanos(75_000_000_000)));
/// assert_eq!(connection.next_deadline(), Some(Deadline::Idle));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Deadline {
    /// A head must be complete.
    Head,
    /// The next request must begin, or the connection is closed.
    Idle,
    /// More content must arrive, and at the least rate.
    Receive,
    /// More of what waits must be taken by the transport, and at the least rate.
    Send,
    /// 100 (Continue) or a final response must arrive, or the content is sent without.
    Expect,
    /// A connection that is over must be closed by its peer, or is closed.
    Linger,
    /// A client that has ended its side must be given its answer, or is taken for gone.
    HalfClosed,
}

const KINDS: [Deadline; 7] = [
    Deadline::Head,
    Deadline::Idle,
    Deadline::Receive,
    Deadline::Send,
    Deadline::Expect,
    Deadline::Linger,
    Deadline::HalfClosed,
];

/// When each kind of deadline passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadlines([Instant; KINDS.len()]);

impl Deadlines {
    pub(crate) const NONE: Self = Self([Instant::NEVER; KINDS.len()]);

    pub(crate) fn arm(&mut self, kind: Deadline, at: Instant) {
        self.0[kind as usize] = at;
    }

    pub(crate) fn disarm(&mut self, kind: Deadline) {
        self.0[kind as usize] = Instant::NEVER;
    }

    pub(crate) fn is_armed(&self, kind: Deadline) -> bool {
        self.0[kind as usize] != Instant::NEVER
    }

    /// When this one passes, [`Instant::NEVER`] if it is not armed; nothing if another one is.
    pub(crate) fn at_most(&self, kind: Deadline) -> Option<Instant> {
        let at = self.0[kind as usize];
        let mut alone = Self::NONE;
        alone.arm(kind, at);
        (*self == alone).then_some(at)
    }

    /// When the earliest deadline passes: asked after every turn, so told without looking for its kind.
    pub(crate) fn earliest_at(&self) -> Option<Instant> {
        let at = self.0.iter().fold(Instant::NEVER, |earliest, at| earliest.min(*at));
        (at != Instant::NEVER).then_some(at)
    }

    pub(crate) fn earliest(&self) -> Option<(Deadline, Instant)> {
        let (kind, at) = KINDS.iter().zip(&self.0).min_by_key(|(_, at)| **at)?;
        (*at != Instant::NEVER).then_some((*kind, *at))
    }

    pub(crate) fn describe(&self, out: &mut Collector, now: Instant) {
        self.0.iter().for_each(|at| out.until(*at, now));
    }

    /// The earliest deadline, if it has passed; it is disarmed.
    pub(crate) fn take_expired(&mut self, now: Instant) -> Option<Deadline> {
        let (kind, at) = self.earliest()?;
        (at <= now).then(|| {
            self.disarm(kind);
            kind
        })
    }
}

/// Progress of content against the clock: an allowance of time that runs down while we wait, and that every byte
/// that moves adds to.
///
/// It begins with the grace, and never holds more than the longest pause; so content may be slow for the grace, must
/// then keep the least rate, and may never pause for longer. Time in which we ourselves do not move is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pace {
    /// In nanoseconds.
    allowance: u64,
    running_since: Option<Instant>,
}

/// The figures that a [`Pace`] is held to, in nanoseconds, so that no call has to convert them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PaceLimits {
    pause: u64,
    first: u64,
    /// Bytes a second.
    rate: u32,
}

impl PaceLimits {
    /// Of what comes in.
    pub(crate) fn incoming(timeouts: &Timeouts) -> Self {
        Self::of(timeouts.content, timeouts.content_grace, timeouts.content_rate)
    }

    /// Of what goes out.
    pub(crate) fn outgoing(timeouts: &Timeouts) -> Self {
        let pause = timeouts.write.unwrap_or(timeouts.content);
        Self::of(pause, timeouts.content_grace, timeouts.content_rate)
    }

    /// The longest pause, how long content may be slower than the least rate, and that rate.
    pub(crate) fn of(pause: Duration, grace: Duration, rate: u32) -> Self {
        let nanos = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let (pause, grace) = (nanos(pause), nanos(grace));
        Self { pause, first: if rate == 0 { pause } else { grace.min(pause) }, rate }
    }
}

impl Pace {
    /// A fresh allowance; it runs from `resume`.
    pub(crate) const fn new(limits: PaceLimits) -> Self {
        Self { allowance: limits.first, running_since: None }
    }

    /// Begins, or goes on after an interruption; returns when the deadline passes.
    pub(crate) fn resume(&mut self, now: Instant) -> Instant {
        let since = *self.running_since.get_or_insert(now);
        Instant::from_nanos(since.as_nanos().saturating_add(self.allowance))
    }

    pub(crate) fn interrupt(&mut self, now: Instant) {
        if let Some(since) = self.running_since.take() {
            let ran = now.as_nanos().saturating_sub(since.as_nanos());
            self.allowance = self.allowance.saturating_sub(ran);
        }
    }

    /// What is left of the allowance, and whether it runs down.
    pub(crate) fn describe(&self, out: &mut Collector, now: Instant) {
        let gone = self.running_since.map_or(0, |since| now.as_nanos().saturating_sub(since.as_nanos()));
        out.value((self.allowance.saturating_sub(gone), self.running_since.is_some()));
    }

    pub(crate) fn moved(&mut self, bytes: u64, now: Instant, limits: PaceLimits) {
        let running = self.running_since.is_some();
        self.interrupt(now);
        if bytes > 0 && limits.rate == 0 {
            self.allowance = limits.pause;
        } else if limits.rate > 0 {
            let earned = bytes.saturating_mul(1_000_000_000) / u64::from(limits.rate);
            self.allowance = self.allowance.saturating_add(earned).min(limits.pause);
        }
        if running {
            self.running_since = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(rate: u32) -> PaceLimits {
        let mut timeouts = crate::Config::default().timeouts;
        (timeouts.content, timeouts.content_grace) = (Duration::from_secs(30), Duration::from_secs(10));
        timeouts.content_rate = rate;
        PaceLimits::incoming(&timeouts)
    }

    fn at(seconds: u64) -> Instant {
        Instant::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn the_earliest_deadline_is_taken_once() {
        let mut table = Deadlines::NONE;
        assert_eq!(table.earliest(), None);
        table.arm(Deadline::Idle, at(5));
        table.arm(Deadline::Send, at(3));
        assert_eq!(table.earliest(), Some((Deadline::Send, at(3))));
        assert_eq!(table.take_expired(at(2)), None);
        assert_eq!(table.take_expired(at(9)), Some(Deadline::Send));
        assert_eq!(table.take_expired(at(9)), Some(Deadline::Idle));
        assert_eq!(table.take_expired(at(9)), None);
    }

    #[test]
    fn content_must_move_and_keep_its_rate() {
        let mut pace = Pace::new(limits(240));
        assert_eq!(pace.resume(at(100)), at(110), "the grace is shorter than the pause");
        pace.moved(240 * 5, at(101), limits(240));
        assert_eq!(pace.resume(at(101)), at(115), "five seconds earned");
        pace.moved(1, at(114), limits(240));
        assert!(pace.resume(at(114)) < at(116), "a trickle earns next to nothing");
        pace.moved(1 << 30, at(115), limits(240));
        assert_eq!(pace.resume(at(115)), at(145), "fast content is held to the pause alone");
        let off = limits(0);
        let mut pace = Pace::new(off);
        assert_eq!(pace.resume(at(100)), at(130));
        pace.moved(1, at(120), off);
        assert_eq!(pace.resume(at(120)), at(150), "without a rate any progress counts");
    }

    #[test]
    fn time_in_which_we_do_not_read_does_not_count() {
        let mut pace = Pace::new(limits(240));
        pace.resume(at(0));
        pace.interrupt(at(1));
        pace.interrupt(at(500));
        pace.moved(240, at(600), limits(240));
        assert_eq!(pace.resume(at(1001)), at(1011));
    }
}
