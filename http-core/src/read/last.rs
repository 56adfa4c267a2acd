//! The head that a connection read last: what is equal need not be read twice.
//!
//! A line of the next head that equals one of it, with its CRLF, inherits its syntax verdict: where name and value lie,
//! and which name it is. Nothing else is inherited: what the lines say together, how many they are, and what limits
//! they meet is found anew from all of them. Lines with secrets, or with names that are not common and may hold some,
//! are always read, so that the time which that takes tells nobody whether they are equal.

mod alike;
#[cfg(test)]
mod tests;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use crate::message::common::Common;
use crate::message::field::{Fields, Line};
use crate::message::token::Known;

/// The head that was read last, or none: a pointer, and nothing behind it before the first head.
#[derive(Clone, Default)]
pub(crate) struct Last(Option<Box<Remembered>>);

#[derive(Clone, Default)]
struct Remembered {
    /// The field lines in wire format.
    section: Vec<u8>,
    /// Where they began in their head.
    start: u32,
    /// Where the parts of each lie in that head.
    lines: Vec<Line>,
    /// Lines that are always read, a bit for each.
    read: u64,
    /// Lines with names that the engine knows.
    known: u64,
    /// Lines that a run ends before: those, and such as have differed since the first head with these names. What has
    /// changed once changes again, and what stands between is then compared in one go.
    stops: u64,
    /// A head was read: the next one is worth to be remembered.
    seen: bool,
    /// The head that was read last had the names of the one before it.
    steady: bool,
    /// It had them spelled as there, and other values in `changed` lines alone.
    spelled: bool,
    changed: u64,
    /// How many heads in a row have inherited nothing.
    futile: u8,
}

/// Which line of the last head is expected next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    line: u32,
    /// How often in a row a line was compared in vain.
    vain: u8,
    /// Lines are not the last head's, one for one.
    rearranged: bool,
    inherited: bool,
    /// Lines with the last head's names and other values, a bit for each.
    changed: u64,
    /// The names are spelled as those of the last head, all of them.
    spelled: bool,
}

/// Where so many lines in a row are new, the rest is not compared.
const VAIN: u8 = 3;

/// Where so many heads in a row have inherited nothing, one of so many is remembered.
const FUTILE: u8 = 4;
const ONE_OF: u8 = 64;

/// Among how many lines one that was read is looked for: those before it have been left out.
const AHEAD: usize = 4;

/// Heads with larger sections, or more lines, are not remembered.
const MOST_BYTES: usize = 4096;
const MOST_LINES: usize = u64::BITS as usize;

impl Place {
    /// The first line.
    pub(super) const fn first() -> Self {
        Self { line: 0, vain: 0, rearranged: false, inherited: false, changed: 0, spelled: false }
    }

    /// None: there is nothing to compare with.
    pub(super) const fn nowhere() -> Self {
        Self { vain: VAIN, ..Self::first() }
    }

    /// Whether lines are still compared: not where there is nothing to compare with, nor where it was in vain.
    #[inline]
    pub(super) const fn compares(&self) -> bool {
        self.vain < VAIN
    }

    /// The number of the line that is expected.
    #[inline(always)]
    const fn line(&self) -> usize {
        self.line as usize
    }

    /// The rest is not compared, whatever it is.
    #[inline]
    pub(super) const fn leave(&mut self) {
        (self.vain, self.rearranged) = (VAIN, true);
    }

    /// Whether any line was equal.
    #[inline]
    pub(super) const fn has_inherited(&self) -> bool {
        self.inherited
    }

    #[inline]
    const fn compared_in_vain(&mut self) {
        self.vain += 1;
    }

    /// The name of the line that is expected was read, with another value.
    #[inline]
    const fn change(&mut self) {
        self.changed |= 1 << self.line;
        self.line += 1;
    }

    /// Whether the head has the same names in the same order as the last one, of `lines` lines, and all were compared.
    #[inline]
    const fn is_alike(&self, lines: usize) -> bool {
        self.inherited && !self.rearranged && self.line() == lines
    }
}

impl Last {
    /// The most memory that it takes.
    pub(crate) const MOST: usize = size_of::<Remembered>() + MOST_BYTES + MOST_LINES * size_of::<Line>();

    /// Whether there is a line that may be expected.
    #[inline]
    pub(super) fn has_lines(&self) -> bool {
        self.0.as_ref().is_some_and(|last| !last.lines.is_empty())
    }

    /// Appends the lines at the front of `rest` that equal those which are expected to `lines`; returns how many bytes
    /// they are. `rest` begins at `at` in its head.
    #[inline]
    pub(super) fn inherit(&self, rest: &[u8], at: usize, place: &mut Place, lines: &mut Vec<Line>) -> usize {
        match &self.0 {
            Some(last) if place.compares() => last.inherit_public(rest, at, place, lines),
            _ => 0,
        }
    }

