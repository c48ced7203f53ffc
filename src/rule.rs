//! Tuning rules: when a condition over a cache's window holds, which parameter should change, and
//! how.
//!
//! A rule is a function of the window, the parameters in force and the settings; it keeps no state.
//! What it is trusted with and what is put in force is the tuner's decision.

mod inputs;
mod load;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::expr::Condition;
use crate::history::History;
use crate::parameter::Parameter;
use crate::signal::Signal;
use crate::tuning_config::FeedbackOverrides;
use crate::tuning_config::TuningConfig;
use crate::tuning_parameters::TuningParameters;

pub use load::load;

/// The rules that serve where no rule file is given.
pub const BUILT_IN: (&str, &str) =
    ("rules/tuning/default.yaml", include_str!("../rules/tuning/default.yaml"));

/// A number of a rule that a job may override.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    /// As used in the condition.
    pub name: String,
    /// Finite.
    pub value: f64,
}

/// What a rule does to its parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Change {
    /// Adds that much.
    Add(f64),
    /// Multiplies by that, which is above 0.
    Multiply(f64),
    /// Sets it to that.
    Set(f64),
    /// Makes a level as large as pays best, by what is predicted of its size.
    BestSize(BestSize),
}

/// The way to the best size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BestSize {
    /// Whether the rule grows or shrinks.
    pub goal: Goal,
    /// Largest factor of one tuning, either way; above 1.
    pub step: f64,
}

/// The change of a parameter that a rule wants.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tune {
    /// What to change.
    pub parameter: Parameter,
    /// How.
    pub change: Change,
    /// The rule's own lower limit, within the parameter's bounds.
    pub min: f64,
    /// The rule's own upper limit, within the parameter's bounds.
    pub max: f64,
}

impl Tune {
    /// The value wanted where the parameter stands at `current`; `None` where it already stands at
    /// its limit, so that nothing would move in the direction that the rule wants.
    ///
    /// A best size is not known here: it takes the `predicted` one, and without it nothing.
    pub fn target(&self, current: f64, predicted: Option<f64>) -> Option<f64> {
        let wanted = match self.change {
            Change::Add(step) => current + step,
            Change::Multiply(factor) => current * factor,
            Change::Set(value) => value,
            Change::BestSize(_) => predicted?,
        };
        let limited = wanted.clamp(self.min, self.max);
        let target = match self.parameter.is_whole() {
            // A step of less than one is still a step.
            true if wanted > current => limited.ceil(),
            true => limited.floor(),
            false => limited,
        };
        let moves = if wanted > current { target > current } else { target < current };
        moves.then_some(target)
    }
}

/// Which way a signal should go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// Less is better.
    Decrease,
    /// More is better.
    Increase,
}

impl Goal {
    /// As written in rule files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decrease => "decrease",
            Self::Increase => "increase",
        }
    }
}

/// What a tuning is meant to improve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objective {
    /// Measured by this.
    pub signal: Signal,
    /// Better in this direction.
    pub goal: Goal,
}

/// What a rule is meant to improve that says nothing else.
pub const HIT_RATE: Objective = Objective { signal: Signal::HitRate, goal: Goal::Increase };

/// A tuning rule, checked.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Unique among the rules loaded together.
    pub name: Arc<str>,
    /// The group it stands in.
    pub group: Arc<str>,
    /// The file that group stands in.
    pub file: Arc<str>,
    /// When it fires.
    pub when: Condition,
    /// In the order of the file.
    pub thresholds: Vec<Threshold>,
    /// Snapshots below which it is not evaluated.
    pub min_samples: usize,
    /// What it changes.
    pub tune: Tune,
    /// Trust in it; 0 to 1.
    pub confidence: f64,
    /// Relative improvement that is expected; ratio.
    pub expected_improvement: f64,
    /// What it is meant to improve.
    pub objective: Objective,
    /// Why, for people.
    pub reason: Arc<str>,
    /// What it says of guards otherwise than its job.
    pub feedback: FeedbackOverrides,
}

