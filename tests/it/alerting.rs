//! The alerts and the example configurations, held against the programs that read them.

use std::fs;

use crate::support::dashboard;
use crate::support::dashboard::repository_path;
use crate::support::tool;

/// Severities that the example `alertmanager.yaml` knows how to route.
const SEVERITIES: &[&str] = &["critical", "info", "warning"];

#[track_caller]
fn check(program: &str, args: &[&str]) {
    let output = tool::run(program, args, &repository_path("rules/prometheus"), "");
    assert!(output.success, "{program} {args:?}\n{}{}", output.stdout, output.stderr);
}

#[test]
fn alerts_are_well_formed() {
    check("promtool", &["check", "rules", "alerts.yaml"]);
}

#[test]
fn alerts_fire_when_they_should_and_only_then() {
    check("promtool", &["test", "rules", "alerts_test.yaml"]);
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
    let path = repository_path("rules/prometheus/alerts_test.yaml");
    let tests = fs::read_to_string(path).expect("the tests of the alerts can be read");
    for alert in dashboard::alerts() {
        let name = &alert.name;
        assert!(tests.contains(&format!("- alertname: {name}\n")), "{name} never fires in a test");
        assert!(
            tests.contains(&format!("{{alertname: {name}, ")),
            "{name} is never silent in a test"
        );
    }
}
