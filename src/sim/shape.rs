//! The courses that demands take in time: what a tuner meets, each kind alone.
//!
//! A course is a function of the tick and of two seeds, one of the site and one of the cache, like
//! all of [`workload`]. When something happens is drawn from a seed as well:
//! tuners act at fixed intervals, and a step that always fell on one of them would flatter or harm
//! some. Popularity moves by turning the key space under Zipf's law, so every course keeps its keys
//! small and few.

use crate::sim::rng;
use crate::sim::workload;
use crate::sim::workload::Demand;

/// Ticks between two turns of the ups and downs.
const SWING_PERIOD_TICKS: u64 = 15;

/// Caches of a site differ in their number of keys by up to that share.
const VARIETY: f64 = 0.35;

/// Every measured run ends before this tick; what happens once happens before.
pub const EVENT_TICK_MAX: u64 = 330;

/// What happens once happens from this tick on: after the warm-up, and a tuner had time to settle.
pub const EVENT_TICK_MIN: u64 = 130;

/// A demand on its course.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    /// Where it starts, before ups and downs.
    pub demand: Demand,
    /// How it goes on.
    pub course: Course,
    /// Ups and downs of the passing keys that all siblings share, as a share of them.
    pub common: f64,
    /// Ups and downs of this cache alone.
    pub own: f64,
}

/// How a demand changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Course {
    /// Not at all.
    Steady,
    /// That many keys are new with every tick, less popular than all before.
    Growth {
        /// New keys a tick.
        keys_per_tick: usize,
    },
    /// Once, the key space becomes that much larger.
    Step {
        /// Keys afterwards ÷ keys before.
        factor: f64,
        /// On all siblings at the same tick, or on each at its own.
        common: bool,
    },
    /// Once, other keys become the popular ones.
    Shift,
    /// From time to time, part of the requests reads a large table in order.
    Scan {
        /// Share of the requests during a scan.
        share: f64,
        /// Keys of the table.
        keys: u64,
        /// Ticks from one scan to the next.
        period: u64,
        /// Ticks of a scan.
        length: u64,
    },
    /// Requests and keys rise and fall evenly, siblings together.
    Diurnal {
        /// Ticks of a day.
        period: u64,
        /// How far both rise and fall, as a share.
        depth: f64,
    },
    /// Once, a crowd comes for a few new keys, on top of all other requests.
    FlashCrowd {
        /// Requests of the crowd ÷ all others.
        factor: f64,
        /// Keys it comes for.
        keys: u64,
        /// Ticks that it stays.
        length: u64,
    },
    /// With every tick the least popular keys become the most popular ones.
    Drift {
        /// So many of them.
        keys_per_tick: u64,
    },
}

/// What holds at one tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moment {
    pub(super) demand: Demand,
    /// Share of the requests that belong to a scan.
    pub(super) scanning: f64,
    pub(super) scan_keys: u64,
    /// Share of the requests that belong to a crowd.
    pub(super) crowding: f64,
    pub(super) crowd_keys: u64,
    /// The key that is the most popular.
    offset: u64,
    /// Keys that turn under the popularity; 0: none does.
    turning_keys: u64,
}

// === impl Shape ===

impl Shape {
    /// A demand that stays as it is, without ups and downs.
    pub const fn steady(demand: Demand) -> Self {
        Self { demand, course: Course::Steady, common: 0.0, own: 0.0 }
    }

    pub(super) fn moment(&self, common_seed: u64, own_seed: u64, tick: u64) -> Moment {
        let mut moment = Moment::plain(self.demand);
        moment.demand.passing *= self.weather(common_seed, own_seed, tick);
        // A jitter beyond all ticks: it is drawn for nothing else.
        let variety = 1.0 + VARIETY * rng::jitter(own_seed, u64::MAX);
        let keys = part(self.demand.keys, variety);
        moment.demand.keys = keys;
        match self.course {
            Course::Steady => {}
            Course::Growth { keys_per_tick } => {
                let ticks = usize::try_from(tick).unwrap_or(usize::MAX);
                moment.demand.keys = keys.saturating_add(keys_per_tick.saturating_mul(ticks));
            }
            Course::Step { factor, common } => {
                let seed = if common { common_seed } else { own_seed };
                if tick >= event_tick(seed) {
                    moment.demand.keys = part(keys, factor);
                }
            }
            Course::Shift => {
                if tick >= event_tick(own_seed) {
                    moment.turn(keys, keys as u64 / 2);
                }
            }
            Course::Drift { keys_per_tick } => {
                let turned = keys_per_tick.wrapping_mul(tick) % (keys as u64).max(1);
                moment.turn(keys, keys as u64 - turned);
            }
            Course::Scan { share, keys, period, length } => {
                // Siblings are read one after the other.
                let phase = own_seed % period.max(1);
                if tick.wrapping_add(phase) % period.max(1) < length {
                    (moment.scanning, moment.scan_keys) = (share, keys);
                }
            }
            Course::Diurnal { period, depth } => {
                let factor =
                    1.0 + depth * triangle(tick.wrapping_add(common_seed % period), period);
                moment.demand.keys = part(keys, factor);
                moment.demand.requests = workload::part(moment.demand.requests, factor);
            }
            Course::FlashCrowd { factor, keys, length } => {
                if (0..length).contains(&tick.wrapping_sub(event_tick(own_seed))) {
                    let all = 1.0 + factor;
                    moment.demand.requests = workload::part(moment.demand.requests, all);
                    moment.demand.passing /= all;
                    (moment.crowding, moment.crowd_keys) = (factor / all, keys);
                }
            }
        }
        moment
    }

