//! The dashboard, read as data: what Grafana would show wrongly or not at all is found without one.
//!
//! Each rule is a function from a dashboard to its faults, so that the rules themselves are held
//! against small faulty dashboards, and the shipped one has to be without any.

mod live;
mod names;

use std::collections::BTreeSet;
use std::fs;

use cache_tuner_exporter::export::names::ALL;
use cache_tuner_exporter::export::names::Scope;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use crate::support::dashboard;
use crate::support::dashboard::Query;
use crate::support::dashboard::Variables;
use crate::support::dashboard::list;
use crate::support::dashboard::metrics;
use crate::support::dashboard::panels;
use crate::support::dashboard::text;

/// Grafana's grid is this many columns wide.
const GRID_COLUMNS: u64 = 24;

/// Panels that Grafana 10 has and Grafana 12 still has.
const PANEL_TYPES: &[&str] = &["row", "stat", "state-timeline", "table", "timeseries"];

/// Grafana 10.0 writes this version; later ones read it and bring it up to date.
const SCHEMA_VERSION: u64 = 38;

/// Labels by which every query of a cache or of a target has to be narrowed.
const CACHE_MATCHERS: &str = r#"{scrape_job=~"$scrape_job",target=~"$target",cache=~"$cache""#;
const TARGET_MATCHERS: &str = r#"{scrape_job=~"$scrape_job",target=~"$target""#;

fn queries(dashboard: &Value) -> Vec<Query> {
    let variables = Variables { interval_seconds: 60, rate_interval_seconds: 240, labels: &[] };
    dashboard::queries(dashboard, &variables)
}

fn name(panel: &Value) -> String {
    format!("panel {} {}", panel["id"], panel["title"])
}

// === the rules ===

fn id_faults(dashboard: &Value) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut is_new = |panel: &Value| panel["id"].as_u64().is_some_and(|id| seen.insert(id));
    let taken = panels(dashboard).into_iter().filter(|panel| !is_new(panel));
    taken.map(|panel| format!("{}: the id is missing or taken", name(panel))).collect()
}

/// Left, top, right and bottom in the grid; right and bottom are outside.
fn rectangle(panel: &Value) -> Option<[u64; 4]> {
    let side = |key: &str| panel["gridPos"][key].as_u64();
    let (x, y, w, h) = (side("x")?, side("y")?, side("w")?, side("h")?);
    (w > 0 && h > 0 && x + w <= GRID_COLUMNS).then_some([x, y, x + w, y + h])
}

fn place_faults(dashboard: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut placed: Vec<(String, [u64; 4])> = Vec::new();
    for panel in panels(dashboard) {
        let Some(here) = rectangle(panel) else {
            faults.push(format!("{}: does not fit the grid", name(panel)));
            continue;
        };
        let overlaps = |there: &[u64; 4]| {
            here[0] < there[2] && there[0] < here[2] && here[1] < there[3] && there[1] < here[3]
        };
        for (other, _) in placed.iter().filter(|(_, there)| overlaps(there)) {
            faults.push(format!("{}: overlaps {other}", name(panel)));
        }
        placed.push((name(panel), here));
    }
    faults
}

fn content_faults(dashboard: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for panel in panels(dashboard) {
        let mut fault = |is_fault: bool, what: &str| {
            if is_fault {
                faults.push(format!("{}: {what}", name(panel)));
            }
        };
        fault(text(panel, "title").is_empty(), "has no title");
        fault(!PANEL_TYPES.contains(&text(panel, "type")), "is of a type outside the list");
        if panel["type"] == "row" {
            continue;
        }
        fault(!text(panel, "description").ends_with('.'), "has no description of whole sentences");
        fault(text(&panel["fieldConfig"]["defaults"], "unit").is_empty(), "has no unit");
        fault(
            panel["datasource"]["uid"] != "${datasource}",
            "does not use the data source variable",
        );
        let targets = list(panel, "targets");
        fault(targets.is_empty(), "has no query");
        let references: BTreeSet<&str> = targets.iter().map(|it| text(it, "refId")).collect();
        fault(references.len() != targets.len(), "has two queries of one name");
        for target in targets {
            fault(text(target, "legendFormat").is_empty(), "has a query without a legend");
            fault(target["datasource"]["uid"] != "${datasource}", "has a query of a fixed source");
        }
    }
    faults
}

