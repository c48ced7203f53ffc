//! Finding the place of a value by reading the text again: a `DeserializeSeed` walks to the value
//! and raises an error there, and `serde_yaml` tells that error's place. It costs one more reading
//! a fault, only when there is a fault, and no second YAML library.

use std::fmt;
use std::ops::Range;

use serde::de;
use serde::de::DeserializeSeed;
use serde::de::IgnoredAny;

use super::value::Value;

/// Bytes where the value at `path` stands: a scalar whole, of a list or mapping the first line.
pub(super) fn value(text: &str, path: &[usize], value: &Value) -> Range<usize> {
    let start = place(text, Walk { path, key: false }).unwrap_or(0);
    start..start + scalar_len(&text[start..], value)
}

/// Bytes of the key of the value at `path`; `None` for an item of a list.
pub(super) fn key(text: &str, path: &[usize]) -> Option<Range<usize>> {
    let start = place(text, Walk { path, key: true })?;
    let rest = &text[start..];
    let len = match rest.chars().next()? {
        quote @ ('"' | '\'') => 2 + rest[1..].find(quote)?,
        _ => rest.find([':', '\n'])?,
    };
    Some(start..start + len)
}

/// Bytes of the text that show the bytes `inner` of the decoded scalar at `span`. YAML folds and
/// indents white space at will, so the characters that are none are matched one by one; an escape
/// ends the match.
pub(super) fn inside(
    text: &str,
    span: Range<usize>,
    decoded: &str,
    inner: Range<usize>,
) -> Option<Range<usize>> {
    let raw = &text[span.start..];
    let skip = match raw.chars().next()? {
        '"' | '\'' => 1,
        '|' | '>' => raw.find('\n')?,
        _ => 0,
    };
    let solid = |c: &(usize, char)| !c.1.is_whitespace();
    let mut written = raw[skip..].char_indices().filter(solid);
    let mut start = None;
    let mut end = None;
    for (at, c) in decoded.char_indices().filter(solid) {
        let (raw_at, raw_c) = written.next()?;
        if raw_c != c {
            return None;
        }
        let place = span.start + skip + raw_at;
        if at >= inner.start && start.is_none() {
            start = Some(place);
        }
        if at < inner.end.max(inner.start + 1) {
            end = Some(place + c.len_utf8());
        }
    }
    // A fault at the very end of the text (something is missing) points just behind it.
    let start = start.or(end)?;
    Some(start..end?.max(start))
}

/// Bytes of the whole scalar whose node begins at `start`; `None` where it is written in a way that
/// is not followed here.
pub(super) fn scalar(text: &str, start: usize, value: &Value) -> Option<Range<usize>> {
    let mut start = start;
    // An anchor or a tag stands before the scalar.
    while text[start..].starts_with(['&', '!']) {
        let rest = &text[start..];
        let property = rest.find(char::is_whitespace)?;
        let blanks = rest[property..].find(|c: char| !c.is_whitespace())?;
        start += property + blanks;
    }
    let rest = &text[start..];
    let len = match rest.chars().next()? {
        '\'' => quoted_len(rest, |rest| if rest.starts_with("''") { 2 } else { 0 })?,
        '"' => quoted_len(rest, |rest| if rest.starts_with('\\') { 2 } else { 0 })?,
        '|' | '>' => block_len(rest)?,
        _ => match value {
            Value::List(_) | Value::Map(_) => return None,
            // Plain text may be folded over lines.
            Value::Text(plain) if !rest.starts_with(plain.as_str()) => {
                inside(text, start..text.len(), plain, 0..plain.len())?.len()
            }
            _ => scalar_len(rest, value),
        },
    };
    Some(start..start + len)
}

/// Length of a quoted scalar; `escape` tells how many bytes an escape begins with, if there is one.
fn quoted_len(rest: &str, escape: impl Fn(&str) -> usize) -> Option<usize> {
    let quote = rest.chars().next()?;
    let mut at = 1;
    loop {
        let rest = rest.get(at..)?;
        let next = rest.chars().next()?;
        match escape(rest) {
            0 if next == quote => return Some(at + 1),
            0 => at += next.len_utf8(),
            escaped => at += escaped,
        }
    }
}

/// Length of a block scalar whose indentation is told by its first line.
fn block_len(rest: &str) -> Option<usize> {
    let (header, body) = rest.split_once('\n')?;
    if header.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let indent_of = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let mut indent = None;
    let mut at = header.len() + 1;
    let mut end = header.trim_end().len();
    for line in body.split_inclusive('\n') {
        if !line.trim().is_empty() {
            if indent_of(line) < *indent.get_or_insert(indent_of(line)) {
                break;
            }
            end = at + line.trim_end().len();
        }
        at += line.len();
    }
    Some(end)
}

fn scalar_len(rest: &str, value: &Value) -> usize {
    let line = rest.split('\n').next().unwrap_or_default();
    let plain = line.find(" #").map_or(line, |comment| &line[..comment]).trim_end().len();
    match value {
        Value::Text(text) if !text.is_empty() && rest.starts_with(text.as_str()) => text.len(),
        Value::List(_) | Value::Map(_) => plain,
        _ => match rest.chars().next() {
            Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(plain, |end| end + 2),
            _ => rest[..plain].find([',', ']', '}']).unwrap_or(plain),
        },
    }
}

fn place(text: &str, walk: Walk<'_>) -> Option<usize> {
    let found = walk.deserialize(serde_yaml::Deserializer::from_str(text)).err()?;
    found.location().map(|location| location.index().min(text.len()))
}

/// Steps down `path`; at its end it stops with an error, at the key or at the value.
#[derive(Clone, Copy)]
struct Walk<'a> {
    path: &'a [usize],
    key: bool,
}

impl Walk<'_> {
    fn stops_at_key(&self) -> bool {
        self.key && self.path.len() == 1
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

fn found<E: de::Error>() -> Result<(), E> {
    Err(E::custom("here"))
}

impl<'de> de::Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        found()
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        found()
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        found()
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        found()
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        found()
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        found()
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Some((&index, path)) = self.path.split_first() else { return found() };
        for _ in 0..index {
            items.next_element::<IgnoredAny>()?;
        }
        items.next_element_seed(Walk { path, ..self })?;
        found()
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Some((&index, path)) = self.path.split_first() else { return found() };
        for _ in 0..index {
            entries.next_entry::<IgnoredAny, IgnoredAny>()?;
        }
        if self.stops_at_key() {
            entries.next_key_seed(Walk { path: &[], key: false })?;
        }
        entries.next_key::<IgnoredAny>()?;
        entries.next_value_seed(Walk { path, ..self })?;
        found()
    }
}
