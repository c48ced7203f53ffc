//! What a change of size would do to the hit rate, before anybody tries.
//!
//! Over the sizes that come into question, the logarithm of the odds of a hit grows about evenly
//! with the logarithm of the size: logit h(k·c) = logit h(c) + b · ln k. The slope b is a known
//! average of workloads until judged changes of this very cache say better. A cache of two levels
//! tells more at every scrape: what level 1 answers alone is a second point of the same curve, and
//! between them hits grow about as a power of the size. With a price per unit
//! of size the best size follows, which may be a smaller one: a full cache always evicts, so hit
//! rate alone only ever asks for more.

use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use crate::units::Timestamp;

/// Observations that are taken into account: the newest.
pub const OBSERVATIONS_MAX: usize = 64;
/// Time in which an observation loses half of its weight.
pub const HALF_LIFE: Duration = Duration::from_secs(7 * 86_400);

/// b₀: the usual slope.
const SLOPE: f64 = 0.55;
/// s₀: how far slopes of workloads scatter about it.
const SLOPE_DEVIATION: f64 = 0.25;
/// How sure the hit rates of judged changes of other caches are.
const SIBLING_DEVIATION: f64 = 0.01;
/// How far the slopes of siblings scatter at least.
const SIBLING_SLOPE_DEVIATION: f64 = 0.15;
/// The slope at the whole size ÷ that of the power law between level 1 and the whole. Level 1 fills
/// by other rules than the whole, and holds what level 2 holds too; in simulation and on traces the
/// factor is 1.05 to 1.5.
const INNER_FACTOR: f64 = 1.3;
/// How far that scatters, as a share of the slope.
const INNER_DEVIATION: f64 = 0.2;
/// Largest part of the whole that level 1 may be: two points close together say nothing.
const INNER_SIZE_MAX: f64 = 0.8;
/// The slopes from level 1 that are believed.
const INNER_SLOPES: (f64, f64) = (0.05, 3.0);
/// Share of the limit in use below which a cache is not full.
const FULL: f64 = 0.95;
/// Share of removals that are expirations from which they limit what size can do.
const EXPIRED_SHARE_MAX: f64 = 0.3;
/// Hit rates are kept this far from 0 and 1, where odds have no logarithm.
const EDGE: f64 = 1e-3;
/// Least uncertainty of a hit rate: a perfect measurement would drown all others.
const DEVIATION_MIN: f64 = 1e-4;
/// Sizes tried between the smallest and the largest allowed one: steps of 2 % for a factor of 50.
const SIZES_TRIED: u32 = 200;

/// What a judged change of size showed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Size after ÷ size before; above 0.
    pub size_ratio: f64,
    /// Hit rate before; 0 to 1.
    pub hit_rate_before: f64,
    /// Hit rate after, freed from what siblings did too; 0 to 1.
    pub hit_rate_after: f64,
    /// When it was judged.
    pub at: Timestamp,
}

/// The first of two levels, as a smaller cache within the whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inner {
    /// Its size ÷ the size of the whole; below 1.
    pub size_ratio: f64,
    /// Share of all requests that it answers; 0 to 1.
    pub hit_rate: f64,
}

/// A cache as far as its size matters.
///
/// The size is that of all levels together, in entries or bytes: where level 2 does not hold all
/// that level 1 holds, the hit rate follows the whole. Whoever asks about one level gives the ratio
/// of the wholes, which for a level that is the share s of it and gets k times its size is 1 +
/// s (k − 1); in observations, too.
#[derive(Debug, Clone, Copy)]
pub struct SizeModel<'a> {
    /// h: its hit rate now; 0 to 1.
    pub hit_rate: f64,
    /// σ: standard deviation of the mean hit rate of a window.
    pub hit_rate_deviation: f64,
    /// c: its size, in the unit that the price is for: 1.3 for a multiplier of 1.3.
    pub size: f64,
    /// Used ÷ limit; `None` where either is not known, which counts as full.
    pub fill: Option<f64>,
    /// Whether anything is evicted; `None` where not known, which counts as yes.
    pub evicts: Option<bool>,
    /// Share of the removals that are expirations; 0 to 1.
    pub expired_share: Option<f64>,
    /// Share of the requests that no size could answer; 0 to 1.
    pub compulsory_share: Option<f64>,
    /// Level 1 of a cache with more than one level; `None` where there is one level, where not both
    /// sizes are known in one unit, or where level 1 is not full.
    pub inner: Option<Inner>,
    /// What earlier changes showed, oldest first.
    pub observations: &'a [Observation],
    /// What is known of the slope without them and level 1, see [`of_siblings`].
    pub prior: Slope,
    /// Now.
    pub now: Timestamp,
}

