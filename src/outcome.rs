//! What came of a tuning: the word that the judge, the ledger, the metrics and the API share.

use serde::Deserialize;
use serde::Serialize;

/// What came of a tuning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It helped.
    Improved,
    /// It did harm, or cost something and gained nothing.
    Degraded,
    /// Neither can be said.
    Inconclusive,
    /// It cannot be judged.
    Void,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Improved, Self::Degraded, Self::Inconclusive, Self::Void];

    /// As exported.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Improved => "improved",
            Self::Degraded => "degraded",
            Self::Inconclusive => "inconclusive",
            Self::Void => "void",
        }
    }
}
