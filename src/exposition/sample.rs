//! A line with a sample: `name{labels} value timestamp # {labels} value timestamp`.
//!
//! Everything after the value may be missing. The exemplar, from ` # ` on, exists in OpenMetrics
//! alone. There it is taken after any sample, as Prometheus does, although the specification has
//! it only after buckets and counters: Java's client can be told to write it everywhere, and the
//! value before it is good.

use std::borrow::Cow;

use crate::exposition::Exemplar;
use crate::exposition::Format;
use crate::exposition::Label;
use crate::exposition::Sample;
use crate::exposition::cursor::Cursor;
use crate::exposition::fault::Bad;
use crate::exposition::fault::Fault;
use crate::exposition::labels;
use crate::exposition::number;

/// Reads the whole line `line` as a sample.
pub(super) fn sample<'a>(cursor: &mut Cursor<'a>, line: usize) -> Result<Sample<'a>, Bad> {
    let (name, labels) = series(cursor)?;
    cursor.gap()?;
    let value = value(cursor)?;
    let timestamp_ms = timestamp_ms(cursor)?;
    let exemplar = exemplar(cursor)?;
    if !cursor.is_at_end() {
        return Err(cursor.bad(Fault::TrailingText));
    }
    Ok(Sample { name, labels, value, timestamp_ms, exemplar, line })
}

/// The metric's name, before or in the braces, and the labels.
pub(super) fn series<'a>(cursor: &mut Cursor<'a>) -> Result<(Cow<'a, str>, Vec<Label<'a>>), Bad> {
    let start = cursor.at();
    let bare_name = cursor.metric_name();
    if bare_name.is_some() {
        // Prometheus would read `hits-1 5` as `hits` with the value -1 at the time 5.
        if !(cursor.is_at_end() || cursor.is_at_blank() || cursor.peek() == Some(b'{')) {
            return Err(cursor.bad(Fault::BareNameCharacter));
        }
        cursor.skip_blanks();
    }
    let braces = if cursor.eat("{") { labels::braces(cursor)? } else { labels::Braces::default() };
    match (bare_name, braces.metric_name) {
        (Some(_), Some(second)) => Err(Bad { at: second.at, fault: Fault::SecondMetricName }),
        (Some(name), None) => Ok((Cow::Borrowed(name), braces.labels)),
        (None, Some(quoted)) => Ok((quoted.name, braces.labels)),
        (None, None) if cursor.at() > start => {
            Err(Bad { at: start, fault: Fault::MissingMetricName })
        }
        (None, None) => Err(cursor.bad(Fault::ExpectedMetricName)),
    }
}

fn value(cursor: &mut Cursor<'_>) -> Result<f64, Bad> {
    let at = cursor.at();
    number::value(cursor.token()).map_err(|fault| Bad { at, fault })
}

/// The timestamp, if one comes before the exemplar or the line's end.
fn timestamp_ms(cursor: &mut Cursor<'_>) -> Result<Option<i64>, Bad> {
    if cursor.is_at_end() || cursor.rest().starts_with(" #") {
        return Ok(None);
    }
    cursor.gap()?;
    let at = cursor.at();
    let timestamp_ms = match cursor.format() {
        Format::PrometheusText if cursor.peek() == Some(b'#') => return Ok(None),
        Format::PrometheusText => number::timestamp_ms(cursor.token()),
        Format::OpenMetrics => number::timestamp_seconds_as_ms(cursor.token()),
    };
    timestamp_ms.map(Some).map_err(|fault| Bad { at, fault })
}

/// The exemplar, if the line goes on.
fn exemplar<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Exemplar<'a>>, Bad> {
    if cursor.is_at_end() {
        return Ok(None);
    }
    if cursor.format() == Format::PrometheusText {
        cursor.skip_blanks();
        let is_exemplar = cursor.peek() == Some(b'#');
        let fault =
            if is_exemplar { Fault::ExemplarOutsideOpenMetrics } else { Fault::TrailingText };
        return Err(cursor.bad(fault));
    }
    if !cursor.eat(" # {") {
        return Err(cursor.bad(Fault::ExpectedExemplar));
    }
    let braces = labels::braces(cursor)?;
    if let Some(quoted) = braces.metric_name {
        return Err(Bad { at: quoted.at, fault: Fault::ExpectedLabelName });
    }
    cursor.gap()?;
    let value = value(cursor)?;
    let timestamp_ms = timestamp_ms(cursor)?;
    Ok(Some(Exemplar { labels: braces.labels, value, timestamp_ms }))
}
