//! Labels of a series: ours first, then those that the user gave the target.
//!
//! A user may name a label as he likes, so one that collides with ours is renamed as Prometheus
//! renames such labels of a scraped page: `exported_` goes in front until nothing collides.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::published::OWN_LABELS;

/// Appends a label's value as the text format has it: `\`, `"` and line ends escaped.
pub(super) fn escape(text: &mut Vec<u8>, value: &str) {
    let mut rest = value.as_bytes();
    while let Some(place) = memchr::memchr3(b'\\', b'\n', b'"', rest) {
        text.extend_from_slice(&rest[..place]);
        text.extend_from_slice(match rest[place] {
            b'\n' => br"\n",
            b'"' => br#"\""#,
            _ => br"\\",
        });
        rest = &rest[place + 1..];
    }
    text.extend_from_slice(rest);
}

/// The user's labels that are exported at all. Prometheus takes an empty label for none, and drops
/// those that begin with `__`; so do we.
fn shown(labels: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    let labels = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    labels.filter(|(name, value)| !value.is_empty() && !name.starts_with("__"))
}

/// How many labels of the user are exported.
pub(super) fn user_count(labels: &BTreeMap<String, String>) -> usize {
    shown(labels).count()
}

/// The user's labels as they are exported, by name.
pub(super) fn user_labels(labels: &BTreeMap<String, String>) -> Vec<(Cow<'_, str>, &str)> {
    // Names that are free keep their series whatever collides beside them.
    let mut taken: BTreeSet<Cow<'_, str>> = shown(labels).map(|(name, _)| legal(name)).collect();
    let mut pairs: Vec<(Cow<'_, str>, &str)> = Vec::with_capacity(taken.len());
    for (name, value) in shown(labels) {
        let mut name = legal(name);
        if is_ours(&name) || pairs.iter().any(|(used, _)| *used == name) {
            while is_ours(&name) || taken.contains(&name) {
                name.to_mut().insert_str(0, "exported_");
            }
            taken.insert(name.clone());
        }
        pairs.push((name, value));
    }
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    pairs
}

fn is_ours(name: &str) -> bool {
    OWN_LABELS.contains(&name)
}

/// The text format knows letters, digits and `_`; anything else becomes `_`, as in Prometheus'
/// escaping scheme `underscores`.
fn legal(name: &str) -> Cow<'_, str> {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins_with_digit = name.starts_with(|c: char| c.is_ascii_digit());
    if !begins_with_digit && name.chars().all(is_legal) {
        return Cow::Borrowed(name);
    }
    let name = name.chars().map(|c| if is_legal(c) { c } else { '_' });
    Cow::Owned(begins_with_digit.then_some('_').into_iter().chain(name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::names;

    #[track_caller]
    fn check(labels: &[(&str, &str)], want: &str) {
        let labels = labels.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let labels = labels.collect();
        let pairs = user_labels(&labels);
        assert_eq!(pairs.len(), user_count(&labels));
        let shown: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(shown.join(" "), want);
    }

    #[test]
    fn labels_of_the_user_give_way_to_ours() {
        check(&[("team", "web"), ("env", "prod")], "env=prod team=web");
        check(&[("rule", "a"), ("le", "b")], "exported_le=b exported_rule=a");
        check(
            &[("cache", "a"), ("exported_cache", "b")],
            "exported_cache=b exported_exported_cache=a",
        );
        check(&[("a.b", "1"), ("a_b", "2")], "a_b=1 exported_a_b=2");
        check(&[("1st", "x"), ("empty", ""), ("__meta", "x")], "_1st=x");
    }

    #[test]
    fn every_label_of_the_table_is_reserved() {
        let ours = names::ALL.iter().filter(|metric| metric.scope != names::Scope::Exporter);
        for label in ours.flat_map(|metric| metric.scope.labels().iter().chain(metric.labels)) {
            assert!(OWN_LABELS.contains(label), "{label}");
        }
        assert!(OWN_LABELS.is_sorted());
    }
}
