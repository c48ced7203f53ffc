//! The adaptive tuner of one cache: the only place that decides.
//!
//! It keeps rez-next's names and, rule for rule, its arithmetic; it differs where that tuner was
//! wrong or silent: signals may be absent, a parameter at its limit is left alone, and every
//! recommendation that is not put in force is counted with its reason. A step is a function of the
//! state, the time and the rules; there is no clock and no I/O here, so a recorded history replays
//! to the same decisions.

mod adoption;
mod analysis;
mod guards;
mod ledger;
mod recommendation;
mod saved;
mod sizing;
mod stats;
mod trust;
mod tuning;
mod verdicts;

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::confidence::Posterior;
use crate::history::History;
use crate::judge::Sample;
use crate::judge::Track;
use crate::parameter::Parameter;
use crate::predict::Slope;
use crate::rule::Rule;
use crate::rule::RuleSet;
use crate::rule::Situation;
use crate::rule::Verdict as RuleVerdict;
use crate::signal::Signal;
use crate::snapshot::PerformanceSnapshot;
use crate::units::Timestamp;

pub use crate::outcome::Outcome;
pub use crate::tuning_config::Mode;
pub use crate::tuning_config::TuningConfig;
pub use crate::tuning_parameters::TuningParameters;
pub use adoption::Fetched;
pub use guards::Refusal;
pub use ledger::Ledger;
pub use ledger::RuleCounts;
pub use ledger::Withheld;
pub use recommendation::TuningRecommendation;
pub use saved::SavedTuner;
pub use sizing::Sizes;
pub use stats::AdaptiveTuningStats;
pub use tuning::EXTERNAL;
pub use tuning::EventKind;
pub use tuning::Evidence;
pub use tuning::Origin;
pub use tuning::Outlook;
pub use tuning::Tuning;
pub use tuning::TuningEvent;
pub use tuning::Verdict;
pub use verdicts::Assessment;

use adoption::Drift;
use adoption::Touch;
use adoption::Undoing;
use sizing::Sizing;
use sizing::SizingNow;
use trust::RuleTrust;

/// Operations in an interval below which its signals are noise.
const OPERATIONS_MIN: f64 = 20.0;
/// An interval longer than this many usual ones is a gap, and says nothing of the cache now.
const GAP_FACTOR: f64 = 2.5;

/// What a tuner must know of the world around its cache when it decides.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// What came of each rule on all caches together.
    pub pooled: &'a BTreeMap<Arc<str>, Posterior>,
    /// Whether no sibling's tuning is pending.
    pub has_turn: bool,
    /// Whether too many tunings failed lately, of all caches together.
    pub is_breaker_open: bool,
    /// Whether nothing may be put in force at this time.
    pub is_frozen: bool,
    /// The number that the next tuning gets in the journal.
    pub next_number: u64,
}

impl Surroundings<'_> {
    /// A cache without siblings, of which nothing is known elsewhere.
    pub const ALONE: Surroundings<'static> = Surroundings {
        pooled: &BTreeMap::new(),
        has_turn: true,
        is_breaker_open: false,
        is_frozen: false,
        next_number: 1,
    };
}

/// Watches one cache and tunes its parameters.
#[derive(Debug, Clone)]
pub struct AdaptiveTuner {
    config: TuningConfig,
    rules: Arc<RuleSet>,
    /// Those that the product has; rules for others are not evaluated.
    tunable: Vec<Parameter>,
    /// Snapshots in the window: the newest of the judge's history, which is as long as either
    /// needs it.
    snapshots: usize,
    parameters: TuningParameters,
    stats: AdaptiveTuningStats,
    ledger: Ledger,
    recommendations: Vec<TuningRecommendation>,
    last_analysis: Option<Timestamp>,
    /// The judge's history.
    track: Track,
    sizing: Sizing,
    trust: BTreeMap<Arc<str>, RuleTrust>,
    /// The tuning that is not judged yet; shadows too.
    pending: Option<Tuning>,
    /// The change that is being undone, until the cache has followed.
    undoing: Option<Undoing>,
    /// When the cache last asked for its parameters.
    fetched_at: Option<Timestamp>,
    /// Sizes whose scale turned out to be another than was taken for it.
    rescaled: Vec<Parameter>,
    /// Values that the target shows and nobody asked for.
    drifts: BTreeMap<Parameter, Drift>,
    /// When the cache was not left alone, the newest last.
    touches: VecDeque<Touch>,
    /// Which way each parameter was changed last: up?
    directions: BTreeMap<Parameter, bool>,
    /// Until when the whole cache is left alone.
    rests_until: Option<Timestamp>,
    /// Snapshots since the cache restarted; `None` if it never did.
    samples_since_restart: Option<usize>,
    /// Whether the next sample spans a restart.
    is_after_restart: bool,
    /// Whether only a sibling's tuning stood in the way.
    is_waiting: bool,
    /// What happened to tunings since the caller last asked.
    events: Vec<TuningEvent>,
    /// Whether there is something new to save, beside samples.
    is_changed: bool,
}

