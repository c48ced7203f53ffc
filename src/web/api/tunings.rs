//! `/api/v1/tunings`: the journal.

use std::sync::Arc;

use serde::Serialize;

use crate::published::TuningEntry;
use crate::web::api::values;
use crate::web::api::values::ParameterValue;

#[derive(Serialize)]
pub(super) struct Tuning<'a> {
    number: u64,
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
    let tuning = &entry.tuning;
    let parameter = tuning.parameter;
    Tuning {
        number: tuning.number,
        timestamp: values::unix_seconds(tuning.decided_at),
        scrape_job: &entry.id.scrape_job,
        target: &entry.id.target,
        cache: &entry.cache,
        rule: &tuning.rule,
        parameter: parameter.name(),
        current_value: ParameterValue(parameter, tuning.from),
        recommended_value: ParameterValue(parameter, tuning.to),
        confidence: tuning.confidence,
        expected_improvement: tuning.expected_improvement,
        reason: &tuning.reason,
        outcome: entry.verdict.as_ref().map(|verdict| verdict.outcome.name()),
    }
}
