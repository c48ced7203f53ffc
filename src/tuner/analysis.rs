//! What the rules want of a cache now, with what is earned and predicted; and rez-next's way to put
//! it in force, without guards.

use std::sync::Arc;

use crate::confidence;
use crate::confidence::Posterior;
use crate::rule::Rule;
use crate::rule::Verdict as RuleVerdict;
use crate::signal::Signal;
use crate::tuner::AdaptiveTuner;
use crate::tuner::Mode;
use crate::tuner::Origin;
use crate::tuner::Surroundings;
use crate::tuner::TuningEvent;
use crate::tuner::TuningRecommendation;
use crate::tuner::Withheld;
use crate::units::Timestamp;

impl AdaptiveTuner {
    pub(super) fn recommend(
        &mut self,
        now: Timestamp,
        around: &Surroundings<'_>,
    ) -> Vec<TuningRecommendation> {
        let rules = Arc::clone(&self.rules);
        let mut recommendations = Vec::new();
        for rule in rules.iter().filter(|rule| self.tunable.contains(&rule.tune.parameter)) {
            let parameter = rule.tune.parameter;
            match self.verdict(rule, now) {
                RuleVerdict::Quiet => {}
                RuleVerdict::NoData => {
                    self.ledger.withhold(&rule.name, parameter, Withheld::NoData);
                }
                RuleVerdict::AtLimit => {
                    self.ledger.withhold(&rule.name, parameter, Withheld::AtLimit);
                }
                RuleVerdict::Recommends(value) => {
                    self.ledger.count_recommendation(&rule.name, parameter);
                    recommendations.push(self.recommendation(rule, value, now, around));
                }
            }
        }
        recommendations
    }

    fn recommendation(
        &self,
        rule: &Rule,
        value: f64,
        now: Timestamp,
        around: &Surroundings<'_>,
    ) -> TuningRecommendation {
        let parameter = rule.tune.parameter;
        let current_value = self.parameters.value(parameter);
        let mut recommendation = TuningRecommendation {
            rule: Arc::clone(&rule.name),
            parameter,
            current_value,
            recommended_value: value,
            confidence: rule.confidence,
            expected_improvement: rule.expected_improvement,
            outlook: None,
            reason: Arc::clone(&rule.reason),
            applied: false,
        };
        if !self.config.feedback.enabled {
            return recommendation;
        }
        let own = self.trust.get(&rule.name).map_or_else(Posterior::default, |t| t.posterior);
        let pooled = around.pooled.get(&rule.name).copied().unwrap_or_default();
        recommendation.confidence = confidence::confidence(&own, &pooled, rule.confidence, now);
        let outlook = (rule.objective.signal == Signal::HitRate)
            .then(|| self.sizing_now(now).outlook(parameter, (current_value, value), rule.price()))
            .flatten();
        if let Some(outlook) = outlook
            && let Some(hit_rate) = self.history().newest(Signal::HitRate, 3).filter(|h| *h > 0.0)
        {
            recommendation.expected_improvement = outlook.gain / hit_rate;
        }
        recommendation.outlook = outlook;
        recommendation
    }

    /// Puts every trusted recommendation in force, as rez-next does.
    pub(super) fn apply(
        &mut self,
        mut recommendations: Vec<TuningRecommendation>,
        now: Timestamp,
        around: &Surroundings<'_>,
    ) -> Vec<TuningRecommendation> {
        let mut number = around.next_number;
        for recommendation in &mut recommendations {
            let withheld = if recommendation.confidence < self.config.min_confidence_for_auto_tuning
            {
                Some(Withheld::Confidence)
            } else if self.config.mode == Mode::Advisory {
                Some(Withheld::Advisory)
            } else {
                None
            };
            let TuningRecommendation { rule, parameter, .. } = &*recommendation;
            if let Some(reason) = withheld {
                self.ledger.withhold(rule, *parameter, reason);
                continue;
            }
            let tuning = self.tuning(recommendation, Origin::Auto, number, now);
            number += 1;
            self.put_in_force(&tuning, now);
            self.events.push(TuningEvent::started(tuning));
            recommendation.applied = true;
        }
        recommendations
    }
}
