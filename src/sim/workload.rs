//! What a cache is asked for: a stream of keys that depends on (workload, seed, lane, tick) alone.
//!
//! No state is carried from tick to tick, so a fork, a restart or a skipped tick sees the same
//! requests as everyone else at that tick. Caches of one job share the seed and differ by lane:
//! what comes from the seed alone (ups and downs of the whole site) moves all of them together,
//! what comes from the lane moves one.

use crate::sim::rng;
use crate::sim::rng::SplitMix64;
use crate::sim::shape::Moment;
use crate::sim::shape::Shape;
use crate::sim::zipf::Zipf;

/// Most requests of one tick, whatever a workload asks for; also the room for passing keys.
pub const REQUESTS_PER_TICK_MAX: u64 = 1 << 20;

/// Keys from here on pass once and never come back.
const PASSING_KEYS: u64 = 1 << 62;

/// Keys from here on are read in order by scans.
const SCAN_KEYS: u64 = 1 << 61;

/// Keys from here on are those of a flash crowd.
const CROWD_KEYS: u64 = 1 << 60;

/// Ticks between two turns of the ups and downs.
const SWING_PERIOD_TICKS: u64 = 15;

/// Lane of the draws that all siblings share; no cache has it.
const COMMON_LANE: u64 = u64::MAX;

/// How requests come about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Workload {
    /// The same at every tick.
    Zipf(Demand),
    /// A key space that grows, under ups and downs.
    Growing(Growth),
    /// One of the courses that tuners are measured on.
    Shaped(Shape),
}

/// Requests of one tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// Steepness of Zipf's law.
    pub exponent: f64,
    /// Keys asked for.
    pub keys: usize,
    /// Requests a tick.
    pub requests: u64,
    /// Share of the requests, 0 to 1, for keys that nobody asks for again: crawlers, typing errors.
    pub passing: f64,
}

/// A demand whose key space grows from tick to tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Growth {
    /// The demand at tick 0, before ups and downs.
    pub start: Demand,
    /// Keys that are new with every tick, less popular than all before.
    pub keys_per_tick: usize,
    /// Where growth ends.
    pub keys_max: usize,
    /// Ups and downs that all siblings share, as a share of requests and of passing keys.
    pub common: f64,
    /// Ups and downs of this cache alone.
    pub own: f64,
}

/// The requests of one cache.
#[derive(Debug, Clone)]
pub struct Stream {
    workload: Workload,
    common_seed: u64,
    own_seed: u64,
    /// A table that only saves work: what is drawn does not depend on it.
    zipf: Zipf,
}

// === impl Workload ===

impl Workload {
    /// What holds at `tick` for the cache whose draws come from `own_seed`.
    fn moment(&self, common_seed: u64, own_seed: u64, tick: u64) -> Moment {
        match self {
            Self::Zipf(demand) => Moment::plain(*demand),
            Self::Growing(growth) => Moment::plain(growth.demand(common_seed, own_seed, tick)),
            Self::Shaped(shape) => shape.moment(common_seed, own_seed, tick),
        }
    }

    fn exponent(&self) -> f64 {
        match self {
            Self::Zipf(demand) => demand.exponent,
            Self::Growing(growth) => growth.start.exponent,
            Self::Shaped(shape) => shape.demand.exponent,
        }
    }
}

impl Growth {
    fn demand(&self, common_seed: u64, own_seed: u64, tick: u64) -> Demand {
        let ticks = usize::try_from(tick).unwrap_or(usize::MAX);
        let keys = self.start.keys.saturating_add(self.keys_per_tick.saturating_mul(ticks));
        // Half of it wanders and half of it jumps: trends to see, and steps to correlate.
        let common = 0.5
            * (rng::swing(common_seed, tick, SWING_PERIOD_TICKS) + rng::jitter(!common_seed, tick));
        let factor = 1.0 + self.common * common + self.own * rng::jitter(own_seed, tick);
        Demand {
            exponent: self.start.exponent,
            keys: keys.min(self.keys_max),
            requests: part(self.start.requests, factor),
            passing: self.start.passing * factor,
        }
    }
}

// === impl Stream ===

impl Stream {
    /// The stream of the cache in `lane`; siblings have the same `seed`.
    pub fn new(workload: Workload, seed: u64, lane: u64) -> Self {
        Self {
            workload,
            common_seed: rng::fork_seed(seed, COMMON_LANE),
            own_seed: rng::fork_seed(seed, lane),
            zipf: Zipf::new(workload.exponent()),
        }
    }

