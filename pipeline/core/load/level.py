"""The day's level: a regression with autocorrelated errors, blended over candidates by backtest.

z_d = X_d b + u_d, u_d = rho u_{d-1} + e_d on the log scale. Candidates differ in rho (how much of
the last residual is carried), in the yearly harmonics, and in how fast the past is forgotten; each
is fitted by ridge on quasi-differences (Prais and Winsten 1954) with Huber weights.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.core.arithmetic import product
from pipeline.core.load.blend import backtest_origins, recency, softmax_weights
from pipeline.core.load.days import PARTS, DayTable
from pipeline.core.load.ridge import huber_weights, lagged_moments, predict, solve

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

ERRORS = (
    (0.0, 0.0, 0.3), (0.5, 0.0, 0.2), (0.8, 0.0, 0.05), (0.9, 0.0, 0.0), (0.97, 0.0, 0.0),
    (0.97, 1.0, -0.1),
)  # fmt: skip
"""(rho of the regression and of what is carried on, share of the slope carried on, prior loss).

The prior loss counts as much as what 60 days of history say: short histories cannot tell a level
that moved from one that will come back, and levels of load mostly move."""
HALF_LIVES_DAYS = (1e6, 60.0)
SHARPNESS = 0.05
SHORT_DAYS = 28
SLOPE_GAIN, SLOPE_DAMPING = 0.12, 0.85


@dataclass(frozen=True)
class LevelForecast:
    """Log level of the days after the history, and what it is made of."""

    log_level: F64
    """[horizon]"""
    parts: dict[str, F64]
    """Part -> [horizon]; they add up to `log_level`."""
    origins: I64
    """[origins] of the backtests: days of history known."""
    backtest: F64
    """[origins, ahead] log level that would have been forecast."""
    weight: F64
    """[days] Huber weight of each day of the history; 0: not learned from."""
    fitted: F64
    """[days] the regression's level of each day of the history, without the carried residual."""


@dataclass(frozen=True)
class _Candidate:
    rho: float
    slope: float
    prior: float
    yearly: int
    half_life: int
    """Index into HALF_LIVES_DAYS."""


def fit_level(
    log_level: F64, known: NDArray[np.bool_], days: DayTable, horizon_days: int
) -> LevelForecast:
    """Forecast the log level [history] for `horizon_days`; `days` covers history and horizon.

    known: days that may be learned from; the others must hold a sensible filling.
    """
    n = len(log_level)
    # Each weekday seen less than four times is mostly noise: shrink it harder.
    days = replace(days, penalty=days.penalty * max(1.0, (SHORT_DAYS / max(n, 1)) ** 3))
    weight = _robust(log_level, known, days)
    origins, ahead = backtest_origins(n, horizon_days)
    every = np.append(origins, n)
    tables = [
        lagged_moments(days.X[:n], log_level, weight, 0.5 ** (1 / half_life), every)
        for half_life in HALF_LIVES_DAYS
    ]
    candidates = _candidates(n)
    loss = np.zeros(len(candidates))
    trial = np.zeros((len(candidates), len(origins), ahead))
    share = recency(origins, n)
    for c, candidate in enumerate(candidates):
        for k, origin in enumerate(origins):
            b, carried = _at(candidate, tables, k, days, log_level, weight, int(origin), ahead)
            span = slice(int(origin), int(origin) + ahead)
            trial[c, k] = predict(days.X[span], b)[:, 0] + carried
            wrong = np.abs(trial[c, k] - log_level[span]) * known[span]
            loss[c] += share[k] * wrong.sum() / max(known[span].sum(), 1)
    reach = min(60.0 / n, 1.2) if n >= SHORT_DAYS else 0.0
    prior = np.array([1.0 + candidate.prior * reach for candidate in candidates])
    sharpness = SHARPNESS * max(1.0, 12.0 / max(len(origins), 1))
    blend = softmax_weights(loss * prior if len(origins) else prior, sharpness)
    parts = {part: np.zeros(horizon_days) for part in PARTS}
    fitted = np.zeros(n)
    for c, candidate in enumerate(candidates):
        if blend[c] < 1e-4:
            continue
        b, carried = _at(
            candidate, tables, len(origins), days, log_level, weight, n, horizon_days
        )  # fmt: skip
        fitted += blend[c] * predict(days.X[:n], b)[:, 0]
        for i, part in enumerate(days.part):
            parts[part] += blend[c] * b[i, 0] * days.X[n : n + horizon_days, i]
        parts["recent"] += blend[c] * carried
    used = np.where(blend < 1e-4, 0.0, blend)
    parts = {part: values / used.sum() for part, values in parts.items()}
    total = np.zeros(horizon_days)
    for part in PARTS:
        total += parts[part]
    backtest = product(used / used.sum(), trial)
    return LevelForecast(total, parts, origins, backtest, weight, fitted / used.sum())