impl AdaptiveTuner {
    /// A tuner for a cache that has the parameters `tunable`, all at their defaults.
    pub fn new(config: TuningConfig, rules: Arc<RuleSet>, tunable: Vec<Parameter>) -> Self {
        let ledger = Ledger::new(&rules, &tunable);
        Self {
            snapshots: 0,
            config,
            rules,
            tunable,
            parameters: TuningParameters::default(),
            stats: AdaptiveTuningStats::default(),
            ledger,
            recommendations: Vec::new(),
            last_analysis: None,
            track: track_for(&config),
            sizing: Sizing::default(),
            trust: BTreeMap::new(),
            pending: None,
            undoing: None,
            fetched_at: None,
            rescaled: Vec::new(),
            drifts: BTreeMap::new(),
            touches: VecDeque::new(),
            directions: BTreeMap::new(),
            rests_until: None,
            samples_since_restart: None,
            is_after_restart: false,
            is_waiting: false,
            events: Vec::new(),
            is_changed: true,
        }
    }

    /// Takes over other settings and rules; what was learnt about the cache stays.
    pub fn reconfigure(
        &mut self,
        config: TuningConfig,
        rules: Arc<RuleSet>,
        tunable: Vec<Parameter>,
    ) {
        self.snapshots = self.snapshots.min(config.performance_window_size.max(1));
        self.track.make_room(config.performance_window_size);
        self.ledger.retain(&rules, &tunable);
        self.recommendations.retain(|recommendation| {
            config.enable_adaptive_tuning
                && tunable.contains(&recommendation.parameter)
                && rules.iter().any(|rule| rule.name == recommendation.rule)
        });
        if !config.feedback.enabled {
            self.pending = None;
            self.undoing = None;
        }
        self.config = config;
        self.rules = rules;
        self.tunable = tunable;
    }

    /// Records the newest snapshot.
    pub fn record_performance(&mut self, snapshot: PerformanceSnapshot) {
        let is_valid = !self.is_after_restart && self.says_something(&snapshot);
        self.take_in(Sample::new(&snapshot, is_valid));
        self.is_after_restart = false;
        if !self.config.feedback.enabled {
            return;
        }
        self.samples_since_restart = self.samples_since_restart.map(|count| count + 1);
        self.count_held(snapshot.timestamp);
    }

    /// Adds a sample to the judge's history and to the window.
    fn take_in(&mut self, sample: Sample) {
        self.track.push(sample);
        self.snapshots = (self.snapshots + 1).min(self.config.performance_window_size.max(1));
    }

    /// Records what the target shows of its levels' sizes.
    pub fn record_sizes(&mut self, sizes: Sizes) {
        self.sizing.record(sizes);
    }

    /// Takes in what the siblings' changes of size showed.
    pub fn expect_slope(&mut self, slope: Slope) {
        self.sizing.prior = slope;
    }

    /// Whether an interval was neither a gap nor nearly without traffic.
    fn says_something(&self, snapshot: &PerformanceSnapshot) -> bool {
        let Some(pace) = self.track.pace() else { return true };
        let Some(newest) = self.track.iter().next_back() else { return true };
        let elapsed = snapshot.timestamp.saturating_since(newest.timestamp).as_secs_f64();
        let operations = snapshot.value(Signal::OpsPerSecond).map(|rate| rate * elapsed);
        elapsed <= GAP_FACTOR * pace.as_secs_f64()
            && operations.is_none_or(|operations| operations >= OPERATIONS_MIN)
    }

    /// Forgets the window at a restart of the cache: its past describes another one.
    pub fn restart(&mut self, now: Timestamp) {
        self.snapshots = 0;
        self.track.restart(now);
        self.is_after_restart = true;
        self.is_changed = true;
        self.samples_since_restart = Some(0);
        self.trust.values_mut().for_each(|trust| trust.held = 0);
    }

