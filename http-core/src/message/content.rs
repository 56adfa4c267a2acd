//! What the caller says of the content that follows a head it sends.

use bytes::Bytes;

/// The content that follows a head which is being sent.
///
/// ```
/// use bytes::Bytes;
/// use http_core::Content;
/// assert_eq!(Content::Full(Bytes::from_static(b"abc")).length(), Some(3));
/// assert_eq!(Content::Streaming.length(), None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// None. The end is implied.
    #[default]
    Empty,
    /// All of it, here. The end is implied. Answering `HEAD`, its length is sent and the bytes are not.
    Full(Bytes),
    /// So many bytes, by `send_content`, then `send_end`.
    Sized(u64),
    /// By `send_content`, until `send_end`: chunked, or up to the end of the connection for an HTTP/1.0 peer.
    Streaming,
}

impl Content {
    /// The length, where it is known beforehand.
    #[must_use]
    pub const fn length(&self) -> Option<u64> {
        match self {
            Self::Empty => Some(0),
            Self::Full(bytes) => Some(bytes.len() as u64),
            Self::Sized(length) => Some(*length),
            Self::Streaming => None,
        }
    }
}
