//! What one scrape says of one cache, in roles: the products' statistics under names that are the
//! same for all of them. A profile fills it, the snapshot takes the difference of two.
//!
//! A cumulative role keeps its series apart, because increases must be taken per series *before*
//! they are added: when one of several counters restarts, the sum may still have grown.

use std::collections::HashSet;
use std::sync::Arc;

use litemap::LiteMap;
use smallvec::SmallVec;

use crate::parameter::Parameter;

/// A statistic of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Look-ups answered, all levels together.
    Hits,
    /// Look-ups not answered by any level.
    Misses,
    /// Look-ups answered by level 1.
    L1Hits,
    /// Look-ups not answered by level 1.
    L1Misses,
    /// Entries in level 1.
    L1Entries,
    /// Most entries level 1 may hold.
    L1Capacity,
    /// Bytes used by level 1.
    L1UsageBytes,
    /// Most bytes level 1 may use.
    L1MaxUsageBytes,
    /// Entries thrown out of level 1 for want of room.
    L1Evictions,
    /// Look-ups answered by level 2.
    L2Hits,
    /// Look-ups not answered by level 2.
    L2Misses,
    /// Entries in level 2.
    L2Entries,
    /// Most entries level 2 may hold.
    L2Capacity,
    /// Bytes used by level 2.
    L2UsageBytes,
    /// Most bytes level 2 may use.
    L2MaxUsageBytes,
    /// Entries thrown out of level 2 for want of room.
    L2Evictions,
    /// Entries moved up from level 2 to level 1.
    Promotions,
    /// Operations of any kind.
    Operations,
    /// Seconds spent in gets.
    GetSeconds,
    /// Gets timed in [`GetSeconds`](Self::GetSeconds).
    GetCount,
    /// Seconds spent in puts.
    PutSeconds,
    /// Puts timed in [`PutSeconds`](Self::PutSeconds).
    PutCount,
    /// Mean time of a get in microseconds, of a product that shows no sum and count.
    AvgGetLatencyUs,
    /// Mean time of a put in microseconds, of a product that shows no sum and count.
    AvgPutLatencyUs,
    /// Operations per second, of a product that shows no count.
    OpsPerSecond,
}

/// How the values of a role are to be read. The role says so; the exposition's TYPE is never
/// trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, until it restarts; its increase over an interval counts.
    Cumulative,
    /// Its value counts.
    Level,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 25] = [
        Self::Hits,
        Self::Misses,
        Self::L1Hits,
        Self::L1Misses,
        Self::L1Entries,
        Self::L1Capacity,
        Self::L1UsageBytes,
        Self::L1MaxUsageBytes,
        Self::L1Evictions,
        Self::L2Hits,
        Self::L2Misses,
        Self::L2Entries,
        Self::L2Capacity,
        Self::L2UsageBytes,
        Self::L2MaxUsageBytes,
        Self::L2Evictions,
        Self::Promotions,
        Self::Operations,
        Self::GetSeconds,
        Self::GetCount,
        Self::PutSeconds,
        Self::PutCount,
        Self::AvgGetLatencyUs,
        Self::AvgPutLatencyUs,
        Self::OpsPerSecond,
    ];

    /// The name used in profiles.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hits => "hits",
            Self::Misses => "misses",
            Self::L1Hits => "l1_hits",
            Self::L1Misses => "l1_misses",
            Self::L1Entries => "l1_entries",
            Self::L1Capacity => "l1_capacity",
            Self::L1UsageBytes => "l1_usage_bytes",
            Self::L1MaxUsageBytes => "l1_max_usage_bytes",
            Self::L1Evictions => "l1_evictions",
            Self::L2Hits => "l2_hits",
            Self::L2Misses => "l2_misses",
            Self::L2Entries => "l2_entries",
            Self::L2Capacity => "l2_capacity",
            Self::L2UsageBytes => "l2_usage_bytes",
            Self::L2MaxUsageBytes => "l2_max_usage_bytes",
            Self::L2Evictions => "l2_evictions",
            Self::Promotions => "promotions",
            Self::Operations => "operations",
            Self::GetSeconds => "get_seconds",
            Self::GetCount => "get_count",
            Self::PutSeconds => "put_seconds",
            Self::PutCount => "put_count",
            Self::AvgGetLatencyUs => "avg_get_latency_us",
            Self::AvgPutLatencyUs => "avg_put_latency_us",
            Self::OpsPerSecond => "ops_per_second",
        }
    }

    /// The role of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// How its values are to be read.
    pub const fn kind(self) -> Kind {
        match self {
            Self::L1Entries
            | Self::L1Capacity
            | Self::L1UsageBytes
            | Self::L1MaxUsageBytes
            | Self::L2Entries
            | Self::L2Capacity
            | Self::L2UsageBytes
            | Self::L2MaxUsageBytes
            | Self::AvgGetLatencyUs
            | Self::AvgPutLatencyUs
            | Self::OpsPerSecond => Kind::Level,
            _ => Kind::Cumulative,
        }
    }
}

/// Series of a role up to which missing ones are remembered. Products have a handful; labels that
/// change with every scrape must not pile up.
pub const TERMS_REMEMBERED_MAX: usize = 1000;

/// One series' share in a cumulative role.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// Name and labels of the series, in a form that is the same at every scrape.
    pub series: Arc<str>,
    /// What its increase is multiplied with.
    pub coefficient: f64,
    /// Its value now; finite.
    pub value: f64,
    /// The value it had before it was first seen: set where the profile says `default N`, that is
    /// where a series is missing until its first event.
    pub counts_from: Option<f64>,
}

/// The series of a role; most have one.
pub type Terms = SmallVec<[Term; 1]>;

/// What one scrape says of one cache. A role that the page does not show is not there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CacheStats {
    /// The series of each cumulative role.
    pub cumulative: LiteMap<Role, Terms>,
    /// The value of each level role; finite.
    pub levels: LiteMap<Role, f64>,
    /// When the cache's process started, in seconds since the epoch.
    pub started_at: Option<f64>,
    /// How long the cache's process has been running, in seconds, as of some moment of the scrape.
    pub uptime: Option<f64>,
    /// What the target shows of each parameter, in the product's own unit; finite.
    pub observed: LiteMap<Parameter, f64>,
}

impl CacheStats {
    /// The same, with the series that `earlier` had and that are missing now, if a `default` says
    /// what they began at: one that comes back goes on from its last value, and is not new again.
    #[must_use]
    pub fn remembering(mut self, earlier: &Self) -> Self {
        for (role, terms) in &earlier.cumulative {
            // Most roles have no default, and this runs for every cache at every scrape.
            if terms.iter().all(|term| term.counts_from.is_none()) {
                continue;
            }
            let Some(now) = self.cumulative.get_mut(role) else { continue };
            let shown: HashSet<Arc<str>> = now.iter().map(|t| Arc::clone(&t.series)).collect();
            let missing = terms
                .iter()
                .filter(|term| term.counts_from.is_some() && !shown.contains(&term.series));
            let room = TERMS_REMEMBERED_MAX.saturating_sub(now.len());
            now.extend(missing.take(room).cloned());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Role;

    #[test]
    fn every_role_is_found_by_its_name() {
        for (index, role) in Role::ALL.into_iter().enumerate() {
            assert_eq!(Role::from_name(role.name()), Some(role));
            assert_eq!(role as usize, index);
        }
    }
}
