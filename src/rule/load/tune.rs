//! `tune` of a rule: the parameter, how it is changed, and how far.

use crate::diag::Diagnostics;
use crate::parameter::Parameter;
use crate::rule::BestSize;
use crate::rule::Change;
use crate::rule::Goal;
use crate::rule::PRICE;
use crate::rule::Threshold;
use crate::rule::Tune;
use crate::yaml::Fields;
use crate::yaml::Node;

/// `step` where it is not written.
const STEP_DEFAULT: f64 = 1.5;

/// Largest `step`. A prediction that far from the present size says little, and a mistake is dear.
const STEP_MAX: f64 = 10.0;

/// The parameter that `tune` names, so that its thresholds can be read first; `None` where it names
/// none, which is reported when `tune` is read.
pub(super) fn tuned(node: &Node<'_>) -> Option<Parameter> {
    let mut unheard = Diagnostics::new();
    let name = node.fields(&mut unheard)?.optional("parameter")?.text(&mut unheard)?;
    Parameter::from_name(&name)
}

/// Reads `tune` of a rule with those thresholds.
pub(super) fn tune(
    node: &Node<'_>,
    thresholds: &[Threshold],
    diagnostics: &mut Diagnostics,
) -> Option<Tune> {
    let mut fields = node.fields(diagnostics)?;
    let parameter =
        fields.required("parameter", diagnostics).and_then(|node| parameter(&node, diagnostics));
    let change = change(&mut fields, parameter, thresholds, diagnostics);
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

/// The change: the number behind one of the keys, or the way to the best size.
fn change(
    fields: &mut Fields<'_>,
    parameter: Option<Parameter>,
    thresholds: &[Threshold],
    diagnostics: &mut Diagnostics,
) -> Option<Change> {
    let given = ["multiply", "add", "set", "best_size"]
        .map(|key| fields.optional(key).map(|node| (key, node)));
    let given: Vec<_> = given.into_iter().flatten().collect();
    let step = fields.optional("step");
    let [(key, node)] = given.as_slice() else {
        let message = "`tune` takes exactly one of `multiply`, `add`, `set` and `best_size`";
        let place = given.get(1).map_or_else(|| fields.node().clone(), |(_, node)| node.clone());
        diagnostics.push(place.error("ambiguous-change", message));
        return None;
    };
    if *key == "best_size" {
        let best = best_size(node, step.as_ref(), diagnostics);
        let is_sound = is_priced_size(node, parameter, thresholds, diagnostics);
        return best.filter(|_| is_sound).map(Change::BestSize);
    }
    if let Some(step) = step {
        let fault = step.key_error("exclusive-keys", format!("`step` does not go with `{key}`"));
        diagnostics.push(fault.help("it limits `best_size`: remove it"));
    }
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

fn best_size(
    node: &Node<'_>,
    step: Option<&Node<'_>>,
    diagnostics: &mut Diagnostics,
) -> Option<BestSize> {
    let goal = goal(node, diagnostics);
    let Some(step_node) = step else { return Some(BestSize { goal: goal?, step: STEP_DEFAULT }) };
    let step = step_node.number(diagnostics)?;
    if step <= 1.0 || step > STEP_MAX {
        let message = format!("`{step}` is not above 1 and at most {STEP_MAX}");
        let help = format!("write the largest factor of one tuning, such as `{STEP_DEFAULT}`");
        diagnostics.push(step_node.error("out-of-range", message).help(help));
        return None;
    }
    Some(BestSize { goal: goal?, step })
}

/// Whether the best value of the parameter can be told: it is a size, and has a price. Says what is
/// missing.
fn is_priced_size(
    node: &Node<'_>,
    parameter: Option<Parameter>,
    thresholds: &[Threshold],
    diagnostics: &mut Diagnostics,
) -> bool {
    if let Some(parameter) = parameter.filter(|parameter| !parameter.is_size()) {
        let message = format!("`{parameter}` is no size, so that none is best");
        let sizes = Parameter::ALL.into_iter().filter(|it| it.is_size()).map(Parameter::name);
        let help = format!("`best_size` is for `{}`", sizes.collect::<Vec<_>>().join("` and `"));
        diagnostics.push(node.key_error("not-a-size", message).help(help));
        return false;
    }
    let is_priced = thresholds.iter().any(|threshold| threshold.name == PRICE);
    if !is_priced {
        let fault = node.key_error("missing-key", format!("`best_size` needs a `{PRICE}`"));
        diagnostics.push(fault.help(format!(
            "add a threshold `{PRICE}`: the hits per request that one unit of size must bring"
        )));
    }
    is_priced
}

fn same(a: f64, b: f64) -> bool {
    a.total_cmp(&b).is_eq() || (a - b).abs() <= 0.0
}

/// `increase` or `decrease`.
pub(super) fn goal(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Option<Goal> {
    let goals = [Goal::Increase, Goal::Decrease];
    let name = node.one_of("goal", &goals.map(Goal::name), diagnostics)?;
    goals.into_iter().find(|goal| goal.name() == name)
}
