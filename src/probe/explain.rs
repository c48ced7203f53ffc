//! Why a signal is absent: which role it wants, and what is the matter with that role.

use crate::cache_stats::CacheStats;
use crate::cache_stats::Kind;
use crate::cache_stats::Role;
use crate::profile::Profile;
use crate::signal::Signal;
use crate::snapshot;
use crate::snapshot::Interval;
use crate::snapshot::PerformanceSnapshot;
use crate::units::Timestamp;

use super::report::CacheReport;
use super::report::SignalReport;

/// The roles that a signal is made of, in the order in which they are tried; any group that is
/// whole does.
fn wanted(signal: Signal) -> &'static [&'static [Role]] {
    match signal {
        Signal::HitRate => &[&[Role::Hits, Role::Misses], &[Role::L1Hits, Role::L1Misses]],
        Signal::L1HitRate => &[&[Role::L1Hits, Role::L1Misses]],
        Signal::L2HitRate => &[&[Role::L2Hits, Role::L2Misses]],
        Signal::MemoryUsagePercent => {
            &[&[Role::L1UsageBytes, Role::L1MaxUsageBytes], &[Role::L1Entries, Role::L1Capacity]]
        }
        Signal::DiskUsagePercent => {
            &[&[Role::L2UsageBytes, Role::L2MaxUsageBytes], &[Role::L2Entries, Role::L2Capacity]]
        }
        Signal::AvgGetLatencyUs => &[&[Role::GetSeconds, Role::GetCount], &[Role::AvgGetLatencyUs]],
        Signal::AvgPutLatencyUs => &[&[Role::PutSeconds, Role::PutCount], &[Role::AvgPutLatencyUs]],
        Signal::OpsPerSecond => &[&[Role::Operations], &[Role::OpsPerSecond]],
        Signal::EvictionRate => &[&[Role::L1Evictions], &[Role::L2Evictions]],
        Signal::PromotionRate => &[&[Role::Promotions]],
    }
}

/// A cache's signals, of two scrapes or of one.
pub(super) fn cache(
    name: &str,
    profile: &Profile,
    earlier: Option<(&CacheStats, Timestamp)>,
    later: &CacheStats,
    at: Timestamp,
) -> CacheReport {
    let interval = earlier.map(|(stats, from)| snapshot::between(stats, from, later, at));
    let (snapshot, missing) = match interval {
        Some(Interval::Measured(snapshot)) => (snapshot, None),
        Some(Interval::Restarted) => {
            (PerformanceSnapshot::empty(at), Some("the cache restarted between the two scrapes"))
        }
        Some(Interval::Empty) => {
            (PerformanceSnapshot::empty(at), Some("no time passed between the two scrapes"))
        }
        None => (of_levels(later, at), Some("a rate takes two scrapes")),
    };
    let signals = Signal::ALL.map(|signal| {
        let value = snapshot.value(signal);
        let absent = value.is_none().then(|| why_absent(signal, profile, later, missing));
        SignalReport { signal, value, absent }
    });
    CacheReport {
        cache: name.to_owned(),
        values: profile.roles.keys().map(|role| (role.name(), value_of(*role, later))).collect(),
        signals: Vec::from(signals),
    }
}

/// What one scrape alone tells: the signals that are levels. An interval between a scrape and
/// itself would be empty, so the scrape is compared with one that knew nothing, a second before.
fn of_levels(stats: &CacheStats, at: Timestamp) -> PerformanceSnapshot {
    let levels = CacheStats { levels: stats.levels.clone(), ..CacheStats::default() };
    let before = Timestamp::from_millis(at.as_millis() - 1000);
    match snapshot::between(&CacheStats::default(), before, &levels, at) {
        Interval::Measured(snapshot) => snapshot,
        Interval::Restarted | Interval::Empty => PerformanceSnapshot::empty(at),
    }
}

fn value_of(role: Role, stats: &CacheStats) -> Option<f64> {
    match role.kind() {
        Kind::Level => stats.levels.get(&role).copied(),
        Kind::Cumulative => {
            let terms = stats.cumulative.get(&role)?;
            Some(terms.iter().map(|term| term.coefficient * term.value).sum())
        }
    }
}

fn why_absent(
    signal: Signal,
    profile: &Profile,
    stats: &CacheStats,
    missing: Option<&str>,
) -> String {
    let groups = wanted(signal);
    // The group that the profile has most of is the one that was meant.
    let has = |group: &&[Role]| group.iter().filter(|r| profile.roles.contains_key(r)).count();
    // Of equals the first: `max_by_key` would take the last.
    let meant = groups.iter().rev().max_by_key(|group| has(group)).copied().unwrap_or_default();
    for role in meant {
        if !profile.roles.contains_key(role) {
            return format!("the profile has no role `{}`", role.name());
        }
    }
    for role in meant {
        if value_of(*role, stats).is_none() {
            return match role {
                Role::L1MaxUsageBytes
                | Role::L2MaxUsageBytes
                | Role::L1Capacity
                | Role::L2Capacity => {
                    format!("no limit is set: `{}` shows none", role.name())
                }
                _ => format!("`{}` finds no series", role.name()),
            };
        }
    }
    match missing {
        Some(missing) => missing.to_owned(),
        None => "nothing happened in the interval".to_owned(),
    }
}
