//! Field lines that are read: `httparse` finds where they lie, and a strict pass looks at what it found.

use alloc::vec::Vec;

use httparse::{EMPTY_HEADER, Header, Status};

use crate::message::common::{self, Common};
use crate::message::facts::Facts;
use crate::message::field::{Fields, Line};
use crate::message::token::Known;

/// Most heads that are like the one before have fewer new lines than this.
const FEWEST: usize = 4;

/// A section within so many bytes hardly ever has more than `SOME` lines.
const SHORT: usize = 256;
const SOME: usize = 8;

/// Most heads have fewer lines than this.
const FEW: usize = 24;

/// Reads all lines from `at` on, with what they say into `facts`, and returns where the empty line behind them is;
/// `None` if the checker has to decide, as it has where there come to be more than `most`.
#[inline(always)]
pub(super) fn rest(
    input: &[u8],
    at: usize,
    fields: &mut Fields,
    most: usize,
    facts: Option<&mut Facts>,
) -> Option<usize> {
    // All of the table is written before it is used.
    if input.len().saturating_sub(at) <= SHORT {
        rest_by::<SOME>(input, at, fields, most, facts)
    } else {
        rest_by::<FEW>(input, at, fields, most, facts)
    }
}

/// The same by calls for `N` lines each. Where one was too few, what it has found counts, and the next one goes on
/// behind that: of so many lines one is tokenised twice, and no head is.
#[inline(never)]
fn rest_by<const N: usize>(
    input: &[u8],
    mut at: usize,
    fields: &mut Fields,
    most: usize,
    mut facts: Option<&mut Facts>,
) -> Option<usize> {
    u32::try_from(input.len()).ok()?;
    let mut table = [EMPTY_HEADER; N];
    loop {
        match httparse::parse_headers(input.get(at..)?, &mut table) {
            Ok(Status::Complete((used, headers))) => {
                let end = lines(input, at, headers, fields, facts)?;
                // They fill what was used without a gap, but for the empty line.
                return (input.get(end..at + used) == Some(b"\r\n")).then_some(end);
            }
            // As many as there is room for were good.
            Err(httparse::Error::TooManyHeaders) => at = lines(input, at, &table, fields, facts.as_deref_mut())?,
            Ok(Status::Partial) | Err(_) => return None,
        }
        if fields.lines.len() > most {
            return None;
        }
    }
}

/// Checks that lines stand behind one another from `at` on, and end with CRLF each; returns where the last one ends,
/// and behind all of `input`, if that does not end so.
// Apart, so that the loop has the registers to itself.
#[inline(never)]
fn lines(
    input: &[u8],
    mut at: usize,
    headers: &[Header<'_>],
    fields: &mut Fields,
    facts: Option<&mut Facts>,
) -> Option<usize> {
    let before = fields.lines.len();
    let mut misplaced = 0;
    fields.lines.extend(headers.iter().map(|header| {
        let (name, value) = (offset(input, header.name.as_bytes()), offset(input, header.value));
        let end = line_end(input, value + header.value.len());
        misplaced |= name ^ at;
        // What does not fit is longer than any limit on a line, which is met by whoever reads on.
        let (value_len, name_len) = (header.value.len() as u32, header.name.len() as u16);
        let line = Line { name: at as u32, value: value as u32, value_len, name_len, ..Line::NONE };
        at = end + 2;
        line
    }));
    if misplaced != 0 {
        return None;
    }
    know(fields.lines.get_mut(before..)?, headers, facts);
    Some(at)
}

/// Finds out which names the engine knows, and what their lines say.
#[inline(always)]
fn know(lines: &mut [Line], headers: &[Header<'_>], mut facts: Option<&mut Facts>) {
    for (line, header) in lines.iter_mut().zip(headers) {
        let known = Known::of(header.name.as_bytes());
        if known != Known::Other {
            line.known = known;
            if let Some(facts) = facts.as_deref_mut() {
                facts.add(known, header.value);
            }
        }
    }
}

/// Whether a line of `bytes` ends at `at`.
#[inline(always)]
fn ends_at(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..at + 2) == Some(b"\r\n")
}

/// Where the line ends whose value ends at `at`; behind all bytes, if not with CRLF.
#[inline(always)]
fn line_end(bytes: &[u8], at: usize) -> usize {
    if ends_at(bytes, at) { at } else { past_whitespace(bytes, at) }
}

/// The same where something stands behind the value. Whitespace there is rare.
#[cold]
fn past_whitespace(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\t') = bytes.get(at) {
        at += 1;
    }
    if ends_at(bytes, at) { at } else { bytes.len() }
}

