//! From what two scrapes say of a cache to the signals of the interval between them.
//!
//! Rates are taken over the real time between the two, from increases per series. What a cache does
//! not show, or what has no meaning in an interval (no traffic, no limit set), is absent: `None`,
//! never 0.

mod interval;
mod window;

use crate::signal::Signal;
use crate::units::Timestamp;

pub use interval::Interval;
pub use interval::between;
pub use interval::restarted_since;
pub use window::Window;

/// The signals of a cache over one interval, named as in rez-next's `PerformanceSnapshot`. Every
/// value is finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PerformanceSnapshot {
    /// The end of the interval.
    pub timestamp: Timestamp,
    /// Share of requests answered by the cache; 0 to 1.
    pub hit_rate: Option<f64>,
    /// The same for level 1.
    pub l1_hit_rate: Option<f64>,
    /// The same for level 2.
    pub l2_hit_rate: Option<f64>,
    /// Level 1, used ÷ max; percent.
    pub memory_usage_percent: Option<f64>,
    /// Level 2, used ÷ max; percent.
    pub disk_usage_percent: Option<f64>,
    /// Mean time of a get; microseconds.
    pub avg_get_latency_us: Option<f64>,
    /// Mean time of a put; microseconds.
    pub avg_put_latency_us: Option<f64>,
    /// Operations per second.
    pub ops_per_second: Option<f64>,
    /// Evictions of both levels per minute.
    pub eviction_rate: Option<f64>,
    /// Promotions from level 2 to level 1 per minute.
    pub promotion_rate: Option<f64>,
}

impl PerformanceSnapshot {
    /// A snapshot in which every signal is absent.
    pub const fn empty(timestamp: Timestamp) -> Self {
        Self {
            timestamp,
            hit_rate: None,
            l1_hit_rate: None,
            l2_hit_rate: None,
            memory_usage_percent: None,
            disk_usage_percent: None,
            avg_get_latency_us: None,
            avg_put_latency_us: None,
            ops_per_second: None,
            eviction_rate: None,
            promotion_rate: None,
        }
    }

    /// The value of a signal, in the signal's unit.
    pub const fn value(&self, signal: Signal) -> Option<f64> {
        match signal {
            Signal::HitRate => self.hit_rate,
            Signal::L1HitRate => self.l1_hit_rate,
            Signal::L2HitRate => self.l2_hit_rate,
            Signal::MemoryUsagePercent => self.memory_usage_percent,
            Signal::DiskUsagePercent => self.disk_usage_percent,
            Signal::AvgGetLatencyUs => self.avg_get_latency_us,
            Signal::AvgPutLatencyUs => self.avg_put_latency_us,
            Signal::OpsPerSecond => self.ops_per_second,
            Signal::EvictionRate => self.eviction_rate,
            Signal::PromotionRate => self.promotion_rate,
        }
    }

    /// Sets a signal; a value that is not finite makes it absent.
    pub fn set(&mut self, signal: Signal, value: Option<f64>) {
        let slot = match signal {
            Signal::HitRate => &mut self.hit_rate,
            Signal::L1HitRate => &mut self.l1_hit_rate,
            Signal::L2HitRate => &mut self.l2_hit_rate,
            Signal::MemoryUsagePercent => &mut self.memory_usage_percent,
            Signal::DiskUsagePercent => &mut self.disk_usage_percent,
            Signal::AvgGetLatencyUs => &mut self.avg_get_latency_us,
            Signal::AvgPutLatencyUs => &mut self.avg_put_latency_us,
            Signal::OpsPerSecond => &mut self.ops_per_second,
            Signal::EvictionRate => &mut self.eviction_rate,
            Signal::PromotionRate => &mut self.promotion_rate,
        };
        *slot = value.filter(|value| value.is_finite());
    }
}
