//! How the samples of a cache lie in the database.
//!
//! One row a sample would be 2.4 million rows to read at the start with 10,000 caches; one row a
//! cache would be 12 KiB to write for each sample. So a row holds up to [`ROW_SAMPLES`], and the
//! newest row is written again until it is full. A cache has [`SLOTS`] rows, a ring in which the
//! newest takes the place of the oldest: nothing ever has to be deleted. Rows lie by slot, then by
//! cache: caches that step together write rows that lie together, few pages instead of one each.

use crate::judge::Sample;
use crate::judge::TRACK_SAMPLES_MAX;

/// Samples in one row: what a step writes again (half a row on average) against what a start reads.
pub(super) const ROW_SAMPLES: usize = 8;

/// Rows of a cache. Part of the format: with another number, slots mean something else, and a
/// migration is due.
pub(super) const SLOTS: u32 = 31;

/// Rows lie by slot; so many caches find room in one.
const CACHES_MAX: i64 = 1 << 40;

// While the newest row fills, the rows before it hold all that is kept.
const _: () = assert!((SLOTS as usize - 1) * ROW_SAMPLES >= TRACK_SAMPLES_MAX);

/// The newest row of a cache.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tail {
    /// How many rows there were before.
    pub(super) number: i64,
    /// How many samples it holds.
    count: usize,
    /// Those samples, packed.
    pub(super) bytes: Vec<u8>,
}

// === impl Tail ===

impl Tail {
    /// The row of that number that holds `bytes`, which are `count` samples.
    pub(super) fn new(number: i64, count: usize, bytes: Vec<u8>) -> Self {
        Self { number, count, bytes }
    }

    /// Whether the next sample needs another row.
    pub(super) fn is_full(&self) -> bool {
        self.count >= ROW_SAMPLES
    }

    /// The row after this one, without samples yet.
    pub(super) fn advance(&mut self) {
        self.number += 1;
        self.count = 0;
        self.bytes.clear();
    }

    /// Adds a sample.
    pub(super) fn push(&mut self, sample: &Sample) {
        sample.write_bytes(&mut self.bytes);
        self.count += 1;
    }

    /// Where the row of the cache `id` lies.
    pub(super) fn place(&self, id: i64) -> i64 {
        place(self.number % i64::from(SLOTS), id)
    }
}

/// Where a cache's row of a slot lies.
pub(super) fn place(slot: i64, id: i64) -> i64 {
    slot * CACHES_MAX + id
}

/// Which cache's row lies there.
pub(super) fn id(place: i64) -> i64 {
    place % CACHES_MAX
}

/// Samples of one cache, put together from rows in the order in which they lie.
#[derive(Debug, Default)]
pub(super) struct Unrolled {
    samples: Vec<Sample>,
    /// Where the oldest samples begin: the ring's seam.
    seam: usize,
    newest: Tail,
    last_number: i64,
}

// === impl Unrolled ===

impl Unrolled {
    /// Adds the row that lies next; `None` where it holds something else than samples.
    pub(super) fn push(&mut self, number: i64, mut bytes: &[u8]) -> Option<()> {
        if number < self.last_number {
            self.seam = self.samples.len();
        }
        self.last_number = number;
        let before = self.samples.len();
        let row = bytes;
        // At once instead of by doubling: most caches have their full number.
        self.samples.reserve_exact(TRACK_SAMPLES_MAX + ROW_SAMPLES - before.min(TRACK_SAMPLES_MAX));
        while !bytes.is_empty() {
            self.samples.push(Sample::read_bytes(&mut bytes)?);
        }
        if number >= self.newest.number {
            self.newest = Tail::new(number, self.samples.len() - before, row.to_vec());
        }
        Some(())
    }

    /// All that is kept, oldest first, and the row that takes the next.
    pub(super) fn finish(mut self) -> (Vec<Sample>, Tail) {
        self.samples.rotate_left(self.seam);
        let surplus = self.samples.len().saturating_sub(TRACK_SAMPLES_MAX);
        self.samples.drain(..surplus);
        (self.samples, self.newest)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::snapshot::PerformanceSnapshot;
    use crate::units::Timestamp;

    #[test]
    fn the_newest_samples_come_back_in_order_and_go_on() {
        let sample =
            |ms| Sample::new(&PerformanceSnapshot::empty(Timestamp::from_millis(ms)), true);
        let mut rows = BTreeMap::new();
        let mut tail = Tail::default();
        for ms in 0..600 {
            if tail.is_full() {
                tail.advance();
            }
            tail.push(&sample(ms));
            rows.insert(tail.place(5), (tail.number, tail.bytes.clone()));
            let mut unrolled = Unrolled::default();
            for (place, (number, bytes)) in &rows {
                assert_eq!(id(*place), 5);
                unrolled.push(*number, bytes).unwrap();
            }
            let (samples, newest) = unrolled.finish();
            let oldest = (ms + 1).saturating_sub(i64::try_from(TRACK_SAMPLES_MAX).unwrap()).max(0);
            let want: Vec<_> = (oldest..=ms).map(sample).collect();
            assert_eq!(samples, want);
            assert_eq!(newest, tail);
        }
        assert_eq!(rows.len(), SLOTS as usize);
    }
}
