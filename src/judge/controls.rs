//! Controls: sibling caches that see the same weather and were not touched. What moves them too was
//! not the tuning; this is what makes a verdict on real traffic possible.

use crate::judge::span::Span;
use crate::judge::track::Track;
use crate::stats;
use crate::units::Timestamp;

/// Most siblings that are looked at; of a larger job the first ones.
pub const CANDIDATES_MAX: usize = 64;
/// Most siblings that serve as controls: the most correlated.
pub const CONTROLS_MAX: usize = 5;

/// Least correlation of first differences with the treated cache.
const CORRELATION_MIN: f64 = 0.3;
/// Fewest differences that a correlation is taken over.
const DIFFERENCES_MIN: usize = 20;
/// Share of the treated cache's samples for which a control must have one too.
const COVERAGE_MIN: f64 = 0.8;
/// Samples' worth of belief that controls move the treated cache one to one.
const WEIGHT_PRIOR: f64 = 10.0;
/// Largest weight of the controls.
const WEIGHT_MAX: f64 = 2.0;
/// The comparison that the weight is for: samples before, between and after. Neighbouring samples
/// differ mostly by noise, which would draw the weight to zero.
const WEIGHT_WINDOWS: (usize, usize, usize) = (5, 2, 10);

/// The movement of the controls at the treated cache's samples.
#[derive(Debug, Clone)]
pub(super) struct Controls {
    /// Which of the candidates they are, the most correlated first.
    pub(super) chosen: Vec<usize>,
    /// θ: how much of their movement the treated cache shares; 0 to 2.
    pub(super) weight: f64,
    /// c: the mean of their deviations from their own means, one per sample.
    pub(super) movement: Vec<f64>,
}

/// A candidate at the treated cache's samples.
pub(super) struct Candidate {
    index: usize,
    correlation: f64,
    values: Vec<Option<f64>>,
}

/// A control's value near each of `times`: its nearest valid sample within `reach` milliseconds,
/// since targets of one job are scraped at different moments of the interval.
pub(super) fn aligned(
    samples: &[(Timestamp, f64)],
    times: &[Timestamp],
    reach: i64,
) -> Vec<Option<f64>> {
    let mut next = 0;
    let distance = |place: usize, at: Timestamp| {
        let (time, _) = samples.get(place)?;
        Some((time.as_millis() - at.as_millis()).abs())
    };
    times
        .iter()
        .map(|&at| {
            while distance(next + 1, at).is_some_and(|d| Some(d) <= distance(next, at)) {
                next += 1;
            }
            distance(next, at).filter(|d| *d <= reach)?;
            samples.get(next).map(|(_, value)| *value)
        })
        .collect()
}

/// The sibling as a candidate, or `None` where it restarted within `span` or has too few samples.
/// `treated` is the cache's own smoothed series, of which the first `history` values lie before the
/// tuning; `values` the sibling's at the same moments.
pub(super) fn candidate(
    index: usize,
    track: &Track,
    span: Span,
    values: Vec<Option<f64>>,
    treated: &[f64],
    history: usize,
) -> Option<Candidate> {
    if track.restarted_at().is_some_and(|at| span.contains(at)) {
        return None;
    }
    let is_covered = |part: &[Option<f64>]| {
        let present = part.iter().flatten().count();
        present as f64 >= COVERAGE_MIN * part.len() as f64
    };
    if !is_covered(&values[..history]) || !is_covered(&values[history..]) {
        return None;
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let steps = values[..history].windows(2).zip(treated[..history].windows(2));
    for (their, our) in steps {
        if let [Some(from), Some(to)] = their {
            theirs.push(to - from);
            ours.push(our[1] - our[0]);
        }
    }
    let correlation = stats::correlation(&ours, &theirs)?;
    let is_close = ours.len() >= DIFFERENCES_MIN && correlation >= CORRELATION_MIN;
    is_close.then_some(Candidate { index, correlation, values })
}

/// The controls out of the candidates: the most correlated, c = their mean, and θ = (Σ c̃ỹ + 10v) ÷
/// (Σ c̃² + 10v), cut to 0 … 2, where the tilde marks the differences of windows at all moments
/// before the tuning, less their median, and v is the variance of c̃: a regression that starts
/// from 1.
pub(super) fn controls(
    mut candidates: Vec<Candidate>,
    treated: &[f64],
    history: usize,
) -> Option<Controls> {
    candidates.sort_by(|left, right| right.correlation.total_cmp(&left.correlation));
    candidates.truncate(CONTROLS_MAX);
    let levels: Vec<f64> = candidates
        .iter()
        .map(|candidate| {
            let present: Vec<f64> = candidate.values[..history].iter().copied().flatten().collect();
            stats::mean(&present).unwrap_or(0.0)
        })
        .collect();
    let mut last = 0.0;
    let movement: Vec<f64> = (0..treated.len())
        .map(|place| {
            let (mut sum, mut present) = (0.0, 0_u32);
            for (candidate, level) in candidates.iter().zip(&levels) {
                if let Some(value) = candidate.values[place] {
                    sum += value - level;
                    present += 1;
                }
            }
            // Where no control has a sample, nothing is known to have moved.
            if present > 0 {
                last = sum / f64::from(present);
            }
            last
        })
        .collect();
    let (theirs, ours) = (differences(&movement[..history])?, differences(&treated[..history])?);
    let prior = WEIGHT_PRIOR * stats::variance(&theirs).filter(|variance| *variance > 0.0)?;
    let products: f64 = theirs.iter().zip(&ours).map(|(c, y)| c * y).sum();
    let squares: f64 = theirs.iter().map(|c| c * c).sum();
    let weight = ((products + prior) / (squares + prior)).clamp(0.0, WEIGHT_MAX);
    let chosen = candidates.iter().map(|candidate| candidate.index).collect();
    Some(Controls { chosen, weight, movement })
}

/// The difference of the means of two windows at every moment, less the median of them all.
fn differences(values: &[f64]) -> Option<Vec<f64>> {
    let (before, between, after) = WEIGHT_WINDOWS;
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let windows = values.windows(before + between + after);
    let raw: Vec<f64> =
        windows.map(|all| mean(&all[before + between..]) - mean(&all[..before])).collect();
    let usual = stats::median(&raw)?;
    Some(raw.into_iter().map(|difference| difference - usual).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_aligned(samples: &[i64], times: &[i64], want: &[Option<i64>]) {
        let samples: Vec<_> =
            samples.iter().map(|ms| (Timestamp::from_millis(*ms), *ms as f64)).collect();
        let times: Vec<_> = times.iter().copied().map(Timestamp::from_millis).collect();
        let want: Vec<_> = want.iter().map(|value| value.map(|ms| ms as f64)).collect();
        assert_eq!(aligned(&samples, &times, 5), want);
    }

    #[test]
    fn samples_are_matched_with_their_nearest() {
        check_aligned(&[3, 13, 23], &[0, 10, 20], &[Some(3), Some(13), Some(23)]);
        check_aligned(&[3, 23], &[0, 10, 20], &[Some(3), None, Some(23)]);
        check_aligned(&[1, 4, 9], &[10], &[Some(9)]);
        check_aligned(&[], &[10], &[None]);
    }
}
