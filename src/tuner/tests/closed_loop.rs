//! The closed loop over short histories: each guard, adoption, each outcome and what follows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::confidence::Posterior;
use crate::diag::SourceFile;
use crate::judge::Reason;
use crate::judge::Sample;
use crate::parameter::Parameter;
use crate::rule;
use crate::signal::Signal;
use crate::sim::rng;
use crate::snapshot::PerformanceSnapshot;
use crate::tuner::AdaptiveTuner;
use crate::tuner::EventKind;
use crate::tuner::Mode;
use crate::tuner::Origin;
use crate::tuner::Outcome;
use crate::tuner::Outlook;
use crate::tuner::Refusal;
use crate::tuner::SavedTuner;
use crate::tuner::Surroundings;
use crate::tuner::TuningConfig;
use crate::tuner::TuningEvent;
use crate::tuning_config::Feedback;
use crate::units::Timestamp;

const RULES: &str = "
groups:
- name: g
  rules:
  - rule: grow
    when: hit_rate < 0.7
    tune: {parameter: l1_size_multiplier, multiply: 1.5, max: 6}
    confidence: 0.9
    reason: low
";

/// A cache whose hit rate the test sets, sampled every 15 seconds.
struct Cache {
    tuner: AdaptiveTuner,
    now: Timestamp,
    hit_rate: f64,
    events: Vec<TuningEvent>,
    pooled: BTreeMap<Arc<str>, Posterior>,
    around: fn(Surroundings<'_>) -> Surroundings<'_>,
    /// What the target shows of level 1's size.
    shown: Option<f64>,
    number: u64,
}

impl Cache {
    fn new(rules: &str, change: impl Fn(&mut TuningConfig)) -> Self {
        let (rules, _) = rule::load(&[SourceFile::new("r", rules)]).unwrap();
        let mut config = TuningConfig {
            tuning_interval: Duration::from_secs(75),
            feedback: Feedback { shadow_share: 0.0, ..Feedback::default() },
            ..TuningConfig::default()
        };
        change(&mut config);
        Self {
            tuner: AdaptiveTuner::new(config, Arc::new(rules), Parameter::ALL.to_vec()),
            now: Timestamp::from_millis(0),
            hit_rate: 0.8,
            events: Vec::new(),
            pooled: BTreeMap::new(),
            around: |around| around,
            shown: None,
            number: 1,
        }
    }

    /// Lets so many samples go by; the hit rate scatters by 0.005.
    fn run(&mut self, samples: u32) -> &mut Self {
        for _ in 0..samples {
            self.now = self.now + Duration::from_secs(15);
            let draw = self.now.as_millis().unsigned_abs();
            let mut snapshot = PerformanceSnapshot::empty(self.now);
            let noise = 0.005 * rng::jitter(7, draw);
            snapshot.set(Signal::HitRate, Some(self.hit_rate + noise));
            snapshot.set(Signal::OpsPerSecond, Some(1000.0));
            self.tuner.record_performance(snapshot);
            self.step();
        }
        self
    }

    fn step(&mut self) {
        if let Some(shown) = self.shown {
            let shown = BTreeMap::from([(Parameter::L1SizeMultiplier, shown)]);
            self.tuner.observe_parameters(&shown, self.now, self.number);
        }
        self.tuner.tick(self.now);
        if let Some(assessment) = self.tuner.assess(&[], self.now) {
            self.tuner.conclude(assessment, &[], self.now);
        }
        if self.tuner.is_due(self.now) {
            let around = Surroundings {
                pooled: &self.pooled,
                next_number: self.number,
                ..Surroundings::ALONE
            };
            self.tuner.analyze_within(self.now, &(self.around)(around));
        }
        for event in self.tuner.take_events() {
            self.number = self.number.max(event.tuning.number + 1);
            self.events.push(event);
        }
    }

    fn at(&mut self, hit_rate: f64) -> &mut Self {
        self.hit_rate = hit_rate;
        self
    }

    /// Runs until a tuning starts.
    fn until_started(&mut self) -> &mut Self {
        let before = self.events.len();
        for _ in 0..200 {
            self.run(1);
            if self.events.len() > before {
                return self;
            }
        }
        panic!("no tuning in 200 samples; withheld {:?}", self.withheld());
    }

    fn multiplier(&self) -> f64 {
        self.tuner.parameters().l1_size_multiplier
    }

