//! Signals: the canonical measured quantities of a cache. Whatever a product calls its metrics,
//! rules, snapshots, the API and the judge speak of these ten alone.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

/// A measured quantity of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// Share of requests answered by the cache; ratio.
    HitRate,
    /// The same for level 1 alone; ratio.
    L1HitRate,
    /// The same for level 2 alone; ratio.
    L2HitRate,
    /// Level 1: used ÷ max; percent.
    MemoryUsagePercent,
    /// Level 2: used ÷ max; percent.
    DiskUsagePercent,
    /// Mean time of a get; microseconds.
    AvgGetLatencyUs,
    /// Mean time of a put; microseconds.
    AvgPutLatencyUs,
    /// Operations; per second.
    OpsPerSecond,
    /// Evictions of both levels; per minute.
    EvictionRate,
    /// Promotions from level 2 to level 1; per minute.
    PromotionRate,
}

impl Signal {
    /// How many signals there are.
    pub const COUNT: usize = 10;

    /// Every signal, in the order in which snapshots show them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::HitRate,
        Self::L1HitRate,
        Self::L2HitRate,
        Self::MemoryUsagePercent,
        Self::DiskUsagePercent,
        Self::AvgGetLatencyUs,
        Self::AvgPutLatencyUs,
        Self::OpsPerSecond,
        Self::EvictionRate,
        Self::PromotionRate,
    ];

    /// The name used in rules, the API and replay.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HitRate => "hit_rate",
            Self::L1HitRate => "l1_hit_rate",
            Self::L2HitRate => "l2_hit_rate",
            Self::MemoryUsagePercent => "memory_usage_percent",
            Self::DiskUsagePercent => "disk_usage_percent",
            Self::AvgGetLatencyUs => "avg_get_latency_us",
            Self::AvgPutLatencyUs => "avg_put_latency_us",
            Self::OpsPerSecond => "ops_per_second",
            Self::EvictionRate => "eviction_rate",
            Self::PromotionRate => "promotion_rate",
        }
    }

    /// The unit of [`name`](Self::name)'s values.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::HitRate | Self::L1HitRate | Self::L2HitRate => "ratio",
            Self::MemoryUsagePercent | Self::DiskUsagePercent => "percent",
            Self::AvgGetLatencyUs | Self::AvgPutLatencyUs => "microseconds",
            Self::OpsPerSecond => "1/s",
            Self::EvictionRate | Self::PromotionRate => "1/min",
        }
    }

    /// The signal of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.name() == name)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Signal;

    #[test]
    fn every_signal_is_found_by_its_name_and_stands_at_its_place() {
        for (index, signal) in Signal::ALL.into_iter().enumerate() {
            assert_eq!(Signal::from_name(signal.name()), Some(signal));
            assert_eq!(signal as usize, index);
        }
        assert_eq!(Signal::from_name("hit_ratio"), None);
    }
}
