//! Statistics: pure functions of numbers, and the only place with formulas that have nothing to do
//! with caches.
//!
//! A crate would bring hundreds of distributions for the two that are needed, and a judge of
//! tunings must be explainable down to its quantiles; so these few are written out and held to
//! SciPy's results. Empty or constant input has no mean, no correlation: such results are `None`,
//! and finite input never gives a value that is not finite.

mod beta;
mod describe;
mod normal;
mod student;
mod wilson;

pub use describe::correlation;
pub use describe::lag_one_autocorrelation;
pub use describe::mean;
pub use describe::median;
pub use describe::median_absolute_deviation;
pub use describe::running_median_3;
pub use describe::variance;
pub use normal::normal_quantile;
pub use student::student_cdf;
pub use student::student_quantile;
pub use wilson::WilsonInterval;
pub use wilson::wilson;

#[cfg(test)]
mod tests;
