//! The closed loop from outside: what a cache fetches counts as taken over, and what somebody says
//! over the API is counted.

use serde_json::Value;
use serde_json::json;

use crate::support::exporter::Exporter;
use crate::support::fault::FaultTarget;
use crate::support::fault::Reply;
use crate::support::http;
use crate::support::http::Response;
use crate::support::toy;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;

const RULE: &str = "memory_usage_high";
const OF_RULE: &[(&str, &str)] = &[("rule", RULE)];

/// A cache whose memory is nearly used up.
fn full(number: u64) -> String {
    toy::nine_in_ten(number).replace("} 600", "} 950")
}

#[track_caller]
fn watch(target: &FaultTarget, tuning: &str) -> Exporter {
    let tuning = format!("tuning: {{feedback: {{enabled: true}}, {tuning}}}");
    let job = toy::job("a", &[target.address()], &tuning);
    toy::start(&toy::config(&[job]), &["--web.enable-admin-api"])
}

#[track_caller]
fn post(exporter: &Exporter, path: &str, body: &Value) -> Response {
    let url = exporter.url(path);
    http::post(&url, "application/json", body.to_string().as_bytes())
        .unwrap_or_else(|error| panic!("POST {url}: {error}"))
}

/// The newest entry of the journal that something was done for.
fn newest_real(exporter: &Exporter) -> Option<Value> {
    let journal = exporter.get("/api/v1/tunings").json();
    journal["data"].as_array()?.iter().find(|entry| entry["origin"] != "shadow").cloned()
}

#[track_caller]
fn wait_for_entry(exporter: &Exporter, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
    eventually(PATIENCE, what, || newest_real(exporter).filter(&fits))
}

#[test]
fn a_fetched_tuning_is_adopted_and_a_reported_outcome_is_counted() {
    let target = FaultTarget::start(Reply::Counting(full));
    let exporter = watch(&target, "tuning_interval: 2s");
    wait_for_entry(&exporter, "a tuning", |_| true);
    assert_eq!(toy::metrics(&exporter).value("cache_tuner_tuning_in_progress", &[]), Some(1.0));
    let parameters = format!("/api/v1/parameters?target={}", target.address());
    let entry = eventually(PATIENCE, "the tuning is adopted", || {
        let told = exporter.get(&parameters).json();
        assert!(told["data"]["eviction_aggressiveness"].is_f64(), "{told}");
        newest_real(&exporter).filter(|entry| entry["evidence"] == "fetched")
    });
    assert_eq!((&entry["origin"], &entry["rule"]), (&json!("auto"), &json!(RULE)));
    assert!(entry["adopted"].as_f64() >= entry["timestamp"].as_f64(), "{entry}");
    assert!(entry["outcome"].is_null(), "{entry}");

    let body = json!({
        "target": target.address().to_string(), "rule": RULE,
        "outcome": "improved", "improvement": 0.25,
    });
    let answer = post(&exporter, "/api/v1/outcomes", &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["data"]["cache"], "main");
    // The answer comes after everything is shown.
    let number = &entry["number"];
    let journal = exporter.get("/api/v1/tunings").json();
    let judged = journal["data"].as_array().unwrap().iter().find(|it| it["number"] == *number);
    assert_eq!(judged.unwrap()["outcome"], "improved");
    let page = toy::metrics(&exporter);
    let improved = [("rule", RULE), ("outcome", "improved")];
    assert_eq!(page.value("cache_tuner_tuning_outcomes_total", &improved), Some(1.0));
    assert_eq!(page.value("cache_tuner_tuning_success_ratio", &[]), Some(1.0));
    assert_eq!(page.value("cache_tuner_tuning_average_improvement_ratio", &[]), Some(0.25));
    assert_eq!(page.value("cache_tuner_recent_success_ratio", &[]), Some(1.0));
    assert_eq!(page.value("cache_tuner_recent_judged_tunings", &[]), Some(1.0));
    assert!(page.value("cache_tuner_rule_confidence", OF_RULE) > Some(0.9));
}

#[test]
fn advice_is_put_in_force_by_hand() {
    let target = FaultTarget::start(Reply::Counting(full));
    let exporter = watch(&target, "mode: advisory, tuning_interval: 1s");
    let withheld = [("rule", RULE), ("reason", "advisory")];
    let metric = "cache_tuner_recommendations_withheld_total";
    toy::wait_for(&exporter, metric, &withheld, |count| count >= 1.0);
    assert_eq!(toy::metrics(&exporter).value("cache_tuner_tuning_in_progress", &[]), Some(0.0));
    let body = json!({"target": target.address().to_string(), "rule": RULE});
    let answer = post(&exporter, "/api/v1/tunings", &body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let entry = answer.json()["data"].clone();
    assert_eq!((&entry["origin"], &entry["recommended_value"]), (&json!("manual"), &json!(0.6)));
    let page = toy::metrics(&exporter);
    let parameter = [("parameter", "eviction_aggressiveness")];
    assert_eq!(page.value("cache_tuner_parameter", &parameter), Some(0.6));
    let refused = post(&exporter, "/api/v1/tunings", &body);
    assert_eq!(refused.status, 409, "{}", refused.text());
    // Nobody fetches it, so it falls back to what runs.
    let void = wait_for_entry(&exporter, "the tuning is void", |entry| !entry["outcome"].is_null());
    assert_eq!((&void["outcome"], &void["because"]), (&json!("void"), &json!("not_adopted")));
    assert_eq!(toy::metrics(&exporter).value("cache_tuner_parameter", &parameter), Some(0.5));
}
