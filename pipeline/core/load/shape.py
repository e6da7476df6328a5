"""The day's shape: log shares by block of the day, with a slow state that a backtest weighs.

R_d = Z_d - S_d B, the residual curve of a day, drifts: its exponentially weighted mean over the
last days is carried into the forecast, by a share between nothing and all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.arithmetic import product
from pipeline.core.load.blend import recency, softmax_weights
from pipeline.core.load.days import DayTable
from pipeline.core.load.ridge import moments, predict, solve

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

BASES = (
    (1e6, 0, 1.0), (1e6, 0, 4.0), (1e6, 0, 16.0), (60.0, 0, 0.25), (20.0, 0, 0.25), (1e6, 3, 1.0),
)  # fmt: skip
"""(half-life in days, harmonics of the year, factor of the penalties) of the regressions.

Factors above 1 are for short histories: days of a class are then hardly told from all days."""
STATES = (
    (1.0, 0.0, 0.0), (3.0, 0.5, 0.0), (3.0, 1.0, 0.0), (10.0, 1.0, 0.0), (10.0, 1.0, 14.0),
    (10.0, 1.0, 5.0),
)  # fmt: skip
"""(half-life in days, share) of the slow state of all days; half-life in days of what is left by
day of the week, 0: none."""
SHARPNESS = 0.02
WEEK_SHRINK = 0.5
HINDSIGHT_DAYS = 10.0


@dataclass(frozen=True)
class ShapeForecast:
    """Log shares [days, blocks] after the history, at the backtests' origins, and in hindsight."""

    log_share: F64
    backtest: F64
    """[origins, ahead, blocks]"""
    fitted: F64
    """[history, blocks]"""
    state_share: float
    """Share of the slow state that the backtest chose, 0 to 1."""


def fit_shape(
    log_share: F64, weight: F64, days: DayTable, origins: I64, ahead: int, horizon_days: int
) -> ShapeForecast:
    """Forecast log shares [history, blocks]; `days` covers history and horizon."""
    n, blocks = log_share.shape
    every = np.append(origins, n)
    importance = np.exp(log_share.mean(axis=0))  # blocks with much load count as much
    importance /= importance.sum()
    choices = [(base, state) for base in range(len(BASES)) for state in range(len(STATES))
               if BASES[base][1] == 0 or n >= 270]  # fmt: skip
    trial = np.zeros((len(choices), len(origins), ahead, blocks))
    final = np.zeros((len(choices), horizon_days, blocks))
    fitted = np.zeros((len(choices), n, blocks))
    for base in sorted({base for base, _ in choices}):
        half_life, order, factor = BASES[base]
        penalty = np.where(days.yearly > order, 1e12, factor * days.penalty)
        gram, cross = moments(days.X[:n], log_share, weight, 0.5 ** (1 / half_life), every)
        for k, origin in enumerate(every):
            o = int(origin)
            span = ahead if k < len(origins) else horizon_days
            b = solve(gram[k], cross[k], penalty)
            start = max(0, o - 120)
            curve = predict(days.X[start : o + span], b)
            residual = (log_share[start:o] - curve[: o - start]) * 1.0
            for c, (other, state) in enumerate(choices):
                if other != base:
                    continue
                drift = _state(residual, weight[start:o], *STATES[state], curve[o - start :])
                ahead_curve = curve[o - start :] + drift
                if k < len(origins):
                    trial[c, k] = ahead_curve
                else:
                    final[c] = ahead_curve
                    fitted[c] = predict(days.X[:n], b)
                    if STATES[state][0] >= 10:
                        fitted[c] += drift[:7].mean(axis=0)
    blend = _weigh(trial, log_share, weight, origins, importance, n)
    state_share = float(sum(w * STATES[s][1] for w, (_, s) in zip(blend, choices, strict=True)))
    return ShapeForecast(
        product(blend, final), product(blend, trial),
        product(blend, fitted), state_share,
    )  # fmt: skip


def _state(
    residual: F64,
    weight: F64,
    half_life_days: float,
    share: float,
    week_half_life_days: float,
    ahead: F64,
) -> F64:
    """What is carried into the days [ahead, blocks]: means of the residual curves, shrunk.

    The exponentially weighted mean of all days' residuals, shrunk by one day's weight, and, where
    it has a half-life, of what that leaves by day of the week, shrunk by one such day.
    """
    back = np.arange(len(residual) - 1, -1, -1)
    a = 0.5 ** (back / half_life_days) * weight
    drift = share * (a[:, None] * residual).sum(axis=0) / (a.sum() + 0.3)
    carried = np.tile(drift, (len(ahead), 1))
    if week_half_life_days > 0:
        rest = residual - drift
        a = 0.5 ** (back / week_half_life_days) * weight
        for k in range(7):
            own = (back + 1 + k) % 7 == 0  # days of the history a whole number of weeks before
            mean = (a[own, None] * rest[own]).sum(axis=0) / (a[own].sum() + WEEK_SHRINK)
            carried[k::7] += mean
    return carried


def hindsight_share(log_share: F64, fitted: F64, weight: F64) -> F64:
    """Fitted log shares [days, blocks], moved by the mean of the days' residuals before and after.

    The shape drifts over the years: what an event did to a day is told against the weeks around it.
    Weights halve with each `HINDSIGHT_DAYS`; days of weight 0 are not learned from.
    """
    keep = 0.5 ** (1 / HINDSIGHT_DAYS)
    residual, seen = log_share - fitted, (weight > 0).astype(np.float64)
    total, count = np.zeros(fitted.shape), np.zeros(len(fitted))
    for days in (range(len(fitted)), range(len(fitted) - 1, -1, -1)):
        near, size = np.zeros(fitted.shape[1]), 0.0
        for d in days:
            near, size = keep * near, keep * size
            total[d] += near
            count[d] += size
            near, size = near + seen[d] * residual[d], size + seen[d]
    return np.asarray(fitted + total / (count + 1.0)[:, None])


def _weigh(
    trial: F64, log_share: F64, weight: F64, origins: I64, importance: F64, n: int
) -> F64:  # fmt: skip
    """Blend [choices] by the load-weighted absolute error of the backtests' curves."""
    if not len(origins):
        return np.full(len(trial), 1.0 / len(trial))
    ahead = trial.shape[2]
    loss = np.zeros(len(trial))
    for k, (origin, share) in enumerate(zip(origins, recency(origins, n), strict=True)):
        span = slice(int(origin), int(origin) + ahead)
        wrong = np.abs(trial[:, k] - log_share[span]) * importance
        loss += share * (wrong.sum(axis=2) * (weight[span] > 0)).mean(axis=1)
    return softmax_weights(loss, SHARPNESS)
