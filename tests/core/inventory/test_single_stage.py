"""Base-stock, (r, Q) and (s, S) are the best of all, and agree with stockpyl and the textbook."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.inventory import demand as d
from pipeline.core.inventory import single_stage as ss


def test_textbook_values() -> None:
    level = ss.base_stock(d.normal(50, 8), 0.18, 0.70, lead_time=4)
    assert level.level_units == pytest.approx(264.766894, abs=1e-5)  # 250 + 8√5 · 0.8255
    assert level.cost == pytest.approx(4.466781, abs=1e-5)
    policy = ss.reorder_policy(d.poisson(1.5).over(2), 1.5, 100, 20, 150)
    assert (policy.reorder_point_units, policy.order_units) == (3, 5)
    assert policy.cost == pytest.approx(107.923581, abs=1e-5)
    found = ss.min_max_policy(d.poisson(4), 40, 125, 150)
    assert (found.reorder_point_units, found.order_up_to_units) == (2, 7)
    assert found.cost == pytest.approx(223.57483, abs=1e-4)
    lot = ss.economic_order_quantity(1300, 8, 0.225)
    assert lot.level_units == pytest.approx(304.047, abs=1e-3)  # √(2 · 8 · 1300 / 0.225)


@given(
    rate=st.floats(0.5, 6),
    lead=st.floats(0.3, 3),
    fixed=st.floats(1, 200),
    holding=st.floats(0.5, 20),
    ratio=st.floats(1.2, 30),
)
@settings(max_examples=25, deadline=None)
def test_reorder_policy_is_the_best_pair(
    rate: float, lead: float, fixed: float, holding: float, ratio: float
) -> None:
    demand = d.poisson(rate).over(lead)
    best = ss.reorder_policy(demand, rate, fixed, holding, ratio * holding)
    near = [
        ss.reorder_cost(
            demand,
            rate,
            fixed,
            holding,
            ratio * holding,
            best.reorder_point_units + dr,
            best.order_units + dq,
        )
        for dr in range(-3, 4)
        for dq in range(-3, 4)
        if best.order_units + dq >= 1
    ]
    assert best.cost == pytest.approx(min(near))


def test_continuous_reorder_policy_is_stationary() -> None:
    demand = d.normal(1300 / 12, 150 / 12**0.5)
    args = (demand, 1300.0, 8.0, 0.225, 7.5)
    best = ss.reorder_policy(*args)
    for dr in (-1.0, 0.0, 1.0):
        for dq in (-1.0, 0.0, 1.0):
            cost = ss.reorder_cost(*args, best.reorder_point_units + dr, best.order_units + dq)
            assert cost >= best.cost - 1e-8


def _min_max_cost(demand: d.Lattice, h: float, p: float, fixed: float, s: int, top: int) -> float:
    """Average cost of (s, S) from the stationary law of the inventory position, by iteration."""
    mass = demand.mass_from_zero()
    law = {top: 1.0}
    for _ in range(400):
        following: dict[int, float] = {}
        for y, weight in law.items():
            for units, chance in enumerate(mass):
                left = y - units
                to = top if left <= s else left
                following[to] = following.get(to, 0.0) + weight * chance
        law = following
    cost = 0.0
    for y, weight in law.items():
        cost += weight * (h * (y - demand.mean) + (h + p) * demand.loss(y))
        cost += weight * fixed * (1 - demand.cdf(y - s - 1))
    return cost


@given(
    rate=st.floats(0.4, 3),
    fixed=st.floats(0, 60),
    holding=st.floats(0.5, 5),
    ratio=st.floats(1, 15),
)
@settings(max_examples=6, deadline=None)
def test_min_max_policy_is_the_best_pair(
    rate: float, fixed: float, holding: float, ratio: float
) -> None:
    mass = d.poisson(rate).probabilities[:12]
    demand = d.Lattice(mass / mass.sum())
    best = ss.min_max_policy(demand, holding, ratio * holding, fixed)
    args = (demand, holding, ratio * holding, fixed)
    s, top = best.reorder_point_units, best.order_up_to_units
    assert best.cost == pytest.approx(_min_max_cost(*args, s, top), rel=1e-6)
    for ds in (-2, -1, 0, 1, 2):
        for dt in (-2, -1, 0, 1, 2):
            if s + ds < top + dt:
                assert best.cost <= _min_max_cost(*args, s + ds, top + dt) + 1e-7


@pytest.mark.parametrize("case", range(5))
def test_agrees_with_stockpyl(case: int) -> None:
    rq = pytest.importorskip("stockpyl.rq")
    stockpyl_ss = pytest.importorskip("stockpyl.ss")
    h, p, fixed, rate, lead = [
        (20, 150, 100, 1.5, 2),
        (1, 9, 5, 4, 1),
        (3, 5, 30, 2, 3),
        (0.5, 20, 64, 6, 1),
        (10, 12, 20, 0.8, 2),
    ][case]
    ours = ss.reorder_policy(d.poisson(rate).over(lead), rate, fixed, h, p)
    r, q, cost = rq.r_q_poisson_exact(h, p, fixed, rate, lead)
    assert (ours.reorder_point_units, ours.order_units) == (r, q)
    assert ours.cost == pytest.approx(cost, rel=1e-6)
    found = ss.min_max_policy(d.poisson(rate), h, p, fixed)
    s, top, cost = stockpyl_ss.s_s_discrete_exact(h, p, fixed, use_poisson=True, demand_mean=rate)
    assert (found.reorder_point_units, found.order_up_to_units) == (s, top)
    assert found.cost == pytest.approx(cost, rel=1e-5)
