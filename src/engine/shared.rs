//! What the caches of an engine have in common: whose turn it is in a job, the numbers of tunings,
//! the trust in rules, and what happened since the caller last asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::Happening;
use crate::engine::JobPlan;
use crate::engine::TargetPlan;
use crate::engine::saved;
use crate::engine::saved::Remembered;
use crate::engine::saved::Restored;
use crate::engine::saved::SavedCache;
use crate::engine::trust::Trust;
use crate::engine::turns::Turns;
use crate::judge::Sample;
use crate::memory::CacheKey;
use crate::memory::Change;
use crate::outcome::Outcome;
use crate::predict;
use crate::predict::OBSERVATIONS_MAX;
use crate::predict::Observation;
use crate::predict::Slope;
use crate::published::TargetId;
use crate::published::TrustView;
use crate::published::TuningEntry;
use crate::tuner::AdaptiveTuner;
use crate::tuner::EventKind;
use crate::tuner::Surroundings;
use crate::tuner::TuningEvent;
use crate::units::Timestamp;

/// Time after which what all caches share is shown anew although nothing happened: trust fades, and
/// the breaker closes by itself.
const TRUST_SHOWN_FOR_MS: i64 = 10_000;

/// What the caches of an engine have in common.
#[derive(Debug, Default)]
pub(super) struct Shared {
    trust: Trust,
    /// Confidence of each rule's file, by name.
    rules: BTreeMap<Arc<str>, f64>,
    /// By job, what judged changes of size showed; oldest first.
    sizes: BTreeMap<Arc<str>, Vec<Observation>>,
    /// By job, whose turn it is.
    turns: BTreeMap<Arc<str>, Turns>,
    /// The number of the newest tuning.
    newest_number: u64,
    happenings: Vec<Happening>,
    /// What is to be stored.
    changes: Vec<Change>,
    /// Whether anybody stores it.
    is_stored: bool,
    /// Caches of earlier runs that no target has shown yet.
    remembered: Remembered,
    is_trust_changed: bool,
    trust_shown_at: Option<Timestamp>,
}

impl Shared {
    /// Begins with what earlier runs knew; from now on changes are to be stored.
    pub(super) fn restore(&mut self, restored: &mut Restored) {
        self.is_stored = true;
        self.trust = std::mem::take(&mut restored.trust);
        self.newest_number = restored.newest_number;
        self.remembered = std::mem::take(&mut restored.remembered);
        for entry in &restored.journal {
            if let Some(verdict) = &entry.verdict {
                self.learn(&entry.id.scrape_job, verdict.observation(&entry.tuning));
            }
        }
    }

    /// What earlier runs knew of a cache.
    pub(super) fn remembered(&mut self, key: &CacheKey) -> Option<(SavedCache, Vec<Sample>)> {
        self.remembered.remove(key)
    }

    pub(super) const fn is_stored(&self) -> bool {
        self.is_stored
    }

    /// Has something stored, if anybody stores.
    pub(super) fn store(&mut self, change: Option<Change>) {
        if self.is_stored {
            self.changes.extend(change);
        }
    }

    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    pub(super) const fn next_number(&self) -> u64 {
        self.newest_number + 1
    }

