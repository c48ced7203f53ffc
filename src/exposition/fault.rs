//! What can be wrong with a line, and where.
//!
//! A fault carries no text of the page: the column points at it and the bad line holds the text, so
//! a fault stays a small closed set that can be counted, compared and shown.

use std::fmt;

use crate::exposition::BAD_LINE_TEXT_CHARS_MAX;

/// Why a line could not be read. The column of its [`BadLine`] tells where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Fault {
    /// OpenMetrics ends at `# EOF`.
    #[error("text after `# EOF`")]
    AfterEof,
    /// A metric's name goes on with a character for which it must be quoted.
    #[error("character that an unquoted name cannot have")]
    BareNameCharacter,
    /// OpenMetrics has no blank lines.
    #[error("blank line, which OpenMetrics does not allow")]
    BlankLine,
    /// Two labels of one sample have the same name.
    #[error("duplicated label name")]
    DuplicateLabel,
    /// `""` as the name of a metric or label.
    #[error("empty name")]
    EmptyName,
    /// An exemplar in Prometheus text.
    #[error("exemplar, which only OpenMetrics allows")]
    ExemplarOutsideOpenMetrics,
    /// Neither a `,` nor the `}`.
    #[error("expected `,` or `}}`")]
    ExpectedCommaOrBrace,
    /// No `=` after a label's name.
    #[error("expected `=`")]
    ExpectedEquals,
    /// Not an exemplar where only that can follow.
    #[error("expected an exemplar, ` # {{…}} value`")]
    ExpectedExemplar,
    /// A label's name must start with a letter, `_` or `"`.
    #[error("expected a label name")]
    ExpectedLabelName,
    /// A label's value is always quoted.
    #[error("expected a quoted label value")]
    ExpectedLabelValue,
    /// A metric's name must start with a letter, `_`, `:`, or be quoted in braces.
    #[error("expected a metric name")]
    ExpectedMetricName,
    /// OpenMetrics parts its fields with exactly one space.
    #[error("expected one space")]
    ExpectedSpace,
    /// Not a timestamp where only that can follow.
    #[error("expected a timestamp")]
    ExpectedTimestamp,
    /// No number where the value should be.
    #[error("expected a value")]
    ExpectedValue,
    /// Braces hold labels, but neither they nor the text before them name the metric.
    #[error("sample without a metric name")]
    MissingMetricName,
    /// A label called `__name__`, which would be a second metric name.
    #[error("label name `__name__` is reserved")]
    ReservedLabelName,
    /// Both before and in the braces, or twice in them.
    #[error("second metric name")]
    SecondMetricName,
    /// The timestamp, in milliseconds, does not fit 64 bits.
    #[error("timestamp out of range")]
    TimestampOutOfRange,
    /// More than [`LABELS_MAX`](crate::exposition::LABELS_MAX).
    #[error("more than {} labels", crate::exposition::LABELS_MAX)]
    TooManyLabels,
    /// The sample or comment is complete, but the line goes on.
    #[error("text after the end of the sample")]
    TrailingText,
    /// A quote that the line does not close.
    #[error("unclosed quote")]
    UnclosedQuote,
    /// OpenMetrics has no other comments than HELP, TYPE, UNIT and EOF.
    #[error("comment, which OpenMetrics does not allow")]
    UnknownComment,
    /// `# TYPE` with a word that neither format has.
    #[error("unknown metric type")]
    UnknownType,
    /// A finite number too large for a 64-bit float.
    #[error("value out of range")]
    ValueOutOfRange,
}

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// From 1.
    pub line: usize,
    /// Where the fault is, from 1, in characters; one past the last when the line ends too early.
    pub column: usize,
    /// What is wrong there.
    pub kind: Fault,
    /// The line, cut to [`BAD_LINE_TEXT_CHARS_MAX`] characters.
    pub text: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, kind, text } = self;
        write!(f, "line {line}, column {column}: {kind}: `{text}`")
    }
}

/// A fault at a byte of a line, on its way up from the part that found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bad {
    /// Byte offset in the line, at a character's start or the line's end.
    pub(super) at: usize,
    pub(super) fault: Fault,
}

impl Bad {
    pub(super) fn into_bad_line(self, number: usize, line: &str) -> BadLine {
        BadLine {
            line: number,
            column: line[..self.at].chars().count() + 1,
            kind: self.fault,
            text: line.chars().take(BAD_LINE_TEXT_CHARS_MAX).collect(),
        }
    }
}
