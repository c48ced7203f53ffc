//! From the views on the board to metric families, at the moment of asking.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use prometheus::core::Collector;
use prometheus::core::Desc;
use prometheus::proto;
use prometheus::proto::LabelPair;
use prometheus::proto::MetricFamily;
use prometheus::proto::MetricType;

use crate::build_info::BuildInfo;
use crate::export::Reloads;
use crate::export::labels;
use crate::export::names;
use crate::export::names::Kind;
use crate::export::names::Metric;
use crate::published::Board;
use crate::published::CacheView;
use crate::published::TargetView;
use crate::published::TrustView;
use crate::reason::Reason;
use crate::signal::Signal;
use crate::tuner::Outcome;
use crate::tuner::RuleCounts;
use crate::units::Timestamp;

/// What a signal is exported as: the metric, the value of its `level` if it has one, and the number
/// by which the signal's value is divided to reach the base unit.
const SIGNALS: [(Signal, Metric, Option<&str>, f64); Signal::COUNT] = [
    (Signal::HitRate, names::HIT, Some("all"), 1.0),
    (Signal::L1HitRate, names::HIT, Some("l1"), 1.0),
    (Signal::L2HitRate, names::HIT, Some("l2"), 1.0),
    (Signal::MemoryUsagePercent, names::MEMORY_USAGE, None, 100.0),
    (Signal::DiskUsagePercent, names::DISK_USAGE, None, 100.0),
    (Signal::AvgGetLatencyUs, names::GET_LATENCY, None, 1e6),
    (Signal::AvgPutLatencyUs, names::PUT_LATENCY, None, 1e6),
    (Signal::OpsPerSecond, names::OPERATIONS, None, 1.0),
    (Signal::EvictionRate, names::EVICTIONS, None, 60.0),
    (Signal::PromotionRate, names::PROMOTIONS, None, 60.0),
];

/// A metric, and what it shows of a `V`.
type Column<V, N> = (Metric, fn(&V) -> N);

/// What is counted of each rule of a cache.
const RULE_COUNTERS: [Column<RuleCounts, u64>; 3] = [
    (names::RECOMMENDATIONS, |counts| counts.recommendations),
    (names::TUNINGS, |counts| counts.tunings),
    (names::ROLLBACKS, |counts| counts.rollbacks),
];

/// What is counted of each rule of a cache by outcome, in the order of [`Outcome::ALL`].
const OUTCOME_COUNTERS: [Column<RuleCounts, [u64; 4]>; 2] = [
    (names::TUNING_OUTCOMES, |counts| counts.outcomes),
    (names::SHADOW_OUTCOMES, |counts| counts.shadow_outcomes),
];

/// What is shown of all caches together.
const TRUST_GAUGES: [Column<TrustView, Option<f64>>; 5] = [
    (names::CALIBRATION_ERROR, |trust| trust.calibration_error),
    (names::BRIER_SCORE, |trust| trust.brier_score),
    (names::BREAKER_OPEN, |trust| flag(Some(trust.is_breaker_open))),
    (names::RECENT_SUCCESS, |trust| trust.recent_success_ratio),
    (names::RECENT_JUDGED, |trust| Some(trust.recent_judged as f64)),
];

/// Collects what the board shows.
pub(super) struct BoardCollector {
    board: Arc<Board>,
    build: BuildInfo,
    reloads: Arc<RwLock<Reloads>>,
    store_failures: Arc<AtomicU64>,
    descriptions: Vec<Desc>,
}

impl BoardCollector {
    pub(super) fn new(
        board: Arc<Board>,
        build: BuildInfo,
        reloads: Arc<RwLock<Reloads>>,
        store_failures: Arc<AtomicU64>,
    ) -> Self {
        // The registry wants descriptions only to tell collectors apart; a test sees that each is
        // valid.
        let descriptions = names::ALL.iter().filter_map(|metric| describe(metric).ok()).collect();
        Self { board, build, reloads, store_failures, descriptions }
    }
}

impl fmt::Debug for BoardCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoardCollector").field("build", &self.build).finish_non_exhaustive()
    }
}

fn describe(metric: &Metric) -> prometheus::Result<Desc> {
    let labels = metric.scope.labels().iter().chain(metric.labels);
    let labels = labels.map(|&name| name.to_owned()).collect();
    Desc::new(
        metric.name.to_owned(),
        metric.help.to_owned(),
        labels,
        std::collections::HashMap::new(),
    )
}

