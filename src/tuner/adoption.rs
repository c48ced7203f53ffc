//! What runs: whether the cache took a change over, and changes that nobody here asked for. What is
//! exported as in force must never drift from what runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::judge::HELD_SAMPLES_MIN;
use crate::judge::Held;
use crate::judge::Span;
use crate::parameter::Parameter;
use crate::rule;
use crate::tuner::AdaptiveTuner;
use crate::tuner::EXTERNAL;
use crate::tuner::Evidence;
use crate::tuner::Origin;
use crate::tuner::Tuning;
use crate::tuner::TuningEvent;
use crate::units::Timestamp;

/// Relative distance within which a value that a target shows is the one that was asked for.
const CLOSE: f64 = 0.01;
/// Times at which a cache was not left alone that are kept: more than the judge's history holds.
const TOUCHES_MAX: usize = 64;
/// Samples that the cache gets at least to take a value over.
const ADOPTION_SAMPLES_MIN: u32 = 3;

/// A time at which the cache was not left alone.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Touch {
    /// The tuning that it belongs to.
    pub(super) number: u64,
    /// From the decision to when it took effect.
    pub(super) span: Span,
}

/// A change that is being undone.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Undoing {
    pub(super) number: u64,
    pub(super) parameter: Parameter,
    /// The value that did harm.
    pub(super) from: f64,
    pub(super) since: Timestamp,
}

/// A value that the target shows and nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Drift {
    value: f64,
    since: Timestamp,
}

/// What fetching the parameters changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// The cache took over what it had not taken over before.
    Adopted,
    /// Nothing was waiting.
    Nothing,
}

impl Touch {
    pub(super) const fn at(number: u64, now: Timestamp) -> Self {
        Self { number, span: Span { start: now, end: now } }
    }
}

fn is_close(value: f64, wanted: f64) -> bool {
    (value - wanted).abs() <= CLOSE * wanted.abs()
}

impl AdaptiveTuner {
    /// Sets a parameter, and counts a turn against its change before.
    pub(super) fn change(&mut self, parameter: Parameter, value: f64) {
        let before = self.parameters.value(parameter);
        self.parameters.set(parameter, value);
        self.is_changed = true;
        let after = self.parameters.value(parameter);
        if before.total_cmp(&after).is_eq() {
            return;
        }
        let is_up = after > before;
        if self.directions.insert(parameter, is_up).is_some_and(|was_up| was_up != is_up) {
            self.ledger.count_reversal(parameter);
        }
    }

    pub(super) fn touch(&mut self, touch: Touch) {
        self.is_changed = true;
        if self.touches.len() == TOUCHES_MAX {
            self.touches.pop_front();
        }
        self.touches.push_back(touch);
    }

    /// When the cache was not left alone, but for the tuning `own`.
    pub(super) fn touched_spans(&self, own: Option<u64>) -> Vec<Span> {
        let others = self.touches.iter().filter(|touch| Some(touch.number) != own);
        others.map(|touch| touch.span).collect()
    }

    /// Whether the cache was left alone in `span`, so that it can be a control of others.
    pub fn was_left_alone(&self, span: Span) -> bool {
        let undone = self.undoing.is_some_and(|undoing| undoing.since <= span.end);
        let awaited = self.pending.as_ref().filter(|pending| pending.is_awaited());
        let awaited = awaited.is_some_and(|pending| pending.decided_at <= span.end);
        !undone && !awaited && !self.touches.iter().any(|touch| touch.span.overlaps(span))
    }

    /// Takes over the values that the target shows when the cache is first seen: what is in force
    /// is what runs.
    pub fn begin_with(&mut self, shown: &BTreeMap<Parameter, f64>) {
        if self.config.feedback.enabled {
            for (parameter, value) in shown {
                self.parameters.set(*parameter, *value);
            }
        }
    }

    /// Takes in the values that the target shows, in the parameters' units; `number` is what a
    /// tuning by another hand gets in the journal.
    pub fn observe_parameters(
        &mut self,
        shown: &BTreeMap<Parameter, f64>,
        now: Timestamp,
        number: u64,
    ) {
        if !self.config.feedback.enabled {
            return;
        }
        for (parameter, value) in shown {
            let bounds = parameter.bounds();
            let value = value.clamp(bounds.min, bounds.max);
            if !self.is_explained(*parameter, value, now) {
                self.notice_drift(*parameter, value, now, number);
            }
        }
    }

    /// Whether a shown value is what is in force, or on its way there. Notes an adoption.
    fn is_explained(&mut self, parameter: Parameter, value: f64, now: Timestamp) -> bool {
        let pending = self.pending.as_ref().filter(|p| p.parameter == parameter);
        if let Some(tuning) = pending.filter(|pending| pending.origin.is_real()) {
            if tuning.is_awaited() && is_close(value, tuning.to) {
                self.adopt(Evidence::Observed, now);
                self.drifts.remove(&parameter);
                return true;
            }
            // A cache that fetched the value may need time to show it.
            if is_close(value, tuning.from) && tuning.evidence != Some(Evidence::Observed) {
                return true;
            }
        }
        if let Some(undoing) = self.undoing.filter(|undoing| undoing.parameter == parameter) {
            if is_close(value, self.parameters.value(parameter)) {
                self.finish_undoing(now);
                return true;
            }
            if is_close(value, undoing.from) {
                return true;
            }
        }
        let is_in_force = is_close(value, self.parameters.value(parameter));
        if is_in_force {
            self.drifts.remove(&parameter);
        }
        is_in_force
    }

