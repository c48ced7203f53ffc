//! Describes a handful of numbers: where they lie, how they scatter, how they hang together.

/// Arithmetic mean; `None` for no values.
pub fn mean(values: &[f64]) -> Option<f64> {
    finite(values.iter().sum::<f64>() / values.len() as f64)
}

/// Unbiased sample variance, Σ(x − mean)² ÷ (n − 1); `None` for fewer than two values.
pub fn variance(values: &[f64]) -> Option<f64> {
    let (first, last) = (mean(values)?, values.len().checked_sub(1)?);
    finite(squares_around(values, first) / last as f64)
}

/// The middle value, or the mean of the two in the middle; `None` for no values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let is_even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if !is_even {
        return finite(upper);
    }
    let lower = below.iter().copied().reduce(f64::max)?;
    finite(f64::midpoint(lower, upper))
}

/// Median of the distances from the median, without the factor that would make it an estimate of a
/// standard deviation; `None` for no values.
pub fn median_absolute_deviation(values: &[f64]) -> Option<f64> {
    let centre = median(values)?;
    let distances: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    median(&distances)
}

/// Each value replaced by the median of itself and its two neighbours; the two ends stay. One
/// outlier alone vanishes, a step stays where it is.
pub fn running_median_3(values: &[f64]) -> Vec<f64> {
    let mut smooth = values.to_vec();
    for (slot, window) in smooth.iter_mut().skip(1).zip(values.windows(3)) {
        let (low, high) = (window[0].min(window[1]), window[0].max(window[1]));
        *slot = window[2].clamp(low, high);
    }
    smooth
}

/// Correlation of neighbours in time, Σ(xₜ − m)(xₜ₊₁ − m) ÷ Σ(xₜ − m)²; `None` for constant values.
pub fn lag_one_autocorrelation(values: &[f64]) -> Option<f64> {
    let centre = mean(values)?;
    let products: f64 = values.windows(2).map(|pair| (pair[0] - centre) * (pair[1] - centre)).sum();
    finite(products / squares_around(values, centre))
}

/// Pearson's correlation of pairs, −1 to 1; `None` for fewer than two pairs, slices of different
/// lengths, or where one side is constant.
pub fn correlation(left: &[f64], right: &[f64]) -> Option<f64> {
    if left.len() != right.len() {
        return None;
    }
    let (left_mean, right_mean) = (mean(left)?, mean(right)?);
    let pairs = left.iter().zip(right);
    let products: f64 = pairs.map(|(x, y)| (x - left_mean) * (y - right_mean)).sum();
    let norm = (squares_around(left, left_mean) * squares_around(right, right_mean)).sqrt();
    finite(products / norm).map(|correlation| correlation.clamp(-1.0, 1.0))
}

fn squares_around(values: &[f64], centre: f64) -> f64 {
    values.iter().map(|value| (value - centre).powi(2)).sum()
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
