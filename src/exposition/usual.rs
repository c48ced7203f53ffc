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
use crate::exposition::LABELS_MAX;
use crate::exposition::comment::Comment;
use crate::exposition::comment::metric_type;
use crate::exposition::decimal::decimal;
use crate::exposition::labels::RESERVED_LABEL_NAME;
use crate::exposition::number;
use crate::exposition::sample_ref::Labels;
use crate::exposition::sample_ref::SampleRef;
use crate::exposition::word;

/// Bytes that end a label's name: all that may not stand in it.
const ENDS_LABEL_NAME: [bool; 256] = {
    let mut ends = [true; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        ends[byte as usize] = !(byte.is_ascii_alphanumeric() || byte == b'_');
        byte += 1;
    }
    ends
};

/// Bytes that a label's value ends or goes on with otherwise.
const SPECIAL_IN_VALUE: [bool; 256] = {
    let mut special = [false; 256];
    special[b'"' as usize] = true;
    special[b'\\' as usize] = true;
    special[b'\n' as usize] = true;
    special
};

/// The lines of a page, one after the other, as long as they are spelt as usual.
#[derive(Debug)]
pub(super) struct Usual<'a> {
    text: &'a str,
    format: Format,
    /// The name of the last line. Most lines have the name of the one before.
    name: &'a str,
}

impl<'a> Usual<'a> {
    pub(super) fn new(text: &'a str, format: Format) -> Self {
        Self { text, format, name: "" }
    }

    /// The sample on the line that starts at `start`, and where the next line starts.
    #[inline(always)]
    pub(super) fn sample(&mut self, start: usize, line: usize) -> Option<(SampleRef<'a>, usize)> {
        let bytes = self.text.as_bytes();
        let name_bytes = self.take_name(start)?;
        let mut at = start + name_bytes;
        if bytes.get(at) == Some(&b'{') {
            at += braces(&self.text[at..], self.format)?;
        }
        let series = &self.text[start..at];
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
        let end = text_at + memchr(b'\n', bytes.get(text_at..)?)?;
        let text = &self.text[text_at..end];
        let text = text.strip_suffix('\r').unwrap_or(text);
        let text = match self.format {
            Format::OpenMetrics => text,
            Format::PrometheusText => text.trim_end_matches([' ', '\t']),
        };
        let comment = match is_help {
            true => Comment::Help(name, text),
            false => Comment::Type(name, metric_type(text)?),
        };
        Some((comment, end + 1))
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

/// The length of the label's name that `bytes` start with. Something must follow it.
#[inline(always)]
fn label_name_bytes(bytes: &[u8]) -> Option<usize> {
    let length = bytes.iter().position(|byte| ENDS_LABEL_NAME[usize::from(*byte)])?;
    (length > 0 && !bytes[0].is_ascii_digit()).then_some(length)
}

/// The length of the braces that `text` starts with, if they are good. VictoriaMetrics writes a
/// blank behind each comma.
#[inline(always)]
fn braces(text: &str, format: Format) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 1;
    let mut seen = Seen::default();
    while bytes.get(at) != Some(&b'}') {
        let rest = &bytes[at..];
        let name = &rest[..label_name_bytes(rest)?];
        seen.add(name, text, at)?;
        let value_at = at + name.len() + 2;
        if bytes.get(value_at - 2..value_at) != Some(b"=\"") {
            return None;
        }
        at = value_at + value_bytes(&bytes[value_at..])? + 1;
        match bytes.get(at)? {
            b',' if format == Format::PrometheusText && bytes.get(at + 1) == Some(&b' ') => at += 2,
            b',' => at += 1,
            b'}' => break,
            _ => return None,
        }
    }
    Some(at + 1)
}

/// The label names of one pair of braces, in so far as they can be told apart at a glance.
#[derive(Debug, Default)]
struct Seen {
    count: usize,
    /// A bit for each name, by its length and two of its characters.
    marks: u64,
}

impl Seen {
    /// Whether one more label may be called `name`, which stands at `at` in the braces `text`.
    #[inline(always)]
    fn add(&mut self, name: &[u8], text: &str, at: usize) -> Option<()> {
        let (first, last) = (*name.first()?, *name.last()?);
        let mark = 1 << ((usize::from(first) * 5 + usize::from(last) * 11 + name.len()) % 64);
        let is_new = self.marks & mark == 0
            || Labels::new(&text[..at]).all(|label| label.name.as_bytes() != name);
        self.marks |= mark;
        self.count += 1;
        let is_good = is_new && self.count <= LABELS_MAX;
        (is_good && name != RESERVED_LABEL_NAME.as_bytes()).then_some(())
    }
}

/// The length of the label value that `bytes` start with, up to its closing quote.
#[inline(always)]
fn value_bytes(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| SPECIAL_IN_VALUE[usize::from(*byte)])?;
        match bytes[at] {
            b'"' => return Some(at),
            b'\\' if bytes.get(at + 1)? != &b'\n' => at += 2,
            _ => return None,
        }
    }
}
