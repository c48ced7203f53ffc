//! From the views on the board to the series of the page, in one pass over the caches.
//!
//! Series stand in the order in which the prometheus crate sorts them: those with fewer labels
//! first, then by the values of their labels from the left. The board has targets and caches in
//! that order already, except where targets have labels of their own; within a cache every list is
//! brought into the order of the names that label it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::export::families::Families;
use crate::export::families::Place;
use crate::export::families::label;
use crate::export::labels;
use crate::export::names;
use crate::export::words;
use crate::export::words::Words;
use crate::published::CacheView;
use crate::published::TargetView;
use crate::published::TrustView;
use crate::reason::Reason;
use crate::signal::Signal;
use crate::tuner::RuleCounts;
use crate::units::Timestamp;

/// What a signal is exported as: the metric, what follows the labels of the cache, and the number
/// by which the signal's value is divided to reach the base unit.
const SIGNALS: [(Signal, Place, &str, f64); Signal::COUNT] = [
    (Signal::HitRate, Place::of(&names::HIT), ",level=\"all\"} ", 1.0),
    (Signal::L1HitRate, Place::of(&names::HIT), ",level=\"l1\"} ", 1.0),
    (Signal::L2HitRate, Place::of(&names::HIT), ",level=\"l2\"} ", 1.0),
    (Signal::MemoryUsagePercent, Place::of(&names::MEMORY_USAGE), "} ", 100.0),
    (Signal::DiskUsagePercent, Place::of(&names::DISK_USAGE), "} ", 100.0),
    (Signal::AvgGetLatencyUs, Place::of(&names::GET_LATENCY), "} ", 1e6),
    (Signal::AvgPutLatencyUs, Place::of(&names::PUT_LATENCY), "} ", 1e6),
    (Signal::OpsPerSecond, Place::of(&names::OPERATIONS), "} ", 1.0),
    (Signal::EvictionRate, Place::of(&names::EVICTIONS), "} ", 60.0),
    (Signal::PromotionRate, Place::of(&names::PROMOTIONS), "} ", 60.0),
];

/// A metric, and what it shows of a `V`.
type Column<V, N> = (Place, fn(&V) -> N);

/// What is counted of each rule of a cache.
const RULE_COUNTERS: [Column<RuleCounts, u64>; 3] = [
    (Place::of(&names::RECOMMENDATIONS), |counts| counts.recommendations),
    (Place::of(&names::TUNINGS), |counts| counts.tunings),
    (Place::of(&names::ROLLBACKS), |counts| counts.rollbacks),
];

/// What is counted of each rule of a cache by outcome, in the order of
/// [`Outcome::ALL`](crate::outcome::Outcome::ALL).
const OUTCOME_COUNTERS: [Column<RuleCounts, [u64; 4]>; 2] = [
    (Place::of(&names::TUNING_OUTCOMES), |counts| counts.outcomes),
    (Place::of(&names::SHADOW_OUTCOMES), |counts| counts.shadow_outcomes),
];

/// What is shown of all caches together.
const TRUST_GAUGES: [Column<TrustView, Option<f64>>; 5] = [
    (Place::of(&names::CALIBRATION_ERROR), |trust| trust.calibration_error),
    (Place::of(&names::BRIER_SCORE), |trust| trust.brier_score),
    (Place::of(&names::BREAKER_OPEN), |trust| flag(Some(trust.is_breaker_open))),
    (Place::of(&names::RECENT_SUCCESS), |trust| trust.recent_success_ratio),
    (Place::of(&names::RECENT_JUDGED), |trust| Some(trust.recent_judged as f64)),
];

pub(super) const fn flag(value: Option<bool>) -> Option<f64> {
    match value {
        Some(true) => Some(1.0),
        Some(false) => Some(0.0),
        None => None,
    }
}

/// Writes what all caches share.
pub(super) fn write_trust(trust: &TrustView, families: &mut Families) {
    let mut labels = Vec::new();
    for (rule, confidence) in &trust.rule_confidence {
        labels.clear();
        labels.push(b'{');
        label(&mut labels, "rule", rule);
        families.add_some(const { Place::of(&names::RULE_CONFIDENCE) }, &labels, Some(*confidence));
    }
    for (place, value) in TRUST_GAUGES {
        families.add_some(place, b"", value(trust));
    }
}

