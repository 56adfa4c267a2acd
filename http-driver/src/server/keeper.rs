//! Wakes the connections of a server that have rested for long enough.

use core::future::{Future, poll_fn};
use core::task::Poll;

use super::shutdown::Shutdown;
use crate::clock;
use crate::io::{Runtime, Timer};

/// A keeper, from its engagement on. Dropped, it is dismissed.
pub(super) struct Engaged {
    shutdown: Shutdown,
    id: u64,
}

impl Engaged {
    pub(super) fn new(shutdown: Shutdown) -> Self {
        let id = shutdown.engage();
        Self { shutdown, id }
    }

    /// What is to run beside the connections for as long as this is there.
    pub(super) fn keeper<R: Runtime>(&self, runtime: R) -> impl Future<Output = ()> + use<R> {
        let own = Self { shutdown: self.shutdown.clone(), id: self.id };
        async move {
            let mut timer = None;
            poll_fn(|cx| {
                loop {
                    let now = clock::to_core(runtime.now());
                    match own.shutdown.look(own.id, now, cx) {
                        None => return Poll::Ready(()),
                        Some(None) => return Poll::Pending,
                        Some(Some(at)) => {
                            if clock::set(&mut timer, &runtime, at).poll(cx).is_pending() {
                                return Poll::Pending;
                            }
                        }
                    }
                }
            })
            .await;
        }
    }
}

impl Drop for Engaged {
    fn drop(&mut self) {
        self.shutdown.dismiss(self.id);
    }
}
