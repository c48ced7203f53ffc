//! Eight bytes of a name at a time, as one number. Metrics' names are long enough that this is
//! worth more than looking each byte up.
//!
//! A mark is the highest bit of a byte. The first byte of a text is the lowest of the number.

/// Bytes of a word.
pub(super) const BYTES: usize = 8;

const HIGH: u64 = all(0x80);

/// A word of this byte.
const fn all(byte: u8) -> u64 {
    u64::from_le_bytes([byte; BYTES])
}

/// Marks the bytes from `first` to `last`, both below 128.
const fn between(word: u64, first: u8, last: u8) -> u64 {
    let low = word & !HIGH;
    (low + all(0x80 - first)) & !(low + all(0x7f - last)) & !word & HIGH
}

/// How many bytes stand before the first that is not of a metric's name: no ASCII letter, digit,
/// `_` or `:`.
pub(super) const fn name_bytes(word: [u8; BYTES]) -> usize {
    let word = u64::from_le_bytes(word);
    let letters = between(word | all(0x20), b'a', b'z');
    // The colon comes right behind the digits.
    let digits = between(word, b'0', b':');
    let underscores = between(word, b'_', b'_');
    let others = !(letters | digits | underscores) & HIGH;
    others.trailing_zeros() as usize / BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_at_any_byte_that_is_not_of_a_name() {
        for byte in 0..=u8::MAX {
            for place in 0..BYTES {
                let mut text = *b"aZ09_z:A";
                text[place] = byte;
                let is_good = byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':';
                assert_eq!(name_bytes(text), if is_good { BYTES } else { place }, "{byte}");
            }
        }
    }
}
