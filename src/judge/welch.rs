//! Vote 1: Welch's test of two means, with the sample sizes that the values are worth.
//!
//! Neighbours in time resemble each other, so twenty samples are not twenty opinions; a test that
//! counts them as such calls noise an effect.

use serde::Deserialize;
use serde::Serialize;

use crate::judge::vote::Margins;
use crate::judge::vote::Vote;
use crate::stats;

/// Largest autocorrelation taken into account; beyond it every window is one value.
const RHO_MAX: f64 = 0.9;
/// Fewest values that a window is worth, and fewest degrees of freedom.
const EFFECTIVE_MIN: f64 = 1.5;
/// Bounds the correction of a variance that was measured within a correlated window.
const VARIANCE_SHARE_MIN: f64 = 0.33;

/// Welch's test with effective sample sizes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Welch {
    /// D: mean after − mean before.
    pub effect: f64,
    /// Autocorrelation of neighbours within the windows; 0 to 0.9.
    pub autocorrelation: f64,
    /// Standard error of the effect.
    pub standard_error: f64,
    /// Degrees of freedom.
    pub degrees: f64,
    /// What it says.
    pub vote: Vote,
}

/// Compares two windows; neither is empty.
///
/// With ρ the pooled lag-1 autocorrelation of the windows about their own means, corrected for its
/// bias in short series to (nρ + 1) ÷ (n − 3) and cut to 0 … 0.9, a window of n values is worth
/// n′ = n ÷ (1 + 2 Σ (1 − j/n) ρʲ), the sum over j from 1 to n − 1. The variance of its mean is
/// s² ÷ n′ ÷ (1 − 1/n′), s² being the mean square about the window's own mean, which is too small
/// by the last factor. There are n′₁ + n′₂ − 2 degrees of freedom.
pub(super) fn welch(before: &[f64], after: &[f64], alpha: f64, margins: Margins) -> Option<Welch> {
    let (first, second) = (Window::of(before)?, Window::of(after)?);
    let effect = second.mean - first.mean;
    let n = (before.len() + after.len()) as f64;
    let squares = first.squares + second.squares;
    let raw = if squares > 0.0 { (first.products + second.products) / squares } else { 0.0 };
    let rho = if n > 3.0 { ((n * raw + 1.0) / (n - 3.0)).clamp(0.0, RHO_MAX) } else { RHO_MAX };
    let (worth_first, worth_second) = (first.worth(rho), second.worth(rho));
    let degrees = (worth_first + worth_second - 2.0).max(EFFECTIVE_MIN);
    let variance = first.variance_of_mean(worth_first) + second.variance_of_mean(worth_second);
    let standard_error = variance.sqrt();
    let reach = stats::student_quantile(1.0 - alpha, degrees) * standard_error;
    let vote = Vote::on(effect, reach, margins);
    Some(Welch { effect, autocorrelation: rho, standard_error, degrees, vote })
}

/// Sums over one window about its own mean.
struct Window {
    len: usize,
    mean: f64,
    squares: f64,
    products: f64,
}

impl Window {
    fn of(values: &[f64]) -> Option<Self> {
        let mean = stats::mean(values)?;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum();
        let products = values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
        Some(Self { len: values.len(), mean, squares, products })
    }

    fn worth(&self, rho: f64) -> f64 {
        let n = self.len as f64;
        let mut power = 1.0;
        let mut sum = 0.0;
        for lag in 1..self.len {
            power *= rho;
            sum += (1.0 - lag as f64 / n) * power;
        }
        (n / (1.0 + 2.0 * sum)).max(EFFECTIVE_MIN)
    }

    fn variance_of_mean(&self, worth: f64) -> f64 {
        let variance = self.squares / self.len as f64;
        variance / worth / (1.0 - 1.0 / worth).max(VARIANCE_SHARE_MIN)
    }
}
