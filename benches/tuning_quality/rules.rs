//! The program's own tuner with the built-in rules and without feedback: what rez-next does.

use std::sync::Arc;

use anyhow::anyhow;
use cache_tuner_exporter::diag::SourceFile;
use cache_tuner_exporter::parameter::Parameter;
use cache_tuner_exporter::rule;
use cache_tuner_exporter::rule::RuleSet;
use cache_tuner_exporter::sim::fleet::Beat;
use cache_tuner_exporter::sim::fleet::Job;
use cache_tuner_exporter::sim::fleet::Seen;
use cache_tuner_exporter::tuner::AdaptiveTuner;
use cache_tuner_exporter::tuner::TuningConfig;
use cache_tuner_exporter::tuning_parameters::TuningParameters;

use super::policy::Policy;

/// One tuner a cache.
#[derive(Debug)]
pub(crate) struct BuiltInRules {
    rules: Arc<RuleSet>,
    tuners: Vec<AdaptiveTuner>,
}

impl BuiltInRules {
    /// With the rules that the program has where no file is given.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let (path, text) = rule::BUILT_IN;
        let (rules, _) = rule::load(&[SourceFile::new(path, text)]).map_err(|faults| {
            anyhow!("the built-in rules have {} faults", faults.iter().count())
        })?;
        Ok(Self { rules: Arc::new(rules), tuners: Vec::new() })
    }
}

impl Policy for BuiltInRules {
    fn observe(&mut self, beats: &[Beat], job: &Job) {
        let defaults = TuningConfig::default();
        let config = TuningConfig { feedback: defaults.feedback.off(), ..defaults };
        self.tuners.resize_with(beats.len(), || {
            AdaptiveTuner::new(config, Arc::clone(&self.rules), Parameter::ALL.to_vec())
        });
        for ((tuner, beat), member) in self.tuners.iter_mut().zip(beats).zip(job.members()) {
            match beat.seen {
                Seen::Snapshot(snapshot) => tuner.record_performance(snapshot),
                Seen::Restarted => tuner.restart(member.now()),
                Seen::Nothing => {}
            }
        }
    }

    fn decide(&mut self, job: &mut Job) {
        for (lane, tuner) in self.tuners.iter_mut().enumerate() {
            let Some(member) = job.member_mut(lane) else { continue };
            let now = member.now();
            if !tuner.is_due(now) {
                continue;
            }
            tuner.analyze_and_tune(now);
            let mut parameters = TuningParameters::default();
            for parameter in Parameter::ALL {
                parameters.set(parameter, tuner.parameters().value(parameter));
            }
            member.set_parameters(parameters);
        }
    }
}
