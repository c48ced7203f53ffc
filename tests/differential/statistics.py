#!/usr/bin/env python3
"""Computes with SciPy what `src/stats` and `src/judge` are held to.

    pip install numpy==2.4.6 scipy==1.17.1
    python3 tests/differential/statistics.py

writes `statistics.json` and `judge.json` beside this file. They are checked in, so that `cargo test`
needs no Python.

The judge's formulas are written down here a second time, and in another way wherever there is one:
the placebos by slices instead of prefix sums, the local level by its full covariance matrix and
generalised least squares instead of a Kalman filter.
"""

import json
import pathlib

import numpy as np
from scipy import ndimage
from scipy import stats

HERE = pathlib.Path(__file__).resolve().parent


def write(name, value):
    """One case a line."""
    def lines(cases):
        return "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]"
    if isinstance(value, dict):
        text = "{" + ",\n".join(f'"{key}": {lines(cases)}' for key, cases in value.items()) + "}"
    else:
        text = lines(value)
    (HERE / name).write_text(text + "\n")


def numbers(rng, n, kind):
    match kind:
        case "normal":
            return rng.normal(0.7, 0.02, n)
        case "walk":
            return 0.5 + np.cumsum(rng.normal(0, 0.01, n))
        case "heavy":
            return rng.standard_t(1.5, n)
        case "ties":
            return rng.integers(0, 4, n).astype(float)


def statistics():
    rng = np.random.default_rng(1)
    t = [
        {"df": df, "t": x, "cdf": stats.t.cdf(x, df)}
        for df in [1, 1.3, 1.5, 2, 2.7, 3, 5.5, 10, 17.25, 28, 59, 99.9, 101, 240, 1e4, 1e6]
        for x in [-40, -8, -3.3, -1.7, -0.4, 0, 1e-6, 0.01, 0.25, 1, 1.732, 2.5, 6, 25]
    ]
    q = [
        {"df": df, "p": p, "t": stats.t.ppf(p, df)}
        for df in [1, 1.5, 2, 2.9, 4, 7.3, 12, 28, 59, 120, 1e5]
        for p in [1e-9, 1e-4, 0.005, 0.015, 0.04, 0.1, 0.24, 0.26, 0.45, 0.5, 0.501, 0.6, 0.74, 0.76,
                  0.9, 0.95, 0.96, 0.985, 0.995, 0.9999]
    ]
    z = [
        {"p": p, "z": stats.norm.ppf(p)}
        for p in [1e-200, 1e-20, 1e-12, 1e-6, 0.01, 0.07, 0.08, 0.3, 0.5, 0.7, 0.9, 0.95, 0.999, 1 - 1e-9]
    ]
    samples = []
    for kind in ["normal", "walk", "heavy", "ties"]:
        for n in [2, 3, 4, 5, 10, 31, 200]:
            x, other = numbers(rng, n, kind), numbers(rng, n, kind)
            centred = x - x.mean()
            constant = np.ptp(x) == 0 or np.ptp(other) == 0
            samples.append({
                "values": x.tolist(),
                "other": other.tolist(),
                "mean": x.mean(),
                "variance": x.var(ddof=1),
                "median": float(np.median(x)),
                "mad": float(stats.median_abs_deviation(x)),
                "running_median_3": ndimage.median_filter(x, 3, mode="nearest").tolist(),
                "lag_one": None if np.ptp(x) == 0 else float(centred[1:] @ centred[:-1] / (centred @ centred)),
                "correlation": None if constant else float(stats.pearsonr(x, other).statistic),
            })
    wilson = []
    for successes, trials in [(0, 1), (1, 1), (0, 5), (2, 5), (5, 5), (12, 20), (150, 1000)]:
        for confidence in [0.8, 0.9, 0.975]:
            # The two-sided interval at 1 - 2a has the one-sided bounds at 1 - a.
            interval = stats.binomtest(successes, trials).proportion_ci(2 * confidence - 1, method="wilson")
            wilson.append({"successes": successes, "trials": trials, "confidence": confidence,
                           "lower": interval.low, "upper": interval.high})
    return {"student_cdf": t, "student_quantile": q, "normal_quantile": z, "samples": samples, "wilson": wilson}


