//! Two types of error: the peer's fault, and ours.

use core::fmt;

use crate::reason::{ErrorKind, Reason};
use crate::status::StatusCode;

/// The peer broke a rule: which, and where.
///
/// Reported once by `poll_event`; on a server the answer and the close are queued already.
///
/// ```
/// use bytes::BytesMut;
/// use http_core::{Config, Instant, Reason, server};
///
/// let mut connection = server::Connection::new(Config::default().into(), Instant::ZERO);
/// let mut input = BytesMut::from("GET / HTTP/1.1\nHost: a\n\n");
/// let error = connection.poll_event(&mut input, Instant::ZERO).unwrap_err();
/// assert_eq!(error.reason(), Reason::BareLf);
/// assert_eq!(error.offset(), 14);
/// assert_eq!(error.status_hint().as_u16(), 400);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProtocolError {
    reason: Reason,
    offset: u64,
}

impl ProtocolError {
    pub(crate) const fn new(reason: Reason, offset: u64) -> Self {
        Self { reason, offset }
    }

    /// The rule that was broken.
    #[must_use]
    pub const fn reason(self) -> Reason {
        self.reason
    }

    /// The kind of fault.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        self.reason.kind()
    }

    /// How many bytes of the connection precede the fault.
    #[must_use]
    pub const fn offset(self) -> u64 {
        self.offset
    }

    /// The status that a server answers, or has answered, to this fault.
    #[must_use]
    pub const fn status_hint(self) -> StatusCode {
        self.reason.status()
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.offset, self.reason)
    }
}

impl core::error::Error for ProtocolError {}

/// The caller used the engine in a way that would break the protocol; nothing was changed or sent.
///
/// ```
/// use http_core::{Fields, Misuse};
/// let mut fields = Fields::new();
/// assert_eq!(fields.push("X-Split", "a\r\nb"), Err(Misuse::FieldValue));
/// assert!(fields.is_empty());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Misuse {
    /// The command does not fit the state: a response without a request, content before its head, a second end.
    NotYourTurn,
    /// The connection is closed, or takes no more of this.
    Closed,
    /// The method is not a token.
    Method,
    /// The request target is empty, has a forbidden character, or its form does not fit the method.
    Target,
    /// The status does not fit the command: a final one where an interim one belongs, or 101 that nobody asked for.
    Status,
    /// The reason phrase has a control character.
    ReasonPhrase,
    /// A field name is not a token, or too long.
    FieldName,
    /// A field value has a control character, or too long.
    FieldValue,
    /// The request has no `Host`, more than one, or one that contradicts its target.
    Host,
    /// The framing fields contradict each other, the content, or the version of the peer.
    Framing,
    /// More content than was announced, or content where none may be.
    TooMuchContent,
    /// The end came before the announced length.
    TooLittleContent,
    /// A field that may not stand in a trailer section, or trailers where there is no chunked coding.
    Trailers,
    /// More is waiting to be sent than `send_capacity` allows; send the rest first.
    Full,
    /// The input belongs to another kind of machine.
    WrongMachine,
}

impl Misuse {
    const fn text(self) -> &'static str {
        match self {
            Self::NotYourTurn => {
                "the command does not fit the state of the exchange; wait for the event that allows it"
            }
            Self::Closed => "the connection takes no more of this; use another one",
            Self::Method => "the method is not a token",
            Self::Target => {
                "the request target is malformed or does not fit the method; encode it as RFC 9112 §3.2 says"
            }
            Self::Status => "the status does not fit the command",
            Self::ReasonPhrase => "the reason phrase has a control character",
            Self::FieldName => "the field name is not a token",
            Self::FieldValue => "the field value has a control character",
            Self::Host => "a request needs exactly one Host field that agrees with its target",
            Self::Framing => {
                "the framing fields contradict each other, the content, or the peer's version; leave them to the engine"
            }
            Self::TooMuchContent => "more content than was announced, or content where none may be",
            Self::TooLittleContent => "the end came before the announced length; send the rest or close the connection",
            Self::Trailers => "these trailers may not be sent here",
            Self::Full => "send_capacity is used up; transmit first",
            Self::WrongMachine => "the input belongs to another kind of machine",
        }
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for Misuse {}
