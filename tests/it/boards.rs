//! A board made by hand for the tests of the metrics page, the API and the status page: a cache
//! that shows everything, one whose tunings are judged, one that shows nothing yet, a target that
//! is down and one that was never scraped.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cache_tuner_exporter::build_info::BuildInfo;
use cache_tuner_exporter::diag::SourceFile;
use cache_tuner_exporter::parameter::Parameter;
use cache_tuner_exporter::published::Board;
use cache_tuner_exporter::published::CacheView;
use cache_tuner_exporter::published::ScrapeHealth;
use cache_tuner_exporter::published::TargetId;
use cache_tuner_exporter::published::TargetView;
use cache_tuner_exporter::published::TrustView;
use cache_tuner_exporter::published::TuningEntry;
use cache_tuner_exporter::reason::Reason;
use cache_tuner_exporter::rule;
use cache_tuner_exporter::rule::RuleSet;
use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::snapshot::PerformanceSnapshot;
use cache_tuner_exporter::tuner::AdaptiveTuner;
use cache_tuner_exporter::tuner::Surroundings;
use cache_tuner_exporter::tuner::TuningConfig;
use cache_tuner_exporter::units::Timestamp;

pub(crate) const BUILD: BuildInfo =
    BuildInfo { version: "1.2.3", revision: "0123abc", rust_version: "1.90.0" };

/// 2023-11-14 22:15:00 UTC: when the tests look at the board.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(1_700_000_100_000)
}

pub(crate) fn rules() -> RuleSet {
    let (name, text) = rule::BUILT_IN;
    rule::load(&[SourceFile::new(name, text)]).unwrap().0
}

fn at(seconds_before_now: u64) -> Timestamp {
    Timestamp::from_millis(now().as_millis() - i64::try_from(seconds_before_now).unwrap() * 1000)
}

pub(crate) fn id(scrape_job: &str, target: &str) -> TargetId {
    TargetId { scrape_job: scrape_job.into(), target: target.into() }
}

/// A tuner whose cache got worse for three minutes, and whose tunings were judged twice.
fn worked_tuner() -> AdaptiveTuner {
    let defaults = TuningConfig::default();
    let config = TuningConfig { feedback: defaults.feedback.off(), ..defaults };
    let mut tuner = AdaptiveTuner::new(config, Arc::new(rules()), Parameter::ALL.to_vec());
    for step in 0..12_u8 {
        let mut snapshot = PerformanceSnapshot::empty(at(15 * (12 - u64::from(step))));
        let worse = f64::from(step) / 100.0;
        for (signal, value) in [
            (Signal::HitRate, 0.87 - worse),
            (Signal::L1HitRate, 0.75 - worse),
            (Signal::L2HitRate, 0.48),
            (Signal::MemoryUsagePercent, 96.5),
            (Signal::DiskUsagePercent, 41.25),
            (Signal::AvgGetLatencyUs, 900.0 + 12_000.0 * worse),
            (Signal::AvgPutLatencyUs, 1250.0),
            (Signal::OpsPerSecond, 1234.5),
            // A day without traffic in level 2: no promotions, and that is not absent.
            (Signal::PromotionRate, 0.0),
        ] {
            snapshot.set(signal, Some(value));
        }
        if step == 11 {
            snapshot.set(Signal::EvictionRate, Some(90.0));
        }
        tuner.record_performance(snapshot);
    }
    let around = Surroundings { next_number: 3, ..Surroundings::ALONE };
    tuner.analyze_within(at(15), &around);
    assert!(tuner.record_tuning_outcome("hit_rate_declining", true, 0.125));
    assert!(tuner.record_tuning_outcome("memory_usage_high", false, 0.0));
    tuner
}

