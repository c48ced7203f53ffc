//! The page as the prometheus crate writes it: every series a value of its own, sorted by the
//! registry, written by `TextEncoder`. Slow and plain; ours must be the same to the byte.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use cache_tuner_exporter::build_info::BuildInfo;
use cache_tuner_exporter::export::names;
use cache_tuner_exporter::export::names::Kind;
use cache_tuner_exporter::export::names::Metric;
use cache_tuner_exporter::outcome::Outcome;
use cache_tuner_exporter::published::Board;
use cache_tuner_exporter::published::CacheView;
use cache_tuner_exporter::published::OWN_LABELS;
use cache_tuner_exporter::published::TargetView;
use cache_tuner_exporter::published::TrustView;
use cache_tuner_exporter::reason::Reason;
use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::tuner::RuleCounts;
use cache_tuner_exporter::units::Timestamp;
use prometheus::Registry;
use prometheus::TextEncoder;
use prometheus::core::Collector;
use prometheus::core::Desc;
use prometheus::proto;
use prometheus::proto::LabelPair;
use prometheus::proto::MetricFamily;
use prometheus::proto::MetricType;

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

/// What the page depends on besides the board.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beside {
    pub(crate) build: BuildInfo,
    pub(crate) reload_successful: Option<bool>,
    pub(crate) reload_success_at: Option<Timestamp>,
    pub(crate) store_failures: u64,
}

/// The page, without what the process uses.
pub(crate) fn page(board: Arc<Board>, beside: Beside) -> prometheus::Result<String> {
    let descriptions = names::ALL.iter().map(describe).collect::<Result<_, _>>()?;
    let registry = Registry::new();
    registry.register(Box::new(BoardCollector { board, beside, descriptions }))?;
    TextEncoder::new().encode_to_string(&registry.gather())
}

/// Collects what the board shows.
struct BoardCollector {
    board: Arc<Board>,
    beside: Beside,
    descriptions: Vec<Desc>,
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
        let nothing = Origin::default();
        let Beside { build, reload_successful, reload_success_at, store_failures } = self.beside;
        families.add_some(names::CONFIG_LAST_RELOAD_SUCCESSFUL, &nothing, flag(reload_successful));
        let success_at = reload_success_at.map(Timestamp::as_unix_seconds);
        families.add_some(names::CONFIG_LAST_RELOAD_SUCCESS, &nothing, success_at);
        families.add_some(names::STORE_FAILURES, &nothing, Some(store_failures as f64));
        let BuildInfo { version, revision, rust_version } = build;
        families.add(names::BUILD_INFO, &nothing, &[version, revision, rust_version], 1.0);
        families.finish()
    }
}

fn collect_target(view: &TargetView, families: &mut Families) {
    let user = user_labels(&view.labels);
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
        let mut pairs: Vec<_> = ids.map(|(name, value)| pair(name, value)).collect();
        pairs.extend_from_slice(&origin.user);
        pairs.extend(metric.labels.iter().zip(own).map(|(name, value)| pair(name, value)));
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

/// One label.
fn pair(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}

/// The user's labels as they are exported, by name. Prometheus takes an empty label for none, and
/// drops those that begin with `__`; so do we.
fn user_labels(labels: &BTreeMap<String, String>) -> Vec<LabelPair> {
    let mut taken: BTreeSet<String> = OWN_LABELS.iter().map(|&name| name.to_owned()).collect();
    let shown =
        || labels.iter().filter(|(name, value)| !value.is_empty() && !name.starts_with("__"));
    // Names that are free keep their series whatever collides beside them.
    taken.extend(shown().map(|(name, _)| legal_name(name)));
    let mut pairs = Vec::new();
    let mut used = BTreeSet::new();
    for (name, value) in shown() {
        let mut name = legal_name(name);
        if OWN_LABELS.contains(&name.as_str()) || used.contains(&name) {
            while taken.contains(&name) {
                name.insert_str(0, "exported_");
            }
            taken.insert(name.clone());
        }
        pairs.push(pair(&name, value));
        used.insert(name);
    }
    pairs.sort_by(|a, b| a.name().cmp(b.name()));
    pairs
}

/// The text format knows letters, digits and `_`; anything else becomes `_`, as in Prometheus'
/// escaping scheme `underscores`.
fn legal_name(name: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let mut name: String = name.chars().map(legal).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}