/// What a size would bring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prediction {
    /// The hit rate at that size; 0 to 1.
    pub hit_rate: f64,
    /// The change of the hit rate; negative for a loss.
    pub gain: f64,
    /// Standard error of the gain, from what is not known of the slope.
    pub error: f64,
}

/// A size and what speaks for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Best {
    /// k: the best size ÷ the present one.
    pub size_ratio: f64,
    /// What it would bring.
    pub prediction: Prediction,
    /// Gain − price · change of size; 0 for staying, never below.
    pub utility: f64,
}

/// b with its standard error: by how much the logarithm of the odds of a hit grows with that of the
/// size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// b.
    pub value: f64,
    /// Its standard error; above 0.
    pub error: f64,
}

impl Slope {
    /// Both together, by their precisions.
    fn with(self, other: Self) -> Self {
        let (own, others) = (self.error.powi(-2), other.error.powi(-2));
        let value = (own * self.value + others * other.value) / (own + others);
        Self { value, error: (own + others).sqrt().recip() }
    }
}

impl Default for Slope {
    fn default() -> Self {
        Self { value: SLOPE, error: SLOPE_DEVIATION }
    }
}

/// The slope of a cache of which nothing is known, among siblings of which `observations` are: they
/// serve the same kind of demand, and are not the same.
pub fn of_siblings(observations: &[Observation], now: Timestamp) -> Slope {
    let own = Slope::default();
    let slope = regression(observations, SIBLING_DEVIATION, own, now);
    Slope { error: slope.error.max(SIBLING_SLOPE_DEVIATION), ..slope }
}

/// Predicts the hit rate at `size_ratio` times the present size. `None` where a number makes no
/// sense: a ratio that is not above 0, a hit rate outside of 0 to 1.
///
/// A cache that is not full, or evicts nothing, gains nothing by growth, and loses nothing by a
/// shrink down to what it uses. Where more than 0.3 of the removals are expirations, that share of
/// the change does not happen. No size answers first requests.
pub fn predict(model: &SizeModel<'_>, size_ratio: f64) -> Option<Prediction> {
    let is_sound = size_ratio.is_finite() && size_ratio > 0.0 && is_ratio(model.hit_rate);
    is_sound.then(|| Curve::new(model).at(size_ratio))
}

/// The size between `size_ratio_min` and `size_ratio_max` times the present one with the largest
/// utility Δh − `price` · Δc, both ends and the present size among those tried. `None` as in
/// [`predict`].
pub fn best(
    model: &SizeModel<'_>,
    size_ratio_min: f64,
    size_ratio_max: f64,
    price: f64,
) -> Option<Best> {
    let is_sound = size_ratio_min.is_finite() && size_ratio_min > 0.0 && is_ratio(model.hit_rate);
    if !is_sound {
        return None;
    }
    let curve = Curve::new(model);
    let stay = Best { size_ratio: 1.0, prediction: curve.at(1.0), utility: 0.0 };
    let factor = size_ratio_max / size_ratio_min;
    if !(factor >= 1.0 && factor.is_finite() && price.is_finite() && model.size.is_finite()) {
        return None;
    }
    let step = |index: u32| factor.powf(f64::from(index) / f64::from(SIZES_TRIED));
    let sizes = (0..=SIZES_TRIED).map(|index| (size_ratio_min * step(index)).min(size_ratio_max));
    // What is in use is the size at which a cache that is not full begins to lose.
    let used = model.fill.filter(|fill| (size_ratio_min..=size_ratio_max).contains(fill));
    let tried = sizes.chain(used).map(|size_ratio| {
        let prediction = curve.at(size_ratio);
        let cost = price * model.size * (size_ratio - 1.0);
        Best { size_ratio, prediction, utility: prediction.gain - cost }
    });
    Some(tried.fold(stay, |best, next| if next.utility > best.utility { next } else { best }))
}

/// How a cache's hit rate follows its size: what is the same for all sizes, reckoned once.
struct Curve<'a> {
    model: &'a SizeModel<'a>,
    slope: Slope,
    /// logit h.
    odds: f64,
    /// h, away from the edges.
    inner: f64,
    /// Share of a change that expirations leave.
    kept: f64,
    /// Largest hit rate.
    most: f64,
}

impl<'a> Curve<'a> {
    fn new(model: &'a SizeModel<'a>) -> Self {
        let from = model.hit_rate;
        let expired = model.expired_share.filter(|share| *share > EXPIRED_SHARE_MAX);
        Self {
            model,
            slope: slope(model),
            odds: logit(from),
            inner: from.clamp(EDGE, 1.0 - EDGE),
            kept: 1.0 - expired.unwrap_or(0.0).min(1.0),
            most: model.compulsory_share.map_or(1.0, |share| 1.0 - share).max(from),
        }
    }

