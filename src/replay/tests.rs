//! Recordings run through the command, and what it shows of them.

use super::*;
use crate::diag::SourceFile;
use crate::rule;
use crate::tuning_config::Feedback;

/// Runs `input` with the built-in rules and few samples; returns what went to `out` and `err`.
fn replay(input: &str, format: OutputFormat) -> (String, String, bool) {
    let (name, text) = rule::BUILT_IN;
    let (rules, _) = rule::load(&[SourceFile::new(name, text)]).unwrap();
    let tuning = TuningConfig {
        min_samples_for_tuning: 2,
        feedback: Feedback::default().off(),
        ..TuningConfig::default()
    };
    let setup = Setup { tuning, rules: Arc::new(rules), format };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let good = run(input.as_bytes(), &setup, &mut out, &mut err).unwrap();
    (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap(), good)
}

const LOW_MEMORY: &str = r#"{"timestamp": 1700000000, "memory_usage_percent": 20}
{"timestamp": 1700000300.5, "memory_usage_percent": 20}
{"timestamp": 1700000400, "memory_usage_percent": 20}
{"timestamp": 1700000000, "cache": "b", "eviction_rate": 200}
{"timestamp": 1700000300, "cache": "b", "eviction_rate": 300}
"#;

#[test]
fn jsonl_has_an_event_a_line_and_a_summary_per_cache() {
    let (out, err, good) = replay(LOW_MEMORY, OutputFormat::Jsonl);
    insta::assert_snapshot!(out);
    assert_eq!((err.as_str(), good), ("", true));
}

#[test]
fn the_table_is_for_people() {
    let (out, _, _) = replay(LOW_MEMORY, OutputFormat::Table);
    insta::assert_snapshot!(out);
}

#[test]
fn a_bad_line_is_told_and_the_rest_still_runs() {
    let long = format!("\"{}\"", "x".repeat(LINE_BYTES_MAX));
    let input = [
        "{\"timestamp\": 1700000000, \"hit_rat\": 1}",
        "nonsense",
        "",
        "{\"hit_rate\": 1}",
        "{\"timestamp\": \"soon\"}",
        "{\"timestamp\": 1700000300, \"hit_rate\": \"high\"}",
        "{\"timestamp\": 1700000300, \"hit_rate\": 1e999}",
        &long,
        "{\"timestamp\": 1600000000, \"hit_rate\": 1}",
        "{\"timestamp\": 1700000300, \"cache\": 5}",
        "{\"timestamp\": 1700000300, \"hit_rat\": 1, \"hit_rate\": null}",
    ]
    .join("\n");
    let (out, err, good) = replay(&input, OutputFormat::Jsonl);
    insta::assert_snapshot!(err);
    assert!(!good);
    assert_eq!(out.lines().count(), 1, "{out}");
}
