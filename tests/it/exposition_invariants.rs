//! What holds for every page whatever its text. Shared by the property tests, the replay of the
//! fuzzing corpus, and the fuzz target itself, which includes this file and its neighbour.

use std::collections::BTreeSet;

use cache_tuner_exporter::exposition::BAD_LINE_TEXT_CHARS_MAX;
use cache_tuner_exporter::exposition::BAD_LINES_KEPT_MAX;
use cache_tuner_exporter::exposition::Exemplar;
use cache_tuner_exporter::exposition::Format;
use cache_tuner_exporter::exposition::LABELS_MAX;
use cache_tuner_exporter::exposition::Label;
use cache_tuner_exporter::exposition::Page;
use cache_tuner_exporter::exposition::Sample;
use cache_tuner_exporter::exposition::parse;

use super::exposition_print::print_sample;

/// Largest time, in milliseconds, that the seconds of OpenMetrics hold exactly enough.
const EXACT_MS_MAX: u64 = 1 << 50;

/// Panics, naming the text, if something does not hold.
pub(crate) fn check_text(text: &str) {
    check_page(text, Format::PrometheusText);
    check_page(text, Format::OpenMetrics);
}

fn check_page(text: &str, format: Format) {
    let page = parse(text, format);
    check_lines(text, &page);
    for sample in &page.samples {
        assert!(!sample.name.is_empty(), "{text:?}");
        check_labels(text, &sample.labels);
        if let Some(exemplar) = &sample.exemplar {
            check_labels(text, &exemplar.labels);
        }
        check_print(sample, format);
    }
    let names: BTreeSet<_> = page.families.iter().map(|family| &family.name).collect();
    assert_eq!(names.len(), page.families.len(), "{text:?}");
    if format == Format::PrometheusText {
        assert!(!page.eof, "{text:?}");
        assert!(page.samples.iter().all(|sample| sample.exemplar.is_none()), "{text:?}");
        assert!(page.families.iter().all(|family| family.unit.is_none()), "{text:?}");
    }
}

/// Every line is a sample, a bad line, or neither, and tells where it is.
fn check_lines(text: &str, page: &Page<'_>) {
    let lines: Vec<&str> = text.split('\n').collect();
    assert!(page.samples.len() + page.bad_lines_total <= lines.len(), "{text:?}");
    assert_eq!(page.bad_lines.len(), page.bad_lines_total.min(BAD_LINES_KEPT_MAX), "{text:?}");
    assert!(page.samples.is_sorted_by(|a, b| a.line < b.line), "{text:?}");
    assert!(page.bad_lines.is_sorted_by(|a, b| a.line < b.line), "{text:?}");
    assert!(page.samples.iter().all(|sample| (1..=lines.len()).contains(&sample.line)));
    for bad in &page.bad_lines {
        let line = lines[bad.line - 1];
        let chars = line.chars().count();
        assert!((1..=chars + 1).contains(&bad.column), "{bad} in {text:?}");
        assert!(line.starts_with(&bad.text), "{bad} in {text:?}");
        assert!(bad.text.chars().count() <= BAD_LINE_TEXT_CHARS_MAX, "{bad} in {text:?}");
    }
}

fn check_labels(text: &str, labels: &[Label<'_>]) {
    let names: BTreeSet<_> = labels.iter().map(|label| &label.name).collect();
    assert_eq!(names.len(), labels.len(), "{text:?}");
    assert!(labels.len() <= LABELS_MAX, "{text:?}");
    assert!(names.iter().all(|name| !name.is_empty() && **name != "__name__"), "{text:?}");
}

/// The sample, written and read again, is the same.
pub(crate) fn check_print(sample: &Sample<'_>, format: Format) {
    let exemplar_ms = sample.exemplar.as_ref().and_then(|exemplar| exemplar.timestamp_ms);
    let mut times = sample.timestamp_ms.into_iter().chain(exemplar_ms);
    if format == Format::OpenMetrics && times.any(|ms| ms.unsigned_abs() > EXACT_MS_MAX) {
        return;
    }
    let line = print_sample(sample, format);
    let page = parse(&line, format);
    let [again] = &page.samples[..] else { panic!("{sample:?} is not in {line:?}: {page:?}") };
    assert!(is_same(sample, again), "{sample:?} became {again:?}");
}

/// Equal but for the line, with NaN equal to itself.
pub(crate) fn is_same(a: &Sample<'_>, b: &Sample<'_>) -> bool {
    let is_same_exemplar = match (&a.exemplar, &b.exemplar) {
        (None, None) => true,
        (Some(a), Some(b)) => is_same_exemplar(a, b),
        _ => false,
    };
    (&a.name, &a.labels, a.timestamp_ms) == (&b.name, &b.labels, b.timestamp_ms)
        && is_same_value(a.value, b.value)
        && is_same_exemplar
}

fn is_same_exemplar(a: &Exemplar<'_>, b: &Exemplar<'_>) -> bool {
    (&a.labels, a.timestamp_ms) == (&b.labels, b.timestamp_ms) && is_same_value(a.value, b.value)
}

fn is_same_value(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}
