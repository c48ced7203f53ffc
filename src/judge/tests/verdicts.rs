//! Each outcome with its reason, and the symmetries that hold whatever the numbers are.

use proptest::prelude::*;

use crate::judge::tests::at;
use crate::judge::tests::case;
use crate::judge::tests::track;
use crate::judge::*;
use crate::outcome::Outcome;
use crate::sim::rng;
use crate::snapshot::PerformanceSnapshot;

const HISTORY: usize = 150;

/// Hit rates with a little noise, that step by `effect` after `history` samples.
fn hit_rates(seed: u64, history: usize, effect: f64) -> Vec<f64> {
    let value = |step: usize| {
        let gain = if step >= history { effect } else { 0.0 };
        0.7 + gain + 0.004 * rng::jitter(seed, step as u64)
    };
    (0..history + 22).map(value).collect()
}

fn hit_rate_track(effect: f64) -> Track {
    track(Signal::HitRate, &hit_rates(1, HISTORY, effect))
}

#[track_caller]
fn check(case: &Case<'_>, look: Look, reason: Reason) {
    let judgement = judge(case, look);
    assert_eq!(judgement.reason, reason, "{judgement:?}");
    assert_eq!(judgement.outcome, reason.outcome());
}

#[test]
fn effects_are_called_by_their_name() {
    let kinds = [Kind::Growth, Kind::Shrink, Kind::Other];
    for (effect, reason) in [(0.05, Reason::Gain), (-0.05, Reason::Harm)] {
        let track = hit_rate_track(effect);
        for kind in kinds {
            check(&Case { kind, ..case(&track, &[], HISTORY) }, Look::First, reason);
        }
    }
    let track = hit_rate_track(0.0);
    for kind in kinds {
        check(&Case { kind, ..case(&track, &[], HISTORY) }, Look::First, Reason::Waiting);
        check(&Case { kind, ..case(&track, &[], HISTORY) }, Look::Last, Reason::NoBenefit);
    }
}

#[test]
fn numbers_explain_the_verdict() {
    let track = hit_rate_track(0.05);
    let judgement = judge(&case(&track, &[], HISTORY), Look::First);
    assert_eq!(judgement.outcome, Some(Outcome::Improved));
    assert!((judgement.effect.unwrap() - 0.05).abs() < 0.005);
    assert!((judgement.improvement.unwrap() - 0.05 / 0.7).abs() < 0.01);
    assert!((judgement.before.unwrap() - 0.7).abs() < 0.005);
    assert!((judgement.after.unwrap() - 0.75).abs() < 0.005);
    assert!(judgement.minimum_detectable_effect.unwrap() < 0.05);
    assert_eq!(judgement.votes.unwrap().forecast.unwrap().vote, Vote::Better);
    assert_eq!(judgement.control_weight, None);
}

#[test]
fn harm_is_called_early_and_gain_is_not() {
    let harmful = hit_rate_track(-0.05);
    check(&case(&harmful, &[], HISTORY), Look::Early, Reason::EarlyHarm);
    let helpful = hit_rate_track(0.05);
    check(&case(&helpful, &[], HISTORY), Look::Early, Reason::Waiting);
}

#[test]
fn a_saving_moves_the_effect() {
    // Of a hit rate, the saving, and what follows.
    for (effect, saving, reason) in [
        (-0.04, 0.0, Reason::Harm),
        (-0.04, 0.04, Reason::NoBenefit),
        (-0.04, 0.08, Reason::Gain),
        (0.0, 0.04, Reason::Gain),
        (0.04, -0.04, Reason::NoBenefit),
        (0.04, -0.08, Reason::Harm),
    ] {
        let track = hit_rate_track(effect);
        check(&Case { saving, ..case(&track, &[], HISTORY) }, Look::Last, reason);
    }
}

