//! What is known of one target and its caches.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use litemap::LiteMap;

use crate::cache_stats::CacheStats;
use crate::engine::JobPlan;
use crate::engine::Observation;
use crate::engine::TargetPlan;
use crate::engine::saved;
use crate::engine::saved::SavedCache;
use crate::engine::shared::Shared;
use crate::judge::Sample;
use crate::judge::Span;
use crate::judge::Track;
use crate::memory::Change;
use crate::parameter::Parameter;
use crate::profile::Profile;
use crate::published::CacheView;
use crate::published::ScrapeHealth;
use crate::published::TargetId;
use crate::published::TargetView;
use crate::reading::Reading;
use crate::snapshot;
use crate::snapshot::Interval;
use crate::tuner::AdaptiveTuner;
use crate::tuner::Sizes;
use crate::units::Short;
use crate::units::Timestamp;

/// How long a cache that its target no longer shows is remembered. A page may miss it for a while,
/// as when an exporter cannot reach its product; its parameters must survive that.
const FORGET_CACHE_AFTER: Duration = Duration::from_secs(3600);

/// Caches of one target that are remembered although its page no longer shows them. Names that
/// change with every scrape would otherwise pile up for as long as [`FORGET_CACHE_AFTER`].
const UNSEEN_CACHES_MAX: usize = 1000;

/// The part of a scrape interval by which an analysis may come early: scrapes jitter by
/// milliseconds, and an analysis that waited for a whole further scrape each time would keep
/// another pace than was asked for.
const ANALYSIS_SLACK_DIVISOR: u32 = 10;

/// One target.
#[derive(Debug)]
pub(super) struct TargetState {
    plan: TargetPlan,
    profile: Option<Arc<Profile>>,
    health: ScrapeHealth,
    /// A node of the map has room for eleven: in place, one cache would take the memory of eleven.
    caches: BTreeMap<Arc<str>, Box<CacheState>>,
}

/// One cache.
#[derive(Debug)]
struct CacheState {
    tuner: AdaptiveTuner,
    /// The newest good scrape that showed it.
    last: CacheStats,
    last_seen: Timestamp,
    /// What the target showed of each parameter at first: multipliers are against this.
    first_observed: LiteMap<Parameter, f64>,
    /// Whether the newest good page shows it.
    shown: bool,
    /// The newest sample, until it is handed over to be stored.
    unsaved: Option<Sample>,
}

impl TargetState {
    pub(super) fn new(plan: TargetPlan) -> Self {
        Self { plan, profile: None, health: ScrapeHealth::default(), caches: BTreeMap::new() }
    }

    pub(super) fn id(&self) -> &TargetId {
        &self.plan.id
    }

    pub(super) fn reconfigure(&mut self, plan: TargetPlan) {
        self.plan = plan;
        self.reconfigure_caches();
    }

    pub(super) fn profile(&self) -> Option<&Arc<Profile>> {
        self.profile.as_ref()
    }

    /// Takes in a scrape.
    pub(super) fn observe(&mut self, observation: Observation, shared: &mut Shared) {
        let Observation { at, duration, result, .. } = observation;
        self.health.last_scrape = Some(at);
        self.health.last_duration = Some(duration);
        self.health.up = Some(result.is_ok());
        match result {
            Ok(reading) => {
                self.health.last_error = None;
                self.take_in(reading, at, shared);
            }
            Err(failure) => {
                *self.health.failures.entry(failure.reason).or_default() += 1;
                self.health.last_error = Some(failure.message);
            }
        }
    }

    fn take_in(&mut self, reading: Reading, now: Timestamp, shared: &mut Shared) {
        let Reading { profile, caches, samples, bad_lines, bad_line } = reading;
        self.health.samples = samples;
        self.health.bad_lines = bad_lines;
        self.health.bad_line = bad_line;
        self.take_over_profile(&profile);
        for cache in self.caches.values_mut() {
            cache.shown = false;
        }
        let slack = self.plan.scrape_interval / ANALYSIS_SLACK_DIVISOR;
        for (name, stats) in caches {
            let Some(cache) = self.caches.get_mut(&name) else {
                let cache = self.first_sight(&name, stats, now, shared);
                self.caches.insert(name, Box::new(cache));
                continue;
            };
            cache.take_in(stats, now, shared.next_number());
            if cache.tuner.is_due(now + slack) {
                cache.tuner.expect_slope(shared.slope(&self.plan.id.scrape_job, now));
                let around = shared.surroundings(&self.plan, &name, now);
                cache.tuner.analyze_within(now, &around);
            }
            shared.take_events(&self.plan, &name, &mut cache.tuner, now);
        }
        self.forget(now, shared);
    }

    /// The caches whose pending tuning is to be looked at, and for which span siblings must have
    /// been left alone.
    pub(super) fn looks(&self, now: Timestamp) -> Vec<(Arc<str>, Span)> {
        let looks = self
            .caches
            .iter()
            .filter_map(|(name, cache)| Some((Arc::clone(name), cache.tuner.look_span(now)?)));
        looks.collect()
    }

