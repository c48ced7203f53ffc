//! Lines that start with `#`: HELP and TYPE, OpenMetrics' UNIT and EOF, and remarks.
//!
//! Prometheus text takes any other comment as a remark, also `# HELP` alone and `#HELP` without a
//! blank. OpenMetrics has no remarks: what is not one of the four is a fault.

use std::borrow::Cow;

use crate::exposition::Format;
use crate::exposition::MetricType;
use crate::exposition::cursor::Cursor;
use crate::exposition::cursor::Quotes;
use crate::exposition::cursor::unescape;
use crate::exposition::fault::Bad;
use crate::exposition::fault::Fault;

/// A comment, with the name of the family it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Comment<'a> {
    Eof,
    Help(Cow<'a, str>, Cow<'a, str>),
    Other,
    Type(Cow<'a, str>, MetricType),
    Unit(Cow<'a, str>, Cow<'a, str>),
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
        return Ok(Comment::Help(name, unescape(cursor.rest(), Quotes::Escaped)));
    }
    if cursor.eat("# TYPE ") {
        let name = family_name(cursor)?;
        cursor.gap()?;
        return metric_type(cursor).map(|kind| Comment::Type(name, kind));
    }
    if cursor.eat("# UNIT ") {
        let name = family_name(cursor)?;
        cursor.gap()?;
        return Ok(Comment::Unit(name, Cow::Borrowed(cursor.rest())));
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
        return Ok(Comment::Help(name, unescape(cursor.rest(), Quotes::Plain)));
    }
    metric_type(cursor).map(|kind| Comment::Type(name, kind))
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

fn metric_type(cursor: &Cursor<'_>) -> Result<MetricType, Bad> {
    match cursor.rest() {
        "counter" => Ok(MetricType::Counter),
        "gauge" => Ok(MetricType::Gauge),
        "gaugehistogram" => Ok(MetricType::GaugeHistogram),
        "histogram" => Ok(MetricType::Histogram),
        "info" => Ok(MetricType::Info),
        "stateset" => Ok(MetricType::StateSet),
        "summary" => Ok(MetricType::Summary),
        "unknown" | "untyped" => Ok(MetricType::Unknown),
        _ => Err(cursor.bad(Fault::UnknownType)),
    }
}
