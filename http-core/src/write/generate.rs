//! Writes heads: what the application says, and the fields that follow from one decision on framing and persistence.

use alloc::vec::Vec;

use crate::message::content::Content;
use crate::message::facts::{Coding, Expectation, Facts, LONGEST, Length, RequestKind};
use crate::message::field;
use crate::message::head::{RequestHead, ResponseHead};
use crate::message::method::Method;
use crate::message::misuse::Misuse;
use crate::message::status::StatusCode;
use crate::message::target::Target;
use crate::message::token::{self, Known};
use crate::message::version::Version;
use crate::write::request::{RequestSource, Written};
use crate::write::source::Source;

/// How the content of a message that is sent will be delimited, and whether its connection can be used after it.
///
/// ```
/// use http_core::{Content, Method, Outline, RequestHead, Sending, make_header_request};
/// let head = RequestHead::new(Method::Put, "/a")?.with("Host", "example.com")?;
/// let mut out = Vec::new();
/// let sending = make_header_request(&head, &Content::Streaming, &Outline::default(), &mut out)?;
/// assert_eq!(sending, Sending { framing: http_core::SendFraming::Chunked, persistent: true });
/// assert_eq!(out, b"PUT /a HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n");
/// # Ok::<(), http_core::Misuse>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// How the content is delimited.
    pub framing: SendFraming,
    /// Whether the connection can be used for another exchange as far as the sender says.
    pub persistent: bool,
}

impl Sending {
    pub(crate) const fn framing_has_content(&self) -> bool {
        !matches!(self.framing, SendFraming::None | SendFraming::Length(0))
    }
}

/// How content that is sent is delimited.
///
/// ```
/// assert_ne!(http_core::SendFraming::None, http_core::SendFraming::Length(0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendFraming {
    /// The message has no content.
    None,
    /// The message would have content but its bytes are left out: the answer to `HEAD`, and 304.
    Omitted,
    /// Exactly so many bytes.
    Length(u64),
    /// Chunks and a trailer section.
    Chunked,
    /// Everything up to the end of the connection.
    UntilClose,
}

/// What a head to be sent has to fit: the state of the connection, and for a response the request it answers.
///
/// ```
/// use http_core::{Content, Outline, ResponseHead, StatusCode, make_header_response};
/// let mut outline = Outline::default();
/// outline.persistent = false;
/// let mut out = Vec::new();
/// make_header_response(&ResponseHead::new(StatusCode::OK), &Content::Empty, &outline, &mut out)?;
/// assert_eq!(out, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
/// # Ok::<(), http_core::Misuse>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outline {
    /// Whether the connection could be used for another exchange.
    pub persistent: bool,
    /// The version of the request that is answered; for a request, of the origin if it is known.
    pub peer: Version,
    /// For a response: the request was `HEAD`.
    pub head: bool,
    /// For a response: the request was `CONNECT`.
    pub connect: bool,
    /// For a response: the request offered an upgrade.
    pub upgrade_offered: bool,
    /// The value of `Date`; without it, none is added.
    pub date: Option<[u8; 29]>,
}

impl Default for Outline {
    fn default() -> Self {
        Self::PLAIN
    }
}

impl Outline {
    pub(crate) const fn answering(kind: RequestKind) -> Self {
        Self { head: matches!(kind, RequestKind::Head), connect: matches!(kind, RequestKind::Connect), ..Self::PLAIN }
    }

    /// What [`default`](Self::default) is.
    const PLAIN: Self = Self {
        persistent: true,
        peer: Version::Http11,
        head: false,
        connect: false,
        upgrade_offered: false,
        date: None,
    };
}

/// Writes the head of a request to `out`, with the fields that follow from its content and the connection's state.
///
/// Added where the caller has none: `Host` from the authority of the target (RFC 9112 §3.2); `Content-Length` or
/// `Transfer-Encoding` (§6); `Connection` options for `Upgrade`, `TE`, persistence (RFC 9110 §7.6.1). Left out where
/// the connection closes: the `keep-alive` option and `Keep-Alive`, which would contradict that.
///
/// # Errors
/// [`Misuse::Host`], [`Misuse::Framing`], [`Misuse::TooMuchContent`]; `out` is then as it was.
pub fn make_header_request(
    head: &RequestHead,
    content: &Content,
    outline: &Outline,
    out: &mut Vec<u8>,
) -> Result<Sending, Misuse> {
    let before = out.len();
    request(head, content, outline, out).map(|(sending, _)| sending).inspect_err(|_| out.truncate(before))
}

