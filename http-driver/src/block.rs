//! The block that the values of a head are slices of: one allocation, with its count.

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http_core::Fields;

use crate::names;

/// A copy of a head or a section, that values are slices of.
pub(crate) struct Block<'a> {
    original: &'a [u8],
    copy: Bytes,
}

impl<'a> Block<'a> {
    pub(crate) fn of(original: &'a [u8]) -> Self {
        Self { original, copy: filled(original.len(), |octets| octets.copy_from_slice(original)) }
    }

    /// The same part of the copy as `part` is of the original.
    pub(crate) fn slice(&self, part: &[u8]) -> Bytes {
        let at = position(self.original, part);
        self.copy.slice(at..at + part.len())
    }

    /// The map of a section that lies in the original; nothing if it is larger than the `http` crate allows.
    pub(crate) fn map(&self, fields: &Fields) -> Option<HeaderMap> {
        let mut map = HeaderMap::try_with_capacity(fields.len()).ok()?;
        for (name, value) in fields.raw() {
            let name = match names::common(name) {
                Some(name) => name,
                None => HeaderName::from_bytes(name).ok()?,
            };
            map.try_append(name, HeaderValue::from_maybe_shared(self.slice(value)).ok()?).ok()?;
        }
        Some(map)
    }
}

/// Where in `whole` a part of it lies.
#[inline]
pub(crate) fn position(whole: &[u8], part: &[u8]) -> usize {
    (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize)
}

/// Octets in line, in a block of one of a few sizes.
struct Inline<const N: usize> {
    octets: [u8; N],
    len: usize,
}

impl<const N: usize> AsRef<[u8]> for Inline<N> {
    fn as_ref(&self) -> &[u8] {
        &self.octets[..self.len]
    }
}

impl<const N: usize> Inline<N> {
    #[inline]
    fn block(len: usize, fill: impl FnOnce(&mut [u8])) -> Bytes {
        let mut octets = [0; N];
        fill(&mut octets[..len]);
        Bytes::from_owner(Self { octets, len })
    }
}

/// A block of `len` octets that `fill` writes, to be sliced.
///
/// What `bytes` makes of a vector is counted in an allocation of its own once it is sliced. An owner that holds the
/// octets in line lies beside its count; it is moved to the heap, so that only what is small is held like this.
#[inline]
pub(crate) fn filled(len: usize, fill: impl FnOnce(&mut [u8])) -> Bytes {
    match len {
        0..=112 => Inline::<112>::block(len, fill),
        113..=240 => Inline::<240>::block(len, fill),
        241..=496 => Inline::<496>::block(len, fill),
        497..=1008 => Inline::<1008>::block(len, fill),
        _ => {
            let mut octets = vec![0; len];
            fill(&mut octets);
            octets.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_any_size_is_what_was_written() {
        for len in (0..1100).chain([4096]) {
            let expected: Vec<u8> = (0..len).map(|at| at as u8).collect();
            let block = filled(len, |octets| octets.copy_from_slice(&expected));
            assert_eq!(block, expected);
            assert_eq!(block.slice(len / 3..), expected[len / 3..]);
        }
    }
}
