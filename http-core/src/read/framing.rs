//! How long a message is: the table of RFC 9112 §6.3, over facts gathered from all field lines.

use crate::config::Leniency;
use crate::message::facts::{Coding, Facts, Framing, Length, RequestKind};
use crate::message::status::StatusCode;
use crate::message::version::Version;
use crate::reason::Reason;

/// The framing of a received request, and whether the connection may be used after it.
///
/// The second part is false where the framing was taken on a leniency that another reader could take otherwise.
#[inline(always)]
pub(crate) fn of_request(facts: &Facts, version: Version, leniency: &Leniency) -> Result<(Framing, bool), Reason> {
    let length = length(facts, leniency)?;
    match facts.coding {
        Coding::Absent => Ok((length.map_or(Framing::None, Framing::Length), true)),
        // A request whose last coding is not chunked has no certain end, and must be answered with 400 whether the
        // coding is known or not (RFC 9112 §6.3, 4.).
        Coding::Invalid | Coding::NotLast | Coding::Empty | Coding::Unknown => Err(Reason::TransferEncoding),
        _ if version == Version::Http10 => Err(Reason::TransferEncodingInHttp10),
        _ if length.is_some() && !leniency.allow_transfer_encoding_with_length => {
            Err(Reason::TransferEncodingWithLength)
        }
        Coding::UnknownThenChunked => Err(Reason::TransferCodingUnknown),
        Coding::Chunked => Ok((Framing::Chunked, length.is_none())),
    }
}

/// The framing of a received response, and whether the connection may be used after it.
pub(crate) fn of_response(
    facts: &Facts,
    version: Version,
    status: StatusCode,
    request: RequestKind,
    leniency: &Leniency,
) -> Result<(Framing, bool), Reason> {
    if request == RequestKind::Connect && status.is_success() || status.is_informational() {
        return Ok((Framing::None, true));
    }
    // Fields that cannot be right make the whole head suspect, even where they would not be used.
    let length = match (facts.length, facts.coding) {
        // RFC 9112 §6.3, 5.: a list of one and the same number may be taken for that number.
        (Length::Repeated(n), Coding::Absent) => Some(n),
        _ => length(facts, leniency)?,
    };
    if facts.coding == Coding::Invalid {
        return Err(Reason::TransferEncoding);
    }
    if request == RequestKind::Head || status.forbids_content() {
        return Ok((Framing::None, true));
    }
    if facts.coding != Coding::Absent {
        if version == Version::Http10 {
            return Err(Reason::TransferEncodingInHttp10);
        }
        if length.is_some() && !leniency.allow_transfer_encoding_with_length {
            return Err(Reason::TransferEncodingWithLength);
        }
    }
    Ok(match facts.coding {
        Coding::Absent => match length {
            Some(n) => (Framing::Length(n), true),
            None => (Framing::UntilClose, false),
        },
        Coding::Chunked => (Framing::Chunked, length.is_none()),
        // The content is delimited, but stays in a coding that only the application may know.
        Coding::UnknownThenChunked => (Framing::Chunked, length.is_none()),
        Coding::Unknown | Coding::NotLast | Coding::Empty | Coding::Invalid => (Framing::UntilClose, false),
    })
}

