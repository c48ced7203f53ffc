//! Scheduled tunings and what the program's judge makes of them.
//!
//! One of a job's caches in turn gets a random change of one level's size, or only the name of one,
//! a placebo. The judge sees what scrapes show, once with the siblings as controls and once
//! without. The truth is a fork without the change over the very window that the outcome came from.

use cache_tuner_exporter::cache_stats::Role;
use cache_tuner_exporter::judge;
use cache_tuner_exporter::judge::Case;
use cache_tuner_exporter::judge::HELD_SAMPLES_MAX;
use cache_tuner_exporter::judge::Held;
use cache_tuner_exporter::judge::Judgement;
use cache_tuner_exporter::judge::Kind;
use cache_tuner_exporter::judge::Look;
use cache_tuner_exporter::judge::Reason;
use cache_tuner_exporter::judge::Sample;
use cache_tuner_exporter::judge::Span;
use cache_tuner_exporter::judge::Track;
use cache_tuner_exporter::parameter::Parameter;
use cache_tuner_exporter::rule::Goal;
use cache_tuner_exporter::rule::Objective;
use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::sim::catalogue::TICK_SECONDS;
use cache_tuner_exporter::sim::fleet::Beat;
use cache_tuner_exporter::sim::fleet::Job;
use cache_tuner_exporter::sim::fleet::Member;
use cache_tuner_exporter::sim::fleet::Seen;
use cache_tuner_exporter::sim::rng;
use cache_tuner_exporter::sim::rng::SplitMix64;
use cache_tuner_exporter::sim::truth::Effect;
use cache_tuner_exporter::sim::truth::Truth;
use cache_tuner_exporter::units::Timestamp;

use super::measure::Warm;
use super::options::Plan;
use super::predicting;
use super::tally::PRICE;
use super::verdicts::Verdicts;

/// A way in which the same tunings are judged.
#[derive(Debug)]
pub(crate) struct Variant {
    /// As it is called in the report.
    pub(crate) name: &'static str,
    /// Whether siblings serve as controls.
    has_controls: bool,
    /// Price of the base capacity, in hit rate.
    price: f64,
}

/// In the order of the report.
pub(crate) const VARIANTS: [Variant; 3] = [
    Variant { name: "with controls", has_controls: true, price: 0.0 },
    Variant { name: "without controls", has_controls: false, price: 0.0 },
    Variant { name: "priced, with controls", has_controls: true, price: PRICE },
];

/// Ticks between two tunings of a job: more than the windows of the longest judgement.
const PERIOD_TICKS: u64 = 50;
/// Of so many tunings one is a placebo.
const PLACEBO_EVERY: u64 = 4;
/// Smallest and largest factor on a size.
const FACTORS: (f64, f64) = (0.7, 1.4);
/// Smallest and largest multiplier that the changes may add up to.
const MULTIPLIERS: (f64, f64) = (0.4, 3.0);
/// Sub-stream of a seed that the changes are drawn from.
const LANE: u64 = 901;

/// What all of these tunings are meant to improve.
const OBJECTIVE: Objective = Objective { signal: Signal::HitRate, goal: Goal::Increase };

/// A cache as the judge knows it.
#[derive(Debug, Clone, Default)]
struct Known {
    track: Track,
    /// Changes of its size, by the schedule or by an outside hand.
    changes: Vec<Span>,
    capacity_ratio: f64,
    is_after_restart: bool,
}

/// A tuning under judgement.
#[derive(Debug)]
struct Pending {
    lane: usize,
    kind: Kind,
    at: Timestamp,
    skip: usize,
    predicted: Option<f64>,
    /// Share of the base capacity that the change gives back; negative where it takes some.
    given_back: f64,
    /// Place of its own change among those of the cache.
    change: usize,
    truth: Truth,
    first_done: [bool; VARIANTS.len()],
    outcomes: [Option<Verdict>; VARIANTS.len()],
}

/// An outcome and the look that it came from.
#[derive(Debug)]
struct Verdict {
    reason: Reason,
    /// Samples after what is skipped that it is based on.
    samples: usize,
}

