//! `probe` of pages of real products, of which what is shown was worked out by hand, and of what
//! cannot be read.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::exporter::Ended;
use crate::support::exporter::Exporter;
use crate::support::fault::FaultTarget;
use crate::support::fault::Reply;
use crate::support::toy;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages").join(name))
        .unwrap()
}

/// Probes a target, with a profile file of the tests beside.
#[track_caller]
fn probe(target: &FaultTarget, args: &[&str]) -> Ended {
    let url = target.url("/metrics");
    let args = if args.contains(&"--interval") {
        [&["probe", &url], args].concat()
    } else {
        [&["probe", &url, "--interval", "100ms"], args].concat()
    };
    Exporter::run(&args, &[(toy::PROFILE_FILE, toy::PROFILE)])
}

/// What a successful probe says as JSON.
#[track_caller]
fn found(target: &FaultTarget, args: &[&str]) -> Value {
    let ended = probe(target, &[args, &["--output-format", "json"]].concat());
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
    serde_json::from_str(&ended.stdout).unwrap()
}

/// Holds the signals of a cache to wanted values; all others must be absent, with a reason.
/// Rates depend on the real time between two scrapes, which is not shown: those named are only seen
/// to be there.
#[track_caller]
fn check_signals(cache: &Value, wanted: &[(&str, f64)], rates: &[&str]) {
    for (signal, shown) in cache["snapshot"].as_object().unwrap() {
        let want = wanted.iter().find(|(name, _)| name == signal).map(|(_, value)| *value);
        match (shown["value"].as_f64(), want) {
            (Some(got), Some(want)) => {
                let off = (got - want).abs();
                assert!(off <= want.abs() * 1e-9, "{signal}: {got}, not {want}");
            }
            (Some(got), None) if rates.contains(&signal.as_str()) => assert!(got > 0.0, "{got}"),
            (None, None) => assert!(shown["absent"].is_string(), "{signal}: {cache}"),
            (got, want) => panic!("{signal}: {got:?}, not {want:?}"),
        }
    }
}

