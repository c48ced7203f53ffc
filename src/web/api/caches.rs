//! `/api/v1/caches`: all that is known of every cache.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::published::CacheView;
use crate::published::TargetView;
use crate::tuner::AdaptiveTuningStats;
use crate::web::api::tunings;
use crate::web::api::tunings::Decided;
use crate::web::api::values;
use crate::web::api::values::Parameters;
use crate::web::api::values::Recommendation;
use crate::web::api::values::Snapshot;

#[derive(Serialize)]
pub(super) struct ShownCache<'a> {
    scrape_job: &'a str,
    target: &'a str,
    cache: &'a str,
    labels: &'a BTreeMap<String, String>,
    snapshot: Option<Snapshot<'a>>,
    parameters: Parameters<'a>,
    recommendations: Vec<Recommendation<'a>>,
    /// The tuning that is not judged yet; shadows too.
    pending: Option<Decided<'a>>,
    stats: Stats,
}

#[derive(Serialize)]
struct Stats {
    tuning_operations: u64,
    successful_tunings: u64,
    failed_tunings: u64,
    success_rate: Option<f64>,
    avg_improvement: Option<f64>,
    current_confidence: f64,
    last_tuning: Option<f64>,
}

/// Every cache, by job, target and name.
pub(super) fn data(targets: &[Arc<TargetView>]) -> Vec<ShownCache<'_>> {
    targets.iter().flat_map(|target| target.caches.iter().map(|view| cache(target, view))).collect()
}

fn cache<'a>(target: &'a TargetView, view: &'a CacheView) -> ShownCache<'a> {
    ShownCache {
        scrape_job: &target.id.scrape_job,
        target: &target.id.target,
        cache: &view.cache,
        labels: &target.labels,
        snapshot: view.snapshot.as_ref().map(Snapshot),
        parameters: Parameters(view),
        recommendations: view
            .recommendations
            .iter()
            .map(|recommendation| values::recommendation(view, recommendation))
            .collect(),
        pending: view.pending.as_ref().map(|tuning| tunings::decided(tuning, None)),
        stats: stats(&view.stats),
    }
}

fn stats(stats: &AdaptiveTuningStats) -> Stats {
    Stats {
        tuning_operations: stats.tuning_operations,
        successful_tunings: stats.successful_tunings,
        failed_tunings: stats.failed_tunings,
        success_rate: stats.success_rate(),
        avg_improvement: stats.avg_improvement,
        current_confidence: stats.current_confidence,
        last_tuning: stats.last_tuning.map(values::unix_seconds),
    }
}