def welch(before, after, alpha):
    parts = [before - before.mean(), after - after.mean()]
    squares = sum(p @ p for p in parts)
    rho = sum(p[1:] @ p[:-1] for p in parts) / squares
    n = len(before) + len(after)
    rho = float(np.clip((n * rho + 1) / (n - 3), 0, 0.9))

    def mean_error(values):
        n = len(values)
        # Variance inflation of a mean as the sum over the correlation matrix.
        i = np.arange(n)
        matrix = rho ** np.abs(i[:, None] - i[None, :]) if rho > 0 else np.eye(n)
        n_eff = max(1.5, n * n / matrix.sum())
        return n_eff, values.var() / n_eff / max(1 - 1 / n_eff, 0.33)

    (n_b, v_b), (n_a, v_a) = mean_error(before), mean_error(after)
    df = max(n_a + n_b - 2, 1.5)
    se = float(np.sqrt(v_a + v_b))
    return {"effect": after.mean() - before.mean(), "rho": rho, "df": df, "se": se,
            "critical": stats.t.ppf(1 - alpha, df)}


def placebo(history, n_b, n_a, skip, alpha):
    p = []
    for k in range(n_b, len(history) - skip - n_a + 1):
        p.append(history[k + skip:k + skip + n_a].mean() - history[k - n_b:k].mean())
    independent = max(3, len(p) / ((n_b + n_a) / 2 + skip))
    tail = np.sort(np.abs(p - np.median(p)))[len(p) * 4 // 5] / stats.norm.ppf(0.9)
    scale = max(stats.median_abs_deviation(p) * 1.4826, tail) * np.sqrt(1 + 1.57 / independent)
    return {"count": len(p), "centre": float(np.median(p)), "scale": float(scale), "df": independent - 1,
            "critical": stats.t.ppf(1 - alpha, independent - 1)}


def forecast(history, after, horizons, alpha):
    y = history[-60:]
    n = len(y)
    one = np.ones(n)
    i = np.arange(n)
    best = None
    for q in [0, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3]:
        v = np.eye(n) + q * np.minimum(i[:, None], i[None, :])
        inverse = np.linalg.inv(v)
        information = one @ inverse @ one
        level = one @ inverse @ y / information
        residual = y - level
        variance = residual @ inverse @ residual / (n - 1)
        likelihood = -0.5 * ((n - 1) * np.log(variance) + np.linalg.slogdet(v)[1] + np.log(information))
        if best is None or likelihood > best[0] + 1e-9:
            best = (likelihood, q, v, inverse, information, level, variance)
    _, q, v, inverse, information, level, variance = best
    h = np.asarray(horizons) + n - 1
    cross = q * np.minimum(i[:, None], h[None, :]).mean(axis=1)
    future = q * np.minimum(h[:, None], h[None, :]).mean() + 1 / len(h)
    predicted = level + cross @ inverse @ (y - level)
    slack = 1 - one @ inverse @ cross
    error = variance * (future - cross @ inverse @ cross + slack * slack / information)
    return {"q": q, "effect": after.mean() - predicted, "se": float(np.sqrt(error)),
            "critical": stats.t.ppf(1 - alpha, n - 1)}


def judge():
    rng = np.random.default_rng(2)
    cases = []
    for index in range(16):
        phi = [0.0, 0.5, 0.8, 0.95][index % 4]
        n_b, n_a, skip = [(5, 10, 2), (5, 20, 4), (10, 10, 2), (10, 20, 20)][index // 4]
        noise = rng.normal(0, 0.004, 200 + skip + n_a)
        series = 0.7 + 0.002 * rng.normal(size=len(noise))
        for at in range(1, len(noise)):
            noise[at] += phi * noise[at - 1]
        series = series + noise
        series[200:] += rng.choice([0.0, 0.02, -0.02])
        history, after = series[:200], series[200 + skip:]
        horizons = list(range(skip + 1, skip + n_a + 1))
        alpha = 0.015 if n_a == 10 else 0.04
        cases.append({
            "history": history.tolist(), "after": after.tolist(), "before_samples": n_b, "skip": skip, "alpha": alpha,
            "welch": welch(history[-n_b:], after, alpha),
            "placebo": placebo(history, n_b, n_a, skip, alpha),
            "forecast": forecast(history, after, horizons, alpha),
        })
    return cases


write("statistics.json", statistics())
write("judge.json", judge())
