//! What of a response is surplus that does no harm: left out, so that what the application did is still told.

use alloc::vec::Vec;

use crate::message::content::Content;
use crate::message::facts::{Coding, LONGEST, Length};
use crate::message::field::Fields;
use crate::message::head::ResponseHead;
use crate::message::misuse::Misuse;
use crate::message::status::StatusCode;
use crate::message::token::{self, Known};
use crate::message::trailers::may_be_trailer;
use crate::write::generate::Outline;

impl Outline {
    /// Whether the answer with this status goes out without content, whatever its fields and its body say: an answer to
    /// `HEAD`, 1xx, 204, 205, 304, and 2xx to `CONNECT` (RFC 9110 §6.4.1, §15.3.6). Its body need not be run.
    ///
    /// ```
    /// use http_core::{Outline, StatusCode};
    /// let outline = Outline::default();
    /// assert!(outline.omits_content(StatusCode::NO_CONTENT) && !outline.omits_content(StatusCode::OK));
    /// ```
    #[must_use]
    pub const fn omits_content(&self, status: StatusCode) -> bool {
        self.head || status.forbids_content() || status.as_u16() == 205 || self.connect && status.is_success()
    }
}

/// Leaves out of a response what [`make_header_response`](crate::make_header_response) refuses though it does no harm,
/// or says nothing that is true; false if nothing of it is. What contradicts itself in what counts stays, and is
/// refused.
///
/// | what is there | what becomes of it | section |
/// |---|---|---|
/// | either framing field, or content, in 1xx, 204, 2xx to `CONNECT` | left out | RFC 9110 §8.6, §9.3.6, RFC 9112 §6.1 |
/// | the same in 205 | left out; `Content-Length: 0` is sent | RFC 9110 §15.3.6 |
/// | content in 304 | left out | RFC 9110 §15.4.5 |
/// | `Content-Length: 0` in 304 | left out: frameworks count the content that is not there | RFC 9110 §8.6, §15.4.5 |
/// | another length in 304, any in an answer to `HEAD` | stays: it describes the 200 to `GET` | RFC 9110 §8.6 |
/// | `Transfer-Encoding` in 304, or in an answer to `HEAD` | left out | RFC 9112 §6.1 |
/// | `Transfer-Encoding: chunked`, once or more, where it does not fit: content of a known length, an HTTP/1.0 client | left out; the engine frames what there is | RFC 9112 §6.1 |
/// | `Content-Length` beside `Transfer-Encoding` | left out | RFC 9112 §6.2, §6.3 |
/// | `identity` among the codings | left out, as it stands for no coding | RFC 9112 §7 |
/// | codings before chunked, or without it: `gzip` | chunked comes last, once, and the content goes in chunks: to leave `gzip` out would make other content of it | RFC 9112 §6.1 |
/// | the same to an HTTP/1.0 client; something behind chunked; what is no list of codings | stays, and is refused | RFC 9112 §6.1 |
/// | one and the same `Content-Length` more than once | once | RFC 9110 §8.6 |
/// | a `Content-Length` that is no number | left out | RFC 9110 §8.6 |
/// | lengths that differ from each other, or from content of a known length | stay, and are refused: one of them may tell of content that is missing | RFC 9110 §8.6 |
/// | an interim status; 101 that was not offered, or names no protocol | stays, and is refused | RFC 9110 §15.2, §15.2.2 |
///
/// ```
/// use http_core::{Content, Outline, ResponseHead, StatusCode, make_header_response, mend_response};
/// let mut head = ResponseHead::new(StatusCode::NO_CONTENT).with("Content-Length", "0")?;
/// let (mut content, outline, mut out) = (Content::Streaming, Outline::default(), Vec::new());
/// assert!(make_header_response(&head, &content, &outline, &mut out).is_err());
/// assert!(mend_response(&mut head, &mut content, &outline));
/// make_header_response(&head, &content, &outline, &mut out)?;
/// assert_eq!(out, b"HTTP/1.1 204 No Content\r\n\r\n");
/// # Ok::<(), http_core::Misuse>(())
/// ```
#[cold]
pub fn mend_response(head: &mut ResponseHead, content: &mut Content, outline: &Outline) -> bool {
    let status = head.status();
    let length = content.length();
    let before = head.fields().len();
    if !outline.omits_content(status) {
        return mend_framing(head, content);
    }
    let describes = status.as_u16() == 304 || !status.forbids_content() && status.as_u16() != 205;
    if !describes || outline.connect && status.is_success() {
        remove_framing(head.fields_mut());
        *content = Content::Empty;
    } else {
        mend_description(head, content);
        if status.as_u16() == 304 {
            if head.facts().length == Length::Of(0) {
                remove(head.fields_mut(), Known::ContentLength);
            }
            *content = Content::Empty;
        }
    }
    head.fields().len() != before || content.length() != length
}

