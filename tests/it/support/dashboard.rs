//! The queries of the Grafana dashboard and of the alerts, as Prometheus would get them.
//!
//! Grafana replaces its variables before it asks Prometheus. Doing the same here lets a test ask a
//! real Prometheus every query that a user's dashboard asks, without a Grafana. A variable that is
//! not known here stops the test, so that none is sent on unreplaced.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

/// What Grafana would put in the place of its variables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variables<'a> {
    /// `$__interval`: the step of a graph, in whole seconds.
    pub(crate) interval_seconds: u32,
    /// `$__rate_interval`: at least four scrape intervals, in whole seconds.
    pub(crate) rate_interval_seconds: u32,
    /// Matchers of the label variables, such as `("cache", "sessions|pages")`; `.*` for the others.
    pub(crate) labels: &'a [(&'a str, &'a str)],
}

/// The label variables of the dashboard.
pub(crate) const LABEL_VARIABLES: &[&str] = &["scrape_job", "target", "cache"];

/// One query and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// Such as `panel "Caches" A`, `variable "cache"`, or `alert CacheTunerDown`.
    pub(crate) place: String,
    /// With Grafana's variables, as in the file.
    pub(crate) source: String,
    /// As Prometheus gets it.
    pub(crate) expr: String,
}

/// An alerting rule of `rules/prometheus/alerts.yaml`; only what tests look at.
#[derive(Debug, Clone)]
pub(crate) struct Alert {
    pub(crate) name: String,
    pub(crate) pending: Option<String>,
    pub(crate) labels: Severity,
    pub(crate) annotations: Annotations,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Severity {
    #[serde(default)]
    pub(crate) severity: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Annotations {
    #[serde(default)]
    pub(crate) summary: String,
    #[serde(default)]
    pub(crate) description: String,
}

#[derive(Deserialize)]
struct RuleFile {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    rules: Vec<Rule>,
}

/// Either kind of rule; `alert` or `record` is its name.
#[derive(Deserialize)]
struct Rule {
    alert: Option<String>,
    record: Option<String>,
    expr: String,
    #[serde(rename = "for")]
    pending: Option<String>,
    #[serde(default)]
    labels: Severity,
    #[serde(default)]
    annotations: Annotations,
}

/// A file or folder of this repository.
pub(crate) fn repository_path(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The dashboard as it is shipped.
#[track_caller]
pub(crate) fn document() -> Value {
    let text = fs::read_to_string(repository_path("grafana/cache-tuner.json"));
    serde_json::from_str(&text.expect("the dashboard can be read")).expect("the dashboard is JSON")
}

#[track_caller]
fn rules() -> Vec<Rule> {
    let text = fs::read_to_string(repository_path("rules/prometheus/alerts.yaml"));
    let text = text.expect("the alerts can be read");
    let file: RuleFile = serde_yaml::from_str(&text).expect("the alerts are a rule file");
    file.groups.into_iter().flat_map(|group| group.rules).collect()
}

/// The alerts as they are shipped.
#[track_caller]
pub(crate) fn alerts() -> Vec<Alert> {
    let alert = |rule: Rule| {
        let Rule { alert, pending, labels, annotations, .. } = rule;
        Some(Alert { name: alert?, pending, labels, annotations })
    };
    rules().into_iter().filter_map(alert).collect()
}

/// Every panel, also the rows and what is folded into them.
pub(crate) fn panels(dashboard: &Value) -> Vec<&Value> {
    let folded = |panel| std::iter::once(panel).chain(list(panel, "panels"));
    list(dashboard, "panels").into_iter().flat_map(folded).collect()
}

/// Every query of the dashboard: its variables, its annotations, its panels.
#[track_caller]
pub(crate) fn queries(dashboard: &Value, variables: &Variables<'_>) -> Vec<Query> {
    let mut queries = Vec::new();
    let mut push = |place: String, source: &str| {
        let expr = replace(source, variables);
        queries.push(Query { place, source: source.to_owned(), expr });
    };
    for variable in list(&dashboard["templating"], "list") {
        if variable["type"] == "query" {
            let place = format!("variable {}", variable["name"]);
            push(place, label_values_selector(text(&variable["query"], "query")));
        }
    }
    for annotation in list(&dashboard["annotations"], "list") {
        if annotation["builtIn"] != 1 {
            push(format!("annotation {}", annotation["name"]), text(annotation, "expr"));
        }
    }
    for panel in panels(dashboard) {
        for target in list(panel, "targets") {
            let place = format!("panel {} {}", panel["title"], text(target, "refId"));
            push(place, text(target, "expr"));
        }
    }
    queries
}

/// Every query of the alerts, and of the recorded series that they rest on.
#[track_caller]
pub(crate) fn alert_queries() -> Vec<Query> {
    let query = |rule: Rule| {
        let place = match (rule.alert, rule.record) {
            (Some(name), _) => format!("alert {name}"),
            (None, name) => format!("record {}", name.unwrap_or_default()),
        };
        Query { place, source: rule.expr.clone(), expr: rule.expr }
    };
    rules().into_iter().map(query).collect()
}

/// An array member; empty where there is none.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    value[key].as_array().map(|items| items.iter().collect()).unwrap_or_default()
}

/// A text member; empty where there is none.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// The words of an expression that begin with `prefix`: its metrics of that family.
pub(crate) fn metrics<'a>(expr: &'a str, prefix: &str) -> Vec<&'a str> {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    expr.split(|character| !is_word(character)).filter(|word| word.starts_with(prefix)).collect()
}

#[track_caller]
fn replace(source: &str, variables: &Variables<'_>) -> String {
    let seconds = |count: u32| format!("{count}s");
    // `$__interval` is a prefix of `$__interval_ms`, so the longer name comes first.
    let mut expr = source
        .replace("$__interval_ms", &(u64::from(variables.interval_seconds) * 1000).to_string())
        .replace("$__interval", &seconds(variables.interval_seconds))
        .replace("$__rate_interval", &seconds(variables.rate_interval_seconds));
    for name in LABEL_VARIABLES {
        let given = variables.labels.iter().find(|(label, _)| label == name);
        expr = expr.replace(&format!("${name}"), given.map_or(".*", |(_, matcher)| matcher));
    }
    assert!(!expr.contains('$'), "`{expr}` has a variable that tests do not know");
    expr
}

/// The selector of `label_values(selector, label)`, which Grafana turns into a call of its own.
#[track_caller]
fn label_values_selector(query: &str) -> &str {
    let inside = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
    let parts = inside.and_then(|inside| inside.rsplit_once(", "));
    parts.unwrap_or_else(|| panic!("`{query}` is not `label_values(selector, label)`")).0
}
