//! Lines in the spelling that exporters use, checked in one pass and without a copy.
//!
//! Nearly all lines are `name{label="value",…} number`, `# HELP name text` or `# TYPE name word`,
//! each blank a single space. Such a line is good or not by far fewer steps than the formats have
//! cases. Here it is found good, or nothing is said of it: the slightest deviation, and be it
//! allowed, leaves the line to the [plain way](super::plain).

#![expect(clippy::inline_always, reason = "as calls, these few steps take a fifth more time")]

use std::borrow::Cow;

use memchr::memchr;

use crate::exposition::Format;
use crate::exposition::MetricType;
use crate::exposition::braces::KnownLabel;
use crate::exposition::braces::Seen;
use crate::exposition::braces::braces;
use crate::exposition::comment::Comment;
use crate::exposition::comment::metric_type;
use crate::exposition::decimal::decimal;
use crate::exposition::number;
use crate::exposition::sample_ref::SampleRef;
use crate::exposition::word;

/// The lines of a page, one after the other, as long as they are spelt as usual.
#[derive(Debug)]
pub(super) struct Usual<'a> {
    text: &'a str,
    format: Format,
    /// The name of the last line. Most lines have the name of the one before.
    name: &'a str,
    /// The name and the labels of the last sample with several. Samples with several labels mostly
    /// come in rows that differ in the last ones.
    series: &'a str,
    series_name_bytes: usize,
    /// Its labels from the second on.
    labels: Vec<KnownLabel>,
}

impl<'a> Usual<'a> {
    pub(super) fn new(text: &'a str, format: Format) -> Self {
        Self { text, format, name: "", series: "", series_name_bytes: 0, labels: Vec::new() }
    }

    /// The sample on the line that starts at `start`, and where the next line starts.
    #[inline(always)]
    pub(super) fn sample(&mut self, start: usize, line: usize) -> Option<(SampleRef<'a>, usize)> {
        let bytes = self.text.as_bytes();
        let (series, name_bytes) = self.series(start)?;
        let mut at = start + series.len();
        if bytes.get(at) != Some(&b' ') {
            return None;
        }
        at += 1;
        let (value, end) = self.value(at)?;
        let (timestamp_ms, end) = match line_end(bytes, end) {
            Some(next) => (None, next),
            None => self.timestamp_ms(end)?,
        };
        Some((SampleRef::usual(series, name_bytes, value, timestamp_ms, line), end))
    }

    /// The `# HELP` or `# TYPE` on the line that starts at `start`, and where the next line starts.
    #[inline(always)]
    pub(super) fn comment(&mut self, start: usize) -> Option<(Comment<'a>, usize)> {
        let bytes = self.text.as_bytes();
        let is_help = match bytes[start..].first_chunk()? {
            b"# HELP " => true,
            b"# TYPE " => false,
            _ => return None,
        };
        let name_at = start + b"# HELP ".len();
        let name_end = name_at + self.take_name(name_at)?;
        let name = Cow::Borrowed(&self.text[name_at..name_end]);
        let text_at = name_end + 1;
        if bytes.get(name_end) != Some(&b' ') || matches!(bytes.get(text_at), Some(b' ' | b'\t')) {
            return None;
        }
        if !is_help && let Some((kind, length)) = usual_type(&bytes[text_at..]) {
            return Some((Comment::Type(name, kind), text_at + length));
        }
        let end = text_at + memchr(b'\n', bytes.get(text_at..)?)?;
        let text = &self.text[text_at..end];
        let text = text.strip_suffix('\r').unwrap_or(text);
        let text = match self.format {
            Format::OpenMetrics => text,
            Format::PrometheusText => text.trim_end_matches([' ', '\t']),
        };
        let comment = if is_help {
            Comment::Help(name, text)
        } else {
            Comment::Type(name, metric_type(text)?)
        };
        Some((comment, end + 1))
    }

