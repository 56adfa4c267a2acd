//! The field names that most heads are made of, and that are of fields which hold no secret.

use crate::message::token;

/// The most bytes that a common name has.
pub(crate) const LONGEST: usize = 31;

const SLOTS: usize = 512;

/// What a field name is among the common ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Common(u8);

/// Those of fields that hold no secret.
const PUBLIC: &[&str] = &[
    "connection",
    "content-length",
    "date",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "access-control-allow-origin",
    "access-control-request-headers",
    "access-control-request-method",
    "age",
    "allow",
    "alt-svc",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-location",
    "content-range",
    "content-security-policy",
    "content-type",
    "dnt",
    "etag",
    "expires",
    "forwarded",
    "from",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "origin",
    "pragma",
    "priority",
    "proxy-authenticate",
    "proxy-connection",
    "range",
    "referer",
    "referrer-policy",
    "retry-after",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-gpc",
    "sec-websocket-accept",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "server",
    "strict-transport-security",
    "traceparent",
    "tracestate",
    "upgrade-insecure-requests",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
    "x-content-type-options",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-frame-options",
    "x-real-ip",
    "x-request-id",
    "x-requested-with",
];

impl Common {
    /// Not looked for yet.
    pub(crate) const UNSEEN: Self = Self(u8::MAX);

    /// A name that is not common, or of a field that may hold a secret.
    pub(crate) const NONE: Self = Self(u8::MAX - 1);

    /// Looks for a token, letters in any case.
    pub(crate) fn of(name: &[u8]) -> Self {
        let [first, .., last] = name else { return Self::NONE };
        let found = Self(IN_SLOT[slot(name.len(), *first, name[name.len().saturating_sub(3)], *last)]);
        match PUBLIC.get(usize::from(found.0)) {
            Some(public) if token::spelled(name, public.as_bytes()) => found,
            _ => Self::NONE,
        }
    }

    /// Whether it is one.
    #[inline]
    pub(crate) const fn is_some(self) -> bool {
        self.0 < Self::NONE.0
    }
}

/// The one name that may be meant: no two of them share a slot.
static IN_SLOT: [u8; SLOTS] = {
    let mut slots = [Common::NONE.0; SLOTS];
    let mut number = 0;
    while number < PUBLIC.len() {
        let name = PUBLIC[number].as_bytes();
        let slot = slot(name.len(), name[0], name[name.len().saturating_sub(3)], name[name.len() - 1]);
        assert!(slots[slot] == Common::NONE.0, "two names in one slot");
        assert!(name.len() <= LONGEST);
        slots[slot] = number as u8;
        number += 1;
    }
    slots
};

/// The factors were searched for.
#[inline(always)]
const fn slot(len: usize, first: u8, third_last: u8, last: u8) -> usize {
    let (first, third_last, last) = (first | 0x20, third_last | 0x20, last | 0x20);
    (43 * first as usize + 23 * third_last as usize + 4 * last as usize + 3 * len) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_common_in_any_case_and_nothing_else_is() {
        for (number, name) in PUBLIC.iter().enumerate() {
            for spelled in [name.to_ascii_lowercase(), name.to_ascii_uppercase()] {
                assert_eq!(Common::of(spelled.as_bytes()), Common(number as u8), "{name}");
            }
            for at in 0..name.len() {
                for byte in (0..=255).filter(|&byte| token::is_tchar(byte)) {
                    let mut other = name.as_bytes().to_vec();
                    other[at] = byte;
                    let same = other.eq_ignore_ascii_case(name.as_bytes());
                    assert_eq!(Common::of(&other) == Common(number as u8), same, "{}", other.escape_ascii());
                }
            }
        }
        for other in ["", "a", "x-api-key", "Transfer_Encoding", "hosts", "hos", "content-lengt\u{e8}"] {
            assert_eq!(Common::of(other.as_bytes()), Common::NONE, "{other}");
        }
        assert!(!Common::NONE.is_some() && !Common::UNSEEN.is_some() && Common(0).is_some());
    }

    #[test]
    fn no_common_name_is_of_a_secret() {
        for name in PUBLIC {
            assert!(!crate::message::field::is_secret(name), "{name}");
        }
        for secret in ["Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"] {
            assert_eq!(Common::of(secret.as_bytes()), Common::NONE, "{secret}");
        }
    }
}
