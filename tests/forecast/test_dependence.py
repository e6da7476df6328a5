"""Rank correlations are recovered, and joint ranks have them."""

from __future__ import annotations

import numpy as np
from scipy.stats import spearmanr

from pipeline.core.copula import Dependence
from pipeline.forecast.dependence import (
    BORROWED_SUMS,
    USUAL_GROWTH,
    joint_ranks,
    learned_growth,
    rank_correlation,
    share_of_correlation,
    spread_of_sums,
)
from pipeline.forecast.learned_dependence import Group, Occasions
from pipeline.forecast.spread import PastErrors
from pipeline.forecast.windows import Windows


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
    levels, days = (np.arange(200) + 0.5) / 200, np.full(sums, 28.0)
    table = np.tile(-np.log(1 - levels), (sums, 4, 1))
    share, spread = np.empty(draws), np.empty(draws)
    for k in range(draws):
        units = -np.log(1 - joint_ranks(half, sums, seed=100 + k)).sum(axis=1)
        share[k] = share_of_correlation(Dependence(stated), days, table, units, 200, k)
        spread[k] = spread_of_sums(Dependence(half), days, table, units, 200, k)
    wanted = (0.5 * sums + BORROWED_SUMS) / (sums + BORROWED_SUMS)
    assert share.std() < 0.2
    assert abs(share.mean() - wanted) < 4 * share.std() / np.sqrt(draws)
    assert abs(spread.mean() - 1) < 4 * spread.std() / np.sqrt(draws)
    assert share_of_correlation(Dependence(stated), days[:0], table[:0], np.empty(0), 200, 1) == 1


def test_the_power_with_which_correlations_grow_is_found_and_few_windows_leave_the_usual() -> None:
    """A level shared by all, constant over a window, beside noise of each day: the odds of a
    correlation grow with the days. A shock of every day, shared as well, leaves them as they are.
    """
    rng = np.random.default_rng(7)
    for shared, wanted in (("level", 1.0), ("days", 0.0)):
        found = {}
        for days in (7, 14, 28, 56):
            common = rng.normal(0, 1, (4_000, 1, days if shared == "days" else 1))
            noise = rng.normal(0, 2.0 if shared == "days" else 10.0, (4_000, 4, days))
            sums = (common + noise).sum(axis=2) if shared == "days" else (
                days * common[:, :, 0] + noise.sum(axis=2))  # fmt: skip
            rho = spearmanr(sums).statistic
            found[days] = float((rho.sum() - 4) / 12), 4_000
        assert abs(learned_growth(found) - wanted) <= 0.1
        few = {days: (rho, 1) for days, (rho, _) in found.items()}
        assert abs(learned_growth(few) - USUAL_GROWTH) <= 0.1


def test_items_that_are_away_have_correlations_of_their_own_and_few_of_them_those_of_all() -> None:
    """Half of 2,000 occasions of three regions hang together by 0.7, half by 0.1; of two occasions
    that are away what all show remains."""
    rng = np.random.default_rng(3)
    for away, wanted in ((1_000, 0.7), (2, None)):
        calm, own = (joint_ranks(np.full((3, 3), rho) + (1 - rho) * np.eye(3), n, rng.integers(99))
                     for rho, n in ((0.1, 2_000 - away), (0.7, away)))  # fmt: skip
        occasion, region = np.divmod(np.arange(6_000), 3)
        one = np.ones(6_000, np.int32)
        windows = Windows(one, one, one, 28 * one, one.astype(float), np.empty((6_000, 0), "f4"))
        rank = np.concatenate([calm, own]).ravel()
        past = Occasions(
            PastErrors(windows, rank, rank), occasion, region.astype(np.int32), 3,
            one > 0, occasion >= 2_000 - away,
        )  # fmt: skip
        every = Group.of(past, one > 0)
        found = Group.of(past, past.is_away, prior=every.correlation).over_28_days.correlation
        close = every.over_28_days.correlation if wanted is None else wanted
        off = ~np.eye(3, dtype=bool)
        assert np.abs(found - close)[off].max() < (0.07 if wanted else 0.04)


def test_the_width_of_past_sums_does_not_hang_on_the_draws_of_its_paths() -> None:
    """Right sums of four exponential regions: of twenty seeds none is 6 % off. A single bank of
    200 paths for all sums was, by a tenth and more."""
    levels, sums = (np.arange(200) + 0.5) / 200, 20_000
    table = np.broadcast_to(-np.log(1 - levels), (sums, 4, 200))
    units = -np.log(1 - np.random.default_rng(5).random((sums, 4))).sum(axis=1)
    alone, days = Dependence(np.eye(4)), np.full(sums, 28.0)
    spread = [spread_of_sums(alone, days, table, units, 200, seed) for seed in range(20)]
    assert np.abs(np.array(spread) - 1).max() < 0.06
