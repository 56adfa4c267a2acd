//! Our own fault.

use core::fmt;

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
