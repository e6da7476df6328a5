"""One warehouse, many retailers: rationing, a plain twin of the simulation, and special cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.core.inventory import demand as d
from pipeline.core.inventory import divergent as dv
from pipeline.core.inventory.newsvendor import newsvendor


@given(
    orders=st.lists(st.integers(0, 12), min_size=1, max_size=5),
    available=st.integers(0, 40),
    is_proportional=st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_rationing_ships_what_there_is_and_no_more_than_ordered(
    orders: list[int], available: int, is_proportional: bool
) -> None:
    wanted = np.array(orders)
    shipped = dv.ration(available, wanted, wanted, is_proportional)
    assert shipped.sum() == min(available, wanted.sum())
    assert np.all((shipped >= 0) & (shipped <= wanted))
    if not is_proportional and wanted.sum() > available:
        left = wanted - shipped  # nobody waits for two units more than one who got something
        assert left.max() <= left[shipped > 0].min(initial=left.max()) + 1


def _slow_costs(
    system: dv.DivergentSystem, level: int, levels: np.ndarray, demand: np.ndarray, mode: str
) -> list[float]:
    """The order of events, spelled out with lists of (arrival period, units)."""
    costs = []
    for path in demand:
        warehouse, stock = level - int(levels.sum()), [int(x) for x in levels]
        inbound: list[tuple[int, int]] = []
        transit: list[list[tuple[int, int]]] = [[] for _ in stock]
        total = 0.0
        for t, wanted in enumerate(path):
            warehouse += sum(q for when, q in inbound if when == t)
            inbound = [(when, q) for when, q in inbound if when > t]
            for i, legs in enumerate(transit):
                stock[i] += sum(q for when, q in legs if when == t)
                transit[i] = [(when, q) for when, q in legs if when > t]
            position = [s + sum(q for _, q in legs) for s, legs in zip(stock, transit, strict=True)]
            orders = np.maximum(levels - np.array(position), 0)
            shipped = dv.ration(warehouse, orders, levels - np.array(position), mode == "prop")
            echelon = warehouse + sum(q for _, q in inbound) + sum(position)
            inbound.append((t + system.warehouse_lead_time, max(level - echelon, 0)))
            warehouse -= int(shipped.sum())
            for i in range(len(stock)):
                transit[i].append((t + system.retailer_lead_times[i], int(shipped[i])))
                stock[i] -= int(wanted[i])
                short = max(-stock[i], 0)
                if system.customers == "lost_sales":
                    stock[i] = max(stock[i], 0)
                total += system.penalty[i] * short
                total += system.retailer_holding[i] * max(stock[i], 0)
            total += system.warehouse_holding * warehouse
        costs.append(total)
    return costs


@given(
    customers=st.sampled_from(["backorder", "lost_sales"]),
    leads=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    warehouse_lead=st.integers(1, 4),
    slack=st.integers(0, 12),
    is_proportional=st.booleans(),
)
@settings(max_examples=20, deadline=None)
def test_simulation_is_its_plain_twin(
    customers: dv.Customers,
    leads: list[int],
    warehouse_lead: int,
    slack: int,
    is_proportional: bool,
) -> None:
    count = len(leads)
    system = dv.DivergentSystem(
        warehouse_lead,
        tuple(leads),
        (d.poisson(3),) * count,
        0.5,
        (1.0,) * count,
        (9.0,) * count,
        customers,
    )
    levels = np.arange(6, 6 + count)
    demand, chance = system.sample(3, 25, 5)
    rule: dv.Allocation = "proportional" if is_proportional else "min_shortage"
    fast = dv.horizon_costs(system, int(levels.sum()) + slack, levels, demand, chance, rule)
    slow = _slow_costs(
        system, int(levels.sum()) + slack, levels, demand, "prop" if is_proportional else "min"
    )
    np.testing.assert_allclose(fast, slow)


def test_a_warehouse_with_plenty_leaves_a_newsvendor_at_the_retailer() -> None:
    demand = d.poisson(4)
    system = dv.DivergentSystem(1, (1,), (demand,), 0.0, (1.0,), (9.0,))
    best = newsvendor(demand.over(2), 1.0, 9.0)
    level = np.array([int(best.level_units)])
    paths, chance = system.sample(400, 420, 3)
    costs = [
        dv.horizon_costs(system, 500, level, paths[:, :t], chance, "min_shortage").mean()
        for t in (20, 420)
    ]
    assert (costs[1] - costs[0]) / 400 == pytest.approx(best.cost, rel=0.01)


def test_emergencies_can_only_help() -> None:
    parts = (2, (1, 1), (d.poisson(3),) * 2, 0.5, (1.0,) * 2, (9.0,) * 2)
    levels = np.array([5, 5])
    costs = []
    for chance_of_rescue in (0.0, 0.5, 1.0):
        system = dv.DivergentSystem(*parts, "emergency", chance_of_rescue)
        demand, chance = system.sample(200, 100, 11)
        costs.append(dv.horizon_costs(system, 26, levels, demand, chance, "min_shortage").mean())
    assert costs[0] > costs[1] > costs[2]


def test_level_search_beats_its_neighbours_on_its_own_paths() -> None:
    system = dv.DivergentSystem(2, (1, 1), (d.poisson(2),) * 2, 0.5, (1.0,) * 2, (9.0,) * 2)
    plan = dv.best_echelon_base_stock(
        system, "min_shortage", periods=40, search_paths=100, final_paths=100, seed=1
    )
    demand, chance = system.sample(100, 40, 1)

    def cost(level: int, retailer: int) -> float:
        levels = np.array([retailer, retailer])
        return float(dv.horizon_costs(system, level, levels, demand, chance, "min_shortage").mean())

    level, retailer = plan.warehouse_level, plan.retailer_levels[0]
    for dw, dr in ((-1, 0), (1, 0), (2, 1), (-2, -1)):
        assert cost(level, retailer) <= cost(level + dw, retailer + dr) + 1e-9
