//! What the flags of the exporter itself do.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use crate::support::exporter::BINARY;
use crate::support::exporter::Exporter;
use crate::support::fault::FaultTarget;
use crate::support::fault::Reply;
use crate::support::http;
use crate::support::page::Page;
use crate::support::process::Process;
use crate::support::process::free_address;
use crate::support::process::temp_dir;
use crate::support::toy;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;

/// A configuration with one target where nothing listens, which is in the log soon.
fn config_of_nothing() -> String {
    toy::config(&[toy::job("nothing", &[free_address()], "")])
}

/// [`toy::start`] waits for a log line in logfmt; this starts one that writes no such line, and
/// gives the address that it was told.
fn start_by_hand(args: &[&str]) -> (Process, String) {
    let dir = temp_dir("exporter");
    fs::write(dir.path().join(toy::CONFIG_FILE), config_of_nothing()).unwrap();
    fs::write(dir.path().join(toy::PROFILE_FILE), toy::PROFILE).unwrap();
    let address = free_address().to_string();
    let own = ["--config.file", toy::CONFIG_FILE, "--web.listen-address", &address];
    let args: Vec<String> = args.iter().chain(&own).map(|arg| (*arg).to_owned()).collect();
    (Process::start(Path::new(BINARY), &args, dir), address)
}

#[track_caller]
fn check_usage(args: &str, message: &str) {
    let args: Vec<&str> = args.split_whitespace().collect();
    let ended = Exporter::run(&args, &[]);
    assert_eq!(ended.status.code(), Some(2), "{}", ended.stderr);
    assert_eq!(ended.stdout, "");
    assert!(ended.stderr.contains(message), "{}", ended.stderr);
}

#[test]
fn wrong_usage_is_told_with_what_is_wanted() {
    check_usage("--web.listen-adress :0", "'--web.listen-address");
    check_usage("--web.listen-address 10049", "such as 127.0.0.1:10049");
    check_usage("--web.listen-address 127.0.0.1:99999", "such as 127.0.0.1:10049");
    check_usage("--web.telemetry-path metrics", "such as /metrics");
    check_usage("--web.telemetry-path /api/v1/caches", "/api/ is served already");
    check_usage("--log.level loud", "possible values: debug, info, warn, error");
    check_usage("--log.format xml", "possible values: json, logfmt");
    check_usage("--config.file", "a value is required");
    check_usage("serve", "serve");
    check_usage("--log.level info --log.level warn", "cannot be used multiple times");
    check_usage("--config.file a.yaml check a.yaml", "check");
}

#[test]
fn an_address_in_use_is_a_clear_failure() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for args in [
        &["--web.listen-address", &address][..],
        &["--web.listen-address", "127.0.0.1:0", "--web.listen-address", &address],
    ] {
        let ended = Exporter::run(args, &[]);
        assert_eq!(ended.status.code(), Some(1), "{}", ended.stderr);
        let want = format!("error: cannot listen on {address}: Address already in use");
        assert!(ended.stderr.contains(&want), "{}", ended.stderr);
    }
}

#[test]
fn every_listen_address_serves() {
    let config = config_of_nothing();
    let second = free_address();
    let exporter = toy::start(&config, &["--web.listen-address", &second.to_string()]);
    let page = http::text(&format!("http://{second}/metrics"));
    Page::parse(&page);
    assert_eq!(exporter.get("/-/healthy").status, 200);
    assert_ne!(exporter.address(), second);
    assert!(exporter.log().contains(&format!("address={second}")));
}

#[test]
fn the_metrics_may_stand_elsewhere() {
    let exporter = toy::start(&config_of_nothing(), &["--web.telemetry-path", "/cache/metrics"]);
    let page = exporter.get("/cache/metrics");
    assert!(Page::parse(page.text()).value("cache_tuner_exporter_build_info", &[]).is_some());
    assert_eq!(exporter.get("/metrics").status, 404);
    assert!(exporter.get("/").text().contains("/cache/metrics"));
}

#[test]
fn a_log_in_logfmt_parses_and_levels_leave_lines_out() {
    let exporter = toy::start(&config_of_nothing(), &[]);
    let log = wait_for_failure(&exporter);
    for line in log.lines() {
        let level = logfmt(line).into_iter().find(|(key, _)| key == "level");
        assert!(matches!(level.unwrap().1.as_str(), "info" | "warn"), "{line}");
    }
    let failed = log.lines().find(|line| line.contains("scrape failed")).unwrap();
    let fields = logfmt(failed);
    for (key, value) in [("level", "warn"), ("scrape_job", "nothing"), ("reason", "connect")] {
        assert!(fields.contains(&(key.to_owned(), value.to_owned())), "{failed}");
    }
}

#[test]
fn a_log_in_json_parses() {
    let (exporter, address) = start_by_hand(&["--log.format", "json"]);
    let log = eventually(PATIENCE, "the failure is logged", || {
        let log = exporter.stderr();
        let end = log.rfind('\n')?;
        log[..end].contains("scrape failed").then(|| log[..end].to_owned())
    });
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failed = lines.iter().find(|line| line["message"] == "scrape failed").unwrap();
    assert_eq!(failed["level"], "WARN");
    assert_eq!(failed["scrape_job"], "nothing");
    assert_eq!(failed["reason"], "connect");
    assert!(failed["timestamp"].is_string(), "{failed}");
    let listening = lines.iter().find(|line| line["message"] == "listening").unwrap();
    assert_eq!(listening["address"], address);
}

#[test]
fn the_level_decides_what_is_logged() {
    let (exporter, _) = start_by_hand(&["--log.level", "warn"]);
    eventually(PATIENCE, "the failure is logged", || {
        exporter.stderr().contains("scrape failed").then_some(())
    });
    assert!(!exporter.stderr().contains("listening"), "{}", exporter.stderr());
}

#[test]
fn a_failure_that_goes_on_is_logged_once() {
    let target = FaultTarget::start(Reply::status(500));
    let exporter = toy::start(&toy::config(&[toy::job("a", &[target.address()], "")]), &[]);
    let labels = [("reason", "http_status")];
    toy::wait_for(&exporter, "cache_tuner_target_scrape_failures_total", &labels, |n| n >= 4.0);
    assert_eq!(exporter.log().matches("scrape failed").count(), 1, "{}", exporter.log());
    target.set(Reply::Page(toy::page(1, 1)));
    eventually(PATIENCE, "the recovery is logged", || {
        exporter.log().contains("scrapes succeed again").then_some(())
    });
}

#[track_caller]
fn wait_for_failure(exporter: &Exporter) -> String {
    eventually(PATIENCE, "the failure is logged", || {
        let log = exporter.log();
        let end = log.rfind('\n')?;
        log[..end].contains("scrape failed").then(|| log[..end].to_owned())
    })
}

/// The fields of a line; panics where it is not logfmt.
#[track_caller]
fn logfmt(line: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').unwrap_or_else(|| panic!("no `=`: {rest}"));
        let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        assert!(is_key, "`{key}` is no key: {line}");
        let (value, after) = match after.strip_prefix('"') {
            None => after.split_once(' ').unwrap_or((after, "")),
            Some(quoted) => {
                let mut escaped = false;
                let end = quoted.find(|c| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                let end = end.unwrap_or_else(|| panic!("no closing quote: {line}"));
                (&quoted[..end], quoted[end + 1..].trim_start())
            }
        };
        fields.push((key.to_owned(), value.to_owned()));
        rest = after.trim_start();
    }
    fields
}
