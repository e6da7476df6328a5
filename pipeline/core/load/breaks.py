"""Slope breaks of the trend: days at which the growth of the level changes, found and dated.

Forward selection of hinge functions max(0, t - knot) beside season, week and holidays, weekly
candidates first, then by day; a hinge stays if it lowers the Bayesian information criterion, with
the variance of the residual inflated by its autocorrelation. Growth is in shares a year.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.core.load.days import DayTable
from pipeline.core.load.ridge import moments, predict, solve

F64 = NDArray[np.float64]

LEAST_DAYS, MARGIN_DAYS, MOST_BREAKS = 120, 35, 4
LEAST_CHANGE_PER_YEAR = 0.1
COST = 3.0
"""Multiple of log(n) that a break (its date and its size) must gain."""


@dataclass(frozen=True)
class SlopeBreak:
    """Day of the history at which the slope changed, and by how much (log units a year)."""

    day: int
    change_per_year: float


def find_breaks(log_level: F64, weight: F64, days: DayTable) -> list[SlopeBreak]:
    """Breaks in the log level [history], ascending; none in less than 120 days of history."""
    n = len(log_level)
    if n < LEAST_DAYS:
        return []
    table = replace(days, X=days.X[:n])
    base = _without_fast_seasons(table, n)
    t = np.arange(n) / 365.25
    knots: list[int] = []
    residual = _residual(base.X, base.penalty, log_level, weight)
    while len(knots) < MOST_BREAKS:
        X, penalty = _with(base, t, knots)
        inflation = _inflation(residual)
        coarse = range(MARGIN_DAYS, n - MARGIN_DAYS, 7)
        gains = {k: _gain(X, penalty, t, k, residual, weight) for k in coarse}
        if not gains:
            break
        near = max(gains, key=lambda k: (gains[k], -k))
        fine = range(max(MARGIN_DAYS, near - 6), min(n - MARGIN_DAYS, near + 7))
        best = max(fine, key=lambda k: (_gain(X, penalty, t, k, residual, weight), -k))
        variance = float((weight * residual**2).sum() / max(weight.sum(), 1.0))
        gain = _gain(X, penalty, t, best, residual, weight) / max(variance, 1e-12) / inflation
        if gain < COST * np.log(n):
            break
        knots = sorted([*knots, best])
        residual = _residual(*_with(base, t, knots), log_level, weight)
    if not knots:
        return []
    X, penalty = _with(base, t, knots)
    gram, cross = moments(X, log_level[:, None].copy(), weight, 1.0, np.array([n]))
    b = solve(gram[0], cross[0], penalty)[-len(knots) :, 0]
    return [SlopeBreak(k, float(change)) for k, change in zip(knots, b, strict=True)
            if abs(change) >= LEAST_CHANGE_PER_YEAR]  # fmt: skip


def _without_fast_seasons(days: DayTable, n: int) -> DayTable:
    """With less than 18 months a yearly season cannot be told from breaks: one harmonic at most."""
    order = 6 if n >= 550 else (1 if n >= 365 else 0)
    return replace(days, penalty=np.where(days.yearly > order, 1e12, days.penalty * 0.3))


def _with(base: DayTable, t: F64, knots: list[int]) -> tuple[F64, F64]:
    hinges = [np.maximum(t - t[k], 0.0) for k in knots]
    X = np.ascontiguousarray(np.column_stack([base.X, *hinges]))
    return X, np.concatenate([base.penalty, np.full(len(knots), 1e-6)])


def _residual(X: F64, penalty: F64, y: F64, weight: F64) -> F64:
    gram, cross = moments(X, y[:, None].copy(), weight, 1.0, np.array([len(y)]))
    return np.asarray(y - predict(X, solve(gram[0], cross[0], penalty))[:, 0])


def _gain(X: F64, penalty: F64, t: F64, knot: int, residual: F64, weight: F64) -> float:
    """Squared error that a hinge at `knot` would take away, beside all columns of X."""
    hinge = np.maximum(t - t[knot], 0.0)
    rest = _residual(X, penalty, hinge, weight)
    size = float((weight * rest * rest).sum())
    along = float((weight * rest * residual).sum())
    return along * along / max(size, 1e-12)


def _inflation(residual: F64) -> float:
    """How much more a sum of the residuals varies than if they were independent, from lag 1."""
    a, b = residual[:-1], residual[1:]
    scale = 4 * float(np.median(np.abs(residual))) + 1e-12
    a, b = np.clip(a, -scale, scale), np.clip(b, -scale, scale)
    rho = float((a * b).sum() / max((a * a).sum(), 1e-12))
    rho = min(max(rho, 0.0), 0.95)
    return (1 + rho) / (1 - rho)
