//! What all caches share: what came of each rule anywhere, how far confidences were right, and the
//! breaker that stops a tuner which does harm.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::confidence::Calibration;
use crate::confidence::Posterior;
use crate::outcome::Outcome;
use crate::published::TrustView;
use crate::rule::RuleSet;
use crate::tuner::Origin;
use crate::tuner::Tuning;
use crate::tuning_config::Feedback;
use crate::units::Timestamp;

/// Judged tunings over which the recent success ratio is taken.
const RECENT_MAX: usize = 20;
/// Failures that are remembered for the breaker; no configuration asks for more.
const FAILURES_MAX: usize = 1000;

/// What all caches share.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Trust {
    pooled: BTreeMap<Arc<str>, Posterior>,
    calibration: Calibration,
    /// Whether the newest judged tunings improved, oldest first.
    recent: VecDeque<bool>,
    /// When tunings failed lately, oldest first.
    failures: VecDeque<Timestamp>,
    open_until: Option<Timestamp>,
}

impl Trust {
    pub(super) const fn pooled(&self) -> &BTreeMap<Arc<str>, Posterior> {
        &self.pooled
    }

    pub(super) fn is_breaker_open(&self, now: Timestamp) -> bool {
        self.open_until.is_some_and(|until| now < until)
    }

    /// Takes in what came of a tuning. Changes by other hands say nothing about the tuner's own
    /// judgement, so they neither open the breaker nor count for calibration.
    pub(super) fn record(
        &mut self,
        tuning: &Tuning,
        outcome: Outcome,
        feedback: &Feedback,
        now: Timestamp,
    ) {
        if tuning.origin == Origin::Shadow || !self.record_outcome(&tuning.rule, outcome, now) {
            return;
        }
        let improved = outcome == Outcome::Improved;
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(improved);
        if tuning.origin == Origin::External {
            return;
        }
        self.calibration.record(tuning.confidence, improved);
        if !improved {
            self.record_failure(feedback, now);
        }
    }

    /// Takes in an outcome that is known from elsewhere; `false` for one that says nothing.
    pub(super) fn record_outcome(
        &mut self,
        rule: &Arc<str>,
        outcome: Outcome,
        now: Timestamp,
    ) -> bool {
        let improved = match outcome {
            Outcome::Improved => true,
            Outcome::Degraded => false,
            Outcome::Inconclusive | Outcome::Void => return false,
        };
        self.pooled.entry(Arc::clone(rule)).or_default().record(improved, now);
        true
    }

    fn record_failure(&mut self, feedback: &Feedback, now: Timestamp) {
        if self.failures.len() == FAILURES_MAX {
            self.failures.pop_front();
        }
        self.failures.push_back(now);
        let is_recent = |at: &Timestamp| now.saturating_since(*at) <= feedback.breaker_window;
        self.failures.retain(is_recent);
        if self.failures.len() >= feedback.breaker_failures {
            self.open_until = Some(now + feedback.breaker_duration);
            self.failures.clear();
        }
    }

    /// Drops the rules that no job has any more.
    pub(super) fn retain<'a>(&mut self, rules: impl Iterator<Item = &'a RuleSet>) {
        let known: Vec<&RuleSet> = rules.collect();
        self.pooled.retain(|name, _| {
            &**name == crate::tuner::EXTERNAL || known.iter().any(|set| set.find(name).is_some())
        });
    }

    /// What is shown of it: the confidence in each of `rules`, by name, with that of its file.
    pub(super) fn view(&self, rules: &BTreeMap<Arc<str>, f64>, now: Timestamp) -> TrustView {
        let confidence = |(name, prior): (&Arc<str>, &f64)| {
            let pooled = self.pooled.get(name).copied().unwrap_or_default();
            (Arc::clone(name), pooled.confidence(*prior, now))
        };
        let judged = self.recent.len();
        let improved = self.recent.iter().filter(|improved| **improved).count();
        TrustView {
            rule_confidence: rules.iter().map(confidence).collect(),
            calibration_error: self.calibration.calibration_error(),
            brier_score: self.calibration.brier_score(),
            is_breaker_open: self.is_breaker_open(now),
            recent_judged: judged,
            recent_success_ratio: (judged > 0).then(|| improved as f64 / judged as f64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_breaker_opens_after_failures_within_the_window_and_closes_again() {
        let feedback = Feedback::default();
        let mut trust = Trust::default();
        let at = |minute: i64| Timestamp::from_millis(minute * 60_000);
        for minute in [0, 130, 131] {
            trust.record_failure(&feedback, at(minute));
        }
        assert!(!trust.is_breaker_open(at(131)));
        trust.record_failure(&feedback, at(132));
        assert!(trust.is_breaker_open(at(132)));
        assert!(trust.is_breaker_open(at(132 + 359)));
        assert!(!trust.is_breaker_open(at(132 + 360)));
    }
}
