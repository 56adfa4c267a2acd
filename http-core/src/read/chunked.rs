//! The chunked transfer coding, RFC 9112 §7.1.

mod extensions;

use bytes::{Buf, BytesMut};

use crate::config::Config;
use crate::message::facts::LONGEST;
use crate::message::field::Fields;
use crate::message::token;
use crate::message::trailers::may_be_trailers;
use crate::read::broken::Broken;
use crate::read::checker::{Checker, Found, Grammar};
use crate::read::piece::{Decoded, into_piece};
use crate::read::scan;
use crate::reason::Reason;

/// A piece of this size leaves the buffer by itself; smaller ones are slid together first.
const LARGE: usize = 4096;

/// Reads chunks and the trailer section.
///
/// Every delimiter is compared, every byte is looked at once, and runs of small chunks are slid together inside the
/// buffer, so that one event carries many.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct ChunkDecoder {
    state: State,
    /// Bytes of the current chunk-size line so far.
    line: usize,
    /// Bytes of all extensions so far.
    extensions: usize,
    trailers: Checker,
    /// Whether the message is a response, whose trailers may be folded.
    in_response: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum State {
    /// Before the first digit of a size.
    #[default]
    Start,
    Size(u64),
    Extension(Extension, u64),
    /// After the CR of a size line.
    SizeLf(u64),
    Data(u64),
    DataCr,
    DataLf,
    Trailers,
}

/// `*( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )`, RFC 9112 §7.1.1
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Extension {
    /// Whitespace; a semicolon or the end of the line follows.
    Before,
    /// After a semicolon; a name follows.
    NameStart,
    Name,
    /// Whitespace after a name.
    AfterName,
    /// After an equals sign; a value follows.
    ValueStart,
    Token,
    Quoted,
    Escaped,
    /// After the closing quote.
    End,
}

impl ChunkDecoder {
    pub(crate) fn of_response() -> Self {
        Self { in_response: true, ..Self::default() }
    }

    /// The next piece of content, of `room` bytes at most, or the end. Whatever was read is taken off the front of
    /// `input`.
    pub(crate) fn decode(&mut self, input: &mut BytesMut, room: u64, config: &Config) -> Result<Decoded, Broken> {
        if config.events.chunk_extensions {
            return self.decode_telling(input, room, config);
        }
        if self.state == State::Trailers {
            return self.trailers(input, config);
        }
        let (from, kept, used, broken) = self.run(input, usize::try_from(room).unwrap_or(usize::MAX), config);
        if kept > 0 {
            input.advance(from);
            return Ok(Decoded::Data(into_piece(input, kept, used - from)));
        }
        match broken {
            // The fault is met again, and reported, when the content before it has been delivered.
            Some(broken) => Err(broken),
            None => {
                input.advance(used);
                match self.state {
                    State::Trailers => self.trailers(input, config),
                    _ => Ok(Decoded::Partial),
                }
            }
        }
    }

    pub(crate) const fn in_trailers(&self) -> bool {
        matches!(self.state, State::Trailers)
    }

    /// Bytes of the trailer section that were looked at; they stay in the buffer until all of it is there.
    pub(crate) const fn looked_ahead(&self) -> u64 {
        if self.in_trailers() { self.trailers.looked_at() as u64 } else { 0 }
    }

    /// Slides the content of as many chunks as there are to the front of `input`, but leaves where it lies what is a
    /// piece by itself; returns where the content begins, how long it is, how many bytes were read for it, and the
    /// fault that ended the run.
    fn run(&mut self, input: &mut [u8], room: usize, config: &Config) -> (usize, usize, usize, Option<Broken>) {
        let (mut at, mut kept) = (0, 0);
        let mut state = self.state;
        while at < input.len() && state != State::Trailers {
            if let State::Data(left) = state {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(input.len() - at).min(room - kept);
                if kept > 0 && (here >= LARGE || here == 0) {
                    break;
                }
                if here == 0 {
                    return (0, 0, at, Some(Broken(Reason::ContentTooLong, at)));
                }
                state = if here as u64 == left { State::DataCr } else { State::Data(left - here as u64) };
                if here >= LARGE {
                    self.state = state;
                    return (at, here, at + here, None);
                }
                if kept != at {
                    input.copy_within(at..at + here, kept);
                }
                kept += here;
                at += here;
                continue;
            }
            if state == State::Start && config.limits.chunk_line >= SMALL_DIGITS {
                let from = at;
                (at, kept) = small_chunks(input, at, kept, room);
                if at > from {
                    continue;
                }
            }
            let counters = (self.line, self.extensions);
            match self.control(state, input[at], config) {
                Ok(next) => state = next,
                Err(reason) if kept == 0 => return (0, 0, at, Some(Broken(reason, at))),
                Err(_) => {
                    (self.line, self.extensions) = counters;
                    break;
                }
            }
            at += 1;
        }
        self.state = state;
        (0, kept, at, None)
    }

