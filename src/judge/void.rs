//! What makes a tuning impossible to judge, whatever the numbers say.

use crate::judge::Case;
use crate::judge::Look;
use crate::judge::Reason;
use crate::judge::series;
use crate::judge::span::Span;
use crate::judge::track::Track;
use crate::signal::Signal;
use crate::stats;
use crate::units::Timestamp;

/// Largest share of the samples in the windows that may be missing.
const MISSING_MAX: f64 = 0.2;
/// Largest factor by which the traffic may have changed against the siblings'.
const TRAFFIC_FACTOR_MAX: f64 = 1.5;
/// Samples over which traffic is taken together: a crowd that comes for some minutes must not hide
/// in the mean of a longer window.
const TRAFFIC_SAMPLES: usize = 5;
/// Fewest samples that the last part of a window may have to count.
const TRAFFIC_SAMPLES_MIN: usize = 3;
/// An effect is believed up to this many times the predicted one …
const PREDICTED_FACTOR: f64 = 3.0;
/// … or up to this much beyond it, and beyond 0: that a predicted loss stays away is nothing odd.
const PREDICTED_SLACK: f64 = 0.02;

/// Why the case cannot be judged at `look`; `None` where it can, as far as is known by now.
pub(super) fn reason(case: &Case<'_>, look: Look) -> Option<Reason> {
    let Some(adopted_at) = case.adopted_at else { return Some(Reason::NotAdopted) };
    let windows = Windows::of(case, adopted_at, look);
    let span = Span { start: windows.before.start, end: windows.after.end };
    if case.track.restarted_at().is_some_and(|at| span.contains(at)) {
        return Some(Reason::Restarted);
    }
    if case.others.iter().any(|other| other.overlaps(span)) {
        return Some(Reason::Overlapping);
    }
    let is_steady = windows.traffic_range(case).is_none_or(|range| range <= TRAFFIC_FACTOR_MAX);
    if look == Look::Early {
        return (!is_steady).then_some(Reason::Waiting);
    }
    if windows.missing_share() > MISSING_MAX {
        return Some(Reason::SamplesMissing);
    }
    (!is_steady).then_some(Reason::TrafficChanged)
}

/// Whether an effect is larger than the tuning can have caused.
pub(super) fn is_too_good(effect: f64, predicted: Option<f64>) -> bool {
    let limit = predicted.map(|p| (PREDICTED_FACTOR * p).max(p.max(0.0) + PREDICTED_SLACK));
    limit.is_some_and(|limit| effect > limit)
}

/// The windows as stretches of time, with the valid samples found in them.
struct Windows {
    before: Span,
    after: Span,
    /// Samples that should be there by now, and are not.
    missing: f64,
    /// Samples that there should be in the end.
    expected: f64,
}

impl Windows {
    fn of(case: &Case<'_>, adopted_at: Timestamp, look: Look) -> Self {
        let signal = case.objective.signal;
        let held = case.held;
        let all: Vec<Timestamp> = case.track.iter().map(|sample| sample.timestamp).collect();
        let history: Vec<Timestamp> =
            case.track.values(signal).map(|(at, _)| at).filter(|at| *at <= held.until).collect();
        let start = history[history.len().saturating_sub(held.samples)..].first();
        let start = start.copied().unwrap_or(held.until);
        let behind: Vec<Timestamp> = case
            .track
            .values(signal)
            .map(|(at, _)| at)
            .filter(|at| *at > adopted_at)
            .take(case.skip + look.samples())
            .collect();
        let is_whole = behind.len() == case.skip + look.samples() && look != Look::Early;
        let end = behind.last().copied().filter(|_| is_whole).unwrap_or(case.now).max(adopted_at);
        let steps = |from: Timestamp, to: Timestamp, interval: f64| {
            ((to.as_millis() - from.as_millis()) as f64 / interval).round()
        };
        let expected = series::interval(&all).map_or(0.0, |interval| {
            steps(start, held.until, interval) + 1.0 + steps(adopted_at, end, interval)
        });
        // While samples still come in, the share is of all that are wanted.
        let wanted = held.samples + case.skip + look.samples();
        let found = history.len().min(held.samples) + behind.len();
        Self {
            before: Span { start, end: held.until },
            after: Span { start: adopted_at, end },
            missing: expected - found as f64,
            expected: expected.max(wanted as f64),
        }
    }

    fn missing_share(&self) -> f64 {
        self.missing / self.expected.max(1.0)
    }

    /// The largest ÷ the smallest traffic of the parts of the windows, each against the median of
    /// the siblings' at the same time; of the cache alone where there is none. `None` where the
    /// traffic is not known.
    fn traffic_range(&self, case: &Case<'_>) -> Option<f64> {
        let own = self.traffic(case.track);
        let siblings: Vec<Vec<(Timestamp, f64)>> =
            case.controls.iter().map(|track| self.traffic(track)).collect();
        let parts = self.parts(&own);
        let first = *parts.first()?;
        let relative = |part: Span| {
            let growth = |values: &[(Timestamp, f64)]| {
                let growth = level(values, part)? / level(values, first)?;
                (growth.is_finite() && growth > 0.0).then_some(growth)
            };
            let theirs: Vec<f64> = siblings.iter().filter_map(|values| growth(values)).collect();
            Some(growth(&own)? / stats::median(&theirs).unwrap_or(1.0))
        };
        let all: Option<Vec<f64>> = parts.into_iter().map(relative).collect();
        let all = all?;
        let most = all.iter().copied().reduce(f64::max)?;
        Some(most / all.into_iter().reduce(f64::min)?)
    }

    /// Valid samples of a cache's traffic in the windows.
    fn traffic(&self, track: &Track) -> Vec<(Timestamp, f64)> {
        // Newest first: the windows are at the end of the history.
        let newest = track.iter().rev().take_while(|s| s.timestamp >= self.before.start);
        let values = newest.filter(|s| s.timestamp <= self.after.end);
        let values = values
            .filter_map(|s| Some((s.timestamp, s.valid_value(Signal::OpsPerSecond)?)))
            .collect::<Vec<_>>();
        values.into_iter().rev().collect()
    }

    /// The windows in parts of [`TRAFFIC_SAMPLES`] of these samples.
    fn parts(&self, samples: &[(Timestamp, f64)]) -> Vec<Span> {
        let border = samples.iter().filter(|(at, _)| *at <= self.before.end).count();
        let (before, after) = samples.split_at(border);
        let parts = [before, after].into_iter().flat_map(|window| window.chunks(TRAFFIC_SAMPLES));
        parts
            .filter(|part| part.len() >= TRAFFIC_SAMPLES_MIN)
            .filter_map(|part| Some(Span { start: part.first()?.0, end: part.last()?.0 }))
            .collect()
    }
}

/// The median of the values in a stretch of time.
fn level(values: &[(Timestamp, f64)], span: Span) -> Option<f64> {
    let inside = values.iter().filter(|(at, _)| span.contains(*at));
    stats::median(&inside.map(|(_, value)| *value).collect::<Vec<_>>())
}
