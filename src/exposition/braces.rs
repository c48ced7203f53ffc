//! Labels in the usual spelling, `{name="value",…}`, checked and left where they are.

#![expect(clippy::inline_always, reason = "as calls, these few steps take a fifth more time")]

use crate::exposition::Format;
use crate::exposition::LABELS_MAX;
use crate::exposition::labels::RESERVED_LABEL_NAME;
use crate::exposition::sample_ref::Labels;

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

/// A label of the last sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct KnownLabel {
    /// Where in the series it starts.
    pub(super) at: usize,
    /// The names of those before it.
    pub(super) seen: Seen,
}

/// Where the braces behind the first `name_bytes` of `text` end, if they are good from `known` on.
/// Adds the labels behind that one to `labels`. Some exporters write a blank behind each comma.
#[inline(always)]
pub(super) fn braces(
    text: &str,
    name_bytes: usize,
    known: KnownLabel,
    format: Format,
    labels: &mut Vec<KnownLabel>,
) -> Option<usize> {
    let bytes = text.as_bytes();
    let KnownLabel { mut at, mut seen } = known;
    while bytes.get(at) != Some(&b'}') {
        let rest = &bytes[at..];
        let name = &rest[..label_name_bytes(rest)?];
        seen.add(name, || &text[name_bytes..at])?;
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
        labels.push(KnownLabel { at, seen });
    }
    Some(at + 1)
}

/// The label names of one pair of braces, in so far as they can be told apart at a glance.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Seen {
    count: usize,
    /// A bit for each name, by its length and two of its characters.
    marks: u64,
}

impl Seen {
    /// Whether one more label may be called `name`, which `braces` have before it.
    #[inline(always)]
    fn add<'t>(&mut self, name: &[u8], before: impl FnOnce() -> &'t str) -> Option<()> {
        let (first, last) = (*name.first()?, *name.last()?);
        let mark = 1 << ((usize::from(first) * 5 + usize::from(last) * 11 + name.len()) % 64);
        let is_new = self.marks & mark == 0
            || Labels::new(before()).all(|label| label.name.as_bytes() != name);
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

/// The length of the label's name that `bytes` start with. Something must follow it.
#[inline(always)]
fn label_name_bytes(bytes: &[u8]) -> Option<usize> {
    let length = bytes.iter().position(|byte| ENDS_LABEL_NAME[usize::from(*byte)])?;
    (length > 0 && !bytes[0].is_ascii_digit()).then_some(length)
}
