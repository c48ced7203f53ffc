//! Pairs of scrapes and the snapshots between them, written as one line each.

use super::*;

/// `l1_hits=10` is a series of that value; `l1_hits/a=10` one of several; `l1_hits?=10` counts from
/// 0 when it is new; `l1_hits*-1/a=10` has a coefficient; `started=5` is the start.
fn stats(text: &str) -> CacheStats {
    let mut stats = CacheStats::default();
    for item in text.split_whitespace() {
        let (key, value) = item.split_once('=').unwrap();
        let seconds = || Some(value.parse().unwrap());
        match key {
            "started" => stats.started_at = seconds(),
            "uptime" => stats.uptime = seconds(),
            _ => {}
        }
        if ["started", "uptime"].contains(&key) {
            continue;
        }
        let (key, series) = key.split_once('/').unwrap_or((key, ""));
        let (key, coefficient) = key.split_once('*').unwrap_or((key, "1"));
        let role = Role::from_name(key.trim_end_matches('?')).unwrap();
        if role.kind() == crate::cache_stats::Kind::Level {
            stats.levels.insert(role, value.parse().unwrap());
            continue;
        }
        let terms = stats.cumulative.entry(role).or_default();
        if value == "none" {
            continue;
        }
        terms.push(Term {
            series: format!("{key}/{series}").into(),
            coefficient: coefficient.parse().unwrap(),
            value: value.parse().unwrap(),
            counts_from: key.ends_with('?').then_some(0.0),
        });
    }
    stats
}

/// The signals of an interval of 10 seconds that are there, as `name=value`.
#[track_caller]
fn check(earlier: &str, later: &str, want: &str) {
    let from = Timestamp::from_millis(0);
    let to = Timestamp::from_millis(10_000);
    let got = match between(&stats(earlier), from, &stats(later), to) {
        Interval::Measured(snapshot) => Signal::ALL
            .into_iter()
            .filter_map(|signal| Some(format!("{signal}={}", snapshot.value(signal)?)))
            .collect::<Vec<_>>()
            .join(" "),
        Interval::Restarted => "restarted".to_owned(),
        Interval::Empty => "empty".to_owned(),
    };
    assert_eq!(got, want);
}

#[test]
fn rates_are_taken_over_the_interval() {
    check("hits=100 misses=50", "hits=190 misses=60", "hit_rate=0.9");
    check("operations=5", "operations=55", "ops_per_second=5");
    check("l1_evictions=1 l2_evictions=1", "l1_evictions=2 l2_evictions=3", "eviction_rate=18");
    check("promotions=0", "promotions=5", "promotion_rate=30");
    check("get_seconds=1 get_count=10", "get_seconds=1.5 get_count=20", "avg_get_latency_us=50000");
}

#[test]
fn both_levels_make_the_hit_rate_where_there_is_no_total() {
    check(
        "l1_hits=0 l1_misses=0 l2_hits=0 l2_misses=0",
        "l1_hits=60 l1_misses=40 l2_hits=30 l2_misses=10",
        "hit_rate=0.9 l1_hit_rate=0.6 l2_hit_rate=0.75",
    );
    check("l1_hits=0 l1_misses=0", "l1_hits=3 l1_misses=1", "hit_rate=0.75 l1_hit_rate=0.75");
    check("l1_hits=0", "l1_hits=3", "");
}

#[test]
fn without_traffic_a_ratio_is_absent_and_a_rate_is_zero() {
    check("hits=7 misses=7 operations=3", "hits=7 misses=7 operations=3", "ops_per_second=0");
    check("get_seconds=1 get_count=10", "get_seconds=1 get_count=10", "");
}

#[test]
fn usage_needs_a_limit() {
    check("", "l1_usage_bytes=50 l1_max_usage_bytes=200", "memory_usage_percent=25");
    check("", "l1_usage_bytes=50", "");
    check("", "l1_usage_bytes=50 l1_max_usage_bytes=0", "");
    check("", "l1_entries=5 l1_capacity=10", "memory_usage_percent=50");
    check("", "l2_usage_bytes=1 l2_max_usage_bytes=4", "disk_usage_percent=25");
}