    /// At `size_ratio` times the present size, which is finite and above 0.
    fn at(&self, size_ratio: f64) -> Prediction {
        let Self { slope, odds, inner, kept, most, .. } = *self;
        let from = self.model.hit_rate;
        let growth = effective_ratio(self.model, size_ratio).ln();
        let change = kept * (logistic(odds + slope.value * growth) - inner);
        let hit_rate = (from + change).clamp(0.0, most);
        let steepness = hit_rate * (1.0 - hit_rate);
        let error = kept * slope.error * growth.abs() * steepness;
        Prediction { hit_rate, gain: hit_rate - from, error }
    }
}

/// The change of size as the entries feel it.
fn effective_ratio(model: &SizeModel<'_>, size_ratio: f64) -> f64 {
    match model.fill {
        Some(fill) if fill > 0.0 && fill < FULL => (size_ratio / fill).min(1.0),
        Some(fill) if fill <= 0.0 => 1.0,
        _ if model.evicts == Some(false) => size_ratio.min(1.0),
        _ => size_ratio,
    }
}

/// b̂ = (b₀/s₀² + Σ w x z/v) ÷ (1/s₀² + Σ w x²/v): a regression through the origin that is drawn to
/// b₀, which is known up to s₀. x = ln of the ratio of sizes, z = the change of logit h, v = 2 (σ ÷
/// (h (1 − h)))² its variance, w = 2^(−age ÷ 7 d).
fn slope(model: &SizeModel<'_>) -> Slope {
    let prior = match inner_slope(model) {
        // What siblings showed is knowledge too; the usual slope is none beside the cache's own.
        Some(inner) if model.prior.error < SLOPE_DEVIATION => inner.with(model.prior),
        Some(inner) => inner,
        None => model.prior,
    };
    regression(model.observations, model.hit_rate_deviation, prior, model.now)
}

fn regression(
    observations: &[Observation],
    hit_rate_deviation: f64,
    prior: Slope,
    now: Timestamp,
) -> Slope {
    let precision = 1.0 / (prior.error * prior.error);
    let (mut weighted, mut weights) = (prior.value * precision, precision);
    let newest = observations.len().saturating_sub(OBSERVATIONS_MAX);
    for observation in &observations[newest..] {
        let Observation { size_ratio, hit_rate_before, hit_rate_after, at } = *observation;
        let is_sound = size_ratio.is_finite()
            && size_ratio > 0.0
            && is_ratio(hit_rate_before)
            && is_ratio(hit_rate_after);
        if !is_sound {
            continue;
        }
        let age = now.saturating_since(at).as_secs_f64() / HALF_LIFE.as_secs_f64();
        let x = size_ratio.ln();
        let z = logit(hit_rate_after) - logit(hit_rate_before);
        let hit_rate = hit_rate_before.clamp(EDGE, 1.0 - EDGE);
        let deviation = hit_rate_deviation.max(DEVIATION_MIN);
        let variance = 2.0 * (deviation / (hit_rate * (1.0 - hit_rate))).powi(2);
        let weight = (-age).exp2() / variance;
        weighted += weight * x * z;
        weights += weight * x * x;
    }
    Slope { value: weighted / weights, error: weights.recip().sqrt() }
}

/// b₀ where level 1 shows a second point: from h ∝ cᵞ with γ = ln(h ÷ h₁) ÷ ln(c ÷ c₁) follows the
/// slope γ ÷ (1 − h).
fn inner_slope(model: &SizeModel<'_>) -> Option<Slope> {
    let Inner { size_ratio, hit_rate } = model.inner?;
    let is_sound = size_ratio > 0.0
        && size_ratio <= INNER_SIZE_MAX
        && hit_rate > EDGE
        && (hit_rate..1.0 - EDGE).contains(&model.hit_rate);
    let power = (model.hit_rate / hit_rate).ln() / -size_ratio.ln();
    let slope = INNER_FACTOR * power / (1.0 - model.hit_rate);
    let value = slope.clamp(INNER_SLOPES.0, INNER_SLOPES.1);
    is_sound.then_some(Slope { value, error: INNER_DEVIATION * value })
}

fn is_ratio(value: f64) -> bool {
    (0.0..=1.0).contains(&value)
}

fn logit(ratio: f64) -> f64 {
    let ratio = ratio.clamp(EDGE, 1.0 - EDGE);
    (ratio / (1.0 - ratio)).ln()
}

fn logistic(odds: f64) -> f64 {
    1.0 / (1.0 + (-odds).exp())
}

#[cfg(test)]
mod tests;
