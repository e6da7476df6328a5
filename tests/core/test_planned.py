"""Plans of items at prices serve no more than levels hold, and are as good as a full search."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog

from pipeline.core.evaluate import evaluate
from pipeline.core.item import ItemTables, sweep
from pipeline.core.network import Forest
from pipeline.core.planned import plans_at, sweep_plans
from pipeline.core.serve import Placed, node_usd, serve
from pipeline.core.size import empty_cost
from tests.core.test_weeks import WEEKS, ahead, network


def prices(seed: int) -> np.ndarray:
    """Prices of everything at every node and in every week."""
    return np.random.default_rng(seed).uniform(0.0, 1.2, (WEEKS, 3, 4))


def priced_cost(woods: Forest, items: ItemTables, placed: Placed, price: np.ndarray) -> np.ndarray:
    """Usd [items] of a plan with what it uses at the prices, by the independent evaluator."""
    found = []
    for k in range(len(items)):
        one = np.array([k])
        cost, used = evaluate(woods, items.take(one), placed.take(one), WEEKS)
        found.append(cost[0] + (price * used).sum())
    return np.array(found)


def test_service_of_given_levels_is_that_of_the_linear_programme():
    woods, items, price = network(), ahead(6, 11), prices(0)
    rng = np.random.default_rng(1)
    position = rng.integers(0, 4, (len(items), 4)).astype(np.int32)
    placed = serve(woods, items, position, price)
    cost = priced_cost(woods, items, placed, price)
    nothing = priced_cost(
        woods, items, Placed(position, np.zeros(position.shape), placed.entered), price
    )
    serving, inside = node_usd(woods, items, price)[1], woods.members[0].astype(float)
    for k in range(len(items)):
        p, cover = items.start[k], []
        for s in range(4):
            held, covered = position[k] @ inside[s], 0.0
            for units, usd in items.knots[p : p + items.count[k, s]].astype(float):
                covered += min(units, max(held, 0.0)) * usd / items.gap_usd[k, s]
                held -= units
            cover.append(covered)
            p += items.count[k, s]
        gain = np.concatenate([serving[k], -items.gap_usd[k].astype(float)])
        best = linprog(
            gain, A_ub=np.hstack([-inside, np.eye(4)]), b_ub=np.zeros(4),
            bounds=[*((0, y) for y in position[k]), *((0, c) for c in cover)],
        )  # fmt: skip
        assert nothing[k] - cost[k] == pytest.approx(-best.fun, rel=1e-5, abs=1e-5)


def test_plans_are_as_good_as_a_search_of_all_levels():
    """In the first week, where nothing waits: what is used is paid for by unit."""
    woods, items = network(), ahead(30, 12)
    every = np.array(list(product(range(6), repeat=4)), np.int32)
    rows = np.argsort(items.count[:30, 3], kind="stable")[:9]

    def cost(mine: ItemTables, placed: Placed, price: np.ndarray) -> np.ndarray:
        level, serving = node_usd(woods, mine, price)
        usd = evaluate(woods, mine, placed, WEEKS)[0]
        return usd + (level * placed.position + serving * placed.served).sum(axis=1)

    found, best = [], []
    for seed in range(6):
        price, mine = prices(seed), items.take(rows)
        placed = plans_at(woods, mine, 0, len(rows), np.zeros(len(rows), int), price[None])
        assert (placed.served <= placed.position + 1e-9).all()
        found += cost(mine, placed, price).tolist()
        for row in rows:
            same = items.take(np.full(len(every), row))
            best.append(cost(same, serve(woods, same, every, price), price).min())
    assert (np.array(found) <= np.array(best) * 1.01 + 1e-6).all()
    assert (np.array(found) <= np.array(best) * (1 + 1e-6)).mean() >= 0.9


def test_what_blocks_save_is_what_their_plans_cost_less_and_no_plan_saves_more_than_the_most():
    woods, items, price = network(), ahead(40, 13), prices(5)
    bounds, wanted = np.array([0, 50, 120]), np.ones(2, bool)
    both = np.stack([price, prices(6)])
    swept = sweep_plans(woods, items, bounds, both, wanted, 0)
    choice = np.repeat([0, 1], [50, 70])
    placed = plans_at(woods, items, 0, 120, choice, both)
    empty = empty_cost(items, bounds)
    for b, (first, last) in enumerate([(0, 50), (50, 120)]):
        mine = np.arange(first, last)
        cost, used = evaluate(woods, items.take(mine), placed.take(mine), WEEKS)
        assert swept.used[b] == pytest.approx(used, abs=1e-6)
        assert swept.saved[b] == pytest.approx(
            empty[b] - cost.sum() - (both[b] * used).sum(), rel=1e-6
        )
    relaxed, _ = sweep(woods, items, bounds, both)
    tight = sweep_plans(woods, items, bounds, both, wanted, 20)
    assert (swept.saved < swept.most * (1 - 1e-3)).all()
    assert swept.most == pytest.approx(relaxed, rel=1e-12)
    assert (tight.saved == swept.saved).all()
    assert (tight.most >= tight.saved * (1 - 1e-9)).all()
    assert (tight.most - tight.saved < 0.6 * (swept.most - swept.saved)).all()
    few = sweep_plans(woods, items, bounds, both, np.array([False, True]), 0)
    assert few.saved[0] == 0.0
    assert few.saved[1] == swept.saved[1]


def test_where_joined_knots_let_parts_cover_more_than_the_whole_none_serves_what_is_not_saved():
    woods, items, price = network(), ahead(40, 13), prices(5)
    knots = items.knots.copy()
    for k in range(len(items)):
        root = woods.n_sets[items.tree[k]] - 1  # its knots are an item's last
        knots[items.start[k + 1] - items.count[k, root] : items.start[k + 1], 1] *= 0.4
    items = replace(items, knots=knots)
    bounds = np.arange(len(items) + 1)
    each = np.repeat(price[None], len(items), axis=0)
    swept = sweep_plans(woods, items, bounds, each, np.ones(len(items), bool), 0)
    placed = plans_at(woods, items, 0, len(items), np.zeros(len(items), np.int64), price[None])
    assert (placed.served >= 0.0).all()
    cost = empty_cost(items, bounds) - priced_cost(woods, items, placed, price)
    assert swept.saved == pytest.approx(cost, rel=1e-6, abs=1e-6)
    assert (swept.saved <= swept.most + 1e-9).all()


def test_forty_times_the_demand_saves_forty_times_as_much_at_least():
    woods, items, price = network(), ahead(40, 13), prices(5)
    bounds = np.arange(len(items) + 1)
    each = np.repeat(price[None], len(items), axis=0)
    many = replace(items, knots=items.knots * np.array([40.0, 1.0], np.float32))
    few_saved, many_saved = (
        sweep_plans(woods, which, bounds, each, np.ones(len(items), bool), 0).saved
        for which in (items, many)
    )
    assert (few_saved > 0.0).any()
    assert (many_saved >= 40.0 * few_saved * (1.0 - 1e-3) - 1e-6).all()
