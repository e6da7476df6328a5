"""Rank correlations are recovered, and joint ranks have them."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

from pipeline.forecast.dependence import (
    BORROWED_SUMS,
    joint_ranks,
    rank_correlation,
    share_of_correlation,
    spread_of_sums,
)


def test_correlation_of_joint_ranks_is_recovered() -> None:
    wanted = np.array([[1.0, 0.6, 0.0], [0.6, 1.0, 0.2], [0.0, 0.2, 1.0]])
    ranks = joint_ranks(wanted, 20_000, seed=4)
    np.testing.assert_allclose(spearmanr(ranks).statistic, wanted, atol=0.03)
    occasion, region = np.divmod(np.arange(ranks.size), 3)
    found = rank_correlation(ranks.ravel(), occasion, region, 3)
    np.testing.assert_allclose(found, wanted, atol=0.03)


def test_regions_never_seen_together_are_independent() -> None:
    rank = np.random.default_rng(2).random(400)
    found = rank_correlation(rank, np.arange(400), np.arange(400) % 2, 2)
    assert abs(found[0, 1]) < 1e-9
    assert found[0, 0] == found[1, 1] == 1


def test_correlations_are_cut_to_what_past_sums_over_regions_show() -> None:
    """Sums drawn with half of the stated correlation give back that half, and so much is kept.

    On average over draws: four standard errors of the draws' own spread are allowed.
    """
    stated = np.full((4, 4), 0.8) + 0.2 * np.eye(4)
    half = np.eye(4) + 0.5 * (stated - np.eye(4))
    sums, draws = 1_000, 25
    levels = (np.arange(200) + 0.5) / 200
    table = np.tile(-np.log(1 - levels), (sums, 4, 1))
    share, spread = np.empty(draws), np.empty(draws)
    for k in range(draws):
        units = -np.log(1 - joint_ranks(half, sums, seed=100 + k)).sum(axis=1)
        share[k] = share_of_correlation(stated, table, units, 200, k)
        spread[k] = spread_of_sums(half, table, units, 200, k)
    wanted = (0.5 * sums + BORROWED_SUMS) / (sums + BORROWED_SUMS)
    assert share.std() < 0.2
    assert abs(share.mean() - wanted) < 4 * share.std() / np.sqrt(draws)
    assert abs(spread.mean() - 1) < 4 * spread.std() / np.sqrt(draws)
    assert share_of_correlation(stated, table[:0], np.empty(0), 200, 1) == 1