/// Tunes the job to its end; what the judge said, by variant.
pub(crate) fn run(warm: &Warm, name: &str, seed: u64, plan: &Plan) -> Vec<Verdicts> {
    let mut job = warm.job.clone();
    let mut known = vec![Known::default(); job.members().len()];
    for (tick, beats) in warm.beats.iter().enumerate() {
        let now = Timestamp::from_millis(0)
            + std::time::Duration::from_secs((tick as u64 + 1) * TICK_SECONDS);
        known.iter_mut().zip(beats).for_each(|(known, beat)| known.see(beat, now));
    }
    for (known, member) in known.iter_mut().zip(job.members()) {
        known.capacity_ratio = member.capacity_ratio();
    }
    let mut verdicts = vec![Verdicts::default(); VARIANTS.len()];
    // Other changes on each workload: the same would make fewer different cases.
    let lane_of_name = name.bytes().fold(LANE, |lane, byte| rng::fork_seed(lane, byte.into()));
    let mut rng = SplitMix64::new(rng::fork_seed(seed, lane_of_name));
    let mut pending: Option<Pending> = None;
    let (mut next_at, mut lane) = (0, 0);
    for tick in 0..plan.measured_ticks {
        if pending.is_none() && tick >= next_at && known[lane].track.len() >= plan.judged_history {
            pending = Some(tune(&mut job, &mut known, lane, &mut rng));
            (next_at, lane) = (tick + PERIOD_TICKS, (lane + 1) % known.len());
        }
        let tuned = pending.as_ref().filter(|p| p.at == job.members()[p.lane].now());
        let tuned = tuned.map(|pending| pending.lane);
        let beats = job.run_tick();
        for (at, (known, beat)) in known.iter_mut().zip(&beats).enumerate() {
            let member = &job.members()[at];
            known.see(beat, member.now());
            known.notice_size(member, tuned == Some(at));
        }
        let Some(open) = &mut pending else { continue };
        let now = job.members()[open.lane].now();
        open.look(&known, now);
        if open.outcomes.iter().all(Option::is_some) {
            open.score(&known[open.lane].track, &mut verdicts);
            pending = None;
        }
    }
    verdicts
}

/// Changes a size, or pretends to.
fn tune(job: &mut Job, known: &mut [Known], lane: usize, rng: &mut SplitMix64) -> Pending {
    let parameter = match rng.draw_below(2) {
        0 => Parameter::L1SizeMultiplier,
        _ => Parameter::L2SizeMultiplier,
    };
    let share = rng.draw_below(1_001) as f64 / 1_000.0;
    let is_placebo = rng.draw_below(PLACEBO_EVERY) == 0;
    let member = &job.members()[lane];
    let mut parameters = *member.parameters();
    let from = parameters.value(parameter);
    let factor = FACTORS.0 + share * (FACTORS.1 - FACTORS.0);
    let to = (from * factor).clamp(MULTIPLIERS.0, MULTIPLIERS.1);
    let known = &mut known[lane];
    let skip = skip(member, &known.track, parameter, to / from);
    let model = predicting::model(member, known.track.iter().next_back().as_ref());
    let given_back = if is_placebo { 0.0 } else { given_back(member, parameter, to / from) };
    let is_l2 = parameter == Parameter::L2SizeMultiplier;
    let predicted = model.filter(|_| is_l2);
    let predicted = predicted.and_then(|model| predicting::gain(&model, member, to / from));
    if !is_placebo {
        parameters.set(parameter, to);
    }
    let (at, change) = (member.now(), known.changes.len());
    known.changes.push(Span { start: at, end: at });
    let truth = Truth::start(member, parameters, Signal::HitRate);
    if let Some(member) = job.member_mut(lane) {
        member.set_parameters(parameters);
    }
    let kind = if to >= from { Kind::Growth } else { Kind::Shrink };
    let (first_done, outcomes) = Default::default();
    Pending { lane, kind, at, skip, predicted, given_back, change, truth, first_done, outcomes }
}

/// Share of the base capacity that a level gives back which gets `ratio` times its size.
fn given_back(member: &Member, parameter: Parameter, ratio: f64) -> f64 {
    let levels = member.stats().levels;
    let share_of = |role| levels.get(&role).map(|capacity| capacity * (1.0 - ratio));
    let entries = match parameter {
        Parameter::L1SizeMultiplier => share_of(Role::L1Capacity),
        _ => share_of(Role::L2Capacity),
    };
    entries.unwrap_or(0.0) / member.base_capacity() as f64
}

