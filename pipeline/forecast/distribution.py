"""Negative binomial demand with an extra chance of none at all.

A window's demand Y has mean μ. With probability π it is zero (the item is off the shelf, or out of
its season); else it is negative binomial with mean m = μ / (1 − π) and size r, so that its
variance is m + m² / r. π = 0 and r → ∞ give the Poisson distribution.
"""

from __future__ import annotations

import math

import numpy as np

from pipeline.forecast.panel import F64
from pipeline.kernels import njit

_MOST = 1.0 - 1e-9


@njit(cache=True)
def log_likelihood(y, mean, log_size, logit_none):  # type: ignore[no-untyped-def]  # numba kernel
    """Log probability of `y` units, without the term that depends on y alone."""
    none = 1.0 / (1.0 + math.exp(-logit_none))
    r = math.exp(log_size)
    m = mean / (1.0 - none)
    log_p0 = -r * math.log1p(m / r)
    if y == 0.0:
        return math.log(none + (1.0 - none) * math.exp(log_p0))
    return math.log1p(-none) + log_p0 + math.lgamma(y + r) - math.lgamma(r) - y * math.log1p(r / m)


@njit(cache=True)
def _normal_quantile(p):  # type: ignore[no-untyped-def]  # numba kernel
    """Acklam's rational approximation (relative error below 1.2e-9)."""
    a = (-39.69683028665376, 220.9460984245205, -275.9285104469687,
         138.3577518672690, -30.66479806614716, 2.506628277459239)  # fmt: skip
    b = (-54.47609879822406, 161.5858368580409, -155.6989798598866,
         66.80131188771972, -13.28068155288572)  # fmt: skip
    c = (-0.007784894002430293, -0.3223964580411365, -2.400758277161838,
         -2.549732539343734, 4.374664141464968, 2.938163982698783)  # fmt: skip
    d = (0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416)
    tail = min(p, 1.0 - p)
    if tail < 0.02425:
        q = math.sqrt(-2.0 * math.log(tail))
        x = (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) / (
            (((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1.0
        )
        return x if p < 0.5 else -x
    q = p - 0.5
    s = q * q
    top = (((((a[0] * s + a[1]) * s + a[2]) * s + a[3]) * s + a[4]) * s + a[5]) * q
    return top / (((((b[0] * s + b[1]) * s + b[2]) * s + b[3]) * s + b[4]) * s + 1.0)


@njit(cache=True)
def quantiles(mean, size, none, levels, bucket, out):  # type: ignore[no-untyped-def]  # numba kernel
    """Fill `out` (rows, levels) with quantiles at `levels[bucket[row]]`, ascending.

    Exact by summing probabilities; where the probability of zero underflows, which needs a large
    mean and a small spread, the Cornish–Fisher expansion to the third moment.
    """
    for k in range(mean.shape[0]):
        r, off = size[k], none[k]
        m = max(mean[k] / (1.0 - off), 1e-6)
        log_p0 = -r * math.log1p(m / r)
        grid = levels[bucket[k]]
        if log_p0 < -600.0:
            sd = math.sqrt(m + m * m / r)
            skew = (r + 2.0 * m) / math.sqrt(r * m * (r + m))
            for j in range(grid.shape[0]):
                inner = (grid[j] - off) / (1.0 - off)
                if inner <= 0.0:
                    out[k, j] = 0.0
                    continue
                z = _normal_quantile(min(max(inner, 1e-9), _MOST))
                out[k, j] = max(0.0, np.rint(m + sd * (z + skew * (z * z - 1.0) / 6.0)))
            continue
        y, p = 0.0, (1.0 - off) * math.exp(log_p0)
        total = off + p
        ratio = m / (r + m)
        for j in range(grid.shape[0]):
            level = min(grid[j], _MOST)
            while total < level:
                p *= (y + r) / (y + 1.0) * ratio
                y += 1.0
                total += p
                if p < 1e-15 and y > m:
                    break
            out[k, j] = y


@njit(cache=True)
def _probability_up_to(y, m, r, off):  # type: ignore[no-untyped-def]  # numba kernel
    """P(Y ≤ y); 0 for y < 0. A normal law where the probability of zero underflows."""
    if y < 0:
        return 0.0
    log_p0 = -r * math.log1p(m / r)
    if log_p0 < -600.0:
        sd = math.sqrt(m + m * m / r)
        skew = (r + 2.0 * m) / math.sqrt(r * m * (r + m))
        x = (y + 0.5 - m) / sd
        z = x - skew * (x * x - 1.0) / 6.0
        return off + (1.0 - off) * 0.5 * math.erfc(-z / math.sqrt(2.0))
    p = (1.0 - off) * math.exp(log_p0)
    total = off + p
    ratio = m / (r + m)
    k = 0.0
    while k < y:
        p *= (k + r) / (k + 1.0) * ratio
        k += 1.0
        total += p
        if p < 1e-15 and k > m:
            break
    return min(total, 1.0)


@njit(cache=True)
def ranks(y, mean, size, none, draw):  # type: ignore[no-untyped-def]  # numba kernel
    """Probability integral transforms, the jump at `y` filled by uniform draws in [0, 1)."""
    out = np.empty(y.shape[0])
    for k in range(y.shape[0]):
        m = max(mean[k] / (1.0 - none[k]), 1e-6)
        below = _probability_up_to(y[k] - 1.0, m, size[k], none[k])
        out[k] = below + draw[k] * (_probability_up_to(y[k], m, size[k], none[k]) - below)
    return out


def quantiles_at(mean: F64, size: F64, none: F64, levels: F64) -> F64:
    """Quantiles (rows, levels) at the same levels for all rows."""
    out = np.empty((len(mean), len(levels)))
    quantiles(mean, size, none, levels[None, :], np.zeros(len(mean), np.int64), out)
    return out
