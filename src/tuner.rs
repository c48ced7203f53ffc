//! The adaptive tuner of one cache: the only place that decides.
//!
//! It keeps rez-next's names and, rule for rule, its arithmetic; it differs where that tuner was
//! wrong or silent: signals may be absent, a parameter at its limit is left alone, and every
//! recommendation that is not put in force is counted with its reason. A step is a function of the
//! state, the time and the rules; there is no clock and no I/O here, so a recorded history replays
//! to the same decisions.

mod ledger;
mod recommendation;
mod stats;

use std::sync::Arc;

use crate::history::History;
use crate::parameter::Parameter;
use crate::rule::RuleSet;
use crate::rule::Situation;
use crate::rule::Verdict;
use crate::snapshot::PerformanceSnapshot;
use crate::units::Timestamp;

pub use crate::outcome::Outcome;
pub use crate::tuning_config::Mode;
pub use crate::tuning_config::TuningConfig;
pub use crate::tuning_parameters::TuningParameters;
pub use ledger::Ledger;
pub use ledger::RuleCounts;
pub use ledger::Withheld;
pub use recommendation::TuningRecommendation;
pub use stats::AdaptiveTuningStats;

/// Watches one cache and tunes its parameters.
#[derive(Debug, Clone)]
pub struct AdaptiveTuner {
    config: TuningConfig,
    rules: Arc<RuleSet>,
    /// Those that the product has; rules for others are not evaluated.
    tunable: Vec<Parameter>,
    history: History,
    parameters: TuningParameters,
    stats: AdaptiveTuningStats,
    ledger: Ledger,
    recommendations: Vec<TuningRecommendation>,
    last_analysis: Option<Timestamp>,
}

impl AdaptiveTuner {
    /// A tuner for a cache that has the parameters `tunable`, all at their defaults.
    pub fn new(config: TuningConfig, rules: Arc<RuleSet>, tunable: Vec<Parameter>) -> Self {
        let ledger = Ledger::new(&rules, &tunable);
        Self {
            history: History::new(config.performance_window_size),
            config,
            rules,
            tunable,
            parameters: TuningParameters::default(),
            stats: AdaptiveTuningStats::default(),
            ledger,
            recommendations: Vec::new(),
            last_analysis: None,
        }
    }

    /// Takes over other settings and rules; what was learnt about the cache stays.
    pub fn reconfigure(
        &mut self,
        config: TuningConfig,
        rules: Arc<RuleSet>,
        tunable: Vec<Parameter>,
    ) {
        self.history.resize(config.performance_window_size);
        self.ledger.retain(&rules, &tunable);
        self.recommendations.retain(|recommendation| {
            config.enable_adaptive_tuning
                && tunable.contains(&recommendation.parameter)
                && rules.iter().any(|rule| rule.name == recommendation.rule)
        });
        self.config = config;
        self.rules = rules;
        self.tunable = tunable;
    }

    /// Records the newest snapshot.
    pub fn record_performance(&mut self, snapshot: PerformanceSnapshot) {
        self.history.push(snapshot);
    }

    /// Forgets the window: the cache restarted, and its past describes another one.
    pub fn restart(&mut self) {
        self.history.clear();
    }

    /// Whether `tuning_interval` has passed since the last analysis; true before the first.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.last_analysis
            .is_none_or(|last| now.saturating_since(last) >= self.config.tuning_interval)
    }

    /// Evaluates the rules in order and puts the trusted recommendations in force. All of them are
    /// made from the parameters as they were before.
    pub fn analyze_and_tune(&mut self, now: Timestamp) -> Vec<TuningRecommendation> {
        self.last_analysis = Some(now);
        self.recommendations.clear();
        if self.config.enable_adaptive_tuning
            && self.history.len() >= self.config.min_samples_for_tuning
        {
            self.recommendations = self.recommend();
            self.apply_recommendations(now);
        }
        self.recommendations.clone()
    }

    fn recommend(&mut self) -> Vec<TuningRecommendation> {
        let rules = Arc::clone(&self.rules);
        let mut recommendations = Vec::new();
        for rule in rules.iter().filter(|rule| self.tunable.contains(&rule.tune.parameter)) {
            let situation = Situation {
                history: &self.history,
                parameters: &self.parameters,
                config: &self.config,
                sizes: None,
            };
            match rule.verdict(&situation) {
                Verdict::Quiet => {}
                Verdict::NoData => self.ledger.withhold(&rule.name, Withheld::NoData),
                Verdict::AtLimit => self.ledger.withhold(&rule.name, Withheld::AtLimit),
                Verdict::Recommends(value) => {
                    self.ledger.count_recommendation(&rule.name);
                    recommendations.push(TuningRecommendation {
                        rule: Arc::clone(&rule.name),
                        parameter: rule.tune.parameter,
                        current_value: self.parameters.value(rule.tune.parameter),
                        recommended_value: value,
                        confidence: rule.confidence,
                        expected_improvement: rule.expected_improvement,
                        reason: Arc::clone(&rule.reason),
                        applied: false,
                    });
                }
            }
        }
        recommendations
    }

    fn apply_recommendations(&mut self, now: Timestamp) {
        for recommendation in &mut self.recommendations {
            let withheld = if recommendation.confidence < self.config.min_confidence_for_auto_tuning
            {
                Some(Withheld::Confidence)
            } else if self.config.mode == Mode::Advisory {
                Some(Withheld::Advisory)
            } else {
                None
            };
            if let Some(reason) = withheld {
                self.ledger.withhold(&recommendation.rule, reason);
                continue;
            }
            self.parameters.set(recommendation.parameter, recommendation.recommended_value);
            self.stats.record_operation(now);
            self.ledger.count_tuning(&recommendation.rule);
            recommendation.applied = true;
        }
    }

    /// Records what came of a tuning by `rule`, as rez-next does: the relative `improvement` of one
    /// that helped, or a failure. Nothing happens for a rule that is not known, and `false` is
    /// returned.
    pub fn record_tuning_outcome(&mut self, rule: &str, improved: bool, improvement: f64) -> bool {
        let outcome = if improved { Outcome::Improved } else { Outcome::Degraded };
        if !improvement.is_finite() || !self.ledger.count_outcome(rule, outcome) {
            return false;
        }
        self.stats.record_outcome(improved, improvement);
        true
    }

    /// The settings.
    pub fn config(&self) -> &TuningConfig {
        &self.config
    }

    /// The parameters that the product has.
    pub fn tunable(&self) -> &[Parameter] {
        &self.tunable
    }

    /// The window.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The parameters in force.
    pub fn parameters(&self) -> &TuningParameters {
        &self.parameters
    }

    /// The recommendations of the latest analysis.
    pub fn recommendations(&self) -> &[TuningRecommendation] {
        &self.recommendations
    }

    /// What was done and what came of it.
    pub fn stats(&self) -> &AdaptiveTuningStats {
        &self.stats
    }

    /// The counts of each rule.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact values are the point")]
mod tests;
