//! What the dispatcher's origins are called: an origin on one runtime.

use std::sync::Arc;

use http_core::dispatch::{ConnectionId, OriginId};

use super::slot::Slot;
use super::table::Table;
use crate::client::connect_error::ConnectError;
use crate::client::failure::Whence;
use crate::client::origin::{Origin, Place};
use crate::io::RuntimeId;

/// An origin, on the runtime that its connections are made and driven on. To the dispatcher the same one on another
/// runtime is another one: no connection goes from here to there.
pub(in crate::client) struct Named {
    pub(in crate::client) origin: Arc<Origin>,
    pub(in crate::client) runtime: RuntimeId,
    /// Whether its last response was of HTTP/1.0 (RFC 9112 §6.1).
    pub(in crate::client) http10: bool,
    /// Connections that are kept for a request which has not come for them yet, the eldest first.
    pub(super) reserved: Vec<ConnectionId>,
    /// Why it could not be reached, if that was so the last time.
    pub(in crate::client) unreached: Option<ConnectError>,
    /// The connection that was begun last.
    pub(super) latest: Option<Arc<Slot>>,
}

impl Named {
    /// For the error of a request.
    pub(in crate::client) fn whence(&self) -> Whence {
        let stage = self.latest.as_ref().and_then(|slot| slot.stage.phase());
        Whence { origin: self.origin.clone(), unreached: self.unreached.clone(), stage }
    }
}

/// The names of origins, found without making one.
pub(super) struct Names {
    /// In the order of runtime, host, port and scheme.
    sorted: Vec<OriginId>,
    named: Table<OriginId, Named>,
}

impl Names {
    pub(super) const fn new() -> Self {
        Self { sorted: Vec::new(), named: Table::new() }
    }

    pub(super) fn find(&self, runtime: RuntimeId, place: Place<'_>) -> Option<OriginId> {
        self.seek(runtime, place).ok().map(|at| self.sorted[at])
    }

    pub(super) fn insert(&mut self, id: OriginId, runtime: RuntimeId, place: Place<'_>) {
        let at = self.seek(runtime, place).unwrap_or_else(|at| at);
        self.sorted.insert(at, id);
        let origin = Arc::new(place.to_origin());
        let (reserved, unreached, latest) = (Vec::new(), None, None);
        self.named.insert(id, Named { origin, runtime, http10: false, reserved, unreached, latest });
    }

    pub(super) fn get(&self, id: OriginId) -> Option<&Named> {
        self.named.get(id)
    }

    pub(super) fn get_mut(&mut self, id: OriginId) -> Option<&mut Named> {
        self.named.get_mut(id)
    }

    pub(super) fn remove(&mut self, id: OriginId) {
        self.sorted.retain(|known| *known != id);
        self.named.remove(id);
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = OriginId> + '_ {
        self.sorted.iter().copied()
    }

    pub(super) const fn len(&self) -> usize {
        self.named.len()
    }

    fn seek(&self, runtime: RuntimeId, place: Place<'_>) -> Result<usize, usize> {
        self.sorted.binary_search_by(|id| match self.named.get(*id) {
            Some(named) => named.runtime.cmp(&runtime).then_with(|| named.origin.cmp_to(place)),
            None => core::cmp::Ordering::Less,
        })
    }
}
