//! Two real pages of one product, a minute apart, from text to signals through its built-in
//! profile.

use cache_tuner_exporter::cache_stats::CacheStats;
use cache_tuner_exporter::exposition;
use cache_tuner_exporter::exposition::Format;
use cache_tuner_exporter::profile;
use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::snapshot;
use cache_tuner_exporter::snapshot::Interval;
use cache_tuner_exporter::units::Timestamp;

fn read(name: &str, page: &str, now: Timestamp) -> CacheStats {
    let all = profile::built_in().unwrap();
    let samples = exposition::parse(page, Format::PrometheusText).samples;
    let found = profile::detect(&all, &samples, now).unwrap();
    assert_eq!(found.name, name);
    let mut caches = profile::extract(found, &samples, now);
    assert_eq!(caches.len(), 1);
    caches.remove(0).1
}

/// The signals that the interval has, to four digits.
#[track_caller]
fn check(name: &str, pages: [&str; 2], seconds: [f64; 2], want: &[&str]) {
    let [from, to] = seconds.map(|seconds| Timestamp::from_unix_seconds(seconds).unwrap());
    let earlier = read(name, pages[0], from);
    let later = read(name, pages[1], to);
    let Interval::Measured(snapshot) = snapshot::between(&earlier, from, &later, to) else {
        panic!("no interval");
    };
    let signals = Signal::ALL.into_iter();
    let shown: Vec<String> = signals
        .filter_map(|signal| Some(format!("{signal} {:.4}", snapshot.value(signal)?)))
        .collect();
    assert_eq!(shown, want);
}

/// Uptimes of 67 and 128 seconds; 469,291 hits and 92,389 misses between them.
#[test]
fn redis_pages_give_its_signals() {
    check(
        "redis",
        [include_str!("../pages/redis_1.txt"), include_str!("../pages/redis_2.txt")],
        [1_795_355_020.0, 1_795_355_081.0],
        &[
            "hit_rate 0.8355",
            "memory_usage_percent 48.1801",
            "avg_get_latency_us 0.9101",
            "avg_put_latency_us 1.5225",
            "ops_per_second 55140.4262",
            "eviction_rate 0.0000",
        ],
    );
}

/// Uptimes of 36 and 97 seconds; 1,578 hits and 87 misses between them.
#[test]
fn varnish_pages_give_its_signals() {
    check(
        "varnish",
        [include_str!("../pages/varnish_1.txt"), include_str!("../pages/varnish_2.txt")],
        [1_795_355_036.0, 1_795_355_097.0],
        &[
            "hit_rate 0.9477",
            "l1_hit_rate 0.9477",
            "memory_usage_percent 1.5903",
            "ops_per_second 27.2951",
            "eviction_rate 0.0000",
        ],
    );
}
