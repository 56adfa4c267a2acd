//! Which fields may stand in a trailer section.

use crate::message::field::Fields;

/// Fields for framing, routing, authentication, request modifiers and content handling, which have no business in a
/// trailer section (RFC 9110 §6.5.1). A received section with one of them is dropped, and none is sent.
const FORBIDDEN_IN_TRAILERS: [&str; 23] = [
    "Transfer-Encoding",
    "Content-Length",
    "Host",
    "Connection",
    "Keep-Alive",
    "Upgrade",
    "TE",
    "Expect",
    "Max-Forwards",
    "Cache-Control",
    "Range",
    "Authorization",
    "Proxy-Authorization",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Set-Cookie",
    "Cookie",
    "Content-Encoding",
    "Content-Type",
    "Content-Range",
    "Location",
    "Date",
    "Vary",
];

pub(crate) fn may_be_trailers(fields: &Fields) -> bool {
    fields.raw().all(|(name, _)| may_be_trailer(name))
}

/// Whether a field with this name may stand among trailers.
pub(crate) fn may_be_trailer(name: &[u8]) -> bool {
    !FORBIDDEN_IN_TRAILERS.iter().any(|forbidden| name.eq_ignore_ascii_case(forbidden.as_bytes()))
}