    fn withheld(&self) -> BTreeMap<&'static str, u64> {
        let (_, counts) = self.tuner.ledger().iter().next().unwrap();
        counts.withheld.iter().map(|(reason, count)| (reason.name(), *count)).collect()
    }

    /// What happened, in short: `started`, `adopted`, an outcome with its reason.
    fn story(&self) -> Vec<String> {
        let tell = |event: &TuningEvent| match (event.kind, &event.tuning, &event.verdict) {
            (EventKind::Started, tuning, _) => format!("{} {}", tuning.origin.name(), tuning.rule),
            (EventKind::Adopted, tuning, _) => tuning.evidence.unwrap().name().to_owned(),
            (EventKind::Judged, _, verdict) => {
                let verdict = verdict.as_ref().unwrap();
                let reason = verdict.judgement.as_ref().map_or("told", |j| j.reason.name());
                let back = if verdict.rolled_back { ", undone" } else { "" };
                format!("{}: {reason}{back}", verdict.outcome.name())
            }
        };
        self.events.iter().map(tell).collect()
    }
}

/// A cache at 0.8 for long, whose hit rate then fell and stayed low, so that it does not look like
/// a dip; a tuning has started.
fn tuned(change: impl Fn(&mut TuningConfig)) -> Cache {
    let mut cache = Cache::new(RULES, |config| {
        config.feedback.hold_samples = 40;
        change(config);
    });
    cache.run(130).at(0.6).until_started();
    cache
}

#[test]
fn a_condition_must_hold_before_anything_is_tuned() {
    let mut cache = Cache::new(RULES, |_| {});
    cache.run(130).at(0.6).run(4);
    assert_eq!(cache.multiplier(), 1.0);
    cache.until_started();
    assert_eq!(cache.multiplier(), 1.5);
    let held = cache.tuner.pending().unwrap().held;
    assert!((5..=10).contains(&held.samples), "{held:?}");
}

#[test]
fn a_gain_is_improved_and_trust_grows() {
    let mut cache = tuned(|_| {});
    cache.tuner.fetch(cache.now);
    cache.at(0.66).run(30);
    assert_eq!(cache.story()[..3], ["auto grow", "fetched", "improved: gain"]);
    assert_eq!(cache.tuner.stats().successful_tunings, 1);
    assert!((cache.tuner.stats().avg_improvement.unwrap() - 0.1).abs() < 0.02);
    let trust = cache.tuner.trust["grow"];
    assert!(trust.posterior.confidence(0.9, cache.now) > 0.9);
    assert_eq!(trust.failures, 0);
}

#[test]
fn the_way_back_from_a_dip_is_no_gain() {
    let mut cache = Cache::new(RULES, |_| {});
    cache.run(130).at(0.6).until_started();
    cache.tuner.fetch(cache.now);
    cache.at(0.8).run(30);
    assert_eq!(cache.story()[2], "inconclusive: healed");
}

#[test]
fn harm_is_undone_to_the_exact_value_and_the_rule_rests_longer() {
    let mut cache = tuned(|_| {});
    cache.tuner.fetch(cache.now);
    cache.at(0.4).run(25);
    assert_eq!(cache.story()[..3], ["auto grow", "fetched", "degraded: early_harm, undone"]);
    assert_eq!(cache.multiplier(), 1.0);
    let (_, counts) = cache.tuner.ledger().iter().next().unwrap();
    assert_eq!((counts.rollbacks, counts.outcomes), (1, [0, 1, 0, 0]));
    assert_eq!(cache.tuner.ledger().reversals().next(), Some((Parameter::L1SizeMultiplier, 1)));
    let trust = cache.tuner.trust["grow"];
    let rest = trust.rests_until.unwrap().saturating_since(cache.tuner.rests_until.unwrap());
    assert_eq!((trust.failures, rest), (1, Duration::from_secs(150)));
}

#[test]
fn what_is_not_taken_over_is_void_and_falls_back() {
    let mut cache = tuned(|_| {});
    assert_eq!(cache.multiplier(), 1.5);
    cache.run(6);
    assert_eq!(cache.story(), ["auto grow", "void: not_adopted"]);
    assert_eq!(cache.multiplier(), 1.0);
    assert_eq!(cache.tuner.stats().success_rate(), None);
}