#[test]
fn short_histories_say_little() {
    let of = |history, effect| track(Signal::HitRate, &hit_rates(1, history, effect));
    let short = of(59, 0.2);
    check(&case(&short, &[], 59), Look::First, Reason::HistoryTooShort);
    // δ is 0.01; one vote needs three times that.
    for (effect, reason) in [(0.06, Reason::Gain), (0.025, Reason::Undecided)] {
        let middle = of(100, effect);
        let judgement = judge(&case(&middle, &[], 100), Look::Last);
        assert_eq!(judgement.reason, reason);
        assert_eq!(judgement.votes.unwrap().forecast, None);
    }
}

#[test]
fn what_cannot_be_judged_is_void() {
    let calm = hit_rate_track(0.05);
    let usual = case(&calm, &[], HISTORY);
    check(&Case { adopted_at: None, ..usual }, Look::First, Reason::NotAdopted);
    let during = [Span { start: at(HISTORY + 5), end: at(HISTORY + 6) }];
    check(&Case { others: &during, ..usual }, Look::First, Reason::Overlapping);
    let before = [Span { start: at(50), end: at(55) }];
    check(&Case { others: &before, ..usual }, Look::First, Reason::Gain);
    check(&Case { predicted: Some(0.01), ..usual }, Look::First, Reason::TooGood);
    check(&Case { predicted: Some(0.02), ..usual }, Look::First, Reason::Gain);
    let mut restarted = calm.clone();
    restarted.restart(at(HISTORY + 3));
    check(&case(&restarted, &[], HISTORY), Look::First, Reason::Restarted);
    let mut restarted_before = calm.clone();
    restarted_before.restart(at(HISTORY - 20));
    check(&case(&restarted_before, &[], HISTORY), Look::First, Reason::Gain);
}

/// The usual gain, with some samples left out or made invalid, and other traffic after.
fn disturbed(is_missing: impl Fn(usize) -> bool, traffic_after: f64) -> Track {
    let mut track = Track::new();
    for (step, value) in hit_rates(1, HISTORY, 0.05).into_iter().enumerate() {
        let mut snapshot = PerformanceSnapshot::empty(at(step));
        snapshot.set(Signal::HitRate, Some(value));
        let traffic = if step >= HISTORY { traffic_after } else { 100.0 };
        snapshot.set(Signal::OpsPerSecond, Some(traffic));
        track.push(Sample::new(&snapshot, !is_missing(step)));
    }
    track
}

#[test]
fn missing_samples_make_void_only_where_they_are_many() {
    let of = |every: usize| disturbed(move |step| step >= HISTORY && step % every == 0, 100.0);
    check(&case(&of(8), &[], HISTORY), Look::First, Reason::Gain);
    check(&case(&of(3), &[], HISTORY), Look::First, Reason::SamplesMissing);
}

#[test]
fn traffic_is_compared_with_the_siblings() {
    let (calm, busy) = (disturbed(|_| false, 100.0), disturbed(|_| false, 170.0));
    check(&case(&busy, &[], HISTORY), Look::First, Reason::TrafficChanged);
    check(&case(&busy, &[&calm], HISTORY), Look::First, Reason::TrafficChanged);
    let judgement = judge(&case(&busy, &[&busy], HISTORY), Look::First);
    assert_ne!(judgement.reason, Reason::TrafficChanged);
}

#[test]
fn a_crowd_that_comes_and_goes_is_seen_within_the_window() {
    let mut track = Track::new();
    for (step, value) in hit_rates(1, HISTORY, 0.05).into_iter().enumerate() {
        let mut snapshot = PerformanceSnapshot::empty(at(step));
        snapshot.set(Signal::HitRate, Some(value));
        let is_crowded = (HISTORY + 5..HISTORY + 10).contains(&step);
        snapshot.set(Signal::OpsPerSecond, Some(if is_crowded { 170.0 } else { 100.0 }));
        track.push(Sample::new(&snapshot, true));
    }
    // Over the whole window the mean has grown by a sixth.
    check(&case(&track, &[], HISTORY), Look::Last, Reason::TrafficChanged);
    check(&case(&track, &[], HISTORY), Look::Early, Reason::Waiting);
}