    /// Takes over the rules of these jobs.
    pub(super) fn reconfigure<'a>(&mut self, jobs: impl Iterator<Item = &'a JobPlan> + Clone) {
        self.trust.retain(jobs.clone().map(|job| &*job.rules));
        self.rules = jobs
            .flat_map(|job| job.rules.iter())
            .map(|rule| (Arc::clone(&rule.name), rule.confidence))
            .collect();
        self.is_trust_changed = true;
    }

    fn learn(&mut self, job: &Arc<str>, observation: Option<Observation>) {
        let Some(observation) = observation else { return };
        let known = self.sizes.entry(Arc::clone(job)).or_default();
        if known.len() == OBSERVATIONS_MAX {
            known.remove(0);
        }
        known.push(observation);
    }

    /// How the hit rate of a job's caches follows their size, as far as is known.
    pub(super) fn slope(&self, job: &Arc<str>, now: Timestamp) -> Slope {
        self.sizes.get(job).map_or_else(Slope::default, |known| predict::of_siblings(known, now))
    }

    /// What a cache's tuner must know of the others.
    pub(super) fn surroundings(
        &self,
        plan: &TargetPlan,
        cache: &Arc<str>,
        now: Timestamp,
    ) -> Surroundings<'_> {
        let own = (plan.id.clone(), Arc::clone(cache));
        let turns = self.turns.get(&plan.id.scrape_job);
        let interval = plan.job.tuning.tuning_interval;
        Surroundings {
            pooled: self.trust.pooled(),
            has_turn: turns.is_none_or(|turns| turns.is_free(&own, interval, now)),
            is_breaker_open: self.trust.is_breaker_open(now),
            is_frozen: plan.job.freeze.contains(now),
            next_number: self.next_number(),
        }
    }

    /// Takes in what happened to a cache's tunings.
    pub(super) fn take_events(
        &mut self,
        plan: &TargetPlan,
        cache: &Arc<str>,
        tuner: &mut AdaptiveTuner,
        now: Timestamp,
    ) {
        let events = tuner.take_events();
        for event in events {
            self.take_event(plan, cache, event, now);
        }
        let is_pending = tuner.pending().is_some_and(|pending| pending.origin.is_real());
        let is_waiting = tuner.is_waiting_for_turn();
        // Where nobody wants anything, nobody has to be taken off a list.
        let is_idle = self.turns.get(&plan.id.scrape_job).is_none_or(Turns::is_idle);
        if is_pending || is_waiting || !is_idle {
            let turns = self.turns.entry(Arc::clone(&plan.id.scrape_job)).or_default();
            turns.note((plan.id.clone(), Arc::clone(cache)), is_pending, is_waiting, now);
        }
    }

    fn take_event(
        &mut self,
        plan: &TargetPlan,
        cache: &Arc<str>,
        event: TuningEvent,
        now: Timestamp,
    ) {
        let TuningEvent { kind, tuning, verdict } = event;
        self.newest_number = self.newest_number.max(tuning.number);
        if let Some(verdict) = &verdict {
            self.learn(&plan.id.scrape_job, verdict.observation(&tuning));
            self.trust.record(&tuning, verdict.outcome, &plan.job.tuning.feedback, now);
            self.is_trust_changed = true;
        }
        let (id, cache) = (plan.id.clone(), Arc::clone(cache));
        let entry = TuningEntry { id, cache, tuning, verdict };
        if self.is_stored {
            self.changes.extend(saved::entry(&entry));
            if kind == EventKind::Judged {
                self.changes.extend(saved::trust(&self.trust));
            }
        }
        self.happenings.push(Happening { kind, entry });
    }

    /// Takes in an outcome of no pending tuning.
    pub(super) fn record_outcome(&mut self, rule: &Arc<str>, outcome: Outcome, now: Timestamp) {
        if self.trust.record_outcome(rule, outcome, now) {
            self.is_trust_changed = true;
            let document = saved::trust(&self.trust);
            self.store(document);
        }
    }

    /// A cache is gone: nobody waits for it.
    pub(super) fn forget(&mut self, id: &TargetId, cache: &Arc<str>) {
        if let Some(turns) = self.turns.get_mut(&id.scrape_job) {
            turns.forget(&(id.clone(), Arc::clone(cache)));
        }
        self.store(Some(Change::Forget { key: saved::key(id, cache) }));
    }

    /// A cache came back from the store with a tuning under way.
    pub(super) fn take_turn(&mut self, id: &TargetId, cache: &Arc<str>, now: Timestamp) {
        let turns = self.turns.entry(Arc::clone(&id.scrape_job)).or_default();
        turns.note((id.clone(), Arc::clone(cache)), true, false, now);
    }

    pub(super) fn take_happenings(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.happenings)
    }

    pub(super) fn trust_view(&self, now: Timestamp) -> TrustView {
        self.trust.view(&self.rules, now)
    }

    /// The view, if it is worth showing anew.
    pub(super) fn new_trust_view(&mut self, now: Timestamp) -> Option<TrustView> {
        let is_stale = self
            .trust_shown_at
            .is_none_or(|at| now.as_millis() - at.as_millis() >= TRUST_SHOWN_FOR_MS);
        if !self.is_trust_changed && !is_stale {
            return None;
        }
        self.is_trust_changed = false;
        self.trust_shown_at = Some(now);
        Some(self.trust_view(now))
    }
}
