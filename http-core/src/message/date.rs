//! Dates as HTTP writes and reads them.

use crate::message::token;

const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// The date `seconds` after 1970-01-01T00:00:00Z in the preferred format, IMF-fixdate (RFC 9110 §5.6.7).
///
/// Leap seconds do not exist in this count. Years beyond 9999 are written as 9999.
///
/// ```
/// assert_eq!(&http_core::imf_fixdate(784_111_777), b"Sun, 06 Nov 1994 08:49:37 GMT");
/// ```
#[must_use]
pub fn imf_fixdate(seconds: u64) -> [u8; 29] {
    const LAST: u64 = 253_402_300_799; // 9999-12-31T23:59:59Z
    const DAYS: &[u8; 21] = b"ThuFriSatSunMonTueWed";
    let seconds = seconds.min(LAST);
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let mut date = *b"Thu, 01 Jan 1970 00:00:00 GMT";
    date[..3].copy_from_slice(&DAYS[(days % 7) as usize * 3..][..3]);
    date[8..11].copy_from_slice(&MONTHS[(month as usize - 1) * 3..][..3]);
    let numbers =
        [(5, day), (12, year / 100), (14, year % 100), (17, time / 3600), (20, time / 60 % 60), (23, time % 60)];
    for (at, number) in numbers {
        date[at] = b'0' + (number / 10) as u8;
        date[at + 1] = b'0' + (number % 10) as u8;
    }
    date
}