/// Where `part`, a slice of `whole`, begins in it.
#[inline(always)]
fn offset(whole: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize)
}

/// The line at the front of `rest`, which begins at `at`, before it is read. `name` is what its name is among the
/// common ones, where that is known already.
#[inline]
pub(super) fn noted(rest: &[u8], at: usize, name: Option<Common>) -> Line {
    let common = name.unwrap_or_else(|| name_of(rest));
    Line { name: at as u32, value: 0, value_len: 0, name_len: 0, known: Known::Other, common }
}

/// Gathers a line in `block`, to be read with others: the one at the front of `rest`, which begins at `at`, and returns
/// how long it is. Where `line` has a name, that stands there, and a colon behind it; of it one byte is gathered, which
/// stands for it. `None` if it is not complete: then the checker has to decide.
#[inline(always)]
pub(super) fn gather(rest: &[u8], at: usize, line: &mut Line, block: &mut Vec<u8>) -> Option<usize> {
    let known = known_of(line);
    let unread = rest.get(known..)?;
    let length = newline(unread)? + 1;
    block.extend_from_slice(&unread[..length]);
    (line.name, line.value_len) = (at as u32, length as u32);
    Some(known + length)
}

/// So many lines may be gathered, or may stand before one that is.
pub(super) const MOST_GATHERED: usize = u64::BITS as usize;

