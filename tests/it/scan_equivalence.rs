//! The fast pass over a page against the plain one: they must never tell two things of one page.
//! Shared by the property tests, the replay of the fuzzing corpus, and the fuzz target.

use cache_tuner_exporter::exposition::BadLine;
use cache_tuner_exporter::exposition::Entry;
use cache_tuner_exporter::exposition::Format;
use cache_tuner_exporter::exposition::Label;
use cache_tuner_exporter::exposition::Sample;
use cache_tuner_exporter::exposition::parse;
use cache_tuner_exporter::exposition::parse_line;
use cache_tuner_exporter::exposition::parse_plainly;
use cache_tuner_exporter::exposition::scan;
use cache_tuner_exporter::exposition::series_end;

/// Panics, naming the text, if they differ in either format.
pub(crate) fn check_scan(text: &str) {
    for format in [Format::PrometheusText, Format::OpenMetrics] {
        check_page(text, format);
        check_entries(text, format);
    }
}

/// The pages are equal. Numbers are shown so that two that differ in a bit are shown differently.
fn check_page(text: &str, format: Format) {
    let fast = parse(text, format);
    let plain = parse_plainly(text, format);
    assert_eq!(format!("{fast:?}"), format!("{plain:?}"), "{format:?} {text:?}");
}

/// There is one entry for each line, and what it says is what the line says alone.
fn check_entries(text: &str, format: Format) {
    let mut lines = text.split_inclusive('\n');
    let mut is_after_eof = false;
    for (index, entry) in scan(text, format).enumerate() {
        let line = lines.next().unwrap_or_else(|| panic!("more entries than lines in {text:?}"));
        let line = line.strip_suffix('\n').unwrap_or(line);
        let alone = parse_line(index + 1, line, format);
        let (mut sample, mut bad_line): (Option<Sample<'_>>, Option<BadLine>) = (None, None);
        match entry {
            Entry::Bad(bad) => bad_line = Some(bad.to_bad_line()),
            Entry::Blank => {}
            Entry::Comment(_) => {
                is_after_eof |= alone.eof;
                assert!(alone.samples.is_empty(), "{format:?} {line:?}");
            }
            Entry::Sample(found) => {
                let series = series_end(line, format);
                assert!(found.series_bytes().is_none_or(|bytes| series == Some(bytes)), "{line:?}");
                let name = found.name().to_owned();
                let labels: Vec<Label<'_>> = found.labels().collect();
                let whole = found.into_sample();
                assert_eq!((name, labels), (whole.name.to_string(), whole.labels.clone()));
                sample = Some(whole);
            }
        }
        if bad_line.is_none() || !is_after_eof {
            let alone = (alone.samples.first(), alone.bad_lines.first());
            let ours = (sample.as_ref(), bad_line.as_ref());
            assert_eq!(format!("{ours:?}"), format!("{alone:?}"), "{format:?} {line:?}");
        }
    }
    assert_eq!(lines.next(), None, "fewer entries than lines in {text:?}");
}
