//! Numbers as text, exactly as `Display` of `f64` writes them, several times as fast.
//!
//! Most values are counts, for which integers do. The others go through the shortest digits that
//! read back as the same number, and of those the nearest to it. Both ways find the same ones,
//! except where two are as near as each other. There, and where the digits would be written with an
//! exponent, `Display` itself is asked.

/// Below this every whole number is a float of its own, so that its digits are the shortest.
const WHOLE_BELOW: f64 = 9_007_199_254_740_992.0;

/// From here on up to [`PLAIN_BELOW`] the fast printer uses no exponent.
const PLAIN_FROM: f64 = 1e-5;
const PLAIN_BELOW: f64 = 1e16;

/// Most digits after the point that a number from [`PLAIN_FROM`] on needs: 17 and four zeros.
const FRACTION_DIGITS_MAX: u64 = 22;

/// Appends a finite number.
#[inline]
pub(super) fn push(text: &mut Vec<u8>, value: f64) {
    let size = value.abs();
    if size < WHOLE_BELOW {
        #[expect(clippy::cast_possible_truncation, reason = "what was cut off is noticed below")]
        let whole = value as i64;
        // By bits, since the zero below zero keeps its sign.
        if (whole as f64).to_bits() == value.to_bits() {
            text.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
            return;
        }
    }
    if (PLAIN_FROM..PLAIN_BELOW).contains(&size) {
        let mut buffer = zmij::Buffer::new();
        let digits = buffer.format_finite(value);
        if !is_halfway(value, digits) {
            text.extend_from_slice(digits.strip_suffix(".0").unwrap_or(digits).as_bytes());
            return;
        }
    }
    text.extend_from_slice(value.to_string().as_bytes());
}

/// Whether a normal number is exactly halfway between these digits and others as short. Each bit
/// of a fraction takes one digit, and the last of them is a 5: so it is if exactly that one is
/// missing.
fn is_halfway(value: f64, digits: &str) -> bool {
    let bits = value.to_bits();
    let exponent = (bits >> 52) & 0x7ff;
    let zeros = u64::from(bits.trailing_zeros().min(52));
    // Of 2 to the power of `exponent` − 1075 is the lowest bit, before the zeros.
    let fraction_bits = 1075_u64.saturating_sub(exponent + zeros);
    fraction_bits <= FRACTION_DIGITS_MAX + 1
        && digits.split_once('.').is_some_and(|(_, rest)| rest.len() as u64 + 1 == fraction_bits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(value: f64) {
        let mut text = Vec::new();
        push(&mut text, value);
        assert_eq!(String::from_utf8(text).unwrap(), value.to_string());
    }

    /// The number, its neighbours, and all of them below zero.
    #[track_caller]
    fn check_around(value: f64) {
        for near in [value.next_down(), value, value.next_up()] {
            if near.is_finite() {
                check(near);
                check(-near);
            }
        }
    }

    #[test]
    fn numbers_read_as_display_writes_them() {
        for value in [0.0, 1.0, 0.1, 0.3, 1.0 / 3.0, 1e-5, 1e-4, 1e15, 1e16, 1e17, 1e21, 5e-324] {
            check_around(value);
        }
        for value in [WHOLE_BELOW, f64::MAX, f64::MIN_POSITIVE, f64::EPSILON, 123_456_789_012.0] {
            check_around(value);
        }
        for exponent in -1074..=1023 {
            check_around(2.0_f64.powi(exponent));
        }
        // Halfway between two numbers of sixteen digits.
        for value in [1_259_708_225_127_514.3, 8_388_608.0 + 1.0 / 1024.0, 0.5 + 1.0 / 131_072.0] {
            check_around(value);
        }
        for exponent in -323..=308 {
            check_around(format!("1e{exponent}").parse().unwrap());
        }
    }

    #[test]
    fn milliseconds_read_as_display_writes_them() {
        for ms in 0..20_000_u32 {
            check((1_700_000_000_000.0 + f64::from(ms)) / 1000.0);
            check(f64::from(ms) / 1000.0);
            check(f64::from(ms) / 60.0);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn any_number_reads_as_display_writes_it(
            bits: u64,
            ratio in 0.0..1.0_f64,
            large in 0.0..1e17_f64,
            few_bits in (0..1_u64 << 53, 0..100_i32),
        ) {
            let few_bits = few_bits.0 as f64 / 2.0_f64.powi(few_bits.1);
            for value in [f64::from_bits(bits), ratio, large, few_bits] {
                if value.is_finite() {
                    check(value);
                }
            }
        }
    }
}
