//! Our parser against an independent one, Prometheus' Python client, on odd lines and real pages.
//!
//! `tests/differential/oracle.py` made the files that are read here. Where the two disagree,
//! `exposition_disagreements.json` lists the text and says why ours stands; a disagreement that is
//! not listed fails, and so does a listed one that is none.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use cache_tuner_exporter::exposition::Exemplar;
use cache_tuner_exporter::exposition::Family;
use cache_tuner_exporter::exposition::Format;
use cache_tuner_exporter::exposition::Label;
use cache_tuner_exporter::exposition::MetricType;
use cache_tuner_exporter::exposition::Sample;
use cache_tuner_exporter::exposition::parse;
use serde::Deserialize;
use serde::de::DeserializeOwned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    format: OracleFormat,
    text: String,
    oracle: Told,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageLine {
    page: String,
    line: usize,
    oracle: Told,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Disagreement {
    reason: String,
    format: OracleFormat,
    texts: Vec<String>,
}

#[derive(Deserialize, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum OracleFormat {
    OpenMetrics,
    Prometheus,
}

/// What the oracle told. `error` is what it raised.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Told {
    Error(String),
    Families(Vec<ToldFamily>),
    Samples(Vec<ToldSample>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToldFamily {
    name: String,
    r#type: String,
    help: String,
    unit: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToldSample {
    name: String,
    labels: BTreeMap<String, String>,
    value: String,
    timestamp_ms: Option<serde_json::Value>,
    exemplar: Option<ToldExemplar>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToldExemplar {
    labels: BTreeMap<String, String>,
    value: String,
    timestamp_ms: Option<serde_json::Value>,
}

/// A text as read by either side, in a form that can be compared and shown.
#[derive(Debug, PartialEq, Eq)]
enum Reading {
    Bad,
    Families(Vec<String>),
    Samples(Vec<String>),
}

fn data<T: DeserializeOwned>(name: &str) -> T {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "tests", "differential", name].iter().collect();
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn theirs(told: &Told) -> Reading {
    match told {
        Told::Error(raised) => {
            assert!(!raised.is_empty());
            Reading::Bad
        }
        Told::Families(families) => Reading::Families(
            families.iter().map(|f| show_family(&f.name, &f.r#type, &f.help, &f.unit)).collect(),
        ),
        Told::Samples(samples) => Reading::Samples(samples.iter().map(show_told_sample).collect()),
    }
}

fn ours(text: &str, format: OracleFormat) -> Reading {
    let (format, needs_eof) = match format {
        OracleFormat::OpenMetrics => (Format::OpenMetrics, true),
        OracleFormat::Prometheus => (Format::PrometheusText, false),
    };
    let page = parse(text, format);
    if page.bad_lines_total > 0 || page.eof != needs_eof {
        Reading::Bad
    } else if page.samples.is_empty() {
        Reading::Families(page.families.iter().map(|f| show_our_family(f, format)).collect())
    } else {
        Reading::Samples(page.samples.iter().map(show_our_sample).collect())
    }
}

fn show_family(name: &str, kind: &str, help: &str, unit: &str) -> String {
    format!("{name:?} {kind} help {help:?} unit {unit:?}")
}

/// The oracle gives the counters of Prometheus text the names that they have in OpenMetrics.
fn show_our_family(family: &Family<'_>, format: Format) -> String {
    let kind = family.kind.unwrap_or(MetricType::Unknown);
    let name = match family.name.strip_suffix("_total") {
        Some(stem) if kind == MetricType::Counter && format == Format::PrometheusText => stem,
        _ => &family.name,
    };
    let help = family.help.as_deref().unwrap_or("");
    let unit = family.unit.as_deref().unwrap_or("");
    show_family(name, &format!("{kind:?}").to_lowercase(), help, unit)
}

fn show_told_sample(sample: &ToldSample) -> String {
    let time =
        |timestamp_ms: &Option<serde_json::Value>| timestamp_ms.as_ref().map(ToString::to_string);
    let mut shown = format!("{:?} ", sample.name);
    show_point(
        &mut shown,
        &sample.labels,
        told_value(&sample.value),
        time(&sample.timestamp_ms).as_deref(),
    );
    if let Some(ToldExemplar { labels, value, timestamp_ms }) = &sample.exemplar {
        shown.push_str(" # ");
        show_point(&mut shown, labels, told_value(value), time(timestamp_ms).as_deref());
    }
    shown
}

/// An integer too large for a float is one that ours must refuse, so it may equal no value.
fn told_value(value: &str) -> Option<f64> {
    value.parse().ok()
}

fn show_our_sample(sample: &Sample<'_>) -> String {
    let time = |timestamp_ms: &Option<i64>| timestamp_ms.map(|ms| ms.to_string());
    let mut shown = format!("{:?} ", sample.name);
    show_point(
        &mut shown,
        &map(&sample.labels),
        Some(sample.value),
        time(&sample.timestamp_ms).as_deref(),
    );
    if let Some(Exemplar { labels, value, timestamp_ms }) = &sample.exemplar {
        shown.push_str(" # ");
        show_point(&mut shown, &map(labels), Some(*value), time(timestamp_ms).as_deref());
    }
    shown
}

fn map(labels: &[Label<'_>]) -> BTreeMap<String, String> {
    labels.iter().map(|label| (label.name.to_string(), label.value.to_string())).collect()
}

/// Labels, value, time. The oracle reads whole numbers as integers, which have no negative zero.
fn show_point(
    shown: &mut String,
    labels: &BTreeMap<String, String>,
    value: Option<f64>,
    time: Option<&str>,
) {
    let value = value.map(|value| value + 0.0);
    write!(shown, "{labels:?} {value:?} at {time:?}").unwrap();
}

#[test]
fn disagreements_with_the_oracle_are_the_listed_ones() {
    let cases: Vec<Case> = data("exposition_cases.json");
    let disagreements: Vec<Disagreement> = data("exposition_disagreements.json");
    assert!(cases.len() >= 400, "the corpus has shrunk to {} cases", cases.len());
    assert!(disagreements.iter().all(|d| !d.reason.trim().is_empty()));

    let mut listed: Vec<(OracleFormat, &str)> =
        disagreements.iter().flat_map(|d| d.texts.iter().map(|text| (d.format, &**text))).collect();
    let mut faults = String::new();
    for case in &cases {
        let (ours, theirs) = (ours(&case.text, case.format), theirs(&case.oracle));
        let key = (case.format, &*case.text);
        let place = listed.iter().position(|listed| *listed == key);
        let text = serde_json::to_string(&case.text).unwrap();
        match place {
            Some(place) => {
                listed.remove(place);
                if ours == theirs {
                    writeln!(faults, "listed, but no disagreement: {:?} {text}", key.0).unwrap();
                }
            }
            None if ours != theirs => {
                let format = key.0;
                writeln!(faults, "{format:?} {text}\n  ours   {ours:?}\n  theirs {theirs:?}")
                    .unwrap();
            }
            None => {}
        }
    }
    for (format, text) in listed {
        writeln!(faults, "listed twice, or no case: {format:?} {text:?}").unwrap();
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn real_pages_read_as_the_oracle_reads_their_lines() {
    let lines: Vec<PageLine> = data("exposition_pages.json");
    let pages: BTreeMap<String, Vec<String>> = page_lines();
    assert_eq!(lines.len(), pages.values().map(Vec::len).sum::<usize>());
    let mut faults = String::new();
    for PageLine { page, line, oracle } in &lines {
        let text = &pages[page][line - 1];
        let (ours, theirs) = (ours(text, OracleFormat::Prometheus), theirs(oracle));
        if ours != theirs {
            writeln!(faults, "{page}:{line}: {text}\n  ours   {ours:?}\n  theirs {theirs:?}")
                .unwrap();
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn real_pages_have_no_bad_line() {
    for (name, lines) in page_lines() {
        let text = lines.join("\n");
        let page = parse(&text, Format::PrometheusText);
        assert_eq!(page.bad_lines, [], "{name}");
        let samples = lines.iter().filter(|line| !line.is_empty() && !line.starts_with('#'));
        assert_eq!(page.samples.len(), samples.count(), "{name}");
    }
}

/// The lines of the pages under `tests/pages`, by the page's file name.
fn page_lines() -> BTreeMap<String, Vec<String>> {
    let lines: Vec<PageLine> = data("exposition_pages.json");
    let mut pages = BTreeMap::new();
    for PageLine { page, .. } in lines {
        pages.entry(page).or_insert_with_key(|page| {
            let path: PathBuf =
                [env!("CARGO_MANIFEST_DIR"), "tests", "pages", page].iter().collect();
            std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
        });
    }
    pages
}
