//! What is remembered of each rule on one cache between its analyses: how long its condition has
//! held, what it has earned, and until when it rests.

use serde::Deserialize;
use serde::Serialize;

use crate::confidence::Posterior;
use crate::units::Timestamp;

/// Failures in a row that still lengthen the rest: 2^20 samples are beyond any limit.
const FAILURES_COUNTED_MAX: u32 = 20;

/// One rule on one cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RuleTrust {
    /// Outcomes of its tunings here.
    pub(super) posterior: Posterior,
    /// Newest snapshots in a row for which its condition held.
    pub(super) held: usize,
    /// Tunings in a row that failed.
    pub(super) failures: u32,
    /// Until when it rests.
    pub(super) rests_until: Option<Timestamp>,
}

impl RuleTrust {
    /// Takes in an outcome that counts.
    pub(super) fn record(&mut self, improved: bool, now: Timestamp) {
        self.posterior.record(improved, now);
        self.failures = if improved { 0 } else { (self.failures + 1).min(FAILURES_COUNTED_MAX) };
    }

    /// By how much its rest is longer than the usual one.
    pub(super) const fn rest_factor(&self) -> u32 {
        1 << self.failures
    }
}
