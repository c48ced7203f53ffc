//! `replay` over recordings of rez-next's own tuner, to the last bit of every number printed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cache_tuner_exporter::parameter::Parameter;
use serde_json::Value;

use crate::support::exporter::Exporter;

/// The window and the snapshots of `mixed-window-7`.
const WINDOW_7: &str = "\
tuning: {performance_window_size: 7, min_samples_for_tuning: 4}
scrape_configs: []
";

/// A recommendation with its numbers as bits, by its parameter.
type Bits = BTreeMap<String, ([u64; 4], String)>;

#[track_caller]
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("not a number: {value}"))
}

#[track_caller]
fn bits(recommendation: &Value) -> (String, ([u64; 4], String)) {
    let fields = ["current_value", "recommended_value", "confidence", "expected_improvement"];
    let numbers = fields.map(|field| number(&recommendation[field]).to_bits());
    let text = |name: &str| recommendation[name].as_str().unwrap().to_owned();
    (text("parameter"), (numbers, text("reason")))
}

/// What was recorded at one step, without what that tuner repeats at a limit; and how many
/// operations it counted for the latter.
#[track_caller]
fn recorded(line: &Value) -> (Bits, u64) {
    let all = line["recommendations"].as_array().unwrap();
    let repeats = |it: &&Value| it["current_value"] == it["recommended_value"];
    let counted = all.iter().filter(repeats).filter(|it| number(&it["confidence"]) >= 0.8).count();
    let wanted = all.iter().filter(|it| !repeats(it)).map(bits).collect();
    (wanted, counted as u64)
}

/// Replays a recording and holds every event to it; `recommendations` are wanted in all.
#[track_caller]
fn check(name: &str, config: Option<&str>, recommendations: usize) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name);
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let input: Vec<String> = lines.iter().map(|line| format!("{}\n", line["snapshot"])).collect();
    let input = input.concat();
    let mut args = vec!["replay", "--output-format", "jsonl", "input.jsonl"];
    let mut files = vec![("input.jsonl", input.as_str())];
    if let Some(config) = config {
        args.extend(["--config.file", "exporter.yaml"]);
        files.push(("exporter.yaml", config));
    }
    let ended = Exporter::run(&args, &files);
    assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(0), ""));

    let mut got: BTreeMap<u64, Bits> = BTreeMap::new();
    let mut summary = None;
    for line in ended.stdout.lines() {
        assert!(summary.is_none(), "after the summary: {line}");
        let event: Value = serde_json::from_str(line).unwrap();
        if event["event"] == "summary" {
            summary = Some(event);
            continue;
        }
        assert_eq!(event["event"], "recommendation");
        assert_eq!(event["applied"], number(&event["confidence"]) >= 0.8, "{event}");
        let (parameter, rest) = bits(&event);
        let at = got.entry(number(&event["timestamp"]).to_bits()).or_default();
        assert!(at.insert(parameter, rest).is_none(), "{event}");
    }
    let (mut repeated, mut recommended) = (0, 0);
    for (index, line) in lines.iter().enumerate() {
        let (want, counted) = recorded(line);
        repeated += counted;
        recommended += want.len();
        let at = number(&line["snapshot"]["timestamp"]).to_bits();
        assert_eq!(got.remove(&at).unwrap_or_default(), want, "{name}:{}", index + 1);
    }
    assert!(got.is_empty(), "{got:?}");
    assert_eq!(recommended, recommendations, "{name}");
    let summary = summary.unwrap();
    let last = lines.last().unwrap();
    for parameter in Parameter::ALL.map(Parameter::name) {
        let value = |of: &Value| number(&of["parameters"][parameter]).to_bits();
        assert_eq!(value(&summary), value(last), "{name}: {parameter}");
    }
    let operations = last["tuning_operations"].as_u64().unwrap() - repeated;
    assert_eq!(summary["stats"]["tuning_operations"], operations, "{name}");
}

#[test]
fn decline() {
    check("decline.jsonl", None, 4);
}

#[test]
fn idle() {
    check("idle.jsonl", None, 37);
}

#[test]
fn mixed() {
    check("mixed.jsonl", None, 3);
}

#[test]
fn mixed_window_7() {
    check("mixed-window-7.jsonl", Some(WINDOW_7), 16);
}

#[test]
fn pressure() {
    check("pressure.jsonl", None, 0);
}

#[test]
fn slow() {
    check("slow.jsonl", None, 27);
}

#[test]
fn thrash() {
    check("thrash.jsonl", None, 5);
}
