//! Targets that fail: each with its reason, its words, and no harm to the target beside it.

use std::net::SocketAddr;

use crate::support::exporter::Exporter;
use crate::support::fault;
use crate::support::fault::FaultTarget;
use crate::support::fault::Reply;
use crate::support::process::free_address;
use crate::support::toy;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;

const FAILURES: &str = "cache_tuner_target_scrape_failures_total";
const SNAPSHOTS: &str = "cache_tuner_snapshots";

/// Failures that are waited for: enough to see that the target is asked again and again.
const FAILURES_MIN: f64 = 3.0;

/// Slow enough that a loaded machine, with the bad targets on it too, answers in time.
const GOOD_PACE: &str = "scrape_interval: 500ms\nscrape_timeout: 500ms";

/// Memory that one bad target may cost at most: the largest body and its gzip window, twice.
const RESIDENT_BYTES_MAX: f64 = 300e6;

/// One bad target: its job's lines, and what must be told of it.
struct Bad {
    reply: Reply,
    job: &'static str,
    reason: &'static str,
    error: &'static str,
}

fn bad(reply: Reply, reason: &'static str, error: &'static str) -> Bad {
    Bad { reply, job: "", reason, error }
}

/// Watches a good target and the bad ones, and gives the exporter when each failed some times.
#[track_caller]
fn check(bads: &[Bad]) -> Exporter {
    let good = FaultTarget::start(Reply::Counting(toy::nine_in_ten));
    let targets: Vec<FaultTarget> =
        bads.iter().map(|bad| FaultTarget::start(bad.reply.clone())).collect();
    let mut jobs = vec![toy::job("good", &[good.address()], GOOD_PACE)];
    for (number, (bad, target)) in bads.iter().zip(&targets).enumerate() {
        let more = if bad.job.is_empty() { "profile: toy" } else { bad.job };
        jobs.push(toy::job(&format!("bad{number}"), &[target.address()], more));
    }
    let exporter = toy::start(&toy::config(&jobs), &[]);
    for (bad, target) in bads.iter().zip(&targets) {
        check_failing(&exporter, target.address(), bad);
    }
    check_pace(&exporter, &good);
    exporter
}

#[track_caller]
fn check_failing(exporter: &Exporter, target: SocketAddr, bad: &Bad) {
    let address = target.to_string();
    let labels = [("target", address.as_str()), ("reason", bad.reason)];
    toy::wait_for(exporter, FAILURES, &labels, |count| count >= FAILURES_MIN);
    let page = toy::metrics(exporter);
    let labels = [("target", address.as_str())];
    assert_eq!(page.value("cache_tuner_target_up", &labels), Some(0.0), "{}", bad.reason);
    assert_eq!(page.counted(FAILURES, &labels).len(), 1, "{}", bad.reason);
    assert_eq!(page.samples(SNAPSHOTS, &labels).len(), 0, "{}", bad.reason);
    let shown = toy::api_target(exporter, target);
    assert_eq!(shown["health"], "down");
    let error = shown["lastError"].as_str().unwrap();
    assert!(error.contains(bad.error), "wanted `{}`, got `{error}`", bad.error);
}

/// The good target goes on as if nothing were: a snapshot for each of its scrapes but the first.
#[track_caller]
fn check_pace(exporter: &Exporter, good: &FaultTarget) {
    let labels = [("scrape_job", "good")];
    let before = toy::metrics(exporter).value(SNAPSHOTS, &labels).unwrap_or(0.0);
    let asked_before = good.requests().len();
    toy::wait_for(exporter, SNAPSHOTS, &labels, |count| count >= before + 5.0 || count >= 50.0);
    let asked = good.requests().len() - asked_before;
    assert!(asked <= 8, "{asked} scrapes for five snapshots");
    let page = toy::metrics(exporter);
    let hit_ratio = page.value("cache_tuner_hit_ratio", &[("level", "all"), labels[0]]);
    assert_eq!(hit_ratio, Some(0.9));
    assert_eq!(page.counted(FAILURES, &labels).len(), 0);
}

fn page_if(name: &'static str, value: &str) -> Reply {
    Reply::IfHeader { name, value: value.to_owned(), page: toy::page(9, 1) }
}

#[test]
fn answers_that_are_none() {
    check(&[
        bad(Reply::Hang, "timeout", "no complete answer within 200ms"),
        bad(Reply::CloseAtOnce, "closed_early", "connection closed before the answer was complete"),
        bad(
            Reply::CloseEarly(toy::page(9, 1)),
            "closed_early",
            "connection closed before the answer was complete",
        ),
        bad(Reply::status(404), "http_status", "target answered 404, not 200"),
        bad(Reply::status(500), "http_status", "target answered 500, not 200"),
        bad(Reply::RedirectForEver, "redirects", "more than 10 redirects"),
        bad(
            Reply::RedirectTo("file:///etc/passwd".to_owned()),
            "redirects",
            "redirect to something",
        ),
    ]);
}

