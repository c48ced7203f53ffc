//! Tunings that rules trigger: a rule fires on a dip, dips heal by themselves, and so the judge is
//! tried where it is easiest to fool. The rules are of every kind: some help, some do harm, some do
//! nothing. What their confidences are worth is measured by the same tunings.

use std::collections::BTreeMap;
use std::sync::Arc;

use cache_tuner_exporter::confidence;
use cache_tuner_exporter::confidence::Posterior;
use cache_tuner_exporter::judge::Look;
use cache_tuner_exporter::outcome::Outcome;
use cache_tuner_exporter::rule::RuleSet;
use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::sim::catalogue::TICK_SECONDS;
use cache_tuner_exporter::sim::truth::Effect;
use cache_tuner_exporter::sim::truth::Truth;
use cache_tuner_exporter::tuner::EventKind;
use cache_tuner_exporter::tuner::Origin;
use cache_tuner_exporter::tuner::Tuning;
use cache_tuner_exporter::tuner::Verdict;
use cache_tuner_exporter::tuning_config::Feedback;
use cache_tuner_exporter::tuning_config::TuningConfig;
use cache_tuner_exporter::units::Timestamp;

use super::closed_loop;
use super::closed_loop::ClosedLoop;
use super::measure::Warm;
use super::options::Plan;
use super::policy::Policy as _;
use super::verdicts::Verdicts;

/// What the rules do that fire on dips, each on a cache of its own: they grow or shrink a level, or
/// change nothing that any of these caches would feel. Their confidences are wrong on purpose.
const CHANGES: [(&str, &str); 4] = [
    ("grow_l2", "parameter: l2_size_multiplier, multiply: 1.3, max: 4.0"),
    ("shrink_l2", "parameter: l2_size_multiplier, multiply: 0.75, min: 0.3"),
    ("grow_l1", "parameter: l1_size_multiplier, multiply: 1.3, max: 4.0"),
    ("preheat", "parameter: preheating_aggressiveness, add: 0.05"),
];

/// A rule that fires on a dip and does this.
fn rule(name: &str, change: &str) -> anyhow::Result<Arc<RuleSet>> {
    let text = format!(
        "groups:\n- name: triggered\n  rules:\n  - rule: {name}\n    \
         when: newest(hit_rate, 5) < mean(hit_rate) - 0.004\n    tune: {{{change}}}\n    \
         confidence: 0.6\n    reason: The hit rate dips\n"
    );
    closed_loop::rules(name, &text)
}

/// What came of the tunings of one run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Triggered {
    pub(crate) verdicts: Verdicts,
    /// The judged tunings, run by run.
    runs: Vec<Vec<Judged>>,
}

/// A tuning that improved or degraded.
#[derive(Debug, Clone)]
struct Judged {
    lane: usize,
    rule: Arc<str>,
    /// Confidence in the rule's file.
    of_file: f64,
    improved: bool,
}

/// Everything is put in force, so that what is not trusted is judged as well.
fn config() -> TuningConfig {
    let feedback = Feedback {
        shadow_share: 0.0,
        breaker_failures: usize::MAX,
        cooldown_max: std::time::Duration::from_secs(20 * TICK_SECONDS),
        ..Feedback::default()
    };
    TuningConfig {
        min_confidence_for_auto_tuning: 0.0,
        tuning_interval: std::time::Duration::from_secs(5 * TICK_SECONDS),
        feedback,
        ..TuningConfig::default()
    }
}

/// Runs the engine with those rules to the end; what it said of its tunings.
pub(crate) fn run(warm: &Warm, seed: u64, plan: &Plan) -> anyhow::Result<Triggered> {
    // Each cache of a job gets each rule on some seed.
    let turn = usize::try_from(seed).unwrap_or_default() % CHANGES.len();
    let in_turn = CHANGES.iter().cycle().skip(turn).take(CHANGES.len());
    let rules = in_turn.map(|(name, change)| rule(name, change));
    let rules: Vec<Arc<RuleSet>> = rules.collect::<anyhow::Result<_>>()?;
    let of_file: BTreeMap<_, f64> = rules
        .iter()
        .flat_map(|rules| rules.iter().map(|rule| (Arc::clone(&rule.name), rule.confidence)))
        .collect();
    let mut engine = ClosedLoop::new(config(), rules)?;
    let mut job = warm.job.clone();
    for beats in &warm.beats {
        engine.observe(beats, &job);
    }
    let mut triggered = Triggered { runs: vec![Vec::new()], ..Triggered::default() };
    let mut truths: BTreeMap<u64, Truth> = BTreeMap::new();
    for _ in 0..plan.measured_ticks {
        for (lane, happening) in engine.take_happenings() {
            let (tuning, verdict) = (happening.entry.tuning, happening.entry.verdict);
            if tuning.origin != Origin::Auto {
                continue;
            }
            match (happening.kind, verdict) {
                (EventKind::Started, _) => {
                    let member = &job.members()[lane];
                    let wanted = engine.in_force()[lane];
                    truths.insert(tuning.number, Truth::start(member, wanted, Signal::HitRate));
                }
                (EventKind::Judged, Some(verdict)) => {
                    let truth = truths.remove(&tuning.number);
                    let effect = truth.and_then(|mut truth| effect(&mut truth, &tuning, &verdict));
                    let of_file = of_file.get(&tuning.rule).copied().unwrap_or_default();
                    triggered.add(lane, &tuning, &verdict, (effect, of_file));
                }
                _ => {}
            }
        }
        engine.decide(&mut job);
        let beats = job.run_tick();
        engine.observe(&beats, &job);
    }
    Ok(triggered)
}

