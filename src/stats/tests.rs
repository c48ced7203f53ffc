//! Held to SciPy: `tests/differential/statistics.py` made the results that are read here.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Oracle {
    student_cdf: Vec<StudentCdf>,
    student_quantile: Vec<StudentQuantile>,
    normal_quantile: Vec<NormalQuantile>,
    samples: Vec<Sample>,
    wilson: Vec<Wilson>,
}

#[derive(Deserialize)]
struct StudentCdf {
    df: f64,
    t: f64,
    cdf: f64,
}

#[derive(Deserialize)]
struct StudentQuantile {
    df: f64,
    p: f64,
    t: f64,
}

#[derive(Deserialize)]
struct NormalQuantile {
    p: f64,
    z: f64,
}

#[derive(Deserialize)]
struct Sample {
    values: Vec<f64>,
    other: Vec<f64>,
    mean: f64,
    variance: f64,
    median: f64,
    mad: f64,
    running_median_3: Vec<f64>,
    lag_one: Option<f64>,
    correlation: Option<f64>,
}

#[derive(Deserialize)]
struct Wilson {
    successes: u64,
    trials: u64,
    confidence: f64,
    lower: f64,
    upper: f64,
}

fn oracle() -> Oracle {
    serde_json::from_str(include_str!("../../tests/differential/statistics.json")).unwrap()
}

/// Within 10⁻⁹, relative where the value is large.
#[track_caller]
fn check(got: impl Into<Option<f64>>, want: impl Into<Option<f64>>, what: &str) {
    let (got, want) = (got.into(), want.into());
    match (got, want) {
        (Some(got), Some(want)) => {
            let error = (got - want).abs() / want.abs().max(1.0);
            assert!(error < 1e-9, "{what}: {got}, SciPy says {want}");
        }
        _ => assert_eq!(got, want, "{what}"),
    }
}

#[test]
fn student_distribution_is_scipys() {
    for StudentCdf { df, t, cdf } in oracle().student_cdf {
        check(student_cdf(t, df), cdf, &format!("P(T ≤ {t}) at {df}"));
    }
    for StudentQuantile { df, p, t } in oracle().student_quantile {
        check(student_quantile(p, df), t, &format!("quantile {p} at {df}"));
    }
}

#[test]
fn student_quantile_inverts_the_distribution() {
    for df in [1.0, 1.5, 3.7, 20.0, 300.0] {
        for hundredth in 1..100 {
            let p = f64::from(hundredth) / 100.0;
            check(student_cdf(student_quantile(p, df), df), p, "there and back");
        }
    }
}

#[test]
fn arguments_out_of_range_are_cut() {
    assert!(student_quantile(0.0, 5.0).is_finite());
    assert!(student_quantile(1.0, 5.0).is_finite());
    check(student_quantile(0.9, 0.1), student_quantile(0.9, 1.0), "too few degrees");
    assert!(normal_quantile(0.0).is_finite() && normal_quantile(1.0).is_finite());
}

#[test]
fn normal_quantile_is_scipys() {
    for NormalQuantile { p, z } in oracle().normal_quantile {
        check(normal_quantile(p), z, &format!("quantile {p}"));
    }
}

#[test]
fn descriptions_are_numpys_and_scipys() {
    for sample in oracle().samples {
        let values = &sample.values;
        check(mean(values), sample.mean, "mean");
        check(variance(values), sample.variance, "variance");
        check(median(values), sample.median, "median");
        check(median_absolute_deviation(values), sample.mad, "MAD");
        check(lag_one_autocorrelation(values), sample.lag_one, "lag one");
        check(correlation(values, &sample.other), sample.correlation, "correlation");
        for (got, want) in running_median_3(values).into_iter().zip(sample.running_median_3) {
            check(got, want, "running median");
        }
    }
}

#[test]
fn what_has_no_value_is_absent() {
    assert_eq!(mean(&[]), None);
    assert_eq!(variance(&[1.0]), None);
    assert_eq!(median(&[]), None);
    assert_eq!(median_absolute_deviation(&[]), None);
    assert_eq!(lag_one_autocorrelation(&[2.0, 2.0]), None);
    assert_eq!(correlation(&[1.0, 2.0], &[3.0, 3.0]), None);
    assert_eq!(correlation(&[1.0, 2.0], &[3.0]), None);
    assert_eq!(running_median_3(&[]), [] as [f64; 0]);
    assert_eq!(wilson(0, 0, 0.9), None);
}

#[test]
fn wilson_bounds_are_scipys() {
    for case in oracle().wilson {
        let got = wilson(case.successes, case.trials, case.confidence).unwrap();
        check(got.lower, case.lower, "lower bound");
        check(got.upper, case.upper, "upper bound");
    }
}