    /// One byte that is not content.
    fn control(&mut self, state: State, byte: u8, config: &Config) -> Result<State, Reason> {
        match state {
            State::Start | State::Size(_) => {
                let size = if let State::Size(size) = state { size } else { 0 };
                if let Some(digit) = hex(byte) {
                    self.count_line(config)?;
                    let size = size.checked_mul(16).and_then(|s| s.checked_add(digit)).filter(|&s| s <= LONGEST);
                    let size = size.ok_or(Reason::ChunkSize)?;
                    return Ok(State::Size(size));
                }
                match byte {
                    _ if state == State::Start => Err(Reason::ChunkSize),
                    b'\r' => Ok(State::SizeLf(size)),
                    b';' | b' ' | b'\t' => self.extension(Extension::Before, size, byte, config),
                    b'\n' => Err(Reason::BareLf),
                    _ => Err(Reason::ChunkSize),
                }
            }
            State::Extension(extension, size) => self.extension(extension, size, byte, config),
            State::SizeLf(size) => {
                if byte != b'\n' {
                    return Err(Reason::BareCr);
                }
                self.line = 0;
                Ok(if size == 0 { State::Trailers } else { State::Data(size) })
            }
            State::DataCr if byte == b'\r' => Ok(State::DataLf),
            State::DataLf if byte == b'\n' => Ok(State::Start),
            State::DataCr | State::DataLf => Err(Reason::ChunkEnd),
            State::Data(_) | State::Trailers => Ok(state),
        }
    }

    fn extension(&mut self, at: Extension, size: u64, byte: u8, config: &Config) -> Result<State, Reason> {
        use Extension::{AfterName, Before, End, Escaped, Name, NameStart, Quoted, Token, ValueStart};
        // The CR is not of the line, so it is not counted.
        let ends = match at {
            Name | Token | End => byte == b'\r',
            // Whitespace that no extension follows.
            AfterName | Before => byte == b'\r' && config.leniency.allow_chunk_line_padding,
            _ => false,
        };
        if ends {
            return Ok(State::SizeLf(size));
        }
        self.count_line(config)?;
        self.extensions += 1;
        if self.extensions > config.limits.chunk_extensions {
            return Err(Reason::ChunkExtensionsTooLong);
        }
        let space = byte == b' ' || byte == b'\t';
        let next = match (at, byte) {
            (Escaped, _) if token::is_value_byte(byte) => Quoted,
            (Quoted, b'"') => End,
            (Quoted, b'\\') => Escaped,
            (Quoted, _) if token::is_value_byte(byte) => Quoted,
            (Name | Token | AfterName | Before | End, b';') => NameStart,
            (NameStart | ValueStart | Before | AfterName, _) if space => at,
            (NameStart | Name, _) if token::is_tchar(byte) => Name,
            (Name, _) if space => AfterName,
            (Name | AfterName, b'=') => ValueStart,
            (ValueStart, b'"') => Quoted,
            (ValueStart | Token, _) if token::is_tchar(byte) => Token,
            (Token | End, _) if space => Before,
            (_, b'\n') => return Err(Reason::BareLf),
            _ => return Err(Reason::ChunkExtension),
        };
        Ok(State::Extension(next, size))
    }

    fn count_line(&mut self, config: &Config) -> Result<(), Reason> {
        self.line += 1;
        if self.line > config.limits.chunk_line { Err(Reason::ChunkLineTooLong) } else { Ok(()) }
    }

