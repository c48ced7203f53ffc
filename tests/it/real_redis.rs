//! A real Redis behind its real exporter, watched by the real program.
//!
//! What Redis says of itself is the measure: counters of `INFO` before and after a burst of
//! requests give the exact signals of the interval that holds the burst. A burst that a scrape cuts
//! in two is tried again.

use serde_json::Value;

use crate::support::exporter::Exporter;
use crate::support::redis::Redis;
use crate::support::redis::RedisExporter;
use crate::support::traffic::Spread;
use crate::support::traffic::Traffic;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;
use crate::support::watched::Shown;
use crate::support::watched::Watched;

const MEBIBYTE: u64 = 1 << 20;

/// Memory of the Redis under test, of which it needs about one mebibyte itself.
const MEMORY_BYTES: u64 = 3 * MEBIBYTE;

/// Size of a value.
const VALUE_BYTES: usize = 1024;

/// Keys that fit into the memory beside all that Redis itself needs.
const KEYS_FITTING: u32 = 800;

/// Keys that need several times the memory.
const KEYS_TOO_MANY: u32 = 8000;

/// Bursts until one lies within an interval; they take a tenth of it.
const BURSTS_MAX: usize = 20;

/// A configuration as the README has it, in a hurry.
fn config(redis_exporter: &RedisExporter, tuning: &str) -> String {
    format!(
        "global:\n  scrape_interval: 500ms\n  scrape_timeout: 500ms\n\
         tuning:\n{tuning}\n\
         scrape_configs:\n  - job_name: sessions\n    static_configs:\n      \
         - targets: ['{}']\n        labels: {{team: web}}\n",
        redis_exporter.address()
    )
}

fn start(redis: &Redis, tuning: &str) -> (RedisExporter, Exporter) {
    let redis_exporter = RedisExporter::start(redis);
    let config = config(&redis_exporter, tuning);
    let exporter = Exporter::start(&["--config.file", "tuner.yaml"], &[("tuner.yaml", &config)]);
    (redis_exporter, exporter)
}

/// No analysis during a test.
const NO_TUNING: &str = "  enable_adaptive_tuning: false";

/// What Redis says of itself.
#[derive(Debug)]
struct Info {
    hits: u64,
    misses: u64,
    evicted: u64,
    commands: u64,
    get: (u64, u64),
    set: (u64, u64),
}

fn info(redis: &Redis) -> Info {
    Info {
        get: redis.command_stats("get"),
        set: redis.command_stats("set"),
        hits: redis.info_number("keyspace_hits"),
        misses: redis.info_number("keyspace_misses"),
        evicted: redis.info_number("evicted_keys"),
        commands: redis.info_number("total_commands_processed"),
    }
}

#[track_caller]
fn assert_close(what: &str, got: Option<f64>, want: f64) {
    let close = got.is_some_and(|got| (got - want).abs() <= 1e-9 * want.abs());
    assert!(close, "{what}: {got:?}, not {want}");
}

/// Redis and its exporter ask and evict a little beyond the burst: exact bounds take that in.
#[track_caller]
fn assert_between(what: &str, got: Option<f64>, from: u64, to: u64) {
    // A rate times its seconds is whole again but for rounding.
    let (least, most) = (from as f64 - 1e-3, to as f64 + 1e-3);
    let inside = got.is_some_and(|got| least <= got && got <= most);
    assert!(inside, "{what}: {got:?}, not within {from} and {to}");
}

#[test]
fn every_signal_is_what_info_says_of_the_interval() {
    let redis = Redis::start(MEMORY_BYTES);
    let (_redis_exporter, exporter) = start(&redis, NO_TUNING);
    let watched = Watched::new(&exporter, "redis");
    let mut traffic = Traffic::new(KEYS_TOO_MANY, Spread::Zipf, 1);
    redis.serve(&mut traffic, 20_000, VALUE_BYTES);
    watched.next_snapshot();
    let is_exact = |_| interval_is_exact(&redis, watched, &mut traffic);
    assert!((0..BURSTS_MAX).any(is_exact), "no interval held a whole burst");
}

