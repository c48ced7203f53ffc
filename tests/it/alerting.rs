//! The alerts and the example configurations, held against the programs that read them.

use std::fs;

use serde_json::Value;
use serde_json::json;

use crate::support::dashboard;
use crate::support::dashboard::repository_path;
use crate::support::http;
use crate::support::prometheus::Alertmanager;
use crate::support::tool;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;

/// Severities that the example `alertmanager.yaml` knows how to route.
const SEVERITIES: &[&str] = &["critical", "info", "warning"];

#[track_caller]
fn check(program: &str, args: &[&str]) {
    let output = tool::run(program, args, &repository_path("rules/prometheus"), "");
    assert!(output.success, "{program} {args:?}\n{}{}", output.stdout, output.stderr);
}

/// The names of the files beside the alerts that hold their tests.
#[track_caller]
fn test_files() -> Vec<String> {
    let folder = fs::read_dir(repository_path("rules/prometheus")).expect("the rules can be read");
    let names = folder.map(|entry| entry.expect("the rules can be read").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let files: Vec<String> = names.filter(|name| name.ends_with("_test.yaml")).collect();
    assert!(!files.is_empty(), "the tests of the alerts are found");
    files
}

#[test]
fn alerts_are_well_formed() {
    check("promtool", &["check", "rules", "alerts.yaml"]);
}

#[test]
fn alerts_fire_when_they_should_and_only_then() {
    let files = test_files();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    check("promtool", &[&["test", "rules"], &files[..]].concat());
}

#[test]
fn the_example_of_prometheus_is_well_formed() {
    check("promtool", &["check", "config", "prometheus.yaml"]);
}

#[test]
fn the_example_of_alertmanager_is_well_formed() {
    check("amtool", &["check-config", "alertmanager.yaml"]);
}

#[test]
fn recommendations_are_routed_apart_from_alarms() {
    let route = ["config", "routes", "test", "--config.file=alertmanager.yaml"];
    check("amtool", &[&route[..], &["--verify.receivers=daily", "severity=info"]].concat());
    check("amtool", &[&route[..], &["--verify.receivers=team", "severity=warning"]].concat());
    check("amtool", &[&route[..], &["--verify.receivers=team", "severity=critical"]].concat());
}

#[test]
fn every_alert_tells_how_urgent_and_what() {
    for alert in dashboard::alerts() {
        let name = &alert.name;
        assert!(SEVERITIES.contains(&alert.labels.severity.as_str()), "{name}: severity");
        assert!(!alert.annotations.summary.is_empty(), "{name}: summary");
        assert!(alert.annotations.description.ends_with('.'), "{name}: description");
        assert!(alert.pending.is_some(), "{name}: for");
    }
}

#[test]
fn every_alert_is_seen_firing_and_silent() {
    let read = |name| fs::read_to_string(repository_path("rules/prometheus").join(name));
    let texts = test_files().into_iter().map(read).collect::<Result<Vec<_>, _>>();
    let tests = texts.expect("the tests of the alerts can be read").concat();
    for alert in dashboard::alerts() {
        let name = &alert.name;
        assert!(tests.contains(&format!("- alertname: {name}\n")), "{name} never fires in a test");
        assert!(
            tests.contains(&format!("{{alertname: {name}, ")),
            "{name} is never silent in a test"
        );
    }
}

/// Posts alerts, each as `name` or `name on target`. Returns those that Alertmanager holds back.
#[track_caller]
fn inhibited(alerts: &[&str]) -> Vec<String> {
    let config = fs::read_to_string(repository_path("rules/prometheus/alertmanager.yaml"));
    let alertmanager = Alertmanager::start(&config.expect("the example can be read"));
    for alert in alerts {
        let (name, target) = alert.split_once(" on ").unwrap_or((alert, ""));
        let severity = dashboard::alerts().into_iter().find(|alert| alert.name == name);
        let severity = severity.expect("there is such an alert").labels.severity;
        let mut labels = json!({ "alertname": name, "severity": severity, "job": "cache-tuner",
            "instance": "exporter:10049" });
        if !target.is_empty() {
            labels["scrape_job"] = "sessions".into();
            labels["target"] = target.into();
            labels["cache"] = "redis".into();
        }
        alertmanager.post_alert(&labels);
    }
    let url = format!("http://{}/api/v2/alerts", alertmanager.address());
    // Sources reach the inhibitor a moment after the API: none would mean too early.
    eventually(PATIENCE, "Alertmanager holds something back", || {
        let answer = http::get(&url).ok()?.json();
        let held = answer.as_array()?.iter().filter(|it| it["status"]["state"] == "suppressed");
        let mut held: Vec<String> = held.map(|it| name_and_target(&it["labels"])).collect();
        held.sort();
        (!held.is_empty()).then_some(held)
    })
}

fn name_and_target(labels: &Value) -> String {
    let name = labels["alertname"].as_str().unwrap_or_default();
    labels["target"].as_str().map_or(name.to_owned(), |target| format!("{name} on {target}"))
}

#[test]
fn a_target_that_is_down_holds_back_what_follows_from_it() {
    let alerts = [
        "CacheTunerTargetDown on a",
        "CacheTunerSnapshotsStale on a",
        "CacheTunerSnapshotsStale on b",
        "CacheTunerTuningsFailing",
    ];
    assert_eq!(inhibited(&alerts), ["CacheTunerSnapshotsStale on a"]);
}

#[test]
fn failures_in_a_row_hold_back_the_ratio_that_they_lower() {
    let alerts = [
        "CacheTunerBreakerOpen",
        "CacheTunerStoreFailing",
        "CacheTunerTuningsFailing",
        "CacheTunerTuningsFailingFast",
    ];
    assert_eq!(inhibited(&alerts), ["CacheTunerTuningsFailing"]);
}

#[test]
fn an_open_breaker_holds_back_recommendations_that_stand() {
    let alerts = [
        "CacheTunerBreakerOpen",
        "CacheTunerRecommendationStanding on a",
        "CacheTunerOscillating on a",
        "CacheTunerTuningsFailing",
    ];
    assert_eq!(inhibited(&alerts), ["CacheTunerRecommendationStanding on a"]);
}