#[test]
fn a_value_that_the_target_shows_is_taken_over() {
    let mut cache = tuned(|_| {});
    cache.shown = Some(1.0);
    cache.run(1);
    assert_eq!(cache.story(), ["auto grow"]);
    cache.shown = Some(1.509);
    cache.run(1);
    assert_eq!(cache.story(), ["auto grow", "observed"]);
}

#[test]
fn a_change_by_another_hand_is_a_tuning_too() {
    let mut cache = Cache::new(RULES, |_| {});
    cache.shown = Some(1.0);
    cache.run(130);
    cache.shown = Some(2.0);
    cache.run(1);
    assert_eq!(cache.story(), [""; 0]);
    cache.run(1);
    assert_eq!(cache.story(), ["external external"]);
    assert_eq!(cache.multiplier(), 2.0);
    cache.at(0.9).run(30);
    assert_eq!(cache.story(), ["external external", "improved: gain"]);
}

#[test]
fn a_cache_that_knows_its_parameters_and_shows_another_size_has_another_scale() {
    let mut cache = Cache::new(RULES, |_| {});
    cache.shown = Some(1.0);
    cache.run(130);
    cache.shown = Some(0.5);
    cache.run(1);
    assert_eq!(cache.tuner.take_rescaled(), []);
    cache.tuner.fetch(cache.now);
    cache.run(1);
    assert_eq!(cache.tuner.take_rescaled(), [Parameter::L1SizeMultiplier]);
    assert_eq!((cache.story(), cache.multiplier()), (Vec::new(), 1.0));
}

#[test]
fn doing_what_was_recommended_is_a_tuning_by_that_rule() {
    let mut cache = Cache::new(RULES, |config| config.mode = Mode::Advisory);
    cache.shown = Some(1.0);
    cache.run(130).at(0.6).until_started();
    assert_eq!(cache.story(), ["shadow grow"]);
    cache.shown = Some(1.5);
    cache.run(2);
    assert_eq!(cache.story(), ["shadow grow", "void: overlapping", "manual grow"]);
    assert_eq!(cache.multiplier(), 1.5);
}

#[test]
fn a_shadow_changes_nothing_and_is_judged() {
    let mut cache = Cache::new(RULES, |config| config.mode = Mode::Advisory);
    cache.run(130).at(0.6).until_started();
    cache.run(30);
    assert_eq!(cache.story()[0], "shadow grow");
    assert_eq!(cache.multiplier(), 1.0);
    let (_, counts) = cache.tuner.ledger().iter().next().unwrap();
    assert_eq!(counts.shadow_outcomes.iter().sum::<u64>(), 1);
    assert_eq!((counts.outcomes, counts.tunings), ([0; 4], 0));
    assert_eq!(cache.tuner.stats().tuning_operations, 0);
}

#[test]
fn a_shadow_saves_nothing() {
    let cache = tuned(|config| config.mode = Mode::Advisory);
    let saving = |origin, saving| {
        let mut tuning = cache.tuner.pending().unwrap().clone();
        tuning.origin = origin;
        tuning.outlook = Some(Outlook { size_ratio: 1.0, gain: 0.0, error: 0.0, saving });
        cache.tuner.case(&tuning, &[], &[], cache.now).saving
    };
    assert_eq!([saving(Origin::Auto, 0.1), saving(Origin::Auto, -0.1)], [0.1, -0.1]);
    assert_eq!([saving(Origin::Shadow, 0.1), saving(Origin::Shadow, -0.1)], [0.0, -0.1]);
}

