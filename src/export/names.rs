//! The table of metrics: the one place where a metric gets its name, kind, labels and help.
//!
//! The collector, the README's table and the tests read it, so that none of them can tell it
//! differently.

/// What kind of metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
}

impl Kind {
    /// As on the page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// What a metric is about, and so which labels its series begin with. Those of a cache or target
/// also have the labels of its `static_configs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One cache.
    Cache,
    /// One scraped target.
    Target,
    /// This program.
    Exporter,
}

impl Scope {
    /// The labels that each series begins with.
    pub const fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Cache => &["scrape_job", "target", "cache"],
            Self::Target => &["scrape_job", "target"],
            Self::Exporter => &[],
        }
    }
}

/// The unit of a metric's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of things, or a number without a unit of its own.
    None,
    /// Per second.
    PerSecond,
    /// Ratio; 0 to 1 unless the help says otherwise.
    Ratio,
    /// Seconds.
    Seconds,
    /// Seconds since the Unix epoch.
    TimestampSeconds,
}

impl Unit {
    /// What the name of a metric of this unit ends in, before a counter's `_total`.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::PerSecond => "_per_second",
            Self::Ratio => "_ratio",
            Self::Seconds => "_seconds",
            Self::TimestampSeconds => "_timestamp_seconds",
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// What it is about.
    pub scope: Scope,
    /// Its labels beyond those of the scope.
    pub labels: &'static [&'static str],
    /// The unit of its values.
    pub unit: Unit,
    /// What it means: a sentence.
    pub help: &'static str,
}

impl Metric {
    const fn gauge(name: &'static str, scope: Scope, unit: Unit, help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, scope, labels: &[], unit, help }
    }

    const fn counter(name: &'static str, scope: Scope, help: &'static str) -> Self {
        Self { name, kind: Kind::Counter, scope, labels: &[], unit: Unit::None, help }
    }

    const fn labels(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }
}

/// The value in force of a parameter.
pub const PARAMETER: Metric = Metric::gauge(
    "cache_tuner_parameter",
    Scope::Cache,
    Unit::None,
    "Value in force of a tuning parameter.",
)
.labels(&["parameter"]);

/// What a rule wants.
pub const RECOMMENDED_VALUE: Metric = Metric::gauge(
    "cache_tuner_recommended_value",
    Scope::Cache,
    Unit::None,
    "Value that a rule of the latest analysis recommends; no series without a recommendation.",
)
.labels(&["rule", "parameter"]);

/// Trust in what a rule wants.
pub const RECOMMENDATION_CONFIDENCE: Metric = Metric::gauge(
    "cache_tuner_recommendation_confidence",
    Scope::Cache,
    Unit::None,
    "Trust in a recommendation of the latest analysis, 0 to 1.",
)
.labels(&["rule", "parameter"]);

/// What a rule promises.
pub const RECOMMENDATION_EXPECTED_IMPROVEMENT: Metric = Metric::gauge(
    "cache_tuner_recommendation_expected_improvement",
    Scope::Cache,
    Unit::None,
    "Relative improvement expected of a recommendation of the latest analysis, as a ratio.",
)
.labels(&["rule", "parameter"]);

/// How often a rule wanted something.
pub const RECOMMENDATIONS: Metric =
    Metric::counter("cache_tuner_recommendations_total", Scope::Cache, "Recommendations made.")
        .labels(&["rule", "parameter"]);

/// How often nothing came of a rule, and why.
pub const RECOMMENDATIONS_WITHHELD: Metric = Metric::counter(
    "cache_tuner_recommendations_withheld_total",
    Scope::Cache,
    "Recommendations not made or not put in force, by reason.",
)
.labels(&["rule", "reason"]);

/// How often a recommendation was put in force.
pub const TUNINGS: Metric =
    Metric::counter("cache_tuner_tunings_total", Scope::Cache, "Tunings put in force.")
        .labels(&["rule", "parameter"]);

/// What came of tunings.
pub const TUNING_OUTCOMES: Metric = Metric::counter(
    "cache_tuner_tuning_outcomes_total",
    Scope::Cache,
    "Tunings judged, by outcome: improved, degraded, inconclusive or void.",
)
.labels(&["rule", "parameter", "outcome"]);

