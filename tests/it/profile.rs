//! Two real pages of one product, a minute apart, from text to signals through its built-in
//! profile.

use std::sync::Arc;

use cache_tuner_exporter::cache_stats::CacheStats;
use cache_tuner_exporter::exposition;
use cache_tuner_exporter::exposition::Format;
use cache_tuner_exporter::profile;
use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::snapshot;
use cache_tuner_exporter::snapshot::Interval;
use cache_tuner_exporter::units::Timestamp;

/// The caches of a page through the profile that is detected, which has to be that one.
#[track_caller]
fn caches(name: &str, page: &str, now: Timestamp) -> Vec<(Arc<str>, CacheStats)> {
    let all = profile::built_in().unwrap();
    let samples = exposition::parse(page, Format::PrometheusText).samples;
    let found = profile::detect(&all, &samples, now).unwrap();
    assert_eq!(found.name, name);
    profile::extract(found, &samples, now)
}

fn read(name: &str, page: &str, now: Timestamp) -> CacheStats {
    let mut caches = caches(name, page, now);
    assert_eq!(caches.len(), 1);
    caches.remove(0).1
}

/// The signals that the interval has, to four digits.
#[track_caller]
fn check(name: &str, pages: [&str; 2], seconds: [f64; 2], want: &[&str]) {
    let [from, to] = seconds.map(|seconds| Timestamp::from_unix_seconds(seconds).unwrap());
    let earlier = read(name, pages[0], from);
    let later = read(name, pages[1], to);
    assert_eq!(signals(&earlier, from, &later, to), want);
}

