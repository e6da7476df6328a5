"""The day's level: a regression with autocorrelated errors, blended over candidates by backtest.

z_d = X_d b + u_d on the log scale; u is autoregressive, or smoothed exponentially with or without
a damped trend (Gardner and McKenzie 1985). Candidates differ in that, in the yearly harmonics, and
in how fast the past is forgotten; each is fitted by ridge on quasi-differences (Prais and Winsten
1954) with Huber weights.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.core.arithmetic import product
from pipeline.core.load.blend import backtest_origins, recency, softmax_weights
from pipeline.core.load.days import PARTS, DayTable
from pipeline.core.load.ridge import huber_weights, lagged_moments, predict, solve
from pipeline.kernels import njit

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Residual(NamedTuple):
    """How a regression's residual goes on: see `carry`."""

    fitted_rho: float
    """Autocorrelation of the quasi-differences that the regression is fitted on."""
    rho: float
    gain: float = 1.0
    slope_gain: float = 0.0
    damping: float = 0.0
    prior: float = 0.0
    """Prior loss. It counts as much as what 60 days of history say: short histories cannot tell a
    level that moved from one that will come back, and levels of load mostly move."""


RESIDUALS = (
    Residual(0.0, 0.0, prior=0.3), Residual(0.5, 0.5, prior=0.2), Residual(0.8, 0.8, prior=0.05),
    Residual(0.9, 0.9), Residual(0.97, 0.97),
    # One day's noise is no new level: means of the last days, and trends that die away.
    Residual(0.8, 0.97, 0.6), Residual(0.8, 0.97, 0.3), Residual(0.8, 0.97, 0.1),
    Residual(0.8, 0.99, 0.2), Residual(0.97, 0.97, 1.0, 0.06, 0.85),
    Residual(0.97, 0.97, 1.0, 0.12, 0.85),
)  # fmt: skip
HALF_LIVES_DAYS = (1e6, 60.0)
SHARPNESS = 0.08
SHORT_DAYS = 28
CARRY_DAYS = 60
"""Days of the history over which the carried residual is followed."""
WEEK_GAINS = (0.0, 0.3, 0.7)
WEEK_DAYS, WEEK_PRIOR = 28, 0.3
"""Least history that may tell a week's pattern that moved from noise, and the prior loss of a gain
of one: it is paid for in the same coin as that of the carried residual."""


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
    residual: Residual
    yearly: int
    half_life: int
    """Index into HALF_LIVES_DAYS."""
    week_gain: float
    """Share of each day's step that is kept for the same day of the next week."""


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
    fits = _Fits(log_level, weight, days, np.append(origins, n))
    candidates = _candidates(n)
    loss = np.zeros(len(candidates))
    trial = np.zeros((len(candidates), len(origins), ahead))
    share = recency(origins, n)
    for c, candidate in enumerate(candidates):
        for k, origin in enumerate(origins):
            _, level, carried = fits.at(candidate, k, ahead)
            trial[c, k] = level + carried
            span = slice(int(origin), int(origin) + ahead)
            wrong = np.abs(trial[c, k] - log_level[span]) * known[span]
            loss[c] += share[k] * wrong.sum() / max(known[span].sum(), 1)
    reach = min(60.0 / n, 1.2) if n >= SHORT_DAYS else 0.0
    prior = np.array(
        [1.0 + (c.residual.prior + WEEK_PRIOR * c.week_gain) * reach for c in candidates]
    )
    sharpness = SHARPNESS * max(1.0, 12.0 / max(len(origins), 1))
    blend = softmax_weights(loss * prior if len(origins) else prior, sharpness)
    parts = {part: np.zeros(horizon_days) for part in PARTS}
    fitted = np.zeros(n)
    for c, candidate in enumerate(candidates):
        if blend[c] < 1e-4:
            continue
        b, _, carried = fits.at(candidate, len(origins), horizon_days)
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
    gains = WEEK_GAINS if n >= WEEK_DAYS else WEEK_GAINS[:1]
    return [_Candidate(residual, order, life, gain) for order in orders for life in lives
            for residual in RESIDUALS if not (order == 6 and life) for gain in gains]  # fmt: skip


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
    return np.where(known & _comes_again(step), 1.0, weight)


