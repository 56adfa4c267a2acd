//! One direction of a simulated transport: takes bytes from a writer and hands them to a reader, in any pieces, until
//! it breaks.

use http_core::End;

use crate::cut::{Cut, Random};

/// Where a pipe breaks, counted in bytes from its start, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The reader reads this end of the stream after so many bytes; the rest is lost, and writing fails.
    End(u64, End),
    /// Writing fails after so many bytes; what was taken is read.
    Write(u64),
    /// Nothing is read after so many bytes, and nothing is taken either; nobody is told.
    Stall(u64),
}

/// What a reader finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Nothing, now.
    Nothing,
    /// Some bytes.
    Bytes(Vec<u8>),
    /// The end of the stream.
    End(End),
}

/// The other side is gone: writing fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// One direction of a transport.
#[derive(Clone, Debug)]
pub struct Pipe {
    waiting: Vec<u8>,
    read: u64,
    taken: u64,
    cut: Cut,
    random: Random,
    /// How much waits at most.
    capacity: usize,
    fault: Option<Break>,
    end: Option<End>,
    reader_gone: bool,
    /// Everything that was read.
    pub history: Vec<u8>,
}

impl Pipe {
    /// A pipe whose reader finds pieces as `cut` says.
    #[must_use]
    pub fn new(cut: Cut) -> Self {
        let seed = if let Cut::Random(seed) = cut { seed } else { 0 };
        Self {
            waiting: vec![],
            read: 0,
            taken: 0,
            random: Random::new(seed),
            capacity: if matches!(cut, Cut::Random(_)) { 10_000 } else { usize::MAX },
            cut,
            fault: None,
            end: None,
            reader_gone: false,
            history: vec![],
        }
    }

    /// The pipe with a place where it breaks.
    #[must_use]
    pub fn breaking(mut self, fault: impl Into<Option<Break>>) -> Self {
        self.fault = fault.into();
        self
    }

    /// Takes some of `slices`, perhaps nothing.
    ///
    /// # Errors
    /// The reader is gone, or the pipe is broken.
    pub fn write(&mut self, slices: &[&[u8]]) -> Result<usize, Gone> {
        if self.reader_gone || self.end.is_some() {
            return Err(Gone);
        }
        let mut room = self.capacity.saturating_sub(self.waiting.len());
        match self.fault {
            Some(Break::Write(at)) if self.taken >= at => return Err(Gone),
            Some(Break::Write(at)) => room = room.min(usize::try_from(at - self.taken).unwrap_or(usize::MAX)),
            Some(Break::End(at, _)) if self.read >= at => return Err(Gone),
            // As much as the system's buffers would take.
            Some(Break::Stall(at)) => room = room.min((at + 512).saturating_sub(self.taken) as usize),
            _ => {}
        }
        if matches!(self.cut, Cut::Random(_)) {
            room = room.min(1 + self.random.below(4000));
        }
        let before = self.waiting.len();
        for slice in slices {
            let most = room - (self.waiting.len() - before);
            self.waiting.extend_from_slice(&slice[..slice.len().min(most)]);
        }
        let count = self.waiting.len() - before;
        self.taken += count as u64;
        Ok(count)
    }

    /// The next piece, or what else there is.
    pub fn read(&mut self) -> Read {
        let mut most = self.waiting.len();
        match self.fault {
            Some(Break::End(at, end)) if self.read >= at => {
                self.waiting.clear();
                self.end = Some(end);
                return Read::End(end);
            }
            Some(Break::Stall(at)) if self.read >= at => return Read::Nothing,
            Some(Break::End(at, _) | Break::Stall(at)) => most = most.min((at - self.read) as usize),
            _ => {}
        }
        if self.waiting.is_empty() {
            return self.end.map_or(Read::Nothing, Read::End);
        }
        let count = self.piece(most);
        if count == 0 {
            return Read::Nothing;
        }
        let piece: Vec<u8> = self.waiting.drain(..count).collect();
        self.read += count as u64;
        self.history.extend_from_slice(&piece);
        Read::Bytes(piece)
    }

    fn piece(&mut self, most: usize) -> usize {
        match self.cut {
            Cut::Whole => most,
            Cut::Bytes => most.min(1),
            Cut::At(at) => match (at as u64).checked_sub(self.read) {
                Some(left) if left > 0 => most.min(left as usize),
                _ => most,
            },
            Cut::Random(_) => {
                let bound = [1, 3, 40, 700, 10_000][self.random.below(5)];
                // 0 is a delay.
                most.min(self.random.below(bound + 1))
            }
        }
    }

    /// Whether something may still be read from it.
    #[must_use]
    pub fn moves(&self) -> bool {
        let stalled = matches!(self.fault, Some(Break::Stall(at)) if self.read >= at);
        !stalled && !self.waiting.is_empty()
    }

    /// Whether the place where it breaks was reached by the reader.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        match self.fault {
            Some(Break::End(at, _) | Break::Stall(at)) => self.read >= at,
            Some(Break::Write(at)) => self.taken >= at,
            None => false,
        }
    }

    /// The end of the stream that its break makes.
    #[must_use]
    pub const fn break_end(&self) -> Option<End> {
        match self.fault {
            Some(Break::End(_, end)) => Some(end),
            _ => None,
        }
    }

    /// The writer ends the stream; what waits is still read.
    pub fn finish(&mut self, end: End) {
        self.end.get_or_insert(end);
    }

    /// The writer is gone at once; what waits is lost.
    pub fn kill(&mut self, end: End) {
        self.waiting.clear();
        self.finish(end);
        self.reader_gone = true;
    }

    /// The reader is gone.
    pub fn abandon(&mut self) {
        self.waiting.clear();
        self.reader_gone = true;
    }
}
