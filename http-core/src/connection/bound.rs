//! What a connection may hold, computed from its configuration.

use crate::config::Config;
use crate::connection::client;
use crate::connection::server;
use crate::message::field::Line;
use crate::read::Last;
use crate::write::outbox::{self, LINK_FROM};

/// What stands around the content of a chunk: a size of 64 bits, and a CRLF behind either (RFC 9112 §7.1).
const FRAMING: usize = 20;

/// A vector that grows by pushing may have room for twice what it holds, and for a few bytes at least.
const fn grown(bytes: usize) -> usize {
    bytes.saturating_mul(2).saturating_add(64)
}

impl Config {
    /// The most bytes that one connection holds, on either side: the machine and its heap, the largest useful
    /// [input buffer](Self::max_input_bytes), and content that is linked up to
    /// [`send_buffer`](crate::Limits::send_buffer).
    ///
    /// The largest head is counted once: its memory is the machine's or, until it is given back with `recycle`, the
    /// application's. Not counted is what the application alone decides: content beyond `send_capacity` that is
    /// accepted once, content that waits for 100 (Continue), a head to be sent that is longer than
    /// [`head`](crate::Limits::head), pieces of content that it was given and keeps. A limit that is `usize::MAX` makes
    /// the result that.
    ///
    /// ```
    /// use http_core::Config;
    /// let mut config = Config::default();
    /// config.limits.head = 8 * 1024;
    /// config.limits.fields = 64;
    /// config.limits.trailers = 1024;
    /// config.limits.read_ahead = 4 * 1024;
    /// config.limits.send_buffer = 16 * 1024;
    /// assert!(config.max_bytes_per_connection() < 200 * 1024);
    /// ```
    #[must_use]
    pub fn max_bytes_per_connection(&self) -> usize {
        let limits = &self.limits;
        let machine = size_of::<server::Connection>().max(size_of::<client::Connection>());
        let head = grown(limits.head.saturating_add(limits.fields))
            .saturating_add(grown(limits.fields.saturating_mul(size_of::<Line>())));
        // Heads are staged beside what waits already.
        let waiting = limits.send_buffer.saturating_add(LINK_FROM).saturating_add(limits.head);
        let pending = grown(self.persistence.pipelining.saturating_add(4).saturating_mul(client::PENDING));
        [
            machine,
            head,
            Last::MOST,
            grown(outbox::most_staged(waiting)),
            grown(outbox::most_links(waiting)),
            limits.send_buffer,
            pending,
            grown(self.max_input_bytes()),
        ]
        .into_iter()
        .fold(0, usize::saturating_add)
    }

    /// The largest useful input buffer: with more than this many unread bytes in it, a connection never needs another
    /// one to go on. Content of [`read_ahead`](crate::Limits::read_ahead) bytes fits in it with the framing of a chunk,
    /// so that what is sent as one chunk of that size is read at once.
    ///
    /// ```
    /// assert_eq!(http_core::Config::default().max_input_bytes(), 64 * 1024 + 21);
    /// ```
    #[must_use]
    pub fn max_input_bytes(&self) -> usize {
        let limits = &self.limits;
        // A chunk-size line is taken as it comes, unless its extensions are told.
        let line = if self.events.chunk_extensions { limits.chunk_line.saturating_add(2) } else { 0 };
        // One more, to tell that a limit is passed.
        let content = limits.read_ahead.saturating_add(FRAMING);
        limits.head.max(limits.trailers).max(content).max(line).saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::content::Content;
    use crate::message::head::RequestHead;
    use crate::message::method::Method;
    use crate::time::Instant;
    use alloc::sync::Arc;
    use bytes::BytesMut;

    const NOW: Instant = Instant::ZERO;

    fn config() -> Arc<Config> {
        let mut config = Config::default();
        (config.limits.head, config.limits.target, config.limits.field_line) = (300, 300, 300);
        (config.limits.trailers, config.limits.read_ahead) = (200, 400);
        (config.limits.chunk_line, config.events.chunk_extensions) = (500, true);
        config.into()
    }

    #[test]
    fn limits_that_are_none_make_no_bound() {
        let mut config = Config::default();
        let bound = config.max_bytes_per_connection();
        config.limits.head += 1;
        assert!(config.max_bytes_per_connection() > bound);
        config.limits.send_buffer = usize::MAX;
        assert_eq!(config.max_bytes_per_connection(), usize::MAX);
    }

    /// More and more of `rest` comes, as long as more is wanted: that ends before the buffer is larger than useful.
    fn fill(rest: &[u8], mut more: impl FnMut(&mut BytesMut, &[u8]) -> bool) -> usize {
        let mut input = BytesMut::new();
        let mut most = 0;
        for byte in rest.iter().chain([b'a'; 2000].iter()) {
            if !more(&mut input, &[*byte]) {
                return most;
            }
            most = most.max(input.len());
        }
        panic!("it wants more for ever, {} bytes are unread", input.len());
    }

    #[test]
    fn a_server_never_needs_a_larger_buffer() {
        let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (rest, unread) in [
            ("", 300),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: ", 300),
            (&[chunked, "0\r\nX: "].concat(), 200),
            (&[chunked, "1;"].concat(), 500),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ] {
            let config = config();
            let mut server = server::Connection::new(config.clone(), NOW);
            let most = fill(rest.as_bytes(), |input, bytes| {
                input.extend_from_slice(bytes);
                while let Ok(Some(_)) = server.poll_event(input, NOW) {
                    server.want_content(NOW);
                }
                server.interest().room(input.len()) > 0 && server.next_deadline() != Some(crate::Deadline::Send)
            });
            assert!((unread - 5..=config.max_input_bytes()).contains(&most), "{rest:?}: {most}");
        }
    }

    #[test]
    fn a_client_never_needs_a_larger_buffer() {
        for (rest, unread) in [
            ("HTTP/1.1 200 ", 300),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ", 200),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", 500),
        ] {
            let config = config();
            let mut client = client::Connection::new(config.clone(), NOW);
            let head = RequestHead::new(Method::Get, "/").unwrap().with("Host", "a").unwrap();
            client.send_request(&head, Content::Empty, NOW).unwrap();
            client.handle_sent(usize::MAX, NOW);
            let most = fill(rest.as_bytes(), |input, bytes| {
                input.extend_from_slice(bytes);
                while let Ok(Some(_)) = client.poll_event(input, NOW) {}
                client.interest().room(input.len()) > 0
            });
            assert!((unread - 5..=config.max_input_bytes()).contains(&most), "{rest:?}: {most}");
        }
    }
}
