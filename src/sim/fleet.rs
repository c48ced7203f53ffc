//! A job of simulated caches, ticking: the caches that tuning is measured on.
//!
//! A [`Member`] is one cache with its requests. It can be cloned at any moment, and a clone that is
//! tuned otherwise tells what the tuning did: nothing but the parameters differs. A [`Job`] adds
//! what a tuner sees of its members, made by the crate's own code for snapshots, with the scrapes
//! that fail and the restarts that happen.

use std::sync::Arc;
use std::time::Duration;

use crate::cache_stats::CacheStats;
use crate::sim::cache::Answer;
use crate::sim::cache::CacheConfig;
use crate::sim::cache::Inclusion;
use crate::sim::cache::TwoLevelCache;
use crate::sim::catalogue::Scenario;
use crate::sim::catalogue::TICK_SECONDS;
use crate::sim::disturbance::Disturbance;
use crate::sim::statistics;
use crate::sim::traffic::Traffic;
use crate::snapshot;
use crate::snapshot::Interval;
use crate::snapshot::PerformanceSnapshot;
use crate::tuning_parameters::TuningParameters;
use crate::units::Timestamp;

/// Base size of a cache that gets a trace, as a share of the keys that it is asked for: traces are
/// far smaller than the workloads, and a cache that holds all of one cannot be tuned.
const TRACE_SIZE_SHARE: usize = 10;

/// Of the base size, so many parts are level 2 and one is level 1, as in the workloads.
const L2_PARTS: usize = 3;

/// Smallest and largest size that an outside hand gives level 2, against its first.
const HAND_SIZES: (f64, f64) = (0.5, 3.0);

/// One cache and its requests.
#[derive(Debug, Clone)]
pub struct Member {
    traffic: Arc<Traffic>,
    disturbance: Disturbance,
    seed: u64,
    lane: usize,
    cache: TwoLevelCache,
    /// As asked for; an outside hand may have made something else of it.
    wanted: TuningParameters,
    /// The size of level 2 that an outside hand set, until another is asked for.
    by_hand: Option<f64>,
    /// Ticks behind it.
    ticks: u64,
    started_seconds: u64,
}

/// What a cache answered in one tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// Requests.
    pub requests: u64,
    /// Of them, those that either level answered.
    pub hits: u64,
}

/// The caches of a job and what was last seen of each.
#[derive(Debug, Clone)]
pub struct Job {
    members: Vec<Member>,
    scraped: Vec<(Arc<CacheStats>, Timestamp)>,
}

/// One tick of one cache.
#[derive(Debug, Clone, PartialEq)]
pub struct Beat {
    /// What really happened.
    pub answered: Answered,
    /// What a tuner sees of it.
    pub seen: Seen,
    /// When.
    pub at: Timestamp,
    /// What the scrape showed; `None` where it failed.
    pub shown: Option<Arc<CacheStats>>,
}

/// What a tuner sees of a cache after a tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seen {
    /// The signals since the last good scrape.
    Snapshot(PerformanceSnapshot),
    /// The cache restarted; what was known of it describes another one.
    Restarted,
    /// The scrape failed.
    Nothing,
}

// === impl Member ===

impl Member {
    /// Runs the next tick.
    pub fn run_tick(&mut self) -> Answered {
        let lane = self.lane as u64;
        let now = self.ticks * TICK_SECONDS;
        if self.disturbance.restarts(self.seed, lane, self.ticks) {
            self.cache = TwoLevelCache::new(*self.cache.config());
            self.started_seconds = now;
        }
        let mut in_force = self.wanted;
        let size = self.by_hand.unwrap_or(in_force.l2_size_multiplier);
        let factor = self.disturbance.hand(self.seed, lane, self.ticks);
        if (factor - 1.0).abs() > 0.0 {
            self.by_hand = Some((size * factor).clamp(HAND_SIZES.0, HAND_SIZES.1));
        }
        in_force.l2_size_multiplier = self.by_hand.unwrap_or(size);
        if *self.cache.parameters() != in_force {
            self.cache.set_parameters(in_force);
        }
        let traffic = Arc::clone(&self.traffic);
        let requests = traffic.requests(self.lane, self.ticks);
        let mut hits = 0;
        for &key in requests {
            hits += u64::from(self.cache.request(u64::from(key), now) != Answer::Miss);
        }
        self.ticks += 1;
        Answered { requests: requests.len() as u64, hits }
    }

