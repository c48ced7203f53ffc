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
/// Largest factor by which the traffic may have changed against the controls.
const TRAFFIC_FACTOR_MAX: f64 = 1.5;
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
    if look == Look::Early {
        return None;
    }
    if windows.missing_share() > MISSING_MAX {
        return Some(Reason::SamplesMissing);
    }
    let factor = windows.traffic_factor(case)?;
    (!(1.0 / TRAFFIC_FACTOR_MAX..=TRAFFIC_FACTOR_MAX).contains(&factor))
        .then_some(Reason::TrafficChanged)
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

    /// The growth of the treated cache's traffic ÷ the median of its siblings'; its own growth
    /// where there is none. `None` where the traffic is not known.
    fn traffic_factor(&self, case: &Case<'_>) -> Option<f64> {
        let growth = |track: &Track| {
            // Newest first: the windows are at the end of the history.
            let newest = track.iter().rev().take_while(|s| s.timestamp >= self.before.start);
            let values = newest
                .filter_map(|s| Some((s.timestamp, s.valid_value(Signal::OpsPerSecond)?)))
                .collect::<Vec<_>>();
            let mean = |span: Span| {
                let inside = values.iter().filter(|(at, _)| span.contains(*at));
                stats::mean(&inside.map(|(_, value)| *value).collect::<Vec<_>>())
            };
            let growth = mean(self.after)? / mean(self.before)?;
            (growth.is_finite() && growth > 0.0).then_some(growth)
        };
        let siblings: Vec<f64> = case.controls.iter().filter_map(|track| growth(track)).collect();
        Some(growth(case.track)? / stats::median(&siblings).unwrap_or(1.0))
    }
}
