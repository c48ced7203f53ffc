//! Windows that are full.

use cache_tuner_exporter::snapshot::Window;

use crate::samples;
use crate::samples::SAMPLES;

/// The full window of a cache, numbered by `seed`.
pub(crate) fn window(seed: u64) -> Window {
    let mut window = Window::new(SAMPLES);
    for snapshot in samples::snapshots(seed, SAMPLES) {
        window.push(snapshot.timestamp, true, |signal| snapshot.value(signal));
    }
    window
}
