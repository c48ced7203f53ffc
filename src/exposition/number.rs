//! Numbers as Go's `strconv` reads them, since Prometheus is what exporters write for.
//!
//! Rust reads the same decimal numbers, to the same bits, and differs in two spellings: it takes a
//! signed NaN, and turns a number that is too large into infinity. Prometheus refuses both, and so
//! do we. Hexadecimal numbers and `_` between digits are refused by all three.

use crate::exposition::fault::Fault;

/// Milliseconds beyond which a timestamp has no place in 64 bits: 2^63 as a float, which is exact.
const TIMESTAMP_MS_END: f64 = 9_223_372_036_854_775_808.0;

/// A sample's value. NaN and the infinities are values, in any case: `NaN`, `+Inf`, `-inf`.
pub(super) fn value(token: &str) -> Result<f64, Fault> {
    let value: f64 = token.parse().map_err(|_| Fault::ExpectedValue)?;
    let unsigned = token.trim_start_matches(['+', '-']);
    if value.is_nan() && unsigned != token {
        return Err(Fault::ExpectedValue);
    }
    if value.is_infinite() && !unsigned.starts_with(['i', 'I']) {
        return Err(Fault::ValueOutOfRange);
    }
    Ok(value)
}

/// A timestamp of Prometheus text: a whole number of milliseconds.
pub(super) fn timestamp_ms(token: &str) -> Result<i64, Fault> {
    let digits = token.strip_prefix(['+', '-']).unwrap_or(token);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::ExpectedTimestamp);
    }
    token.parse().map_err(|_| Fault::TimestampOutOfRange)
}

/// A timestamp of OpenMetrics: seconds, with a fraction. Rounded to the nearest millisecond, so
/// that `1.005`, which no float is, is 1005 milliseconds.
pub(super) fn timestamp_seconds_as_ms(token: &str) -> Result<i64, Fault> {
    let seconds = match value(token) {
        Ok(seconds) if seconds.is_finite() => seconds,
        Ok(_) | Err(Fault::ExpectedValue) => return Err(Fault::ExpectedTimestamp),
        Err(_) => return Err(Fault::TimestampOutOfRange),
    };
    let ms = (seconds * 1000.0).round();
    if !(-TIMESTAMP_MS_END..TIMESTAMP_MS_END).contains(&ms) {
        return Err(Fault::TimestampOutOfRange);
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole, and in the range of `i64`")]
    Ok(ms as i64)
}
