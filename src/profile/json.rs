//! JSON statistics as samples, so that one kind of profile serves both: each number is a sample
//! named by its keys, joined with `_`. `{"l1_stats": {"hits": 5}}` is `l1_stats_hits 5`.
//!
//! The document is flattened while it is read: a tree of it would take many times the memory of its
//! text.

use std::fmt;

use serde::de;
use serde::de::DeserializeSeed;

use crate::exposition::Sample;

/// Deepest nesting that is read. Statistics have some three levels.
pub const DEPTH_MAX: usize = 32;

/// Most numbers that are read.
pub const NUMBERS_MAX: usize = 100_000;

/// Longest name, in bytes: keys are joined, so that depth would multiply what the document says
/// once.
pub const NAME_BYTES_MAX: usize = 1024;

/// The document is no JSON, or beyond a limit.
#[derive(Debug, thiserror::Error)]
#[error("not JSON statistics: {0}")]
pub struct JsonError(#[from] serde_json::Error);

/// The numbers of a document in its order. Everything else is passed over; items of lists are named
/// by their position.
///
/// # Errors
/// If the text is not JSON, or passes [`DEPTH_MAX`], [`NUMBERS_MAX`] or [`NAME_BYTES_MAX`].
pub fn samples(text: &str) -> Result<Vec<Sample<'static>>, JsonError> {
    let mut samples = Vec::new();
    let mut name = String::new();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Flatten { name: &mut name, depth: 0, samples: &mut samples }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(samples)
}

/// Takes one value under the name so far.
struct Flatten<'s> {
    name: &'s mut String,
    depth: usize,
    samples: &'s mut Vec<Sample<'static>>,
}

impl Flatten<'_> {
    fn push<E: de::Error>(&mut self, value: f64) -> Result<(), E> {
        if self.samples.len() >= NUMBERS_MAX {
            return Err(E::custom(format!("more than {NUMBERS_MAX} numbers")));
        }
        if self.name.is_empty() {
            return Ok(());
        }
        self.samples.push(Sample {
            name: self.name.clone().into(),
            labels: Vec::new(),
            value,
            timestamp_ms: None,
            exemplar: None,
            line: 0,
        });
        Ok(())
    }

    /// The same for a value one level further in.
    fn inner<E: de::Error>(&mut self, key: &str) -> Result<Flatten<'_>, E> {
        if self.depth >= DEPTH_MAX {
            return Err(E::custom(format!("nested deeper than {DEPTH_MAX}")));
        }
        if self.name.len() + key.len() >= NAME_BYTES_MAX {
            return Err(E::custom(format!("keys joined exceed {NAME_BYTES_MAX} bytes")));
        }
        if !self.name.is_empty() {
            self.name.push('_');
        }
        self.name.push_str(key);
        Ok(Flatten { name: self.name, depth: self.depth + 1, samples: self.samples })
    }
}

impl<'de> DeserializeSeed<'de> for Flatten<'_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> de::Visitor<'de> for Flatten<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(mut self, value: f64) -> Result<(), E> {
        self.push(value)
    }

    fn visit_i64<E: de::Error>(mut self, value: i64) -> Result<(), E> {
        self.push(value as f64)
    }

    fn visit_u64<E: de::Error>(mut self, value: u64) -> Result<(), E> {
        self.push(value as f64)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: de::MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        let outer = self.name.len();
        while let Some(key) = entries.next_key::<String>()? {
            entries.next_value_seed(self.inner(&key)?)?;
            self.name.truncate(outer);
        }
        Ok(())
    }

    fn visit_seq<A: de::SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let outer = self.name.len();
        for index in 0_usize.. {
            if items.next_element_seed(self.inner(&index.to_string())?)?.is_none() {
                break;
            }
            self.name.truncate(outer);
        }
        self.name.truncate(outer);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &[(&str, f64)]) {
        let samples = samples(text).unwrap();
        let found: Vec<_> = samples.iter().map(|s| (s.name.as_ref(), s.value)).collect();
        assert_eq!(found, want, "{text}");
    }

    #[test]
    fn numbers_are_named_by_their_keys() {
        check(
            r#"{"a": {"b": 1, "c_d": 2.5}, "e": -3}"#,
            &[("a_b", 1.0), ("a_c_d", 2.5), ("e", -3.0)],
        );
        check(r#"{"a": [10, {"b": 20}], "c": 1}"#, &[("a_0", 10.0), ("a_1_b", 20.0), ("c", 1.0)]);
        check(
            r#"{"a": [], "b": {}, "c": 18446744073709551615}"#,
            &[("c", 1.844_674_407_370_955_2e19)],
        );
    }

    #[test]
    fn what_is_no_number_is_passed_over() {
        check(r#"{"a": "5", "b": null, "c": true, "d": 1}"#, &[("d", 1.0)]);
        check("5", &[]);
        check("[]", &[]);
    }

    #[test]
    fn a_page_that_is_no_json_or_beyond_a_limit_is_refused() {
        for text in ["", "{", "<html>", "{} x", "{\"a\": NaN}", "{\"a\": 1e999}"] {
            assert!(samples(text).is_err(), "{text}");
        }
        assert!(samples(&"[".repeat(5000)).is_err());
        assert!(samples(&format!("[{}0]", "0,".repeat(NUMBERS_MAX))).is_err());
        assert!(samples(&format!("{{\"{}\": 1}}", "k".repeat(NAME_BYTES_MAX))).is_err());
    }
}
