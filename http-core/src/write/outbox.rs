//! What waits to be sent: small bytes staged in one buffer, large ones linked.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;

use crate::canonical::Collector;

/// Content up to this many bytes is copied beside what is staged; above, it is linked and written without a copy.
///
/// One copy of 2 KiB costs less than another slice in a vectored write and a reference count.
pub(crate) const LINK_FROM: usize = 2048;

/// Whether content is copied beside what is staged, and not linked.
#[inline]
pub(crate) const fn is_copied(content: &Bytes) -> bool {
    content.len() <= LINK_FROM
}

/// Staging memory above this is given back when everything was sent.
const KEEP: usize = 16 * 1024;

/// How long the staging buffer gets while `waiting` bytes wait: what was sent of it goes when it is half of it.
pub(crate) const fn most_staged(waiting: usize) -> usize {
    let twice = waiting.saturating_mul(2);
    let kept = waiting.saturating_add(KEEP);
    if twice > kept { twice } else { kept }
}

/// How much memory the links take while `waiting` bytes wait.
pub(crate) const fn most_links(waiting: usize) -> usize {
    (waiting / LINK_FROM).saturating_add(4).saturating_mul(size_of::<Link>())
}

/// The bytes that a connection has queued for the transport, in order.
///
/// Two ways to send them: [`slices`](Self::slices) lends them for one vectored write, [`take`](Self::take) gives them
/// away as owned [`Bytes`] for I/O that works on completion. Either way the connection is told with `handle_sent`.
///
/// ```
/// use http_core::{Config, Content, Instant, ResponseHead, StatusCode, server};
/// # use bytes::BytesMut;
/// # let mut connection = server::Connection::new(Config::default().into(), Instant::ZERO);
/// # let mut input = BytesMut::from("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
/// # while connection.poll_event(&mut input, Instant::ZERO)?.is_some() {}
/// connection.send_response(&ResponseHead::new(StatusCode::NO_CONTENT), Content::Empty, Instant::ZERO)?;
/// let mut slices = [&b""[..]; 8];
/// assert_eq!(connection.outbox().slices(&mut slices), 1);
/// assert_eq!(slices[0], b"HTTP/1.1 204 No Content\r\n\r\n");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Outbox {
    staged: Vec<u8>,
    /// How much of `staged` has been sent or taken.
    staged_gone: usize,
    links: VecDeque<Link>,
    /// Staged bytes that no link follows: mostly all there is.
    tail: usize,
    /// Bytes that were not sent or taken.
    waiting: usize,
    /// Bytes taken, and not yet reported as sent.
    in_flight: usize,
    queued: u64,
    sent: u64,
}

/// Bytes that are not copied, and how many staged ones go before them.
#[derive(Clone)]
struct Link {
    staged: usize,
    bytes: Bytes,
}

/// How much there is, not what: heads have secrets, and content may be long.
impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox")
            .field("waiting", &self.waiting)
            .field("in_flight", &self.in_flight)
            .field("queued", &self.queued)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

/// An outbox of one's own, for transports that are written to beside a connection.
///
/// ```
/// let mut outbox = http_core::Outbox::from(bytes::Bytes::from_static(b"hello"));
/// assert_eq!(outbox.advance(2), 2);
/// assert_eq!(outbox.len(), 3);
/// ```
impl From<Bytes> for Outbox {
    fn from(bytes: Bytes) -> Self {
        let mut outbox = Self::default();
        outbox.push(bytes);
        outbox
    }
}

