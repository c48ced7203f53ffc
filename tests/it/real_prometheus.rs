//! A real Prometheus scrapes the running program, asks it everything that the dashboard and the
//! alerts ask, and a real Alertmanager delivers what it finds.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::support::dashboard;
use crate::support::dashboard::Query;
use crate::support::dashboard::Variables;
use crate::support::exporter::Exporter;
use crate::support::fault::FaultTarget;
use crate::support::fault::Reply;
use crate::support::http;
use crate::support::process;
use crate::support::prometheus;
use crate::support::prometheus::Alertmanager;
use crate::support::prometheus::Prometheus;
use crate::support::prometheus::webhook_config;
use crate::support::tool;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;
use crate::support::webhook::Webhook;

/// A page of the `redis` profile.
const REDIS_PAGE: &str = include_str!("../pages/redis_1.txt");

/// Queries that give nothing here, and why.
const EMPTY: &[(&str, &str)] = &[
    ("panel \"Calibration\" A", "fewer than 30 tunings are judged"),
    ("panel \"Calibration\" B", "fewer than 30 tunings are judged"),
];

/// Time until tunings and their shadows are judged.
const JUDGED_WITHIN: Duration = Duration::from_secs(120);

/// Caches that are tuned, the same caches with advice alone, and a target that is down. The demo
/// moves on four times a second, so there are requests in each interval.
fn exporter_config(demo: &str, down: SocketAddr) -> String {
    format!(
        "global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}\n\
         tuning: {{tuning_interval: 2s, min_samples_for_tuning: 3}}\n\
         scrape_configs:\n\
         - {{job_name: tuned, static_configs: [{{targets: ['{demo}']}}]}}\n\
         - {{job_name: advised, tuning: {{mode: advisory}},\n   \
         static_configs: [{{targets: ['{demo}']}}]}}\n\
         - {{job_name: down, static_configs: [{{targets: ['{down}']}}]}}\n"
    )
}

/// The rules as Prometheus' API has them.
#[track_caller]
fn rules(prometheus: &Prometheus) -> Vec<Value> {
    let groups = prometheus.api("rules")["groups"].as_array().cloned().expect("groups are a list");
    let rules = groups.iter().filter_map(|group| group["rules"].as_array());
    rules.flatten().cloned().collect()
}

#[test]
fn prometheus_takes_every_metric_query_and_alert() {
    let demo = Exporter::start(&[], &[]);
    let caches = demo.first_target();
    let config = exporter_config(&caches, process::free_address());
    let args = ["--config.file", "tuner.yaml", "--web.enable-admin-api"];
    let exporter = Exporter::start(&args, &[("tuner.yaml", &config)]);
    let config = prometheus::scraping(exporter.address(), "");
    let prometheus = Prometheus::start(&config, &[("alerts.yaml", &prometheus::shipped_alerts())]);
    eventually(PATIENCE, "Prometheus has seen tunings and failures grow", || {
        let tunings = "sum(increase(cache_tuner_tunings_total[30s]))";
        let failures = "sum(increase(cache_tuner_target_scrape_failures_total[30s]))";
        let withheld = "sum(increase(cache_tuner_recommendations_withheld_total[30s]))";
        let grew = |query| prometheus.query_value(query).is_some_and(|growth| growth > 0.0);
        (grew(tunings) && grew(failures) && grew(withheld)).then_some(())
    });

    assert_eq!(prometheus.query_value("up"), Some(1.0));
    let targets = prometheus.api("targets");
    let target = &targets["activeTargets"][0];
    assert_eq!((&target["health"], &target["lastError"]), (&"up".into(), &"".into()));
    assert_eq!(prometheus.query("cache_tuner_target_up == 1").len(), 2);
    assert_eq!(prometheus.query("cache_tuner_hit_ratio{level='all'}").len(), 8);

    let page = exporter.get("/metrics");
    let output = tool::run("promtool", &["check", "metrics"], ".".as_ref(), page.text());
    assert!(output.success && output.stderr.is_empty(), "{}", output.stderr);

    report_success(&exporter, &caches);
    // An analysis may just have recommended nothing, or nothing has happened for a while: a query
    // has data once it had some.
    let expected: Vec<&str> = EMPTY.iter().map(|(place, _)| *place).collect();
    let mut empty = empty_queries(&prometheus);
    eventually(JUDGED_WITHIN, "every query has had data", || {
        let now = empty_queries(&prometheus);
        empty.retain(|place| now.contains(place));
        (empty.len() <= expected.len()).then_some(())
    });
    assert_eq!(empty, expected);

    let alerts: Vec<String> = dashboard::alerts().into_iter().map(|alert| alert.name).collect();
    let rules = eventually(PATIENCE, "every rule is evaluated", || {
        let rules = rules(&prometheus);
        rules.iter().all(|rule| rule["health"] == "ok").then_some(rules)
    });
    let alerting = rules.iter().filter(|rule| rule["type"] == "alerting");
    let names: Vec<_> = alerting.map(|rule| rule["name"].as_str().unwrap_or("?")).collect();
    assert_eq!(names, alerts);
    let pending = rules.iter().filter(|rule| rule["state"] == "pending");
    let pending: Vec<_> = pending.map(|rule| rule["name"].as_str().unwrap_or("?")).collect();
    for name in ["CacheTunerTargetDown", "CacheTunerRecommendationStanding"] {
        assert!(pending.contains(&name), "{name} in {pending:?}");
    }
}

