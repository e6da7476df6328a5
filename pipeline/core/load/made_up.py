"""A made-up retailer whose parts are known: what the forecast is judged against.

Hourly orders: trend with a break, yearly and weekly seasons, a drifting daily shape, sales that
move and change their length, robots, noise. `true_curve` is what a forecaster who knows every
part but the noise would say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.core.load.events import Occurrence

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Retailer:
    """Load and its expectation [days, slots], events, and what was planted."""

    first_day: np.datetime64
    load: F64
    true_curve: F64
    occurrences: tuple[Occurrence, ...]
    break_day: int
    break_per_year: float
    robots: tuple[tuple[int, int], ...]
    """Slots [first, last) in which robots came."""


def event_log_effect(one: Occurrence, t: F64) -> F64:
    """The true effect at minutes `t`: anticipation, body, opening and closing rush, carry-over."""
    inside = (t >= one.start) & (t < one.end)
    u = np.clip((t - one.start) / (one.end - one.start), 0, 1)
    body = inside * (0.7 + 0.25 * np.cos(2 * np.pi * u))
    since, left = np.maximum(t - one.start, 0.0), np.maximum(one.end - t, 0.0)
    rush = inside * (0.6 * np.exp(-since / 90) + 0.35 * np.exp(-left / 120))
    before, after = (one.start - t) / 1440, (t - one.end) / 1440
    dip = -0.15 * np.exp(-np.abs(before) / 0.5) * (before > 0)
    hangover = -0.2 * np.exp(-np.abs(after) / 0.8) * (after >= 0)
    return np.asarray(one.amplitude * (body + rush + dip + hangover))


def retailer(
    days: int, occurrences: tuple[Occurrence, ...] = (), seed: int = 1, minutes: int = 60,
    break_day: int = -1, break_per_year: float = 0.0, robot_windows: int = 0,
    noise: float = 0.06, wander_sd: float = 0.025, first_day: str = "2022-01-03",
) -> Retailer:  # fmt: skip
    """Generate `days` of load; with a break of the growth, and robots, where they are asked for."""
    random = np.random.Generator(np.random.PCG64(seed))
    slots = 1440 // minutes
    first = np.datetime64(first_day)
    d = np.arange(days)
    t: F64 = np.arange(days * slots, dtype=np.float64).reshape(days, slots) * minutes + minutes / 2
    clock = (np.arange(slots) + 0.5) / slots
    growth = 0.08 * d / 365.25
    if break_day >= 0:
        growth = growth + break_per_year * np.maximum(d - break_day, 0) / 365.25
    phase = random.uniform(0, 2 * np.pi)
    season = 0.15 * np.sin(2 * np.pi * d / 365.25 + phase)
    season += 0.05 * np.cos(4 * np.pi * d / 365.25)
    week = np.array([0.0, 0.0, -0.02, 0.02, 0.1, 0.22, 0.18])[d % 7]
    shape = 0.9 * np.sin(2 * np.pi * (clock - 0.32)) + 0.3 * np.sin(4 * np.pi * (clock - 0.1))
    weekend = (d % 7 >= 5)[:, None] * 0.25 * np.cos(2 * np.pi * (clock - 0.5))
    drift = 0.1 * np.sin(2 * np.pi * d / 500)[:, None] * np.cos(2 * np.pi * (clock - 0.8))
    # The shape drifts, the day's total does not: slope breaks are those that were planted.
    total = np.log(
        np.exp(shape + weekend + drift).mean(axis=1) / np.exp(shape + weekend).mean(axis=1)
    )
    z = np.log(2000.0) + (growth + season + week)[:, None] + shape + weekend + drift
    z = z - total[:, None]
    for one in occurrences:
        z = z + event_log_effect(one, t)
    true = np.exp(z)
    wander = np.zeros(days)
    for day in range(1, days):
        wander[day] = 0.8 * wander[day - 1] + random.normal(0, wander_sd)
    load = true * np.exp(wander[:, None] + random.normal(0, noise, true.shape))
    robots = []
    flat = load.reshape(-1)
    for _ in range(robot_windows):
        length = int(random.integers(4, 13))
        start = int(random.integers(slots * 10, flat.size - slots * 10))
        extra = random.uniform(2.5, 6.0)
        flat[start : start + length] *= extra
        robots.append((start, start + length))
    return Retailer(
        first, load, true, occurrences, break_day, break_per_year, tuple(sorted(robots))
    )
