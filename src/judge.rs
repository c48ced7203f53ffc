//! The judge: whether a tuning helped.
//!
//! Comparing means before and after calls half of all useless tunings a success: rules fire on
//! dips, and dips heal by themselves. So the window before is the one for which the rule's
//! condition was held, what sibling caches did meanwhile is taken off, three methods that are
//! fooled by different things vote, and there are two planned looks. What remains unclear is called
//! inconclusive, with the smallest effect that could have been seen. Everything here is a function
//! of histories and times.

mod controls;
mod forecast;
mod measure;
mod packed;
mod placebo;
mod precedent;
mod series;
mod skip;
mod span;
mod track;
mod verdict;
mod void;
mod vote;
mod welch;

use serde::Deserialize;
use serde::Serialize;

use crate::judge::measure::Measure;
use crate::judge::placebo::Shape;
use crate::judge::series::Series;
use crate::rule::Goal;
use crate::rule::Objective;
use crate::signal::Signal;
use crate::stats;
use crate::units::Timestamp;

pub use controls::CANDIDATES_MAX;
pub use controls::CONTROLS_MAX;
pub use forecast::Forecast;
pub use placebo::Placebo;
pub use skip::SKIP_MAX;
pub use skip::SKIP_MIN;
pub use skip::skip;
pub use span::Span;
pub use track::Sample;
pub use track::TRACK_SAMPLES_MAX;
pub use track::Track;
pub use verdict::Judgement;
pub use verdict::Look;
pub use verdict::Reason;
pub use vote::Margins;
pub use vote::Vote;
pub use vote::Votes;
pub use welch::Welch;

/// Fewest samples of the held window.
pub const HELD_SAMPLES_MIN: usize = 5;
/// Most samples of the held window.
pub const HELD_SAMPLES_MAX: usize = 10;

/// Samples before a tuning below which it cannot be judged.
const HISTORY_MIN: usize = 60;
/// Samples before a tuning below which only Welch's test votes.
const HISTORY_FOR_ALL_VOTES: usize = 120;
/// Certainty with which a benefit must be excluded to call a tuning useless.
const EXCLUSION_CERTAINTY: f64 = 0.85;
/// Share of memory in use below which its rise is no harm: memory is there to be used.
const MEMORY_PRESSURE_PERCENT: f64 = 90.0;

/// What else must not get worse.
const GUARDS: [Objective; 3] = [
    Objective { signal: Signal::HitRate, goal: Goal::Increase },
    Objective { signal: Signal::AvgGetLatencyUs, goal: Goal::Decrease },
    Objective { signal: Signal::MemoryUsagePercent, goal: Goal::Decrease },
];

/// What kind of change a tuning is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A level grew.
    Growth,
    /// A level shrank.
    Shrink,
    /// Anything else.
    Other,
}

/// The window before: the newest samples for which the rule's condition held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// How many; [`HELD_SAMPLES_MIN`] to [`HELD_SAMPLES_MAX`].
    pub samples: usize,
    /// When the last of them was taken: the moment of the decision.
    pub until: Timestamp,
}

/// A tuning to be judged, and all that is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What it was meant to improve.
    pub objective: Objective,
    /// What kind of change it is.
    pub kind: Kind,
    /// The cache that was tuned.
    pub track: &'a Track,
    /// Caches of the same job that were not tuned from the held window until now. Which of them
    /// serve is decided here.
    pub controls: &'a [&'a Track],
    /// The window before.
    pub held: Held,
    /// When the cache took the change over; `None`: it never did.
    pub adopted_at: Option<Timestamp>,
    /// Samples after that which are left out, see [`skip`].
    pub skip: usize,
    /// Other tunings of the same cache, each from its decision until it took effect. They spoil
    /// placebos, and the case where they fall into its windows.
    pub others: &'a [Span],
    /// The predicted effect, on the objective's scale; `None` where nothing was predicted.
    pub predicted: Option<f64>,
    /// What the capacity that the change gives back is worth: price · capacity, in hits a request;
    /// negative where the change takes capacity. It is added to the effect, so that what is judged
    /// is the utility. 0 where the rule has no price, or the objective is not the hit rate.
    pub saving: f64,
    /// Now.
    pub now: Timestamp,
}

/// What could be seen of a tuning that is decided now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prospect {
    /// δ: from which effect on it matters.
    pub delta: f64,
    /// The smallest effect that would be seen in four of five cases.
    pub minimum_detectable_effect: f64,
}

