//! The settings of a tuner, with rez-next's names and defaults.

mod feedback;
pub mod read;

use std::time::Duration;

pub use feedback::Feedback;
pub use feedback::FeedbackOverrides;
pub use feedback::Freeze;

/// Largest `performance_window_size`: a day of snapshots at the usual 15 s.
pub const WINDOW_SNAPSHOTS_MAX: usize = 5760;

/// Whether recommendations are put in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Recommendations are shown only.
    Advisory,
    /// Those trusted enough are put in force: the published parameter takes the value.
    #[default]
    Auto,
}

impl Mode {
    /// As written in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Advisory => "advisory",
            Self::Auto => "auto",
        }
    }
}

/// The settings of a tuner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TuningConfig {
    /// Whether anything is recommended at all.
    pub enable_adaptive_tuning: bool,
    /// Time between two analyses of a cache.
    pub tuning_interval: Duration,
    /// Snapshots kept per cache; 1 to [`WINDOW_SNAPSHOTS_MAX`].
    pub performance_window_size: usize,
    /// Snapshots below which nothing is recommended.
    pub min_samples_for_tuning: usize,
    /// Hit rate that is good enough; 0 to 1.
    pub target_hit_rate: f64,
    /// Confidence from which a recommendation is put in force; 0 to 1.
    pub min_confidence_for_auto_tuning: f64,
    /// Whether recommendations are put in force.
    pub mode: Mode,
    /// The guards around tunings, and whether they are judged.
    pub feedback: Feedback,
}

impl Default for TuningConfig {
    fn default() -> Self {
        Self {
            enable_adaptive_tuning: true,
            tuning_interval: Duration::from_secs(300),
            performance_window_size: 100,
            min_samples_for_tuning: 10,
            target_hit_rate: 0.9,
            min_confidence_for_auto_tuning: 0.8,
            mode: Mode::Auto,
            feedback: Feedback::default(),
        }
    }
}
