//! `/api/v1/tunings`: the journal.

use std::sync::Arc;

use serde::Serialize;

use crate::published::TuningEntry;
use crate::web::api::values;
use crate::web::api::values::ParameterValue;

#[derive(Serialize)]
pub(super) struct Tuning<'a> {
    timestamp: f64,
    scrape_job: &'a str,
    target: &'a str,
    cache: &'a str,
    rule: &'a str,
    parameter: &'static str,
    current_value: ParameterValue,
    recommended_value: ParameterValue,
    confidence: f64,
    expected_improvement: f64,
    reason: &'a str,
    /// Absent until the tuning is judged.
    outcome: Option<&'static str>,
}

/// The journal, newest first.
pub(super) fn data(journal: &[Arc<TuningEntry>]) -> Vec<Tuning<'_>> {
    journal.iter().map(|entry| tuning(entry)).collect()
}

fn tuning(entry: &TuningEntry) -> Tuning<'_> {
    let recommendation = &entry.recommendation;
    let parameter = recommendation.parameter;
    Tuning {
        timestamp: values::unix_seconds(entry.timestamp),
        scrape_job: &entry.id.scrape_job,
        target: &entry.id.target,
        cache: &entry.cache,
        rule: &recommendation.rule,
        parameter: parameter.name(),
        current_value: ParameterValue(parameter, recommendation.current_value),
        recommended_value: ParameterValue(parameter, recommendation.recommended_value),
        confidence: recommendation.confidence,
        expected_improvement: recommendation.expected_improvement,
        reason: &recommendation.reason,
        outcome: None,
    }
}
