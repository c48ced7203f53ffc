//! The program's own engine on a job: its rules, guards, judge and trust, with nothing replaced.
//! Only the way over HTTP is left out: the engine gets what a page says, and the caches take over
//! what is published at the next tick, and show it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use cache_tuner_exporter::cache_stats::CacheStats;
use cache_tuner_exporter::cache_stats::Role;
use cache_tuner_exporter::diag::SourceFile;
use cache_tuner_exporter::engine::Engine;
use cache_tuner_exporter::engine::Happening;
use cache_tuner_exporter::engine::JobPlan;
use cache_tuner_exporter::engine::Observation;
use cache_tuner_exporter::engine::TargetPlan;
use cache_tuner_exporter::parameter::Parameter;
use cache_tuner_exporter::profile;
use cache_tuner_exporter::profile::Profile;
use cache_tuner_exporter::published::TargetId;
use cache_tuner_exporter::reading::Failure;
use cache_tuner_exporter::reading::Reading;
use cache_tuner_exporter::reason::Reason;
use cache_tuner_exporter::rule;
use cache_tuner_exporter::rule::RuleSet;
use cache_tuner_exporter::sim::catalogue::TICK_SECONDS;
use cache_tuner_exporter::sim::fleet::Beat;
use cache_tuner_exporter::sim::fleet::Job;
use cache_tuner_exporter::tuning_config::TuningConfig;
use cache_tuner_exporter::tuning_parameters::TuningParameters;

use super::policy::Policy;

/// What the simulated caches show of their parameters.
const PROFILE: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/rules/profiles/demo.yaml"));
/// The name of the one cache of each target.
const CACHE: &str = "cache";

/// An engine that tunes the caches of one job, each a target of its own.
#[derive(Debug)]
pub(crate) struct ClosedLoop {
    engine: Engine,
    config: TuningConfig,
    /// By lane, taken in turn.
    rules: Vec<Arc<RuleSet>>,
    profile: Arc<Profile>,
    /// The parameters in force, by lane; empty before the first tick.
    in_force: Vec<TuningParameters>,
    happenings: Vec<Happening>,
}

/// The rules of a text.
pub(crate) fn rules(name: &str, text: &str) -> anyhow::Result<Arc<RuleSet>> {
    let loaded = rule::load(&[SourceFile::new(name, text)]);
    let (rules, _) =
        loaded.map_err(|faults| anyhow!("`{name}` has {} faults", faults.iter().count()))?;
    Ok(Arc::new(rules))
}

impl ClosedLoop {
    /// With these settings; the caches get the sets of rules in turn.
    pub(crate) fn new(config: TuningConfig, rules: Vec<Arc<RuleSet>>) -> anyhow::Result<Self> {
        let profile = profile::load(&SourceFile::new("demo.yaml", PROFILE))
            .map_err(|faults| anyhow!("the profile has {} faults", faults.iter().count()))?;
        Ok(Self {
            engine: Engine::new(),
            config,
            rules,
            profile: Arc::new(profile),
            in_force: Vec::new(),
            happenings: Vec::new(),
        })
    }

    /// What happened to tunings since this was last asked, in order, with their lanes.
    pub(crate) fn take_happenings(&mut self) -> Vec<(usize, Happening)> {
        let happenings = std::mem::take(&mut self.happenings);
        let lane = |happening: &Happening| happening.entry.id.target.parse().unwrap_or_default();
        happenings.into_iter().map(|happening| (lane(&happening), happening)).collect()
    }

    /// The parameters in force, by lane.
    pub(crate) fn in_force(&self) -> &[TuningParameters] {
        &self.in_force
    }

    fn begin(&mut self, lanes: usize) {
        let job = |lane: usize| {
            let rules = &self.rules[lane % self.rules.len()];
            let (rules, freeze) = (Arc::clone(rules), Arc::default());
            Arc::new(JobPlan { tuning: self.config, rules, freeze })
        };
        let plans = (0..lanes).map(|lane| TargetPlan {
            id: id(lane),
            url: "".into(),
            labels: Arc::default(),
            scrape_interval: Duration::from_secs(TICK_SECONDS),
            scrape_timeout: Duration::from_secs(TICK_SECONDS),
            job: job(lane),
        });
        self.engine.reconfigure(plans.collect());
        self.in_force = vec![TuningParameters::default(); lanes];
    }

    fn reading(&self, stats: &CacheStats) -> Reading {
        let mut stats = stats.clone();
        // As the demo's page shows them.
        let sizes = [
            (Parameter::L1SizeMultiplier, Role::L1MaxUsageBytes),
            (Parameter::L2SizeMultiplier, Role::L2MaxUsageBytes),
        ];
        for (parameter, role) in sizes {
            if let Some(bytes) = stats.levels.get(&role) {
                stats.observed.insert(parameter, *bytes);
            }
        }
        Reading {
            profile: Arc::clone(&self.profile),
            caches: [(CACHE.into(), stats)].into_iter().collect(),
            samples: 1,
            bad_lines: 0,
            bad_line: None,
        }
    }
}

fn id(lane: usize) -> TargetId {
    TargetId { scrape_job: "job".into(), target: lane.to_string().into() }
}

impl Policy for ClosedLoop {
    fn observe(&mut self, beats: &[Beat], _: &Job) {
        if self.in_force.is_empty() {
            self.begin(beats.len());
        }
        for (lane, beat) in beats.iter().enumerate() {
            let result = match &beat.shown {
                Some(stats) => Ok(self.reading(stats)),
                None => Err(Failure::new(Reason::Timeout, "no answer")),
            };
            let duration = Duration::from_millis(1);
            let observation = Observation { id: id(lane), at: beat.at, duration, result };
            let Some(step) = self.engine.observe(observation) else { continue };
            if let Some(view) = step.view.caches.first() {
                self.in_force[lane] = view.parameters;
            }
            self.happenings.extend(step.tunings);
        }
    }

    fn decide(&mut self, job: &mut Job) {
        for (lane, parameters) in self.in_force.iter().enumerate() {
            let Some(member) = job.member_mut(lane) else { continue };
            let now = member.now();
            member.set_parameters(*parameters);
            // The cache asks for its parameters before it takes them over.
            if let Some(step) = self.engine.fetched(&id(lane), CACHE, now) {
                self.happenings.extend(step.tunings);
            }
        }
    }
}