/// A tuner that made a tuning which helped, and waits for the cache to take over the next one.
fn closed_tuner() -> AdaptiveTuner {
    let mut config = TuningConfig::default();
    config.feedback.shadow_share = 0.0;
    let tunable = vec![Parameter::L1SizeMultiplier, Parameter::EvictionAggressiveness];
    let mut tuner = AdaptiveTuner::new(config, Arc::new(rules()), tunable);
    let analyze = |tuner: &mut AdaptiveTuner, time, next_number| {
        tuner.analyze_within(time, &Surroundings { next_number, ..Surroundings::ALONE });
    };
    for step in 0..180_u32 {
        let time = at(15 * u64::from(180 - step));
        let noise = f64::from(step * step % 37) / 8000.0;
        let relief = if step > 150 { 4.0 } else { 0.0 };
        let mut snapshot = PerformanceSnapshot::empty(time);
        snapshot.set(Signal::HitRate, Some(0.7 + noise));
        snapshot.set(Signal::MemoryUsagePercent, Some(96.0 + 100.0 * noise - relief));
        snapshot.set(Signal::OpsPerSecond, Some(500.0));
        tuner.record_performance(snapshot);
        match step {
            150 => {
                analyze(&mut tuner, time, 1);
                tuner.fetch(time);
            }
            151..175 => {
                if let Some(assessment) = tuner.assess(&[], time) {
                    tuner.conclude(assessment, &[], time);
                }
            }
            178 => analyze(&mut tuner, time, 2),
            _ => {}
        }
    }
    tuner
}

fn cache_view(name: &str, tuner: &AdaptiveTuner) -> CacheView {
    let apply = [("hit_rate_declining".into(), "CONFIG SET maxmemory 120000000".to_owned())];
    CacheView::new(name.into(), tuner, BTreeMap::from(apply))
}

fn target(id: TargetId, labels: &[(&str, &str)], health: ScrapeHealth) -> TargetView {
    let labels = labels.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
    TargetView {
        url: format!("http://{}/metrics", id.target).into(),
        id,
        labels: Arc::new(labels.collect()),
        profile: None,
        scrape_interval: Duration::from_secs(15),
        scrape_timeout: Duration::from_secs(10),
        health,
        caches: Vec::new(),
    }
}

pub(crate) fn board() -> Board {
    let board = Board::new();
    let mut tuner = worked_tuner();
    let health = ScrapeHealth {
        up: Some(true),
        last_duration: Some(Duration::from_micros(4300)),
        last_scrape: Some(at(12)),
        failures: BTreeMap::from([(Reason::Connect, 1), (Reason::Timeout, 2)]),
        samples: 212,
        ..ScrapeHealth::default()
    };
    let sessions = id("sessions", "localhost:9121");
    let mut view = target(sessions.clone(), &[("team", "web"), ("rule", "\"gold\"\\")], health);
    view.profile = Some("redis".into());
    view.caches = vec![Arc::new(cache_view("redis", &tuner))];
    board.publish(view);

    let mut judged = closed_tuner();
    let search = id("search", "localhost:9122");
    let health = ScrapeHealth { up: Some(true), ..ScrapeHealth::default() };
    let mut view = target(search.clone(), &[], health);
    view.profile = Some("redis".into());
    view.caches = vec![Arc::new(CacheView::new("redis".into(), &judged, BTreeMap::new()))];
    board.publish(view);

    let health = ScrapeHealth {
        up: Some(false),
        last_duration: Some(Duration::from_secs(10)),
        last_scrape: Some(at(3)),
        last_error: Some("no answer within 10s from <b>varnish</b>".to_owned()),
        failures: BTreeMap::from([(Reason::Timeout, 1)]),
        ..ScrapeHealth::default()
    };
    let tunable = vec![Parameter::L1SizeMultiplier, Parameter::PromotionThreshold];
    let fresh = AdaptiveTuner::new(TuningConfig::default(), Arc::new(rules()), tunable);
    let mut view = target(id("pages", "varnish:9131"), &[("team", "edge")], health);
    view.caches =
        ["s0", "s<1>"].into_iter().map(|name| Arc::new(cache_view(name, &fresh))).collect();
    board.publish(view);
    board.publish(target(id("pages", "new:9131"), &[], ScrapeHealth::default()));

    for (id, tuner) in [(sessions, &mut tuner), (search, &mut judged)] {
        let entries = tuner.take_events().into_iter().map(|event| TuningEntry {
            id: id.clone(),
            cache: "redis".into(),
            tuning: event.tuning,
            verdict: event.verdict,
        });
        board.record(entries.collect());
    }
    board.publish_trust(TrustView {
        rule_confidence: BTreeMap::from([("hit_rate_declining".into(), 0.84)]),
        calibration_error: Some(0.03),
        brier_score: Some(0.18),
        is_breaker_open: true,
        recent_judged: 20,
        recent_success_ratio: Some(0.65),
    });
    board
}