    /// What the name of the line at the front of `rest` is, if it is spelled as that of the line which is expected.
    #[inline]
    pub(super) fn expected_name(&self, rest: &[u8], place: &Place) -> Option<Common> {
        let last = self.0.as_ref()?;
        let line = last.lines.get(place.line())?;
        let from = last.begin(place.line());
        let name = last.section.get(from..from + usize::from(line.name_len) + 1)?;
        rest.starts_with(name).then_some(line.common)
    }

    /// A line with this name was read, for it was not inherited.
    #[inline]
    pub(super) fn was_read(&self, name: Common, place: &mut Place) {
        if let Some(last) = &self.0 {
            last.was_read(name, place);
        }
    }

    /// A good head was read, and came to `place`; to none if it is nothing that the next one is compared with.
    #[inline]
    pub(super) fn remember(&mut self, fields: &Fields, place: Option<&Place>) {
        match (&mut self.0, place) {
            (Some(last), Some(place)) if place.is_alike(last.lines.len()) => {
                (last.steady, last.spelled, last.changed) = (true, place.spelled, place.changed);
                // What is read in any case may have another name, if it was not compared.
                if place.changed != 0 || !place.spelled {
                    last.change(fields, place);
                }
            }
            (Some(last), Some(place)) if last.has_given_up(place) => last.futile += 1,
            (Some(last), Some(place)) if last.seen => last.remember(fields, place),
            // Of a connection with one request alone, or with long pauses, nothing is remembered.
            (_, Some(_)) => self.0.get_or_insert_default().seen = true,
            (_, None) => self.forget(),
        }
    }

    /// In which lines the head differs from the one before, a bit for each, if that was looked at.
    #[inline]
    pub(crate) fn changed_lines(&self) -> Option<u64> {
        self.0.as_ref().filter(|last| last.spelled).map(|last| last.changed)
    }

    /// Nothing is inherited from it any more; the memory stays.
    pub(crate) fn forget(&mut self) {
        if let Some(last) = &mut self.0 {
            last.forget();
            (last.seen, last.futile) = (false, 0);
        }
    }

    /// Whether there is memory alone.
    #[cfg(test)]
    pub(crate) fn holds_nothing(&self) -> bool {
        self.0.as_ref().is_none_or(|last| last.section.is_empty() && last.lines.is_empty() && !last.seen)
    }

    /// How many bytes of memory it is.
    pub(crate) fn capacity(&self) -> usize {
        self.0.as_ref().map_or(0, |last| {
            size_of::<Remembered>() + last.section.capacity() + last.lines.capacity() * size_of::<Line>()
        })
    }
}

impl fmt::Debug for Last {
    /// Says nothing of what stands in the lines: some may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Last({} lines)", self.0.as_ref().map_or(0, |last| last.lines.len()))
    }
}

impl Remembered {
    /// Whether nothing is remembered, and this head is not worth it either.
    #[inline]
    fn has_given_up(&self, place: &Place) -> bool {
        self.futile >= FUTILE && self.futile < ONE_OF - 1 && self.lines.is_empty() && !place.inherited
    }

    #[inline(always)]
    fn inherit_public(&self, rest: &[u8], at: usize, place: &mut Place, lines: &mut Vec<Line>) -> usize {
        match self.lines.get(place.line()) {
            Some(line) if self.read & 1 << place.line == 0 => {
                if self.seems_equal(rest, line, place.line()) {
                    return self.inherit(rest, at, place, lines);
                }
                place.compared_in_vain();
                0
            }
            _ => 0,
        }
    }

    /// Whether the line that is expected ends as `rest` does where it would end. It is one look, and what is new is
    /// nearly always told by it: another name, another length, the end of a value.
    #[inline(always)]
    fn seems_equal(&self, rest: &[u8], line: &Line, number: usize) -> bool {
        let end = self.begin(number + 1);
        let length = end - (line.name - self.start) as usize;
        ending(&self.section, end).is_some_and(|word| ending(rest, length) == Some(word))
    }

