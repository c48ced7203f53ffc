//! One judgement of a tuning, with all that a job may offer as controls.

use cache_tuner_exporter::judge;
use cache_tuner_exporter::judge::CANDIDATES_MAX;
use cache_tuner_exporter::judge::CONTROLS_MAX;
use cache_tuner_exporter::judge::Look;
use cache_tuner_exporter::judge::Sample;
use cache_tuner_exporter::judge::TRACK_SAMPLES_MAX;
use cache_tuner_exporter::judge::Track;
use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::snapshot::PerformanceSnapshot;

use crate::Table;
use crate::cases::case;
use crate::rounds::Subject;
use crate::samples;

/// A job's caches, the first of which was tuned.
#[derive(Debug)]
pub(crate) struct Jobs {
    tracks: Vec<Track>,
}

impl Jobs {
    pub(crate) fn new() -> Self {
        let common = samples::snapshots(0, TRACK_SAMPLES_MAX);
        Self { tracks: (0..=CANDIDATES_MAX as u64).map(|seed| track(seed, &common)).collect() }
    }
}

pub(crate) fn table(jobs: &Jobs) -> Table<'_> {
    let (own, siblings) = jobs.tracks.split_at(1);
    let siblings: Vec<&Track> = siblings.iter().collect();
    let judging = |name: &'static str, candidates: usize, look: Look| {
        let controls = siblings[..candidates].to_vec();
        Subject::new(name, move || judge::judge(&case(&own[0], &controls), look))
    };
    let all = vec![
        sums(jobs),
        judging("last look, no controls", 0, Look::Last),
        judging("last look, 5 controls", CONTROLS_MAX, Look::Last),
        judging("first look, 5 controls", CONTROLS_MAX, Look::First),
        judging("last look, 64 candidates", CANDIDATES_MAX, Look::Last),
    ];
    Table { title: "one judgement, 240 samples", parts: 1.0, all }
}

/// The floor: each value that is compared is added once.
fn sums(jobs: &Jobs) -> Subject<'_> {
    let column = |track: &Track| -> Vec<f64> {
        track.iter().filter_map(|sample| sample.value(Signal::HitRate)).collect()
    };
    let columns: Vec<Vec<f64>> = jobs.tracks[..=CONTROLS_MAX].iter().map(column).collect();
    Subject::new("sums of six columns", move || {
        std::hint::black_box(&columns).iter().map(|column| column.iter().sum::<f64>()).sum::<f64>()
    })
}

/// A cache that moves partly as its siblings do.
fn track(seed: u64, common: &[PerformanceSnapshot]) -> Track {
    let mut track = Track::new();
    let own = samples::snapshots(seed + 1, common.len());
    for (own, common) in own.into_iter().zip(common) {
        let mut snapshot = own;
        for signal in Signal::ALL {
            let both = own.value(signal).zip(common.value(signal));
            snapshot.set(signal, both.map(|(own, common)| 0.4 * own + 0.6 * common));
        }
        track.push(Sample::new(&snapshot, true));
    }
    track
}
