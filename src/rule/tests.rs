//! Rule files and what their rules recommend, written as text.

use std::time::Duration;

use super::*;
use crate::diag::SourceFile;
use crate::diag::render;
use crate::snapshot::Window;
use crate::tuning_config::Mode;
use crate::units::Timestamp;

fn rules(text: &str) -> RuleSet {
    match load(&[SourceFile::new("r.yaml", text)]) {
        Ok((rules, _)) => rules,
        Err(faults) => panic!("{}", render::render(&faults, render::Format::Full, false)),
    }
}

/// The verdict of a rule with that condition and change over hit rates (`_` is absent).
#[track_caller]
fn check(when: &str, tune: &str, hit_rates: &str, want: Verdict) {
    let text = format!(
        "groups:\n- name: g\n  rules:\n  - rule: r\n    when: {when}\n    tune: {{{tune}}}\n    \
         confidence: 0.8\n    reason: because\n    min_samples: 2\n"
    );
    let mut window = Window::new(100);
    for value in hit_rates.split_whitespace() {
        let value = value.parse().ok();
        let value = |signal| value.filter(|_| signal == Signal::HitRate);
        window.push(Timestamp::from_millis(0), true, value);
    }
    let parameters = TuningParameters { l1_size_multiplier: 2.0, ..TuningParameters::default() };
    let config = TuningConfig::default();
    let history = History::newest_of(&window, 100);
    let situation = Situation { history, parameters: &parameters, config: &config, sizes: None };
    assert_eq!(rules(&text).find("r").unwrap().verdict(&situation), want, "{when}");
}

const GROW: &str = "parameter: l1_size_multiplier, multiply: 1.5";

#[test]
fn a_rule_fires_only_when_its_condition_is_true() {
    check("hit_rate < 0.5", GROW, "0.9 0.4", Verdict::Recommends(3.0));
    check("hit_rate < 0.5", GROW, "0.4 0.9", Verdict::Quiet);
    check("hit_rate < 0.5", GROW, "0.4", Verdict::Quiet);
    check(
        "hit_rate < target_hit_rate and samples() == 2",
        GROW,
        "0.4 0.4",
        Verdict::Recommends(3.0),
    );
    check("l1_size_multiplier < 2", GROW, "0.4 0.4", Verdict::Quiet);
}

#[test]
fn an_absent_value_is_no_data_unless_it_does_not_matter() {
    check("hit_rate < 0.5", GROW, "0.4 _", Verdict::NoData);
    check("mean(hit_rate) < 0.5", GROW, "0.4 _", Verdict::Recommends(3.0));
    check("mean(hit_rate) < 0.5", GROW, "0.4 _ _", Verdict::NoData);
    check("hit_rate < 0.5 and samples() > 9", GROW, "0.4 _", Verdict::Quiet);
}

#[test]
fn a_parameter_at_its_limit_is_left_alone() {
    let tune = |rest: &str| format!("parameter: l1_size_multiplier, {rest}");
    check("hit_rate < 1", &tune("multiply: 1.5, max: 2.5"), "0 0", Verdict::Recommends(2.5));
    check("hit_rate < 1", &tune("multiply: 1.5, max: 2.0"), "0 0", Verdict::AtLimit);
    // Above the rule's limit already: it must not shrink what it wants to grow.
    check("hit_rate < 1", &tune("multiply: 1.5, max: 1.5"), "0 0", Verdict::AtLimit);
    check("hit_rate < 1", &tune("multiply: 0.5, min: 2.0"), "0 0", Verdict::AtLimit);
    check("hit_rate < 1", &tune("set: 2"), "0 0", Verdict::AtLimit);
    check("hit_rate < 1", &tune("set: 1"), "0 0", Verdict::Recommends(1.0));
    check("hit_rate < 1", &tune("multiply: 99"), "0 0", Verdict::Recommends(100.0));
}

