//! Builds a head or a section from bytes that the checker has found good, whatever leniency let them pass.

use super::finish::{RequestLine, StatusLine};
use crate::message::common::Common;
use crate::message::facts::{Facts, Framing, RequestKind};
use crate::message::field::{Fields, Line};
use crate::message::status::StatusCode;
use crate::message::token::{self, Known};
use crate::message::version::Version;

/// `head` is all of a request head, with its empty line.
pub(super) fn request(head: &[u8], fields: &mut Fields, facts: &mut Facts) -> RequestLine {
    let (line, section) = next_line(head);
    let mut words = line.split(|&b| b == b' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (version, minor) = version(words.next().unwrap_or_default());
    for part in [method, b" ", target, b" ", version.as_str().as_bytes(), b"\r\n"] {
        fields.block.extend_from_slice(part);
    }
    fields.start = fields.block.len() as u32;
    *facts = self::section(section, fields);
    RequestLine {
        length: head.len(),
        target_at: method.len() as u32 + 1,
        target_len: target.len() as u32,
        method_len: method.len() as u16,
        version,
        minor,
        kind: RequestKind::Other,
        framing: Framing::None,
    }
}

/// `head` is all of a response head, with its empty line.
pub(super) fn response(head: &[u8], fields: &mut Fields, facts: &mut Facts) -> StatusLine {
    let (line, section) = next_line(head);
    let (version, minor) = version(line.get(..8).unwrap_or_default());
    let digits = line.get(9..12).unwrap_or_default();
    let status = StatusCode::received(digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit & 15)));
    let reason = line.get(13..).unwrap_or_default();
    for part in [version.as_str().as_bytes(), b" ", digits, b" ", reason, b"\r\n"] {
        fields.block.extend_from_slice(part);
    }
    fields.start = fields.block.len() as u32;
    *facts = self::section(section, fields);
    StatusLine {
        length: head.len(),
        reason_at: 13,
        reason_len: reason.len() as u32,
        status,
        version,
        minor,
        certain: true,
        framing: Framing::None,
        answers: RequestKind::Other,
    }
}

/// Field lines up to the empty one, written to `fields` with one space after each colon.
pub(super) fn section(mut rest: &[u8], fields: &mut Fields) -> Facts {
    let mut facts = Facts::default();
    loop {
        let (line, after) = next_line(rest);
        rest = after;
        let Some(colon) = line.iter().position(|&b| b == b':') else { return facts };
        let name = token::trim(&line[..colon]);
        let name_at = fields.block.len() as u32;
        fields.block.extend_from_slice(name);
        fields.block.extend_from_slice(b": ");
        let value_at = fields.block.len();
        fields.block.extend_from_slice(token::trim(&line[colon + 1..]));
        while let [b' ' | b'\t', ..] = rest {
            let (fold, after) = next_line(rest);
            rest = after;
            let part = token::trim(fold);
            if !part.is_empty() && fields.block.len() > value_at {
                // RFC 9112 §5.2: a fold is replaced by spaces before the value is looked at.
                fields.block.push(b' ');
            }
            fields.block.extend_from_slice(part);
        }
        let line = Line {
            name: name_at,
            value: value_at as u32,
            value_len: (fields.block.len() - value_at) as u32,
            name_len: name.len() as u16,
            known: Known::of(name),
            common: Common::UNSEEN,
        };
        fields.block.extend_from_slice(b"\r\n");
        fields.lines.push(line);
        facts.add(line.known, fields.value_of(&line));
    }
}

/// The next line without its end, and what follows it.
fn next_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|&b| b == b'\n').unwrap_or(bytes.len());
    let line = &bytes[..end];
    (line.strip_suffix(b"\r").unwrap_or(line), bytes.get(end + 1..).unwrap_or_default())
}

/// The version that counts, and the minor number as it was sent.
fn version(word: &[u8]) -> (Version, u8) {
    match word.get(7) {
        Some(b'0') => (Version::Http10, 0),
        Some(minor) => (Version::Http11, minor & 15),
        None => (Version::Http11, 1),
    }
}
