//! The bounded window of a cache's newest snapshots, and what rules ask of it.
//!
//! Every function skips the snapshots in which the signal is absent, and is itself absent when
//! fewer than half of the snapshots it looks at have it: three values out of a hundred are no mean
//! of the hundred. Sums run in the order of rez-next's tuner, so that they agree with it to the
//! last bit.

use std::collections::VecDeque;

use crate::signal::Signal;
use crate::snapshot::PerformanceSnapshot;

/// The newest snapshots of a cache, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    snapshots: VecDeque<PerformanceSnapshot>,
    snapshots_max: usize,
}

impl History {
    /// An empty window of at most `snapshots_max` snapshots (at least one).
    pub fn new(snapshots_max: usize) -> Self {
        Self { snapshots: VecDeque::new(), snapshots_max: snapshots_max.max(1) }
    }

    /// Adds the newest snapshot; the oldest goes when the window is full.
    pub fn push(&mut self, snapshot: PerformanceSnapshot) {
        if self.snapshots.len() == self.snapshots_max {
            self.snapshots.pop_front();
        }
        self.snapshots.push_back(snapshot);
    }

    /// Forgets everything: a restarted cache is another cache.
    pub fn clear(&mut self) {
        self.snapshots.clear();
    }

    /// Changes the size of the window; the oldest go first.
    pub fn resize(&mut self, snapshots_max: usize) {
        self.snapshots_max = snapshots_max.max(1);
        while self.snapshots.len() > self.snapshots_max {
            self.snapshots.pop_front();
        }
    }

    /// How many snapshots there are.
    pub fn len(&self) -> usize {
        self.snapshots.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.snapshots.is_empty()
    }

    /// The newest snapshot.
    pub fn latest(&self) -> Option<&PerformanceSnapshot> {
        self.snapshots.back()
    }

    /// All snapshots, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &PerformanceSnapshot> {
        self.snapshots.iter()
    }

    /// Mean over the `n` newest snapshots.
    pub fn newest(&self, signal: Signal, n: usize) -> Option<f64> {
        mean(self.snapshots.iter().rev().take(n).map(|snapshot| snapshot.value(signal)))
    }

    /// Mean over the `n` oldest snapshots.
    pub fn oldest(&self, signal: Signal, n: usize) -> Option<f64> {
        mean(self.snapshots.iter().take(n).map(|snapshot| snapshot.value(signal)))
    }

    /// Mean over the window.
    pub fn mean(&self, signal: Signal) -> Option<f64> {
        mean(self.values(signal))
    }

    /// Smallest value of the window.
    pub fn min(&self, signal: Signal) -> Option<f64> {
        self.enough(signal)?;
        self.values(signal).flatten().reduce(f64::min)
    }

    /// Largest value of the window.
    pub fn max(&self, signal: Signal) -> Option<f64> {
        self.enough(signal)?;
        self.values(signal).flatten().reduce(f64::max)
    }

    /// Standard deviation over the window, of the population as in `PromQL`'s `stddev_over_time`.
    pub fn stddev(&self, signal: Signal) -> Option<f64> {
        let mean = self.mean(signal)?;
        let count = self.values(signal).flatten().count();
        let squares: f64 = self.values(signal).flatten().map(|value| (value - mean).powi(2)).sum();
        finite((squares / count as f64).sqrt())
    }

    /// Least-squares slope over the window, per minute; absent for fewer than two moments.
    pub fn slope(&self, signal: Signal) -> Option<f64> {
        let mean_y = self.mean(signal)?;
        let origin = self.snapshots.front()?.timestamp.as_millis();
        let minutes = |snapshot: &PerformanceSnapshot| {
            (snapshot.timestamp.as_millis() - origin) as f64 / 60_000.0
        };
        let points = || self.iter().filter_map(|s| Some((minutes(s), s.value(signal)?)));
        let count = points().count() as f64;
        let mean_x = points().map(|(x, _)| x).sum::<f64>() / count;
        let covariance: f64 = points().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
        let variance: f64 = points().map(|(x, _)| (x - mean_x).powi(2)).sum();
        finite(covariance / variance)
    }

    fn values(&self, signal: Signal) -> impl Iterator<Item = Option<f64>> {
        self.snapshots.iter().map(move |snapshot| snapshot.value(signal))
    }

    /// `Some` when at least half of the window has the signal.
    fn enough(&self, signal: Signal) -> Option<()> {
        let present = self.values(signal).flatten().count();
        (present > 0 && 2 * present >= self.len()).then_some(())
    }
}

/// The mean of those present; absent when fewer than half are.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let (mut sum, mut present, mut all) = (0.0, 0_u32, 0_u32);
    for value in values {
        all += 1;
        if let Some(value) = value {
            sum += value;
            present += 1;
        }
    }
    (present > 0 && 2 * present >= all).then(|| sum / f64::from(present)).and_then(finite)
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Timestamp;

    /// A window of `text`'s hit rates, a minute apart; `_` is absent.
    fn history(text: &str) -> History {
        let mut history = History::new(100);
        for (minute, value) in text.split_whitespace().enumerate() {
            let timestamp = Timestamp::from_millis(i64::try_from(minute).unwrap() * 60_000);
            let mut snapshot = PerformanceSnapshot::empty(timestamp);
            snapshot.set(Signal::HitRate, value.parse().ok());
            history.push(snapshot);
        }
        history
    }

    #[track_caller]
    fn check(text: &str, ask: impl Fn(&History) -> Option<f64>, want: Option<f64>) {
        let got = ask(&history(text));
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
        let mut history = history("1 2 3 4 5");
        history.resize(3);
        assert_eq!(history.len(), 3);
        assert_eq!(history.oldest(S, 1), Some(3.0));
        history.push(PerformanceSnapshot::empty(Timestamp::from_millis(0)));
        assert_eq!(history.len(), 3);
        history.clear();
        assert!(history.is_empty());
    }
}
