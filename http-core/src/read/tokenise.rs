//! Field lines that are read: `httparse` finds where they lie, in one call, and a strict pass looks at what it found.

use httparse::{EMPTY_HEADER, Header, Status};

use crate::message::common::{self, Common};
use crate::message::facts::Facts;
use crate::message::field::{Fields, Line};
use crate::message::token::Known;

/// Most heads that are like the one before have fewer new lines than this.
const FEWEST: usize = 4;

/// Most heads have fewer lines than this.
const FEW: usize = 24;

/// Heads with more are rare; the checker reads them.
const MOST: usize = 128;

/// Reads all lines from `at` on, with what they say into `facts`, and returns where the empty line behind them is;
/// `None` if the checker has to decide.
#[inline]
pub(super) fn rest(input: &[u8], at: usize, fields: &mut Fields, facts: Option<&mut Facts>) -> Option<usize> {
    let section = input.get(at..)?;
    match httparse::parse_headers(section, &mut [EMPTY_HEADER; FEW]) {
        Ok(Status::Complete((used, headers))) => lines(input, at, used, headers, fields, facts),
        Err(httparse::Error::TooManyHeaders) => many(input, at, fields, facts),
        Ok(Status::Partial) | Err(_) => None,
    }
}

/// As `rest`, for more lines.
#[cold]
#[inline(never)]
fn many(input: &[u8], at: usize, fields: &mut Fields, facts: Option<&mut Facts>) -> Option<usize> {
    match httparse::parse_headers(input.get(at..)?, &mut [EMPTY_HEADER; MOST]) {
        Ok(Status::Complete((used, headers))) => lines(input, at, used, headers, fields, facts),
        Ok(Status::Partial) | Err(_) => None,
    }
}

/// Checks that lines from `at` on fill `used` bytes without a gap, the empty line included, and end with CRLF each.
#[inline(never)]
fn lines(
    input: &[u8],
    mut at: usize,
    used: usize,
    headers: &[Header<'_>],
    fields: &mut Fields,
    mut facts: Option<&mut Facts>,
) -> Option<usize> {
    let end = at.checked_add(used).filter(|&end| end <= u32::MAX as usize)?;
    fields.lines.reserve(headers.len());
    for header in headers {
        let (line, next) = found(input, at, header)?;
        at = next;
        fields.lines.push(line);
        if line.known != Known::Other {
            if let Some(facts) = facts.as_deref_mut() {
                facts.add(line.known, header.value);
            }
        }
    }
    (input.get(at..end) == Some(b"\r\n")).then_some(at)
}

/// The line that begins at `at`, if that is where `header` was found, and CRLF ends it; and where the next one begins.
#[inline(always)]
fn found(bytes: &[u8], at: usize, header: &Header<'_>) -> Option<(Line, usize)> {
    let (name, value) = (header.name.as_bytes(), header.value);
    let value_at = offset(bytes, value);
    let mut end = value_at + value.len();
    if !ends_at(bytes, end) {
        end = past_whitespace(bytes, end);
        if !ends_at(bytes, end) {
            return None;
        }
    }
    if offset(bytes, name) != at {
        return None;
    }
    let line = Line {
        name: at as u32,
        value: value_at as u32,
        value_len: value.len() as u32,
        // What does not fit is longer than any limit on a line, which is met by whoever reads on.
        name_len: name.len() as u16,
        known: Known::of(name),
        common: Common::UNSEEN,
    };
    Some((line, end + 2))
}

/// Whether a line of `bytes` ends at `at`.
#[inline(always)]
fn ends_at(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..at + 2) == Some(b"\r\n")
}

/// Whitespace after a value is rare.
#[cold]
fn past_whitespace(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Where `part`, a slice of `whole`, begins in it.
fn offset(whole: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize)
}

/// A note that the line at the front of `rest`, which begins at `at`, has still to be read, and how long it is. `name`
/// is what its name is among the common ones, where that is known already. `None` if it is not complete, or a fold:
/// then the checker has to decide.
pub(super) fn note(rest: &[u8], at: usize, name: Option<Common>) -> Option<(Line, usize)> {
    if matches!(rest.first(), None | Some(b' ' | b'\t' | b'\r' | b'\n')) {
        return None;
    }
    let length = newline(rest)? + 1;
    let line = Line {
        name: at as u32,
        value: at as u32,
        value_len: length as u32,
        name_len: 0,
        known: Known::Other,
        common: name.unwrap_or_else(|| name_of(rest)),
    };
    Some((line, length))
}

/// What the name of the line at the front of `rest` is.
fn name_of(rest: &[u8]) -> Common {
    let colon = rest.iter().take(common::LONGEST + 1).position(|&byte| byte == b':');
    colon.map_or(Common::NONE, |colon| Common::of(&rest[..colon]))
}

/// How many bytes are looked at in one go.
const BLOCK: usize = 32;

/// Where the first LF is.
#[inline]
fn newline(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(block) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let found = newline_in(block);
        if found < BLOCK {
            return Some(at + found);
        }
        at += BLOCK;
    }
    match bytes.last_chunk() {
        // It overlaps the one before it, where none is.
        Some(block) => Some(newline_in(block)).filter(|&found| found < BLOCK).map(|found| bytes.len() - BLOCK + found),
        None => bytes.iter().position(|&byte| byte == b'\n'),
    }
}

