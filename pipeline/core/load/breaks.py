"""Slope breaks and level shifts: days at which the growth or the level changes, found and dated.

Forward selection of hinge functions max(0, t - knot) beside season, week and holidays; a hinge
stays if it lowers the Bayesian information criterion, with the variance of the residual inflated
by its autocorrelation. Growth is in shares a year.
A shift is a step that explains more than any hinge, by the same rule; two hinges could imitate it.
"""

from __future__ import annotations

from collections.abc import Sequence
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


LEAST_SHIFT = 0.15
"""Step of the log level below which a shift is not told of."""


@dataclass(frozen=True)
class LevelShift:
    """Day of the history from which the level is another, and by how much (log units)."""

    day: int
    change: float


def find_shifts(log_level: F64, weight: F64, days: DayTable) -> list[LevelShift]:
    """Steps in the log level [history], ascending; none in less than 120 days of history.

    Each round takes the hinge or the step that explains most; only steps are told of.
    """
    n = len(log_level)
    if n < LEAST_DAYS:
        return []
    base = _without_fast_seasons(replace(days, X=days.X[:n]), n)
    t = np.arange(n) / 365.25
    hinges: list[int] = []
    steps: list[int] = []
    while len(hinges) + len(steps) < MOST_BREAKS:
        X, penalty = _with(base, t, hinges, steps)
        residual = _residual(X, penalty, log_level, weight)
        asked = [(False, k) for k in range(MARGIN_DAYS, n - MARGIN_DAYS, 7)]
        asked += [(True, k) for k in range(MARGIN_DAYS, n - MARGIN_DAYS)]
        gain = _gains(X, penalty, [_bend(t, k, is_step) for is_step, k in asked], residual, weight)
        is_step, k = asked[int(np.argmax(gain))]
        # Judged by what is left with it: a step that nobody names looks like slow wandering.
        rest = _residual(*_with(base, t, [*hinges, *[k] * (not is_step)],
                                [*steps, *[k] * is_step]), log_level, weight)  # fmt: skip
        variance = float((weight * rest**2).sum() / max(weight.sum(), 1.0))
        if gain.max() / max(variance, 1e-12) / _inflation(rest) < COST * np.log(n):
            break
        (steps if is_step else hinges).append(k)
    if not steps:
        return []
    X, penalty = _with(base, t, hinges, sorted(steps))
    gram, cross = moments(X, log_level[:, None].copy(), weight, 1.0, np.array([n]))
    b = solve(gram[0], cross[0], penalty)[-len(steps) :, 0]
    return [LevelShift(k, float(change)) for k, change in zip(sorted(steps), b, strict=True)
            if abs(change) >= LEAST_SHIFT]  # fmt: skip


def _bend(t: F64, knot: int, is_step: bool) -> F64:
    """A change of level (step) or of slope (hinge) at `knot`."""
    return (t >= t[knot]).astype(float) if is_step else np.maximum(t - t[knot], 0.0)


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
        days_asked = range(MARGIN_DAYS, n - MARGIN_DAYS)
        gains = _gains(X, penalty, [_bend(t, k, False) for k in days_asked], residual, weight)
        best = days_asked[int(np.argmax(gains))]
        variance = float((weight * residual**2).sum() / max(weight.sum(), 1.0))
        gain = gains.max() / max(variance, 1e-12) / inflation
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


def _with(base: DayTable, t: F64, knots: list[int], steps: Sequence[int] = ()) -> tuple[F64, F64]:
    bends = [_bend(t, k, False) for k in knots] + [_bend(t, k, True) for k in steps]
    X = np.ascontiguousarray(np.column_stack([base.X, *bends]))
    return X, np.concatenate([base.penalty, np.full(len(bends), 1e-6)])


def _residual(X: F64, penalty: F64, y: F64, weight: F64) -> F64:
    gram, cross = moments(X, y[:, None].copy(), weight, 1.0, np.array([len(y)]))
    return np.asarray(y - predict(X, solve(gram[0], cross[0], penalty))[:, 0])


def _gains(X: F64, penalty: F64, bends: list[F64], residual: F64, weight: F64) -> F64:
    """Squared error that each column of `bends` would take away, beside all columns of X."""
    y = np.ascontiguousarray(np.column_stack(bends))
    gram, cross = moments(X, y, weight, 1.0, np.array([len(y)]))
    rest = y - predict(X, solve(gram[0], cross[0], penalty))
    size = (weight[:, None] * rest * rest).sum(axis=0)
    along = (weight[:, None] * rest * residual[:, None]).sum(axis=0)
    return np.asarray(along * along / np.maximum(size, 1e-12))


def _inflation(residual: F64) -> float:
    """How much more a sum of the residuals varies than if they were independent, from lag 1."""
    a, b = residual[:-1], residual[1:]
    scale = 4 * float(np.median(np.abs(residual))) + 1e-12
    a, b = np.clip(a, -scale, scale), np.clip(b, -scale, scale)
    rho = float((a * b).sum() / max((a * a).sum(), 1e-12))
    rho = min(max(rho, 0.0), 0.95)
    return (1 + rho) / (1 - rho)
