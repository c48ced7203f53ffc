//! The page is what the prometheus crate would write, byte for byte; and it is shared by those who
//! ask at once, and compressed once.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::Barrier;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bytes::Bytes;
use cache_tuner_exporter::export::Exporter;
use cache_tuner_exporter::parameter::Parameter;
use cache_tuner_exporter::published::Board;
use cache_tuner_exporter::published::CacheView;
use cache_tuner_exporter::published::ScrapeHealth;
use cache_tuner_exporter::published::TargetView;
use cache_tuner_exporter::published::TrustView;
use cache_tuner_exporter::reason::Reason;
use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::snapshot::PerformanceSnapshot;
use cache_tuner_exporter::tuner::AdaptiveTuner;
use cache_tuner_exporter::tuner::Surroundings;
use cache_tuner_exporter::tuner::TuningConfig;
use cache_tuner_exporter::units::Timestamp;
use flate2::read::GzDecoder;
use proptest::collection::btree_map;
use proptest::collection::btree_set;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::boards;
use crate::export;
use crate::export::reference;
use crate::export::reference::Beside;

pub(crate) const BESIDE: Beside = Beside {
    build: boards::BUILD,
    reload_successful: Some(true),
    reload_success_at: Some(Timestamp::from_millis(1_700_000_100_000)),
    store_failures: 2,
};

/// What stands before the metrics of the process, which differ from one look to the next.
pub(crate) fn ours(page: &str) -> &str {
    &page[..page.find("# HELP process_").expect("the process is on the page")]
}

#[track_caller]
fn check(board: Board) {
    let board = Arc::new(board);
    let page = export::render(&export::exporter(&board));
    let want = reference::page(board, BESIDE).unwrap();
    if ours(&page) != want {
        let line = ours(&page).lines().zip(want.lines()).find(|(ours, theirs)| ours != theirs);
        panic!("not the same page: {line:#?}");
    }
}

fn unzipped(pieces: &[Bytes]) -> String {
    let mut text = String::new();
    GzDecoder::new(&*pieces.concat()).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn the_page_is_what_the_prometheus_crate_writes() {
    check(boards::board());
    check(Board::new());
}

// === random boards ===

/// Names that a careless writer would get wrong.
fn name() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "a",
        "b",
        "zz",
        "Z",
        "0",
        "_",
        "__",
        "\"",
        "\\",
        "\n",
        "\\n",
        "{",
        "}",
        ",",
        "=",
        " ",
        "é",
        "\u{1f600}",
        "\t",
        "\r",
        "\0",
        "cache",
        "rule",
        "exported_",
        "e",
        "le",
    ]);
    vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<f64>(),
        0.0..1.0_f64,
        (0..1_000_000_u32).prop_map(f64::from),
        select(vec![-0.0, 1e-7, 1e16, 1e21, 123_456.789]),
    ]
}

fn time() -> impl Strategy<Value = Timestamp> {
    (-1_000_000..2_000_000_000_000_i64).prop_map(Timestamp::from_millis)
}

prop_compose! {
    fn cache()(
        tunable in btree_set(select(Parameter::ALL.to_vec()), 0..=6),
        backwards: bool,
        values in vec(option::of(number()), Signal::COUNT),
        at in time(),
        worse in 0..3_u8,
        outcomes in vec((any::<bool>(), number()), 0..4),
    ) -> (AdaptiveTuner, Option<PerformanceSnapshot>) {
        let mut tunable: Vec<_> = tunable.into_iter().collect();
        if backwards {
            tunable.reverse();
        }
        let mut config = TuningConfig::default();
        config.feedback.shadow_share = f64::from(worse) / 2.0;
        let mut tuner = AdaptiveTuner::new(config, Arc::new(boards::rules()), tunable);
        for step in 0..8_u8 {
            let time = Timestamp::from_millis(1_700_000_000_000 + i64::from(step) * 15_000);
            let mut snapshot = PerformanceSnapshot::empty(time);
            snapshot.set(Signal::HitRate, Some(0.9 - f64::from(worse * step) / 50.0));
            snapshot.set(Signal::MemoryUsagePercent, Some(90.0 + f64::from(worse * 4)));
            snapshot.set(Signal::OpsPerSecond, Some(500.0));
            tuner.record_performance(snapshot);
            tuner.analyze_within(time, &Surroundings { next_number: 1, ..Surroundings::ALONE });
        }
        for (success, improvement) in outcomes {
            tuner.record_tuning_outcome("hit_rate_declining", success, improvement);
        }
        let mut snapshot = PerformanceSnapshot::empty(at);
        for (signal, value) in Signal::ALL.into_iter().zip(values) {
            snapshot.set(signal, value);
        }
        (tuner, (worse != 1).then_some(snapshot))
    }
}

prop_compose! {
    fn health()(
        up in option::of(any::<bool>()),
        last_duration in option::of(0..100_000_000_u64),
        last_scrape in option::of(time()),
        failures in btree_map(select(Reason::ALL.to_vec()), any::<u64>(), 0..4),
    ) -> ScrapeHealth {
        let last_duration = last_duration.map(Duration::from_micros);
        ScrapeHealth { up, last_duration, last_scrape, failures, ..ScrapeHealth::default() }
    }
}

