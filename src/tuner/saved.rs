//! What of a tuner outlives the process: everything that was learnt or is under way. The window of
//! snapshots is made again from the judge's history, which is stored sample by sample.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

use crate::judge::Sample;
use crate::parameter::Parameter;
use crate::predict::Observation;
use crate::rule::RuleSet;
use crate::tuner::AdaptiveTuner;
use crate::tuner::AdaptiveTuningStats;
use crate::tuner::Ledger;
use crate::tuner::RuleCounts;
use crate::tuner::Tuning;
use crate::tuner::TuningConfig;
use crate::tuner::TuningParameters;
use crate::tuner::adoption::Drift;
use crate::tuner::adoption::Touch;
use crate::tuner::adoption::Undoing;
use crate::tuner::trust::RuleTrust;
use crate::units::Timestamp;

/// A tuner's state, for a document. A field that an older document lacks begins anew.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SavedTuner {
    parameters: TuningParameters,
    stats: AdaptiveTuningStats,
    counts: Vec<(Arc<str>, RuleCounts)>,
    reversals: BTreeMap<Parameter, u64>,
    last_analysis: Option<Timestamp>,
    first_total: Option<f64>,
    observations: BTreeMap<Parameter, Vec<Observation>>,
    trust: BTreeMap<Arc<str>, RuleTrust>,
    pending: Option<Tuning>,
    undoing: Option<Undoing>,
    drifts: BTreeMap<Parameter, Drift>,
    touches: VecDeque<Touch>,
    directions: BTreeMap<Parameter, bool>,
    rests_until: Option<Timestamp>,
    restarted_at: Option<Timestamp>,
    samples_since_restart: Option<usize>,
}

impl AdaptiveTuner {
    /// Everything but the samples.
    pub fn save(&self) -> SavedTuner {
        let counts = self.ledger.iter().map(|(name, counts)| (Arc::clone(name), counts.clone()));
        SavedTuner {
            parameters: self.parameters,
            stats: self.stats,
            counts: counts.collect(),
            reversals: self.ledger.reversals().collect(),
            last_analysis: self.last_analysis,
            first_total: self.sizing.first_total,
            observations: self.sizing.observations.clone(),
            trust: self.trust.clone(),
            pending: self.pending.clone(),
            undoing: self.undoing,
            drifts: self.drifts.clone(),
            touches: self.touches.clone(),
            directions: self.directions.clone(),
            rests_until: self.rests_until,
            restarted_at: self.track.restarted_at(),
            samples_since_restart: self.samples_since_restart,
        }
    }

    /// The tuner that was saved, with the samples that were kept of it, oldest first.
    pub fn restored(
        config: TuningConfig,
        rules: Arc<RuleSet>,
        tunable: Vec<Parameter>,
        saved: SavedTuner,
        samples: &[Sample],
    ) -> Self {
        let ledger = Ledger::restored(saved.counts, saved.reversals, &rules, &tunable);
        let mut tuner = Self {
            parameters: saved.parameters,
            stats: saved.stats,
            ledger,
            last_analysis: saved.last_analysis,
            trust: saved.trust,
            pending: saved.pending,
            undoing: saved.undoing,
            drifts: saved.drifts,
            touches: saved.touches,
            directions: saved.directions,
            rests_until: saved.rests_until,
            samples_since_restart: saved.samples_since_restart,
            ..Self::new(config, rules, tunable)
        };
        tuner.sizing.first_total = saved.first_total;
        tuner.sizing.observations = saved.observations;
        if let Some(at) = saved.restarted_at {
            tuner.track.restart(at);
        }
        for sample in samples {
            tuner.take_in(*sample);
            if saved.restarted_at.is_some_and(|at| sample.timestamp <= at) {
                tuner.snapshots = 0;
            }
        }
        tuner
    }

    /// Whether there is something to save that was not there when this was last asked.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.is_changed)
    }
}
