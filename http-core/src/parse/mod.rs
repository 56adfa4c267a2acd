//! Reads heads and trailer sections off the front of the lent buffer.

mod build;
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

pub(crate) use checker::{Checker, Found, Grammar};

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

/// What a reader found at the front of the buffer.
enum Outcome<T> {
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
        if !self.drop_empty_lines(input, dropped, config)? || input.is_empty() {
            return Ok(None);
        }
        let mut fields = spare.fields();
        let mut outcome = Outcome::Unsure;
        if !self.checker.has_begun() {
            // All of a head that is there is read at once.
            outcome = fast::request(input, config, &mut fields);
        }
        let (line, used) = match outcome {
            Outcome::Complete(line, used) => (line, used),
            Outcome::Unsure => {
                let Some(used) = self.check(input, config, Grammar::Request, at_end)? else {
                    spare.keep(fields);
                    return Ok(None);
                };
                fields.clear();
                (build::request(&input[..used], &mut fields), used)
            }
        };
        let head = finish::request(line, fields, config).map_err(|reason| Broken(reason, used))?;
        input.advance(used);
        *dropped += used;
        *self = Self::default();
        Ok(Some(head))
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
        if input.is_empty() {
            return Ok(None);
        }
        let mut fields = spare.fields();
        let mut outcome = Outcome::Unsure;
        if !self.checker.has_begun() {
            // All of a head that is there is read at once.
            outcome = fast::response(input, config, &mut fields);
        }
        let (line, used) = match outcome {
            Outcome::Complete(line, used) => (line, used),
            Outcome::Unsure => {
                let Some(used) = self.check(input, config, Grammar::Response, at_end)? else {
                    spare.keep(fields);
                    return Ok(None);
                };
                fields.clear();
                (build::response(&input[..used], &mut fields), used)
            }
        };
        let head = finish::response(line, fields, request, config).map_err(|reason| Broken(reason, used))?;
        input.advance(used);
        *dropped += used;
        *self = Self::default();
        Ok(Some(head))
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

    /// Whether a request head that was found incomplete still is: its new bytes neither end nor break it. `request`
    /// would say the same; this is what a head that drips in costs.
    #[inline]
    pub(crate) fn drips(&mut self, input: &[u8], config: &Config) -> bool {
        if self.checker.takes_one(input) {
            return true;
        }
        let drips = self.checker.has_begun() && self.checker.run(input, config, Grammar::Request) == Found::Partial;
        if drips {
            self.start_line_read = self.checker.start_line_read();
        }
        drips
    }

    /// Whether something of a message was seen: what starts the deadline of a head.
    pub(crate) fn has_begun(&self, input: &BytesMut) -> bool {
        !input.is_empty() || self.empty_lines > 0
    }

    /// RFC 9112 §2.2: a server ignores at least one empty line before the request-line. False while it is not clear
    /// whether another one comes.
    fn drop_empty_lines(&mut self, input: &mut BytesMut, dropped: &mut usize, config: &Config) -> Result<bool, Broken> {
        if self.checker.has_begun() {
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
}
