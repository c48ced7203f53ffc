//! The numbers that the methods compare: one signal of the treated cache, oriented, smoothed, and
//! freed from what its siblings did too.

use crate::judge::Case;
use crate::judge::controls;
use crate::judge::controls::Candidate;
use crate::judge::controls::Controls;
use crate::judge::measure::Measure;
use crate::judge::span::Span;
use crate::stats;
use crate::units::Timestamp;

/// One signal around a tuning.
#[derive(Debug, Clone)]
pub(super) struct Series {
    /// d up to the end of the held window; the newest `held` of them are that window.
    pub(super) history: Vec<f64>,
    /// When those were.
    pub(super) times: Vec<Timestamp>,
    /// d after the tuning, without the skipped ones.
    pub(super) after: Vec<f64>,
    /// How many samples each of those lies behind the end of the history.
    pub(super) horizons: Vec<f64>,
    /// Mean of the signal itself over the held window, in its unit.
    pub(super) before_mean: f64,
    /// The same after; absent where there is no window after.
    pub(super) after_mean: Option<f64>,
    /// What the siblings did.
    pub(super) controls: Option<Controls>,
    held: usize,
}

/// Samples of one signal of the treated cache, in its unit.
struct Raw {
    history: Vec<(Timestamp, f64)>,
    after: Vec<(Timestamp, f64)>,
}

impl Series {
    /// The series with `after` samples after the tuning and what is skipped; `None` where there are
    /// not that many, or fewer than two before.
    pub(super) fn new(case: &Case<'_>, measure: Measure, after: usize) -> Option<Self> {
        let raw = Raw::of(case, measure, after)?;
        let oriented = |values: &[(Timestamp, f64)]| -> Option<Vec<f64>> {
            values.iter().map(|(_, value)| measure.oriented(*value)).collect()
        };
        // Smoothed apart, so that nothing of the tuning leaks into the time before it.
        let mut treated = stats::running_median_3(&oriented(&raw.history)?);
        treated.extend(stats::running_median_3(&oriented(&raw.after)?));
        let length = raw.history.len();
        let times: Vec<Timestamp> =
            raw.history.iter().chain(&raw.after).map(|(at, _)| *at).collect();
        let interval = interval(&times[..length])?;
        let controls = find_controls(case, measure, &times, &treated, (length, interval));
        let mut free = treated;
        if let Some(controls) = &controls {
            for (value, movement) in free.iter_mut().zip(&controls.movement) {
                *value -= controls.weight * movement;
            }
        }
        let end = times[length - 1].as_millis();
        let skip = case.skip.min(raw.after.len());
        let behind = |at: &Timestamp| ((at.as_millis() - end) as f64 / interval).round().max(1.0);
        let held = case.held.samples.min(length);
        let mean = |part: &[(Timestamp, f64)]| {
            stats::mean(&part.iter().map(|(_, value)| *value).collect::<Vec<_>>())
        };
        Some(Self {
            after: free.split_off(length).split_off(skip),
            history: free,
            horizons: times[length + skip..].iter().map(behind).collect(),
            times: times[..length].to_vec(),
            before_mean: mean(&raw.history[length - held..])?,
            after_mean: mean(&raw.after[skip..]),
            controls,
            held,
        })
    }

    /// d over the held window.
    pub(super) fn before(&self) -> &[f64] {
        &self.history[self.history.len() - self.held..]
    }
}

impl Raw {
    fn of(case: &Case<'_>, measure: Measure, after: usize) -> Option<Self> {
        let values = || {
            let values = case.track.values(measure.signal);
            values.filter(|(_, value)| measure.oriented(*value).is_some())
        };
        let history: Vec<_> = values().take_while(|(at, _)| *at <= case.held.until).collect();
        let wanted = if after == 0 { 0 } else { case.skip + after };
        let adopted_at = case.adopted_at.filter(|_| wanted > 0);
        let after: Vec<_> = values()
            .filter(|(at, _)| adopted_at.is_some_and(|adopted| *at > adopted.max(case.held.until)))
            .take(wanted)
            .collect();
        (history.len() >= 2 && after.len() == wanted).then_some(Self { history, after })
    }
}

/// The usual time between samples in milliseconds: the median, so that gaps do not count.
pub(super) fn interval(times: &[Timestamp]) -> Option<f64> {
    let steps: Vec<f64> =
        times.windows(2).map(|pair| (pair[1].as_millis() - pair[0].as_millis()) as f64).collect();
    stats::median(&steps).filter(|interval| *interval > 0.0)
}

fn find_controls(
    case: &Case<'_>,
    measure: Measure,
    times: &[Timestamp],
    treated: &[f64],
    (history, interval): (usize, f64),
) -> Option<Controls> {
    #[expect(clippy::cast_possible_truncation, reason = "half of a time between two timestamps")]
    let reach = (interval / 2.0) as i64;
    let held = case.held.samples.min(history);
    let span = Span { start: times[history - held], end: times[times.len() - 1] };
    let candidates = case.controls.iter().take(controls::CANDIDATES_MAX).enumerate();
    let candidates: Vec<Candidate> = candidates
        .filter_map(|(index, track)| {
            let mut samples = Vec::with_capacity(track.len());
            let values = track.values(measure.signal);
            samples.extend(values.filter_map(|(at, y)| Some((at, measure.oriented(y)?))));
            let mut values = controls::aligned(&samples, times, reach);
            smooth(&mut values[..history]);
            smooth(&mut values[history..]);
            controls::candidate(index, track, span, values, treated, history)
        })
        .collect();
    if candidates.is_empty() { None } else { controls::controls(candidates, treated, history) }
}

/// The running median over those present.
fn smooth(values: &mut [Option<f64>]) {
    let present: Vec<f64> = values.iter().copied().flatten().collect();
    let smooth = stats::running_median_3(&present);
    for (slot, value) in values.iter_mut().flatten().zip(smooth) {
        *slot = value;
    }
}
