//! The test support, proved part by part, so that a failing product test is not the support's
//! fault.

use std::fs;
use std::panic;
use std::path::Path;
use std::time::Duration;

use flate2::read::GzDecoder;
use serde_json::json;

use crate::support::chromium;
use crate::support::exporter::Exporter;
use crate::support::exporter::listening_address;
use crate::support::fault::FaultTarget;
use crate::support::fault::Reply;
use crate::support::fault::basic_auth;
use crate::support::http;
use crate::support::page::Page;
use crate::support::process;
use crate::support::prometheus::Alertmanager;
use crate::support::prometheus::Prometheus;
use crate::support::prometheus::webhook_config;
use crate::support::redis::Redis;
use crate::support::redis::RedisExporter;
use crate::support::tool;
use crate::support::traffic::Spread;
use crate::support::traffic::Traffic;
use crate::support::varnish::Varnish;
use crate::support::varnish::VarnishExporter;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;
use crate::support::webhook::Webhook;

const MEBIBYTE: u64 = 1 << 20;

// --- Redis

#[test]
fn redis_evicts_and_its_exporter_shows_what_info_says() {
    let redis = Redis::start(3 * MEBIBYTE);
    let exporter = RedisExporter::start(&redis);
    assert!(exporter.address().ip().is_loopback());
    // 4,000 values of 1 KiB do not fit into 3 MiB.
    let served = redis.serve(&mut Traffic::new(4000, Spread::Zipf, 1), 10_000, 1024);

    assert!(served.hit_ratio().is_some_and(|ratio| ratio > 0.3 && ratio < 0.95), "{served:?}");
    assert_eq!(redis.info_number("keyspace_hits"), served.hits);
    assert_eq!(redis.info_number("keyspace_misses"), served.misses);

    let evicted_before = redis.info_number("evicted_keys");
    let page = Page::parse(&http::text(&exporter.url()));
    let exported = |name| page.value(name, &[]);
    assert_eq!(exported("redis_keyspace_hits_total"), Some(served.hits as f64));
    assert_eq!(exported("redis_keyspace_misses_total"), Some(served.misses as f64));
    // A full Redis evicts for the buffers of each new connection too, so the exact number moves.
    let evicted = exported("redis_evicted_keys_total").expect("evictions are exported");
    let evicted_after = redis.info_number("evicted_keys");
    assert!(evicted_before > 100);
    assert!((evicted_before as f64..=evicted_after as f64).contains(&evicted), "{evicted}");
}

#[test]
fn a_restarted_redis_is_empty_on_the_same_port() {
    let mut redis = Redis::start(4 * MEBIBYTE);
    let address = redis.address();
    let mut traffic = Traffic::new(100, Spread::Uniform, 2);
    redis.serve(&mut traffic, 500, 64);
    assert!(redis.info_number("keyspace_hits") > 0);

    redis.restart();
    assert_eq!(redis.address(), address);
    assert_eq!(redis.info_number("keyspace_hits"), 0);

    redis.stop();
    assert!(std::net::TcpStream::connect(address).is_err(), "a stopped Redis refuses");
}

#[test]
fn traffic_repeats_by_seed_and_zipf_prefers_few_keys() {
    let keys = |spread, seed| {
        let mut traffic = Traffic::new(1000, spread, seed);
        (0..10_000).map(|_| traffic.next_key()).collect::<Vec<_>>()
    };
    let low = |keys: &[u32]| keys.iter().filter(|key| **key < 100).count();
    assert_eq!(keys(Spread::Zipf, 1), keys(Spread::Zipf, 1));
    assert_ne!(keys(Spread::Zipf, 1), keys(Spread::Zipf, 2));
    assert!((900..1100).contains(&low(&keys(Spread::Uniform, 1))));
    assert!((6000..6700).contains(&low(&keys(Spread::Zipf, 1))));
    assert!(keys(Spread::Uniform, 1).iter().all(|key| *key < 1000));
}

// --- Varnish

