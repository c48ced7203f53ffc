//! What is learnt of a cache: what it survives, and what ends it.

use crate::support::exporter::Exporter;
use crate::support::fault::FaultTarget;
use crate::support::fault::Reply;
use crate::support::toy;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;

const SNAPSHOTS: &str = "cache_tuner_snapshots";
const PARAMETER: (&str, &str) = ("parameter", "eviction_aggressiveness");

/// Level 1 is full: `memory_usage_high` fires until its parameter reaches 1.0.
fn full(number: u64) -> String {
    toy::nine_in_ten(number).replace("} 600", "} 950")
}

/// An exporter whose one cache was tuned to the limit.
#[track_caller]
fn tuned(target: &FaultTarget) -> Exporter {
    let exporter = toy::start(&toy::config(&[toy::job("a", &[target.address()], "")]), &[]);
    toy::wait_for(&exporter, "cache_tuner_parameter", &[PARAMETER], |value| value >= 1.0);
    exporter
}

#[test]
fn what_was_learnt_survives_an_outage() {
    let target = FaultTarget::start(Reply::Counting(full));
    let exporter = tuned(&target);
    target.set(Reply::CloseAtOnce);
    let labels = [("reason", "closed_early")];
    toy::wait_for(&exporter, "cache_tuner_target_scrape_failures_total", &labels, |n| n >= 3.0);
    let page = toy::metrics(&exporter);
    assert_eq!(page.value("cache_tuner_target_up", &[]), Some(0.0));
    let before = page.value(SNAPSHOTS, &[]).unwrap();
    assert_eq!(page.value("cache_tuner_parameter", &[PARAMETER]), Some(1.0));

    target.set(Reply::Counting(full));
    toy::wait_for(&exporter, "cache_tuner_target_up", &[], |up| up > 0.5);
    assert_eq!(toy::api_target(&exporter, target.address())["lastError"], "");
    let after = toy::wait_for(&exporter, SNAPSHOTS, &[], |count| count > before);
    assert!(after <= before + 5.0, "{before} {after}");
    // Over the outage the ratio is still that of what happened meanwhile.
    let page = toy::metrics(&exporter);
    assert_eq!(page.value("cache_tuner_hit_ratio", &[]), Some(0.9));
    assert_eq!(page.value("cache_tuner_parameter", &[PARAMETER]), Some(1.0));
    let failures = page.value("cache_tuner_target_scrape_failures_total", &labels);
    assert!(failures >= Some(3.0), "a counter went back: {failures:?}");
}

#[test]
fn a_restart_of_the_cache_starts_its_window_afresh() {
    fn restarted(number: u64) -> String {
        // Below all that went before: it is not scraped a million times.
        full(number).replace(
            "toy_misses_total{cache=\"main\"} ",
            "toy_misses_total{cache=\"main\"} 0.00000",
        )
    }
    let target = FaultTarget::start(Reply::Counting(full));
    let exporter = tuned(&target);
    toy::wait_for(&exporter, SNAPSHOTS, &[], |count| count >= 8.0);
    target.set(Reply::Counting(restarted));
    toy::wait_for(&exporter, SNAPSHOTS, &[], |count| count <= 3.0);
    // Tuned values are the operator's, or the cache's configuration: a restart does not undo them.
    let value = toy::metrics(&exporter).value("cache_tuner_parameter", &[PARAMETER]);
    assert_eq!(value, Some(1.0));
    toy::wait_for(&exporter, SNAPSHOTS, &[], |count| count >= 4.0);
}

#[test]
fn a_cache_that_is_gone_leaves_no_series() {
    fn two(number: u64) -> String {
        toy::cache("stays", 9 * number, number) + &toy::cache("goes", 9 * number, number)
    }
    fn one(number: u64) -> String {
        toy::cache("stays", 9 * number, number)
    }
    let target = FaultTarget::start(Reply::Counting(two));
    let exporter = toy::start(&toy::config(&[toy::job("a", &[target.address()], "")]), &[]);
    toy::wait_for(&exporter, SNAPSHOTS, &[("cache", "goes")], |count| count >= 4.0);
    target.set(Reply::Counting(one));
    eventually(PATIENCE, "its series are gone", || {
        (!exporter.get("/metrics").text().contains("goes")).then_some(())
    });
    let stays = [("cache", "stays")];
    assert!(toy::metrics(&exporter).value(SNAPSHOTS, &stays) >= Some(4.0));
    let caches = exporter.get("/api/v1/caches").json();
    assert_eq!(caches["data"].as_array().unwrap().len(), 1);
    let path = format!("/api/v1/parameters?target={}&cache=goes", target.address());
    assert_eq!(exporter.get(&path).status, 404);
}

#[test]
fn a_product_that_its_exporter_cannot_reach_is_remembered() {
    let target = FaultTarget::start(Reply::Counting(full));
    let exporter = tuned(&target);
    target.set(Reply::Page("exporter_product_up 0\n".to_owned()));
    eventually(PATIENCE, "its series are gone", || {
        (!exporter.get("/metrics").text().contains("cache=\"main\"")).then_some(())
    });
    // The page was read: that it shows no cache is no failure of the target.
    assert_eq!(toy::metrics(&exporter).value("cache_tuner_target_up", &[]), Some(1.0));
    target.set(Reply::Counting(full));
    let value = toy::wait_for(&exporter, "cache_tuner_parameter", &[PARAMETER], |_| true);
    assert!(value >= 1.0, "{value}");
}
