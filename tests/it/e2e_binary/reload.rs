//! Another configuration while it runs: a good one changes what it says and nothing else, a bad one
//! changes nothing.

use std::fs;

use crate::support::exporter::Exporter;
use crate::support::fault::FaultTarget;
use crate::support::fault::Reply;
use crate::support::toy;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;

const RELOAD_SUCCESSFUL: &str = "cache_tuner_config_last_reload_successful";

/// Names a profile that does not exist.
const BAD: &str = "scrape_configs:\n  - job_name: a\n    profile: reddis\n";

/// Level 1 is full: `memory_usage_high` fires at every analysis, until its parameter reaches 1.0.
fn full(number: u64) -> String {
    toy::nine_in_ten(number).replace("} 600", "} 950")
}

fn start(config: &str, args: &[&str]) -> Exporter {
    toy::start(config, args)
}

/// What the exporter knows of a job's cache: snapshots and the tuned parameter.
#[track_caller]
fn learnt(exporter: &Exporter, job: &str) -> (Option<f64>, Option<f64>) {
    let page = toy::metrics(exporter);
    let parameter = ("parameter", "eviction_aggressiveness");
    (
        page.value("cache_tuner_snapshots", &[("scrape_job", job)]),
        page.value("cache_tuner_parameter", &[("scrape_job", job), parameter]),
    )
}

/// Waits until the cache of a job was tuned as far as it goes, with ten snapshots or more.
#[track_caller]
fn wait_until_tuned(exporter: &Exporter, job: &str) {
    eventually(PATIENCE, "the cache is tuned to the limit", || match learnt(exporter, job) {
        (Some(snapshots), Some(value)) => (snapshots >= 10.0 && value >= 1.0).then_some(()),
        _ => None,
    });
}

#[test]
fn a_good_one_by_signal_keeps_drops_and_starts_targets() {
    let stays = FaultTarget::start(Reply::Counting(full));
    let goes = FaultTarget::start(Reply::Counting(toy::nine_in_ten));
    let comes = FaultTarget::start(Reply::Counting(toy::nine_in_ten));
    let stay = toy::job("stays", &[stays.address()], "");
    let before = toy::config(&[stay.clone(), toy::job("goes", &[goes.address()], "")]);
    let exporter = start(&before, &[]);
    wait_until_tuned(&exporter, "stays");
    toy::wait_for(&exporter, "cache_tuner_snapshots", &[("scrape_job", "goes")], |n| n >= 2.0);

    let after = toy::config(&[stay, toy::job("comes", &[comes.address()], "")]);
    exporter.write_file(toy::CONFIG_FILE, &after);
    exporter.signal("HUP");
    toy::wait_for(&exporter, "cache_tuner_snapshots", &[("scrape_job", "comes")], |n| n >= 2.0);
    let (snapshots, value) = learnt(&exporter, "stays");
    assert!(snapshots >= Some(10.0), "{snapshots:?}");
    assert_eq!(value, Some(1.0));
    let page = exporter.get("/metrics");
    assert!(!page.text().contains("goes"), "{}", page.text());
    assert_eq!(toy::metrics(&exporter).value(RELOAD_SUCCESSFUL, &[]), Some(1.0));
    assert!(exporter.log().contains("configuration reloaded"));
    let asked = goes.requests().len();
    toy::wait_for(&exporter, "cache_tuner_snapshots", &[("scrape_job", "comes")], |n| n >= 6.0);
    assert!(goes.requests().len() <= asked + 1, "a target that is gone is still scraped");
    let config = exporter.get("/api/v1/status/config").json();
    assert!(config["data"]["yaml"].as_str().unwrap().contains("comes"));
}