def _comes_again(step: F64) -> NDArray[np.bool_]:
    """Days that stand out as the same days of the two weeks before did: a pattern, no outlier."""
    again = np.zeros(len(step), dtype=np.bool_)
    now, week, fortnight = step[14:], step[7:-7], step[:-14]
    sign = np.sign(now)
    again[14:] = np.minimum(sign * week, sign * fortnight) > 0.5 * np.abs(now)
    return again


def _solve(gram: F64, cross: F64, rho: float, penalty: F64) -> F64:
    g = gram[0] - rho * gram[1] + rho * rho * gram[2]
    c = cross[0] - rho * cross[1] + rho * rho * cross[2]
    return np.asarray(solve(g, c[:, None].copy(), penalty))


class _Fits:
    """Regressions at the backtests' origins and at the end; those that candidates share, once."""

    def __init__(self, log_level: F64, weight: F64, days: DayTable, every: I64) -> None:
        self.log_level, self.weight, self.days, self.every = log_level, weight, days, every
        self.tables = [
            lagged_moments(days.X[: len(log_level)], log_level, weight, 0.5 ** (1 / life), every)
            for life in HALF_LIVES_DAYS
        ]
        self.solved: dict[tuple[float, int, int, int], tuple[F64, F64, F64]] = {}

    def at(self, candidate: _Candidate, k: int, ahead: int) -> tuple[F64, F64, F64]:
        """Coefficients at the k-th origin, the regression's levels [ahead], what is carried on."""
        origin = int(self.every[k])
        start = max(0, origin - CARRY_DAYS)
        rho = candidate.residual.fitted_rho
        key = (rho, candidate.yearly, candidate.half_life, k)
        if key not in self.solved:
            gram, cross = self.tables[candidate.half_life]
            penalty = np.where(self.days.yearly > candidate.yearly, 1e12, self.days.penalty)
            b = _solve(gram[k], cross[k], rho, penalty)
            fitted = predict(self.days.X[start : origin + ahead], b)[:, 0]
            past = self.log_level[start:origin] - fitted[: origin - start]
            self.solved[key] = (b, past, fitted[origin - start :])
        b, residual, level = self.solved[key]
        _, rho, gain, slope_gain, damping, _ = candidate.residual
        carried = carry(residual, self.weight[start:origin], rho, gain, slope_gain, damping,
                        candidate.week_gain, ahead)  # fmt: skip
        return b, level, carried


@njit(nogil=True, cache=True)
def carry(
    residual: F64, weight: F64, rho: float, gain: float, slope_gain: float, damping: float,
    week_gain: float, ahead: int,
) -> F64:  # fmt: skip
    """What is carried on of the residual [days]: [ahead] log level after its end.

    With the weekly deviation s of the day (index: day modulo 7) and the slope v,
    e_t = w_t (r_t - s - rho u_{t-1} - damping v_{t-1}), s += week_gain e_t,
    u_t = rho u_{t-1} + damping v_{t-1} + gain (1 - week_gain) e_t, v_t = damping v_{t-1} +
    slope_gain (1 - week_gain) e_t, so that a day that counts less is carried on less.
    """
    state, slope, n = 0.0, 0.0, len(residual)
    week = np.zeros(7)
    for t in range(n):
        slope *= damping
        state = rho * state + slope
        step = weight[t] * (residual[t] - week[t % 7] - state)
        week[t % 7] += week_gain * step
        step *= 1.0 - week_gain
        state += gain * step
        slope += slope_gain * step
    carried = np.zeros(ahead)
    for h in range(ahead):
        slope *= damping
        state = rho * state + slope
        carried[h] = state + week[(n + h) % 7]
    return carried
