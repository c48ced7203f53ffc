//! The whole metrics page, held against a golden file and Prometheus' own linter.

pub(crate) mod reference;
mod same;
mod served;

use std::io::Write;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use cache_tuner_exporter::export::Exporter;
use cache_tuner_exporter::export::names;
use cache_tuner_exporter::published::Board;

use crate::boards;

fn exporter(board: &Arc<Board>) -> Exporter {
    let exporter = Exporter::new(Arc::clone(board), boards::BUILD, Arc::new(AtomicU64::new(2)));
    exporter.set_reload(true, boards::now());
    exporter
}

/// An exporter that has nothing to show yet.
fn empty() -> Exporter {
    Exporter::new(Arc::new(Board::new()), boards::BUILD, Arc::new(AtomicU64::new(0)))
}

/// The whole page as text.
fn render(exporter: &Exporter) -> String {
    String::from_utf8(exporter.page().unwrap().concat()).unwrap()
}

fn page() -> String {
    render(&exporter(&Arc::new(boards::board())))
}

/// The page without what only this run of this process can know.
fn page_of_ours() -> String {
    let page = page();
    let ours = page.lines().filter(|line| {
        let name = line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ");
        !name.starts_with("process_")
    });
    ours.collect::<Vec<_>>().join("\n") + "\n"
}

#[test]
fn the_whole_page_is_as_it_was() {
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../golden" }, {
        insta::assert_snapshot!("metrics", page_of_ours());
    });
}

#[test]
fn every_metric_of_the_table_is_on_the_page_as_the_table_says() {
    let page = page();
    for metric in names::ALL {
        let head = format!(
            "# HELP {name} {}\n# TYPE {name} {}\n{name}",
            metric.help,
            metric.kind.name(),
            name = metric.name
        );
        assert!(page.contains(&head), "{head}");
    }
    let ours = page.lines().filter(|line| line.starts_with("# TYPE cache_tuner_")).count();
    assert_eq!(ours, names::ALL.len());
}

#[test]
fn the_process_is_on_the_page() {
    let page = page();
    for name in ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"] {
        assert!(page.contains(&format!("\n{name} ")), "{name}");
    }
}

#[test]
fn promtool_has_nothing_to_say() {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool of the Debian package `prometheus` is installed");
    promtool.stdin.take().unwrap().write_all(page().as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let words = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && words.is_empty(), "{}", String::from_utf8_lossy(&words));
}

#[test]
fn what_is_gone_leaves_no_series() {
    let board = Arc::new(boards::board());
    let exporter = exporter(&board);
    assert!(render(&exporter).contains("varnish:9131"));
    board.retain(|id| &*id.scrape_job == "sessions");
    let page = render(&exporter);
    assert!(!page.contains("varnish:9131") && page.contains("localhost:9121"));
    board.retain(|_| false);
    assert!(!render(&exporter).contains("scrape_job="));
}

#[test]
fn what_all_caches_share_is_there_from_the_start() {
    let page = render(&empty());
    for series in [
        "cache_tuner_breaker_open 0",
        "cache_tuner_recent_judged_tunings 0",
        "cache_tuner_store_failures_total 0",
    ] {
        assert!(page.contains(&format!("\n{series}\n")), "{series}");
    }
    for name in ["recent_success_ratio", "brier_score", "calibration_error_ratio"] {
        assert!(!page.contains(&format!("\ncache_tuner_{name}")), "{name}");
    }
}

#[test]
fn a_failed_reload_keeps_the_time_of_the_last_good_one() {
    let exporter = empty();
    assert!(!render(&exporter).contains("cache_tuner_config_"));
    exporter.set_reload(true, boards::now());
    exporter.set_reload(false, boards::now() + std::time::Duration::from_secs(60));
    let page = render(&exporter);
    assert!(page.contains("\ncache_tuner_config_last_reload_successful 0\n"));
    assert!(
        page.contains("\ncache_tuner_config_last_reload_success_timestamp_seconds 1700000100\n")
    );
}