#[test]
fn a_bad_one_changes_nothing_and_says_why() {
    let target = FaultTarget::start(Reply::Counting(full));
    let good = toy::config(&[toy::job("stays", &[target.address()], "")]);
    let exporter = start(&good, &["--web.enable-lifecycle"]);
    wait_until_tuned(&exporter, "stays");
    let success_at = "cache_tuner_config_last_reload_success_timestamp_seconds";
    let first_success = toy::metrics(&exporter).value(success_at, &[]);
    let (before, _) = learnt(&exporter, "stays");

    exporter.write_file(toy::CONFIG_FILE, BAD);
    let answer = exporter.post("/-/reload");
    assert_eq!(answer.status, 500);
    let place = "exporter.yaml:3:14: error[unknown-name]: unknown profile `reddis`";
    assert!(answer.text().contains(place), "{}", answer.text());
    assert!(answer.text().contains("the one in use stays"), "{}", answer.text());
    assert!(exporter.log().contains("unknown profile"), "{}", exporter.log());

    let page = toy::metrics(&exporter);
    assert_eq!(page.value(RELOAD_SUCCESSFUL, &[]), Some(0.0));
    assert_eq!(page.value(success_at, &[]), first_success);
    let (after, value) = learnt(&exporter, "stays");
    assert!(after >= before, "{after:?} {before:?}");
    assert_eq!(value, Some(1.0));
    assert_eq!(exporter.get("/-/ready").status, 200);
    let config = exporter.get("/api/v1/status/config").json();
    assert!(!config["data"]["yaml"].as_str().unwrap().contains("reddis"));
    let more = after.unwrap() + 2.0;
    toy::wait_for(&exporter, "cache_tuner_snapshots", &[("scrape_job", "stays")], |n| n >= more);

    fs::remove_file(exporter.dir().join(toy::CONFIG_FILE)).unwrap();
    let answer = exporter.post("/-/reload");
    assert_eq!(answer.status, 500);
    assert!(answer.text().contains("cannot read `exporter.yaml`"), "{}", answer.text());

    exporter.write_file(toy::CONFIG_FILE, &good);
    assert_eq!(exporter.post("/-/reload").status, 200);
    let page = toy::metrics(&exporter);
    assert_eq!(page.value(RELOAD_SUCCESSFUL, &[]), Some(1.0));
    assert!(page.value(success_at, &[]) >= first_success);
    assert!(learnt(&exporter, "stays").0 >= Some(more));
}

#[test]
fn a_bad_one_by_signal_is_shown_in_the_metrics() {
    let target = FaultTarget::start(Reply::Counting(full));
    let exporter = start(&toy::config(&[toy::job("a", &[target.address()], "")]), &[]);
    assert_eq!(toy::metrics(&exporter).value(RELOAD_SUCCESSFUL, &[]), Some(1.0));
    exporter.write_file(toy::CONFIG_FILE, BAD);
    exporter.signal("HUP");
    toy::wait_for(&exporter, RELOAD_SUCCESSFUL, &[], |value| value < 0.5);
    exporter.write_file(toy::CONFIG_FILE, &toy::config(&[]).replace(":\n", ": []\n"));
    exporter.signal("HUP");
    toy::wait_for(&exporter, RELOAD_SUCCESSFUL, &[], |value| value > 0.5);
    assert_eq!(exporter.get("/api/v1/caches").json()["data"].as_array().map(Vec::len), Some(0));
}

#[test]
fn without_the_flag_it_is_forbidden_over_http() {
    let target = FaultTarget::start(Reply::Counting(full));
    let exporter = start(&toy::config(&[toy::job("a", &[target.address()], "")]), &[]);
    exporter.write_file(toy::CONFIG_FILE, BAD);
    let answer = exporter.post("/-/reload");
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("--web.enable-lifecycle"), "{}", answer.text());
    assert_eq!(toy::metrics(&exporter).value(RELOAD_SUCCESSFUL, &[]), Some(1.0));
}

#[test]
fn other_settings_of_a_target_are_put_in_force() {
    let target = FaultTarget::start(Reply::Counting(full));
    let before = toy::config(&[toy::job("a", &[target.address()], "")]);
    let exporter = start(&before, &["--web.enable-lifecycle"]);
    wait_until_tuned(&exporter, "a");
    let labels = "tuning: {performance_window_size: 5, min_samples_for_tuning: 2}\n";
    let after = toy::config(&[toy::job("a", &[target.address()], labels)]);
    exporter.write_file(toy::CONFIG_FILE, &after);
    assert_eq!(exporter.post("/-/reload").status, 200);
    assert_eq!(learnt(&exporter, "a"), (Some(5.0), Some(1.0)));
    exporter.write_file(toy::CONFIG_FILE, &after.replace("]}]", "], labels: {team: web}}]"));
    assert_eq!(exporter.post("/-/reload").status, 200);
    let page = toy::metrics(&exporter);
    assert_eq!(page.value("cache_tuner_target_up", &[("team", "web")]), Some(1.0));
    assert_eq!(page.samples("cache_tuner_target_up", &[]).len(), 1);
}
