//! `/api/v1/rules`: the rules in use, in Prometheus' shape; what Prometheus has no word for is
//! named as in rule files.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::Serializer;
use serde::ser::SerializeMap;

use crate::rule::Change;
use crate::rule::Rule;
use crate::rule::Threshold;
use crate::rule::Tune;
use crate::web::Shown;
use crate::web::api::values::ParameterValue;

#[derive(Serialize)]
pub(super) struct Rules<'a> {
    groups: Vec<Group<'a>>,
}

#[derive(Serialize)]
struct Group<'a> {
    name: &'a str,
    file: &'a str,
    rules: Vec<ShownRule<'a>>,
}

#[derive(Serialize)]
struct ShownRule<'a> {
    name: &'a str,
    query: String,
    /// Prometheus has `alerting` and `recording`.
    #[serde(rename = "type")]
    kind: &'static str,
    thresholds: Thresholds<'a>,
    /// What jobs put in the place of a threshold, by job.
    overrides: BTreeMap<&'a str, &'a BTreeMap<String, f64>>,
    min_samples: usize,
    tune: ShownTune<'a>,
    confidence: f64,
    expected_improvement: f64,
    objective: Objective,
    reason: &'a str,
}

#[derive(Serialize)]
struct Objective {
    signal: &'static str,
    goal: &'static str,
}

struct Thresholds<'a>(&'a [Threshold]);

impl Serialize for Thresholds<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|threshold| (&threshold.name, threshold.value)))
    }
}

struct ShownTune<'a>(&'a Tune);

impl Serialize for ShownTune<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tune = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("parameter", tune.parameter.name())?;
        match tune.change {
            Change::Add(step) => map.serialize_entry("add", &step)?,
            Change::Multiply(factor) => map.serialize_entry("multiply", &factor)?,
            Change::Set(value) => map.serialize_entry("set", &value)?,
            Change::BestSize(best) => {
                map.serialize_entry("best_size", best.goal.name())?;
                map.serialize_entry("step", &best.step)?;
            }
        }
        map.serialize_entry("min", &ParameterValue(tune.parameter, tune.min))?;
        map.serialize_entry("max", &ParameterValue(tune.parameter, tune.max))?;
        map.end()
    }
}

/// The rules by group, in the order in which they are evaluated.
pub(super) fn data(shown: &Shown) -> Rules<'_> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for rule in shown.rules.iter() {
        let shown = shown_rule(rule, shown);
        match groups.last_mut().filter(|group| is_of(rule, group)) {
            Some(group) => group.rules.push(shown),
            None => {
                groups.push(Group { name: &rule.group, file: &rule.file, rules: vec![shown] });
            }
        }
    }
    Rules { groups }
}

fn is_of(rule: &Rule, group: &Group<'_>) -> bool {
    *rule.group == *group.name && *rule.file == *group.file
}

fn shown_rule<'a>(rule: &'a Rule, shown: &'a Shown) -> ShownRule<'a> {
    let overrides = shown.overrides.iter();
    ShownRule {
        name: &rule.name,
        query: rule.when.to_string(),
        kind: "tuning",
        thresholds: Thresholds(&rule.thresholds),
        overrides: overrides
            .filter_map(|(job, rules)| Some((job.as_str(), rules.get(&*rule.name)?)))
            .collect(),
        min_samples: rule.min_samples,
        tune: ShownTune(&rule.tune),
        confidence: rule.confidence,
        expected_improvement: rule.expected_improvement,
        objective: Objective {
            signal: rule.objective.signal.name(),
            goal: rule.objective.goal.name(),
        },
        reason: &rule.reason,
    }
}
