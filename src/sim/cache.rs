//! A cache of two levels whose size, promotion and expiry follow the parameters that are tuned.
//!
//! The levels are inclusive: a miss fills both. How strictly they stay so is a choice, because real
//! products differ in it and a tuner meets both, see [`Inclusion`]. Time is a whole number of
//! seconds that the caller gives; costs are fixed per kind of answer, not measured.

mod totals;

use crate::sim::lru::Lru;
use crate::tuning_parameters::TuningParameters;

pub use totals::CacheTotals;
pub use totals::LevelTotals;

/// Cost of a hit in the first level.
pub const L1_HIT_MICROS: u64 = 80;
/// Cost of a hit in the second level.
pub const L2_HIT_MICROS: u64 = 350;
/// Cost of a miss: both levels were asked, then the origin.
pub const MISS_MICROS: u64 = 4_000;
/// Cost of a put: both levels are written.
pub const PUT_MICROS: u64 = 120;

/// Share of the capacity that eviction aggressiveness moves over its whole range, 0 to 1.
const AGGRESSIVENESS_SHARE: f64 = 0.2;
/// Aggressiveness at which a level uses exactly its nominal size.
const AGGRESSIVENESS_NEUTRAL: f64 = 0.5;

/// What level 2 learns of level 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Inclusion {
    /// What level 1 holds, level 2 holds too, and what leaves level 2 leaves both. Every look-up
    /// refreshes level 2, so its order is that of all requests and a key in use never ages out
    /// beneath level 1. The size of level 1 moves latency alone, never the share of misses.
    #[default]
    Strict,
    /// Level 2 sees only what level 1 could not answer, and what leaves it may live on in level 1:
    /// memory in front of a disk. Both sizes move the share of misses.
    Filling,
}

/// What a cache is built with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CacheConfig {
    /// Base size of level 1 in entries.
    pub l1_entries: usize,
    /// Base size of level 2 in entries.
    pub l2_entries: usize,
    /// Size of every entry.
    pub entry_bytes: u64,
    /// Base time to live in seconds; `None`: entries never expire.
    pub ttl_seconds: Option<f64>,
    /// What level 2 learns of level 1.
    pub inclusion: Inclusion,
}

/// Where a request was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// By level 1.
    L1,
    /// By level 2.
    L2,
    /// By neither.
    Miss,
}

/// The cache. A clone is an exact fork: given the same requests, both stay the same.
#[derive(Debug, Clone)]
pub struct TwoLevelCache {
    config: CacheConfig,
    parameters: TuningParameters,
    /// The second at which an entry was stored.
    l1: Lru<u64>,
    l2: Lru<Entry>,
    counts: Counts,
}

/// What level 2 knows of an entry.
#[derive(Debug, Clone, Copy)]
struct Entry {
    stored_seconds: u64,
    /// Hits in level 2 since it came in or was last promoted.
    l2_hits: u32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    l1_hits: u64,
    l2_hits: u64,
    misses: u64,
    l1_evictions: u64,
    l2_evictions: u64,
    promotions: u64,
    expirations: u64,
    puts: u64,
}

// === impl CacheConfig ===

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            l1_entries: 2_000,
            l2_entries: 6_000,
            entry_bytes: 1_024,
            ttl_seconds: None,
            inclusion: Inclusion::Strict,
        }
    }
}

// === impl TwoLevelCache ===

impl TwoLevelCache {
    /// An empty cache with the default parameters.
    pub fn new(config: CacheConfig) -> Self {
        let mut cache = Self {
            config,
            parameters: TuningParameters::default(),
            l1: Lru::new(config.l1_entries),
            l2: Lru::new(config.l2_entries),
            counts: Counts::default(),
        };
        cache.set_parameters(TuningParameters::default());
        cache
    }

    /// The parameters in force.
    pub fn parameters(&self) -> &TuningParameters {
        &self.parameters
    }

    /// What the cache was built with.
    pub fn config(&self) -> &CacheConfig {
        &self.config
    }

    /// Time to live in force, in seconds; `None`: entries never expire.
    pub fn ttl_seconds(&self) -> Option<f64> {
        self.config.ttl_seconds.map(|base| base * self.parameters.ttl_multiplier)
    }

    /// Puts parameters in force at once; a level that shrinks evicts.
    pub fn set_parameters(&mut self, parameters: TuningParameters) {
        self.parameters = parameters;
        let aggressiveness = parameters.eviction_aggressiveness.clamp(0.0, 1.0);
        let used = 1.0 - AGGRESSIVENESS_SHARE * (aggressiveness - AGGRESSIVENESS_NEUTRAL);
        let l2 = scale(self.config.l2_entries, parameters.l2_size_multiplier * used);
        for key in self.l2.set_capacity(l2) {
            self.forget(key);
        }
        let l1 = scale(self.config.l1_entries, parameters.l1_size_multiplier * used);
        self.counts.l1_evictions += self.l1.set_capacity(l1).len() as u64;
    }

    /// Answers a request at the second `now`, and fills both levels where neither has the key.
    pub fn request(&mut self, key: u64, now: u64) -> Answer {
        let answer = self.get(key, now);
        if answer == Answer::Miss {
            self.put(key, now);
        }
        answer
    }

