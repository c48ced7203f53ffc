//! Diagnostics: what is wrong in a file that a person wrote, where, and what to do. Loading
//! collects all of them, so that one round of editing mends them all; how they look is decided in
//! [`render`].

pub mod codes;
pub mod render;

use std::ops::Range;
use std::sync::Arc;

/// Faults kept of one run; a file with more is not a slip any more, and the count is still told.
pub const DIAGNOSTICS_MAX: usize = 1000;

/// A file as it was read: its name as the user wrote it, and its text.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The path, as given.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl SourceFile {
    /// A file of that name and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self { name: name.into(), text: text.into() })
    }

    /// Line and column (characters), both from 1, of a byte offset.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// Whether a diagnostic refuses the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is accepted; it hardly does what was meant.
    Warning,
}

impl Severity {
    /// As printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Where a diagnostic points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub source: Arc<SourceFile>,
    /// Bytes of its text.
    pub span: Range<usize>,
    /// What is wrong right here; may be empty.
    pub label: String,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Kebab-case, stable, documented.
    pub code: &'static str,
    /// Whether it refuses the file.
    pub severity: Severity,
    /// A phrase that stands alone.
    pub message: String,
    /// Where; `None` where no file is at fault (one that cannot be read, say).
    pub place: Option<Place>,
    /// A next step, only if it is true.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error of that code.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { code, severity: Severity::Error, message, place: None, help: None }
    }

    /// The same as a warning.
    #[must_use]
    pub fn into_warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// Points at a place.
    #[must_use]
    pub fn at(self, source: Arc<SourceFile>, span: Range<usize>) -> Self {
        Self { place: Some(Place { source, span, label: String::new() }), ..self }
    }

    /// Says what is wrong right there.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        if let Some(place) = &mut self.place {
            place.label = label.into();
        }
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Says what to do, where there is something to say.
    #[must_use]
    pub fn maybe_help(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }

    fn key(&self) -> (Option<(&str, usize)>, &str) {
        let place = self.place.as_ref();
        (place.map(|place| (place.source.name.as_str(), place.span.start)), self.code)
    }
}

/// All that is wrong, in the order found until [`sort`](Self::sort)ed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
    dropped: usize,
}

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one; past [`DIAGNOSTICS_MAX`] it is only counted.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.items.len() < DIAGNOSTICS_MAX {
            self.items.push(diagnostic);
        } else {
            self.dropped += 1;
        }
    }

    /// Adds all of another.
    pub fn extend(&mut self, other: Self) {
        self.dropped += other.dropped;
        for diagnostic in other.items {
            self.push(diagnostic);
        }
    }

    /// By file and place, then code; the same fault found twice stays once.
    pub fn sort(&mut self) {
        self.items.sort_by(|a, b| a.key().cmp(&b.key()));
        self.items.dedup();
    }

    /// Those kept.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.items.iter()
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many of that severity, those only counted among the errors.
    pub fn count(&self, severity: Severity) -> usize {
        let kept = self.items.iter().filter(|d| d.severity == severity).count();
        kept + if severity == Severity::Error { self.dropped } else { 0 }
    }

    /// Whether any refuses the file.
    pub fn has_errors(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// `value` with the warnings, or everything where an error refuses it or it is not there.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<(T, Self), Self> {
        self.sort();
        match value {
            Some(value) if !self.has_errors() => Ok((value, self)),
            _ => Err(self),
        }
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { items: vec![diagnostic], dropped: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::SourceFile;

    #[test]
    fn columns_count_characters_from_one() {
        let file = SourceFile::new("x", "añb\nc");
        assert_eq!(file.line_column(0), (1, 1));
        assert_eq!(file.line_column(3), (1, 3));
        assert_eq!(file.line_column(5), (2, 1));
        assert_eq!(file.line_column(99), (2, 2));
    }
}