    fn trailers(&mut self, input: &mut BytesMut, config: &Config) -> Result<Decoded, Broken> {
        // The common case: no trailer field.
        if input.starts_with(b"\r\n") {
            input.advance(2);
            return Ok(Decoded::End(Fields::new()));
        }
        let grammar = if self.in_response { Grammar::ResponseTrailers } else { Grammar::RequestTrailers };
        match self.trailers.run(input, config, grammar) {
            Found::Complete(used) => {
                let fields = scan::trailers(&input[..used]);
                input.advance(used);
                // A sender must not have put one of those there; nothing of such a section is believed.
                Ok(Decoded::End(if may_be_trailers(&fields) { fields } else { Fields::new() }))
            }
            Found::Broken(broken) => Err(broken),
            Found::Partial => Ok(Decoded::Partial),
        }
    }
}

/// The most digits in the size of a small chunk.
const SMALL_DIGITS: usize = 2;

/// Slides the content of small chunks from `at` to `kept`, for as long as they follow one another and there is room;
/// returns where the next byte to read is, and where the next one to keep.
// Apart from the loop over everything else, whose state it does not need: a tiny chunk costs what happens in here.
#[inline(never)]
fn small_chunks(input: &mut [u8], mut at: usize, mut kept: usize, room: usize) -> (usize, usize) {
    while let Some((data, size)) = input.get(at..).and_then(small_chunk) {
        if size > room - kept {
            break;
        }
        // Most chunks of one run are of one byte where they are tiny at all; a call to copy it costs more.
        match size {
            1 => input[kept] = input[at + data],
            _ => input.copy_within(at + data..at + data + size, kept),
        }
        kept += size;
        at += data + size + 2;
    }
    (at, kept)
}

/// Where the data begins and how long it is, if a chunk whose size has one or two digits, with no extension, lies
/// whole at the front of `input`: the common form of a tiny chunk, read at once. Anything else is read byte by byte.
#[inline]
fn small_chunk(input: &[u8]) -> Option<(usize, usize)> {
    let (data, size) = match *input {
        [digit, b'\r', b'\n', ..] => (3, hex(digit)?),
        [high, low, b'\r', b'\n', ..] => (4, hex(high)? << 4 | hex(low)?),
        _ => return None,
    };
    // At most 255, so that nothing is lost. 0 ends the content, and its line is read elsewhere.
    let size = size as usize;
    let after = input.get(data + size..data + size + 2)?;
    (size > 0 && after == b"\r\n").then_some((data, size))
}