#[track_caller]
fn signals(
    earlier: &CacheStats,
    from: Timestamp,
    later: &CacheStats,
    to: Timestamp,
) -> Vec<String> {
    let Interval::Measured(snapshot) = snapshot::between(earlier, from, later, to) else {
        panic!("no interval");
    };
    let signals = Signal::ALL.into_iter();
    signals.filter_map(|signal| Some(format!("{signal} {:.4}", snapshot.value(signal)?))).collect()
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

/// Uptimes of 10 and 20 seconds. Gets: 34,184 - 25,012 = 9,172 hits and 45,816 - 34,988 = 10,828
/// misses. Operations: those 20,000 gets, 10,828 sets, a delete, a touch and an incr. Evictions:
/// 38,735 - 27,908 = 10,827 in ten seconds. Memory: 7,725,353 of 8,388,608 bytes.
#[test]
fn memcached_pages_give_its_signals() {
    check(
        "memcached",
        [include_str!("../pages/memcached_1.txt"), include_str!("../pages/memcached_2.txt")],
        [1_795_365_806.0, 1_795_365_816.0],
        &[
            "hit_rate 0.4586",
            "l1_hit_rate 0.4586",
            "memory_usage_percent 92.0934",
            "ops_per_second 3083.1000",
            "eviction_rate 64962.0000",
        ],
    );
}

/// A page of memcached with its second level on flash.
fn flash_page([uptime, hits, misses, read, used, evicted]: [u32; 6]) -> String {
    format!(
        "# TYPE memcached_commands_total counter\n\
         memcached_commands_total{{command=\"get\",status=\"hit\"}} {hits}\n\
         memcached_commands_total{{command=\"get\",status=\"miss\"}} {misses}\n\
         memcached_commands_total{{command=\"set\",status=\"hit\"}} {misses}\n\
         # TYPE memcached_extstore_bytes_limit gauge\n\
         memcached_extstore_bytes_limit 1.073741824e+09\n\
         # TYPE memcached_extstore_bytes_used counter\n\
         memcached_extstore_bytes_used {used}\n\
         # TYPE memcached_extstore_objects_evicted_total counter\n\
         memcached_extstore_objects_evicted_total {evicted}\n\
         # TYPE memcached_extstore_objects_read_total counter\n\
         memcached_extstore_objects_read_total {read}\n\
         # TYPE memcached_items_evicted_total counter\n\
         memcached_items_evicted_total 7\n\
         # TYPE memcached_uptime_seconds counter\n\
         memcached_uptime_seconds {uptime}\n"
    )
}

/// 900 hits, of which flash had 300, and 100 misses: level 1 has 600 of 1,000. What is used of the
/// flash went down from 800 to 512 MiB of one GiB, whatever its TYPE says. Evictions of both levels
/// in half a minute: 20.
#[test]
fn memcached_tells_its_flash_apart() {
    let pages = [
        flash_page([60, 1000, 500, 100, 838_860_800, 5]),
        flash_page([90, 1900, 600, 400, 536_870_912, 25]),
    ];
    check(
        "memcached",
        [&pages[0], &pages[1]],
        [1_795_365_800.0, 1_795_365_830.0],
        &[
            "hit_rate 0.9000",
            "l1_hit_rate 0.6000",
            "disk_usage_percent 50.0000",
            "ops_per_second 36.6667",
            "eviction_rate 40.0000",
        ],
    );
}

/// Of twenty caches one is used: 900 hits, 100 misses and 100 puts in a minute, and 30 evictions.
/// Micrometer shows entries without a limit, so no cache has a memory usage.
#[test]
fn micrometer_pages_give_the_signals_of_each_cache() {
    let earlier = include_str!("../pages/micrometer.txt");
    let mut later = earlier.to_owned();
    for (metric, result, from, to) in [
        ("gets", ",result=\"hit\"", "8991608.0", "8992508.0"),
        ("gets", ",result=\"miss\"", "1579250.0", "1579350.0"),
        ("puts", "", "143921.0", "144021.0"),
        ("evictions", "", "20648.0", "20678.0"),
    ] {
        let labels = r#"application="shop",cache="c3",cache_manager="cacheManager",name="c3""#;
        let line = |value| format!("cache_{metric}_total{{{labels}{result}}} {value}\n");
        assert!(later.contains(&line(from)), "{}", line(from));
        later = later.replace(&line(from), &line(to));
    }
    let [from, to] = [0.0, 60.0].map(|seconds| {
        Timestamp::from_unix_seconds(1_795_365_800.0 + seconds).expect("a time of this century")
    });
    let (earlier, later) = (caches("micrometer", earlier, from), caches("micrometer", &later, to));
    assert_eq!((earlier.len(), later.len()), (20, 20));
    for ((name, earlier), (_, later)) in earlier.iter().zip(&later) {
        let want: &[&str] = if &**name == "c3" {
            &["hit_rate 0.9000", "ops_per_second 18.3333", "eviction_rate 30.0000"]
        } else {
            &["ops_per_second 0.0000", "eviction_rate 0.0000"]
        };
        assert_eq!(signals(earlier, from, later, to), want, "{name}");
    }
}

/// A page of Hazelcast's caches through Micrometer, which shows all gets instead of misses.
fn hazelcast_page(gets: u32, hits: u32, seconds: f64) -> String {
    let labels = r#"cache="orders",cache_manager="cm",name="orders""#;
    format!(
        "# TYPE cache_gets_total counter\n\
         cache_gets_total{{{labels},result=\"hit\"}} {hits}.0\n\
         # TYPE cache_partition_gets_total counter\n\
         cache_partition_gets_total{{{labels}}} {gets}.0\n\
         # TYPE cache_gets_latency_seconds summary\n\
         cache_gets_latency_seconds_count{{{labels}}} {gets}.0\n\
         cache_gets_latency_seconds_sum{{{labels}}} {seconds}\n\
         # TYPE cache_puts_total counter\n\
         cache_puts_total{{{labels}}} 5.0\n"
    )
}

/// 400 gets with 300 hits, in 0.02 seconds altogether. Nothing was put.
#[test]
fn hazelcast_has_misses_and_latencies() {
    let pages = [hazelcast_page(100, 50, 0.01), hazelcast_page(500, 350, 0.03)];
    check(
        "micrometer",
        [&pages[0], &pages[1]],
        [1_795_365_800.0, 1_795_365_810.0],
        &["hit_rate 0.7500", "avg_get_latency_us 50.0000", "ops_per_second 40.0000"],
    );
}
