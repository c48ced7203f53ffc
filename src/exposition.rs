//! The text formats in which programs expose their metrics: Prometheus text 0.0.4 and OpenMetrics
//! 1.0.
//!
//! The parser is our own because the ones that exist give up at the first bad line, as Prometheus
//! does. An exporter that watches other people's caches cannot: one broken line in a page of a
//! thousand must not blind it. So a page is read line by line, a line that cannot be read is
//! counted and reported with its place, and every other line counts as if it were not there.
//!
//! Which lines are good follows Prometheus' own scraper, because that is what exporters are tested
//! against: 0.0.4 is lenient about blanks, OpenMetrics is not. Where we take more than Prometheus
//! does (CRLF, a page without `# EOF`), it is because no sample can be misread by it; where we take
//! less (`hits-1 5`, labels without a comma between them), because one was.
//!
//! There are two ways to read a line, and both tell the same of it: word by word, as the formats
//! have it, and a short one for lines that are spelt as nearly all are. [`scan`] takes the short
//! way where it can and copies nothing; [`parse`] puts together what it finds.
//!
//! A sample's meaning is never taken from the page's TYPE: exporters get it wrong too often.
//! [`Family`] exists to show what a page says about itself.
//!
//! Formats: <https://prometheus.io/docs/instrumenting/exposition_formats/> and
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>.

mod braces;
mod collect;
mod comment;
mod cursor;
mod decimal;
mod fault;
mod labels;
mod number;
mod plain;
mod sample;
mod sample_ref;
mod scan;
#[cfg(test)]
mod tests;
mod usual;
mod word;

use std::borrow::Cow;

use crate::exposition::collect::Collector;
use crate::exposition::cursor::Cursor;

pub use crate::exposition::comment::Comment;
pub use crate::exposition::fault::BadLine;
pub use crate::exposition::fault::Fault;
pub use crate::exposition::sample_ref::SampleRef;
pub use crate::exposition::scan::BadRef;
pub use crate::exposition::scan::Entry;
pub use crate::exposition::scan::Scan;
pub use crate::exposition::scan::scan;

/// Bad lines of a page that are kept with their text; the rest are only counted. A page that is
/// not an exposition at all (an HTML login form) has hundreds, and the first few tell the story.
pub const BAD_LINES_KEPT_MAX: usize = 10;

/// Characters of a bad line that are kept. Enough to recognise the line in a log.
pub const BAD_LINE_TEXT_CHARS_MAX: usize = 120;

/// Labels of one sample or exemplar, beyond which its line is bad. Real samples have some 30 at
/// most; the limit keeps the search for duplicated names short on a hostile page.
pub const LABELS_MAX: usize = 128;

/// Bytes that a page has for each of its samples, comments included, as a guess from below that
/// sizes the list of samples.
const LINE_BYTES_USUAL: usize = 80;

/// A text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// OpenMetrics 1.0 text (and 0.0.1, which differs in nothing that we read).
    OpenMetrics,
    /// Prometheus text 0.0.4 (and 1.0.0, which adds quoted names).
    PrometheusText,
}

impl Format {
    /// The format that a response's `Content-Type` names. Prometheus text when it is absent, blank
    /// or anything else: many exporters send `text/html` or nothing.
    pub fn from_content_type(content_type: Option<&str>) -> Self {
        let media_type = content_type.unwrap_or("").split(';').next().unwrap_or("").trim();
        if media_type.eq_ignore_ascii_case("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::PrometheusText
        }
    }
}

/// One label of a sample or exemplar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label<'a> {
    /// Never empty, and never `__name__`.
    pub name: Cow<'a, str>,
    /// Unescaped; may be empty.
    pub value: Cow<'a, str>,
}