    /// Ups and downs: half of them wander and half jump, so that there are trends and steps.
    fn weather(&self, common_seed: u64, own_seed: u64, tick: u64) -> f64 {
        let swings = |seed: u64| {
            0.5 * (rng::swing(seed, tick, SWING_PERIOD_TICKS) + rng::jitter(!seed, tick))
        };
        1.0 + self.common * swings(common_seed) + self.own * swings(own_seed)
    }
}

// === impl Moment ===

impl Moment {
    /// A demand and nothing else.
    pub(super) const fn plain(demand: Demand) -> Self {
        Self {
            demand,
            scanning: 0.0,
            scan_keys: 0,
            crowding: 0.0,
            crowd_keys: 0,
            offset: 0,
            turning_keys: 0,
        }
    }

    fn turn(&mut self, keys: usize, offset: u64) {
        self.turning_keys = keys as u64;
        self.offset = offset % self.turning_keys.max(1);
    }

    /// The key that has that rank in popularity now.
    pub(super) fn key_of_rank(&self, rank: u64) -> u64 {
        let moved = rank + self.offset;
        if moved >= self.turning_keys { moved.saturating_sub(self.turning_keys) } else { moved }
    }
}

/// The tick at which what happens once happens to whoever has that seed.
pub fn event_tick(seed: u64) -> u64 {
    EVENT_TICK_MIN + rng::fork_seed(seed, u64::MAX) % (EVENT_TICK_MAX - EVENT_TICK_MIN)
}

/// From −1 up to 1 and back in `period` ticks, in straight lines.
fn triangle(tick: u64, period: u64) -> f64 {
    let period = period.max(2);
    let share = (tick % period) as f64 / period as f64;
    1.0 - 4.0 * (share - 0.5).abs()
}

/// `factor` times `whole` keys.
fn part(whole: usize, factor: f64) -> usize {
    usize::try_from(workload::part(whole as u64, factor)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMAND: Demand = Demand { exponent: 0.8, keys: 1_000, requests: 400, passing: 0.1 };

    fn moments(course: Course) -> Vec<Moment> {
        let shape = Shape { course, ..Shape::steady(DEMAND) };
        (0..460).map(|tick| shape.moment(3, 4, tick)).collect()
    }

    #[track_caller]
    fn check(course: Course, of: impl Fn(&Moment) -> f64, want: std::ops::RangeInclusive<f64>) {
        let moments = moments(course);
        let before = of(&moments[0]);
        let ratios: Vec<f64> = moments.iter().map(|moment| of(moment) / before).collect();
        let ends = [
            ratios.iter().copied().fold(1.0, f64::min),
            ratios.iter().copied().fold(1.0, f64::max),
        ];
        let close = (ends[0] - want.start()).abs() < 0.02 && (ends[1] - want.end()).abs() < 0.02;
        assert!(close, "{course:?}: {ends:?}");
    }

    #[test]
    fn courses_do_what_they_say() {
        let keys = |moment: &Moment| moment.demand.keys as f64;
        let requests = |moment: &Moment| moment.demand.requests as f64;
        check(Course::Steady, keys, 1.0..=1.0);
        check(Course::Step { factor: 2.0, common: true }, keys, 1.0..=2.0);
        check(Course::FlashCrowd { factor: 1.5, keys: 5, length: 20 }, requests, 1.0..=2.5);
        check(
            Course::FlashCrowd { factor: 1.0, keys: 5, length: 20 },
            |m| m.demand.passing,
            0.5..=1.0,
        );
        let days = moments(Course::Diurnal { period: 100, depth: 0.5 });
        let most = days.iter().map(requests).fold(0.0, f64::max);
        let least = days.iter().map(requests).fold(f64::INFINITY, f64::min);
        assert!((most - 600.0).abs() < 1.0 && (least - 200.0).abs() < 1.0, "{least} to {most}");
        let grown = moments(Course::Growth { keys_per_tick: 10 });
        assert_eq!(grown[459].demand.keys - grown[0].demand.keys, 4_590);
    }

    #[test]
    fn scans_come_and_go() {
        let course = Course::Scan { share: 0.4, keys: 50, period: 46, length: 6 };
        let scanned = moments(course).iter().filter(|moment| moment.scanning > 0.0).count();
        assert_eq!(scanned, 60);
    }

    #[test]
    fn a_turned_key_space_keeps_its_keys() {
        let mut moment = Moment::plain(DEMAND);
        moment.turn(10, 13);
        let keys: Vec<u64> = (0..10).map(|rank| moment.key_of_rank(rank)).collect();
        assert_eq!(keys, [3, 4, 5, 6, 7, 8, 9, 0, 1, 2]);
        assert_eq!(Moment::plain(DEMAND).key_of_rank(7), 7);
    }

    #[test]
    fn siblings_meet_a_common_step_together_and_others_alone() {
        let at = |common: bool, own_seed: u64| {
            let course = Course::Step { factor: 2.0, common };
            let shape = Shape { course, ..Shape::steady(DEMAND) };
            let keys = |tick| shape.moment(3, own_seed, tick).demand.keys;
            (1..460).find(|&tick| keys(tick) != keys(tick - 1)).unwrap()
        };
        assert_eq!(at(true, 4), at(true, 5));
        assert_ne!(at(false, 4), at(false, 5));
    }
}
