//! `/api/v1/targets`: what is scraped and how it goes, in Prometheus' shape.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::published::TargetView;
use crate::units;
use crate::web::format;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Targets<'a> {
    active_targets: Vec<Target<'a>>,
    /// Nothing is relabelled away, so nothing is dropped; Prometheus' clients want the key.
    dropped_targets: [(); 0],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Target<'a> {
    labels: BTreeMap<&'a str, &'a str>,
    scrape_pool: &'a str,
    scrape_url: &'a str,
    last_error: &'a str,
    last_scrape: Option<String>,
    last_scrape_duration: Option<f64>,
    health: &'static str,
    scrape_interval: String,
    scrape_timeout: String,
}

/// Every target, by job and address.
pub(super) fn data(targets: &[Arc<TargetView>]) -> Targets<'_> {
    let active_targets = targets.iter().map(|view| target(view)).collect();
    Targets { active_targets, dropped_targets: [] }
}

fn target(view: &TargetView) -> Target<'_> {
    let health = &view.health;
    Target {
        labels: labels(view),
        scrape_pool: &view.id.scrape_job,
        scrape_url: &view.url,
        last_error: health.last_error.as_deref().unwrap_or_default(),
        last_scrape: health.last_scrape.map(format::rfc3339),
        last_scrape_duration: health.last_duration.map(|duration| duration.as_secs_f64()),
        health: health_name(health.up),
        scrape_interval: units::format_duration(view.scrape_interval),
        scrape_timeout: units::format_duration(view.scrape_timeout),
    }
}

/// Job and address under Prometheus' names, which its clients look for, and under those of our
/// series; then the user's own, which may replace Prometheus' as they do there.
fn labels(view: &TargetView) -> BTreeMap<&str, &str> {
    let (job, target) = (&*view.id.scrape_job, &*view.id.target);
    let mut labels = BTreeMap::from([("instance", target), ("job", job)]);
    labels.extend(view.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    labels.extend([("scrape_job", job), ("target", target)]);
    labels
}

/// How a target is: as Prometheus says it.
pub(in crate::web) const fn health_name(up: Option<bool>) -> &'static str {
    match up {
        Some(true) => "up",
        Some(false) => "down",
        None => "unknown",
    }
}
