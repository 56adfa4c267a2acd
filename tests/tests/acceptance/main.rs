//! What peers hold themselves to, by the names that they gave it, over real sockets and on either adapter.
//!
//! `tests/conformance/acceptance.md` is the list of names, and tells which test shows which.

#[macro_use]
#[path = "../sockets/mod.rs"]
mod sockets;

mod attacks;
mod bitcoin;
mod evhttp_cancel;
mod evhttp_client;
mod evhttp_server;
mod evhttp_tls;
mod hyper_client;
mod hyper_server;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use sockets::world::World;

/// Something that handlers wait for, and how many of them came to it.
#[derive(Clone, Default)]
struct Gate(Arc<(AtomicBool, AtomicUsize, AtomicUsize)>);

impl Gate {
    async fn pass<W: World>(&self, world: &W) {
        self.0.1.fetch_add(1, Ordering::SeqCst);
        while !self.0.0.load(Ordering::SeqCst) {
            world.sleep(Duration::from_millis(2)).await;
        }
        self.0.2.fetch_add(1, Ordering::SeqCst);
    }

    fn open(&self) {
        self.0.0.store(true, Ordering::SeqCst);
    }

    fn came(&self) -> usize {
        self.0.1.load(Ordering::SeqCst)
    }

    fn passed(&self) -> usize {
        self.0.2.load(Ordering::SeqCst)
    }
}