/// The threshold that prices a size: hits per request that one unit of size must bring, the unit
/// being the size of all levels together when the cache was first seen.
pub const PRICE: &str = "price";

/// What a rule is evaluated over.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The window.
    pub history: History<'a>,
    /// The parameters in force.
    pub parameters: &'a TuningParameters,
    /// The settings.
    pub config: &'a TuningConfig,
    /// What is predicted of sizes; `None` where nobody asks.
    pub sizes: Option<&'a dyn BestSizes>,
}

/// Predicts which size of a level pays best.
pub trait BestSizes: fmt::Debug {
    /// The best value of the rule's parameter within its limits and one step; the present one where
    /// no other pays. `None` where nothing can be predicted.
    fn best_size(&self, rule: &Rule, step: f64) -> Option<f64>;
}

/// What a rule says of a situation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Verdict {
    /// It fires, but its parameter already stands at its limit.
    AtLimit,
    /// Its condition needs a value that is absent.
    NoData,
    /// It does not fire.
    Quiet,
    /// It fires and wants this value.
    Recommends(f64),
}

impl Rule {
    /// Evaluates the rule.
    pub fn verdict(&self, situation: &Situation<'_>) -> Verdict {
        if situation.history.len() < self.min_samples {
            return Verdict::Quiet;
        }
        let inputs = inputs::RuleInputs { thresholds: &self.thresholds, situation };
        match self.when.evaluate(&inputs) {
            None => Verdict::NoData,
            Some(false) => Verdict::Quiet,
            Some(true) => {
                let current = situation.parameters.value(self.tune.parameter);
                let wanted = match self.tune.change {
                    Change::BestSize(best) => return self.best_size(best, current, situation),
                    _ => self.tune.target(current, None),
                };
                wanted.map_or(Verdict::AtLimit, Verdict::Recommends)
            }
        }
    }

    fn best_size(&self, best: BestSize, current: f64, situation: &Situation<'_>) -> Verdict {
        let predicted = situation.sizes.and_then(|sizes| sizes.best_size(self, best.step));
        let Some(predicted) = predicted else { return Verdict::NoData };
        let is_wanted = match best.goal {
            Goal::Decrease => predicted < current,
            Goal::Increase => predicted > current,
        };
        if !is_wanted {
            return Verdict::Quiet;
        }
        self.tune.target(current, Some(predicted)).map_or(Verdict::AtLimit, Verdict::Recommends)
    }

    /// Whether it changes the size of a level.
    pub fn is_of_size(&self) -> bool {
        self.tune.parameter.is_size()
    }

    /// Hits per request that one unit of size must bring: the threshold of that name, else 0.
    pub fn price(&self) -> f64 {
        let price = self.thresholds.iter().find(|threshold| threshold.name == PRICE);
        price.map_or(0.0, |threshold| threshold.value)
    }
}

/// Overridden thresholds: rule → threshold → value.
pub type Overrides = BTreeMap<String, BTreeMap<String, f64>>;

/// Rules in the order in which they are evaluated.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
}

impl RuleSet {
    fn new(rules: Vec<Rule>) -> Self {
        Self { rules }
    }

    /// The rules, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rule of that name.
    pub fn find(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| &*rule.name == name)
    }

    /// The same rules with some thresholds changed; names that do not exist change nothing, since
    /// whoever read them has refused them.
    #[must_use]
    pub fn with_thresholds(&self, overrides: &Overrides) -> Self {
        let mut rules = self.rules.clone();
        for rule in &mut rules {
            let Some(values) = overrides.get(&*rule.name) else { continue };
            for threshold in &mut rule.thresholds {
                if let Some(value) = values.get(&threshold.name) {
                    threshold.value = *value;
                }
            }
        }
        Self { rules }
    }
}

#[cfg(test)]
mod tests;
