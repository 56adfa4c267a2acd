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
    /// What can be announced of content that is not here, if it has this length; `None` if that is not known.
    ///
    /// ```
    /// use http_core::Content;
    /// assert_eq!(Content::of_length(Some(3)), Content::Sized(3));
    /// ```
    #[must_use]
    pub const fn of_length(length: Option<u64>) -> Self {
        match length {
            None => Self::Streaming,
            Some(0) => Self::Empty,
            Some(length) => Self::Sized(length),
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_announced_of_a_length_has_it() {
        for (section, length, expected) in [
            ("RFC 9112 §6.1", None, Content::Streaming),
            // Its end follows from the head, so there is none to be sent.
            ("RFC 9112 §6.2", Some(0), Content::Empty),
            ("RFC 9112 §6.2", Some(1), Content::Sized(1)),
            ("RFC 9112 §6.2", Some(u64::MAX), Content::Sized(u64::MAX)),
        ] {
            let content = Content::of_length(length);
            assert_eq!((content.length(), content), (length, expected), "{section}");
        }
    }
}
