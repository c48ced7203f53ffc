//! Quantities that carry their unit: instants, durations and sizes as they are written in
//! configuration files. Durations and sizes are in Prometheus' own notation, instants in that of
//! RFC 3339, so that nobody has to learn another.

use std::fmt;
use std::ops::Add;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An instant: milliseconds since the Unix epoch.
///
/// The core takes instants as arguments and keeps them in histories that are stored and replayed,
/// which a process-bound `Instant` cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `ms` milliseconds after the epoch.
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }

    /// The instant `seconds` after the epoch, to the nearest millisecond; `None` unless it is
    /// finite and within ±285,000 years.
    pub fn from_unix_seconds(seconds: f64) -> Option<Self> {
        let ms = (seconds * 1000.0).round();
        // 2^53: every whole number up to here is exact.
        #[expect(clippy::cast_possible_truncation, reason = "the bound is checked beside it")]
        (ms.abs() <= 9_007_199_254_740_992.0).then_some(Self(ms as i64))
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Seconds since the epoch.
    pub fn as_unix_seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Time from `earlier` to here; zero where `earlier` is later.
    pub fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// Why a duration, a size or an instant could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Not a duration in Prometheus' notation.
    #[error("`{0}` is not a duration")]
    Duration(String),
    /// Not a size in Prometheus' notation.
    #[error("`{0}` is not a size")]
    Bytes(String),
    /// Not an instant as RFC 3339 has it.
    #[error("`{0}` is not an instant")]
    Timestamp(String),
}

/// Units of a duration, longest first, with their milliseconds: the order in which they may be
/// written.
const DURATION_UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Reads a duration as Prometheus writes it: `15s`, `1h30m`, `500ms`, `0`; each unit once, longest
/// first.
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let fault = || UnitError::Duration(text.to_owned());
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text;
    let mut units = DURATION_UNITS.iter();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = split_number(rest).ok_or_else(fault)?;
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(letters);
        let (_, ms) = units.find(|(name, _)| *name == unit).ok_or_else(fault)?;
        let part = number.checked_mul(*ms).ok_or_else(fault)?;
        total = total.checked_add(part).ok_or_else(fault)?;
        rest = next;
    }
    if text.is_empty() { Err(fault()) } else { Ok(Duration::from_millis(total)) }
}

/// Writes a duration so that [`parse_duration`] reads the same back, in whole units: `1h30m`.
pub fn format_duration(duration: Duration) -> String {
    let mut ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if ms == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, size) in DURATION_UNITS {
        // Years and weeks only where they leave nothing over, as Prometheus does.
        let whole =
            if matches!(unit, "y" | "w") && !ms.is_multiple_of(size) { 0 } else { ms / size };
        if whole > 0 {
            text += &whole.to_string();
            text += unit;
            ms -= whole * size;
        }
    }
    text
}

/// Reads a size: a whole number with `B`, `KB`/`KiB`, `MB`/`MiB`, `GB`/`GiB` or `TB`/`TiB`, or none
/// for bytes. As in Prometheus, `KB` is 1024 bytes too.
pub fn parse_bytes(text: &str) -> Result<u64, UnitError> {
    let fault = || UnitError::Bytes(text.to_owned());
    let (number, unit) = split_number(text).ok_or_else(fault)?;
    let shift = match unit {
        "" | "B" => 0,
        "KB" | "KiB" => 10,
        "MB" | "MiB" => 20,
        "GB" | "GiB" => 30,
        "TB" | "TiB" => 40,
        _ => return Err(fault()),
    };
    number.checked_mul(1 << shift).ok_or_else(fault)
}

/// Writes a size in the largest binary unit that leaves a whole number: `16MiB`.
pub fn format_bytes(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes;
    let mut unit = 0;
    while value != 0 && value.is_multiple_of(1024) && unit + 1 < units.len() {
        value /= 1024;
        unit += 1;
    }
    format!("{value}{}", units[unit])
}

/// Reads an instant as RFC 3339 writes it: `2026-12-24T00:00:00Z`, or with an offset such as
/// `+01:00`. What is finer than a millisecond is cut off.
pub fn parse_instant(text: &str) -> Result<Timestamp, UnitError> {
    let fault = || UnitError::Timestamp(text.to_owned());
    let instant = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| fault())?;
    let ms = instant.unix_timestamp_nanos().div_euclid(1_000_000);
    i64::try_from(ms).map(Timestamp).map_err(|_| fault())
}

