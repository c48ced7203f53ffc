//! One table of metrics: what the program exports is what the README, the dashboard and the alerts
//! speak of, and the other way round.

use std::collections::BTreeSet;

use crate::rust;
use crate::tree;
use crate::tree::Text;

/// The file with the table; its string literals that are metric names are the names.
const TABLE: &str = "src/export/names.rs";

/// What every metric of ours begins with.
const PREFIX: &str = "cache_tuner_";

/// Words with the prefix that are no metrics: the library's name.
const NOT_METRICS: &[&str] = &["cache_tuner_exporter"];

/// (metric, why no panel and no alert shows it).
const SHOWN_NOWHERE: &[(&str, &str)] = &[];

/// Every disagreement. Nothing to say before there is a table.
pub(crate) fn offences() -> Vec<String> {
    let Some(table) = tree::read(TABLE) else { return Vec::new() };
    let names = names(&table);
    if names.is_empty() {
        return vec![format!("{TABLE}:1: no metric name found as a string literal")];
    }
    let texts = tree::text_files();
    let users: Vec<_> = texts.iter().filter(|text| is_user(text)).collect();
    let mut offences = missing(&names, &users, "README.md", |path| path == "README.md");
    let shown = missing(&names, &users, "grafana/", |path| path != "README.md");
    let is_exempt =
        |line: &String| SHOWN_NOWHERE.iter().any(|(name, _)| line.ends_with(&format!("`{name}`")));
    offences.extend(shown.into_iter().filter(|line| !is_exempt(line)));
    for text in users {
        offences.extend(unknown(&names, text));
    }
    offences
}

/// The metric names among the string literals of the table.
fn names(table: &str) -> BTreeSet<String> {
    let literals = table.split('"').skip(1).step_by(2);
    let is_name = |literal: &&str| {
        literal.starts_with(PREFIX)
            && literal
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || b"_0123456789".contains(&byte))
    };
    literals.filter(is_name).map(str::to_owned).collect()
}

fn is_user(text: &Text) -> bool {
    text.path == "README.md"
        || (text.path.starts_with("grafana/") && text.has_extension("json"))
        || text.path == "rules/prometheus/alerts.yaml"
}

/// Names that no file of a group speaks of. A group without files has not been written yet.
fn missing(
    names: &BTreeSet<String>,
    users: &[&Text],
    place: &str,
    is_of_group: impl Fn(&str) -> bool,
) -> Vec<String> {
    let group: Vec<_> = users.iter().filter(|text| is_of_group(&text.path)).collect();
    let used: BTreeSet<_> = group.iter().flat_map(|text| rust::words(&text.text)).collect();
    let names = names.iter().filter(|name| !group.is_empty() && !used.contains(name.as_str()));
    names.map(|name| format!("{place}:1: says nothing of `{name}`")).collect()
}

/// Words of a file that look like a metric of ours and are none.
fn unknown(names: &BTreeSet<String>, text: &Text) -> Vec<String> {
    let is_unknown = |word: &&str| {
        word.starts_with(PREFIX) && !names.contains(*word) && !NOT_METRICS.contains(word)
    };
    let lines = text.lines().flat_map(|(number, line)| {
        rust::words(line).filter(is_unknown).map(move |word| (number, word.to_owned()))
    });
    lines.map(|(number, word)| format!("{}:{number}: no metric `{word}`", text.path)).collect()
}

#[test]
fn names_are_read_from_literals() {
    let table = r#"//! `cache_tuner_comment`
        name: "cache_tuner_hit_ratio", help: "Of cache_tuner_x, a", "cache_tuner_Bad", "up""#;
    assert_eq!(names(table), BTreeSet::from(["cache_tuner_hit_ratio".to_owned()]));
}

#[test]
fn disagreements_are_found_both_ways() {
    let names = BTreeSet::from(["cache_tuner_a".to_owned(), "cache_tuner_b".to_owned()]);
    let text = Text {
        path: "README.md".to_owned(),
        text: "cache_tuner_exporter\nsum(cache_tuner_a) / cache_tuner_c{x=\"1\"}\n".to_owned(),
    };
    assert_eq!(unknown(&names, &text), ["README.md:2: no metric `cache_tuner_c`"]);
    assert_eq!(
        missing(&names, &[&text], "README.md", |_| true),
        ["README.md:1: says nothing of `cache_tuner_b`"]
    );
    assert!(missing(&names, &[], "README.md", |_| true).is_empty());
}
