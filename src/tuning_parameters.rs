//! The values in force of the six parameters.

use serde::Deserialize;
use serde::Serialize;

use crate::parameter::Parameter;

/// The parameters of one cache, named as in rez-next. Each stays within its
/// [`bounds`](Parameter::bounds).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TuningParameters {
    /// Size of level 1 against its first size.
    pub l1_size_multiplier: f64,
    /// Size of level 2 against its first size.
    pub l2_size_multiplier: f64,
    /// Hits in level 2 after which an entry moves up.
    pub promotion_threshold: u64,
    /// 0 to 1.
    pub eviction_aggressiveness: f64,
    /// Time to live against the configured one.
    pub ttl_multiplier: f64,
    /// 0 to 1.
    pub preheating_aggressiveness: f64,
}

impl Default for TuningParameters {
    fn default() -> Self {
        Self {
            l1_size_multiplier: 1.0,
            l2_size_multiplier: 1.0,
            promotion_threshold: 3,
            eviction_aggressiveness: 0.5,
            ttl_multiplier: 1.0,
            preheating_aggressiveness: 0.3,
        }
    }
}

impl TuningParameters {
    /// The value of one.
    pub const fn value(&self, parameter: Parameter) -> f64 {
        match parameter {
            Parameter::L1SizeMultiplier => self.l1_size_multiplier,
            Parameter::L2SizeMultiplier => self.l2_size_multiplier,
            Parameter::PromotionThreshold => self.promotion_threshold as f64,
            Parameter::EvictionAggressiveness => self.eviction_aggressiveness,
            Parameter::TtlMultiplier => self.ttl_multiplier,
            Parameter::PreheatingAggressiveness => self.preheating_aggressiveness,
        }
    }

    /// Sets one to the nearest value that it may take; NaN changes nothing.
    pub fn set(&mut self, parameter: Parameter, value: f64) {
        if value.is_nan() {
            return;
        }
        let bounds = parameter.bounds();
        let value = value.clamp(bounds.min, bounds.max);
        match parameter {
            Parameter::L1SizeMultiplier => self.l1_size_multiplier = value,
            Parameter::L2SizeMultiplier => self.l2_size_multiplier = value,
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "its bounds are 1 to 1000"
            )]
            Parameter::PromotionThreshold => self.promotion_threshold = value.round() as u64,
            Parameter::EvictionAggressiveness => self.eviction_aggressiveness = value,
            Parameter::TtlMultiplier => self.ttl_multiplier = value,
            Parameter::PreheatingAggressiveness => self.preheating_aggressiveness = value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_parameter_leaves_its_bounds() {
        for parameter in Parameter::ALL {
            let mut parameters = TuningParameters::default();
            let bounds = parameter.bounds();
            for value in [f64::INFINITY, -1e9, 0.37, f64::NAN] {
                parameters.set(parameter, value);
                let now = parameters.value(parameter);
                assert!((bounds.min..=bounds.max).contains(&now), "{parameter} {value} {now}");
            }
        }
    }
}
