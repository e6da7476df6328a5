"""How forecast errors of regions move together: rank correlations, by group of items and length.

Over short windows regions err mostly by luck of their own, over long ones by levels that they
share: the odds ρ / (1 − ρ) of a rank correlation grow as a power of the days (`copula.Dependence`).
The power is learned from past windows of all lengths, drawn to what companies usually show.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtr

from pipeline.contracts.columns import DEPENDENCE_GROUPS
from pipeline.core.copula import (
    REFERENCE_DAYS,
    Dependence,
    nearest_correlation,
    normal_scores,
)
from pipeline.forecast.panel import F64

EVERY, AWAY = DEPENDENCE_GROUPS
SCORES = 200_000
"""Normal scores that are drawn for the paths of past sums, where regions are few."""
BORROWED_SUMS, BORROWED_PAIRS = 200.0, 50.0
USUAL_GROWTH, GROWTH_SPREAD = 0.7, 0.25
"""What M5's stores show (0.67 to 0.72 at three origins), and how far other companies may lie."""
POWERS = np.linspace(0.0, 1.0, 41)


def rank_correlation(
    rank: F64,
    occasion: npt.NDArray[np.intp],
    region: npt.NDArray[np.integer],
    regions: int,
    prior: F64 | None = None,
) -> F64:
    """Spearman correlations (regions, regions) of the ranks of errors of the same occasion.

    An occasion is an item and a window; ranks are calibrated probability integral transforms,
    uniform by construction. The common shock stays in: the network pools what remains. The
    estimate is a mixture of the pairwise moments with the `prior` correlations, else with
    independence, by the number of pairs: that is what a pair has that was never seen together.
    """
    occasions, place = np.unique(occasion, return_inverse=True)
    table = np.zeros((len(occasions), regions))
    seen = np.zeros((len(occasions), regions))
    table[place, region] = rank - 0.5
    seen[place, region] = 1.0
    moments, pairs = _moments(table), _moments(seen)
    spread = np.sqrt(np.maximum(np.diag(moments) / np.maximum(np.diag(pairs), 1), 1e-9))
    correlation = moments / np.outer(spread, spread)
    if prior is not None:
        correlation = correlation + BORROWED_PAIRS * prior
    correlation = correlation / (pairs + BORROWED_PAIRS)
    np.fill_diagonal(correlation, 1.0)
    return nearest_correlation(correlation)


def _moments(table: F64) -> F64:
    """Sums (columns, columns) of products of two columns, added up row by row."""
    return np.stack([(table * column[:, None]).sum(axis=0) for column in table.T])


def mean_correlation(correlation: F64) -> float:
    """Mean of the correlations of two different regions; 0 of a single one."""
    n = len(correlation)
    return float((correlation.sum() - n) / (n * (n - 1))) if n > 1 else 0.0


def learned_growth(found: Mapping[int, tuple[float, int]]) -> float:
    """Power with which the odds of correlations grow, from their mean and the number of occasions
    by length in days.

    Least squares over powers from 0 to 1, each with the odds that suit it best; an occasion tells
    a correlation within 1, and the power lies within GROWTH_SPREAD of the usual.
    """
    known = {days: pair for days, pair in found.items() if pair[1] > 0}
    days = np.array([*known], np.float64)
    rho, count = (np.array(column, np.float64) for column in zip(*known.values(), strict=True))
    level = np.linspace(0.0, 0.9, 181)
    loss = np.empty(len(POWERS))
    for k, power in enumerate(POWERS):
        told = Dependence.grown(level[:, None], (days / REFERENCE_DAYS) ** power)
        miss = (count * (rho - told) ** 2).sum(axis=1).min()
        loss[k] = miss + ((power - USUAL_GROWTH) / GROWTH_SPREAD) ** 2
    return float(POWERS[int(np.argmin(np.round(loss, 6)))])


def spread_of_sums(
    correlation: Dependence, days: F64, table: F64, units: F64, paths: int, seed: int
) -> float:
    """Variance of the ranks of `units` among sums over regions of joint paths, times 12.

    1 if the sums are right, less if they are too wide. `table` (sums, regions, levels) holds the
    quantiles of each region at evenly spaced levels; `units` (sums,) what was demanded in all in
    windows of `days` (sums,). Sums take turns at several banks of paths: the variance of a single
    one is off by a tenth by luck, for all sums alike.
    """
    random = np.random.default_rng(seed)
    regions, levels = table.shape[1:]
    banks = max(1, SCORES // (paths * regions))
    region = np.arange(regions)
    rank = np.empty(len(units))
    for length in np.unique(days).tolist():
        drawn = joint_ranks(correlation.over(length), banks * paths, seed)
        step = np.minimum((drawn * levels).astype(np.int64), levels - 1)
        step = step.reshape(banks, paths, regions)
        for k in np.flatnonzero(days == length).tolist():
            sums = table[k][region, step[k % banks]].sum(axis=1)
            below, up_to = (sums < units[k]).mean(), (sums <= units[k]).mean()
            rank[k] = below + random.random() * (up_to - below)
    return float(12 * rank.var())


def share_of_correlation(
    correlation: Dependence, days: F64, table: F64, units: F64, paths: int, seed: int
) -> float:
    """Share in [0, 1] of the correlations that makes past sums over regions as wide as they were.

    Correlations averaged over all items overstate that of the sums. Arguments as in
    `spread_of_sums`, which falls with the share: linear interpolation between five of them.
    Few sums leave the correlations nearly as they are.
    """
    if len(units) == 0:
        return 1.0
    shares = np.linspace(0, 1, 5)
    spread = [
        spread_of_sums(correlation.times(share), days, table, units, paths, seed)
        for share in shares
    ]
    found = np.interp(-1.0, -np.minimum.accumulate(spread), shares)
    return float((len(units) * found + BORROWED_SUMS) / (len(units) + BORROWED_SUMS))


def joint_ranks(correlation: F64, paths: int, seed: int) -> F64:
    """Uniform ranks (paths, regions) with a Gaussian copula of the given Spearman correlations."""
    return np.asarray(ndtr(normal_scores(correlation, (paths,), np.random.default_rng(seed))))


def dependence_table(notes: Mapping[str, Any]) -> pd.DataFrame:
    """demand_dependence from a model's notes, sorted by key."""
    growth = notes["dependence_growth"]
    rows = [
        (group, region, other, value, growth[group])
        for group, matrix in sorted(notes["dependence"].items())
        for region, line in zip(notes["regions"], matrix, strict=True)
        for other, value in zip(notes["regions"], line, strict=True)
    ]
    columns = ["item_group", "region_id", "other_region_id", "rank_correlation",
               "correlation_growth"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
