//! The alphabets of RFC 9110 §5 and RFC 3986, and the field names that the engine knows.

/// A class of bytes: one bit of the table.
pub(crate) type Class = u8;

pub(crate) const TCHAR: Class = 1;
/// What may stand in a field value.
pub(crate) const VALUE: Class = 2;
/// What may stand in a path and a query.
pub(crate) const TARGET: Class = 4;
pub(crate) const HOST: Class = 8;
const HEX: Class = 16;
pub(crate) const LAX_TARGET: Class = 32;
/// What the labels of a host name are made of.
pub(crate) const LABEL: Class = 64;
/// What may stand in a path.
pub(crate) const PATH: Class = 128;

static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        let alpha_digit = b.is_ascii_alphanumeric();
        let mut class = 0;
        if alpha_digit || in_set(b, b"!#$%&'*+-.^_`|~") {
            class |= TCHAR;
        }
        // field-vchar, SP, HTAB (RFC 9110 §5.5)
        if b == b'\t' || (b >= b' ' && b != 0x7f) {
            class |= VALUE;
        }
        // pchar and "/": unreserved, pct-encoded, sub-delims, ":" "@" (RFC 3986 §3.3)
        if alpha_digit || in_set(b, b"-._~%!$&'()*+,;=:@/") {
            class |= TARGET | PATH;
        }
        // the same and "?" (RFC 3986 §3.4)
        if b == b'?' {
            class |= TARGET;
        }
        if b > b' ' && b != 0x7f {
            class |= LAX_TARGET;
        }
        // reg-name and port (RFC 3986 §3.2.2)
        if alpha_digit || in_set(b, b"-._~%!$&'()*+,;=") {
            class |= HOST;
        }
        // what the labels of a host name are made of
        if alpha_digit || b == b'-' {
            class |= LABEL;
        }
        if b.is_ascii_hexdigit() {
            class |= HEX;
        }
        table[byte] = class;
        byte += 1;
    }
    table
}

const fn in_set(byte: u8, set: &[u8]) -> bool {
    let mut i = 0;
    while i < set.len() {
        if set[i] == byte {
            return true;
        }
        i += 1;
    }
    false
}

/// Whether one of them is this sign: eight at a time, for what is looked for in nearly every message and not there.
#[inline]
pub(crate) fn contains(bytes: &[u8], sign: u8) -> bool {
    const LOW: u64 = u64::from_ne_bytes([1; 8]);
    let Some(last) = bytes.last_chunk::<8>() else { return bytes.contains(&sign) };
    let is_in = |eight: [u8; 8]| {
        // A byte that is 0 borrows from its highest bit, which was not set.
        let differs = u64::from_ne_bytes(eight) ^ LOW.wrapping_mul(u64::from(sign));
        differs.wrapping_sub(LOW) & !differs & (LOW << 7) != 0
    };
    bytes.chunks_exact(8).any(|eight| eight.try_into().is_ok_and(is_in)) || is_in(*last)
}

/// Whether all are of one class. Nearly always they are, so that it does not pay to look after each whether to go on.
fn all(bytes: &[u8], class: Class) -> bool {
    bytes.iter().fold(class, |left, &b| left & CLASS[usize::from(b)]) != 0
}

#[inline]
pub(crate) fn is_of(class: Class, byte: u8) -> bool {
    CLASS[usize::from(byte)] & class != 0
}

pub(crate) fn is_tchar(byte: u8) -> bool {
    CLASS[usize::from(byte)] & TCHAR != 0
}

/// `token = 1*tchar`
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && all(bytes, TCHAR)
}

pub(crate) fn is_value_byte(byte: u8) -> bool {
    CLASS[usize::from(byte)] & VALUE != 0
}

/// What may stand in a field value or a reason phrase: no CR, LF, NUL or other control character but HTAB.
pub(crate) fn is_value(bytes: &[u8]) -> bool {
    all(bytes, VALUE)
}

/// Whether all of it may stand in a path and a query as it is.
pub(crate) fn is_target(bytes: &[u8]) -> bool {
    all(bytes, TARGET)
}

/// What may stand in a path and a query (RFC 3986 §3.3, §3.4).
pub(crate) fn is_target_byte(byte: u8) -> bool {
    CLASS[usize::from(byte)] & TARGET != 0
}

/// What browsers leave as it is in a path, though RFC 3986 would have it percent-encoded: the rest of ASCII that the
/// URL standard has not, or until 2024 had not, in its path percent-encode set. A backslash is a slash to them.
pub(crate) const fn is_browser_path_byte(byte: u8) -> bool {
    matches!(byte, b'[' | b']' | b'|' | b'^')
}