    /// Whether `tuning_interval` has passed since the last analysis; true before the first.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.last_analysis
            .is_none_or(|last| now.saturating_since(last) >= self.config.tuning_interval)
    }

    /// Evaluates the rules in order and puts the trusted recommendations in force, for a cache
    /// [`ALONE`](Surroundings::ALONE). All of them are made from the parameters as they were
    /// before.
    pub fn analyze_and_tune(&mut self, now: Timestamp) -> Vec<TuningRecommendation> {
        self.analyze_within(now, &Surroundings::ALONE)
    }

    /// The same for a cache among others.
    pub fn analyze_within(
        &mut self,
        now: Timestamp,
        around: &Surroundings<'_>,
    ) -> Vec<TuningRecommendation> {
        self.last_analysis = Some(now);
        self.is_changed = true;
        self.recommendations.clear();
        if self.config.enable_adaptive_tuning
            && self.snapshots >= self.config.min_samples_for_tuning
        {
            let recommendations = self.recommend(now, around);
            self.recommendations = if self.config.feedback.enabled {
                self.guard(recommendations, now, around)
            } else {
                self.apply(recommendations, now, around)
            };
        }
        self.recommendations.clone()
    }

    fn verdict(&self, rule: &Rule, now: Timestamp) -> RuleVerdict {
        let sizes = self.sizing_now(now);
        rule.verdict(&Situation {
            history: self.history(),
            parameters: &self.parameters,
            config: &self.config,
            sizes: Some(&sizes),
        })
    }

    fn sizing_now(&self, now: Timestamp) -> SizingNow<'_> {
        SizingNow { sizing: &self.sizing, track: &self.track, parameters: &self.parameters, now }
    }

    /// Counts for each rule the snapshots for which its condition has held.
    fn count_held(&mut self, now: Timestamp) {
        let rules = Arc::clone(&self.rules);
        for rule in rules.iter().filter(|rule| self.tunable.contains(&rule.tune.parameter)) {
            let holds = matches!(
                self.verdict(rule, now),
                RuleVerdict::Recommends(_) | RuleVerdict::AtLimit
            );
            match self.trust.get_mut(&rule.name) {
                Some(trust) => trust.held = if holds { trust.held + 1 } else { 0 },
                None if holds => {
                    let trust = RuleTrust { held: 1, ..RuleTrust::default() };
                    self.trust.insert(Arc::clone(&rule.name), trust);
                }
                None => {}
            }
        }
    }

    /// Records what came of a tuning by `rule`, as rez-next does: the relative `improvement` of one
    /// that helped, or a failure. Nothing happens for a rule that is not known, and `false` is
    /// returned.
    pub fn record_tuning_outcome(&mut self, rule: &str, improved: bool, improvement: f64) -> bool {
        let outcome = if improved { Outcome::Improved } else { Outcome::Degraded };
        let parameter = self.ledger.parameter_of(rule).filter(|_| improvement.is_finite());
        let Some(parameter) = parameter else { return false };
        self.ledger.count_outcome(rule, parameter, outcome);
        self.stats.record_outcome(improved, Some(improvement));
        true
    }

    /// What happened to tunings since this was last asked, in order.
    pub fn take_events(&mut self) -> Vec<TuningEvent> {
        self.is_changed |= !self.events.is_empty();
        std::mem::take(&mut self.events)
    }

    /// The settings.
    pub fn config(&self) -> &TuningConfig {
        &self.config
    }

    /// The parameters that the product has.
    pub fn tunable(&self) -> &[Parameter] {
        &self.tunable
    }

    /// The window.
    pub fn history(&self) -> History<'_> {
        History::newest_of(self.track.window(), self.snapshots)
    }

    /// The judge's history.
    pub fn track(&self) -> &Track {
        &self.track
    }

    /// The tuning that is not judged yet.
    pub fn pending(&self) -> Option<&Tuning> {
        self.pending.as_ref()
    }

    /// The parameters in force.
    pub fn parameters(&self) -> &TuningParameters {
        &self.parameters
    }

    /// The recommendations of the latest analysis.
    pub fn recommendations(&self) -> &[TuningRecommendation] {
        &self.recommendations
    }

    /// What was done and what came of it.
    pub fn stats(&self) -> &AdaptiveTuningStats {
        &self.stats
    }

    /// The counts of each rule.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}

/// A judge's history that has room for the window of rules too.
fn track_for(config: &TuningConfig) -> Track {
    let mut track = Track::new();
    track.make_room(config.performance_window_size);
    track
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact values are the point")]
mod tests;
