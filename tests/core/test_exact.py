"""Branch and bound closes what prices leave open in small worlds, with rows of any kind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from pipeline.core.evaluate import evaluate
from pipeline.core.exact import cost_of, exact_plan, improve
from pipeline.core.item import sweep
from pipeline.core.prices import Capacity
from pipeline.core.solve import SolveParams, solve
from tests.core.instances import random_items, storage_rows, woods
from tests.oracles.capacity_milp import exact_plan as oracle

LAGRANGE_ONLY = SolveParams(exact_items=0)


def free_usage(items) -> np.ndarray:
    _, used = sweep(woods(), items, np.array([0, len(items)]), np.zeros((1, 1, 2, 4)))
    return used[0, 0, 0]


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.3, 1.0))
def test_small_world_is_solved_to_a_thousandth_of_the_oracles_optimum(seed, share):
    items = random_items(12, seed)
    limit = share * free_usage(items) + 0.1
    plan = solve(woods(), [items], storage_rows(limit), SolveParams())
    best = oracle(woods().trees[0], items, limit, 100.0)
    assert plan.certificate.gap <= 1e-3 or plan.certificate.upper <= best * (1 + 1e-6)
    assert plan.certificate.lower <= best + 1e-5 <= plan.certificate.upper + 2e-5
    assert plan.certificate.violation == 0.0


def test_exact_plan_is_never_worse_than_the_priced_one():
    for seed in range(2):
        items = random_items(18, seed)
        capacity = storage_rows(0.6 * free_usage(items))
        rough = solve(woods(), [items], capacity, LAGRANGE_ONLY).certificate
        exact = solve(woods(), [items], capacity, SolveParams(exact_rounds=4)).certificate
        assert exact.upper <= rough.upper + 1e-9
        assert exact.lower >= rough.lower - 1e-9


def test_row_over_the_whole_network_like_a_budget_is_kept_too():
    items = random_items(15, 3)
    spent = csr_matrix(np.concatenate([np.zeros(4), np.ones(4)])[None])
    capacity = Capacity(spent, (1, 2, 4), np.array([30.0]), np.array([1e3]))
    found = exact_plan(woods(), items, capacity, 1e-6, 1000)
    cost, used = evaluate(woods(), items, found.position, 1)
    assert used[0, 1].sum() <= 30.0 + 1e-9
    assert found.lower == pytest.approx(cost.sum(), rel=1e-5)


def test_row_implied_by_an_exceeded_one_is_paid_for():
    items = random_items(10, 5)
    rows = csr_matrix(np.array([[1.0, 0, 0, 0, 0, 0, 0, 0], [1.0, 0, 0, 0, 0, 0, 0, 0]]))
    limit = np.array([0.5, 0.6])  # the second is implied by the first, unless that overflows
    capacity = Capacity(rows, (1, 2, 4), limit, np.array([0.01, 0.01]))
    plan = solve(woods(), [items], capacity)
    assert plan.certificate.violation == 0.0
    assert (plan.usage <= limit + plan.overflow + 1e-9).all()
    assert plan.overflow.min() > 0


def test_solving_groups_again_saves_much_and_stays_above_the_oracles_optimum():
    items = random_items(12, 8)
    limit = 0.6 * free_usage(items)
    capacity = storage_rows(limit)
    nothing = np.zeros((12, 4), np.int32)
    found = improve(woods(), items, capacity, nothing, -np.inf, 8, 6, 50, 0)
    best = oracle(woods().trees[0], items, limit, 100.0)
    cost = cost_of(woods(), items, capacity, found)[0]
    empty = cost_of(woods(), items, capacity, nothing)[0]
    assert best - 1e-5 <= cost <= best + 0.1 * (empty - best)
