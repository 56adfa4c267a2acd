//! What is to be done on one runtime.

use core::task::Waker;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use http_core::Instant;
use http_core::dispatch::ConnectionId;

use crate::io::RuntimeId;
use crate::lock::lock;

/// What is to be done on one runtime, by whoever is polled there: its keeper, or who waits for a connection.
pub(super) struct Room {
    pub(super) runtime: RuntimeId,
    /// Whether a keeper lives here.
    pub(super) kept: bool,
    /// When its timer fires; it is woken for an earlier time alone.
    pub(super) armed: Option<Instant>,
    /// Connections that are to be made.
    pub(super) wanted: VecDeque<ConnectionId>,
    /// Connections that were given back, in that order, and are not watched yet.
    pub(super) unwatched: VecDeque<(Instant, ConnectionId)>,
    /// Whether the keeper will come for them by itself.
    pub(super) expected: bool,
    pub(super) bell: Arc<Bell>,
}

impl Room {
    pub(super) fn new(runtime: RuntimeId) -> Self {
        Self {
            runtime,
            kept: false,
            armed: None,
            wanted: VecDeque::new(),
            unwatched: VecDeque::new(),
            expected: false,
            bell: Arc::default(),
        }
    }
}

/// What wakes a keeper, and what for.
#[derive(Default)]
pub(in crate::client) struct Bell(Mutex<Rung>);

#[derive(Default)]
struct Rung {
    keeper: Option<Waker>,
    /// Connections whose transport has something to say.
    stirred: Vec<ConnectionId>,
}

impl Bell {
    /// Who is woken from now on, and what was rung for.
    pub(in crate::client) fn listen(&self, keeper: &Waker) -> Vec<ConnectionId> {
        let mut rung = lock(&self.0);
        match &mut rung.keeper {
            Some(known) => known.clone_from(keeper),
            None => rung.keeper = Some(keeper.clone()),
        }
        core::mem::take(&mut rung.stirred)
    }

    /// The keeper, if it is to be woken.
    pub(super) fn keeper(&self) -> Option<Waker> {
        lock(&self.0).keeper.take()
    }

    /// The keeper is to look at a connection: who is to be woken for it.
    pub(super) fn stir(&self, connection: ConnectionId) -> Option<Waker> {
        let mut rung = lock(&self.0);
        if !rung.stirred.contains(&connection) {
            rung.stirred.push(connection);
        }
        rung.keeper.take()
    }
}

/// Wakes the keeper for one connection.
pub(in crate::client) struct Stir {
    pub(in crate::client) bell: Arc<Bell>,
    pub(in crate::client) connection: ConnectionId,
}

impl std::task::Wake for Stir {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(keeper) = self.bell.stir(self.connection) {
            keeper.wake();
        }
    }
}
