//! Vote 2: placebos in time. What would the difference have been had the tuning been at any earlier
//! moment, when there was none? An effect must stand out among those.

use serde::Deserialize;
use serde::Serialize;

use crate::judge::span::Span;
use crate::judge::vote::Margins;
use crate::judge::vote::Vote;
use crate::stats;
use crate::units::Timestamp;

/// Fewest placebos that say something.
const PLACEBOS_MIN: usize = 10;
/// Median absolute deviation × this estimates the standard deviation of normal values.
const MAD_TO_DEVIATION: f64 = 1.4826;
/// Share of the placebos whose distance from the centre gives another such estimate, as a ratio …
const TAIL_SHARE: (usize, usize) = (4, 5);
/// … divided by this quantile of the normal distribution, Φ⁻¹(0.9). It is the larger one where
/// something happens to the cache now and then, which the half in the middle does not show.
const TAIL_QUANTILE: f64 = 1.281_551_565_544_600_4;
/// Variance of a median ÷ variance of a mean (π ÷ 2), by which the centre is uncertain.
const MEDIAN_VARIANCE: f64 = 1.57;
/// Fewest independent placebos that are reckoned with.
const INDEPENDENT_MIN: f64 = 3.0;
/// One-sided certainty and power of the smallest effect that can be detected: 95 % and 80 %.
const DETECTION_CERTAINTY: f64 = 0.95;
const DETECTION_POWER: f64 = 0.84;

/// The effect among the placebos.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Placebo {
    /// D − m: the effect beyond what is usual.
    pub effect: f64,
    /// m: the placebos' median.
    pub centre: f64,
    /// The placebos' spread, as the standard deviation of a further one.
    pub scale: f64,
    /// Degrees of freedom.
    pub degrees: f64,
    /// How many placebos there were.
    pub count: usize,
    /// What it says.
    pub vote: Vote,
}

/// The shape of the comparison, in samples.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) before: usize,
    pub(super) skip: usize,
    pub(super) after: usize,
}

/// How the same difference behaves where nothing was done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) centre: f64,
    pub(super) scale: f64,
    pub(super) degrees: f64,
    pub(super) count: usize,
}

/// Sets `effect` against the placebos: it must reach the margin beyond their centre, and
/// t(1 − α, M − 1) times their scale.
pub(super) fn placebo(spread: Spread, effect: f64, alpha: f64, margins: Margins) -> Placebo {
    let Spread { centre, scale, degrees, count } = spread;
    let beyond = effect - centre;
    let reach = stats::student_quantile(1.0 - alpha, degrees) * scale;
    let vote = Vote::on(beyond, reach, margins);
    Placebo { effect: beyond, centre, scale, degrees, count, vote }
}

/// The placebos of `history`: differences P at every moment whose windows fit into it and touch
/// none of `others`. Centre m = their median, scale = s · √(1 + 1.57 ÷ M), where M, the number of
/// independent ones, is their count ÷ ((before + after) ÷ 2 + skip), at least 3, and s the larger
/// of 1.4826 · MAD and the 0.8-quantile of |P − m| ÷ 1.28.
pub(super) fn spread(
    history: &[f64],
    times: &[Timestamp],
    shape: Shape,
    others: &[Span],
) -> Option<Spread> {
    let Shape { before, skip, after } = shape;
    let length = before + skip + after;
    let mut sums = Vec::with_capacity(history.len() + 1);
    sums.push(0.0);
    for value in history {
        sums.push(sums[sums.len() - 1] + value);
    }
    let mean = |from: usize, len: usize| (sums[from + len] - sums[from]) / len as f64;
    let is_free = |start: usize| {
        let window = Span { start: times[start], end: times[start + length - 1] };
        !others.iter().any(|other| other.overlaps(window))
    };
    let starts = 0..(history.len() + 1).saturating_sub(length);
    let placebos: Vec<f64> = starts
        .filter(|&start| is_free(start))
        .map(|start| mean(start + before + skip, after) - mean(start, before))
        .collect();
    if placebos.len() < PLACEBOS_MIN {
        return None;
    }
    let apart = (before + after) as f64 / 2.0 + skip as f64;
    let independent = (placebos.len() as f64 / apart).max(INDEPENDENT_MIN);
    let centre = stats::median(&placebos)?;
    let mut distances: Vec<f64> = placebos.iter().map(|place| (place - centre).abs()).collect();
    let middle = MAD_TO_DEVIATION * stats::median(&distances)?;
    let place = distances.len() * TAIL_SHARE.0 / TAIL_SHARE.1;
    let (_, tail, _) = distances.select_nth_unstable_by(place, f64::total_cmp);
    let tail = *tail / TAIL_QUANTILE;
    Some(Spread {
        centre,
        scale: middle.max(tail) * (1.0 + MEDIAN_VARIANCE / independent).sqrt(),
        degrees: independent - 1.0,
        count: placebos.len(),
    })
}

/// The smallest effect that would be seen in four of five cases, (t(0.95) + 0.84) · scale: what
/// makes "inconclusive" understandable.
pub(super) fn detectable(scale: f64, degrees: f64) -> f64 {
    (stats::student_quantile(DETECTION_CERTAINTY, degrees) + DETECTION_POWER) * scale
}
