//! The parser on generated texts: it never panics, reads what the printer wrote, and loses nothing
//! to a bad line.

use std::borrow::Cow;
use std::collections::BTreeMap;

use cache_tuner_exporter::exposition::Exemplar;
use cache_tuner_exporter::exposition::Format;
use cache_tuner_exporter::exposition::Label;
use cache_tuner_exporter::exposition::Sample;
use cache_tuner_exporter::exposition::parse;
use proptest::prelude::*;

use crate::exposition_invariants::check_print;
use crate::exposition_invariants::check_text;
use crate::exposition_invariants::is_same;
use crate::exposition_print::print_sample;

/// Words that pages are made of: strung together at random they come close to good lines.
const WORDS: &[&str] = &[
    "a",
    "b_total",
    "{",
    "}",
    "\"",
    "\\",
    "=",
    ",",
    " ",
    "\t",
    "\r",
    "\n",
    "#",
    "# ",
    "# HELP ",
    "# TYPE ",
    "# UNIT ",
    "# EOF",
    "1",
    "-",
    ".5",
    "e9",
    "NaN",
    "+Inf",
    "a=\"b\"",
    "{a=\"b\"} 1\n",
    "{\"é.x\"}",
    " # {",
    "a 1\n",
    "a{b=\"c\",} 1 2",
    "counter",
    "é",
    "\\n",
    "__name__",
    "1e999",
    "9223372036854775808",
];

fn soup() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(WORDS), 0..24)
        .prop_map(|words| words.concat())
}

fn any_text() -> impl Strategy<Value = String> {
    proptest::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter)
}

fn name(bare: &'static str) -> impl Strategy<Value = String> {
    let quoted = any_text().prop_filter("a name", |text| !text.is_empty() && text != "__name__");
    prop_oneof![3 => bare, 1 => quoted]
}

fn labels() -> impl Strategy<Value = Vec<Label<'static>>> {
    let labels: BoxedStrategy<BTreeMap<String, String>> =
        proptest::collection::btree_map(name("[a-zA-Z_][a-zA-Z0-9_]{0,6}"), any_text(), 0..5)
            .boxed();
    labels.prop_map(|labels| {
        let labels = labels.into_iter().filter(|(name, _)| name != "__name__");
        labels
            .map(|(name, value)| Label { name: Cow::Owned(name), value: Cow::Owned(value) })
            .collect()
    })
}

fn timestamp_ms() -> impl Strategy<Value = Option<i64>> {
    proptest::option::of(-(1_i64 << 50)..(1_i64 << 50))
}

fn value() -> impl Strategy<Value = f64> {
    proptest::num::f64::ANY
}

fn exemplar() -> impl Strategy<Value = Exemplar<'static>> {
    (labels(), value(), timestamp_ms()).prop_map(|(labels, value, timestamp_ms)| Exemplar {
        labels,
        value,
        timestamp_ms,
    })
}

fn sample(format: Format) -> impl Strategy<Value = Sample<'static>> {
    let has_exemplars = format == Format::OpenMetrics;
    (
        name("[a-zA-Z_:][a-zA-Z0-9_:]{0,8}"),
        labels(),
        value(),
        timestamp_ms(),
        proptest::option::weighted(0.3, exemplar()),
    )
        .prop_map(move |(name, labels, value, timestamp_ms, exemplar)| Sample {
            name: Cow::Owned(name),
            labels,
            value,
            timestamp_ms,
            exemplar: exemplar.filter(|_| has_exemplars),
            line: 1,
        })
}

fn format() -> impl Strategy<Value = Format> {
    proptest::sample::select(&[Format::OpenMetrics, Format::PrometheusText])
}

fn format_and_samples() -> impl Strategy<Value = (Format, Vec<Sample<'static>>)> {
    format().prop_flat_map(|format| (Just(format), proptest::collection::vec(sample(format), 0..8)))
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in any_text()) {
        check_text(&text);
    }

    #[test]
    fn any_words_are_read_without_a_panic(text in soup()) {
        check_text(&text);
    }

    #[test]
    fn printed_samples_are_read_back((format, samples) in format_and_samples()) {
        for sample in &samples {
            check_print(sample, format);
        }
    }

    #[test]
    fn a_bad_line_leaves_the_others_unchanged(
        (format, samples) in format_and_samples(),
        bad in soup(),
        place in any::<proptest::sample::Index>(),
    ) {
        let bad = bad.replace('\n', "");
        let alone = format!("{bad}\n");
        prop_assume!(parse(&alone, format).bad_lines_total == 1);

        let mut lines: Vec<String> =
            samples.iter().map(|sample| print_sample(sample, format)).collect();
        let place = place.index(lines.len() + 1);
        lines.insert(place, bad);
        let text = lines.join("\n") + "\n";

        let page = parse(&text, format);
        prop_assert_eq!(page.bad_lines_total, 1);
        prop_assert_eq!(page.bad_lines[0].line, place + 1);
        prop_assert_eq!(page.samples.len(), samples.len());
        prop_assert!(page.samples.iter().zip(&samples).all(|(a, b)| is_same(a, b)));
    }

    #[test]
    fn each_line_stands_alone(text in soup()) {
        let page = parse(&text, Format::PrometheusText);
        let lines = text.split_inclusive('\n');
        let alone: Vec<_> = lines.map(|line| parse(line, Format::PrometheusText)).collect();
        let samples: Vec<_> = alone.iter().flat_map(|page| &page.samples).collect();
        prop_assert_eq!(page.samples.len(), samples.len());
        prop_assert!(page.samples.iter().zip(samples).all(|(a, b)| is_same(a, b)));
        let bad_lines_total: usize = alone.iter().map(|page| page.bad_lines_total).sum();
        prop_assert_eq!(page.bad_lines_total, bad_lines_total);
    }
}