prop_compose! {
    fn target()(
        job in name(),
        address in name(),
        labels in btree_map(name(), name(), 0..4),
        health in health(),
        caches in btree_map(name(), cache(), 0..4),
        backwards: bool,
    ) -> TargetView {
        let caches = caches.into_iter().map(|(name, (tuner, snapshot))| {
            let view = CacheView::new(name.as_str().into(), &tuner, BTreeMap::new());
            Arc::new(CacheView { snapshot, ..view })
        });
        let mut caches: Vec<_> = caches.collect();
        if backwards {
            caches.reverse();
        }
        TargetView {
            id: boards::id(&job, &address),
            url: "http://x/".into(),
            labels: Arc::new(labels),
            profile: None,
            scrape_interval: Duration::from_secs(15),
            scrape_timeout: Duration::from_secs(10),
            health,
            caches,
        }
    }
}

prop_compose! {
    fn trust()(
        rules in btree_map(name(), number(), 0..3),
        calibration_error in option::of(number()),
        brier_score in option::of(number()),
        is_breaker_open: bool,
        recent_judged in 0..20_usize,
        recent_success_ratio in option::of(number()),
    ) -> TrustView {
        let rules = rules.into_iter().map(|(rule, confidence)| (rule.as_str().into(), confidence));
        TrustView {
            rule_confidence: rules.collect(),
            calibration_error,
            brier_score,
            is_breaker_open,
            recent_judged,
            recent_success_ratio,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn random_pages_are_what_the_prometheus_crate_writes(
        targets in vec(target(), 0..5),
        trust in trust(),
    ) {
        let board = Board::new();
        for target in targets {
            board.publish(target);
        }
        board.publish_trust(trust);
        check(board);
    }
}

// === pages that are shared ===

#[test]
fn gzip_is_one_member_with_the_same_page() {
    let board = Arc::new(boards::board());
    let exporter = export::exporter(&board);
    let plain = export::render(&exporter);
    let zipped = exporter.page_gzipped().unwrap();
    assert_eq!(ours(&unzipped(&zipped)), ours(&plain));
    assert!(zipped.concat().len() < plain.len() / 5);
    let page = unzipped(&zipped);
    assert!(page.contains("\nprocess_cpu_seconds_total "));
}

#[test]
fn an_unchanged_page_is_written_and_compressed_once() {
    let board = Arc::new(boards::board());
    let exporter = export::exporter(&board);
    let (first, zipped) = (exporter.page().unwrap(), exporter.page_gzipped().unwrap());
    let (second, rezipped) = (exporter.page().unwrap(), exporter.page_gzipped().unwrap());
    assert_eq!(first[0].as_ptr(), second[0].as_ptr());
    assert_eq!(zipped[0].as_ptr(), rezipped[0].as_ptr());
    board.publish_trust(TrustView::default());
    assert_ne!(exporter.page().unwrap()[0].as_ptr(), first[0].as_ptr());
    let page = unzipped(&exporter.page_gzipped().unwrap());
    assert!(page.contains("\ncache_tuner_breaker_open 0\n"));
}

#[test]
fn what_is_counted_elsewhere_changes_the_page_too() {
    let failures = Arc::new(AtomicU64::new(0));
    let exporter = Exporter::new(Arc::new(Board::new()), boards::BUILD, Arc::clone(&failures));
    assert!(export::render(&exporter).contains("\ncache_tuner_store_failures_total 0\n"));
    failures.store(7, std::sync::atomic::Ordering::Relaxed);
    assert!(export::render(&exporter).contains("\ncache_tuner_store_failures_total 7\n"));
    exporter.set_reload(false, boards::now());
    let page = export::render(&exporter);
    assert!(page.contains("\ncache_tuner_config_last_reload_successful 0\n"));
}

#[test]
fn a_page_that_is_being_read_stays_as_it_was() {
    let board = Arc::new(boards::board());
    let exporter = export::exporter(&board);
    let read = exporter.page().unwrap();
    let text = read.concat();
    board.retain(|_| false);
    assert!(!export::render(&exporter).contains("scrape_job="));
    board.publish_trust(TrustView::default());
    export::render(&exporter);
    assert_eq!(read.concat(), text);
}

#[test]
fn many_who_ask_while_the_board_changes_get_whole_pages() {
    let board = Arc::new(boards::board());
    let exporter = Arc::new(export::exporter(&board));
    let start = Arc::new(Barrier::new(9));
    let readers = (0..8).map(|reader| {
        let (exporter, start) = (Arc::clone(&exporter), Arc::clone(&start));
        std::thread::spawn(move || {
            start.wait();
            for _ in 0..20 {
                let page = match reader % 2 {
                    0 => export::render(&exporter),
                    _ => unzipped(&exporter.page_gzipped().unwrap()),
                };
                assert!(page.contains("\ncache_tuner_breaker_open ") && page.ends_with('\n'));
                assert_eq!(page.matches("# TYPE cache_tuner_target_up gauge\n").count(), 1);
            }
        })
    });
    let readers: Vec<_> = readers.collect();
    start.wait();
    for _ in 0..200 {
        board.publish_trust(TrustView::default());
    }
    for reader in readers {
        reader.join().unwrap();
    }
}
