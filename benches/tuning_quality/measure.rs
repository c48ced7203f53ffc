//! One workload under one seed: every policy on the same caches and the same requests, and on the
//! same caches again the judge and the predictor.

use cache_tuner_exporter::sim::fleet::Beat;
use cache_tuner_exporter::sim::fleet::Job;
use cache_tuner_exporter::tuning_parameters::TuningParameters;

use super::hindsight;
use super::judging;
use super::options::Options;
use super::options::Plan;
use super::options::Section;
use super::policy::POLICIES;
use super::policy::Policy;
use super::predicting;
use super::predicting::Errors;
use super::subject::Subject;
use super::tally::Figures;
use super::tally::Tally;
use super::triggered;
use super::triggered::Triggered;
use super::verdicts::Verdicts;

/// A job at the end of its warm-up, which is the same for every policy.
#[derive(Debug)]
pub(crate) struct Warm {
    pub(crate) job: Job,
    /// What each tick of the warm-up showed.
    pub(crate) beats: Vec<Vec<Beat>>,
}

/// What was measured of one workload under one seed; empty where a section was not wanted.
#[derive(Debug, Clone)]
pub(crate) struct Measurement {
    /// By policy, in the order of [`names`], the figures of each cache.
    pub(crate) policies: Vec<Vec<Figures>>,
    /// By variant, in the order of [`judging::VARIANTS`], what the judge said.
    pub(crate) verdicts: Vec<Verdicts>,
    /// How far predictions were off.
    pub(crate) errors: Errors,
    /// What came of tunings that rules triggered; `None` where that was not wanted.
    pub(crate) triggered: Option<Triggered>,
}

/// Names of the policies that can be measured.
pub(crate) fn names() -> Vec<&'static str> {
    POLICIES.iter().map(|(name, _)| *name).chain([hindsight::NAME]).collect()
}

/// Measures a subject under a seed.
pub(crate) fn measure(
    subject: &Subject,
    seed: u64,
    options: &Options,
    plan: &Plan,
) -> anyhow::Result<Measurement> {
    let mut job = subject.job(seed, plan);
    let beats = (0..plan.warm_up_ticks).map(|_| job.run_tick()).collect();
    let warm = Warm { job, beats };
    let mut policies = Vec::new();
    if options.wants(Section::Policies) {
        for (_, begin) in POLICIES.iter().filter(|(name, _)| options.wants_policy(name)) {
            policies.push(run(&warm, begin()?.as_mut(), plan));
        }
        if options.wants_policy(hindsight::NAME) {
            policies.push(hindsight::best_static_sizes(&warm, plan));
        }
    }
    let wants_judge = options.wants(Section::Judge);
    let verdicts =
        if wants_judge { judging::run(&warm, subject.name(), seed, plan) } else { Vec::new() };
    let wants_predictor = options.wants(Section::Predictor);
    let errors = if wants_predictor { predicting::run(&warm, plan) } else { Errors::default() };
    let wants_rules = options.wants(Section::Rules);
    let triggered = wants_rules.then(|| triggered::run(&warm, seed, plan)).transpose()?;
    Ok(Measurement { policies, verdicts, errors, triggered })
}

/// Lets a policy run the job to its end; the figures of each cache.
pub(crate) fn run(warm: &Warm, policy: &mut dyn Policy, plan: &Plan) -> Vec<Figures> {
    let mut job = warm.job.clone();
    for beats in &warm.beats {
        policy.observe(beats, &job);
    }
    let mut tallies = vec![Tally::default(); job.members().len()];
    for _ in 0..plan.measured_ticks {
        decide(policy, &mut job, &mut tallies);
        let beats = job.run_tick();
        for ((tally, beat), member) in tallies.iter_mut().zip(&beats).zip(job.members()) {
            tally.add(beat.answered, member.capacity_ratio());
        }
        policy.observe(&beats, &job);
    }
    tallies.iter().map(Tally::figures).collect()
}

fn decide(policy: &mut dyn Policy, job: &mut Job, tallies: &mut [Tally]) {
    let before: Vec<TuningParameters> =
        job.members().iter().map(|member| *member.parameters()).collect();
    policy.decide(job);
    for ((tally, before), member) in tallies.iter_mut().zip(&before).zip(job.members()) {
        tally.compare(before, member.parameters());
    }
}
