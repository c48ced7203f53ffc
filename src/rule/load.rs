//! Rule files: YAML → checked rules, every fault at once and at its place.

use std::sync::Arc;

use crate::diag::Diagnostics;
use crate::diag::SourceFile;
use crate::expr;
use crate::expr::NameKind;
use crate::parameter::Parameter;
use crate::rule::Change;
use crate::rule::Goal;
use crate::rule::HIT_RATE;
use crate::rule::Objective;
use crate::rule::Rule;
use crate::rule::RuleSet;
use crate::rule::Threshold;
use crate::rule::Tune;
use crate::rule::inputs;
use crate::signal::Signal;
use crate::tuning_config::FeedbackOverrides;
use crate::tuning_config::WINDOW_SNAPSHOTS_MAX;
use crate::yaml::Document;
use crate::yaml::Fields;
use crate::yaml::Node;

/// Rules of all files of a configuration together.
const RULES_MAX: usize = 1000;

/// Reads rule files as one set, in the order given; the warnings come back beside it.
///
/// # Errors
/// All faults of all files.
pub fn load(sources: &[Arc<SourceFile>]) -> Result<(RuleSet, Diagnostics), Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let mut rules: Vec<Rule> = Vec::new();
    for source in sources {
        match Document::parse(Arc::clone(source)) {
            Ok(document) => file(&document, &mut rules, &mut diagnostics),
            Err(fault) => diagnostics.push(fault),
        }
    }
    diagnostics.finish(Some(RuleSet::new(rules)))
}

fn file(document: &Document, rules: &mut Vec<Rule>, diagnostics: &mut Diagnostics) {
    let Some(mut fields) = document.root().fields(diagnostics) else { return };
    let groups = fields.required("groups", diagnostics);
    fields.finish(diagnostics);
    let before = rules.len();
    for node in groups.and_then(|node| node.list(diagnostics)).unwrap_or_default() {
        group(&node, rules, diagnostics);
    }
    if rules.len() == before && !diagnostics.has_errors() {
        let warning = document.root().error("no-rules", "the file has no rules");
        diagnostics.push(warning.into_warning());
    }
}

fn group(node: &Node<'_>, rules: &mut Vec<Rule>, diagnostics: &mut Diagnostics) {
    let Some(mut fields) = node.fields(diagnostics) else { return };
    let name = fields.required("name", diagnostics).and_then(|node| node.name(diagnostics));
    let list = fields.required("rules", diagnostics).and_then(|node| node.list(diagnostics));
    fields.finish(diagnostics);
    let group: Arc<str> = name.unwrap_or_default().into();
    for node in list.unwrap_or_default() {
        if rules.len() >= RULES_MAX {
            let fault = node.error("too-many-rules", format!("more than {RULES_MAX} rules"));
            return diagnostics.push(fault);
        }
        if let Some(rule) = rule(&node, &group, rules, diagnostics) {
            rules.push(rule);
        }
    }
}

fn rule(
    node: &Node<'_>,
    group: &Arc<str>,
    earlier: &[Rule],
    diagnostics: &mut Diagnostics,
) -> Option<Rule> {
    let mut fields = node.fields(diagnostics)?;
    let name = rule_name(&mut fields, earlier, diagnostics);
    let thresholds = thresholds(&mut fields, diagnostics);
    let when = condition(&mut fields, &thresholds, diagnostics);
    let min_samples = match fields.optional("min_samples") {
        Some(node) => node.whole(1, WINDOW_SNAPSHOTS_MAX as u64, diagnostics),
        None => Some(1),
    };
    let tune = fields.required("tune", diagnostics).and_then(|node| tune(&node, diagnostics));
    let confidence = fields
        .required("confidence", diagnostics)
        .and_then(|node| node.number_within(0.0, 1.0, diagnostics));
    let expected_improvement = match fields.optional("expected_improvement") {
        Some(node) => node.number_within(0.0, 10.0, diagnostics),
        None => Some(0.0),
    };
    let objective = match fields.optional("objective") {
        Some(node) => objective(&node, diagnostics),
        None => Some(HIT_RATE),
    };
    let reason = fields.required("reason", diagnostics).and_then(|node| node.name(diagnostics));
    fields.finish(diagnostics);
    Some(Rule {
        name: name?,
        group: Arc::clone(group),
        file: node.source().name.as_str().into(),
        when: when?,
        thresholds,
        min_samples: usize::try_from(min_samples?).ok()?,
        tune: tune?,
        confidence: confidence?,
        expected_improvement: expected_improvement?,
        objective: objective?,
        reason: reason?.into(),
        feedback: FeedbackOverrides::default(),
    })
}

fn rule_name(
    fields: &mut Fields<'_>,
    earlier: &[Rule],
    diagnostics: &mut Diagnostics,
) -> Option<Arc<str>> {
    let node = fields.required("rule", diagnostics)?;
    let name = node.name(diagnostics)?;
    if earlier.iter().any(|rule| *rule.name == *name) {
        let fault = node.error("duplicate-rule", format!("there is a rule `{name}` already"));
        diagnostics.push(fault.help("rule names are labels of metrics: give it another"));
        return None;
    }
    Some(name.into())
}

