//! Windows that are full.

use cache_tuner_exporter::history::History;

use crate::samples;
use crate::samples::SAMPLES;

/// The full window of a cache, numbered by `seed`.
pub(crate) fn window(seed: u64) -> History<'static> {
    let mut history = History::new(SAMPLES);
    for snapshot in samples::snapshots(seed, SAMPLES) {
        history.push(snapshot);
    }
    history
}