#[track_caller]
fn check_failure(reply: Reply, args: &[&str], reason: &str, message: &str) {
    let target = FaultTarget::start(reply);
    let ended = probe(&target, args);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
    let line = format!("error[{reason}]: {}: ", target.url("/metrics"));
    assert!(ended.stderr.starts_with(&line), "{}", ended.stderr);
    assert!(ended.stderr.contains(message), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[test]
fn redis_between_two_scrapes() {
    fn page(number: u64) -> String {
        read(if number == 1 { "redis_1.txt" } else { "redis_2.txt" })
    }
    let target = FaultTarget::start(Reply::Counting(page));
    let found = found(&target, &[]);
    assert_eq!((&found["profile"], &found["detected"]), (&"redis".into(), &true.into()));
    let wanted = [
        ("hit_rate", 469_291.0 / (469_291.0 + 92_389.0)),
        ("memory_usage_percent", 12_933_259_200.0 / 268_435_456.0),
        ("avg_get_latency_us", 509_933.0 / 560_280.0),
        ("avg_put_latency_us", 1_705_396.0 / 1_120_140.0),
        ("eviction_rate", 0.0),
    ];
    check_signals(&found["caches"][0], &wanted, &["ops_per_second"]);
    assert_eq!(target.requests().len(), 2);
}

#[test]
fn redis_once_shows_levels_alone() {
    let target = FaultTarget::start(Reply::Page(read("redis_1.txt")));
    let found = found(&target, &["--interval", "0"]);
    let wanted = [("memory_usage_percent", 7_717_440_000.0 / 268_435_456.0)];
    let cache = &found["caches"][0];
    check_signals(cache, &wanted, &[]);
    assert_eq!(cache["roles"]["hits"], 199_266.0);
    assert_eq!(cache["snapshot"]["hit_rate"]["absent"], "a rate takes two scrapes");
    assert_eq!(target.requests().len(), 1);
}

#[test]
fn redis_that_restarts_in_between() {
    fn page(number: u64) -> String {
        let page = read(if number == 1 { "redis_2.txt" } else { "redis_1.txt" });
        page.replace(
            "redis_start_time_seconds 1.795354953e+09",
            &format!("redis_start_time_seconds {number}00"),
        )
        .replace("redis_uptime_in_seconds", "redis_uptime_of_old")
    }
    let target = FaultTarget::start(Reply::Counting(page));
    let found = found(&target, &[]);
    let why = &found["caches"][0]["snapshot"]["hit_rate"]["absent"];
    assert_eq!(why, "the cache restarted between the two scrapes");
}

#[test]
fn micrometer_shows_every_cache() {
    let target = FaultTarget::start(Reply::Page(read("micrometer.txt")));
    let found = found(&target, &[]);
    assert_eq!(found["profile"], "micrometer");
    assert_eq!(found["caches"].as_array().unwrap().len(), 20);
    let cache = &found["caches"][0];
    assert_eq!(cache["cache"], "c0");
    assert_eq!(cache["roles"]["hits"], 5_434_012.0);
    assert_eq!(cache["roles"]["misses"], 1_265_424.0);
    let why = &cache["snapshot"]["hit_rate"]["absent"];
    assert_eq!(why, "nothing happened in the interval");
}

#[test]
fn json_of_rez_next() {
    let body = read("unified-cache-stats.json");
    let content_type = "application/json";
    let target = FaultTarget::start(Reply::Typed { status: 200, content_type, body });
    let found = found(&target, &[]);
    assert_eq!(found["profile"], "rez-next");
    let wanted = [
        ("memory_usage_percent", 9_811_200_400.0 / 104_857_600.0),
        ("disk_usage_percent", 70_022_100_400.0 / 1_073_741_824.0),
        ("avg_get_latency_us", 212.5),
        ("avg_put_latency_us", 401.25),
        ("ops_per_second", 5_321.0),
        ("eviction_rate", 0.0),
        ("promotion_rate", 0.0),
    ];
    check_signals(&found["caches"][0], &wanted, &[]);
}

#[test]
fn a_profile_of_one_s_own() {
    let target = FaultTarget::start(Reply::Counting(toy::nine_in_ten));
    let ended = probe(&target, &["--profile.file", toy::PROFILE_FILE, "--profile", "toy"]);
    assert_eq!(ended.status.code(), Some(0), "{}", ended.stderr);
    for line in [
        "page     162 bytes, 5 samples, 0 bad lines\n",
        "profile  toy (as told)\n",
        "  hits                 toy_hits_total  (1 series)\n",
        "                         toy_hits_total{cache=\"main\"} 18\n",
        "cache main\n",
        "    hit_rate             0.9 ratio\n",
        "    memory_usage_percent 60 percent\n",
        "    disk_usage_percent   absent: the profile has no role `l2_usage_bytes`\n",
    ] {
        assert!(ended.stdout.contains(line), "wanted `{line}`, got {}", ended.stdout);
    }
}

#[test]
fn a_profile_that_does_not_fit_shows_what_it_looked_for() {
    let target = FaultTarget::start(Reply::Counting(toy::nine_in_ten));
    let ended = probe(&target, &["--profile", "varnish"]);
    assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
    assert!(ended.stdout.contains("no cache: no role finds a series"), "{}", ended.stdout);
    assert!(ended.stdout.contains("varnish_main_cache_hit  (no series)"), "{}", ended.stdout);
}

#[test]
fn what_cannot_be_read_is_told_with_its_reason() {
    check_failure(Reply::html(), &[], "not_exposition", "no sample in the HTML page");
    check_failure(Reply::status(404), &[], "http_status", "target answered 404, not 200");
    let timeout = ["--timeout", "100ms"];
    check_failure(Reply::Hang, &timeout, "timeout", "no complete answer within 100ms");
    check_failure(Reply::RedirectForEver, &[], "redirects", "more than 10 redirects");
    let unknown = Reply::Page(read("prometheus.txt"));
    check_failure(unknown, &[], "no_profile", "none of the profiles redis,");
    let huge = Reply::Huge { bytes: 128 << 20, gzip: false };
    check_failure(huge, &[], "body_too_large", "body reaches the limit of 64MiB");
    let lines = Reply::Page("a 1\n".repeat(1_000_001));
    check_failure(lines, &[], "sample_limit", "1000001 lines exceed the limit of 1000000");
}