/// Year, month and day of the Gregorian calendar, counted in eras of 400 years that begin on the first of March.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468; // from 0000-03-01
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// Reads a date in any of the three formats of RFC 9110 §5.6.7, as seconds after 1970-01-01T00:00:00Z. `None` for
/// anything else, and for earlier ones.
///
/// `now`, in the same count, tells what a year of two digits means: one that would be more than 50 years ahead is past.
/// The name of the day has to be one, whichever.
///
/// ```
/// use http_core::parse_date;
/// for date in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
///     assert_eq!(parse_date(date.as_bytes(), 1_795_435_200), Some(784_111_777));
/// }
/// ```
#[must_use]
pub fn parse_date(value: &[u8], now: u64) -> Option<u64> {
    match value {
        [
            _,
            _,
            _,
            b',',
            b' ',
            d1,
            d2,
            b' ',
            m1,
            m2,
            m3,
            b' ',
            year @ ..,
            b' ',
            _,
            _,
            b':',
            _,
            _,
            b':',
            _,
            _,
            b' ',
            b'G',
            b'M',
            b'T',
        ] if year.len() == 4 && is_day(&value[..3]) => {
            seconds(number(year)?, month(&[*m1, *m2, *m3])?, number(&[*d1, *d2])?, &value[17..25])
        }
        [_, _, _, b' ', m1, m2, m3, b' ', d1, d2, b' ', _, _, b':', _, _, b':', _, _, b' ', year @ ..]
            if year.len() == 4 && is_day(&value[..3]) =>
        {
            // A day of one digit has a space before it.
            let day = if *d1 == b' ' { number(&[*d2])? } else { number(&[*d1, *d2])? };
            seconds(number(year)?, month(&[*m1, *m2, *m3])?, day, &value[11..19])
        }
        _ => rfc850(value, now),
    }
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
fn rfc850(value: &[u8], now: u64) -> Option<u64> {
    const NAMES: [&[u8]; 7] = [b"Sunday", b"Monday", b"Tuesday", b"Wednesday", b"Thursday", b"Friday", b"Saturday"];
    let comma = value.iter().position(|&byte| byte == b',')?;
    let (name, rest) = value.split_at(comma);
    let [b',', b' ', d1, d2, b'-', m1, m2, m3, b'-', y1, y2, b' ', time @ .., b' ', b'G', b'M', b'T'] = rest else {
        return None;
    };
    if !NAMES.contains(&name) {
        return None;
    }
    let (this_year, ..) = civil(now / 86_400);
    let short = number(&[*y1, *y2])?;
    let mut year = this_year - this_year % 100 + short;
    if year > this_year + 50 {
        year -= 100;
    }
    seconds(year, month(&[*m1, *m2, *m3])?, number(&[*d1, *d2])?, time)
}

fn is_day(name: &[u8]) -> bool {
    [&b"Sun"[..], b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat"].contains(&name)
}

fn month(name: &[u8; 3]) -> Option<u64> {
    MONTHS.chunks(3).position(|month| month == name).map(|at| at as u64 + 1)
}

/// Digits and nothing else.
fn number(digits: &[u8]) -> Option<u64> {
    token::decimal(digits)
}

/// `time` is `hh:mm:ss`.
fn seconds(year: u64, month: u64, day: u64, time: &[u8]) -> Option<u64> {
    let &[h1, h2, b':', m1, m2, b':', s1, s2] = time else { return None };
    let (hour, minute, second) = (number(&[h1, h2])?, number(&[m1, m2])?, number(&[s1, s2])?);
    if year < 1970 || day == 0 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Years begin on the first of March, so that the leap day is their last.
    let years = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = (years * 365 + years / 4 + years / 400).checked_sub(years / 100)? + day_of_year;
    let days = days.checked_sub(719_468)?;
    // A day that its month does not have is another one.
    let exists = civil(days) == (year, month, day);
    exists.then_some(days * 86_400 + hour * 3600 + minute * 60 + second.min(59))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_is_read_as_it_was_written() {
        for days in (0..60_000).step_by(7).chain(0..800) {
            let at = days * 86_400 + 12_345;
            assert_eq!(parse_date(&imf_fixdate(at), 0), Some(at));
        }
        assert_eq!(parse_date(&imf_fixdate(u64::MAX), 0), Some(253_402_300_799));
    }

    #[test]
    fn three_formats_are_read_and_nothing_else() {
        const NOW: u64 = 1_795_435_200; // 2026
        for (section, date, expected) in [
            ("RFC 9110 §5.6.7", "Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("RFC 9110 §5.6.7", "Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777)),
            ("RFC 9110 §5.6.7", "Sun Nov  6 08:49:37 1994", Some(784_111_777)),
            ("RFC 9110 §5.6.7", "Wed Nov 16 08:49:37 1994", Some(784_975_777)),
            ("RFC 9110 §5.6.7, 50 years", "Wednesday, 01-Jan-76 00:00:00 GMT", Some(3_345_062_400)),
            ("RFC 9110 §5.6.7, 50 years", "Wednesday, 01-Jan-77 00:00:00 GMT", Some(220_924_800)),
            ("leap second", "Sat, 31 Dec 2016 23:59:60 GMT", Some(1_483_228_799)),
            ("leap day", "Tue, 29 Feb 2000 00:00:00 GMT", Some(951_782_400)),
            ("no leap day", "Mon, 29 Feb 2100 00:00:00 GMT", None),
            ("no such day", "Sun, 31 Nov 1994 08:49:37 GMT", None),
            ("no such day", "Sun, 00 Nov 1994 08:49:37 GMT", None),
            ("no such hour", "Sun, 06 Nov 1994 24:49:37 GMT", None),
            ("no such name", "Son, 06 Nov 1994 08:49:37 GMT", None),
            ("no such name", "Sun, 06-Nov-94 08:49:37 GMT", None),
            ("case", "Sun, 06 nov 1994 08:49:37 GMT", None),
            ("zone", "Sun, 06 Nov 1994 08:49:37 UTC", None),
            ("digits", "Sun, 06 Nov 1994 08:49:+7 GMT", None),
            ("digits", "Sun, 06 Nov +994 08:49:37 GMT", None),
            ("too early", "Wed, 31 Dec 1969 23:59:59 GMT", None),
            ("too early", "Mon, 01 Jan 0000 00:00:00 GMT", None),
            ("delimiters", "Sun, 06 Nov 1994 08.49.37 GMT", None),
            ("nothing", "", None),
            ("seconds", "120", None),
        ] {
            assert_eq!(parse_date(date.as_bytes(), NOW), expected, "{section}: {date}");
        }
    }

    #[test]
    fn dates() {
        for (seconds, date) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
            (1_795_435_200, "Mon, 23 Nov 2026 12:00:00 GMT"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (u64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(core::str::from_utf8(&imf_fixdate(seconds)), Ok(date));
        }
    }
}
