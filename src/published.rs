//! What is shown: an immutable view of each target, replaced as a whole after each of its scrapes.
//!
//! The metrics page, the API and the status page read nothing else, so that they can never show a
//! series that is gone or half of a change, and never wait for the tuner. A target's view is a
//! plain value; the [`Board`] holds the newest of each.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use crate::parameter::Parameter;
use crate::reason::Reason;
use crate::snapshot::PerformanceSnapshot;
use crate::tuner::AdaptiveTuner;
use crate::tuner::AdaptiveTuningStats;
use crate::tuner::Ledger;
use crate::tuner::Tuning;
use crate::tuner::TuningParameters;
use crate::tuner::TuningRecommendation;
use crate::tuner::Verdict;
use crate::units::Timestamp;

pub use crate::target_id::TargetId;

/// Tunings kept in the journal; the oldest go first.
pub const JOURNAL_ENTRIES_MAX: usize = 1000;

/// Labels that the exporter's own series keep, and the two that histograms and summaries keep for
/// themselves. A user's label of such a name is exported as `exported_<name>`, on every series, so
/// that a label has one name on all.
pub const OWN_LABELS: [&str; 10] = [
    "cache",
    "le",
    "level",
    "outcome",
    "parameter",
    "quantile",
    "reason",
    "rule",
    "scrape_job",
    "target",
];

/// How a target's scrapes go.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScrapeHealth {
    /// Whether the last scrape succeeded; `None` before the first.
    pub up: Option<bool>,
    /// How long the last scrape took.
    pub last_duration: Option<Duration>,
    /// When the last scrape began, whatever came of it.
    pub last_scrape: Option<Timestamp>,
    /// Why the last scrape failed, if it did.
    pub last_error: Option<String>,
    /// Failed scrapes, by reason.
    pub failures: BTreeMap<Reason, u64>,
    /// Samples of the last good page.
    pub samples: usize,
    /// Lines of the last good page that could not be read, and the first of them in words.
    pub bad_lines: usize,
    /// The first bad line of the last good page, in words.
    pub bad_line: Option<String>,
}

/// All that is shown of a target.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetView {
    /// Which target.
    pub id: TargetId,
    /// What is scraped; without credentials.
    pub url: Arc<str>,
    /// The labels of its `static_configs`.
    pub labels: Arc<BTreeMap<String, String>>,
    /// The profile that its pages were read with; `None` until one is detected.
    pub profile: Option<Arc<str>>,
    /// Time between two scrapes.
    pub scrape_interval: Duration,
    /// Longest time a scrape may take.
    pub scrape_timeout: Duration,
    /// How its scrapes go.
    pub health: ScrapeHealth,
    /// Its caches, by name.
    pub caches: Vec<Arc<CacheView>>,
}

/// All that is shown of a cache.
#[derive(Debug, Clone, PartialEq)]
pub struct CacheView {
    /// Its name: the value of the profile's `cache_label`, or the profile's name.
    pub cache: Arc<str>,
    /// The newest snapshot; `None` until two good scrapes make one, and after a restart.
    pub snapshot: Option<PerformanceSnapshot>,
    /// Snapshots in the window.
    pub snapshots: usize,
    /// The parameters that its product has.
    pub tunable: Vec<Parameter>,
    /// The values in force.
    pub parameters: TuningParameters,
    /// The recommendations of the latest analysis.
    pub recommendations: Vec<TuningRecommendation>,
    /// What was done and what came of it.
    pub stats: AdaptiveTuningStats,
    /// The counts of each rule.
    pub ledger: Ledger,
    /// The tuning that is not judged yet; shadows too.
    pub pending: Option<Tuning>,
    /// What to do for a recommendation in the product's own words, by rule (the profile's `apply`).
    pub apply: BTreeMap<Arc<str>, String>,
}

