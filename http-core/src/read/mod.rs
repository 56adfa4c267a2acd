//! What is read: heads and trailer sections, how long messages are, their content.

mod broken;
mod build;
mod checker;
mod chunked;
mod decode;
mod fast;
mod finish;
mod framing;
mod last;
mod piece;
mod scan;
mod tokenise;

pub(crate) use broken::Broken;
pub(crate) use decode::Decoder;
pub(crate) use finish::{RequestLine, StatusLine};
pub(crate) use last::Last;
pub(crate) use piece::Decoded;
pub(crate) use scan::{Scan, Spare};
