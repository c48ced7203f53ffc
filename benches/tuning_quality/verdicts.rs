//! How often a judge is right, counted.
//!
//! Every rate leaves void cases out, in numerator and denominator; their share is a figure of its
//! own. Cases whose truth is in between count for the shares of inconclusive and void alone.

use cache_tuner_exporter::judge::Reason;
use cache_tuner_exporter::outcome::Outcome;
use cache_tuner_exporter::sim::truth::Effect;
use serde_json::Value;
use serde_json::json;

/// Counts of outcomes by truth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Verdicts {
    gain: Counts,
    harm: Counts,
    none: Counts,
    unscored: Counts,
    /// Of the degraded with no effect: those that are said to have been of no benefit.
    useless: u64,
}

/// Counts of outcomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counts {
    improved: u64,
    degraded: u64,
    inconclusive: u64,
    void: u64,
}

/// The figures, each with its name; `None` where there is no case.
pub(crate) type Rates = [(&'static str, Option<f64>); 9];

// === impl Verdicts ===

impl Verdicts {
    /// Counts a case.
    pub(crate) fn add(&mut self, reason: Reason, effect: Effect) {
        let outcome = reason.outcome().unwrap_or(Outcome::Inconclusive);
        let counts = match effect {
            Effect::Gain => &mut self.gain,
            Effect::Harm => &mut self.harm,
            Effect::None => &mut self.none,
            Effect::Unscored => &mut self.unscored,
        };
        *match outcome {
            Outcome::Improved => &mut counts.improved,
            Outcome::Degraded => &mut counts.degraded,
            Outcome::Inconclusive => &mut counts.inconclusive,
            Outcome::Void => &mut counts.void,
        } += 1;
        let is_useless = effect == Effect::None && reason == Reason::NoBenefit;
        self.useless += u64::from(is_useless);
    }

    /// The counts of many together.
    pub(crate) fn sum<'a>(of: impl Iterator<Item = &'a Self>) -> Self {
        of.fold(Self::default(), |sum, next| Self {
            gain: sum.gain.plus(next.gain),
            harm: sum.harm.plus(next.harm),
            none: sum.none.plus(next.none),
            unscored: sum.unscored.plus(next.unscored),
            useless: sum.useless + next.useless,
        })
    }

    /// Cases, void ones included.
    pub(crate) fn cases(&self) -> u64 {
        self.all().judged() + self.all().void
    }

    /// The figures.
    pub(crate) fn rates(&self) -> Rates {
        let Self { gain, harm, none, .. } = *self;
        let all = self.all();
        let ratio = |part: u64, of: u64| (of > 0).then(|| part as f64 / of as f64);
        let idle = none.judged() + harm.judged();
        let decided = gain.decided() + harm.decided() + none.decided();
        let right = gain.improved + harm.degraded + self.useless;
        [
            ("false_success", ratio(none.improved + harm.improved, idle)),
            ("false_failure", ratio(gain.degraded, gain.judged())),
            ("power", ratio(gain.improved, gain.judged())),
            ("harm_found", ratio(harm.degraded, harm.judged())),
            ("wrong_sign", ratio(gain.degraded + harm.improved, gain.judged() + harm.judged())),
            ("accuracy", ratio(right, decided)),
            ("degraded_on_none", ratio(none.degraded, none.judged())),
            ("inconclusive", ratio(all.inconclusive, all.judged())),
            ("void", ratio(all.void, self.cases())),
        ]
    }

    /// Counts and figures.
    pub(crate) fn to_json(self) -> Value {
        let figures: serde_json::Map<String, Value> =
            self.rates().into_iter().map(|(name, rate)| (name.to_owned(), rate.into())).collect();
        json!({
            "cases": self.cases(),
            "gain": self.gain.to_json(),
            "harm": self.harm.to_json(),
            "none": self.none.to_json(),
            "unscored": self.unscored.to_json(),
            "none_of_no_benefit": self.useless,
            "figures": figures,
        })
    }

    fn all(&self) -> Counts {
        self.gain.plus(self.harm).plus(self.none).plus(self.unscored)
    }
}

// === impl Counts ===

impl Counts {
    fn plus(self, other: Self) -> Self {
        Self {
            improved: self.improved + other.improved,
            degraded: self.degraded + other.degraded,
            inconclusive: self.inconclusive + other.inconclusive,
            void: self.void + other.void,
        }
    }

    fn decided(self) -> u64 {
        self.improved + self.degraded
    }

    fn judged(self) -> u64 {
        self.decided() + self.inconclusive
    }

    fn to_json(self) -> Value {
        json!({
            "improved": self.improved,
            "degraded": self.degraded,
            "inconclusive": self.inconclusive,
            "void": self.void,
        })
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn rates_are_those_counted_by_hand() {
        // In here, since the benchmark itself is compiled for tests but has none.
        use super::*;

        #[track_caller]
        fn check(verdicts: &Verdicts, name: &str, want: Option<f64>) {
            let rates = verdicts.rates();
            let found = rates.iter().find(|(known, _)| *known == name).map(|(_, rate)| *rate);
            assert_eq!(found, Some(want), "{name}");
        }

        let mut verdicts = Verdicts::default();
        check(&verdicts, "power", None);
        for (reason, effect) in [
            (Reason::Gain, Effect::Gain),
            (Reason::NoBenefit, Effect::Gain),
            (Reason::TooGood, Effect::Gain),
            (Reason::Gain, Effect::Harm),
            (Reason::Harm, Effect::Harm),
            (Reason::Gain, Effect::None),
            (Reason::NoBenefit, Effect::None),
            (Reason::Harm, Effect::None),
            (Reason::Undecided, Effect::Unscored),
        ] {
            verdicts.add(reason, effect);
        }
        assert_eq!(verdicts.cases(), 9);
        check(&verdicts, "false_success", Some(2.0 / 5.0));
        check(&verdicts, "false_failure", Some(1.0 / 2.0));
        check(&verdicts, "power", Some(1.0 / 2.0));
        check(&verdicts, "harm_found", Some(1.0 / 2.0));
        check(&verdicts, "wrong_sign", Some(2.0 / 4.0));
        check(&verdicts, "accuracy", Some(3.0 / 7.0));
        check(&verdicts, "degraded_on_none", Some(2.0 / 3.0));
        check(&verdicts, "inconclusive", Some(1.0 / 8.0));
        check(&verdicts, "void", Some(1.0 / 9.0));
    }
}
