//! The program is killed at any moment of a busy run, again and again: nothing that it had reported
//! is gone, nothing is counted twice, and what is in force is what the journal says.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use cache_tuner_exporter::sim::rng::SplitMix64;
use serde_json::Value;

use crate::support::exporter::Exporter;
use crate::support::fault::FaultTarget;
use crate::support::fault::Reply;
use crate::support::page::Page;
use crate::support::page::Sample;
use crate::support::toy;
use crate::support::wait::Deadline;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;

const KILLS: u64 = 30;

/// Longest life, from when it shows every cache again.
const LIFE_MAX_MS: u64 = 900;

/// Longest life of one that is killed while it starts.
const START_MAX_MS: u64 = 120;

/// Jobs of one cache each, so that all of them are tuned at the same time.
const JOBS: usize = 6;

/// To and fro for ever.
const RULES: &str = "
groups:
  - name: busy
    rules:
      - rule: up
        when: eviction_aggressiveness < 0.7
        tune: {parameter: eviction_aggressiveness, add: 0.3, max: 0.9}
        confidence: 0.9
        reason: It is low
      - rule: down
        when: eviction_aggressiveness >= 0.7
        tune: {parameter: eviction_aggressiveness, set: 0.2}
        confidence: 0.9
        reason: It is high
";

/// Names of counters that the journal explains.
const TUNINGS: &str = "cache_tuner_tunings_total";
const OUTCOMES: &str = "cache_tuner_tuning_outcomes_total";
const SHADOW_OUTCOMES: &str = "cache_tuner_shadow_outcomes_total";
const ROLLBACKS: &str = "cache_tuner_rollbacks_total";
const REVERSALS: &str = "cache_tuner_parameter_reversals_total";

/// The value before any tuning.
const AT_FIRST: f64 = 0.5;

/// What the program said at one moment.
struct Told {
    page: Page,
    /// By number.
    journal: BTreeMap<u64, Value>,
}

/// Everything that was ever told.
#[derive(Default)]
struct Memory {
    counters: BTreeMap<String, f64>,
    journal: BTreeMap<u64, Value>,
}

fn config(targets: &[FaultTarget]) -> String {
    let jobs = targets.iter().enumerate();
    let jobs: Vec<String> =
        jobs.map(|(place, it)| toy::job(&format!("j{place}"), &[it.address()], "")).collect();
    format!(
        "global: {{scrape_interval: 100ms, scrape_timeout: 100ms}}\n\
         profile_files: [{}]\nrule_files: [rules.yaml]\n\
         tuning:\n  tuning_interval: 100ms\n  min_samples_for_tuning: 2\n  \
         min_confidence_for_auto_tuning: 0\n  feedback: {{hold_samples: 1, cooldown_samples: 0, \
         cooldown_max: 100ms, shadow_share: 0.3, breaker_failures: 1000}}\n\
         scrape_configs:\n{}",
        toy::PROFILE_FILE,
        jobs.concat()
    )
}

/// What is told, once the journal and the page are of one moment.
#[track_caller]
fn told(exporter: &Exporter) -> Told {
    let journal = || exporter.get("/api/v1/tunings").json()["data"].clone();
    eventually(PATIENCE, "a quiet moment", || {
        let before = journal();
        let page = toy::metrics(exporter);
        let entries = before.as_array().expect("the journal is a list");
        let number = |entry: &Value| entry["number"].as_u64().expect("a number");
        let by_number: BTreeMap<u64, Value> =
            entries.iter().map(|entry| (number(entry), entry.clone())).collect();
        assert_eq!(by_number.len(), entries.len(), "a number is there twice");
        (journal() == before).then_some(Told { page, journal: by_number })
    })
}

/// The same, once every cache is shown.
#[track_caller]
fn told_of_all(exporter: &Exporter) -> Told {
    eventually(PATIENCE, "every cache is shown", || {
        let told = told(exporter);
        (told.page.samples("cache_tuner_parameter", &EVICTION).len() == JOBS).then_some(told)
    })
}

const EVICTION: [(&str, &str); 1] = [("parameter", "eviction_aggressiveness")];

fn key(sample: &Sample) -> String {
    format!("{} {:?}", sample.name, sample.labels)
}

// === impl Memory ===

