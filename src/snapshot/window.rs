//! Many snapshots of one cache in little memory: columns, one a signal, and only for the signals
//! that the cache ever showed.
//!
//! Most caches show four to six of the ten signals, and there may be a hundred thousand caches. As
//! options in structures, a hundred snapshots are 17 KiB; as columns of five signals, 5 KiB. And
//! whatever is asked of a window is asked of one signal, whose values lie side by side here. A full
//! window moves up by one row at each new one, which is half a microsecond for the longest; a ring
//! would save that, and cost it again in two halves wherever it is read.

use std::ops::Range;

use super::PerformanceSnapshot;
use crate::signal::Signal;
use crate::units::Timestamp;

/// Rows for which there is room at first; it doubles from there.
const ROWS_MIN: usize = 8;

/// What stands in a column where the signal is absent. No signal has such a value.
const ABSENT: f64 = f64::NAN;

/// The newest rows, oldest first, each with a time, a mark and the signals.
#[derive(Debug, Clone)]
pub struct Window {
    rows_max: usize,
    times: Vec<Timestamp>,
    marks: Vec<bool>,
    /// As long as `times`, or empty for a signal that was never shown.
    columns: [Vec<f64>; Signal::COUNT],
}

impl Window {
    /// An empty window of at most `rows_max` rows (at least one).
    pub fn new(rows_max: usize) -> Self {
        Self {
            rows_max: rows_max.max(1),
            times: Vec::new(),
            marks: Vec::new(),
            columns: [const { Vec::new() }; Signal::COUNT],
        }
    }

    /// Adds the newest row; the oldest goes when the window is full. A value that is not finite is
    /// absent.
    pub fn push(&mut self, time: Timestamp, mark: bool, value: impl Fn(Signal) -> Option<f64>) {
        if self.len() == self.rows_max {
            self.keep_newest(self.rows_max - 1);
        }
        let rows = self.len();
        let mut room = self.times.capacity();
        if room == rows {
            room = (2 * rows).max(ROWS_MIN).min(self.rows_max);
        }
        append(&mut self.times, time, room);
        append(&mut self.marks, mark, room);
        for (signal, column) in Signal::ALL.into_iter().zip(&mut self.columns) {
            let value = value(signal).filter(|value| value.is_finite());
            let is_shown = column.capacity() > 0;
            if !is_shown && value.is_some() {
                column.reserve_exact(room);
                column.resize(rows, ABSENT);
            }
            if is_shown || value.is_some() {
                append(column, value.unwrap_or(ABSENT), room);
            }
        }
    }

    /// Changes how many rows there may be; the oldest go first.
    pub fn resize(&mut self, rows_max: usize) {
        self.rows_max = rows_max.max(1);
        if self.len() > self.rows_max {
            self.keep_newest(self.rows_max);
            self.times.shrink_to_fit();
            self.marks.shrink_to_fit();
            self.columns.iter_mut().for_each(Vec::shrink_to_fit);
        }
    }

    fn keep_newest(&mut self, rows: usize) {
        let gone = self.len() - rows;
        self.times.drain(..gone);
        self.marks.drain(..gone);
        for column in self.columns.iter_mut().filter(|column| !column.is_empty()) {
            column.drain(..gone);
        }
    }

    /// How many rows there are.
    pub const fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The times of all rows.
    pub fn times(&self) -> &[Timestamp] {
        &self.times
    }

    /// The marks of all rows.
    pub fn marks(&self) -> &[bool] {
        &self.marks
    }

    /// The value of a signal in a row.
    pub fn value(&self, row: usize, signal: Signal) -> Option<f64> {
        self.columns[signal as usize].get(row).copied().and_then(present)
    }

    /// A row as a snapshot.
    pub fn snapshot(&self, row: usize) -> PerformanceSnapshot {
        let mut snapshot = PerformanceSnapshot::empty(self.times[row]);
        for signal in Signal::ALL {
            snapshot.set(signal, self.value(row, signal));
        }
        snapshot
    }

    /// The values of a signal in these rows as they lie in memory, NaN where it is absent; none for
    /// a signal that was never shown.
    pub fn column(&self, signal: Signal, rows: Range<usize>) -> &[f64] {
        self.columns[signal as usize].get(rows).unwrap_or_default()
    }

