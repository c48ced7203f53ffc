//! A made-up product: few metrics, round numbers, so that a test can tell by hand what the exporter
//! must make of its pages.

use std::net::SocketAddr;

use crate::support::exporter::Exporter;
use crate::support::page::Page;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;

/// File name of [`PROFILE`] beside the exporter.
pub(crate) const PROFILE_FILE: &str = "toy.yaml";

/// The product's profile; several caches stand on one page.
pub(crate) const PROFILE: &str = "\
profile: toy
description: a cache of the tests
detect: toy_hits_total
cache_label: cache
roles:
  hits: toy_hits_total
  misses: toy_misses_total
  l1_usage_bytes: toy_bytes
  l1_max_usage_bytes: toy_max_bytes
  l1_evictions: toy_evictions_total
";

/// Name of the configuration beside the exporter.
pub(crate) const CONFIG_FILE: &str = "exporter.yaml";

/// A page with one cache, `main`.
pub(crate) fn page(hits: u64, misses: u64) -> String {
    cache("main", hits, misses)
}

/// The lines of one cache: 600 of 1000 bytes used.
pub(crate) fn cache(name: &str, hits: u64, misses: u64) -> String {
    format!(
        "toy_hits_total{{cache=\"{name}\"}} {hits}\n\
         toy_misses_total{{cache=\"{name}\"}} {misses}\n\
         toy_evictions_total{{cache=\"{name}\"}} 0\n\
         toy_bytes{{cache=\"{name}\"}} 600\n\
         toy_max_bytes{{cache=\"{name}\"}} 1000\n"
    )
}

/// Ten requests from one scrape to the next, nine of them hits.
pub(crate) fn nine_in_ten(number: u64) -> String {
    page(9 * number, number)
}

/// A job that scrapes the targets five times a second; `more` are further lines of it.
pub(crate) fn job(name: &str, targets: &[SocketAddr], more: &str) -> String {
    let targets: Vec<String> = targets.iter().map(|target| format!("'{target}'")).collect();
    let more: Vec<String> = more.lines().map(|line| format!("    {line}\n")).collect();
    let more = more.concat();
    format!(
        "  - job_name: {name}\n{more}    static_configs: [{{targets: [{}]}}]\n",
        targets.join(", ")
    )
}

/// A configuration of those jobs. What rules say is done at once and not judged: a job that is
/// about the closed loop says so under its own `tuning`.
pub(crate) fn config(jobs: &[String]) -> String {
    format!(
        "global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}\n\
         profile_files: [{PROFILE_FILE}]\n\
         tuning: {{tuning_interval: 200ms, performance_window_size: 50, \
         min_samples_for_tuning: 4, feedback: {{enabled: false}}}}\n\
         scrape_configs:\n{}",
        jobs.concat()
    )
}

/// An exporter with that configuration and more arguments.
#[track_caller]
pub(crate) fn start(config: &str, args: &[&str]) -> Exporter {
    let args = [&["--config.file", CONFIG_FILE], args].concat();
    Exporter::start(&args, &[(CONFIG_FILE, config), (PROFILE_FILE, PROFILE)])
}

/// The exporter's metrics.
#[track_caller]
pub(crate) fn metrics(exporter: &Exporter) -> Page {
    let response = exporter.get("/metrics");
    assert_eq!(response.status, 200);
    Page::parse(response.text())
}

/// Waits until a metric satisfies `fits`, and returns its value.
#[track_caller]
pub(crate) fn wait_for(
    exporter: &Exporter,
    metric: &str,
    labels: &[(&str, &str)],
    fits: impl Fn(f64) -> bool,
) -> f64 {
    eventually(PATIENCE, &format!("{metric} {labels:?} is as wanted"), || {
        metrics(exporter).value(metric, labels).filter(|&value| fits(value))
    })
}

/// The entry of a target in `/api/v1/targets`.
#[track_caller]
pub(crate) fn api_target(exporter: &Exporter, target: SocketAddr) -> serde_json::Value {
    let answer = exporter.get("/api/v1/targets").json();
    let targets = answer["data"]["activeTargets"].as_array().expect("a list of targets").clone();
    let target = target.to_string();
    let found = targets.into_iter().find(|entry| entry["labels"]["target"] == *target);
    found.unwrap_or_else(|| panic!("{target} is not in {answer}"))
}
