//! Without a configuration the demo runs.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use crate::support::exporter::Exporter;
use crate::support::http;
use crate::support::page::Page;
use crate::support::toy;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;

/// The demo analyses every two seconds, and nothing below ten snapshots, four a second. One cache
/// is tuned at a time.
const FIRST_TUNING: Duration = Duration::from_secs(60);

#[test]
fn the_demo_is_watched_tuned_and_reads_its_parameters_back() {
    let mut exporter = Exporter::start(&[], &[]);
    assert_eq!(exporter.get("/-/healthy").status, 200);
    eventually(PATIENCE, "the demo is ready", || {
        (exporter.get("/-/ready").status == 200).then_some(())
    });
    let names: BTreeSet<String> = eventually(PATIENCE, "four caches are shown", || {
        let page = toy::metrics(&exporter);
        let samples = page.samples("cache_tuner_snapshots", &[("scrape_job", "demo")]);
        let names: BTreeSet<_> =
            samples.iter().map(|sample| sample.label("cache").unwrap().to_owned()).collect();
        (names.len() == 4).then_some(names)
    });
    let caches = exporter.get("/api/v1/caches").json();
    let listed: BTreeSet<String> = caches["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cache| cache["cache"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, names);

    let parameters_of = |cache: &str| {
        let path = format!("/api/v1/parameters?target={}&cache={cache}", exporter.first_target());
        exporter.get(&path).json()["data"].clone()
    };
    let limit = |cache: &str| {
        let page = Page::parse(&http::text(&format!("http://{}/metrics", exporter.first_target())));
        let labels = [("cache", cache), ("level", "l2")];
        page.value("demo_cache_max_usage_bytes", &labels).unwrap()
    };
    let limits_at_first: Vec<f64> = names.iter().map(|cache| limit(cache)).collect();
    eventually(FIRST_TUNING, "a cache takes a tuned parameter over", || {
        let taken_over = |(cache, at_first): (&String, &f64)| {
            let told = parameters_of(cache)["l2_size_multiplier"].as_f64().unwrap();
            let own = limit(cache) / at_first;
            own > 1.0 && (told - own).abs() < 1e-3
        };
        names.iter().zip(&limits_at_first).any(taken_over).then_some(())
    });
    let tunings = exporter.get("/api/v1/tunings").json();
    let tunings = tunings["data"].as_array().unwrap();
    assert!(tunings.iter().any(|entry| entry["rule"] == "eviction_rate_high"), "{tunings:?}");
    assert!(exporter.log().contains("no --config.file: tuning the built-in demo cache"));
    assert!(exporter.log().contains("rule=eviction_rate_high"));

    exporter.signal("TERM");
    assert!(exporter.wait_for_exit(PATIENCE).success());
    let left: Vec<_> = fs::read_dir(exporter.dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "stdout.log" && name != "stderr.log")
        .collect();
    assert_eq!(left, [""; 0]);
}