    /// The values of a signal in these rows, oldest first.
    pub fn values(
        &self,
        signal: Signal,
        rows: Range<usize>,
    ) -> impl DoubleEndedIterator<Item = Option<f64>> + Clone {
        // A signal that was never shown is absent from each row all the same.
        let absent = if self.columns[signal as usize].is_empty() { rows.len() } else { 0 };
        self.column(signal, rows)
            .iter()
            .copied()
            .map(present)
            .chain(std::iter::repeat_n(None, absent))
    }
}

/// The same rows, however much room there is for more.
impl PartialEq for Window {
    fn eq(&self, other: &Self) -> bool {
        self.rows_max == other.rows_max
            && self.times == other.times
            && self.marks == other.marks
            && Signal::ALL.into_iter().all(|signal| {
                self.values(signal, 0..self.len()).eq(other.values(signal, 0..self.len()))
            })
    }
}

fn present(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

/// Appends to a list that never gets more room than it is going to need.
fn append<T>(list: &mut Vec<T>, value: T, room: usize) {
    if list.len() == list.capacity() {
        list.reserve_exact(room.saturating_sub(list.len()).max(1));
    }
    list.push(value);
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;
    use crate::snapshot::PerformanceSnapshot;

    #[derive(Debug, Clone)]
    enum Step {
        Push(bool, [Option<f64>; 3]),
        Resize(usize),
    }

    const SIGNALS: [Signal; 3] = [Signal::HitRate, Signal::PromotionRate, Signal::OpsPerSecond];

    fn step() -> impl Strategy<Value = Step> {
        let value = || proptest::option::weighted(0.6, prop_oneof![any::<f64>(), Just(0.0)]);
        prop_oneof![
            30 => (any::<bool>(), [value(), value(), value()]).prop_map(|(m, v)| Step::Push(m, v)),
            2 => (0..40_usize).prop_map(Step::Resize),
        ]
    }

    proptest! {
        #[test]
        fn a_window_is_a_bounded_queue_of_snapshots(
            rows_max in 0..20_usize,
            steps in proptest::collection::vec(step(), 0..80),
        ) {
            let mut window = Window::new(rows_max);
            let mut plain: VecDeque<(bool, PerformanceSnapshot)> = VecDeque::new();
            let mut plain_max = rows_max.max(1);
            for (ms, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Push(mark, values) => {
                        let time = Timestamp::from_millis(i64::try_from(ms).unwrap());
                        let mut snapshot = PerformanceSnapshot::empty(time);
                        for (signal, value) in SIGNALS.into_iter().zip(values) {
                            snapshot.set(signal, value);
                        }
                        window.push(time, mark, |signal| snapshot.value(signal));
                        plain.push_back((mark, snapshot));
                    }
                    Step::Resize(max) => {
                        window.resize(max);
                        plain_max = max.max(1);
                    }
                }
                plain.drain(..plain.len().saturating_sub(plain_max));
                prop_assert_eq!(window.len(), plain.len());
                for (row, (mark, snapshot)) in plain.iter().enumerate() {
                    prop_assert_eq!(window.times()[row], snapshot.timestamp);
                    prop_assert_eq!(window.marks()[row], *mark);
                    for signal in Signal::ALL {
                        prop_assert_eq!(window.value(row, signal), snapshot.value(signal));
                    }
                }
                for signal in Signal::ALL {
                    let rows = plain.len() / 3..plain.len();
                    let want: Vec<_> =
                        plain.range(rows.clone()).map(|(_, s)| s.value(signal)).collect();
                    prop_assert_eq!(window.values(signal, rows).collect::<Vec<_>>(), want);
                }
                prop_assert_eq!(&window.clone(), &window);
            }
        }
    }

    #[test]
    fn there_is_room_for_what_is_shown_alone() {
        let mut window = Window::new(100);
        for ms in 0..300 {
            let time = Timestamp::from_millis(ms);
            window.push(time, true, |signal| (signal == Signal::HitRate).then_some(0.5));
        }
        let room: usize = window.columns.iter().map(Vec::capacity).sum();
        assert_eq!((window.times.capacity(), room), (100, 100));
    }
}
