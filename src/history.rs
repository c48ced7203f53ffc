//! The bounded window of a cache's newest snapshots, and what rules ask of it.
//!
//! Every function skips the snapshots in which the signal is absent, and is itself absent when
//! fewer than half of the snapshots it looks at have it: three values out of a hundred are no mean
//! of the hundred. Sums run in the order of rez-next's tuner, so that they agree with it to the
//! last bit.

use std::ops::Range;

use crate::signal::Signal;
use crate::snapshot::PerformanceSnapshot;
use crate::snapshot::Window;

/// The newest snapshots of a cache, oldest first: the newest rows of a window that may be longer.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    window: &'a Window,
    rows: usize,
}

impl<'a> History<'a> {
    /// The newest `rows` rows of `window`, or all if it has fewer.
    pub fn newest_of(window: &'a Window, rows: usize) -> Self {
        Self { window, rows: rows.min(window.len()) }
    }

    /// How many snapshots there are.
    pub const fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The newest snapshot.
    pub fn latest(&self) -> Option<PerformanceSnapshot> {
        (!self.is_empty()).then(|| self.window.snapshot(self.window.len() - 1))
    }

    /// The value of a signal in the newest snapshot.
    pub fn latest_value(&self, signal: Signal) -> Option<f64> {
        (!self.is_empty()).then(|| self.window.value(self.window.len() - 1, signal))?
    }

    /// Mean over the `n` newest snapshots.
    pub fn newest(&self, signal: Signal, n: usize) -> Option<f64> {
        let rows = self.len().saturating_sub(n)..self.len();
        mean(self.column(signal, rows.clone()).iter().rev(), rows.len())
    }

    /// Mean over the `n` oldest snapshots.
    pub fn oldest(&self, signal: Signal, n: usize) -> Option<f64> {
        let rows = 0..n.min(self.len());
        mean(self.column(signal, rows.clone()).iter(), rows.len())
    }

    /// Mean over the window.
    pub fn mean(&self, signal: Signal) -> Option<f64> {
        mean(self.column(signal, 0..self.len()).iter(), self.len())
    }

    /// Smallest value of the window.
    pub fn min(&self, signal: Signal) -> Option<f64> {
        self.enough(signal)?;
        self.all(signal).flatten().reduce(f64::min)
    }

    /// Largest value of the window.
    pub fn max(&self, signal: Signal) -> Option<f64> {
        self.enough(signal)?;
        self.all(signal).flatten().reduce(f64::max)
    }

    /// Standard deviation over the window, of the population as in `PromQL`'s `stddev_over_time`.
    pub fn stddev(&self, signal: Signal) -> Option<f64> {
        let mean = self.mean(signal)?;
        let count = self.all(signal).flatten().count();
        let squares: f64 = self.all(signal).flatten().map(|value| (value - mean).powi(2)).sum();
        finite((squares / count as f64).sqrt())
    }

    /// Least-squares slope over the window, per minute; absent for fewer than two moments.
    pub fn slope(&self, signal: Signal) -> Option<f64> {
        let mean_y = self.mean(signal)?;
        let times = &self.window.times()[self.first()..];
        let origin = times.first()?.as_millis();
        let minutes = times.iter().map(|time| (time.as_millis() - origin) as f64 / 60_000.0);
        let points = || minutes.clone().zip(self.all(signal)).filter_map(|(x, y)| Some((x, y?)));
        let count = points().count() as f64;
        let mean_x = points().map(|(x, _)| x).sum::<f64>() / count;
        let covariance: f64 = points().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        let variance: f64 = points().map(|(x, _)| (x - mean_x).powi(2)).sum();
        finite(covariance / variance)
    }

    fn all(&self, signal: Signal) -> impl Iterator<Item = Option<f64>> {
        self.window.values(signal, self.first()..self.window.len())
    }

    /// The values of a signal in these snapshots, as [`Window::column`] gives them.
    fn column(&self, signal: Signal, rows: Range<usize>) -> &[f64] {
        self.window.column(signal, self.first() + rows.start..self.first() + rows.end)
    }

    /// The row of the window that is the oldest snapshot.
    fn first(&self) -> usize {
        self.window.len() - self.rows
    }

    /// `Some` when at least half of the window has the signal.
    fn enough(&self, signal: Signal) -> Option<()> {
        let present = self.all(signal).flatten().count();
        (present > 0 && 2 * present >= self.len()).then_some(())
    }
}

