//! The built-in profiles over pages of their products, and the faults of profile files.

use super::*;

use crate::cache_stats::CacheStats;
use crate::cache_stats::Kind;
use crate::diag::render;
use crate::exposition;
use crate::exposition::Format;
use crate::units::Timestamp;

/// The time at which the pages of the tests are scraped.
pub(super) const NOW: f64 = 1_795_355_100.0;

pub(super) fn now() -> Timestamp {
    Timestamp::from_unix_seconds(NOW).unwrap()
}

pub(super) fn built_in_named(name: &str) -> Profile {
    built_in().unwrap().into_iter().find(|profile| profile.name == name).unwrap()
}

pub(super) fn profile(text: &str) -> Profile {
    load(&SourceFile::new("p.yaml", text)).unwrap_or_else(|faults| {
        panic!("{}", render::render(&faults, render::Format::Full, false));
    })
}

pub(super) fn caches(profile: &Profile, page: &str) -> Vec<(Arc<str>, CacheStats)> {
    let samples = match profile.format {
        PageFormat::Json => json::samples(page).unwrap(),
        PageFormat::Prometheus => exposition::parse(page, Format::PrometheusText).samples,
    };
    extract(profile, &samples, now())
}

/// Each role of a cache on a line: the sum of a cumulative one with the number of its series, or
/// the level.
fn show(stats: &CacheStats) -> String {
    let lines = Role::ALL.into_iter().filter_map(|role| match role.kind() {
        Kind::Cumulative => stats.cumulative.get(&role).map(|terms| {
            let sum: f64 = terms.iter().map(|term| term.coefficient * term.value).sum();
            format!("{}: {sum} of {}\n", role.name(), terms.len())
        }),
        Kind::Level => stats.levels.get(&role).map(|level| format!("{}: {level}\n", role.name())),
    });
    let observed = stats.observed.iter().map(|(parameter, value)| format!("{parameter} {value}\n"));
    let started = stats.started_at.map(|start| format!("started {start}\n"));
    let uptime = stats.uptime.map(|uptime| format!("up for {uptime}\n"));
    lines.chain(observed).chain(started).chain(uptime).collect::<Vec<_>>().concat()
}

#[track_caller]
fn check_page(name: &str, page: &str, cache: &str, want: &str) {
    let all = built_in().unwrap();
    let profile = all.iter().find(|profile| profile.name == name).unwrap();
    if profile.format == PageFormat::Prometheus {
        let samples = exposition::parse(page, Format::PrometheusText).samples;
        assert_eq!(detect(&all, &samples, now()).map(|found| found.name.as_str()), Some(name));
    }
    let found = caches(profile, page);
    let (_, stats) = found.iter().find(|(found, _)| **found == *cache).unwrap();
    assert_eq!(show(stats), want);
}

#[test]
fn redis_shows_what_info_says() {
    let want = "hits: 199266 of 1\nmisses: 60914 of 1\nl1_entries: 372101\n\
        l1_usage_bytes: 77174400\nl1_max_usage_bytes: 268435456\nl1_evictions: 0 of 1\n\
        operations: 1160385 of 1\nget_seconds: 0.181262 of 3\nget_count: 260030 of 3\n\
        put_seconds: 0.531883 of 3\nput_count: 520016 of 3\n\
        l1_size_multiplier 268435456\nstarted 1795354953\nup for 67\n";
    check_page("redis", include_str!("../../tests/pages/redis_1.txt"), "redis", want);
}

#[test]
fn varnish_shows_one_level_without_its_transient_storage() {
    let want = "l1_hits: 55 of 1\nl1_misses: 113 of 1\nl1_entries: 113\nl1_usage_bytes: 618392\n\
        l1_max_usage_bytes: 67108864\nl1_evictions: 0 of 1\noperations: 168 of 1\n\
        l1_size_multiplier 67108864\nup for 36\n";
    check_page("varnish", include_str!("../../tests/pages/varnish_1.txt"), "varnish", want);
}

#[test]
fn micrometer_shows_every_cache_of_the_page() {
    let page = include_str!("../../tests/pages/micrometer.txt");
    let want = "hits: 630072 of 1\nmisses: 90132 of 1\nl1_entries: 68738\n\
        l1_evictions: 34503 of 1\n\
        operations: 1718976 of 3\n";
    check_page("micrometer", page, "c7", want);
    assert_eq!(caches(&built_in_named("micrometer"), page).len(), 20);
}