impl ResponseHead {
    /// Has a 101 that names no protocol name `offered`, the [only one](crate::RequestHead::only_protocol) that its
    /// request offers: it can mean no other, and may not go without (RFC 9110 §7.8, §15.2.2). Any other head, and where
    /// nothing or more than one is offered, stays as it is.
    ///
    /// ```
    /// use http_core::{Method, RequestHead, ResponseHead, StatusCode};
    /// let request = RequestHead::new(Method::Get, "/")?.with("Connection", "upgrade")?.with("Upgrade", "websocket")?;
    /// let mut head = ResponseHead::new(StatusCode::SWITCHING_PROTOCOLS);
    /// head.name_protocol(request.only_protocol())?;
    /// assert_eq!(head.fields().get("upgrade"), Some(&b"websocket"[..]));
    /// # Ok::<(), http_core::Misuse>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Fields::push`]; none for a protocol that was read.
    pub fn name_protocol(&mut self, offered: Option<&[u8]>) -> Result<(), Misuse> {
        match offered {
            Some(protocol)
                if self.status() == StatusCode::SWITCHING_PROTOCOLS && !self.fields().contains("Upgrade") =>
            {
                self.fields_mut().push("Upgrade", protocol)
            }
            _ => Ok(()),
        }
    }
}

impl Fields {
    /// Leaves only what may stand in a trailer section: not what frames, routes or authenticates a message (RFC 9110
    /// §6.5.1). What is left out was no part of the content.
    ///
    /// ```
    /// use http_core::Fields;
    /// let mut trailers = Fields::new();
    /// trailers.push("Content-Length", "3")?;
    /// trailers.push("Digest", "none")?;
    /// trailers.keep_trailers();
    /// assert_eq!(trailers.as_wire(), b"Digest: none\r\n");
    /// # Ok::<(), http_core::Misuse>(())
    /// ```
    pub fn keep_trailers(&mut self) {
        self.retain(|name, _| may_be_trailer(name));
    }
}

/// The fields of an answer without content may tell how the content would be framed that `GET` is answered with.
fn mend_description(head: &mut ResponseHead, content: &mut Content) {
    let facts = head.facts();
    if facts.coding != Coding::Absent {
        if other_codings(head.fields()).is_none_or(|others| !others.is_empty()) {
            // Its length in that coding nobody knows.
            *content = Content::Streaming;
        }
        remove_framing(head.fields_mut());
    } else if !matches!(facts.length, Length::Absent | Length::Of(_)) && !mend_length(head.fields_mut()) {
        remove(head.fields_mut(), Known::ContentLength);
    }
}

/// The same for an answer whose content is sent.
fn mend_framing(head: &mut ResponseHead, content: &mut Content) -> bool {
    let facts = head.facts();
    if facts.coding == Coding::Absent {
        return match facts.length {
            Length::Absent | Length::Of(_) => false,
            _ => mend_length(head.fields_mut()),
        };
    }
    let Some(mut codings) = other_codings(head.fields()) else { return false };
    // The fields' own order and number tell whether anything is left to mend.
    let fits = facts.coding == Coding::UnknownThenChunked && *content == Content::Streaming;
    if fits && facts.length == Length::Absent {
        return false;
    }
    remove_framing(head.fields_mut());
    if !codings.is_empty() {
        codings.extend_from_slice(b"chunked");
        *content = Content::Streaming;
        // It is made of tokens.
        let _ = head.fields_mut().push("Transfer-Encoding", codings);
    }
    true
}

/// The codings that are named beside chunked, as the front of a list; nothing if chunked stands before one of them, or
/// a member is no name. Identity is none: it changes nothing, and recipients do not know it any more (RFC 9112 §7).
fn other_codings(fields: &Fields) -> Option<Vec<u8>> {
    let (mut others, mut chunked) = (Vec::new(), false);
    for coding in fields.known(Known::TransferEncoding).flat_map(token::tokens) {
        if coding.eq_ignore_ascii_case(b"chunked") {
            chunked = true;
        } else if coding.eq_ignore_ascii_case(b"identity") {
            continue;
        } else if chunked || !token::is_token(coding) {
            return None;
        } else {
            others.extend_from_slice(coding);
            others.extend_from_slice(b", ");
        }
    }
    Some(others)
}