/// The mean of those present, which are not NaN; absent when fewer than half of `rows` are.
fn mean<'a>(values: impl Iterator<Item = &'a f64>, rows: usize) -> Option<f64> {
    let (mut sum, mut present) = (0.0, 0_u32);
    for value in values.filter(|value| !value.is_nan()) {
        sum += value;
        present += 1;
    }
    let is_enough = present > 0 && 2 * present as usize >= rows;
    is_enough.then(|| sum / f64::from(present)).and_then(finite)
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Timestamp;

    /// A window of `text`'s hit rates, a minute apart; `_` is absent.
    fn window(text: &str, rows_max: usize) -> Window {
        let mut window = Window::new(rows_max);
        for (minute, value) in text.split_whitespace().enumerate() {
            let time = Timestamp::from_millis(i64::try_from(minute).unwrap() * 60_000);
            let value = value.parse().ok();
            window.push(time, true, |signal| value.filter(|_| signal == Signal::HitRate));
        }
        window
    }

    #[track_caller]
    fn check(text: &str, ask: impl Fn(&History<'_>) -> Option<f64>, want: Option<f64>) {
        let window = window(text, 100);
        let got = ask(&History::newest_of(&window, 100));
        match (got, want) {
            (Some(got), Some(want)) => assert!((got - want).abs() < 1e-12, "{text}: {got}, {want}"),
            _ => assert_eq!(got, want, "{text}"),
        }
    }

    const S: Signal = Signal::HitRate;

    #[test]
    fn means_skip_what_is_absent() {
        check("1 2 3 4", |h| h.mean(S), Some(2.5));
        check("1 2 3 4", |h| h.newest(S, 2), Some(3.5));
        check("1 2 3 4", |h| h.oldest(S, 2), Some(1.5));
        check("1 _ 3 4", |h| h.oldest(S, 2), Some(1.0));
        check("1 2", |h| h.newest(S, 3), Some(1.5));
    }

    #[test]
    fn fewer_than_half_is_absent() {
        check("1 _ _", |h| h.mean(S), None);
        check("1 _ _ 4", |h| h.mean(S), Some(2.5));
        check("1 2 3 _ _", |h| h.newest(S, 3), None);
        check("1 _ _", |h| h.max(S), None);
        check("_ _", |h| h.mean(S), None);
        check("", |h| h.mean(S), None);
        check("", |h| h.slope(S), None);
    }

    #[test]
    fn extremes_and_spread_are_over_the_window() {
        check("3 1 _ 2", |h| h.min(S), Some(1.0));
        check("3 1 _ 2", |h| h.max(S), Some(3.0));
        check("2 4 4 4 5 5 7 9", |h| h.stddev(S), Some(2.0));
        check("5", |h| h.stddev(S), Some(0.0));
    }

    #[test]
    fn slopes_are_per_minute() {
        check("1 3 5 7", |h| h.slope(S), Some(2.0));
        check("1 _ 5 7", |h| h.slope(S), Some(2.0));
        check("4 4 4", |h| h.slope(S), Some(0.0));
        check("4", |h| h.slope(S), None);
    }

    #[test]
    fn the_window_is_bounded() {
        let window = window("1 2 3 4 5", 3);
        let history = History::newest_of(&window, 5);
        let got = (history.len(), history.oldest(S, 1), history.mean(S));
        assert_eq!(got, (3, Some(3.0), Some(4.0)));
    }

    #[test]
    fn a_part_of_a_longer_window_is_a_history_of_its_own() {
        let text = "9 1 _ 3 7 _ 8 2";
        let all = window(text, 100);
        for rows in 0..=9 {
            let part = History::newest_of(&all, rows);
            let words: Vec<&str> = text.split(' ').collect();
            let alone = window(&words[words.len().saturating_sub(rows)..].join(" "), 100);
            let alone = History::newest_of(&alone, 100);
            let asked = |h: &History<'_>| {
                let of_rows = [h.mean(S), h.min(S), h.max(S), h.stddev(S), h.slope(S)];
                (h.len(), of_rows, h.newest(S, 2), h.oldest(S, 2), h.latest_value(S))
            };
            assert_eq!(asked(&part), asked(&alone), "{rows}");
            assert_eq!(part.latest().is_some(), rows > 0);
        }
    }
}
