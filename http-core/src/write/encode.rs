//! Writes content as its framing says, and never more or less than was announced.

use bytes::Bytes;

use crate::message::field::Fields;
use crate::message::misuse::Misuse;
use crate::message::trailers::may_be_trailers;
use crate::write::chunks;
use crate::write::generate::SendFraming;
use crate::write::outbox::Outbox;

/// Writes the content of one message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Encoder {
    Length(u64),
    Chunked,
    UntilClose,
    /// The content that a peer must not be sent is taken and dropped.
    Omit,
}

impl Encoder {
    /// The encoder for content that follows; `None` if none may.
    pub(crate) const fn new(framing: SendFraming) -> Option<Self> {
        match framing {
            SendFraming::None => None,
            SendFraming::Omitted => Some(Self::Omit),
            SendFraming::Length(length) => Some(Self::Length(length)),
            SendFraming::Chunked => Some(Self::Chunked),
            SendFraming::UntilClose => Some(Self::UntilClose),
        }
    }

    /// Queues a piece of content. An empty one changes nothing: it would end a chunked message.
    pub(crate) fn write(&mut self, content: Bytes, outbox: &mut Outbox) -> Result<(), Misuse> {
        self.check(content.len())?;
        match self {
            _ if content.is_empty() => {}
            Self::Omit => {}
            Self::Chunked => {
                outbox.write(|out| chunks::write_size(content.len(), out));
                outbox.push(content);
                outbox.push_copy(b"\r\n");
            }
            Self::Length(_) | Self::UntilClose => outbox.push(content),
        }
        Ok(())
    }

    /// The same for bytes that are copied in any case.
    pub(crate) fn write_copy(&mut self, content: &[u8], outbox: &mut Outbox) -> Result<(), Misuse> {
        self.check(content.len())?;
        match self {
            _ if content.is_empty() => {}
            Self::Omit => {}
            Self::Chunked => {
                outbox.write(|out| {
                    chunks::write_size(content.len(), out);
                    out.extend_from_slice(content);
                    out.extend_from_slice(b"\r\n");
                });
            }
            Self::Length(_) | Self::UntilClose => outbox.push_copy(content),
        }
        Ok(())
    }

    /// Queues the end.
    pub(crate) fn end(&self, trailers: &Fields, outbox: &mut Outbox) -> Result<(), Misuse> {
        if !trailers.is_empty() && (*self != Self::Chunked && *self != Self::Omit || !may_be_trailers(trailers)) {
            return Err(Misuse::Trailers);
        }
        match self {
            Self::Length(left) if *left > 0 => Err(Misuse::TooLittleContent),
            Self::Chunked => {
                outbox.write(|out| chunks::write_end(trailers, out));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Takes `length` bytes off what was announced.
    fn check(&mut self, length: usize) -> Result<(), Misuse> {
        if let Self::Length(left) = self {
            *left = left.checked_sub(length as u64).ok_or(Misuse::TooMuchContent)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_piece_does_not_end_a_chunked_message() {
        // RFC 9112 §7.1: a chunk of no bytes is the last one.
        let (mut encoder, mut outbox) = (Encoder::Chunked, Outbox::default());
        encoder.write(Bytes::new(), &mut outbox).unwrap();
        encoder.write_copy(b"", &mut outbox).unwrap();
        assert!(outbox.is_empty());
    }
}
