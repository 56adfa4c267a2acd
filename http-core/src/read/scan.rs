//! How far a head at the front of the lent buffer was looked at, and what comes of it.

#[cfg(test)]
mod tests;

use bytes::{Buf, BytesMut};

use crate::config::Config;
use crate::message::facts::{Facts, RequestKind};
use crate::message::field::Fields;
use crate::read::broken::Broken;
use crate::read::checker::{Checker, Found, Grammar};
use crate::read::finish::{RequestLine, StatusLine};
use crate::read::last::{Last, Place};
use crate::read::{build, fast, finish};
use crate::reason::Reason;

/// Builds the trailer section that a checker found good.
pub(crate) fn trailers(section: &[u8]) -> Fields {
    let mut fields = Fields::new();
    build::section(section, &mut fields);
    fields
}

/// How far the head at the front of the buffer has been looked at.
///
/// A head is tried at once when its first bytes are seen. While it is incomplete, each new byte is checked once, so
/// that one which drips in costs linear time and a hopeless one is refused as soon as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Scan {
    checker: Checker,
    /// Empty lines dropped before this message.
    empty_lines: u32,
    /// Whether the start-line is complete: the difference between two phases, nothing else.
    pub(crate) start_line_read: bool,
}

/// What the next head is read with: the memory that it is built in, which is that of one which was given back, or none
/// yet, and the head that was read last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spare {
    fields: Fields,
    last: Last,
}

impl Spare {
    pub(crate) fn keep(&mut self, mut fields: Fields) {
        if fields.block.capacity() > self.fields.block.capacity() {
            fields.reset();
            self.fields = fields;
        }
    }

    /// The head that was built last.
    #[inline]
    pub(crate) fn take(&mut self) -> Fields {
        core::mem::take(&mut self.fields)
    }

    /// All memory. Nothing is left in it, nor is anything inherited any more from the head that was read last.
    pub(crate) fn take_all(&mut self) -> Self {
        self.fields.reset();
        self.last.forget();
        core::mem::take(self)
    }

    /// Takes memory where there is none; what stands in it does not count.
    pub(crate) fn give(&mut self, other: Self) {
        if self.fields.block.capacity() == 0 {
            self.keep(other.fields);
        }
        if self.last.capacity() == 0 {
            self.last = other.last;
            self.last.forget();
        }
    }

    /// In which lines the head that was read last differs from the one before, a bit for each, if that was looked at.
    #[inline]
    pub(crate) fn changed_lines(&self) -> Option<u64> {
        self.last.changed_lines()
    }

    /// How many bytes of memory it is.
    pub(crate) fn capacity(&self) -> usize {
        self.fields.capacity() + self.last.capacity()
    }

    /// Whether there is memory alone.
    #[cfg(test)]
    pub(crate) fn holds_nothing(&self) -> bool {
        self.fields.is_empty() && self.fields.block.is_empty() && self.last.holds_nothing()
    }
}

impl Scan {
    /// Nothing of a head was seen, behind so many empty lines.
    pub(crate) fn behind(empty_lines: u32) -> Self {
        Self { empty_lines, ..Self::default() }
    }

    /// How many empty lines were dropped, if that is all that was seen.
    pub(crate) fn empty_lines_alone(&self) -> Option<u32> {
        (*self == Self::behind(self.empty_lines)).then_some(self.empty_lines)
    }

    /// Reads a request head into `spare`, what its fields say into `facts`, which are empty, and takes it off the
    /// front of `input`. An offset in the error counts from the first byte of `input`.
    pub(crate) fn request(
        &mut self,
        input: &mut BytesMut,
        received: &mut u64,
        config: &Config,
        spare: &mut Spare,
        facts: &mut Facts,
        at_end: bool,
    ) -> Result<Option<RequestLine>, Broken> {
        if !self.drop_empty_lines(input, received, config)? || input.is_empty() {
            return Ok(None);
        }
        let Spare { fields, last } = spare;
        fields.reset();
        let begun = self.checker.has_begun();
        // All of a head that is there is read at once.
        let mut place = Place::nowhere();
        let line = if begun { None } else { fast::request(input, config, last, &mut place, fields, facts) };
        let (mut line, was_read) = match line {
            Some(line) => (line, true),
            None => {
                fields.reset();
                let Some(used) = self.check(input, config, Grammar::Request, at_end)? else { return Ok(None) };
                // Now that all of it has come.
                let head = &input[..used];
                let line = if begun { fast::request(head, config, last, &mut place, fields, facts) } else { None };
                match line {
                    Some(line) => (line, true),
                    None => {
                        fields.reset();
                        (build::request(head, fields, facts), false)
                    }
                }
            }
        };
        let used = line.length;
        if let Err(reason) = finish::request(&mut line, facts, fields, config) {
            self.start_line_read = true;
            return Err(Broken(reason, used));
        }
        // Nothing follows the last head of a connection that could be compared with it.
        let is_followed = was_read && facts.persistent(line.version);
        last.remember(fields, is_followed.then_some(&place));
        self.take_off(input, used);
        *received = received.saturating_add(used as u64);
        Ok(Some(line))
    }

