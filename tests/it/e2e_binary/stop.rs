//! The end: by a signal, promptly, whatever is under way.

use std::time::Duration;

use crate::support::fault::FaultTarget;
use crate::support::fault::Reply;
use crate::support::toy;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;

/// What a supervisor should have to wait at most, on a loaded machine.
const PROMPTLY: Duration = Duration::from_secs(3);

#[track_caller]
fn check_stops(signal: &str) {
    let hangs = FaultTarget::start(Reply::Hang);
    let config = toy::config(&[toy::job("a", &[hangs.address()], "")]);
    let config = config.replace("200ms, scrape_timeout: 200ms", "60s, scrape_timeout: 60s");
    let mut exporter = toy::start(&config, &[]);
    eventually(PATIENCE, "a scrape hangs", || (!hangs.requests().is_empty()).then_some(()));
    exporter.signal(signal);
    let status = exporter.wait_for_exit(PROMPTLY);
    assert_eq!(status.code(), Some(0));
    assert!(exporter.log().contains("stopping"));
    assert!(!exporter.log().contains("level=error"));
}

#[test]
fn sigterm_ends_it_while_a_scrape_hangs() {
    check_stops("TERM");
}

#[test]
fn sigint_ends_it_while_a_scrape_hangs() {
    check_stops("INT");
}

#[test]
fn it_is_not_ready_while_the_first_scrape_hangs_but_healthy() {
    let hangs = FaultTarget::start(Reply::Hang);
    let good = FaultTarget::start(Reply::Page(toy::page(1, 1)));
    let jobs = [
        toy::job("slow", &[hangs.address()], "scrape_interval: 60s\nscrape_timeout: 60s"),
        toy::job("good", &[good.address()], ""),
    ];
    let exporter = toy::start(&toy::config(&jobs), &[]);
    toy::wait_for(&exporter, "cache_tuner_snapshots", &[("scrape_job", "good")], |n| n >= 2.0);
    assert_eq!(exporter.get("/-/ready").status, 503);
    assert_eq!(exporter.get("/-/healthy").status, 200);
    let up = toy::metrics(&exporter).value("cache_tuner_target_up", &[("scrape_job", "slow")]);
    assert_eq!(up, None);
    assert_eq!(toy::api_target(&exporter, hangs.address())["health"], "unknown");
}