#[test]
fn varnish_nukes_and_its_exporter_shows_the_same_hits() {
    let varnish = Varnish::start(MEBIBYTE, 16 << 10);
    let exporter = VarnishExporter::start(&varnish);
    let exported = || {
        let page = Page::parse(&http::text(&exporter.url()));
        let value = |name| page.value(name, &[]).unwrap_or_default();
        (value("varnish_main_cache_hit"), value("varnish_main_cache_miss"), page)
    };
    let (hits_before, misses_before, _) = exported();
    // 100 pages of 16 KiB do not fit into 1 MiB.
    let served = varnish.serve(&mut Traffic::new(100, Spread::Zipf, 3), 400);
    assert!(served.hits > 100 && served.misses > 50, "{served:?}");

    // Worker threads add their counts to the shared ones only when they come to rest.
    let want = (hits_before + served.hits as f64, misses_before + served.misses as f64);
    let page = eventually(PATIENCE, "Varnish counts every request", || {
        let (hits, misses, page) = exported();
        ((hits, misses) == want).then_some(page)
    });
    assert!(page.value("varnish_main_n_lru_nuked", &[]).is_some_and(|nuked| nuked > 0.0));
    assert!(page.value("varnish_sma_g_bytes", &[("type", "s0")]).is_some_and(|used| used > 5e5));
    assert!(exporter.address().ip().is_loopback());
}

// --- Prometheus, Alertmanager and their tools

