//! The checker: reads byte by byte, says which rule is broken where, and its answer counts.
//!
//! Every rule is applied at the first byte that breaks it, so that an incomplete head is refused for the same reason
//! and at the same offset as the complete one, wherever the input was cut.

use super::finish::{RequestLine, StatusLine};
use super::{Broken, Outcome};
use crate::config::Config;
use crate::field::{Fields, Line};
use crate::framing::Facts;
use crate::reason::Reason;
use crate::status::StatusCode;
use crate::token::{self, Known};
use crate::version::Version;

pub(super) fn request(
    input: &[u8],
    config: &Config,
    fields: &mut Fields,
    start_line_read: &mut bool,
) -> Result<Outcome<RequestLine>, Broken> {
    let mut cursor = Cursor::new(input, config.limits.head, Reason::HeadTooLong);
    let line = match cursor.request_line(config) {
        Ok(line) => line,
        Err(stop) => return stop.into(),
    };
    *start_line_read = true;
    for part in [line.method, b" ", line.target, b" ", line.version.as_str().as_bytes(), b"\r\n"] {
        fields.block.extend_from_slice(part);
    }
    fields.start = fields.block.len() as u32;
    let limits = Section { lines: config.limits.fields, too_many: Reason::TooManyFields, spaces: Spaces::OnRequest };
    match cursor.section(config, &limits, fields) {
        Ok(facts) => Ok(Outcome::Complete(
            RequestLine {
                method_len: line.method.len() as u16,
                target_at: line.method.len() as u32 + 1,
                target_len: line.target.len() as u32,
                version: line.version,
                facts,
            },
            cursor.at,
        )),
        Err(stop) => stop.into(),
    }
}

pub(super) fn response(
    input: &[u8],
    config: &Config,
    fields: &mut Fields,
    start_line_read: &mut bool,
) -> Result<Outcome<StatusLine>, Broken> {
    let mut cursor = Cursor::new(input, config.limits.head, Reason::HeadTooLong);
    let (version, status, reason) = match cursor.status_line(config) {
        Ok(parts) => parts,
        Err(stop) => return stop.into(),
    };
    *start_line_read = true;
    for part in [version.as_str().as_bytes(), b" ", &status.digits(), b" ", reason, b"\r\n"] {
        fields.block.extend_from_slice(part);
    }
    fields.start = fields.block.len() as u32;
    let limits = Section { lines: config.limits.fields, too_many: Reason::TooManyFields, spaces: Spaces::OnResponse };
    match cursor.section(config, &limits, fields) {
        Ok(facts) => Ok(Outcome::Complete(
            StatusLine { status, reason_at: 13, reason_len: reason.len() as u32, version, facts },
            cursor.at,
        )),
        Err(stop) => stop.into(),
    }
}

/// Reads a trailer section with the empty line that ends it (RFC 9112 §7.1.2).
pub(crate) fn trailers(input: &[u8], config: &Config, fields: &mut Fields) -> Result<Outcome<()>, Broken> {
    let mut cursor = Cursor::new(input, config.limits.trailers, Reason::TrailersTooLong);
    let limits =
        Section { lines: config.limits.trailer_fields, too_many: Reason::TooManyFields, spaces: Spaces::OnRequest };
    match cursor.section(config, &limits, fields) {
        Ok(_) => Ok(Outcome::Complete((), cursor.at)),
        Err(stop) => stop.into(),
    }
}

enum Stop {
    Partial,
    Broken(Broken),
}

impl<T> From<Stop> for Result<Outcome<T>, Broken> {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Partial => Ok(Outcome::Partial),
            Stop::Broken(broken) => Err(broken),
        }
    }
}

struct Parts<'a> {
    method: &'a [u8],
    target: &'a [u8],
    version: Version,
}

struct Section {
    lines: usize,
    too_many: Reason,
    spaces: Spaces,
}

/// Where whitespace before a colon may be dropped: RFC 9112 §5.1 has it removed from responses by a proxy.
#[derive(PartialEq, Eq)]
enum Spaces {
    OnRequest,
    OnResponse,
}

struct Cursor<'a> {
    input: &'a [u8],
    at: usize,
    limit: usize,
    beyond: Reason,
}

impl<'a> Cursor<'a> {
    fn new(input: &'a [u8], limit: usize, beyond: Reason) -> Self {
        Self { input, at: 0, limit: limit.min(u32::MAX as usize), beyond }
    }

