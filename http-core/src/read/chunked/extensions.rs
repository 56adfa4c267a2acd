//! Chunks one by one, each with its extensions: for the few who ask for those.

use bytes::{Buf, Bytes, BytesMut};

use super::{ChunkDecoder, State};
use crate::config::Config;
use crate::read::broken::Broken;
use crate::read::piece::{Decoded, into_piece};
use crate::reason::Reason;

impl ChunkDecoder {
    /// As `decode`, but chunks are not slid together, and the extensions of one are told before its content.
    ///
    /// A chunk-size line stays in `input` until all of it is there, so nothing has to be kept of it.
    #[inline(never)]
    pub(super) fn decode_telling(
        &mut self,
        input: &mut BytesMut,
        room: u64,
        config: &Config,
    ) -> Result<Decoded, Broken> {
        loop {
            match self.state {
                State::Trailers => return self.trailers(input, config),
                _ if input.is_empty() => return Ok(Decoded::Partial),
                State::Data(left) => {
                    if room == 0 {
                        return Err(Broken(Reason::ContentTooLong, 0));
                    }
                    let here = usize::try_from(left.min(room)).unwrap_or(usize::MAX).min(input.len());
                    self.state = if here as u64 == left { State::DataCr } else { State::Data(left - here as u64) };
                    return Ok(Decoded::Data(into_piece(input, here, here)));
                }
                State::DataCr | State::DataLf => {
                    self.state = self.control(self.state, input[0], config).map_err(|reason| Broken(reason, 0))?;
                    input.advance(1);
                }
                _ => match self.size_line(input, config)? {
                    None => return Ok(Decoded::Partial),
                    Some(extensions) if extensions.is_empty() => {}
                    Some(extensions) => return Ok(Decoded::Extensions(extensions)),
                },
            }
        }
    }

    /// Reads a whole chunk-size line off the front of `input`; its extensions, from the first semicolon on.
    fn size_line(&mut self, input: &mut BytesMut, config: &Config) -> Result<Option<Bytes>, Broken> {
        let counters = (self.line, self.extensions);
        let mut state = State::Start;
        for at in 0..input.len() {
            state = match self.control(state, input[at], config) {
                Ok(state) => state,
                Err(reason) => return Err(Broken(reason, at)),
            };
            if matches!(state, State::Data(_) | State::Trailers) {
                self.state = state;
                let line = input.split_to(at + 1);
                let line = crate::message::token::trim(&line[..at - 1]);
                let from = line.iter().position(|&byte| byte == b';').unwrap_or(line.len());
                return Ok(Some(Bytes::copy_from_slice(&line[from..])));
            }
        }
        (self.line, self.extensions) = counters;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::facts::Framing;
    use crate::read::decode::Decoder;
    use alloc::string::String;
    use alloc::vec::Vec;

    /// What is told of these bytes, in words, cut into pieces of this size.
    fn told(wire: &str, step: usize) -> Result<Vec<String>, (Reason, u64)> {
        let mut config = Config::default();
        config.events.chunk_extensions = true;
        config.limits.chunk_extensions = 20;
        let (mut decoder, mut input, mut told) = (ChunkDecoder::default(), BytesMut::new(), Vec::<String>::new());
        let mut taken = 0;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        for piece in wire.as_bytes().chunks(step) {
            input.extend_from_slice(piece);
            loop {
                let before = input.len();
                let decoded = decoder.decode(&mut input, u64::MAX, &config);
                taken += (before - input.len()) as u64;
                let decoded = decoded.map_err(|Broken(reason, at)| (reason, taken + at as u64))?;
                match decoded {
                    Decoded::Partial => break,
                    Decoded::End(_) => {
                        told.push("end".into());
                        return Ok(told);
                    }
                    Decoded::Extensions(extensions) => told.push(text(&extensions)),
                    // Where pieces of one chunk end does not matter.
                    Decoded::Data(data) => match told.last_mut() {
                        Some(last) if !last.starts_with(';') => last.push_str(&text(&data)),
                        _ => told.push(text(&data)),
                    },
                }
            }
        }
        Ok(told)
    }

    #[test]
    fn extensions_are_told_before_their_chunk_and_refused_as_ever() {
        for (section, wire, expected) in [
            ("RFC 9112 §7.1.1", "1;a\r\nx\r\n2\r\nyz\r\n0;b=1\r\n\r\n", Ok(&[";a", "xyz", ";b=1", "end"][..])),
            ("RFC 9112 §7.1.1", "1 ;a=\"b\\\";\" ; c\r\nx\r\n0\r\n\r\n", Ok(&[";a=\"b\\\";\" ; c", "x", "end"])),
            ("RFC 9112 §7.1.1", "00000001;\r\nx\r\n0\r\n\r\n", Err((Reason::ChunkExtension, 9))),
            ("RFC 9112 §7.1", "1;a\r\nxy\r\n", Err((Reason::ChunkEnd, 6))),
            ("RFC 9112 §7.1", "1;a\nx\r\n", Err((Reason::BareLf, 3))),
            ("limit", "1;0123456789\r\nx\r\n1;01234567\r\nx\r\n", Ok(&[";0123456789", "x", ";01234567", "x"])),
            ("limit", "1;0123456789\r\nx\r\n1;0123456789\r\n", Err((Reason::ChunkExtensionsTooLong, 27))),
        ] {
            for step in [1, 2, 3, 5, 100] {
                let told = told(wire, step);
                let expected = expected.map(|told| told.iter().map(|&text| text.into()).collect::<Vec<String>>());
                assert_eq!(told, expected, "{section}: {wire:?} by {step}");
            }
        }
    }

    #[test]
    fn content_has_its_limit_here_too() {
        let mut config = Config::default();
        config.events.chunk_extensions = true;
        config.limits.content = Some(3);
        for (wire, expected) in [
            ("2;a\r\nxy\r\n1\r\nz\r\n0\r\n\r\n", Ok(())),
            ("2;a\r\nxy\r\n2\r\nzz\r\n0\r\n\r\n", Err(Reason::ContentTooLong)),
            ("4\r\nxyzz\r\n0\r\n\r\n", Err(Reason::ContentTooLong)),
        ] {
            let (mut decoder, mut input) = (Decoder::new(Framing::Chunked), BytesMut::from(wire));
            let mut content = 0;
            let result = loop {
                match decoder.decode(&mut input, &config) {
                    Ok(Decoded::Data(data)) => {
                        assert!(!data.is_empty());
                        content += data.len();
                    }
                    Ok(Decoded::End(_)) => break Ok(()),
                    Ok(Decoded::Extensions(_)) => {}
                    Ok(Decoded::Partial) => panic!("all of it is there"),
                    Err(Broken(reason, _)) => break Err(reason),
                }
            };
            assert_eq!((result, content), (expected, 3), "{wire:?}");
        }
    }
}
