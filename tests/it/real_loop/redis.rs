//! A real Redis whose memory is set by hand: the loop sees it done, and judges it from the traffic.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::support::exporter::Exporter;
use crate::support::redis::Redis;
use crate::support::redis::RedisExporter;
use crate::support::traffic::Spread;
use crate::support::traffic::Traffic;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;
use crate::support::watched::Watched;

/// Memory of the Redis under test: what it needs itself is a small part.
const MEMORY_BYTES: u64 = 12 << 20;

/// Size of a value.
const VALUE_BYTES: usize = 1024;

/// Keys that need several times the memory.
const KEYS: u32 = 40_000;

/// Requests in a burst, and the pause after it: steady traffic, of some thousands a second.
const BURST_REQUESTS: u64 = 200;
const BURST_PAUSE: Duration = Duration::from_millis(20);

/// Time for the judge's history, the cache to fill, and the last look.
const JUDGED_WITHIN: Duration = Duration::from_secs(90);

const RULES: &str = "
groups:
  - name: test
    rules:
      - rule: grow
        when: mean(hit_rate) < 0.99
        tune: {parameter: l1_size_multiplier, multiply: 1.5, max: 4}
        confidence: 0.9
        reason: To see the loop
";

/// Requests that never end until this is dropped.
struct Stream {
    is_over: Arc<AtomicBool>,
    worker: Option<JoinHandle<()>>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(worker) = self.worker.take() {
            worker.join().ok();
        }
    }
}

impl Stream {
    fn start(redis: &Arc<Redis>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut traffic = Traffic::new(KEYS, Spread::Zipf, 7);
        redis.serve(&mut traffic, 60_000, VALUE_BYTES);
        let worker = thread::spawn({
            let (is_over, redis) = (Arc::clone(&is_over), Arc::clone(redis));
            move || {
                while !is_over.load(Ordering::Relaxed) {
                    redis.serve(&mut traffic, BURST_REQUESTS, VALUE_BYTES);
                    thread::sleep(BURST_PAUSE);
                }
            }
        });
        Self { is_over, worker: Some(worker) }
    }
}

#[track_caller]
fn start(redis: &Redis, tuning: &str) -> (RedisExporter, Exporter) {
    let redis_exporter = RedisExporter::start(redis);
    let config = format!(
        "global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}\n\
         rule_files: [rules.yaml]\ntuning:\n{tuning}\n\
         scrape_configs:\n  - {{job_name: sessions, static_configs: [{{targets: ['{}']}}]}}\n",
        redis_exporter.address()
    );
    let files = [("tuner.yaml", config.as_str()), ("rules.yaml", RULES)];
    (redis_exporter, Exporter::start(&["--config.file", "tuner.yaml"], &files))
}

/// Does what the recommendation in force says, and returns the bytes.
#[track_caller]
fn apply(redis: &Redis, exporter: &Exporter) -> f64 {
    let apply = eventually(PATIENCE, "a recommendation", || {
        let cache = Watched::new(exporter, "redis").api()?;
        cache["recommendations"][0]["apply"].as_str().map(str::to_owned)
    });
    let words: Vec<&str> = apply.split(' ').collect();
    assert_eq!(words[..3], ["CONFIG", "SET", "maxmemory"]);
    redis.set(&words);
    words[3].parse().expect("a number of bytes")
}

/// Waits for an entry of the journal.
#[track_caller]
fn entry(
    exporter: &Exporter,
    patience: Duration,
    what: &str,
    fits: impl Fn(&Value) -> bool,
) -> Value {
    eventually(patience, what, || {
        let journal = exporter.get("/api/v1/tunings").json();
        let entries = journal["data"].as_array().expect("the journal is a list");
        entries.iter().find(|entry| fits(entry)).cloned()
    })
}

#[test]
fn memory_set_as_recommended_is_adopted_and_judged_from_real_traffic() {
    let redis = Arc::new(Redis::start(MEMORY_BYTES));
    let _stream = Stream::start(&redis);
    let (_redis_exporter, exporter) = start(
        &redis,
        "  tuning_interval: 5s\n  performance_window_size: 130\n  min_samples_for_tuning: 130\n  \
         feedback: {shadow_share: 0}",
    );
    let started =
        entry(&exporter, JUDGED_WITHIN, "a tuning in force", |entry| entry["origin"] == "auto");
    assert_eq!((&started["rule"], &started["recommended_value"]), (&json!("grow"), &json!(1.5)));
    let bytes = apply(&redis, &exporter);
    assert_eq!(bytes.to_bits(), (1.5 * MEMORY_BYTES as f64).to_bits());

    let number = &started["number"];
    let adopted = entry(&exporter, PATIENCE, "the tuning is adopted", |entry| {
        entry["number"] == *number && !entry["adopted"].is_null()
    });
    assert_eq!(adopted["evidence"], "observed", "{adopted}");
    let judged = entry(&exporter, JUDGED_WITHIN, "the tuning is judged", |entry| {
        entry["number"] == *number && !entry["outcome"].is_null()
    });
    assert_ne!(judged["outcome"], "void", "{judged}");
    assert!(judged["mean_before"].as_f64() > Some(0.2), "{judged}");
    assert!(judged["mean_after"].as_f64() > Some(0.2), "{judged}");
    assert!(judged["votes"]["welch"]["effect"].is_f64(), "{judged}");
    let outcome = judged["outcome"].as_str().expect("a name");
    let shown = Watched::new(&exporter, "redis").shown();
    let counted =
        shown.labelled("tuning_outcomes_total", &[("rule", "grow"), ("outcome", outcome)]);
    assert!(counted >= Some(1.0), "{counted:?}");
}

#[test]
fn memory_set_by_hand_is_a_tuning_of_the_rule_that_advised_it_or_of_nobody() {
    let redis = Arc::new(Redis::start(MEMORY_BYTES));
    let _stream = Stream::start(&redis);
    let (_redis_exporter, exporter) =
        start(&redis, "  tuning_interval: 1s\n  min_samples_for_tuning: 10\n  mode: advisory");
    let watched = Watched::new(&exporter, "redis");
    apply(&redis, &exporter);
    let manual =
        entry(&exporter, PATIENCE, "what was advised is done", |entry| entry["origin"] != "shadow");
    assert_eq!((&manual["origin"], &manual["rule"]), (&json!("manual"), &json!("grow")));
    assert_eq!((&manual["evidence"], &manual["current_value"]), (&json!("observed"), &json!(1.0)));
    assert_eq!(watched.shown().parameter("l1_size_multiplier"), Some(1.5));

    // 1.5 is in force, so 2.25 would be advised next.
    redis.set(&["CONFIG", "SET", "maxmemory", &(2 * MEMORY_BYTES).to_string()]);
    let external =
        entry(&exporter, PATIENCE, "another hand is seen", |entry| entry["origin"] == "external");
    assert_eq!(
        (&external["rule"], &external["evidence"]),
        (&json!("external"), &json!("observed"))
    );
    let values = (&external["current_value"], &external["recommended_value"]);
    assert_eq!(values, (&json!(1.5), &json!(2.0)));
    assert_eq!(watched.shown().parameter("l1_size_multiplier"), Some(2.0));
    let first = entry(&exporter, PATIENCE, "the first is ended", |entry| {
        entry["number"] == manual["number"] && !entry["outcome"].is_null()
    });
    assert_eq!((&first["outcome"], &first["because"]), (&json!("void"), &json!("overlapping")));
}
