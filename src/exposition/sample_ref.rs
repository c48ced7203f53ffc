//! A sample as it lies on the page: checked, and copied nowhere.

use std::borrow::Cow;

use crate::exposition::Label;
use crate::exposition::Sample;
use crate::exposition::cursor::Quotes;
use crate::exposition::cursor::closing_quote;
use crate::exposition::cursor::unescape;

/// A good sample of a page. Everything on its line was read and checked; its labels are taken apart
/// only where somebody asks for them.
#[derive(Debug, Clone)]
pub struct SampleRef<'a> {
    /// As [`Sample::value`].
    pub value: f64,
    /// As [`Sample::timestamp_ms`].
    pub timestamp_ms: Option<i64>,
    /// As [`Sample::line`].
    pub line: usize,
    spelling: Spelling<'a>,
}

/// How its line is written.
#[derive(Debug, Clone)]
enum Spelling<'a> {
    /// `name{label="value",…} value`, and no exemplar.
    Usual {
        /// From the name's start to the end of the braces, if there are any.
        series: &'a str,
        name_bytes: usize,
    },
    /// In any other way: read already.
    Other(Box<Sample<'a>>),
}

impl<'a> SampleRef<'a> {
    /// `series` was checked; its first `name_bytes` are the name, the rest nothing or braces.
    pub(super) fn usual(
        series: &'a str,
        name_bytes: usize,
        value: f64,
        timestamp_ms: Option<i64>,
        line: usize,
    ) -> Self {
        Self { value, timestamp_ms, line, spelling: Spelling::Usual { series, name_bytes } }
    }

    pub(super) fn other(sample: Sample<'a>) -> Self {
        let Sample { value, timestamp_ms, line, .. } = sample;
        Self { value, timestamp_ms, line, spelling: Spelling::Other(Box::new(sample)) }
    }

    /// As [`Sample::name`].
    pub fn name(&self) -> &str {
        match &self.spelling {
            Spelling::Usual { series, name_bytes } => &series[..*name_bytes],
            Spelling::Other(sample) => &sample.name,
        }
    }

    /// As [`Sample::labels`], one after the other.
    pub fn labels(&self) -> impl Iterator<Item = Label<'a>> {
        let (usual, other) = match &self.spelling {
            Spelling::Usual { series, name_bytes } => (&series[*name_bytes..], &[][..]),
            Spelling::Other(sample) => ("", &sample.labels[..]),
        };
        Labels::new(usual).chain(other.iter().cloned())
    }

    /// In how many bytes its line starts with its name and labels, where that is known: else see
    /// [`series_end`](super::series_end).
    pub fn series_bytes(&self) -> Option<usize> {
        match &self.spelling {
            Spelling::Usual { series, .. } => Some(series.len()),
            Spelling::Other(_) => None,
        }
    }

    /// The sample taken apart.
    pub fn into_sample(self) -> Sample<'a> {
        let Self { value, timestamp_ms, line, spelling } = self;
        match spelling {
            Spelling::Usual { series, name_bytes } => {
                let (name, braces) = series.split_at(name_bytes);
                let labels = Labels::new(braces).collect();
                let name = Cow::Borrowed(name);
                Sample { name, labels, value, timestamp_ms, exemplar: None, line }
            }
            Spelling::Other(sample) => *sample,
        }
    }
}

/// Takes braces apart that were checked and have the usual spelling.
#[derive(Debug)]
pub(super) struct Labels<'a> {
    /// What is left of their contents.
    rest: &'a str,
}

impl<'a> Labels<'a> {
    /// `braces` may be empty; the last of them is not looked at.
    pub(super) fn new(braces: &'a str) -> Self {
        Self { rest: braces.strip_prefix('{').unwrap_or_default() }
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = Label<'a>;

    fn next(&mut self) -> Option<Label<'a>> {
        let (name, value) = self.rest.split_once('=')?;
        let quoted = value.strip_prefix('"')?;
        let length = closing_quote(quoted)?;
        let value = unescape(&quoted[..length], Quotes::Escaped);
        let rest = &quoted[length + 1..];
        let rest = rest.strip_prefix(',').unwrap_or_default();
        self.rest = rest.strip_prefix(' ').unwrap_or(rest);
        Some(Label { name: Cow::Borrowed(name), value })
    }
}