fn thresholds(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Vec<Threshold> {
    let Some(node) = fields.optional("thresholds") else { return Vec::new() };
    let mut thresholds = Vec::new();
    for (name, node) in node.entries(diagnostics).unwrap_or_default() {
        if !is_identifier(name) {
            let fault =
                node.key_error("bad-name", format!("`{name}` cannot be used in a condition"));
            diagnostics.push(fault.help("use letters, digits and `_`, a letter first"));
        } else if inputs::is_taken(name) {
            let message = format!("`{name}` already names a signal, setting or parameter");
            diagnostics.push(node.key_error("shadowed-name", message).help("choose another name"));
        }
        if let Some(value) = node.number(diagnostics) {
            thresholds.push(Threshold { name: name.to_owned(), value });
        }
    }
    thresholds
}

fn is_identifier(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !["and", "or", "not"].contains(&name)
}

fn condition(
    fields: &mut Fields<'_>,
    thresholds: &[Threshold],
    diagnostics: &mut Diagnostics,
) -> Option<expr::Condition> {
    let node = fields.required("when", diagnostics)?;
    let text = node.text(diagnostics)?;
    let condition = match expr::condition(&text, &inputs::RuleNames { thresholds }) {
        Ok(condition) => condition,
        Err(faults) => {
            for fault in faults {
                diagnostics.push(fault.within(&node));
            }
            return None;
        }
    };
    for (index, threshold) in thresholds.iter().enumerate() {
        let used = |name: &expr::NameRef| name.kind == NameKind::Threshold && name.index == index;
        if !condition.references().iter().any(used) {
            let message = format!("threshold `{}` is not used in the condition", threshold.name);
            diagnostics.push(node.error("unused-threshold", message).into_warning());
        }
    }
    Some(condition)
}

fn tune(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Option<Tune> {
    let mut fields = node.fields(diagnostics)?;
    let parameter =
        fields.required("parameter", diagnostics).and_then(|node| parameter(&node, diagnostics));
    let change = change(&mut fields, diagnostics);
    let bounds = parameter.map(Parameter::bounds);
    let mut limit = |key: &'static str| match (fields.optional(key), bounds) {
        (Some(node), Some(bounds)) => node.number_within(bounds.min, bounds.max, diagnostics),
        (Some(node), None) => node.number(diagnostics),
        (None, _) => bounds.map(|bounds| if key == "min" { bounds.min } else { bounds.max }),
    };
    let (min, max) = (limit("min"), limit("max"));
    for key in ["set", "min", "max"] {
        if parameter.is_some_and(Parameter::is_whole)
            && let Some(node) = fields.optional(key)
            && let Some(number) = node.number(&mut Diagnostics::new())
            && number.fract().abs() > 0.0
        {
            let message = format!("`{key}` {number} is not whole, as the parameter is");
            diagnostics.push(node.error("out-of-range", message).help("write a whole number"));
        }
    }
    fields.finish(diagnostics);
    let (min, max) = (min?, max?);
    if min > max {
        let fault = node.error("bounds-inverted", format!("`min` {min} is above `max` {max}"));
        diagnostics.push(fault.help("swap the two"));
        return None;
    }
    if let Some(Change::Set(value)) = change
        && !(min..=max).contains(&value)
    {
        let message = format!("`set` {value} is not between {min} and {max}");
        diagnostics.push(node.error("out-of-range", message));
        return None;
    }
    Some(Tune { parameter: parameter?, change: change?, min, max })
}

fn parameter(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Option<Parameter> {
    let names = Parameter::ALL.map(Parameter::name);
    node.one_of("parameter", &names, diagnostics).and_then(Parameter::from_name)
}

fn change(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Change> {
    let given = ["multiply", "add", "set"].map(|key| fields.optional(key).map(|node| (key, node)));
    let given: Vec<_> = given.into_iter().flatten().collect();
    let [(key, node)] = given.as_slice() else {
        let message = "`tune` takes exactly one of `multiply`, `add` and `set`";
        let place = given.get(1).map_or_else(|| fields.node().clone(), |(_, node)| node.clone());
        diagnostics.push(place.error("ambiguous-change", message));
        return None;
    };
    let number = node.number(diagnostics)?;
    let (change, idle) = match *key {
        "multiply" => (Change::Multiply(number), number <= 0.0 || same(number, 1.0)),
        "add" => (Change::Add(number), same(number, 0.0)),
        _ => (Change::Set(number), false),
    };
    if idle {
        let message = format!("`{key}: {number}` is no change that a rule can make");
        let help = "`multiply` wants a number above 0 and not 1, `add` one that is not 0";
        diagnostics.push(node.error("no-change", message).help(help));
        return None;
    }
    Some(change)
}

fn same(a: f64, b: f64) -> bool {
    a.total_cmp(&b).is_eq() || (a - b).abs() <= 0.0
}

fn objective(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Option<Objective> {
    let mut fields = node.fields(diagnostics)?;
    let names = Signal::ALL.map(Signal::name);
    let signal = fields
        .required("signal", diagnostics)
        .and_then(|node| node.one_of("signal", &names, diagnostics))
        .and_then(Signal::from_name);
    let goals = [Goal::Increase, Goal::Decrease];
    let goal = fields
        .required("goal", diagnostics)
        .and_then(|node| node.one_of("goal", &goals.map(Goal::name), diagnostics))
        .and_then(|name| goals.into_iter().find(|goal| goal.name() == name));
    fields.finish(diagnostics);
    Some(Objective { signal: signal?, goal: goal? })
}
