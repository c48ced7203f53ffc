//! A page of all metrics that the exporter promises, for queries to find something.
//!
//! What there is comes from the crate's own table; what the table does not say, values of labels
//! and of series, is added here.

use cache_tuner_exporter::export::names::ALL;
use cache_tuner_exporter::export::names::Kind;
use cache_tuner_exporter::export::names::Metric;
use cache_tuner_exporter::export::names::Scope;
use cache_tuner_exporter::export::names::Unit;

/// Metrics that neither the dashboard nor an alert uses, and why.
pub(crate) const EXEMPTED: &[(&str, &str)] = &[];

/// Values of a metric's own labels, a series each.
const SERIES: &[(&[&str], &[&str])] = &[
    (&[], &[""]),
    (&["rule"], &[r#"rule="hit_rate_declining""#, r#"rule="get_latency_rising""#]),
    (&["parameter"], &[r#"parameter="l1_size_multiplier""#, r#"parameter="ttl_multiplier""#]),
    (
        &["rule", "parameter"],
        &[
            r#"rule="hit_rate_declining",parameter="l1_size_multiplier""#,
            r#"rule="get_latency_rising",parameter="ttl_multiplier""#,
        ],
    ),
    (
        &["rule", "reason"],
        &[
            r#"rule="hit_rate_declining",reason="no_data""#,
            r#"rule="get_latency_rising",reason="confidence""#,
        ],
    ),
    (
        &["rule", "parameter", "outcome"],
        &[
            r#"rule="hit_rate_declining",parameter="l1_size_multiplier",outcome="improved""#,
            r#"rule="hit_rate_declining",parameter="l1_size_multiplier",outcome="degraded""#,
            r#"rule="hit_rate_declining",parameter="l1_size_multiplier",outcome="inconclusive""#,
            r#"rule="hit_rate_declining",parameter="l1_size_multiplier",outcome="void""#,
        ],
    ),
    (&["level"], &[r#"level="all""#, r#"level="l1""#, r#"level="l2""#]),
    (&["reason"], &[r#"reason="timeout""#, r#"reason="status""#]),
    (
        &["version", "revision", "rustversion"],
        &[r#"version="0.1.0",revision="abcdef0",rustversion="1.90.0""#],
    ),
];

/// Values that a rule of the alerts or the sense of a panel depends on.
const VALUES: &[(&str, f64)] = &[
    // Not in force, so that it stands.
    ("cache_tuner_recommended_value", 1.2),
    // Healthy.
    ("cache_tuner_breaker_open", 0.0),
    ("cache_tuner_brier_score", 0.18),
    ("cache_tuner_calibration_error_ratio", 0.02),
    ("cache_tuner_minimum_detectable_effect", 0.01),
    ("cache_tuner_parameter_reversals_total", 2.0),
    ("cache_tuner_recent_judged_tunings", 20.0),
    ("cache_tuner_rule_confidence", 0.8),
    ("cache_tuner_store_failures_total", 0.0),
    ("cache_tuner_tuning_success_ratio", 0.5),
    ("cache_tuner_snapshots", 100.0),
];

/// The series of a metric, without the labels of its owner.
#[track_caller]
fn series(metric: &Metric) -> &'static [&'static str] {
    let known = SERIES.iter().find(|(labels, _)| *labels == metric.labels);
    known.unwrap_or_else(|| panic!("{}: no values for {:?}", metric.name, metric.labels)).1
}

/// A plausible value at `now`, in Unix seconds, and after some steps of the counters.
fn value(metric: &Metric, now: f64, step: u32) -> f64 {
    let told = VALUES.iter().find(|(name, _)| *name == metric.name);
    match (told, metric.kind, metric.unit) {
        (Some((_, value)), ..) => *value,
        (None, Kind::Counter, _) => 10.0 + f64::from(step),
        (None, Kind::Gauge, Unit::TimestampSeconds) => now - 2.0,
        (None, Kind::Gauge, Unit::Ratio) => 0.82,
        (None, Kind::Gauge, Unit::PerSecond) => 1500.0,
        (None, Kind::Gauge, Unit::Seconds) => 0.000_12,
        (None, Kind::Gauge, Unit::None) => 1.0,
    }
}

/// A page with every metric for two targets with two caches each, as the exporter would show it at
/// `now`, in Unix seconds. Counters grow with each `step`.
pub(crate) fn page(now: f64, step: u32) -> String {
    const CACHES: &[(&str, &str)] = &[
        ("sessions", r#"target="redis:9121",cache="redis""#),
        ("pages", r#"target="varnish:9131",cache="varnish""#),
        ("books", r#"target="app:8080",cache="authors""#),
        ("books", r#"target="app:8080",cache="titles""#),
    ];
    const TARGETS: &[(&str, &str)] = &[
        ("sessions", r#"target="redis:9121""#),
        ("pages", r#"target="varnish:9131""#),
        ("books", r#"target="app:8080""#),
    ];
    let mut lines = Vec::new();
    for metric in &ALL {
        let (name, kind, help) = (metric.name, metric.kind.name(), metric.help);
        lines.push(format!("# HELP {name} {help}\n# TYPE {name} {kind}"));
        let owners: Vec<String> = match metric.scope {
            Scope::Cache => CACHES.iter().map(owner).collect(),
            Scope::Exporter => vec![String::new()],
            Scope::Target => TARGETS.iter().map(owner).collect(),
        };
        let value = value(metric, now, step);
        for labels in owners {
            lines.extend(
                series(metric).iter().map(|own| format!("{name}{{{labels}{own}}} {value}")),
            );
        }
    }
    // The usual metrics of a process that the dashboard uses.
    lines.push("# HELP process_resident_memory_bytes Resident memory.".to_owned());
    lines.push("# TYPE process_resident_memory_bytes gauge".to_owned());
    lines.push("process_resident_memory_bytes 2.5e+07".to_owned());
    lines.push("# HELP process_cpu_seconds_total CPU time.".to_owned());
    lines.push("# TYPE process_cpu_seconds_total counter".to_owned());
    lines.push(format!("process_cpu_seconds_total {}\n", f64::from(step) * 0.01));
    lines.join("\n")
}

fn owner((scrape_job, rest): &(&str, &str)) -> String {
    format!("scrape_job=\"{scrape_job}\",{rest},")
}