    /// Histories of the caches that were left alone in `span`, with their names; `except` is the
    /// cache that is judged.
    pub(super) fn controls(
        &self,
        span: Span,
        except: Option<&str>,
    ) -> impl Iterator<Item = (&Track, String)> {
        let caches = self.caches.iter().filter(move |(name, _)| Some(&***name) != except);
        let alone = caches.filter(move |(_, cache)| cache.tuner.was_left_alone(span));
        alone.map(|(name, cache)| (cache.tuner.track(), format!("{} {name}", self.plan.id.target)))
    }

    pub(super) fn tuner(&self, cache: &str) -> Option<&AdaptiveTuner> {
        self.caches.get(cache).map(|cache| &cache.tuner)
    }

    /// Changes a cache's tuner by `change`, and takes in what happened by it.
    pub(super) fn with_tuner<T>(
        &mut self,
        cache: &str,
        now: Timestamp,
        shared: &mut Shared,
        change: impl FnOnce(&mut AdaptiveTuner) -> T,
    ) -> Option<T> {
        let (name, state) = self.caches.iter_mut().find(|(name, _)| &***name == cache)?;
        let result = change(&mut state.tuner);
        shared.take_events(&self.plan, name, &mut state.tuner, now);
        Some(result)
    }

    /// The names of its caches.
    pub(super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.caches.keys()
    }

    pub(super) const fn plan(&self) -> &TargetPlan {
        &self.plan
    }

    /// Reads the caches by `profile` from now on.
    fn take_over_profile(&mut self, profile: &Arc<Profile>) {
        let known = self.profile.replace(Arc::clone(profile));
        match known {
            Some(known) if Arc::ptr_eq(&known, profile) => {}
            Some(known) if known.name == profile.name => {
                // A reload may have changed what the product has, and how it shows it.
                for cache in self.caches.values_mut() {
                    cache.first_observed.retain(|parameter, _| {
                        observed_text(&known, *parameter) == observed_text(profile, *parameter)
                    });
                }
                self.reconfigure_caches();
            }
            // Another product answers at this address: what was learnt is about something else.
            _ => self.caches.clear(),
        }
    }

    fn reconfigure_caches(&mut self) {
        let JobPlan { tuning, rules, .. } = &*self.plan.job;
        let tunable = self.profile.as_deref().map(Profile::tunable).unwrap_or_default();
        for cache in self.caches.values_mut() {
            cache.tuner.reconfigure(*tuning, Arc::clone(rules), tunable.clone());
        }
    }

    /// Forgets the caches that have not been shown for long, and the longest unseen ones of too
    /// many.
    fn forget(&mut self, now: Timestamp, shared: &mut Shared) {
        let is_kept = |cache: &CacheState| {
            cache.shown || now.saturating_since(cache.last_seen) < FORGET_CACHE_AFTER
        };
        self.caches.retain(|name, cache| {
            if !is_kept(cache) {
                shared.forget(&self.plan.id, name);
            }
            is_kept(cache)
        });
        let unseen = self.caches.iter().filter(|(_, cache)| !cache.shown);
        let mut unseen: Vec<(Timestamp, Arc<str>)> =
            unseen.map(|(name, cache)| (cache.last_seen, Arc::clone(name))).collect();
        unseen.sort_unstable();
        let excess = unseen.len().saturating_sub(UNSEEN_CACHES_MAX);
        for (_, name) in &unseen[..excess] {
            self.caches.remove(name);
            shared.forget(&self.plan.id, name);
        }
    }

    /// A cache that is shown for the first time, or again after this program started anew.
    fn first_sight(
        &self,
        name: &Arc<str>,
        stats: CacheStats,
        now: Timestamp,
        shared: &mut Shared,
    ) -> CacheState {
        let JobPlan { tuning: config, rules, .. } = &*self.plan.job;
        let (rules, profile) = (Arc::clone(rules), self.profile.as_deref());
        let tunable = profile.map(Profile::tunable).unwrap_or_default();
        let remembered = shared.remembered(&saved::key(&self.plan.id, name));
        let is_same = |saved: &SavedCache| profile.is_some_and(|p| p.name == saved.profile);
        let remembered = remembered.filter(|(saved, _)| is_same(saved));
        let (mut tuner, first_observed) = if let Some((saved, samples)) = remembered {
            let SavedCache { tuner, first_observed, started_at, .. } = saved;
            let mut tuner = AdaptiveTuner::restored(*config, rules, tunable, tuner, &samples);
            if snapshot::restarted_since(started_at, stats.started_at) {
                tuner.restart(now);
            }
            if tuner.pending().is_some_and(|pending| pending.origin.is_real()) {
                shared.take_turn(&self.plan.id, name, now);
            }
            (tuner, first_observed.into_iter().collect())
        } else {
            let mut tuner = AdaptiveTuner::new(*config, rules, tunable);
            tuner.begin_with(&shown_values(&stats.observed, &stats.observed));
            (tuner, stats.observed.clone())
        };
        tuner.record_sizes(Sizes::of(&stats));
        let unsaved = None;
        CacheState { tuner, first_observed, last: stats, last_seen: now, shown: true, unsaved }
    }

