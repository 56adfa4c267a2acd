//! Reads content as its framing says.

use bytes::BytesMut;

use crate::config::Config;
use crate::message::facts::Framing;
use crate::message::field::Fields;
use crate::read::broken::Broken;
use crate::read::chunked::ChunkDecoder;
use crate::read::piece::{Decoded, into_piece};
use crate::reason::Reason;

/// Reads the content of one message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Decoder {
    kind: Kind,
    /// Content bytes so far, if there is a limit to them.
    read: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Length(u64),
    Chunked(ChunkDecoder),
    UntilClose,
}

impl Decoder {
    /// For the content of a response.
    pub(crate) fn of_response(framing: Framing) -> Self {
        let mut decoder = Self::new(framing);
        if let Kind::Chunked(chunks) = &mut decoder.kind {
            *chunks = ChunkDecoder::of_response();
        }
        decoder
    }

    /// For the content of a request.
    pub(crate) fn new(framing: Framing) -> Self {
        let kind = match framing {
            Framing::None => Kind::Length(0),
            Framing::Length(length) => Kind::Length(length),
            Framing::Chunked => Kind::Chunked(ChunkDecoder::default()),
            Framing::UntilClose => Kind::UntilClose,
        };
        Self { kind, read: 0 }
    }

    /// As `decode`, with how far it went: how many bytes were taken off, and how many of the message are new. A trailer
    /// section that drips in goes on though nothing is taken off.
    pub(crate) fn decode_on(&mut self, input: &mut BytesMut, config: &Config) -> (Result<Decoded, Broken>, u64, u64) {
        let (before, ahead) = (input.len(), self.looked_ahead());
        let decoded = self.decode(input, config);
        let taken = (before - input.len()) as u64;
        let ahead_now = if matches!(decoded, Ok(Decoded::End(_))) { 0 } else { self.looked_ahead() };
        (decoded, taken, (taken + ahead_now).saturating_sub(ahead))
    }

    const fn looked_ahead(&self) -> u64 {
        match &self.kind {
            Kind::Chunked(decoder) => decoder.looked_ahead(),
            Kind::Length(_) | Kind::UntilClose => 0,
        }
    }

    /// The next piece of content or the end. Whatever was read is taken off the front of `input`.
    pub(crate) fn decode(&mut self, input: &mut BytesMut, config: &Config) -> Result<Decoded, Broken> {
        // Nothing beyond the limit is taken, so that the first byte of it is refused where it stands.
        let room = config.limits.content.map_or(u64::MAX, |limit| limit.saturating_sub(self.read));
        let decoded = match &mut self.kind {
            Kind::Length(0) => Decoded::End(Fields::new()),
            _ if input.is_empty() => Decoded::Partial,
            Kind::Chunked(decoder) => decoder.decode(input, room, config)?,
            Kind::Length(_) | Kind::UntilClose if room == 0 => return Err(Broken(Reason::ContentTooLong, 0)),
            Kind::Length(left) => {
                let here = usize::try_from(room.min(*left)).unwrap_or(usize::MAX).min(input.len());
                *left -= here as u64;
                Decoded::Data(into_piece(input, here, here))
            }
            Kind::UntilClose => {
                let here = usize::try_from(room).unwrap_or(usize::MAX).min(input.len());
                Decoded::Data(into_piece(input, here, here))
            }
        };
        if let (Decoded::Data(piece), Some(_)) = (&decoded, config.limits.content) {
            self.read += piece.len() as u64;
        }
        Ok(decoded)
    }

    /// Whether the end of the connection is the end of this content.
    pub(crate) const fn ends_with_connection(&self) -> bool {
        matches!(self.kind, Kind::UntilClose)
    }

    /// Whether only the trailer section is missing.
    pub(crate) const fn in_trailers(&self) -> bool {
        matches!(&self.kind, Kind::Chunked(decoder) if decoder.in_trailers())
    }