#[test]
fn memcached_without_extstore_has_one_level() {
    let want = "hits: 900 of 1\nmisses: 100 of 1\nl1_hits: 900 of 1\nl1_misses: 100 of 1\n\
        l1_entries: 42\nl1_usage_bytes: 5000\nl1_max_usage_bytes: 67108864\nl1_evictions: 7 of 1\n\
        operations: 1350 of 5\nl1_size_multiplier 67108864\nup for 100\n";
    check_page("memcached", MEMCACHED, "memcached", want);
}

#[test]
fn memcached_with_extstore_has_two() {
    let page = format!(
        "{MEMCACHED}memcached_extstore_objects_read_total 300\nmemcached_extstore_bytes_used 10\n\
         memcached_extstore_bytes_limit 40\nmemcached_extstore_objects_evicted_total 3\n"
    );
    let want = "hits: 900 of 1\nmisses: 100 of 1\nl1_hits: 600 of 2\nl1_misses: 400 of 2\n\
        l1_entries: 42\nl1_usage_bytes: 5000\nl1_max_usage_bytes: 67108864\nl1_evictions: 7 of 1\n\
        l2_hits: 300 of 1\nl2_usage_bytes: 10\nl2_max_usage_bytes: 40\nl2_evictions: 3 of 1\n\
        operations: 1350 of 5\nl1_size_multiplier 67108864\nl2_size_multiplier 40\n\
        up for 100\n";
    check_page("memcached", &page, "memcached", want);
}