/// Whether the burst lay within one interval; then everything else has to agree.
#[track_caller]
fn interval_is_exact(redis: &Redis, watched: Watched<'_>, traffic: &mut Traffic) -> bool {
    let early = info(redis);
    watched.next_snapshot();
    let start = watched.next_snapshot();
    let before = info(redis);
    let served = redis.serve(traffic, 3000, VALUE_BYTES);
    let after = info(redis);
    let end = watched.snapshot_after(start.snapshot_seconds());
    let late = info(redis);

    assert_eq!(served.hits, after.hits - before.hits);
    assert_eq!(served.misses, after.misses - before.misses);
    if end.hit_ratio() != served.hit_ratio() {
        return false;
    }
    let seconds =
        end.snapshot_seconds().zip(start.snapshot_seconds()).map(|(end, start)| end - start);
    let total = |metric: &str| Some(end.value(metric)? * seconds?);
    let (least, most) = (after.evicted - before.evicted, late.evicted - early.evicted);
    assert!(least > 100, "{served:?} has to evict");
    assert_between("evictions", total("evictions_per_second"), least, most);
    let (least, most) = (served.hits + 2 * served.misses, late.commands - early.commands);
    assert_between("operations", total("operations_per_second"), least, most);

    let mean = |from: (u64, u64), to: (u64, u64)| (to.1 - from.1) as f64 / (to.0 - from.0) as f64;
    let get = mean(before.get, after.get) / 1e6;
    assert_close("get latency", end.value("get_latency_seconds"), get);
    let put = mean(before.set, after.set) / 1e6;
    assert_close("put latency", end.value("put_latency_seconds"), put);
    // A full Redis stands at its limit, give or take the buffers of its clients.
    let usage = end.value("memory_usage_ratio");
    assert!(usage.is_some_and(|usage| (0.9..1.1).contains(&usage)), "{usage:?}");
    assert_eq!(end.labelled("hit_ratio", &[("level", "l1")]), None);
    assert_eq!(end.value("disk_usage_ratio"), None);
    assert_eq!(end.value("promotions_per_second"), None);
    true
}

#[test]
fn the_hit_ratio_follows_the_working_set() {
    let redis = Redis::start(MEMORY_BYTES);
    let (_redis_exporter, exporter) = start(&redis, NO_TUNING);
    let watched = Watched::new(&exporter, "redis");
    let mut traffic = Traffic::new(KEYS_TOO_MANY, Spread::Uniform, 2);
    let mut hit_ratio_is = |keys: u32, what: &str, holds: &dyn Fn(f64) -> bool| {
        traffic.keys = keys;
        watched.wait(what, |shown| {
            redis.serve(&mut traffic, 1000, VALUE_BYTES);
            shown.hit_ratio().is_some_and(holds)
        });
    };
    hit_ratio_is(KEYS_TOO_MANY, "a low hit ratio", &|ratio| ratio < 0.4);
    hit_ratio_is(KEYS_FITTING, "the hit ratio of a set that fits", &|ratio| ratio > 0.99);
    hit_ratio_is(KEYS_TOO_MANY, "a low hit ratio again", &|ratio| ratio < 0.4);
    watched.wait("no hit ratio without traffic", |shown| {
        shown.snapshots() > Some(0.0) && shown.hit_ratio().is_none()
    });
}

// --- tuning

/// The tuning of the README's example, in a hurry, and without waiting for anybody to follow.
const TUNING: &str = "  tuning_interval: 3s\n  performance_window_size: 20\n  \
                      min_samples_for_tuning: 3\n  feedback: {enabled: false}";

/// The recommendation of a rule for the cache.
fn recommendation(cache: &Value, rule: &str) -> Option<Value> {
    let all = cache["recommendations"].as_array()?;
    all.iter().find(|recommendation| recommendation["rule"] == rule).cloned()
}