    /// How many bytes of content are still to come, where that is known.
    pub(crate) const fn remaining(&self) -> Option<u64> {
        match self.kind {
            Kind::Length(left) => Some(left),
            Kind::Chunked(_) | Kind::UntilClose => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// What a reader made of some bytes.
    pub(crate) struct Read {
        pub(crate) result: Result<(Vec<u8>, Fields), Reason>,
        pub(crate) left: Vec<u8>,
    }

    fn read(framing: Framing, pieces: &[&[u8]], config: &Config) -> Read {
        let (mut decoder, mut input, mut content) = (Decoder::new(framing), BytesMut::new(), Vec::new());
        let mut pieces = pieces.iter();
        let result = loop {
            match decoder.decode(&mut input, config) {
                Ok(Decoded::Data(piece)) => {
                    assert!(!piece.is_empty());
                    content.extend_from_slice(&piece);
                }
                Ok(Decoded::Extensions(_)) => panic!("nobody asked"),
                Ok(Decoded::End(trailers)) => break Ok((content, trailers)),
                Ok(Decoded::Partial) => match pieces.next() {
                    Some(piece) => input.extend_from_slice(piece),
                    None => break Err(Reason::Truncated),
                },
                Err(Broken(reason, _)) => break Err(reason),
            }
        };
        input.extend_from_slice(&pieces.copied().collect::<Vec<_>>().concat());
        Read { result, left: input.to_vec() }
    }

    /// Reads the bytes whole, byte by byte, cut in two at every place, and followed by a stranger's: the outcome is
    /// the same, and the stranger's bytes are left alone.
    pub(crate) fn read_all_ways(framing: Framing, wire: &[u8], config: &Config) -> Read {
        let whole = read(framing, &[wire], config);
        let bytes: Vec<&[u8]> = wire.chunks(1).collect();
        assert_eq!(read(framing, &bytes, config).result, whole.result, "byte by byte");
        for cut in 0..wire.len().min(300) {
            let (a, b) = wire.split_at(cut);
            assert_eq!(read(framing, &[a, b], config).result, whole.result, "cut at {cut}");
        }
        if whole.result.is_ok() {
            let stranger = read(framing, &[wire, b"GET /stranger"], config);
            assert_eq!(stranger.result, whole.result, "followed by a stranger's bytes");
            let joined = [wire, b"GET /stranger"].concat();
            assert_eq!(read(framing, &[&joined], config).left, b"GET /stranger");
            assert!(whole.left.is_empty());
        }
        whole
    }

    #[test]
    fn content_of_known_length() {
        let config = Config::default();
        let read = read_all_ways(Framing::Length(5), b"hello", &config);
        assert_eq!(read.result.unwrap().0, b"hello");
        assert_eq!(read_all_ways(Framing::Length(6), b"hello", &config).result, Err(Reason::Truncated));
        assert!(read_all_ways(Framing::Length(0), b"", &config).result.unwrap().0.is_empty());
        let large = alloc::vec![b'x'; 10_000];
        assert_eq!(read_all_ways(Framing::Length(10_000), &large, &config).result.unwrap().0, large);
    }

    #[test]
    fn large_pieces_are_not_copied() {
        let mut input = BytesMut::from(&alloc::vec![b'x'; 100_000][..]);
        let address = input.as_ptr();
        match Decoder::new(Framing::Length(90_000)).decode(&mut input, &Config::default()).unwrap() {
            Decoded::Data(piece) => assert_eq!((piece.len(), piece.as_ptr()), (90_000, address)),
            _ => panic!("content expected"),
        }
        assert_eq!(input.len(), 10_000);
    }

    #[test]
    fn content_has_a_limit() {
        let mut config = Config::default();
        config.limits.content = Some(4);
        assert_eq!(read_all_ways(Framing::Length(4), b"hell", &config).result.unwrap().0, b"hell");
        assert_eq!(
            read_all_ways(Framing::Chunked, b"5\r\nhello\r\n0\r\n\r\n", &config).result,
            Err(Reason::ContentTooLong)
        );
    }
}