/// The true effect over the window that the outcome came from.
fn effect(truth: &mut Truth, tuning: &Tuning, verdict: &Verdict) -> Option<f64> {
    let adopted = tuning.adopted_at?;
    let ticks = |from: Timestamp, to: Timestamp| {
        let seconds = to.saturating_since(from).as_secs();
        usize::try_from(seconds / TICK_SECONDS).unwrap_or(usize::MAX)
    };
    let first = ticks(tuning.decided_at, adopted) + tuning.skip;
    let last = match verdict.look? {
        Look::Early => ticks(tuning.decided_at, verdict.at),
        look => first + look.samples(),
    };
    (first < last).then(|| truth.effect(first..last)).flatten()
}

impl Triggered {
    fn add(
        &mut self,
        lane: usize,
        tuning: &Tuning,
        verdict: &Verdict,
        (effect, of_file): (Option<f64>, f64),
    ) {
        if let Some(reason) = verdict.judgement.as_ref().map(|judgement| judgement.reason) {
            self.verdicts.add(reason, effect.map_or(Effect::Unscored, Effect::of));
        }
        let improved = match verdict.outcome {
            Outcome::Improved => true,
            Outcome::Degraded => false,
            Outcome::Inconclusive | Outcome::Void => return,
        };
        let judged = Judged { lane, rule: Arc::clone(&tuning.rule), of_file, improved };
        self.runs.iter_mut().for_each(|run| run.push(judged.clone()));
    }

    /// What the earned confidences are worth, and what those of the rule file would be. The runs
    /// are taken for the caches of one exporter, one after the other: what a rule earned on those
    /// before is the background for the next.
    pub(crate) fn worths(&self) -> [(&'static str, Option<Worth>); 2] {
        let now = Timestamp::from_millis(0);
        let mut pooled: BTreeMap<Arc<str>, Posterior> = BTreeMap::new();
        let (mut earned, mut constant) = (Vec::new(), Vec::new());
        for run in &self.runs {
            let mut own: BTreeMap<(usize, Arc<str>), Posterior> = BTreeMap::new();
            for Judged { lane, rule, of_file, improved } in run {
                let own = own.entry((*lane, Arc::clone(rule))).or_default();
                let pooled = pooled.entry(Arc::clone(rule)).or_default();
                earned.push((confidence::confidence(own, pooled, *of_file, now), *improved));
                constant.push((*of_file, *improved));
                own.record(*improved, now);
                pooled.record(*improved, now);
            }
        }
        [("earned", Worth::of(earned.into_iter())), ("constant", Worth::of(constant.into_iter()))]
    }

    /// All of them together.
    pub(crate) fn join<'a>(of: impl Iterator<Item = &'a Self> + Clone) -> Self {
        Self {
            verdicts: Verdicts::sum(of.clone().map(|triggered| &triggered.verdicts)),
            runs: of.flat_map(|triggered| triggered.runs.clone()).collect(),
        }
    }
}

/// What confidences are worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Worth {
    /// Mean distance of ten classes of confidence from their share of successes.
    pub(crate) calibration_error: f64,
    /// Mean squared distance between confidence and outcome.
    pub(crate) brier_score: f64,
}

impl Worth {
    /// Of pairs of a confidence and whether the tuning improved; `None` below 30. The program's own
    /// measure keeps the newest thousand alone, so the sums are taken here.
    pub(crate) fn of(pairs: impl Iterator<Item = (f64, bool)>) -> Option<Self> {
        let (mut excess, mut squares, mut count) = ([0.0_f64; 10], 0.0, 0_u32);
        for (confidence, improved) in pairs {
            let distance = confidence - f64::from(u8::from(improved));
            let class =
                (0..9).take_while(|class| confidence >= f64::from(class + 1) / 10.0).count();
            excess[class] += distance;
            squares += distance * distance;
            count += 1;
        }
        (count >= 30).then(|| Self {
            calibration_error: excess.iter().map(|x| x.abs()).sum::<f64>() / f64::from(count),
            brier_score: squares / f64::from(count),
        })
    }
}
