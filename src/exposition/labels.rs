//! What stands between `{` and `}`: labels, and with quoted names the metric's name too.
//!
//! Names of the old alphabet stand bare; any other UTF-8 name is quoted, and then a quoted word
//! without a `=` is the name of the metric: `{"my.metric","label.name"="v"}`. Prometheus takes it
//! at any place of the list, so do we. One comma after the last label is taken in both formats
//! (Hazelcast writes it).

use std::borrow::Cow;

use crate::exposition::LABELS_MAX;
use crate::exposition::Label;
use crate::exposition::cursor::Cursor;
use crate::exposition::fault::Bad;
use crate::exposition::fault::Fault;

/// The label that stands for the metric's name in queries; on a page it would be a second name.
pub(super) const RESERVED_LABEL_NAME: &str = "__name__";

/// The contents of a pair of braces.
#[derive(Debug, Default)]
pub(super) struct Braces<'a> {
    pub(super) metric_name: Option<QuotedMetricName<'a>>,
    pub(super) labels: Vec<Label<'a>>,
}

/// A metric's name found in braces, and where: it may have no place there.
#[derive(Debug)]
pub(super) struct QuotedMetricName<'a> {
    pub(super) at: usize,
    pub(super) name: Cow<'a, str>,
}

/// Reads braces from behind the `{` to behind the `}`.
pub(super) fn braces<'a>(cursor: &mut Cursor<'a>) -> Result<Braces<'a>, Bad> {
    let mut braces = Braces::default();
    loop {
        cursor.skip_blanks();
        if cursor.eat("}") {
            return Ok(braces);
        }
        entry(cursor, &mut braces)?;
        cursor.skip_blanks();
        if cursor.eat("}") {
            return Ok(braces);
        }
        if !cursor.eat(",") {
            return Err(cursor.bad(Fault::ExpectedCommaOrBrace));
        }
    }
}

/// One label, or the metric's name.
fn entry<'a>(cursor: &mut Cursor<'a>, braces: &mut Braces<'a>) -> Result<(), Bad> {
    let at = cursor.at();
    let quoted_name = cursor.quoted_name()?;
    let is_quoted = quoted_name.is_some();
    let name = quoted_name
        .or_else(|| cursor.label_name().map(Cow::Borrowed))
        .ok_or_else(|| cursor.bad(Fault::ExpectedLabelName))?;
    cursor.skip_blanks();
    if is_quoted && matches!(cursor.peek(), Some(b',' | b'}')) {
        if braces.metric_name.is_some() {
            return Err(Bad { at, fault: Fault::SecondMetricName });
        }
        braces.metric_name = Some(QuotedMetricName { at, name });
        return Ok(());
    }
    if !cursor.eat("=") {
        return Err(cursor.bad(Fault::ExpectedEquals));
    }
    cursor.skip_blanks();
    let value = cursor.quoted()?.ok_or_else(|| cursor.bad(Fault::ExpectedLabelValue))?;
    check_name(&name, &braces.labels).map_err(|fault| Bad { at, fault })?;
    braces.labels.push(Label { name, value });
    Ok(())
}

/// Whether a label called `name` may join `labels`.
fn check_name(name: &str, labels: &[Label<'_>]) -> Result<(), Fault> {
    if name == RESERVED_LABEL_NAME {
        return Err(Fault::ReservedLabelName);
    }
    if labels.iter().any(|label| label.name == name) {
        return Err(Fault::DuplicateLabel);
    }
    if labels.len() == LABELS_MAX {
        return Err(Fault::TooManyLabels);
    }
    Ok(())
}
