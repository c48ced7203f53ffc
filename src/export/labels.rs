//! Labels of a series: ours first, then those that the user gave the target.
//!
//! A user may name a label as he likes, so one that collides with ours is renamed as Prometheus
//! renames such labels of a scraped page: `exported_` goes in front until nothing collides.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use prometheus::proto::LabelPair;

use crate::published::OWN_LABELS;

/// One label.
pub(super) fn pair(name: &str, value: &str) -> LabelPair {
    let mut pair = LabelPair::default();
    pair.set_name(name.to_owned());
    pair.set_value(value.to_owned());
    pair
}

/// The user's labels as they are exported, by name. Prometheus takes an empty label for none, and
/// drops those that begin with `__`; so do we.
pub(super) fn user_labels(labels: &BTreeMap<String, String>) -> Vec<LabelPair> {
    let mut taken: BTreeSet<String> = OWN_LABELS.iter().map(|&name| name.to_owned()).collect();
    let shown =
        || labels.iter().filter(|(name, value)| !value.is_empty() && !name.starts_with("__"));
    // Names that are free keep their series whatever collides beside them.
    taken.extend(shown().map(|(name, _)| legal_name(name)));
    let mut pairs = Vec::new();
    let mut used = BTreeSet::new();
    for (name, value) in shown() {
        let mut name = legal_name(name);
        if OWN_LABELS.contains(&name.as_str()) || used.contains(&name) {
            while taken.contains(&name) {
                name.insert_str(0, "exported_");
            }
            taken.insert(name.clone());
        }
        pairs.push(pair(&name, value));
        used.insert(name);
    }
    pairs.sort_by(|a, b| a.name().cmp(b.name()));
    pairs
}

/// The text format knows letters, digits and `_`; anything else becomes `_`, as in Prometheus'
/// escaping scheme `underscores`.
fn legal_name(name: &str) -> String {
    let legal = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let mut name: String = name.chars().map(legal).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::names;

    #[track_caller]
    fn check(labels: &[(&str, &str)], want: &str) {
        let labels = labels.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        let pairs = user_labels(&labels.collect());
        let shown: Vec<_> = pairs.iter().map(|p| format!("{}={}", p.name(), p.value())).collect();
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
