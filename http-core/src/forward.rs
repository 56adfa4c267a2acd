//! What a proxy takes out of a head before it sends it on: pure functions.

use alloc::vec::Vec;

use crate::field::Fields;
use crate::framing::{Coding, Facts, Framing, Length};
use crate::head::{RequestHead, ResponseHead};
use crate::target::Target;
use crate::token::{self, Known};
use crate::version::Version;

/// Fields that are for the next hop alone, whether or not `Connection` names them (RFC 9110 §7.6.1).
const HOP_BY_HOP: [&[u8]; 5] = [b"connection", b"proxy-connection", b"keep-alive", b"te", b"upgrade"];

/// Fields that are never for the next hop alone: a `Connection` that names them would have the next reader take the
/// message for another one, or for somebody else's.
const END_TO_END: [&[u8]; 2] = [b"host", b"content-length"];

impl Fields {
    /// The section without what is for the next hop alone (RFC 9110 §7.6.1): `Connection` and every field that it names,
    /// `Proxy-Connection`, `Keep-Alive`, `TE`, `Upgrade`, and `Transfer-Encoding` if chunked is its only coding, which the
    /// engine undoes and applies anew. Order, case and repetition of the rest are kept.
    ///
    /// `Host` and `Content-Length` stay even if `Connection` names them, but for a length that is repeated or stands beside a
    /// coding: the engine writes one anew. What a proxy adds is its own to push: `Via`
    /// (§7.6.3), which it must, perhaps `Forwarded`.
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
        kept.keep_end_to_end();
        kept
    }

    fn keep_end_to_end(&mut self) {
        let named: Vec<Vec<u8>> =
            self.known(Known::Connection).flat_map(token::tokens).map(<[u8]>::to_ascii_lowercase).collect();
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
}

impl RequestHead {
    /// The head as a proxy sends it on: method, raw target and [end-to-end fields](Fields::end_to_end) as they were, in
    /// HTTP/1.1, whatever version it came in (RFC 9110 §6.2).
    ///
    /// A `Host` that the authority of the target overrides is replaced by that (RFC 9112 §3.2.2). The content is
    /// framed anew when the head is sent, by what is then said of it: [`Content::Sized`](crate::Content::Sized) for a
    /// [`Framing::Length`], [`Content::Streaming`](crate::Content::Streaming) for [`Framing::Chunked`]; fields that would
    /// contradict that are a [`Misuse::Framing`](crate::Misuse::Framing), so nothing can be smuggled through.
    ///
    /// ```
    /// use http_core::{Method, RequestHead};
    /// let head = RequestHead::new(Method::Get, "http://example.com/%7Ea?b")?
    ///     .with("Host", "elsewhere")?
    ///     .with("Proxy-Connection", "keep-alive")?
    ///     .with("X", "1")?
    ///     .with("x", "2")?;
    /// let onward = head.forwarded();
    /// assert_eq!(onward.as_wire(), b"GET http://example.com/%7Ea?b HTTP/1.1\r\nX: 1\r\nx: 2\r\nHost: example.com\r\n");
    /// # Ok::<(), http_core::Misuse>(())
    /// ```
    #[must_use]
    pub fn forwarded(&self) -> Self {
        let mut head = self.clone().with_version(Version::Http11);
        head.framing = Framing::None;
        head.fields.keep_end_to_end();
        if let Some(authority) = self.target_form().and_then(Target::authority) {
            if head.fields.get("host").is_none_or(|host| !host.eq_ignore_ascii_case(authority)) {
                head.fields.remove("host");
                // It was checked to be an authority, so it is a field value.
                let _ = head.fields.push("Host", authority);
            }
        }
        head
    }
}

impl ResponseHead {
    /// The head as a proxy sends it on: status, reason phrase and [end-to-end fields](Fields::end_to_end) as they were, in
    /// HTTP/1.1, whatever version it came in (RFC 9110 §6.2). The content is framed anew when the head is sent, as for
    /// [a request](RequestHead::forwarded); content until close is sent on as
    /// [`Content::Streaming`](crate::Content::Streaming).
    ///
    /// ```
    /// use http_core::{ResponseHead, StatusCode};
    /// let head = ResponseHead::new(StatusCode::OK).with("Keep-Alive", "timeout=5")?.with("ETag", "\"a\"")?;
    /// assert_eq!(head.forwarded().as_wire(), b"HTTP/1.1 200 OK\r\nETag: \"a\"\r\n");
    /// # Ok::<(), http_core::Misuse>(())
    /// ```
    #[must_use]
    pub fn forwarded(&self) -> Self {
        let mut head = self.clone();
        // "HTTP/1.x" begins the block.
        if let Some(minor) = head.fields.block.get_mut(7) {
            *minor = b'1';
        }
        (head.version, head.minor, head.framing) = (Version::Http11, 1, Framing::None);
        head.fields.keep_end_to_end();
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
            (
                "RFC 9110 §7.6.1",
                &[("Upgrade", "h2c"), ("Connection", "Upgrade"), ("HTTP2-Settings", "x")],
                "HTTP2-Settings: x\r\n",
            ),
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
