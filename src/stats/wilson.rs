//! Wilson's interval of a share: what a handful of successes says of the rate behind them.

use crate::stats::normal::normal_quantile;

/// Bounds of the rate behind some successes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WilsonInterval {
    /// The rate is above this with the confidence asked for; 0 to 1.
    pub lower: f64,
    /// The rate is below this with the confidence asked for; 0 to 1.
    pub upper: f64,
}

/// Wilson's score interval for `successes` out of `trials`. Each bound is one-sided: it holds with
/// `confidence` (0 to 1) by itself. `None` for no trials.
pub fn wilson(successes: u64, trials: u64, confidence: f64) -> Option<WilsonInterval> {
    if trials == 0 {
        return None;
    }
    let n = trials as f64;
    let share = successes.min(trials) as f64 / n;
    let z = normal_quantile(confidence);
    let shrink = 1.0 + z * z / n;
    let centre = (share + z * z / (2.0 * n)) / shrink;
    let reach = z / shrink * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let bound = |value: f64| value.clamp(0.0, 1.0);
    Some(WilsonInterval { lower: bound(centre - reach), upper: bound(centre + reach) })
}