#[test]
fn what_happened_before_now_and_then_is_no_effect() {
    // A fifth of the time something takes a tenth of the hits away, and now it does so again.
    let is_bad = |step: usize| step % 50 < 10;
    let mut values = hit_rates(1, HISTORY, 0.0);
    for (step, value) in values.iter_mut().enumerate() {
        *value -= if is_bad(step) { 0.1 } else { 0.0 };
    }
    let track = track(Signal::HitRate, &values);
    let judgement = judge(&case(&track, &[], HISTORY), Look::Early);
    assert_eq!(judgement.reason, Reason::Waiting, "{judgement:?}");
    let judgement = judge(&case(&track, &[], HISTORY), Look::First);
    assert_eq!(judgement.reason, Reason::Waiting, "{judgement:?}");
}

#[test]
fn a_guard_that_suffers_makes_a_gain_a_failure() {
    let of = |latency_after: f64| {
        let mut track = Track::new();
        for (step, value) in hit_rates(1, HISTORY, 0.05).into_iter().enumerate() {
            let mut snapshot = PerformanceSnapshot::empty(at(step));
            let latency = if step >= HISTORY { latency_after } else { 500.0 };
            snapshot.set(Signal::HitRate, Some(value));
            let noise = rng::jitter(9, step as u64);
            snapshot.set(Signal::AvgGetLatencyUs, Some(latency + noise));
            track.push(Sample::new(&snapshot, true));
        }
        track
    };
    let harmed = Reason::GuardHarmed(Signal::AvgGetLatencyUs);
    check(&case(&of(600.0), &[], HISTORY), Look::First, harmed);
    check(&case(&of(510.0), &[], HISTORY), Look::First, Reason::Gain);
}

#[test]
fn what_siblings_did_too_was_not_the_tuning() {
    let common = |step: usize| 0.01 * rng::jitter(4, step as u64);
    let of = |seed: u64| -> Vec<f64> {
        let own = hit_rates(seed, HISTORY, 0.05);
        own.into_iter().enumerate().map(|(step, value)| value + common(step)).collect()
    };
    let tracks = [1, 2, 3].map(|seed| track(Signal::HitRate, &of(seed)));
    let siblings = [&tracks[1], &tracks[2]];
    let judgement = judge(&case(&tracks[0], &siblings, HISTORY), Look::Last);
    assert_eq!(judgement.reason, Reason::NoBenefit);
    assert_eq!(judgement.controls.len(), 2);
    assert_eq!(judge(&case(&tracks[0], &[], HISTORY), Look::Last).reason, Reason::Gain);
    let mut restarted = tracks[1].clone();
    restarted.restart(at(HISTORY + 1));
    let siblings = [&restarted, &tracks[2]];
    assert_eq!(judge(&case(&tracks[0], &siblings, HISTORY), Look::Last).controls, [1]);
}

#[test]
fn looks_come_due_in_their_order() {
    #[track_caller]
    fn check(after: usize, first_done: bool, want: Option<Look>) {
        let track = track(Signal::HitRate, &hit_rates(1, HISTORY, 0.0)[..HISTORY + after]);
        assert_eq!(case(&track, &[], HISTORY).due(first_done), want, "{after}");
    }
    check(6, false, None);
    check(7, false, Some(Look::Early));
    check(12, false, Some(Look::First));
    check(12, true, Some(Look::Early));
    check(22, true, Some(Look::Last));
    // The target is gone: time alone ends the case.
    let track = track(Signal::HitRate, &hit_rates(1, HISTORY, 0.0)[..HISTORY + 3]);
    let late = Case { now: at(HISTORY + 60), ..case(&track, &[], HISTORY) };
    assert_eq!(late.due(false), Some(Look::Last));
    assert_eq!(judge(&late, Look::Last).reason, Reason::SamplesMissing);
}

