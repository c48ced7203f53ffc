//! The scale on which a signal is judged: more is better, and equal steps mean equally much.
//!
//! A hit rate is taken as it is, since a hundredth of all requests is worth the same everywhere. A
//! latency and a rate are taken by their logarithm, so that 5 % is 5 % whatever the product; a rate
//! may be 0, so it is ln(1 + rate).

use crate::rule::Goal;
use crate::rule::Objective;
use crate::signal::Signal;

/// A signal on its scale.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    pub(super) signal: Signal,
    goal: Goal,
    scale: Scale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// As it is.
    Ratio,
    /// As a ratio.
    Percent,
    /// ln x
    Latency,
    /// ln(1 + x)
    Rate,
}

/// Smallest change of a hit rate that matters.
const RATIO_DELTA_MIN: f64 = 0.002;
/// The same as a share of what is missed: from 0.9 to 0.905 saves as much as from 0.5 to 0.525.
const RATIO_DELTA_OF_MISSES: f64 = 0.05;
/// Where much is missed, this is enough: a hundredth of all requests matters everywhere.
const RATIO_DELTA_MAX: f64 = 0.01;
/// Smallest relative change of a latency that matters.
const LATENCY_DELTA: f64 = 0.05;
/// Smallest relative change of a rate that matters.
const RATE_DELTA: f64 = 0.10;
/// Smallest change of a share of memory that matters.
const PERCENT_DELTA: f64 = 0.02;

impl Measure {
    pub(super) fn new(objective: Objective) -> Self {
        let scale = match objective.signal {
            Signal::HitRate | Signal::L1HitRate | Signal::L2HitRate => Scale::Ratio,
            Signal::MemoryUsagePercent | Signal::DiskUsagePercent => Scale::Percent,
            Signal::AvgGetLatencyUs | Signal::AvgPutLatencyUs => Scale::Latency,
            Signal::OpsPerSecond | Signal::EvictionRate | Signal::PromotionRate => Scale::Rate,
        };
        Self { signal: objective.signal, goal: objective.goal, scale }
    }

    /// y: the value on the scale, more being better; `None` for what has no place on it.
    pub(super) fn oriented(self, value: f64) -> Option<f64> {
        let y = match self.scale {
            Scale::Ratio => value,
            Scale::Percent => value / 100.0,
            Scale::Latency => value.ln(),
            Scale::Rate => value.ln_1p(),
        };
        let y = match self.goal {
            Goal::Increase => y,
            Goal::Decrease => -y,
        };
        y.is_finite().then_some(y)
    }

    /// δ: the smallest change of y that matters, where the signal's mean was `before`.
    pub(super) fn delta(self, before: f64) -> f64 {
        match self.scale {
            Scale::Ratio => {
                (RATIO_DELTA_OF_MISSES * (1.0 - before)).clamp(RATIO_DELTA_MIN, RATIO_DELTA_MAX)
            }
            Scale::Percent => PERCENT_DELTA,
            Scale::Latency => LATENCY_DELTA,
            Scale::Rate => RATE_DELTA,
        }
    }

    /// The relative improvement of the signal that a change of y by `effect` is, where its mean was
    /// `before`: 0.1 for a latency that is 10 % lower.
    pub(super) fn improvement(self, effect: f64, before: f64) -> Option<f64> {
        let improvement = match (self.scale, self.goal) {
            (Scale::Ratio, _) => effect / before,
            (Scale::Percent, _) => effect / (before / 100.0),
            (Scale::Latency | Scale::Rate, Goal::Increase) => effect.exp_m1(),
            (Scale::Latency | Scale::Rate, Goal::Decrease) => -(-effect).exp_m1(),
        };
        improvement.is_finite().then_some(improvement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(signal: Signal, goal: Goal, from: f64, to: f64, effect: f64, improvement: f64) {
        let measure = Measure::new(Objective { signal, goal });
        let got = measure.oriented(to).unwrap() - measure.oriented(from).unwrap();
        assert!((got - effect).abs() < 1e-12, "{signal}: {got}");
        let got = measure.improvement(got, from).unwrap();
        assert!((got - improvement).abs() < 1e-12, "{signal}: {got}");
    }

    #[test]
    fn more_is_better_on_every_scale() {
        check(Signal::HitRate, Goal::Increase, 0.8, 0.84, 0.04, 0.05);
        check(Signal::HitRate, Goal::Decrease, 0.8, 0.84, -0.04, -0.05);
        check(Signal::AvgGetLatencyUs, Goal::Decrease, 100.0, 80.0, 1.25_f64.ln(), 0.2);
        check(Signal::EvictionRate, Goal::Decrease, 99.0, 49.0, 2.0_f64.ln(), 0.5);
        check(Signal::OpsPerSecond, Goal::Increase, 99.0, 199.0, 2.0_f64.ln(), 1.0);
        check(Signal::MemoryUsagePercent, Goal::Decrease, 80.0, 60.0, 0.2, 0.25);
    }

    #[test]
    fn what_matters_depends_on_the_signal() {
        let delta =
            |signal, before| Measure::new(Objective { signal, goal: Goal::Increase }).delta(before);
        let rates = [0.5, 0.9, 0.99].map(|before| delta(Signal::HitRate, before));
        for (got, want) in rates.into_iter().zip([0.01, 0.005, 0.002]) {
            assert!((got - want).abs() < 1e-12, "{got}");
        }
        assert!(delta(Signal::AvgGetLatencyUs, 1.0) < delta(Signal::EvictionRate, 1.0));
    }

    #[test]
    fn a_latency_of_zero_has_no_logarithm() {
        let objective = Objective { signal: Signal::AvgGetLatencyUs, goal: Goal::Decrease };
        assert_eq!(Measure::new(objective).oriented(0.0), None);
    }
}
