//! The state of everything that is watched, and its one step: a target was scraped.
//!
//! The engine owns each cache's tuner. It has no clock and no I/O: the shell brings it what the
//! scrapes found, one after the other, and shows what comes back, so a recorded sequence replays to
//! the same views.

mod saved;
mod shared;
mod target;
mod trust;
mod turns;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::judge::CANDIDATES_MAX;
use crate::judge::Span;
use crate::judge::Track;
use crate::memory::Change;
use crate::outcome::Outcome;
use crate::profile::Profile;
use crate::published::TargetId;
use crate::published::TargetView;
use crate::published::TrustView;
use crate::published::TuningEntry;
use crate::reading::Failure;
use crate::reading::Reading;
use crate::rule::RuleSet;
use crate::tuner::AdaptiveTuner;
use crate::tuner::EventKind;
use crate::tuner::Fetched;
use crate::tuner::Refusal;
use crate::tuner::Tuning;
use crate::tuning_config::Freeze;
use crate::tuning_config::TuningConfig;
use crate::units::Timestamp;

pub use saved::Restored;
pub use saved::restore;
use shared::Shared;
use target::TargetState;

/// An outcome that is known from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Report<'a> {
    /// The rule that made the tuning.
    pub rule: &'a str,
    /// What came of it.
    pub outcome: Outcome,
    /// Relative improvement, if known.
    pub improvement: Option<f64>,
}

/// Why something cannot be done by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandError {
    /// There is no such cache.
    #[error("no such cache")]
    UnknownCache,
    /// The cache has no such rule.
    #[error("no such rule for this cache")]
    UnknownRule,
    /// The tuner refuses.
    #[error(transparent)]
    Refused(Refusal),
}

/// How the caches of a job are tuned.
#[derive(Debug, Clone)]
pub struct JobPlan {
    /// The settings.
    pub tuning: TuningConfig,
    /// The rules, with the job's thresholds.
    pub rules: Arc<RuleSet>,
    /// When nothing is put in force.
    pub freeze: Arc<Freeze>,
}

/// A target that is to be watched.
#[derive(Debug, Clone)]
pub struct TargetPlan {
    /// Which.
    pub id: TargetId,
    /// What is scraped; without credentials.
    pub url: Arc<str>,
    /// The labels of its `static_configs`.
    pub labels: Arc<BTreeMap<String, String>>,
    /// Time between two scrapes.
    pub scrape_interval: Duration,
    /// Longest time a scrape may take.
    pub scrape_timeout: Duration,
    /// How its caches are tuned.
    pub job: Arc<JobPlan>,
}

/// What a scrape found.
#[derive(Debug)]
pub struct Observation {
    /// Which target.
    pub id: TargetId,
    /// When the scrape began.
    pub at: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// The page, read, or why there is none.
    pub result: Result<Reading, Failure>,
}

/// What follows from a scrape.
#[derive(Debug)]
pub struct Step {
    /// What is shown of the target from now on.
    pub view: TargetView,
    /// What happened to tunings, in order.
    pub tunings: Vec<Happening>,
    /// What is shown of what all caches share; `None`: it did not change.
    pub trust: Option<TrustView>,
    /// What is to be stored, as a whole; empty where nobody stores.
    pub changes: Vec<Change>,
}

/// Something that happened to a tuning, and what the journal says of it from then on.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// What.
    pub kind: EventKind,
    /// The journal's entry.
    pub entry: TuningEntry,
}

/// Everything that is watched.
#[derive(Debug, Default)]
pub struct Engine {
    targets: BTreeMap<TargetId, TargetState>,
    shared: Shared,
}

impl Engine {
    /// Watches nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Watches nothing yet, and knows what earlier runs stored. What is to be stored from now on
    /// comes with each step.
    pub fn restored(restored: &mut Restored) -> Self {
        let mut engine = Self::default();
        engine.shared.restore(restored);
        engine
    }

    /// Takes over the targets that are to be watched from now on. What was learnt about those that
    /// stay is kept; the others are forgotten. Returns the views as they are now.
    pub fn reconfigure(&mut self, plans: Vec<TargetPlan>) -> Vec<TargetView> {
        let mut before = std::mem::take(&mut self.targets);
        for plan in plans {
            let state = match before.remove(&plan.id) {
                Some(mut state) => {
                    state.reconfigure(plan);
                    state
                }
                None => TargetState::new(plan),
            };
            self.targets.insert(state.id().clone(), state);
        }
        for (id, gone) in &before {
            gone.names().for_each(|cache| self.shared.forget(id, cache));
        }
        self.shared.reconfigure(self.targets.values().map(|target| &*target.plan().job));
        self.targets.values().map(TargetState::view).collect()
    }

    /// The profile that a target's pages are read with, once one fitted.
    pub fn profile(&self, id: &TargetId) -> Option<&Arc<Profile>> {
        self.targets.get(id)?.profile()
    }