#[test]
fn increases_are_taken_per_series_before_the_sum() {
    // Series b restarted, yet the sum grew: 100 + 10, not 150 - 100.
    check(
        "started=1 operations/a=50 operations/b=50",
        "started=1 operations/a=150 operations/b=10",
        "ops_per_second=11",
    );
}

#[test]
fn series_are_known_again_in_any_order() {
    let want = "ops_per_second=2";
    check("operations/a=1 operations/b=50", "operations/b=60 operations/a=11", want);
    check("operations/a=1 operations/b=50", "operations/b=70", want);
    check("operations/b=50", "operations/a=1 operations/b=70", want);
}

#[test]
fn a_series_that_is_new_counts_only_from_a_default() {
    check("operations/a=1", "operations/a=11 operations/b=500", "ops_per_second=1");
    check("operations?/a=1", "operations?/a=11 operations?/b=50", "ops_per_second=6");
    check("operations?=none", "operations?=none", "ops_per_second=0");
    check("operations?=none", "operations?=20", "ops_per_second=2");
    check("", "operations=20", "");
}

#[test]
fn a_series_with_a_default_that_was_away_goes_on_from_its_last_value() {
    let before = stats("operations?/a=1000 operations?/b=5");
    let away = stats("operations?/b=6").remembering(&before);
    let back = stats("operations?/a=1020 operations?/b=6");
    let (from, to) = (Timestamp::from_millis(0), Timestamp::from_millis(10_000));
    let Interval::Measured(snapshot) = between(&away, from, &back, to) else {
        panic!("no interval")
    };
    assert_eq!(snapshot.ops_per_second, Some(2.0));
}

#[test]
fn a_difference_of_series_never_falls_below_zero() {
    check("hits/r=100 hits*-1/m=50 misses=50", "hits/r=110 hits*-1/m=70 misses=70", "hit_rate=0");
}

#[test]
fn a_reset_of_counters_is_no_restart_where_the_start_is_shown() {
    check("started=1000 hits=100 misses=100", "started=1001 hits=30 misses=10", "hit_rate=0.75");
}

#[test]
fn a_restart_is_seen_by_its_start_or_else_by_its_counters() {
    check("started=1000 hits=100 misses=100", "started=1060 hits=130 misses=110", "restarted");
    check("hits=100 misses=100", "hits=30 misses=10", "restarted");
    check("hits=100 misses=100", "hits=100 misses=99", "restarted");
}

#[test]
fn uptime_tells_a_restart_from_a_late_answer() {
    check("uptime=100 hits=100 misses=100", "uptime=4 hits=130 misses=110", "restarted");
    check("uptime=100 hits=100 misses=100", "uptime=104 hits=190 misses=110", "hit_rate=0.9");
    check("uptime=100 hits=100 misses=100", "uptime=110 hits=30 misses=10", "hit_rate=0.75");
    // Up for a second when it was seen first, gone, and up for four by now.
    check("uptime=1 hits=100 misses=100", "uptime=4 hits=30 misses=10", "restarted");
}

#[test]
fn shown_means_serve_where_there_is_no_sum_and_count() {
    check(
        "",
        "avg_get_latency_us=212.5 ops_per_second=5321",
        "avg_get_latency_us=212.5 ops_per_second=5321",
    );
    check("", "avg_get_latency_us=0 avg_put_latency_us=0", "");
}

#[test]
fn without_time_there_is_no_rate() {
    let now = Timestamp::from_millis(5);
    let some = stats("hits=1 misses=1");
    assert_eq!(between(&some, now, &some, now), Interval::Empty);
    assert_eq!(between(&some, now, &some, Timestamp::from_millis(4)), Interval::Empty);
}