    /// Has what changed about the caches stored.
    pub(super) fn save(&mut self, shared: &mut Shared) {
        if !shared.is_stored() {
            return;
        }
        let Some(profile) = self.profile.as_deref() else { return };
        for (name, cache) in self.caches.iter_mut().filter(|(_, cache)| cache.shown) {
            if let Some(sample) = cache.unsaved.take() {
                let key = saved::key(&self.plan.id, name);
                shared.store(Some(Change::Sample { key, sample }));
            }
            if cache.tuner.take_changed() {
                let state = SavedCache {
                    profile: profile.name.clone(),
                    last_seen: cache.last_seen,
                    started_at: cache.last.started_at,
                    first_observed: cache.first_observed.iter().map(|(p, v)| (*p, *v)).collect(),
                    tuner: cache.tuner.save(),
                };
                shared.store(saved::cache(saved::key(&self.plan.id, name), &state));
            }
        }
    }

    pub(super) fn view(&self) -> TargetView {
        let shown = self.caches.iter().filter(|(_, cache)| cache.shown);
        TargetView {
            id: self.plan.id.clone(),
            url: Arc::clone(&self.plan.url),
            labels: Arc::clone(&self.plan.labels),
            profile: self.profile.as_ref().map(|profile| profile.name.as_str().into()),
            scrape_interval: self.plan.scrape_interval,
            scrape_timeout: self.plan.scrape_timeout,
            health: self.health.clone(),
            caches: shown
                .map(|(name, cache)| Arc::new(cache.view(name, self.profile.as_deref())))
                .collect(),
        }
    }
}

impl CacheState {
    /// Takes in what a page says of the cache; a tuning by another hand gets `number`.
    fn take_in(&mut self, stats: CacheStats, now: Timestamp, number: u64) {
        self.tuner.record_sizes(Sizes::of(&stats));
        match snapshot::between(&self.last, self.last_seen, &stats, now) {
            Interval::Measured(snapshot) => {
                self.tuner.record_performance(snapshot);
                let newest = self.tuner.track().iter().next_back();
                self.unsaved = newest.filter(|sample| sample.timestamp == now);
            }
            Interval::Restarted => self.tuner.restart(now),
            Interval::Empty => {}
        }
        for (parameter, value) in &stats.observed {
            self.first_observed.entry(*parameter).or_insert(*value);
        }
        let shown = shown_values(&stats.observed, &self.first_observed);
        self.tuner.observe_parameters(&shown, now, number);
        for parameter in self.tuner.take_rescaled() {
            let in_force = self.tuner.parameters().value(parameter);
            if let Some(observed) = stats.observed.get(&parameter) {
                self.first_observed.insert(parameter, observed / in_force);
            }
        }
        self.tuner.tick(now);
        self.last = stats.remembering(&self.last);
        self.last_seen = now;
        self.shown = true;
    }

    fn view(&self, name: &Arc<str>, profile: Option<&Profile>) -> CacheView {
        let apply = profile.map(|profile| self.apply(profile)).unwrap_or_default();
        CacheView::new(Arc::clone(name), &self.tuner, apply)
    }

    /// What to do for each recommendation, in the product's words.
    fn apply(&self, profile: &Profile) -> BTreeMap<Arc<str>, String> {
        let texts = self.tuner.recommendations().iter().filter_map(|recommendation| {
            let parameter = recommendation.parameter;
            let text = profile.parameters.get(&parameter)?.apply.as_deref()?;
            let filled = self.fill(text, parameter, recommendation.recommended_value)?;
            Some((Arc::clone(&recommendation.rule), filled))
        });
        texts.collect()
    }

    /// `None` where the text asks for bytes and the target never showed any.
    fn fill(&self, text: &str, parameter: Parameter, value: f64) -> Option<String> {
        let text = text.replace("{value}", &Short(value).to_string());
        if !text.contains("{bytes}") {
            return Some(text);
        }
        let base = self.first_observed.get(&parameter)?;
        Some(text.replace("{bytes}", &format!("{:.0}", base * value)))
    }
}

/// What a target shows of its parameters, in their units: sizes against those at first sight.
fn shown_values(
    observed: &LiteMap<Parameter, f64>,
    first: &LiteMap<Parameter, f64>,
) -> BTreeMap<Parameter, f64> {
    let values = observed.iter().filter_map(|(parameter, value)| {
        let value = if parameter.is_size() { value / first.get(parameter)? } else { *value };
        value.is_finite().then_some((*parameter, value))
    });
    values.collect()
}

/// The expression by which a profile shows a parameter, to tell whether it changed.
fn observed_text(profile: &Profile, parameter: Parameter) -> Option<String> {
    profile.parameters.get(&parameter)?.observed.as_ref().map(ToString::to_string)
}
