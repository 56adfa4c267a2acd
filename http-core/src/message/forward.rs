//! What a proxy takes out of a head before it sends it on: pure functions.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use crate::message::facts::{Coding, Facts, Framing, Length, RequestKind};
use crate::message::field::Fields;
use crate::message::head::{RequestHead, ResponseHead};
use crate::message::method::Method;
use crate::message::target::{Target, percent_encoded};
use crate::message::token::{self, Known};
use crate::message::version::Version;

/// Fields that are for the next hop alone, whether or not `Connection` names them (RFC 9110 §7.6.1), `HTTP2-Settings`
/// by RFC 7540 §3.2.1; and credentials, which the first proxy that asked for some consumes (RFC 9110 §11.7.2).
const HOP_BY_HOP: [&[u8]; 7] =
    [b"connection", b"proxy-connection", b"keep-alive", b"te", b"upgrade", b"http2-settings", b"proxy-authorization"];

/// Fields that are never for the next hop alone: they route or frame the message, or say what its content is and how
/// long it holds. A `Connection` that names one breaks RFC 9110 §7.6.1, and would have the next reader take the
/// message for another one, or for somebody else's.
const END_TO_END: [&[u8]; 9] = [
    b"host",
    b"via",
    b"max-forwards",
    b"content-length",
    b"content-type",
    b"content-encoding",
    b"content-range",
    b"date",
    b"cache-control",
];

impl Fields {
    /// The section without what is for the next hop alone (RFC 9110 §7.6.1): `Connection` and every field that it
    /// names, `Proxy-Connection`, `Keep-Alive`, `TE`, `Upgrade`, `HTTP2-Settings`, `Proxy-Authorization`, and
    /// `Transfer-Encoding` if chunked is its only coding, which the engine undoes and applies anew. Order, case and
    /// repetition of the rest are kept.
    ///
    /// What routes or frames the message stays even if `Connection` names it, and so does what tells of its content,
    /// for it is meant for every recipient: `Host`, `Via`, `Max-Forwards`, `Content-Length`, `Content-Type`,
    /// `Content-Encoding`, `Content-Range`, `Date`, `Cache-Control`. A length that is repeated or stands beside a
    /// coding does not: the engine writes one anew. `Trailer`, and `Proxy-Authenticate` in a response, go on (§6.6.2,
    /// §11.7.1).
    ///
    /// What a proxy adds is its own to push, to what this returns, so that no peer can have it removed: `Via`
    /// (§7.6.3), which it must, perhaps `Forwarded`, `Proxy-Authorization` for a proxy that it shares its users with.
    ///
    /// ```
    /// use http_core::Fields;
    /// let mut fields = Fields::new();
    /// fields.push("Connection", "close, X-Trace")?;
    /// fields.push("x-trace", "7")?;
    /// fields.push("accept", "text/html")?;
    /// fields.push("Accept", "*/*")?;
    /// assert_eq!(fields.end_to_end().as_wire(), b"accept: text/html\r\nAccept: */*\r\n");
    /// # Ok::<(), http_core::Misuse>(())
    /// ```
    #[must_use]
    pub fn end_to_end(&self) -> Self {
        let mut kept = self.clone();
        kept.keep_end_to_end(&self.named());
        kept
    }

    /// The same of a trailer section: without what the `Connection` of its message's `header` names (RFC 9110 §7.6.1).
    ///
    /// ```
    /// use http_core::Fields;
    /// let (mut header, mut trailers) = (Fields::new(), Fields::new());
    /// header.push("Connection", "X-Trace")?;
    /// trailers.push("X-Trace", "7")?;
    /// trailers.push("Digest", "a")?;
    /// assert_eq!(trailers.end_to_end_trailers(&header).as_wire(), b"Digest: a\r\n");
    /// # Ok::<(), http_core::Misuse>(())
    /// ```
    #[must_use]
    pub fn end_to_end_trailers(&self, header: &Self) -> Self {
        let mut kept = self.clone();
        kept.keep_end_to_end(&header.named());
        kept
    }

    /// What `Connection` names.
    fn named(&self) -> Vec<Vec<u8>> {
        self.known(Known::Connection).flat_map(token::tokens).map(<[u8]>::to_vec).collect()
    }

    fn keep_end_to_end(&mut self, named: &[Vec<u8>]) {
        let facts = Facts::of(self);
        let chunked = facts.coding == Coding::Chunked;
        // RFC 9112 §6.3: a length beside a coding, or a repeated one, that a leniency let pass goes no further.
        let certain = facts.coding == Coding::Absent && !matches!(facts.length, Length::Repeated(_));
        self.retain(|name, known| {
            let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
            if known == Known::TransferEncoding {
                // Another coding is not undone, so the next reader has to know of it.
                return !chunked;
            }
            if known == Known::ContentLength && !certain {
                return false;
            }
            if END_TO_END.into_iter().any(is) {
                return true;
            }
            !HOP_BY_HOP.into_iter().any(is) && !named.iter().any(|other| is(other))
        });
    }

