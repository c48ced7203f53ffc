//! Tunings in words: the one under way on a cache, and the rows of the journal.

use std::collections::BTreeSet;

use crate::outcome::Outcome;
use crate::published::TuningEntry;
use crate::tuner::Evidence;
use crate::tuner::Origin;
use crate::tuner::Tuning;
use crate::tuner::Verdict;
use crate::units::Timestamp;
use crate::web::api::next_look;
use crate::web::format;

use super::number;

/// A tuning that is not judged yet.
pub(super) struct Progress<'a> {
    /// What it is, for those that were not simply put in force.
    pub(super) kind: &'static str,
    pub(super) rule: &'a str,
    pub(super) parameter: &'static str,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) since: String,
    /// What it waits for.
    pub(super) wait: String,
}

/// A row of the journal.
pub(super) struct TuningRow<'a> {
    pub(super) age: String,
    pub(super) time: String,
    pub(super) job: &'a str,
    pub(super) target: &'a str,
    pub(super) cache: &'a str,
    pub(super) rule: &'a str,
    pub(super) parameter: &'static str,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) confidence: String,
    pub(super) reason: &'a str,
    /// Who made it, where it was not the tuner.
    pub(super) origin: Option<&'static str>,
    pub(super) outcome: &'static str,
    /// Its colour.
    pub(super) tone: &'static str,
    /// Why the outcome is what it is.
    pub(super) because: String,
}

/// The tuning under way.
pub(super) fn progress(tuning: &Tuning, now: Timestamp) -> Progress<'_> {
    Progress {
        kind: match tuning.origin {
            Origin::Auto => "In progress",
            Origin::Manual => "In progress, by hand",
            Origin::External => "In progress, by another hand",
            Origin::Shadow => "Held back, judged as if in force",
        },
        rule: &tuning.rule,
        parameter: tuning.parameter.name(),
        from: number(tuning.from),
        to: number(tuning.to),
        since: format::ago(now, tuning.decided_at),
        wait: wait(tuning, now),
    }
}

fn wait(tuning: &Tuning, now: Timestamp) -> String {
    let Some(adopted_at) = tuning.adopted_at else {
        return "the cache has not taken it over yet".to_owned();
    };
    let taken_over = match tuning.evidence {
        Some(Evidence::Observed) => "the target shows it",
        Some(Evidence::Fetched) => "the cache fetched it",
        Some(Evidence::None) | None => "nothing to take over",
    };
    let look = next_look(tuning);
    let age = format::ago(now, adopted_at);
    let (name, samples, skip) = (look.name(), look.samples(), tuning.skip);
    format!("{taken_over}: {age}; {name} look at {samples} samples after {skip} that are left out")
}

/// A row of the journal; `pending` has the numbers of the tunings under way.
pub(super) fn row<'a>(
    entry: &'a TuningEntry,
    pending: &BTreeSet<u64>,
    now: Timestamp,
) -> TuningRow<'a> {
    let done = &entry.tuning;
    let verdict = entry.verdict.as_ref();
    TuningRow {
        age: format::ago(now, done.decided_at),
        time: format::rfc3339(done.decided_at),
        job: &entry.id.scrape_job,
        target: &entry.id.target,
        cache: &entry.cache,
        rule: &done.rule,
        parameter: done.parameter.name(),
        from: number(done.from),
        to: number(done.to),
        confidence: format::share(done.confidence),
        reason: &done.reason,
        origin: (done.origin != Origin::Auto).then_some(done.origin.name()),
        outcome: match verdict {
            Some(verdict) => verdict.outcome.name(),
            None if pending.contains(&done.number) => "in progress",
            None => "not judged",
        },
        tone: match verdict.map(|verdict| verdict.outcome) {
            Some(Outcome::Improved) => " good",
            Some(Outcome::Degraded) => " bad",
            _ => "",
        },
        because: verdict.map(because).unwrap_or_default(),
    }
}

fn because(verdict: &Verdict) -> String {
    let mut words = match &verdict.judgement {
        Some(judgement) => judgement.reason.to_string(),
        None => "told from elsewhere".to_owned(),
    };
    if verdict.rolled_back {
        words += "; undone";
    }
    words
}