/// The same from whatever source, and what its lines say. If it fails, what was written is the caller's to take back.
#[inline]
pub(crate) fn request(
    head: &impl RequestSource,
    content: &Content,
    outline: &Outline,
    out: &mut Vec<u8>,
) -> Result<(Sending, Facts), Misuse> {
    let mut facts = Facts::default();
    let written = head.write(out, &mut facts)?;
    let (method, version) = (head.method(), head.version());
    let fields_at = name_host(method, version, written, &facts, out)?;
    let framing = request_framing(method, version, content, outline, &facts)?;
    if facts.expectation == Expectation::Continue && !(Sending { framing, persistent: true }).framing_has_content() {
        // RFC 9110 §10.1.1: a client must not expect 100 in a request without content.
        return Err(Misuse::Framing);
    }
    let http11 = version == Version::Http11;
    let persistent = outline.persistent && !facts.connection.close && (http11 || facts.connection.keep_alive);

    if !persistent && http11 && says_keep(head.lines()) {
        out.truncate(fields_at);
        write_without_keep(out, head.lines());
    }
    write_framing(out, framing, &facts);
    let close = !persistent && http11 && !facts.connection.close;
    let upgrade = facts.upgrade && !facts.connection.upgrade;
    let te = facts.te && !names_te(head.lines());
    // Mostly nothing is to be said.
    if close | upgrade | te {
        write_options(out, [(close, b"close"), (upgrade, b"upgrade"), (te, b"TE")]);
    }
    out.extend_from_slice(b"\r\n");
    Ok((Sending { framing, persistent }, facts))
}

/// Writes the head of a final response, or of 101, to `out`, with the fields that follow from its content and the
/// connection's state.
///
/// Added where the caller has none: `Date` (RFC 9110 §6.6.1); `Content-Length` or `Transfer-Encoding` (RFC 9112 §6),
/// for `HEAD` the length that `GET` would have; `Connection` options for `Upgrade` and persistence (§9.3, §9.6). Left
/// out where the connection closes: the `keep-alive` option and `Keep-Alive`, which would contradict that.
///
/// # Errors
/// [`Misuse::Status`] for an interim status or a 101 that no upgrade asked for; [`Misuse::Framing`],
/// [`Misuse::TooMuchContent`]. `out` is then as it was.
pub fn make_header_response(
    head: &ResponseHead,
    content: &Content,
    outline: &Outline,
    out: &mut Vec<u8>,
) -> Result<Sending, Misuse> {
    let before = out.len();
    response(head, content, outline, out).inspect_err(|_| out.truncate(before))
}

/// The same from whatever source. If it fails, what was written is the caller's to take back.
#[inline]
pub(crate) fn response(
    head: &impl Source,
    content: &Content,
    outline: &Outline,
    out: &mut Vec<u8>,
) -> Result<Sending, Misuse> {
    let mut facts = Facts::default();
    let fields_at = head.write(out, &mut facts)?;
    let status = head.status();
    if status.is_interim() || status.as_u16() == 101 && !(outline.upgrade_offered && facts.upgrade) {
        return Err(Misuse::Status);
    }
    let framing = response_framing(status, content, outline, &facts)?;
    let switching = status.as_u16() == 101 || outline.connect && status.is_success();
    let persistent = outline.persistent && !facts.connection.close && framing != SendFraming::UntilClose;

    if !persistent && !switching && says_keep(head.lines()) {
        out.truncate(fields_at);
        write_without_keep(out, head.lines());
    }
    if let (false, Some(date)) = (facts.date, &outline.date) {
        write_line(out, b"Date: ", date);
    }
    let told = match (framing, content) {
        // RFC 9110 §8.6: the answer to HEAD may tell the length of the answer to GET.
        (SendFraming::Omitted, Content::Full(_) | Content::Sized(_))
            if outline.head && facts.coding == Coding::Absent =>
        {
            content.length().map_or(framing, SendFraming::Length)
        }
        _ => framing,
    };
    write_framing(out, told, &facts);
    let close = !persistent && !switching && !facts.connection.close;
    let keep_alive = persistent && outline.peer == Version::Http10 && !facts.connection.keep_alive;
    let upgrade = facts.upgrade && !facts.connection.upgrade;
    // Mostly nothing is to be said.
    if close | keep_alive | upgrade {
        write_options(out, [(close, b"close"), (keep_alive, b"keep-alive"), (upgrade, b"upgrade")]);
    }
    out.extend_from_slice(b"\r\n");
    Ok(Sending { framing, persistent })
}

