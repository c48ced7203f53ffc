//! Counts of what each rule recommended, what became of it and why not.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::outcome::Outcome;
use crate::parameter::Parameter;
use crate::rule::RuleSet;

/// Why a recommendation was not made or not put in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Withheld {
    /// `mode: advisory`.
    Advisory,
    /// The parameter already stands at its limit.
    AtLimit,
    /// Its confidence is below `min_confidence_for_auto_tuning`.
    Confidence,
    /// The rule's condition needs a value that is absent.
    NoData,
}

impl Withheld {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Advisory, Self::AtLimit, Self::Confidence, Self::NoData];

    /// As exported.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::AtLimit => "at_limit",
            Self::Confidence => "confidence",
            Self::NoData => "no_data",
        }
    }
}

/// The counts of one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleCounts {
    /// The parameter it tunes.
    pub parameter: Parameter,
    /// Recommendations made.
    pub recommendations: u64,
    /// Recommendations put in force.
    pub tunings: u64,
    /// What came of them, in the order of [`Outcome::ALL`].
    pub outcomes: [u64; 4],
    /// Recommendations not made or not put in force, by reason.
    pub withheld: BTreeMap<Withheld, u64>,
}

impl RuleCounts {
    fn new(parameter: Parameter) -> Self {
        let withheld = BTreeMap::new();
        Self { parameter, recommendations: 0, tunings: 0, outcomes: [0; 4], withheld }
    }
}

/// The counts of all rules that apply to a cache; each exists, at 0, from the start.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    rules: BTreeMap<Arc<str>, RuleCounts>,
}

impl Ledger {
    /// Zeros for each rule whose parameter the cache has.
    pub fn new(rules: &RuleSet, tunable: &[Parameter]) -> Self {
        let mut ledger = Self { rules: BTreeMap::new() };
        ledger.retain(rules, tunable);
        ledger
    }

    /// Drops the rules that are gone or tune something else now, and adds the new ones.
    pub fn retain(&mut self, rules: &RuleSet, tunable: &[Parameter]) {
        let mut before = std::mem::take(&mut self.rules);
        for rule in rules.iter().filter(|rule| tunable.contains(&rule.tune.parameter)) {
            let parameter = rule.tune.parameter;
            let counts = before.remove(&rule.name).filter(|counts| counts.parameter == parameter);
            let counts = counts.unwrap_or_else(|| RuleCounts::new(parameter));
            self.rules.insert(Arc::clone(&rule.name), counts);
        }
    }

    /// Every rule's counts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &RuleCounts)> {
        self.rules.iter()
    }

    pub(super) fn count_recommendation(&mut self, rule: &str) {
        self.update(rule, |counts| counts.recommendations += 1);
    }

    pub(super) fn count_tuning(&mut self, rule: &str) {
        self.update(rule, |counts| counts.tunings += 1);
    }

    pub(super) fn withhold(&mut self, rule: &str, reason: Withheld) {
        self.update(rule, |counts| *counts.withheld.entry(reason).or_default() += 1);
    }

    /// Counts an outcome; `false` for a rule that is not known.
    pub(super) fn count_outcome(&mut self, rule: &str, outcome: Outcome) -> bool {
        self.update(rule, |counts| counts.outcomes[outcome as usize] += 1)
    }

    fn update(&mut self, rule: &str, change: impl FnOnce(&mut RuleCounts)) -> bool {
        let counts = self.rules.get_mut(rule);
        counts.map(change).is_some()
    }
}
