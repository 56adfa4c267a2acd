//! Field names that nearly every message has, found without parsing, copying or counting references.

use http::header::{self, HeaderName};

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PRIORITY: HeaderName = HeaderName::from_static("priority");
const SEC_CH_UA: HeaderName = HeaderName::from_static("sec-ch-ua");
const SEC_CH_UA_MOBILE: HeaderName = HeaderName::from_static("sec-ch-ua-mobile");
const SEC_CH_UA_PLATFORM: HeaderName = HeaderName::from_static("sec-ch-ua-platform");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_USER: HeaderName = HeaderName::from_static("sec-fetch-user");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name that `wire`, which is a token, spells in any case, if it is a common one.
// In line where maps are built, whoever else asks.
#[inline(always)]
pub(crate) fn common(wire: &[u8]) -> Option<HeaderName> {
    Some(match wire.len() {
        3 if spells(wire, b"dnt") => header::DNT,
        4 if spells(wire, b"host") => header::HOST,
        4 if spells(wire, b"date") => header::DATE,
        4 if spells(wire, b"etag") => header::ETAG,
        4 if spells(wire, b"vary") => header::VARY,
        5 if spells(wire, b"range") => header::RANGE,
        6 if spells(wire, b"accept") => header::ACCEPT,
        6 if spells(wire, b"cookie") => header::COOKIE,
        6 if spells(wire, b"server") => header::SERVER,
        6 if spells(wire, b"origin") => header::ORIGIN,
        6 if spells(wire, b"pragma") => header::PRAGMA,
        7 if spells(wire, b"referer") => header::REFERER,
        8 if spells(wire, b"priority") => PRIORITY,
        9 if spells(wire, b"sec-ch-ua") => SEC_CH_UA,
        9 if spells(wire, b"x-real-ip") => X_REAL_IP,
        10 if spells(wire, b"user-agent") => header::USER_AGENT,
        10 if spells(wire, b"connection") => header::CONNECTION,
        10 if spells(wire, b"keep-alive") => KEEP_ALIVE,
        12 if spells(wire, b"content-type") => header::CONTENT_TYPE,
        12 if spells(wire, b"x-request-id") => X_REQUEST_ID,
        13 if spells(wire, b"cache-control") => header::CACHE_CONTROL,
        13 if spells(wire, b"if-none-match") => header::IF_NONE_MATCH,
        13 if spells(wire, b"authorization") => header::AUTHORIZATION,
        13 if spells(wire, b"last-modified") => header::LAST_MODIFIED,
        14 if spells(wire, b"content-length") => header::CONTENT_LENGTH,
        14 if spells(wire, b"sec-fetch-site") => SEC_FETCH_SITE,
        14 if spells(wire, b"sec-fetch-mode") => SEC_FETCH_MODE,
        14 if spells(wire, b"sec-fetch-dest") => SEC_FETCH_DEST,
        14 if spells(wire, b"sec-fetch-user") => SEC_FETCH_USER,
        15 if spells(wire, b"accept-encoding") => header::ACCEPT_ENCODING,
        15 if spells(wire, b"accept-language") => header::ACCEPT_LANGUAGE,
        15 if spells(wire, b"x-forwarded-for") => X_FORWARDED_FOR,
        16 if spells(wire, b"content-encoding") => header::CONTENT_ENCODING,
        16 if spells(wire, b"sec-ch-ua-mobile") => SEC_CH_UA_MOBILE,
        16 if spells(wire, b"x-forwarded-host") => X_FORWARDED_HOST,
        17 if spells(wire, b"transfer-encoding") => header::TRANSFER_ENCODING,
        17 if spells(wire, b"if-modified-since") => header::IF_MODIFIED_SINCE,
        17 if spells(wire, b"x-forwarded-proto") => X_FORWARDED_PROTO,
        18 if spells(wire, b"sec-ch-ua-platform") => SEC_CH_UA_PLATFORM,
        25 if spells(wire, b"upgrade-insecure-requests") => header::UPGRADE_INSECURE_REQUESTS,
        _ => return None,
    })
}

/// Whether a value may be kept beyond its request, for those that follow: that of a common name, unless it is what
/// somebody proves who he is with, or may have such a thing in it.
pub(crate) fn may_be_kept(name: &[u8], value: &[u8]) -> bool {
    let Some(name) = common(name) else { return false };
    // Addresses carry in their queries whatever somebody has put there.
    !(SECRETS.contains(&name) || ADDRESSES.contains(&name) && value.contains(&b'?'))
}

static SECRETS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::PROXY_AUTHORIZATION,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_PROTOCOL,
    header::SET_COOKIE,
];

static ADDRESSES: [HeaderName; 4] = [header::REFERER, header::LOCATION, header::CONTENT_LOCATION, header::LINK];

/// Whether a token is `lower`, letters in any case.
///
/// Words are compared, the last one overlapping the one before it. Setting one bit folds the case of letters, and makes
/// no other byte of a token a letter or a hyphen.
#[inline(always)]
fn spells<const N: usize>(token: &[u8], lower: &[u8; N]) -> bool {
    let Ok(token) = <&[u8; N]>::try_from(token) else { return false };
    match N {
        8.. => same::<N, 8>(token, lower, u64::from_ne_bytes),
        4.. => same::<N, 4>(token, lower, |word| u64::from(u32::from_ne_bytes(word))),
        _ => same::<N, 1>(token, lower, |[byte]| u64::from(byte)),
    }
}

/// Whether the first is the second in any case, by words of `W` bytes.
#[inline(always)]
fn same<const N: usize, const W: usize>(token: &[u8; N], lower: &[u8; N], word: impl Fn([u8; W]) -> u64) -> bool {
    const CASE: u64 = 0x2020_2020_2020_2020;
    let word = |of: &[u8; N], at: usize| of[at..].first_chunk().copied().map_or(0, &word);
    let (mut difference, mut at) = (0, 0);
    while at < N {
        let from = at.min(N - W);
        // Without a branch for each, so that all of it comes to a few operations.
        difference |= (word(token, from) | CASE) ^ (word(lower, from) | CASE);
        at += W;
    }
    difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_names_are_found_in_any_case_and_nothing_else_is_taken_for_one() {
        let is_token = |byte: &u8| http::Method::from_bytes(&[*byte]).is_ok();
        for name in ["Host", "dATE", "ETag", "VARY", "accept", "Accept-Language", "upgrade-insecure-requests"] {
            assert_eq!(common(name.as_bytes()).unwrap(), *name.to_ascii_lowercase());
            for at in 0..name.len() {
                for byte in (0..=255).filter(is_token) {
                    let mut other = name.as_bytes().to_vec();
                    other[at] = byte;
                    let found = common(&other);
                    assert!(found.is_none_or(|found| found == HeaderName::from_bytes(&other).unwrap()));
                }
            }
        }
        assert_eq!((common(b""), common(b"x-host"), common(&[b'x'; 99])), (None, None, None));
    }

    #[test]
    fn what_proves_who_somebody_is_may_not_be_kept_nor_what_nobody_knows() {
        for (name, value, kept) in [
            ("Accept", "*/*", true),
            ("Sec-Fetch-User", "?1", true),
            ("Authorization", "Basic YTpi", false),
            ("COOKIE", "a=b", false),
            ("proxy-authorization", "x", false),
            ("Referer", "http://a/b", true),
            ("Referer", "http://a/b?token=c", false),
            ("X-Api-Key", "x", false),
        ] {
            assert_eq!(may_be_kept(name.as_bytes(), value.as_bytes()), kept, "{name}: {value}");
        }
    }
}
