//! Heads of requests and responses: control data and fields in one block.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::message::date::parse_date;
use crate::message::facts::{Expectation, Facts, Framing, RequestKind};
use crate::message::field::Fields;
use crate::message::method::Method;
use crate::message::misuse::Misuse;
use crate::message::status::StatusCode;
use crate::message::target::{Target, split_query};
use crate::message::token::{self, Known};
use crate::message::version::Version;

/// The head of a request: request-line and header section, in one block that is wire format already.
///
/// One that was read can be given back to its connection with `recycle`, so that the next one needs no allocation.
///
/// ```
/// use http_core::{Method, RequestHead};
/// let head = RequestHead::new(Method::Get, "/search?q=1")?.with("Host", "example.com")?.with("Accept", "*/*")?;
/// assert_eq!(head.as_wire(), b"GET /search?q=1 HTTP/1.1\r\nHost: example.com\r\nAccept: */*\r\n");
/// assert_eq!(head.target(), b"/search?q=1");
/// assert_eq!(head.target_form().unwrap().path(), b"/search");
/// # Ok::<(), http_core::Misuse>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RequestHead {
    pub(crate) fields: Fields,
    pub(crate) target_at: u32,
    pub(crate) target_len: u32,
    pub(crate) method_len: u16,
    pub(crate) version: Version,
    pub(crate) minor: u8,
    pub(crate) framing: Framing,
}

impl RequestHead {
    /// A head with this method and target, HTTP/1.1, and no fields yet. `Host` is the caller's to push.
    ///
    /// # Errors
    /// [`Misuse::Method`] if the method is not a token or longer than 65,535 bytes; [`Misuse::Target`] if a byte of
    /// the target is outside RFC 3986, its form does not fit the method (RFC 9112 §3.2), or it is over 4 GiB long. What
    /// a browser's URL has beside RFC 3986 is percent-encoded first: [`percent_encoded`](crate::percent_encoded).
    pub fn new(method: Method<'_>, target: impl AsRef<[u8]>) -> Result<Self, Misuse> {
        let (name, target) = (method.as_str().as_bytes(), target.as_ref());
        let method_len = u16::try_from(name.len()).map_err(|_| Misuse::Method)?;
        if !token::is_token(name) {
            return Err(Misuse::Method);
        }
        let start = name.len() + target.len() + 12;
        if u32::try_from(start).is_err() || !Target::parse(method, target).is_some_and(Target::is_rfc3986) {
            return Err(Misuse::Target);
        }
        let mut fields = Fields::with_capacity(start + 64, 4);
        for part in [name, b" ", target, b" HTTP/1.1\r\n"] {
            fields.block.extend_from_slice(part);
        }
        fields.start = start as u32;
        Ok(Self {
            fields,
            target_at: name.len() as u32 + 1,
            target_len: target.len() as u32,
            method_len,
            version: Version::Http11,
            minor: 1,
            framing: Framing::None,
        })
    }

    /// The head with one more field line.
    ///
    /// # Errors
    /// Those of [`Fields::push`].
    pub fn with(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<Self, Misuse> {
        self.fields.push(name, value)?;
        Ok(self)
    }

    /// The head as an HTTP/1.0 request, for origins that are known to speak nothing else.
    #[must_use]
    pub fn with_version(mut self, version: Version) -> Self {
        let line_end = self.fields.start as usize;
        if let Some(minor) = self.fields.block.get_mut(line_end.saturating_sub(3)) {
            *minor = if version == Version::Http10 { b'0' } else { b'1' };
            self.minor = *minor - b'0';
            self.version = version;
        }
        self
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> Method<'_> {
        let bytes = &self.fields.block[..usize::from(self.method_len)];
        // Every head was built from, or checked to have, a token.
        Method::from_bytes(bytes).unwrap_or(Method::Other(""))
    }

    /// The request target as it stands on the wire.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        &self.fields.block[self.target_at as usize..][..self.target_len as usize]
    }

