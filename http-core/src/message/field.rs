//! A section of field lines: one block in wire format, and a table of offsets.

use alloc::vec::Vec;
use core::fmt;

use crate::message::common::Common;
use crate::message::misuse::Misuse;
use crate::message::token::{self, Known};

/// A section of field lines (RFC 9110 §5): the header section of a head, or a trailer section.
///
/// Lines keep their order, case and repetition. The section is one block of bytes that is wire format already, with
/// a table of offsets: a field costs no allocation of its own, and sending a section is one copy. What is pushed is
/// validated at once, so a section never holds anything that could split a message.
///
/// ```
/// use http_core::Fields;
/// let mut fields = Fields::new();
/// fields.push("Accept", "text/html")?;
/// fields.push("accept", b"*/*")?;
/// assert_eq!(fields.get("ACCEPT"), Some(&b"text/html"[..]));
/// assert_eq!(fields.get_all("accept").count(), 2);
/// assert_eq!(fields.as_wire(), b"Accept: text/html\r\naccept: */*\r\n");
/// # Ok::<(), http_core::Misuse>(())
/// ```
#[derive(Clone, Default)]
pub struct Fields {
    /// Whatever precedes the field lines (a start-line, in a head), then the lines, each with its CRLF.
    pub(crate) block: Vec<u8>,
    pub(crate) lines: Vec<Line>,
    /// Where the first field line begins.
    pub(crate) start: u32,
}

/// Where one field line lies in its block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) name: u32,
    pub(crate) value: u32,
    pub(crate) value_len: u32,
    pub(crate) name_len: u16,
    pub(crate) known: Known,
    /// What its name is among the common ones, if that was looked for.
    pub(crate) common: Common,
}

impl Line {
    /// Not read yet.
    pub(crate) const NONE: Self =
        Self { name: 0, value: 0, value_len: 0, name_len: 0, known: Known::Other, common: Common::UNSEEN };
}

impl Fields {
    /// An empty section; allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { block: Vec::new(), lines: Vec::new(), start: 0 }
    }

    /// An empty section with room for `bytes` of field lines and `fields` entries.
    #[must_use]
    pub fn with_capacity(bytes: usize, fields: usize) -> Self {
        Self { block: Vec::with_capacity(bytes), lines: Vec::with_capacity(fields), start: 0 }
    }

    /// Appends a field line.
    ///
    /// Whitespace around the value is not part of it (RFC 9110 §5.5) and is left out.
    ///
    /// # Errors
    /// [`Misuse::FieldName`] if the name is not a token, [`Misuse::FieldValue`] if the value has a control character
    /// other than HTAB, or if either is too long for the section (65,535 bytes of name, 4 GiB in all). The section is
    /// then as it was.
    pub fn push(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<(), Misuse> {
        let (name, at) = (name.as_ref(), self.block.len());
        let value = checked(name, value.as_ref(), at)?;
        write(&mut self.block, name, value);
        self.lines.push(Line {
            name: at as u32,
            value: (at + name.len() + 2) as u32,
            value_len: value.len() as u32,
            name_len: name.len() as u16,
            known: Known::of(name),
            common: Common::UNSEEN,
        });
        Ok(())
    }

    /// The number of field lines.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no field line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The value of the first line with this name, in any case.
    #[must_use]
    pub fn get<'a>(&'a self, name: &str) -> Option<&'a [u8]> {
        self.raw().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// The values of all lines with this name, in any case, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.raw().filter(move |(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// Whether a line has this name, in any case.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Names and values in order, names as they are spelled on the wire.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        // A name is a token, so it is ASCII.
        self.raw().map(|(name, value)| (core::str::from_utf8(name).unwrap_or_default(), value))
    }

    /// Names and values in order, as bytes: what a conversion to another type reads.
    pub fn raw(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.lines.iter().map(|line| (self.name_of(line), self.value_of(line)))
    }

    /// Name and value of the line with this number, counted from 0, as bytes.
    ///
    /// ```
    /// let mut fields = http_core::Fields::new();
    /// fields.push("Accept", "*/*")?;
    /// assert_eq!(fields.line(0), Some((&b"Accept"[..], &b"*/*"[..])));
    /// assert_eq!(fields.line(1), None);
    /// # Ok::<(), http_core::Misuse>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn line(&self, number: usize) -> Option<(&[u8], &[u8])> {
        self.lines.get(number).map(|line| (self.name_of(line), self.value_of(line)))
    }

    /// Removes every line with this name, in any case, and returns how many there were.
    pub fn remove(&mut self, name: &str) -> usize {
        let before = self.lines.len();
        let mut at = 0;
        while at < self.lines.len() {
            if self.name_of(&self.lines[at]).eq_ignore_ascii_case(name.as_bytes()) {
                self.remove_line(at);
            } else {
                at += 1;
            }
        }
        before - self.lines.len()
    }

    /// Keeps the lines for which `keep` says so, by their names.
    pub(crate) fn retain(&mut self, keep: impl Fn(&[u8], Known) -> bool) {
        let mut at = 0;
        while let Some(line) = self.lines.get(at) {
            if keep(self.name_of(line), line.known) {
                at += 1;
            } else {
                self.remove_line(at);
            }
        }
    }

    /// Removes all lines and keeps the memory.
    pub fn clear(&mut self) {
        self.block.truncate(self.start as usize);
        self.lines.clear();
    }

    /// Bytes of memory that it holds.
    pub(crate) fn capacity(&self) -> usize {
        self.block.capacity() + self.lines.capacity() * size_of::<Line>()
    }

    /// As new, but for the memory.
    pub(crate) fn reset(&mut self) {
        self.block.clear();
        self.lines.clear();
        self.start = 0;
    }

    /// The lines in wire format: each with its CRLF, without the empty line that ends a section.
    #[must_use]
    pub fn as_wire(&self) -> &[u8] {
        &self.block[self.start as usize..]
    }

    /// How long the start-line is that precedes the field lines.
    pub(crate) const fn start(&self) -> usize {
        self.start as usize
    }

    pub(crate) fn name_of(&self, line: &Line) -> &[u8] {
        &self.block[line.name as usize..][..usize::from(line.name_len)]
    }

    pub(crate) fn value_of(&self, line: &Line) -> &[u8] {
        &self.block[line.value as usize..][..line.value_len as usize]
    }

    /// The values of the lines that carry a name the engine knows.
    pub(crate) fn known(&self, known: Known) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().filter(move |line| line.known == known).map(|line| self.value_of(line))
    }

    /// The lines, and what the engine knows their names as.
    pub(crate) fn known_lines(&self) -> impl Iterator<Item = (Known, &[u8], &[u8])> {
        self.lines.iter().map(|line| (line.known, self.name_of(line), self.value_of(line)))
    }

    fn remove_line(&mut self, at: usize) {
        let from = self.lines[at].name;
        let to = self.lines.get(at + 1).map_or(self.block.len() as u32, |next| next.name);
        self.block.drain(from as usize..to as usize);
        self.lines.remove(at);
        for line in &mut self.lines[at..] {
            line.name -= to - from;
            line.value -= to - from;
        }
    }
}

