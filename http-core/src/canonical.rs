//! The state of a machine without what does not matter: times relative to now, counters up to where they count.

use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};

use crate::time::Instant;

/// The state of a machine in a form in which two states are equal if no sequence of inputs can tell them apart: what
/// a model checker keeps of the states that it has seen.
///
/// Deadlines count from now, what only ever grows counts up to where it stops to matter, and ids and positions in
/// the stream, which name things for the caller, do not count at all. The converse does not hold: states that differ
/// here may behave the same.
///
/// ```
/// use core::time::Duration;
/// use http_core::{Config, Instant, server};
///
/// let config = std::sync::Arc::new(Config::default());
/// let early = server::Connection::new(config.clone(), Instant::ZERO);
/// let later = Instant::ZERO.saturating_add(Duration::from_secs(5));
/// assert_eq!(early.canonical(Instant::ZERO), server::Connection::new(config, later).canonical(later));
/// assert_ne!(early.canonical(Instant::ZERO), early.canonical(later));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Canonical(Vec<u8>);

impl Canonical {
    /// Collects what `describe` hashes: not a digest of it, but all of it, so that equal means equal.
    pub(crate) fn of(describe: impl FnOnce(&mut Collector)) -> Self {
        let mut collector = Collector(Vec::new());
        describe(&mut collector);
        Self(collector.0)
    }
}

impl fmt::Debug for Canonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Canonical({} bytes)", self.0.len())
    }
}

/// A hasher that keeps everything.
#[derive(Debug)]
pub struct Collector(Vec<u8>);

impl Collector {
    /// What a value of a type that can be hashed is made of.
    pub(crate) fn value(&mut self, value: impl Hash) {
        value.hash(self);
    }

    /// How far an instant lies ahead; all that have passed are the same.
    pub(crate) fn until(&mut self, at: Instant, now: Instant) {
        self.value(if at == Instant::NEVER { u64::MAX } else { at.as_nanos().saturating_sub(now.as_nanos()) });
    }
}

impl Hasher for Collector {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}
