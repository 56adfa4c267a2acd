//! A first-fit allocator over a fixed arena, for a program with one thread.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::{Cell, UnsafeCell};
use core::ptr::{self, NonNull};

const ARENA: usize = 1 << 20;
/// Every block begins and ends at a multiple of this, so that a free one can always hold its own link.
const GRAIN: usize = 16;

#[repr(align(16))]
struct Arena(UnsafeCell<[u8; ARENA]>);

/// The link of a free block, written into the block itself.
#[derive(Clone, Copy)]
struct Free {
    size: usize,
    next: Option<NonNull<Free>>,
}

pub(crate) struct Heap {
    arena: Arena,
    /// Up to here the arena has been handed out at least once.
    fresh: Cell<usize>,
    free: Cell<Option<NonNull<Free>>>,
    in_use: Cell<usize>,
    peak: Cell<usize>,
}

// SAFETY: the program has one thread.
unsafe impl Sync for Heap {}

impl Heap {
    pub(crate) const fn new() -> Self {
        Self {
            arena: Arena(UnsafeCell::new([0; ARENA])),
            fresh: Cell::new(0),
            free: Cell::new(None),
            in_use: Cell::new(0),
            peak: Cell::new(0),
        }
    }

    pub(crate) fn in_use(&self) -> usize {
        self.in_use.get()
    }

    pub(crate) fn peak(&self) -> usize {
        self.peak.get()
    }

    /// The first free block that is large enough; what it has too much stays free.
    fn reuse(&self, size: usize) -> Option<*mut u8> {
        let mut before: Option<NonNull<Free>> = None;
        let mut at = self.free.get();
        while let Some(block) = at {
            // SAFETY: every link points to a free block of this arena, which begins with a `Free`.
            let Free { size: has, next } = unsafe { *block.as_ptr() };
            if has >= size {
                let rest = if has > size {
                    // SAFETY: both sizes are multiples of GRAIN, so the rest lies in the block and holds a link.
                    let rest = unsafe { block.byte_add(size) };
                    // SAFETY: as above, and nobody else refers to the block.
                    unsafe { rest.as_ptr().write(Free { size: has - size, next }) };
                    Some(rest)
                } else {
                    next
                };
                match before {
                    // SAFETY: `before` is a free block.
                    Some(before) => unsafe { (*before.as_ptr()).next = rest },
                    None => self.free.set(rest),
                }
                return Some(block.as_ptr().cast());
            }
            before = Some(block);
            at = next;
        }
        None
    }

    fn extend(&self, size: usize) -> Option<*mut u8> {
        let start = self.fresh.get();
        let end = start.checked_add(size).filter(|end| *end <= ARENA)?;
        self.fresh.set(end);
        // SAFETY: `start` lies within the arena.
        Some(unsafe { self.arena.0.get().cast::<u8>().add(start) })
    }
}

const fn grains(layout: Layout) -> usize {
    let size = if layout.size() == 0 { 1 } else { layout.size() };
    size.div_ceil(GRAIN) * GRAIN
}

// SAFETY: blocks are disjoint, aligned to GRAIN, and at least as large as asked; larger alignments are refused.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let size = grains(layout);
        if layout.align() > GRAIN {
            return ptr::null_mut();
        }
        let Some(block) = self.reuse(size).or_else(|| self.extend(size)) else { return ptr::null_mut() };
        self.in_use.set(self.in_use.get() + size);
        self.peak.set(self.peak.get().max(self.in_use.get()));
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let size = grains(layout);
        let Some(block) = NonNull::new(block.cast::<Free>()) else { return };
        // SAFETY: the block came from `alloc` with this layout, so it can hold a link and nobody uses it any more.
        unsafe { block.as_ptr().write(Free { size, next: self.free.get() }) };
        self.free.set(Some(block));
        self.in_use.set(self.in_use.get() - size);
    }
}
