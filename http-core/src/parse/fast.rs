//! The fast reader: `httparse`, then a strict pass over what it found.
//!
//! It accepts only what the checker would accept as it stands; whatever else it meets, the checker decides.

use core::mem::MaybeUninit;

use httparse::{Header, ParserConfig, Status};

use super::Outcome;
use super::finish::{RequestLine, StatusLine};
use crate::config::Config;
use crate::field::{Fields, Line};
use crate::framing::Facts;
use crate::status::StatusCode;
use crate::token::{self, Known};
use crate::version::Version;

/// Heads with more fields are rare; the checker reads them.
const MOST_FIELDS: usize = 128;

// Apart from its callers: its table on the stack is a page, which a poll that finds nothing new must not touch.
#[inline(never)]
pub(super) fn request(input: &[u8], config: &Config, fields: &mut Fields) -> Outcome<RequestLine> {
    let mut headers = [const { MaybeUninit::<Header<'_>>::uninit() }; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut []);
    let used = match request.parse_with_uninit_headers(input, &mut headers) {
        Ok(Status::Complete(used)) => used,
        Ok(Status::Partial) | Err(_) => return Outcome::Unsure,
    };
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
        return Outcome::Unsure;
    };
    let target_end = method.len() + 1 + target.len();
    let start = target_end + 11;
    // Where the parts lie shows that single spaces and a CRLF separate them.
    let holds = offset(input, method.as_bytes()) == 0
        && offset(input, target.as_bytes()) == method.len() + 1
        && input.get(start - 2..start) == Some(b"\r\n")
        && method.len() <= usize::from(u16::MAX)
        && target.len() <= config.limits.target
        && token::is_target(target.as_bytes());
    if !holds {
        return Outcome::Unsure;
    }
    match section(input, request.headers, start, used, config, fields) {
        None => Outcome::Unsure,
        Some(facts) => Outcome::Complete(
            RequestLine {
                method_len: method.len() as u16,
                target_at: method.len() as u32 + 1,
                target_len: target.len() as u32,
                version: version(minor),
                minor,
                facts,
            },
            used,
        ),
    }
}

// Apart from its callers: its table on the stack is a page, which a poll that finds nothing new must not touch.
#[inline(never)]
pub(super) fn response(input: &[u8], config: &Config, fields: &mut Fields) -> Outcome<StatusLine> {
    let mut headers = [const { MaybeUninit::<Header<'_>>::uninit() }; MOST_FIELDS];
    let mut response = httparse::Response::new(&mut []);
    let parsed = ParserConfig::default().parse_response_with_uninit_headers(&mut response, input, &mut headers);
    let used = match parsed {
        Ok(Status::Complete(used)) => used,
        Ok(Status::Partial) | Err(_) => return Outcome::Unsure,
    };
    let (Some(code), Some(reason), Some(minor)) = (response.code, response.reason, response.version) else {
        return Outcome::Unsure;
    };
    let start = 13 + reason.len() + 2;
    let holds = input.first() == Some(&b'H')
        && input.get(12) == Some(&b' ')
        && (reason.is_empty() || offset(input, reason.as_bytes()) == 13)
        && input.get(start - 2..start) == Some(b"\r\n");
    let Some(status) = StatusCode::new(code).filter(|_| holds) else { return Outcome::Unsure };
    match section(input, response.headers, start, used, config, fields) {
        None => Outcome::Unsure,
        Some(facts) => Outcome::Complete(
            StatusLine {
                status,
                reason_at: 13,
                reason_len: reason.len() as u32,
                version: version(minor),
                minor,
                facts,
            },
            used,
        ),
    }
}

/// Checks that the field lines fill the head without a gap and end with CRLF each, and copies the head.
fn section(
    input: &[u8],
    headers: &[Header<'_>],
    start: usize,
    used: usize,
    config: &Config,
    fields: &mut Fields,
) -> Option<Facts> {
    if used > config.limits.head || used > u32::MAX as usize || headers.len() > config.limits.fields {
        return None;
    }
    let mut facts = Facts::default();
    let mut at = start;
    fields.lines.reserve(headers.len());
    for header in headers {
        let (name, value) = (header.name.as_bytes(), header.value);
        if offset(input, name) != at || name.len() > usize::from(u16::MAX) {
            return None;
        }
        let value_at = offset(input, value);
        let mut end = value_at + value.len();
        // Whitespace after a value is rare.
        if input.get(end) != Some(&b'\r') {
            while let Some(b' ' | b'\t') = input.get(end) {
                end += 1;
            }
        }
        let ends = input.get(end..).is_some_and(|rest| rest.starts_with(b"\r\n"));
        if !ends || end - at > config.limits.field_line {
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
        if known != Known::Other {
            facts.add(known, value);
        }
        at = end + 2;
    }
    if input.get(at..used) != Some(b"\r\n") {
        return None;
    }
    fields.block.extend_from_slice(&input[..at]);
    fields.start = start as u32;
    Some(facts)
}

/// Where `part`, a slice of `whole`, begins in it.
fn offset(whole: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize)
}

fn version(minor: u8) -> Version {
    if minor == 0 { Version::Http10 } else { Version::Http11 }
}