/// Leaves one length where all that are numbers agree, and none where none is.
fn mend_length(fields: &mut Fields) -> bool {
    let mut said = None;
    for member in fields.known(Known::ContentLength).flat_map(token::tokens) {
        if !member.iter().all(u8::is_ascii_digit) {
            continue;
        }
        match token::decimal(member).filter(|&length| length <= LONGEST) {
            Some(length) if said.is_none_or(|said| said == length) => said = Some(length),
            _ => return false,
        }
    }
    remove(fields, Known::ContentLength);
    if let Some(length) = said {
        // Digits.
        let _ = fields.push("Content-Length", token::write_decimal(length, &mut [0; 20]));
    }
    true
}

fn remove_framing(fields: &mut Fields) {
    fields.retain(|_, known| !matches!(known, Known::ContentLength | Known::TransferEncoding));
}

fn remove(fields: &mut Fields, which: Known) {
    fields.retain(|_, known| known != which);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::version::Version;
    use crate::write::generate::make_header_response;

    const CL: &str = "Content-Length";
    const TE: &str = "Transfer-Encoding";

    /// What the head says of framing once it was mended, or how it is refused.
    fn mended(
        status: u16,
        fields: &[(&str, &str)],
        content: Content,
        outline: &Outline,
    ) -> Result<Vec<u8>, &'static str> {
        let mut head = ResponseHead::new(StatusCode::new(status).unwrap());
        fields.iter().for_each(|(name, value)| head.fields_mut().push(name, value).unwrap());
        let mut content = content;
        let changed = mend_response(&mut head, &mut content, outline);
        let again = mend_response(&mut head.clone(), &mut content.clone(), outline);
        assert!(!(changed && again), "{status} {fields:?}: once is enough");
        let mut out = Vec::new();
        make_header_response(&head, &content, outline, &mut out).map_err(|_| "refused")?;
        let at = out.windows(2).position(|w| w == b"\r\n").unwrap();
        Ok(out[at + 2..out.len() - 2].to_vec())
    }

    #[test]
    fn surplus_is_left_out_and_contradictions_are_refused() {
        let plain = Outline::default();
        let head = Outline { head: true, ..Outline::default() };
        let connect = Outline { connect: true, ..Outline::default() };
        let old = Outline { peer: Version::Http10, persistent: false, ..Outline::default() };
        let full = || Content::Full("abc".into());
        let closing = "Connection: close\r\n";
        for (section, status, fields, content, outline, expected) in [
            ("RFC 9110 §8.6", 204, &[(CL, "0")][..], Content::Empty, &plain, Ok("")),
            ("RFC 9110 §8.6", 204, &[(CL, "0")], Content::Streaming, &plain, Ok("")),
            ("RFC 9112 §6.1", 204, &[(TE, "chunked"), (CL, "x")], full(), &plain, Ok("")),
            ("RFC 9110 §9.3.6", 200, &[(CL, "3")], full(), &connect, Ok("")),
            ("RFC 9110 §9.3.6", 299, &[(TE, "gzip, chunked")], Content::Streaming, &connect, Ok("")),
            ("RFC 9110 §9.3.6", 407, &[(TE, "chunked")], full(), &connect, Ok("Content-Length: 3\r\n")),
            ("RFC 9110 §15.3.6", 205, &[], Content::Streaming, &plain, Ok("Content-Length: 0\r\n")),
            ("RFC 9110 §15.3.6", 205, &[(CL, "3")], full(), &plain, Ok("Content-Length: 0\r\n")),
            ("RFC 9110 §15.3.6", 205, &[(TE, "chunked")], Content::Streaming, &plain, Ok("Content-Length: 0\r\n")),
            ("RFC 9110 §15.3.6", 205, &[(TE, "chunked")], Content::Streaming, &head, Ok("")),
            ("RFC 9110 §15.4.5", 304, &[(CL, "0")], Content::Empty, &plain, Ok("")),
            ("RFC 9110 §15.4.5", 304, &[(CL, "00")], full(), &head, Ok("")),
            ("RFC 9110 §15.4.5", 304, &[(CL, "7")], Content::Streaming, &plain, Ok("Content-Length: 7\r\n")),
            ("RFC 9110 §15.4.5", 304, &[(CL, "7"), (CL, "7")], Content::Empty, &plain, Ok("Content-Length: 7\r\n")),
            ("RFC 9110 §15.4.5", 304, &[(CL, "7"), (CL, "8")], Content::Empty, &plain, Ok("")),
            ("RFC 9112 §6.1", 304, &[(TE, "gzip, chunked"), (CL, "7")], Content::Streaming, &plain, Ok("")),
            ("RFC 9110 §8.6", 200, &[(CL, "0")], Content::Empty, &head, Ok("Content-Length: 0\r\n")),
            ("RFC 9110 §8.6", 200, &[(CL, "9")], Content::Empty, &head, Ok("Content-Length: 9\r\n")),
            ("RFC 9110 §8.6", 200, &[(CL, "9, 9")], Content::Empty, &head, Ok("Content-Length: 9\r\n")),
            ("RFC 9110 §8.6", 200, &[(CL, "9"), (CL, "8")], Content::Streaming, &head, Ok("")),
            ("RFC 9112 §6.1", 200, &[(TE, "chunked")], full(), &head, Ok("Content-Length: 3\r\n")),
            ("RFC 9112 §6.1", 200, &[(TE, "gzip, chunked")], full(), &head, Ok("")),
            ("RFC 9112 §6.1", 200, &[(TE, "chunked")], full(), &plain, Ok("Content-Length: 3\r\n")),
            ("RFC 9112 §6.1", 200, &[(TE, "chunked")], Content::Empty, &plain, Ok("Content-Length: 0\r\n")),
            ("RFC 9112 §6.1", 200, &[(TE, "chunked")], full(), &old, Ok("Content-Length: 3\r\nConnection: close\r\n")),
            ("RFC 9112 §6.1", 200, &[(TE, "chunked")], Content::Streaming, &old, Ok(closing)),
            (
                "RFC 9112 §6.1",
                200,
                &[(TE, "chunked"), (TE, "Chunked")],
                Content::Streaming,
                &plain,
                Ok("Transfer-Encoding: chunked\r\n"),
            ),
            ("RFC 9112 §6.1", 200, &[(TE, "chunked, chunked")], full(), &plain, Ok("Content-Length: 3\r\n")),
            ("RFC 9112 §6.1", 200, &[(TE, "")], full(), &plain, Ok("Content-Length: 3\r\n")),
            (
                "RFC 9112 §6.3",
                200,
                &[(TE, "chunked"), (CL, "5")],
                Content::Streaming,
                &plain,
                Ok("Transfer-Encoding: chunked\r\n"),
            ),
            ("RFC 9112 §6.3", 200, &[(TE, "chunked"), (CL, "5")], full(), &plain, Ok("Content-Length: 3\r\n")),
            (
                "RFC 9112 §6.1",
                200,
                &[(TE, "gzip, chunked")],
                full(),
                &plain,
                Ok("Transfer-Encoding: gzip, chunked\r\n"),
            ),
            (
                "RFC 9112 §6.1",
                200,
                &[(TE, "gzip"), (CL, "3")],
                Content::Streaming,
                &plain,
                Ok("Transfer-Encoding: gzip, chunked\r\n"),
            ),
            (
                "RFC 9112 §6.1",
                200,
                &[(TE, "gzip, chunked"), (TE, "chunked")],
                full(),
                &plain,
                Ok("Transfer-Encoding: gzip, chunked\r\n"),
            ),
            (
                "RFC 9112 §6.1",
                200,
                &[(TE, "gzip, chunked")],
                Content::Streaming,
                &plain,
                Ok("Transfer-Encoding: gzip, chunked\r\n"),
            ),
            ("RFC 9112 §7", 200, &[(TE, "identity")], full(), &plain, Ok("Content-Length: 3\r\n")),
            ("RFC 9112 §7", 200, &[(TE, "Identity")], full(), &head, Ok("Content-Length: 3\r\n")),
            ("RFC 9112 §7", 200, &[(TE, "identity")], Content::Streaming, &old, Ok(closing)),
            (
                "RFC 9112 §7",
                200,
                &[(TE, "chunked, identity")],
                Content::Streaming,
                &plain,
                Ok("Transfer-Encoding: chunked\r\n"),
            ),
            ("RFC 9112 §7", 200, &[(TE, "identity, gzip")], full(), &plain, Ok("Transfer-Encoding: gzip, chunked\r\n")),
            ("RFC 9112 §6.1", 200, &[(TE, "gzip, chunked")], Content::Streaming, &old, Err("refused")),
            ("RFC 9112 §6.1", 200, &[(TE, "chunked, gzip")], full(), &plain, Err("refused")),
            ("RFC 9112 §7", 200, &[(TE, "chunked;q=1")], full(), &plain, Err("refused")),
            ("RFC 9110 §8.6", 200, &[(CL, "3"), (CL, "3")], full(), &plain, Ok("Content-Length: 3\r\n")),
            ("RFC 9110 §8.6", 200, &[(CL, "3, 03")], Content::Streaming, &plain, Ok("Content-Length: 3\r\n")),
            ("RFC 9110 §8.6", 200, &[(CL, "3"), (CL, "x")], Content::Streaming, &plain, Ok("Content-Length: 3\r\n")),
            ("RFC 9110 §8.6", 200, &[(CL, "x")], full(), &plain, Ok("Content-Length: 3\r\n")),
            ("RFC 9110 §8.6", 200, &[(CL, "-1")], Content::Streaming, &plain, Ok("Transfer-Encoding: chunked\r\n")),
            ("RFC 9110 §8.6", 200, &[(CL, "")], full(), &plain, Ok("Content-Length: 3\r\n")),
            ("RFC 9110 §8.6", 200, &[(CL, "4")], full(), &plain, Err("refused")),
            ("RFC 9110 §8.6", 200, &[(CL, "4"), (CL, "4")], full(), &plain, Err("refused")),
            ("RFC 9110 §8.6", 200, &[(CL, "3"), (CL, "4")], full(), &plain, Err("refused")),
            ("RFC 9110 §8.6", 200, &[(CL, "9223372036854775808")], Content::Streaming, &plain, Err("refused")),
            ("RFC 9110 §8.6", 200, &[(CL, "99999999999999999999")], Content::Streaming, &plain, Err("refused")),
            ("RFC 9110 §15.2", 103, &[(CL, "0")], Content::Empty, &plain, Err("refused")),
            ("RFC 9110 §15.2.2", 101, &[("Upgrade", "x")], Content::Empty, &plain, Err("refused")),
        ] {
            let told = mended(status, fields, content, outline);
            let told = told.as_deref().map(|bytes| core::str::from_utf8(bytes).unwrap());
            assert_eq!(told.map_err(|why| *why), expected, "{section}: {status} {fields:?}");
        }
        let offered = Outline { upgrade_offered: true, ..Outline::default() };
        let told = mended(101, &[("Upgrade", "x"), (CL, "0")], Content::Streaming, &offered);
        assert_eq!(told.as_deref(), Ok(&b"Upgrade: x\r\nConnection: upgrade\r\n"[..]));
    }

    #[test]
    fn a_101_names_the_only_protocol_that_is_offered() {
        for (section, status, fields, offered, expected) in [
            ("RFC 9110 §15.2.2", 101, &[][..], Some("a/1"), "Upgrade: a/1\r\n"),
            ("RFC 9110 §7.8", 101, &[("X", "1")], Some("a"), "X: 1\r\nUpgrade: a\r\n"),
            ("RFC 9110 §7.8", 101, &[("upgrade", "b")], Some("a"), "upgrade: b\r\n"),
            ("RFC 9110 §7.8", 101, &[], None, ""),
            ("RFC 9110 §7.8", 200, &[], Some("a"), ""),
            // It names what the client should offer, which the application knows alone.
            ("RFC 9110 §15.5.22", 426, &[], Some("a"), ""),
        ] {
            let mut head = ResponseHead::new(StatusCode::new(status).unwrap());
            fields.iter().for_each(|(name, value)| head.fields_mut().push(name, value).unwrap());
            head.name_protocol(offered.map(str::as_bytes)).unwrap();
            let told = core::str::from_utf8(head.fields().as_wire()).unwrap();
            assert_eq!(told, expected, "{section}: {status} {fields:?}");
            let before = head.clone();
            head.name_protocol(offered.map(str::as_bytes)).unwrap();
            assert_eq!(head, before, "{section}: once is enough");
        }
        let mut head = ResponseHead::new(StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(head.name_protocol(Some(b"a\r\nb")), Err(Misuse::FieldValue));
    }

    #[test]
    fn what_is_as_it_may_be_is_not_touched() {
        for (status, fields, content) in [
            (200, &[(CL, "3")][..], Content::Full("abc".into())),
            (200, &[(TE, "gzip, chunked")], Content::Streaming),
            (200, &[("X", "1")], Content::Empty),
            (204, &[("X", "1")], Content::Empty),
            (304, &[(CL, "5")], Content::Empty),
        ] {
            let mut head = ResponseHead::new(StatusCode::new(status).unwrap());
            fields.iter().for_each(|(name, value)| head.fields_mut().push(name, value).unwrap());
            let (before, mut after) = (head.clone(), content.clone());
            assert!(!mend_response(&mut head, &mut after, &Outline::default()), "{status} {fields:?}");
            assert_eq!((head, after), (before, content), "{status}");
        }
    }
}
