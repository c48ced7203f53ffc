//! The votes against SciPy, the judge by its symmetries, and both by simulation.

mod oracle;
mod simulation;
mod verdicts;

use crate::judge::*;
use crate::snapshot::PerformanceSnapshot;

/// Milliseconds between two samples.
const STEP: i64 = 15_000;

fn at(step: usize) -> Timestamp {
    Timestamp::from_millis(i64::try_from(step).unwrap() * STEP)
}

/// A cache whose samples are `values` of `signal`, and the same traffic all the time.
fn track(signal: Signal, values: &[f64]) -> Track {
    let mut track = Track::new();
    for (step, value) in values.iter().enumerate() {
        let mut snapshot = PerformanceSnapshot::empty(at(step));
        snapshot.set(signal, Some(*value));
        snapshot.set(Signal::OpsPerSecond, Some(100.0));
        track.push(Sample::new(&snapshot, true));
    }
    track
}

/// The tuning of `track` after the first `history` samples, with the usual windows.
fn case<'a>(track: &'a Track, controls: &'a [&'a Track], history: usize) -> Case<'a> {
    Case {
        objective: Objective { signal: Signal::HitRate, goal: Goal::Increase },
        kind: Kind::Growth,
        track,
        controls,
        held: Held { samples: 5, until: at(history - 1) },
        adopted_at: Some(at(history - 1)),
        skip: 2,
        others: &[],
        predicted: None,
        saving: 0.0,
        now: at(track.len()),
    }
}