    /// Takes in a scrape; `None` for a target that is not watched any more.
    pub fn observe(&mut self, observation: Observation) -> Option<Step> {
        let (id, now) = (observation.id.clone(), observation.at);
        self.targets.get_mut(&id)?.observe(observation, &mut self.shared);
        self.judge(&id, now);
        self.step(&id, now)
    }

    /// Takes in that a cache asked for its parameters; `None` where that changed nothing.
    pub fn fetched(&mut self, id: &TargetId, cache: &str, now: Timestamp) -> Option<Step> {
        let target = self.targets.get_mut(id)?;
        let fetched = target.with_tuner(cache, now, &mut self.shared, |tuner| tuner.fetch(now))?;
        (fetched == Fetched::Adopted).then(|| self.step(id, now)).flatten()
    }

    /// Puts a recommendation in force by hand.
    ///
    /// # Errors
    /// If there is no such cache or recommendation, or another tuning of the cache is pending.
    pub fn force(
        &mut self,
        id: &TargetId,
        cache: &str,
        rule: &str,
        now: Timestamp,
    ) -> Result<(Tuning, Step), HandError> {
        let number = self.shared.next_number();
        let target = self.targets.get_mut(id).ok_or(HandError::UnknownCache)?;
        let forced = target
            .with_tuner(cache, now, &mut self.shared, |tuner| tuner.force(rule, now, number))
            .ok_or(HandError::UnknownCache)?;
        let tuning = forced.map_err(HandError::Refused)?;
        Ok((tuning, self.step(id, now).ok_or(HandError::UnknownCache)?))
    }

    /// Takes in an outcome that is known from elsewhere.
    ///
    /// # Errors
    /// If there is no such cache or rule.
    pub fn report_outcome(
        &mut self,
        id: &TargetId,
        cache: &str,
        report: &Report<'_>,
        now: Timestamp,
    ) -> Result<Step, HandError> {
        let Report { rule, outcome, improvement } = *report;
        let target = self.targets.get_mut(id).ok_or(HandError::UnknownCache)?;
        let is_pending = target.tuner(cache).and_then(AdaptiveTuner::pending);
        let is_pending = is_pending.is_some_and(|p| *p.rule == *rule && p.origin.is_real());
        let is_known = target
            .with_tuner(cache, now, &mut self.shared, |tuner| {
                tuner.report_outcome(rule, outcome, improvement, now)
            })
            .ok_or(HandError::UnknownCache)?;
        if !is_known {
            return Err(HandError::UnknownRule);
        }
        // One that ends a tuning was taken in with the tuning.
        if !is_pending {
            self.shared.record_outcome(&rule.into(), outcome, now);
        }
        self.step(id, now).ok_or(HandError::UnknownCache)
    }

    /// What is to be stored besides what steps bring.
    pub fn take_changes(&mut self) -> Vec<Change> {
        self.shared.take_changes()
    }

    /// What all caches share, as it is shown.
    pub fn trust(&self, now: Timestamp) -> TrustView {
        self.shared.trust_view(now)
    }

    /// Looks at the pending tunings of a target that are due.
    fn judge(&mut self, id: &TargetId, now: Timestamp) {
        let looks = self.targets.get(id).map(|target| target.looks(now)).unwrap_or_default();
        for (cache, span) in looks {
            let (tracks, names): (Vec<&Track>, Vec<String>) = self.controls(id, &cache, span);
            let tuner = self.targets.get(id).and_then(|target| target.tuner(&cache));
            let Some(assessment) = tuner.and_then(|tuner| tuner.assess(&tracks, now)) else {
                continue;
            };
            if let Some(target) = self.targets.get_mut(id) {
                target.with_tuner(&cache, now, &mut self.shared, |tuner| {
                    tuner.conclude(assessment, &names, now)
                });
            }
        }
    }

    /// Caches of the same job that were left alone in `span`.
    fn controls(&self, id: &TargetId, cache: &str, span: Span) -> (Vec<&Track>, Vec<String>) {
        let first = TargetId { scrape_job: Arc::clone(&id.scrape_job), target: "".into() };
        let job = self.targets.range(first..);
        let job = job.take_while(|(other, _)| other.scrape_job == id.scrape_job);
        let all =
            job.flat_map(|(other, target)| target.controls(span, (other == id).then_some(cache)));
        all.take(CANDIDATES_MAX).unzip()
    }

    fn step(&mut self, id: &TargetId, now: Timestamp) -> Option<Step> {
        let target = self.targets.get_mut(id)?;
        target.save(&mut self.shared);
        Some(Step {
            view: target.view(),
            tunings: self.shared.take_happenings(),
            trust: self.shared.new_trust_view(now),
            changes: self.shared.take_changes(),
        })
    }
}

#[cfg(test)]
mod tests;
