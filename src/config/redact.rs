//! The configuration as it may be shown: the text as written, comments and all, each secret value
//! replaced.
//!
//! The places come from the text, so what is shown is what was written. Since a secret that slips
//! through cannot be called back, the result is read again: unless every secret reads `<secret>`,
//! nothing is shown.

use std::ops::Range;

use crate::diag::Diagnostics;
use crate::diag::SourceFile;
use crate::yaml::Document;
use crate::yaml::Node;
use crate::yaml::Value;

/// What stands where a secret stood, as in Prometheus.
const REPLACEMENT: &str = "<secret>";

/// What is shown where the text is written in a way in which its secrets cannot be told apart.
const NOT_SHOWN: &str =
    "# not shown: it is written in a way in which secrets cannot be told apart\n";

/// Where secrets stand in a job; `*` is any key or item.
const SECRETS: [&[&str]; 4] = [
    &["authorization", "credentials"],
    &["basic_auth", "password"],
    &["http_headers", "*", "secrets", "*"],
    &["tls_config", "key"],
];

/// The text of a configuration that was accepted, without its secrets.
pub(super) fn redacted(document: &Document) -> String {
    replaced(document).unwrap_or_else(|| NOT_SHOWN.to_owned())
}

fn replaced(document: &Document) -> Option<String> {
    let mut text = document.root().source().text.clone();
    let spans: Option<Vec<Range<usize>>> =
        secrets(document).iter().map(Node::scalar_span).collect();
    let mut spans = spans?;
    spans.sort_by_key(|span| span.start);
    // An alias leads to its anchor, which may be the place of several secrets.
    spans.dedup();
    for span in spans.iter().rev() {
        text.replace_range(span.clone(), REPLACEMENT);
    }
    let again = Document::parse(SourceFile::new("", text.as_str())).ok()?;
    let replaced = secrets(&again);
    let all = replaced.len() == secrets(document).len()
        && replaced.iter().all(|node| matches!(node.value(), Value::Text(t) if t == REPLACEMENT));
    all.then_some(text)
}

fn secrets(document: &Document) -> Vec<Node<'_>> {
    let mut found = Vec::new();
    let jobs = children(&document.root(), "scrape_configs");
    for job in jobs.iter().flat_map(|list| children(list, "*")) {
        for path in SECRETS {
            let mut nodes = vec![job.clone()];
            for step in path {
                nodes = nodes.iter().flat_map(|node| children(node, step)).collect();
            }
            found.extend(nodes.into_iter().filter(|node| !node.is_null()));
        }
    }
    found
}

fn children<'d>(node: &Node<'d>, step: &str) -> Vec<Node<'d>> {
    // What has another shape has no such child; the file was accepted before.
    let ignored = &mut Diagnostics::new();
    match node.value() {
        Value::List(_) if step == "*" => node.list(ignored).unwrap_or_default(),
        Value::Map(_) => {
            let entries = node.entries(ignored).unwrap_or_default().into_iter();
            entries.filter(|(key, _)| step == "*" || *key == step).map(|(_, node)| node).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `written` stands as the password of a job.
    #[track_caller]
    fn check(written: &str, want: &str) {
        let file = |password: &str| {
            format!(
                "a: 1 # kept\nscrape_configs:\n  - basic_auth: {{username: u}}\n  \
                 - basic_auth:\n      password: {password}\n      username: u\n    job_name: x\n"
            )
        };
        let document = Document::parse(SourceFile::new("f", file(written))).unwrap();
        assert_eq!(redacted(&document), file(want));
    }

    #[test]
    fn a_secret_is_replaced_however_it_is_written() {
        check("hunter2", "<secret>");
        check("hunter2 # my dog", "<secret> # my dog");
        check("12345", "<secret>");
        check("'it''s'", "<secret>");
        check(r#""a\"b # c""#, "<secret>");
        check("a, b]", "<secret>");
        check("|\n        one\n          two\n\n        three", "<secret>");
        check(">-\n        one\n        two", "<secret>");
        check("one\n        two", "<secret>");
        check("\"one\n        two\"", "<secret>");
        check("&pw hunter2", "&pw <secret>");
        check("&pw 'hunter2'", "&pw <secret>");
        check("!!str 5", "!!str <secret>");
    }

    #[track_caller]
    fn check_file(text: &str, want: &str) {
        let document = Document::parse(SourceFile::new("f", text)).unwrap();
        assert_eq!(redacted(&document), want);
    }

    #[test]
    fn every_kind_of_secret_is_found() {
        check_file(
            "scrape_configs: [{basic_auth: {password: pw, username: u}, tls_config: {key: k}}]\n",
            "scrape_configs: [{basic_auth: {password: <secret>, username: u}, \
             tls_config: {key: <secret>}}]\n",
        );
        check_file(
            "scrape_configs:\n- authorization:\n    credentials: x\n  http_headers:\n    \
             A: {values: [v], secrets: [s, 'y']}\n    B: {secrets: [z]}\n",
            "scrape_configs:\n- authorization:\n    credentials: <secret>\n  http_headers:\n    \
             A: {values: [v], secrets: [<secret>, <secret>]}\n    B: {secrets: [<secret>]}\n",
        );
    }

    #[test]
    fn an_anchor_shared_by_secrets_is_replaced_once() {
        check_file(
            "scrape_configs:\n- basic_auth: {password: &p pw}\n- basic_auth: {password: *p}\n",
            "scrape_configs:\n- basic_auth: {password: &p <secret>}\n\
             - basic_auth: {password: *p}\n",
        );
    }

    #[test]
    fn what_cannot_be_told_apart_is_not_shown() {
        check_file("scrape_configs:\n- basic_auth:\n    password: |2\n        x\n", NOT_SHOWN);
    }
}