#[test]
fn prometheus_scrapes_a_target_and_loads_rules() {
    let target = FaultTarget::start(Reply::Page("# TYPE answer gauge\nanswer 42\n".to_owned()));
    let config = format!(
        "global: {{scrape_interval: 1s}}\nrule_files: [rules.yml]\nscrape_configs:\n  \
         - job_name: test\n    static_configs: [{{targets: ['{}']}}]\n",
        target.address()
    );
    let rules = "groups: [{name: g, interval: 1s, rules: [{record: twice, expr: answer * 2}]}]";
    let prometheus = Prometheus::start(&config, &[("rules.yml", rules)]);
    eventually(PATIENCE, "the recorded value", || {
        (prometheus.query_value("twice") == Some(84.0)).then_some(())
    });
    assert_eq!(prometheus.query(r#"up{job="test"} == 1"#).len(), 1);
    assert_eq!(prometheus.api("targets")["activeTargets"][0]["lastError"], "");
}

#[test]
fn alertmanager_delivers_a_posted_alert_to_the_webhook() {
    let webhook = Webhook::start();
    let alertmanager = Alertmanager::start(&webhook_config(&webhook.url()));
    assert!(alertmanager.address().ip().is_loopback());
    alertmanager.post_alert(&json!({"alertname": "TestAlert", "severity": "page"}));
    let alert = eventually(PATIENCE, "the alert", || webhook.alert("TestAlert"));
    assert_eq!(alert["status"], "firing");
    assert_eq!(alert["labels"]["severity"], "page");
}

#[test]
fn promtool_and_amtool_tell_good_from_bad() {
    let dir = process::temp_dir("tools");
    let metrics = |page| tool::run("promtool", &["check", "metrics"], dir.path(), page);
    assert!(metrics("# HELP a_bytes A size.\n# TYPE a_bytes gauge\na_bytes 1\n").success);
    let bad = metrics("# TYPE a_total gauge\na_total 1\n");
    assert!(!bad.success && bad.stderr.contains("a_total"), "{bad:?}");

    fs::write(dir.path().join("am.yml"), webhook_config("http://127.0.0.1/")).unwrap();
    let good = tool::run("amtool", &["check-config", "am.yml"], dir.path(), "");
    assert!(good.success && good.stdout.contains("SUCCESS"), "{good:?}");
    fs::write(dir.path().join("am.yml"), "route: {}\n").unwrap();
    assert!(!tool::run("amtool", &["check-config", "am.yml"], dir.path(), "").success);
}

// --- Chromium

#[test]
fn chromium_runs_scripts_and_takes_pictures() {
    let body = "<title>t</title><body><script>document.body.textContent = 6 * 7</script>";
    let body = body.to_owned();
    let page = FaultTarget::start(Reply::Typed { status: 200, content_type: "text/html", body });
    let document = chromium::dump_dom(&page.url("/"), &["--virtual-time-budget=1000"]);
    assert!(document.contains("<body>42</body>"), "{document}");
    assert!(chromium::screenshot("selftest", &page.url("/"), 320, 200).starts_with(b"\x89PNG"));
}

// --- the scripted target

#[test]
fn the_scripted_target_does_each_fault() {
    let page = "# TYPE answer gauge\nanswer 42\n".to_owned();
    let target = FaultTarget::start(Reply::Page(page.clone()));
    let url = target.url("/metrics");
    let get = |reply| {
        target.set(reply);
        http::get(&url)
    };
    assert_eq!(get(Reply::Page(page.clone())).unwrap().text(), page);
    assert_eq!(get(Reply::html()).unwrap().headers.first("content-type"), Some("text/html"));
    assert_eq!(get(Reply::status(503)).unwrap().status, 503);
    assert!(get(Reply::CloseAtOnce).is_err());
    assert!(get(Reply::CloseEarly(page.clone())).is_err());

    let response = get(Reply::Gzip(page.clone())).unwrap();
    assert_eq!(response.headers.first("content-encoding"), Some("gzip"));
    assert_eq!(std::io::read_to_string(GzDecoder::new(&*response.body)).unwrap(), page);

    let first = get(Reply::RedirectForEver).unwrap();
    let second = get(Reply::RedirectForEver).unwrap();
    assert_eq!((first.status, second.status), (302, 302));
    assert_ne!(first.headers.first("location"), second.headers.first("location"));
    let moved = get(Reply::RedirectTo("http://127.0.0.1:1/".to_owned())).unwrap();
    assert_eq!(moved.headers.first("location"), Some("http://127.0.0.1:1/"));

    let huge = get(Reply::Huge { bytes: MEBIBYTE, gzip: false }).unwrap();
    assert_eq!(huge.body.len() as u64, MEBIBYTE);
    let huge = get(Reply::Huge { bytes: MEBIBYTE, gzip: true }).unwrap();
    assert!(huge.body.len() < 100_000);
    assert_eq!(target.sent_bytes(), 2 * MEBIBYTE);
    assert!(target.requests().iter().all(|request| request.method == "GET"));
    assert!(target.requests().iter().all(|request| request.path == "/metrics"));
}

#[test]
fn the_scripted_target_wants_its_header() {
    let value = basic_auth("Aladdin", "open sesame");
    assert_eq!(value, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_eq!(basic_auth("a", ""), "Basic YTo=");
    let page = "up 1\n".to_owned();
    let reply = Reply::IfHeader { name: "authorization", value: value.clone(), page };
    let target = FaultTarget::start(reply);
    let status = |headers: &[(&str, &str)]| {
        http::request("GET", &target.url("/"), headers, b"").unwrap().status
    };
    assert_eq!(status(&[]), 401);
    assert_eq!(status(&[("Authorization", &value)]), 200);
}

#[test]
fn a_hanging_target_says_nothing_and_can_still_be_dropped() {
    let target = FaultTarget::start(Reply::Hang);
    let address = target.address();
    let client = std::thread::spawn({
        let url = target.url("/");
        move || http::get(&url)
    });
    eventually(PATIENCE, "the request arrived", || (target.requests().len() == 1).then_some(()));
    assert!(!client.is_finished());
    drop(target);
    assert!(client.join().unwrap().is_err(), "the connection is closed without an answer");
    assert!(std::net::TcpStream::connect(address).is_err());
}

// --- the exporter and processes

#[test]
fn the_address_is_read_from_the_log() {
    #[track_caller]
    fn check(log: &str, want: Option<&str>) {
        assert_eq!(listening_address(log).map(|address| address.to_string()).as_deref(), want);
    }
    check("level=info msg=listening address=127.0.0.1:1234\n", Some("127.0.0.1:1234"));
    check("ts=1 message=\"listening\" address=\"127.0.0.1:9\" tls=false\n", Some("127.0.0.1:9"));
    check("msg=starting address=127.0.0.1:1\nmsg=listening address=[::1]:2\n", Some("[::1]:2"));
    check("msg=listening address=127.0.0.1:12", None);
    check("msg=starting\n", None);
    check("", None);
}

#[test]
fn a_program_that_logs_its_address_is_driven_like_the_exporter() {
    let page = FaultTarget::start(Reply::Page("up 1\n".to_owned()));
    let script = format!(
        "trap 'exit 3' TERM; cat file; echo message=listening address={} >&2; \
         while :; do sleep 0.05; done",
        page.address()
    );
    let args = ["-c", &script];
    let mut program = Exporter::start_program(Path::new("/bin/sh"), &args, &[("file", "text")]);
    assert_eq!(program.address(), page.address());
    assert_eq!(program.get("/metrics").text(), "up 1\n");
    assert_eq!(program.post("/-/reload").status, 200);
    assert!(program.log().contains("listening"));
    program.write_file("new", "text");
    assert!(program.dir().join("new").is_file() && program.dir().join("file").is_file());
    program.signal("TERM");
    assert_eq!(program.wait_for_exit(Duration::from_secs(5)).code(), Some(3));
}

#[test]
fn an_exporter_that_ends_before_it_listens_fails_the_test() {
    let outcome = panic::catch_unwind(|| Exporter::start(&["--no-such-flag"], &[]));
    let message = *outcome.unwrap_err().downcast::<String>().unwrap();
    assert!(message.starts_with("the exporter ended before it listened"), "{message}");
    let ended = Exporter::run(&["--no-such-flag"], &[]);
    assert!(ended.status.code().is_some(), "{} {}", ended.stdout, ended.stderr);
}

#[test]
fn a_dropped_process_is_gone_with_its_children_and_its_directory() {
    let script = "sleep 1000 & echo $! > child; wait".to_owned();
    let dir = process::temp_dir("drop");
    let program = process::Process::start(Path::new("/bin/sh"), &["-c".to_owned(), script], dir);
    let path = program.dir().to_owned();
    let child = eventually(PATIENCE, "the child's id", || {
        fs::read_to_string(path.join("child")).ok()?.trim().parse::<u32>().ok()
    });
    drop(program);
    assert!(!path.exists());
    eventually(PATIENCE, "the child is gone", || {
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        // A zombie waits only for its parent to look at it.
        (stat.is_empty() || stat.contains(") Z ")).then_some(())
    });
}

#[test]
fn a_missing_program_names_its_remedy() {
    let outcome = panic::catch_unwind(|| tool::path("no-such-program"));
    let message = *outcome.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("apt-get install") && message.contains("tests/run"), "{message}");
}

#[test]
fn the_test_script_installs_every_package_that_tests_need() {
    let script = include_str!("../run");
    for (program, package) in tool::PACKAGES {
        let names = script.split_whitespace().any(|word| word == *package);
        assert!(names, "tests/run does not install `{package}` for `{program}`");
    }
}

#[test]
fn a_page_is_read_with_its_labels() {
    let page =
        Page::parse("# HELP a b\na 1\nb{x=\"1\",y=\"q\\\"}\\n\",} 2.5 100\nb{x=\"2\"} NaN\n");
    assert_eq!(page.value("a", &[]), Some(1.0));
    assert_eq!(page.value("b", &[("x", "1")]), Some(2.5));
    assert_eq!(page.samples("b", &[("x", "1")])[0].label("y"), Some("q\"}\n"));
    assert_eq!(page.samples("b", &[]).len(), 2);
    assert_eq!(page.value("c", &[]), None);
}
