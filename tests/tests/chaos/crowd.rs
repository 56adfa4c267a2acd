//! Many who ask at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http_driver::Runtime;

use crate::note;
use crate::sockets::clients::Networked;

/// How long the busiest machine may take.
const MOST: Duration = Duration::from_secs(150);

/// So many workers see to requests by their numbers, each to the next one, until all have their outcome.
pub(crate) async fn crowd<W, F, A>(world: &W, workers: usize, requests: u64, one: F)
where
    W: Networked,
    F: Fn(u64) -> A + Clone + Send + 'static,
    A: Future<Output = ()> + Send + 'static,
{
    let (next, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (told, panicked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    for _ in 0..workers {
        let (next, done, one) = (next.clone(), done.clone(), one.clone());
        let ended = Ended(told.clone(), panicked.clone());
        world.runtime().spawn(async move {
            let _ended = ended;
            loop {
                let id = next.fetch_add(1, Ordering::SeqCst);
                if id >= requests {
                    return;
                }
                one(id).await;
                done.fetch_add(1, Ordering::SeqCst);
            }
        });
    }
    while told.load(Ordering::SeqCst) < workers {
        let so_far = done.load(Ordering::SeqCst);
        assert!(began.elapsed() < MOST, "{so_far} of {requests} after {MOST:?}: it does not end");
        world.sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(panicked.load(Ordering::SeqCst), 0, "a request went wrong");
    assert_eq!(done.load(Ordering::SeqCst), requests, "a request has no outcome");
}

/// Tells when a task has ended, and how.
pub(crate) struct Ended(pub(crate) Arc<AtomicUsize>, pub(crate) Arc<AtomicUsize>);

impl Drop for Ended {
    fn drop(&mut self) {
        if std::thread::panicking() {
            note(&self.1);
        }
        note(&self.0);
    }
}