#[inline]
fn hex(byte: u8) -> Option<u64> {
    match byte {
        b'0'..=b'9' => Some(u64::from(byte - b'0')),
        b'a'..=b'f' => Some(u64::from(byte - b'a' + 10)),
        b'A'..=b'F' => Some(u64::from(byte - b'A' + 10)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::facts::Framing;
    use crate::read::decode::tests::{Read, read_all_ways};
    use alloc::format;
    use alloc::string::String;

    fn read(wire: &[u8]) -> Read {
        read_all_ways(Framing::Chunked, wire, &Config::default())
    }

    fn size_line(line: &str) -> Result<usize, Reason> {
        let size = line.trim_start_matches('0');
        let digits: String = size.chars().take_while(char::is_ascii_hexdigit).collect();
        let length = usize::from_str_radix(&digits, 16).unwrap_or(0).min(4096);
        let mut wire = format!("{line}\r\n").into_bytes();
        wire.extend(core::iter::repeat_n(b'x', length));
        wire.extend_from_slice(if length > 0 { b"\r\n0\r\n\r\n" } else { b"\r\n" });
        read(&wire).result.map(|(content, _)| content.len())
    }

    #[test]
    fn size_lines() {
        // RFC 9112 §7.1, §7.1.1; the rows of hyper's table among them.
        for (line, size) in [
            ("1", 1),
            ("01", 1),
            ("0", 0),
            ("00", 0),
            ("A", 10),
            ("a", 10),
            ("Ff", 255),
            ("1;extension", 1),
            ("a;ext name=value", usize::MAX),
            ("a;ext=value", 10),
            ("1;e;e2", 1),
            ("3   ; extension=123", 3),
            ("3 ; e = \"a;\\\"\\r\" ; f", 3),
        ] {
            let expected = if size == usize::MAX { Err(Reason::ChunkExtension) } else { Ok(size) };
            assert_eq!(size_line(line), expected, "{line}");
        }
        for (line, reason) in [
            ("", Reason::ChunkSize),
            ("X", Reason::ChunkSize),
            ("1X", Reason::ChunkSize),
            ("-1", Reason::ChunkSize),
            ("+1", Reason::ChunkSize),
            ("0x1", Reason::ChunkSize),
            (" 1", Reason::ChunkSize),
            ("Ff   ", Reason::ChunkExtension),
            ("1\t", Reason::ChunkExtension),
            ("1;a ", Reason::ChunkExtension),
            ("1;a=\"b\" ", Reason::ChunkExtension),
            ("1 A", Reason::ChunkExtension),
            ("1;", Reason::ChunkExtension),
            ("1;;a", Reason::ChunkExtension),
            ("1;a=", Reason::ChunkExtension),
            ("1;a=\"", Reason::ChunkExtension),
            ("1;a@", Reason::ChunkExtension),
            ("1;a(;b", Reason::ChunkExtension),
            ("1;a=\"\\\u{1}\"", Reason::ChunkExtension),
            ("1;a=\"\\\u{7f}\"", Reason::ChunkExtension),
            ("1;a=\"\\\n\"", Reason::BareLf),
            ("1;a\nb", Reason::BareLf),
            ("1;a=\"\nb\"", Reason::BareLf),
            ("1;a=b@;c", Reason::ChunkExtension),
            ("1;a=\"b\"c;d", Reason::ChunkExtension),
            ("1\rX", Reason::BareCr),
            ("f0000000000000003", Reason::ChunkSize),
            ("10000000000000000", Reason::ChunkSize),
        ] {
            assert_eq!(size_line(line), Err(reason), "{line:?}");
        }
    }

    #[test]
    fn large_pieces_are_not_copied() {
        let mut wire = BytesMut::from(&b"10000\r\n"[..]);
        wire.resize(7 + 0x1_0000, b'x');
        wire.extend_from_slice(b"\r\n2\r\nab\r\n");
        let content = wire[7..].as_ptr();
        let mut decoder = ChunkDecoder::default();
        let mut next = |wire: &mut BytesMut| match decoder.decode(wire, u64::MAX, &Config::default()) {
            Ok(Decoded::Data(piece)) => piece,
            other => panic!("content expected, {other:?}"),
        };
        let piece = next(&mut wire);
        assert_eq!((piece.len(), piece.as_ptr()), (0x1_0000, content));
        assert_eq!(next(&mut wire), "ab");
        assert!(wire.is_empty());
    }

    #[test]
    fn padding_is_a_leniency() {
        let mut config = Config::default();
        config.leniency.allow_chunk_line_padding = true;
        for line in ["3   ", "3\t", "3;a ", "3;a=b ", "3;a=\"b\" "] {
            let wire = format!("{line}\r\nabc\r\n0\r\n\r\n");
            let read = read_all_ways(Framing::Chunked, wire.as_bytes(), &config);
            assert_eq!(read.result.map(|(content, _)| content), Ok(b"abc".to_vec()), "{line:?}");
        }
    }

    #[test]
    fn delimiters_are_matched_not_counted() {
        // GHSA-vqfr-h8mv-ghfj: h11 counted two bytes.
        assert_eq!(read(b"1\r\naXX0\r\n\r\n").result, Err(Reason::ChunkEnd));
        assert_eq!(read(b"1\r\na\n\n0\r\n\r\n").result, Err(Reason::ChunkEnd));
        assert_eq!(read(b"1\r\nab\r\n0\r\n\r\n").result, Err(Reason::ChunkEnd));
        assert_eq!(read(b"1\r\na\rX0\r\n\r\n").result, Err(Reason::ChunkEnd));
        assert_eq!(read(b"1\na\r\n0\r\n\r\n").result, Err(Reason::BareLf));
        assert_eq!(read(b"1\r\na\r\n0\r\n\n").result, Err(Reason::BareLf));
    }

    #[test]
    fn content_that_looks_like_chunks_is_content() {
        // RFC 9112 §7.1: 0x11 bytes, of which the second and third would end a chunk of one.
        let content = b"x\r\n0\r\n\r\nxxxxxxxxx";
        let wire = [&b"11\r\n"[..], content, b"\r\n0\r\n\r\n"].concat();
        assert_eq!(read(&wire).result.map(|(content, _)| content), Ok(content.to_vec()));
    }

    #[test]
    fn trailers_are_apart_and_filtered() {
        let trailers = |wire: &[u8]| self::read(wire).result.map(|(_, trailers)| trailers.as_wire().to_vec());
        assert_eq!(trailers(b"0\r\nX: 1\r\nTrailer: x\r\nx:2\r\n\r\n").unwrap(), b"X: 1\r\nTrailer: x\r\nx: 2\r\n");
        assert_eq!(trailers(b"0\r\nX: 1\r\nContent-Length: 5\r\nx: 2\r\n\r\n").unwrap(), b"");
        assert_eq!(self::read(b"0\r\nX : 1\r\n\r\n").result, Err(Reason::SpaceBeforeColon));
    }

    #[test]
    fn folds_are_replaced_in_responses_alone() {
        // RFC 9112 §5.2
        let wire = b"X: a\r\n b\r\n\r\n";
        let mut in_response = ChunkDecoder { state: State::Trailers, ..ChunkDecoder::of_response() };
        match in_response.decode(&mut BytesMut::from(&wire[..]), u64::MAX, &Config::default()).unwrap() {
            Decoded::End(trailers) => assert_eq!(trailers.as_wire(), b"X: a b\r\n"),
            other => panic!("{other:?}"),
        }
        let mut in_request = ChunkDecoder { state: State::Trailers, ..ChunkDecoder::default() };
        let refused = in_request.decode(&mut BytesMut::from(&wire[..]), u64::MAX, &Config::default()).unwrap_err();
        assert_eq!(refused, Broken(Reason::ObsFold, 6));
    }

    #[test]
    fn budgets_are_spent() {
        let mut config = Config::default();
        config.limits.chunk_line = 8;
        config.limits.chunk_extensions = 9;
        config.limits.trailers = 12;
        let read = |wire: &[u8]| read_all_ways(Framing::Chunked, wire, &config).result.map(|_| ());
        assert_eq!(read(b"1;a=bcd\r\nx\r\n0\r\n\r\n"), Ok(()));
        assert_eq!(read(b"1;a=bcdef\r\nx\r\n0\r\n\r\n"), Err(Reason::ChunkLineTooLong));
        assert_eq!(read(b"000000001\r\nx\r\n0\r\n\r\n"), Err(Reason::ChunkLineTooLong));
        assert_eq!(read(b"1;abcd\r\nx\r\n1;abcd\r\nx\r\n0\r\n\r\n"), Err(Reason::ChunkExtensionsTooLong));
        assert_eq!(read(b"0\r\nX: 123456\r\n\r\n"), Err(Reason::TrailersTooLong));
        assert_eq!(read(b"0\r\nX: 12345678901234567890"), Err(Reason::TrailersTooLong));
        config.limits.chunk_line = 1;
        let read = |wire: &[u8]| read_all_ways(Framing::Chunked, wire, &config).result.map(|_| ());
        assert_eq!(read(b"01\r\nx\r\n0\r\n\r\n"), Err(Reason::ChunkLineTooLong));
    }

    #[test]
    fn tiny_chunks_come_as_one_piece() {
        let mut input = BytesMut::new();
        for _ in 0..1000 {
            input.extend_from_slice(b"1\r\nx\r\n");
        }
        input.extend_from_slice(b"0\r\n\r\n");
        let mut decoder = ChunkDecoder::default();
        match decoder.decode(&mut input, u64::MAX, &Config::default()).unwrap() {
            Decoded::Data(piece) => assert_eq!(piece.len(), 1000),
            _ => panic!("content expected"),
        }
        assert!(matches!(decoder.decode(&mut input, u64::MAX, &Config::default()), Ok(Decoded::End(_))));
    }
}
