//! What a tuner did, and what came of it.

use serde::Deserialize;
use serde::Serialize;

use crate::units::Timestamp;

/// Statistics of one cache's tunings, named as in rez-next. What is not known yet is `None`, where
/// rez-next says 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AdaptiveTuningStats {
    /// Tunings put in force.
    pub tuning_operations: u64,
    /// Tunings after which the objective improved.
    pub successful_tunings: u64,
    /// Tunings that did harm, or cost something and gained nothing.
    pub failed_tunings: u64,
    /// Mean relative improvement of the successful ones.
    pub avg_improvement: Option<f64>,
    /// Overall confidence; 0 to 1. It starts at 0.5: nothing speaks for or against.
    pub current_confidence: f64,
    /// When the last tuning was put in force.
    pub last_tuning: Option<Timestamp>,
}

impl Default for AdaptiveTuningStats {
    fn default() -> Self {
        Self {
            tuning_operations: 0,
            successful_tunings: 0,
            failed_tunings: 0,
            avg_improvement: None,
            current_confidence: 0.5,
            last_tuning: None,
        }
    }
}

impl AdaptiveTuningStats {
    /// Successful ÷ (successful + failed); `None` before the first outcome. rez-next divides by all
    /// operations, which makes every tuning that is still running a failure.
    pub fn success_rate(&self) -> Option<f64> {
        let judged = self.successful_tunings + self.failed_tunings;
        (judged > 0).then(|| self.successful_tunings as f64 / judged as f64)
    }

    pub(super) fn record_operation(&mut self, now: Timestamp) {
        self.tuning_operations += 1;
        self.last_tuning = Some(now);
    }

    pub(super) fn record_outcome(&mut self, improved: bool, improvement: Option<f64>) {
        if improved {
            self.successful_tunings += 1;
            let n = self.successful_tunings as f64;
            let before = self.avg_improvement.unwrap_or(0.0);
            // One of which no number is known counts as the mean of the others.
            let improvement = improvement.or(self.avg_improvement);
            self.avg_improvement = improvement.map(|new| (before * (n - 1.0) + new) / n);
        } else {
            self.failed_tunings += 1;
        }
        if let Some(rate) = self.success_rate() {
            self.current_confidence = rate;
        }
    }
}
