//! Makes inputs of others.

/// The longest input.
const BYTES_MAX: usize = 4096;
/// Numbers at which things change.
const NUMBERS: [u64; 12] = [
    0,
    1,
    0x7d,
    0x7e,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    u64::MAX,
];

/// Makes inputs of a corpus, always the same ones.
pub(crate) struct Mutator {
    seeds: Vec<Vec<u8>>,
    state: u64,
    input: Vec<u8>,
}

impl Mutator {
    /// The name is the seed.
    pub(crate) fn new(name: &str, seeds: Vec<Vec<u8>>) -> Self {
        // FNV-1a.
        let state = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |state: u64, byte| {
                (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        Self {
            seeds,
            state,
            input: Vec::new(),
        }
    }

    /// The next input.
    pub(crate) fn next(&mut self) -> &[u8] {
        let seed = self.below(self.seeds.len());
        self.input.clone_from(&self.seeds[seed]);
        for _ in 0..1 + self.below(6) {
            self.mutate();
        }
        self.input.truncate(BYTES_MAX);
        &self.input
    }

    /// A number below `end`, which may be 0.
    fn below(&mut self, end: usize) -> usize {
        // Xorshift64*, by Vigna.
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let random = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        random as usize % end.max(1)
    }

    /// A part of the input.
    fn range(&mut self) -> std::ops::Range<usize> {
        let start = self.below(self.input.len() + 1);
        let len = self.below(32).min(self.input.len() - start);
        start..start + len
    }

    fn mutate(&mut self) {
        let at = self.below(self.input.len() + 1);
        match self.below(8) {
            0 => {
                let bit = self.below(8);
                if let Some(byte) = self.input.get_mut(at) {
                    *byte ^= 1 << bit;
                }
            }
            1 => {
                let new = self.below(256) as u8;
                if let Some(byte) = self.input.get_mut(at) {
                    *byte = new;
                }
            }
            2 => {
                let new: Vec<u8> = (0..1 + self.below(8))
                    .map(|_| self.below(256) as u8)
                    .collect();
                self.input.splice(at..at, new);
            }
            3 => {
                let range = self.range();
                self.input.drain(range);
            }
            4 => {
                let range = self.range();
                let copy = self.input[range].to_vec();
                for _ in 0..1 + self.below(4) {
                    self.input.splice(at..at, copy.iter().copied());
                }
            }
            5 => {
                let index = self.below(self.seeds.len());
                let other = self.seeds[index].clone();
                let from = self.below(other.len() + 1);
                let to = (from + self.below(64)).min(other.len());
                self.input.splice(at..at, other[from..to].iter().copied());
            }
            6 => {
                let index = self.below(NUMBERS.len());
                let bytes = NUMBERS[index].to_be_bytes();
                let len = 1 << self.below(4);
                let end = (at + len).min(self.input.len());
                self.input.splice(at..end, bytes[8 - len..].iter().copied());
            }
            _ => self.input.truncate(at),
        }
    }
}
