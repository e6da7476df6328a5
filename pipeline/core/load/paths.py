"""Sample paths: the central curve with the errors that the backtests really made.

A path takes its level errors from one backtest origin, day by day in order, so that errors of
neighbouring days belong together; and each day's noise from a day of the same class in the pool of
backtest days. Peaks are maxima over such paths: the mean curve has no single-minute peaks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

LEAST_BACKTEST_DAYS = 40
"""With fewer backtest days, the noise of days in hindsight is drawn from as well."""
POOL_DAYS = 160
"""Backtest days kept in the pool of noise, at most, spread evenly over all of them."""


@dataclass(frozen=True)
class ErrorPool:
    """Errors to draw from: level errors by origin and lead, and the noise of whole days."""

    level_error: F64
    """[origins, ahead] log actual level less forecast; nan where the day is not known."""
    noise: F64
    """[pool, slots] (actual + offset) / (curve at the actual level + offset)."""
    noise_weekend: NDArray[np.bool_]
    offset: float
    tempered: float = 1.0
    """Power to which noise was raised, so that the paths' peaks were the past's in the median."""


@dataclass(frozen=True)
class Draw:
    """What each path drew: `level` [paths, days] log errors, `noise` [paths, days] pool rows."""

    level: F64
    noise: I64


@dataclass
class _Days:
    """Days whose noise is known: (noise, weekend, curve, peak at the level of the curve)."""

    noise: list[F64] = field(default_factory=list)
    weekend: list[bool] = field(default_factory=list)
    curve: list[F64] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)

    def add(self, actual: F64, curve: F64, weekend: bool, offset: float) -> float:
        """Keep a day that was seen; returns the log of its load over the curve, nan otherwise."""
        seen = np.isfinite(actual)
        if seen.mean() < 0.9 or np.nansum(actual) <= 0:
            return float("nan")
        ratio = float(actual[seen].sum() / max(curve[seen].sum(), 1e-12))
        self.noise.append(np.where(seen, (actual + offset) / (ratio * curve + offset), 1.0))
        self.weekend.append(weekend)
        self.curve.append(curve)
        self.peak.append(float(actual[seen].max()) / ratio)
        return float(np.log(np.clip(ratio, 1e-3, 1e3)))


def error_pool(
    load: F64, backtest: F64, origins: I64, fitted: F64, weekend: NDArray[np.bool_], offset: float
) -> ErrorPool:
    """Errors of backtest curves [origins, ahead, slots] against `load` [days, slots].

    Where a short history has few or no backtests, errors of the `fitted` curve [days, slots] stand
    beside them or in their place.
    """
    count, ahead = len(origins), backtest.shape[1] if len(origins) else 0
    level = np.full((count, ahead), np.nan)
    days = _Days()
    for k in range(count):
        for h in range(ahead):
            day = int(origins[k]) + h
            level[k, h] = days.add(load[day], backtest[k, h], bool(weekend[day]), offset)
    if len(days.noise) < LEAST_BACKTEST_DAYS:
        own = [days.add(load[d], fitted[d], bool(weekend[d]), offset) for d in range(len(load))]
        if not np.isfinite(level).any():
            level = np.array([[error] for error in own if np.isfinite(error)])
    if not days.noise:
        return ErrorPool(np.zeros((1, 1)), np.ones((1, load.shape[1])), np.zeros(1, bool), offset)
    some = min(len(days.noise), POOL_DAYS)
    rows = np.unique(np.linspace(0, len(days.noise) - 1, some).astype(np.int64))
    kept = np.stack([days.noise[i] for i in rows])
    curves = np.stack([days.curve[i] for i in rows])
    weekends = np.array([days.weekend[i] for i in rows])
    tempered = _temper(kept, curves, np.array([days.peak[i] for i in rows]), weekends)
    return ErrorPool(level, kept**tempered, weekends, offset, tempered)


def _temper(noise: F64, curves: F64, levelled_peaks: F64, weekend: NDArray[np.bool_]) -> float:
    """Power of the noise with which the median peak of paths is that of the backtest days.

    levelled_peaks: peaks [pool] of the days, at the level that was forecast.
    Another day's noise meets a curve that it does not belong to, which overstates peaks where the
    noise is that of weather, and not where it is that of single minutes.
    """
    some = np.unique(np.linspace(0, len(noise) - 1, min(len(noise), 40)).astype(np.int64))
    log_noise, curve = np.log(np.maximum(noise, 1e-3)), curves[some]
    top = curve.max(axis=1)
    wanted = float(np.median(levelled_peaks[some] / top))
    best, best_miss = 1.0, np.inf
    for power in np.linspace(0.0, 1.25, 11):
        ratio = []
        for b in range(len(some)):
            alike = some[weekend[some] == weekend[some[b]]]
            tops = (curve[b] * np.exp(power * log_noise[alike])).max(axis=1) / top[b]
            ratio.append(tops)
        miss = abs(np.log(float(np.median(np.concatenate(ratio))) / wanted))
        if miss < best_miss - 1e-9:
            best, best_miss = float(power), miss
    return best


def draw_paths(pool: ErrorPool, weekend: NDArray[np.bool_], paths: int, seed: int) -> Draw:
    """Draw `paths` of the days in `weekend` [horizon]; leads beyond the backtests' grow as sqrt.

    Few and overlapping origins say less than their number: errors are spread by 1 + 1 / sqrt(k),
    with k the independent origins.
    """
    horizon = len(weekend)
    random = np.random.Generator(np.random.PCG64(seed))
    error = _dense(pool.level_error)
    count, ahead = error.shape
    # Each error once up and once down, all origins equally often: the middle path is the centre.
    origin = random.permutation(count)[np.arange(paths) // 2 % count]
    lead = np.minimum(np.arange(horizon), ahead - 1)
    growth = np.sqrt((np.arange(horizon) + 1) / (lead + 1))
    spread = 1.0 + 0.5 / np.sqrt(max(count / 4.0, 1.0))
    sign = np.where(np.arange(paths) % 2, -1.0, 1.0)  # a miss could go either way
    level = error[origin][:, lead] * np.minimum(growth, 3.0) * spread * sign[:, None]
    noise = np.zeros((paths, horizon), dtype=np.int64)
    for kind in (False, True):
        rows = np.flatnonzero(pool.noise_weekend == kind)
        if len(rows) < 5:
            rows = np.arange(len(pool.noise))
        at = np.flatnonzero(weekend == kind)
        noise[:, at] = rows[random.integers(0, len(rows), (paths, len(at)))]
    return Draw(level, noise)


def path_loads(pool: ErrorPool, draw: Draw, curve: F64, day: int) -> F64:
    """Loads [paths, slots] of one day of the horizon, of which `curve` [slots] is the centre."""
    level = np.exp(draw.level[:, day])[:, None] * curve
    loads = (level + pool.offset) * pool.noise[draw.noise[:, day]] - pool.offset
    return np.asarray(np.maximum(loads, 0.0))


def _dense(error: F64) -> F64:
    """Level errors with unknown days filled from the days before them."""
    filled = error.copy()
    for h in range(filled.shape[1]):
        bad = ~np.isfinite(filled[:, h])
        filled[bad, h] = filled[bad, h - 1] if h else 0.0
    return filled