    /// The target taken apart; `None` only for one that was read under `Leniency::allow_lax_target`.
    #[must_use]
    pub fn target_form(&self) -> Option<Target<'_>> {
        Target::parse(self.method(), self.target())
    }

    /// Host and port that the request is for: those of the target if it has them, otherwise those of `Host`, which a
    /// target overrides (RFC 9112 §3.2.2).
    ///
    /// ```
    /// use http_core::{Method, RequestHead};
    /// let head = RequestHead::new(Method::Get, "/")?.with("Host", "example.com:8080")?;
    /// assert_eq!(head.authority(), Some(&b"example.com:8080"[..]));
    /// # Ok::<(), http_core::Misuse>(())
    /// ```
    #[must_use]
    pub fn authority(&self) -> Option<&[u8]> {
        self.target_form().and_then(Target::authority).or_else(|| self.fields.known(Known::Host).next())
    }

    /// The version of the message; a minor version above 1 counts as 1.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The minor version as it was sent: 2 for HTTP/1.2, which is read as HTTP/1.1 (RFC 9110 §2.5).
    #[must_use]
    pub const fn minor_version(&self) -> u8 {
        self.minor
    }

    /// The header section.
    #[must_use]
    pub const fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The header section, to push to or remove from.
    pub fn fields_mut(&mut self) -> &mut Fields {
        &mut self.fields
    }

    /// How the content that follows is delimited; [`Framing::None`] for a head that was built.
    #[must_use]
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether the sender waits for 100 (Continue) before it sends the content (RFC 9110 §10.1.1).
    #[must_use]
    pub fn expects_continue(&self) -> bool {
        self.version == Version::Http11
            && self.framing.has_content()
            && self.facts().expectation == Expectation::Continue
    }

    /// Whether the sender accepts trailer fields (`TE: trailers`, RFC 9110 §10.1.4).
    #[must_use]
    pub fn accepts_trailers(&self) -> bool {
        self.facts().te_trailers
    }

    /// Whether an upgrade is offered: `Upgrade` with its `Connection` option, in HTTP/1.1 (RFC 9110 §7.8).
    #[must_use]
    pub fn offers_upgrade(&self) -> bool {
        self.version == Version::Http11 && self.facts().offers_upgrade()
    }

    /// The protocol that is offered by an upgrade, if it is one alone: a 101 can mean no other (RFC 9110 §7.8).
    ///
    /// ```
    /// use http_core::{Method, RequestHead};
    /// let head = RequestHead::new(Method::Get, "/")?.with("Connection", "upgrade")?.with("Upgrade", "websocket")?;
    /// assert_eq!(head.only_protocol(), Some(&b"websocket"[..]));
    /// assert_eq!(head.with("Upgrade", "h2c")?.only_protocol(), None);
    /// # Ok::<(), http_core::Misuse>(())
    /// ```
    #[must_use]
    pub fn only_protocol(&self) -> Option<&[u8]> {
        let mut protocols = self.fields.known(Known::Upgrade).flat_map(token::list);
        match (protocols.next(), protocols.next()) {
            (Some(only), None) if self.offers_upgrade() => Some(only),
            _ => None,
        }
    }

    /// Request-line and field lines as they go to the wire, without the empty line and without the fields that the
    /// engine adds when it sends the head.
    #[must_use]
    pub fn as_wire(&self) -> &[u8] {
        &self.fields.block
    }

    pub(crate) fn facts(&self) -> Facts {
        Facts::of(&self.fields)
    }
}

impl From<RequestHead> for Fields {
    fn from(head: RequestHead) -> Self {
        head.fields
    }
}

/// Without userinfo, query and the values of fields that are secret.
impl fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (target, rest) = split_query(self.target());
        let authority = target.windows(3).position(|octets| octets == b"://").map_or(0, |at| at + 3);
        let end = target[authority..].iter().position(|octet| *octet == b'/').map_or(target.len(), |at| authority + at);
        // It ends with the last sign of it, as whoever reads it leniently would have it.
        let host = target[..end].iter().rposition(|octet| *octet == b'@').map_or(authority, |at| at + 1);
        let (scheme, target) = (&target[..authority], &target[host..]);
        let query = if rest.is_some() { "?…" } else { "" };
        f.debug_struct("RequestHead")
            .field(
                "line",
                &format_args!(
                    "{} {}{}{query} {}",
                    self.method().as_str(),
                    scheme.escape_ascii(),
                    target.escape_ascii(),
                    self.version.as_str()
                ),
            )
            .field("fields", &self.fields)
            .finish()
    }
}

