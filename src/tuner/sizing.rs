//! What the tuner knows of a cache's sizes: what each level may hold, what that was at first, and
//! what earlier changes brought. From it come predictions, the best size at a price, and the
//! samples that a cache needs to fill.
//!
//! Both levels are one size here: what leaves level 1 lives on in level 2, so the hit rate of the
//! whole follows the size of the whole. A change of one level changes that by the level's share.

use std::collections::BTreeMap;

use crate::cache_stats::CacheStats;
use crate::cache_stats::Role;
use crate::judge;
use crate::judge::Track;
use crate::parameter::Parameter;
use crate::predict;
use crate::predict::Best;
use crate::predict::Inner;
use crate::predict::OBSERVATIONS_MAX;
use crate::predict::Observation;
use crate::predict::SizeModel;
use crate::predict::Slope;
use crate::rule::BestSizes;
use crate::rule::Rule;
use crate::signal::Signal;
use crate::stats;
use crate::tuner::tuning::Outlook;
use crate::tuning_parameters::TuningParameters;
use crate::units::Timestamp;

/// Samples that the present hit rate is taken over.
const RECENT_SAMPLES: usize = 10;
/// Fewest of them that say something.
const RECENT_SAMPLES_MIN: usize = 5;
/// Share in use from which a cache that evicts is full: what allocators set aside is never used up
/// (memcached's slabs evict at nine tenths).
const FILL_WHERE_EVICTING: f64 = 0.8;
/// Parts of 1 that a recommended multiplier is rounded to: nobody can tell them apart.
const VALUE_STEPS: f64 = 100.0;

/// One level.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Level {
    /// What it may hold, in any unit that both levels share.
    size: f64,
    /// Most entries it may hold, or holds; `None` where neither is shown.
    entries: Option<f64>,
}

/// What a target shows of its levels.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sizes {
    l1: Option<Level>,
    l2: Option<Level>,
}

/// The sizes of one cache and their history.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sizing {
    sizes: Sizes,
    /// Size of all levels when the cache was first seen.
    pub(super) first_total: Option<f64>,
    /// What judged changes showed, by the level that was changed; oldest first.
    pub(super) observations: BTreeMap<Parameter, Vec<Observation>>,
    /// What the siblings' changes showed.
    pub(super) prior: Slope,
}

/// [`Sizing`] at one moment, as rules ask it.
#[derive(Debug)]
pub(super) struct SizingNow<'a> {
    pub(super) sizing: &'a Sizing,
    pub(super) track: &'a Track,
    pub(super) parameters: &'a TuningParameters,
    pub(super) now: Timestamp,
}

impl Sizes {
    /// What a scrape shows. Entries where every level shows how many it may hold, since the price
    /// of a hit is the same for each; otherwise bytes. Where a second level shows hits and no size,
    /// nothing is known of the whole.
    pub fn of(stats: &CacheStats) -> Self {
        let level = |role: Role| stats.levels.get(&role).copied().filter(|value| *value > 0.0);
        let has_l2 =
            [Role::L2Hits, Role::L2Misses].iter().any(|r| stats.cumulative.contains_key(r))
                || [Role::L2Entries, Role::L2Capacity, Role::L2MaxUsageBytes]
                    .iter()
                    .any(|role| level(*role).is_some());
        let units =
            [(Role::L1Capacity, Role::L2Capacity), (Role::L1MaxUsageBytes, Role::L2MaxUsageBytes)];
        let entries = |most: Role, now: Role| level(most).or_else(|| level(now));
        for (l1, l2) in units {
            let (Some(l1), l2) = (level(l1), level(l2)) else { continue };
            if has_l2 && l2.is_none() {
                continue;
            }
            let l1_entries = entries(Role::L1Capacity, Role::L1Entries);
            let l2_entries = entries(Role::L2Capacity, Role::L2Entries);
            return Self {
                l1: Some(Level { size: l1, entries: l1_entries }),
                l2: l2.map(|size| Level { size, entries: l2_entries }),
            };
        }
        Self::default()
    }

    fn level(&self, parameter: Parameter) -> Option<Level> {
        match parameter {
            Parameter::L1SizeMultiplier => self.l1,
            Parameter::L2SizeMultiplier => self.l2,
            _ => None,
        }
    }

    fn total(&self) -> Option<f64> {
        Some(self.l1?.size + self.l2.map_or(0.0, |level| level.size))
    }
}

impl Sizing {
    /// Takes in what the newest scrape shows.
    pub(super) fn record(&mut self, sizes: Sizes) {
        self.sizes = sizes;
        if self.first_total.is_none() {
            self.first_total = sizes.total();
        }
    }

    /// Takes in what a judged change of size showed.
    pub(super) fn learn(&mut self, parameter: Parameter, observation: Observation) {
        let known = self.observations.entry(parameter).or_default();
        if known.len() == OBSERVATIONS_MAX {
            known.remove(0);
        }
        known.push(observation);
    }

