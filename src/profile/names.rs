//! The metrics that are asked for, so that a page's samples can be passed over that are not.
//!
//! Most of a page is about something else. So a name is first looked up in a table of bits by a few
//! of its bytes, which nearly always tells at once that it is not among these; where it does not,
//! the names themselves are compared.

use std::collections::HashSet;

/// Words of the table of bits: eight times as many bits as a large set of profiles has names.
const WORDS: usize = 64;

/// An odd number whose multiples spread well over the highest bits: 2^64 through the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// Bytes that a number is made of.
const BYTES: usize = size_of::<u64>();

/// A set of metrics' names.
#[derive(Debug, Clone)]
pub struct Names {
    bits: [u64; WORDS],
    names: HashSet<Box<str>>,
}

impl Names {
    /// Whether this name is among them.
    #[inline]
    pub fn contains(&self, name: &str) -> bool {
        let (word, bit) = place(name);
        self.bits[word] & bit != 0 && self.names.contains(name)
    }
}

impl<'a> FromIterator<&'a str> for Names {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let mut all = Self { bits: [0; WORDS], names: HashSet::new() };
        for name in names {
            let (word, bit) = place(name);
            all.bits[word] |= bit;
            all.names.insert(name.into());
        }
        all
    }
}

/// Where in the table a name has its bit: by its length, its end and its middle. The names of one
/// product start alike.
#[inline]
fn place(name: &str) -> (usize, u64) {
    let bytes = name.as_bytes();
    let end = bytes.last_chunk::<BYTES>().copied().map_or(0, u64::from_le_bytes);
    let middle = bytes[bytes.len() / 3..].first_chunk::<BYTES>();
    let middle = middle.copied().map_or(0, u64::from_le_bytes);
    let hash = (end ^ middle.rotate_left(31)).wrapping_add(bytes.len() as u64);
    let spread = hash.wrapping_mul(SPREAD);
    let word = usize::try_from(spread >> 58).unwrap_or_default();
    (word, 1 << ((spread >> 52) % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_names_are_found() {
        let wanted = ["", "a", "up", "hits_total", "redis_keyspace_hits_total", "a:b"];
        let names: Names = wanted.into_iter().collect();
        for name in wanted {
            assert!(names.contains(name), "{name}");
        }
        for name in ["b", "hits_totaL", "redis_keyspace_misses_total", "redis_keyspace_hits_tota"] {
            assert!(!names.contains(name), "{name}");
        }
        assert!((0..10_000).all(|n| !names.contains(&format!("other_{n}_total"))));
    }
}
