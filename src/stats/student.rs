//! Student's t distribution for real degrees of freedom: effective sample sizes are no integers.

use crate::stats::beta;
use crate::stats::normal::normal_quantile;

/// Fewest degrees of freedom; below it the quantiles that are asked for have no practical meaning.
const DF_MIN: f64 = 1.0;

/// Newton's steps; five are usual.
const STEPS_MAX: u32 = 100;

/// Relative step at which a quantile counts as found: the next would be its square.
const STEP_MIN: f64 = 1e-12;

/// P(T ≤ t) for `df` degrees of freedom, cut to at least 1.
pub fn student_cdf(t: f64, df: f64) -> f64 {
    let tail = upper_tail(t.abs(), df.max(DF_MIN));
    if t > 0.0 { 1.0 - tail } else { tail }
}

/// The t that P(T ≤ t) = `p` holds for, with `df` degrees of freedom, cut to at least 1. `p` is cut
/// to 10⁻¹² from 0 and from 1, where a quantile ends to be finite.
pub fn student_quantile(p: f64, df: f64) -> f64 {
    let (p, df) = (p.clamp(1e-12, 1.0 - 1e-12), df.max(DF_MIN));
    let tail = p.min(1.0 - p);
    let size = if tail > 0.25 { central_quantile(tail, df) } else { tail_quantile(tail, df) };
    if p < 0.5 { -size } else { size }
}

/// P(T > t) for t ≥ 0: ½ Iₓ(df ÷ 2, ½) with x = df ÷ (df + t²).
fn upper_tail(t: f64, df: f64) -> f64 {
    let whole = df + t * t;
    0.5 * beta::incomplete_beta_half(df / 2.0, df / whole, t * t / whole)
}

fn density(t: f64, df: f64) -> f64 {
    let front = (beta::ln_gamma_step(df / 2.0)).exp() / (df * std::f64::consts::PI).sqrt();
    front * (-(df + 1.0) / 2.0 * (t * t / df).ln_1p()).exp()
}

/// Newton's method on the tail itself. It is convex, and the normal quantile lies left of the
/// solution, so every step goes right and none too far.
fn central_quantile(tail: f64, df: f64) -> f64 {
    let mut t = -normal_quantile(tail);
    for _ in 0..STEPS_MAX {
        let step = (upper_tail(t, df) - tail) / density(t, df);
        t += step;
        if step.abs() <= STEP_MIN * t.abs().max(STEP_MIN) {
            break;
        }
    }
    t
}

/// Newton's method on the logarithms of tail and t, between which a heavy tail is a straight line.
fn tail_quantile(tail: f64, df: f64) -> f64 {
    let mut t = -normal_quantile(tail);
    for _ in 0..STEPS_MAX {
        let here = upper_tail(t, df);
        let step = (here / tail).ln() * here / (density(t, df) * t);
        t *= step.exp();
        if step.abs() <= STEP_MIN {
            break;
        }
    }
    t
}
