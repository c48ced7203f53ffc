//! The reader that remembers, on pages that change in every way a page can: it always tells what
//! the plain reader tells.

use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde::Deserialize;

use crate::reading_equivalence::PAGE;
use crate::reading_equivalence::Readers;

#[derive(Deserialize)]
struct Case {
    text: String,
}

/// The odd texts that our parser was held to another's with.
static ODD: LazyLock<Vec<String>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential");
    let text = std::fs::read_to_string(folder.join("exposition_cases.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap();
    cases.into_iter().map(|case| case.text).collect()
});

/// Lines that concern the small profile, or nearly.
const NEAR: &[&str] = &[
    "hits_total{c=\"one\"} 11",
    "hits_total{c=\"three\"} 1",
    "hits_total{c=\"one\"} 11 1795355099000",
    "hits_total{c=\"two\"} NaN",
    "up{kind=\"x\"} NaN",
    "up{kind=\"z\"} 1",
    "redis_keyspace_hits_total 5",
    "keys{c=\"two\"} 5",
    "start 1795350001",
    "start{} 1",
    "unrelated_seconds_sum 1 5",
    "# EOF",
    "# HELP hits_total Other.",
    "bad-line 1",
    "",
    "{",
];

const VALUES: &[&str] = &[
    "1",
    "0",
    "-3.5",
    "1e6",
    "1.25e-07",
    "NaN",
    "+Inf",
    "+5",
    "5.",
    ".5",
    "1e400",
    "1e100",
    "1e-400",
    "0x1p4",
    "",
    "x",
    "5 6",
    "5 1795355099000",
    "5 1",
    " 5",
    "5 ",
    "5\r",
    "5 # {} 1",
    "9007199254740993",
    "123456789012345678901234567890",
    "1-2",
    "1e+",
    "--1",
];

const CHARACTERS: &[char] = &['"', ' ', '{', '}', '\\', 'é', '1', '#', '\r'];

const REAL_PAGES: &[&str] = &["redis_1.txt", "varnish_1.txt", "memcached_1.txt", "micrometer.txt"];

#[derive(Debug, Clone)]
enum Change {
    Value(&'static str),
    Digits(u64),
    Remove(usize),
    Repeat,
    Swap,
    Insert(String),
    Replace(String),
    /// One character of the line, at this place.
    Character(prop::sample::Index, char),
    CutOff(prop::sample::Index),
}

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(NEAR).prop_map(str::to_owned),
        prop::sample::select(&ODD[..]),
        "[a-z_]{1,6}(\\{[a-z]=\"[a-z]\"\\})? [0-9]{1,3}",
    ]
}

fn change() -> impl Strategy<Value = Change> {
    use prop::sample::Index;
    prop_oneof![
        4 => prop::sample::select(VALUES).prop_map(Change::Value),
        12 => any::<u64>().prop_map(Change::Digits),
        2 => (1..12_usize).prop_map(Change::Remove),
        1 => Just(Change::Repeat),
        1 => Just(Change::Swap),
        3 => line().prop_map(Change::Insert),
        2 => line().prop_map(Change::Replace),
        2 => (any::<Index>(), prop::sample::select(CHARACTERS))
            .prop_map(|(at, c)| Change::Character(at, c)),
        1 => any::<Index>().prop_map(Change::CutOff),
    ]
}

type Placed = (prop::sample::Index, Change);

/// What happens to the page before one scrape; each scrape starts from the same page or the last.
fn scrapes() -> impl Strategy<Value = Vec<(usize, bool, Vec<Placed>)>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), change()), 0..4);
    prop::collection::vec((0..2_usize, any::<bool>(), changes), 1..8)
}

fn changed(page: &str, changes: &[Placed]) -> String {
    let mut lines: Vec<String> = page.split_inclusive('\n').map(str::to_owned).collect();
    for (place, change) in changes {
        if lines.is_empty() {
            lines.push("\n".to_owned());
        }
        let at = place.index(lines.len());
        let line = lines[at].clone();
        let series = line.rfind(' ').map_or(&*line, |end| &line[..=end]);
        match change {
            Change::Value(value) => lines[at] = format!("{series}{value}\n"),
            Change::Digits(value) => lines[at] = format!("{series}{value}\n"),
            Change::Remove(count) => drop(lines.drain(at..(at + count).min(lines.len()))),
            Change::Repeat => lines.insert(at, line),
            Change::Swap => lines.swap(at, 0),
            Change::Insert(text) => lines.insert(at, format!("{text}\n")),
            Change::Replace(text) => lines[at] = format!("{text}\n"),
            Change::Character(index, c) => {
                let mut chars: Vec<char> = line.chars().collect();
                if !chars.is_empty() {
                    chars[index.index(line.chars().count())] = *c;
                }
                lines[at] = chars.into_iter().collect();
            }
            Change::CutOff(index) => {
                let mut text = lines.concat();
                let end = (0..=text.len())
                    .rev()
                    .find(|end| *end <= index.index(text.len() + 1) && text.is_char_boundary(*end));
                text.truncate(end.unwrap_or(0));
                lines = text.split_inclusive('\n').map(str::to_owned).collect();
            }
        }
    }
    lines.concat()
}

fn check(
    mut readers: Readers,
    first: &str,
    scrapes: &[(usize, bool, Vec<Placed>)],
    content_type: Option<&str>,
) {
    readers.check(0, first, content_type);
    let mut last = first.to_owned();
    for (target, from_first, changes) in scrapes {
        last = changed(if *from_first { first } else { &last }, changes);
        readers.check(*target, &last, content_type);
    }
    readers.check(1, first, content_type);
}

fn real_page(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

fn content_type() -> impl Strategy<Value = Option<&'static str>> {
    prop::sample::select(&[None, Some("application/openmetrics-text; version=1.0.0")])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn a_small_page_that_changes_is_read_as_by_the_plain_reader(
        scrapes in scrapes(),
        content_type in content_type(),
        has_eof in any::<bool>(),
    ) {
        // OpenMetrics has no blank lines and no remarks: without them the page is good in both.
        let page = PAGE.replace("\n\n", "\n").replace("# remark\n", "");
        let page = if has_eof { page + "# EOF\n" } else { PAGE.to_owned() };
        check(Readers::small(), &page, &scrapes, content_type);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_real_page_that_changes_is_read_as_by_the_plain_reader(
        name in prop::sample::select(REAL_PAGES),
        scrapes in scrapes(),
    ) {
        check(Readers::built_in(), &real_page(name), &scrapes, None);
    }
}

#[test]
fn two_scrapes_of_a_real_product_are_read_as_by_the_plain_reader() {
    let mut readers = Readers::built_in();
    for name in ["redis", "varnish", "memcached"] {
        for scrape in ["1", "2", "1"] {
            readers.check(0, &real_page(&format!("{name}_{scrape}.txt")), None);
        }
        readers.check(1, &real_page(&format!("{name}_2.txt")), None);
    }
}

#[test]
fn every_odd_line_in_a_page_is_read_as_by_the_plain_reader() {
    for content_type in [None, Some("application/openmetrics-text")] {
        for odd in &*ODD {
            let mut readers = Readers::small();
            readers.check(0, PAGE, content_type);
            readers.check(0, &format!("{odd}\n{PAGE}"), content_type);
            readers.check(0, &format!("{PAGE}{odd}\n"), content_type);
            readers.check(1, &PAGE.replacen("other{", &format!("{odd}\nother{{"), 1), content_type);
        }
    }
}