    fn peek(&self) -> Result<u8, Stop> {
        if self.at >= self.limit {
            return Err(self.broken(self.beyond));
        }
        self.input.get(self.at).copied().ok_or(Stop::Partial)
    }

    fn next(&mut self) -> Result<u8, Stop> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    /// The fault is at the byte that comes next.
    fn broken(&self, reason: Reason) -> Stop {
        Stop::Broken(Broken(reason, self.at))
    }

    /// The fault is at the byte that was read last.
    fn broke(&self, reason: Reason) -> Stop {
        Stop::Broken(Broken(reason, self.at - 1))
    }

    fn request_line(&mut self, config: &Config) -> Result<Parts<'a>, Stop> {
        let method = self.method()?;
        let target = self.target(config)?;
        let preface = method == b"PRI" && target == b"*";
        let version = self.version(if preface { Reason::Http2Preface } else { Reason::Version })?;
        if config.strictness.allow_trailing_space_in_request_line {
            while self.peek()? == b' ' {
                self.at += 1;
            }
        }
        self.line_end(config, Reason::StartLine)?;
        Ok(Parts { method, target, version })
    }

    fn method(&mut self) -> Result<&'a [u8], Stop> {
        loop {
            match self.next()? {
                b' ' if self.at > 1 => return Ok(&self.input[..self.at - 1]),
                // A TLS record of type handshake, version 3.x, begins with these bytes (RFC 8446 §5.1).
                0x16 if self.at == 1 => return Err(self.broke(Reason::TlsClientHello)),
                byte if token::is_tchar(byte) && self.at <= usize::from(u16::MAX) => {}
                b'\n' if self.at == 1 => return Err(self.broke(Reason::BareLf)),
                b'\n' => return Err(self.broke(Reason::StartLine)),
                _ => return Err(self.broke(Reason::Method)),
            }
        }
    }

    fn target(&mut self, config: &Config) -> Result<&'a [u8], Stop> {
        let from = self.at;
        loop {
            let byte = self.next()?;
            let allowed = match config.strictness.allow_lax_target {
                false => token::is_target_byte(byte),
                true => token::is_lax_target(&[byte]),
            };
            match byte {
                b' ' if self.at - from > 1 => return Ok(&self.input[from..self.at - 1]),
                _ if allowed && self.at - from > config.limits.target => {
                    return Err(self.broke(Reason::TargetTooLong));
                }
                _ if allowed => {}
                b' ' | b'\r' | b'\n' => return Err(self.broke(Reason::StartLine)),
                _ => return Err(self.broke(Reason::Target)),
            }
        }
    }

    /// `HTTP/1.x`; a minor version above 1 is read as 1 (RFC 9110 §2.5).
    fn version(&mut self, other_major: Reason) -> Result<Version, Stop> {
        for &expected in b"HTTP/" {
            if self.next()? != expected {
                return Err(self.broke(Reason::VersionSyntax));
            }
        }
        match self.next()? {
            b'1' => {}
            b'0'..=b'9' => return Err(self.broke(other_major)),
            _ => return Err(self.broke(Reason::VersionSyntax)),
        }
        if self.next()? != b'.' {
            return Err(self.broke(Reason::VersionSyntax));
        }
        match self.next()? {
            b'0' => Ok(Version::Http10),
            b'1'..=b'9' => Ok(Version::Http11),
            _ => Err(self.broke(Reason::VersionSyntax)),
        }
    }

    fn status_line(&mut self, config: &Config) -> Result<(Version, StatusCode, &'a [u8]), Stop> {
        let version = self.version(Reason::Version)?;
        if self.next()? != b' ' {
            return Err(self.broke(Reason::StatusLine));
        }
        let mut code = 0_u16;
        for _ in 0..3 {
            let digit = self.next()?;
            if !digit.is_ascii_digit() {
                return Err(self.broke(Reason::StatusLine));
            }
            code = code * 10 + u16::from(digit - b'0');
        }
        let Some(status) = StatusCode::new(code) else { return Err(self.broke(Reason::StatusLine)) };
        // The space before the reason phrase is not optional, but peers that have no phrase often leave it out, and
        // nothing hangs on it (RFC 9112 §4).
        let from = match self.peek()? {
            b' ' => {
                self.at += 1;
                self.at
            }
            b'\r' | b'\n' => self.at,
            _ => return Err(self.broken(Reason::StatusLine)),
        };
        while token::is_value_byte(self.peek()?) {
            self.at += 1;
        }
        let reason = &self.input[from..self.at];
        self.line_end(config, Reason::StatusLine)?;
        Ok((version, status, reason))
    }

    /// CRLF, or LF alone where that is allowed.
    fn line_end(&mut self, config: &Config, otherwise: Reason) -> Result<(), Stop> {
        match self.next()? {
            b'\r' => match self.next()? {
                b'\n' => Ok(()),
                _ => {
                    self.at -= 1;
                    Err(self.broke(Reason::BareCr))
                }
            },
            b'\n' if config.strictness.allow_bare_lf => Ok(()),
            b'\n' => Err(self.broke(Reason::BareLf)),
            _ => Err(self.broke(otherwise)),
        }
    }

    /// Field lines up to and with the empty line, written to `fields` with one space after each colon.
    fn section(&mut self, config: &Config, limits: &Section, fields: &mut Fields) -> Result<Facts, Stop> {
        let mut facts = Facts::default();
        loop {
            match self.peek()? {
                b'\r' | b'\n' => {
                    self.line_end(config, Reason::FieldName)?;
                    return Ok(facts);
                }
                b' ' | b'\t' => return Err(self.broken(Reason::LeadingSpace)),
                _ if fields.len() == limits.lines => return Err(self.broken(limits.too_many)),
                _ => {}
            }
            let line = self.field_line(config, limits, fields)?;
            fields.lines.push(line);
            facts.add(line.known, fields.value_of(&line));
        }
    }

    fn field_line(&mut self, config: &Config, limits: &Section, fields: &mut Fields) -> Result<Line, Stop> {
        let from = self.at;
        let name = self.field_name(config, limits, from)?;
        let name_at = fields.block.len() as u32;
        fields.block.extend_from_slice(name);
        fields.block.extend_from_slice(b": ");
        let value_at = fields.block.len();
        loop {
            let part_at = self.at;
            // As far as no limit can be passed in one run; the byte that may break a rule is met below.
            let within = self.limit.min(from.saturating_add(config.limits.field_line)).min(self.input.len());
            self.at += token::value_len(self.input.get(self.at..within).unwrap_or_default());
            while token::is_value_byte(self.peek()?) {
                self.at += 1;
                if self.at - from > config.limits.field_line {
                    return Err(self.broke(Reason::FieldLineTooLong));
                }
            }
            let part = token::trim(&self.input[part_at..self.at]);
            if !part.is_empty() && fields.block.len() > value_at {
                // RFC 9112 §5.2: a fold is replaced by spaces before the value is looked at.
                fields.block.push(b' ');
            }
            fields.block.extend_from_slice(part);
            self.line_end(config, Reason::FieldValue)?;
            match self.peek()? {
                b' ' | b'\t' if config.strictness.allow_obs_fold => {}
                b' ' | b'\t' => return Err(self.broken(Reason::ObsFold)),
                _ => break,
            }
        }
        let value_len = fields.block.len() - value_at;
        fields.block.extend_from_slice(b"\r\n");
        Ok(Line {
            name: name_at,
            value: value_at as u32,
            value_len: value_len as u32,
            name_len: name.len() as u16,
            known: Known::of(name),
        })
    }

    fn field_name(&mut self, config: &Config, limits: &Section, from: usize) -> Result<&'a [u8], Stop> {
        loop {
            match self.next()? {
                b':' if self.at - from > 1 => return Ok(&self.input[from..self.at - 1]),
                byte if token::is_tchar(byte) => {
                    if self.at - from > config.limits.field_line.min(usize::from(u16::MAX)) {
                        return Err(self.broke(Reason::FieldLineTooLong));
                    }
                }
                b' ' | b'\t' if self.at - from > 1 => {
                    let allowed = config.strictness.allow_space_before_colon
                        || limits.spaces == Spaces::OnResponse
                            && config.strictness.allow_space_before_colon_in_responses;
                    if !allowed {
                        return Err(self.broke(Reason::SpaceBeforeColon));
                    }
                    let name = &self.input[from..self.at - 1];
                    loop {
                        match self.next()? {
                            b' ' | b'\t' => {}
                            b':' => return Ok(name),
                            _ => return Err(self.broke(Reason::FieldName)),
                        }
                        if self.at - from > config.limits.field_line {
                            return Err(self.broke(Reason::FieldLineTooLong));
                        }
                    }
                }
                _ => return Err(self.broke(Reason::FieldName)),
            }
        }
    }
}
