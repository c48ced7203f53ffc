//! How far predictions of a change of size are off.
//!
//! Forks of each cache get level 2 larger and smaller by 20 and 30 per cent. When they have filled,
//! the hit rate of each is held against what the program's own model says from the fork that was
//! left alone, over the same ticks: a prediction speaks of the size, not of the requests to come.

use cache_tuner_exporter::cache_stats::Role;
use cache_tuner_exporter::judge::Sample;
use cache_tuner_exporter::predict;
use cache_tuner_exporter::predict::Inner;
use cache_tuner_exporter::predict::Observation;
use cache_tuner_exporter::predict::SizeModel;
use cache_tuner_exporter::predict::Slope;
use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::sim::fleet::Member;
use cache_tuner_exporter::stats;

use super::measure::Warm;
use super::options::Plan;

/// Sizes that are predicted, each with the size that the second point is taken at.
const PAIRS: [(f64, f64); 4] = [(0.7, 1.3), (0.8, 1.2), (1.2, 0.8), (1.3, 0.7)];
/// Ticks in which the forks fill.
const FILLING_TICKS: u64 = 20;
/// Ticks that are measured.
const WINDOW_TICKS: u64 = 20;

/// Absolute errors of predicted hit rates.
#[derive(Debug, Clone, Default)]
pub(crate) struct Errors {
    /// From the present hit rate alone.
    pub(crate) one_point: Vec<f64>,
    /// With the observation of another size.
    pub(crate) two_points: Vec<f64>,
}

/// Hit rates of a fork.
struct Measured {
    hit_rate: f64,
    /// Of level 1 alone.
    l1_hit_rate: f64,
    /// Standard deviation of the mean.
    deviation: f64,
}

/// The model of a cache as its newest sample and its scrape show it; nothing is known of it yet.
pub(crate) fn model(member: &Member, newest: Option<&Sample>) -> Option<SizeModel<'static>> {
    let sample = newest?;
    Some(SizeModel {
        hit_rate: sample.value(Signal::HitRate)?,
        hit_rate_deviation: 0.0,
        evicts: sample.value(Signal::EvictionRate).map(|rate| rate > 0.0),
        inner: sample.value(Signal::L1HitRate).and_then(|hit_rate| inner(member, hit_rate)),
        ..unknown(member)
    })
}

/// The model without anything that was measured.
fn unknown(member: &Member) -> SizeModel<'static> {
    let levels = member.stats().levels;
    let fill = levels.get(&Role::L2Entries).zip(levels.get(&Role::L2Capacity));
    SizeModel {
        hit_rate: 0.0,
        hit_rate_deviation: 0.0,
        size: member.capacity_ratio(),
        fill: fill.map(|(entries, capacity)| entries / capacity),
        evicts: None,
        expired_share: None,
        compulsory_share: None,
        inner: None,
        observations: &[],
        prior: Slope::default(),
        now: member.now(),
    }
}

/// Level 1, as a part of the whole.
fn inner(member: &Member, hit_rate: f64) -> Option<Inner> {
    Some(Inner { size_ratio: 1.0 - l2_share(member)?, hit_rate })
}

/// Level 2's part of the whole.
fn l2_share(member: &Member) -> Option<f64> {
    let levels = member.stats().levels;
    let (l1, l2) = (levels.get(&Role::L1Capacity)?, levels.get(&Role::L2Capacity)?);
    Some(l2 / (l1 + l2))
}

/// The predicted change of the hit rate where level 2 gets `ratio` times its size.
pub(crate) fn gain(model: &SizeModel<'_>, member: &Member, ratio: f64) -> Option<f64> {
    predict::predict(model, whole(member, ratio)?).map(|prediction| prediction.gain)
}

/// What the whole gets where level 2 gets `ratio` times its size.
fn whole(member: &Member, ratio: f64) -> Option<f64> {
    Some(1.0 + l2_share(member)? * (ratio - 1.0))
}

/// The errors on all caches of a job, at the moments that the plan names.
pub(crate) fn run(warm: &Warm, plan: &Plan) -> Errors {
    let mut errors = Errors::default();
    let mut job = warm.job.clone();
    let mut ticks = 0;
    for &at in plan.predicted_at {
        while ticks < at {
            job.run_tick();
            ticks += 1;
        }
        for member in job.members() {
            errors.add(member);
        }
    }
    errors
}

/// A fork of that size, once it has filled.
fn fork(member: &Member, size_ratio: f64) -> (Member, Measured) {
    let mut fork = member.clone();
    let mut parameters = *fork.parameters();
    parameters.l2_size_multiplier *= size_ratio;
    fork.set_parameters(parameters);
    (0..FILLING_TICKS).for_each(|_| _ = fork.run_tick());
    let (mut hits, mut requests, mut rates) = (0, 0, Vec::new());
    let l1_hits_before = l1_hits(&fork);
    for _ in 0..WINDOW_TICKS {
        let answered = fork.run_tick();
        hits += answered.hits;
        requests += answered.requests;
        rates.push(answered.hits as f64 / answered.requests.max(1) as f64);
    }
    let hit_rate = hits as f64 / requests.max(1) as f64;
    let deviation =
        stats::variance(&rates).map_or(0.0, |variance| (variance / rates.len() as f64).sqrt());
    let l1_hit_rate = (l1_hits(&fork) - l1_hits_before) / requests.max(1) as f64;
    (fork, Measured { hit_rate, l1_hit_rate, deviation })
}

/// Requests that level 1 has answered.
fn l1_hits(member: &Member) -> f64 {
    let stats = member.stats();
    let terms = stats.cumulative.get(&Role::L1Hits).into_iter().flatten();
    terms.map(|term| term.value).sum()
}

// === impl Errors ===

impl Errors {
    /// All errors of many.
    pub(crate) fn join<'a>(of: impl Iterator<Item = &'a Self>) -> Self {
        of.fold(Self::default(), |mut all, next| {
            all.one_point.extend(&next.one_point);
            all.two_points.extend(&next.two_points);
            all
        })
    }

    fn add(&mut self, member: &Member) {
        let (still, present) = fork(member, 1.0);
        let model = SizeModel {
            hit_rate: present.hit_rate,
            hit_rate_deviation: present.deviation,
            inner: inner(&still, present.l1_hit_rate),
            ..unknown(&still)
        };
        let measured = PAIRS.map(|(ratio, _)| fork(member, ratio).1.hit_rate);
        for (index, (ratio, second)) in PAIRS.into_iter().enumerate() {
            let (Some(ratio), Some(second)) = (whole(member, ratio), whole(member, second)) else {
                continue;
            };
            let observations = [Observation {
                size_ratio: second,
                hit_rate_before: present.hit_rate,
                hit_rate_after: measured[PAIRS.len() - 1 - index],
                at: model.now,
            }];
            let error = |model: &SizeModel<'_>| {
                let predicted = predict::predict(model, ratio)?;
                Some((predicted.hit_rate - measured[index]).abs())
            };
            self.one_point.extend(error(&model));
            self.two_points.extend(error(&SizeModel { observations: &observations, ..model }));
        }
    }
}
