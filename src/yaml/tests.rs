//! Documents and the faults that reading them reports.

use super::Document;
use super::Node;
use crate::diag::Diagnostics;
use crate::diag::SourceFile;
use crate::diag::render;

/// Reads `text` with a loader and holds the diagnostics, one line each, to `want`.
#[track_caller]
fn check(text: &str, load: impl Fn(&Node<'_>, &mut Diagnostics), want: &[&str]) {
    let mut diagnostics = Diagnostics::new();
    match Document::parse(SourceFile::new("f", text)) {
        Ok(document) => load(&document.root(), &mut diagnostics),
        Err(fault) => diagnostics.push(fault),
    }
    diagnostics.sort();
    let got: Vec<String> = diagnostics.iter().map(render::concise).collect();
    assert_eq!(got, want);
}

fn load(root: &Node<'_>, diagnostics: &mut Diagnostics) {
    let Some(mut fields) = root.fields(diagnostics) else { return };
    if let Some(node) = fields.required("name", diagnostics) {
        node.name(diagnostics);
    }
    if let Some(node) = fields.optional("ratio") {
        node.number_within(0.0, 1.0, diagnostics);
    }
    if let Some(node) = fields.optional("interval") {
        node.duration(diagnostics);
    }
    if let Some(node) = fields.optional("limit") {
        node.bytes(diagnostics);
    }
    if let Some(items) = fields.optional("items").and_then(|node| node.list(diagnostics)) {
        for item in items {
            item.whole(1, 9, diagnostics);
        }
    }
    if let Some(labels) = fields.optional("labels").and_then(|node| node.entries(diagnostics)) {
        for (_, node) in labels {
            node.text(diagnostics);
        }
    }
    if let Some(node) = fields.optional("when") {
        let Some(text) = node.text(diagnostics) else { return };
        if let Some(at) = text.find("BAD") {
            diagnostics.push(node.error_inside(at..at + 3, "bad", "bad word"));
        }
    }
    fields.finish(diagnostics);
}

#[test]
fn a_good_file_has_no_faults() {
    check("name: x\nratio: 0.5\ninterval: 15s\nlimit: 16MiB\nitems: [1, 2]\n", load, &[]);
    check("name: 12\nlabels: {a: 1, b: true, c: text}\n", load, &[]);
    check("{\"name\": \"json\", \"items\": [1]}", load, &[]);
}

#[test]
fn all_faults_come_at_once_each_at_its_place() {
    let text = "nam: x\nratio: .nan\ninterval: 15\nlimit: 3 XB\nitems: [1, 0, 'é', 12]\n\
                labels:\n  a: 1.5\n  b: []\n  a: x\n";
    check(
        text,
        load,
        &[
            "f:1:1: error[missing-key]: `name` is missing (add `name:`)",
            "f:1:1: error[unknown-key]: unknown key `nam` (did you mean `name`?)",
            "f:2:8: error[not-finite]: `NaN` is not a finite number (write a number)",
            "f:3:11: error[bad-duration]: `15` is not a duration (write a number with its unit, \
             such as `15s`, `5m` or `1h30m`)",
            "f:4:8: error[bad-size]: `3 XB` is not a size (write a whole number with its unit, \
             such as `16MiB`)",
            "f:5:12: error[out-of-range]: `0` is not between 1 and 9",
            "f:5:15: error[wrong-type]: a whole number expected, not text",
            "f:5:20: error[out-of-range]: `12` is not between 1 and 9",
            "f:7:6: error[wrong-type]: text expected, not a number (put it in quotes)",
            "f:8:6: error[wrong-type]: text expected, not a list",
            "f:9:3: error[duplicate-key]: `a` is written twice (remove one of them)",
        ],
    );
}

#[test]
fn a_place_inside_text_survives_quotes_and_folding() {
    let want = |at: &str| format!("f:{at}: error[bad]: bad word");
    check("name: n\nwhen: a < BAD\n", load, &[&want("2:11")]);
    check("name: n\nwhen: 'a < BAD'\n", load, &[&want("2:12")]);
    check("name: n\nwhen: \"é < BAD\"\n", load, &[&want("2:12")]);
    check("name: n\nwhen: >-\n  a <\n  1 and\n  BAD\n", load, &[&want("5:3")]);
    check("name: n\nwhen: |\n  a\n  BAD\n", load, &[&want("4:3")]);
    check("name: n\nwhen: \"\\t\\x41 BAD\"\n", load, &[&want("2:7")]);
}

#[test]
fn what_is_not_yaml_is_placed() {
    check(
        "a: [1\nb: 2\n",
        load,
        &["f:2:2: error[invalid-yaml]: did not find expected ',' or ']', \
         while parsing a flow sequence"],
    );
    check("", load, &["f:1:1: error[wrong-type]: a mapping expected, not nothing"]);
    check("- 1\n", load, &["f:1:1: error[wrong-type]: a mapping expected, not a list"]);
}

#[test]
fn deep_nesting_is_refused() {
    let text = format!("{}{}", "[".repeat(100), "]".repeat(100));
    check(
        &text,
        load,
        &["f:1:1: error[invalid-yaml]: lists and mappings are nested more than 64 deep"],
    );
}

#[test]
fn numbers_that_are_wanted_as_text_keep_their_letters() {
    let document =
        Document::parse(SourceFile::new("f", "[12, 0x1F, +5, 007, True, &a 9, *a]")).unwrap();
    let mut diagnostics = Diagnostics::new();
    let items = document.root().list(&mut diagnostics).unwrap();
    let texts: Vec<_> = items.iter().filter_map(|item| item.text(&mut diagnostics)).collect();
    assert_eq!(texts, ["12", "0x1F", "+5", "007", "True", "9", "9"]);
}
