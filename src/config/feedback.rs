//! `tuning.feedback`, of the file and of a job: the guards of the closed loop.

use std::sync::Arc;

use crate::config::Tuning;
use crate::config::parse::positive;
use crate::diag::Diagnostics;
use crate::tuning_config::Freeze;
use crate::tuning_config::read;
use crate::units::Timestamp;
use crate::yaml::Fields;
use crate::yaml::Node;

/// Largest `breaker_failures`: each is kept until it falls out of the breaker's window.
const BREAKER_FAILURES_MAX: usize = 1000;

/// Entries of `freeze`: a year of daily ones. Every analysis looks through them.
pub(super) const FREEZES_MAX: usize = 366;

/// Reads `feedback` over what `tuning` has already; a key at fault leaves that.
pub(super) fn feedback(node: &Node<'_>, tuning: &mut Tuning, diagnostics: &mut Diagnostics) {
    let Some(mut fields) = node.fields(diagnostics) else { return };
    let guards = read::guards(&mut fields, diagnostics);
    let mut feedback = tuning.config.feedback.with(&guards);
    if let Some(enabled) = fields.optional("enabled").and_then(|node| node.flag(diagnostics)) {
        feedback.enabled = enabled;
        tuning.is_feedback_written = true;
    }
    let failures =
        read::count(&mut fields, "breaker_failures", [1, BREAKER_FAILURES_MAX], diagnostics);
    feedback.breaker_failures = failures.unwrap_or(feedback.breaker_failures);
    let mut duration =
        |key| fields.optional(key).and_then(|node| positive(&node, "2h", diagnostics));
    feedback.breaker_window = duration("breaker_window").unwrap_or(feedback.breaker_window);
    feedback.breaker_duration = duration("breaker_duration").unwrap_or(feedback.breaker_duration);
    if let Some(freeze) = freeze(&mut fields, diagnostics) {
        tuning.freeze = Arc::new(freeze);
    }
    fields.finish(diagnostics);
    tuning.config.feedback = feedback;
}

/// The spans, which take the place of inherited ones.
fn freeze(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Freeze> {
    let node = fields.optional("freeze")?;
    let list = node.list(diagnostics)?;
    if list.len() > FREEZES_MAX {
        let message = format!("more than {FREEZES_MAX} times at which nothing is put in force");
        diagnostics.push(node.key_error("too-many-freezes", message));
        return None;
    }
    let spans = list.iter().filter_map(|node| span(node, diagnostics)).collect();
    Some(Freeze { spans })
}

fn span(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Option<(Timestamp, Timestamp)> {
    let mut fields = node.fields(diagnostics)?;
    let from = fields.required("from", diagnostics);
    let from = from.and_then(|node| node.instant(diagnostics));
    let to_node = fields.required("to", diagnostics);
    let to = to_node.as_ref().and_then(|node| node.instant(diagnostics));
    fields.finish(diagnostics);
    let (from, to) = (from?, to?);
    if from >= to {
        let fault = to_node?.error("empty-span", "`to` is not after `from`");
        diagnostics.push(fault.help("write an instant after `from`, or nothing is ever frozen"));
        return None;
    }
    Some((from, to))
}
