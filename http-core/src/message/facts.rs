//! What the field lines of one head say together: framing, persistence, expectations.

use crate::message::field::Fields;
use crate::message::token::{self, Known};
use crate::message::version::Version;

/// How the content of a message is delimited (RFC 9112 §6).
///
/// ```
/// use http_core::Framing;
/// assert!(Framing::Length(3).has_content());
/// assert!(!Framing::Length(0).has_content() && !Framing::None.has_content());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Framing {
    /// No content follows.
    #[default]
    None,
    /// Exactly this many bytes follow.
    Length(u64),
    /// Chunks follow, and a trailer section.
    Chunked,
    /// Content follows until the connection ends; responses only.
    UntilClose,
}

impl Framing {
    /// Whether any content may follow.
    #[must_use]
    pub const fn has_content(self) -> bool {
        !matches!(self, Self::None | Self::Length(0))
    }
}

/// What the field lines of one head say about framing and persistence, gathered once over all lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) length: Length,
    pub(crate) coding: Coding,
    pub(crate) connection: Options,
    pub(crate) hosts: u8,
    pub(crate) host_valid: bool,
    pub(crate) expectation: Expectation,
    pub(crate) upgrade: bool,
    pub(crate) te: bool,
    pub(crate) te_trailers: bool,
    pub(crate) date: bool,
    /// The message was taken in spite of what makes its end uncertain.
    pub(crate) uncertain: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Length {
    #[default]
    Absent,
    Of(u64),
    /// The same number more than once, or beside empty list members, in one line or over several.
    Repeated(u64),
    Invalid,
    Conflict,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Coding {
    #[default]
    Absent,
    Chunked,
    /// Codings the engine does not have, with chunked as the last one.
    UnknownThenChunked,
    /// Codings the engine does not have, chunked not among them.
    Unknown,
    /// The field is there and names no coding, so far.
    Empty,
    /// Something follows chunked. In a response the content lasts until the connection ends.
    NotLast,
    /// Chunked twice, or with parameters, or not a list of tokens.
    Invalid,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Expectation {
    #[default]
    None,
    Continue,
    Unknown,
}

/// The options of the `Connection` field that the engine acts on (RFC 9110 §7.6.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) close: bool,
    pub(crate) keep_alive: bool,
    pub(crate) upgrade: bool,
}

impl Facts {
    /// Takes in one field line.
    pub(crate) fn add(&mut self, known: Known, value: &[u8]) {
        match known {
            Known::Host => {
                self.hosts = self.hosts.saturating_add(1);
                self.host_valid = crate::message::target::is_host(value);
            }
            Known::Connection if token::spells(value, b"keep-alive") => self.connection.keep_alive = true,
            Known::Connection if token::spells(value, b"close") => self.connection.close = true,
            _ => self.add_list(known, value),
        }
    }

    /// Apart, so that the fields of nearly every request are taken in without what a list needs.
    #[inline(never)]
    fn add_list(&mut self, known: Known, value: &[u8]) {
        match known {
            Known::Other | Known::KeepAlive | Known::Trailer | Known::Host => {}
            Known::Date => self.date = true,
            Known::Upgrade => self.upgrade |= token::list(value).next().is_some(),
            Known::Te => {
                self.te = true;
                self.te_trailers |= token::list(value).any(|t| t.eq_ignore_ascii_case(b"trailers"));
            }
            Known::Connection => self.connection.add(value),
            Known::ContentLength => self.length = self.length.and(value),
            Known::TransferEncoding => self.coding = self.coding.and(value),
            Known::Expect => self.expectation = self.expectation.and(value),
        }
    }

    /// The facts of a section that was built or read before.
    #[inline(always)]
    pub(crate) fn of(fields: &Fields) -> Self {
        if fields.lines.iter().all(|line| line.known == Known::Other) { Self::default() } else { Self::gather(fields) }
    }

    #[inline(never)]
    fn gather(fields: &Fields) -> Self {
        let mut facts = Self::default();
        facts.add_all(fields);
        facts
    }

    /// Takes in all lines of `fields`.
    #[inline]
    pub(crate) fn add_all(&mut self, fields: &Fields) {
        for line in &fields.lines {
            if line.known != Known::Other {
                self.add(line.known, fields.value_of(line));
            }
        }
    }

    /// Takes in those lines of `fields` that `which` has a bit for: all that carry a name the engine knows.
    #[inline]
    pub(crate) fn add_those(&mut self, fields: &Fields, mut which: u64) {
        while let Some(line) = fields.lines.get(which.trailing_zeros() as usize).filter(|_| which != 0) {
            self.add(line.known, fields.value_of(line));
            which &= which - 1;
        }
    }

    pub(crate) const fn offers_upgrade(&self) -> bool {
        self.upgrade && self.connection.upgrade
    }

    /// Whether the connection outlives the message as far as its own head says (RFC 9112 §9.3).
    pub(crate) const fn persistent(&self, version: Version) -> bool {
        !self.connection.close && !self.uncertain && (matches!(version, Version::Http11) || self.connection.keep_alive)
    }
}

impl Options {
    fn add(&mut self, value: &[u8]) {
        for option in token::tokens(value) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
            self.upgrade |= option.eq_ignore_ascii_case(b"upgrade");
        }
    }
}

