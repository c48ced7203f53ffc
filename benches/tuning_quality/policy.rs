//! Who decides on the parameters of a job, and the policies that never change their mind.
//!
//! A policy sees what a tuner sees, tick by tick, from the warm-up on; it acts on the job itself,
//! so that one which looks ahead can fork it. To measure another, implement [`Policy`] and add it
//! to [`POLICIES`].

use cache_tuner_exporter::sim::fleet::Beat;
use cache_tuner_exporter::sim::fleet::Job;
use cache_tuner_exporter::tuning_config::TuningConfig;
use cache_tuner_exporter::tuning_parameters::TuningParameters;

use super::closed_loop;
use super::closed_loop::ClosedLoop;
use super::oracle::GreedyOracle;
use super::rules::BuiltInRules;

/// The rules that take the best priced sizes, with the program's defaults around them.
const SIZING: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/tuning/sizing.yaml"));

/// Largest sizes that the built-in rules ask for, of level 1 and of level 2.
pub(crate) const SIZES_MAX: (f64, f64) = (2.0, 3.0);

/// Decides on the parameters of a job's caches.
pub(crate) trait Policy {
    /// Takes in what a tick showed of each cache; during the warm-up, too.
    fn observe(&mut self, beats: &[Beat], job: &Job);

    /// Sets the parameters for the ticks to come; after every tick once the warm-up is over.
    fn decide(&mut self, job: &mut Job);
}

/// A policy with its name; it begins anew for every workload and seed.
pub(crate) type PolicyEntry = (&'static str, fn() -> anyhow::Result<Box<dyn Policy>>);

/// The policies that run like a tuner would, in the order of the report.
pub(crate) const POLICIES: [PolicyEntry; 5] = [
    ("no tuning", || Ok(Box::new(FixedSizes::new(1.0, 1.0)))),
    ("rez-next's rules", || Ok(Box::new(BuiltInRules::new()?))),
    ("sizing.yaml", || {
        let rules = closed_loop::rules("sizing.yaml", SIZING)?;
        Ok(Box::new(ClosedLoop::new(TuningConfig::default(), vec![rules])?))
    }),
    ("always the maximum", || Ok(Box::new(FixedSizes::new(SIZES_MAX.0, SIZES_MAX.1)))),
    ("greedy oracle", || Ok(Box::new(GreedyOracle::default()))),
];

/// The same sizes on every cache, from the end of the warm-up on.
#[derive(Debug)]
pub(crate) struct FixedSizes {
    parameters: TuningParameters,
}

impl FixedSizes {
    /// These multipliers.
    pub(crate) fn new(l1_size_multiplier: f64, l2_size_multiplier: f64) -> Self {
        let parameters =
            TuningParameters { l1_size_multiplier, l2_size_multiplier, ..Default::default() };
        Self { parameters }
    }
}

impl Policy for FixedSizes {
    fn observe(&mut self, _: &[Beat], _: &Job) {}

    fn decide(&mut self, job: &mut Job) {
        for lane in 0..job.members().len() {
            if let Some(member) = job.member_mut(lane) {
                member.set_parameters(self.parameters);
            }
        }
    }
}
