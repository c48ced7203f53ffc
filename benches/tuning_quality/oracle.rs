//! The greedy oracle: tries every step on forks of the cache and takes the best.
//!
//! It knows the requests to come, so no tuner that moves by the same steps and looks as far ahead
//! can be much better. It can be beaten all the same: it takes what pays within its horizon, and a
//! larger cache takes longer than that to fill.

use cache_tuner_exporter::sim::fleet::Beat;
use cache_tuner_exporter::sim::fleet::Job;
use cache_tuner_exporter::sim::fleet::Member;
use cache_tuner_exporter::tuning_parameters::TuningParameters;

use super::policy::Policy;
use super::policy::SIZES_MAX;
use super::tally::Tally;

/// Ticks that it looks ahead.
const HORIZON_TICKS: u64 = 24;

/// Ticks between two decisions.
const DECISION_TICKS: u64 = 16;

/// A step of a size.
const STEP: f64 = 1.25;

/// Smallest size of either level.
const SIZE_MIN: f64 = 0.4;

/// Steps of level 1 and level 2; standing still comes first, so that it wins a draw.
const MOVES: [(f64, f64); 5] =
    [(1.0, 1.0), (STEP, 1.0), (1.0 / STEP, 1.0), (1.0, STEP), (1.0, 1.0 / STEP)];

/// The oracle.
#[derive(Debug, Default)]
pub(crate) struct GreedyOracle {
    decisions: u64,
}

impl Policy for GreedyOracle {
    fn observe(&mut self, _: &[Beat], _: &Job) {}

    fn decide(&mut self, job: &mut Job) {
        let is_due = self.decisions.is_multiple_of(DECISION_TICKS);
        self.decisions += 1;
        if !is_due {
            return;
        }
        for lane in 0..job.members().len() {
            if let Some(member) = job.member_mut(lane) {
                member.set_parameters(best_step(member));
            }
        }
    }
}

fn best_step(member: &Member) -> TuningParameters {
    let mut best = (f64::NEG_INFINITY, *member.parameters());
    for (l1, l2) in MOVES {
        let mut parameters = *member.parameters();
        parameters.l1_size_multiplier =
            (parameters.l1_size_multiplier * l1).clamp(SIZE_MIN, SIZES_MAX.0);
        parameters.l2_size_multiplier =
            (parameters.l2_size_multiplier * l2).clamp(SIZE_MIN, SIZES_MAX.1);
        let utility = utility_ahead(member, parameters);
        if utility > best.0 {
            best = (utility, parameters);
        }
    }
    best.1
}

fn utility_ahead(member: &Member, parameters: TuningParameters) -> f64 {
    let mut fork = member.clone();
    fork.set_parameters(parameters);
    let mut tally = Tally::default();
    for _ in 0..HORIZON_TICKS {
        let answered = fork.run_tick();
        tally.add(answered, fork.capacity_ratio());
    }
    tally.figures().utility
}
