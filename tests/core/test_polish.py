"""Moves of units keep every row and only ever save money; alone they find small optima."""

import numpy as np

from pipeline.core.item import sweep
from pipeline.core.polish import polish
from pipeline.core.programme import relax
from tests.core.instances import random_items, storage_rows, valued, woods
from tests.oracles.capacity_milp import exact_plan as oracle


def instance(n: int, seed: int, share: float):
    items = random_items(n, seed)
    _, used = sweep(woods(), items, np.array([0, n]), np.zeros((1, 1, 2, 4)))
    return items, storage_rows(share * used[0, 0, 0])


def test_polished_plan_costs_less_and_exceeds_nothing():
    items, capacity = instance(60, 1, 0.6)
    nothing = np.zeros((60, 4), np.int32)
    price = relax(woods(), items, capacity).price
    found = polish(woods(), items, capacity, nothing, price, 0.0, 5, 0)
    cost, used = valued(items, found)
    empty, _ = valued(items, nothing)
    assert (capacity.usage(used) <= capacity.limit + 1e-9).all()
    assert (found >= 0).all()
    relaxed = relax(woods(), items, capacity).lower
    assert cost.sum() - relaxed <= 0.01 * (empty.sum() - relaxed)


def test_moves_alone_come_near_the_oracles_optimum():
    for seed in range(3):
        items, capacity = instance(6, seed, 0.6)
        nothing = np.zeros((6, 4), np.int32)
        price = relax(woods(), items, capacity).price
        found = polish(woods(), items, capacity, nothing, price, 0.0, 60, 0)
        ours = valued(items, found)[0].sum()
        best = oracle(woods().trees[0], items, capacity.limit, np.inf)
        assert best * (1 - 1e-6) <= ours <= best * 1.03


def test_same_seed_gives_the_same_plan():
    items, capacity = instance(30, 2, 0.5)
    price = relax(woods(), items, capacity).price
    nothing = np.zeros((30, 4), np.int32)
    one, two = (polish(woods(), items, capacity, nothing, price, 0.0, 8, 3) for _ in range(2))
    assert (one == two).all()
