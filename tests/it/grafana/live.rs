//! Every query of the dashboard and of the alerts, asked of a real Prometheus.
//!
//! The exporter is played by a page that shows each promised metric, so what is tried out here is
//! the queries alone.

use std::io::Write;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use crate::grafana::names;
use crate::support::dashboard;
use crate::support::dashboard::Query;
use crate::support::dashboard::Variables;
use crate::support::prometheus::Prometheus;
use crate::support::server::HttpServer;
use crate::support::tool;
use crate::support::wait::PATIENCE;
use crate::support::wait::eventually;

/// Seconds between two scrapes of the page.
const SCRAPE_INTERVAL_SECONDS: u32 = 1;

/// Scrapes after which every counter has grown and every window of the queries has two samples.
const SCRAPES_MIN: f64 = 4.0;

fn start_exporter() -> HttpServer {
    let step = AtomicU32::new(0);
    HttpServer::start(move |_, stream, _| {
        let page = names::page(now(), step.fetch_add(1, Ordering::Relaxed));
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close";
        write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{page}", page.len())
    })
}

#[expect(clippy::disallowed_methods, reason = "queries compare with Prometheus' own clock")]
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970").as_secs_f64()
}

fn start_prometheus(exporter: &HttpServer) -> Prometheus {
    let config = format!(
        "global: {{scrape_interval: {SCRAPE_INTERVAL_SECONDS}s, scrape_timeout: 1s}}\n\
         scrape_configs: [{{job_name: cache-tuner, static_configs: [{{targets: ['{}']}}]}}]\n",
        exporter.address()
    );
    Prometheus::start(&config, &[])
}

fn variables<'a>(labels: &'a [(&'a str, &'a str)]) -> Variables<'a> {
    Variables {
        interval_seconds: 2 * SCRAPE_INTERVAL_SECONDS,
        rate_interval_seconds: 4 * SCRAPE_INTERVAL_SECONDS,
        labels,
    }
}

/// The queries that give nothing; a query that Prometheus refuses panics.
fn empty(prometheus: &Prometheus, queries: &[Query]) -> Vec<String> {
    let is_empty = |query: &&Query| prometheus.query(&query.expr).is_empty();
    queries.iter().filter(is_empty).map(|query| query.place.clone()).collect()
}

#[test]
fn the_page_of_all_metrics_is_clean() {
    let page = names::page(1_700_000_000.0, 1);
    let output = tool::run("promtool", &["check", "metrics"], ".".as_ref(), &page);
    assert!(output.success, "{}", output.stderr);
    assert_eq!(output.stderr, "");
}

#[test]
fn prometheus_answers_every_query() {
    let exporter = start_exporter();
    let prometheus = start_prometheus(&exporter);
    eventually(PATIENCE, "Prometheus has scraped the page often enough", || {
        let scrapes = prometheus.query_value("process_cpu_seconds_total * 100")?;
        (scrapes >= SCRAPES_MIN).then_some(())
    });

    let dashboard = dashboard::document();
    let none: &[String] = &[];
    // With all variables at "All", each query has to show something.
    let all = dashboard::queries(&dashboard, &variables(&[]));
    assert_eq!(empty(&prometheus, &all), none);
    // And so it does for one cache and for several.
    let one = [("scrape_job", "books"), ("target", "app:8080"), ("cache", "titles")];
    assert_eq!(empty(&prometheus, &dashboard::queries(&dashboard, &variables(&one))), none);
    let several = [("cache", "(redis|titles)")];
    assert_eq!(empty(&prometheus, &dashboard::queries(&dashboard, &variables(&several))), none);

    // The page shows recommendations that are not in force, and nothing else that is wrong.
    let alerts = dashboard::alert_queries();
    let firing: Vec<String> = {
        let silent = empty(&prometheus, &alerts);
        let places = alerts.into_iter().map(|it| it.place);
        places.filter(|it| it.starts_with("alert ") && !silent.contains(it)).collect()
    };
    assert_eq!(firing, ["alert CacheTunerRecommendationStanding"]);
}

#[test]
fn the_recommendations_table_has_one_row_a_recommendation() {
    let exporter = start_exporter();
    let prometheus = start_prometheus(&exporter);
    let dashboard = dashboard::document();
    let queries = dashboard::queries(&dashboard, &variables(&[]));
    let columns: Vec<&Query> = queries
        .iter()
        .filter(|query| query.place.starts_with("panel \"Recommendations\""))
        .collect();
    assert_eq!(columns.len(), 4);
    eventually(PATIENCE, "Prometheus has scraped the page", || {
        prometheus.query_value("process_cpu_seconds_total").map(drop)
    });
    // Grafana merges the columns by equal labels: they must not differ in any.
    let mut rows: Vec<Vec<String>> = columns
        .iter()
        .map(|column| {
            let result = prometheus.query(&column.expr);
            let mut rows: Vec<String> = result.iter().map(|it| it["metric"].to_string()).collect();
            rows.sort();
            rows
        })
        .collect();
    rows.dedup();
    assert_eq!(rows.len(), 1, "{rows:?}");
    // Four caches with two rules each.
    assert_eq!(rows[0].len(), 8);
    assert_eq!(
        rows[0][0],
        concat!(
            r#"{"cache":"authors","parameter":"l1_size_multiplier","#,
            r#""rule":"hit_rate_declining","scrape_job":"books","target":"app:8080"}"#,
        )
    );
}