    /// A value that nobody asked for counts once two scrapes in a row show it.
    fn notice_drift(&mut self, parameter: Parameter, value: f64, now: Timestamp, number: u64) {
        match self.drifts.get(&parameter).copied() {
            Some(drift) if is_close(value, drift.value) => {
                self.drifts.remove(&parameter);
                let knows = self.fetched_at.is_some_and(|at| at >= drift.since);
                if knows && parameter.is_size() {
                    self.rescale(parameter, drift.since, number);
                } else {
                    self.take_over(parameter, value, drift.since, number);
                }
            }
            _ => {
                self.drifts.insert(parameter, Drift { value, since: now });
                self.is_changed = true;
            }
        }
    }

    /// The cache knows what is in force and shows another size: it counts from another first size
    /// than this program does, or somebody resized it and it goes on from there. Taking its size
    /// over would tell it to multiply that once more.
    fn rescale(&mut self, parameter: Parameter, since: Timestamp, number: u64) {
        self.abandon(since);
        self.undoing = self.undoing.filter(|undoing| undoing.parameter != parameter);
        self.touch(Touch::at(number, since));
        self.rescaled.push(parameter);
    }

    /// Sizes whose scale is another than was taken for it, since this was last asked: what the
    /// target shows now is what the value in force makes of it.
    pub fn take_rescaled(&mut self) -> Vec<Parameter> {
        std::mem::take(&mut self.rescaled)
    }

    /// Another hand changed the cache at `since`. Where that is what a recommendation asked for, it
    /// is a tuning by that rule.
    fn take_over(&mut self, parameter: Parameter, value: f64, since: Timestamp, number: u64) {
        let from = self.parameters.value(parameter);
        self.abandon(since);
        if self.undoing.is_some_and(|undoing| undoing.parameter == parameter) {
            self.undoing = None;
        }
        let asked = self.recommendations.iter().find(|recommendation| {
            recommendation.parameter == parameter
                && is_close(value, recommendation.recommended_value)
        });
        let mut tuning = match asked.cloned() {
            Some(asked) => self.tuning(&asked, Origin::Manual, number, since),
            None => self.external(parameter, (from, value), since, number),
        };
        (tuning.from, tuning.to) = (from, value);
        tuning.adopted_at = Some(since);
        tuning.evidence = Some(Evidence::Observed);
        let until = self.track.iter().rev().find(|sample| sample.timestamp < since);
        tuning.held.until = until.map_or(since, |sample| sample.timestamp);
        tuning.held.samples = HELD_SAMPLES_MIN;
        self.change(parameter, value);
        self.ledger.count_tuning(&tuning.rule, parameter);
        self.touch(Touch::at(number, since));
        self.pending = Some(tuning.clone());
        self.events.push(TuningEvent::started(tuning));
    }

    fn external(
        &self,
        parameter: Parameter,
        (from, to): (f64, f64),
        since: Timestamp,
        number: u64,
    ) -> Tuning {
        Tuning {
            number,
            origin: Origin::External,
            rule: EXTERNAL.into(),
            parameter,
            from,
            to,
            confidence: 0.5,
            expected_improvement: 0.0,
            outlook: None,
            reason: Arc::from("Changed by another hand"),
            objective: rule::HIT_RATE,
            held: Held { samples: HELD_SAMPLES_MIN, until: since },
            decided_at: since,
            adopted_at: Some(since),
            evidence: Some(Evidence::Observed),
            skip: self.sizing.skip(parameter, to / from, &self.track),
            first_look_done: false,
        }
    }

    /// Notes that the cache asked for its parameters, and so has them now.
    pub fn fetch(&mut self, now: Timestamp) -> Fetched {
        self.fetched_at = Some(now);
        let undoing = self.undoing.is_some();
        if undoing {
            self.finish_undoing(now);
        }
        if self.pending.as_ref().is_some_and(Tuning::is_awaited) {
            self.adopt(Evidence::Fetched, now);
            return Fetched::Adopted;
        }
        if undoing { Fetched::Adopted } else { Fetched::Nothing }
    }

    fn adopt(&mut self, evidence: Evidence, now: Timestamp) {
        let Some(tuning) = &mut self.pending else { return };
        tuning.adopted_at = Some(now);
        tuning.evidence = Some(evidence);
        let number = tuning.number;
        self.events.push(TuningEvent::adopted(tuning.clone()));
        self.end_touch(number, now);
    }

    /// The newest touch by that tuning ends now.
    fn end_touch(&mut self, number: u64, now: Timestamp) {
        if let Some(touch) = self.touches.iter_mut().rev().find(|touch| touch.number == number) {
            touch.span.end = now;
        }
    }

    /// Undoes a tuning to the exact value before.
    pub(super) fn undo(&mut self, tuning: &Tuning, now: Timestamp) {
        self.change(tuning.parameter, tuning.from);
        self.touch(Touch::at(tuning.number, now));
        self.undoing = Some(Undoing {
            number: tuning.number,
            parameter: tuning.parameter,
            from: tuning.to,
            since: now,
        });
    }

    fn finish_undoing(&mut self, now: Timestamp) {
        if let Some(undoing) = self.undoing.take() {
            self.end_touch(undoing.number, now);
            self.is_changed = true;
        }
    }

    /// Gives up waiting for the cache to follow an undone change: what it shows is what runs.
    pub(super) fn expire_undoing(&mut self, now: Timestamp) {
        let is_over = |undoing: &Undoing| self.is_overdue(undoing.since, now);
        if self.undoing.as_ref().is_some_and(is_over) {
            self.finish_undoing(now);
        }
    }

    /// Whether a cache has had its time to take over what was decided at `since`: an interval
    /// between two analyses.
    pub(super) fn is_overdue(&self, since: Timestamp, now: Timestamp) -> bool {
        let pace = self.track.pace().unwrap_or_default();
        let patience = self.config.tuning_interval.max(pace * ADOPTION_SAMPLES_MIN);
        now.saturating_since(since) > patience
    }
}