impl Memory {
    /// Holds what is told now against all before, and remembers it.
    #[track_caller]
    fn take_in(&mut self, told: Told) {
        for name in [TUNINGS, OUTCOMES, SHADOW_OUTCOMES, ROLLBACKS, REVERSALS] {
            for sample in told.page.samples(name, &[]) {
                let before = self.counters.insert(key(sample), sample.value);
                assert!(before <= Some(sample.value), "{before:?} fell: {sample:?}");
            }
        }
        for (number, before) in &self.journal {
            let now = told.journal.get(number);
            let now = now.unwrap_or_else(|| panic!("{before} is gone"));
            for field in ["scrape_job", "origin", "rule", "timestamp", "current_value"] {
                assert_eq!(now[field], before[field], "{field} of {number}");
            }
            for field in ["outcome", "because", "judged", "rolled_back"] {
                let is_same = before[field].is_null() || now[field] == before[field];
                assert!(is_same, "{field} of {number}: {before} became {now}");
            }
        }
        told.check();
        self.journal = told.journal;
    }
}

// === impl Told ===

impl Told {
    /// Every count and value in force is that of the journal.
    #[track_caller]
    fn check(&self) {
        for job in (0..JOBS).map(|place| format!("j{place}")) {
            let entries = || self.journal.values().filter(|entry| entry["scrape_job"] == *job);
            let real = || entries().filter(|entry| entry["origin"] != "shadow");
            let shadows = entries().filter(|entry| entry["origin"] == "shadow");
            let judged = |entry: &&Value| !entry["outcome"].is_null();
            self.check_count(&job, TUNINGS, real().count());
            self.check_count(&job, OUTCOMES, real().filter(judged).count());
            self.check_count(&job, SHADOW_OUTCOMES, shadows.filter(judged).count());
            self.check_count(
                &job,
                ROLLBACKS,
                real().filter(|it| it["rolled_back"] == true).count(),
            );
            let labels = [("scrape_job", job.as_str()), EVICTION[0]];
            let in_force = self.page.value("cache_tuner_parameter", &labels);
            let wanted = real().fold(AT_FIRST, |_, entry| {
                let is_undone = entry["rolled_back"] == true
                    || !entry["outcome"].is_null() && entry["adopted"].is_null();
                let field = if is_undone { "current_value" } else { "recommended_value" };
                entry[field].as_f64().expect("a value")
            });
            assert!(in_force.is_none_or(|value| value.total_cmp(&wanted).is_eq()), "{job}");
        }
    }

    #[track_caller]
    fn check_count(&self, job: &str, metric: &str, want: usize) {
        let samples = self.page.samples(metric, &[("scrape_job", job)]);
        let counted: f64 = samples.iter().map(|sample| sample.value).sum();
        // A cache that is not shown yet after a start has no series.
        assert!(
            samples.is_empty() || counted.total_cmp(&(want as f64)).is_eq(),
            "{metric} of {job}: {counted}, {want}"
        );
    }
}

/// A cache asks for its parameters, as those do that follow.
fn fetch(exporter: &Exporter, target: &FaultTarget) {
    // Until the program has seen the cache again, there are none.
    exporter.get(&format!("/api/v1/parameters?target={}", target.address()));
}

#[test]
fn nothing_told_is_lost_when_the_program_is_killed_at_any_moment() {
    let start = || FaultTarget::start(Reply::Counting(toy::nine_in_ten));
    let targets: Vec<FaultTarget> = (0..JOBS).map(|_| start()).collect();
    let config = config(&targets);
    let files = [
        (toy::CONFIG_FILE, config.as_str()),
        (toy::PROFILE_FILE, toy::PROFILE),
        ("rules.yaml", RULES),
    ];
    let args = ["--config.file", toy::CONFIG_FILE, "--storage.path", "kept"];
    let mut exporter = Exporter::start(&args, &files);
    let mut memory = Memory::default();
    let mut moments = SplitMix64::new(5);
    for _ in 0..KILLS {
        memory.take_in(told_of_all(&exporter));
        let life = Deadline::after(Duration::from_millis(moments.draw_below(LIFE_MAX_MS)));
        while !life.has_passed() {
            // Only some follow, so that other tunings are void.
            let follower = if moments.draw_below(2) == 0 { &targets[0] } else { &targets[1] };
            fetch(&exporter, follower);
            memory.take_in(told(&exporter));
            thread::sleep(Duration::from_millis(moments.draw_below(30)));
        }
        exporter.kill();
        if moments.draw_below(4) == 0 {
            exporter.start_again();
            thread::sleep(Duration::from_millis(moments.draw_below(START_MAX_MS)));
            exporter.kill();
        }
        exporter.start_again_and_listen();
    }
    memory.take_in(told_of_all(&exporter));
    let count = |field: &str, value: Value| {
        memory.journal.values().filter(|entry| entry[field] == value).count()
    };
    let counts = [
        count("origin", "auto".into()),
        count("origin", "shadow".into()),
        count("evidence", "fetched".into()),
        count("because", "not_adopted".into()),
    ];
    assert!(counts.iter().all(|count| *count >= 5), "it was busy: {counts:?}");
}
