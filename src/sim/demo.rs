//! The demo: four sibling caches of one site whose key spaces outgrow them.
//!
//! Tuned by the built-in rules they get visibly better within two minutes; left alone they get
//! slowly worse. One tick is one second of requests on each. Whoever runs the demo decides when a
//! tick happens, serves [`DemoFleet::page`] and hands tuned parameters to
//! [`DemoFleet::set_parameters`].

mod page;

use crate::sim::cache::CacheConfig;
use crate::sim::cache::CacheTotals;
use crate::sim::cache::TwoLevelCache;
use crate::sim::workload::Demand;
use crate::sim::workload::Growth;
use crate::sim::workload::Stream;
use crate::sim::workload::Workload;
use crate::tuning_parameters::TuningParameters;

/// Ticks that a new fleet has behind it. Cold caches get better by themselves, which would be taken
/// for the tuner's work; after these ticks the levels have long been full.
pub const WARM_UP_TICKS: u64 = 40;

/// Length of a tick.
pub const TICK_SECONDS: u64 = 1;

/// Base time to live. A round one, so that its multiplier is shown by a short expression.
const TTL_SECONDS: f64 = 500.0;

/// Ups and downs of the whole site, and of each cache alone. Together with so many requests that
/// chance does not drown them, the common ones make siblings fit as each other's controls.
const COMMON: f64 = 0.6;
const OWN: f64 = 0.08;

/// The caches: name, size of an entry, demand at the start, new keys a tick, most keys.
const SITES: [(&str, u64, Demand, usize, usize); 4] = [
    ("checkout", 2_048, demand(0.80, 14_000, 1_800), 50, 24_000),
    ("catalog", 8_192, demand(0.75, 16_000, 2_400), 60, 28_000),
    ("search", 4_096, demand(0.85, 20_000, 2_800), 80, 36_000),
    ("sessions", 1_024, demand(0.70, 13_000, 2_000), 40, 21_000),
];

/// The demo's caches and the requests they get.
#[derive(Debug, Clone)]
pub struct DemoFleet {
    sites: Vec<Site>,
    /// Seconds since the fleet was made, its warm-up included.
    uptime_seconds: u64,
}

#[derive(Debug, Clone)]
struct Site {
    name: &'static str,
    stream: Stream,
    cache: TwoLevelCache,
}

// === impl DemoFleet ===

impl DemoFleet {
    /// A warmed-up fleet with default parameters. The same seed gives the same fleet everywhere.
    pub fn new(seed: u64) -> Self {
        let lanes = 0..SITES.len() as u64;
        let sites = lanes.zip(SITES).map(|(lane, (name, entry_bytes, start, per_tick, most))| {
            let growth =
                Growth { start, keys_per_tick: per_tick, keys_max: most, common: COMMON, own: OWN };
            let config = CacheConfig {
                entry_bytes,
                ttl_seconds: Some(TTL_SECONDS),
                ..CacheConfig::default()
            };
            Site {
                name,
                stream: Stream::new(Workload::Growing(growth), seed, lane),
                cache: TwoLevelCache::new(config),
            }
        });
        let mut fleet = Self { sites: sites.collect(), uptime_seconds: 0 };
        for tick in 0..WARM_UP_TICKS {
            fleet.run(tick);
        }
        fleet
    }

    /// Runs one tick of requests on every cache. Ticks are numbered from 0 after the warm-up, and
    /// the requests depend on the number alone.
    pub fn tick(&mut self, tick_index: u64) {
        self.run(WARM_UP_TICKS.saturating_add(tick_index));
    }

    /// Puts parameters in force on the cache of that name at once; `false` if there is none.
    pub fn set_parameters(&mut self, cache: &str, parameters: TuningParameters) -> bool {
        let site = self.sites.iter_mut().find(|site| site.name == cache);
        match site {
            Some(site) => {
                site.cache.set_parameters(parameters);
                true
            }
            None => false,
        }
    }

    /// The parameters in force on the cache of that name.
    pub fn parameters(&self, cache: &str) -> Option<&TuningParameters> {
        self.sites.iter().find(|site| site.name == cache).map(|site| site.cache.parameters())
    }

    /// Names and statistics of the caches, in a fixed order.
    pub fn stats(&self) -> impl Iterator<Item = (&'static str, CacheTotals)> {
        self.sites.iter().map(|site| (site.name, site.cache.stats()))
    }

    /// The Prometheus text page (0.0.4) that a scrape of the demo gets.
    pub fn page(&self) -> String {
        page::render(self)
    }

    fn run(&mut self, tick: u64) {
        let now = tick.saturating_mul(TICK_SECONDS);
        for site in &mut self.sites {
            for key in site.stream.requests(tick) {
                site.cache.request(key, now);
            }
        }
        self.uptime_seconds = now.saturating_add(TICK_SECONDS);
    }
}

const fn demand(exponent: f64, keys: usize, requests: u64) -> Demand {
    Demand { exponent, keys, requests, passing: 0.12 }
}

#[cfg(test)]
mod tests;
