//! Draws keys by Zipf's law: the key of rank k is asked for k^−s times as often as the first.
//!
//! An inverse table of cumulated weights rather than rejection sampling: it is exact, takes one
//! random number a draw whatever the outcome, and a key space that grows only appends to it.
//! Weights are integers, and the power is taken by square roots, which IEEE 754 fixes to the last
//! bit; `powf` differs between platforms.

use crate::sim::rng::SplitMix64;

/// Most keys of one sampler; larger numbers are cut to it. 8 MiB of table.
pub const KEYS_MAX: usize = 1 << 20;

/// Steepest exponent; beyond it a handful of keys takes all requests.
pub const EXPONENT_MAX: f64 = 4.0;

/// Weight of the first key. With [`KEYS_MAX`] equal weights the sum is 2⁶⁰ and fits.
const WEIGHT_FIRST: f64 = (1_u64 << 40) as f64;

/// Binary digits of the exponent's fraction that count: 2⁻²⁴ changes no weight by a millionth.
const FRACTION_BITS: u32 = 24;

/// A sampler of keys `0, 1, 2, …`, the first the most popular.
#[derive(Debug, Clone)]
pub struct Zipf {
    exponent: f64,
    /// Weights of the keys up to and including each.
    cumulated: Vec<u64>,
}

// === impl Zipf ===

impl Zipf {
    /// A sampler with the given exponent, cut to 0 (all keys alike) to [`EXPONENT_MAX`].
    pub fn new(exponent: f64) -> Self {
        Self { exponent: exponent.clamp(0.0, EXPONENT_MAX), cumulated: Vec::new() }
    }

    /// Draws a key from `0..keys`, `keys` being at least 1 and at most [`KEYS_MAX`]. The table
    /// grows with the largest number asked for so far; the draw does not depend on what was asked
    /// before.
    pub fn draw(&mut self, rng: &mut SplitMix64, keys: usize) -> u64 {
        let keys = keys.clamp(1, KEYS_MAX);
        self.extend_to(keys);
        let table = &self.cumulated[..keys];
        let total = table[keys - 1];
        let mark = rng.draw_below(total);
        table.partition_point(|&sum| sum <= mark) as u64
    }

    fn extend_to(&mut self, keys: usize) {
        let mut sum = self.cumulated.last().copied().unwrap_or(0);
        for rank in self.cumulated.len() + 1..=keys {
            sum += weight(rank, self.exponent);
            self.cumulated.push(sum);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to 2⁴⁰, and the fraction is meant to go"
)]
fn weight(rank: usize, exponent: f64) -> u64 {
    ((WEIGHT_FIRST / power(rank as f64, exponent)) as u64).max(1)
}

/// `base` to the power `exponent`, for a base of at least 1 and an exponent from 0 to
/// [`EXPONENT_MAX`]: the product of the roots base^½, base^¼, … whose digit is set in the exponent.
fn power(base: f64, exponent: f64) -> f64 {
    let mut result = 1.0;
    let mut rest = exponent;
    while rest >= 1.0 {
        result *= base;
        rest -= 1.0;
    }
    let mut root = base;
    for _ in 0..FRACTION_BITS {
        root = root.sqrt();
        rest *= 2.0;
        if rest >= 1.0 {
            result *= root;
            rest -= 1.0;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_agrees_with_the_library() {
        for base in [1.0, 2.0, 3.0, 10.0, 999.0, 1_048_576.0] {
            for exponent in [0.0, 0.5, 0.7, 0.8, 1.0, 1.2, 2.75, 4.0] {
                let (ours, library) = (power(base, exponent), f64::powf(base, exponent));
                assert!((ours / library - 1.0).abs() < 2e-6, "{base}^{exponent}: {ours}");
            }
        }
    }

    #[track_caller]
    fn check_frequencies(exponent: f64, keys: usize) {
        let draws = 200_000;
        let (mut zipf, mut rng) = (Zipf::new(exponent), SplitMix64::new(7));
        let mut counts = vec![0_u32; keys];
        for _ in 0..draws {
            counts[usize::try_from(zipf.draw(&mut rng, keys)).unwrap()] += 1;
        }
        let total: f64 = (1..=keys).map(|rank| (rank as f64).powf(-exponent)).sum();
        for (place, &count) in counts.iter().enumerate() {
            let want = f64::from(draws) * ((place + 1) as f64).powf(-exponent) / total;
            // Five standard deviations of a Poisson count.
            assert!((f64::from(count) - want).abs() < 5.0 * want.sqrt(), "{place}: {count} {want}");
        }
    }

    #[test]
    fn frequencies_follow_the_law() {
        check_frequencies(0.0, 10);
        check_frequencies(0.7, 100);
        check_frequencies(1.0, 100);
        check_frequencies(1.2, 50);
    }

    #[test]
    fn draw_depends_on_the_number_of_keys_alone() {
        let (mut fresh, mut grown) = (Zipf::new(0.8), Zipf::new(0.8));
        grown.draw(&mut SplitMix64::new(1), 5_000);
        for seed in 0..200 {
            let ours = fresh.draw(&mut SplitMix64::new(seed), 100);
            assert_eq!(ours, grown.draw(&mut SplitMix64::new(seed), 100));
            assert!(ours < 100);
        }
    }

    #[test]
    fn a_space_of_no_keys_counts_as_one() {
        assert_eq!(Zipf::new(0.8).draw(&mut SplitMix64::new(1), 0), 0);
    }
}