/// Where the first LF is in a block; nowhere in it, if there is none.
#[inline(always)]
fn newline_in(block: &[u8; BLOCK]) -> usize {
    const EACH: u64 = u64::MAX / 0xff;
    const NEWLINES: u64 = EACH * b'\n' as u64;
    // Without a branch, so that all of it is looked at in a few instructions.
    if !block.iter().fold(false, |found, byte| found | (*byte == b'\n')) {
        return BLOCK;
    }
    for (number, word) in block.chunks_exact(8).enumerate() {
        let differs = word.first_chunk().copied().map_or(0, u64::from_le_bytes) ^ NEWLINES;
        // The lowest octet that is 0 borrows, and none below it does.
        let found = differs.wrapping_sub(EACH) & !differs & (EACH << 7);
        if found != 0 {
            return 8 * number + found.trailing_zeros() as usize / 8;
        }
    }
    BLOCK
}

/// Whether it is a note. A line that was read has a name.
fn is_note(line: &Line) -> bool {
    line.name_len == 0
}

/// Reads the lines of which there are notes, the first of them at `first`, in place of those; `None` if the checker has
/// to decide. They are gathered in the block and closed by an empty line; the block is left empty.
#[inline(never)]
pub(super) fn noted(input: &[u8], first: usize, fields: &mut Fields) -> Option<()> {
    let Fields { block, lines, .. } = fields;
    let lines = lines.get_mut(first..)?;
    let mut count = 0;
    for note in lines.iter().filter(|line| is_note(line)) {
        block.extend_from_slice(&input[note.name as usize..][..note.value_len as usize]);
        count += 1;
    }
    block.extend_from_slice(b"\r\n");
    if count <= FEWEST {
        gathered::<FEWEST>(block, lines)?
    } else if count <= FEW {
        gathered::<FEW>(block, lines)?
    } else {
        gathered::<MOST>(block, lines)?
    }
    block.clear();
    Some(())
}

#[inline]
fn gathered<const N: usize>(section: &[u8], lines: &mut [Line]) -> Option<()> {
    match httparse::parse_headers(section, &mut [EMPTY_HEADER; N]) {
        Ok(Status::Complete((used, headers))) if used == section.len() => fill(section, headers, lines),
        _ => None,
    }
}

/// Checks that what was found is one line for each note, without a gap, and that each ends with CRLF.
fn fill(section: &[u8], headers: &[Header<'_>], lines: &mut [Line]) -> Option<()> {
    let mut headers = headers.iter();
    let mut at = 0;
    for line in lines.iter_mut().filter(|line| is_note(line)) {
        let (read, next) = found(section, at, headers.next()?)?;
        // It is all of the line: neither a fold nor another line stands behind its end.
        if next != at + line.value_len as usize {
            return None;
        }
        *line = Line { name: line.name, value: line.name + (read.value - read.name), common: line.common, ..read };
        at = next;
    }
    headers.next().is_none().then_some(())
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn a_line_ends_at_its_first_lf() {
        for at in 0..100 {
            for behind in [0, 1, 40] {
                for other in [b'a', 0x0b, 0x8a, 0, 0xff] {
                    let bytes = [&[other; 100][..at], b"\n", &[b'\n'; 40][..behind]].concat();
                    assert_eq!(newline(&bytes), Some(at));
                    assert_eq!(newline(&bytes[..at]), None);
                }
            }
        }
    }

    #[test]
    fn lines_are_read_where_they_lie_and_where_they_are_gathered() {
        let section = b"Host: a\r\nX-Unknown:  b \r\nAccept:\r\n";
        let input = [b"GET / HTTP/1.1\r\n", &section[..], b"\r\nGET /"].concat();
        let mut whole = Fields::new();
        assert_eq!(rest(&input, 16, &mut whole, None), Some(16 + section.len()));
        let (mut gathered, mut at) = (Fields::new(), 16);
        for name in ["host", "x-unknown", "accept"] {
            let (line, length) = note(&input[at..], at, None).unwrap();
            assert_eq!(line.common, Common::of(name.as_bytes()));
            gathered.lines.push(line);
            at += length;
        }
        noted(&input, 0, &mut gathered).unwrap();
        gathered.lines.iter_mut().for_each(|line| line.common = Common::UNSEEN);
        assert_eq!(format!("{:?}", gathered.lines), format!("{:?}", whole.lines));
        assert!(gathered.block.is_empty());
    }

    #[test]
    fn whatever_is_not_strict_is_left_to_the_checker() {
        for line in ["Host : a\r\n", "Host: a\n", "Host: a\r\r\n", " b\r\n", "Host: a\r\n b\r\n", "Host\r\n", "\r\n"] {
            let input = [line.as_bytes(), b"\r\n"].concat();
            assert_eq!(rest(&input, 0, &mut Fields::new(), None).filter(|&end| end == line.len()), None, "{line:?}");
            let mut fields = Fields::new();
            let read = note(&input, 0, None).and_then(|(note, length)| {
                fields.lines.push(note);
                // What follows is looked at by itself.
                (length == line.len()).then(|| noted(&input, 0, &mut fields)).flatten()
            });
            assert_eq!(read, None, "{line:?}");
        }
    }
}
