//! The keys of the closed loop that a job and a rule have in common, read from YAML.
//!
//! Both files say the same of a guard, so both are held to the same limits, here.

use crate::diag::Diagnostics;
use crate::tuning_config::FeedbackOverrides;
use crate::tuning_config::Mode;
use crate::yaml::Fields;

/// Largest `hold_samples`: a quarter of an hour at the usual 15 s, after which what was seen to
/// begin with says little about now.
pub const HOLD_SAMPLES_MAX: usize = 60;

/// Largest `cooldown_samples`: four hours at the usual 15 s. Longer rests come of failures.
pub const COOLDOWN_SAMPLES_MAX: usize = 1000;

/// `mode`; `None` where it is not written, or at fault.
pub fn mode(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Mode> {
    let modes = [Mode::Advisory, Mode::Auto];
    let name = fields.optional("mode")?.one_of("mode", &modes.map(Mode::name), diagnostics)?;
    modes.into_iter().find(|mode| mode.name() == name)
}

/// A share or confidence, 0 to 1; `None` where it is not written, or at fault.
pub fn ratio(
    fields: &mut Fields<'_>,
    key: &'static str,
    diagnostics: &mut Diagnostics,
) -> Option<f64> {
    fields.optional(key).and_then(|node| node.number_within(0.0, 1.0, diagnostics))
}

/// A whole number from `min` to `max`; `None` where it is not written, or at fault.
pub fn count(
    fields: &mut Fields<'_>,
    key: &'static str,
    [min, max]: [usize; 2],
    diagnostics: &mut Diagnostics,
) -> Option<usize> {
    let node = fields.optional(key)?;
    let whole = node.whole(min as u64, max as u64, diagnostics)?;
    usize::try_from(whole).ok()
}

/// The guards among the keys of `feedback`.
pub fn guards(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> FeedbackOverrides {
    let hold = [1, HOLD_SAMPLES_MAX];
    FeedbackOverrides {
        mode: None,
        min_confidence_for_auto_tuning: None,
        hold_samples: count(fields, "hold_samples", hold, diagnostics),
        hold_samples_shrink: count(fields, "hold_samples_shrink", hold, diagnostics),
        cooldown_samples: count(fields, "cooldown_samples", [0, COOLDOWN_SAMPLES_MAX], diagnostics),
        cooldown_max: fields.optional("cooldown_max").and_then(|node| node.duration(diagnostics)),
        dead_band: ratio(fields, "dead_band", diagnostics),
        shadow_share: ratio(fields, "shadow_share", diagnostics),
    }
}
