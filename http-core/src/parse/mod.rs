//! Reads heads and trailer sections off the front of the lent buffer.

mod checker;
mod fast;
mod finish;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use bytes::{Buf, BytesMut};

use crate::config::Config;
use crate::field::{Fields, Line};
use crate::framing::{Facts, RequestKind};
use crate::head::{RequestHead, ResponseHead};
use crate::reason::Reason;

pub(crate) use checker::trailers;

/// How far the head at the front of the buffer has been looked at.
///
/// A head is tried at once when its first bytes are seen; while it is incomplete it is tried again only when the new
/// bytes hold an end of head or its length has doubled, so that one which drips in costs linear time and a hopeless
/// one is refused early.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Bytes that were searched for an end of head; none of those before them ends one.
    searched: usize,
    /// The length at which an incomplete head is checked again.
    check_at: usize,
    /// Empty lines dropped before this message.
    empty_lines: u32,
    /// Whether the start-line is complete: the difference between two phases, nothing else.
    pub(crate) start_line_read: bool,
}

/// What a reader found at the front of the buffer.
pub(crate) enum Outcome<T> {
    Partial,
    Complete(T, usize),
    /// Not for this reader; the checker decides.
    Unsure,
}

/// A rule that was broken, at an offset from the start of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) Reason, pub(crate) usize);

/// The memory of a head that was given back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spare {
    block: Vec<u8>,
    lines: Vec<Line>,
}

impl Spare {
    pub(crate) fn keep(&mut self, fields: Fields) {
        if fields.block.capacity() > self.block.capacity() {
            self.block = fields.block;
            self.lines = fields.lines;
            self.block.clear();
            self.lines.clear();
        }
    }

    /// An empty section that starts with this memory.
    fn fields(&mut self) -> Fields {
        Fields { block: core::mem::take(&mut self.block), lines: core::mem::take(&mut self.lines), start: 0 }
    }
}

impl Scan {
    /// Reads a request head and takes it off the front of `input`. An offset in the error counts from the first byte
    /// of `input`.
    pub(crate) fn request(
        &mut self,
        input: &mut BytesMut,
        dropped: &mut usize,
        config: &Config,
        spare: &mut Spare,
        at_end: bool,
    ) -> Result<Option<(RequestHead, Facts)>, Broken> {
        if !self.drop_empty_lines(input, dropped, config)? {
            return Ok(None);
        }
        let Some(look) = self.look(input, at_end) else { return Ok(None) };
        let mut fields = spare.fields();
        let mut result = Ok(Outcome::Unsure);
        if look == Look::Complete {
            result = Ok(fast::request(input, config, &mut fields));
        }
        if !matches!(result, Ok(Outcome::Complete(..))) {
            fields.clear();
            result = checker::request(input, config, &mut fields, &mut self.start_line_read);
        }
        match result {
            Ok(Outcome::Complete(line, used)) => {
                let head = finish::request(line, fields, config).map_err(|reason| Broken(reason, used))?;
                input.advance(used);
                *dropped += used;
                *self = Self::default();
                Ok(Some(head))
            }
            Ok(_) => {
                self.again_after(input.len());
                spare.keep(fields);
                Ok(None)
            }
            Err(broken) => Err(broken),
        }
    }

    /// Reads a response head and takes it off the front of `input`.
    pub(crate) fn response(
        &mut self,
        input: &mut BytesMut,
        dropped: &mut usize,
        config: &Config,
        spare: &mut Spare,
        request: RequestKind,
        at_end: bool,
    ) -> Result<Option<(ResponseHead, Facts, bool)>, Broken> {
        let Some(look) = self.look(input, at_end) else { return Ok(None) };
        let mut fields = spare.fields();
        let mut result = Ok(Outcome::Unsure);
        if look == Look::Complete {
            result = Ok(fast::response(input, config, &mut fields));
        }
        if !matches!(result, Ok(Outcome::Complete(..))) {
            fields.clear();
            result = checker::response(input, config, &mut fields, &mut self.start_line_read);
        }
        match result {
            Ok(Outcome::Complete(line, used)) => {
                let head = finish::response(line, fields, request, config).map_err(|reason| Broken(reason, used))?;
                input.advance(used);
                *dropped += used;
                *self = Self::default();
                Ok(Some(head))
            }
            Ok(_) => {
                self.again_after(input.len());
                spare.keep(fields);
                Ok(None)
            }
            Err(broken) => Err(broken),
        }
    }

    /// Whether a head that was found incomplete still is, and has not grown enough to be checked again. `request` and
    /// `response` would say the same; this is what a head that drips in costs.
    #[inline]
    pub(crate) fn drips(&mut self, input: &[u8]) -> bool {
        if self.searched == 0 || input.len() >= self.check_at || ends_in(input, self.searched) {
            return false;
        }
        self.searched = input.len();
        true
    }

    /// Whether something of a message was seen: what starts the deadline of a head.
    pub(crate) fn has_begun(&self, input: &BytesMut) -> bool {
        !input.is_empty() || self.empty_lines > 0
    }

    /// RFC 9112 §2.2: a server ignores at least one empty line before the request-line. False while it is not clear
    /// whether another one comes.
    fn drop_empty_lines(&mut self, input: &mut BytesMut, dropped: &mut usize, config: &Config) -> Result<bool, Broken> {
        if self.searched > 0 {
            return Ok(true);
        }
        loop {
            let length = match &input[..] {
                [b'\r', b'\n', ..] => 2,
                [b'\n', ..] if config.strictness.allow_bare_lf => 1,
                [b'\r'] => return Ok(false),
                _ => return Ok(true),
            };
            if self.empty_lines == config.limits.empty_lines {
                return Err(Broken(Reason::EmptyLines, 0));
            }
            self.empty_lines += 1;
            input.advance(length);
            *dropped += length;
        }
    }

    /// Whether to read on, and whether the head may be complete.
    fn look(&mut self, input: &BytesMut, at_end: bool) -> Option<Look> {
        if input.is_empty() {
            return None;
        }
        if self.searched == 0 {
            return Some(Look::Complete);
        }
        if ends_in(input, self.searched) {
            return Some(Look::Complete);
        }
        self.searched = input.len();
        (input.len() >= self.check_at || at_end).then_some(Look::Partial)
    }

    fn again_after(&mut self, length: usize) {
        self.searched = length;
        self.check_at = length.saturating_mul(2);
    }
}

#[derive(PartialEq, Eq)]
enum Look {
    Complete,
    Partial,
}

/// Whether an end of head, strict or not, lies in `bytes` with its last byte at `from` or later.
#[inline]
fn ends_in(bytes: &[u8], from: usize) -> bool {
    let mut at = from;
    while at < bytes.len() {
        if bytes[at] == b'\n' && at > 0 && (bytes[at - 1] == b'\n' || bytes[..at].ends_with(b"\n\r")) {
            return true;
        }
        at += 1;
    }
    false
}
