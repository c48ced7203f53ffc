//! A YAML document as a plain tree that keeps the order of its keys and keys written twice.

use std::fmt;

use serde::Deserialize;
use serde::Deserializer;
use serde::de;

/// Nesting of lists and mappings that is read; deeper is refused rather than overflowing the stack.
pub(super) const DEPTH_MAX: usize = 64;

/// A YAML value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A number with a point or exponent, `.inf` and `.nan` included.
    Float(f64),
    /// A whole number.
    Int(i64),
    /// A list.
    List(Vec<Self>),
    /// A mapping, as written.
    Map(Vec<(String, Self)>),
    /// Nothing.
    Null,
    /// Text.
    Text(String),
}

impl Value {
    /// What it is, in words.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "`true` or `false`",
            Self::Float(_) => "a number",
            Self::Int(_) => "a whole number",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
            Self::Null => "nothing",
            Self::Text(_) => "text",
        }
    }

    fn depth(&self) -> usize {
        match self {
            Self::List(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Self::Map(entries) => 1 + entries.iter().map(|(_, v)| v.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }
}

/// Why a text is not YAML that is read here.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) message: String,
    /// Byte of the text.
    pub(super) offset: usize,
}

/// Reads a text with one document; an empty one is [`Value::Null`].
pub(super) fn read(text: &str) -> Result<Value, Fault> {
    let value: Value = serde_yaml::from_str(text).map_err(|error| {
        let offset = error.location().map_or(0, |location| location.index());
        Fault { message: message(&error), offset }
    })?;
    if value.depth() > DEPTH_MAX {
        let message = format!("lists and mappings are nested more than {DEPTH_MAX} deep");
        return Err(Fault { message, offset: 0 });
    }
    Ok(value)
}

/// `serde_yaml`'s words, but for what it has none that a user can act on.
fn message(error: &serde_yaml::Error) -> String {
    let message = without_location(&error.to_string());
    if message.contains("more than one document") {
        return "more than one YAML document in one file".to_owned();
    }
    message
}

/// `serde_yaml` writes `at line 3 column 5` into its messages, which the frame shows already.
fn without_location(message: &str) -> String {
    let Some((before, after)) = message.split_once(" at line ") else { return message.to_owned() };
    let rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = rest.strip_prefix(" column ").unwrap_or(rest);
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    without_location(&format!("{before}{rest}"))
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> de::Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain text, a number, a list or a mapping, without a tag")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(i64::try_from(number).map_or(Value::Float(number as f64), Value::Int))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(Key(key)) = entries.next_key()? {
            map.push((key, entries.next_value()?));
        }
        Ok(Value::Map(map))
    }
}

/// A key: any scalar, as text.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl de::Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E>(self, text: &str) -> Result<Key, E> {
                Ok(Key(text.to_owned()))
            }
        }

        deserializer.deserialize_str(KeyVisitor)
    }
}
