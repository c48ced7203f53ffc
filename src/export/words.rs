//! What follows the common labels of a series where the rest is one word of a closed set: label and
//! closing brace, ready to be copied.

use crate::outcome::Outcome;
use crate::parameter::Parameter;
use crate::reason::Reason;
use crate::tuner::Withheld;

/// Every parameter, by name.
pub(super) const PARAMETERS: [Parameter; Parameter::ALL.len()] = [
    Parameter::EvictionAggressiveness,
    Parameter::L1SizeMultiplier,
    Parameter::L2SizeMultiplier,
    Parameter::PreheatingAggressiveness,
    Parameter::PromotionThreshold,
    Parameter::TtlMultiplier,
];

/// Every outcome, by name.
pub(super) const OUTCOMES: [Outcome; Outcome::ALL.len()] =
    [Outcome::Degraded, Outcome::Improved, Outcome::Inconclusive, Outcome::Void];

/// The ends of lines, each list in the order of the names.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) parameters: [String; PARAMETERS.len()],
    pub(super) outcomes: [String; OUTCOMES.len()],
    pub(super) reasons: [String; Reason::ALL.len()],
    /// By `Withheld as usize`.
    pub(super) withheld: [String; Withheld::ALL.len()],
}

impl Words {
    pub(super) fn new() -> Self {
        let end = |label: &str, name: &str| format!(",{label}=\"{name}\"}} ");
        Self {
            parameters: PARAMETERS.map(|parameter| end("parameter", parameter.name())),
            outcomes: OUTCOMES.map(|outcome| end("outcome", outcome.name())),
            reasons: Reason::ALL.map(|reason| end("reason", reason.name())),
            withheld: Withheld::ALL.map(|reason| end("reason", reason.name())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_in_the_order_of_names() {
        assert!(PARAMETERS.map(Parameter::name).is_sorted());
        assert!(OUTCOMES.map(Outcome::name).is_sorted());
        assert!(Reason::ALL.map(Reason::name).is_sorted());
        assert!(Withheld::ALL.map(Withheld::name).is_sorted());
    }

    #[test]
    fn words_are_found_by_their_numbers() {
        for (number, reason) in Withheld::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, number);
        }
        assert!(PARAMETERS.iter().all(|parameter| (*parameter as usize) < PARAMETERS.len()));
    }
}
