//! `/api/v1/rules`: the rules in use, in Prometheus' shape; what Prometheus has no word for is
//! named as in rule files.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::Serializer;
use serde::ser::SerializeMap;
use serde_json::Value;

use crate::rule::Change;
use crate::rule::Rule;
use crate::rule::Threshold;
use crate::rule::Tune;
use crate::tuning_config::FeedbackOverrides;
use crate::tuning_config::Mode;
use crate::units::format_duration;
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
    /// `null`: that of the job.
    mode: Option<&'static str>,
    feedback: ShownFeedback<'a>,
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

/// What a rule says of guards otherwise than its job, and nothing else.
struct ShownFeedback<'a>(&'a FeedbackOverrides);

impl Serialize for ShownFeedback<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let FeedbackOverrides {
            mode: _,
            min_confidence_for_auto_tuning,
            hold_samples,
            hold_samples_shrink,
            cooldown_samples,
            cooldown_max,
            dead_band,
            shadow_share,
        } = *self.0;
        let number = |number: Option<f64>| number.map(Value::from);
        let count = |count: Option<usize>| count.map(Value::from);
        let entries = [
            ("min_confidence_for_auto_tuning", number(min_confidence_for_auto_tuning)),
            ("hold_samples", count(hold_samples)),
            ("hold_samples_shrink", count(hold_samples_shrink)),
            ("cooldown_samples", count(cooldown_samples)),
            ("cooldown_max", cooldown_max.map(|max| Value::from(format_duration(max)))),
            ("dead_band", number(dead_band)),
            ("shadow_share", number(shadow_share)),
        ];
        let written = entries.into_iter().filter_map(|(key, value)| Some((key, value?)));
        serializer.collect_map(written)
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
        mode: rule.feedback.mode.map(Mode::name),
        feedback: ShownFeedback(&rule.feedback),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceFile;
    use crate::rule;

    #[track_caller]
    fn check(keys: &str, tune: &str, feedback: &str) {
        let text = format!(
            "groups: [{{name: g, rules: [{{rule: r, when: hit_rate < 1, confidence: 1, reason: x, \
             thresholds: {{price: 0.08}}, {keys}}}]}}]"
        );
        let (rules, _) = rule::load(&[SourceFile::new("r.yaml", text)]).unwrap();
        let rule = rules.find("r").unwrap();
        assert_eq!(serde_json::to_string(&ShownTune(&rule.tune)).unwrap(), tune);
        assert_eq!(serde_json::to_string(&ShownFeedback(&rule.feedback)).unwrap(), feedback);
    }

    #[test]
    fn rules_are_shown_as_they_are_written() {
        check(
            "tune: {parameter: l2_size_multiplier, best_size: decrease, min: 0.5, max: 2}",
            concat!(
                r#"{"parameter":"l2_size_multiplier","best_size":"decrease","step":1.5,"#,
                r#""min":0.5,"max":2.0}"#
            ),
            "{}",
        );
        check(
            "tune: {parameter: ttl_multiplier, set: 1}, \
             feedback: {hold_samples: 3, cooldown_max: 12h, dead_band: 0.1}",
            r#"{"parameter":"ttl_multiplier","set":1.0,"min":0.01,"max":100.0}"#,
            r#"{"hold_samples":3,"cooldown_max":"12h","dead_band":0.1}"#,
        );
    }
}
