//! The parser's cases, one a line: `prom` and `om` read one line, `good` and `bad` compare.

use crate::exposition::*;

/// A sample in short: `name{a=b,…} value @milliseconds # {a=b,…} value @milliseconds`.
fn show(sample: &Sample<'_>) -> String {
    let mut text =
        format!("{}{} {}", sample.name, show_labels(&sample.labels), show_value(sample.value));
    text.extend(sample.timestamp_ms.map(|ms| format!(" @{ms}")));
    if let Some(Exemplar { labels, value, timestamp_ms }) = &sample.exemplar {
        text.extend([" # ", &show_labels(labels), " ", &show_value(*value)]);
        text.extend(timestamp_ms.map(|ms| format!(" @{ms}")));
    }
    text
}

fn show_labels(labels: &[Label<'_>]) -> String {
    let labels: Vec<_> =
        labels.iter().map(|label| format!("{}={}", label.name, label.value)).collect();
    format!("{{{}}}", labels.join(",")).replace('\n', "␊")
}

fn show_value(value: f64) -> String {
    format!("{value}")
}

#[track_caller]
fn good(format: Format, line: &str, want: &str) {
    let page = parse(line, format);
    assert_eq!(page.bad_lines, [], "{line}");
    assert_eq!(page.samples.iter().map(show).collect::<Vec<_>>(), [want], "{line}");
}

#[track_caller]
fn prom(line: &str, want: &str) {
    good(Format::PrometheusText, line, want);
}

#[track_caller]
fn om(line: &str, want: &str) {
    good(Format::OpenMetrics, line, want);
}

#[track_caller]
fn both(line: &str, want: &str) {
    prom(line, want);
    om(line, want);
}

/// The line is bad at `column`, and yields nothing else.
#[track_caller]
fn bad(format: Format, line: &str, column: usize, kind: Fault) {
    let page = parse(line, format);
    let text = line.to_owned();
    assert_eq!(page.bad_lines, [BadLine { line: 1, column, kind, text }]);
    assert_eq!(page.bad_lines_total, 1);
    assert!(page.samples.is_empty() && page.families.is_empty() && !page.eof);
}

#[track_caller]
fn prom_bad(line: &str, column: usize, kind: Fault) {
    bad(Format::PrometheusText, line, column, kind);
}

#[track_caller]
fn om_bad(line: &str, column: usize, kind: Fault) {
    bad(Format::OpenMetrics, line, column, kind);
}

#[track_caller]
fn both_bad(line: &str, column: usize, kind: Fault) {
    prom_bad(line, column, kind);
    om_bad(line, column, kind);
}

#[test]
fn content_type_names_the_format() {
    #[track_caller]
    fn check(content_type: Option<&str>, want: Format) {
        assert_eq!(Format::from_content_type(content_type), want);
    }
    check(None, Format::PrometheusText);
    check(Some(""), Format::PrometheusText);
    check(Some("text/plain; version=0.0.4"), Format::PrometheusText);
    check(Some("text/html"), Format::PrometheusText);
    check(Some("x; application/openmetrics-text"), Format::PrometheusText);
    check(Some("application/openmetrics-text"), Format::OpenMetrics);
    check(Some(" Application/OpenMetrics-Text ; version=1.0.0"), Format::OpenMetrics);
}

#[test]
fn values_are_spelt_as_in_go() {
    both("a 1", "a{} 1");
    both("a -1.5e-3", "a{} -0.0015");
    both("a +.5", "a{} 0.5");
    both("a 5.", "a{} 5");
    both("a 1E3", "a{} 1000");
    both("a 2.0979152e+07", "a{} 20979152");
    both("a 1e-400", "a{} 0");
    both("a -0", "a{} -0");
    both("a NaN", "a{} NaN");
    both("a nan", "a{} NaN");
    both("a +Inf", "a{} inf");
    both("a -inf", "a{} -inf");
    both("a Infinity", "a{} inf");
    both_bad("a 1e400", 3, Fault::ValueOutOfRange);
    both_bad("a -nan", 3, Fault::ExpectedValue);
    both_bad("a 0x1p4", 3, Fault::ExpectedValue);
    both_bad("a 1_000", 3, Fault::ExpectedValue);
    both_bad("a 1,5", 3, Fault::ExpectedValue);
    both_bad("a ١", 3, Fault::ExpectedValue);
    both_bad("a .", 3, Fault::ExpectedValue);
    both_bad("a --1", 3, Fault::ExpectedValue);
    both_bad("a -Na", 3, Fault::ExpectedValue);
}

#[test]
fn labels_are_unescaped() {
    both(r#"a{b="c"} 1"#, "a{b=c} 1");
    both(r#"a{b="c",d="e"} 1"#, "a{b=c,d=e} 1");
    both(r#"a{b=""} 1"#, "a{b=} 1");
    both("a{} 1", "a{} 1");
    both(r#"a{b="c\\d\"e\nf"} 1"#, r#"a{b=c\d"e␊f} 1"#);
    both(r#"a{b="\t\x"} 1"#, r"a{b=\t\x} 1");
    both(r#"a{b="\\n"} 1"#, r"a{b=\n} 1");
    both(r#"a{b="{},# é日"} 1"#, "a{b={},# é日} 1");
    both(r#"a{b="c",} 1"#, "a{b=c} 1");
}

#[test]
fn text_without_escapes_is_borrowed() {
    let page = parse(r#"a{b="c",d="\\"} 1"#, Format::PrometheusText);
    let [borrowed, owned] = &page.samples[0].labels[..] else { panic!("two labels") };
    assert!(matches!(borrowed.value, Cow::Borrowed("c")));
    assert!(matches!(owned.value, Cow::Owned(_)));
}

#[test]
fn faulty_labels_make_a_bad_line() {
    both_bad(r#"a{b="c",b="d"} 1"#, 9, Fault::DuplicateLabel);
    both_bad(r#"a{"b"="c",b="d"} 1"#, 11, Fault::DuplicateLabel);
    both_bad(r#"a{__name__="b"} 1"#, 3, Fault::ReservedLabelName);
    both_bad(r#"a{b="c} 1"#, 5, Fault::UnclosedQuote);
    both_bad(r#"a{b="c\"} 1"#, 5, Fault::UnclosedQuote);
    both_bad(r#"a{b="c""#, 8, Fault::ExpectedCommaOrBrace);
    both_bad(r#"a{b="c"d="e"} 1"#, 8, Fault::ExpectedCommaOrBrace);
    both_bad("a{b=c} 1", 5, Fault::ExpectedLabelValue);
    both_bad("a{b} 1", 4, Fault::ExpectedEquals);
    both_bad(r#"a{,b="c"} 1"#, 3, Fault::ExpectedLabelName);
    both_bad(r#"a{b="c",,} 1"#, 9, Fault::ExpectedLabelName);
    both_bad(r#"a{1b="c"} 1"#, 3, Fault::ExpectedLabelName);
    both_bad(r#"a{b:c="d"} 1"#, 4, Fault::ExpectedEquals);
    both_bad(r#"a{ä="d"} 1"#, 3, Fault::ExpectedLabelName);
    both_bad(r#"a{""="d"} 1"#, 3, Fault::EmptyName);
    both_bad("a{", 3, Fault::ExpectedLabelName);
}

#[test]
fn quoted_names_may_be_any_text() {
    both(r#"{"my.metric"} 1"#, "my.metric{} 1");
    both(r#"{"my.metric","label.name"="v"} 1"#, "my.metric{label.name=v} 1");
    both(r#"{"my.metric",b="v",} 1"#, "my.metric{b=v} 1");
    both(r#"{b="v","my.metric"} 1"#, "my.metric{b=v} 1");
    both(r#"{"ü \"x\" \\"} 1"#, r#"ü "x" \{} 1"#);
    both_bad(r#"a{"b"} 1"#, 3, Fault::SecondMetricName);
    both_bad(r#"{"a","b"} 1"#, 6, Fault::SecondMetricName);
    both_bad(r#"{""} 1"#, 2, Fault::EmptyName);
    both_bad(r#"{b="v"} 1"#, 1, Fault::MissingMetricName);
    both_bad("{} 1", 1, Fault::MissingMetricName);
    both_bad(r#""a" 1"#, 1, Fault::ExpectedMetricName);
}

#[test]
fn bare_names_have_the_old_alphabet() {
    both("a:b_C9 1", "a:b_C9{} 1");
    both(":a 1", ":a{} 1");
    both("_ 1", "_{} 1");
    both_bad("9a 1", 1, Fault::ExpectedMetricName);
    both_bad("a.b 1", 2, Fault::BareNameCharacter);
    both_bad("a-1 5", 2, Fault::BareNameCharacter);
    both_bad("aé 1", 2, Fault::BareNameCharacter);
    both_bad("é 1", 1, Fault::ExpectedMetricName);
    both_bad("<html>", 1, Fault::ExpectedMetricName);
}

#[test]
fn prometheus_text_is_lenient_about_blanks() {
    prom(" \ta  1\t 5 \t", "a{} 1 @5");
    prom("a { b = \"c\" , d\t=\t\"e\" , } 1", "a{b=c,d=e} 1");
    prom(r#"a{b="c"}1"#, "a{b=c} 1");
    prom("a{b=\"c\"}\t1", "a{b=c} 1");
    prom_bad("a 1 5 6", 7, Fault::TrailingText);
    prom_bad("  é 1", 3, Fault::ExpectedMetricName);
    prom_bad("a\u{a0}1", 2, Fault::BareNameCharacter);
    prom_bad("a", 2, Fault::ExpectedValue);
    prom_bad("a  ", 2, Fault::ExpectedValue);
}

#[test]
fn openmetrics_is_strict_about_blanks() {
    om_bad(" a 1", 1, Fault::ExpectedMetricName);
    om_bad("a  1", 3, Fault::ExpectedValue);
    om_bad("a\t1", 2, Fault::ExpectedSpace);
    om_bad("a 1 ", 5, Fault::ExpectedTimestamp);
    om_bad("a 1  5", 5, Fault::ExpectedTimestamp);
    om_bad("a {} 1", 3, Fault::ExpectedValue);
    om_bad(r#"a{b="c", d="e"} 1"#, 9, Fault::ExpectedLabelName);
    om_bad("a{}1", 4, Fault::ExpectedSpace);
}

#[test]
fn timestamps_are_milliseconds_or_seconds() {
    prom("a 1 1395066363000", "a{} 1 @1395066363000");
    prom("a 1 -5", "a{} 1 @-5");
    prom_bad("a 1 1.5", 5, Fault::ExpectedTimestamp);
    prom_bad("a 1 -", 5, Fault::ExpectedTimestamp);
    prom_bad("a 1 9223372036854775808", 5, Fault::TimestampOutOfRange);
    om("a 1 1395066363", "a{} 1 @1395066363000");
    om("a 1 1520879607.789", "a{} 1 @1520879607789");
    om("a 1 1.005", "a{} 1 @1005");
    om("a 1 -2.5e0", "a{} 1 @-2500");
    om_bad("a 1 NaN", 5, Fault::ExpectedTimestamp);
    om_bad("a 1 +Inf", 5, Fault::ExpectedTimestamp);
    om_bad("a 1 1e300", 5, Fault::TimestampOutOfRange);
    om_bad("a 1 1e999", 5, Fault::TimestampOutOfRange);
    om_bad("a 1 2 3", 6, Fault::ExpectedExemplar);
}

#[test]
fn exemplars_are_openmetrics_only() {
    om(r#"a_total 1 # {t="x"} 0.5"#, "a_total{} 1 # {t=x} 0.5");
    om(r#"a_total 1 9 # {t="x",s="\""} 0.5 8.25"#, r#"a_total{} 1 @9000 # {t=x,s="} 0.5 @8250"#);
    om(r"a_total 1 # {} 0.5", "a_total{} 1 # {} 0.5");
    om("a_bucket{le=\"+Inf\"} 1 # {t=\"#\"} 1", "a_bucket{le=+Inf} 1 # {t=#} 1");
    om_bad("a_total 1 # {}", 15, Fault::ExpectedSpace);
    om_bad("a_total 1 # {} ", 16, Fault::ExpectedValue);
    om_bad("a_total 1 # {} x", 16, Fault::ExpectedValue);
    om_bad("a_total 1 # x", 10, Fault::ExpectedExemplar);
    om_bad(r#"a_total 1 # {t="x",t="y"} 1"#, 20, Fault::DuplicateLabel);
    om_bad(r#"a_total 1 # {"t"} 1"#, 14, Fault::ExpectedLabelName);
    om_bad("a_total 1 # {} 1 # {} 1", 17, Fault::TrailingText);
    om_bad("a_total 1 # {} 1 2 3", 19, Fault::TrailingText);
    prom_bad(r#"a_total 1 # {t="x"} 0.5"#, 11, Fault::ExemplarOutsideOpenMetrics);
    prom_bad(r#"a_total 1 9 # {t="x"} 0.5"#, 13, Fault::ExemplarOutsideOpenMetrics);
}

/// The families of a page, one a line: `name kind help unit`, with `-` for what is not told.
#[track_caller]
fn families(format: Format, text: &str, want: &[&str]) {
    let page = parse(text, format);
    let or_dash = |text: &Option<Cow<'_, str>>| text.as_deref().unwrap_or("-").to_owned();
    let shown = |family: &Family<'_>| {
        let kind = family.kind.map_or("-".to_owned(), |kind| format!("{kind:?}"));
        format!("{} {kind} {} {}", family.name, or_dash(&family.help), or_dash(&family.unit))
    };
    assert_eq!(page.families.iter().map(shown).collect::<Vec<_>>(), want, "{text}");
    assert_eq!(page.bad_lines, []);
}

#[test]
fn comments_tell_families() {
    let prom = Format::PrometheusText;
    let om = Format::OpenMetrics;
    families(prom, "# HELP a b c\n# TYPE a counter", &["a Counter b c -"]);
    families(prom, "# TYPE a gauge\n# TYPE b gauge\n# HELP a x", &["a Gauge x -", "b Gauge - -"]);
    families(prom, "#\t HELP  a\t  b ", &["a - b -"]);
    families(prom, "# HELP a", &["a -  -"]);
    families(prom, r#"# HELP a \\ \n \""#, &["a - \\ \n \\\" -"]);
    families(om, r#"# HELP a \\ \n \""#, &["a - \\ \n \" -"]);
    families(om, "# TYPE a stateset\n# UNIT a seconds\n# HELP a ", &["a StateSet  seconds"]);
    families(prom, "# TYPE a untyped\n# TYPE a counter", &["a Counter - -"]);
    families(prom, r#"# TYPE "a.b" gauge"#, &["a.b Gauge - -"]);
    families(prom, "#\n# x\n#HELP a b\n#TYPE\n# TYPEa\n# UNIT a b\n# HELP\n# EOF\n#é", &[]);
}

#[test]
fn faulty_comments_make_a_bad_line() {
    both_bad("# TYPE a rate", 10, Fault::UnknownType);
    prom_bad("# TYPE a", 9, Fault::UnknownType);
    om_bad("# TYPE a", 9, Fault::ExpectedSpace);
    both_bad("# TYPE 9 gauge", 8, Fault::ExpectedMetricName);
    both_bad("# HELP a.b c", 9, Fault::BareNameCharacter);
    both_bad(r#"# HELP "a c"#, 8, Fault::UnclosedQuote);
    both_bad(r#"# HELP "" c"#, 8, Fault::EmptyName);
    om_bad("# x", 1, Fault::UnknownComment);
    om_bad("#", 1, Fault::UnknownComment);
    om_bad("# EOF ", 1, Fault::UnknownComment);
}

#[test]
fn nothing_counts_after_eof() {
    let page = parse("a 1\n# EOF\nb 2\n\n# EOF", Format::OpenMetrics);
    assert!(page.eof);
    assert_eq!(page.samples.len(), 1);
    assert_eq!(page.bad_lines.iter().map(|bad| bad.line).collect::<Vec<_>>(), [3, 4, 5]);
    assert!(page.bad_lines.iter().all(|bad| bad.kind == Fault::AfterEof));
}

#[test]
fn missing_eof_loses_no_sample() {
    let page = parse("a 1\nb 2\n", Format::OpenMetrics);
    assert_eq!((page.eof, page.samples.len(), page.bad_lines_total), (false, 2, 0));
    assert!(!parse("# EOF\n", Format::PrometheusText).eof);
}

#[test]
fn line_ends_may_be_crlf_or_missing() {
    for text in ["a 1\nb{c=\"d\"} 2\n", "a 1\r\nb{c=\"d\"} 2\r\n", "a 1\nb{c=\"d\"} 2"] {
        for format in [Format::PrometheusText, Format::OpenMetrics] {
            let page = parse(text, format);
            assert_eq!(page.samples.iter().map(show).collect::<Vec<_>>(), ["a{} 1", "b{c=d} 2"]);
            assert_eq!(page.bad_lines, []);
        }
    }
    assert!(parse("a 1\r\n# EOF\r\n", Format::OpenMetrics).eof);
    assert_eq!(parse("", Format::OpenMetrics).bad_lines_total, 0);
    assert_eq!(parse("\n", Format::OpenMetrics).bad_lines_total, 1);
    assert_eq!(parse("\n\n \t\r\n", Format::PrometheusText).bad_lines_total, 0);
}

#[test]
fn lines_are_numbered_from_one() {
    let page = parse("# x\na 1\n\nbad\nb 2", Format::PrometheusText);
    assert_eq!(page.samples.iter().map(|sample| sample.line).collect::<Vec<_>>(), [2, 5]);
    assert_eq!(page.bad_lines[0].to_string(), "line 4, column 4: expected a value: `bad`");
}

#[test]
fn bad_lines_are_kept_up_to_the_limit_and_all_counted() {
    let line = format!("é{}", "x".repeat(BAD_LINE_TEXT_CHARS_MAX));
    let text = format!("{}a 1\n", format!("{line}\n").repeat(BAD_LINES_KEPT_MAX + 5));
    let page = parse(&text, Format::PrometheusText);
    assert_eq!(page.bad_lines.len(), BAD_LINES_KEPT_MAX);
    assert_eq!(page.bad_lines_total, BAD_LINES_KEPT_MAX + 5);
    assert_eq!(page.bad_lines[0].text.chars().count(), BAD_LINE_TEXT_CHARS_MAX);
    assert_eq!(page.samples.len(), 1);
}

#[test]
fn labels_have_a_limit() {
    let line = |count: usize| {
        let labels: Vec<_> = (0..count).map(|i| format!("l{i}=\"\"")).collect();
        format!("a{{{}}} 1", labels.join(","))
    };
    let fits = line(LABELS_MAX);
    assert_eq!(parse(&fits, Format::PrometheusText).samples[0].labels.len(), LABELS_MAX);
    let page_text = line(LABELS_MAX + 1);
    let page = parse(&page_text, Format::PrometheusText);
    assert_eq!(page.bad_lines[0].kind, Fault::TooManyLabels);
}

#[test]
fn label_is_found_by_name() {
    let page = parse(r#"a{b="c",d=""} 1"#, Format::PrometheusText);
    let sample = &page.samples[0];
    assert_eq!(sample.label("b"), Some("c"));
    assert_eq!(sample.label("d"), Some(""));
    assert_eq!(sample.label("a"), None);
}
