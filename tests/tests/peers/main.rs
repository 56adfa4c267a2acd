//! What others hold themselves to, and what went wrong in them: of each peer what its own tests assert, by the names
//! that it gave them, and the bugs that it has fixed. Where ours differs on purpose, the test says so.
//!
//! Most run the core in memory; files named `…sockets`, `cancel`, `tls` and `attacks` run over sockets, each test on
//! tokio and on async-std. `tests/conformance/acceptance.md` is the list of the names of libevent, Bitcoin Core and
//! hyper, and tells which test shows which.
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc)]

#[macro_use]
#[path = "../sockets/mod.rs"]
mod sockets;

mod actix;
mod attacks;
mod bitcoin;
mod h11;
mod hyper;
mod libevent;
mod ntex;
mod rustsec;
mod ureq;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use sockets::world::World;
use tests::beginnings::{GET, NEXT, NOTHING, chunked, client, post, refused, server, strict};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

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