    fn remove_known(&mut self, what: Known) {
        self.retain(|_, known| known != what);
    }
}

impl RequestHead {
    /// The head as a proxy sends it on: method, target and [end-to-end fields](Fields::end_to_end) as they were, in
    /// HTTP/1.1, whatever version it came in (RFC 9110 §6.2). Whatever head was read, the engine sends what this
    /// returns, but for a target without a form that
    /// [`Leniency::allow_lax_target`](crate::Leniency::allow_lax_target) let pass.
    ///
    /// * Octets of the target that RFC 3986 does not allow are [percent-encoded](crate::percent_encoded), so that what
    ///   goes out is read alike by everybody behind; others are as they were, also where they are percent-encoded.
    /// * A `Host` that the authority of the target overrides is replaced by that (RFC 9112 §3.2.2). Where there is
    ///   neither, as in HTTP/1.0, it is there and empty (§3.2); a proxy that knows the origin sets it.
    /// * `Expect` stays only where the sender waits for 100 (Continue): not in HTTP/1.0, nor without content (RFC 9110
    ///   §10.1.1).
    /// * The content is framed anew when the head is sent, by what is then said of it:
    ///   [`Content::Sized`](crate::Content::Sized) for a [`Framing::Length`],
    ///   [`Content::Streaming`](crate::Content::Streaming) for [`Framing::Chunked`]; fields that would contradict that
    ///   are a [`Misuse::Framing`](crate::Misuse::Framing), so nothing can be smuggled through. `TRACE` is sent with
    ///   [`Content::Empty`](crate::Content::Empty) whatever came with it (RFC 9110 §9.3.8).
    ///
    /// ```
    /// use http_core::{Method, RequestHead};
    /// let head = RequestHead::new(Method::Get, "http://example.com/%7Ea?b")?
    ///     .with("Host", "elsewhere")?
    ///     .with("Proxy-Connection", "keep-alive")?
    ///     .with("X", "1")?
    ///     .with("x", "2")?;
    /// let onward = head.forwarded();
    /// assert_eq!(
    ///     onward.as_wire(),
    ///     b"GET http://example.com/%7Ea?b HTTP/1.1\r\nX: 1\r\nx: 2\r\nHost: example.com\r\n",
    /// );
    /// # Ok::<(), http_core::Misuse>(())
    /// ```
    #[must_use]
    pub fn forwarded(&self) -> Self {
        let mut head = self.with_rfc3986_target().unwrap_or_else(|| self.clone()).with_version(Version::Http11);
        head.framing = Framing::None;
        head.fields.keep_end_to_end(&self.fields.named());
        let trace = self.method() == Method::Trace;
        if trace {
            head.fields.remove_known(Known::ContentLength);
        }
        if trace || !self.expects_continue() {
            head.fields.remove_known(Known::Expect);
        }
        let host = head.fields.get("host");
        let authority = match self.target_form().and_then(Target::authority) {
            Some(authority) => (!host.is_some_and(|host| host.eq_ignore_ascii_case(authority))).then_some(authority),
            None => host.is_none().then_some(&b""[..]),
        };
        if let Some(authority) = authority {
            head.fields.remove_known(Known::Host);
            // It was checked to be an authority, so it is a field value.
            let _ = head.fields.push("Host", authority);
        }
        head
    }

    /// The head with what RFC 3986 does not allow in its target percent-encoded; `None` if there is nothing of that.
    fn with_rfc3986_target(&self) -> Option<Self> {
        let (form, target) = (self.target_form()?, self.target());
        let after_authority = form.path().len() + form.query().map_or(0, |query| query.len() + 1);
        let (before, after) = target.split_at(target.len() - after_authority);
        let Cow::Owned(encoded) = percent_encoded(after) else { return None };
        // The rest was checked when the head was read.
        let mut head = Self::new(self.method(), [before, &encoded].concat()).ok()?;
        for (name, value) in self.fields.raw() {
            head.fields.push(name, value).ok()?;
        }
        Some(head)
    }
}

