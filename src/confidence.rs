//! Confidence that is earned: what a rule is trusted with on a cache, from what came of its
//! tunings.
//!
//! A number in a rule file is a guess by somebody who has not seen the cache. It serves as four
//! imagined tunings; what really came of the rule anywhere counts against it, and what came of it
//! on this cache counts against that. Old outcomes fade, by tunings and by time: caches change.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use crate::units::Timestamp;

/// γ: what an outcome still weighs when the next one comes.
pub const OUTCOME_DECAY: f64 = 0.95;
/// Time in which an outcome loses half of its weight.
pub const HALF_LIFE: Duration = Duration::from_secs(7 * 86_400);
/// Imagined tunings that the prior is worth.
pub const PRIOR_TUNINGS: f64 = 4.0;

/// Outcomes over which calibration is measured; the oldest go. Months of tunings.
pub const CALIBRATION_OUTCOMES_MAX: usize = 1000;
/// Outcomes below which calibration says nothing.
pub const CALIBRATION_OUTCOMES_MIN: usize = 30;
/// Classes of confidence for the calibration error.
const CALIBRATION_BINS: usize = 10;

/// Judged outcomes with their remaining weight: of one rule on one cache, or of one rule on all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Posterior {
    /// S: weight of the tunings that improved; at least 0.
    pub successes: f64,
    /// F: weight of those that degraded; at least 0.
    pub failures: f64,
    /// When the weights were as they are written here; `None` before the first outcome.
    pub updated_at: Option<Timestamp>,
}

/// How far confidences agreed with what came.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Confidence at the time of the tuning, and whether it improved.
    outcomes: VecDeque<(f64, bool)>,
}

// === impl Posterior ===

impl Posterior {
    /// The weights as they are at `now`: halved with every [`HALF_LIFE`] that has passed.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        let Some(updated_at) = self.updated_at else { return *self };
        let half_lives = now.saturating_since(updated_at).as_secs_f64() / HALF_LIFE.as_secs_f64();
        let weight = (-half_lives).exp2();
        Self {
            successes: self.successes * weight,
            failures: self.failures * weight,
            updated_at: Some(updated_at.max(now)),
        }
    }

    /// Records that a tuning improved (`true`) or degraded; what is inconclusive or void says
    /// nothing and is not recorded. Both weights fade by [`OUTCOME_DECAY`]: were it only the one
    /// that grows, both would end at the same value whatever came.
    pub fn record(&mut self, improved: bool, now: Timestamp) {
        let faded = self.at(now);
        self.successes = OUTCOME_DECAY * faded.successes + if improved { 1.0 } else { 0.0 };
        self.failures = OUTCOME_DECAY * faded.failures + if improved { 0.0 } else { 1.0 };
        self.updated_at = faded.updated_at.max(Some(now));
    }

    /// (4 · prior + S) ÷ (4 + S + F) at `now`; 0 to 1 for such a prior.
    pub fn confidence(&self, prior: f64, now: Timestamp) -> f64 {
        let Self { successes, failures, .. } = self.at(now);
        (PRIOR_TUNINGS * prior + successes) / (PRIOR_TUNINGS + successes + failures)
    }
}

/// The confidence in a rule on a cache: its outcomes there (`own`), before the background of its
/// outcomes on all caches (`pooled`), before the confidence in the rule file (`rule`; 0 to 1).
pub fn confidence(own: &Posterior, pooled: &Posterior, rule: f64, now: Timestamp) -> f64 {
    own.confidence(pooled.confidence(rule, now), now)
}

// === impl Calibration ===

impl Calibration {
    /// Nothing recorded.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records the confidence (cut to 0 … 1) that a judged tuning was made with, and whether it
    /// improved.
    pub fn record(&mut self, confidence: f64, improved: bool) {
        if confidence.is_nan() {
            return;
        }
        if self.outcomes.len() == CALIBRATION_OUTCOMES_MAX {
            self.outcomes.pop_front();
        }
        self.outcomes.push_back((confidence.clamp(0.0, 1.0), improved));
    }

    /// How many outcomes are recorded.
    pub fn len(&self) -> usize {
        self.outcomes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.outcomes.is_empty()
    }

