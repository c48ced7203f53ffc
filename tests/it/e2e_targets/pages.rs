//! Pages that are good, or good enough: what the exporter makes of them, worked out by hand.

use std::fs;
use std::path::Path;

use crate::support::exporter::Exporter;
use crate::support::fault;
use crate::support::fault::FaultTarget;
use crate::support::fault::Reply;
use crate::support::page::Page;
use crate::support::toy;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;

const HIT_RATIO: &str = "cache_tuner_hit_ratio";
const SNAPSHOTS: &str = "cache_tuner_snapshots";

/// An exporter that watches one target as job `a`.
#[track_caller]
fn watch(target: &FaultTarget, more: &str) -> Exporter {
    toy::start(&toy::config(&[toy::job("a", &[target.address()], more)]), &[])
}

/// The metrics once the window holds some snapshots.
#[track_caller]
fn after_snapshots(exporter: &Exporter, labels: &[(&str, &str)], snapshots: f64) -> Page {
    toy::wait_for(exporter, SNAPSHOTS, labels, |count| count >= snapshots);
    toy::metrics(exporter)
}

#[track_caller]
fn check_nine_in_ten(exporter: &Exporter) {
    let page = after_snapshots(exporter, &[], 2.0);
    assert_eq!(page.value(HIT_RATIO, &[("level", "all")]), Some(0.9));
    assert_eq!(page.value("cache_tuner_target_up", &[]), Some(1.0));
    assert_eq!(page.counted("cache_tuner_target_scrape_failures_total", &[]).len(), 0);
}

/// Three caches, of which `b` has no traffic and `c` has a limit of none.
fn three_caches(number: u64) -> String {
    let idle = toy::cache("b", 50, 50);
    let unlimited = toy::cache("c", number, 3 * number).replace("} 1000\n", "} 0\n");
    [toy::cache("a", 9 * number, number), idle, unlimited].concat()
}

#[test]
fn the_caches_of_one_page_are_told_apart() {
    let target = FaultTarget::start(Reply::Counting(three_caches));
    let exporter = watch(&target, "");
    let page = after_snapshots(&exporter, &[("cache", "c")], 3.0);
    let memory = "cache_tuner_memory_usage_ratio";
    for (cache, hit_ratio, usage) in
        [("a", Some(0.9), Some(0.6)), ("b", None, Some(0.6)), ("c", Some(0.25), None)]
    {
        let labels = [("cache", cache)];
        assert_eq!(page.value(HIT_RATIO, &labels), hit_ratio, "{cache}");
        assert_eq!(page.value(memory, &labels), usage, "{cache}");
        assert_eq!(page.value("cache_tuner_evictions_per_second", &labels), Some(0.0), "{cache}");
    }
    assert_eq!(page.samples(HIT_RATIO, &[("level", "l1")]).len(), 0);
    let caches = exporter.get("/api/v1/caches").json();
    let idle = &caches["data"][1];
    assert_eq!((&idle["cache"], idle["snapshot"]["hit_rate"].is_null()), (&"b".into(), true));
    assert_eq!(idle["snapshot"]["memory_usage_percent"], 60.0);
}

/// Twelve evictions from one scrape to the next, at level 1 nearly full.
fn evicting(number: u64) -> String {
    toy::nine_in_ten(number)
        .replace(
            "evictions_total{cache=\"main\"} 0",
            &format!("evictions_total{{cache=\"main\"}} {}", 12 * number),
        )
        .replace("} 600", "} 950")
}

