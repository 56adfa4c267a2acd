//! Why the engine refuses a message or ends a connection: one small enum, each row with its rule.

use core::fmt;

use crate::message::status::StatusCode;

/// What kind of fault a [`ProtocolError`](crate::ProtocolError) is.
///
/// ```
/// use http_core::{ErrorKind, Reason};
/// assert_eq!(Reason::ChunkSize.kind(), ErrorKind::Framing);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The grammar of a start-line or a field line is broken.
    Syntax,
    /// It is not certain where the message ends.
    Framing,
    /// The host of the request is missing, repeated, malformed or contradicted.
    Host,
    /// A limit on size or number is passed.
    TooLarge,
    /// The message is well-formed but uses what the engine does not have.
    Unsupported,
    /// The major version is not 1.
    Version,
    /// `Expect` asks for something other than `100-continue`.
    Expectation,
    /// The peer speaks another protocol, or out of turn.
    Protocol,
    /// A deadline passed.
    Timeout,
    /// The connection ended inside a message.
    Truncated,
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident, $kind:ident, $status:literal, $section:literal, $text:literal;)*) => {
        /// The rule that a message broke, or the limit that it passed.
        ///
        /// ```
        /// use http_core::Reason;
        /// assert_eq!(Reason::TransferEncodingWithLength.section(), "RFC 9112 §6.1");
        /// assert_eq!(Reason::TargetTooLong.status().as_u16(), 414);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $(#[doc = $text] $(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason there is, for tables and tests.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The kind of error that this rule belongs to.
            #[must_use]
            pub const fn kind(self) -> ErrorKind {
                match self { $(Self::$name => ErrorKind::$kind,)* }
            }

            /// The status that a server answers.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$name => match StatusCode::new($status) { Some(s) => s, None => StatusCode::BAD_REQUEST },)* }
            }

            /// The section that states the rule; `limit` where the rule is the engine's own.
            #[must_use]
            pub const fn section(self) -> &'static str {
                match self { $(Self::$name => $section,)* }
            }

            /// What is wrong, in words.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

reasons! {
    StartLine, Syntax, 400, "RFC 9112 §3", "the start-line does not have its three parts, each separated by one space";
    Method, Syntax, 400, "RFC 9110 §9.1", "the method is not a token";
    Target, Syntax, 400, "RFC 9112 §3.2", "the request target has a character that is not allowed there";
    TargetForm, Syntax, 400, "RFC 9112 §3.2", "the form of the request target does not fit the method";
    Version, Version, 505, "RFC 9110 §2.5", "the version is not HTTP/1.x";
    VersionSyntax, Syntax, 400, "RFC 9112 §2.3", "the protocol version is malformed";
    StatusLine, Syntax, 502, "RFC 9112 §4", "the status-line is malformed";
    BareLf, Syntax, 400, "RFC 9112 §2.2", "a line ends with a bare LF";
    BareCr, Syntax, 400, "RFC 9112 §2.2", "a bare CR stands inside a line";
    EmptyLines, Syntax, 400, "RFC 9112 §2.2", "more empty lines precede the start-line than the limit allows";
    FieldName, Syntax, 400, "RFC 9112 §5.1", "a field name is empty or not a token";
    SpaceBeforeColon, Syntax, 400, "RFC 9112 §5.1", "whitespace stands between a field name and its colon";
    FieldValue, Syntax, 400, "RFC 9110 §5.5", "a field value has a control character";
    LeadingSpace, Syntax, 400, "RFC 9112 §2.2", "whitespace precedes the first field line";
    ObsFold, Syntax, 400, "RFC 9112 §5.2", "a field line is folded";
    MissingHost, Host, 400, "RFC 9112 §3.2", "the request has no Host field";
    DuplicateHost, Host, 400, "RFC 9112 §3.2", "the request has more than one Host field line";
    InvalidHost, Host, 400, "RFC 9112 §3.2", "the Host field or the authority of the target is malformed";
    ContentLength, Framing, 400, "RFC 9110 §8.6", "Content-Length is not a decimal number, or too large";
    ContentLengthConflict, Framing, 400, "RFC 9112 §6.3", "two values of Content-Length differ";
    ContentLengthList, Framing, 400, "RFC 9112 §6.3", "Content-Length is repeated";
    TransferEncoding, Framing, 400, "RFC 9112 §6.1", "Transfer-Encoding is malformed, or chunked is not its last and only final coding";
    TransferCodingUnknown, Unsupported, 501, "RFC 9112 §6.1", "the message uses a transfer coding other than chunked";
    TransferEncodingWithLength, Framing, 400, "RFC 9112 §6.1", "the message has both Transfer-Encoding and Content-Length";
    TransferEncodingInHttp10, Framing, 400, "RFC 9112 §6.1", "an HTTP/1.0 message has Transfer-Encoding";
    ChunkSize, Framing, 400, "RFC 9112 §7.1", "a chunk size is not hexadecimal, or too large";
    ChunkExtension, Framing, 400, "RFC 9112 §7.1.1", "a chunk extension is malformed";
    ChunkEnd, Framing, 400, "RFC 9112 §7.1", "chunk data is not followed by CRLF";
    TargetTooLong, TooLarge, 414, "limit", "the request target is longer than the limit";
    FieldLineTooLong, TooLarge, 431, "limit", "a field line is longer than the limit";
    HeadTooLong, TooLarge, 431, "limit", "the head is longer than the limit";
    TooManyFields, TooLarge, 431, "limit", "the section has more field lines than the limit";
    TrailersTooLong, TooLarge, 431, "limit", "the trailer section is longer than the limit";
    ChunkLineTooLong, TooLarge, 400, "limit", "a chunk-size line is longer than the limit";
    ChunkExtensionsTooLong, TooLarge, 400, "limit", "the chunk extensions of one message are longer than the limit in all";
    ContentTooLong, TooLarge, 413, "limit", "the content is longer than the limit";
    TooManyInterim, TooLarge, 502, "limit", "more interim responses came than the limit allows";
    Expectation, Expectation, 417, "RFC 9110 §10.1.1", "the expectation is not 100-continue";
    Http2Preface, Protocol, 505, "RFC 9113 §3.4", "the peer speaks HTTP/2";
    TlsClientHello, Protocol, 400, "RFC 8446 §4.1.2", "the peer speaks TLS to a port without it";
    SurplusBytes, Protocol, 502, "RFC 9112 §9.2", "bytes came that no request awaits";
    UnexpectedSwitch, Protocol, 502, "RFC 9110 §15.2.2", "101 came though no upgrade was offered";
    UnnamedSwitch, Protocol, 502, "RFC 9110 §7.8", "101 came without the name of a protocol in its Upgrade field";
    HeadTimeout, Timeout, 408, "limit", "the head did not arrive in time";
    ContentTimeout, Timeout, 408, "limit", "the content did not arrive in time, or too slowly";
    Truncated, Truncated, 400, "RFC 9112 §8", "the connection ended inside a message";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text(), self.section())
    }
}
