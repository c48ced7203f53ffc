//! The metrics that the exporter promises, with what a page needs to show one of each.

/// Which labels a metric has besides its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// `scrape_job`, `target`, `cache`.
    Cache,
    /// None: it speaks of the exporter itself.
    Exporter,
    /// `scrape_job`, `target`.
    Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    /// A gauge that holds a moment in Unix seconds.
    Moment,
}

/// One metric, its own labels with some of their values, and a plausible value.
#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) of: Of,
    /// One series each, such as `level="l1"`; empty for one series without own labels.
    pub(crate) series: &'static [&'static str],
    pub(crate) value: f64,
}

/// Metrics that neither the dashboard nor an alert uses, and why.
pub(crate) const EXEMPTED: &[(&str, &str)] = &[];

const RULES: &[&str] = &[
    r#"rule="hit_rate_declining",parameter="l1_size_multiplier""#,
    r#"rule="get_latency_rising",parameter="ttl_multiplier""#,
];

const fn metric(
    name: &'static str,
    kind: Kind,
    of: Of,
    series: &'static [&'static str],
    value: f64,
) -> Metric {
    Metric { name, kind, of, series, value }
}

/// Every metric but the usual `process_*`.
pub(crate) const METRICS: &[Metric] = &[
    metric(
        "cache_tuner_parameter",
        Kind::Gauge,
        Of::Cache,
        &[r#"parameter="l1_size_multiplier""#, r#"parameter="ttl_multiplier""#],
        1.0,
    ),
    metric("cache_tuner_recommended_value", Kind::Gauge, Of::Cache, RULES, 1.2),
    metric("cache_tuner_recommendation_confidence", Kind::Gauge, Of::Cache, RULES, 0.7),
    metric("cache_tuner_recommendation_expected_improvement", Kind::Gauge, Of::Cache, RULES, 0.1),
    metric("cache_tuner_recommendations_total", Kind::Counter, Of::Cache, RULES, 40.0),
    metric(
        "cache_tuner_recommendations_withheld_total",
        Kind::Counter,
        Of::Cache,
        &[
            r#"rule="hit_rate_declining",reason="no_data""#,
            r#"rule="get_latency_rising",reason="confidence""#,
        ],
        30.0,
    ),
    metric("cache_tuner_tunings_total", Kind::Counter, Of::Cache, RULES, 10.0),
    metric(
        "cache_tuner_tuning_outcomes_total",
        Kind::Counter,
        Of::Cache,
        &[
            r#"rule="hit_rate_declining",parameter="l1_size_multiplier",outcome="improved""#,
            r#"rule="hit_rate_declining",parameter="l1_size_multiplier",outcome="degraded""#,
            r#"rule="hit_rate_declining",parameter="l1_size_multiplier",outcome="inconclusive""#,
            r#"rule="hit_rate_declining",parameter="l1_size_multiplier",outcome="void""#,
        ],
        5.0,
    ),
    metric("cache_tuner_tuning_success_ratio", Kind::Gauge, Of::Cache, &[""], 0.5),
    metric("cache_tuner_tuning_average_improvement_ratio", Kind::Gauge, Of::Cache, &[""], 0.08),
    metric("cache_tuner_tuning_confidence", Kind::Gauge, Of::Cache, &[""], 0.75),
    metric("cache_tuner_last_tuning_timestamp_seconds", Kind::Moment, Of::Cache, &[""], 0.0),
    metric(
        "cache_tuner_hit_ratio",
        Kind::Gauge,
        Of::Cache,
        &[r#"level="all""#, r#"level="l1""#, r#"level="l2""#],
        0.82,
    ),
    metric("cache_tuner_memory_usage_ratio", Kind::Gauge, Of::Cache, &[""], 0.93),
    metric("cache_tuner_disk_usage_ratio", Kind::Gauge, Of::Cache, &[""], 0.4),
    metric("cache_tuner_get_latency_seconds", Kind::Gauge, Of::Cache, &[""], 0.000_12),
    metric("cache_tuner_put_latency_seconds", Kind::Gauge, Of::Cache, &[""], 0.000_2),
    metric("cache_tuner_operations_per_second", Kind::Gauge, Of::Cache, &[""], 1500.0),
    metric("cache_tuner_evictions_per_second", Kind::Gauge, Of::Cache, &[""], 12.0),
    metric("cache_tuner_promotions_per_second", Kind::Gauge, Of::Cache, &[""], 3.0),
    metric("cache_tuner_snapshots", Kind::Gauge, Of::Cache, &[""], 100.0),
    metric("cache_tuner_snapshot_timestamp_seconds", Kind::Moment, Of::Cache, &[""], 0.0),
    metric("cache_tuner_target_up", Kind::Gauge, Of::Target, &[""], 1.0),
    metric("cache_tuner_target_scrape_duration_seconds", Kind::Gauge, Of::Target, &[""], 0.004),
    metric(
        "cache_tuner_target_last_scrape_timestamp_seconds",
        Kind::Moment,
        Of::Target,
        &[""],
        0.0,
    ),
    metric(
        "cache_tuner_target_scrape_failures_total",
        Kind::Counter,
        Of::Target,
        &[r#"reason="timeout""#, r#"reason="status""#],
        2.0,
    ),
    metric("cache_tuner_config_last_reload_successful", Kind::Gauge, Of::Exporter, &[""], 1.0),
    metric(
        "cache_tuner_config_last_reload_success_timestamp_seconds",
        Kind::Moment,
        Of::Exporter,
        &[""],
        0.0,
    ),
    metric(
        "cache_tuner_exporter_build_info",
        Kind::Gauge,
        Of::Exporter,
        &[r#"version="0.1.0",revision="abcdef0",rustversion="1.90.0""#],
        1.0,
    ),
];

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
    for metric in METRICS {
        let (kind, value) = match metric.kind {
            Kind::Counter => ("counter", metric.value + f64::from(step)),
            Kind::Gauge => ("gauge", metric.value),
            Kind::Moment => ("gauge", now - 2.0),
        };
        let name = metric.name;
        lines.push(format!("# HELP {name} As in the interface.\n# TYPE {name} {kind}"));
        let owners: Vec<String> = match metric.of {
            Of::Cache => CACHES.iter().map(owner).collect(),
            Of::Exporter => vec![String::new()],
            Of::Target => TARGETS.iter().map(owner).collect(),
        };
        for labels in owners {
            lines
                .extend(metric.series.iter().map(|own| format!("{name}{{{labels}{own}}} {value}")));
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