/// The same in a query: what is not in the URL standard's query percent-encode set.
pub(crate) const fn is_browser_query_byte(byte: u8) -> bool {
    is_browser_path_byte(byte) || matches!(byte, b'`' | b'{' | b'}' | b'\\')
}

/// What peers put into a target against RFC 3986: any visible byte, and bytes above ASCII.
pub(crate) fn is_lax_target_byte(byte: u8) -> bool {
    is_of(LAX_TARGET, byte)
}

pub(crate) fn is_reg_name(bytes: &[u8]) -> bool {
    all(bytes, HOST)
}

/// How many bytes at the front of `bytes` are of `class`.
#[inline]
pub(crate) fn span(bytes: &[u8], class: Class) -> usize {
    bytes.iter().position(|&b| !is_of(class, b)).unwrap_or(bytes.len())
}

/// Whether every `%` begins a `pct-encoded` (RFC 3986 §2.1).
pub(crate) fn percent_encoding_holds(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&b| b == b'%') {
        match rest.get(at + 1..at + 3) {
            Some(digits) if all(digits, HEX) => rest = &rest[at + 3..],
            _ => return false,
        }
    }
    true
}

/// `bytes` without optional whitespace at both ends (RFC 9110 §5.6.3).
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// The members of a comma-separated list (RFC 9110 §5.6.1), empty ones left out. Commas in quoted strings do not
/// separate.
pub(crate) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = value;
    core::iter::from_fn(move || {
        while !rest.is_empty() {
            let mut quoted = false;
            let mut escaped = false;
            let end = rest
                .iter()
                .position(|&b| {
                    if escaped {
                        escaped = false;
                    } else if quoted && b == b'\\' {
                        escaped = true;
                    } else if b == b'"' {
                        quoted = !quoted;
                    }
                    b == b',' && !quoted
                })
                .unwrap_or(rest.len());
            let member = trim(&rest[..end]);
            rest = rest.get(end + 1..).unwrap_or_default();
            if !member.is_empty() {
                return Some(member);
            }
        }
        None
    })
}

/// The members of a comma-separated list of tokens, empty ones left out: no member can be a quoted string, so every
/// comma separates, and a quote hides nothing from us that another reader sees.
pub(crate) fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim).filter(|member| !member.is_empty())
}

/// A decimal number: digits alone, and no more than fit.
#[inline]
pub(crate) fn decimal(bytes: &[u8]) -> Option<u64> {
    // So many digits always fit, and nearly always there are fewer.
    let (first, rest) = bytes.split_at(bytes.len().min(19));
    let mut number = 0_u64;
    for &b in first {
        if !b.is_ascii_digit() {
            return None;
        }
        number = number * 10 + u64::from(b - b'0');
    }
    for &b in rest {
        if !b.is_ascii_digit() {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(b - b'0'))?;
    }
    (!bytes.is_empty()).then_some(number)
}

/// Writes `number` in decimal to the end of `buffer` and returns the part written.
#[inline]
pub(crate) fn write_decimal(mut number: u64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &buffer[at..];
        }
    }
}

/// A field name that decides something in the engine, found once when a line is read or pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Known {
    Other,
    Connection,
    ContentLength,
    Date,
    Expect,
    Host,
    KeepAlive,
    Te,
    Trailer,
    TransferEncoding,
    Upgrade,
}

impl Known {
    /// What the engine knows a field name as; `name` must be a token.
    #[inline(always)]
    pub(crate) fn of(name: &[u8]) -> Self {
        match name.len() {
            2 if spells(name, b"te") => Self::Te,
            4 if spells(name, b"host") => Self::Host,
            4 if spells(name, b"date") => Self::Date,
            6 if spells(name, b"expect") => Self::Expect,
            7 if spells(name, b"upgrade") => Self::Upgrade,
            7 if spells(name, b"trailer") => Self::Trailer,
            10 if spells(name, b"connection") => Self::Connection,
            10 if spells(name, b"keep-alive") => Self::KeepAlive,
            14 if spells(name, b"content-length") => Self::ContentLength,
            17 if spells(name, b"transfer-encoding") => Self::TransferEncoding,
            _ => Self::Other,
        }
    }
}

/// Whether a token, or a field value, is `lower`, letters in any case.
///
/// Words are compared, the last one overlapping the one before it. Setting one bit folds the case of letters, and makes
/// nothing else that may stand in a token or a value a letter or a hyphen: what it would is CR.
#[inline(always)]
pub(crate) fn spells<const N: usize>(token: &[u8], lower: &[u8; N]) -> bool {
    let Ok(token) = <&[u8; N]>::try_from(token) else { return false };
    match N {
        8.. => same_words::<N, 8>(token, lower, |word| u64::from_ne_bytes(word) | 0x2020_2020_2020_2020),
        4.. => same_words::<N, 4>(token, lower, |word| u64::from(u32::from_ne_bytes(word) | 0x2020_2020)),
        _ => same_words::<N, 1>(token, lower, |[byte]| u64::from(byte | 0x20)),
    }
}