    /// Samples to leave out after a change of `parameter` by the factor `ratio`.
    pub(super) fn skip(&self, parameter: Parameter, ratio: f64, track: &Track) -> usize {
        let entries = self.sizes.level(parameter).and_then(|level| level.entries);
        let added = entries.map(|entries| entries * (ratio - 1.0));
        judge::skip(added, insertions_per_sample(parameter, track))
    }
}

/// Entries that come in between two samples: a look-up that finds nothing inserts one.
fn insertions_per_sample(parameter: Parameter, track: &Track) -> Option<f64> {
    let sample = track.iter().next_back()?;
    let hit_rate = sample.value(Signal::HitRate)?;
    let missed = match parameter {
        Parameter::L1SizeMultiplier => 1.0 - sample.value(Signal::L1HitRate).unwrap_or(hit_rate),
        _ => 1.0 - hit_rate,
    };
    // An operation is a get, or the put that follows a missed one.
    let gets = sample.value(Signal::OpsPerSecond)? / (2.0 - hit_rate);
    Some(gets * missed * track.pace()?.as_secs_f64())
}

impl SizingNow<'_> {
    /// What changing `parameter` from one value to another would bring, at `price` hits per request
    /// for each first size of the whole; `None` where nothing can be predicted.
    pub(super) fn outlook(
        &self,
        parameter: Parameter,
        (from, to): (f64, f64),
        price: f64,
    ) -> Option<Outlook> {
        let share = self.share(parameter)?;
        let size_ratio = 1.0 + (to / from - 1.0) * share;
        let model = self.model(parameter)?;
        let prediction = predict::predict(&model, size_ratio)?;
        // Plus 0, so that no price is 0 and not -0.
        let saving = price * model.size * (1.0 - size_ratio) + 0.0;
        Some(Outlook { size_ratio, gain: prediction.gain, error: prediction.error, saving })
    }

    /// The level's part of the whole.
    fn share(&self, parameter: Parameter) -> Option<f64> {
        let level = self.sizing.sizes.level(parameter)?;
        Some(level.size / self.sizing.sizes.total()?).filter(|share| share.is_finite())
    }

    /// Level 1 as a part of the whole, where there are two.
    fn inner(&self, hit_rate: Option<f64>) -> Option<Inner> {
        self.sizing.sizes.l2?;
        Some(Inner { size_ratio: self.share(Parameter::L1SizeMultiplier)?, hit_rate: hit_rate? })
    }

    /// The values of a signal in the newest valid samples, the newest first, and how many there
    /// are. Without a list: rules ask for them at every scrape of every cache.
    fn recent(&self, signal: Signal) -> ([f64; RECENT_SAMPLES], usize) {
        let samples = self.track.iter().rev().filter(|sample| sample.valid).take(RECENT_SAMPLES);
        let (mut values, mut count) = ([0.0; RECENT_SAMPLES], 0);
        for value in samples.filter_map(|sample| sample.value(signal)) {
            values[count] = value;
            count += 1;
        }
        (values, count)
    }

    fn recent_mean(&self, signal: Signal) -> Option<f64> {
        let (values, count) = self.recent(signal);
        stats::mean(&values[..count])
    }

    fn model(&self, parameter: Parameter) -> Option<SizeModel<'_>> {
        let (hit_rates, count) = self.recent(Signal::HitRate);
        let hit_rates = &hit_rates[..count];
        if count < RECENT_SAMPLES_MIN {
            return None;
        }
        let fill = match parameter {
            Parameter::L1SizeMultiplier => Signal::MemoryUsagePercent,
            _ => Signal::DiskUsagePercent,
        };
        let fill = self.recent_mean(fill).map(|percent| percent / 100.0);
        let evicts = self.recent_mean(Signal::EvictionRate).map(|rate| rate > 0.0);
        let deviation = stats::variance(hit_rates)?.sqrt() / (count as f64).sqrt();
        let observations = self.sizing.observations.get(&parameter);
        Some(SizeModel {
            hit_rate: stats::mean(hit_rates)?,
            hit_rate_deviation: deviation,
            size: self.sizing.sizes.total()? / self.sizing.first_total?,
            fill: fill.filter(|fill| evicts != Some(true) || *fill < FILL_WHERE_EVICTING),
            evicts,
            expired_share: None,
            compulsory_share: None,
            inner: self.inner(self.recent_mean(Signal::L1HitRate)),
            observations: observations.map_or(&[], Vec::as_slice),
            prior: self.sizing.prior,
            now: self.now,
        })
    }
}

impl BestSizes for SizingNow<'_> {
    fn best_size(&self, rule: &Rule, step: f64) -> Option<f64> {
        let parameter = rule.tune.parameter;
        let current = self.parameters.value(parameter);
        let share = self.share(parameter)?;
        let model = self.model(parameter)?;
        let low = (current / step).max(rule.tune.min).min(current);
        let high = (current * step).min(rule.tune.max).max(current);
        let whole = |value: f64| 1.0 + (value / current - 1.0) * share;
        let Best { size_ratio, .. } = predict::best(&model, whole(low), whole(high), rule.price())?;
        let value = current * (1.0 + (size_ratio - 1.0) / share);
        Some(((value * VALUE_STEPS).round() / VALUE_STEPS).clamp(low, high))
    }
}
