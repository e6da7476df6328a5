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


def silence_of(demand: np.ndarray, level: np.ndarray, half_life: float, kept: float) -> float:
    """Evidence of silence after the last day; `level` is what each day was expected to sell."""
    evidence, weight = 0.0, 0.0
    for d in range(len(demand)):
        past = [demand[k] for k in range(d + 1)]
        size = (sum(y * y for y in past) + 9.0) / (sum(past) + 6.0) - sum(past) / len(past)
        if weight >= 14:
            if kept * demand[d] > level[d]:
                evidence = min(evidence, 8.0)
            evidence = max(0.0, evidence + (level[d] - kept * demand[d]) / max(size, 1.0))
            evidence = min(evidence, 300.0)
        weight = weight * 0.5 ** (1 / half_life) + 1
    return evidence
