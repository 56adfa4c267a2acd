//! Chunks as they are written, RFC 9112 §7.1.

use alloc::vec::Vec;

use crate::message::field::Fields;

/// Writes the size line of a chunk.
pub(crate) fn write_size(size: usize, out: &mut Vec<u8>) {
    let mut line = [0; 18];
    let mut at = line.len() - 2;
    line[at..].copy_from_slice(b"\r\n");
    let mut rest = size;
    loop {
        at -= 1;
        line[at] = b"0123456789abcdef"[rest & 15];
        rest >>= 4;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&line[at..]);
}

/// The last chunk, the trailer section and its end.
pub(crate) fn write_end(trailers: &Fields, out: &mut Vec<u8>) {
    out.extend_from_slice(b"0\r\n");
    out.extend_from_slice(trailers.as_wire());
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_in_hexadecimal() {
        for (size, line) in [(1, "1\r\n"), (0x1f, "1f\r\n"), (usize::MAX, "ffffffffffffffff\r\n")] {
            let mut out = Vec::new();
            write_size(size, &mut out);
            assert_eq!(out, line.as_bytes());
        }
    }
}
