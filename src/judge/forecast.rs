//! Vote 3: the forecast of a local level. The history says how fast the level wanders by itself;
//! the mean after the tuning must lie outside of where it would have wandered.
//!
//! A trend is deliberately not extrapolated: forecasts by slopes call most noise an effect.

use serde::Deserialize;
use serde::Serialize;

use crate::judge::vote::Margins;
use crate::judge::vote::Vote;
use crate::stats;

/// Samples before the tuning that the level is learnt from.
pub(super) const LEVEL_SAMPLES: usize = 60;

/// Variances of the level's steps ÷ variance of the noise that are tried; the likeliest is taken.
const STEP_RATIOS: [f64; 8] = [0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0];

/// What was to be expected.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Mean after − forecast, without what is saved.
    pub effect: f64,
    /// q: variance of the level's steps ÷ variance of the noise.
    pub step_ratio: f64,
    /// Standard error of the forecast of the mean.
    pub standard_error: f64,
    /// What it says.
    pub vote: Vote,
}

/// A filtered series, in units of the noise's variance.
struct Filtered {
    mean: f64,
    uncertainty: f64,
    step_ratio: f64,
    noise_variance: f64,
    likelihood: f64,
}

/// Compares `after` with the forecast from the newest samples of `history`; `horizons` says for
/// each value after, how many samples it lies behind the end of the history. α and what is saved
/// besides are for the vote.
///
/// With the level's uncertainty P, the noise's variance σ² and the horizons h, the mean of n values
/// is forecast with the variance σ² (P + q · mean over all pairs of min(hᵢ, hⱼ) + 1 ÷ n).
pub(super) fn forecast(
    history: &[f64],
    after: &[f64],
    horizons: &[f64],
    (alpha, saving): (f64, f64),
) -> Option<Forecast> {
    let newest = &history[history.len().saturating_sub(LEVEL_SAMPLES)..];
    let degrees = newest.len().checked_sub(1).filter(|degrees| *degrees > 0)? as f64;
    let levels = STEP_RATIOS.iter().map(|q| filter(newest, *q));
    let best =
        levels.reduce(|best, next| if next.likelihood > best.likelihood { next } else { best })?;
    let n = after.len() as f64;
    let pairs = horizons.iter().flat_map(|left| horizons.iter().map(|right| left.min(*right)));
    let shared = pairs.sum::<f64>() / (n * n);
    let variance = best.noise_variance * (best.uncertainty + best.step_ratio * shared + 1.0 / n);
    let effect = stats::mean(after)? - best.mean;
    let standard_error = variance.sqrt();
    let reach = stats::student_quantile(1.0 - alpha, degrees) * standard_error;
    // The margin is the other methods' affair: D is not measured from the level.
    let vote = Vote::on(effect, reach, Margins { gain: 0.0, loss: 0.0, saving });
    Some(Forecast { effect, step_ratio: best.step_ratio, standard_error, vote })
}

/// The Kalman filter of a level that takes steps of variance qσ² and is seen through noise of
/// variance σ². It starts at the first value, of which nothing is known; σ² is concentrated out of
/// the likelihood.
fn filter(values: &[f64], step_ratio: f64) -> Filtered {
    let mut level = values[0];
    let mut uncertainty = 1.0;
    // Sixty factors from 1 to 5 are far from overflow, and a product is cheaper than logarithms.
    let (mut squares, mut spreads) = (0.0, 1.0_f64);
    for value in &values[1..] {
        let predicted = uncertainty + step_ratio;
        let spread = predicted + 1.0;
        let surprise = value - level;
        let precision = spread.recip();
        squares += surprise * surprise * precision;
        spreads *= spread;
        let gain = predicted * precision;
        level += gain * surprise;
        uncertainty = gain;
    }
    let n = (values.len() - 1) as f64;
    let noise_variance = squares / n;
    // A history without any noise fits every q; the first is kept.
    let likelihood = -0.5 * (n * noise_variance.max(f64::MIN_POSITIVE).ln() + spreads.ln());
    Filtered { mean: level, uncertainty, step_ratio, noise_variance, likelihood }
}
