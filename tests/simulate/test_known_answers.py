"""The world against theory: the exact value lies in the interval over copies.

Few copies here; benchmarks/world.py runs more of them, and more systems.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.core.inventory import demand as laws
from pipeline.core.inventory.divergent import DivergentSystem, horizon_costs
from pipeline.core.inventory.pooling import erlang_loss
from pipeline.core.inventory.serial import SerialSystem, optimal_serial
from pipeline.simulate.report.intervals import Interval, interval
from pipeline.simulate.textbook.known_answers import (
    divergent_cost,
    lost_sales_cost,
    pooling_units,
    serial_cost,
)


def covers(found: Interval, exact: float) -> bool:
    """Within 1.5 half-widths of the 95 % interval: one false alarm in some 300 seeds."""
    return abs(found.mean - exact) <= 1.5 * found.half_width


def test_one_node_with_lost_sales_costs_what_zipkin_published(shared_dir: Path) -> None:
    records = json.loads((shared_dir / "benchmarks" / "lost_sales.json").read_text())["records"]
    record = next(r for r in records if r["id"] == "zipkin2008_poisson_p19_L1")
    best = record["recomputed"]["best_base_stock"]
    demand = np.random.default_rng(0).poisson(5, (150, 150, 1))
    found = interval(lost_sales_cost(demand, 1, best["S"], 19, warm_up=30, seed=1))
    assert covers(found, best["avg_cost"])
    assert found.half_width < 0.03 * best["avg_cost"]


def test_a_serial_line_costs_what_clark_and_scarf_say() -> None:
    """Snyder & Shen's example 6.1 with Poisson demand: levels 9, 15, 26, cost 72.04."""
    system = SerialSystem([3, 2, 2], [1, 1, 2], 37.12, laws.poisson(5))
    plan = optimal_serial(system)
    demand = np.random.default_rng(0).poisson(5, (160, 120, 1))
    levels = [round(level) for level in plan.echelon_levels]
    found = interval(serial_cost(demand, levels, [1, 1, 2], [3, 2, 2], 37.12, 30, seed=1))
    assert covers(found, plan.cost)
    assert found.half_width < 0.03 * plan.cost


@pytest.mark.parametrize("customers", ["lost_sales", "backorder"])
def test_one_warehouse_with_retailers_costs_the_same_path_by_path(customers: str) -> None:
    """Twin: the classical library's own simulation of Kaynov et al. (2024), instances 7 and 1."""
    poisson = laws.poisson(3)
    system = DivergentSystem(2, (1, 1, 1), (poisson,) * 3, 0.5, (1.0,) * 3, (9.0,) * 3, customers)
    demand, chance = system.sample(20, 60, 1)
    twin = horizon_costs(system, 44, np.array([9, 9, 9]), demand, chance, "proportional")
    found = divergent_cost(
        demand.transpose(1, 0, 2),
        44,
        [9, 9, 9],
        2,
        [1, 1, 1],
        0.5,
        np.ones(3),
        np.full(3, 9.0),
        1,
        customers == "backorder",
    )
    assert found == pytest.approx(twin)


def test_lateral_pooling_loses_what_erlang_says() -> None:
    """4 warehouses of one unit, 0.2 orders a day, a unit away 10.5 days on average: load 2.1."""
    lead_days, rate, n = 10, 0.2, 4
    demand = np.random.default_rng(0).poisson(rate / n, (250, 150, n))
    asked, lost, own = pooling_units(demand, lead_days, warm_up=50, seed=1)
    load = rate * (lead_days + 0.5)  # sold at noon on average, replaced on the morning after lead
    blocked = erlang_loss(n, load)
    on_the_spot = (n - load * (1 - blocked)) / n
    assert covers(interval(lost - blocked * asked), 0.0)
    assert abs((own - on_the_spot * asked).mean()) < 0.03 * asked.mean()
