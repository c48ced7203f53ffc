//! The table of metrics: the one place where a metric gets its name, kind, labels and help.
//!
//! The collector, the README's table and the tests read it, so that none of them can tell it
//! differently.

pub use crate::export::metric::Kind;
pub use crate::export::metric::Metric;
pub use crate::export::metric::Scope;
pub use crate::export::metric::Unit;

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

/// How often a rule's tunings were undone.
pub const ROLLBACKS: Metric = Metric::counter(
    "cache_tuner_rollbacks_total",
    Scope::Cache,
    "Tunings that were undone because they did harm.",
)
.labels(&["rule", "parameter"]);

/// What would have come of what was not put in force.
pub const SHADOW_OUTCOMES: Metric = Metric::counter(
    "cache_tuner_shadow_outcomes_total",
    Scope::Cache,
    "Recommendations judged as if they had been put in force, by outcome.",
)
.labels(&["rule", "parameter", "outcome"]);

/// How small an effect the judge could see.
pub const MINIMUM_DETECTABLE_EFFECT: Metric = Metric::gauge(
    "cache_tuner_minimum_detectable_effect",
    Scope::Cache,
    Unit::None,
    "Smallest effect that the newest judgement of a rule would have seen in four of five cases, on \
     the objective's scale.",
)
.labels(&["rule"]);

/// Whether a tuning is not judged yet.
pub const TUNING_IN_PROGRESS: Metric = Metric::gauge(
    "cache_tuner_tuning_in_progress",
    Scope::Cache,
    Unit::None,
    "1 while a tuning that was put in force is not judged yet, 0 otherwise.",
);

/// How often a parameter turned back.
pub const PARAMETER_REVERSALS: Metric = Metric::counter(
    "cache_tuner_parameter_reversals_total",
    Scope::Cache,
    "Changes of a parameter against its change before.",
)
.labels(&["parameter"]);

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

/// Trust in a rule, wherever it is used.
pub const RULE_CONFIDENCE: Metric = Metric::gauge(
    "cache_tuner_rule_confidence",
    Scope::Exporter,
    Unit::None,
    "Confidence in a rule, 0 to 1, from what came of it on all caches.",
)
.labels(&["rule"]);

/// How far confidences were off.
pub const CALIBRATION_ERROR: Metric = Metric::gauge(
    "cache_tuner_calibration_error_ratio",
    Scope::Exporter,
    Unit::Ratio,
    "Mean distance between confidences and the share of tunings that improved; no series below 30 \
     outcomes.",
);

/// How much confidences told.
pub const BRIER_SCORE: Metric = Metric::gauge(
    "cache_tuner_brier_score",
    Scope::Exporter,
    Unit::None,
    "Mean squared distance between confidence and outcome: 0 is perfect, 0.25 a coin; no series \
     below 30 outcomes.",
);

/// Whether so much failed that the tuner stopped.
pub const BREAKER_OPEN: Metric = Metric::gauge(
    "cache_tuner_breaker_open",
    Scope::Exporter,
    Unit::None,
    "1 while nothing is put in force because too many tunings failed, 0 otherwise.",
);

/// The share of the newest tunings that helped.
pub const RECENT_SUCCESS: Metric = Metric::gauge(
    "cache_tuner_recent_success_ratio",
    Scope::Exporter,
    Unit::Ratio,
    "Improved tunings among the newest 20 that improved or degraded; no series before the first.",
);

/// How many tunings that is the share of.
pub const RECENT_JUDGED: Metric = Metric::gauge(
    "cache_tuner_recent_judged_tunings",
    Scope::Exporter,
    Unit::None,
    "Tunings that improved or degraded, of all caches; at most the newest 20.",
);

/// How often something could not be stored.
pub const STORE_FAILURES: Metric = Metric::counter(
    "cache_tuner_store_failures_total",
    Scope::Exporter,
    "Steps that could not be written to the store; 0 without a store.",
);

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
pub const ALL: [Metric; 41] = [
    PARAMETER,
    RECOMMENDED_VALUE,
    RECOMMENDATION_CONFIDENCE,
    RECOMMENDATION_EXPECTED_IMPROVEMENT,
    RECOMMENDATIONS,
    RECOMMENDATIONS_WITHHELD,
    TUNINGS,
    TUNING_OUTCOMES,
    TUNING_IN_PROGRESS,
    ROLLBACKS,
    PARAMETER_REVERSALS,
    MINIMUM_DETECTABLE_EFFECT,
    SHADOW_OUTCOMES,
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
    RULE_CONFIDENCE,
    CALIBRATION_ERROR,
    BRIER_SCORE,
    BREAKER_OPEN,
    RECENT_SUCCESS,
    RECENT_JUDGED,
    STORE_FAILURES,
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