impl CacheView {
    /// What is to be shown of the cache that `tuner` watches.
    pub fn new(cache: Arc<str>, tuner: &AdaptiveTuner, apply: BTreeMap<Arc<str>, String>) -> Self {
        Self {
            cache,
            snapshot: tuner.history().latest(),
            snapshots: tuner.history().len(),
            tunable: tuner.tunable().to_vec(),
            parameters: *tuner.parameters(),
            recommendations: tuner.recommendations().to_vec(),
            stats: *tuner.stats(),
            ledger: tuner.ledger().clone(),
            pending: tuner.pending().cloned(),
            apply,
        }
    }
}

/// One entry of the journal: a tuning, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TuningEntry {
    /// Where.
    pub id: TargetId,
    /// Of which cache.
    pub cache: Arc<str>,
    /// What and why.
    pub tuning: Tuning,
    /// What came of it; `None`: not judged yet, or never to be.
    pub verdict: Option<Verdict>,
}

/// What all caches share: how far the tuner can be trusted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrustView {
    /// Confidence in each rule, from what came of it on all caches; 0 to 1.
    pub rule_confidence: BTreeMap<Arc<str>, f64>,
    /// Mean distance between confidences and shares of success; `None` below 30 outcomes.
    pub calibration_error: Option<f64>,
    /// Mean squared distance between confidence and outcome; `None` below 30 outcomes.
    pub brier_score: Option<f64>,
    /// Whether so much failed lately that nothing is put in force.
    pub is_breaker_open: bool,
    /// Judged tunings among the newest 20.
    pub recent_judged: usize,
    /// The share of those that improved; `None` before the first.
    pub recent_success_ratio: Option<f64>,
}

/// The newest view of every target, and the journal.
#[derive(Debug, Default)]
pub struct Board {
    targets: RwLock<BTreeMap<TargetId, Arc<TargetView>>>,
    journal: RwLock<VecDeque<Arc<TuningEntry>>>,
    trust: RwLock<Arc<TrustView>>,
    generation: AtomicU64,
}

impl Board {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts up a target's new view.
    pub fn publish(&self, view: TargetView) {
        let view = Arc::new(view);
        write(&self.targets).insert(view.id.clone(), view);
        self.advance();
    }

    /// Takes down every target that `keep` does not want.
    pub fn retain(&self, keep: impl Fn(&TargetId) -> bool) {
        write(&self.targets).retain(|id, _| keep(id));
        self.advance();
    }

    /// Adds tunings to the journal, the oldest first; one that is there already is replaced.
    pub fn record(&self, entries: Vec<TuningEntry>) {
        if entries.is_empty() {
            return;
        }
        let mut journal = write(&self.journal);
        for entry in entries {
            let number = entry.tuning.number;
            // Numbers fall from the front to the back.
            let place = journal.partition_point(|known| known.tuning.number > number);
            match journal.get_mut(place).filter(|known| known.tuning.number == number) {
                Some(known) => *known = Arc::new(entry),
                None => journal.insert(place, Arc::new(entry)),
            }
            journal.truncate(JOURNAL_ENTRIES_MAX);
        }
    }

    /// Puts up what all caches share.
    pub fn publish_trust(&self, trust: TrustView) {
        *write(&self.trust) = Arc::new(trust);
        self.advance();
    }

    /// A number that grows with every change but those of the journal. Whoever reads it before the
    /// views and finds it the same later knows that nothing changed; it grows last, so that a view
    /// may be newer than the number, never older.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    fn advance(&self) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// What all caches share.
    pub fn trust(&self) -> Arc<TrustView> {
        Arc::clone(&read(&self.trust))
    }

    /// Every target's view, by job and address.
    pub fn targets(&self) -> Vec<Arc<TargetView>> {
        read(&self.targets).values().map(Arc::clone).collect()
    }

    /// One target's view.
    pub fn target(&self, id: &TargetId) -> Option<Arc<TargetView>> {
        read(&self.targets).get(id).map(Arc::clone)
    }

    /// The journal, newest first.
    pub fn journal(&self) -> Vec<Arc<TuningEntry>> {
        read(&self.journal).iter().map(Arc::clone).collect()
    }
}

/// A lock that a panicking task left is still whole: every change under it is one insertion or
/// removal.
fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
