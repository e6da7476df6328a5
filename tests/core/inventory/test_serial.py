"""Clark–Scarf levels: exact against brute force, between Shang and Song's bounds, as stockpyl."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.inventory import demand as d
from pipeline.core.inventory.newsvendor import newsvendor
from pipeline.core.inventory.serial import (
    SerialSystem,
    optimal_serial,
    serial_cost,
    shang_song_levels,
)


def test_one_stage_is_a_newsvendor() -> None:
    system = SerialSystem([2.0], [1.0], 9.0, d.normal(20, 4))
    plan = optimal_serial(system, 200)
    best = newsvendor(d.normal(20, 4), 2.0, 9.0)
    assert plan.cost == pytest.approx(best.cost, rel=1e-4)
    assert plan.echelon_levels[0] == pytest.approx(best.level_units, abs=0.05)


def test_textbook_example_6_1() -> None:
    """Snyder & Shen: S* = (6.49, 12.02, 22.71), cost 47.65 on their coarser grid."""
    plan = optimal_serial(SerialSystem([3, 2, 2], [1, 1, 2], 37.12, d.normal(5, 1)), 100)
    np.testing.assert_allclose(plan.echelon_levels, [6.49, 12.02, 22.71], atol=0.02)
    assert plan.cost == pytest.approx(47.65, rel=5e-4)


def _slow_two_stage(system: SerialSystem, levels: tuple[int, int]) -> float:
    """E over both lead-time demands: stage 1 gives stage 0 what it has (integer demand)."""
    first, second = (system.demand.over(lead) for lead in system.lead_times)
    h0, h1 = system.echelon_holding
    total = 0.0
    for a, pa in zip(second.values, second.probabilities, strict=True):
        echelon = levels[1] - a
        position = min(levels[0], echelon)
        below = 0.0
        for b, pb in zip(first.values, first.probabilities, strict=True):
            net = position - b
            below += pb * (h0 * net + (system.backorder + h0 + h1) * max(-net, 0.0))
        total += pa * (h1 * echelon + below)
    return total


@given(
    holding=st.tuples(st.floats(0.2, 5), st.floats(0.2, 5)),
    leads=st.tuples(st.sampled_from([0.5, 1, 2]), st.sampled_from([0.5, 1, 2])),
    backorder=st.floats(2, 40),
    rate=st.floats(0.5, 3),
)
@settings(max_examples=12, deadline=None)
def test_two_stages_are_the_best_of_all_levels(
    holding: tuple[float, float], leads: tuple[float, float], backorder: float, rate: float
) -> None:
    system = SerialSystem(holding, leads, backorder, d.poisson(rate))
    plan = optimal_serial(system)
    s0, s1 = (int(x) for x in plan.echelon_levels)
    assert plan.cost == pytest.approx(_slow_two_stage(system, (s0, s1)), rel=1e-8)
    for a, b in itertools.product((-1, 0, 1), repeat=2):
        near = _slow_two_stage(system, (s0 + a, s1 + b))
        assert plan.cost <= near + 1e-9
        assert serial_cost(system, [s0 + a, s1 + b]) == pytest.approx(near, rel=1e-8)


@given(
    holding=st.lists(st.floats(0.1, 4), min_size=2, max_size=4),
    backorder=st.floats(3, 60),
    rate=st.floats(1, 20),
)
@settings(max_examples=25, deadline=None)
def test_levels_lie_between_the_newsvendor_bounds(
    holding: list[float], backorder: float, rate: float
) -> None:
    system = SerialSystem(holding, [0.5] * len(holding), backorder, d.poisson(rate))
    plan = optimal_serial(system)
    low, high, heuristic = shang_song_levels(system)
    assert np.all(low <= plan.echelon_levels)
    assert np.all(plan.echelon_levels <= high)
    assert serial_cost(system, np.round(heuristic)) >= plan.cost - 1e-7


def test_uniform_demand_adds_up_on_the_grid() -> None:
    system = SerialSystem([1.0, 1.0], [1, 2], 10.0, d.uniform(0, 10))
    same_moments = SerialSystem([1.0, 1.0], [1, 2], 10.0, d.normal(5, 10 / 12**0.5))
    assert optimal_serial(system).cost == pytest.approx(optimal_serial(same_moments).cost, rel=0.05)


def test_levels_far_below_the_optimum_cost_what_brute_force_says() -> None:
    system = SerialSystem([1.5, 2.5], [1, 2], 20.0, d.poisson(2))
    for levels in ((-30, -60), (-5, 4), (3, -40)):
        assert serial_cost(system, levels) == pytest.approx(
            _slow_two_stage(system, levels), rel=1e-8
        )