impl Collector for BoardCollector {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let mut families = Families::default();
        for target in self.board.targets() {
            collect_target(&target, &mut families);
        }
        collect_trust(&self.board.trust(), &mut families);
        let reloads = *self.reloads.read().unwrap_or_else(PoisonError::into_inner);
        let nothing = Origin::default();
        families.add_some(names::CONFIG_LAST_RELOAD_SUCCESSFUL, &nothing, flag(reloads.successful));
        let success_at = reloads.success_at.map(Timestamp::as_unix_seconds);
        families.add_some(names::CONFIG_LAST_RELOAD_SUCCESS, &nothing, success_at);
        let store_failures = self.store_failures.load(Ordering::Relaxed);
        families.add_some(names::STORE_FAILURES, &nothing, Some(store_failures as f64));
        let BuildInfo { version, revision, rust_version } = self.build;
        families.add(names::BUILD_INFO, &nothing, &[version, revision, rust_version], 1.0);
        families.finish()
    }
}

fn collect_target(view: &TargetView, families: &mut Families) {
    let user = labels::user_labels(&view.labels);
    let origin = Origin::new(&[&view.id.scrape_job, &view.id.target], &user);
    let health = &view.health;
    families.add_some(names::TARGET_UP, &origin, flag(health.up));
    let duration = health.last_duration.map(|duration| duration.as_secs_f64());
    families.add_some(names::TARGET_SCRAPE_DURATION, &origin, duration);
    let last_scrape = health.last_scrape.map(Timestamp::as_unix_seconds);
    families.add_some(names::TARGET_LAST_SCRAPE, &origin, last_scrape);
    // The set is closed, so each child exists from the start: an increase from nothing is none.
    for reason in Reason::ALL {
        let count = health.failures.get(&reason).copied().unwrap_or(0);
        families.add(names::TARGET_SCRAPE_FAILURES, &origin, &[reason.name()], count as f64);
    }
    for cache in &view.caches {
        let ids = [&*view.id.scrape_job, &*view.id.target, &*cache.cache];
        collect_cache(cache, &Origin::new(&ids, &user), families);
    }
}

fn collect_cache(view: &CacheView, origin: &Origin, families: &mut Families) {
    for &parameter in &view.tunable {
        let value = view.parameters.value(parameter);
        families.add(names::PARAMETER, origin, &[parameter.name()], value);
    }
    collect_recommendations(view, origin, families);
    collect_ledger(view, origin, families);
    collect_stats(view, origin, families);
    collect_snapshot(view, origin, families);
}

fn collect_recommendations(view: &CacheView, origin: &Origin, families: &mut Families) {
    for recommendation in &view.recommendations {
        let own = [&*recommendation.rule, recommendation.parameter.name()];
        for (metric, value) in [
            (names::RECOMMENDED_VALUE, recommendation.recommended_value),
            (names::RECOMMENDATION_CONFIDENCE, recommendation.confidence),
            (names::RECOMMENDATION_EXPECTED_IMPROVEMENT, recommendation.expected_improvement),
        ] {
            families.add(metric, origin, &own, value);
        }
    }
}

fn collect_ledger(view: &CacheView, origin: &Origin, families: &mut Families) {
    // A rule has several rows where it tunes several parameters, as other hands do.
    let mut detectable: BTreeMap<&str, f64> = BTreeMap::new();
    for (rule, counts) in view.ledger.iter() {
        let parameter = counts.parameter.name();
        for (metric, count) in RULE_COUNTERS {
            families.add(metric, origin, &[rule, parameter], count(counts) as f64);
        }
        for (metric, of_each) in OUTCOME_COUNTERS {
            for (outcome, count) in Outcome::ALL.into_iter().zip(of_each(counts)) {
                let own = [&**rule, parameter, outcome.name()];
                families.add(metric, origin, &own, count as f64);
            }
        }
        for (reason, &count) in &counts.withheld {
            let own = [&**rule, reason.name()];
            families.add(names::RECOMMENDATIONS_WITHHELD, origin, &own, count as f64);
        }
        if let Some(effect) = counts.minimum_detectable_effect {
            let largest = detectable.entry(rule).or_insert(effect);
            *largest = largest.max(effect);
        }
    }
    for (rule, effect) in detectable {
        families.add(names::MINIMUM_DETECTABLE_EFFECT, origin, &[rule], effect);
    }
    for (parameter, count) in view.ledger.reversals() {
        families.add(names::PARAMETER_REVERSALS, origin, &[parameter.name()], count as f64);
    }
}

fn collect_trust(trust: &TrustView, families: &mut Families) {
    let nothing = Origin::default();
    for (rule, confidence) in &trust.rule_confidence {
        families.add(names::RULE_CONFIDENCE, &nothing, &[rule], *confidence);
    }
    for (metric, value) in TRUST_GAUGES {
        families.add_some(metric, &nothing, value(trust));
    }
}