/// How many bytes of a line's name are not gathered.
#[inline(always)]
fn known_of(line: &Line) -> usize {
    usize::from(line.name_len).saturating_sub(1)
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

/// Reads the lines that were gathered in `block`, which is left empty; `None` if the checker has to decide. They are
/// those of `lines` that `which` has a bit for.
#[inline(never)]
pub(super) fn gathered(block: &mut Vec<u8>, lines: &mut [Line], which: u64) -> Option<()> {
    block.extend_from_slice(b"\r\n");
    let count = which.count_ones() as usize;
    if count <= FEWEST {
        read::<FEWEST>(block, lines, which)?
    } else if count <= FEW {
        read::<FEW>(block, lines, which)?
    } else {
        read::<MOST_GATHERED>(block, lines, which)?
    }
    block.clear();
    Some(())
}

#[inline]
fn read<const N: usize>(section: &[u8], lines: &mut [Line], which: u64) -> Option<()> {
    match httparse::parse_headers(section, &mut [EMPTY_HEADER; N]) {
        Ok(Status::Complete((used, headers))) if used == section.len() => fill(section, headers, lines, which),
        _ => None,
    }
}

/// Checks that what was found is one line for each that was gathered, without a gap, and that each ends with CRLF.
#[inline]
fn fill(section: &[u8], headers: &[Header<'_>], lines: &mut [Line], mut which: u64) -> Option<()> {
    let mut at = 0;
    for header in headers {
        let line = lines.get_mut(which.trailing_zeros() as usize)?;
        which &= which.checked_sub(1)?;
        let value = offset(section, header.value);
        let next = line_end(section, value + header.value.len()) + 2;
        // It is all of the line: neither a fold nor another line stands behind its end.
        if offset(section, header.name.as_bytes()) != at || next - at != line.value_len as usize {
            return None;
        }
        let (known, name) = (known_of(line), header.name.as_bytes());
        if line.name_len == 0 {
            (line.name_len, line.known) = (name.len() as u16, Known::of(name));
        } else if name.len() != 1 {
            return None;
        }
        line.value = line.name + (known + value - at) as u32;
        line.value_len = header.value.len() as u32;
        at = next;
    }
    (which == 0).then_some(())
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::read::build;

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
        assert_eq!(rest(&input, 16, &mut whole, 128, None), Some(16 + section.len()));
        let (mut gathered, mut at) = (Fields::new(), 16);
        for name in ["host", "x-unknown", "accept"] {
            let mut line = noted(&input[at..], at, None);
            assert_eq!(line.common, Common::of(name.as_bytes()));
            at += gather(&input[at..], at, &mut line, &mut gathered.block).unwrap();
            gathered.lines.push(line);
        }
        super::gathered(&mut gathered.block, &mut gathered.lines, 0b111).unwrap();
        gathered.lines.iter_mut().for_each(|line| line.common = Common::UNSEEN);
        assert_eq!(format!("{:?}", gathered.lines), format!("{:?}", whole.lines));
        assert!(gathered.block.is_empty());
    }

    #[test]
    fn any_number_of_lines_is_read_in_one_way() {
        for value in ["", "a", "a value of some length, so that more bytes are few lines"] {
            for count in 0..3 * FEW + 2 {
                let line = |number| match number % 9 {
                    3 => "Host: a\r\n".into(),
                    5 => format!("Connection: close \t\r\nX-{number}: {value}\r\n"),
                    _ => format!("X-{number}: {value}\r\n"),
                };
                let section: alloc::string::String = (0..count).map(line).collect();
                let input = [section.as_bytes(), b"\r\n", &[b'x'; 300][..count]].concat();
                let (mut built, mut read, mut facts) = (Fields::new(), Fields::new(), Facts::default());
                let expected = build::section(&input[..section.len() + 2], &mut built);
                let lines = built.lines.len();
                assert_eq!(rest(&input, 0, &mut read, lines, Some(&mut facts)), Some(section.len()));
                assert_eq!(facts, expected);
                let of = |fields: &Fields, block: &[u8]| {
                    let part = |at, length| block[at as usize..][..length as usize].to_vec();
                    let lines = fields.lines.iter();
                    lines
                        .map(|line| {
                            (part(line.name, line.name_len.into()), part(line.value, line.value_len), line.known)
                        })
                        .collect::<Vec<_>>()
                };
                assert_eq!(of(&read, &input), of(&built, &built.block));
                // More than may be are not read on, and a line that is wrong anywhere is seen.
                let most = lines.saturating_sub(FEW + 1);
                let few = rest(&input, 0, &mut Fields::new(), most, None);
                assert!(lines <= most + FEW || few.is_none(), "{lines} of {most}");
                for wrong in [&b"\n"[..], b" b\r\n", b"a\n", b": b\r\n", b"a b: c\r\n"] {
                    for at in [0, section.len()].into_iter().chain(section.find("X-2")).chain(section.find("X-30")) {
                        let other = [&input[..at], wrong, &input[at..]].concat();
                        let end = rest(&other, 0, &mut Fields::new(), 1000, None);
                        assert_eq!(end, None, "{wrong:?} at {at} of {count}");
                    }
                }
            }
        }
    }

    #[test]
    fn whatever_is_not_strict_is_left_to_the_checker() {
        for line in ["Host : a\r\n", "Host: a\n", "Host: a\r\r\n", " b\r\n", "Host: a\r\n b\r\n", "Host\r\n", "\r\n"] {
            let input = [line.as_bytes(), b"\r\n"].concat();
            assert!(rest(&input, 0, &mut Fields::new(), 128, None).is_none_or(|end| end != line.len()), "{line:?}");
            let (mut block, mut noted) = (Vec::new(), noted(&input, 0, None));
            // What follows is looked at by itself.
            let length = gather(&input, 0, &mut noted, &mut block).filter(|&length| length == line.len());
            let read = length.and_then(|_| gathered(&mut block, &mut [noted], 1));
            assert_eq!(read, None, "{line:?}");
        }
    }
}
