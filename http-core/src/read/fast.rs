//! The fast reader: a start-line in its one strict form, then `httparse`, and a strict pass over what it found.
//!
//! It accepts only what the checker would accept as it stands; whatever else it meets, the checker decides. The
//! start-line is read here, because holding what `httparse` makes of a looser one to the strict form costs more.

use httparse::{EMPTY_HEADER, Header, Status};

use super::finish::{RequestLine, StatusLine};
use crate::config::Config;
use crate::message::facts::{Facts, Framing, RequestKind};
use crate::message::field::{Fields, Line};
use crate::message::status::StatusCode;
use crate::message::token::{self, Known};
use crate::message::version::Version;

/// Most heads have fewer fields than this.
const FEW_FIELDS: usize = 24;

/// Heads with more fields are rare; the checker reads them.
const MOST_FIELDS: usize = 128;

// Apart from its callers: the table of fields on the stack is large, and a poll that finds nothing new must not touch
// it.
#[inline(never)]
pub(super) fn request(input: &[u8], config: &Config, fields: &mut Fields, facts: &mut Facts) -> Option<RequestLine> {
    let method_len = token::span(input, token::TCHAR);
    let (b" ", rest) = input.get(method_len..)?.split_at_checked(1)? else { return None };
    let target_len = token::span(rest, token::TARGET);
    let (target_len, rest) = match rest.get(target_len..) {
        Some([b' ', after @ ..]) => (target_len, after),
        _ => browser_target(rest, target_len, config)?,
    };
    let (version, minor, section) = match rest.split_first_chunk()? {
        (b"HTTP/1.1\r\n", section) => (Version::Http11, 1, section),
        (b"HTTP/1.0\r\n", section) => (Version::Http10, 0, section),
        _ => return None,
    };
    let method_len = u16::try_from(method_len).ok().filter(|&length| length > 0)?;
    if target_len == 0 || target_len > config.limits.target {
        return None;
    }
    let length = self::section(input, section, config, fields, facts)?;
    Some(RequestLine {
        length,
        target_at: u32::from(method_len) + 1,
        target_len: target_len as u32,
        method_len,
        version,
        minor,
        kind: RequestKind::Other,
        framing: Framing::None,
    })
}

/// How long a target is that goes on as browsers write it, and what follows the space behind it; `None` if the checker
/// has to decide, as for a form other than origin-form.
#[cold]
#[inline(never)]
fn browser_target<'a>(rest: &'a [u8], good: usize, config: &Config) -> Option<(usize, &'a [u8])> {
    if !config.leniency.allow_browser_target || rest.first() != Some(&b'/') {
        return None;
    }
    let end = good + rest[good..].iter().position(|&b| b == b' ')?;
    let question = rest[..end].iter().position(|&b| b == b'?').unwrap_or(end);
    let (path, query) = rest[..end].split_at(question);
    let holds = path.iter().all(|&b| token::is_target_byte(b) || token::is_browser_path_byte(b))
        && query.iter().all(|&b| token::is_target_byte(b) || token::is_browser_query_byte(b));
    holds.then(|| (end, &rest[end + 1..]))
}

// Apart from its callers, as `request`.
#[inline(never)]
pub(super) fn response(input: &[u8], config: &Config, fields: &mut Fields, facts: &mut Facts) -> Option<StatusLine> {
    let (version, minor, rest) = match input.split_first_chunk()? {
        (b"HTTP/1.1 ", rest) => (Version::Http11, 1, rest),
        (b"HTTP/1.0 ", rest) => (Version::Http10, 0, rest),
        _ => return None,
    };
    let ([a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b' '], rest) = rest.split_first_chunk()? else {
        return None;
    };
    let reason_len = token::span(rest, token::VALUE);
    let Some([b'\r', b'\n', section @ ..]) = rest.get(reason_len..) else { return None };
    let status = StatusCode::new(100 * u16::from(a & 15) + 10 * u16::from(b & 15) + u16::from(c & 15))?;
    let length = self::section(input, section, config, fields, facts)?;
    Some(StatusLine {
        length,
        reason_at: 13,
        reason_len: reason_len as u32,
        status,
        version,
        minor,
        certain: true,
        framing: Framing::None,
        answers: RequestKind::Other,
    })
}

/// Has `httparse` find the field lines of `section`, which ends `input`; returns how long the head is.
#[inline]
fn section(input: &[u8], section: &[u8], config: &Config, fields: &mut Fields, facts: &mut Facts) -> Option<usize> {
    match httparse::parse_headers(section, &mut [EMPTY_HEADER; FEW_FIELDS]) {
        Ok(Status::Complete((used, headers))) => lines(input, section, headers, used, config, fields, facts),
        Err(httparse::Error::TooManyHeaders) => many(input, section, config, fields, facts),
        Ok(Status::Partial) | Err(_) => None,
    }
}

/// As `section`, for more fields.
#[cold]
#[inline(never)]
fn many(input: &[u8], section: &[u8], config: &Config, fields: &mut Fields, facts: &mut Facts) -> Option<usize> {
    match httparse::parse_headers(section, &mut [EMPTY_HEADER; MOST_FIELDS]) {
        Ok(Status::Complete((used, headers))) => lines(input, section, headers, used, config, fields, facts),
        Ok(Status::Partial) | Err(_) => None,
    }
}

/// Checks that the field lines fill the head without a gap and end with CRLF each, copies the head, and gathers the
/// facts; `None` if the checker has to decide.
#[inline(never)]
fn lines(
    input: &[u8],
    section: &[u8],
    headers: &[Header<'_>],
    used: usize,
    config: &Config,
    fields: &mut Fields,
    facts: &mut Facts,
) -> Option<usize> {
    let start = input.len() - section.len();
    let used = start + used;
    if used > config.limits.head || used > u32::MAX as usize || headers.len() > config.limits.fields {
        return None;
    }
    let mut at = start;
    fields.lines.reserve(headers.len());
    for header in headers {
        let (name, value) = (header.name.as_bytes(), header.value);
        let value_at = offset(input, value);
        let mut end = value_at + value.len();
        if !ends_at(input, end) {
            end = past_whitespace(input, end);
            if !ends_at(input, end) {
                return None;
            }
        }
        if offset(input, name) != at {
            return None;
        }
        let known = Known::of(name);
        fields.lines.push(Line {
            name: at as u32,
            value: value_at as u32,
            value_len: value.len() as u32,
            name_len: name.len() as u16,
            known,
        });
        at = end + 2;
        if known != Known::Other {
            facts.add(known, value);
        }
    }
    // A name within a line of so many bytes fits its place in the table.
    if used - start > config.limits.field_line.min(usize::from(u16::MAX)) {
        return None;
    }
    if input.get(at..used) != Some(b"\r\n") {
        return None;
    }
    fields.block.extend_from_slice(&input[..at]);
    fields.start = start as u32;
    Some(used)
}

/// Whether a line of `input` ends at `at`.
#[inline]
fn ends_at(input: &[u8], at: usize) -> bool {
    input.get(at..at + 2) == Some(b"\r\n")
}

/// Whitespace after a value is rare.
#[cold]
fn past_whitespace(input: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t') = input.get(at) {
        at += 1;
    }
    at
}

/// Where `part`, a slice of `whole`, begins in it.
fn offset(whole: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize)
}