fn length(facts: &Facts, leniency: &Leniency) -> Result<Option<u64>, Reason> {
    match facts.length {
        Length::Absent => Ok(None),
        Length::Of(n) => Ok(Some(n)),
        Length::Repeated(n) if leniency.allow_repeated_content_length => Ok(Some(n)),
        Length::Repeated(_) => Err(Reason::ContentLengthList),
        Length::Invalid => Err(Reason::ContentLength),
        Length::Conflict => Err(Reason::ContentLengthConflict),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::field::Fields;

    fn facts(lines: &[(&str, &str)]) -> Facts {
        let mut fields = Fields::new();
        for (name, value) in lines {
            fields.push(name, value).unwrap();
        }
        Facts::of(&fields)
    }

    const CL: &str = "Content-Length";
    const TE: &str = "Transfer-Encoding";

    #[test]
    fn requests() {
        use Framing::{Chunked, Length, None};
        use Reason as R;
        let leniency = Leniency::default();
        let largest = (1_u64 << 63) - 1;
        for (section, lines, version, expected) in [
            ("RFC 9112 §6.3, 7.", &[][..], Version::Http11, Ok((None, true))),
            ("RFC 9112 §6.3, 6.", &[(CL, "5")], Version::Http11, Ok((Length(5), true))),
            ("RFC 9112 §6.3, 6.", &[(CL, "005")], Version::Http10, Ok((Length(5), true))),
            ("RFC 9110 §8.6", &[(CL, "9223372036854775807")], Version::Http11, Ok((Length(largest), true))),
            ("RFC 9110 §8.6", &[(CL, "9223372036854775808")], Version::Http11, Err(R::ContentLength)),
            ("RFC 9110 §8.6", &[(CL, "18446744073709551616")], Version::Http11, Err(R::ContentLength)),
            ("RFC 9110 §8.6", &[(CL, "")], Version::Http11, Err(R::ContentLength)),
            ("RFC 9110 §8.6", &[(CL, "+5")], Version::Http11, Err(R::ContentLength)),
            ("RFC 9110 §8.6", &[(CL, "-0")], Version::Http11, Err(R::ContentLength)),
            ("RFC 9110 §8.6", &[(CL, "5 5")], Version::Http11, Err(R::ContentLength)),
            ("RFC 9110 §8.6", &[(CL, "0x5")], Version::Http11, Err(R::ContentLength)),
            ("RFC 9110 §8.6", &[(CL, "5"), (CL, "a")], Version::Http11, Err(R::ContentLength)),
            ("RFC 9110 §8.6", &[(CL, "5"), (CL, "")], Version::Http11, Err(R::ContentLength)),
            ("RFC 9112 §6.3, 5.", &[(CL, "5"), (CL, "5")], Version::Http11, Err(R::ContentLengthList)),
            ("RFC 9112 §6.3, 5.", &[(CL, "5,5")], Version::Http11, Err(R::ContentLengthList)),
            ("RFC 9112 §6.3, 5.", &[(CL, ",5")], Version::Http11, Err(R::ContentLengthList)),
            ("RFC 9112 §6.3, 5.", &[(CL, "5,6")], Version::Http11, Err(R::ContentLengthConflict)),
            ("RFC 9112 §6.3, 5.", &[(CL, "5"), (CL, "6")], Version::Http11, Err(R::ContentLengthConflict)),
            ("RFC 9112 §6.3, 4.", &[(TE, "chunked")], Version::Http11, Ok((Chunked, true))),
            ("RFC 9112 §6.3, 4.", &[(TE, ", CHUNKED ,")], Version::Http11, Ok((Chunked, true))),
            ("RFC 9112 §6.1", &[(TE, "gzip, chunked")], Version::Http11, Err(R::TransferCodingUnknown)),
            ("RFC 9112 §6.1", &[(TE, "gzip"), (TE, "chunked")], Version::Http11, Err(R::TransferCodingUnknown)),
            ("RFC 9112 §6.3, 4.", &[(TE, "identity")], Version::Http11, Err(R::TransferEncoding)),
            ("RFC 9112 §6.3, 4.", &[(TE, "gzip, br")], Version::Http11, Err(R::TransferEncoding)),
            ("RFC 9112 §6.1", &[(TE, "gzip, chunked"), (CL, "5")], Version::Http11, Err(R::TransferEncodingWithLength)),
            ("RFC 9112 §6.3, 4.", &[(TE, "chunked, gzip")], Version::Http11, Err(R::TransferEncoding)),
            ("RFC 9112 §6.1", &[(TE, "chunked, chunked")], Version::Http11, Err(R::TransferEncoding)),
            ("RFC 9112 §6.1", &[(TE, "chunked"), (TE, "chunked")], Version::Http11, Err(R::TransferEncoding)),
            ("RFC 9112 §7", &[(TE, "chunked;q=1")], Version::Http11, Err(R::TransferEncoding)),
            ("RFC 9112 §7", &[(TE, "\"chunked\"")], Version::Http11, Err(R::TransferEncoding)),
            ("RFC 9112 §7", &[(TE, "")], Version::Http11, Err(R::TransferEncoding)),
            ("RFC 9112 §7", &[(TE, ","), (TE, "")], Version::Http11, Err(R::TransferEncoding)),
            ("RFC 9110 §5.6.1", &[(TE, ""), (TE, "chunked")], Version::Http11, Ok((Chunked, true))),
            ("RFC 9110 §5.6.1", &[(TE, "chunked"), (TE, "")], Version::Http11, Ok((Chunked, true))),
            ("RFC 9112 §6.3, 4.", &[(TE, ""), (TE, "br")], Version::Http11, Err(R::TransferEncoding)),
            ("RFC 9112 §6.1", &[(TE, "chunked")], Version::Http10, Err(R::TransferEncodingInHttp10)),
            ("RFC 9112 §6.1", &[(TE, "chunked"), (CL, "5")], Version::Http11, Err(R::TransferEncodingWithLength)),
            ("RFC 9112 §6.3, 5.", &[(TE, "chunked"), (CL, "a")], Version::Http11, Err(R::ContentLength)),
        ] {
            assert_eq!(of_request(&facts(lines), version, &leniency), expected, "{section}: {lines:?}");
        }
    }

    #[test]
    fn leniencies_of_requests() {
        let lenient = Leniency {
            allow_repeated_content_length: true,
            allow_transfer_encoding_with_length: true,
            ..Leniency::default()
        };
        for (section, lines, expected) in [
            ("RFC 9112 §6.3, 5.", &[(CL, "5"), (CL, "5")][..], Ok((Framing::Length(5), true))),
            ("RFC 9112 §6.3, 5.", &[(CL, "5,,5")], Ok((Framing::Length(5), true))),
            ("RFC 9112 §6.3, 5.", &[(CL, "5"), (CL, "6")], Err(Reason::ContentLengthConflict)),
            ("RFC 9112 §6.1", &[(TE, "chunked"), (CL, "5")], Ok((Framing::Chunked, false))),
        ] {
            assert_eq!(of_request(&facts(lines), Version::Http11, &lenient), expected, "{section}: {lines:?}");
        }
    }

    #[test]
    fn responses() {
        use Framing::{Chunked, Length, None, UntilClose};
        use Reason as R;
        use RequestKind::{Connect, Head, Other};
        let leniency = Leniency::default();
        for (section, code, lines, request, expected) in [
            ("RFC 9112 §6.3, 1.", 200, &[(CL, "5")][..], Head, Ok((None, true))),
            ("RFC 9112 §6.3, 1.", 200, &[(CL, "5"), (TE, "chunked")], Head, Ok((None, true))),
            ("RFC 9112 §6.3, 1.", 200, &[], Head, Ok((None, true))),
            ("RFC 9110 §8.6", 200, &[(CL, "5,6")], Head, Err(R::ContentLengthConflict)),
            ("RFC 9112 §6.3, 1.", 103, &[(CL, "5")], Other, Ok((None, true))),
            ("RFC 9112 §6.3, 1.", 204, &[(TE, "chunked")], Other, Ok((None, true))),
            ("RFC 9112 §6.3, 1.", 304, &[(CL, "5")], Other, Ok((None, true))),
            ("RFC 9112 §6.3, 2.", 200, &[(CL, "a"), (TE, "chunked")], Connect, Ok((None, true))),
            ("RFC 9112 §6.3, 6.", 407, &[(CL, "5")], Connect, Ok((Length(5), true))),
            ("RFC 9112 §6.3, 6.", 205, &[(CL, "0")], Other, Ok((Length(0), true))),
            ("RFC 9110 §15", 99, &[(CL, "5")], Other, Ok((Length(5), true))),
            ("RFC 9112 §6.3, 8.", 200, &[], Other, Ok((UntilClose, false))),
            ("RFC 9112 §6.3, 4.", 200, &[(TE, "chunked")], Other, Ok((Chunked, true))),
            ("RFC 9112 §6.3, 4.", 200, &[(TE, "gzip, chunked")], Other, Ok((Chunked, true))),
            ("RFC 9112 §6.3, 4.", 200, &[(TE, "gzip")], Other, Ok((UntilClose, false))),
            ("RFC 9112 §6.3, 4.", 200, &[(TE, "gzip, br")], Other, Ok((UntilClose, false))),
            ("RFC 9112 §6.3, 4.", 200, &[(TE, "gzip"), (TE, "br"), (TE, "chunked")], Other, Ok((Chunked, true))),
            ("RFC 9112 §6.3, 4.", 200, &[(TE, "chunked, gzip")], Other, Ok((UntilClose, false))),
            ("RFC 9112 §6.3, 4.", 200, &[(TE, ", ,")], Other, Ok((UntilClose, false))),
            ("RFC 9112 §6.1", 200, &[(TE, "chunked, chunked")], Other, Err(R::TransferEncoding)),
            ("RFC 9112 §6.3, 3.", 200, &[(TE, "chunked"), (CL, "5")], Other, Err(R::TransferEncodingWithLength)),
            ("RFC 9112 §6.3, 5.", 200, &[(CL, "5"), (CL, "5")], Other, Ok((Length(5), true))),
            ("RFC 9112 §6.3, 5.", 200, &[(CL, "5, 05,")], Other, Ok((Length(5), true))),
            ("RFC 9112 §6.3, 5.", 200, &[(CL, "5"), (CL, "6")], Other, Err(R::ContentLengthConflict)),
            ("RFC 9112 §6.3, 5.", 200, &[(CL, "5"), (CL, "")], Other, Err(R::ContentLength)),
        ] {
            let read = of_response(&facts(lines), Version::Http11, StatusCode::received(code), request, &leniency);
            assert_eq!(read, expected, "{section}: {code} {lines:?} {request:?}");
        }
        let te = facts(&[(TE, "chunked")]);
        let read = of_response(&te, Version::Http10, StatusCode::OK, Other, &leniency);
        assert_eq!(read, Err(Reason::TransferEncodingInHttp10), "RFC 9112 §6.1");
    }

    #[test]
    fn persistence() {
        for (section, version, connection, kept) in [
            ("RFC 9112 §9.3", Version::Http11, &[][..], true),
            ("RFC 9112 §9.3", Version::Http11, &["close"], false),
            ("RFC 9112 §9.3", Version::Http11, &["CLOSE"], false),
            ("RFC 9112 §9.3", Version::Http11, &["x, close"], false),
            ("RFC 9112 §9.3", Version::Http11, &["x", "close"], false),
            ("RFC 9112 §9.3", Version::Http11, &["close, keep-alive"], false),
            ("RFC 9112 §9.3", Version::Http11, &["keep-alive", "close"], false),
            ("RFC 9112 §9.3", Version::Http11, &["closed"], true),
            ("RFC 9112 §9.3", Version::Http11, &["\"close\""], true),
            ("RFC 9110 §7.6.1", Version::Http11, &["\"a, close"], false),
            ("RFC 9110 §7.6.1", Version::Http11, &["\"a,close,b\""], false),
            ("RFC 9112 §9.3", Version::Http10, &[], false),
            ("RFC 9112 §9.3", Version::Http10, &["keep-alive"], true),
            ("RFC 9112 §9.3", Version::Http10, &["Keep-Alive"], true),
            ("RFC 9112 §9.3", Version::Http10, &["x , keep-alive"], true),
            ("RFC 9112 §9.3", Version::Http10, &["keep-alive", "close"], false),
        ] {
            let lines: alloc::vec::Vec<_> = connection.iter().map(|&value| ("Connection", value)).collect();
            assert_eq!(facts(&lines).persistent(version), kept, "{section}: {version:?} {connection:?}");
        }
    }

    #[test]
    fn trailers_are_wanted_where_te_names_them() {
        // RFC 9110 §10.1.4
        for (lines, wanted) in
            [(&["trailers"][..], true), (&["gzip", "deflate, Trailers"], true), (&["gzip"], false), (&[], false)]
        {
            let mut fields = Fields::new();
            lines.iter().for_each(|value| fields.push("TE", value).unwrap());
            assert_eq!(Facts::of(&fields).te_trailers, wanted, "{lines:?}");
        }
    }
}