/// One sample. Buckets, sums, counts and quantiles are samples like any other.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample<'a> {
    /// As the page writes it, suffixes such as `_total` included. Never empty.
    pub name: Cow<'a, str>,
    /// In the page's order; no name occurs twice; at most [`LABELS_MAX`].
    pub labels: Vec<Label<'a>>,
    /// As the page says: it may be NaN or infinite.
    pub value: f64,
    /// Milliseconds since the epoch, when the page gives a time; of either sign.
    pub timestamp_ms: Option<i64>,
    /// Only in OpenMetrics.
    pub exemplar: Option<Exemplar<'a>>,
    /// The line of the page, from 1.
    pub line: usize,
}

impl Sample<'_> {
    /// The value of the label `name`, if the sample has it. Not the metric's name.
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|label| label.name == name).map(|label| label.value.as_ref())
    }
}

/// An example event that a counter or a bucket counted, such as a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar<'a> {
    /// As [`Sample::labels`].
    pub labels: Vec<Label<'a>>,
    /// As [`Sample::value`].
    pub value: f64,
    /// Milliseconds since the epoch, when the page gives a time.
    pub timestamp_ms: Option<i64>,
}

/// What the page's comments say about the metrics of one name. Not to be trusted: for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Family<'a> {
    /// The name in the comment, which in OpenMetrics lacks the samples' suffixes.
    pub name: Cow<'a, str>,
    /// From the last `# TYPE`, if there is one.
    pub kind: Option<MetricType>,
    /// From the last `# HELP`, unescaped, if there is one; may be empty.
    pub help: Option<Cow<'a, str>>,
    /// From the last `# UNIT`, if there is one; may be empty. Only in OpenMetrics.
    pub unit: Option<Cow<'a, str>>,
}

/// What a `# TYPE` claims. Each format's words are taken in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricType {
    /// `counter`
    Counter,
    /// `gauge`
    Gauge,
    /// `gaugehistogram`
    GaugeHistogram,
    /// `histogram`
    Histogram,
    /// `info`
    Info,
    /// `stateset`
    StateSet,
    /// `summary`
    Summary,
    /// `unknown` in OpenMetrics, `untyped` in Prometheus text.
    Unknown,
}

/// A page, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<'a> {
    /// In the page's order.
    pub samples: Vec<Sample<'a>>,
    /// In the order of their first comment; no name occurs twice.
    pub families: Vec<Family<'a>>,
    /// The first [`BAD_LINES_KEPT_MAX`] lines that could not be read.
    pub bad_lines: Vec<BadLine>,
    /// All of them, counted.
    pub bad_lines_total: usize,
    /// Whether OpenMetrics' `# EOF` was there. Without it the page may have been cut off. Always
    /// false in Prometheus text, which has no such mark.
    pub eof: bool,
}

/// Reads a page. Never fails: what cannot be read is in [`Page::bad_lines`].
pub fn parse(text: &str, format: Format) -> Page<'_> {
    let mut collector = Collector::new(format, text.len() / LINE_BYTES_USUAL);
    for entry in scan(text, format) {
        match entry {
            Entry::Bad(bad) => collector.bad_line(|| bad.to_bad_line()),
            Entry::Blank => {}
            Entry::Comment(comment) => collector.comment(comment),
            Entry::Sample(sample) => collector.sample(sample.into_sample()),
        }
    }
    collector.page()
}

/// The same page with every line read the plain way: what [`scan`] and [`parse`] are held to.
pub fn parse_plainly(text: &str, format: Format) -> Page<'_> {
    let mut collector = Collector::new(format, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        collector.line(index + 1, line.strip_suffix('\n').unwrap_or(line));
    }
    collector.page()
}

/// Reads one line alone, as [`parse`] reads it as line `number` of a page; of `# EOF` it knows
/// nothing. `line` has no line end but may have the `\r` of one.
pub fn parse_line(number: usize, line: &str, format: Format) -> Page<'_> {
    let mut collector = Collector::new(format, 0);
    collector.line(number, line);
    collector.page()
}

/// Where in a sample's line its name and labels end, in bytes. `None` if they cannot be read.
pub fn series_end(line: &str, format: Format) -> Option<usize> {
    let mut cursor = Cursor::new(line, format);
    sample::series(&mut cursor).ok()?;
    Some(line[..cursor.at()].trim_end_matches([' ', '\t']).len())
}
