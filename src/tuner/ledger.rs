//! Counts of what each rule recommended, what became of it and why not.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::outcome::Outcome;
use crate::parameter::Parameter;
use crate::rule::RuleSet;
use crate::tuner::tuning::EXTERNAL;

/// Why a recommendation was not made or not put in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// `mode: advisory`, or held back to learn what would have happened without.
    Advisory,
    /// The parameter already stands at its limit.
    AtLimit,
    /// Too many tunings failed lately, of all caches together.
    Breaker,
    /// Its confidence is below `min_confidence_for_auto_tuning`.
    Confidence,
    /// The last tuning was judged a short while ago, or failed.
    Cooldown,
    /// It would change too little, or bring too little to be seen.
    DeadBand,
    /// Nothing is tuned now: a listed time, or the cache restarted lately.
    Frozen,
    /// The rule's condition has not held for long enough.
    Held,
    /// The rule's condition needs a value that is absent.
    NoData,
    /// Another tuning of the cache, or of a sibling, is not judged yet.
    Pending,
}

impl Withheld {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Advisory,
        Self::AtLimit,
        Self::Breaker,
        Self::Confidence,
        Self::Cooldown,
        Self::DeadBand,
        Self::Frozen,
        Self::Held,
        Self::NoData,
        Self::Pending,
    ];

    /// As exported.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::AtLimit => "at_limit",
            Self::Breaker => "breaker",
            Self::Confidence => "confidence",
            Self::Cooldown => "cooldown",
            Self::DeadBand => "dead_band",
            Self::Frozen => "frozen",
            Self::Held => "held",
            Self::NoData => "no_data",
            Self::Pending => "pending",
        }
    }
}

/// The counts of one rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleCounts {
    /// The parameter it tunes.
    pub parameter: Parameter,
    /// Recommendations made.
    pub recommendations: u64,
    /// Recommendations put in force.
    pub tunings: u64,
    /// What came of them, in the order of [`Outcome::ALL`].
    pub outcomes: [u64; 4],
    /// What would have come of those that were not put in force, in the same order.
    pub shadow_outcomes: [u64; 4],
    /// Tunings that were undone.
    pub rollbacks: u64,
    /// Smallest effect that the newest judgement would have seen, on the objective's scale.
    pub minimum_detectable_effect: Option<f64>,
    /// Recommendations not made or not put in force, by reason.
    pub withheld: BTreeMap<Withheld, u64>,
}

impl RuleCounts {
    fn new(parameter: Parameter) -> Self {
        Self {
            parameter,
            recommendations: 0,
            tunings: 0,
            outcomes: [0; 4],
            shadow_outcomes: [0; 4],
            rollbacks: 0,
            minimum_detectable_effect: None,
            withheld: BTreeMap::new(),
        }
    }
}

/// The counts of all rules that apply to a cache; each exists, at 0, from the start. Changes by
/// other hands are counted under [`EXTERNAL`], per parameter, from the first one on.
///
/// A clone shares the counts until one of the two changes: each scrape shows one, few change it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ledger {
    rules: Arc<BTreeMap<(Arc<str>, Parameter), RuleCounts>>,
    /// Changes of a parameter against its change before.
    reversals: BTreeMap<Parameter, u64>,
}

impl Ledger {
    /// Zeros for each rule whose parameter the cache has.
    pub fn new(rules: &RuleSet, tunable: &[Parameter]) -> Self {
        let mut ledger = Self::default();
        ledger.retain(rules, tunable);
        ledger
    }

    /// What was stored, for the rules that there still are.
    pub(super) fn restored(
        counts: Vec<(Arc<str>, RuleCounts)>,
        reversals: BTreeMap<Parameter, u64>,
        rules: &RuleSet,
        tunable: &[Parameter],
    ) -> Self {
        let counts = counts.into_iter().map(|(name, counts)| ((name, counts.parameter), counts));
        let mut ledger = Self { rules: Arc::new(counts.collect()), reversals };
        ledger.retain(rules, tunable);
        ledger
    }

    /// Drops the rules that are gone or tune something else now, and adds the new ones.
    pub fn retain(&mut self, rules: &RuleSet, tunable: &[Parameter]) {
        let mut before = Arc::unwrap_or_clone(std::mem::take(&mut self.rules));
        let mut kept = BTreeMap::new();
        for rule in rules.iter().filter(|rule| tunable.contains(&rule.tune.parameter)) {
            let key = (Arc::clone(&rule.name), rule.tune.parameter);
            let counts = before.remove(&key).unwrap_or_else(|| RuleCounts::new(key.1));
            kept.insert(key, counts);
        }
        before.retain(|(name, parameter), _| &**name == EXTERNAL && tunable.contains(parameter));
        kept.append(&mut before);
        self.rules = Arc::new(kept);
        self.reversals.retain(|parameter, _| tunable.contains(parameter));
        for parameter in tunable {
            self.reversals.entry(*parameter).or_insert(0);
        }
    }

    /// Every rule's counts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &RuleCounts)> {
        self.rules.iter().map(|((name, _), counts)| (name, counts))
    }

    /// How often each parameter was changed against its change before.
    pub fn reversals(&self) -> impl Iterator<Item = (Parameter, u64)> {
        self.reversals.iter().map(|(parameter, count)| (*parameter, *count))
    }

    /// The smallest effect that the newest judgement of a rule's tuning would have seen.
    pub(super) fn detectable(&self, rule: &str, parameter: Parameter) -> Option<f64> {
        let found = self.rules.iter().find(|((name, of), _)| &**name == rule && *of == parameter);
        found.and_then(|(_, counts)| counts.minimum_detectable_effect)
    }

    /// The parameter that a rule tunes here.
    pub(super) fn parameter_of(&self, rule: &str) -> Option<Parameter> {
        self.iter().find(|(name, _)| &***name == rule).map(|(_, counts)| counts.parameter)
    }

    pub(super) fn count_recommendation(&mut self, rule: &str, parameter: Parameter) {
        self.update(rule, parameter, |counts| counts.recommendations += 1);
    }

    /// Counts a tuning; by other hands too, which no rule announced.
    pub(super) fn count_tuning(&mut self, rule: &Arc<str>, parameter: Parameter) {
        let key = (Arc::clone(rule), parameter);
        let rules = Arc::make_mut(&mut self.rules);
        let counts = rules.entry(key).or_insert_with(|| RuleCounts::new(parameter));
        counts.tunings += 1;
    }

    pub(super) fn count_reversal(&mut self, parameter: Parameter) {
        *self.reversals.entry(parameter).or_default() += 1;
    }

    pub(super) fn withhold(&mut self, rule: &str, parameter: Parameter, reason: Withheld) {
        self.update(rule, parameter, |counts| *counts.withheld.entry(reason).or_default() += 1);
    }

    /// Counts an outcome; `false` for a rule that is not known.
    pub(super) fn count_outcome(
        &mut self,
        rule: &str,
        parameter: Parameter,
        outcome: Outcome,
    ) -> bool {
        self.update(rule, parameter, |counts| counts.outcomes[outcome as usize] += 1)
    }

    pub(super) fn update(
        &mut self,
        rule: &str,
        parameter: Parameter,
        change: impl FnOnce(&mut RuleCounts),
    ) -> bool {
        let rules = Arc::make_mut(&mut self.rules);
        let found = rules.iter_mut().find(|((name, of), _)| &**name == rule && *of == parameter);
        found.map(|(_, counts)| change(counts)).is_some()
    }
}
