//! The whole engine: a target was scraped, and what is shown of it comes back.

use std::sync::Arc;
use std::time::Duration;

use cache_tuner_exporter::engine::Engine;
use cache_tuner_exporter::engine::JobPlan;
use cache_tuner_exporter::engine::Observation;
use cache_tuner_exporter::engine::TargetPlan;
use cache_tuner_exporter::published::TargetId;
use cache_tuner_exporter::reading::Reading;
use cache_tuner_exporter::rule;
use cache_tuner_exporter::rule::RuleSet;
use cache_tuner_exporter::tuner::TuningConfig;

use crate::Table;
use crate::prepared::prepared;
use crate::rounds::Subject;
use crate::samples;
use crate::samples::SAMPLES;
use crate::scrapes;
use crate::scrapes::Scrapes;
use crate::steps;

/// Time between two scrapes.
const INTERVAL: Duration = Duration::from_secs(15);

/// Targets of the larger fleet.
const TARGETS: usize = 1_000;

pub(crate) fn tables() -> anyhow::Result<[Table<'static>; 2]> {
    let redis = Scrapes::new(scrapes::REDIS)?;
    let micrometer = Scrapes::new(scrapes::MICROMETER)?;
    let caches = micrometer.reading(0).caches.len();
    Ok([
        Table {
            title: "Engine::observe, a page of one cache",
            parts: 1.0,
            all: vec![
                copies("its statistics copied", &redis),
                observing("one target", redis.clone(), 1)?,
                observing("1,000 targets in turn", redis, TARGETS)?,
            ],
        },
        Table {
            title: "Engine::observe, a page of 200 caches; per cache",
            parts: caches as f64,
            all: vec![
                copies("their statistics copied", &micrometer),
                observing("one target", micrometer, 1)?,
            ],
        },
    ])
}

/// What it costs to build the statistics once more: the floor.
fn copies(name: &'static str, scrapes: &Scrapes) -> Subject<'static> {
    let reading = scrapes.reading(0);
    Subject::new(name, move || reading.clone())
}

/// Targets that are scraped in turn, each after [`INTERVAL`].
fn observing(
    name: &'static str,
    scrapes: Scrapes,
    targets: usize,
) -> anyhow::Result<Subject<'static>> {
    let rules = Arc::new(steps::load(rule::BUILT_IN)?);
    let plans: Vec<TargetPlan> = (0..targets).map(|target| plan(target, &rules)).collect();
    let ids: Vec<TargetId> = plans.iter().map(|plan| plan.id.clone()).collect();
    let mut engine = Engine::new();
    engine.reconfigure(plans);
    let mut scrape = 0;
    let mut next = move || {
        let (step, target) = (scrape / targets, scrape % targets);
        scrape += 1;
        observation(&ids[target], step, scrapes.reading(step))
    };
    for _ in 0..(SAMPLES + 1) * targets {
        engine.observe(next());
    }
    Ok(prepared(name, next, move |observation| engine.observe(observation)))
}

fn plan(target: usize, rules: &Arc<RuleSet>) -> TargetPlan {
    let tuning = TuningConfig { performance_window_size: SAMPLES, ..TuningConfig::default() };
    let target = format!("cache-{target:05}.example:9121");
    TargetPlan {
        id: TargetId { scrape_job: "sessions".into(), target: target.as_str().into() },
        url: format!("http://{target}/metrics").into(),
        labels: Arc::default(),
        scrape_interval: INTERVAL,
        scrape_timeout: INTERVAL,
        job: Arc::new(JobPlan { tuning, rules: Arc::clone(rules), freeze: Arc::default() }),
    }
}

fn observation(id: &TargetId, step: usize, reading: Reading) -> Observation {
    let duration = Duration::from_millis(4);
    Observation { id: id.clone(), at: samples::at(step), duration, result: Ok(reading) }
}
