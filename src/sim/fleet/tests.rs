//! The job's promises: exact forks, what is seen of what happens, the truth of a tuning.

use super::*;
use crate::signal::Signal;
use crate::sim::catalogue;
use crate::sim::truth::Effect;
use crate::sim::truth::Truth;

fn job(name: &str, ticks: u64) -> Job {
    let scenario = catalogue::find(name).unwrap();
    let traffic = Traffic::of_workload(scenario.workload, 3, 2, ticks);
    Job::new(scenario, &Arc::new(traffic), 3)
}

#[test]
fn snapshots_say_what_happened() {
    let mut job = job("zipf-0.8", 12);
    for _ in 0..12 {
        for beat in job.run_tick() {
            let Seen::Snapshot(snapshot) = beat.seen else { panic!("{:?}", beat.seen) };
            let Answered { requests, hits } = beat.answered;
            assert_eq!(requests, 4_000);
            assert_eq!(snapshot.hit_rate, Some(hits as f64 / requests as f64));
            assert!(snapshot.ops_per_second.unwrap() >= 4_000.0 / TICK_SECONDS as f64);
            assert!(snapshot.eviction_rate.is_some() && snapshot.avg_get_latency_us.is_some());
        }
    }
}

#[test]
fn a_fork_that_is_not_tuned_stays_the_same() {
    for scenario in &catalogue::SCENARIOS {
        let mut job = job(scenario.name, 16);
        (0..8).for_each(|_| _ = job.run_tick());
        let mut fork = job.clone();
        for _ in 8..16 {
            assert_eq!(job.run_tick(), fork.run_tick(), "{}", scenario.name);
        }
    }
}

#[test]
fn restarts_and_failed_scrapes_are_seen_as_such() {
    let count = |name: &str, what: fn(&Seen) -> bool| {
        // Without requests it is quick.
        let scenario = catalogue::find(name).unwrap();
        let mut job = Job::new(scenario, &Arc::new(Traffic::of_trace(&[1], 1, 4, 0)), 3);
        let beats = (0..400).flat_map(|_| job.run_tick());
        beats.filter(|beat| what(&beat.seen)).count()
    };
    let restarts = count("restarts", |seen| matches!(seen, Seen::Restarted));
    let failed = count("missing-scrapes", |seen| matches!(seen, Seen::Nothing));
    assert!((4..25).contains(&restarts), "{restarts}");
    assert!((250..390).contains(&failed), "{failed}");
    assert_eq!(count("zipf-0.8", |seen| !matches!(seen, Seen::Snapshot(_))), 0);
}

#[test]
fn truth_tells_gain_from_harm_from_nothing() {
    let mut job = job("zipf-0.8", 60);
    (0..30).for_each(|_| _ = job.run_tick());
    let effect = |change: fn(&mut TuningParameters)| {
        let member = &job.members()[0];
        let mut tuned = *member.parameters();
        change(&mut tuned);
        Effect::of(Truth::start(member, tuned, Signal::HitRate).effect(10..30).unwrap())
    };
    assert_eq!(effect(|tuned| tuned.l2_size_multiplier = 2.0), Effect::Gain);
    assert_eq!(effect(|tuned| tuned.l2_size_multiplier = 0.5), Effect::Harm);
    assert_eq!(effect(|tuned| tuned.preheating_aggressiveness = 0.9), Effect::None);
    assert_eq!(Effect::of(0.005), Effect::Unscored);
}

#[test]
fn capacity_counts_both_levels_against_their_base() {
    let mut job = job("zipf-0.8", 2);
    job.run_tick();
    assert!((job.members()[0].capacity_ratio() - 1.0).abs() < 1e-9);
    let largest = TuningParameters {
        l1_size_multiplier: 2.0,
        l2_size_multiplier: 3.0,
        ..TuningParameters::default()
    };
    job.member_mut(0).unwrap().set_parameters(largest);
    job.run_tick();
    assert!((job.members()[0].capacity_ratio() - 2.75).abs() < 1e-9);
}
