"""Claims of core.allocation, against exhaustive search and on networks that fit in the head."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gamma

from pipeline.core.allocation import (
    Holding,
    Network,
    allocate,
    allocate_at,
    expected_served,
    tail,
)
from tests.oracles.transfer_search import best_transfers, plan_value


def holding(level, mean, saved, start) -> Holding:
    level, mean = np.atleast_2d(level).astype(float), np.atleast_2d(mean).astype(float)
    saved = np.broadcast_to(np.asarray(saved, dtype=float), level.shape)
    return Holding(level, mean, np.sqrt(1.5 * mean), saved, np.atleast_2d(start) > level)


def network(lanes, n_items=1, lot=1, rows=(), usd=0.0) -> Network:
    """rows: (lanes counted, weight of a unit, room)."""
    source, target = np.array(lanes).T
    return Network(
        source, target, np.full((n_items, len(lanes)), usd),
        np.full((n_items, len(lanes)), lot), np.full(n_items, lot),
        np.array([[lane in row[0] for lane in range(len(lanes))] for row in rows],
                 dtype=bool).reshape(len(rows), len(lanes)),
        np.array([[row[1]] * n_items for row in rows], dtype=float).reshape(len(rows), n_items),
        np.array([row[2] for row in rows], dtype=float),
    )  # fmt: skip


TREE = [(0, 1), (0, 2), (1, 3)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_without_capacities_a_plan_in_units_is_as_good_as_exhaustive_search(data):
    def draw(low, high):
        return np.array([[data.draw(st.integers(low, high)) for _ in range(4)]])

    fixed, movable, level, mean = draw(0, 3), draw(0, 5), draw(0, 7), draw(0, 8)
    saved = np.array([[data.draw(st.sampled_from([0.5, 1.0, 3.0])) for _ in range(4)]])
    lanes = network([*TREE, (2, 1)], usd=data.draw(st.sampled_from([0.0, 0.05, 0.4])))
    worth = holding(level, mean, saved, fixed + movable)
    found = allocate(fixed, movable, worth, lanes, 0.0)
    units = np.zeros(4, dtype=int)
    units[found.lane] = found.units
    value = plan_value(tuple(units), (fixed + movable)[0], worth, lanes)
    # A node is never filled above its level, which the search may do at a loss of nothing.
    assert value == pytest.approx(best_transfers(fixed, movable, worth, lanes), abs=2e-5)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_cases_and_capacities_are_kept_and_little_value_is_lost(data):
    def draw(low, high):
        return np.array([[data.draw(st.integers(low, high)) for _ in range(4)]])

    fixed, movable, level, mean = draw(0, 3), draw(0, 9), draw(0, 12), draw(1, 9)
    lot = data.draw(st.sampled_from([1, 3]))
    rows = [((0, 1), 1.0, data.draw(st.integers(0, 12))), ((2,), 0.5, data.draw(st.integers(0, 3)))]
    lanes = network(TREE, lot=lot, rows=rows)
    worth = holding(level, mean, 1.0, fixed + movable)
    found = allocate(fixed, movable, worth, lanes, 0.0)
    units = np.zeros(3, dtype=int)
    units[found.lane] = found.units
    assert (units % lot == 0).all()
    assert (lanes.row_of @ units * lanes.weight[:, 0] <= lanes.room + 1e-9).all()
    assert units[0] + units[1] <= movable[0, 0]
    assert units[2] <= movable[0, 1]
    value = plan_value(tuple(units), (fixed + movable)[0], worth, lanes)
    best = best_transfers(fixed, movable, worth, lanes)
    assert best - 1e-5 <= value + max(0.2 * best, 0.3)
    assert value >= -1e-9


def test_the_value_curve_is_that_of_gamma_demand():
    x = np.array([0.0, 1, 4, 20])
    demand = gamma(a=(6 / 3) ** 2, scale=9 / 6)
    grid = np.linspace(0, 120, 400_001)
    expected = [(np.minimum(grid, n) * demand.pdf(grid)).sum() * grid[1] for n in x]
    served = expected_served(np.array(6.0), np.array(3.0), x)
    np.testing.assert_allclose(served, expected, atol=1e-3)
    np.testing.assert_allclose(tail(np.array(6.0), np.array(3.0), x), demand.sf(x), atol=1e-9)


def test_plenty_fills_every_level_and_no_more():
    worth = holding([5, 10, 8, 0], [4, 6, 5, 1], 1.0, [50, 0, 0, 0])
    found = allocate(np.zeros((1, 4), int), np.array([[50, 0, 0, 0]]), worth, network(TREE), 0.0)
    assert found.units.tolist() == [10, 8]


def test_scarce_stock_is_shared_equally_between_equals_and_the_source_keeps_its_part():
    worth = holding([6, 6, 6, 0], [5, 5, 5, 0], 1.0, [9, 0, 0, 0])
    found = allocate(np.zeros((1, 4), int), np.array([[9, 0, 0, 0]]), worth, network(TREE), 0.0)
    assert found.units.tolist() == [3, 3]


def test_what_is_on_the_way_counts_as_there():
    fixed = np.array([[0, 4, 0, 0]])
    worth = holding([0, 6, 6, 0], [1, 5, 5, 0], 1.0, [20, 4, 0, 0])
    found = allocate(fixed, np.array([[20, 0, 0, 0]]), worth, network(TREE), 0.0)
    assert found.units.tolist() == [2, 6]


def test_the_more_valuable_item_gets_the_scarce_lane():
    start = np.array([[20, 0], [20, 0]])
    worth = holding([[0, 10], [0, 10]], [[0, 9], [0, 9]], [[1, 1], [1, 5.0]], start)
    lanes = network([(0, 1)], n_items=2, rows=[((0,), 1.0, 12)])
    found = allocate(np.zeros((2, 2), int), start, worth, lanes, 0.0)
    assert dict(zip(found.item.tolist(), found.units.tolist(), strict=True)) == {0: 3, 1: 9}
    assert found.row_price[0] > 0


def test_at_given_prices_each_item_answers_alone():
    """Free, all levels fill, though the lane holds 12; at the plan's own price about what it does;
    where room is dear beyond all worth, nothing moves."""
    start = np.array([[20, 0], [20, 0]])
    worth = holding([[0, 10], [0, 10]], [[0, 9], [0, 9]], [[1, 1], [1, 5.0]], start)
    lanes = network([(0, 1)], n_items=2, rows=[((0,), 1.0, 12)])
    asked = np.zeros((2, 2), int), start, worth, lanes, 0.0
    price = allocate(*asked).row_price
    assert allocate_at(np.zeros(1), *asked).units.tolist() == [10, 10]
    assert np.abs(allocate_at(price, *asked).units - [3, 9]).max() <= 1
    assert allocate_at(np.full(1, 9.0), *asked).units.tolist() == []


def test_a_line_worth_less_than_it_costs_stays():
    worth = holding([0, 3], [0, 2], 0.01, [9, 0])
    lanes = network([(0, 1)])
    assert len(allocate(np.zeros((1, 2), int), np.array([[9, 0]]), worth, lanes, 0.0).units) == 1
    assert len(allocate(np.zeros((1, 2), int), np.array([[9, 0]]), worth, lanes, 0.05).units) == 0


def test_the_plan_does_not_depend_on_the_order_of_items():
    rng = np.random.default_rng(1)
    movable = rng.integers(0, 30, (40, 4))
    level, mean = rng.integers(0, 20, (40, 4)), rng.integers(0, 15, (40, 4))
    lanes = network(TREE, n_items=40, rows=[((0, 1), 1.0, 150), ((2,), 1.0, 20)])
    fixed = np.zeros((40, 4), int)
    found = allocate(fixed, movable, holding(level, mean, 1.0, movable), lanes, 0.05)
    order = rng.permutation(40)
    other = allocate(fixed, movable[order], holding(level[order], mean[order], 1.0, movable[order]),
                     lanes, 0.05)  # fmt: skip
    mine = sorted(zip(found.item, found.lane, found.units, strict=True))
    theirs = sorted(zip(order[other.item], other.lane, other.units, strict=True))
    total = sum(found.value_usd)
    assert sum(other.value_usd) == pytest.approx(total, rel=0.01)
    assert len(set(mine) ^ set(theirs)) <= 0.1 * len(mine)