/// Writes the head of an interim response to `out`: no framing, no content, no `Date` (RFC 9110 §15.2).
pub(crate) fn interim(head: &ResponseHead, out: &mut Vec<u8>) -> Result<(), Misuse> {
    let facts = head.facts();
    if !head.status().is_interim() {
        return Err(Misuse::Status);
    }
    if facts.length != Length::Absent || facts.coding != Coding::Absent {
        return Err(Misuse::Framing);
    }
    out.extend_from_slice(head.as_wire());
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Has a head name its host once, as its target does: where that has an authority and no line says it, `Host` is added
/// as the first field (RFC 9110 §7.2). Returns where the lines of the head's own begin then.
#[inline]
fn name_host(
    method: Method<'_>,
    version: Version,
    written: Written,
    facts: &Facts,
    out: &mut Vec<u8>,
) -> Result<usize, Misuse> {
    let Written { target, line_end, fields_at } = written;
    // Origin-form has no authority.
    if method == Method::Connect || out.get(target.start) != Some(&b'/') {
        let form = Target::parse(method, &out[target]).ok_or(Misuse::Target)?;
        if let Some(authority) = form.authority() {
            return match facts.hosts {
                // RFC 9112 §3.2: identical to the authority of the target URI.
                1 if host_of(&out[line_end..]).is_some_and(|host| host.eq_ignore_ascii_case(authority)) => {
                    Ok(fields_at)
                }
                0 => {
                    let mut line = Vec::new();
                    write_line(&mut line, b"Host: ", authority);
                    out.splice(line_end..line_end, line.iter().copied());
                    Ok(fields_at + line.len())
                }
                _ => Err(Misuse::Host),
            };
        }
    }
    match facts.hosts {
        1 if facts.host_valid => Ok(fields_at),
        0 if version == Version::Http10 => Ok(fields_at),
        _ => Err(Misuse::Host),
    }
}

/// The value of `Host` among lines that were written.
#[cold]
fn host_of(lines: &[u8]) -> Option<&[u8]> {
    let mut lines = lines.split(|&byte| byte == b'\n').filter_map(|line| line.strip_suffix(b"\r"));
    lines.find_map(|line| match line.split_first_chunk::<4>() {
        Some((name, value)) if token::spells(name, b"host") => value.strip_prefix(b": "),
        _ => None,
    })
}

fn request_framing(
    method: Method<'_>,
    version: Version,
    content: &Content,
    outline: &Outline,
    facts: &Facts,
) -> Result<SendFraming, Misuse> {
    if method == Method::Trace && content.length() != Some(0) {
        // RFC 9110 §9.3.8
        return Err(Misuse::TooMuchContent);
    }
    let chunked_allowed = version == Version::Http11 && outline.peer == Version::Http11;
    let framing = announced(content, facts, chunked_allowed)?;
    Ok(match framing {
        // Without content no field is needed, but for methods that give it a meaning (RFC 9110 §8.6).
        SendFraming::Length(0)
            if facts.length == Length::Absent
                && !matches!(content, Content::Sized(_))
                && !method.announces_no_content() =>
        {
            SendFraming::None
        }
        // The end of the connection cannot end a request (RFC 9112 §6.3).
        SendFraming::UntilClose => return Err(Misuse::Framing),
        framing => framing,
    })
}

#[inline(always)]
fn response_framing(
    status: StatusCode,
    content: &Content,
    outline: &Outline,
    facts: &Facts,
) -> Result<SendFraming, Misuse> {
    let tunnel = outline.connect && status.is_success();
    if status.is_informational() || status.as_u16() == 204 || tunnel {
        // RFC 9110 §8.6, RFC 9112 §6.1: neither field may be sent.
        return match (content.length(), facts.length, facts.coding) {
            (Some(0), Length::Absent, Coding::Absent) => Ok(SendFraming::None),
            (Some(0), ..) => Err(Misuse::Framing),
            _ => Err(Misuse::TooMuchContent),
        };
    }
    if status.as_u16() == 205 && content.length() != Some(0) {
        // RFC 9110 §15.3.6
        return Err(Misuse::TooMuchContent);
    }
    let framing = announced(content, facts, outline.peer == Version::Http11);
    if outline.head || status.as_u16() == 304 {
        // The fields describe the answer to GET; those of the caller stand, if they could be that answer's.
        return match (facts.length, facts.coding) {
            _ if content.length().is_some_and(|length| length > LONGEST) => Err(Misuse::Framing),
            (Length::Absent, Coding::Absent | Coding::Chunked | Coding::UnknownThenChunked)
            | (Length::Of(_), Coding::Absent) => {
                if facts.coding != Coding::Absent && outline.peer == Version::Http10 {
                    return Err(Misuse::Framing);
                }
                Ok(SendFraming::Omitted)
            }
            _ => Err(Misuse::Framing),
        };
    }
    framing
}

/// One decision from content and the caller's own framing fields, which may say the same but nothing else.
fn announced(content: &Content, facts: &Facts, chunked_allowed: bool) -> Result<SendFraming, Misuse> {
    if content.length().is_some_and(|length| length > LONGEST) {
        return Err(Misuse::Framing);
    }
    match (facts.length, facts.coding) {
        (Length::Absent, Coding::Absent) => Ok(match content.length() {
            Some(length) => SendFraming::Length(length),
            None if chunked_allowed => SendFraming::Chunked,
            None => SendFraming::UntilClose,
        }),
        (Length::Of(said), Coding::Absent) => match content.length() {
            Some(length) if length != said => Err(Misuse::Framing),
            _ => Ok(SendFraming::Length(said)),
        },
        (Length::Absent, Coding::Chunked | Coding::UnknownThenChunked)
            if chunked_allowed && content.length().is_none() =>
        {
            Ok(SendFraming::Chunked)
        }
        _ => Err(Misuse::Framing),
    }
}

fn names_te<'a>(lines: impl Iterator<Item = (Known, &'a [u8], &'a [u8])>) -> bool {
    let options = lines.filter(|(known, ..)| *known == Known::Connection).flat_map(|(.., value)| token::tokens(value));
    options.into_iter().any(|option| option.eq_ignore_ascii_case(b"te"))
}

