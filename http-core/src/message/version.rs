//! The protocol version of a message.

/// The version of a message, RFC 9112 §2.3.
///
/// A higher minor version than 1.1 is read as 1.1 (RFC 9110 §2.5); other major versions are refused.
///
/// ```
/// use http_core::Version;
/// assert_eq!(Version::Http11.as_str(), "HTTP/1.1");
/// assert!(Version::Http10 < Version::Http11);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// HTTP/1.0: no chunked coding, no interim responses, not persistent unless asked for.
    Http10,
    /// HTTP/1.1.
    #[default]
    Http11,
}

impl Version {
    /// The version as it stands in a start-line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
        }
    }
}
