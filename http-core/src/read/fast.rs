//! The fast reader: a start-line in its one strict form, then `httparse`, and a strict pass over what it found.
//!
//! It accepts only what the checker would accept as it stands; whatever else it meets, the checker decides. The
//! start-line is read here, because holding what `httparse` makes of a looser one to the strict form costs more.

use super::finish::{RequestLine, StatusLine};
use super::last::{Last, Place};
use super::tokenise;
use crate::config::Config;
use crate::message::facts::{Facts, Framing, RequestKind};
use crate::message::field::Fields;
use crate::message::status::StatusCode;
use crate::message::token;
use crate::message::version::Version;

/// Versions as they stand in a head, compared as one word.
const HTTP_11: u64 = u64::from_ne_bytes(*b"HTTP/1.1");
const HTTP_10: u64 = u64::from_ne_bytes(*b"HTTP/1.0");

// Apart from its callers: the table of fields on the stack is large, and a poll that finds nothing new must not touch
// it.
#[inline(never)]
pub(super) fn request(
    input: &[u8],
    config: &Config,
    last: &Last,
    place: &mut Place,
    fields: &mut Fields,
    facts: &mut Facts,
) -> Option<RequestLine> {
    // Nearly every method is this one.
    let method_len = if input.starts_with(b"GET ") { 3 } else { token::span(input, token::TCHAR) };
    let (b" ", rest) = input.get(method_len..)?.split_at_checked(1)? else { return None };
    let target_len = token::span(rest, token::TARGET);
    let (target_len, rest) = match rest.get(target_len..) {
        Some([b' ', after @ ..]) => (target_len, after),
        _ => browser_target(rest, target_len, config)?,
    };
    let (version, rest) = rest.split_first_chunk::<8>()?;
    let (b"\r\n", section) = rest.split_first_chunk()? else { return None };
    let (version, minor) = match u64::from_ne_bytes(*version) {
        HTTP_11 => (Version::Http11, 1),
        HTTP_10 => (Version::Http10, 0),
        _ => return None,
    };
    let method_len = u16::try_from(method_len).ok().filter(|&length| length > 0)?;
    if target_len == 0 || target_len > config.limits.target {
        return None;
    }
    let length = self::section(input, section, config, last, place, fields, facts)?;
    let line = RequestLine {
        length,
        target_at: u32::from(method_len) + 1,
        target_len: target_len as u32,
        method_len,
        version,
        minor,
        kind: RequestKind::Other,
        framing: Framing::None,
    };
    Some(line)
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
pub(super) fn response(
    input: &[u8],
    config: &Config,
    last: &Last,
    place: &mut Place,
    fields: &mut Fields,
    facts: &mut Facts,
) -> Option<StatusLine> {
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
    let length = self::section(input, section, config, last, place, fields, facts)?;
    let line = StatusLine {
        length,
        reason_at: 13,
        reason_len: reason_len as u32,
        status,
        version,
        minor,
        certain: true,
        framing: Framing::None,
        answers: RequestKind::Other,
    };
    Some(line)
}

/// Finds the field lines of `section`, which ends `input`, copies the head and gathers the facts; returns how long the
/// head is, or `None` if the checker has to decide.
#[inline(always)]
fn section(
    input: &[u8],
    section: &[u8],
    config: &Config,
    last: &Last,
    place: &mut Place,
    fields: &mut Fields,
    facts: &mut Facts,
) -> Option<usize> {
    let start = input.len() - section.len();
    // `known` are the lines whose facts are not gathered yet, a bit for each; all bits, if they may be any.
    let (end, known) = if last.has_lines() {
        remembered(input, start, config, last, place, fields)?
    } else {
        (tokenise::rest(input, start, fields, config.limits.fields, Some(facts))?, 0)
    };
    let used = end + 2;
    // A name within a line of so many bytes fits its place in the table.
    if used > config.limits.head.min(u32::MAX as usize)
        || used - start > config.limits.field_line.min(usize::from(u16::MAX))
        || fields.lines.len() > config.limits.fields
    {
        return None;
    }
    fields.block.extend_from_slice(&input[..end]);
    fields.start = start as u32;
    match known {
        0 => {}
        u64::MAX => facts.add_all(fields),
        _ => facts.add_those(fields, known),
    }
    Some(used)
}

/// Finds the field lines from `start` on, where there is a head to compare them with, and which of them carry a name
/// that the engine knows: a bit for each, or all bits, if they may be any.
#[inline(never)]
fn remembered(
    input: &[u8],
    start: usize,
    config: &Config,
    last: &Last,
    place: &mut Place,
    fields: &mut Fields,
) -> Option<(usize, u64)> {
    *place = Place::first();
    if let Some(alike) = last.alike(input, start, fields) {
        *place = alike.place;
        return Some((alike.end, alike.known));
    }
    fields.reset();
    compared(input, start, config, last, place, fields).map(|end| (end, u64::MAX))
}

/// Finds the field lines from `at` on, of which some may equal those of the last head; returns where the empty line
/// behind them is.
fn compared(
    input: &[u8],
    start: usize,
    config: &Config,
    last: &Last,
    place: &mut Place,
    fields: &mut Fields,
) -> Option<usize> {
    let mut at = start;
    // Lines that are new, a bit for each.
    let mut new = 0_u64;
    let end = loop {
        let rest = &input[at..];
        if rest.starts_with(b"\r\n") {
            break at;
        }
        let equal = last.inherit(rest, at, place, &mut fields.lines);
        if equal > 0 {
            at += equal;
            continue;
        }
        let number = fields.lines.len();
        if number >= tokenise::MOST_GATHERED {
            place.leave();
        }
        if !place.compares() {
            if !place.has_inherited() {
                fields.reset();
                return tokenise::rest(input, start, fields, config.limits.fields, None);
            }
            break tokenise::rest(input, at, fields, config.limits.fields, None)?;
        }
        // It is no fold: that belongs to the line before it.
        if number >= config.limits.fields || matches!(rest.first(), None | Some(b' ' | b'\t' | b'\r' | b'\n')) {
            return None;
        }
        new |= 1 << number;
        let line = tokenise::noted(rest, at, last.expected_name(rest, place));
        last.was_read(line.common, place);
        fields.lines.push(line);
        at += tokenise::gather(rest, at, &mut fields.lines[number], &mut fields.block)?;
    };
    if new != 0 {
        tokenise::gathered(&mut fields.block, &mut fields.lines, new)?;
    }
    Some(end)
}