/// The same for a name of any length.
#[inline]
pub(crate) fn spelled(token: &[u8], lower: &[u8]) -> bool {
    if token.len() != lower.len() {
        return false;
    }
    let word = |of: &[u8]| of.last_chunk().copied().map_or(0, |word| u64::from_ne_bytes(word) | 0x2020_2020_2020_2020);
    if token.len() < 8 {
        return token.iter().zip(lower).fold(0, |difference, (a, b)| difference | (a | 0x20) ^ b) == 0;
    }
    let mut end = token.len();
    while end > 8 {
        if word(&token[..end]) != word(&lower[..end]) {
            return false;
        }
        end = (end - 8).max(8);
    }
    word(&token[..end]) == word(&lower[..end])
}

/// Whether two arrays are the same by words of `W` bytes, each folded. Where they differ, the first word nearly always
/// tells.
#[inline(always)]
fn same_words<const N: usize, const W: usize>(a: &[u8; N], b: &[u8; N], fold: impl Fn([u8; W]) -> u64) -> bool {
    let word = |of: &[u8; N], at: usize| of[at..].first_chunk().copied().map_or(0, &fold);
    let mut at = 0;
    while at < N {
        let from = at.min(N - W);
        if word(a, from) != word(b, from) {
            return false;
        }
        at += W;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn a_sign_is_found_wherever_it_stands_and_nothing_else_is_taken_for_it() {
        for len in 0..40 {
            for filler in [0, 1, b'?', b'A', 0x80, 0xc0, 0xff] {
                let mut bytes = alloc::vec![filler; len];
                assert!(!contains(&bytes, b'@'));
                for at in 0..len {
                    bytes[at] = b'@';
                    assert!(contains(&bytes, b'@'), "{len} {filler} {at}");
                    bytes[at] = filler;
                }
            }
        }
    }

    #[test]
    fn lists_keep_quoted_commas_and_drop_empty_members() {
        let members = |value: &'static str| list(value.as_bytes()).collect::<Vec<_>>();
        assert_eq!(members("a, b"), [b"a", b"b"]);
        assert_eq!(members(",, a ,\t,"), [b"a"]);
        assert_eq!(members("\"a,\\\"b\", c"), [&b"\"a,\\\"b\""[..], b"c"]);
        assert!(members("").is_empty());
        assert_eq!(tokens(b"\"a, b\",, c,").collect::<Vec<_>>(), [&b"\"a"[..], b"b\"", b"c"]);
    }

    #[test]
    fn decimals_are_digits_alone_and_never_wrap() {
        assert_eq!(decimal(b"0018446744073709551615"), Some(u64::MAX));
        for wrong in [&b""[..], b"+5", b"-1", b" 1", b"1 ", b"0x1", b"18446744073709551616"] {
            assert_eq!(decimal(wrong), None, "{wrong:?}");
        }
        let mut buffer = [0; 20];
        assert_eq!(write_decimal(u64::MAX, &mut buffer), b"18446744073709551615");
        assert_eq!(write_decimal(0, &mut buffer), b"0");
    }

    #[test]
    fn a_percent_sign_is_followed_by_two_digits() {
        // RFC 3986 §2.1
        for (bytes, holds) in [
            (&b"%20"[..], true),
            (b"a%2Fb%c3", true),
            (b"ab%20%zz", false),
            (b"a%2g", false),
            (b"a%g2", false),
            (b"%2", false),
            (b"%", false),
        ] {
            assert_eq!(percent_encoding_holds(bytes), holds, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn known_names_are_found_in_any_case() {
        assert_eq!(Known::of(b"TRANSFER-encoding"), Known::TransferEncoding);
        assert_eq!(Known::of(b"Transfer_Encoding"), Known::Other);
        assert_eq!(Known::of(b"hosT"), Known::Host);
        assert_eq!(Known::of(b""), Known::Other);
    }

    #[test]
    fn no_other_token_is_taken_for_a_known_name() {
        let names: [&[u8]; 10] = [
            b"te",
            b"host",
            b"date",
            b"expect",
            b"upgrade",
            b"trailer",
            b"connection",
            b"keep-alive",
            b"content-length",
            b"transfer-encoding",
        ];
        for name in names {
            assert_ne!(Known::of(name), Known::Other);
            for at in 0..name.len() {
                for byte in (0..=255).filter(|&byte| is_tchar(byte)) {
                    let mut other = name.to_vec();
                    other[at] = byte;
                    let same = other.eq_ignore_ascii_case(name);
                    assert_eq!(Known::of(&other) == Known::of(name), same, "{}", other.escape_ascii());
                }
            }
        }
    }
}