#[test]
fn a_growing_working_set_is_told_to_get_more_memory() {
    let redis = Redis::start(MEMORY_BYTES);
    let (redis_exporter, exporter) = start(&redis, TUNING);
    assert!(config(&redis_exporter, TUNING).lines().count() <= 20);
    let watched = Watched::new(&exporter, "redis");
    let mut traffic = Traffic::new(KEYS_FITTING, Spread::Uniform, 3);
    redis.serve(&mut traffic, 10_000, VALUE_BYTES);
    watched.wait("a window of a good hit ratio", |shown| {
        redis.serve(&mut traffic, 500, VALUE_BYTES);
        shown.snapshots() >= Some(6.0) && shown.hit_ratio() > Some(0.99)
    });
    assert_eq!(watched.shown().parameter("l1_size_multiplier"), Some(1.0));

    traffic.keys = KEYS_TOO_MANY;
    let wanted = eventually(PATIENCE, "a recommendation", || {
        redis.serve(&mut traffic, 500, VALUE_BYTES);
        recommendation(&watched.api()?, "hit_rate_declining")
    });
    assert_eq!(wanted["parameter"], "l1_size_multiplier");
    assert_eq!(wanted["confidence"], 0.8);
    assert_eq!(wanted["reason"], "Hit rate declining, increasing L1 cache size");
    let value = wanted["recommended_value"].as_f64().expect("a number");
    let bytes = (value * MEMORY_BYTES as f64).round();
    assert_eq!(wanted["apply"], format!("CONFIG SET maxmemory {bytes}"));
    // The first of them; a slow machine may have seen a later one.
    let journal = exporter.get("/api/v1/tunings").json();
    let journal = journal["data"].as_array().expect("the journal is a list").clone();
    let rules = journal.iter().rev().filter(|entry| entry["rule"] == "hit_rate_declining");
    let values: Vec<_> = rules.map(|entry| entry["recommended_value"].as_f64()).collect();
    assert_eq!(values.first(), Some(&Some(1.2)));
    let in_force = exporter.get(&format!("/api/v1/parameters?target={}", redis_exporter.address()));
    let in_force = &in_force.json()["data"]["l1_size_multiplier"];
    assert!(in_force.as_f64() >= Some(1.2), "{in_force}");
    let shown = watched.shown();
    assert!(shown.parameter("l1_size_multiplier") >= Some(1.2));
    let tunings = shown.labelled("tunings_total", &[("rule", "hit_rate_declining")]);
    assert!(tunings >= Some(1.0));

    // Whoever runs the cache does as told. Further advice still counts from the memory that it had
    // at first, not from what it was given since.
    let apply = wanted["apply"].as_str().expect("a text").split(' ').collect::<Vec<_>>();
    redis.set(&apply);
    let next = eventually(PATIENCE, "further advice", || {
        redis.serve(&mut traffic, 500, VALUE_BYTES);
        let next = recommendation(&watched.api()?, "hit_rate_declining")?;
        (next["recommended_value"].as_f64() > Some(value)).then_some(next)
    });
    let value = next["recommended_value"].as_f64().expect("a number");
    let bytes = (value * MEMORY_BYTES as f64).round();
    assert_eq!(next["apply"], format!("CONFIG SET maxmemory {bytes}"));
}

// --- what happens to a Redis

/// Puts one value in force that is not the default, soon after the start and never again.
const SETTING_RULES: &str = "groups:\n  - name: test\n    rules:\n      - rule: settle\n        \
    when: samples() >= 3\n        tune: {parameter: ttl_multiplier, set: 0.75}\n        \
    confidence: 0.9\n        reason: To have something that must be kept\n";

fn start_settled(redis: &Redis) -> (RedisExporter, Exporter) {
    let redis_exporter = RedisExporter::start(redis);
    let tuning = "  tuning_interval: 500ms\n  min_samples_for_tuning: 3\n  \
                  feedback: {enabled: false}\nrule_files: [rules.yaml]";
    let config = config(&redis_exporter, tuning);
    let files = [("tuner.yaml", config.as_str()), ("rules.yaml", SETTING_RULES)];
    let exporter = Exporter::start(&["--config.file", "tuner.yaml"], &files);
    let watched = Watched::new(&exporter, "redis");
    watched.wait("a window and a parameter", |shown| {
        shown.snapshots() >= Some(8.0) && has_settled(shown)
    });
    (redis_exporter, exporter)
}

fn has_settled(shown: &Shown) -> bool {
    shown.parameter("ttl_multiplier") == Some(0.75)
}

#[test]
fn reset_statistics_keep_the_window() {
    let redis = Redis::start(MEMORY_BYTES);
    let mut traffic = Traffic::new(KEYS_TOO_MANY, Spread::Zipf, 4);
    redis.serve(&mut traffic, 20_000, VALUE_BYTES);
    let (_redis_exporter, exporter) = start_settled(&redis);
    let watched = Watched::new(&exporter, "redis");
    let mut snapshots = watched.shown().snapshots();
    redis.serve(&mut traffic, 1000, VALUE_BYTES);
    redis.set(&["CONFIG", "RESETSTAT"]);
    for _ in 0..4 {
        redis.serve(&mut traffic, 500, VALUE_BYTES);
        let shown = watched.next_snapshot();
        assert_eq!(shown.absurd(), Vec::<String>::new());
        assert!(shown.snapshots() > snapshots, "{:?} after {snapshots:?}", shown.snapshots());
        snapshots = shown.snapshots();
        assert!(has_settled(&shown));
        let hit_ratio = shown.hit_ratio();
        assert!(hit_ratio.is_none_or(|ratio| (0.0..=1.0).contains(&ratio)), "{hit_ratio:?}");
        // No more than the few thousand requests that there were, in no less than half a second.
        let operations = shown.value("operations_per_second");
        assert!(operations.is_some_and(|rate| rate < 20_000.0), "{operations:?}");
    }
}

