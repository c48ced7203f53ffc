//! Rule files: YAML → checked rules, every fault at once and at its place.

mod tune;

use std::sync::Arc;

use crate::diag::Diagnostics;
use crate::diag::SourceFile;
use crate::expr;
use crate::expr::NameKind;
use crate::parameter::Parameter;
use crate::rule::HIT_RATE;
use crate::rule::Objective;
use crate::rule::PRICE;
use crate::rule::Rule;
use crate::rule::RuleSet;
use crate::rule::Threshold;
use crate::rule::inputs;
use crate::signal::Signal;
use crate::tuning_config::FeedbackOverrides;
use crate::tuning_config::WINDOW_SNAPSHOTS_MAX;
use crate::tuning_config::read;
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
    let tune_node = fields.required("tune", diagnostics);
    let tuned = tune_node.as_ref().and_then(tune::tuned);
    let thresholds = thresholds(&mut fields, tuned, diagnostics);
    let when = condition(&mut fields, &thresholds, tuned, diagnostics);
    let min_samples = match fields.optional("min_samples") {
        Some(node) => node.whole(1, WINDOW_SNAPSHOTS_MAX as u64, diagnostics),
        None => Some(1),
    };
    let tune = tune_node.and_then(|node| tune::tune(&node, &thresholds, diagnostics));
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
    let feedback = feedback(&mut fields, diagnostics);
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
        feedback,
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

/// The thresholds of a rule that tunes `tuned`.
fn thresholds(
    fields: &mut Fields<'_>,
    tuned: Option<Parameter>,
    diagnostics: &mut Diagnostics,
) -> Vec<Threshold> {
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
        let is_price = name == PRICE && tuned.is_some_and(Parameter::is_size);
        let read = if is_price { Node::number_not_negative } else { Node::number };
        // One at fault refuses the file; its name is known all the same.
        let value = read(&node, diagnostics).unwrap_or_default();
        thresholds.push(Threshold { name: name.to_owned(), value });
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
    tuned: Option<Parameter>,
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
        // A price is used by what is predicted of a size, and by the judge of its tuning.
        if threshold.name == PRICE && tuned.is_none_or(Parameter::is_size) {
            continue;
        }
        let used = |name: &expr::NameRef| name.kind == NameKind::Threshold && name.index == index;
        if !condition.references().iter().any(used) {
            let message = format!("threshold `{}` is not used in the condition", threshold.name);
            diagnostics.push(node.error("unused-threshold", message).into_warning());
        }
    }
    Some(condition)
}

/// What the rule says of guards otherwise than its job.
fn feedback(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> FeedbackOverrides {
    let mode = read::mode(fields, diagnostics);
    let node = fields.optional("feedback");
    let Some(mut fields) = node.and_then(|node| node.fields(diagnostics)) else {
        return FeedbackOverrides { mode, ..FeedbackOverrides::default() };
    };
    let key = "min_confidence_for_auto_tuning";
    let min_confidence_for_auto_tuning = read::ratio(&mut fields, key, diagnostics);
    let guards = read::guards(&mut fields, diagnostics);
    fields.finish(diagnostics);
    FeedbackOverrides { mode, min_confidence_for_auto_tuning, ..guards }
}

fn objective(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Option<Objective> {
    let mut fields = node.fields(diagnostics)?;
    let names = Signal::ALL.map(Signal::name);
    let signal = fields
        .required("signal", diagnostics)
        .and_then(|node| node.one_of("signal", &names, diagnostics))
        .and_then(Signal::from_name);
    let goal = fields.required("goal", diagnostics).and_then(|node| tune::goal(&node, diagnostics));
    fields.finish(diagnostics);
    Some(Objective { signal: signal?, goal: goal? })
}