/// Tells the exporter of a tuning that helped: one that it judges so by itself may take minutes.
#[track_caller]
fn report_success(exporter: &Exporter, target: &str) {
    let body = json!({
        "scrape_job": "tuned", "target": target, "cache": "search",
        "rule": "eviction_rate_high", "outcome": "improved", "improvement": 0.1,
    });
    let url = exporter.url("/api/v1/outcomes");
    let answer = http::post(&url, "application/json", body.to_string().as_bytes());
    let answer = answer.unwrap_or_else(|error| panic!("POST {url}: {error}"));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The queries that give nothing, of the dashboard; one that Prometheus refuses panics.
#[track_caller]
fn empty_queries(prometheus: &Prometheus) -> Vec<String> {
    let document = dashboard::document();
    let variables = Variables { interval_seconds: 2, rate_interval_seconds: 15, labels: &[] };
    for query in dashboard::alert_queries() {
        prometheus.query(&query.expr);
    }
    let queries = dashboard::queries(&document, &variables);
    let is_empty = |query: &Query| prometheus.query(&query.expr).is_empty();
    queries.into_iter().filter(is_empty).map(|query| query.place).collect()
}

// --- alerts

#[test]
fn a_target_that_stops_is_told_to_the_webhook_and_so_is_its_return() {
    let target = FaultTarget::start(Reply::Page(REDIS_PAGE.to_owned()));
    let healthy = FaultTarget::start(Reply::Page(REDIS_PAGE.to_owned()));
    let (address, other) = (target.address(), healthy.address());
    let config = format!(
        "global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}\nscrape_configs:\n  \
         - job_name: sessions\n    static_configs: [{{targets: ['{address}', '{other}']}}]\n"
    );
    let exporter = Exporter::start(&["--config.file", "tuner.yaml"], &[("tuner.yaml", &config)]);
    let webhook = Webhook::start();
    let alertmanager = Alertmanager::start(&webhook_config(&webhook.url()));
    let alerting = prometheus::alerting(&alertmanager);
    let config = prometheus::scraping(exporter.address(), &alerting);
    let prometheus = Prometheus::start(&config, &[("alerts.yaml", &prometheus::hurried_alerts())]);
    eventually(PATIENCE, "Prometheus sees both targets up", || {
        (prometheus.query_value("sum(cache_tuner_target_up)") == Some(2.0)).then_some(())
    });

    target.set(Reply::CloseAtOnce);
    let alert =
        eventually(PATIENCE, "the alert at the webhook", || webhook.alert("CacheTunerTargetDown"));
    assert_eq!(alert["status"], "firing");
    assert_eq!(alert["labels"]["target"], address.to_string());
    assert_eq!(alert["labels"]["scrape_job"], "sessions");
    assert_eq!(alert["labels"]["severity"], "warning");
    let summary = format!("Target {address} of job sessions is down");
    assert_eq!(alert["annotations"]["summary"], summary);
    let description = alert["annotations"]["description"].as_str().expect("a text");
    assert!(description.contains("Reason:"), "{description}");

    target.set(Reply::Page(REDIS_PAGE.to_owned()));
    eventually(PATIENCE, "the alert is resolved", || {
        let alert = webhook.alert("CacheTunerTargetDown")?;
        (alert["status"] == "resolved").then_some(())
    });
    // The other target never was a cause for alarm.
    let targets = webhook.alerts().into_iter().map(|alert| alert["labels"]["target"].clone());
    assert!(targets.into_iter().all(|target| target == address.to_string()));
}
