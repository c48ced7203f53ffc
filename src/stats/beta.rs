//! The regularised incomplete beta function, which Student's distribution is made of.
//!
//! By its continued fraction with Lentz's method (Press et al., Numerical Recipes, section 6.4):
//! some dozens of steps for the degrees of freedom that occur, and relative accuracy in the tail,
//! where a difference from 1 would have lost it.

/// Steps of the fraction; about the square root of the larger argument is needed.
const STEPS_MAX: u32 = 10_000;

/// What stands for 0 in a denominator.
const TINY: f64 = 1e-300;

/// Coefficients of Lanczos' approximation with g = 7 (Godfrey).
const LANCZOS: [f64; 9] = [
    0.999_999_999_999_809_9,
    676.520_368_121_885_1,
    -1_259.139_216_722_402_8,
    771.323_428_777_653_1,
    -176.615_029_162_140_6,
    12.507_343_278_686_905,
    -0.138_571_095_265_720_12,
    9.984_369_578_019_572e-6,
    1.505_632_735_149_311_6e-7,
];

/// From here on the ratio of neighbouring gamma functions comes from its series: the difference of
/// two large logarithms would lose digits.
const SERIES_FROM: f64 = 50.0;

/// Iₓ(a, ½) for a > 0 and x from 0 to 1, of which `rest` = 1 − x is given apart, so that nothing is
/// lost where x is close to 1.
pub(super) fn incomplete_beta_half(a: f64, x: f64, rest: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if rest <= 0.0 {
        return 1.0;
    }
    // xᵃ (1 − x)^½ ÷ B(a, ½), with ln x from the side that is exact.
    let ln_x = if x > 0.5 { (-rest).ln_1p() } else { x.ln() };
    let front = (a * ln_x + ln_gamma_step(a) - 0.5 * std::f64::consts::PI.ln()).exp() * rest.sqrt();
    // The fraction converges fast on this side of the mean; the other side is the mirror's.
    if x < (a + 1.0) / (a + 2.5) {
        front * fraction(a, 0.5, x) / a
    } else {
        1.0 - front * fraction(0.5, a, rest) / 0.5
    }
}

/// The continued fraction of Iₓ(a, b).
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    // Quotients of neighbouring numerators and of neighbouring denominators.
    let mut upper = 1.0;
    let mut lower = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut result = lower;
    for step in 1..=STEPS_MAX {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for coefficient in [even, odd] {
            lower = 1.0 / away_from_zero(1.0 + coefficient * lower);
            upper = away_from_zero(1.0 + coefficient / upper);
            change = upper * lower;
            result *= change;
        }
        if (change - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    result
}

/// ln Γ(a + ½) − ln Γ(a) for a > 0.
pub(super) fn ln_gamma_step(a: f64) -> f64 {
    if a < SERIES_FROM {
        return ln_gamma(a + 0.5) - ln_gamma(a);
    }
    let inverse = 1.0 / a;
    let square = inverse * inverse;
    0.5 * a.ln() - inverse * (0.125 - square * (1.0 / 192.0 - square / 640.0))
}

/// ln Γ(x) for x > 0, by Lanczos' approximation.
fn ln_gamma(x: f64) -> f64 {
    let x = x - 1.0;
    let base = x + 7.5;
    let mut sum = LANCZOS[0];
    for (place, coefficient) in (1_u32..).zip(&LANCZOS[1..]) {
        sum += coefficient / (x + f64::from(place));
    }
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * base.ln() - base + sum.ln()
}
