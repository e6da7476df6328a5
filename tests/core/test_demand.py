"""Set demand comes from joint draws: means, pooling, and lead times mixed, not added up."""

import numpy as np
import pytest
from scipy.stats import norm, poisson

from pipeline.core.copula import Dependence
from pipeline.core.demand import ItemDemand, cell_shares, demand_tables, draw_ranks, ranks_of_groups
from pipeline.core.network import forest, laminar_tree

HALF = [0.005, 0.025, 0.05, 0.1, 0.165, 0.25, 0.35]
LEVELS = np.array([*HALF, 0.5, *(1 - np.array(HALF[::-1]))])
ZERO = np.zeros(len(LEVELS))
TREE = laminar_tree([frozenset({0}), frozenset({1})], 2)


def build(
    quantiles, correlation=0.0, intervals=(7.0,), chances=(1.0,), share=None, growth=0.0
):  # fmt: skip
    """Tables and mean demand of one item with a node in each of two regions; gap of 1 usd."""
    if share is None:
        share = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    matrix = np.array([[1.0, correlation], [correlation, 1.0]])
    windows = np.array([7.0, 14.0])[: len(quantiles)]
    ranks = draw_ranks(Dependence(matrix, growth), windows, LEVELS, 1, 2000, 0)
    demand = ItemDemand(
        tree=np.zeros(1, np.uint8),
        quantiles=np.asarray(quantiles, np.float32)[None],
        windows=windows,
        intervals=np.array(intervals),
        chances=np.array([chances]),
        bank=np.zeros(1, np.int64),
        seeds=np.ones(1, np.uint64),
        gap_usd=np.ones((1, 3)),
    )
    return demand_tables(
        forest([TREE]), [cell_shares(share, TREE.members.sum(axis=1))], ranks, demand,
        np.ones((1, 2)), np.ones((1, 1)), most_knots=60,
    )  # fmt: skip


def survival(tables, s):
    """Chance of more than n units in set s."""
    first = tables.start[0] + tables.count[0, :s].astype(int).sum()
    knots = tables.knots[first : first + tables.count[0, s]]
    ends = np.cumsum(knots[:, 0])
    return lambda n: float(np.concatenate([knots[:, 1], [0.0]])[np.searchsorted(ends, n, "right")])


def normal(mean, sd):
    return norm.ppf(LEVELS, mean, sd)


def test_mean_of_a_set_is_the_sum_of_means():
    _, mean = build([[normal(100, 20), normal(60, 10)]])
    assert mean[0] == pytest.approx([100, 60, 160], rel=0.01)


@pytest.mark.parametrize(("correlation", "sd"), [(0.0, 28.3), (0.9, 39.0)])  # sqrt(800+800 rho)
def test_pooled_spread_follows_the_rank_correlation(correlation, sd):
    tables, _ = build([[normal(100, 20), normal(100, 20)]], correlation)
    above = survival(tables, 2)
    assert above(200 + 1.28 * sd) == pytest.approx(0.10, abs=0.02)


def test_lead_times_are_mixed_with_demand():
    # 7 or 14 days with equal chance: two humps around 100 and 200, hardly anything near 150
    quantiles = [[normal(100, 5), ZERO], [normal(200, 5), ZERO]]
    tables, mean = build(quantiles, intervals=(7.0, 14.0), chances=(0.5, 0.5))
    assert mean[0, 2] == pytest.approx(150, rel=0.02)
    above = survival(tables, 2)
    assert above(125) == pytest.approx(0.5, abs=0.02)
    assert above(175) == pytest.approx(0.5, abs=0.02)


def test_few_units_split_over_cells_like_coins():
    share = np.array([[0.3, 0.0, 0.7], [0.0, 0.0, 1.0]])
    _, mean = build([[poisson.ppf(LEVELS, 3.0), ZERO]], share=share)
    assert mean[0, 0] / mean[0, 2] == pytest.approx(0.3, abs=0.03)
    tables, _ = build([[np.ones(len(LEVELS)), ZERO]], share=share)
    assert survival(tables, 0)(0.5) == pytest.approx(0.3, abs=0.04)


def test_longer_windows_are_as_much_wider_as_their_regions_hang_together_more():
    """Correlations of 7 / 28 and 14 / 28 odds: 0.2 and one third where they are told to be 0.5."""
    windows = [[normal(100, 20), normal(100, 20)], [normal(200, 20), normal(200, 20)]]
    for days, mean, rho in ((7.0, 200, 0.2), (14.0, 400, 1 / 3)):
        tables, _ = build(windows, 0.5, intervals=(days,), growth=1.0)
        sd = np.sqrt(800 + 800 * rho)
        assert survival(tables, 2)(mean + 1.28 * sd) == pytest.approx(0.10, abs=0.012)
        assert survival(tables, 2)(mean + 1.645 * sd) == pytest.approx(0.05, abs=0.008)


def test_every_region_has_its_exact_marginal():
    half = Dependence(np.array([[1.0, 0.5], [0.5, 1.0]]), 1.0)
    ranks = draw_ranks(half, np.array([7.0, 56.0]), LEVELS, 2, 100, 1)
    below, weight = ranks.below.astype(int), ranks.weight
    low = np.where(below < 0, 0.0, LEVELS[np.maximum(below, 0)])
    rank = np.sort(low + weight * (LEVELS[below + 1] - low), axis=1)
    for window in range(2):
        exact = pytest.approx((np.arange(100) + 0.5) / 100, abs=1e-6)
        assert rank[0, :, window, 0] == exact


def test_groups_have_banks_of_their_own_from_the_same_draws():
    half, one = (Dependence(np.array([[1.0, rho], [rho, 1.0]])) for rho in (0.5, 0.9))
    both = ranks_of_groups([half, one], np.array([7.0]), LEVELS, 3, 100, 1)
    for group, own in enumerate((half, one)):
        alone = draw_ranks(own, np.array([7.0]), LEVELS, 3, 100, 1)
        bank = both.bank(np.arange(5), np.full(5, group))
        assert (bank % 3 == np.arange(5) % 3).all()
        assert (both.below[bank] == alone.below[np.arange(5) % 3]).all()
        assert (both.interval[bank] == alone.interval[np.arange(5) % 3]).all()