/// The head of a response: status-line and header section, in one block that is wire format already.
///
/// One that is built once can be sent any number of times.
///
/// ```
/// use http_core::{ResponseHead, StatusCode};
/// let head = ResponseHead::new(StatusCode::OK).with("Content-Type", "text/plain")?;
/// assert_eq!(head.as_wire(), b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n");
/// assert_eq!(head.reason_phrase(), b"OK");
/// # Ok::<(), http_core::Misuse>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ResponseHead {
    pub(crate) fields: Fields,
    pub(crate) reason_at: u32,
    pub(crate) reason_len: u32,
    pub(crate) status: StatusCode,
    pub(crate) version: Version,
    pub(crate) minor: u8,
    pub(crate) framing: Framing,
    /// Of one that was read, what it answers.
    pub(crate) answers: Option<RequestKind>,
}

impl ResponseHead {
    /// A head with this status, its usual reason phrase, HTTP/1.1, and no fields yet.
    #[must_use]
    pub fn new(status: StatusCode) -> Self {
        // A usual reason phrase is visible ASCII and short.
        Self::build(status, status.reason_phrase().as_bytes())
    }

    /// The same in the memory of a head that is not needed any more, or of its fields.
    ///
    /// ```
    /// use http_core::{Fields, ResponseHead, StatusCode};
    /// let first = ResponseHead::new(StatusCode::OK).with("Content-Type", "text/plain")?;
    /// let second = ResponseHead::new_in(Fields::from(first), StatusCode::NOT_FOUND);
    /// assert_eq!(second, ResponseHead::new(StatusCode::NOT_FOUND));
    /// # Ok::<(), http_core::Misuse>(())
    /// ```
    #[must_use]
    pub fn new_in(mut memory: Fields, status: StatusCode) -> Self {
        memory.reset();
        Self::build_in(memory, status, status.reason_phrase().as_bytes())
    }

    /// A head with a reason phrase of one's own, perhaps empty.
    ///
    /// # Errors
    /// [`Misuse::ReasonPhrase`] if it has a control character other than HTAB, or is over 4 GiB long.
    pub fn with_reason_phrase(status: StatusCode, reason: impl AsRef<[u8]>) -> Result<Self, Misuse> {
        let reason = reason.as_ref();
        if Self::may_say(reason) { Ok(Self::build(status, reason)) } else { Err(Misuse::ReasonPhrase) }
    }

    /// Whether this may be a reason phrase.
    pub(crate) fn may_say(reason: &[u8]) -> bool {
        token::is_value(reason) && u32::try_from(reason.len() + 15).is_ok()
    }

    fn build(status: StatusCode, reason: &[u8]) -> Self {
        Self::build_in(Fields::with_capacity(128, 4), status, reason)
    }

    fn build_in(mut fields: Fields, status: StatusCode, reason: &[u8]) -> Self {
        write_status_line(&mut fields.block, status, reason);
        fields.start = fields.block.len() as u32;
        Self {
            fields,
            reason_at: 13,
            reason_len: reason.len() as u32,
            status,
            version: Version::Http11,
            minor: 1,
            framing: Framing::None,
            answers: None,
        }
    }