// === impl Case ===

impl Case<'_> {
    /// The look that is due; `None`: nothing to do until the next sample. `first_done` says whether
    /// [`Look::First`] was taken. A look that gave no outcome is not due again, but early ones are,
    /// with each sample.
    pub fn due(&self, first_done: bool) -> Option<Look> {
        let adopted_at = self.adopted_at?;
        let values = self.track.values(self.objective.signal);
        let after = values.filter(|(at, _)| *at > adopted_at.max(self.held.until)).count();
        let times: Vec<Timestamp> = self.track.iter().map(|sample| sample.timestamp).collect();
        let elapsed = self.now.as_millis() - adopted_at.as_millis();
        // Where samples do not come any more, the case ends with time.
        let is_over = series::interval(&times).is_some_and(|interval| {
            let wanted = (self.held.samples + self.skip + Look::Last.samples()) as f64;
            elapsed as f64 > 1.5 * wanted * interval
        });
        match after.saturating_sub(self.skip) {
            20.. => Some(Look::Last),
            _ if is_over => Some(Look::Last),
            10.. if !first_done => Some(Look::First),
            5.. => Some(Look::Early),
            _ => None,
        }
    }

    /// δ, and what is saved.
    fn margins(&self, measure: Measure, before: f64) -> Margins {
        let delta = measure.delta(before);
        Margins { gain: delta, loss: delta, saving: self.saving }
    }

    /// The same for a guard, which nothing is saved on. Where the saving is worth hits, a latency
    /// may suffer by what losing them makes of it: the relative growth of the misses.
    fn guard_margins(&self, measure: Measure, before: f64) -> Margins {
        let delta = measure.delta(before);
        let mut tolerated = 0.0;
        if self.saving > 0.0 && self.objective.signal == Signal::HitRate {
            let hit_rate = Series::new(self, Measure::new(self.objective), 0);
            let misses = hit_rate.map_or(1.0, |series| 1.0 - series.before_mean);
            tolerated = if misses > 0.0 { self.saving / misses } else { 0.0 };
        }
        Margins { gain: delta, loss: delta.max(tolerated), saving: 0.0 }
    }

    fn shape(&self, after: usize) -> Shape {
        Shape { before: self.held.samples, skip: self.skip, after }
    }
}

/// Judges a tuning at `look`. At the same look, later samples change nothing.
pub fn judge(case: &Case<'_>, look: Look) -> Judgement {
    if let Some(reason) = void::reason(case, look) {
        return Judgement::bare(reason);
    }
    let measure = Measure::new(case.objective);
    let after = if look == Look::Early { early_samples(case) } else { look.samples() };
    let Some(series) = Series::new(case, measure, after).filter(|_| after >= look.samples()) else {
        return Judgement::bare(Reason::Waiting);
    };
    let margins = case.margins(measure, series.before_mean);
    let Some(votes) = votes(case, &series, look, margins) else {
        return Judgement::bare(Reason::Waiting);
    };
    let effect = votes.welch.effect;
    let numbers = Judgement {
        effect: Some(effect),
        improvement: measure.improvement(effect, series.before_mean),
        margins: Some(margins),
        before: Some(series.before_mean),
        after: series.after_mean,
        minimum_detectable_effect: Some(minimum_detectable_effect(&votes)),
        votes: Some(votes),
        control_weight: series.controls.as_ref().map(|controls| controls.weight),
        controls: series.controls.as_ref().map_or_else(Vec::new, |c| c.chosen.clone()),
        ..Judgement::bare(Reason::Waiting)
    };
    if series.history.len() < HISTORY_MIN {
        let reason = if look == Look::Early { Reason::Waiting } else { Reason::HistoryTooShort };
        return numbers.because(reason);
    }
    numbers.because(reason(case, look, &series, &votes, margins))
}

/// What could be seen of a tuning of `case` that is decided now: its window before ends now, and
/// nothing has come after. `None` where too little is known.
pub fn prospect(case: &Case<'_>) -> Option<Prospect> {
    let measure = Measure::new(case.objective);
    let series = Series::new(case, measure, 0)?;
    let shape = case.shape(Look::Last.samples());
    let spread = placebo::spread(&series.history, &series.times, shape, case.others)?;
    Some(Prospect {
        delta: measure.delta(series.before_mean),
        minimum_detectable_effect: placebo::detectable(spread.scale, spread.degrees),
    })
}

