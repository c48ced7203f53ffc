//! The guards: whether a recommendation is put in force now, and if not, why not. Every refusal is
//! counted, so that a tuner that does nothing can be understood.

use std::sync::Arc;

use crate::judge;
use crate::judge::HELD_SAMPLES_MAX;
use crate::judge::HELD_SAMPLES_MIN;
use crate::judge::Held;
use crate::judge::Kind;
use crate::rule::Rule;
use crate::tuner::AdaptiveTuner;
use crate::tuner::Evidence;
use crate::tuner::Mode;
use crate::tuner::Origin;
use crate::tuner::Surroundings;
use crate::tuner::Tuning;
use crate::tuner::TuningEvent;
use crate::tuner::TuningRecommendation;
use crate::tuner::Withheld;
use crate::tuner::adoption::Touch;
use crate::tuning_config::Feedback;
use crate::units::Timestamp;

/// Why a recommendation cannot be put in force by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such recommendation.
    #[error("the latest analysis made no such recommendation")]
    NotRecommended,
    /// Another tuning of the cache is not judged yet.
    #[error("another tuning of the cache is not judged yet")]
    Pending,
}

impl AdaptiveTuner {
    /// Puts the most promising recommendation that passes all guards in force: of one tuning at a
    /// time, the one of which most is expected. What is advisory, or is held back, is judged as if
    /// it had been.
    pub(super) fn guard(
        &mut self,
        mut recommendations: Vec<TuningRecommendation>,
        now: Timestamp,
        around: &Surroundings<'_>,
    ) -> Vec<TuningRecommendation> {
        let rules = Arc::clone(&self.rules);
        self.is_waiting = false;
        let promise = |of: &TuningRecommendation| of.confidence * of.expected_improvement.max(0.0);
        let mut order: Vec<&mut TuningRecommendation> = recommendations.iter_mut().collect();
        order.sort_by(|left, right| promise(right).total_cmp(&promise(left)));
        for recommendation in order {
            let Some(rule) = rules.find(&recommendation.rule) else { continue };
            match self.objection(rule, recommendation, now, around) {
                None => {
                    self.start(recommendation, Origin::Auto, now, around.next_number);
                    recommendation.applied = true;
                }
                Some(reason) => {
                    self.is_waiting |= reason == Withheld::Pending
                        && !around.has_turn
                        && self.pending.is_none()
                        && self.undoing.is_none();
                    let parameter = recommendation.parameter;
                    self.ledger.withhold(&recommendation.rule, parameter, reason);
                    let is_shadow = matches!(reason, Withheld::Advisory | Withheld::Breaker);
                    if is_shadow {
                        self.start(recommendation, Origin::Shadow, now, around.next_number);
                    }
                }
            }
        }
        recommendations
    }

    /// Why a recommendation is not put in force. Those reasons stand last that make a shadow of it,
    /// so that shadows differ from tunings in nothing else.
    fn objection(
        &self,
        rule: &Rule,
        recommendation: &TuningRecommendation,
        now: Timestamp,
        around: &Surroundings<'_>,
    ) -> Option<Withheld> {
        let feedback = self.config.feedback.with(&rule.feedback);
        let trust = self.trust.get(&rule.name).copied().unwrap_or_default();
        let confidence = rule.feedback.min_confidence_for_auto_tuning;
        let confidence = confidence.unwrap_or(self.config.min_confidence_for_auto_tuning);
        let mode = rule.feedback.mode.unwrap_or(self.config.mode);
        let rests = |until: Option<Timestamp>| until.is_some_and(|until| now < until);
        let is_shrink = kind(recommendation) == Kind::Shrink;
        let hold = if is_shrink { feedback.hold_samples_shrink } else { feedback.hold_samples };
        if around.is_frozen || self.restarted_lately() {
            Some(Withheld::Frozen)
        } else if recommendation.confidence < confidence {
            Some(Withheld::Confidence)
        } else if self.pending.is_some() || self.undoing.is_some() {
            Some(Withheld::Pending)
        } else if rests(self.rests_until) || rests(trust.rests_until) {
            Some(Withheld::Cooldown)
        } else if trust.held < hold {
            Some(Withheld::Held)
        } else if self.is_in_dead_band(rule, recommendation, &feedback, now) {
            Some(Withheld::DeadBand)
        } else if mode == Mode::Advisory {
            Some(Withheld::Advisory)
        } else if around.is_breaker_open {
            Some(Withheld::Breaker)
        } else if !around.has_turn {
            Some(Withheld::Pending)
        } else if is_held_out(recommendation, &feedback, now) {
            Some(Withheld::Advisory)
        } else {
            None
        }
    }

    /// Whether the cache restarted less than a window ago.
    fn restarted_lately(&self) -> bool {
        let window = self.config.performance_window_size;
        self.samples_since_restart.is_some_and(|samples| samples < window)
    }

