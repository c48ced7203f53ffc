//! The difference of two scrapes of one cache.
//!
//! A *restart* of the cache and a *reset* of a counter are told apart where the product shows when
//! its process started: `CONFIG RESETSTAT` sets Redis' counters to zero and changes nothing about
//! the cache, so the window stays; a counter that went down then grew from zero, as in Prometheus'
//! `rate()`. Where the start is not shown, a counter that went down is all the evidence there is,
//! and it means a restart.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::PerformanceSnapshot;
use crate::cache_stats::CacheStats;
use crate::cache_stats::Role;
use crate::cache_stats::Term;
use crate::signal::Signal;
use crate::units::Timestamp;

/// Seconds by which a start may seem to move although nothing restarted: exporters compute it from
/// whole seconds of uptime and their own clock.
const START_JITTER_SECONDS_MAX: f64 = 2.0;

/// What lies between two scrapes.
#[derive(Debug, Clone, PartialEq)]
pub enum Interval {
    /// The signals of the interval.
    Measured(PerformanceSnapshot),
    /// The cache restarted in between: what was known of it describes another cache.
    Restarted,
    /// No time passed, so there is no rate.
    Empty,
}

/// The interval from `earlier`, scraped at `from`, to `later`, scraped at `to`.
pub fn between(
    earlier: &CacheStats,
    from: Timestamp,
    later: &CacheStats,
    to: Timestamp,
) -> Interval {
    let seconds = to.saturating_since(from).as_secs_f64();
    if seconds <= 0.0 {
        return Interval::Empty;
    }
    if restarted(earlier, later, seconds) {
        return Interval::Restarted;
    }
    Interval::Measured(measure(&Increases { earlier, later }, later, seconds, to))
}

/// Whether a process that started at `now` (seconds since the epoch) is another one than that which
/// started at `before`.
pub fn restarted_since(before: Option<f64>, now: Option<f64>) -> bool {
    before.zip(now).is_some_and(|(before, now)| now > before + START_JITTER_SECONDS_MAX)
}

fn restarted(earlier: &CacheStats, later: &CacheStats, seconds: f64) -> bool {
    let counters_fell = || {
        later.cumulative.iter().any(|(role, terms)| {
            earlier.cumulative.get(role).is_some_and(|before| any_went_down(before, terms))
        })
    };
    if earlier.started_at.is_some() && later.started_at.is_some() {
        return restarted_since(earlier.started_at, later.started_at);
    }
    if let (Some(before), Some(now)) = (earlier.uptime, later.uptime) {
        // An answer may come seconds after it was asked for, so uptime that lags behind our clock
        // proves little by itself. Where a second life has become longer than what was seen of the
        // first, the counters tell.
        let lags = now - before < seconds - START_JITTER_SECONDS_MAX;
        return now < before || (lags && counters_fell());
    }
    counters_fell()
}

fn any_went_down(before: &[Term], now: &[Term]) -> bool {
    let before = Before::new(before);
    let mut now = now.iter().enumerate();
    now.any(|(index, term)| before.value(index, term).is_some_and(|value| term.value < value))
}

/// The series of a role as they were before.
struct Before<'a> {
    terms: &'a [Term],
    /// Made only where a series is not where it was: pages rarely change their order.
    by_series: OnceCell<HashMap<&'a str, f64>>,
}

impl<'a> Before<'a> {
    const fn new(terms: &'a [Term]) -> Self {
        Self { terms, by_series: OnceCell::new() }
    }

    /// The value that the series of `term` had, which is the `index`th of its role now.
    fn value(&self, index: usize, term: &Term) -> Option<f64> {
        if let Some(same) = self.terms.get(index).filter(|before| before.series == term.series) {
            return Some(same.value);
        }
        let by_series = || self.terms.iter().map(|term| (&*term.series, term.value)).collect();
        self.by_series.get_or_init(by_series).get(&*term.series).copied()
    }
}

/// Increases of the cumulative roles.
struct Increases<'a> {
    earlier: &'a CacheStats,
    later: &'a CacheStats,
}

