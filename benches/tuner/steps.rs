//! The pieces of a step of one cache: the snapshot, and its tuner with full windows.

use std::sync::Arc;

use cache_tuner_exporter::diag::SourceFile;
use cache_tuner_exporter::parameter::Parameter;
use cache_tuner_exporter::rule;
use cache_tuner_exporter::rule::RuleSet;
use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::snapshot;
use cache_tuner_exporter::snapshot::PerformanceSnapshot;
use cache_tuner_exporter::tuner::AdaptiveTuner;
use cache_tuner_exporter::tuner::Sizes;
use cache_tuner_exporter::tuner::TuningConfig;

use crate::Table;
use crate::rounds::Subject;
use crate::samples;
use crate::samples::SAMPLES;
use crate::scrapes;
use crate::scrapes::Scrapes;

/// The rules that size levels by what is predicted.
const SIZING: (&str, &str) =
    ("rules/tuning/sizing.yaml", include_str!("../../rules/tuning/sizing.yaml"));

pub(crate) fn table() -> anyhow::Result<Table<'static>> {
    let busy = samples::snapshots(0, SAMPLES);
    let all = vec![
        sums(&busy),
        between()?,
        step("default rules, quiet", rule::BUILT_IN, quiet(&busy), false)?,
        step("default rules, quiet, analysed", rule::BUILT_IN, quiet(&busy), true)?,
        step("default rules, four fire", rule::BUILT_IN, busy.clone(), false)?,
        step("default rules, four fire, analysed", rule::BUILT_IN, busy.clone(), true)?,
        step("sizing rules", SIZING, busy.clone(), false)?,
        step("sizing rules, analysed", SIZING, busy, true)?,
    ];
    Ok(Table { title: "a scrape of one cache, windows of 240", parts: 1.0, all })
}

/// The floor: each value of a window is added once.
fn sums(snapshots: &[PerformanceSnapshot]) -> Subject<'static> {
    let column = |signal| snapshots.iter().filter_map(|s| s.value(signal)).collect::<Vec<f64>>();
    let columns: Vec<Vec<f64>> = Signal::ALL.into_iter().map(column).collect();
    Subject::new("sums of a window's five columns", move || {
        std::hint::black_box(&columns).iter().map(|column| column.iter().sum::<f64>()).sum::<f64>()
    })
}

fn between() -> anyhow::Result<Subject<'static>> {
    let scrapes = Scrapes::new(scrapes::REDIS)?;
    let (earlier, later) = (scrapes.stats(1)?, scrapes.stats(2)?);
    let (from, to) = (samples::at(1), samples::at(2));
    Ok(Subject::new("snapshot::between (Redis)", move || {
        snapshot::between(&earlier, from, std::hint::black_box(&later), to)
    }))
}

/// The same, with nothing that a default rule would want to change.
fn quiet(snapshots: &[PerformanceSnapshot]) -> Vec<PerformanceSnapshot> {
    let mut quiet = snapshots.to_vec();
    for snapshot in &mut quiet {
        let noise = snapshot.value(Signal::EvictionRate).unwrap_or(0.0) - 120.0;
        snapshot.set(Signal::HitRate, Some(0.94 + 0.001 * noise));
        snapshot.set(Signal::MemoryUsagePercent, Some(70.0 + noise));
        snapshot.set(Signal::AvgGetLatencyUs, Some(300.0 + noise));
        snapshot.set(Signal::EvictionRate, Some(20.0 + noise));
    }
    quiet
}

/// A tuner that gets a snapshot, with an analysis or without.
fn step(
    name: &'static str,
    rules: (&str, &str),
    snapshots: Vec<PerformanceSnapshot>,
    is_analysed: bool,
) -> anyhow::Result<Subject<'static>> {
    let config = TuningConfig { performance_window_size: SAMPLES, ..TuningConfig::default() };
    let mut tuner = AdaptiveTuner::new(config, Arc::new(load(rules)?), Parameter::ALL.to_vec());
    tuner.record_sizes(Sizes::of(&Scrapes::new(scrapes::REDIS)?.stats(0)?));
    let mut place = 0;
    let mut next = move || {
        let mut snapshot = snapshots[place % SAMPLES];
        place += 1;
        snapshot.timestamp = samples::at(place);
        snapshot
    };
    (0..SAMPLES).for_each(|_| tuner.record_performance(next()));
    Ok(Subject::new(name, move || {
        let snapshot = next();
        tuner.record_performance(snapshot);
        if is_analysed {
            tuner.analyze_and_tune(snapshot.timestamp);
        }
        tuner.take_events();
    }))
}

pub(crate) fn load((name, text): (&str, &str)) -> anyhow::Result<RuleSet> {
    let (rules, _) =
        rule::load(&[SourceFile::new(name, text)]).map_err(|fault| anyhow::anyhow!("{fault:?}"))?;
    Ok(rules)
}