#[test]
fn rates_are_taken_over_real_time_and_rules_fire_on_them() {
    let target = FaultTarget::start(Reply::Counting(evicting));
    let exporter = watch(&target, "");
    // Between two looks at consecutive snapshots lies the interval that the rate was taken over.
    let (before, after) = eventually(PATIENCE, "two snapshots one after the other", || {
        let look = || {
            let cache = exporter.get("/api/v1/caches").json()["data"][0].clone();
            let timestamp = cache["snapshot"]["timestamp"].as_f64()?;
            Some((timestamp, cache["snapshot"]["eviction_rate"].as_f64()?))
        };
        let first = look()?;
        let second =
            eventually(PATIENCE, "the next snapshot", || look().filter(|it| it.0 > first.0));
        // A look that came late has missed one: the two are a beat and a bit apart at most.
        (second.0 - first.0 < 0.3).then_some((first, second))
    });
    let want = 12.0 / (after.0 - before.0) * 60.0;
    assert!((after.1 / want - 1.0).abs() < 1e-6, "{} per minute, not {want}", after.1);

    let value = |rule, parameter| {
        let labels = [("rule", rule), ("parameter", parameter)];
        let tunings = "cache_tuner_tunings_total";
        (
            toy::metrics(&exporter).value(tunings, &labels).unwrap(),
            toy::metrics(&exporter).value("cache_tuner_parameter", &labels[1..]),
        )
    };
    // 0.5 + 5 × 0.1, and 1.3, 1.69, 2.197, 2.8561, 3: then both stand at their limits.
    for (rule, parameter, limit) in [
        ("memory_usage_high", "eviction_aggressiveness", 1.0),
        ("eviction_rate_high", "l2_size_multiplier", 3.0),
    ] {
        let labels = [("rule", rule), ("reason", "at_limit")];
        let withheld = "cache_tuner_recommendations_withheld_total";
        toy::wait_for(&exporter, withheld, &labels, |count| count >= 2.0);
        let (tunings, in_force) = value(rule, parameter);
        assert!((5.0..=6.0).contains(&tunings), "{rule}: {tunings}");
        assert_eq!(in_force, Some(limit), "{rule}");
    }
    let page = toy::metrics(&exporter);
    assert_eq!(page.samples("cache_tuner_recommended_value", &[]).len(), 0);
    let journal = exporter.get("/api/v1/tunings").json();
    let journal = journal["data"].as_array().unwrap();
    let tunings =
        exporter.get("/api/v1/caches").json()["data"][0]["stats"]["tuning_operations"].clone();
    assert_eq!(tunings, journal.len());
    assert_eq!(journal.last().unwrap()["rule"], "memory_usage_high");
    assert_eq!(journal.last().unwrap()["current_value"], 0.5);
    assert_eq!(journal.last().unwrap()["recommended_value"], 0.6);
}

#[test]
fn gzip_is_read() {
    let target = FaultTarget::start(Reply::Gzip(toy::page(9, 1)));
    let exporter = watch(&target, "");
    let page = after_snapshots(&exporter, &[], 2.0);
    assert_eq!(page.value("cache_tuner_memory_usage_ratio", &[]), Some(0.6));
    assert!(target.requests()[0].headers.first("accept-encoding").unwrap().contains("gzip"));
}

#[test]
fn one_redirect_is_followed_unless_told_otherwise() {
    let behind = FaultTarget::start(Reply::Counting(toy::nine_in_ten));
    let target = FaultTarget::start(Reply::RedirectTo(behind.url("/metrics")));
    check_nine_in_ten(&watch(&target, ""));
    let exporter = watch(&target, "follow_redirects: false");
    let labels = [("reason", "http_status")];
    toy::wait_for(&exporter, "cache_tuner_target_scrape_failures_total", &labels, |n| n >= 1.0);
    let error = toy::api_target(&exporter, target.address())["lastError"].clone();
    assert_eq!(error, "target answered 302, not 200");
}

