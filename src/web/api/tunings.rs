//! `/api/v1/tunings`: the journal, with everything that a verdict was made from, so that whoever
//! doubts one can retrace it.

use std::sync::Arc;

use serde::Serialize;

use crate::judge::Look;
use crate::published::TuningEntry;
use crate::tuner::Tuning;
use crate::tuner::Verdict;
use crate::web::api::values;
use crate::web::api::values::ParameterValue;
use crate::web::api::values::Predicted;
use crate::web::api::verdict::Judged;

/// One tuning, and what came of it.
#[derive(Debug, Serialize)]
pub(in crate::web) struct Entry<'a> {
    scrape_job: &'a str,
    target: &'a str,
    cache: &'a str,
    #[serde(flatten)]
    decided: Decided<'a>,
    /// Absent until the tuning is judged.
    outcome: Option<&'static str>,
    /// When it was judged.
    judged: Option<f64>,
    /// The change was undone.
    rolled_back: Option<bool>,
    #[serde(flatten)]
    why: Judged<'a>,
}

/// What was decided, and how far the cache followed.
#[derive(Debug, Serialize)]
pub(super) struct Decided<'a> {
    number: u64,
    origin: &'static str,
    timestamp: f64,
    rule: &'a str,
    parameter: &'static str,
    current_value: ParameterValue,
    recommended_value: ParameterValue,
    confidence: f64,
    expected_improvement: f64,
    reason: &'a str,
    predicted: Option<Predicted>,
    objective: Objective,
    /// When the cache took it over, and how that is known.
    adopted: Option<f64>,
    evidence: Option<&'static str>,
    windows: Windows,
}

#[derive(Debug, Serialize)]
struct Objective {
    signal: &'static str,
    goal: &'static str,
}

/// What is compared, in samples of the cache.
#[derive(Debug, Serialize)]
struct Windows {
    before: Before,
    /// Left out after the adoption.
    skip: usize,
    /// Looked at after that: by the look that decided, or by the next one. Absent until the cache
    /// takes the change over, and where nobody looked.
    after: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Before {
    samples: usize,
    until: f64,
}

/// The journal, newest first.
pub(super) fn data(journal: &[Arc<TuningEntry>]) -> Vec<Entry<'_>> {
    journal.iter().map(|entry| self::entry(entry)).collect()
}

/// One entry of the journal.
pub(in crate::web) fn entry(entry: &TuningEntry) -> Entry<'_> {
    let verdict = entry.verdict.as_ref();
    Entry {
        scrape_job: &entry.id.scrape_job,
        target: &entry.id.target,
        cache: &entry.cache,
        decided: decided(&entry.tuning, verdict),
        outcome: verdict.map(|verdict| verdict.outcome.name()),
        judged: verdict.map(|verdict| values::unix_seconds(verdict.at)),
        rolled_back: verdict.map(|verdict| verdict.rolled_back),
        why: Judged::new(verdict),
    }
}

/// A tuning, and the look at it that `verdict` tells of.
pub(super) fn decided<'a>(tuning: &'a Tuning, verdict: Option<&Verdict>) -> Decided<'a> {
    let parameter = tuning.parameter;
    let look = match verdict {
        Some(verdict) => verdict.look,
        None => Some(next_look(tuning)),
    };
    Decided {
        number: tuning.number,
        origin: tuning.origin.name(),
        timestamp: values::unix_seconds(tuning.decided_at),
        rule: &tuning.rule,
        parameter: parameter.name(),
        current_value: ParameterValue(parameter, tuning.from),
        recommended_value: ParameterValue(parameter, tuning.to),
        confidence: tuning.confidence,
        expected_improvement: tuning.expected_improvement,
        reason: &tuning.reason,
        predicted: tuning.outlook.map(Predicted::from),
        objective: Objective {
            signal: tuning.objective.signal.name(),
            goal: tuning.objective.goal.name(),
        },
        adopted: tuning.adopted_at.map(values::unix_seconds),
        evidence: tuning.evidence.map(crate::tuner::Evidence::name),
        windows: Windows {
            before: Before {
                samples: tuning.held.samples,
                until: values::unix_seconds(tuning.held.until),
            },
            skip: tuning.skip,
            after: look.filter(|_| tuning.adopted_at.is_some()).map(Look::samples),
        },
    }
}

/// The planned look that a tuning waits for.
pub(in crate::web) const fn next_look(tuning: &Tuning) -> Look {
    if tuning.first_look_done { Look::Last } else { Look::First }
}
