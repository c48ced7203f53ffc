//! Parameters: the six knobs of rez-next's `TuningParameters`, with the bounds that no rule and no
//! hand may leave.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

/// A knob of a cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parameter {
    /// Size of level 1 against its size when the cache was first seen.
    L1SizeMultiplier,
    /// Size of level 2 against its size when the cache was first seen.
    L2SizeMultiplier,
    /// Hits in level 2 after which an entry moves up to level 1; whole.
    PromotionThreshold,
    /// How early and how much is evicted; 0 to 1.
    EvictionAggressiveness,
    /// Time to live against the configured one.
    TtlMultiplier,
    /// How much is loaded ahead of use; 0 to 1.
    PreheatingAggressiveness,
}

/// The values a parameter may take, both ends included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

impl Parameter {
    /// Every parameter, in rez-next's order.
    pub const ALL: [Self; 6] = [
        Self::L1SizeMultiplier,
        Self::L2SizeMultiplier,
        Self::PromotionThreshold,
        Self::EvictionAggressiveness,
        Self::TtlMultiplier,
        Self::PreheatingAggressiveness,
    ];

    /// The name used in rules, metrics and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::L1SizeMultiplier => "l1_size_multiplier",
            Self::L2SizeMultiplier => "l2_size_multiplier",
            Self::PromotionThreshold => "promotion_threshold",
            Self::EvictionAggressiveness => "eviction_aggressiveness",
            Self::TtlMultiplier => "ttl_multiplier",
            Self::PreheatingAggressiveness => "preheating_aggressiveness",
        }
    }

    /// The parameter of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|parameter| parameter.name() == name)
    }

    /// The values it may take. A multiplier of 0 would switch the cache off; a hundredfold size is
    /// a new deployment rather than a tuning. Rules have narrower limits of their own.
    pub const fn bounds(self) -> Bounds {
        match self {
            Self::L1SizeMultiplier | Self::L2SizeMultiplier | Self::TtlMultiplier => {
                Bounds { min: 0.01, max: 100.0 }
            }
            Self::PromotionThreshold => Bounds { min: 1.0, max: 1000.0 },
            Self::EvictionAggressiveness | Self::PreheatingAggressiveness => {
                Bounds { min: 0.0, max: 1.0 }
            }
        }
    }

    /// Whether it is the size of a level.
    pub const fn is_size(self) -> bool {
        matches!(self, Self::L1SizeMultiplier | Self::L2SizeMultiplier)
    }

    /// Whether only whole numbers make sense.
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::PromotionThreshold)
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Parameter;

    #[test]
    fn every_parameter_is_found_by_its_name() {
        for parameter in Parameter::ALL {
            assert_eq!(Parameter::from_name(parameter.name()), Some(parameter));
            assert!(parameter.bounds().min < parameter.bounds().max);
        }
    }
}
