//! What the caches of an engine have in common: whose turn it is in a job, the numbers of tunings,
//! the trust in rules, and what happened since the caller last asked.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::Happening;
use crate::engine::HappeningKind;
use crate::engine::JobPlan;
use crate::engine::TargetPlan;
use crate::engine::trust::Trust;
use crate::outcome::Outcome;
use crate::published::TargetId;
use crate::published::TrustView;
use crate::published::TuningEntry;
use crate::tuner::AdaptiveTuner;
use crate::tuner::Surroundings;
use crate::tuner::TuningEvent;
use crate::units::Timestamp;

/// Time after which what all caches share is shown anew although nothing happened: trust fades, and
/// the breaker closes by itself.
const TRUST_SHOWN_FOR_MS: i64 = 10_000;

/// A cache of a target.
type CacheName = (TargetId, Arc<str>);

/// What the caches of an engine have in common.
#[derive(Debug, Default)]
pub(super) struct Shared {
    trust: Trust,
    /// Confidence of each rule's file, by name.
    rules: BTreeMap<Arc<str>, f64>,
    /// By job, the caches whose tunings are pending; shadows take no turn.
    turns: BTreeMap<Arc<str>, BTreeSet<CacheName>>,
    /// The number of the newest tuning.
    newest_number: u64,
    happenings: Vec<Happening>,
    is_trust_changed: bool,
    trust_shown_at: Option<Timestamp>,
}

impl Shared {
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

    /// What a cache's tuner must know of the others.
    pub(super) fn surroundings(
        &self,
        plan: &TargetPlan,
        cache: &Arc<str>,
        now: Timestamp,
    ) -> Surroundings<'_> {
        let own = (plan.id.clone(), Arc::clone(cache));
        let others = self.turns.get(&plan.id.scrape_job);
        Surroundings {
            pooled: self.trust.pooled(),
            has_turn: others.is_none_or(|others| others.iter().all(|other| *other == own)),
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
        if events.is_empty() {
            return;
        }
        for event in events {
            self.take_event(plan, cache, event, now);
        }
        let own = (plan.id.clone(), Arc::clone(cache));
        let turns = self.turns.entry(Arc::clone(&plan.id.scrape_job)).or_default();
        if tuner.pending().is_some_and(|pending| pending.origin.is_real()) {
            turns.insert(own);
        } else {
            turns.remove(&own);
        }
    }

    fn take_event(
        &mut self,
        plan: &TargetPlan,
        cache: &Arc<str>,
        event: TuningEvent,
        now: Timestamp,
    ) {
        self.newest_number = self.newest_number.max(event.tuning().number);
        let (kind, tuning, verdict) = match event {
            TuningEvent::Started(tuning) => (HappeningKind::Started, tuning, None),
            TuningEvent::Adopted(tuning) => (HappeningKind::Adopted, tuning, None),
            TuningEvent::Judged(tuning, verdict) => {
                let feedback = &plan.job.tuning.feedback;
                self.trust.record(&tuning, verdict.outcome, feedback, now);
                self.is_trust_changed = true;
                (HappeningKind::Judged, tuning, Some(verdict))
            }
        };
        let (id, cache) = (plan.id.clone(), Arc::clone(cache));
        self.happenings.push(Happening { kind, entry: TuningEntry { id, cache, tuning, verdict } });
    }

    /// Takes in an outcome of no pending tuning.
    pub(super) fn record_outcome(&mut self, rule: &Arc<str>, outcome: Outcome, now: Timestamp) {
        self.is_trust_changed |= self.trust.record_outcome(rule, outcome, now);
    }

    /// A cache is gone: nobody waits for it.
    pub(super) fn forget(&mut self, id: &TargetId, cache: &Arc<str>) {
        if let Some(turns) = self.turns.get_mut(&id.scrape_job) {
            turns.remove(&(id.clone(), Arc::clone(cache)));
        }
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
