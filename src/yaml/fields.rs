//! The keys of a mapping, asked for one by one; what was never asked for is unknown.

use std::collections::BTreeSet;

use super::Node;
use super::Value;
use crate::diag::Diagnostics;
use crate::suggest;

/// A mapping whose keys are known beforehand. Ask for each key, then call [`finish`](Self::finish),
/// which reports the keys that nobody asked for.
#[derive(Debug)]
pub struct Fields<'d> {
    node: Node<'d>,
    known: Vec<&'static str>,
}

impl<'d> Fields<'d> {
    pub(super) fn new(node: Node<'d>) -> Self {
        Self { node, known: Vec::new() }
    }

    /// The mapping itself.
    pub fn node(&self) -> &Node<'d> {
        &self.node
    }

    /// The value of a key, unless it is not there or empty.
    pub fn optional(&mut self, key: &'static str) -> Option<Node<'d>> {
        self.present(key).filter(|node| !node.is_null())
    }

    /// The value of a key, even an empty one.
    pub fn present(&mut self, key: &'static str) -> Option<Node<'d>> {
        self.known.push(key);
        let entries = self.entries();
        let (index, (_, value)) = entries.iter().enumerate().find(|(_, (name, _))| name == key)?;
        Some(self.node.child(index, value))
    }

    /// The value of a key that must be there.
    pub fn required(
        &mut self,
        key: &'static str,
        diagnostics: &mut Diagnostics,
    ) -> Option<Node<'d>> {
        let value = self.optional(key);
        if value.is_none() {
            let fault = self.node.error("missing-key", format!("`{key}` is missing"));
            diagnostics.push(fault.help(format!("add `{key}:`")));
        }
        value
    }

    /// Reports the keys that are unknown or written twice.
    pub fn finish(self, diagnostics: &mut Diagnostics) {
        let nodes: Vec<_> = self
            .entries()
            .iter()
            .enumerate()
            .map(|(index, (key, value))| (key.as_str(), self.node.child(index, value)))
            .collect();
        report_duplicates(&nodes, diagnostics);
        for (key, node) in nodes {
            if self.known.contains(&key) {
                continue;
            }
            let fault = node.key_error("unknown-key", format!("unknown key `{key}`"));
            let help = match suggest::closest(key, self.known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", quoted(&self.known)),
            };
            diagnostics.push(fault.help(help));
        }
    }

    fn entries(&self) -> &'d [(String, Value)] {
        match self.node.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }
}

/// Reports each key that an earlier entry has already.
pub(super) fn report_duplicates(nodes: &[(&str, Node<'_>)], diagnostics: &mut Diagnostics) {
    let mut earlier = BTreeSet::new();
    for (key, node) in nodes {
        if !earlier.insert(key) {
            let fault = node.key_error("duplicate-key", format!("`{key}` is written twice"));
            diagnostics.push(fault.help("remove one of them"));
        }
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
