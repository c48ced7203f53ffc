//! What the judge says, with every number that it says so by: a verdict nobody can retrace is not
//! believed.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

use crate::judge::vote::Margins;
use crate::judge::vote::Votes;
use crate::outcome::Outcome;
use crate::signal::Signal;

/// When a tuning is looked at. Looking at every new sample would double the false successes, so
/// there are two planned looks, and early ones that can find nothing but harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// From 5 samples on, for clear harm alone.
    Early,
    /// At 10 samples.
    First,
    /// At 20 samples; now or never.
    Last,
}

/// Why the judge says what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nothing yet: samples are still to come, or the next look is.
    Waiting,
    /// The objective improved.
    Gain,
    /// The objective got worse.
    Harm,
    /// It got so much worse that the planned look was not waited for.
    EarlyHarm,
    /// Something else got worse.
    GuardHarmed(Signal),
    /// Whatever it gained is less than what matters.
    NoBenefit,
    /// It rose as dips of this cache do by themselves.
    Healed,
    /// The effect is neither shown nor excluded.
    Undecided,
    /// Too little is known of the time before.
    HistoryTooShort,
    /// The change was never taken over.
    NotAdopted,
    /// The cache restarted.
    Restarted,
    /// Another tuning fell into the same time.
    Overlapping,
    /// Too many samples are missing.
    SamplesMissing,
    /// The traffic changed as it did not for the siblings.
    TrafficChanged,
    /// More than such a change can bring: something else happened.
    TooGood,
}

/// What came of a tuning, as far as can be said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// `None`: wait for the next look.
    pub outcome: Option<Outcome>,
    /// Why.
    pub reason: Reason,
    /// D: change of the objective's mean over the windows, freed from what the siblings did, more
    /// being better. A hit rate's is in hits a request, a latency's and a rate's in logarithms.
    /// What the change saves is not in it, but in [`Margins::saving`].
    pub effect: Option<f64>,
    /// The same relative to the value before: 0.1 for a latency that is 10 % lower.
    pub improvement: Option<f64>,
    /// From which effect on it matters, and what was saved besides.
    pub margins: Option<Margins>,
    /// The objective's mean over the held window, in its unit.
    pub before: Option<f64>,
    /// The objective's mean after, in its unit.
    pub after: Option<f64>,
    /// The methods' numbers.
    pub votes: Option<Votes>,
    /// The smallest effect that would have been seen in four of five cases.
    pub minimum_detectable_effect: Option<f64>,
    /// Which of the candidates served as controls, the most correlated first.
    pub controls: Vec<usize>,
    /// θ: how much of their movement was taken off; `None` without controls.
    pub control_weight: Option<f64>,
}

impl Look {
    /// Samples after what is skipped: exactly so many at a planned look, at least at an early one.
    pub const fn samples(self) -> usize {
        match self {
            Self::Early => 5,
            Self::First => 10,
            Self::Last => 20,
        }
    }

    /// α: the one-sided chance of a wrong vote of one method.
    pub const fn alpha(self) -> f64 {
        match self {
            Self::Early => 0.005,
            Self::First => 0.015,
            Self::Last => 0.04,
        }
    }

    /// As shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Early => "early",
            Self::First => "first",
            Self::Last => "last",
        }
    }
}

impl Reason {
    /// As shown in the journal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Gain => "gain",
            Self::Harm => "harm",
            Self::EarlyHarm => "early_harm",
            Self::GuardHarmed(_) => "guard_harmed",
            Self::NoBenefit => "no_benefit",
            Self::Healed => "healed",
            Self::Undecided => "undecided",
            Self::HistoryTooShort => "history_too_short",
            Self::NotAdopted => "not_adopted",
            Self::Restarted => "restarted",
            Self::Overlapping => "overlapping",
            Self::SamplesMissing => "samples_missing",
            Self::TrafficChanged => "traffic_changed",
            Self::TooGood => "too_good",
        }
    }

    /// The outcome that follows; `None` while waiting.
    pub const fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Waiting => None,
            Self::Gain => Some(Outcome::Improved),
            Self::Harm | Self::EarlyHarm | Self::GuardHarmed(_) | Self::NoBenefit => {
                Some(Outcome::Degraded)
            }
            Self::Healed | Self::Undecided | Self::HistoryTooShort => Some(Outcome::Inconclusive),
            Self::NotAdopted
            | Self::Restarted
            | Self::Overlapping
            | Self::SamplesMissing
            | Self::TrafficChanged
            | Self::TooGood => Some(Outcome::Void),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::Waiting => "waiting for the next look",
            Self::Gain => "the objective improved",
            Self::Harm => "the objective got worse",
            Self::EarlyHarm => "the objective got much worse at once",
            Self::GuardHarmed(signal) => return write!(f, "`{signal}` got worse"),
            Self::NoBenefit => "no gain that matters came of it",
            Self::Healed => "it rose as dips of this cache do by themselves",
            Self::Undecided => "the effect is neither shown nor excluded",
            Self::HistoryTooShort => "too little is known of the time before",
            Self::NotAdopted => "the change was never taken over",
            Self::Restarted => "the cache restarted meanwhile",
            Self::Overlapping => "another tuning fell into the same time",
            Self::SamplesMissing => "too many samples are missing",
            Self::TrafficChanged => "the traffic changed as it did not for the siblings",
            Self::TooGood => "more than such a change can bring",
        };
        f.write_str(words)
    }
}

impl Judgement {
    /// One without numbers.
    pub fn bare(reason: Reason) -> Self {
        Self {
            outcome: reason.outcome(),
            reason,
            effect: None,
            improvement: None,
            margins: None,
            before: None,
            after: None,
            votes: None,
            minimum_detectable_effect: None,
            controls: Vec::new(),
            control_weight: None,
        }
    }

    /// The same numbers with another reason.
    pub(super) fn because(self, reason: Reason) -> Self {
        Self { outcome: reason.outcome(), reason, ..self }
    }
}