/// Holds the reason for which a recommendation is withheld to `want`.
#[track_caller]
fn check_withheld(
    change: impl Fn(&mut TuningConfig),
    around: fn(Surroundings<'_>) -> Surroundings<'_>,
    want: &str,
) {
    let mut cache = Cache::new(RULES, change);
    cache.around = around;
    cache.run(130).at(0.6).run(20);
    assert!(cache.withheld().contains_key(want), "{want} in {:?}", cache.withheld());
    assert_eq!(cache.multiplier(), 1.0, "{want}");
}

#[test]
fn every_guard_says_why() {
    let as_is: fn(Surroundings<'_>) -> Surroundings<'_> = |around| around;
    check_withheld(|config| config.feedback.hold_samples = 60, as_is, "held");
    check_withheld(|config| config.min_confidence_for_auto_tuning = 0.95, as_is, "confidence");
    check_withheld(|config| config.mode = Mode::Advisory, as_is, "advisory");
    check_withheld(|config| config.feedback.dead_band = 0.6, as_is, "dead_band");
    check_withheld(|config| config.feedback.shadow_share = 1.0, as_is, "advisory");
    check_withheld(|_| {}, |around| Surroundings { has_turn: false, ..around }, "pending");
    check_withheld(|_| {}, |around| Surroundings { is_frozen: true, ..around }, "frozen");
    check_withheld(|_| {}, |around| Surroundings { is_breaker_open: true, ..around }, "breaker");
}

#[test]
fn a_pending_tuning_and_the_rest_after_it_keep_others_out() {
    let mut cache = tuned(|_| {});
    cache.tuner.fetch(cache.now);
    cache.at(0.65).run(10);
    assert!(cache.withheld().contains_key("pending"), "{:?}", cache.withheld());
    cache.run(15);
    assert!(cache.withheld().contains_key("cooldown"), "{:?}", cache.withheld());
}

#[test]
fn a_restart_makes_the_tuning_void_and_freezes_for_a_window() {
    let mut cache = tuned(|config| config.performance_window_size = 30);
    cache.tuner.fetch(cache.now);
    cache.run(3);
    cache.tuner.restart(cache.now);
    cache.run(15);
    assert_eq!(cache.story()[2], "void: restarted");
    cache.run(5);
    assert!(cache.withheld().contains_key("frozen"), "{:?}", cache.withheld());
}

#[test]
fn an_outcome_told_from_elsewhere_ends_the_tuning() {
    let mut cache = tuned(|_| {});
    cache.tuner.fetch(cache.now);
    assert!(cache.tuner.report_outcome("grow", Outcome::Degraded, None, cache.now));
    cache.run(1);
    assert_eq!(cache.story()[2], "degraded: told, undone");
    assert!(!cache.tuner.report_outcome("nobody", Outcome::Improved, None, cache.now));
}

#[test]
fn a_hand_may_put_a_recommendation_in_force() {
    let mut cache = Cache::new(RULES, |config| config.mode = Mode::Advisory);
    cache.run(130).at(0.6).run(12);
    assert_eq!(cache.tuner.force("nobody", cache.now, 9), Err(Refusal::NotRecommended));
    let tuning = cache.tuner.force("grow", cache.now, 9).unwrap();
    assert_eq!((tuning.origin, tuning.to), (Origin::Manual, 1.5));
    assert_eq!(cache.multiplier(), 1.5);
    assert_eq!(cache.tuner.force("grow", cache.now, 10), Err(Refusal::NotRecommended));
}

#[test]
fn a_restarted_program_goes_on_where_it_was() {
    for samples in [0, 2, 9, 14, 23, 31] {
        let mut plain = tuned(|_| {});
        plain.tuner.fetch(plain.now);
        plain.at(0.5).run(samples);
        plain.events.extend(plain.tuner.take_events());
        let document = serde_json::to_string(&plain.tuner.save()).unwrap();
        let saved: SavedTuner = serde_json::from_str(&document).unwrap();
        let kept: Vec<Sample> = plain.tuner.track().iter().collect();
        let mut again = tuned(|_| {});
        again.at(0.5);
        (again.now, again.number) = (plain.now, plain.number);
        again.events = plain.events.clone();
        let (rules, tunable) = (Arc::clone(&plain.tuner.rules), plain.tuner.tunable.clone());
        let config = *plain.tuner.config();
        again.tuner = AdaptiveTuner::restored(config, rules, tunable, saved, &kept);
        assert_eq!(again.tuner.history().len(), plain.tuner.history().len());
        plain.run(30);
        again.run(30);
        assert_eq!(again.story(), plain.story(), "after {samples} samples");
        assert_eq!(again.tuner.save(), plain.tuner.save(), "after {samples} samples");
    }
}

#[test]
fn an_effect_that_nobody_can_see_is_inconclusive_or_useless() {
    let mut cache = tuned(|_| {});
    cache.tuner.fetch(cache.now);
    cache.run(30);
    let outcome = &cache.story()[2];
    assert!(outcome.starts_with("inconclusive") || outcome.contains("no_benefit"), "{outcome}");
    let reasons = [Reason::NoBenefit, Reason::Undecided];
    let verdict = cache.events[2].verdict.as_ref().unwrap();
    let judgement = verdict.judgement.as_ref().unwrap();
    assert!(reasons.contains(&judgement.reason));
    assert!(judgement.minimum_detectable_effect.unwrap() > 0.0);
}
