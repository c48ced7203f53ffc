//! What the alert `CacheTunerTuningsFailing` promises, by exact sums over binomial distributions.
//!
//! It fires where the upper bound of Wilson's interval, one-sided at 90 %, is below 0.6. A failing
//! tuner is caught by the bound alone. A healthy one is below it more often than once in a hundred
//! at three counts, since so few tunings leave a choice between missing too much and alarming too
//! often; asking for a failure in the last two hours keeps the alert itself under that.

use std::fs;

use cache_tuner_exporter::stats::normal_quantile;
use cache_tuner_exporter::stats::wilson;

use crate::support::dashboard;
use crate::support::dashboard::repository_path;

/// Where the alert's bound has to be below.
const LIMIT: f64 = 0.6;

/// One-sided confidence of the bound.
const CONFIDENCE: f64 = 0.9;

/// Fewest judged tunings of a day, and the most that are tried here.
const JUDGED_MIN: u64 = 3;
const JUDGED_MAX: u64 = 200;

/// Success ratios of a tuner that is well and of one that is not.
const HEALTHY: f64 = 0.8;
const FAILING: f64 = 0.15;

/// How often the one may be alarmed about, and the other has to be, from how many judged on. The
/// latter is what is said to be 84 %: 5 tunings with at most one improved, 0.8352.
const FALSE_MAX: f64 = 0.01;
const CAUGHT_MIN: f64 = 0.835;
const CAUGHT_FROM: u64 = 5;

/// The share of a day in which the newest failure has to lie.
const RECENT_SHARE: f64 = 2.0 / 24.0;

/// The bound as the crate has it.
#[track_caller]
fn bound(improved: u64, judged: u64) -> f64 {
    wilson(improved, judged, CONFIDENCE).expect("some are judged").upper
}

fn is_low(improved: u64, judged: u64) -> bool {
    bound(improved, judged) < LIMIT
}

/// P(`improved` of `judged`) for a success ratio `p`.
fn probability(improved: u64, judged: u64, p: f64) -> f64 {
    let ways = (0..improved).map(|i| (judged - i) as f64 / (improved - i) as f64);
    let each = ways.map(|ways| ways * p).product::<f64>();
    each * (0..judged - improved).map(|_| 1.0 - p).product::<f64>()
}

/// How often the bound of so many judged tunings is low.
fn share_low(judged: u64, p: f64) -> f64 {
    let low = (0..=judged).filter(|&improved| is_low(improved, judged));
    low.map(|improved| probability(improved, judged, p)).sum()
}

/// For how much of the time the alert is there: low, and one of the failures in the last two hours,
/// with judgements at any time of the day.
fn share_alerting(judged: u64, p: f64) -> f64 {
    let low = (0..=judged).filter(|&improved| is_low(improved, judged));
    let shares = low.map(|improved| {
        let none_recent: f64 = (improved..judged).map(|_| 1.0 - RECENT_SHARE).product();
        probability(improved, judged, p) * (1.0 - none_recent)
    });
    shares.sum()
}

#[test]
fn probabilities_add_up() {
    for judged in 1..=JUDGED_MAX {
        for p in [FAILING, HEALTHY] {
            let sum: f64 = (0..=judged).map(|improved| probability(improved, judged, p)).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{judged} at {p}: {sum}");
        }
    }
}

#[test]
fn the_formula_of_the_rule_is_wilson_s() {
    // The constants as they stand in the rule, with 13 decimals.
    let [z, square, half, quarter] =
        [1.281_551_565_544_6, 1.642_374_415_149_8, 0.821_187_207_574_9, 0.410_593_603_787_45];
    let exact = normal_quantile(CONFIDENCE);
    for (constant, want) in [
        (z, exact),
        (square, exact * exact),
        (half, exact * exact / 2.0),
        (quarter, exact * exact / 4.0),
    ] {
        assert!((constant - want).abs() < 1e-12, "{constant} is {want}");
    }
    let queries = dashboard::alert_queries();
    let rule = queries.iter().find(|query| query.place.contains("wilson90_upper1d"));
    let expr = &rule.expect("the bound is recorded").expr;
    for constant in [z, square, half, quarter] {
        assert!(expr.contains(&constant.to_string()), "{constant} in {expr}");
    }
    for judged in 1..=JUDGED_MAX {
        for improved in 0..=judged {
            let (k, n) = (improved as f64, judged as f64);
            let rule = (k + half + z * (k * (n - k) / n + quarter).sqrt()) / (n + square);
            let want = bound(improved, judged);
            assert!((rule - want).abs() < 1e-12, "{improved} of {judged}: {rule}, not {want}");
        }
    }
}

#[test]
fn what_prometheus_records_is_wilson_s() {
    // `labels: '{job="cache-tuner", instance="1 and 3"}', value: 0.5675`: improved and degraded.
    let path = repository_path("rules/prometheus/alerts_failing_test.yaml");
    let text = fs::read_to_string(path).expect("the tests of the alerts can be read");
    let mut pins = 0;
    for line in text.lines().filter(|line| !line.contains("ALERTS")) {
        let Some((_, pin)) = line.split_once(r#"{labels: '{job="cache-tuner", instance=""#) else {
            continue;
        };
        let (counts, rest) = pin.split_once('"').expect("a label ends");
        let (improved, degraded) = counts.split_once(" and ").expect("two counts");
        let (improved, degraded): (u64, u64) =
            (improved.parse().expect("a count"), degraded.parse().expect("a count"));
        let value = rest.trim_start_matches("}', value: ").trim_end_matches('}');
        assert_eq!(value, format!("{:.4}", bound(improved, improved + degraded)), "{counts}");
        pins += 1;
    }
    assert!(pins >= 20, "{pins} bounds are held");
}

#[test]
fn a_failing_tuner_is_caught() {
    let shares = (CAUGHT_FROM..=JUDGED_MAX).map(|judged| share_low(judged, FAILING));
    for (judged, share) in (CAUGHT_FROM..).zip(shares) {
        assert!(share >= CAUGHT_MIN, "{share} at {judged}");
    }
    // Fewer tell less.
    let early: Vec<String> =
        [3, 4, 5].iter().map(|&judged| format!("{:.4}", share_low(judged, FAILING))).collect();
    assert_eq!(early, ["0.6141", "0.8905", "0.8352"]);
}

#[test]
fn a_healthy_tuner_has_the_alert_under_a_hundredth_of_the_time() {
    for judged in JUDGED_MIN..=JUDGED_MAX {
        let share = share_alerting(judged, HEALTHY);
        assert!(share < FALSE_MAX, "{share} at {judged}");
    }
}

#[test]
fn a_healthy_tuner_has_a_low_bound_more_often_at_three_counts_alone() {
    let often = (JUDGED_MIN..=JUDGED_MAX).filter_map(|judged| {
        let share = share_low(judged, HEALTHY);
        (share >= FALSE_MAX).then(|| format!("{judged}: {share:.4}"))
    });
    assert_eq!(often.collect::<Vec<_>>(), ["4: 0.0272", "6: 0.0170", "8: 0.0104"]);
}

/// So neither another limit nor another confidence would do better on both.
#[test]
fn no_number_of_successes_out_of_six_tells_both_apart_that_well() {
    const JUDGED: u64 = 6;
    for most in 0..=JUDGED {
        let share = |p| (0..=most).map(|improved| probability(improved, JUDGED, p)).sum::<f64>();
        let (false_share, caught) = (share(HEALTHY), share(FAILING));
        assert!(
            false_share >= FALSE_MAX || caught < CAUGHT_MIN,
            "{most} of {JUDGED}: {false_share}, {caught}"
        );
    }
}
