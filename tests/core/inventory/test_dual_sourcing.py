"""Dual sourcing: the optimum against a plain dynamic programme, policies against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.inventory import demand as d
from pipeline.core.inventory import dual_sourcing as ds
from tests.oracles.markov_decision import Choice, State, least_average_cost


def _slow_optimum(system: ds.DualSourcing, low: int, high: int) -> float:
    """State: net stock after arrivals and the regular orders still to come."""
    mass = system.demand.mass_from_zero()

    def choices(state: State) -> list[Choice]:
        x, pipeline = state[0], state[1:]
        found: list[Choice] = []
        for expedited in range(max(high - x, 0) + 1):
            y = x + expedited
            hold = sum(
                p * (system.holding * max(y - k, 0) + system.backorder * max(k - y, 0))
                for k, p in enumerate(mass)
            )
            for regular in range(mass.size):
                queue = (*pipeline, regular)
                cost = hold + system.expedited_cost * expedited + system.regular_cost * regular
                outcomes = [
                    (float(p), (min(max(y - k + queue[0], low), high + mass.size), *queue[1:]))
                    for k, p in enumerate(mass)
                ]
                found.append((float(cost), outcomes))
        return found

    return least_average_cost((0,) * system.lag, choices)


@given(
    premium=st.floats(0.5, 6),
    backorder=st.floats(15, 60),
    lead=st.integers(1, 3),
)
@settings(max_examples=6, deadline=None)
def test_optimum_is_that_of_the_plain_programme(
    premium: float, backorder: float, lead: int
) -> None:
    system = ds.DualSourcing(0, lead, premium, 0.0, 1.0, backorder, d.discrete_uniform(0, 2))
    slow = _slow_optimum(system, low=-3, high=5)
    assert ds.optimal_dual_sourcing(system, 1e-9) == pytest.approx(slow, abs=1e-5)


def _simulated_cost(
    system: ds.DualSourcing, s_e: int, s_r: int, cap: int, periods: int = 200_000
) -> float:
    rng = np.random.default_rng(7)
    demand = rng.choice(system.demand.values, periods, p=system.demand.probabilities)
    x, total = s_e, 0.0
    pipeline = [0] * (system.lag - 1)
    for k in demand:
        expedited = max(s_e - x, 0)
        y = x + expedited
        regular = min(max(s_r - y - sum(pipeline), 0), cap)
        left = y - int(k)
        total += system.expedited_cost * expedited + system.regular_cost * regular
        total += system.holding * max(left, 0) + system.backorder * max(-left, 0)
        pipeline.append(regular)
        x = left + pipeline.pop(0)
    return total / periods


@pytest.mark.parametrize(("lead", "s_e", "s_r", "cap"), [(1, 3, 5, 2), (2, 4, 9, 2), (3, 3, 11, 4)])
def test_index_policy_cost_is_the_simulated_one(lead: int, s_e: int, s_r: int, cap: int) -> None:
    system = ds.DualSourcing(0, lead, 7.0, 2.0, 1.0, 30.0, d.discrete_uniform(0, 4))
    exact = ds.index_policy_cost(system, s_e, s_r, cap)
    assert exact == pytest.approx(_simulated_cost(system, s_e, s_r, cap), rel=0.01)


@given(premium=st.floats(1, 20), lead=st.integers(2, 4), backorder=st.floats(20, 500))
@settings(max_examples=8, deadline=None)
def test_every_policy_costs_at_least_the_optimum(
    premium: float, lead: int, backorder: float
) -> None:
    system = ds.DualSourcing(0, lead, 10 + premium, 10, 5, backorder, d.discrete_uniform(0, 4))
    optimum = ds.optimal_dual_sourcing(system)
    capped = ds.best_capped_dual_index(system).cost
    dual = ds.best_dual_index(system).cost
    for cost in (
        capped,
        dual,
        ds.best_single_index(system).cost,
        ds.best_tailored_base_surge(system).cost,
    ):
        assert cost >= optimum - 1e-5
    assert capped <= dual + 1e-9


def test_published_gaps() -> None:
    """Gijsbrechts et al. (2022), figure 9, l = 3: 0.00, 0.27, 0.98 and 0.01 % above the optimum."""
    system = ds.DualSourcing(0, 3, 105, 100, 5, 495, d.discrete_uniform(0, 4))
    optimum = ds.optimal_dual_sourcing(system)
    solvers = (
        ds.best_capped_dual_index,
        ds.best_dual_index,
        ds.best_single_index,
        ds.best_tailored_base_surge,
    )
    gaps = [100 * (best(system).cost / optimum - 1) for best in solvers]
    np.testing.assert_allclose(gaps, [0.0, 0.27, 0.98, 0.01], atol=0.01)


def test_single_index_is_optimal_for_consecutive_lead_times() -> None:
    """Fukuda (1964): with l_r = l_e + 1 a base-stock pair on one position is optimal."""
    system = ds.DualSourcing(0, 1, 4.0, 0.0, 1.0, 20.0, d.discrete_uniform(0, 4))
    assert ds.best_dual_index(system).cost == pytest.approx(
        ds.optimal_dual_sourcing(system, 1e-9), abs=1e-5
    )