/// Metrics with their own labels have to be narrowed by the variables, right behind their name.
fn selector_faults(queries: &[Query]) -> Vec<String> {
    let mut faults = Vec::new();
    for query in queries.iter().filter(|query| !query.place.starts_with("variable")) {
        for metric in metrics(&query.source, "cache_tuner_") {
            let known = ALL.iter().find(|known| known.name == metric);
            let matchers = match known.map_or(Scope::Cache, |known| known.scope) {
                Scope::Cache => CACHE_MATCHERS,
                Scope::Target => TARGET_MATCHERS,
                Scope::Exporter => "",
            };
            let count = |what: &str| query.source.matches(what).count();
            if count(metric) != count(&format!("{metric}{matchers}")) {
                faults
                    .push(format!("{}: `{metric}` is not narrowed by the variables", query.place));
            }
        }
    }
    faults
}

fn name_faults(queries: &[Query]) -> Vec<String> {
    let mut faults = Vec::new();
    for query in queries {
        for metric in metrics(&query.source, "cache_tuner_") {
            if !ALL.iter().any(|known| known.name == metric) {
                faults.push(format!("{}: there is no metric `{metric}`", query.place));
            }
        }
    }
    faults
}

// === the shipped files ===

#[track_caller]
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn panel_ids_are_unique() {
    assert_none(&id_faults(&dashboard::document()));
}

#[test]
fn panels_do_not_overlap() {
    assert_none(&place_faults(&dashboard::document()));
}

#[test]
fn panels_say_what_they_show() {
    assert_none(&content_faults(&dashboard::document()));
}

#[test]
fn queries_are_narrowed_by_the_variables() {
    assert_none(&selector_faults(&queries(&dashboard::document())));
}

#[test]
fn queries_and_alerts_use_existing_metrics() {
    let mut all = queries(&dashboard::document());
    all.extend(dashboard::alert_queries());
    assert_none(&name_faults(&all));
}

#[test]
fn every_metric_is_used_or_exempted() {
    let mut all = queries(&dashboard::document());
    all.extend(dashboard::alert_queries());
    let used: BTreeSet<&str> =
        all.iter().flat_map(|query| metrics(&query.source, "cache_tuner_")).collect();
    let is_exempted = |name: &str| names::EXEMPTED.iter().any(|(exempted, _)| *exempted == name);
    let mut faults = Vec::new();
    for metric in ALL {
        if used.contains(metric.name) == is_exempted(metric.name) {
            faults.push(format!("{} is neither used nor exempted, or both", metric.name));
        }
    }
    assert_none(&faults);
}

#[test]
fn the_dashboard_can_be_linked_to_and_read_by_grafana_10() {
    let dashboard = dashboard::document();
    assert_eq!(dashboard["uid"], "cache-tuner");
    assert_eq!(dashboard["schemaVersion"], SCHEMA_VERSION);
    // Set by Grafana itself, and fatal when it is taken already.
    assert_eq!(dashboard["id"], Value::Null);
    // Only known to the import form: provisioned files are not asked for inputs.
    assert_eq!(dashboard["__inputs"], Value::Null);
}

