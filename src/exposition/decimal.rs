//! Short decimal numbers, which nearly all numbers of a page are, to the same bits as `str::parse`
//! and some times faster.
//!
//! A mantissa below 2^53 is a float exactly, and so is a power of ten up to 22; one multiplication
//! or division of the two is rounded once, as the standard has it. Everything else, whether it is
//! no number or one that needs care, is left to the standard library.

/// Mantissas up to here are floats exactly.
const MANTISSA_MAX: u64 = 1 << 53;

/// Digits that cannot be too many for 64 bits.
const DIGITS_MAX: usize = 19;

/// Digits of an exponent that are read; with those of a fraction it is still far from overflow.
const EXPONENT_DIGITS_MAX: usize = 3;

/// The powers of ten that are floats exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// The number that the text starts with, and its length. `None` if it is to be read another way.
/// What follows the number may belong to it all the same (`1.5x`): only the caller knows where a
/// number may end.
#[expect(clippy::inline_always, reason = "it is most of what a line without labels takes")]
#[inline(always)]
pub(super) fn decimal(text: &[u8]) -> Option<(f64, usize)> {
    let is_negative = text.first() == Some(&b'-');
    let start = usize::from(is_negative);
    let mut mantissa = 0;
    let mut at = start;
    let mut digits = digits_into(&mut mantissa, text, &mut at);
    let mut exponent = 0;
    if digits == 0 {
        return None;
    }
    if text.get(at) == Some(&b'.') {
        at += 1;
        let fraction = digits_into(&mut mantissa, text, &mut at);
        digits += fraction;
        if fraction == 0 || digits > DIGITS_MAX {
            return None;
        }
        exponent -= i32::try_from(fraction).ok()?;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        exponent += read_exponent(text, &mut at)?;
    }
    if digits > DIGITS_MAX || mantissa > MANTISSA_MAX {
        return None;
    }
    let power = *POWERS.get(exponent.unsigned_abs() as usize)?;
    let magnitude = mantissa as f64;
    let magnitude = if exponent < 0 { magnitude / power } else { magnitude * power };
    Some((if is_negative { -magnitude } else { magnitude }, at))
}

/// Appends the digits that come next to `number`, which wraps if they are too many; how many.
#[inline]
fn digits_into(number: &mut u64, text: &[u8], at: &mut usize) -> usize {
    let start = *at;
    while let Some(digit) = text.get(*at).map(|byte| byte.wrapping_sub(b'0')).filter(|d| *d < 10) {
        *number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        *at += 1;
    }
    *at - start
}

/// The exponent from its `e` on.
#[inline]
fn read_exponent(text: &[u8], at: &mut usize) -> Option<i32> {
    *at += 1;
    let is_negative = text.get(*at) == Some(&b'-');
    *at += usize::from(is_negative || text.get(*at) == Some(&b'+'));
    let mut exponent = 0;
    let digits = digits_into(&mut exponent, text, at);
    if !(1..=EXPONENT_DIGITS_MAX).contains(&digits) {
        return None;
    }
    let exponent = i32::try_from(exponent).ok()?;
    Some(if is_negative { -exponent } else { exponent })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads the whole text, to the bits of the standard library.
    #[track_caller]
    fn check(text: &str) {
        let (value, length) = decimal(text.as_bytes()).unwrap();
        assert_eq!(length, text.len(), "{text}");
        assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
    }

    #[track_caller]
    fn check_left(text: &str) {
        assert_eq!(decimal(text.as_bytes()), None, "{text}");
    }

    #[test]
    fn short_numbers_are_those_of_the_standard_library() {
        check("0");
        check("-0");
        check("0.0");
        check("00012");
        check("12345678901");
        check("0.1");
        check("-0.3000000000000004");
        check("1.63572e+06");
        check("1e22");
        check("1E-22");
        check("0e9");
        check("9007199254740992");
        check("123.456e-10");
        check("0.000000000000000001");
    }

    #[test]
    fn other_numbers_are_left_to_it() {
        check_left("");
        check_left("-");
        check_left("+1");
        check_left(".5");
        check_left("5.");
        check_left("NaN");
        check_left("1e");
        check_left("1e+");
        check_left("1e23");
        check_left("1e-23");
        check_left("1e0001");
        check_left("9007199254740993");
        check_left("0.30000000000000004");
        check_left("12345678901234567890123");
        check_left("0.00000000000000000001");
    }

    #[test]
    fn what_follows_is_not_judged() {
        assert_eq!(decimal(b"1.5 2"), Some((1.5, 3)));
        assert_eq!(decimal(b"1.5x"), Some((1.5, 3)));
        assert_eq!(decimal(b"1.5.2"), Some((1.5, 3)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

        #[test]
        fn any_number_that_is_read_is_that_of_the_standard_library(
            text in "-?[0-9]{1,12}(\\.[0-9]{1,10})?(e[+-]?[0-9]{1,2})?",
        ) {
            if let Some((value, length)) = decimal(text.as_bytes()) {
                prop_assert_eq!(length, text.len());
                prop_assert_eq!(value.to_bits(), text.parse::<f64>().unwrap().to_bits());
            }
        }
    }
}
