//! The program as a newcomer starts it: no configuration, and its four caches get better.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::support::exporter::Exporter;
use crate::support::http;
use crate::support::page::Page;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;
use crate::support::watched::Shown;
use crate::support::watched::Watched;

/// What the demo promises: visibly better within two minutes, and a minute later judged.
const IMPROVED_WITHIN: Duration = Duration::from_secs(120);

/// Time for a judgement after that.
const JUDGED_WITHIN: Duration = Duration::from_secs(60);

/// Visibly: by this much of the hit ratio.
const IMPROVEMENT_MIN: f64 = 0.05;

/// Snapshots whose mean is a hit ratio at the start and at the end. The first analysis comes after
/// ten.
const SNAPSHOTS_COMPARED: usize = 5;

const CACHES: [&str; 4] = ["catalog", "checkout", "search", "sessions"];

/// The hit ratios of a cache, a snapshot each.
#[derive(Debug, Default)]
struct Course {
    last_seconds: Option<f64>,
    hit_ratios: Vec<f64>,
}

impl Course {
    fn take_in(&mut self, shown: &Shown) {
        let seconds = shown.snapshot_seconds();
        if let Some(hit_ratio) = shown.hit_ratio().filter(|_| seconds > self.last_seconds) {
            self.hit_ratios.push(hit_ratio);
            self.last_seconds = seconds;
        }
    }

    /// Of the newest snapshots over the first, when there are enough: single ones go up and down.
    fn improvement(&self) -> Option<f64> {
        let mean = |ratios: &[f64]| ratios.iter().sum::<f64>() / ratios.len() as f64;
        let (_, newest) = self.hit_ratios.split_last_chunk::<SNAPSHOTS_COMPARED>()?;
        let (first, rest) = self.hit_ratios.split_first_chunk::<SNAPSHOTS_COMPARED>()?;
        (rest.len() >= SNAPSHOTS_COMPARED).then(|| mean(newest) - mean(first))
    }
}

/// A value of a cache on the demo's own page.
#[track_caller]
fn own(page: &Page, metric: &str, cache: &str, level: &str) -> f64 {
    let value = page.value(metric, &[("cache", cache), ("level", level)]);
    value.unwrap_or_else(|| panic!("no {metric} of {cache} {level}"))
}

/// Tunings were judged, some of them as improvements, and the journal says why.
#[track_caller]
fn the_loop_is_closed(exporter: &Exporter) {
    let entry = eventually(JUDGED_WITHIN, "a tuning that improved, judged with siblings", || {
        let journal = exporter.get("/api/v1/tunings").json();
        let mut entries = journal["data"].as_array().expect("the journal is a list").iter();
        let is_explained = |entry: &&Value| {
            entry["origin"] == "auto"
                && entry["outcome"] == "improved"
                && entry["controls"].as_array().is_some_and(|controls| !controls.is_empty())
        };
        entries.find(is_explained).cloned()
    });
    assert_eq!((&entry["because"], &entry["rolled_back"]), (&json!("gain"), &json!(false)));
    assert!(entry["adopted"].as_f64() >= entry["timestamp"].as_f64(), "{entry}");
    assert!(entry["evidence"] == "fetched" || entry["evidence"] == "observed", "{entry}");
    assert!(entry["effect"].as_f64() > Some(0.0), "{entry}");
    let votes = entry["votes"].as_object().expect("the journal has votes");
    let better = votes.values().filter(|vote| vote["vote"] == "better").count();
    assert!(better >= 2, "{entry}");
    assert!(entry["minimum_detectable_effect"].as_f64() > Some(0.0), "{entry}");
    assert!(entry["control_weight"].is_f64(), "{entry}");

    let page = Page::parse(exporter.get("/metrics").text());
    let improved = [("rule", entry["rule"].as_str().expect("a name")), ("outcome", "improved")];
    let improved = page.samples("cache_tuner_tuning_outcomes_total", &improved);
    assert!(improved.iter().map(|sample| sample.value).sum::<f64>() >= 1.0);
    let cache = [("cache", entry["cache"].as_str().expect("a name"))];
    assert!(page.value("cache_tuner_tuning_success_ratio", &cache) > Some(0.0));
    assert!(page.value("cache_tuner_recent_success_ratio", &[]) > Some(0.0));
    assert!(page.value("cache_tuner_recent_judged_tunings", &[]) >= Some(1.0));
}

#[test]
fn all_four_caches_get_better_by_themselves() {
    let exporter = Exporter::start(&[], &[]);
    eventually(PATIENCE, "the log says what is tuned", || {
        exporter.log().contains("demo").then_some(())
    });
    let address = exporter.first_target();
    let demo_page = || Page::parse(&http::text(&format!("http://{address}/metrics")));
    let limits = |page: &Page| -> BTreeMap<&str, f64> {
        let limit = |cache| own(page, "demo_cache_max_usage_bytes", cache, "l2");
        CACHES.into_iter().map(|cache| (cache, limit(cache))).collect()
    };
    let limits_at_first = limits(&demo_page());
    let mut courses = CACHES.map(|cache| (cache, Course::default()));
    eventually(IMPROVED_WITHIN, "every cache has a better hit ratio", || {
        for (cache, course) in &mut courses {
            course.take_in(&Watched::new(&exporter, cache).shown());
        }
        courses
            .iter()
            .all(|(_, course)| course.improvement() >= Some(IMPROVEMENT_MIN))
            .then_some(())
    });

    for cache in CACHES {
        let watched = Watched::new(&exporter, cache);
        let api = watched.api().expect("the cache is known");
        let tunings = api["stats"]["tuning_operations"].as_u64();
        assert!(tunings >= Some(1), "{cache}: {api}");
        let shown = watched.shown();
        let counted = shown.tunings();
        assert!(counted >= 1.0, "{cache}: {counted}");
        assert_eq!(shown.absurd(), Vec::<String>::new());
        // The cache has taken its parameters over: its own page shows the larger level.
        eventually(PATIENCE, "the parameter in force is the cache's own", || {
            let multiplier = watched.shown().parameter("l2_size_multiplier")?;
            let own = limits(&demo_page())[cache] / limits_at_first[cache];
            (multiplier > 1.0 && (own - multiplier).abs() < 1e-3).then_some(())
        });
    }
    the_loop_is_closed(&exporter);
    // Nothing is left behind but the log of the test itself.
    let files = std::fs::read_dir(exporter.dir()).expect("the directory can be read");
    let names = files.map(|file| file.expect("it can be listed").file_name());
    let left: Vec<_> = names.filter(|name| !name.to_string_lossy().ends_with(".log")).collect();
    assert!(left.is_empty(), "{left:?}");
}