/// The share of tunings that helped.
pub const TUNING_SUCCESS: Metric = Metric::gauge(
    "cache_tuner_tuning_success_ratio",
    Scope::Cache,
    Unit::Ratio,
    "Improved tunings among those that improved or degraded; no series before the first.",
);

/// How much the tunings that helped did help.
pub const TUNING_AVERAGE_IMPROVEMENT: Metric = Metric::gauge(
    "cache_tuner_tuning_average_improvement_ratio",
    Scope::Cache,
    Unit::Ratio,
    "Mean relative improvement of the tunings that improved; no series before the first.",
);

/// Trust in tuning this cache at all.
pub const TUNING_CONFIDENCE: Metric = Metric::gauge(
    "cache_tuner_tuning_confidence",
    Scope::Cache,
    Unit::None,
    "Current overall confidence in tunings of this cache, 0 to 1.",
);

/// When a recommendation was last put in force.
pub const LAST_TUNING: Metric = Metric::gauge(
    "cache_tuner_last_tuning_timestamp_seconds",
    Scope::Cache,
    Unit::TimestampSeconds,
    "When a tuning was last put in force, in seconds since the Unix epoch.",
);

/// Hits among requests.
pub const HIT: Metric = Metric::gauge(
    "cache_tuner_hit_ratio",
    Scope::Cache,
    Unit::Ratio,
    "Share of requests answered by the cache in the newest snapshot; level all, l1 or l2.",
)
.labels(&["level"]);

/// Level 1, used among available.
pub const MEMORY_USAGE: Metric = Metric::gauge(
    "cache_tuner_memory_usage_ratio",
    Scope::Cache,
    Unit::Ratio,
    "Used share of level 1 in the newest snapshot.",
);

/// Level 2, used among available.
pub const DISK_USAGE: Metric = Metric::gauge(
    "cache_tuner_disk_usage_ratio",
    Scope::Cache,
    Unit::Ratio,
    "Used share of level 2 in the newest snapshot.",
);

/// Time of a get.
pub const GET_LATENCY: Metric = Metric::gauge(
    "cache_tuner_get_latency_seconds",
    Scope::Cache,
    Unit::Seconds,
    "Mean time of a get in the newest snapshot.",
);

/// Time of a put.
pub const PUT_LATENCY: Metric = Metric::gauge(
    "cache_tuner_put_latency_seconds",
    Scope::Cache,
    Unit::Seconds,
    "Mean time of a put in the newest snapshot.",
);

/// Operations.
pub const OPERATIONS: Metric = Metric::gauge(
    "cache_tuner_operations_per_second",
    Scope::Cache,
    Unit::PerSecond,
    "Operations per second in the newest snapshot.",
);

/// Evictions.
pub const EVICTIONS: Metric = Metric::gauge(
    "cache_tuner_evictions_per_second",
    Scope::Cache,
    Unit::PerSecond,
    "Evictions of both levels per second in the newest snapshot.",
);

/// Promotions.
pub const PROMOTIONS: Metric = Metric::gauge(
    "cache_tuner_promotions_per_second",
    Scope::Cache,
    Unit::PerSecond,
    "Promotions from level 2 to level 1 per second in the newest snapshot.",
);

/// How full the window is.
pub const SNAPSHOTS: Metric = Metric::gauge(
    "cache_tuner_snapshots",
    Scope::Cache,
    Unit::None,
    "Snapshots in the window that rules look at.",
);

/// When the newest snapshot ended.
pub const SNAPSHOT_TIMESTAMP: Metric = Metric::gauge(
    "cache_tuner_snapshot_timestamp_seconds",
    Scope::Cache,
    Unit::TimestampSeconds,
    "End of the newest snapshot, in seconds since the Unix epoch.",
);

/// Whether a target answers.
pub const TARGET_UP: Metric = Metric::gauge(
    "cache_tuner_target_up",
    Scope::Target,
    Unit::None,
    "1 if the last scrape of the target succeeded, 0 if not; no series before the first.",
);