#[test]
fn answers_that_are_no_metrics() {
    let json = |body: &str| Reply::Typed {
        status: 200,
        content_type: "application/json",
        body: body.to_owned(),
    };
    let exporter = check(&[
        bad(Reply::html(), "not_exposition", "HTML"),
        bad(json("{\"l1_stats\": {"), "not_exposition", "JSON"),
        Bad {
            reply: Reply::Page("another_product_total 1\n".to_owned()),
            job: "profile: auto",
            reason: "no_profile",
            error: "none of the profiles",
        },
        bad(
            Reply::Typed { status: 200, content_type: fault::TEXT_FORMAT, body: "€".repeat(10) },
            "not_exposition",
            "no sample in the page",
        ),
    ]);
    assert!(exporter.log().contains("reason=no_profile"));
}

#[test]
fn answers_beyond_a_limit() {
    let page = || Reply::Page(toy::page(9, 1));
    check(&[
        Bad {
            reply: page(),
            job: "profile: toy\nsample_limit: 4",
            reason: "sample_limit",
            error: "5 samples exceed `sample_limit` 4",
        },
        Bad {
            reply: page(),
            job: "profile: toy\nbody_size_limit: 100B",
            reason: "body_too_large",
            error: "body reaches the limit of 100B",
        },
        Bad {
            reply: Reply::Gzip(toy::page(9, 1)),
            job: "profile: toy\nbody_size_limit: 150B",
            reason: "body_too_large",
            error: "body reaches the limit of 150B",
        },
        Bad {
            reply: page(),
            job: "profile: toy\nfollow_redirects: false\nmetrics_path: /x\nparams: {a: [b]}\n\
                  body_size_limit: 1B",
            reason: "body_too_large",
            error: "body reaches the limit of 1B",
        },
    ]);
}

#[test]
fn credentials_that_are_missing_or_wrong() {
    let basic = fault::basic_auth("prometheus", "right");
    let exporter = check(&[
        bad(page_if("authorization", &basic), "http_status", "target answered 401, not 200"),
        Bad {
            reply: page_if("authorization", &basic),
            job: "profile: toy\nbasic_auth: {username: prometheus, password: wrong-basic}",
            reason: "http_status",
            error: "target answered 401, not 200",
        },
        Bad {
            reply: page_if("authorization", "Bearer right"),
            job: "profile: toy\nauthorization: {credentials: wrong-bearer}",
            reason: "http_status",
            error: "target answered 401, not 200",
        },
        Bad {
            reply: page_if("authorization", "Bearer right"),
            job: "profile: toy\nauthorization: {credentials_file: token}",
            reason: "credentials",
            error: "token",
        },
    ]);
    let shown = exporter.get("/api/v1/status/config").text().to_owned()
        + exporter.get("/api/v1/targets").text()
        + exporter.get("/").text()
        + &exporter.log();
    assert!(shown.contains("&lt;secret&gt;") || shown.contains("<secret>"), "{shown}");
    for secret in ["wrong-basic", "wrong-bearer"] {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
}

#[test]
fn a_gigabyte_and_a_gzip_bomb_cost_little_memory() {
    let slow = "profile: toy\nscrape_interval: 1s\nscrape_timeout: 1s";
    let limited =
        "profile: toy\nbody_size_limit: 1MB\nscrape_interval: 500ms\nscrape_timeout: 500ms";
    let huge = |gzip: bool, job| Bad {
        reply: Reply::Huge { bytes: 1 << 30, gzip },
        job,
        reason: "body_too_large",
        error: "body reaches the limit",
    };
    let exporter = check(&[huge(false, limited), huge(true, limited)]);
    let resident = toy::metrics(&exporter).value("process_resident_memory_bytes", &[]).unwrap();
    assert!(resident < RESIDENT_BYTES_MAX / 2.0, "{resident} bytes");
    drop(exporter);
    // Without a limit of its own, the one that always holds does; in a debug build on a loaded
    // machine the time may run out first.
    let target = FaultTarget::start(Reply::Huge { bytes: 1 << 30, gzip: false });
    let exporter = toy::start(&toy::config(&[toy::job("huge", &[target.address()], slow)]), &[]);
    eventually(PATIENCE, "the body was refused twice", || {
        let page = toy::metrics(&exporter);
        let resident = page.value("process_resident_memory_bytes", &[]).unwrap();
        assert!(resident < RESIDENT_BYTES_MAX, "{resident} bytes");
        let failures = page.counted(FAILURES, &[]).iter().map(|sample| sample.value).sum::<f64>();
        (failures >= 2.0).then_some(())
    });
    let error = toy::api_target(&exporter, target.address())["lastError"].to_string();
    assert!(error.contains("64MiB") || error.contains("within 1s"), "{error}");
    assert!(target.sent_bytes() < 2 << 30, "whole bodies were taken");
}

#[test]
fn nobody_listens() {
    let nobody = free_address();
    let config = toy::config(&[toy::job("nobody", &[nobody], "profile: toy")]);
    let exporter = toy::start(&config, &[]);
    let want = Bad { reply: Reply::Hang, job: "", reason: "connect", error: "no connection to" };
    check_failing(&exporter, nobody, &want);
}
