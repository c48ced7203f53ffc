//! The fast pass over a page, on pages that are nearly as exporters write them: it always tells
//! what the plain one tells.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde::Deserialize;

use crate::scan_equivalence::check_scan;

#[derive(Deserialize)]
struct Case {
    text: String,
}

/// The odd texts that our parser was held to another's with.
static ODD: LazyLock<Vec<String>> = LazyLock::new(|| {
    let text = std::fs::read_to_string(root().join("tests/differential/exposition_cases.json"));
    let cases: Vec<Case> = serde_json::from_str(&text.unwrap()).unwrap();
    cases.into_iter().map(|case| case.text).collect()
});

/// Lines of the real pages.
static REAL: LazyLock<Vec<String>> = LazyLock::new(|| {
    let pages = real_pages();
    let lines = pages.iter().flat_map(|page| page.lines().map(str::to_owned));
    lines.collect()
});

/// What a usual line is made of, and what nearly is.
const PARTS: &[&str] = &[
    "a",
    "a_total",
    "a:b",
    "b",
    "_",
    "__name__",
    "é",
    "9",
    "{",
    "{}",
    "}",
    "a=\"b\"",
    "b=\"\"",
    "le=\"+Inf\"",
    "__name__=\"x\"",
    "c=\"longer than a word\"",
    "c=\"\\\"\\\\\\n\\\"",
    "c=\"\\",
    "c=\"{},é\"",
    "a =\"b\"",
    "{\"q.n\"}",
    "\"q\"=\"v\"",
    ",",
    " ",
    "  ",
    "\t",
    "=",
    "\"",
    "\\",
    "1",
    "-0",
    "12.5",
    "1e5",
    "1.5e-07",
    "9007199254740993",
    "0.1234567890123456789",
    "1e400",
    "NaN",
    "+Inf",
    "-nan",
    ".5",
    "5.",
    "1_0",
    " 1795355100000",
    " 1.5",
    " # {a=\"b\"} 1",
    "#",
    "# HELP ",
    "# TYPE ",
    "# UNIT ",
    "# EOF",
    " gauge",
    " counter",
    " text \\n ",
    "\r",
    "\u{a0}",
];

const CHARACTERS: &[char] =
    &['"', ' ', '{', '}', '\\', 'é', '1', '#', '\r', '\n', ',', '=', '\t', '_', '.', '\0'];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn real_pages() -> Vec<String> {
    let mut pages = Vec::new();
    for folder in ["tests/pages", "tests/golden/exposition", "benches/pages"] {
        let Ok(entries) = std::fs::read_dir(root().join(folder)) else { continue };
        let paths = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
        pages.extend(paths.filter_map(|path| std::fs::read_to_string(path).ok()));
    }
    assert!(pages.len() >= 8, "the pages are gone");
    pages
}

fn usual_line() -> impl Strategy<Value = String> {
    let label = prop_oneof![4 => "[a-c_]{1,2}=\"[a-z ]{0,20}\"", 1 => "[a-c]=\"(\\\\.|é|,){0,3}\""];
    let labels = prop::collection::vec(label, 0..5);
    let value = prop_oneof![
        "-?[0-9]{1,17}(\\.[0-9]{1,18})?(e[+-]?[0-9]{1,3})?",
        any::<f64>().prop_map(|value| format!("{value:?}")),
        any::<f64>().prop_map(|value| format!("{value:e}")),
        prop::sample::select(&["NaN", "+Inf", "-Inf", "+1", "", "1e999"]).prop_map(str::to_owned),
    ];
    let end = prop_oneof![
        6 => Just(String::new()),
        2 => " -?[0-9]{1,20}(\\.[0-9]{1,4})?",
        1 => Just(",".to_owned()),
        1 => Just("\r".to_owned()),
    ];
    let name = "[a-c_:][a-c_:0-9]{0,3}";
    (name, labels, any::<bool>(), value, end).prop_map(|(name, labels, comma, value, end)| {
        let braces = match (labels.is_empty(), comma) {
            (true, true) => String::new(),
            (_, true) => format!("{{{},}}", labels.join(",")),
            (_, false) => format!("{{{}}}", labels.join(",")),
        };
        format!("{name}{braces} {value}{end}")
    })
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => usual_line(),
        3 => prop::collection::vec(prop::sample::select(PARTS), 0..10)
            .prop_map(|parts| parts.concat()),
        2 => prop::sample::select(&REAL[..]),
        1 => prop::sample::select(&ODD[..]),
    ]
}

/// Where in a page a character is, and what it becomes.
type Change = (prop::sample::Index, Option<char>);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop::option::weighted(0.8, prop::sample::select(CHARACTERS));
    prop::collection::vec((any::<prop::sample::Index>(), change), 0..4)
}

fn changed(page: &str, changes: &[Change]) -> String {
    let mut chars: Vec<char> = page.chars().collect();
    for (at, change) in changes {
        if chars.is_empty() {
            break;
        }
        let at = at.index(chars.len());
        match change {
            Some(c) => chars[at] = *c,
            None => drop(chars.remove(at)),
        }
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

    #[test]
    fn any_lines_are_read_as_by_the_plain_parser(
        lines in prop::collection::vec(line(), 0..6),
        changes in changes(),
    ) {
        check_scan(&changed(&lines.join("\n"), &changes));
    }
}

#[test]
fn real_pages_are_read_as_by_the_plain_parser() {
    for page in real_pages() {
        check_scan(&page);
        check_scan(&page.replace('\n', "\r\n"));
        check_scan(page.trim_end());
    }
}

#[test]
fn every_odd_line_is_read_as_by_the_plain_parser() {
    for odd in &*ODD {
        check_scan(odd);
        check_scan(&format!("a{{b=\"c\"}} 1\n{odd}\r\na{{b=\"c\"}} 1\n"));
    }
}

#[test]
fn many_labels_are_read_as_by_the_plain_parser() {
    for count in [2, 60, 127, 128, 129, 300] {
        let labels: Vec<String> = (0..count).map(|label| format!("l{label}=\"v\"")).collect();
        let labels = labels.join(",");
        check_scan(&format!("a{{{labels}}} 1\n"));
        check_scan(&format!("a{{{labels},l1=\"again\"}} 1\n"));
        check_scan(&format!("a{{{labels},l{}=\"again\"}} 1\n", count - 1));
    }
}
