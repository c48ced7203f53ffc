//! The page that a scrape of the demo gets: Prometheus text format 0.0.4.
//!
//! One table of metric families, each with the reading it shows; adding one is adding a line. The
//! names are those that `rules/profiles/demo.yaml` maps to roles.

use std::fmt::Write;

use crate::parameter::Parameter;
use crate::sim::cache::CacheTotals;
use crate::sim::cache::LevelTotals;
use crate::sim::cache::TwoLevelCache;
use crate::sim::demo::DemoFleet;

struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    reading: Reading,
}

/// Where the samples of a family come from.
#[derive(Clone, Copy)]
enum Reading {
    /// One sample a cache, out of its statistics.
    Cache(fn(&CacheTotals) -> f64),
    /// One sample a cache and level.
    Level(fn(&LevelTotals) -> u64),
    /// One sample a cache, out of its settings; absent where it has none.
    Setting(fn(&TwoLevelCache) -> Option<f64>),
}

const fn counter(name: &'static str, help: &'static str, reading: Reading) -> Family {
    Family { name, kind: "counter", help, reading }
}

const fn gauge(name: &'static str, help: &'static str, reading: Reading) -> Family {
    Family { name, kind: "gauge", help, reading }
}

const FAMILIES: &[Family] = &[
    counter("hits_total", "Look-ups answered by the level.", Reading::Level(|level| level.hits)),
    counter(
        "misses_total",
        "Look-ups of the level that it could not answer.",
        Reading::Level(|level| level.misses),
    ),
    counter(
        "evictions_total",
        "Entries that had to leave the level for others.",
        Reading::Level(|level| level.evictions),
    ),
    gauge("entries", "Entries held by the level.", Reading::Level(|level| level.entries)),
    gauge(
        "capacity_entries",
        "Most entries the level holds at the present settings.",
        Reading::Level(|level| level.capacity),
    ),
    gauge("usage_bytes", "Bytes held by the level.", Reading::Level(|level| level.usage_bytes)),
    gauge(
        "max_usage_bytes",
        "Bytes set aside for the level.",
        Reading::Level(|level| level.max_usage_bytes),
    ),
    counter(
        "promotions_total",
        "Entries taken from level 2 into level 1.",
        Reading::Cache(|cache| cache.promotions as f64),
    ),
    counter(
        "expirations_total",
        "Entries that were found too old.",
        Reading::Cache(|cache| cache.expirations as f64),
    ),
    counter("operations_total", "Gets and puts.", Reading::Cache(|cache| cache.operations as f64)),
    counter("get_seconds_total", "Time taken by gets.", Reading::Cache(|cache| cache.get_seconds)),
    counter("gets_total", "Gets.", Reading::Cache(|cache| cache.get_count as f64)),
    counter("put_seconds_total", "Time taken by puts.", Reading::Cache(|cache| cache.put_seconds)),
    counter(
        "puts_total",
        "Puts, those that fill a miss included.",
        Reading::Cache(|cache| cache.put_count as f64),
    ),
    gauge(
        "promotion_threshold_hits",
        "Hits in level 2 after which an entry is promoted.",
        Reading::Setting(|cache| Some(cache.parameters().value(Parameter::PromotionThreshold))),
    ),
    gauge(
        "eviction_aggressiveness",
        "How much room eviction keeps free, from 0 to 1.",
        Reading::Setting(|cache| Some(cache.parameters().eviction_aggressiveness)),
    ),
    gauge(
        "ttl_seconds",
        "Time after which an entry expires.",
        Reading::Setting(TwoLevelCache::ttl_seconds),
    ),
    gauge(
        "preheating_aggressiveness",
        "How eagerly entries are fetched ahead, from 0 to 1; without effect in the demo.",
        Reading::Setting(|cache| Some(cache.parameters().preheating_aggressiveness)),
    ),
];

/// The page of `fleet`.
pub(super) fn render(fleet: &DemoFleet) -> String {
    let mut page = String::new();
    let stats: Vec<CacheTotals> = fleet.stats().map(|(_, stats)| stats).collect();
    for family in FAMILIES {
        let Family { name, kind, help, .. } = family;
        line(&mut page, format_args!("# HELP demo_cache_{name} {help}"));
        line(&mut page, format_args!("# TYPE demo_cache_{name} {kind}"));
        for (site, stats) in fleet.sites.iter().zip(&stats) {
            let cache = site.name;
            match family.reading {
                Reading::Cache(read) => sample(&mut page, name, cache, read(stats)),
                Reading::Setting(read) => {
                    if let Some(value) = read(&site.cache) {
                        sample(&mut page, name, cache, value);
                    }
                }
                Reading::Level(read) => {
                    for (level, stats) in [("l1", &stats.l1), ("l2", &stats.l2)] {
                        let labels = format_args!("{{cache=\"{cache}\",level=\"{level}\"}}");
                        let value = read(stats);
                        line(&mut page, format_args!("demo_cache_{name}{labels} {value}"));
                    }
                }
            }
        }
    }
    line(&mut page, format_args!("# HELP demo_cache_uptime_seconds Age of the caches."));
    line(&mut page, format_args!("# TYPE demo_cache_uptime_seconds gauge"));
    for site in &fleet.sites {
        sample(&mut page, "uptime_seconds", site.name, fleet.uptime_seconds as f64);
    }
    page
}

/// Names are our own and need no escapes.
fn sample(page: &mut String, name: &str, cache: &str, value: f64) {
    line(page, format_args!("demo_cache_{name}{{cache=\"{cache}\"}} {value}"));
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    _ = writeln!(page, "{text}");
}
