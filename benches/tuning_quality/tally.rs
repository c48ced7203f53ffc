//! What a policy made of one cache: hit rate against what it cost, and how restless it was.

use cache_tuner_exporter::parameter::Parameter;
use cache_tuner_exporter::sim::fleet::Answered;
use cache_tuner_exporter::tuning_parameters::TuningParameters;

/// Price of the base capacity, in hit rate.
pub(crate) const PRICE: f64 = 0.08;

/// Sums over the measured ticks of one cache.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    hits: u64,
    requests: u64,
    capacity_ratios: f64,
    ticks: u64,
    changes: u64,
    reversals: u64,
    /// Of each parameter, whether its last change was upwards.
    upwards: [Option<bool>; Parameter::ALL.len()],
}

// === impl Tally ===

impl Tally {
    /// Adds a tick with the capacity that held in it.
    pub(crate) fn add(&mut self, answered: Answered, capacity_ratio: f64) {
        self.hits += answered.hits;
        self.requests += answered.requests;
        self.capacity_ratios += capacity_ratio;
        self.ticks += 1;
    }

    /// Counts the parameters that a decision moved, and those of them that it moved back.
    pub(crate) fn compare(&mut self, before: &TuningParameters, after: &TuningParameters) {
        for (parameter, last) in Parameter::ALL.into_iter().zip(&mut self.upwards) {
            let step = after.value(parameter) - before.value(parameter);
            if step.abs() > 0.0 {
                let is_upwards = step > 0.0;
                self.changes += 1;
                self.reversals += u64::from(last.is_some_and(|last| last != is_upwards));
                *last = Some(is_upwards);
            }
        }
    }

    /// The figures.
    pub(crate) fn figures(&self) -> Figures {
        let hit_rate = self.hits as f64 / self.requests.max(1) as f64;
        let capacity_ratio = self.capacity_ratios / self.ticks.max(1) as f64;
        Figures {
            hit_rate,
            capacity_ratio,
            utility: hit_rate - PRICE * capacity_ratio,
            changes: self.changes as f64,
            reversals: self.reversals as f64,
        }
    }
}

/// What a policy is worth on a cache, or on average over many.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Figures {
    /// Hits ÷ requests over all measured ticks.
    pub(crate) hit_rate: f64,
    /// Mean of entries that the cache may hold ÷ entries that it was built for.
    pub(crate) capacity_ratio: f64,
    /// Hit rate minus the price of the capacity.
    pub(crate) utility: f64,
    /// Changes of a parameter.
    pub(crate) changes: f64,
    /// Changes of a parameter against the direction of its change before.
    pub(crate) reversals: f64,
}

impl Figures {
    /// The mean of many.
    pub(crate) fn mean(of: &[Self]) -> Self {
        let count = of.len().max(1) as f64;
        let mean = |value: fn(&Self) -> f64| of.iter().map(value).sum::<f64>() / count;
        Self {
            hit_rate: mean(|figures| figures.hit_rate),
            capacity_ratio: mean(|figures| figures.capacity_ratio),
            utility: mean(|figures| figures.utility),
            changes: mean(|figures| figures.changes),
            reversals: mean(|figures| figures.reversals),
        }
    }
}
