//! One cache's history for judging: longer than the rules' window, and independent of it, since a
//! verdict must not change with the length of that window.

use std::time::Duration;

use crate::signal::Signal;
use crate::snapshot::PerformanceSnapshot;
use crate::snapshot::Window;
use crate::units::Timestamp;

/// Samples kept per cache: an hour at the usual 15 s, which holds the longest windows around a
/// tuning and well over a hundred samples before it. 11 KiB with five signals.
pub const TRACK_SAMPLES_MAX: usize = 240;

/// Newest samples that tell the pace.
const PACE_SAMPLES: usize = 12;

/// The signals of one interval, packed: a bit a signal instead of an option's eight bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// The end of the interval.
    pub timestamp: Timestamp,
    /// Whether the interval says something about the cache: false after a restart or a gap, and
    /// where there was too little traffic.
    pub valid: bool,
    pub(super) present: u16,
    pub(super) values: [f64; Signal::COUNT],
}

/// The newest samples of one cache, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    window: Window,
    restarted_at: Option<Timestamp>,
}

// === impl Sample ===

impl Sample {
    /// The sample that a snapshot makes.
    pub fn new(snapshot: &PerformanceSnapshot, valid: bool) -> Self {
        let value = |signal| snapshot.value(signal).filter(|value| value.is_finite());
        Self::of_values(snapshot.timestamp, valid, value)
    }

    fn of_values(timestamp: Timestamp, valid: bool, value: impl Fn(Signal) -> Option<f64>) -> Self {
        let mut sample = Self { timestamp, valid, present: 0, values: [0.0; Signal::COUNT] };
        for signal in Signal::ALL {
            if let Some(value) = value(signal) {
                sample.present |= 1 << signal as usize;
                sample.values[signal as usize] = value;
            }
        }
        sample
    }

    /// The value of a signal, in the signal's unit.
    pub fn value(&self, signal: Signal) -> Option<f64> {
        let is_present = self.present & (1 << signal as usize) != 0;
        is_present.then(|| self.values[signal as usize])
    }

    /// The value of a signal where the sample is valid.
    pub(super) fn valid_value(&self, signal: Signal) -> Option<f64> {
        self.value(signal).filter(|_| self.valid)
    }
}

// === impl Track ===

impl Track {
    /// An empty history.
    pub fn new() -> Self {
        Self { window: Window::new(TRACK_SAMPLES_MAX), restarted_at: None }
    }

    /// Makes room for a window of so many rows, of which the judge sees the newest
    /// [`TRACK_SAMPLES_MAX`].
    pub fn make_room(&mut self, rows: usize) {
        self.window.resize(rows.max(TRACK_SAMPLES_MAX));
    }

    /// All rows.
    pub const fn window(&self) -> &Window {
        &self.window
    }

    /// Adds the newest sample; the oldest goes beyond [`TRACK_SAMPLES_MAX`]. One that is not newer
    /// than the newest says nothing to the judge.
    pub fn push(&mut self, sample: Sample) {
        let is_newer = self.window.times().last().is_none_or(|newest| *newest < sample.timestamp);
        let is_valid = sample.valid && is_newer;
        self.window.push(sample.timestamp, is_valid, |signal| sample.value(signal));
    }

    /// Notes that the cache restarted: a tuning in that time cannot be judged, and the cache is no
    /// control for others.
    pub fn restart(&mut self, at: Timestamp) {
        self.restarted_at = self.restarted_at.max(Some(at));
    }

    /// The newest restart that was noted.
    pub fn restarted_at(&self) -> Option<Timestamp> {
        self.restarted_at
    }

    /// The usual time between two samples: the median of the newest; `None` below two.
    pub fn pace(&self) -> Option<Duration> {
        let times = &self.window.times()[self.first()..];
        let newest = &times[times.len().saturating_sub(PACE_SAMPLES)..];
        let mut steps: Vec<Duration> =
            newest.windows(2).map(|pair| pair[1].saturating_since(pair[0])).collect();
        steps.sort_unstable();
        steps.get(steps.len() / 2).copied()
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.window.len().min(TRACK_SAMPLES_MAX)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.window.is_empty()
    }

    /// All samples, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Sample> + ExactSizeIterator {
        (self.first()..self.window.len()).map(|row| self.sample(row))
    }

    /// The row of the window that is the oldest sample.
    fn first(&self) -> usize {
        self.window.len() - self.len()
    }

    fn sample(&self, row: usize) -> Sample {
        let (timestamp, valid) = (self.window.times()[row], self.window.marks()[row]);
        Sample::of_values(timestamp, valid, |signal| self.window.value(row, signal))
    }

    /// Times and values of a signal where it is present and the sample valid.
    pub(super) fn values(&self, signal: Signal) -> impl Iterator<Item = (Timestamp, f64)> {
        let first = self.first();
        let values = self.window.column(signal, first..self.window.len());
        let rows =
            self.window.times()[first..].iter().zip(values).zip(&self.window.marks()[first..]);
        rows.filter(|((_, value), is_valid)| **is_valid && !value.is_nan())
            .map(|((time, value), _)| (*time, *value))
    }
}

impl Default for Track {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(ms: i64, hit_rate: Option<f64>) -> Sample {
        let mut snapshot = PerformanceSnapshot::empty(Timestamp::from_millis(ms));
        snapshot.set(Signal::HitRate, hit_rate);
        Sample::new(&snapshot, true)
    }

    #[test]
    fn absent_is_not_zero() {
        assert_eq!(sample(1, Some(0.0)).value(Signal::HitRate), Some(0.0));
        assert_eq!(sample(1, None).value(Signal::HitRate), None);
        assert_eq!(sample(1, Some(0.5)).value(Signal::PromotionRate), None);
    }

    #[test]
    fn history_is_bounded_and_its_times_rise() {
        for room in [1, 1000] {
            let mut track = Track::new();
            track.make_room(room);
            for ms in 0..300 {
                track.push(sample(ms, Some(0.25)));
            }
            track.push(sample(299, Some(0.5)));
            track.push(sample(7, Some(0.5)));
            assert_eq!((track.len(), track.iter().count()), (TRACK_SAMPLES_MAX, TRACK_SAMPLES_MAX));
            assert_eq!(track.iter().next().unwrap().timestamp.as_millis(), 62);
            let values: Vec<f64> = track.values(Signal::HitRate).map(|(_, value)| value).collect();
            assert_eq!(values, [0.25; TRACK_SAMPLES_MAX - 2]);
        }
    }

    #[test]
    fn the_newest_restart_counts() {
        let mut track = Track::new();
        track.restart(Timestamp::from_millis(5));
        track.restart(Timestamp::from_millis(3));
        assert_eq!(track.restarted_at(), Some(Timestamp::from_millis(5)));
    }
}
