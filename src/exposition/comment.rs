//! Lines that start with `#`: HELP and TYPE, OpenMetrics' UNIT and EOF, and remarks.
//!
//! Prometheus text takes any other comment as a remark, also `# HELP` alone and `#HELP` without a
//! blank. OpenMetrics has no remarks: what is not one of the four is a fault.

use std::borrow::Cow;

use crate::exposition::Format;
use crate::exposition::MetricType;
use crate::exposition::cursor::Cursor;
use crate::exposition::fault::Bad;
use crate::exposition::fault::Fault;

/// A comment, with the name of the family it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comment<'a> {
    /// The end of an OpenMetrics page.
    Eof,
    /// A family's help, not yet unescaped; may be empty.
    Help(Cow<'a, str>, &'a str),
    /// A remark.
    Other,
    /// What a family claims to be.
    Type(Cow<'a, str>, MetricType),
    /// A family's unit; may be empty. Only in OpenMetrics.
    Unit(Cow<'a, str>, &'a str),
}

/// Reads the whole line as a comment. Its first character is a `#`.
pub(super) fn comment<'a>(cursor: &mut Cursor<'a>) -> Result<Comment<'a>, Bad> {
    match cursor.format() {
        Format::OpenMetrics => openmetrics(cursor),
        Format::PrometheusText => prometheus_text(cursor),
    }
}

fn openmetrics<'a>(cursor: &mut Cursor<'a>) -> Result<Comment<'a>, Bad> {
    if cursor.rest() == "# EOF" {
        return Ok(Comment::Eof);
    }
    if cursor.eat("# HELP ") {
        let name = family_name(cursor)?;
        cursor.gap()?;
        return Ok(Comment::Help(name, cursor.rest()));
    }
    if cursor.eat("# TYPE ") {
        let name = family_name(cursor)?;
        cursor.gap()?;
        return type_of(cursor).map(|kind| Comment::Type(name, kind));
    }
    if cursor.eat("# UNIT ") {
        let name = family_name(cursor)?;
        cursor.gap()?;
        return Ok(Comment::Unit(name, cursor.rest()));
    }
    Err(cursor.bad(Fault::UnknownComment))
}

fn prometheus_text<'a>(cursor: &mut Cursor<'a>) -> Result<Comment<'a>, Bad> {
    cursor.eat("#");
    if !cursor.is_at_blank() {
        return Ok(Comment::Other);
    }
    cursor.skip_blanks();
    let is_help = cursor.eat("HELP");
    let is_type = !is_help && cursor.eat("TYPE");
    if !(is_help || is_type) || !cursor.is_at_blank() {
        return Ok(Comment::Other);
    }
    cursor.skip_blanks();
    let name = family_name(cursor)?;
    cursor.skip_blanks();
    if is_help {
        return Ok(Comment::Help(name, cursor.rest()));
    }
    type_of(cursor).map(|kind| Comment::Type(name, kind))
}

fn family_name<'a>(cursor: &mut Cursor<'a>) -> Result<Cow<'a, str>, Bad> {
    let quoted_name = cursor.quoted_name()?;
    let name = quoted_name
        .or_else(|| cursor.metric_name().map(Cow::Borrowed))
        .ok_or_else(|| cursor.bad(Fault::ExpectedMetricName))?;
    if !(cursor.is_at_end() || cursor.is_at_blank()) {
        return Err(cursor.bad(Fault::BareNameCharacter));
    }
    Ok(name)
}

fn type_of(cursor: &Cursor<'_>) -> Result<MetricType, Bad> {
    metric_type(cursor.rest()).ok_or_else(|| cursor.bad(Fault::UnknownType))
}

/// The type that either format calls `word`.
pub(super) fn metric_type(word: &str) -> Option<MetricType> {
    match word {
        "counter" => Some(MetricType::Counter),
        "gauge" => Some(MetricType::Gauge),
        "gaugehistogram" => Some(MetricType::GaugeHistogram),
        "histogram" => Some(MetricType::Histogram),
        "info" => Some(MetricType::Info),
        "stateset" => Some(MetricType::StateSet),
        "summary" => Some(MetricType::Summary),
        "unknown" | "untyped" => Some(MetricType::Unknown),
        _ => None,
    }
}