#[test]
fn a_restarted_redis_has_a_window_of_its_own_and_its_old_parameters() {
    let mut redis = Redis::start(MEMORY_BYTES);
    let mut traffic = Traffic::new(KEYS_FITTING, Spread::Zipf, 5);
    redis.serve(&mut traffic, 5000, VALUE_BYTES);
    let (_redis_exporter, exporter) = start_settled(&redis);
    let watched = Watched::new(&exporter, "redis");
    redis.restart();
    // Each snapshot takes half a second, so one poll in 20 ms hardly ever misses the empty window.
    let shown = watched.wait("an emptied window", |shown| {
        shown.snapshots() <= Some(3.0) && shown.snapshots().is_some()
    });
    assert!(has_settled(&shown));
    assert_eq!(shown.absurd(), Vec::<String>::new());
    let shown = watched.wait("a growing window", |shown| shown.snapshots() >= Some(4.0));
    assert!(has_settled(&shown));
    // The new Redis is measured by its own counters alone.
    let served = eventually(PATIENCE, "the hit ratio of a burst", || {
        let start = watched.next_snapshot();
        let served = redis.serve(&mut traffic, 500, VALUE_BYTES);
        let end = watched.snapshot_after(start.snapshot_seconds());
        (end.hit_ratio() == served.hit_ratio()).then_some(served)
    });
    assert!(served.hits > 0);
}

#[test]
fn a_redis_that_is_gone_for_a_while_comes_back_as_it_was() {
    let mut redis = Redis::start(MEMORY_BYTES);
    let (_redis_exporter, exporter) = start_settled(&redis);
    let watched = Watched::new(&exporter, "redis");
    redis.stop();
    // The exporter of Redis still answers.
    watched.wait("a target that is up and shows no cache", |shown| {
        shown.series() == 0 && shown.target_up() == Some(1.0)
    });
    assert_eq!(watched.api(), None);
    redis.restart();
    let shown = watched.wait("the cache", |shown| shown.series() > 0);
    assert!(has_settled(&shown));
    let shown = watched.wait("a growing window", |shown| shown.snapshots() >= Some(2.0));
    assert!(has_settled(&shown));
}

#[test]
fn a_redis_without_a_limit_has_no_memory_usage() {
    let redis = Redis::start(MEMORY_BYTES);
    let (_redis_exporter, exporter) = start(&redis, NO_TUNING);
    let watched = Watched::new(&exporter, "redis");
    watched.wait("memory usage", |shown| shown.value("memory_usage_ratio") > Some(0.0));
    redis.set(&["CONFIG", "SET", "maxmemory", "0"]);
    let shown = watched.wait("no memory usage", |shown| {
        shown.snapshots() > Some(0.0) && shown.value("memory_usage_ratio").is_none()
    });
    assert_eq!(shown.absurd(), Vec::<String>::new());
    let api = watched.api().expect("the cache is known");
    assert_eq!(api["snapshot"]["memory_usage_percent"], Value::Null);
}

// --- probe

#[test]
fn a_probe_shows_what_redis_says() {
    let redis = Redis::start(MEMORY_BYTES);
    let redis_exporter = RedisExporter::start(&redis);
    let mut traffic = Traffic::new(KEYS_TOO_MANY, Spread::Zipf, 6);
    let served = redis.serve(&mut traffic, 10_000, VALUE_BYTES);
    let url = redis_exporter.url();
    let ended = Exporter::run(&["probe", &url, "--output-format", "json"], &[]);
    assert!(ended.status.success(), "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).expect("the report is JSON");
    assert_eq!((&report["profile"], &report["detected"]), (&"redis".into(), &true.into()));
    let cache = &report["caches"][0];
    assert_eq!(cache["roles"]["hits"].as_f64(), Some(served.hits as f64));
    assert_eq!(cache["roles"]["misses"].as_f64(), Some(served.misses as f64));
    assert_eq!(cache["roles"]["l1_max_usage_bytes"].as_f64(), Some(MEMORY_BYTES as f64));
    let usage = cache["snapshot"]["memory_usage_percent"]["value"].as_f64();
    assert!(usage.is_some_and(|usage| (90.0..110.0).contains(&usage)), "{usage:?}");
    // Nobody asked for a key between the two scrapes.
    assert_eq!(cache["snapshot"]["hit_rate"]["value"], Value::Null);
    assert!(cache["snapshot"]["hit_rate"]["absent"].is_string(), "{cache}");
    assert!(cache["snapshot"]["ops_per_second"]["value"].as_f64() > Some(0.0), "{cache}");

    let text = Exporter::run(&["probe", &url, "--interval", "0s"], &[]).stdout;
    for part in ["redis (detected by", "redis_keyspace_hits_total", "memory_usage_percent"] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
}
