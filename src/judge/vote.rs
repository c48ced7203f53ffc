//! What a method says, and how three of them decide.
//!
//! Each method alone is fooled by something: Welch's test by slow drift, the placebos by a history
//! that was calmer than the present, the forecast by a dip that heals. They are fooled by different
//! things, so two that agree with none against are worth more than any threshold of one.

use serde::Deserialize;
use serde::Serialize;

use crate::judge::forecast::Forecast;
use crate::judge::placebo::Placebo;
use crate::judge::welch::Welch;

/// What one method says of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vote {
    /// It got worse.
    Worse,
    /// Nothing can be said.
    #[default]
    Abstain,
    /// It got better.
    Better,
}

/// From which change on it matters, on the objective's scale.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Margins {
    /// A gain of at least this counts; positive.
    pub gain: f64,
    /// A loss of at least this counts; positive. For a guard it is more than `gain` where the
    /// change saves what is worth a loss.
    pub loss: f64,
    /// What the change saves besides; negative for a cost. Known exactly, so it moves every effect
    /// and makes none less certain.
    pub saving: f64,
}

/// The methods' numbers and votes. The two that need a longer history are absent without it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Votes {
    /// Before against after.
    pub welch: Welch,
    /// Against the same difference at every earlier moment.
    pub placebo: Option<Placebo>,
    /// Against what was to be expected.
    pub forecast: Option<Forecast>,
}

/// With a short history there is one vote; it counts where the effect is this many times what
/// matters.
const LONE_VOTE_FACTOR: f64 = 3.0;

/// Two votes count only where the effect is also that many times the placebos' spread. The other
/// two methods learn how much the cache wanders within a few samples, and hold slow swings for
/// effects.
const PLACEBO_LEAN: f64 = 1.75;

impl Vote {
    /// The vote on `effect`, which is uncertain by ± `reach`, and what is saved besides.
    pub(super) fn on(effect: f64, reach: f64, margins: Margins) -> Self {
        let effect = effect + margins.saving;
        if effect >= margins.gain && effect - reach > 0.0 {
            Self::Better
        } else if effect <= -margins.loss && effect + reach < 0.0 {
            Self::Worse
        } else {
            Self::Abstain
        }
    }
}

impl Votes {
    /// Two equal votes and none against, where the placebos lean the same way; with a short history
    /// the only vote, where the effect is large.
    pub fn decision(&self, margins: Margins) -> Vote {
        let (Some(placebo), Some(forecast)) = (&self.placebo, &self.forecast) else {
            let large = Margins {
                gain: LONE_VOTE_FACTOR * margins.gain,
                loss: LONE_VOTE_FACTOR * margins.loss,
                ..margins
            };
            let is_large = Vote::on(self.welch.effect, 0.0, large) == self.welch.vote;
            return if is_large { self.welch.vote } else { Vote::Abstain };
        };
        let votes = [self.welch.vote, placebo.vote, forecast.vote];
        let count = |wanted| votes.iter().filter(|vote| **vote == wanted).count();
        let lean = Margins { gain: 0.0, loss: 0.0, ..margins };
        let lean = Vote::on(placebo.effect, PLACEBO_LEAN * placebo.scale, lean);
        match (count(Vote::Better), count(Vote::Worse)) {
            (2.., 0) if lean == Vote::Better => Vote::Better,
            (0, 2..) if lean == Vote::Worse => Vote::Worse,
            _ => Vote::Abstain,
        }
    }

    /// Whether all three methods say that it got worse.
    pub(super) fn agree_on_harm(&self) -> bool {
        let others = [self.placebo.map(|p| p.vote), self.forecast.map(|f| f.vote)];
        let is_worse = |vote| vote == Some(Vote::Worse);
        is_worse(Some(self.welch.vote)) && others.into_iter().all(is_worse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARGINS: Margins = Margins { gain: 0.1, loss: 0.2, saving: 0.0 };

    #[track_caller]
    fn check(effect: f64, reach: f64, want: Vote) {
        assert_eq!(Vote::on(effect, reach, MARGINS), want, "{effect} ± {reach}");
    }

    #[test]
    fn a_vote_needs_size_and_certainty() {
        check(0.1, 0.05, Vote::Better);
        check(0.09, 0.05, Vote::Abstain);
        check(0.1, 0.1, Vote::Abstain);
        check(-0.1, 0.05, Vote::Abstain);
        check(-0.2, 0.05, Vote::Worse);
        check(-0.2, 0.3, Vote::Abstain);
    }

    #[test]
    fn a_saving_moves_the_effect() {
        #[track_caller]
        fn check(effect: f64, saving: f64, want: Vote) {
            let margins = Margins { saving, ..MARGINS };
            assert_eq!(Vote::on(effect, 0.05, margins), want, "{effect} and {saving}");
        }
        check(0.0, 0.15, Vote::Better);
        check(-0.15, 0.3, Vote::Better);
        check(0.15, -0.1, Vote::Abstain);
        check(0.15, -0.4, Vote::Worse);
    }
}
