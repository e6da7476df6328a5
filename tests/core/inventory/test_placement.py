"""Placement: the assignment against a linear programme, the placement against exhaustion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from pipeline.core.inventory.placement import (
    PlacementProblem,
    best_placement,
    demand_outcomes,
    hindsight_cost,
    transport_cost,
)


@given(data=st.data(), centers=st.integers(1, 4), regions=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_assignment_is_the_linear_programmes(
    data: st.DataObject, centers: int, regions: int
) -> None:
    def draw(size: int, high: int) -> np.ndarray:
        values = st.lists(st.integers(0, high), min_size=size, max_size=size)
        return np.array(data.draw(values), dtype=np.float64)

    cost = draw(centers * regions, 9).reshape(centers, regions)
    lost, units, demand = draw(regions, 9), draw(centers, 8), draw(regions, 8)
    supply_rows = np.kron(np.eye(centers), np.ones(regions))
    demand_rows = np.kron(np.ones(centers), np.eye(regions))
    best = optimize.linprog(
        (cost - lost).ravel(),
        A_ub=np.vstack([supply_rows, demand_rows]),
        b_ub=np.concatenate([units, demand]),
    )
    ours = transport_cost(cost, lost, units.astype(np.int64), demand.astype(np.int64))
    assert ours == pytest.approx(best.fun + lost @ demand, abs=1e-7)


@given(
    costs=st.lists(st.integers(0, 6), min_size=6, max_size=6),
    share=st.floats(0.1, 0.9),
    total=st.integers(1, 9),
)
@settings(max_examples=15, deadline=None)
def test_placement_is_the_best_of_all(costs: list[int], share: float, total: int) -> None:
    problem = PlacementProblem(
        np.array(costs[:4], dtype=np.float64).reshape(2, 2),
        np.array(costs[4:], dtype=np.float64) + 2,
        np.array([share, 1 - share]),
        8,
    )
    outcomes, weights = demand_outcomes(problem)
    every = [
        hindsight_cost(problem, np.array([k, total - k]), outcomes, weights)
        for k in range(total + 1)
    ]
    assert best_placement(problem, total).cost == pytest.approx(min(every))


def test_outcomes_are_all_of_them() -> None:
    problem = PlacementProblem(np.ones((1, 3)), np.ones(3), np.array([0.2, 0.3, 0.4]), 5)
    outcomes, weights = demand_outcomes(problem)  # the tenth that is left orders nothing
    assert len(outcomes) == 56  # C(5 + 3, 3)
    assert weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(weights @ outcomes, 5 * problem.probabilities)


def test_arlotto_keskin_wei_instance() -> None:
    problem = PlacementProblem(
        np.array([[2.0, 5.0], [3.0, 1.0]]), np.array([4.0, 4.0]), np.array([0.5, 0.5]), 100
    )
    plan = best_placement(problem, 100)
    assert plan.units.tolist() == [47, 53]
    assert plan.cost == pytest.approx(156.35479651750836, rel=1e-9)
