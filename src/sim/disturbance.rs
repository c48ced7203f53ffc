//! What befalls caches and scrapes besides the requests: the things that make a tuning hard to
//! judge.
//!
//! Like requests, a disturbance depends on (seed, lane, tick) alone, so a fork meets the same.

use crate::sim::rng;

/// Ticks for which an outside hand leaves a size alone.
const HAND_PERIOD_TICKS: u64 = 25;

/// What a hand multiplies or divides a size by.
const HAND_FACTOR: f64 = 1.3;

/// One restart of a cache in that many ticks, on average.
const RESTART_PERIOD_TICKS: u64 = 150;

/// Of a hundred scrapes, so many fail.
const MISSING_PERCENT: u64 = 20;

/// What befalls the caches of a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Disturbance {
    /// Nothing.
    #[default]
    None,
    /// An outside hand resizes level 2 now and then, from whatever size it has.
    Overlap,
    /// Caches restart and are empty.
    Restarts,
    /// A fifth of the scrapes fails.
    MissingScrapes,
}

// === impl Disturbance ===

impl Disturbance {
    /// What an outside hand multiplies the size of level 2 with before `tick`; 1 where it leaves
    /// it alone.
    pub fn hand(self, seed: u64, lane: u64, tick: u64) -> f64 {
        if self != Self::Overlap || !tick.is_multiple_of(HAND_PERIOD_TICKS) {
            return 1.0;
        }
        match draw(seed, lane, tick / HAND_PERIOD_TICKS, 3) {
            0 => HAND_FACTOR,
            1 => 1.0 / HAND_FACTOR,
            _ => 1.0,
        }
    }

    /// Whether the cache restarts before `tick`.
    pub fn restarts(self, seed: u64, lane: u64, tick: u64) -> bool {
        self == Self::Restarts && tick > 0 && draw(seed, lane, tick, RESTART_PERIOD_TICKS) == 0
    }

    /// Whether the scrape after `tick` fails.
    pub fn misses_scrape(self, seed: u64, lane: u64, tick: u64) -> bool {
        self == Self::MissingScrapes && draw(seed, lane, tick, 100) < MISSING_PERCENT
    }
}

/// A number from `0..limit` that belongs to (seed, lane, tick).
fn draw(seed: u64, lane: u64, tick: u64, limit: u64) -> u64 {
    // Complemented: the seeds of the requests are made from the same numbers.
    rng::fork_seed(!rng::fork_seed(!seed, lane), tick) % limit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(of: impl Fn(u64, u64) -> bool) -> usize {
        (0..4)
            .flat_map(|lane| (0..10_000).map(move |tick| (lane, tick)))
            .filter(|&(l, t)| of(l, t))
            .count()
    }

    #[test]
    fn disturbances_are_as_frequent_as_they_say() {
        let restarts = count(|lane, tick| Disturbance::Restarts.restarts(1, lane, tick));
        assert!((200..340).contains(&restarts), "{restarts}");
        let missing = count(|lane, tick| Disturbance::MissingScrapes.misses_scrape(1, lane, tick));
        assert!((7_600..8_400).contains(&missing), "{missing}");
        let larger = count(|lane, tick| Disturbance::Overlap.hand(1, lane, tick) > 1.0);
        let smaller = count(|lane, tick| Disturbance::Overlap.hand(1, lane, tick) < 1.0);
        assert!((440..640).contains(&larger), "{larger}");
        assert!((440..640).contains(&smaller), "{smaller}");
    }

    #[test]
    fn each_disturbs_in_its_own_way_alone() {
        for other in [Disturbance::None, Disturbance::Overlap] {
            assert_eq!(count(|lane, tick| other.restarts(1, lane, tick)), 0);
            assert_eq!(count(|lane, tick| other.misses_scrape(1, lane, tick)), 0);
        }
        let hand = |lane, tick| (Disturbance::Restarts.hand(1, lane, tick) - 1.0).abs() > 0.0;
        assert_eq!(count(hand), 0);
    }
}
