//! The demo's promise: tuned by the rules it gets better, left alone it does not.

use super::*;

/// Ticks after which the demo must look better: two minutes.
const TICKS: u64 = 120;

/// Stands in for the tuner: the built-in rules whose confidence lets them act in the demo.
struct StandIn {
    window: Vec<Vec<Sample>>,
    previous: Vec<CacheTotals>,
    tunings: Vec<(u64, &'static str, &'static str)>,
}

#[derive(Clone, Copy)]
struct Sample {
    hit_rate: f64,
    evictions_per_minute: f64,
    memory_usage_percent: f64,
}

impl StandIn {
    fn new(fleet: &DemoFleet) -> Self {
        let previous: Vec<CacheTotals> = fleet.stats().map(|(_, stats)| stats).collect();
        Self { window: vec![Vec::new(); previous.len()], previous, tunings: Vec::new() }
    }

    /// Takes a snapshot; every fifth is followed by an analysis, from the tenth on.
    fn observe(&mut self, fleet: &mut DemoFleet, tick: u64, tune: bool) {
        let now: Vec<(&'static str, CacheTotals)> = fleet.stats().collect();
        for (place, (name, stats)) in now.into_iter().enumerate() {
            let before = std::mem::replace(&mut self.previous[place], stats);
            self.window[place].push(sample(&before, &stats));
            let newest = self.window[place].len();
            let window = &self.window[place][newest.saturating_sub(100)..];
            if tune && window.len() >= 10 && tick % 5 == 4 {
                let mut parameters = *fleet.parameters(name).unwrap();
                for rule in analyse(window, &mut parameters) {
                    self.tunings.push((tick, name, rule));
                }
                fleet.set_parameters(name, parameters);
            }
        }
    }

    fn hit_rate(&self, place: usize, ticks: std::ops::Range<usize>) -> f64 {
        mean(&self.window[place][ticks], |sample| sample.hit_rate)
    }
}

fn sample(before: &CacheTotals, now: &CacheTotals) -> Sample {
    let evictions = |stats: &CacheTotals| stats.l1.evictions + stats.l2.evictions;
    Sample {
        hit_rate: (now.hits - before.hits) as f64 / (now.get_count - before.get_count) as f64,
        evictions_per_minute: 60.0 * (evictions(now) - evictions(before)) as f64,
        memory_usage_percent: 100.0 * now.l1.usage_bytes as f64 / now.l1.max_usage_bytes as f64,
    }
}

fn mean(samples: &[Sample], signal: fn(&Sample) -> f64) -> f64 {
    samples.iter().map(signal).sum::<f64>() / samples.len() as f64
}

fn analyse(window: &[Sample], parameters: &mut TuningParameters) -> Vec<&'static str> {
    let mut fired = Vec::new();
    let newest = mean(&window[window.len() - 3..], |sample| sample.hit_rate);
    let oldest = mean(&window[..3], |sample| sample.hit_rate);
    let mut raise = |rule, parameter: &mut f64, value: f64, max: f64| {
        if *parameter < max {
            *parameter = value.min(max);
            fired.push(rule);
        }
    };
    if newest < oldest - 0.05 && newest < 0.9 {
        let value = parameters.l1_size_multiplier * 1.2;
        raise("hit_rate_declining", &mut parameters.l1_size_multiplier, value, 2.0);
    }
    if mean(window, |sample| sample.memory_usage_percent) > 90.0 {
        let value = parameters.eviction_aggressiveness + 0.1;
        raise("memory_usage_high", &mut parameters.eviction_aggressiveness, value, 1.0);
    }
    if mean(window, |sample| sample.evictions_per_minute) > 100.0 {
        let value = parameters.l2_size_multiplier * 1.3;
        raise("eviction_rate_high", &mut parameters.l2_size_multiplier, value, 3.0);
    }
    fired
}