impl Increases<'_> {
    /// The increase of a role; absent where the role is, or where none of its series was there
    /// before. A difference of series (`requests - misses`) may come out below zero when the two
    /// were read at slightly different moments: then it is 0.
    fn of(&self, role: Role) -> Option<f64> {
        let now = self.later.cumulative.get(&role)?;
        let before = Before::new(self.earlier.cumulative.get(&role).map_or(&[], |terms| terms));
        // A role without a series yet stands at its default, and so has not grown.
        let mut known = now.is_empty();
        let mut sum = 0.0;
        for (index, term) in now.iter().enumerate() {
            let Some(start) = before.value(index, term).or(term.counts_from) else {
                continue;
            };
            let increase = if term.value < start { term.value } else { term.value - start };
            sum += term.coefficient * increase;
            known = true;
        }
        (known && sum.is_finite()).then_some(sum.max(0.0))
    }

    /// The sum of those that are there.
    fn of_any(&self, roles: [Role; 2]) -> Option<f64> {
        match roles.map(|role| self.of(role)) {
            [Some(a), Some(b)] => Some(a + b),
            [a, b] => a.or(b),
        }
    }

    fn hit_rate(&self) -> Option<f64> {
        if let (Some(hits), Some(misses)) = (self.of(Role::Hits), self.of(Role::Misses)) {
            return share(hits, hits + misses);
        }
        let l1_hits = self.of(Role::L1Hits)?;
        let look_ups = l1_hits + self.of(Role::L1Misses)?;
        // A product with one level has no hits in a second.
        share(l1_hits + self.of(Role::L2Hits).unwrap_or(0.0), look_ups)
    }

    fn level_hit_rate(&self, hits: Role, misses: Role) -> Option<f64> {
        let hits = self.of(hits)?;
        share(hits, hits + self.of(misses)?)
    }

    fn mean_us(&self, seconds: Role, count: Role) -> Option<f64> {
        quotient(self.of(seconds)?, self.of(count)?).map(|mean| mean * 1e6)
    }
}

fn measure(
    increases: &Increases<'_>,
    later: &CacheStats,
    seconds: f64,
    timestamp: Timestamp,
) -> PerformanceSnapshot {
    let level = |role: Role| later.levels.get(&role).copied();
    let per_second = |increase: Option<f64>| increase.map(|n| n / seconds);
    let per_minute = |increase: Option<f64>| increase.map(|n| n / seconds * 60.0);
    // Bytes where the product counts bytes, otherwise entries: a cache bounded by entries is full
    // too.
    let percent = |used: Role, max: Role| quotient(level(used)?, level(max)?).map(|x| x * 100.0);
    // A mean of zero is what products show that have measured nothing yet.
    let shown_mean = |role: Role| level(role).filter(|&mean| mean > 0.0);

    let mut snapshot = PerformanceSnapshot::empty(timestamp);
    for signal in Signal::ALL {
        let value = match signal {
            Signal::HitRate => increases.hit_rate(),
            Signal::L1HitRate => increases.level_hit_rate(Role::L1Hits, Role::L1Misses),
            Signal::L2HitRate => increases.level_hit_rate(Role::L2Hits, Role::L2Misses),
            Signal::MemoryUsagePercent => percent(Role::L1UsageBytes, Role::L1MaxUsageBytes)
                .or_else(|| percent(Role::L1Entries, Role::L1Capacity)),
            Signal::DiskUsagePercent => percent(Role::L2UsageBytes, Role::L2MaxUsageBytes)
                .or_else(|| percent(Role::L2Entries, Role::L2Capacity)),
            Signal::AvgGetLatencyUs => increases
                .mean_us(Role::GetSeconds, Role::GetCount)
                .or_else(|| shown_mean(Role::AvgGetLatencyUs)),
            Signal::AvgPutLatencyUs => increases
                .mean_us(Role::PutSeconds, Role::PutCount)
                .or_else(|| shown_mean(Role::AvgPutLatencyUs)),
            Signal::OpsPerSecond => {
                per_second(increases.of(Role::Operations)).or_else(|| level(Role::OpsPerSecond))
            }
            Signal::EvictionRate => {
                per_minute(increases.of_any([Role::L1Evictions, Role::L2Evictions]))
            }
            Signal::PromotionRate => per_minute(increases.of(Role::Promotions)),
        };
        snapshot.set(signal, value);
    }
    snapshot
}

/// A part of a whole, from 0 to 1: counters read a moment apart can make it seem larger.
fn share(part: f64, whole: f64) -> Option<f64> {
    quotient(part, whole).map(|ratio| ratio.clamp(0.0, 1.0))
}

fn quotient(numerator: f64, denominator: f64) -> Option<f64> {
    (denominator > 0.0).then(|| numerator / denominator).filter(|quotient| quotient.is_finite())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
