//! An allocator that counts for each thread what it hands out.
//!
//! ```
//! use benches::heap::{self, Counting};
//! #[global_allocator]
//! static HEAP: Counting = Counting;
//! let before = heap::counts();
//! let held = vec![0_u8; 100];
//! let after = heap::counts();
//! assert_eq!((after.allocations - before.allocations, after.held - before.held), (1, 100));
//! # drop(held);
//! ```

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting. Only a binary that names it as its `global_allocator` counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counting;

/// What a thread has asked of the allocator so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that gave out memory, or moved it.
    pub allocations: u64,
    /// Bytes given out and not yet given back.
    pub held: i64,
}

thread_local! {
    static COUNTS: Cell<Counts> = const { Cell::new(Counts { allocations: 0, held: 0 }) };
}

/// What this thread has asked for so far; zero where [`Counting`] is not the allocator.
#[must_use]
pub fn counts() -> Counts {
    COUNTS.get()
}

fn note(allocations: u64, bytes: i64) {
    // While a thread is torn down there is nothing left to count in.
    let _ = COUNTS.try_with(|counts| {
        let Counts { allocations: so_far, held } = counts.get();
        counts.set(Counts { allocations: so_far + allocations, held: held + bytes });
    });
}

fn size(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

// SAFETY: every call goes to `System` as it came, and `note` neither allocates nor unwinds.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(1, size(layout.size()));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(1, size(layout.size()));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note(1, size(new_size) - size(layout.size()));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(block, layout, new_size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(0, -size(layout.size()));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(block, layout) }
    }
}