/// Runs a tuned fleet and an untuned fork of it side by side.
fn race(seed: u64) -> (StandIn, StandIn) {
    let mut tuned = DemoFleet::new(seed);
    let mut untuned = tuned.clone();
    let (mut tuner, mut watcher) = (StandIn::new(&tuned), StandIn::new(&untuned));
    for tick in 0..TICKS {
        tuned.tick(tick);
        tuner.observe(&mut tuned, tick, true);
        untuned.tick(tick);
        watcher.observe(&mut untuned, tick, false);
    }
    (tuner, watcher)
}

#[track_caller]
fn check_gain(seed: u64) {
    let (tuner, watcher) = race(seed);
    // No tuning comes before the tenth sample.
    let (before, after) = (0..9, 100..120);
    for (place, (name, ..)) in SITES.iter().enumerate() {
        let start = tuner.hit_rate(place, before.clone());
        let tuned = tuner.hit_rate(place, after.clone());
        let untuned = watcher.hit_rate(place, after.clone());
        assert!(tuned >= start + 0.05, "seed {seed}, {name}: {start:.3} to {tuned:.3} tuned");
        assert!(untuned <= start, "seed {seed}, {name}: {start:.3} to {untuned:.3} untuned");
        assert!(tuner.tunings.iter().any(|tuning| tuning.1 == *name));
    }
    assert!(watcher.tunings.is_empty());
}

#[test]
fn rules_improve_every_cache_and_time_alone_does_not() {
    check_gain(1);
    check_gain(2);
}

#[test]
fn same_seed_gives_the_same_page() {
    let (mut first, mut second) = (DemoFleet::new(3), DemoFleet::new(3));
    assert_eq!(first.page(), second.page());
    first.tick(0);
    assert_ne!(first.page(), second.page());
    second.tick(0);
    assert_eq!(first.page(), second.page());
    assert_ne!(first.page(), DemoFleet::new(4).page());
}

#[test]
fn fork_given_the_same_ticks_stays_identical() {
    let mut fleet = DemoFleet::new(5);
    let mut fork = fleet.clone();
    let bigger = TuningParameters { l2_size_multiplier: 1.3, ..TuningParameters::default() };
    for tick in 0..6 {
        if tick == 3 {
            assert!(fleet.set_parameters("search", bigger));
            assert!(fork.set_parameters("search", bigger));
        }
        fleet.tick(tick);
        fork.tick(tick);
        assert_eq!(fleet.page(), fork.page());
    }
}

#[test]
fn new_fleet_is_warm() {
    for (name, stats) in DemoFleet::new(1).stats() {
        assert_eq!(stats.l1.entries, stats.l1.capacity, "{name}");
        assert_eq!(stats.l2.entries, stats.l2.capacity, "{name}");
        // Just above the rule of 90 %, so that it acts a few times and then rests.
        assert!(stats.l1.usage_bytes * 100 > stats.l1.max_usage_bytes * 90, "{name}");
    }
}

#[test]
fn unknown_cache_takes_no_parameters() {
    let mut fleet = DemoFleet::new(1);
    assert!(!fleet.set_parameters("nobody", TuningParameters::default()));
    assert_eq!(fleet.parameters("nobody"), None);
    assert_eq!(fleet.parameters("search"), Some(&TuningParameters::default()));
}

#[test]
fn page_is_as_recorded() {
    insta::assert_snapshot!(DemoFleet::new(1).page());
}

#[test]
fn profile_names_families_of_the_page() {
    let page = DemoFleet::new(1).page();
    let profile = include_str!("../../../rules/profiles/demo.yaml");
    let lines = profile.lines().filter(|line| !line.trim_start().starts_with('#'));
    let words = lines.flat_map(|line| line.split(|c: char| !(c.is_alphanumeric() || c == '_')));
    let names: Vec<&str> = words.filter(|word| word.starts_with("demo_cache_")).collect();
    assert!(names.len() > 20);
    for name in names {
        assert!(page.contains(&format!("# TYPE {name} ")), "{name}");
    }
}
