//! Histories of caches as they look in life: a hit rate that falls, memory that fills, latencies
//! that rise, each with some noise that is the same in every run.

use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::sim::rng;
use cache_tuner_exporter::sim::rng::SplitMix64;
use cache_tuner_exporter::snapshot::PerformanceSnapshot;
use cache_tuner_exporter::units::Timestamp;

/// Snapshots of a full window.
pub(crate) const SAMPLES: usize = 240;

/// Milliseconds between two snapshots.
pub(crate) const STEP_MS: i64 = 15_000;

/// Sub-stream of a seed that the noise is drawn from.
const LANE: u64 = 311;

/// When a snapshot is taken.
pub(crate) fn at(step: usize) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + i64::try_from(step).unwrap_or(0) * STEP_MS)
}

/// The snapshots of a cache, numbered by `seed`: the signals that a Redis shows.
pub(crate) fn snapshots(seed: u64, count: usize) -> Vec<PerformanceSnapshot> {
    let mut rng = SplitMix64::new(rng::fork_seed(seed, LANE));
    let mut noise = move || (rng.draw() >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
    let mut common = 0.0;
    let snapshot = |step: usize| {
        let part = step as f64 / count as f64;
        common = 0.8 * common + 0.02 * noise();
        let mut snapshot = PerformanceSnapshot::empty(at(step));
        for (signal, value) in [
            (Signal::HitRate, 0.85 - 0.15 * part + common),
            (Signal::MemoryUsagePercent, 91.0 + 5.0 * part + noise()),
            (Signal::AvgGetLatencyUs, 800.0 + 900.0 * part + 100.0 * noise()),
            (Signal::OpsPerSecond, 5000.0 + 500.0 * noise()),
            (Signal::EvictionRate, 120.0 + 10.0 * noise()),
        ] {
            snapshot.set(signal, Some(value));
        }
        snapshot
    };
    (0..count).map(snapshot).collect()
}