impl ResponseHead {
    /// The head as a proxy sends it on: status, reason phrase and [end-to-end fields](Fields::end_to_end) as they
    /// were, in HTTP/1.1, whatever version it came in (RFC 9110 §6.2).
    ///
    /// * What a response without content may not say of it is left out: lengths and codings of 1xx, 204 and 2xx to
    ///   `CONNECT` (RFC 9110 §8.6, RFC 9112 §6.1). 205 is sent with [`Content::Empty`](crate::Content::Empty) whatever
    ///   came with it (RFC 9110 §15.3.6).
    /// * The content is framed anew when the head is sent, as for [a request](RequestHead::forwarded); content until
    ///   close is sent on as [`Content::Streaming`](crate::Content::Streaming). A coding that the engine does not undo
    ///   is named, with chunked behind it (RFC 9112 §6.1).
    ///
    /// Some responses that can be read cannot be sent, and are a [`Misuse`](crate::Misuse): content in a coding with
    /// chunked below it, for chunked may not be applied twice, and any coding to an HTTP/1.0 client, which knows none
    /// (RFC 9112 §6.1); 101, unless the proxy pushes the `Upgrade` that it agreed to on both sides (RFC 9110 §7.8).
    ///
    /// ```
    /// use http_core::{ResponseHead, StatusCode};
    /// let head = ResponseHead::new(StatusCode::OK).with("Keep-Alive", "timeout=5")?.with("ETag", "\"a\"")?;
    /// assert_eq!(head.forwarded().as_wire(), b"HTTP/1.1 200 OK\r\nETag: \"a\"\r\n");
    /// let head = ResponseHead::new(StatusCode::NO_CONTENT).with("Content-Length", "0")?;
    /// assert_eq!(head.forwarded().as_wire(), b"HTTP/1.1 204 No Content\r\n");
    /// # Ok::<(), http_core::Misuse>(())
    /// ```
    #[must_use]
    pub fn forwarded(&self) -> Self {
        let mut head = self.clone();
        // "HTTP/1.x" begins the block.
        if let Some(minor) = head.fields.block.get_mut(7) {
            *minor = b'1';
        }
        (head.version, head.minor, head.framing, head.answers) = (Version::Http11, 1, Framing::None, None);
        head.fields.keep_end_to_end(&self.fields.named());
        let (status, coding) = (self.status.as_u16(), self.facts().coding);
        let tunnel = self.answers == Some(RequestKind::Connect) && self.status.is_success();
        let bare = self.status.is_informational() || matches!(status, 204 | 205) || tunnel;
        let read_without_content = self.answers.is_some() && self.framing == Framing::None;
        if bare {
            head.fields.remove_known(Known::ContentLength);
        }
        if bare || read_without_content || coding == Coding::Empty {
            head.fields.remove_known(Known::TransferEncoding);
        } else if coding == Coding::Unknown {
            // A second line is one more member of the list (RFC 9110 §5.3).
            let _ = head.fields.push("Transfer-Encoding", "chunked");
        }
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn onward(lines: &[(&str, &str)]) -> String {
        let mut fields = Fields::new();
        for (name, value) in lines {
            fields.push(name, value).unwrap();
        }
        String::from_utf8(fields.end_to_end().as_wire().to_vec()).unwrap()
    }

    #[test]
    fn what_is_for_the_next_hop_is_removed_and_nothing_else() {
        for (section, lines, expected) in [
            ("RFC 9110 §7.6.1", &[("Connection", "close"), ("A", "1")][..], "A: 1\r\n"),
            ("RFC 9110 §7.6.1", &[("X", "1"), ("connection", " ,x , Y"), ("y", "2"), ("Z", "3")], "Z: 3\r\n"),
            ("RFC 9110 §7.6.1", &[("Connection", "a"), ("CONNECTION", "b"), ("A", "1"), ("b", "2")], ""),
            ("RFC 9110 §7.6.1", &[("Keep-Alive", "timeout=5"), ("Proxy-Connection", "x"), ("TE", "trailers")], ""),
            ("RFC 9110 §7.6.1", &[("Upgrade", "h2c"), ("Connection", "Upgrade"), ("HTTP2-Settings", "x")], ""),
            ("RFC 9112 §6.1", &[("Transfer-Encoding", "chunked"), ("A", "1")], "A: 1\r\n"),
            ("RFC 9112 §6.1", &[("Transfer-Encoding", "gzip, chunked")], "Transfer-Encoding: gzip, chunked\r\n"),
            (
                "RFC 9112 §6.1",
                &[("Transfer-Encoding", "gzip"), ("Connection", "transfer-encoding")],
                "Transfer-Encoding: gzip\r\n",
            ),
            (
                "RFC 9110 §8.6",
                &[("Connection", "content-length, host"), ("Content-Length", "5"), ("Host", "a")],
                "Content-Length: 5\r\nHost: a\r\n",
            ),
            ("RFC 9112 §6.3", &[("Content-Length", "5"), ("Content-Length", "5"), ("A", "1")], "A: 1\r\n"),
            ("RFC 9112 §6.3", &[("Content-Length", "5, 5")], ""),
            ("RFC 9112 §6.3", &[("Content-Length", "5"), ("Transfer-Encoding", "chunked")], ""),
            ("RFC 9110 §5.3", &[("b", "2"), ("A", "1"), ("B", "3"), ("b", "2")], "b: 2\r\nA: 1\r\nB: 3\r\nb: 2\r\n"),
            (
                "RFC 9110 §6.6.2",
                &[("Trailer", "X"), ("Expect", "100-continue")],
                "Trailer: X\r\nExpect: 100-continue\r\n",
            ),
        ] {
            assert_eq!(onward(lines), expected, "{section}: {lines:?}");
        }
    }
}
