//! What a scrape of a simulated cache says, in roles, without the way over a page and a profile.
//!
//! The same statistics as the demo's page shows and `rules/profiles/demo.yaml` maps, so that
//! snapshots are made by the code that makes them from real caches.

use std::sync::Arc;

use litemap::LiteMap;
use smallvec::smallvec;

use crate::cache_stats::CacheStats;
use crate::cache_stats::Role;
use crate::cache_stats::Term;
use crate::sim::cache::CacheTotals;

/// The statistics of a cache that started at `started_at`, in seconds.
pub(super) fn of_totals(totals: &CacheTotals, started_at: u64) -> CacheStats {
    let CacheTotals { l1, l2, .. } = totals;
    let counts = [
        (Role::Hits, totals.hits as f64),
        (Role::Misses, totals.misses as f64),
        (Role::L1Hits, l1.hits as f64),
        (Role::L1Misses, l1.misses as f64),
        (Role::L1Evictions, l1.evictions as f64),
        (Role::L2Hits, l2.hits as f64),
        (Role::L2Misses, l2.misses as f64),
        (Role::L2Evictions, l2.evictions as f64),
        (Role::Promotions, totals.promotions as f64),
        (Role::Operations, totals.operations as f64),
        (Role::GetSeconds, totals.get_seconds),
        (Role::GetCount, totals.get_count as f64),
        (Role::PutSeconds, totals.put_seconds),
        (Role::PutCount, totals.put_count as f64),
    ];
    let levels = [
        (Role::L1Entries, l1.entries),
        (Role::L1Capacity, l1.capacity),
        (Role::L1UsageBytes, l1.usage_bytes),
        (Role::L1MaxUsageBytes, l1.max_usage_bytes),
        (Role::L2Entries, l2.entries),
        (Role::L2Capacity, l2.capacity),
        (Role::L2UsageBytes, l2.usage_bytes),
        (Role::L2MaxUsageBytes, l2.max_usage_bytes),
    ];
    let series: Arc<str> = "".into();
    let term =
        |value| Term { series: Arc::clone(&series), coefficient: 1.0, value, counts_from: None };
    CacheStats {
        cumulative: counts
            .into_iter()
            .map(|(role, value)| (role, smallvec![term(value)]))
            .collect(),
        levels: levels.into_iter().map(|(role, value)| (role, value as f64)).collect(),
        started_at: Some(started_at as f64),
        uptime: None,
        observed: LiteMap::new(),
    }
}
