//! Memory that the connections of a thread share: a read buffer is borrowed for the length of one read, and what a
//! machine works with for as long as it is not idle, so that a connection which waits holds none.

use core::cell::RefCell;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::Arc;

use bytes::BytesMut;
use http_core::Memory;

/// How many buffers a thread keeps, and the memory of how many machines.
const KEPT: usize = 8;

/// The room that a first read gets.
pub(crate) const SMALL: usize = 8 * 1024;

/// The room that reads of long content grow to, as far as the connection lends a buffer for it: a few bytes more than
/// what is often sent at once, in a chunk or as it is, so that such a read does not fill it. A runtime that knows by
/// that that nothing is left does not have to ask the system.
pub(crate) const LARGE: usize = 64 * 1024 + 21;

/// How many connections of a thread may keep the memory of their machines while they rest.
const PLACES: usize = 64;

/// How long they keep it, so that requests which come close together cost no giving and taking.
pub(crate) const REST: Duration = Duration::from_secs(1);

thread_local! {
    static POOL: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
    static MEMORY: RefCell<Vec<Memory>> = const { RefCell::new(Vec::new()) };
    static TAKEN: Arc<AtomicUsize> = Arc::default();
}

/// A place among the connections of a thread that keep their memory while they rest: a budget, of which nothing is lost
/// when a connection moves to another thread. Whoever drops the place frees it where it was taken.
pub(crate) struct Place(Arc<AtomicUsize>);

impl Place {
    /// A place on this thread, if one is free.
    pub(crate) fn take() -> Option<Self> {
        TAKEN.with(|taken| {
            // Places are taken on this thread alone, and freed on any.
            (taken.load(Ordering::Relaxed) < PLACES).then(|| {
                taken.fetch_add(1, Ordering::Relaxed);
                Self(taken.clone())
            })
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Gives `buffer` at least `room` bytes to read into: a pooled buffer if it is empty, and such a one is no more than
/// twice as large as `lend`, the most that the connection wants to hold.
pub(crate) fn borrow(buffer: &mut BytesMut, room: usize, lend: usize) {
    if buffer.capacity() - buffer.len() >= room {
        return;
    }
    if !buffer.is_empty() {
        buffer.reserve(room);
        return;
    }
    // Where content flows nobody holds the last piece any more, as a rule, and its memory is there again.
    if buffer.try_reclaim(room) {
        return;
    }
    let fits = |pooled: &BytesMut| pooled.capacity() >= room && pooled.capacity() / 2 <= lend;
    let pooled = POOL.with(|pool| {
        let mut pool = pool.borrow_mut();
        if pool.last().is_some_and(fits) { pool.pop() } else { None }
    });
    // Nothing is in it that growing it could have to copy.
    *buffer = pooled.unwrap_or_else(|| BytesMut::with_capacity(room));
}

/// Takes an empty buffer back; it is kept if nobody holds a part of it.
pub(crate) fn give_back(buffer: &mut BytesMut) {
    let mut buffer = core::mem::take(buffer);
    buffer.clear();
    if buffer.try_reclaim(SMALL) && buffer.capacity() <= LARGE {
        POOL.with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < KEPT {
                pool.push(buffer);
            }
        });
    }
}

/// Memory for a machine; none if the thread keeps none.
pub(crate) fn memory() -> Memory {
    MEMORY.with(|kept| kept.borrow_mut().pop()).unwrap_or_default()
}

/// Takes the memory of a machine that idles.
pub(crate) fn keep(memory: Memory) {
    if (1..=LARGE).contains(&memory.size()) {
        MEMORY.with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < KEPT {
                kept.push(memory);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_nobody_holds_is_read_into_again() {
        let mut buffer = BytesMut::new();
        borrow(&mut buffer, LARGE, LARGE);
        let address = buffer.as_ptr();
        for held in [false, false, true] {
            buffer.resize(LARGE, b'x');
            let piece = buffer.split_to(LARGE).freeze();
            let held = held.then(|| piece.clone());
            drop(piece);
            borrow(&mut buffer, LARGE, LARGE);
            assert!(buffer.capacity() >= LARGE && buffer.is_empty());
            assert_eq!(buffer.as_ptr() == address, held.is_none());
        }
    }

    #[test]
    fn what_is_unread_stays() {
        let mut buffer = BytesMut::from("abc");
        borrow(&mut buffer, SMALL, LARGE);
        assert!(buffer == "abc" && buffer.capacity() >= SMALL + 3);
    }
}
