//! Field names that nearly every message has, found without parsing them.

use http::header::{self, HeaderName};

/// The name that `wire`, which is a token, spells in any case, if it is a common one.
pub(crate) fn common(wire: &[u8]) -> Option<HeaderName> {
    Some(match wire.len() {
        4 if spells(wire, b"host") => header::HOST,
        4 if spells(wire, b"date") => header::DATE,
        4 if spells(wire, b"etag") => header::ETAG,
        4 if spells(wire, b"vary") => header::VARY,
        6 if spells(wire, b"accept") => header::ACCEPT,
        6 if spells(wire, b"cookie") => header::COOKIE,
        6 if spells(wire, b"server") => header::SERVER,
        7 if spells(wire, b"referer") => header::REFERER,
        10 if spells(wire, b"user-agent") => header::USER_AGENT,
        10 if spells(wire, b"connection") => header::CONNECTION,
        12 if spells(wire, b"content-type") => header::CONTENT_TYPE,
        13 if spells(wire, b"cache-control") => header::CACHE_CONTROL,
        13 if spells(wire, b"authorization") => header::AUTHORIZATION,
        14 if spells(wire, b"content-length") => header::CONTENT_LENGTH,
        15 if spells(wire, b"accept-encoding") => header::ACCEPT_ENCODING,
        15 if spells(wire, b"accept-language") => header::ACCEPT_LANGUAGE,
        17 if spells(wire, b"transfer-encoding") => header::TRANSFER_ENCODING,
        25 if spells(wire, b"upgrade-insecure-requests") => header::UPGRADE_INSECURE_REQUESTS,
        _ => return None,
    })
}

/// Whether a token is `lower`, letters in any case.
///
/// Without a branch for each byte, so that it comes to a few operations on words. Setting one bit folds the case of
/// letters, and makes no other byte of a token a letter or a hyphen.
#[inline]
fn spells<const N: usize>(token: &[u8], lower: &[u8; N]) -> bool {
    let Ok(token) = <&[u8; N]>::try_from(token) else { return false };
    token.iter().zip(lower).fold(0, |difference, (byte, expected)| difference | (byte | 0x20) ^ expected) == 0
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
}