    /// What is recorded, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (f64, bool)> {
        self.outcomes.iter().copied()
    }

    /// Mean of (confidence − outcome)², an outcome being 0 or 1: 0 is perfect, 0.25 is a coin.
    /// `None` below [`CALIBRATION_OUTCOMES_MIN`] outcomes.
    pub fn brier_score(&self) -> Option<f64> {
        let squares: f64 = self.iter().map(|(p, improved)| (p - value(improved)).powi(2)).sum();
        self.is_enough().then(|| squares / self.len() as f64)
    }

    /// Expected calibration error: confidences in ten equal classes, the mean distance between a
    /// class' confidence and its share of successes, weighted by outcomes. `None` below
    /// [`CALIBRATION_OUTCOMES_MIN`] outcomes.
    pub fn calibration_error(&self) -> Option<f64> {
        let mut excess = [0.0; CALIBRATION_BINS];
        for (confidence, improved) in self.iter() {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 0 to 10, and the fraction is meant to go"
            )]
            let bin = (confidence * CALIBRATION_BINS as f64) as usize;
            excess[bin.min(CALIBRATION_BINS - 1)] += confidence - value(improved);
        }
        let sum: f64 = excess.iter().map(|excess: &f64| excess.abs()).sum();
        self.is_enough().then(|| sum / self.len() as f64)
    }

    fn is_enough(&self) -> bool {
        self.len() >= CALIBRATION_OUTCOMES_MIN
    }
}

fn value(improved: bool) -> f64 {
    if improved { 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::rng;

    const NOW: Timestamp = Timestamp::from_millis(0);

    fn posterior(outcomes: &str) -> Posterior {
        let mut posterior = Posterior::default();
        for outcome in outcomes.chars() {
            posterior.record(outcome == '+', NOW);
        }
        posterior
    }

    #[track_caller]
    fn check(got: f64, want: f64) {
        assert!((got - want).abs() < 1e-12, "{got}, not {want}");
    }

    #[test]
    fn the_rule_file_is_worth_four_tunings() {
        check(confidence(&posterior(""), &posterior(""), 0.8, NOW), 0.8);
        check(posterior("+").confidence(0.5, NOW), 3.0 / 5.0);
        check(posterior("-").confidence(0.5, NOW), 2.0 / 5.0);
        check(posterior("+-").confidence(0.5, NOW), 2.95 / 5.95);
    }

    #[test]
    fn other_caches_are_the_background() {
        let pooled = posterior("----");
        let alone = confidence(&posterior(""), &posterior(""), 0.9, NOW);
        let warned = confidence(&posterior(""), &pooled, 0.9, NOW);
        check(warned, pooled.confidence(0.9, NOW));
        assert!(warned < alone - 0.3);
        assert!(confidence(&posterior("++++"), &pooled, 0.9, NOW) > warned + 0.2);
    }

    #[test]
    fn confidence_follows_the_share_of_successes() {
        for (share, outcomes) in [(0.5, "+-"), (0.75, "+++-"), (1.0, "+"), (0.0, "-")] {
            let got = posterior(&outcomes.repeat(100)).confidence(0.5, NOW);
            assert!((got - share).abs() < 0.1, "{got}, not about {share}");
        }
    }

    #[test]
    fn outcomes_fade_in_a_week() {
        let posterior = posterior("+++");
        let later = posterior.at(NOW + HALF_LIFE);
        check(later.successes, posterior.successes / 2.0);
        check(later.at(NOW + HALF_LIFE * 3).successes, posterior.successes / 8.0);
        check(posterior.confidence(0.3, NOW + HALF_LIFE * 60), 0.3);
        // A clock that was set back changes nothing.
        check(posterior.at(Timestamp::from_millis(-5)).successes, posterior.successes);
    }

    #[test]
    fn calibration_is_measured_from_thirty_on() {
        let mut calibration = Calibration::new();
        for index in 0..CALIBRATION_OUTCOMES_MIN {
            assert_eq!((calibration.brier_score(), calibration.calibration_error()), (None, None));
            calibration.record(0.8, index % 2 == 0);
        }
        check(calibration.brier_score().unwrap(), 0.34);
        check(calibration.calibration_error().unwrap(), 0.3);
    }

    #[test]
    fn honest_confidences_are_calibrated_and_bounded() {
        let mut calibration = Calibration::new();
        for draw in 0..5_000 {
            let uniform = |lane| f64::midpoint(1.0, rng::jitter(lane, draw));
            let confidence = uniform(1);
            calibration.record(confidence, uniform(2) < confidence);
        }
        assert_eq!(calibration.len(), CALIBRATION_OUTCOMES_MAX);
        assert!(calibration.calibration_error().unwrap() < 0.05);
        // The mean of p (1 − p) over 0 … 1.
        assert!((calibration.brier_score().unwrap() - 1.0 / 6.0).abs() < 0.02);
    }
}