    #[inline(never)]
    fn inherit(&self, rest: &[u8], at: usize, place: &mut Place, lines: &mut Vec<Line>) -> usize {
        let first = place.line();
        let mut end = self.run(first);
        let from = self.begin(first);
        let expected = &self.section[from..self.begin(end)];
        if !rest.starts_with(expected) {
            let same = from + common(expected, rest);
            let run = core::mem::replace(&mut end, first);
            while end < run && self.begin(end + 1) <= same {
                end += 1;
            }
        }
        let length = self.begin(end) - from;
        // What begins with whitespace is a fold: it belongs to the line before it (RFC 9112 §5.2).
        if end == first || matches!(rest.get(length), Some(b' ' | b'\t')) {
            place.compared_in_vain();
            return 0;
        }
        let before = lines.len();
        lines.extend_from_slice(&self.lines[first..end]);
        let moved = (at as u32).wrapping_sub(self.lines[first].name);
        if moved != 0 {
            for line in &mut lines[before..] {
                line.name = line.name.wrapping_add(moved);
                line.value = line.value.wrapping_add(moved);
            }
        }
        (place.line, place.vain, place.inherited) = (end as u32, 0, true);
        length
    }

    /// Up to which line they are compared in one go from `first` on, which can be inherited.
    #[inline]
    fn run(&self, first: usize) -> usize {
        let behind = self.stops >> first >> 1;
        (first + 1 + behind.trailing_zeros() as usize).min(self.lines.len())
    }

    /// Where a line begins in the section; its end, if there is none.
    #[inline]
    fn begin(&self, line: usize) -> usize {
        self.lines.get(line).map_or(self.section.len(), |line| (line.name - self.start) as usize)
    }

    #[inline(always)]
    fn was_read(&self, name: Common, place: &mut Place) {
        match self.lines.get(place.line()) {
            Some(line) if line.common == name && name.is_some() => place.change(),
            // Nothing is remembered of what is read in any case.
            Some(line) if line.common == name => place.line += 1,
            _ => self.was_moved(name, place),
        }
    }

    #[inline(never)]
    fn was_moved(&self, name: Common, place: &mut Place) {
        let ahead = self.lines.get(place.line()..).unwrap_or_default().iter().take(AHEAD);
        place.rearranged = true;
        place.line += ahead.clone().position(|line| line.common == name).map_or(0, |left_out| left_out as u32 + 1);
    }

    /// Remembers a head that has other values in these lines, and the same names.
    #[inline(never)]
    fn change(&mut self, fields: &Fields, place: &Place) {
        let section = fields.as_wire();
        if section.len() > MOST_BYTES {
            return self.forget();
        }
        self.stops |= place.changed;
        self.section.clear();
        self.section.reserve_exact(section.len());
        self.section.extend_from_slice(section);
        self.lines.clear();
        self.lines.extend_from_slice(&fields.lines);
        (self.start, self.futile) = (fields.start, 0);
    }

    #[inline(never)]
    fn remember(&mut self, fields: &Fields, place: &Place) {
        self.forget();
        self.futile = match self.futile {
            _ if place.inherited => 0,
            ONE_OF => FUTILE,
            futile => futile + 1,
        };
        let worthwhile = self.futile < FUTILE || self.futile == ONE_OF;
        let (section, lines) = (fields.as_wire(), &fields.lines);
        if worthwhile && section.len() <= MOST_BYTES && lines.len() <= MOST_LINES {
            self.section.reserve_exact(section.len());
            self.section.extend_from_slice(section);
            self.lines.reserve_exact(lines.len());
            self.lines.extend_from_slice(lines);
            for (number, line) in self.lines.iter_mut().enumerate() {
                if line.common == Common::UNSEEN {
                    line.common = Common::of(fields.name_of(line));
                }
                self.read |= u64::from(!line.common.is_some()) << number;
                self.known |= u64::from(line.known != Known::Other) << number;
            }
            (self.start, self.stops) = (fields.start, self.read);
        }
    }

    fn forget(&mut self) {
        self.section.clear();
        self.lines.clear();
        (self.read, self.known, self.stops) = (0, 0, 0);
        (self.steady, self.spelled, self.changed) = (false, false, 0);
    }
}

/// How many bytes are the same at the front of both.
#[inline]
fn common(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.chunks_exact(32).zip(b.chunks_exact(32));
    let mut at = 32 * blocks.take_while(|(x, y)| x.first_chunk::<32>() == y.first_chunk()).count();
    while let (Some(x), Some(y)) = (chunk(a, at), chunk(b, at)) {
        let differs = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if differs != 0 {
            return at + differs.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while a.get(at).is_some_and(|byte| b.get(at) == Some(byte)) {
        at += 1;
    }
    at
}

/// The word that ends at `end`. A field line is hardly ever shorter.
#[inline(always)]
fn ending(bytes: &[u8], end: usize) -> Option<u64> {
    bytes.get(..end)?.last_chunk().copied().map(u64::from_ne_bytes)
}

#[inline(always)]
fn chunk(bytes: &[u8], at: usize) -> Option<&[u8; 8]> {
    bytes.get(at..)?.first_chunk()
}