def _candidates(n: int) -> list[_Candidate]:
    orders = [0] + [2] * (n >= 60) + [6] * (n >= 270)
    lives = range(len(HALF_LIVES_DAYS) if n >= 30 else 1)
    return [_Candidate(*errors, order, life) for order in orders for life in lives
            for errors in ERRORS if not (order == 6 and life)]  # fmt: skip


def _robust(log_level: F64, known: NDArray[np.bool_], days: DayTable) -> F64:
    """Huber weights of the days, from three reweighted fits with half the residual carried."""
    n = len(log_level)
    weight = known.astype(np.float64)
    rho, end = 0.5, np.array([n])
    for _ in range(3):
        gram, cross = lagged_moments(days.X[:n], log_level, weight, 1.0, end)
        b = _solve(gram[0], cross[0], rho, days.penalty)
        residual = log_level - predict(days.X[:n], b)[:, 0]
        step = residual.copy()
        step[1:] -= rho * residual[:-1]
        weight = huber_weights(step, known)
    return weight


def _solve(gram: F64, cross: F64, rho: float, penalty: F64) -> F64:
    g = gram[0] - rho * gram[1] + rho * rho * gram[2]
    c = cross[0] - rho * cross[1] + rho * rho * cross[2]
    return np.asarray(solve(g, c[:, None].copy(), penalty))


def _at(
    candidate: _Candidate, tables: list[tuple[F64, F64]], k: int, days: DayTable, log_level: F64,
    weight: F64, origin: int, ahead: int,
) -> tuple[F64, F64]:  # fmt: skip
    """Coefficients of a candidate at the k-th origin, and what it carries on [ahead]."""
    gram, cross = tables[candidate.half_life]
    penalty = np.where(days.yearly > candidate.yearly, 1e12, days.penalty)
    b = _solve(gram[k], cross[k], candidate.rho, penalty)
    start = max(0, origin - 60)
    residual = log_level[start:origin] - predict(days.X[start:origin], b)[:, 0]
    state, slope = carry(residual, weight[start:origin], candidate.rho)
    steps = np.arange(1, ahead + 1)
    damped = SLOPE_DAMPING * (1 - SLOPE_DAMPING**steps) / (1 - SLOPE_DAMPING)
    return b, state * candidate.rho**steps + candidate.slope * slope * damped


@njit(nogil=True, cache=True)
def carry(residual: F64, weight: F64, rho: float) -> tuple[float, float]:
    """State and slope of the residual [days] at its end: what is carried into the forecast.

    s_t = rho s_{t-1} + w_t (r_t - rho s_{t-1}), so that a day that counts less is carried on less;
    the slope is the exponentially weighted mean of those steps.
    """
    state, slope = 0.0, 0.0
    for t in range(len(residual)):
        step = weight[t] * (residual[t] - rho * state)
        state = rho * state + step
        slope += SLOPE_GAIN * (step - slope)
    return state, slope
