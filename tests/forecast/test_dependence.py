"""Rank correlations are recovered, and joint ranks have them."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

from pipeline.forecast.dependence import (
    joint_ranks,
    nearest_correlation,
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


def test_an_impossible_matrix_is_made_possible() -> None:
    impossible = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1.0]])
    found = nearest_correlation(impossible)
    assert np.linalg.eigvalsh(found).min() > -1e-9
    np.testing.assert_allclose(np.diag(found), 1)


def test_correlations_are_cut_to_what_past_sums_over_regions_show() -> None:
    """Sums drawn with half of the stated correlation give back that half, and so much is kept."""
    stated = np.full((4, 4), 0.8) + 0.2 * np.eye(4)
    half = np.eye(4) + 0.5 * (stated - np.eye(4))
    ranks = joint_ranks(half, 3_000, seed=8)
    levels = (np.arange(200) + 0.5) / 200
    table = np.tile(-np.log(1 - levels), (3_000, 4, 1))
    units = -np.log(1 - ranks).sum(axis=1)
    assert abs(share_of_correlation(stated, table, units, 200, 1) - 0.5) < 0.1
    assert abs(spread_of_sums(half, table, units, 200, 1) - 1) < 0.05
    assert share_of_correlation(stated, table[:0], units[:0], 200, 1) == 1
