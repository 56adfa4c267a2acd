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
    /// Nothing of what the connection wrote to it is left in it.
    pub(crate) fn take(spare: &mut Spare, outbox: &mut Outbox) -> Self {
        let mut memory = Self { head: spare.take_all(), staged: outbox.take_memory() };
        memory.staged.clear();
        memory
    }

    pub(crate) fn give(self, spare: &mut Spare, outbox: &mut Outbox) {
        spare.give(self.head);
        outbox.give_memory(self.staged);
    }

    /// How many bytes it is.
    #[must_use]
    pub fn size(&self) -> usize {
        self.head.capacity() + self.staged.capacity()
    }
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;

    use bytes::BytesMut;

    use crate::config::Config;
    use crate::connection::server::{Connection, Event};
    use crate::message::content::Content;
    use crate::message::head::ResponseHead;
    use crate::message::status::StatusCode;
    use crate::time::Instant;

    const NOW: Instant = Instant::ZERO;

    /// Reads a head and answers it, if it is complete and good.
    fn used(wire: &str) -> Connection {
        let mut connection = Connection::new(Arc::new(Config::default()), NOW);
        let mut input = BytesMut::from(wire);
        while let Ok(Some(event)) = connection.poll_event(&mut input, NOW) {
            if let Event::Request(request) = event {
                let head = ResponseHead::new(StatusCode::OK).with("Set-Cookie", "secret").unwrap();
                connection.send_response(&head, Content::Full("secret".into()), NOW).unwrap();
                connection.handle_sent(usize::MAX, NOW);
                connection.recycle(request);
            }
        }
        // The answer to a fault.
        connection.handle_sent(usize::MAX, NOW);
        connection
    }

    #[test]
    fn memory_goes_on_without_what_was_in_it() {
        for wire in [
            "GET / HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\r\n",
            "GET / HTTP/1.1\r\nCookie: secret\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n",
        ] {
            let mut connection = used(wire);
            let size = connection.memory_size();
            let memory = connection.take_memory();
            assert_eq!((memory.size(), connection.memory_size()), (size, 0), "{wire:?}");
            assert!(memory.head.holds_nothing() && memory.staged.is_empty(), "{wire:?}");
            let mut other = used("");
            other.give_memory(memory);
            assert_eq!(other.memory_size(), size, "{wire:?}");
        }
    }
}
