//! The tuner against recordings of rez-next's own tuner, to the last bit of every number.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use cache_tuner_exporter::diag::SourceFile;
use cache_tuner_exporter::parameter::Parameter;
use cache_tuner_exporter::rule;
use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::snapshot::PerformanceSnapshot;
use cache_tuner_exporter::tuner::AdaptiveTuner;
use cache_tuner_exporter::tuner::TuningConfig;
use cache_tuner_exporter::tuning_config::Feedback;
use cache_tuner_exporter::units::Timestamp;
use serde_json::Value;

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn snapshot(line: &Value) -> PerformanceSnapshot {
    let timestamp = Timestamp::from_unix_seconds(number(&line["timestamp"])).unwrap();
    let mut snapshot = PerformanceSnapshot::empty(timestamp);
    for signal in Signal::ALL {
        snapshot.set(signal, Some(number(&line[signal.name()])));
    }
    snapshot
}

/// A recommendation with its numbers as bits.
type Bits = (String, u64, u64, u64, u64, String);

/// What rez-next recommended, without what it repeats at a limit; and how many operations it
/// counted for the latter.
fn expected(line: &Value, min_confidence: f64) -> (Vec<Bits>, u64) {
    let mut wanted = Vec::new();
    let mut repeated = 0;
    for recommendation in line["recommendations"].as_array().unwrap() {
        let field = |name: &str| number(&recommendation[name]).to_bits();
        if field("current_value") == field("recommended_value") {
            repeated += u64::from(number(&recommendation["confidence"]) >= min_confidence);
            continue;
        }
        wanted.push((
            recommendation["parameter"].as_str().unwrap().to_owned(),
            field("current_value"),
            field("recommended_value"),
            field("confidence"),
            field("expected_improvement"),
            recommendation["reason"].as_str().unwrap().to_owned(),
        ));
    }
    (wanted, repeated)
}

/// Steps through a recording, in which `recommendations` are left without what is repeated at a
/// limit.
#[track_caller]
fn check(
    file: &str,
    performance_window_size: usize,
    min_samples_for_tuning: usize,
    recommendations: usize,
) {
    let (name, text) = rule::BUILT_IN;
    let (rules, _) = rule::load(&[SourceFile::new(name, text)]).unwrap();
    let config = TuningConfig {
        performance_window_size,
        min_samples_for_tuning,
        feedback: Feedback::default().off(),
        ..TuningConfig::default()
    };
    let mut tuner = AdaptiveTuner::new(config, Arc::new(rules), Parameter::ALL.to_vec());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file);
    let mut repeated = 0;
    let mut recommended = 0;
    for (index, line) in fs::read_to_string(path).unwrap().lines().enumerate() {
        let at = format!("{file}:{}", index + 1);
        let line: Value = serde_json::from_str(line).unwrap();
        let snapshot = snapshot(&line["snapshot"]);
        tuner.record_performance(snapshot);
        let got: Vec<Bits> = tuner
            .analyze_and_tune(snapshot.timestamp)
            .into_iter()
            .map(|recommendation| {
                (
                    recommendation.parameter.name().to_owned(),
                    recommendation.current_value.to_bits(),
                    recommendation.recommended_value.to_bits(),
                    recommendation.confidence.to_bits(),
                    recommendation.expected_improvement.to_bits(),
                    recommendation.reason.to_string(),
                )
            })
            .collect();
        let (want, operations) = expected(&line, config.min_confidence_for_auto_tuning);
        repeated += operations;
        recommended += want.len();
        assert_eq!(got, want, "{at}");
        for parameter in Parameter::ALL {
            let want = number(&line["parameters"][parameter.name()]).to_bits();
            assert_eq!(tuner.parameters().value(parameter).to_bits(), want, "{at}: {parameter}");
        }
        let want = line["tuning_operations"].as_u64().unwrap() - repeated;
        assert_eq!(tuner.stats().tuning_operations, want, "{at}");
    }
    assert_eq!(recommended, recommendations, "{file}");
}

#[test]
fn decline() {
    check("decline.jsonl", 100, 10, 4);
}

#[test]
fn idle() {
    check("idle.jsonl", 100, 10, 37);
}

#[test]
fn mixed() {
    check("mixed.jsonl", 100, 10, 3);
}

#[test]
fn mixed_window_7() {
    check("mixed-window-7.jsonl", 7, 4, 16);
}

#[test]
fn pressure() {
    check("pressure.jsonl", 100, 10, 0);
}

#[test]
fn slow() {
    check("slow.jsonl", 100, 10, 27);
}

#[test]
fn thrash() {
    check("thrash.jsonl", 100, 10, 5);
}
