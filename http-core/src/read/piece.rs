//! What is found at the front of the buffer, and how a piece leaves it.

use bytes::{Buf, Bytes, BytesMut};

use crate::message::field::Fields;

/// Pieces up to this many bytes are copied, so that the buffer stays free to be reused; larger ones are split off.
const SPLIT_FROM: usize = 2048;

/// What was found at the front of the buffer.
#[derive(Debug)]
pub(crate) enum Decoded {
    /// A piece of content, never empty.
    Data(Bytes),
    /// The extensions of a chunk whose content follows, if they are asked for; never empty.
    Extensions(Bytes),
    /// The end, with the trailer section.
    End(Fields),
    /// More bytes are needed.
    Partial,
}

/// The first `kept` bytes of `input` as a piece of their own; `used` bytes are taken off its front.
pub(crate) fn into_piece(input: &mut BytesMut, kept: usize, used: usize) -> Bytes {
    if kept <= SPLIT_FROM {
        let piece = Bytes::copy_from_slice(&input[..kept]);
        input.advance(used);
        piece
    } else {
        let mut piece = input.split_to(used);
        piece.truncate(kept);
        piece.freeze()
    }
}