/// Lengths beyond this are refused: peers keep them in signed numbers, so one that is larger is read differently.
pub(crate) const LONGEST: u64 = i64::MAX as u64;

impl Length {
    fn and(mut self, value: &[u8]) -> Self {
        // The list is walked here and not by `token::list`, which would take quotes for something.
        let (mut numbers, mut empty) = (0, 0);
        for member in value.split(|&b| b == b',').map(token::trim) {
            if member.is_empty() {
                empty += 1;
                continue;
            }
            numbers += 1;
            self = match (self, token::decimal(member)) {
                (Self::Invalid, _) | (_, None) => Self::Invalid,
                (_, Some(n)) if n > LONGEST => Self::Invalid,
                (Self::Conflict, _) => Self::Conflict,
                (Self::Absent, Some(n)) => Self::Of(n),
                (Self::Of(m) | Self::Repeated(m), Some(n)) if m == n => Self::Repeated(n),
                _ => Self::Conflict,
            };
        }
        match self {
            _ if numbers == 0 => Self::Invalid,
            Self::Of(n) if empty > 0 => Self::Repeated(n),
            _ => self,
        }
    }
}

impl Coding {
    fn and(mut self, value: &[u8]) -> Self {
        for coding in token::list(value) {
            let name = coding.split(|&b| b == b';').next().map_or(coding, token::trim);
            let chunked = name.eq_ignore_ascii_case(b"chunked");
            self = match self {
                _ if !token::is_token(name) || chunked && name.len() != coding.len() => Self::Invalid,
                Self::Absent | Self::Empty if chunked => Self::Chunked,
                Self::Unknown if chunked => Self::UnknownThenChunked,
                Self::Absent | Self::Empty | Self::Unknown => Self::Unknown,
                Self::Invalid => Self::Invalid,
                // Chunked may be applied only once (RFC 9112 §6.1).
                _ if chunked => Self::Invalid,
                Self::Chunked | Self::UnknownThenChunked | Self::NotLast => Self::NotLast,
            };
        }
        if self == Self::Absent { Self::Empty } else { self }
    }
}

impl Expectation {
    fn and(mut self, value: &[u8]) -> Self {
        for member in token::list(value) {
            if !member.eq_ignore_ascii_case(b"100-continue") {
                return Self::Unknown;
            }
            if self == Self::None {
                self = Self::Continue;
            }
        }
        self
    }
}

/// What of the request decides how its response is read or written (RFC 9112 §6.3, 1. and 2.).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum RequestKind {
    Head,
    Connect,
    #[default]
    Other,
}

impl RequestKind {
    #[inline]
    pub(crate) fn of(method: &[u8]) -> Self {
        match method {
            b"HEAD" => Self::Head,
            b"CONNECT" => Self::Connect,
            _ => Self::Other,
        }
    }
}
