//! `tuning`, of the file and of a job.

use std::time::Duration;

use crate::config::Tuning;
use crate::config::feedback;
use crate::diag::Diagnostics;
use crate::tuning_config::TuningConfig;
use crate::tuning_config::WINDOW_SNAPSHOTS_MAX;
use crate::tuning_config::read;
use crate::yaml::Fields;
use crate::yaml::Node;

/// Reads `tuning` over what holds where a key is not written; a key at fault leaves that too.
pub(super) fn tuning(node: &Node<'_>, inherited: Tuning, diagnostics: &mut Diagnostics) -> Tuning {
    let Some(mut fields) = node.fields(diagnostics) else { return inherited };
    let mut tuning = inherited;
    if let Some(flag) = flag(&mut fields, "enable_adaptive_tuning", diagnostics) {
        tuning.config.enable_adaptive_tuning = flag;
    }
    if let Some(interval) = interval(&mut fields, diagnostics) {
        tuning.config.tuning_interval = interval;
    }
    let ratio_target = read::ratio(&mut fields, "target_hit_rate", diagnostics);
    let ratio_confidence = read::ratio(&mut fields, "min_confidence_for_auto_tuning", diagnostics);
    tuning.config.target_hit_rate = ratio_target.unwrap_or(tuning.config.target_hit_rate);
    tuning.config.min_confidence_for_auto_tuning =
        ratio_confidence.unwrap_or(tuning.config.min_confidence_for_auto_tuning);
    window(&mut fields, &mut tuning, diagnostics);
    if let Some(mode) = read::mode(&mut fields, diagnostics) {
        tuning.config.mode = mode;
    }
    if let Some(node) = fields.optional("feedback") {
        feedback::feedback(&node, &mut tuning, diagnostics);
    }
    fields.finish(diagnostics);
    tuning
}

fn flag(fields: &mut Fields<'_>, key: &'static str, diagnostics: &mut Diagnostics) -> Option<bool> {
    fields.optional(key).and_then(|node| node.flag(diagnostics))
}

fn interval(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Duration> {
    fields.optional("tuning_interval").and_then(|node| node.duration(diagnostics))
}

/// The window and the snapshots that a tuning wants of it, which cannot be more.
fn window(fields: &mut Fields<'_>, tuning: &mut Tuning, diagnostics: &mut Diagnostics) {
    let size_node = fields.optional("performance_window_size");
    let samples_node = fields.optional("min_samples_for_tuning");
    let max = WINDOW_SNAPSHOTS_MAX as u64;
    let mut whole = |node: &Option<Node<'_>>, min: u64, inherited: usize| match node {
        Some(node) => {
            node.whole(min, max, diagnostics).and_then(|whole| usize::try_from(whole).ok())
        }
        None => Some(inherited),
    };
    let size = whole(&size_node, 1, tuning.config.performance_window_size);
    let samples = whole(&samples_node, 0, tuning.config.min_samples_for_tuning);
    let (Some(size), Some(samples)) = (size, samples) else { return };
    // Nobody asked for the default: like the default timeout above an interval, it is lowered.
    let is_default =
        samples_node.is_none() && samples == TuningConfig::default().min_samples_for_tuning;
    let samples = if is_default { samples.min(size) } else { samples };
    if samples > size
        && let Some(node) = samples_node.or(size_node)
    {
        let message = format!(
            "`min_samples_for_tuning` {samples} is above `performance_window_size` {size}, so that \
             nothing would ever be tuned"
        );
        let help = format!("set `min_samples_for_tuning` to at most {size}, or widen the window");
        diagnostics.push(node.error("window-too-small", message).help(help));
        return;
    }
    tuning.config.performance_window_size = size;
    tuning.config.min_samples_for_tuning = samples;
}