#[test]
fn a_prospect_says_what_could_be_seen() {
    let track = hit_rate_track(0.0);
    let mut now = case(&track, &[], track.len());
    now.adopted_at = None;
    let prospect = prospect(&now).unwrap();
    assert!((prospect.delta - 0.01).abs() < 0.001);
    assert!((0.001..0.01).contains(&prospect.minimum_detectable_effect), "{prospect:?}");
}

proptest! {
    #[test]
    fn votes_mirror_when_better_and_worse_are_swapped(seed: u64, effect in -0.04..0.04_f64) {
        let values = hit_rates(seed, HISTORY, effect);
        let track = track(Signal::AvgPutLatencyUs, &values);
        let judged = |goal| {
            let objective = Objective { signal: Signal::AvgPutLatencyUs, goal };
            judge(&Case { objective, ..case(&track, &[], HISTORY) }, Look::First)
        };
        let (up, down) = (judged(Goal::Increase), judged(Goal::Decrease));
        prop_assert!((up.effect.unwrap() + down.effect.unwrap()).abs() < 1e-12);
        let mirrored = match down.votes.unwrap().decision(down.margins.unwrap()) {
            Vote::Better => Vote::Worse,
            Vote::Abstain => Vote::Abstain,
            Vote::Worse => Vote::Better,
        };
        prop_assert_eq!(up.votes.unwrap().decision(up.margins.unwrap()), mirrored);
    }

    #[test]
    fn before_and_after_swapped_change_the_sign(seed: u64) {
        let values = hit_rates(seed, 40, 0.01);
        let (before, after) = (&values[..10], &values[42..62]);
        let margins = Margins { gain: 0.0, loss: 0.0, saving: 0.0 };
        let there = welch::welch(before, after, 0.04, margins).unwrap();
        let back = welch::welch(after, before, 0.04, margins).unwrap();
        prop_assert!((there.effect + back.effect).abs() < 1e-15);
        prop_assert!((there.standard_error - back.standard_error).abs() < 1e-15);
    }

    #[test]
    fn hit_rates_may_be_shifted(seed: u64, shift in -0.3..0.2_f64) {
        let judged = |shift: f64| {
            let values = hit_rates(seed, HISTORY, 0.02);
            let values: Vec<f64> = values.iter().map(|value| value + shift).collect();
            judge(&case(&track(Signal::HitRate, &values), &[], HISTORY), Look::First)
        };
        let (here, there) = (judged(0.0), judged(shift));
        prop_assert!((here.effect.unwrap() - there.effect.unwrap()).abs() < 1e-12);
        let error = |judgement: &Judgement| judgement.votes.unwrap().welch.standard_error;
        prop_assert!((error(&here) - error(&there)).abs() < 1e-12);
    }

    #[test]
    fn latencies_may_be_scaled(seed: u64, scale in 0.01..100.0_f64) {
        let objective = Objective { signal: Signal::AvgGetLatencyUs, goal: Goal::Decrease };
        let judged = |scale: f64| {
            let values = hit_rates(seed, HISTORY, -0.1);
            let values: Vec<f64> = values.iter().map(|value| value * scale).collect();
            let track = track(objective.signal, &values);
            judge(&Case { objective, ..case(&track, &[], HISTORY) }, Look::First)
        };
        let (here, there) = (judged(1.0), judged(scale));
        prop_assert!((here.effect.unwrap() - there.effect.unwrap()).abs() < 1e-9);
        prop_assert_eq!(here.outcome, there.outcome);
    }

    #[test]
    fn later_samples_change_nothing(seed: u64, more in 0..12_usize) {
        let values = hit_rates(seed, HISTORY, 0.02);
        let judged = |length: usize| {
            let track = track(Signal::HitRate, &values[..length]);
            judge(&case(&track, &[], HISTORY), Look::First)
        };
        let (short, long) = (judged(HISTORY + 12), judged(HISTORY + 12 + more.min(10)));
        prop_assert_eq!(short, long);
    }
}
