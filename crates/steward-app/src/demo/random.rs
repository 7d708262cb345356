//! Randomness that is the same on every machine: SplitMix64 (Steele, Lea, Flood 2014), seeded by what it is for.
//!
//! Each run has a generator of its own, seeded by the demo's seed, its workflow and its place in the day, so that a
//! change to one workflow's texts leaves the others as they were.

/// A generator of pseudo-random numbers.
#[derive(Debug, Clone)]
pub(super) struct Random {
    state: u64,
}

impl Random {
    /// A generator for one purpose: equal words give equal numbers.
    pub(super) fn new(seed: u64, words: &[u64]) -> Self {
        let mut random = Self { state: seed };
        for word in words {
            random.state = random.next() ^ word.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        random
    }

    /// The next 64 bits.
    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A share in `[0, 1)`.
    pub(super) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether something of this probability happens.
    pub(super) fn happens(&mut self, probability: f64) -> bool {
        self.share() < probability
    }

    /// A whole number in `[0, n)`; 0 when `n` is.
    pub(super) fn below(&mut self, n: usize) -> usize {
        // The bias of the remainder is below 10⁻¹⁵ for lists of texts.
        (self.next() % (n.max(1) as u64)) as usize
    }

    /// A whole number in `[low, high]`.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1).unsigned_abs() as usize) as i64
    }

    /// A number around 1, between `1 - spread` and `1 + spread`.
    pub(super) fn around(&mut self, spread: f64) -> f64 {
        1.0 - spread + 2.0 * spread * self.share()
    }

    /// One of some texts; empty of none.
    pub(super) fn pick(&mut self, texts: &[&'static str]) -> &'static str {
        texts.get(self.below(texts.len())).copied().unwrap_or_default()
    }

    /// A place by weights; 0 when all are nothing.
    pub(super) fn weighted(&mut self, weights: &[f64]) -> usize {
        let mut left = self.share() * weights.iter().sum::<f64>();
        for (place, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return place;
            }
        }
        0
    }

    /// How many of many rare things happen when so many are expected (Knuth's count of products).
    pub(super) fn poisson(&mut self, expected: f64) -> usize {
        // The product of shares would underflow for one large step, so large numbers go in several.
        let (mut n, mut left) = (0, expected);
        while left > 0.0 {
            let limit = (-left.min(30.0)).exp();
            let mut product = self.share();
            while product > limit {
                n += 1;
                product *= self.share();
            }
            left -= 30.0;
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        let mut random = Random::new(1_234_567, &[]);
        assert_eq!([random.next(), random.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn counts_have_their_mean() {
        let mut random = Random::new(1, &[2]);
        for expected in [0.4, 5.0, 80.0] {
            let mean = (0..2_000).map(|_| random.poisson(expected) as f64).sum::<f64>() / 2_000.0;
            assert!((mean / expected - 1.0).abs() < 0.08, "{mean} of {expected}");
        }
        assert_eq!(random.poisson(0.0), 0);
    }
}
