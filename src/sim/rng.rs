//! Random numbers that are the same for a seed on every platform and in every release.
//!
//! `SplitMix64` (Steele, Lea and Flood 2014): one addition and one mixing step a number, a period
//! of 2⁶⁴, good enough for workloads. A crate would bring better generators, but also releases that
//! change their streams; recorded results must not depend on that.

/// The golden ratio as a 64-bit fraction: the increment that gives `SplitMix64` its full period.
const INCREMENT: u64 = 0x9E37_79B9_7F4A_7C15;

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct SplitMix64 {
    state: u64,
}

// === impl SplitMix64 ===

impl SplitMix64 {
    /// The stream that belongs to `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Draws a number from all of `u64`.
    pub fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(INCREMENT);
        mix(self.state)
    }

    /// Draws a number from `0..limit`; 0 where `limit` is 0.
    ///
    /// The high half of a 128-bit product, without rejection: the bias is below `limit` ÷ 2⁶⁴.
    pub fn draw_below(&mut self, limit: u64) -> u64 {
        let product = u128::from(self.draw()) * u128::from(limit);
        u64::try_from(product >> 64).unwrap_or(0)
    }
}

/// Scrambles `value` so that near values give unrelated ones (the finaliser of `SplitMix64`).
pub fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// One seed out of two: the sub-stream `lane` of `seed`.
pub fn fork_seed(seed: u64, lane: u64) -> u64 {
    mix(mix(seed.wrapping_add(INCREMENT)).wrapping_add(lane.wrapping_mul(INCREMENT)))
}

/// A number from −1 to 1 that belongs to (`seed`, `tick`), uniformly distributed.
pub fn jitter(seed: u64, tick: u64) -> f64 {
    // 53 bits fill the mantissa, so the division is exact.
    let unit = (fork_seed(seed, tick) >> 11) as f64 / (1_u64 << 53) as f64;
    2.0 * unit - 1.0
}

/// A number from −1 to 1 that wanders with `tick`: straight lines between a [`jitter`] every
/// `period` ticks.
pub fn swing(seed: u64, tick: u64, period: u64) -> f64 {
    let period = period.max(1);
    let knot = tick / period;
    let share = (tick % period) as f64 / period as f64;
    (1.0 - share) * jitter(seed, knot) + share * jitter(seed, knot + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_is_the_published_one() {
        // Reference values of `SplitMix64` with the seed 1234567 (Rosetta Code, Java's
        // SplittableRandom).
        let mut rng = SplitMix64::new(1_234_567);
        assert_eq!(rng.draw(), 6_457_827_717_110_365_317);
        assert_eq!(rng.draw(), 3_203_168_211_198_807_973);
        assert_eq!(rng.draw(), 9_817_491_932_198_370_423);
    }

    #[test]
    fn draws_stay_below_their_limit_and_reach_all_of_it() {
        let mut rng = SplitMix64::new(1);
        let mut seen = [0_u32; 7];
        for _ in 0..7_000 {
            seen[usize::try_from(rng.draw_below(7)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|&count| (800..1_200).contains(&count)), "{seen:?}");
        assert_eq!(rng.draw_below(0), 0);
    }

    #[test]
    fn swing_stays_within_one_and_moves_by_small_steps() {
        for tick in 0..1_000 {
            let (here, next) = (swing(9, tick, 20), swing(9, tick + 1, 20));
            assert!(here.abs() <= 1.0);
            assert!((next - here).abs() <= 0.1 + 1e-12, "{tick}: {here} to {next}");
        }
    }
}