/// What the judge leaves out, from what scrapes show: the entries that are to come into the level,
/// and the misses of a tick, each of which inserts one.
fn skip(member: &Member, track: &Track, parameter: Parameter, ratio: f64) -> usize {
    let (capacity, signal) = match parameter {
        Parameter::L1SizeMultiplier => (Role::L1Capacity, Signal::L1HitRate),
        _ => (Role::L2Capacity, Signal::HitRate),
    };
    let added = member.stats().levels.get(&capacity).map(|capacity| capacity * (ratio - 1.0));
    let insertions = track.iter().next_back().and_then(|sample| {
        let hit_rate = sample.value(Signal::HitRate)?;
        // A miss is a get and the put that fills it.
        let gets = sample.value(Signal::OpsPerSecond)? / (2.0 - hit_rate);
        Some(gets * TICK_SECONDS as f64 * (1.0 - sample.value(signal)?))
    });
    judge::skip(added, insertions)
}

// === impl Known ===

impl Known {
    fn see(&mut self, beat: &Beat, now: Timestamp) {
        match &beat.seen {
            Seen::Snapshot(snapshot) => {
                self.track.push(Sample::new(snapshot, !self.is_after_restart));
                self.is_after_restart = false;
            }
            Seen::Restarted => {
                self.track.restart(now);
                self.is_after_restart = true;
            }
            Seen::Nothing => {}
        }
    }

    /// Notes that the target shows another size although nobody asked for it.
    fn notice_size(&mut self, member: &Member, was_tuned: bool) {
        let ratio = member.capacity_ratio();
        if (ratio - self.capacity_ratio).abs() > 1e-9 && !was_tuned {
            self.changes.push(Span { start: member.now(), end: member.now() });
        }
        self.capacity_ratio = ratio;
    }
}

// === impl Pending ===

impl Pending {
    /// Takes the look that is due, for each variant.
    fn look(&mut self, known: &[Known], now: Timestamp) {
        let own = &known[self.lane];
        let mut others = own.changes.clone();
        others.remove(self.change);
        let held_ticks = (HELD_SAMPLES_MAX as u64 * TICK_SECONDS * 1_000).cast_signed();
        let held = Timestamp::from_millis(self.at.as_millis() - held_ticks);
        let span = Span { start: held, end: now };
        let is_untouched = |known: &Known| !known.changes.iter().any(|at| at.overlaps(span));
        let siblings = known.iter().enumerate().filter(|(at, _)| *at != self.lane);
        let siblings: Vec<&Track> = siblings
            .filter(|(_, known)| is_untouched(known))
            .map(|(_, known)| &known.track)
            .collect();
        for (at, variant) in VARIANTS.iter().enumerate() {
            if self.outcomes[at].is_some() {
                continue;
            }
            let case = Case {
                objective: OBJECTIVE,
                kind: self.kind,
                track: &own.track,
                controls: if variant.has_controls { &siblings } else { &[] },
                held: Held { samples: HELD_SAMPLES_MAX, until: self.at },
                adopted_at: Some(self.at),
                skip: self.skip,
                others: &others,
                predicted: self.predicted,
                saving: variant.price * self.given_back,
                now,
            };
            let Some(look) = case.due(self.first_done[at]) else { continue };
            let Judgement { outcome, reason, .. } = judge::judge(&case, look);
            self.first_done[at] |= look == Look::First;
            // Where samples have ceased to come, there is nothing to wait for.
            if outcome.is_some() || look == Look::Last {
                let behind = own.track.iter().filter(|s| s.valid && s.timestamp > self.at).count();
                let samples = match look {
                    Look::Early => behind.saturating_sub(self.skip).min(Look::Last.samples()),
                    Look::First | Look::Last => look.samples(),
                };
                self.outcomes[at] = Some(Verdict { reason, samples });
            }
        }
    }

    /// Holds the outcomes against the fork.
    fn score(&mut self, track: &Track, verdicts: &mut [Verdicts]) {
        // By sample after the tuning, how many ticks after it that was.
        let ticks: Vec<usize> = track
            .iter()
            .filter(|sample| sample.valid && sample.timestamp > self.at)
            .map(|sample| {
                let seconds = sample.timestamp.saturating_since(self.at).as_secs();
                usize::try_from(seconds / TICK_SECONDS).unwrap_or(usize::MAX)
            })
            .collect();
        let pairs = self.outcomes.iter().flatten().zip(verdicts);
        for ((verdict, verdicts), variant) in pairs.zip(&VARIANTS) {
            let first = ticks.get(self.skip).copied();
            let last = ticks.get(self.skip + verdict.samples - 1).or(ticks.last()).copied();
            let window = first.zip(last).filter(|(first, last)| first <= last);
            let effect = window.and_then(|(first, last)| self.truth.effect(first - 1..last));
            let utility = effect.map(|effect| effect + variant.price * self.given_back);
            verdicts.add(verdict.reason, utility.map_or(Effect::Unscored, Effect::of));
        }
    }
}
