//! How long a cache takes until its new size shows: samples to leave out after a tuning.

/// Samples left out where nothing has to fill: the one that the change falls into, and the next.
pub const SKIP_MIN: usize = 2;
/// Most samples left out; a cache that fills more slowly is judged while it fills.
pub const SKIP_MAX: usize = 20;

/// Evictions and repeated insertions slow the filling down by about this factor.
const FILLING_FACTOR: f64 = 1.2;

/// Samples to leave out after a change that makes room for `entries_added` more, where
/// `insertions_per_sample` come in between two samples: ⌈1.2 · added ÷ insertions⌉, from 2 to 20.
/// Where either is not known, and after a shrink (`entries_added` ≤ 0), which acts at once: 2.
pub fn skip(entries_added: Option<f64>, insertions_per_sample: Option<f64>) -> usize {
    let (Some(added), Some(insertions)) = (entries_added, insertions_per_sample) else {
        return SKIP_MIN;
    };
    if !(added > 0.0 && insertions >= 0.0) {
        return SKIP_MIN;
    }
    let samples = (FILLING_FACTOR * added / insertions).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "cut to small whole numbers before"
    )]
    let samples = samples.clamp(SKIP_MIN as f64, SKIP_MAX as f64) as usize;
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(added: Option<f64>, insertions: Option<f64>, want: usize) {
        assert_eq!(skip(added, insertions), want, "{added:?} {insertions:?}");
    }

    #[test]
    fn growth_waits_for_filling_within_bounds() {
        check(Some(600.0), Some(100.0), 8);
        check(Some(500.0), Some(100.0), 6);
        check(Some(10.0), Some(100.0), 2);
        check(Some(1e9), Some(1.0), 20);
        check(Some(100.0), Some(0.0), 20);
    }

    #[test]
    fn a_shrink_and_the_unknown_wait_for_two() {
        check(Some(-600.0), Some(100.0), 2);
        check(Some(0.0), Some(0.0), 2);
        check(None, Some(100.0), 2);
        check(Some(600.0), None, 2);
        check(Some(f64::NAN), Some(1.0), 2);
    }
}
