"""Slow, obvious twins of the forecaster's features: plain Python on one row at a time."""

from __future__ import annotations

import math

import numpy as np


def mean_of_last(demand: np.ndarray, origin: int, days: int) -> float:
    """Mean of the observed days among the last `days` up to `origin`."""
    values = [demand[d] for d in range(max(0, origin - days + 1), origin + 1)]
    seen = [v for v in values if not math.isnan(v)]
    return sum(seen) / len(seen)


def weighted_level(
    demand: np.ndarray, origin: int, prior: float, half_life: float, prior_days: float
) -> float:
    """Exponentially weighted mean of the days up to `origin`, with `prior_days` of a prior."""
    total, weight = prior_days * prior, prior_days
    age = 0
    for d in range(origin, -1, -1):
        if math.isnan(demand[d]):
            continue
        total += demand[d] * 0.5 ** (age / half_life)
        weight += 0.5 ** (age / half_life)
        age += 1
    return total / weight


def days_since_sale(demand: np.ndarray, origin: int) -> int:
    """Days from the last day with a sale to `origin`."""
    for back in range(origin + 1):
        if demand[origin - back] > 0:
            return back
    return 200


def weekday_ratio(demand: np.ndarray, origin: int, target: int) -> float:
    """Log of the target weekday's mean of eight weeks over all days', two days of prior."""
    mean = mean_of_last(demand, origin, 56)
    same = [d for d in range(origin - 55, origin + 1) if d >= 0 and (target - d) % 7 == 0]
    values = [demand[d] for d in same if not math.isnan(demand[d])]
    own = (sum(values) + 2 * mean) / (len(values) + 2)
    return math.log((own + 0.02) / (mean + 0.02))
