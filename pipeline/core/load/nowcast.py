"""While an event runs: what is left of it, given what has come so far.

The log ratio of actual to forecast is a local level, r_t = m_t + e_t, m_t = m_{t-1} + w_t, followed
by a Kalman filter; ahead it decays towards 0 with the half-life that past days showed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Tracker:
    """Variances of the filter per slot and how fast a ratio is forgotten."""

    observation_variance: float
    drift_variance: float
    half_life_slots: float
    prior_variance: float = 0.04


@dataclass(frozen=True)
class Nowcast:
    """The rest of the span: curve, its uncertainty, and the peak."""

    log_ratio: float
    log_ratio_sd: float
    curve: F64
    """[rest] expected load of the slots to come."""
    peak: float
    """Median of the largest slot to come."""
    peak_slot: int
    """Slot of the span in which the curve is largest, counted from the span's first."""
    chance_over: float
    """Chance that some slot to come exceeds the capacity."""


def fit_tracker(log_ratios: F64) -> Tracker:
    """Variances from past spans [spans, slots] of log(actual / forecast), nan where unknown.

    Method of moments: the differences of neighbours hold twice the noise and one step of drift,
    those over a wider lag the same noise and more drift.
    """
    if not np.isfinite(log_ratios).any():
        return Tracker(0.01, 0.0004, 200.0)
    slots = log_ratios.shape[1]
    wide = max(2, min(slots // 4, 24))
    near = float(np.nanmedian(np.abs(np.diff(log_ratios, axis=1)))) * 1.4826
    far = float(np.nanmedian(np.abs(log_ratios[:, wide:] - log_ratios[:, :-wide]))) * 1.4826
    drift = max((far**2 - near**2) / max(wide - 1, 1), 1e-7)
    noise = max((near**2 - drift) / 2, 1e-6)
    level = np.nanmean(log_ratios, axis=1)
    spread = float(np.nanmean(level**2)) if np.isfinite(level).any() else 0.04
    early, late = log_ratios[:, : slots // 3], log_ratios[:, -slots // 3 :]
    a, b = np.nanmean(early, axis=1), np.nanmean(late, axis=1)
    usable = np.isfinite(a) & np.isfinite(b)
    # Regression of the last third's ratio on the first third's says how much of it is kept.
    kept = float((a[usable] * b[usable]).sum() / max((a[usable] ** 2).sum(), 1e-9))
    kept = min(max((kept * usable.sum() + 3 * 0.85) / (usable.sum() + 3), 0.2), 0.995)
    half_life = (2 * slots / 3) * np.log(0.5) / np.log(kept)
    return Tracker(noise, drift, float(half_life), max(spread, 1e-3))


def nowcast(
    actual: F64, forecast: F64, tracker: Tracker, paths: F64 | None = None,
    capacity: float = np.inf,
) -> Nowcast:  # fmt: skip
    """Track a span whose first `len(actual)` slots are known (nan: missing) against `forecast`.

    paths: loads [paths, slots] of the span, whose shape around their own mean is kept; without
    them the peak is that of the curve.
    """
    done = len(actual)
    mean, variance = 0.0, tracker.prior_variance
    for t in range(done):
        variance += tracker.drift_variance
        if not np.isfinite(actual[t]) or forecast[t] <= 0:
            continue
        miss = np.log(max(actual[t], 0.0) + 0.01 * forecast[t]) - np.log(1.01 * forecast[t])
        limit = 4 * np.sqrt(variance + tracker.observation_variance)
        gain = variance / (variance + tracker.observation_variance)
        mean += gain * float(np.clip(miss - mean, -limit, limit))
        variance *= 1 - gain
    ahead = np.arange(1, len(forecast) - done + 1)
    keep = 0.5 ** (ahead / tracker.half_life_slots)
    rest = forecast[done:] * np.exp(mean * keep)
    if not len(rest):
        return Nowcast(mean, float(np.sqrt(variance)), rest, 0.0, done, 0.0)
    if paths is None:
        tops = np.array([rest.max()])
    else:
        # Each path keeps its noise; its level is replaced by what is known of today's.
        own = paths.sum(axis=1, keepdims=True) / max(forecast.sum(), 1e-12)
        noise = paths[:, done:] / np.maximum(own * forecast[done:], 1e-12)
        normal = np.linspace(0.5 / len(paths), 1 - 0.5 / len(paths), len(paths))
        spread = np.sqrt(variance + tracker.drift_variance * len(rest) / 3)
        level = np.exp(spread * _normal_quantile(normal))[:, None]
        tops = (rest * noise * level).max(axis=1)
    over = float((tops > capacity).mean())
    return Nowcast(mean, float(np.sqrt(variance)), rest, float(np.median(tops)),
                   done + int(rest.argmax()), over)  # fmt: skip


def _normal_quantile(p: F64) -> F64:
    """Standard normal quantile by bisection on the error function."""
    low, high = np.full(len(p), -8.0), np.full(len(p), 8.0)
    for _ in range(60):
        middle = (low + high) / 2
        below = np.array([0.5 * (1 + erf(x / np.sqrt(2.0))) for x in middle]) < p
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2
