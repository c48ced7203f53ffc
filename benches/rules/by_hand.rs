//! The rules of `rules/tuning`, written by hand over plain slices: the floor. Absence, which is NaN
//! here, is kept as the rules keep it.

use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::snapshot::PerformanceSnapshot;

/// The columns that rules ask about.
#[derive(Debug)]
pub(crate) struct Columns {
    hit_rate: Vec<f64>,
    memory: Vec<f64>,
    latency: Vec<f64>,
    evictions: Vec<f64>,
}

impl Columns {
    pub(crate) fn new(snapshots: &[PerformanceSnapshot]) -> Self {
        let column = |signal: Signal| {
            snapshots.iter().map(|snapshot| snapshot.value(signal).unwrap_or(f64::NAN)).collect()
        };
        Self {
            hit_rate: column(Signal::HitRate),
            memory: column(Signal::MemoryUsagePercent),
            latency: column(Signal::AvgGetLatencyUs),
            evictions: column(Signal::EvictionRate),
        }
    }
}

/// What a rule asks, by hand; the settings and thresholds are those of the files. None for a rule
/// that is not written here.
pub(crate) fn rule(name: &str) -> Option<fn(&Columns) -> Option<bool>> {
    let rule: fn(&Columns) -> Option<bool> = match name {
        "hit_rate_declining" => |c| {
            let newest = newest_3(&c.hit_rate)?;
            Some(newest < oldest_3(&c.hit_rate)? - 0.05 && newest < 0.9)
        },
        "memory_usage_high" => |c| Some(mean(&c.memory)? > 90.0),
        "memory_usage_low" => |c| Some(mean(&c.memory)? < 50.0),
        "get_latency_rising" => |c| {
            let newest = newest_3(&c.latency)?;
            Some(newest > oldest_3(&c.latency)? * 1.5 && newest > 1000.0)
        },
        "eviction_rate_high" => |c| Some(mean(&c.evictions)? > 100.0),
        "l2_size_grow" | "l2_size_shrink" | "l1_size_grow" | "l1_size_shrink" => {
            |c| Some(c.hit_rate.len() >= 10)
        }
        _ => return None,
    };
    Some(rule)
}

fn newest_3(column: &[f64]) -> Option<f64> {
    mean(&column[column.len().saturating_sub(3)..])
}

fn oldest_3(column: &[f64]) -> Option<f64> {
    mean(&column[..column.len().min(3)])
}

fn mean(values: &[f64]) -> Option<f64> {
    let known = values.iter().filter(|value| !value.is_nan());
    let (sum, count) = known.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0 && 2 * count as usize >= values.len()).then(|| sum / f64::from(count))
}