#[test]
fn label_variables_take_several_values_and_all() {
    let dashboard = dashboard::document();
    let variables = list(&dashboard["templating"], "list");
    let names: Vec<&str> = variables.iter().map(|variable| text(variable, "name")).collect();
    assert_eq!(names, ["datasource", "scrape_job", "target", "cache"]);
    for variable in &variables[1..] {
        assert_eq!(variable["multi"], true, "{}", variable["name"]);
        assert_eq!(variable["includeAll"], true, "{}", variable["name"]);
        assert_eq!(variable["allValue"], ".*", "{}", variable["name"]);
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Provisioning {
    api_version: u32,
    #[serde(default)]
    datasources: Vec<Entry>,
    #[serde(default)]
    providers: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

#[track_caller]
fn provisioning(file: &str) -> Provisioning {
    let path = dashboard::repository_path("grafana/provisioning").join(file);
    let text = fs::read_to_string(path).expect("the provisioning file can be read");
    let file: Provisioning = serde_yaml::from_str(&text).expect("it is a provisioning file");
    assert_eq!(file.api_version, 1);
    file
}

#[test]
fn provisioning_names_one_data_source_and_one_folder() {
    let sources = provisioning("datasources/prometheus.yaml").datasources;
    let source: Vec<_> = sources.iter().map(|it| (it.name.as_str(), it.kind.as_str())).collect();
    assert_eq!(source, [("Prometheus", "prometheus")]);
    let providers = provisioning("dashboards/cache-tuner.yaml").providers;
    let provider: Vec<_> =
        providers.iter().map(|it| (it.name.as_str(), it.kind.as_str())).collect();
    assert_eq!(provider, [("cache-tuner", "file")]);
}

// === the rules themselves, on faulty dashboards ===

#[track_caller]
fn check(rule: fn(&Value) -> Vec<String>, panels: &Value, want: &[&str]) {
    assert_eq!(rule(&json!({ "panels": panels })), want);
}

fn at(id: u64, x: u64, y: u64, w: u64, h: u64) -> Value {
    json!({ "id": id, "title": "p", "gridPos": { "x": x, "y": y, "w": w, "h": h } })
}

#[test]
fn faulty_ids_are_found() {
    check(id_faults, &json!([at(1, 0, 0, 1, 1), at(2, 0, 0, 1, 1)]), &[]);
    let taken = json!([at(1, 0, 0, 1, 1), at(1, 0, 0, 1, 1)]);
    check(id_faults, &taken, &[r#"panel 1 "p": the id is missing or taken"#]);
    let folded = json!([{ "id": 1, "title": "row", "panels": [at(1, 0, 0, 1, 1)] }]);
    check(id_faults, &folded, &[r#"panel 1 "p": the id is missing or taken"#]);
}

#[test]
fn faulty_places_are_found() {
    check(place_faults, &json!([at(1, 0, 0, 12, 8), at(2, 12, 0, 12, 8), at(3, 0, 8, 24, 1)]), &[]);
    let touching = json!([at(1, 0, 0, 12, 8), at(2, 11, 7, 12, 8)]);
    check(place_faults, &touching, &[r#"panel 2 "p": overlaps panel 1 "p""#]);
    check(place_faults, &json!([at(1, 20, 0, 5, 8)]), &[r#"panel 1 "p": does not fit the grid"#]);
    check(place_faults, &json!([at(1, 0, 0, 5, 0)]), &[r#"panel 1 "p": does not fit the grid"#]);
}

#[test]
fn faulty_contents_are_found() {
    let panel = json!([{ "id": 1, "title": "p", "type": "graph", "targets": [{ "refId": "A" }] }]);
    let want = [
        r#"panel 1 "p": is of a type outside the list"#,
        r#"panel 1 "p": has no description of whole sentences"#,
        r#"panel 1 "p": has no unit"#,
        r#"panel 1 "p": does not use the data source variable"#,
        r#"panel 1 "p": has a query without a legend"#,
        r#"panel 1 "p": has a query of a fixed source"#,
    ];
    check(content_faults, &panel, &want);
}

#[test]
fn faulty_selectors_are_found() {
    let query = |source: &str| {
        let query = Query { place: "p".into(), source: source.into(), expr: String::new() };
        selector_faults(&[query]).len()
    };
    assert_eq!(
        query(
            r#"cache_tuner_snapshots{scrape_job=~"$scrape_job",target=~"$target",cache=~"$cache"}"#
        ),
        0
    );
    assert_eq!(query(r#"cache_tuner_snapshots{scrape_job=~"$scrape_job",target=~"$target"}"#), 1);
    assert_eq!(query(r#"cache_tuner_target_up{scrape_job=~"$scrape_job",target=~"$target"}"#), 0);
    assert_eq!(query("cache_tuner_target_up"), 1);
    assert_eq!(query("cache_tuner_exporter_build_info"), 0);
}
