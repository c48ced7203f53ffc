//! The README against the program: its table of metrics is made from the program's own, and what it
//! shows in YAML is read by the program.

use std::fs;
use std::path::PathBuf;

use cache_tuner_exporter::config;
use cache_tuner_exporter::diag::Diagnostics;
use cache_tuner_exporter::diag::SourceFile;
use cache_tuner_exporter::diag::render;
use cache_tuner_exporter::export::names;
use cache_tuner_exporter::profile;
use cache_tuner_exporter::rule;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn readme() -> String {
    fs::read_to_string(path("README.md")).unwrap()
}

/// The table between the two marks, as it must be.
fn table() -> String {
    let head = "| metric | type | more labels | meaning |\n|---|---|---|---|\n";
    let rows = names::ALL.iter().map(|metric| {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let scope = match metric.scope {
            names::Scope::Cache => "",
            names::Scope::Target => "(no `cache`) ",
            names::Scope::Exporter => "(these only) ",
        };
        let labels = format!("{scope}{}", labels.join(", "));
        let (name, kind, help) = (metric.name, metric.kind.name(), metric.help);
        format!("| `{name}` | {kind} | {labels} | {help} |\n")
    });
    [head.to_owned()].into_iter().chain(rows).collect()
}

#[test]
fn the_table_of_metrics_is_the_program_s_own() {
    let (start, end) = ("<!-- metrics -->\n", "<!-- /metrics -->");
    let text = readme();
    let from = text.find(start).unwrap() + start.len();
    let to = text.find(end).unwrap();
    if std::env::var_os("UPDATE_README").is_some() {
        let updated = format!("{}{}{}", &text[..from], table(), &text[to..]);
        fs::write(path("README.md"), updated).unwrap();
        return;
    }
    assert_eq!(&text[from..to], table(), "run the tests once with UPDATE_README=1");
}

#[track_caller]
fn accept<T>(what: &str, result: Result<T, Diagnostics>) {
    if let Err(faults) = result {
        panic!("{what}\n{}", render::render(&faults, render::Format::Full, false));
    }
}

#[test]
fn every_yaml_example_loads() {
    let text = readme();
    let blocks: Vec<&str> = text.split("```yaml\n").skip(1).collect();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        let source = SourceFile::new("README.md", block.split("```").next().unwrap());
        if block.starts_with("groups:") {
            accept(block, rule::load(&[source]));
        } else if block.starts_with("profile:") {
            accept(block, profile::load(&source));
        } else {
            accept(block, config::parse(&source));
        }
    }
}