impl PartialEq for Fields {
    /// Same names (in any case) and values in the same order.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.raw().zip(other.raw()).all(|((a, x), (b, y))| a.eq_ignore_ascii_case(b) && x == y)
    }
}

impl Eq for Fields {}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (name, value) in self.iter() {
            match is_secret(name) {
                true => map.entry(&name, &format_args!("(secret, {} bytes)", value.len())),
                false => map.entry(&name, &format_args!("\"{}\"", value.escape_ascii())),
            };
        }
        map.finish()
    }
}

/// The value of a field line as it is sent, if the line may be sent at all: see [`Fields::push`]. `at` is how long the
/// head is before it.
pub(crate) fn checked<'v>(name: &[u8], value: &'v [u8], at: usize) -> Result<&'v [u8], Misuse> {
    let value = token::trim(value);
    if !token::is_token(name) {
        return Err(Misuse::FieldName);
    }
    if !token::is_value(value) {
        return Err(Misuse::FieldValue);
    }
    if u16::try_from(name.len()).is_err() {
        return Err(Misuse::FieldName);
    }
    if u32::try_from(at + name.len() + value.len() + 4).is_err() {
        return Err(Misuse::FieldValue);
    }
    Ok(value)
}

/// Writes a field line whose value was [`checked`].
#[inline]
pub(crate) fn write(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Whether the value of a field with this name must not appear in logs.
pub(crate) fn is_secret(name: &str) -> bool {
    ["authorization", "proxy-authorization", "cookie", "set-cookie"].iter().any(|n| name.eq_ignore_ascii_case(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_splits_a_message_gets_in() {
        let mut fields = Fields::new();
        for name in ["", "a b", "a:", "a\r", "é", "a\0"] {
            assert_eq!(fields.push(name, "x"), Err(Misuse::FieldName), "{name:?}");
        }
        for value in ["a\r\nb", "a\n b", "a\rb", "a\0b", "\x7f"] {
            assert_eq!(fields.push("x", value), Err(Misuse::FieldValue), "{value:?}");
        }
        assert!(fields.is_empty() && fields.as_wire().is_empty());
        fields.push("x", b"\x80\xff\t!").unwrap();
    }

    #[test]
    fn values_are_trimmed_and_lines_removed() {
        let mut fields = Fields::new();
        fields.push("A", " 1\t").unwrap();
        fields.push("B", "2").unwrap();
        fields.push("a", "3").unwrap();
        fields.push("C", "4").unwrap();
        assert_eq!(fields.remove("a"), 2);
        assert_eq!(fields.as_wire(), b"B: 2\r\nC: 4\r\n");
        assert_eq!((fields.get("b"), fields.get("c"), fields.get("a")), (Some(&b"2"[..]), Some(&b"4"[..]), None));
    }

    #[test]
    fn sections_are_asked_compared_and_emptied() {
        let mut fields = Fields::new();
        fields.push("A", "1").unwrap();
        fields.push("B", "2").unwrap();
        assert!(fields.contains("a") && !fields.contains("c"));
        for (name, value, same) in [("b", "2", true), ("B", "3", false), ("C", "2", false)] {
            let mut other = Fields::new();
            other.push("a", "1").unwrap();
            assert_ne!(fields, other);
            other.push(name, value).unwrap();
            assert_eq!(fields == other, same, "{name}: {value}");
        }
        fields.clear();
        assert!(fields.is_empty() && fields.as_wire().is_empty() && !fields.contains("a"));
    }

    #[test]
    fn secrets_stay_out_of_debug() {
        let mut fields = Fields::new();
        fields.push("Cookie", "id=1").unwrap();
        fields.push("X", "\u{e9}").unwrap();
        assert_eq!(alloc::format!("{fields:?}"), r#"{"Cookie": (secret, 4 bytes), "X": "\xc3\xa9"}"#);
    }
}