    /// The head with one more field line.
    ///
    /// # Errors
    /// Those of [`Fields::push`].
    pub fn with(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Result<Self, Misuse> {
        self.fields.push(name, value)?;
        Ok(self)
    }

    /// The status code.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The reason phrase as it stands on the wire; may be empty.
    #[must_use]
    pub fn reason_phrase(&self) -> &[u8] {
        &self.fields.block[self.reason_at as usize..][..self.reason_len as usize]
    }

    /// The version of the message; a minor version above 1 counts as 1.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The minor version as it was sent: 2 for HTTP/1.2, which is read as HTTP/1.1 (RFC 9110 §2.5).
    #[must_use]
    pub const fn minor_version(&self) -> u8 {
        self.minor
    }

    /// The header section.
    #[must_use]
    pub const fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The header section, to push to or remove from.
    pub fn fields_mut(&mut self) -> &mut Fields {
        &mut self.fields
    }

    /// How the content that follows is delimited; [`Framing::None`] for a head that was built.
    #[must_use]
    pub const fn framing(&self) -> Framing {
        self.framing
    }

    /// The parameters of the `Keep-Alive` field: seconds the peer keeps an idle connection, and requests it still
    /// takes.
    #[must_use]
    pub fn keep_alive(&self) -> KeepAlive {
        let mut hint = KeepAlive::default();
        for parameter in self.fields.known(Known::KeepAlive).flat_map(token::list) {
            let mut parts = parameter.splitn(2, |&b| b == b'=');
            let name = token::trim(parts.next().unwrap_or_default());
            let value = parts.next().and_then(|v| token::decimal(token::trim(v)));
            if name.eq_ignore_ascii_case(b"timeout") {
                hint.timeout = value.or(hint.timeout);
            } else if name.eq_ignore_ascii_case(b"max") {
                hint.max = value.or(hint.max);
            }
        }
        hint
    }

    /// How long to wait before the request is repeated, as `Retry-After` says: in seconds, or until a date (RFC 9110
    /// §10.2.3). `now` is the time in seconds after 1970-01-01T00:00:00Z; a date that has passed is no time at all.
    ///
    /// ```
    /// use core::time::Duration;
    /// use http_core::{ResponseHead, StatusCode};
    /// let head = ResponseHead::new(StatusCode::SERVICE_UNAVAILABLE);
    /// let soon = head.clone().with("Retry-After", "5")?;
    /// assert_eq!(soon.retry_after(784_111_777), Some(Duration::from_secs(5)));
    /// let date = head.with("Retry-After", "Sun, 06 Nov 1994 08:49:47 GMT")?;
    /// assert_eq!(date.retry_after(784_111_777), Some(Duration::from_secs(10)));
    /// # Ok::<(), http_core::Misuse>(())
    /// ```
    #[must_use]
    pub fn retry_after(&self, now: u64) -> Option<Duration> {
        let value = self.fields.get("retry-after")?;
        let seconds = token::decimal(value).or_else(|| parse_date(value, now).map(|at| at.saturating_sub(now)));
        seconds.map(Duration::from_secs)
    }

    /// Status-line and field lines as they go to the wire, without the empty line and without the fields that the
    /// engine adds when it sends the head.
    #[must_use]
    pub fn as_wire(&self) -> &[u8] {
        &self.fields.block
    }

    pub(crate) fn facts(&self) -> Facts {
        Facts::of(&self.fields)
    }
}

/// Writes a status-line (RFC 9112 §4).
pub(crate) fn write_status_line(out: &mut Vec<u8>, status: StatusCode, reason: &[u8]) {
    let [hundreds, tens, ones] = status.digits();
    out.extend_from_slice(&[b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1', b' ', hundreds, tens, ones, b' ']);
    out.extend_from_slice(reason);
    out.extend_from_slice(b"\r\n");
}

impl From<ResponseHead> for Fields {
    fn from(head: ResponseHead) -> Self {
        head.fields
    }
}

impl fmt::Debug for ResponseHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseHead")
            .field(
                "line",
                &format_args!("{} {:?} {}", self.version.as_str(), self.status, self.reason_phrase().escape_ascii()),
            )
            .field("fields", &self.fields)
            .finish()
    }
}

/// What a peer says in `Keep-Alive` about how long it keeps the connection. A hint, never a promise.
///
/// ```
/// use http_core::{ResponseHead, StatusCode};
/// let head = ResponseHead::new(StatusCode::OK).with("Keep-Alive", "timeout=5, max=100")?;
/// assert_eq!((head.keep_alive().timeout, head.keep_alive().max), (Some(5), Some(100)));
/// # Ok::<(), http_core::Misuse>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeepAlive {
    /// Seconds that an idle connection is kept.
    pub timeout: Option<u64>,
    /// Requests that the connection still takes.
    pub max: Option<u64>,
}
