//! What a tuning really did: the tuned cache beside a fork of it that was left alone.
//!
//! Both get the same requests and the same disturbances at every tick, so the difference of their
//! means is the effect of the tuning and of nothing else. A judge sees only the one; how often it
//! is right is measured against this.

use std::ops::Range;

use crate::cache_stats::CacheStats;
use crate::signal::Signal;
use crate::sim::fleet::Member;
use crate::snapshot;
use crate::snapshot::Interval;
use crate::tuning_parameters::TuningParameters;
use crate::units::Timestamp;

/// A real effect on the hit rate from here on is a gain; the same below zero is harm.
pub const GAIN_MIN: f64 = 0.01;

/// An effect on the hit rate nearer to zero than this is none.
pub const NONE_MAX: f64 = 0.003;

/// What an effect on the hit rate amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// At least [`GAIN_MIN`].
    Gain,
    /// At least as much to the worse.
    Harm,
    /// Less than [`NONE_MAX`] either way.
    None,
    /// In between: a verdict on it is neither right nor wrong.
    Unscored,
}

impl Effect {
    /// The class of a difference of hit rates.
    pub fn of(difference: f64) -> Self {
        match difference {
            x if x >= GAIN_MIN => Self::Gain,
            x if x <= -GAIN_MIN => Self::Harm,
            x if x.abs() < NONE_MAX => Self::None,
            _ => Self::Unscored,
        }
    }
}

/// A tuned cache and its fork, side by side from the tuning on.
#[derive(Debug, Clone)]
pub struct Truth {
    signal: Signal,
    tuned: Track,
    fork: Track,
}

#[derive(Debug, Clone)]
struct Track {
    member: Member,
    last: (CacheStats, Timestamp),
    values: Vec<Option<f64>>,
}

// === impl Truth ===

impl Truth {
    /// Starts at the moment of the tuning: `member` is the cache as it was just before, `tuned`
    /// what it is told. Measured by `signal`.
    pub fn start(member: &Member, tuned: TuningParameters, signal: Signal) -> Self {
        let mut changed = member.clone();
        changed.set_parameters(tuned);
        Self { signal, tuned: Track::new(changed), fork: Track::new(member.clone()) }
    }

    /// Runs both on to `ticks` ticks after the tuning; nothing where they are there already.
    pub fn run_to(&mut self, ticks: usize) {
        let signal = self.signal;
        for track in [&mut self.tuned, &mut self.fork] {
            while track.values.len() < ticks {
                track.run_tick(signal);
            }
        }
    }

    /// Mean of the signal in those ticks after the tuning minus the fork's, running both as far as
    /// it needs. Ticks in which either has no value do not count; `None` if none is left.
    pub fn effect(&mut self, window: Range<usize>) -> Option<f64> {
        self.run_to(window.end);
        let pairs = self.tuned.values[window.clone()].iter().zip(&self.fork.values[window]);
        let differences: Vec<f64> =
            pairs.filter_map(|(tuned, fork)| Some((*tuned)? - (*fork)?)).collect();
        (!differences.is_empty())
            .then(|| differences.iter().sum::<f64>() / differences.len() as f64)
    }
}

// === impl Track ===

impl Track {
    fn new(member: Member) -> Self {
        let last = (member.stats(), member.now());
        Self { member, last, values: Vec::new() }
    }

    fn run_tick(&mut self, signal: Signal) {
        self.member.run_tick();
        let now = (self.member.stats(), self.member.now());
        let value = match snapshot::between(&self.last.0, self.last.1, &now.0, now.1) {
            Interval::Measured(snapshot) => snapshot.value(signal),
            Interval::Restarted | Interval::Empty => None,
        };
        self.values.push(value);
        self.last = now;
    }
}
