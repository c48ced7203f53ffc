//! Values as people read them, and instants as RFC 3339 has them.

use std::time::Duration;

use crate::units::Short;
use crate::units::Timestamp;

/// What stands for an absent value.
pub(super) const ABSENT: &str = "–";

/// 0.8 → `80 %`: for shares that people chose.
pub(super) fn share(ratio: f64) -> String {
    format!("{} %", three_digits(ratio * 100.0))
}

/// 0.1 → `+10 %`, for a change that is expected.
pub(super) fn gain(ratio: f64) -> String {
    let sign = if ratio < 0.0 { "" } else { "+" };
    format!("{sign}{}", share(ratio))
}

/// 0.8731 → `87.3 %`: for shares that were measured.
pub(super) fn ratio(ratio: f64) -> String {
    format!("{:.1} %", ratio * 100.0)
}

/// 2220 → `2.22 ms`: three digits, in the unit that suits.
pub(super) fn microseconds(us: f64) -> String {
    match us.abs() {
        x if x < 1000.0 => format!("{} µs", three_digits(us)),
        x if x < 1e6 => format!("{} ms", three_digits(us / 1e3)),
        _ => format!("{} s", three_digits(us / 1e6)),
    }
}

/// 4.3 ms, 10 s.
pub(super) fn duration(duration: Duration) -> String {
    microseconds(duration.as_secs_f64() * 1e6)
}

/// Three digits that count, without zeros that do not, and thousands apart: `1,234`, `12.3`,
/// `0.05`.
pub(super) fn three_digits(value: f64) -> String {
    let rounded = match value.abs() {
        x if x >= 999.5 => return thousands(value.round()),
        x if x >= 100.0 => value.round(),
        x if x >= 10.0 => (value * 10.0).round() / 10.0,
        _ => (value * 100.0).round() / 100.0,
    };
    Short(rounded).to_string()
}

/// A whole number with its thousands apart.
fn thousands(whole: f64) -> String {
    let text = format!("{whole:.0}");
    let digits = text.trim_start_matches('-').len();
    let mut apart = String::with_capacity(text.len() + digits / 3);
    for (at, character) in text.char_indices() {
        let left = text.len() - at;
        if left % 3 == 0 && left < digits {
            apart.push(',');
        }
        apart.push(character);
    }
    apart
}

/// `12 s ago`, in the largest unit that fits.
pub(super) fn ago(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.saturating_since(then).as_secs();
    match seconds {
        0 => "now".to_owned(),
        1..120 => format!("{seconds} s ago"),
        120..7200 => format!("{} min ago", seconds / 60),
        7200..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

/// `2023-11-14T22:13:20.000Z`.
pub(super) fn rfc3339(at: Timestamp) -> String {
    let ms = at.as_millis();
    let (days, of_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (year, month, day) = civil_date(days);
    let (hour, minute) = (of_day / 3_600_000, of_day / 60_000 % 60);
    let (second, ms) = (of_day / 1000 % 60, of_day % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

/// `2023-11-14 22:13:20 UTC`.
pub(super) fn utc(at: Timestamp) -> String {
    let text = rfc3339(at);
    let seconds = text.split('.').next().unwrap_or_default();
    format!("{} UTC", seconds.replace('T', " "))
}

/// The Gregorian date of a day counted from 1970-01-01. Years are counted from March, so that the
/// leap day is the last of them, within cycles of 400 years, which all have 146,097 days.
fn civil_date(days: i64) -> (i64, i64, i64) {
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    let days = days + 719_468;
    let (cycle, of_cycle) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year + year / 4 - year / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (cycle * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_rfc3339(ms: i64, want: &str) {
        assert_eq!(rfc3339(Timestamp::from_millis(ms)), want);
    }

    #[test]
    fn instants_are_dates() {
        check_rfc3339(0, "1970-01-01T00:00:00.000Z");
        check_rfc3339(-1, "1969-12-31T23:59:59.999Z");
        check_rfc3339(951_782_400_000, "2000-02-29T00:00:00.000Z");
        check_rfc3339(1_700_000_000_123, "2023-11-14T22:13:20.123Z");
        check_rfc3339(4_107_542_399_000, "2100-02-28T23:59:59.000Z");
        check_rfc3339(4_107_542_400_000, "2100-03-01T00:00:00.000Z");
        assert_eq!(utc(Timestamp::from_millis(1_700_000_000_123)), "2023-11-14 22:13:20 UTC");
    }

    #[test]
    fn values_are_short() {
        assert_eq!([gain(0.05), gain(0.0), gain(-0.012)], ["+5 %", "+0 %", "-1.2 %"]);
        assert_eq!([ratio(0.873_12), ratio(0.8), share(0.8)], ["87.3 %", "80.0 %", "80 %"]);
        assert_eq!(
            [microseconds(350.0), microseconds(2220.0), microseconds(10e6), microseconds(0.0)],
            ["350 µs", "2.22 ms", "10 s", "0 µs"]
        );
        assert_eq!(
            [three_digits(1234.5), three_digits(12.34), three_digits(0.0512)],
            ["1,235", "12.3", "0.05"]
        );
        assert_eq!(
            [three_digits(999.6), three_digits(-39_980.0), three_digits(1_234_567.0)],
            ["1,000", "-39,980", "1,234,567"]
        );
        assert_eq!(duration(Duration::from_micros(4300)), "4.3 ms");
    }

    #[test]
    fn ages_use_the_largest_unit_that_fits() {
        let age =
            |seconds: i64| ago(Timestamp::from_millis(seconds * 1000), Timestamp::from_millis(0));
        assert_eq!(
            [age(-5), age(0), age(12), age(119), age(150), age(7200), age(259_200)],
            ["now", "now", "12 s ago", "119 s ago", "2 min ago", "2 h ago", "3 d ago"]
        );
    }
}
