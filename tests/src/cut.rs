//! Ways to cut input into pieces, and the small generator of random numbers behind them.

/// SplitMix64: the same numbers from the same seed, on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator with this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator whose seed comes from a name, so that a case is cut alike in every run.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)))
    }

    /// The seed from which this generator goes on.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.0
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, or 0.
    pub const fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }
}

/// How input is cut.
#[derive(Clone, Debug)]
pub enum Cut {
    /// Not at all.
    Whole,
    /// Into single bytes.
    Bytes,
    /// In two, at this place.
    At(usize),
    /// In a few places, by this seed.
    Random(u64),
}

impl Cut {
    /// The pieces of `bytes`, none of them empty.
    #[must_use]
    pub fn pieces<'a>(&self, bytes: &'a [u8]) -> Vec<&'a [u8]> {
        let mut cuts = match self {
            Self::Whole => vec![],
            Self::Bytes => (1..bytes.len()).collect(),
            Self::At(at) => vec![*at],
            Self::Random(seed) => {
                let mut random = Random::new(*seed);
                (0..=random.below(6)).map(|_| random.below(bytes.len())).collect()
            }
        };
        cuts.push(bytes.len());
        cuts.sort_unstable();
        cuts.dedup();
        let mut from = 0;
        let mut pieces = Vec::new();
        for cut in cuts {
            if cut > from {
                pieces.push(&bytes[from..cut]);
                from = cut;
            }
        }
        pieces
    }

    /// The ways that every case is read: whole first, byte by byte, a few at random, and small ones cut in two at
    /// every place.
    pub fn ways(name: &str, length: usize) -> impl Iterator<Item = Self> {
        let mut random = Random::named(name);
        let seeds: Vec<_> = (0..4).map(|_| random.next()).collect();
        let halves = if length <= 400 { 1..length } else { 0..0 };
        [Self::Whole, Self::Bytes].into_iter().chain(seeds.into_iter().map(Self::Random)).chain(halves.map(Self::At))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_the_whole() {
        let bytes: Vec<u8> = (0..100).collect();
        for cut in Cut::ways("x", bytes.len()) {
            let pieces = cut.pieces(&bytes);
            assert_eq!(pieces.concat(), bytes, "{cut:?}");
            assert!(pieces.iter().all(|p| !p.is_empty()));
        }
        assert_eq!(Cut::Bytes.pieces(&bytes).len(), 100);
        assert!(Cut::Bytes.pieces(b"").is_empty());
    }
}