/// Writes every target with its caches.
pub(super) fn write_targets(targets: &mut [Arc<TargetView>], families: &mut Families) {
    targets.sort_by_cached_key(|target| labels::user_count(&target.labels));
    let words = Words::new();
    let mut pen = Pen { families, words: &words, labels: Vec::new(), rule: Vec::new() };
    let mut user = User::default();
    for target in targets {
        user.take_over(&target.labels);
        pen.write_target(target, &user.text);
    }
}

/// The user's labels of the last target, since those of the next are mostly the same ones.
#[derive(Default)]
struct User {
    labels: Option<Arc<BTreeMap<String, String>>>,
    /// As on the page, each with a comma in front.
    text: Vec<u8>,
}

impl User {
    fn take_over(&mut self, labels: &Arc<BTreeMap<String, String>>) {
        if self.labels.as_ref().is_some_and(|known| Arc::ptr_eq(known, labels)) {
            return;
        }
        self.text.clear();
        for (name, value) in labels::user_labels(labels) {
            self.text.push(b',');
            label(&mut self.text, &name, value);
        }
        self.labels = Some(Arc::clone(labels));
    }
}

/// Writes one target after the other.
struct Pen<'a> {
    families: &'a mut Families,
    words: &'a Words,
    /// The labels that all series of the target or cache share, escaped; still open.
    labels: Vec<u8>,
    /// The same with those of one rule.
    rule: Vec<u8>,
}

