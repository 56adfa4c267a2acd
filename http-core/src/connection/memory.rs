//! The memory of a connection, apart from it.

use alloc::vec::Vec;

use crate::read::Spare;
use crate::write::outbox::Outbox;

/// The memory that a connection works with: what the next head is read into and compared with, and what is staged to be
/// sent.
///
/// A driver takes it from a connection that idles and gives it to whichever is woken next, so that the one holds none
/// and the other allocates none.
///
/// ```
/// use http_core::{Config, Instant, Memory, server};
/// let config = std::sync::Arc::new(Config::default());
/// let mut first = server::Connection::new(config.clone(), Instant::ZERO);
/// let memory: Memory = first.take_memory();
/// assert_eq!(memory.size(), 0); // it has not read a request yet
/// let mut second = server::Connection::new(config, Instant::ZERO);
/// second.give_memory(memory);
/// ```
#[derive(Debug, Default)]
pub struct Memory {
    head: Spare,
    staged: Vec<u8>,
}

impl Memory {
    pub(crate) fn take(spare: &mut Spare, outbox: &mut Outbox) -> Self {
        Self { head: spare.take_all(), staged: outbox.take_memory() }
    }

    pub(crate) fn give(mut self, spare: &mut Spare, outbox: &mut Outbox) {
        spare.give(self.head);
        self.staged.clear();
        outbox.give_memory(self.staged);
    }

    /// How many bytes it is.
    #[must_use]
    pub fn size(&self) -> usize {
        self.head.capacity() + self.staged.capacity()
    }
}