/// Samples after the tuning that an early look takes: all there are, below the last look's.
fn early_samples(case: &Case<'_>) -> usize {
    let since = case.adopted_at.map_or(case.now, |adopted| adopted.max(case.held.until));
    let all = case.track.values(case.objective.signal).filter(|(at, _)| *at > since).count();
    all.saturating_sub(case.skip).min(Look::Last.samples())
}

/// The votes of all methods that the history is long enough for.
fn votes(case: &Case<'_>, series: &Series, look: Look, margins: Margins) -> Option<Votes> {
    let alpha = look.alpha();
    let welch = welch::welch(series.before(), &series.after, alpha, margins)?;
    if series.history.len() < HISTORY_FOR_ALL_VOTES {
        return Some(Votes { welch, placebo: None, forecast: None });
    }
    let shape = case.shape(series.after.len());
    let spread = placebo::spread(&series.history, &series.times, shape, case.others);
    let placebo = spread.map(|spread| placebo::placebo(spread, welch.effect, alpha, margins));
    let forecast = forecast::forecast(
        &series.history,
        &series.after,
        &series.horizons,
        (alpha, margins.saving),
    );
    Some(Votes { welch, placebo, forecast })
}

fn reason(case: &Case<'_>, look: Look, series: &Series, votes: &Votes, margins: Margins) -> Reason {
    let decision = votes.decision(margins);
    if look == Look::Early {
        // There are many early looks; only what nothing speaks against is believed so often.
        let is_harm = decision == Vote::Worse && votes.agree_on_harm();
        return if is_harm { Reason::EarlyHarm } else { Reason::Waiting };
    }
    if decision == Vote::Worse {
        return Reason::Harm;
    }
    if let Some(signal) = harmed_guard(case, look) {
        return Reason::GuardHarmed(signal);
    }
    if decision == Vote::Better {
        let is_too_good = void::is_too_good(votes.welch.effect, case.predicted);
        if is_too_good {
            return Reason::TooGood;
        }
        let shape = case.shape(series.after.len());
        let (history, times) = (&series.history, &series.times);
        let is_explained = precedent::is_explained(
            history,
            times,
            (shape, margins.gain),
            votes.welch.effect,
            case.others,
        );
        return if is_explained { Reason::Healed } else { Reason::Gain };
    }
    if look == Look::First {
        return Reason::Waiting;
    }
    if series.history.len() < HISTORY_FOR_ALL_VOTES {
        return Reason::Undecided;
    }
    let is_useless = upper_bound(votes) + margins.saving < margins.gain;
    if is_useless { Reason::NoBenefit } else { Reason::Undecided }
}

/// The first guard that got worse. A change of size moves used ÷ limit by itself, so memory guards
/// other changes alone, and only where it becomes scarce.
fn harmed_guard(case: &Case<'_>, look: Look) -> Option<Signal> {
    let own = case.objective.signal;
    GUARDS.into_iter().filter(|guard| guard.signal != own).find_map(|guard| {
        let is_memory = guard.signal == Signal::MemoryUsagePercent;
        if is_memory && case.kind != Kind::Other {
            return None;
        }
        let measure = Measure::new(guard);
        let series = Series::new(case, measure, look.samples())?;
        if series.history.len() < HISTORY_MIN
            || is_memory && series.after_mean? < MEMORY_PRESSURE_PERCENT
        {
            return None;
        }
        let margins = case.guard_margins(measure, series.before_mean);
        let votes = votes(case, &series, look, margins)?;
        (votes.decision(margins) == Vote::Worse).then_some(guard.signal)
    })
}

/// The effect's one-sided upper bound at 85 %: by the placebos where there are any, since they know
/// how the cache moves by itself.
fn upper_bound(votes: &Votes) -> f64 {
    let (effect, scale, degrees) = match &votes.placebo {
        Some(placebo) => (placebo.effect, placebo.scale, placebo.degrees),
        None => (votes.welch.effect, votes.welch.standard_error, votes.welch.degrees),
    };
    effect + stats::student_quantile(EXCLUSION_CERTAINTY, degrees) * scale
}

fn minimum_detectable_effect(votes: &Votes) -> f64 {
    match &votes.placebo {
        Some(placebo) => placebo::detectable(placebo.scale, placebo.degrees),
        None => placebo::detectable(votes.welch.standard_error, votes.welch.degrees),
    }
}

#[cfg(test)]
mod tests;
