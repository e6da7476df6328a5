"""The solver's plan is certified: between an exact bound and what separate code says it costs."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.certificate import lower_bound
from pipeline.core.item import sweep
from pipeline.core.shards import Threads, views
from pipeline.core.size import empty_cost
from pipeline.core.solve import SolveParams, solve
from tests.core.instances import FAMILY, random_items, storage_rows, valued, woods
from tests.oracles.capacity_milp import exact_plan
from tests.oracles.item_search import plan_cost

PARAMS = SolveParams(target_gap=1e-6, most_sweeps=12)


def free_usage(items) -> np.ndarray:
    """Storage that the plan uses when capacity is free."""
    _, used = sweep(woods(), items, np.array([0, len(items)]), np.zeros((1, 1, 2, 4)))
    return used[0, 0, 0]


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.3, 1.1))
def test_exact_optimum_lies_between_bound_and_plan(seed, share):
    items = random_items(8, seed)
    limit = share * free_usage(items) + 0.1
    plan = solve(woods(), [items], storage_rows(limit), PARAMS)
    exact = exact_plan(woods().trees[0], items, limit, np.inf)
    assert plan.certificate.lower <= exact * (1 + 1e-5)
    assert plan.certificate.upper >= exact * (1 - 1e-5)
    assert plan.certificate.violation == 0.0
    assert (plan.usage <= limit + plan.overflow + 1e-9).all()


def test_any_prices_bound_the_optimum_from_below():
    items = random_items(6, 3)
    limit = 0.6 * free_usage(items)
    capacity = storage_rows(limit)
    exact = exact_plan(woods().trees[0], items, limit, 100.0)
    for price in np.random.default_rng(0).uniform(0, 3, (20, 4)):
        saved, _ = sweep(woods(), items, np.array([0, 6]), capacity.on_items(price)[None])
        best = float((empty_cost(items, np.array([0, 6])) - saved)[0])
        assert lower_bound(best, price, capacity) <= exact + 1e-6


def test_price_above_overflow_is_no_bound():
    capacity = storage_rows(np.ones(4), overflow_usd=2.0)
    with pytest.raises(ValueError, match="overflow"):
        lower_bound(0.0, np.full(4, 2.1), capacity)


def test_plan_is_near_the_optimum_on_thousands_of_items():
    items = random_items(3000, 1)
    capacity = storage_rows(0.7 * free_usage(items))
    plan = solve(woods(), views(items, 3), capacity)
    assert plan.certificate.gap < 1e-3
    assert plan.certificate.violation == 0.0
    assert plan.certificate.overflow_usd == 0.0


def test_slack_capacity_has_no_price_and_costs_nothing():
    items = random_items(200, 2)
    plan = solve(woods(), [items], storage_rows(2.0 * free_usage(items) + 5))
    assert (plan.price == 0).all()
    assert plan.certificate.gap < 1e-6


def test_less_capacity_costs_more_and_is_dearer():
    items = random_items(500, 4)
    free = free_usage(items)
    plans = [solve(woods(), [items], storage_rows(s * free)) for s in (0.9, 0.7, 0.5)]
    costs = [plan.certificate.upper for plan in plans]
    assert costs == sorted(costs)
    assert (plans[2].price >= plans[0].price - 0.05).all()
    assert plans[2].price.sum() > plans[0].price.sum()


def test_plan_does_not_depend_on_threads_or_on_how_often_it_is_made():
    items = random_items(900, 5)
    capacity = storage_rows(0.6 * free_usage(items))
    parts = views(items, 4)
    one = solve(woods(), parts, capacity, engine=Threads(parts, 1))
    two = solve(woods(), parts, capacity, engine=Threads(parts, 2))
    assert all((a == b).all() for a, b in zip(one.position, two.position, strict=True))
    assert (one.price == two.price).all()
    assert one.certificate == two.certificate


def test_order_of_items_changes_neither_bound_nor_quality():
    items = random_items(400, 6)
    capacity = storage_rows(0.6 * free_usage(items))
    turned = items.take(np.random.default_rng(0).permutation(400))
    one, other = (solve(woods(), [part], capacity) for part in (items, turned))
    assert one.certificate.lower == pytest.approx(other.certificate.lower, rel=2e-3)
    assert max(one.certificate.gap, other.certificate.gap) < 5e-3


def test_capacity_below_zero_is_overflow_with_its_price_not_an_error():
    items = random_items(50, 7)
    plan = solve(woods(), [items], storage_rows(np.array([-3.0, 40.0, 40.0, 40.0]), 500.0))
    assert plan.overflow[0] == pytest.approx(3.0)
    assert plan.price[0] == pytest.approx(500.0)
    assert plan.position[0][:, 0].sum() == 0
    assert plan.certificate.overflow_usd == pytest.approx(1500.0)


def test_last_nights_prices_save_nothing_of_the_certificate():
    items = random_items(800, 8)
    capacity = storage_rows(0.6 * free_usage(items))
    cold = solve(woods(), [items], capacity)
    warm = solve(woods(), [items], capacity, guess=cold.start)
    assert warm.certificate.gap < 2e-3
    assert warm.certificate.violation == 0.0


def test_evaluator_agrees_with_the_definition_unit_by_unit():
    items = random_items(20, 9)
    position = np.random.default_rng(1).integers(0, 5, (20, 4)).astype(np.int32)
    cost, used = valued(items, position)
    members = woods().trees[0].members
    assert len(members) == len(FAMILY)
    for k in range(20):
        ends = items.start[k] + np.concatenate([[0], np.cumsum(items.count[k].astype(int))])
        steps = [[tuple(map(float, knot)) for knot in items.knots[a:b]] for a, b in pairwise(ends)]
        worth = -items.place_usd[k].astype(float)
        assert cost[k] == pytest.approx(plan_cost(members, steps, worth, position[k]))
    held = position * items.use[:, :1]
    assert used[0, 0] == pytest.approx(held.sum(axis=0), rel=1e-6)


def test_an_item_a_thousand_times_as_large_as_all_others_leaves_no_gap():
    items = random_items(400, 1)
    first, last = int(items.start[7]), int(items.start[8])
    knots = items.knots.copy()
    knots[first:last, 0] *= 1000
    heavy = replace(items, knots=knots)
    free = valued(heavy, solve(woods(), [heavy], storage_rows(np.full(4, 1e12))).position[0])[1]
    plan = solve(woods(), [heavy], storage_rows(0.7 * free[0, 0]))
    assert plan.certificate.violation == 0.0
    assert plan.certificate.gap <= 1e-3
