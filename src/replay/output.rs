//! What a replay shows: a table for people, or one JSON object a line for programs.

use std::collections::BTreeSet;
use std::io;
use std::io::Write;

use serde_json::Map;
use serde_json::Number;
use serde_json::Value;
use serde_json::json;

use crate::parameter::Parameter;
use crate::replay::Cache;
use crate::tuner::AdaptiveTuner;
use crate::tuner::AdaptiveTuningStats;
use crate::tuner::TuningParameters;
use crate::tuner::TuningRecommendation;
use crate::units::Short;
use crate::units::Timestamp;

/// The way to show what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// One JSON object a line.
    Jsonl,
    /// Columns for people.
    Table,
}

/// Unknown keys that are told once each; a recording has a handful at most.
const UNKNOWN_KEYS_MAX: usize = 100;

#[derive(Debug)]
pub(super) struct Output {
    format: OutputFormat,
    rows: usize,
    unknown_keys: BTreeSet<String>,
}

impl Output {
    pub(super) fn new(format: OutputFormat) -> Self {
        Self { format, rows: 0, unknown_keys: BTreeSet::new() }
    }

    /// Whether an unknown key is worth telling: the first time, and not the hundredth one.
    pub(super) fn is_new_key(&mut self, key: &str) -> bool {
        self.unknown_keys.len() < UNKNOWN_KEYS_MAX && self.unknown_keys.insert(key.to_owned())
    }

    pub(super) fn recommendation(
        &mut self,
        cache: Option<&str>,
        timestamp: &Number,
        recommendation: &TuningRecommendation,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.rows += 1;
        match self.format {
            OutputFormat::Jsonl => {
                let TuningRecommendation {
                    rule,
                    parameter,
                    current_value,
                    recommended_value,
                    confidence,
                    expected_improvement,
                    outlook: _,
                    reason,
                    applied,
                } = recommendation;
                let event = json!({
                    "event": "recommendation",
                    "timestamp": timestamp,
                    "cache": cache,
                    "rule": &**rule,
                    "parameter": parameter.name(),
                    "current_value": current_value,
                    "recommended_value": recommended_value,
                    "confidence": confidence,
                    "expected_improvement": expected_improvement,
                    "reason": &**reason,
                    "applied": applied,
                });
                writeln!(out, "{event}")
            }
            OutputFormat::Table => {
                if self.rows == 1 {
                    row(out, ["TIMESTAMP", "CACHE", "RULE", "PARAMETER"])?;
                    writeln!(out, "{:<18} {:>10}  APPLIED", "CHANGE", "CONFIDENCE")?;
                }
                let time = timestamp.to_string();
                let TuningRecommendation { rule, parameter, .. } = recommendation;
                row(out, [&time, cache.unwrap_or("-"), rule, parameter.name()])?;
                let change = format!(
                    "{} → {}",
                    Short(recommendation.current_value),
                    Short(recommendation.recommended_value)
                );
                let confidence = Short(recommendation.confidence).to_string();
                let applied = if recommendation.applied { "yes" } else { "no" };
                writeln!(out, "{change:<18} {confidence:>10}  {applied}")
            }
        }
    }

    pub(super) fn finish(&self, caches: &[Cache], out: &mut dyn Write) -> io::Result<()> {
        // A lone cache needs no name; among others one without is written as in the rows.
        let nameless = if caches.len() > 1 { Some("-") } else { None };
        for Cache { name, tuner, last_tuning } in caches {
            let cache = name.as_deref();
            match self.format {
                OutputFormat::Jsonl => {
                    let event = json!({
                        "event": "summary",
                        "cache": cache,
                        "parameters": parameters(tuner.parameters()),
                        "stats": stats(tuner.stats(), last_tuning.as_ref()),
                    });
                    writeln!(out, "{event}")?;
                }
                OutputFormat::Table => table_summary(cache.or(nameless), tuner, out)?,
            }
        }
        Ok(())
    }
}

/// The columns on the left, wide enough for the built-in names.
fn row(out: &mut dyn Write, cells: [&str; 4]) -> io::Result<()> {
    let [time, cache, rule, parameter] = cells;
    write!(out, "{time:<14} {cache:<12} {rule:<20} {parameter:<26} ")
}

fn table_summary(
    cache: Option<&str>,
    tuner: &AdaptiveTuner,
    out: &mut dyn Write,
) -> io::Result<()> {
    let name = cache.map_or_else(String::new, |cache| format!("{cache}: "));
    let operations = tuner.stats().tuning_operations;
    let tunings = if operations == 1 { "tuning" } else { "tunings" };
    writeln!(out, "\n{name}{operations} {tunings}")?;
    for parameter in Parameter::ALL {
        writeln!(out, "  {:<26} {}", parameter.name(), Short(tuner.parameters().value(parameter)))?;
    }
    Ok(())
}

/// Unix seconds as a JSON number: whole ones without a point.
pub(super) fn seconds(timestamp: Timestamp) -> Number {
    let ms = timestamp.as_millis();
    let fraction = Number::from_f64(timestamp.as_unix_seconds()).filter(|_| ms % 1000 != 0);
    fraction.unwrap_or_else(|| Number::from(ms.div_euclid(1000)))
}

fn parameters(parameters: &TuningParameters) -> Value {
    let entry = |parameter: Parameter| {
        let value = match parameter {
            Parameter::PromotionThreshold => json!(parameters.promotion_threshold),
            _ => json!(parameters.value(parameter)),
        };
        (parameter.name().to_owned(), value)
    };
    Value::Object(Parameter::ALL.map(entry).into_iter().collect::<Map<_, _>>())
}

fn stats(stats: &AdaptiveTuningStats, last_tuning: Option<&Number>) -> Value {
    json!({
        "tuning_operations": stats.tuning_operations,
        "successful_tunings": stats.successful_tunings,
        "failed_tunings": stats.failed_tunings,
        "success_rate": stats.success_rate(),
        "avg_improvement": stats.avg_improvement,
        "current_confidence": stats.current_confidence,
        "last_tuning": last_tuning,
    })
}