    /// Ticks that it has behind it.
    pub fn ticks(&self) -> u64 {
        self.ticks
    }

    /// The end of its last tick.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(0) + Duration::from_secs(self.ticks * TICK_SECONDS)
    }

    /// The parameters as they were last set.
    pub fn parameters(&self) -> &TuningParameters {
        &self.wanted
    }

    /// Sets the parameters from the next tick on.
    pub fn set_parameters(&mut self, parameters: TuningParameters) {
        if self.wanted != parameters {
            self.by_hand = None;
        }
        self.wanted = parameters;
    }

    /// Entries that both levels may hold at present ÷ entries that they were built for.
    pub fn capacity_ratio(&self) -> f64 {
        let totals = self.cache.stats();
        (totals.l1.capacity + totals.l2.capacity) as f64 / self.base_capacity() as f64
    }

    /// Entries that both levels together were built for.
    pub fn base_capacity(&self) -> usize {
        let CacheConfig { l1_entries, l2_entries, .. } = *self.cache.config();
        l1_entries + l2_entries
    }

    /// What a scrape would say of it now.
    pub fn stats(&self) -> CacheStats {
        statistics::of_totals(&self.cache.stats(), self.started_seconds)
    }
}

// === impl Job ===

impl Job {
    /// The caches of a scenario, empty, with their requests.
    pub fn new(scenario: &Scenario, traffic: &Arc<Traffic>, seed: u64) -> Self {
        let config = CacheConfig {
            ttl_seconds: scenario.ttl_seconds,
            inclusion: Inclusion::Filling,
            ..CacheConfig::default()
        };
        Self::of_caches(|_| config, scenario.disturbance, traffic, seed)
    }

    /// Caches that share the keys of a trace, of a size that fits their share.
    pub fn of_trace(traffic: &Arc<Traffic>, seed: u64) -> Self {
        let keys: Vec<usize> = (0..traffic.caches()).map(|at| traffic.distinct_keys(at)).collect();
        let config = |lane: usize| {
            let l1_entries = (keys[lane] / TRACE_SIZE_SHARE / (1 + L2_PARTS)).max(1);
            CacheConfig {
                l1_entries,
                l2_entries: L2_PARTS * l1_entries,
                inclusion: Inclusion::Filling,
                ..CacheConfig::default()
            }
        };
        Self::of_caches(config, Disturbance::None, traffic, seed)
    }

    fn of_caches(
        config: impl Fn(usize) -> CacheConfig,
        disturbance: Disturbance,
        traffic: &Arc<Traffic>,
        seed: u64,
    ) -> Self {
        let members: Vec<Member> = (0..traffic.caches())
            .map(|lane| Member {
                traffic: Arc::clone(traffic),
                disturbance,
                seed,
                lane,
                cache: TwoLevelCache::new(config(lane)),
                wanted: TuningParameters::default(),
                by_hand: None,
                ticks: 0,
                started_seconds: 0,
            })
            .collect();
        let scraped = members.iter().map(|m| (Arc::new(m.stats()), m.now())).collect();
        Self { members, scraped }
    }

    /// Runs the next tick on every cache and scrapes it.
    pub fn run_tick(&mut self) -> Vec<Beat> {
        let pairs = self.members.iter_mut().zip(&mut self.scraped);
        pairs
            .map(|(member, last)| {
                let (disturbance, seed) = (member.disturbance, member.seed);
                let failed = disturbance.misses_scrape(seed, member.lane as u64, member.ticks);
                let answered = member.run_tick();
                let seen = if failed { Seen::Nothing } else { scrape(member, last) };
                let shown = (!failed).then(|| Arc::clone(&last.0));
                Beat { answered, seen, at: member.now(), shown }
            })
            .collect()
    }

    /// The caches, in the order of their lanes.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The cache in that lane.
    pub fn member_mut(&mut self, lane: usize) -> Option<&mut Member> {
        self.members.get_mut(lane)
    }
}

fn scrape(member: &Member, last: &mut (Arc<CacheStats>, Timestamp)) -> Seen {
    let (stats, now) = (Arc::new(member.stats()), member.now());
    let (before, then) = std::mem::replace(last, (stats, now));
    match snapshot::between(&before, then, &last.0, now) {
        Interval::Measured(snapshot) => Seen::Snapshot(snapshot),
        Interval::Restarted => Seen::Restarted,
        Interval::Empty => Seen::Nothing,
    }
}

#[cfg(test)]
mod tests;