impl Outbox {
    /// Whether nothing waits and nothing is in flight.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes wait or are in flight.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting + self.in_flight
    }

    pub(crate) const fn has_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// Fills `slices` with what waits, in order, and returns how many it filled.
    #[must_use]
    pub fn slices<'a>(&'a self, slices: &mut [&'a [u8]]) -> usize {
        let (mut slots, mut at, mut filled) = (slices.iter_mut(), self.staged_gone, 0);
        for Link { staged, bytes } in &self.links {
            for slice in [&self.staged[at..at + staged], bytes] {
                if !slice.is_empty() {
                    let Some(slot) = slots.next() else { return filled };
                    *slot = slice;
                    filled += 1;
                }
            }
            at += staged;
        }
        if self.tail > 0 {
            if let Some(slot) = slots.next() {
                *slot = &self.staged[at..];
                filled += 1;
            }
        }
        filled
    }

    /// Takes the next segment as owned bytes. It is in flight until `handle_sent` reports it.
    #[must_use]
    pub fn take(&mut self) -> Option<Bytes> {
        let bytes = match self.links.front_mut() {
            Some(Link { staged: 0, .. }) => self.links.pop_front()?.bytes,
            Some(Link { staged, .. }) => {
                let staged = core::mem::take(staged);
                self.take_staged(staged)
            }
            None if self.tail == 0 => return None,
            None => {
                let staged = core::mem::take(&mut self.tail);
                self.take_staged(staged)
            }
        };
        self.waiting -= bytes.len();
        self.in_flight += bytes.len();
        Some(bytes)
    }

    fn take_staged(&mut self, count: usize) -> Bytes {
        let rest = self.staged.split_off(self.staged_gone + count);
        let taken = Bytes::from(core::mem::replace(&mut self.staged, rest)).slice(self.staged_gone..);
        self.staged_gone = 0;
        taken
    }

    /// An empty one, of which so many bytes were sent.
    pub(crate) fn behind(sent: u64) -> Self {
        Self { queued: sent, sent, ..Self::default() }
    }

    /// How many bytes were sent, if nothing waits, nothing is in flight, and nothing was lost.
    pub(crate) fn all_sent(&self) -> Option<u64> {
        (self.is_empty() && self.queued == self.sent).then_some(self.sent)
    }

    /// All bytes ever queued: the positions in the stream that a retry is decided by count from 0 to here.
    pub(crate) const fn queued(&self) -> u64 {
        self.queued
    }

    /// Bytes handed to the transport, whether it has taken them for certain or not.
    pub(crate) const fn handed_over(&self) -> u64 {
        self.sent + self.in_flight as u64
    }

    /// Queues `write`'s bytes in the staging buffer; if it fails, nothing was queued.
    pub(crate) fn stage<T, E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<T, E>) -> Result<T, E> {
        let before = self.begin();
        match write(&mut self.staged) {
            Ok(value) => {
                self.note_staged(self.staged.len() - before);
                Ok(value)
            }
            Err(error) => {
                self.staged.truncate(before);
                Err(error)
            }
        }
    }

    /// Queues `write`'s bytes in the staging buffer.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let before = self.begin();
        write(&mut self.staged);
        self.note_staged(self.staged.len() - before);
    }

    pub(crate) fn push_copy(&mut self, bytes: &[u8]) {
        self.write(|staged| staged.extend_from_slice(bytes));
    }

    /// Queues content: copied if small, linked if large.
    pub(crate) fn push(&mut self, bytes: Bytes) {
        if is_copied(&bytes) {
            self.push_copy(&bytes);
        } else {
            self.waiting += bytes.len();
            self.queued += bytes.len() as u64;
            self.links.push_back(Link { staged: core::mem::take(&mut self.tail), bytes });
        }
    }

    /// Accounts for `count` sent bytes; returns how many of them there were to send. For an outbox of one's own: that
    /// of a connection is told by the connection's `handle_sent`.
    pub fn advance(&mut self, count: usize) -> usize {
        let of_flight = count.min(self.in_flight);
        self.in_flight -= of_flight;
        let mut left = (count - of_flight).min(self.waiting);
        let done = of_flight + left;
        self.sent += done as u64;
        self.waiting -= left;
        if self.waiting == 0 {
            self.rewind();
            return done;
        }
        while left > 0 {
            match self.links.front_mut() {
                Some(Link { staged, .. }) if *staged > 0 => {
                    let count = left.min(*staged);
                    *staged -= count;
                    self.staged_gone += count;
                    left -= count;
                }
                Some(Link { bytes, .. }) if bytes.len() > left => {
                    bytes::Buf::advance(bytes, left);
                    left = 0;
                }
                Some(Link { bytes, .. }) => {
                    left -= bytes.len();
                    self.links.pop_front();
                }
                None => {
                    self.tail -= left;
                    self.staged_gone += left;
                    left = 0;
                }
            }
        }
        if self.staged_gone > KEEP.max(self.staged.len() / 2) {
            // A transport that always leaves something would have it grow for ever.
            self.staged.drain(..self.staged_gone);
            self.staged_gone = 0;
        }
        done
    }

    /// Nothing waits any more.
    #[inline]
    fn rewind(&mut self) {
        if !self.links.is_empty() {
            self.links.clear();
        }
        (self.staged_gone, self.tail) = (0, 0);
        self.staged.clear();
        if self.staged.capacity() > KEEP {
            self.staged = Vec::new();
        }
    }

    /// Drops what waits: the transport takes no more. Where nothing does, the memory stays for whoever goes on with it.
    pub(crate) fn discard(&mut self) {
        if self.is_empty() {
            return;
        }
        let (queued, sent) = (self.queued, self.handed_over());
        *self = Self { queued, sent, ..Self::default() };
    }

    /// The memory of an empty outbox; of another one, none.
    pub(crate) fn take_memory(&mut self) -> Vec<u8> {
        if !self.is_empty() {
            return Vec::new();
        }
        self.links = VecDeque::new();
        core::mem::take(&mut self.staged)
    }

    /// How many bytes of memory it has to stage in.
    pub(crate) fn memory_size(&self) -> usize {
        self.staged.capacity()
    }

    /// Memory to stage in, for an outbox that has none.
    pub(crate) fn give_memory(&mut self, memory: Vec<u8>) {
        if self.staged.capacity() == 0 {
            self.staged = memory;
        }
    }

    /// A copy of the last `count` bytes that were queued; they must still wait.
    pub(crate) fn newest(&self, count: u64) -> Bytes {
        let mut skip = self.waiting.saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
        let mut copy = Vec::with_capacity(self.waiting - skip);
        let mut add = |slice: &[u8]| {
            copy.extend_from_slice(&slice[skip.min(slice.len())..]);
            skip = skip.saturating_sub(slice.len());
        };
        let mut at = self.staged_gone;
        for Link { staged, bytes } in &self.links {
            add(&self.staged[at..at + staged]);
            add(bytes);
            at += staged;
        }
        add(&self.staged[at..at + self.tail]);
        Bytes::from(copy)
    }

    /// The bytes that wait, and how many are in flight: where segments end makes no difference.
    pub(crate) fn describe(&self, out: &mut Collector) {
        out.value((&self.newest(self.waiting as u64)[..], self.in_flight));
    }

    /// Where the bytes that are staged next begin.
    fn begin(&mut self) -> usize {
        if self.waiting == 0 {
            self.staged.clear();
            self.staged_gone = 0;
        }
        self.staged.len()
    }

    fn note_staged(&mut self, len: usize) {
        self.tail += len;
        self.waiting += len;
        self.queued += len as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(outbox: &Outbox) -> Vec<u8> {
        let mut slices = [&b""[..]; 16];
        let filled = outbox.slices(&mut slices);
        slices[..filled].concat()
    }

    fn mixed() -> (Outbox, Vec<u8>) {
        let mut outbox = Outbox::default();
        let large = Bytes::from(alloc::vec![b'x'; LINK_FROM + 1]);
        outbox.push_copy(b"head");
        outbox.push(large.clone());
        outbox.push(Bytes::from_static(b"tail"));
        outbox.push_copy(b"more");
        let expected = [&b"head"[..], &large, b"tailmore"].concat();
        (outbox, expected)
    }

    #[test]
    fn bytes_leave_in_order_whatever_the_transport_takes() {
        for step in 1..40 {
            let (mut outbox, expected) = mixed();
            assert_eq!(outbox.len(), expected.len());
            let mut seen = Vec::new();
            while !outbox.is_empty() {
                let now = all(&outbox);
                assert_eq!(now, expected[seen.len()..]);
                let took = step.min(now.len());
                seen.extend_from_slice(&now[..took]);
                assert_eq!(outbox.advance(took), took);
            }
            assert_eq!(seen, expected);
            assert_eq!((outbox.queued(), outbox.sent), (expected.len() as u64, expected.len() as u64));
        }
    }

    #[test]
    fn what_was_sent_is_not_kept_while_something_always_waits() {
        let mut outbox = Outbox::default();
        outbox.push_copy(&[0; 100]);
        let mut most = 0;
        for byte in 1..=255 {
            outbox.push_copy(&[byte; 2000]);
            assert_eq!(outbox.advance(2000), 2000);
            most = most.max(outbox.staged.capacity());
        }
        assert_eq!(all(&outbox), [255; 100]);
        assert!(most < 4 * KEEP, "{most} bytes for 100 that wait");
    }

    #[test]
    fn taken_segments_are_in_flight_until_reported() {
        let (mut outbox, expected) = mixed();
        outbox.advance(2);
        let mut seen = expected[..2].to_vec();
        while let Some(bytes) = outbox.take() {
            seen.extend_from_slice(&bytes);
        }
        assert_eq!(seen, expected);
        assert_eq!(outbox.len(), expected.len() - 2);
        assert_eq!((outbox.sent, outbox.handed_over()), (2, expected.len() as u64));
        assert_eq!(outbox.advance(usize::MAX), expected.len() - 2);
        assert!(outbox.is_empty());
        outbox.push_copy(b"again");
        assert_eq!(all(&outbox), b"again");
    }

    #[test]
    fn a_failed_writer_leaves_nothing() {
        let mut outbox = Outbox::default();
        outbox.push_copy(b"a");
        let result: Result<(), u8> = outbox.stage(|staged| {
            staged.extend_from_slice(b"half");
            Err(7)
        });
        assert_eq!(result, Err(7));
        assert_eq!((all(&outbox), outbox.queued()), (b"a".to_vec(), 1));
        assert_eq!(outbox.newest(1), Bytes::from_static(b"a"));
    }

    #[test]
    fn the_newest_bytes_are_what_was_queued_last() {
        let (outbox, expected) = mixed();
        for count in [0, 1, 4, 8, 9, 20, expected.len()] {
            assert_eq!(outbox.newest(count as u64), expected[expected.len() - count..]);
        }
    }
}
