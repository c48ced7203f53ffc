//! A tuning to be judged, as it stands at the last look.

use cache_tuner_exporter::judge::Case;
use cache_tuner_exporter::judge::Held;
use cache_tuner_exporter::judge::Kind;
use cache_tuner_exporter::judge::TRACK_SAMPLES_MAX;
use cache_tuner_exporter::judge::Track;
use cache_tuner_exporter::rule::HIT_RATE;

use crate::samples;

/// Samples to the tuning; two are left out after it, and twenty compared.
const HISTORY: usize = TRACK_SAMPLES_MAX - SKIP - 20;
const SKIP: usize = 2;

/// A tuning in a track as long as it gets.
pub(crate) fn case<'a>(track: &'a Track, controls: &'a [&'a Track]) -> Case<'a> {
    let decided = samples::at(HISTORY - 1);
    Case {
        objective: HIT_RATE,
        kind: Kind::Growth,
        track,
        controls,
        held: Held { samples: 5, until: decided },
        adopted_at: Some(decided),
        skip: SKIP,
        others: &[],
        predicted: None,
        saving: 0.0,
        now: samples::at(TRACK_SAMPLES_MAX),
    }
}