    /// The name with its labels at `start`, and the length of the name. What a line has in common
    /// with the last one up to some label is not checked again.
    #[inline(always)]
    fn series(&mut self, start: usize) -> Option<(&'a str, usize)> {
        let text = &self.text[start..];
        if !self.labels.is_empty() {
            let same = same_bytes(self.series.as_bytes(), text.as_bytes());
            while self.labels.pop_if(|label| label.at > same).is_some() {}
        }
        let (name_bytes, known) = if let Some(last) = self.labels.last() {
            (self.series_name_bytes, *last)
        } else {
            let name_bytes = self.take_name(start)?;
            if text.as_bytes().get(name_bytes) != Some(&b'{') {
                return Some((&text[..name_bytes], name_bytes));
            }
            (name_bytes, KnownLabel { at: name_bytes + 1, seen: Seen::default() })
        };
        let Some(end) = braces(text, name_bytes, known, self.format, &mut self.labels) else {
            self.labels.clear();
            return None;
        };
        let series = &text[..end];
        if !self.labels.is_empty() {
            self.series = series;
            self.series_name_bytes = name_bytes;
        }
        Some((series, name_bytes))
    }

    /// The length of the metric's name at `start`, which is remembered.
    #[inline(always)]
    fn take_name(&mut self, start: usize) -> Option<usize> {
        let bytes = &self.text.as_bytes()[start..];
        let is_last = !self.name.is_empty()
            && bytes.starts_with(self.name.as_bytes())
            && bytes.get(self.name.len()).is_some_and(|byte| matches!(byte, b' ' | b'{'));
        if !is_last {
            let length = metric_name_bytes(bytes)?;
            self.name = &self.text[start..start + length];
        }
        Some(self.name.len())
    }

    /// The value at `at`, and where it ends.
    #[inline(always)]
    fn value(&self, at: usize) -> Option<(f64, usize)> {
        let bytes = &self.text.as_bytes()[at..];
        match decimal(bytes) {
            Some((value, length)) if bytes.get(length).is_some_and(|byte| *byte <= b' ') => {
                Some((value, at + length))
            }
            _ => {
                let end = at + token_bytes(bytes)?;
                Some((number::value(&self.text[at..end]).ok()?, end))
            }
        }
    }

    /// The timestamp behind the value that ends at `value_end`, and where the next line starts.
    fn timestamp_ms(&self, value_end: usize) -> Option<(Option<i64>, usize)> {
        let bytes = self.text.as_bytes();
        if bytes.get(value_end) != Some(&b' ') {
            return None;
        }
        let at = value_end + 1;
        let end = at + token_bytes(&bytes[at..])?;
        let token = &self.text[at..end];
        let timestamp_ms = match self.format {
            Format::OpenMetrics => number::timestamp_seconds_as_ms(token),
            Format::PrometheusText => number::timestamp_ms(token),
        };
        Some((Some(timestamp_ms.ok()?), line_end(bytes, end)?))
    }
}

/// One of the two types that most metrics have, and its length with the line end.
#[inline(always)]
fn usual_type(text: &[u8]) -> Option<(MetricType, usize)> {
    const GAUGE: &[u8] = b"gauge\n";
    const COUNTER: &[u8] = b"counter\n";
    if text.starts_with(GAUGE) {
        Some((MetricType::Gauge, GAUGE.len()))
    } else if text.starts_with(COUNTER) {
        Some((MetricType::Counter, COUNTER.len()))
    } else {
        None
    }
}

/// Where the next line starts if this one ends at `at`.
#[inline(always)]
fn line_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'\n' => Some(at + 1),
        b'\r' if bytes.get(at + 1) == Some(&b'\n') => Some(at + 2),
        _ => None,
    }
}

/// Bytes up to the next blank or control character, one of which must come.
fn token_bytes(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| *byte <= b' ')
}

/// The length of the metric's name that `bytes` start with. Something must follow it.
#[inline(always)]
fn metric_name_bytes(bytes: &[u8]) -> Option<usize> {
    if bytes.first()?.is_ascii_digit() {
        return None;
    }
    // A name within the last bytes of the page is left to the plain way.
    let (words, _) = bytes.as_chunks();
    for (index, word) in words.iter().enumerate() {
        let length = word::name_bytes(*word);
        if length < word::BYTES {
            let length = index * word::BYTES + length;
            return (length > 0).then_some(length);
        }
    }
    None
}

/// How many bytes two texts start with alike, or some fewer.
#[inline(always)]
fn same_bytes(a: &[u8], b: &[u8]) -> usize {
    let pairs = a.as_chunks::<{ word::BYTES }>().0.iter().zip(b.as_chunks().0);
    let mut same = 0;
    for (a, b) in pairs {
        let differs = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differs != 0 {
            return same + differs.trailing_zeros() as usize / 8;
        }
        same += word::BYTES;
    }
    same
}
