//! How far a connection is that is being made.

use core::sync::atomic::{AtomicU8, Ordering};

use http_core::dispatch::RequestPhase;

/// How far a connection is that is being made, as its [`Connector`](super::Connector) tells: what is named where the
/// time for it runs out.
///
/// ```
/// use http_core::dispatch::RequestPhase;
/// use http_driver::client::Stage;
/// let stage = Stage::default();
/// assert_eq!(stage.phase(), None);
/// stage.enter(RequestPhase::Tls);
/// assert_eq!(stage.phase(), Some(RequestPhase::Tls));
/// ```
#[derive(Debug, Default)]
pub struct Stage(AtomicU8);

/// Those that a connection can be in while it is being made; a number is a place among them, from 1.
const PHASES: [RequestPhase; 4] =
    [RequestPhase::Resolve, RequestPhase::Connect, RequestPhase::Proxy, RequestPhase::Tls];

/// A name had to be resolved.
const NAMED: u8 = 0x80;

impl Stage {
    /// This is what is done from now on; nothing is made of a phase in which no connection is made.
    pub fn enter(&self, phase: RequestPhase) {
        if let Some(at) = PHASES.iter().position(|known| *known == phase) {
            // It is told to whoever asks, and nothing hangs on it.
            self.0.store(self.0.load(Ordering::Relaxed) & NAMED | (at as u8 + 1), Ordering::Relaxed);
        }
    }

    /// A name has to be resolved, however short that takes.
    pub(super) fn resolve_name(&self) {
        self.0.store(self.0.load(Ordering::Relaxed) | NAMED, Ordering::Relaxed);
    }

    /// Whether a name had to be resolved.
    pub(super) fn had_name(&self) -> bool {
        self.0.load(Ordering::Relaxed) & NAMED != 0
    }

    /// What is being done, if that was told.
    #[must_use]
    pub fn phase(&self) -> Option<RequestPhase> {
        PHASES.get(usize::from(self.0.load(Ordering::Relaxed) & !NAMED).checked_sub(1)?).copied()
    }
}