fn split_number(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    Some((number.parse().ok()?, rest))
}

/// A number as people read it: no exponent, at most four digits after the point, no trailing zeros.
#[derive(Debug, Clone, Copy)]
pub struct Short(pub f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.4}", self.0);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        f.write_str(if text == "-0" { "0" } else { text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_duration(text: &str, ms: Option<u64>) {
        let parsed = parse_duration(text).ok();
        assert_eq!(parsed, ms.map(Duration::from_millis), "{text}");
        if let Some(duration) = parsed {
            assert_eq!(parse_duration(&format_duration(duration)), Ok(duration), "{text}");
        }
    }

    #[test]
    fn durations_read_as_in_prometheus() {
        check_duration("15s", Some(15_000));
        check_duration("500ms", Some(500));
        check_duration("1h30m", Some(5_400_000));
        check_duration("1d", Some(86_400_000));
        check_duration("2w", Some(1_209_600_000));
        check_duration("0", Some(0));
        for bad in ["", "15", "s", "30m1h", "1h1h", "1.5h", "-1s", "15 s", "99999999999999999y"] {
            check_duration(bad, None);
        }
    }

    #[test]
    fn durations_are_written_in_whole_units() {
        assert_eq!(format_duration(Duration::from_secs(300)), "5m");
        assert_eq!(format_duration(Duration::from_millis(90_500)), "1m30s500ms");
        assert_eq!(format_duration(Duration::from_secs(8 * 86_400)), "8d");
        assert_eq!(format_duration(Duration::from_secs(14 * 86_400)), "2w");
        assert_eq!(format_duration(Duration::ZERO), "0s");
    }

    #[track_caller]
    fn check_bytes(text: &str, want: Option<u64>) {
        assert_eq!(parse_bytes(text).ok(), want, "{text}");
    }

    #[test]
    fn sizes_read_as_in_prometheus() {
        check_bytes("0", Some(0));
        check_bytes("10MB", Some(10 << 20));
        check_bytes("16MiB", Some(16 << 20));
        check_bytes("512B", Some(512));
        for bad in ["", "MB", "1.5MB", "-1", "1XB", "99999999999TB"] {
            check_bytes(bad, None);
        }
        assert_eq!(format_bytes(16 << 20), "16MiB");
        assert_eq!(format_bytes(1000), "1000B");
        assert_eq!(format_bytes(0), "0B");
    }

    #[track_caller]
    fn check_instant(text: &str, seconds: Option<f64>) {
        assert_eq!(parse_instant(text).ok().map(Timestamp::as_unix_seconds), seconds, "{text}");
    }

    #[test]
    fn instants_read_as_rfc_3339() {
        check_instant("1970-01-01T00:00:00Z", Some(0.0));
        check_instant("2001-09-09T01:46:40Z", Some(1e9));
        check_instant("2026-12-24T00:00:00Z", Some(1_798_070_400.0));
        check_instant("2026-12-24T01:00:00+01:00", Some(1_798_070_400.0));
        check_instant("2026-12-23T18:30:00-05:30", Some(1_798_070_400.0));
        check_instant("2024-02-29T12:00:00.5Z", Some(1_709_208_000.5));
        check_instant("1969-12-31T23:59:59.9999Z", Some(-0.001));
        for bad in [
            "",
            "2026-12-24",
            "2026-12-24T00:00:00",
            "2026-12-24T00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-12-24T24:00:00Z",
            "1798070400",
            "2026-12-24T00:00:00Z ",
        ] {
            check_instant(bad, None);
        }
    }

    #[test]
    fn instants_keep_milliseconds_and_refuse_nonsense() {
        let instant = Timestamp::from_unix_seconds(1_700_000_000.123).unwrap();
        assert_eq!(instant.as_millis(), 1_700_000_000_123);
        assert_eq!(Timestamp::from_unix_seconds(f64::NAN), None);
        assert_eq!(Timestamp::from_unix_seconds(1e300), None);
        assert_eq!(Timestamp(5).saturating_since(Timestamp(9)), Duration::ZERO);
    }

    #[test]
    fn short_numbers_lose_no_sense() {
        let show = |x: f64| Short(x).to_string();
        assert_eq!(
            [show(1.2), show(1.44), show(3.0), show(0.000_01), show(-0.0)],
            ["1.2", "1.44", "3", "0", "0"]
        );
    }
}
