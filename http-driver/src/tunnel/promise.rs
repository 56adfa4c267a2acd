//! The side of a hand-over that brings the tunnel.

use core::fmt;

#[cfg(feature = "hyper-compat")]
use super::on_upgrade::Minted;
use super::stream::Tunnel;
use super::upgrade::Upgrade;
use crate::server::Observed;

/// The side of an [`Upgrade`] that brings the tunnel. Dropped, it says that none comes.
pub(crate) struct Promise {
    upgrade: Upgrade,
    #[cfg(feature = "hyper-compat")]
    minted: Option<Minted>,
}

impl Promise {
    /// A hand-over that may come, and the side that brings it.
    pub(crate) fn new() -> (Upgrade, Self) {
        let upgrade = Upgrade::new();
        let promise = Self {
            upgrade: upgrade.clone(),
            #[cfg(feature = "hyper-compat")]
            minted: None,
        };
        (upgrade, promise)
    }

    /// Puts an [`Upgrade`] among the extensions of a request, and hyper's `OnUpgrade` with the feature for that.
    /// Whoever waits for the former comes first.
    pub(crate) fn among(extensions: &mut http::Extensions) -> Self {
        let upgrade = Upgrade::new();
        extensions.insert(upgrade.clone());
        Self {
            #[cfg(feature = "hyper-compat")]
            minted: Some(Minted::new(upgrade.clone(), extensions)),
            upgrade,
        }
    }

    /// Has somebody told if nobody takes the tunnel.
    pub(crate) fn observe(&self, observed: Option<Box<Observed>>) {
        self.upgrade.observe(observed);
    }

    pub(crate) fn keep(self, tunnel: Tunnel) {
        let awaited = self.upgrade.settle(Some(Ok(tunnel)));
        if !awaited {
            #[cfg(feature = "hyper-compat")]
            self.minted.iter().for_each(Minted::proceed);
        }
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        self.upgrade.settle(None);
    }
}

impl fmt::Debug for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Promise").finish_non_exhaustive()
    }
}