/// In the exact format of `memcached_exporter`, shortened.
const MEMCACHED: &str = "\
# HELP memcached_commands_total Total number of all requests broken down.
# TYPE memcached_commands_total counter
memcached_commands_total{command=\"get\",status=\"hit\"} 900
memcached_commands_total{command=\"get\",status=\"miss\"} 100
memcached_commands_total{command=\"set\",status=\"hit\"} 345
memcached_commands_total{command=\"delete\",status=\"miss\"} 5
memcached_commands_total{command=\"flush\",status=\"hit\"} 0
# TYPE memcached_current_bytes gauge
memcached_current_bytes 5000
memcached_current_items 42
# TYPE memcached_items_evicted_total counter
memcached_items_evicted_total 7
memcached_limit_bytes 6.7108864e+07
memcached_up 1
# TYPE memcached_uptime_seconds counter
memcached_uptime_seconds 100
";

#[test]
fn rez_next_shows_both_levels() {
    let want = "l1_hits: 812345 of 1\nl1_misses: 190112 of 1\nl1_entries: 9871\n\
        l1_capacity: 10000\n\
        l1_usage_bytes: 98112004\nl1_max_usage_bytes: 104857600\nl1_evictions: 40211 of 1\n\
        l2_hits: 120444 of 1\nl2_misses: 69668 of 1\nl2_entries: 88120\nl2_capacity: 100000\n\
        l2_usage_bytes: 700221004\nl2_max_usage_bytes: 1073741824\nl2_evictions: 1201 of 1\n\
        promotions: 31337 of 1\navg_get_latency_us: 212.5\navg_put_latency_us: 401.25\n\
        ops_per_second: 5321\n";
    let page = include_str!("../../tests/pages/unified-cache-stats.json");
    check_page("rez-next", page, "rez-next", want);
    let samples = json::samples(page).unwrap();
    let all = built_in().unwrap();
    assert_eq!(detect(&all, &samples, now()).unwrap().name, "rez-next");
}

#[test]
fn a_mean_of_zero_is_nothing_measured() {
    let page = r#"{"l1_stats": {"hits": 0}, "performance_metrics": {"avg_get_latency_us": 0.0}}"#;
    let found = caches(&built_in_named("rez-next"), page);
    assert_eq!(show(&found[0].1), "l1_hits: 0 of 1\n");
}

#[test]
fn built_in_profiles_can_be_told_what_they_have() {
    let told = |name: &str| {
        let profile = built_in_named(name);
        profile.parameters.keys().map(|it| it.name()).collect::<Vec<_>>().join(" ")
    };
    let all = "l1_size_multiplier l2_size_multiplier promotion_threshold eviction_aggressiveness \
        ttl_multiplier preheating_aggressiveness";
    assert_eq!(told("redis"), "l1_size_multiplier eviction_aggressiveness ttl_multiplier");
    assert_eq!(told("memcached"), "l1_size_multiplier l2_size_multiplier ttl_multiplier");
    assert_eq!(told("varnish"), "l1_size_multiplier ttl_multiplier");
    assert_eq!(told("micrometer"), "l1_size_multiplier ttl_multiplier");
    assert_eq!(told("rez-next"), all);
    assert_eq!(told("demo"), all);
}

#[test]
fn pages_of_other_products_are_not_detected() {
    for page in [include_str!("../../tests/pages/prometheus.txt"), "redis_up 0\n", "<html>"] {
        let samples = exposition::parse(page, Format::PrometheusText).samples;
        assert!(detect(&built_in().unwrap(), &samples, now()).is_none());
    }
}

#[test]
fn an_exporter_that_cannot_reach_its_product_shows_no_cache() {
    let page = "redis_up 0\nprocess_start_time_seconds 1.7e9\n";
    assert!(caches(&built_in_named("redis"), page).is_empty());
}

fn faults(text: &str) -> Vec<String> {
    let faults = load(&SourceFile::new("p.yaml", text)).unwrap_err();
    faults.iter().map(render::concise).collect()
}

#[track_caller]
fn check_bad(text: &str, want: &[&str]) {
    assert_eq!(faults(text), want, "{text}");
}

#[test]
fn all_faults_of_a_file_come_at_once_and_placed() {
    let text = "profile: auto
detekt: x
format: xml
cache_label: ''
start_time: 5
roles:
  hit: a
  l1_misses: a * b
  l1_evictions: 'requests_total{x=~\"(\"} - 1 / a'
parameters:
  l1_size: {observed: a, apply: set}
  ttl_multiplier: {apply: 'set {bites}', aply: x}
";
    insta::assert_snapshot!(faults(text).join("\n"));
}

#[test]
fn a_profile_needs_a_name_and_roles() {
    check_bad(
        "description: x\n",
        &[
            "p.yaml:1:1: error[missing-key]: `profile` is missing (add `profile:`)",
            "p.yaml:1:1: error[missing-key]: `roles` is missing (add `roles:`)",
        ],
    );
    check_bad(
        "profile: p\nroles: {}\n",
        &["p.yaml:2:8: error[empty-value]: a profile must have roles"],
    );
    check_bad("- x\n", &["p.yaml:1:1: error[wrong-type]: a mapping expected, not a list"]);
}

#[test]
fn the_profile_of_the_interface_loads() {
    let profile = profile(
        "profile: varnish
description: prometheus_varnish_exporter
detect: varnish_main_cache_hit
cache_label: null
roles:
  l1_hits: varnish_main_cache_hit
  l1_usage_bytes: varnish_sma_g_bytes{type!=\"Transient\"}
  l1_max_usage_bytes: >
    varnish_sma_g_bytes{type!=\"Transient\"} + varnish_sma_g_space{type!=\"Transient\"}
parameters:
  l1_size_multiplier:
    observed: varnish_sma_g_bytes{type!=\"Transient\"} + varnish_sma_g_space{type!=\"Transient\"}
    apply: restart with -s malloc,{bytes}     # shown with a recommendation
",
    );
    assert_eq!(profile.cache_label, None);
    let told = &profile.parameters[&Parameter::L1SizeMultiplier];
    assert_eq!(told.apply.as_deref(), Some("restart with -s malloc,{bytes}"));
}

#[test]
fn series_found_are_shown_with_their_labels_sorted() {
    let page = "a{z=\"1\",b=\"x\\\"y\",e=\"\"} 5\na{z=\"2\"} 6\nb 7\n";
    let samples = exposition::parse(page, Format::PrometheusText).samples;
    let selection = crate::expr::selection("b + a").unwrap();
    let found = series_found(&selection, &samples, now());
    let shown: Vec<_> = found.iter().map(|(id, value)| format!("{id} {value}")).collect();
    assert_eq!(shown, ["b 7", "a{b=\"x\\\"y\",z=\"1\"} 5", "a{z=\"2\"} 6"]);
}
