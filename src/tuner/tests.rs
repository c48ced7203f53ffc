//! The tuner over short series of snapshots.

mod closed_loop;

use std::time::Duration;

use super::*;
use crate::diag::SourceFile;
use crate::rule;
use crate::signal::Signal;

const RULES: &str = "
groups:
- name: g
  rules:
  - rule: grow
    when: hit_rate < 0.5
    tune: {parameter: l1_size_multiplier, multiply: 2, max: 4}
    confidence: 0.8
    expected_improvement: 0.1
    reason: low
  - rule: unsure
    when: hit_rate < 0.5
    tune: {parameter: ttl_multiplier, multiply: 2}
    confidence: 0.5
    reason: low
  - rule: blind
    when: eviction_rate > 1
    tune: {parameter: l2_size_multiplier, multiply: 2}
    confidence: 0.9
    reason: evictions
";

fn tuner(config: TuningConfig) -> AdaptiveTuner {
    let (rules, _) = rule::load(&[SourceFile::new("r", RULES)]).unwrap();
    AdaptiveTuner::new(config, Arc::new(rules), Parameter::ALL.to_vec())
}

fn config() -> TuningConfig {
    let defaults = TuningConfig::default();
    TuningConfig { min_samples_for_tuning: 1, feedback: defaults.feedback.off(), ..defaults }
}

/// Records a snapshot of that hit rate at `second` and analyses.
fn step(tuner: &mut AdaptiveTuner, second: i64, hit_rate: f64) -> Vec<TuningRecommendation> {
    let now = Timestamp::from_millis(second * 1000);
    let mut snapshot = PerformanceSnapshot::empty(now);
    snapshot.set(Signal::HitRate, Some(hit_rate));
    tuner.record_performance(snapshot);
    tuner.analyze_and_tune(now)
}

fn withheld(tuner: &AdaptiveTuner, rule: &str) -> Vec<(&'static str, u64)> {
    let counts = tuner.ledger().iter().find(|(name, _)| &***name == rule).unwrap().1;
    counts.withheld.iter().map(|(reason, count)| (reason.name(), *count)).collect()
}

#[test]
fn trusted_recommendations_are_put_in_force_and_the_rest_counted() {
    let mut tuner = tuner(config());
    let made = step(&mut tuner, 1, 0.4);
    assert_eq!(made.iter().map(|r| r.applied).collect::<Vec<_>>(), [true, false]);
    assert_eq!(tuner.parameters().l1_size_multiplier, 2.0);
    assert_eq!(tuner.parameters().ttl_multiplier, 1.0);
    assert_eq!(tuner.stats().tuning_operations, 1);
    assert_eq!(tuner.stats().last_tuning, Some(Timestamp::from_millis(1000)));
    assert_eq!(withheld(&tuner, "unsure"), [("confidence", 1)]);
    assert_eq!(withheld(&tuner, "blind"), [("no_data", 1)]);
}

#[test]
fn a_parameter_at_its_limit_recommends_nothing() {
    let mut tuner = tuner(config());
    for second in 1..=4 {
        step(&mut tuner, second, 0.4);
    }
    assert_eq!(tuner.parameters().l1_size_multiplier, 4.0);
    assert_eq!(tuner.stats().tuning_operations, 2);
    assert_eq!(withheld(&tuner, "grow"), [("at_limit", 2)]);
}

#[test]
fn advisory_mode_puts_nothing_in_force() {
    let mut tuner = tuner(TuningConfig { mode: Mode::Advisory, ..config() });
    assert_eq!(step(&mut tuner, 1, 0.4).len(), 2);
    assert_eq!(*tuner.parameters(), TuningParameters::default());
    assert_eq!(withheld(&tuner, "grow"), [("advisory", 1)]);
}

#[test]
fn nothing_is_recommended_when_switched_off_or_too_early() {
    let mut off = tuner(TuningConfig { enable_adaptive_tuning: false, ..config() });
    assert_eq!(step(&mut off, 1, 0.4), []);
    let mut early = tuner(TuningConfig { min_samples_for_tuning: 2, ..config() });
    assert_eq!(step(&mut early, 1, 0.4), []);
    assert_eq!(step(&mut early, 2, 0.4).len(), 2);
    early.restart(Timestamp::from_millis(2500));
    assert_eq!(step(&mut early, 3, 0.4), []);
}

#[test]
fn an_analysis_is_due_once_an_interval() {
    let mut tuner = tuner(TuningConfig { tuning_interval: Duration::from_secs(10), ..config() });
    let due =
        |tuner: &AdaptiveTuner, second: i64| tuner.is_due(Timestamp::from_millis(second * 1000));
    assert!(due(&tuner, 1));
    step(&mut tuner, 1, 0.9);
    assert!(!due(&tuner, 10));
    assert!(due(&tuner, 11));
}

#[test]
fn rules_for_parameters_that_the_product_lacks_are_not_evaluated() {
    let (rules, _) = rule::load(&[SourceFile::new("r", RULES)]).unwrap();
    let mut tuner = AdaptiveTuner::new(config(), Arc::new(rules), vec![Parameter::TtlMultiplier]);
    assert_eq!(step(&mut tuner, 1, 0.4).len(), 1);
    assert_eq!(tuner.ledger().iter().count(), 1);
}

#[test]
fn outcomes_make_the_success_rate() {
    let mut tuner = tuner(config());
    assert_eq!(tuner.stats().success_rate(), None);
    assert!(tuner.record_tuning_outcome("grow", true, 0.2));
    assert!(tuner.record_tuning_outcome("grow", true, 0.1));
    assert!(tuner.record_tuning_outcome("grow", false, 0.0));
    assert!(!tuner.record_tuning_outcome("nobody", true, 0.1));
    assert!(!tuner.record_tuning_outcome("grow", true, f64::NAN));
    let stats = tuner.stats();
    assert_eq!(stats.success_rate(), Some(2.0 / 3.0));
    assert!((stats.avg_improvement.unwrap() - 0.15).abs() < 1e-12);
    assert_eq!((stats.successful_tunings, stats.failed_tunings), (2, 1));
    let (_, grow) = tuner.ledger().iter().find(|(name, _)| &***name == "grow").unwrap();
    assert_eq!(grow.outcomes, [2, 1, 0, 0]);
}

#[test]
fn what_was_learnt_survives_new_rules() {
    let mut tuner = tuner(config());
    step(&mut tuner, 1, 0.4);
    let only_grow = RULES.split("  - rule: unsure").next().unwrap();
    let (rules, _) = rule::load(&[SourceFile::new("r", only_grow)]).unwrap();
    tuner.reconfigure(config(), Arc::new(rules), Parameter::ALL.to_vec());
    assert_eq!(tuner.parameters().l1_size_multiplier, 2.0);
    assert_eq!(tuner.history().len(), 1);
    let names: Vec<&str> = tuner.ledger().iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["grow"]);
    assert_eq!(tuner.recommendations().len(), 1);
}