    /// Looks `key` up at the second `now`.
    pub fn get(&mut self, key: u64, now: u64) -> Answer {
        let answer = match self.config.inclusion {
            Inclusion::Strict => self.find_below_first(key, now),
            Inclusion::Filling => self.find_above_first(key, now),
        };
        match answer {
            Answer::L1 => self.counts.l1_hits += 1,
            Answer::L2 => self.counts.l2_hits += 1,
            Answer::Miss => self.counts.misses += 1,
        }
        answer
    }

    /// Strict: what level 2 does not have, level 1 does not have either, so one look-up answers
    /// for both.
    fn find_below_first(&mut self, key: u64, now: u64) -> Answer {
        let Some(&mut Entry { stored_seconds, .. }) = self.l2.touch(key) else {
            return Answer::Miss;
        };
        if self.expire(key, stored_seconds, now) {
            return Answer::Miss;
        }
        if self.l1.touch(key).is_some() {
            return Answer::L1;
        }
        self.hit_l2(key);
        Answer::L2
    }

    /// Filling: level 2 is asked only for what level 1 does not have.
    fn find_above_first(&mut self, key: u64, now: u64) -> Answer {
        if let Some(&mut stored_seconds) = self.l1.touch(key) {
            let expired = self.expire(key, stored_seconds, now);
            return if expired { Answer::Miss } else { Answer::L1 };
        }
        let stored_seconds = self.l2.touch(key).map(|entry| entry.stored_seconds);
        if stored_seconds.is_none_or(|stored| self.expire(key, stored, now)) {
            return Answer::Miss;
        }
        self.hit_l2(key);
        Answer::L2
    }

    /// Takes `key` out of both levels if it is too old; `true` if it was.
    fn expire(&mut self, key: u64, stored_seconds: u64, now: u64) -> bool {
        let age = now.saturating_sub(stored_seconds);
        let expired = self.ttl_seconds().is_some_and(|ttl| age as f64 >= ttl);
        if expired {
            self.l1.remove(key);
            self.l2.remove(key);
            self.counts.expirations += 1;
        }
        expired
    }

    /// Counts a hit of the entry in level 2, which promotes it when it was hit often enough.
    fn hit_l2(&mut self, key: u64) {
        let Some(entry) = self.l2.touch(key) else { return };
        entry.l2_hits += 1;
        if u64::from(entry.l2_hits) >= self.parameters.promotion_threshold {
            entry.l2_hits = 0;
            let stored_seconds = entry.stored_seconds;
            self.counts.promotions += 1;
            self.counts.l1_evictions += u64::from(self.l1.insert(key, stored_seconds).is_some());
        }
    }

    /// Writes `key` to both levels at the second `now`.
    pub fn put(&mut self, key: u64, now: u64) {
        self.counts.puts += 1;
        if let Some(evicted) = self.l2.insert(key, Entry { stored_seconds: now, l2_hits: 0 }) {
            self.forget(evicted);
        }
        self.counts.l1_evictions += u64::from(self.l1.insert(key, now).is_some());
    }

    /// The statistics as they stand.
    pub fn stats(&self) -> CacheTotals {
        let Counts { l1_hits, l2_hits, misses, promotions, expirations, puts, .. } = self.counts;
        let CacheConfig { l1_entries, l2_entries, .. } = self.config;
        let get_count = l1_hits + l2_hits + misses;
        let get_micros = l1_hits * L1_HIT_MICROS + l2_hits * L2_HIT_MICROS + misses * MISS_MICROS;
        CacheTotals {
            l1: LevelTotals {
                hits: l1_hits,
                misses: l2_hits + misses,
                evictions: self.counts.l1_evictions,
                ..self.sizes(&self.l1, l1_entries, self.parameters.l1_size_multiplier)
            },
            l2: LevelTotals {
                hits: l2_hits,
                misses,
                evictions: self.counts.l2_evictions,
                ..self.sizes(&self.l2, l2_entries, self.parameters.l2_size_multiplier)
            },
            hits: l1_hits + l2_hits,
            misses,
            promotions,
            expirations,
            operations: get_count + puts,
            get_seconds: get_micros as f64 / 1e6,
            get_count,
            put_seconds: (puts * PUT_MICROS) as f64 / 1e6,
            put_count: puts,
        }
    }

    fn sizes<V: Copy>(&self, level: &Lru<V>, base: usize, multiplier: f64) -> LevelTotals {
        let most = 1.0 + AGGRESSIVENESS_SHARE * AGGRESSIVENESS_NEUTRAL;
        LevelTotals {
            entries: level.len() as u64,
            capacity: level.capacity() as u64,
            usage_bytes: level.len() as u64 * self.config.entry_bytes,
            max_usage_bytes: scale(base, multiplier * most) as u64 * self.config.entry_bytes,
            ..LevelTotals::default()
        }
    }

    /// Counts that `key` was evicted from level 2; where inclusion is strict, it leaves level 1 as
    /// well.
    fn forget(&mut self, key: u64) {
        self.counts.l2_evictions += 1;
        if self.config.inclusion == Inclusion::Filling {
            return;
        }
        self.counts.l1_evictions += u64::from(self.l1.remove(key).is_some());
    }
}

/// `entries` times `factor`, rounded; at least 1, which a level's own bounds ask for too.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and what is below 1 is raised to it before"
)]
fn scale(entries: usize, factor: f64) -> usize {
    (entries as f64 * factor).round().max(1.0) as usize
}

#[cfg(test)]
mod tests;