/// How long a target takes.
pub const TARGET_SCRAPE_DURATION: Metric = Metric::gauge(
    "cache_tuner_target_scrape_duration_seconds",
    Scope::Target,
    Unit::Seconds,
    "Duration of the last scrape of the target.",
);

/// When a target was asked.
pub const TARGET_LAST_SCRAPE: Metric = Metric::gauge(
    "cache_tuner_target_last_scrape_timestamp_seconds",
    Scope::Target,
    Unit::TimestampSeconds,
    "Start of the last scrape of the target, in seconds since the Unix epoch.",
);

/// How often a target could not be read.
pub const TARGET_SCRAPE_FAILURES: Metric = Metric::counter(
    "cache_tuner_target_scrape_failures_total",
    Scope::Target,
    "Failed scrapes of the target, by reason.",
)
.labels(&["reason"]);

/// Whether the newest configuration is in use.
pub const CONFIG_LAST_RELOAD_SUCCESSFUL: Metric = Metric::gauge(
    "cache_tuner_config_last_reload_successful",
    Scope::Exporter,
    Unit::None,
    "1 if the last load of the configuration succeeded, 0 if not.",
);

/// Since when the configuration in use is.
pub const CONFIG_LAST_RELOAD_SUCCESS: Metric = Metric::gauge(
    "cache_tuner_config_last_reload_success_timestamp_seconds",
    Scope::Exporter,
    Unit::TimestampSeconds,
    "When the configuration was last loaded with success, in seconds since the Unix epoch.",
);

/// What this program is.
pub const BUILD_INFO: Metric = Metric::gauge(
    "cache_tuner_exporter_build_info",
    Scope::Exporter,
    Unit::None,
    "Version, revision and compiler of this program; always 1.",
)
.labels(&["version", "revision", "rustversion"]);

/// Every metric, in the order in which they are documented.
pub const ALL: [Metric; 29] = [
    PARAMETER,
    RECOMMENDED_VALUE,
    RECOMMENDATION_CONFIDENCE,
    RECOMMENDATION_EXPECTED_IMPROVEMENT,
    RECOMMENDATIONS,
    RECOMMENDATIONS_WITHHELD,
    TUNINGS,
    TUNING_OUTCOMES,
    TUNING_SUCCESS,
    TUNING_AVERAGE_IMPROVEMENT,
    TUNING_CONFIDENCE,
    LAST_TUNING,
    HIT,
    MEMORY_USAGE,
    DISK_USAGE,
    GET_LATENCY,
    PUT_LATENCY,
    OPERATIONS,
    EVICTIONS,
    PROMOTIONS,
    SNAPSHOTS,
    SNAPSHOT_TIMESTAMP,
    TARGET_UP,
    TARGET_SCRAPE_DURATION,
    TARGET_LAST_SCRAPE,
    TARGET_SCRAPE_FAILURES,
    CONFIG_LAST_RELOAD_SUCCESSFUL,
    CONFIG_LAST_RELOAD_SUCCESS,
    BUILD_INFO,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_say_kind_and_base_unit() {
        let suffixes = [Unit::PerSecond, Unit::Ratio, Unit::Seconds, Unit::TimestampSeconds];
        for metric in ALL {
            let name = metric.name;
            let stem = name.strip_suffix("_total");
            assert_eq!(stem.is_some(), metric.kind == Kind::Counter, "{name}");
            let stem = stem.unwrap_or(name);
            assert!(stem.ends_with(metric.unit.suffix()), "{name}");
            if metric.unit == Unit::None {
                assert!(!suffixes.iter().any(|unit| stem.ends_with(unit.suffix())), "{name}");
            }
            for word in ["percent", "us", "ms", "minute", "minutes", "microseconds", "count"] {
                assert!(!name.split('_').any(|part| part == word), "{name}");
            }
            assert!(metric.help.ends_with('.'), "{name}");
        }
    }

    #[test]
    fn names_are_unique_and_ours() {
        let names: BTreeSet<&str> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
        assert!(names.iter().all(|name| name.split('_').take(2).eq(["cache", "tuner"])));
    }
}
