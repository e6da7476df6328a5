"""Lost sales: the optimum, policies and simulation against plain dynamic programmes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.inventory import demand as d
from pipeline.core.inventory.lost_sales import (
    LostSales,
    best_capped_base_stock,
    optimal_lost_sales,
    policy_cost,
)
from pipeline.core.inventory.lost_sales_base_stock import base_stock_cost, best_base_stock
from pipeline.core.inventory.lost_sales_fixed import (
    FixedCostLostSales,
    optimal_fixed_cost_lost_sales,
)
from pipeline.core.inventory.lost_sales_heuristics import myopic_cost, vector_base_stock_cost
from pipeline.core.inventory.lost_sales_simulation import (
    simulated_base_stock,
    simulated_capped_base_stock,
)
from tests.oracles.markov_decision import Choice, State, least_average_cost


def _slow_optimum(problem: LostSales, largest: int) -> float:
    """All orders up to `largest` in every state, no bound or structure used."""
    mass = problem.demand.mass_from_zero()

    def choices(state: State) -> list[Choice]:
        x, pipeline = state[0], state[1:]
        now = sum(
            p * (problem.holding * max(x - k, 0) + problem.penalty * max(k - x, 0))
            for k, p in enumerate(mass)
        )
        found: list[Choice] = []
        for order in range(largest + 1):
            queue = (*pipeline, order)
            outcomes = [
                (float(p), (max(x - k, 0) + queue[0], *queue[1:]))
                for k, p in enumerate(mass)
                if max(x - k, 0) + sum(queue) <= 2 * largest + 2
            ]
            if abs(sum(p for p, _ in outcomes) - 1) < 1e-9:
                found.append((float(now), outcomes))
        return found

    return least_average_cost((0,) * problem.lead_time, choices)


@given(
    weights=st.lists(st.floats(0.05, 1), min_size=2, max_size=4),
    penalty=st.floats(1.5, 15),
    lead=st.integers(1, 2),
)
@settings(max_examples=10, deadline=None)
def test_optimum_is_that_of_the_plain_programme(
    weights: list[float], penalty: float, lead: int
) -> None:
    mass = np.array(weights) / sum(weights)
    problem = LostSales(d.Lattice(mass), 1.0, penalty, lead)
    slow = _slow_optimum(problem, problem.largest_order + 1)
    assert optimal_lost_sales(problem, 1e-8) == pytest.approx(slow, abs=1e-5)


@pytest.mark.parametrize(
    ("demand", "penalty", "lead", "optimum", "base_stock"),
    [
        (d.poisson(5), 4, 1, 4.04, 4.16),  # Zipkin (2008), table 1
        (d.poisson(5), 9, 3, 6.53, 6.86),
        (d.poisson(5), 39, 3, 10.04, 10.22),
    ],
)
def test_zipkins_table(
    demand: d.Lattice, penalty: float, lead: int, optimum: float, base_stock: float
) -> None:
    problem = LostSales(demand, 1, penalty, lead)
    assert optimal_lost_sales(problem) == pytest.approx(optimum, abs=0.0051)
    assert best_base_stock(problem).cost == pytest.approx(base_stock, abs=0.0051)


@given(level=st.integers(2, 14), lead=st.integers(1, 3), rate=st.floats(0.5, 3))
@settings(max_examples=15, deadline=None)
def test_ranked_states_and_a_cap_that_never_binds_give_one_cost(
    level: int, lead: int, rate: float
) -> None:
    problem = LostSales(d.poisson(rate), 1.0, 9.0, lead)
    assert base_stock_cost(problem, level) == pytest.approx(
        policy_cost(problem, level, level), rel=1e-7
    )


@given(penalty=st.floats(3, 40), lead=st.integers(1, 3))
@settings(max_examples=8, deadline=None)
def test_policies_are_ordered_as_theory_has_it(penalty: float, lead: int) -> None:
    problem = LostSales(d.poisson(2), 1.0, penalty, lead)
    optimum = optimal_lost_sales(problem)
    capped = best_capped_base_stock(problem).cost
    assert optimum <= capped + 1e-4
    assert capped <= best_base_stock(problem).cost + 1e-6
    assert optimum <= myopic_cost(problem, 2) + 1e-4
    assert optimum <= vector_base_stock_cost(problem) + 1e-4


def test_published_heuristics() -> None:
    problem = LostSales(d.poisson(5), 1, 4, 2)  # Zipkin (2008): 4.56, 4.41, 4.80; Xin (2021): 4.41
    assert myopic_cost(problem) == pytest.approx(4.56, abs=0.01)
    assert myopic_cost(problem, 2) == pytest.approx(4.41, abs=0.01)
    assert vector_base_stock_cost(problem) == pytest.approx(4.80, abs=0.01)
    assert best_capped_base_stock(problem).cost == pytest.approx(4.41, abs=0.01)


def test_simulation_finds_the_exact_capped_policy() -> None:
    problem = LostSales(d.poisson(5), 1, 9, 2)
    exact = best_capped_base_stock(problem)
    found = simulated_capped_base_stock(problem, search_periods=200_000, final_periods=2_000_000)
    assert found.cost == pytest.approx(exact.cost, rel=0.01)
    true_cost = policy_cost(problem, found.level_units, found.cap_units)
    assert true_cost == pytest.approx(exact.cost, rel=5e-3)


def test_without_fixed_cost_the_whole_lead_time_model_is_the_same() -> None:
    """K = 0, L = 2: only the holding charge differs (whole period instead of its end)."""
    rate, penalty = 2.0, 9.0
    fixed = FixedCostLostSales(rate, 1e-9, penalty, 0.0, 2.0)
    plain = LostSales(d.poisson(rate), 1e-9, penalty, 2)
    assert optimal_fixed_cost_lost_sales(fixed) == pytest.approx(
        optimal_lost_sales(plain), abs=1e-3
    )


def test_bijvanks_table() -> None:
    found = optimal_fixed_cost_lost_sales(FixedCostLostSales(5, 1, 19, 25, 0.5))
    assert found == pytest.approx(20.43, abs=0.01)  # thesis, table 6.11


def test_too_many_states_are_refused() -> None:
    with pytest.raises(ValueError, match="too many states"):
        optimal_lost_sales(LostSales(d.geometric(5), 1, 19, 8))


def test_simulated_base_stock_finds_the_exact_level() -> None:
    problem = LostSales(d.poisson(5), 1, 9, 2)
    exact = best_base_stock(problem)
    found = simulated_base_stock(problem, search_periods=200_000, final_periods=2_000_000)
    assert abs(found.level_units - exact.level_units) <= 1
    assert found.cost == pytest.approx(exact.cost, rel=0.01)
