//! Whether a gain may have been a dip that healed. Rules fire on dips, so the window before is low
//! because it was chosen, and what follows looks like a gain whatever was done.
//!
//! A gain that ends above the cache's usual level is none of these. One that only leads back to it
//! is believed where the cache was as low before and stayed there. Where such lows healed by
//! themselves, or where the cache was never as low, the tuning is not the explanation that is left.

use crate::judge::placebo::Shape;
use crate::judge::span::Span;
use crate::stats;
use crate::units::Timestamp;

/// Part of the way up to the usual level within which another moment was as low.
const AS_LOW: f64 = 0.35;
/// Part of the gain from which on what happened by itself explains it.
const EXPLAINED: f64 = 0.5;

/// Whether the gain `effect` of a tuning behind `history` is explained by a dip that heals; `delta`
/// is the effect that matters.
pub(super) fn is_explained(
    history: &[f64],
    times: &[Timestamp],
    (shape, delta): (Shape, f64),
    effect: f64,
    others: &[Span],
) -> bool {
    let Shape { before, skip, after } = shape;
    let mean = |from: usize, len: usize| stats::mean(&history[from..from + len]);
    let Some(low) = mean(history.len().saturating_sub(before), before.min(history.len())) else {
        return false;
    };
    let Some(usual) = stats::median(history) else { return false };
    let depth = usual - low;
    if depth < delta || effect - depth >= delta {
        return false;
    }
    let length = before + skip + after;
    let is_free = |start: usize| {
        let window = Span { start: times[start], end: times[start + length - 1] };
        !others.iter().any(|other| other.overlaps(window))
    };
    let starts = 0..(history.len() + 1).saturating_sub(length);
    let rises = starts.filter(|&start| is_free(start)).filter_map(|start| {
        let from = mean(start, before)?;
        let is_low = from <= low + AS_LOW * depth;
        is_low.then(|| mean(start + before + skip, after).map(|to| to - from)).flatten()
    });
    let rises: Vec<f64> = rises.collect();
    // As often as not is too often: an explanation must be the exception.
    stats::median(&rises).is_none_or(|rise| rise >= EXPLAINED * effect)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { before: 5, skip: 2, after: 10 };

    /// A history whose last five samples are at `low`, after `earlier`.
    #[track_caller]
    fn check(earlier: impl Fn(usize) -> f64, effect: f64, want: bool) {
        let history: Vec<f64> =
            (0..200).map(|at| if at < 195 { earlier(at) } else { 0.5 }).collect();
        let times: Vec<Timestamp> = (0..200).map(Timestamp::from_millis).collect();
        assert_eq!(is_explained(&history, &times, (SHAPE, 0.01), effect, &[]), want);
    }

    #[test]
    fn a_dip_that_was_never_there_before_explains_the_way_back_and_no_more() {
        check(|_| 0.7, 0.2, true);
        check(|_| 0.7, 0.25, false);
        check(|_| 0.5, 0.1, false);
        check(|_| 0.4, 0.1, false);
    }

    #[test]
    fn dips_that_healed_explain_and_lows_that_stayed_do_not() {
        check(|at| if at % 50 < 8 { 0.5 } else { 0.7 }, 0.2, true);
        check(|at| if at >= 150 { 0.5 } else { 0.7 }, 0.2, false);
        check(|at| 0.9 - 0.002 * at as f64, 0.2, false);
    }
}