#[test]
fn whole_parameters_move_in_whole_steps() {
    let tune = |rest: &str| format!("parameter: promotion_threshold, {rest}");
    check("hit_rate < 1", &tune("multiply: 1.1"), "0 0", Verdict::Recommends(4.0));
    check("hit_rate < 1", &tune("multiply: 0.9"), "0 0", Verdict::Recommends(2.0));
    check("hit_rate < 1", &tune("add: -5"), "0 0", Verdict::Recommends(1.0));
}

#[test]
fn thresholds_may_be_overridden() {
    let (name, text) = BUILT_IN;
    let (rules, warnings) = load(&[SourceFile::new(name, text)]).unwrap();
    assert!(warnings.is_empty());
    assert_eq!(rules.len(), 5);
    let decline = BTreeMap::from([("decline".to_owned(), 0.02)]);
    let changed =
        rules.with_thresholds(&BTreeMap::from([("hit_rate_declining".to_owned(), decline)]));
    let value =
        |rules: &RuleSet| rules.find("hit_rate_declining").unwrap().thresholds[0].value.to_string();
    assert_eq!([value(&rules), value(&changed)], ["0.05", "0.02"]);
}

/// The rule of that text, which has the keys that every rule needs but for `tune`, and no warning.
#[track_caller]
fn rule_of(keys: &str) -> Rule {
    let text = format!(
        "groups:\n- name: g\n  rules:\n  - rule: r\n    when: samples() >= 10\n    \
         confidence: 0.8\n    reason: because\n    {keys}\n"
    );
    let (rules, warnings) = load(&[SourceFile::new("r.yaml", text)]).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    rules.find("r").unwrap().clone()
}

#[test]
fn a_best_size_has_a_price_and_a_step() {
    let check = |tune: &str, goal, step: f64| {
        let rule = rule_of(&format!("thresholds: {{price: 0.08}}\n    tune: {{{tune}}}"));
        assert_eq!(rule.tune.change, Change::BestSize(BestSize { goal, step }), "{tune}");
        assert_eq!(rule.price().to_string(), "0.08");
    };
    check("parameter: l1_size_multiplier, best_size: increase", Goal::Increase, 1.5);
    check("parameter: l2_size_multiplier, best_size: decrease, step: 2", Goal::Decrease, 2.0);
    check("parameter: l2_size_multiplier, best_size: decrease, step: 10", Goal::Decrease, 10.0);
}

#[test]
fn a_price_may_stand_unused_beside_any_change_of_a_size() {
    let rule = rule_of("thresholds: {price: 0}\n    tune: {parameter: l1_size_multiplier, add: 1}");
    assert_eq!(rule.thresholds.len(), 1);
}

#[test]
fn a_rule_says_of_guards_what_is_written_and_no_more() {
    let tune = "tune: {parameter: ttl_multiplier, set: 1}";
    let check = |keys: &str, want| {
        assert_eq!(rule_of(&format!("{tune}\n    {keys}")).feedback, want, "{keys}");
    };
    let nothing = FeedbackOverrides::default();
    check("", nothing);
    check("feedback: {}", nothing);
    check("mode: advisory", FeedbackOverrides { mode: Some(Mode::Advisory), ..nothing });
    check(
        "feedback: {min_confidence_for_auto_tuning: 0.7, hold_samples: 60, cooldown_max: 12h}",
        FeedbackOverrides {
            min_confidence_for_auto_tuning: Some(0.7),
            hold_samples: Some(60),
            cooldown_max: Some(Duration::from_secs(12 * 3600)),
            ..nothing
        },
    );
    check(
        "feedback: {hold_samples_shrink: 1, cooldown_samples: 0, dead_band: 0, shadow_share: 1}",
        FeedbackOverrides {
            hold_samples_shrink: Some(1),
            cooldown_samples: Some(0),
            dead_band: Some(0.0),
            shadow_share: Some(1.0),
            ..nothing
        },
    );
}