#[test]
fn right_credentials_are_sent() {
    let page = toy::page(9, 1);
    let value = fault::basic_auth("prometheus", "right");
    let basic =
        FaultTarget::start(Reply::IfHeader { name: "authorization", value, page: page.clone() });
    let value = "Bearer right".to_owned();
    let bearer =
        FaultTarget::start(Reply::IfHeader { name: "authorization", value, page: page.clone() });
    let value = "right".to_owned();
    let header = FaultTarget::start(Reply::IfHeader { name: "x-token", value, page });
    let jobs = [
        toy::job(
            "basic",
            &[basic.address()],
            "basic_auth: {username: prometheus, password: right}",
        ),
        toy::job("bearer", &[bearer.address()], "authorization: {credentials: right}"),
        toy::job("header", &[header.address()], "http_headers: {X-Token: {secrets: [right]}}"),
    ];
    let exporter = toy::start(&toy::config(&jobs), &[]);
    for job in ["basic", "bearer", "header"] {
        after_snapshots(&exporter, &[("scrape_job", job)], 2.0);
    }
    assert!(!exporter.get("/api/v1/status/config").text().contains("right"));
}

#[test]
fn a_bad_line_costs_only_itself() {
    fn page(number: u64) -> String {
        toy::nine_in_ten(number).replace("toy_evictions", "this is no sample\ntoy_evictions")
    }
    let target = FaultTarget::start(Reply::Counting(page));
    let exporter = watch(&target, "");
    check_nine_in_ten(&exporter);
    let log = exporter.log();
    let told = log.lines().filter(|line| line.contains("bad_lines=1")).count();
    assert_eq!(told, 1, "{log}");
    assert!(log.contains("line 3"), "{log}");
}

#[test]
fn values_that_are_no_numbers_are_absent() {
    fn page(number: u64) -> String {
        toy::nine_in_ten(number)
            .replace("} 600", "} NaN")
            .replace("evictions_total{cache=\"main\"} 0", "evictions_total{cache=\"main\"} +Inf")
    }
    let target = FaultTarget::start(Reply::Counting(page));
    let exporter = watch(&target, "");
    check_nine_in_ten(&exporter);
    let metrics = toy::metrics(&exporter);
    assert_eq!(metrics.value("cache_tuner_memory_usage_ratio", &[]), None);
    assert_eq!(metrics.value("cache_tuner_evictions_per_second", &[]), None);
    let page = exporter.get("/metrics");
    let values = page.text().lines().filter(|line| !line.starts_with('#'));
    assert!(values.clone().all(|line| !line.ends_with("NaN") && !line.ends_with("Inf")));
}

#[test]
fn of_equal_series_one_counts() {
    fn page(number: u64) -> String {
        toy::nine_in_ten(number) + &toy::nine_in_ten(number)
    }
    let target = FaultTarget::start(Reply::Counting(page));
    let exporter = watch(&target, "");
    check_nine_in_ten(&exporter);
    let usage = toy::metrics(&exporter).value("cache_tuner_memory_usage_ratio", &[]);
    assert_eq!(usage, Some(0.6));
}

#[test]
fn json_of_rez_next_is_read_and_detected() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages/unified-cache-stats.json");
    let body = fs::read_to_string(path).unwrap();
    let stats: serde_json::Value = serde_json::from_str(&body).unwrap();
    let content_type = "application/json";
    let target = FaultTarget::start(Reply::Typed { status: 200, content_type, body });
    let exporter = watch(&target, "profile: auto");
    let page = after_snapshots(&exporter, &[("cache", "rez-next")], 2.0);
    let number = |name: &str| stats["l1_stats"][name].as_f64().unwrap();
    let want = number("usage_bytes") / number("max_usage_bytes");
    let usage = page.value("cache_tuner_memory_usage_ratio", &[]).unwrap();
    assert!((usage - want).abs() < 1e-12, "{usage} {want}");
    let latency = stats["performance_metrics"]["avg_get_latency_us"].as_f64().unwrap();
    let got = page.value("cache_tuner_get_latency_seconds", &[]).unwrap();
    assert!((got * 1e6 - latency).abs() < 1e-6, "{got} {latency}");
    // Nothing was asked of the cache between two scrapes.
    assert_eq!(page.value(HIT_RATIO, &[("level", "all")]), None);
}
