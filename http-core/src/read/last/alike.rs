//! A head that has the names of the last one in the same order, as nearly every head of a connection has: read in one
//! pass, in which what has not changed so far is compared in as few pieces as it stands in.
//!
//! It is `inherit` without what a head needs that may be any: a line may be left out or be new there, and each is
//! looked for. Where anything is not as it is expected, that has to read the head.

use super::{Last, Place, Remembered, ending};
use crate::message::field::{Fields, Line};
use crate::read::tokenise;

/// What is known of such a head.
pub(in crate::read) struct Alike {
    /// Where the empty line behind its field lines is.
    pub(in crate::read) end: usize,
    pub(in crate::read) place: Place,
    /// Lines that carry a name the engine knows, a bit for each: the same as in the last head.
    pub(in crate::read) known: u64,
}

impl Last {
    /// Finds the field lines from `start` on in `fields`, which is empty, if they have the last head's names. What is
    /// left in `fields` otherwise is nothing to go on from.
    #[inline]
    pub(in crate::read) fn alike(&self, input: &[u8], start: usize, fields: &mut Fields) -> Option<Alike> {
        self.0.as_ref().filter(|last| last.steady)?.alike(input, start, fields)
    }
}

impl Remembered {
    fn alike(&self, input: &[u8], start: usize, fields: &mut Fields) -> Option<Alike> {
        let Fields { block, lines, .. } = fields;
        lines.extend_from_slice(&self.lines);
        let (mut rest, mut from, mut first, mut changed) = (input.get(start..)?, 0, 0, 0_u64);
        loop {
            let next = self.next_stop(first);
            let (to, stop) = (self.begin(next), self.lines.get(next));
            // With the name of the line that is to be looked at, and its colon, so that the name ends where it did.
            let name = to + stop.map_or(0, |line| usize::from(line.name_len) + 1);
            let value = rest.strip_prefix(self.section.get(from..name)?)?;
            let at = input.len() - rest.len();
            move_lines(lines.get_mut(first..next)?, at, self.start as usize + from);
            rest = rest.get(to - from..)?;
            if stop.is_none() {
                break;
            }
            let (at, end) = (at + to - from, self.begin(next + 1));
            let line = lines.get_mut(next)?;
            let is_same = self.read & 1 << next == 0
                && ending(&self.section, end).is_some_and(|word| ending(rest, end - to) == Some(word))
                && value.starts_with(self.section.get(name..end)?);
            let length = if is_same {
                move_lines(core::slice::from_mut(line), at, self.start as usize + to);
                end - to
            } else {
                changed |= 1 << next;
                tokenise::gather(rest, at, line, block)?
            };
            (rest, from, first) = (rest.get(length..)?, end, next + 1);
        }
        // A fold is nothing that was expected, neither here nor before a name.
        if !rest.starts_with(b"\r\n") {
            return None;
        }
        if changed != 0 {
            tokenise::gathered(block, lines, changed)?;
        }
        let line = self.lines.len() as u32;
        let place = Place { line, vain: 0, rearranged: false, inherited: true, changed, spelled: true };
        Some(Alike { end: input.len() - rest.len(), place, known: self.known })
    }

    /// The first line from `first` on that is compared by itself, or read.
    #[inline(always)]
    fn next_stop(&self, first: usize) -> usize {
        let ahead = self.stops.checked_shr(first as u32).unwrap_or(0);
        (first + ahead.trailing_zeros() as usize).min(self.lines.len())
    }
}

/// Has lines lie from `at` on, the first of which lay at `before`.
#[inline(always)]
fn move_lines(lines: &mut [Line], at: usize, before: usize) {
    let moved = (at as u32).wrapping_sub(before as u32);
    if moved != 0 {
        for line in lines {
            line.name = line.name.wrapping_add(moved);
            line.value = line.value.wrapping_add(moved);
        }
    }
}