fn collect_stats(view: &CacheView, origin: &Origin, families: &mut Families) {
    let stats = &view.stats;
    families.add_some(names::TUNING_SUCCESS, origin, stats.success_rate());
    families.add_some(names::TUNING_AVERAGE_IMPROVEMENT, origin, stats.avg_improvement);
    families.add_some(names::TUNING_CONFIDENCE, origin, Some(stats.current_confidence));
    let last_tuning = stats.last_tuning.map(Timestamp::as_unix_seconds);
    families.add_some(names::LAST_TUNING, origin, last_tuning);
    let in_progress = view.pending.as_ref().is_some_and(|pending| pending.origin.is_real());
    families.add_some(names::TUNING_IN_PROGRESS, origin, flag(Some(in_progress)));
}

fn collect_snapshot(view: &CacheView, origin: &Origin, families: &mut Families) {
    families.add_some(names::SNAPSHOTS, origin, Some(view.snapshots as f64));
    let Some(snapshot) = &view.snapshot else { return };
    let timestamp = snapshot.timestamp.as_unix_seconds();
    families.add_some(names::SNAPSHOT_TIMESTAMP, origin, Some(timestamp));
    for (signal, metric, level, divisor) in SIGNALS {
        let Some(value) = snapshot.value(signal) else { continue };
        families.add(metric, origin, level.as_slice(), value / divisor);
    }
}

fn flag(value: Option<bool>) -> Option<f64> {
    value.map(|value| if value { 1.0 } else { 0.0 })
}

/// The labels that all series of one target or cache share.
#[derive(Debug, Default)]
struct Origin {
    /// The values of the scope's labels.
    ids: Vec<String>,
    /// The user's labels.
    user: Vec<LabelPair>,
}

impl Origin {
    fn new(ids: &[&str], user: &[LabelPair]) -> Self {
        Self { ids: ids.iter().map(|&id| id.to_owned()).collect(), user: user.to_vec() }
    }
}

/// Families while they fill, by name.
#[derive(Debug, Default)]
struct Families {
    families: BTreeMap<&'static str, (Metric, Vec<proto::Metric>)>,
}

impl Families {
    /// Adds a series without labels of its own, if there is a value.
    fn add_some(&mut self, metric: Metric, origin: &Origin, value: Option<f64>) {
        if let Some(value) = value {
            self.add(metric, origin, &[], value);
        }
    }

    /// Adds a series: the scope's labels, the user's, then the metric's own. A value that is not
    /// finite says nothing and stays here.
    fn add(&mut self, metric: Metric, origin: &Origin, own: &[&str], value: f64) {
        debug_assert_eq!(metric.labels.len(), own.len(), "labels of {}", metric.name);
        debug_assert_eq!(metric.scope.labels().len(), origin.ids.len(), "scope of {}", metric.name);
        if !value.is_finite() {
            return;
        }
        let ids = metric.scope.labels().iter().zip(&origin.ids);
        let mut pairs: Vec<_> = ids.map(|(name, value)| labels::pair(name, value)).collect();
        pairs.extend_from_slice(&origin.user);
        pairs.extend(metric.labels.iter().zip(own).map(|(name, value)| labels::pair(name, value)));
        let mut series = proto::Metric::from_label(pairs);
        match metric.kind {
            Kind::Counter => {
                let mut counter = proto::Counter::default();
                counter.set_value(value);
                series.set_counter(counter);
            }
            Kind::Gauge => {
                let mut gauge = proto::Gauge::default();
                gauge.set_value(value);
                series.set_gauge(gauge);
            }
        }
        let family = self.families.entry(metric.name).or_insert_with(|| (metric, Vec::new()));
        family.1.push(series);
    }

    fn finish(self) -> Vec<MetricFamily> {
        self.families.into_values().map(|(metric, series)| family(metric, series)).collect()
    }
}

fn family(metric: Metric, series: Vec<proto::Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(metric.name.to_owned());
    family.set_help(metric.help.to_owned());
    family.set_field_type(match metric.kind {
        Kind::Counter => MetricType::COUNTER,
        Kind::Gauge => MetricType::GAUGE,
    });
    family.set_metric(series);
    family
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_of_the_table_can_be_described() {
        for metric in names::ALL {
            assert!(describe(&metric).is_ok(), "{}", metric.name);
        }
    }

    #[test]
    fn every_signal_is_exported_once() {
        assert_eq!(SIGNALS.map(|(signal, ..)| signal), Signal::ALL);
    }

    #[test]
    fn values_that_are_not_finite_stay_here() {
        let mut families = Families::default();
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            families.add_some(names::CONFIG_LAST_RELOAD_SUCCESS, &Origin::default(), Some(value));
        }
        assert!(families.finish().is_empty());
    }
}
