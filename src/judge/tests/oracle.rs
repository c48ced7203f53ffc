//! Each vote against an independent implementation: `tests/differential/statistics.py`.

use serde::Deserialize;

use crate::judge::forecast;
use crate::judge::placebo;
use crate::judge::placebo::Shape;
use crate::judge::tests::at;
use crate::judge::vote::Margins;
use crate::judge::vote::Vote;
use crate::judge::welch;
use crate::stats;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Oracle {
    history: Vec<f64>,
    after: Vec<f64>,
    before_samples: usize,
    skip: usize,
    alpha: f64,
    welch: ToldWelch,
    placebo: ToldPlacebo,
    forecast: ToldForecast,
}

#[derive(Deserialize)]
struct ToldWelch {
    effect: f64,
    rho: f64,
    df: f64,
    se: f64,
    critical: f64,
}

#[derive(Deserialize)]
struct ToldPlacebo {
    count: usize,
    centre: f64,
    scale: f64,
    df: f64,
    critical: f64,
}

#[derive(Deserialize)]
struct ToldForecast {
    q: f64,
    effect: f64,
    se: f64,
    critical: f64,
}

/// No margin, so that the vote shows the critical value.
const MARGINS: Margins = Margins { gain: 0.0, loss: 0.0, saving: 0.0 };

fn oracle() -> Vec<Oracle> {
    serde_json::from_str(include_str!("../../../tests/differential/judge.json")).unwrap()
}

#[track_caller]
fn check(got: f64, want: f64, what: &str) {
    assert!((got - want).abs() < 1e-9, "{what}: {got}, SciPy says {want}");
}

#[track_caller]
fn check_vote(vote: Vote, effect: f64, reach: f64) {
    let is_certain = effect.abs() > reach;
    assert_eq!(vote != Vote::Abstain, is_certain, "{effect} ± {reach}");
}

#[test]
fn welch_test_is_the_independent_one() {
    for case in oracle() {
        let before = &case.history[case.history.len() - case.before_samples..];
        let got = welch::welch(before, &case.after, case.alpha, MARGINS).unwrap();
        check(got.effect, case.welch.effect, "effect");
        check(got.autocorrelation, case.welch.rho, "autocorrelation");
        check(got.standard_error, case.welch.se, "standard error");
        check(got.degrees, case.welch.df, "degrees");
        check_vote(got.vote, case.welch.effect, case.welch.critical * case.welch.se);
    }
}

#[test]
fn placebos_are_the_independent_ones() {
    for case in oracle() {
        let Oracle { history, after, alpha, placebo: want, .. } = &case;
        let times: Vec<_> = (0..history.len()).map(at).collect();
        let shape = Shape { before: case.before_samples, skip: case.skip, after: after.len() };
        let spread = placebo::spread(history, &times, shape, &[]).unwrap();
        assert_eq!(spread.count, want.count);
        check(spread.centre, want.centre, "centre");
        check(spread.scale, want.scale, "scale");
        check(spread.degrees, want.df, "degrees");
        let got = placebo::placebo(spread, case.welch.effect, *alpha, MARGINS);
        check_vote(got.vote, case.welch.effect - want.centre, want.critical * want.scale);
        let critical = stats::student_quantile(0.95, want.df) + 0.84;
        check(placebo::detectable(spread.scale, spread.degrees), critical * want.scale, "MDE");
    }
}

#[test]
fn forecast_is_that_of_least_squares() {
    for case in oracle() {
        let horizons: Vec<f64> =
            (0..case.after.len()).map(|place| (case.skip + place + 1) as f64).collect();
        let got =
            forecast::forecast(&case.history, &case.after, &horizons, (case.alpha, 0.0)).unwrap();
        check(got.step_ratio, case.forecast.q, "step ratio");
        check(got.effect, case.forecast.effect, "effect");
        check(got.standard_error, case.forecast.se, "standard error");
        check_vote(got.vote, case.forecast.effect, case.forecast.critical * case.forecast.se);
    }
}