/// Whether a section says that the connection is kept, by the option or by the field that goes with it.
fn says_keep<'a>(mut lines: impl Iterator<Item = (Known, &'a [u8], &'a [u8])>) -> bool {
    lines.any(|(known, _, value)| match known {
        Known::KeepAlive => true,
        Known::Connection => token::tokens(value).any(is_keep_alive),
        _ => false,
    })
}

fn is_keep_alive(option: &[u8]) -> bool {
    option.eq_ignore_ascii_case(b"keep-alive")
}

/// Writes a section without what says that the connection is kept: beside `close` it would be a contradiction (RFC 9112
/// §9.3). Other options stay, whatever they name.
#[cold]
fn write_without_keep<'a>(out: &mut Vec<u8>, lines: impl Iterator<Item = (Known, &'a [u8], &'a [u8])>) {
    for (known, name, value) in lines {
        match known {
            Known::KeepAlive => continue,
            Known::Connection if token::tokens(value).any(is_keep_alive) => {
                let mut others = token::tokens(value).filter(|option| !is_keep_alive(option)).peekable();
                if others.peek().is_none() {
                    continue;
                }
                out.extend_from_slice(name);
                let mut separator = &b": "[..];
                for option in others {
                    out.extend_from_slice(separator);
                    out.extend_from_slice(option);
                    separator = b", ";
                }
            }
            _ => {
                field::write(out, name, value);
                continue;
            }
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// The field that says how the content is delimited, where the caller has not pushed it.
#[inline(always)]
fn write_framing(out: &mut Vec<u8>, framing: SendFraming, facts: &Facts) {
    match framing {
        SendFraming::Length(length) if facts.length == Length::Absent => {
            write_line(out, b"Content-Length: ", token::write_decimal(length, &mut [0; 20]));
        }
        SendFraming::Chunked if facts.coding == Coding::Absent => {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
        }
        _ => {}
    }
}

#[cold]
fn write_options(out: &mut Vec<u8>, options: [(bool, &[u8]); 3]) {
    let mut separator = &b"Connection: "[..];
    for (_, option) in options.into_iter().filter(|(needed, _)| *needed) {
        out.extend_from_slice(separator);
        out.extend_from_slice(option);
        separator = b", ";
    }
    out.extend_from_slice(b"\r\n");
}

/// The name's length is part of its type, so that it is copied by a few moves and not by a call.
#[inline]
fn write_line<const N: usize>(out: &mut Vec<u8>, name: &[u8; N], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