impl Pen<'_> {
    fn write_target(&mut self, view: &TargetView, user: &[u8]) {
        self.labels.clear();
        self.labels.push(b'{');
        label(&mut self.labels, "scrape_job", &view.id.scrape_job);
        self.labels.push(b',');
        label(&mut self.labels, "target", &view.id.target);
        let own = self.labels.len();
        self.labels.extend_from_slice(user);
        self.write_health(view);
        let mut write_cache = |cache: &CacheView| {
            self.labels.truncate(own);
            self.labels.push(b',');
            label(&mut self.labels, "cache", &cache.cache);
            self.labels.extend_from_slice(user);
            self.write_cache(cache);
        };
        if view.caches.is_sorted_by(|a, b| a.cache <= b.cache) {
            for cache in &view.caches {
                write_cache(cache);
            }
        } else {
            let mut caches: Vec<&Arc<CacheView>> = view.caches.iter().collect();
            caches.sort_by(|a, b| a.cache.cmp(&b.cache));
            for cache in caches {
                write_cache(cache);
            }
        }
    }

    fn write_health(&mut self, view: &TargetView) {
        let health = &view.health;
        let duration = health.last_duration.map(|duration| duration.as_secs_f64());
        let last_scrape = health.last_scrape.map(Timestamp::as_unix_seconds);
        self.add(const { Place::of(&names::TARGET_UP) }, flag(health.up));
        self.add(const { Place::of(&names::TARGET_SCRAPE_DURATION) }, duration);
        self.add(const { Place::of(&names::TARGET_LAST_SCRAPE) }, last_scrape);
        // The set is closed, so each child exists from the start: an increase from nothing is none.
        for (reason, rest) in Reason::ALL.iter().zip(&self.words.reasons) {
            let count = health.failures.get(reason).copied().unwrap_or(0);
            let place = const { Place::of(&names::TARGET_SCRAPE_FAILURES) };
            self.families.add(place, &self.labels, rest, count as f64);
        }
    }

    fn write_cache(&mut self, view: &CacheView) {
        self.write_parameters(view);
        self.write_recommendations(view);
        self.write_ledger(view);
        self.write_stats(view);
        self.write_snapshot(view);
    }

    fn write_parameters(&mut self, view: &CacheView) {
        let mut reversals = [None; words::PARAMETERS.len()];
        for (parameter, count) in view.ledger.reversals() {
            reversals[parameter as usize] = Some(count as f64);
        }
        for (parameter, rest) in words::PARAMETERS.into_iter().zip(&self.words.parameters) {
            if view.tunable.contains(&parameter) {
                let value = view.parameters.value(parameter);
                self.families.add(
                    const { Place::of(&names::PARAMETER) },
                    &self.labels,
                    rest,
                    value,
                );
            }
            if let Some(count) = reversals[parameter as usize] {
                let place = const { Place::of(&names::PARAMETER_REVERSALS) };
                self.families.add(place, &self.labels, rest, count);
            }
        }
    }

    fn write_recommendations(&mut self, view: &CacheView) {
        let mut order: Vec<_> = view.recommendations.iter().collect();
        order.sort_by_key(|found| (&found.rule, found.parameter.name()));
        for found in order {
            self.begin_rule(&found.rule);
            label(&mut self.rule, ",parameter", found.parameter.name());
            for (place, value) in [
                (const { Place::of(&names::RECOMMENDED_VALUE) }, found.recommended_value),
                (const { Place::of(&names::RECOMMENDATION_CONFIDENCE) }, found.confidence),
                (
                    const { Place::of(&names::RECOMMENDATION_EXPECTED_IMPROVEMENT) },
                    found.expected_improvement,
                ),
            ] {
                self.families.add_some(place, &self.rule, Some(value));
            }
        }
    }

    fn write_ledger(&mut self, view: &CacheView) {
        let mut rows: Vec<_> = view.ledger.iter().collect();
        rows.sort_by(|a, b| {
            a.0.cmp(b.0).then_with(|| a.1.parameter.name().cmp(b.1.parameter.name()))
        });
        // A rule has several rows where it tunes several parameters, as other hands do.
        for rows in rows.chunk_by(|a, b| a.0 == b.0) {
            self.write_rule(rows[0].0, rows);
        }
    }

    fn write_rule(&mut self, rule: &str, rows: &[(&Arc<str>, &RuleCounts)]) {
        self.begin_rule(rule);
        let effects = rows.iter().filter_map(|(_, counts)| counts.minimum_detectable_effect);
        let place = const { Place::of(&names::MINIMUM_DETECTABLE_EFFECT) };
        self.families.add_some(place, &self.rule, effects.reduce(f64::max));
        let mut withheld: Vec<_> = rows.iter().flat_map(|(_, counts)| &counts.withheld).collect();
        withheld.sort_by_key(|(reason, _)| **reason);
        for (reason, count) in withheld {
            let rest = &self.words.withheld[*reason as usize];
            let place = const { Place::of(&names::RECOMMENDATIONS_WITHHELD) };
            self.families.add(place, &self.rule, rest, *count as f64);
        }
        let own = self.rule.len();
        for (_, counts) in rows {
            self.rule.truncate(own);
            label(&mut self.rule, ",parameter", counts.parameter.name());
            for (place, count) in RULE_COUNTERS {
                self.families.add(place, &self.rule, "} ", count(counts) as f64);
            }
            for (place, of_each) in OUTCOME_COUNTERS {
                let of_each = of_each(counts);
                for (outcome, rest) in words::OUTCOMES.into_iter().zip(&self.words.outcomes) {
                    let count = of_each[outcome as usize] as f64;
                    self.families.add(place, &self.rule, rest, count);
                }
            }
        }
    }

    fn write_stats(&mut self, view: &CacheView) {
        let stats = &view.stats;
        self.add(const { Place::of(&names::TUNING_SUCCESS) }, stats.success_rate());
        self.add(const { Place::of(&names::TUNING_AVERAGE_IMPROVEMENT) }, stats.avg_improvement);
        self.add(const { Place::of(&names::TUNING_CONFIDENCE) }, Some(stats.current_confidence));
        let last_tuning = stats.last_tuning.map(Timestamp::as_unix_seconds);
        self.add(const { Place::of(&names::LAST_TUNING) }, last_tuning);
        let in_progress = view.pending.as_ref().is_some_and(|pending| pending.origin.is_real());
        self.add(const { Place::of(&names::TUNING_IN_PROGRESS) }, flag(Some(in_progress)));
    }

    fn write_snapshot(&mut self, view: &CacheView) {
        self.add(const { Place::of(&names::SNAPSHOTS) }, Some(view.snapshots as f64));
        let Some(snapshot) = &view.snapshot else { return };
        let timestamp = snapshot.timestamp.as_unix_seconds();
        self.add(const { Place::of(&names::SNAPSHOT_TIMESTAMP) }, Some(timestamp));
        for (signal, place, rest, divisor) in SIGNALS {
            let Some(value) = snapshot.value(signal) else { continue };
            self.families.add(place, &self.labels, rest, value / divisor);
        }
    }

    fn add(&mut self, place: Place, value: Option<f64>) {
        self.families.add_some(place, &self.labels, value);
    }

    /// Leaves the labels of the cache and that rule in `rule`.
    fn begin_rule(&mut self, rule: &str) {
        self.rule.clear();
        self.rule.extend_from_slice(&self.labels);
        label(&mut self.rule, ",rule", rule);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signal_is_exported_once() {
        assert_eq!(SIGNALS.map(|(signal, ..)| signal), Signal::ALL);
    }
}
