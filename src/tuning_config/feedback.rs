//! The settings of the closed loop: when a tuning may be made, and what follows from its outcome.

use std::time::Duration;

use crate::tuning_config::Mode;
use crate::units::Timestamp;

/// The guards around tunings. With `enabled: false` none of them applies, nothing is judged, and
/// the tuner does exactly what rez-next's does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Feedback {
    /// Whether tunings are guarded, judged and learnt from.
    pub enabled: bool,
    /// Newest snapshots in a row for which a rule's condition must have held.
    pub hold_samples: usize,
    /// The same for a rule that makes a level smaller.
    pub hold_samples_shrink: usize,
    /// Samples after a judged tuning in which the cache is left alone. The time doubles with each
    /// failure in a row of the same rule on the same cache.
    pub cooldown_samples: usize,
    /// Longest time that this doubling leads to.
    pub cooldown_max: Duration,
    /// Relative change below which a tuning is not worth its disturbance; 0 to 1.
    pub dead_band: f64,
    /// Share of the tunings that are held back and judged all the same, to learn what would have
    /// happened without; 0 to 1.
    pub shadow_share: f64,
    /// Failures, of all caches together, that open the breaker.
    pub breaker_failures: usize,
    /// Time within which those failures must fall.
    pub breaker_window: Duration,
    /// Time for which an open breaker makes everything advisory.
    pub breaker_duration: Duration,
}

impl Default for Feedback {
    fn default() -> Self {
        Self {
            enabled: true,
            hold_samples: 5,
            hold_samples_shrink: 15,
            cooldown_samples: 10,
            cooldown_max: Duration::from_secs(24 * 3600),
            dead_band: 0.02,
            shadow_share: 0.1,
            breaker_failures: 3,
            breaker_window: Duration::from_secs(2 * 3600),
            breaker_duration: Duration::from_secs(6 * 3600),
        }
    }
}

impl Feedback {
    /// Nothing judged, nothing guarded.
    #[must_use]
    pub const fn off(self) -> Self {
        Self { enabled: false, ..self }
    }

    /// The same with what a rule says otherwise.
    #[must_use]
    pub fn with(self, rule: &FeedbackOverrides) -> Self {
        Self {
            hold_samples: rule.hold_samples.unwrap_or(self.hold_samples),
            hold_samples_shrink: rule.hold_samples_shrink.unwrap_or(self.hold_samples_shrink),
            cooldown_samples: rule.cooldown_samples.unwrap_or(self.cooldown_samples),
            cooldown_max: rule.cooldown_max.unwrap_or(self.cooldown_max),
            dead_band: rule.dead_band.unwrap_or(self.dead_band),
            shadow_share: rule.shadow_share.unwrap_or(self.shadow_share),
            ..self
        }
    }
}

/// What one rule says otherwise than its job; `None`: nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FeedbackOverrides {
    /// Whether its recommendations are put in force.
    pub mode: Option<Mode>,
    /// Confidence from which they are; 0 to 1.
    pub min_confidence_for_auto_tuning: Option<f64>,
    /// See [`Feedback::hold_samples`].
    pub hold_samples: Option<usize>,
    /// See [`Feedback::hold_samples_shrink`].
    pub hold_samples_shrink: Option<usize>,
    /// See [`Feedback::cooldown_samples`].
    pub cooldown_samples: Option<usize>,
    /// See [`Feedback::cooldown_max`].
    pub cooldown_max: Option<Duration>,
    /// See [`Feedback::dead_band`].
    pub dead_band: Option<f64>,
    /// See [`Feedback::shadow_share`].
    pub shadow_share: Option<f64>,
}

/// Times at which nothing is put in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Freeze {
    /// From the first instant to before the second.
    pub spans: Vec<(Timestamp, Timestamp)>,
}

impl Freeze {
    /// Whether `now` lies in one of them.
    pub fn contains(&self, now: Timestamp) -> bool {
        self.spans.iter().any(|(from, to)| (*from..*to).contains(&now))
    }
}