    /// Reads a response head into `spare`, what its fields say into `facts`, and takes it off the front of `input`.
    pub(crate) fn response(
        &mut self,
        input: &mut BytesMut,
        config: &Config,
        spare: &mut Spare,
        facts: &mut Facts,
        request: RequestKind,
        at_end: bool,
    ) -> Result<Option<StatusLine>, Broken> {
        if input.is_empty() {
            return Ok(None);
        }
        let Spare { fields, last } = spare;
        fields.reset();
        let begun = self.checker.has_begun();
        // All of a head that is there is read at once.
        let mut place = Place::nowhere();
        let line = if begun { None } else { fast::response(input, config, last, &mut place, fields, facts) };
        let (mut line, was_read) = match line {
            Some(line) => (line, true),
            None => {
                fields.reset();
                let Some(used) = self.check(input, config, Grammar::Response, at_end)? else { return Ok(None) };
                // Now that all of it has come.
                let head = &input[..used];
                let line = if begun { fast::response(head, config, last, &mut place, fields, facts) } else { None };
                match line {
                    Some(line) => (line, true),
                    None => {
                        fields.reset();
                        (build::response(head, fields, facts), false)
                    }
                }
            }
        };
        let used = line.length;
        finish::response(&mut line, facts, request, config).map_err(|reason| Broken(reason, used))?;
        let is_followed = was_read && line.certain && facts.persistent(line.version);
        last.remember(fields, is_followed.then_some(&place));
        self.take_off(input, used);
        Ok(Some(line))
    }

    /// A head of `used` bytes was read.
    #[inline]
    fn take_off(&mut self, input: &mut BytesMut, used: usize) {
        if used == input.len() {
            // Leaves the buffer where it begins, so that it is soon full less often.
            input.clear();
        } else {
            input.advance(used);
        }
        *self = Self::default();
    }

    /// How long the head is, once all of it is there and good.
    #[inline(never)]
    fn check(
        &mut self,
        input: &[u8],
        config: &Config,
        grammar: Grammar,
        at_end: bool,
    ) -> Result<Option<usize>, Broken> {
        let found = self.checker.run(input, config, grammar);
        self.start_line_read = self.checker.start_line_read();
        match found {
            Found::Complete(used) => Ok(Some(used)),
            // RFC 9113 §3.4: a request-line of its own, so that a server of HTTP/1 refuses it.
            Found::Broken(Broken(Reason::Version, at)) if input.starts_with(b"PRI * HTTP/2.0") => {
                Err(Broken(Reason::Http2Preface, at))
            }
            Found::Broken(broken) => Err(broken),
            Found::Partial => match self.checker.pending() {
                Some(broken) if at_end => Err(broken),
                _ => Ok(None),
            },
        }
    }

    /// Whether the one new byte of a head that was found incomplete changes nothing.
    #[inline]
    pub(crate) fn takes_one(&mut self, input: &[u8]) -> bool {
        self.checker.takes_one(input)
    }

    /// Whether the one new byte of a request head that was found incomplete makes one of the usual steps.
    #[inline(always)]
    pub(crate) fn steps_as_usual(&mut self, input: &[u8], config: &Config) -> bool {
        let steps = self.checker.has_begun() && self.checker.steps_as_usual(input, config, Grammar::Request);
        self.start_line_read |= steps && self.checker.start_line_read();
        steps
    }

    /// Whether a request head that was found incomplete still is: its new bytes neither end nor break it. `request`
    /// would say the same; this is what a head that drips in costs.
    #[inline]
    pub(crate) fn steps(&mut self, input: &[u8], config: &Config) -> bool {
        let steps = self.checker.has_begun() && self.checker.steps(input, config, Grammar::Request);
        if steps && !self.start_line_read {
            self.start_line_read = self.checker.start_line_read();
        }
        steps
    }

    /// RFC 9112 §2.2, §9.2: a server ignores at least one empty line before the request-line, a client may before the
    /// status-line. False while it is not clear whether another one comes.
    #[inline]
    pub(crate) fn drop_empty_lines(
        &mut self,
        input: &mut BytesMut,
        received: &mut u64,
        config: &Config,
    ) -> Result<bool, Broken> {
        match input.first() {
            Some(b'\r' | b'\n') if !self.checker.has_begun() => self.drop_all_empty_lines(input, received, config),
            _ => Ok(true),
        }
    }

    #[inline(never)]
    fn drop_all_empty_lines(
        &mut self,
        input: &mut BytesMut,
        received: &mut u64,
        config: &Config,
    ) -> Result<bool, Broken> {
        loop {
            let length = match &input[..] {
                [b'\r', b'\n', ..] => 2,
                [b'\n', ..] if config.leniency.allow_bare_lf => 1,
                [b'\r'] => return Ok(false),
                _ => return Ok(true),
            };
            if self.empty_lines == config.limits.empty_lines {
                return Err(Broken(Reason::EmptyLines, 0));
            }
            self.empty_lines += 1;
            input.advance(length);
            *received = received.saturating_add(length as u64);
        }
    }
}
