"""Small worlds are searched until a thousandth is certified, and no row overflows without need."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from pipeline.core.exact import ExactParams, branch
from pipeline.core.item import sweep
from pipeline.core.prices import Capacity
from pipeline.core.programme import programme, relax
from pipeline.core.solve import SolveParams, solve
from tests.core.instances import random_items, storage_rows, valued, woods
from tests.oracles.capacity_milp import exact_plan as oracle

LAGRANGE_ONLY = SolveParams(exact=ExactParams(items=0))


def free_usage(items) -> np.ndarray:
    _, used = sweep(woods(), items, np.array([0, len(items)]), np.zeros((1, 1, 2, 4)))
    return used[0, 0, 0]


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.3, 1.0))
def test_small_world_is_solved_to_a_thousandth_of_the_oracles_optimum(seed, share):
    items = random_items(12, seed)
    limit = share * free_usage(items) + 0.1
    plan = solve(woods(), [items], storage_rows(limit), SolveParams())
    best = oracle(woods().trees[0], items, limit, np.inf)
    assert plan.certificate.gap <= 1e-3 or plan.certificate.upper <= best * (1 + 1e-5)
    assert plan.certificate.lower <= best * (1 + 1e-5)
    assert plan.certificate.upper >= best * (1 - 1e-5)
    assert plan.certificate.violation == 0.0


@pytest.mark.parametrize(("n", "gap"), [(12, 1e-3), (40, 6e-3)])
def test_cheap_overflow_is_not_bought_where_the_rows_can_be_met(n, gap):
    for seed in (1, 2):
        items = random_items(n, seed)
        limit = 0.6 * free_usage(items)
        first = solve(woods(), [items], storage_rows(limit, 1e4), LAGRANGE_ONLY)
        dear = 1.05 * float(first.price.max())  # a price that just keeps the relaxed plan within
        plan = solve(woods(), [items], storage_rows(limit, dear))
        assert (plan.overflow == 0.0).all()
        assert (plan.usage <= limit).all()
        assert plan.certificate.overflow_usd == 0.0
        assert plan.certificate.violation == 0.0
        assert plan.certificate.gap <= gap


def test_exact_plan_is_never_worse_than_the_priced_one():
    for seed in range(2):
        items = random_items(18, seed)
        capacity = storage_rows(0.6 * free_usage(items))
        rough = solve(woods(), [items], capacity, LAGRANGE_ONLY).certificate
        exact = solve(woods(), [items], capacity).certificate
        assert exact.upper <= rough.upper + 1e-9
        assert exact.lower >= rough.lower - 1e-5  # each bound is lowered by its rounding


def test_row_over_the_whole_network_is_kept_too():
    items = random_items(15, 3)
    spent = csr_matrix(np.concatenate([np.ones(4), np.zeros(4)])[None])
    capacity = Capacity(spent, (1, 2, 4), np.array([30.0]), np.array([1e3]))
    whole, relaxed = programme(woods(), items, capacity), relax(woods(), items, capacity)
    found, lower = branch(whole, items, capacity, relaxed, 1e-6, 1000)
    cost, used = valued(items, found)
    assert used[0, 0].sum() <= 30.0 + 1e-9
    assert lower == pytest.approx(cost.sum(), rel=1e-5)


def test_row_implied_by_an_exceeded_one_is_paid_for():
    items = random_items(10, 5)
    rows = csr_matrix(np.array([[1.0, 0, 0, 0, 0, 0, 0, 0], [1.0, 0, 0, 0, 0, 0, 0, 0]]))
    limit = np.array([0.5, 0.6])  # the second is implied by the first, unless that overflows
    capacity = Capacity(rows, (1, 2, 4), limit, np.array([0.01, 0.01]))
    plan = solve(woods(), [items], capacity)
    assert plan.certificate.violation == 0.0
    assert (plan.usage <= limit + plan.overflow + 1e-9).all()
    assert plan.overflow.min() > 0