    /// The keys asked for at `tick`, in order.
    pub fn requests(&mut self, tick: u64) -> impl Iterator<Item = u64> {
        let moment = self.workload.moment(self.common_seed, self.own_seed, tick);
        let Moment { demand, .. } = moment;
        let requests = demand.requests.min(REQUESTS_PER_TICK_MAX);
        let mut rng = SplitMix64::new(rng::fork_seed(!self.own_seed, tick));
        // One draw says what kind of request it is: these are the marks between the kinds.
        let passing = part(1 << 32, demand.passing);
        let scanning = passing + part(1 << 32, moment.scanning);
        let crowding = scanning + part(1 << 32, moment.crowding);
        let serial = tick.wrapping_mul(REQUESTS_PER_TICK_MAX);
        let mut scanned = tick.wrapping_mul(part(requests, moment.scanning));
        (0..requests).map(move |request| {
            let kind = rng.draw_below(1 << 32);
            if kind < passing {
                PASSING_KEYS | serial.wrapping_add(request)
            } else if kind < scanning {
                scanned = scanned.wrapping_add(1);
                SCAN_KEYS | (scanned % moment.scan_keys.max(1))
            } else if kind < crowding {
                CROWD_KEYS | rng.draw_below(moment.crowd_keys)
            } else {
                let rank = self.zipf.draw(&mut rng, demand.keys);
                moment.key_of_rank(rank)
            }
        })
    }
}

/// `factor` times `whole`, rounded; 0 for what is below.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates at both ends, which is what is wanted"
)]
pub(super) fn part(whole: u64, factor: f64) -> u64 {
    (whole as f64 * factor).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMAND: Demand = Demand { exponent: 0.8, keys: 500, requests: 400, passing: 0.1 };
    const GROWTH: Growth =
        Growth { start: DEMAND, keys_per_tick: 10, keys_max: 800, common: 0.4, own: 0.1 };

    fn keys(workload: Workload, seed: u64, lane: u64, tick: u64) -> Vec<u64> {
        Stream::new(workload, seed, lane).requests(tick).collect()
    }

    #[test]
    fn stream_depends_on_workload_seed_lane_and_tick_alone() {
        for workload in [Workload::Zipf(DEMAND), Workload::Growing(GROWTH)] {
            let mut used = Stream::new(workload, 5, 1);
            used.requests(90).for_each(drop);
            assert_eq!(used.requests(3).collect::<Vec<_>>(), keys(workload, 5, 1, 3));
            assert_ne!(keys(workload, 5, 1, 3), keys(workload, 5, 1, 4));
            assert_ne!(keys(workload, 5, 1, 3), keys(workload, 5, 2, 3));
            assert_ne!(keys(workload, 5, 1, 3), keys(workload, 6, 1, 3));
        }
    }

    #[test]
    fn key_space_grows_to_its_limit() {
        #[track_caller]
        fn check(tick: u64, want: usize) {
            assert_eq!(GROWTH.demand(1, 2, tick).keys, want);
        }
        check(0, 500);
        check(10, 600);
        check(30, 800);
        check(u64::MAX, 800);
    }

    #[test]
    fn passing_keys_never_come_back() {
        let mut stream = Stream::new(Workload::Zipf(DEMAND), 1, 0);
        let mut passing: Vec<u64> = Vec::new();
        for tick in 0..50 {
            passing.extend(stream.requests(tick).filter(|&key| key >= PASSING_KEYS));
        }
        let drawn = passing.len();
        assert!((1_700..2_300).contains(&drawn), "{drawn}");
        passing.sort_unstable();
        passing.dedup();
        assert_eq!(passing.len(), drawn);
    }

    #[test]
    fn siblings_rise_and_fall_together() {
        let requests = |lane, tick| {
            GROWTH.demand(rng::fork_seed(1, COMMON_LANE), rng::fork_seed(1, lane), tick).requests
                as f64
        };
        let steps =
            |lane| (0..300).map(move |tick| requests(lane, tick + 1) - requests(lane, tick));
        let product: f64 = steps(0).zip(steps(1)).map(|(ours, theirs)| ours * theirs).sum();
        let norm = |lane| steps(lane).map(|step| step * step).sum::<f64>().sqrt();
        let correlation = product / (norm(0) * norm(1));
        assert!((0.5..0.99).contains(&correlation), "{correlation}");
    }
}
