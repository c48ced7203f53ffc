//! How often the judge is wrong, on series whose truth is known.
//!
//! A job of four caches: each hit rate is a level, a common autoregressive process, and one of its
//! own. The tests hold the judge to fixed seeds, so they are exact.

use crate::judge::tests::at;
use crate::judge::tests::case;
use crate::judge::tests::track;
use crate::judge::*;
use crate::outcome::Outcome;
use crate::sim::rng;
use crate::sim::rng::SplitMix64;

const HISTORY: usize = 180;
const RUNS: u64 = 100;

/// Autoregression of first order.
#[derive(Clone, Copy)]
struct Process {
    memory: f64,
    shock: f64,
}

const COMMON: Process = Process { memory: 0.8, shock: 0.008 };
const OWN: Process = Process { memory: 0.5, shock: 0.004 };

impl Process {
    fn draw(self, rng: &mut SplitMix64, length: usize) -> Vec<f64> {
        let mut value = 0.0;
        let mut series = Vec::new();
        for _ in 0..length + 50 {
            value = self.memory * value + self.shock * normal(rng);
            series.push(value);
        }
        series.split_off(50)
    }
}

/// Twelve uniform draws: normal as far as the tests can see.
fn normal(rng: &mut SplitMix64) -> f64 {
    (0..12).map(|_| (rng.draw() >> 11) as f64 / (1_u64 << 53) as f64).sum::<f64>() - 6.0
}

/// The hit rates of a job's caches; the first gains `effect` after the history.
fn job(seed: u64, effect: f64) -> Vec<Vec<f64>> {
    let mut rng = SplitMix64::new(rng::fork_seed(seed, 77));
    let length = HISTORY + 2 + 20;
    let common = COMMON.draw(&mut rng, length);
    (0..4)
        .map(|cache| {
            let own = OWN.draw(&mut rng, length);
            let gain = |step| if cache == 0 && step >= HISTORY { effect } else { 0.0 };
            (0..length).map(|step| 0.7 + common[step] + own[step] + gain(step)).collect()
        })
        .collect()
}

/// The outcome after as many looks as are needed.
fn outcome(case: &Case<'_>) -> Outcome {
    let mut planned = [Look::First, Look::Last].into_iter();
    planned.find_map(|look| judge(case, look).outcome).unwrap()
}

/// Shares of improved and degraded among the runs.
fn shares(effect: f64, controls: usize) -> (f64, f64) {
    let (mut improved, mut degraded) = (0_u32, 0_u32);
    for seed in 0..RUNS {
        let tracks: Vec<Track> =
            job(seed, effect).iter().map(|values| track(Signal::HitRate, values)).collect();
        let siblings: Vec<&Track> = tracks[1..=controls].iter().collect();
        match outcome(&case(&tracks[0], &siblings, HISTORY)) {
            Outcome::Improved => improved += 1,
            Outcome::Degraded => degraded += 1,
            Outcome::Inconclusive | Outcome::Void => {}
        }
    }
    (f64::from(improved) / RUNS as f64, f64::from(degraded) / RUNS as f64)
}

#[test]
fn a_tuning_without_effect_is_seldom_a_success() {
    for controls in [3, 0] {
        let (improved, degraded) = shares(0.0, controls);
        println!("no effect, {controls} controls: improved {improved}, degraded {degraded}");
        assert!(improved <= 0.05, "{controls} controls: {improved}");
    }
}

#[test]
fn a_clear_gain_is_found_with_controls() {
    let (improved, degraded) = shares(0.03, 3);
    println!("gain: improved {improved}, degraded {degraded}");
    assert!(improved >= 0.8, "{improved}");
    assert!(degraded <= 0.02, "{degraded}");
}

#[test]
fn a_clear_loss_is_found_with_controls() {
    let (improved, degraded) = shares(-0.03, 3);
    println!("loss: improved {improved}, degraded {degraded}");
    assert!(degraded >= 0.8, "{degraded}");
    assert!(improved <= 0.02, "{improved}");
}

#[test]
fn a_tuning_at_a_dip_is_no_success() {
    // The rule fires at the deepest dip of the second half, and the condition is not held.
    let (mut improved, mut runs) = (0, 0);
    for seed in 0..RUNS {
        let tracks: Vec<Track> =
            job(seed, 0.0).iter().map(|values| track(Signal::HitRate, values)).collect();
        let values: Vec<f64> =
            tracks[0].iter().filter_map(|sample| sample.value(Signal::HitRate)).collect();
        let dip = (130..HISTORY).min_by(|a, b| values[*a].total_cmp(&values[*b])).unwrap();
        let siblings: Vec<&Track> = tracks[1..].iter().collect();
        let mut case = case(&tracks[0], &siblings, dip + 1);
        case.now = at(dip + 24);
        improved += u32::from(outcome(&case) == Outcome::Improved);
        runs += 1;
    }
    println!("dips: improved {improved} of {runs}");
    assert!(f64::from(improved) / f64::from(runs) <= 0.05, "{improved} of {runs}");
}