    /// Whether a change is too small, or too little is predicted of it to be seen in the end. Where
    /// a prediction is unsure, what it may well be counts: otherwise nothing would ever be learnt.
    fn is_in_dead_band(
        &self,
        rule: &Rule,
        recommendation: &TuningRecommendation,
        feedback: &Feedback,
        now: Timestamp,
    ) -> bool {
        let TuningRecommendation { current_value, recommended_value, outlook, .. } = recommendation;
        let change = (recommended_value - current_value).abs();
        if change < feedback.dead_band * current_value.abs() {
            return true;
        }
        // A shrink is not meant to gain hits; what it may lose is priced, or judged.
        let Some(outlook) = outlook.filter(|_| kind(recommendation) == Kind::Growth) else {
            return false;
        };
        let probe = self.tuning(recommendation, Origin::Shadow, 0, now);
        let prospect = judge::prospect(&self.case(&probe, &[], &[], now));
        // What can be seen is known from the last judgement, which had the siblings to compare
        // with, unless the cache has become calmer since; before the first, any effect that matters
        // is worth a try.
        let seen = self.ledger.detectable(&rule.name, recommendation.parameter);
        let least = prospect.map_or(0.0, |prospect| {
            let alone = prospect.minimum_detectable_effect;
            prospect.delta.max(seen.map_or(0.0, |seen| seen.min(alone)))
        });
        rule.price() <= 0.0 && outlook.gain + outlook.error < least
    }

    /// Whether the latest analysis would have put a recommendation in force, had no sibling's
    /// tuning been pending.
    pub const fn is_waiting_for_turn(&self) -> bool {
        self.is_waiting
    }

    /// Puts a recommendation in force by hand: of the guards, only that one tuning is pending at a
    /// time holds. Returns the tuning.
    ///
    /// # Errors
    /// If the latest analysis did not recommend it, or another tuning is pending.
    pub fn force(&mut self, rule: &str, now: Timestamp, number: u64) -> Result<Tuning, Refusal> {
        let found = self.recommendations.iter().position(|r| &*r.rule == rule && !r.applied);
        let found = found.ok_or(Refusal::NotRecommended)?;
        if self.pending.as_ref().is_some_and(|pending| pending.origin.is_real()) {
            return Err(Refusal::Pending);
        }
        let mut recommendation = self.recommendations[found].clone();
        // Time has passed since the analysis.
        recommendation.current_value = self.parameters.value(recommendation.parameter);
        self.abandon_shadow(now);
        let tuning = self.start(&recommendation, Origin::Manual, now, number);
        if !self.config.feedback.enabled {
            self.pending = None;
        }
        self.recommendations[found].applied = true;
        Ok(tuning)
    }

    fn start(
        &mut self,
        recommendation: &TuningRecommendation,
        origin: Origin,
        now: Timestamp,
        number: u64,
    ) -> Tuning {
        let tuning = self.tuning(recommendation, origin, number, now);
        if origin.is_real() {
            self.put_in_force(&tuning, now);
            self.touch(Touch::at(number, now));
        }
        self.pending = Some(tuning.clone());
        self.events.push(TuningEvent::started(tuning.clone()));
        tuning
    }

    /// The tuning that a recommendation makes.
    pub(super) fn tuning(
        &self,
        recommendation: &TuningRecommendation,
        origin: Origin,
        number: u64,
        now: Timestamp,
    ) -> Tuning {
        let TuningRecommendation { rule, parameter, current_value, recommended_value, .. } =
            recommendation;
        let held = self.trust.get(rule).map_or(0, |trust| trust.held);
        let objective = self.rules.find(rule).map_or(crate::rule::HIT_RATE, |r| r.objective);
        let is_shadow = origin == Origin::Shadow;
        Tuning {
            number,
            origin,
            rule: Arc::clone(rule),
            parameter: *parameter,
            from: *current_value,
            to: *recommended_value,
            confidence: recommendation.confidence,
            expected_improvement: recommendation.expected_improvement,
            outlook: recommendation.outlook,
            reason: Arc::clone(&recommendation.reason),
            objective,
            held: Held {
                samples: held.clamp(HELD_SAMPLES_MIN, HELD_SAMPLES_MAX),
                until: self.track.iter().next_back().map_or(now, |sample| sample.timestamp),
            },
            decided_at: now,
            adopted_at: is_shadow.then_some(now),
            evidence: is_shadow.then_some(Evidence::None),
            skip: self.sizing.skip(*parameter, recommended_value / current_value, &self.track),
            first_look_done: false,
        }
    }

    /// Sets the parameter, and counts.
    pub(super) fn put_in_force(&mut self, tuning: &Tuning, now: Timestamp) {
        self.change(tuning.parameter, tuning.to);
        self.stats.record_operation(now);
        self.ledger.count_tuning(&tuning.rule, tuning.parameter);
    }
}

/// What kind of change a recommendation is.
fn kind(recommendation: &TuningRecommendation) -> Kind {
    let is_up = recommendation.recommended_value >= recommendation.current_value;
    match (recommendation.parameter.is_size(), is_up) {
        (true, true) => Kind::Growth,
        (true, false) => Kind::Shrink,
        (false, _) => Kind::Other,
    }
}

/// Whether chance picks the recommendation to be held back. Chance is a hash of what and when, so
/// that a replay decides the same.
fn is_held_out(recommendation: &TuningRecommendation, feedback: &Feedback, now: Timestamp) -> bool {
    // FNV-1a, whose upper bits are mixed once more: neighbouring instants must not go together.
    let bytes = recommendation.rule.bytes();
    let bytes = bytes.chain(now.as_millis().to_le_bytes());
    let bytes = bytes.chain(recommendation.recommended_value.to_bits().to_le_bytes());
    let bytes = bytes.chain(recommendation.confidence.to_bits().to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11;
    (mixed as f64 / (1_u64 << 53) as f64) < feedback.shadow_share
}
